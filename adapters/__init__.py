"""How a ledger is spoken to. Adapters fetch and deliver; they never judge."""
