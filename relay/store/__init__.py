"""The database: the truth about registered ledgers, lanes, messages, claims and transactions."""

from relay.store.engine import Lease, Store

__all__ = ["Lease", "Store"]
