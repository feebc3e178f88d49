"""What every EVM-like ledger shares: the gateway contract, its artifacts, and codecs by hand."""
