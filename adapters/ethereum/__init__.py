"""What ledgers with an Ethereum JSON-RPC have in common; their adapters build on it."""
