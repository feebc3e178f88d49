"""The database: the truth about registered ledgers, lanes, messages, claims and transactions.

`Store` and `Lease` load SQLAlchemy (half a second); `relay.store.reader` reads the same database without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relay.store.engine import Lease, Store

__all__ = ["Lease", "Store"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from relay.store import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
