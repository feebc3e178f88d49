"""Ledgers inside this process, with faults on demand: the adapter named `memory`, for tests and drills.

A URL is `memory://LEDGER` or `memory://LEDGER/ENDPOINT`: endpoints of one ledger share its blocks, and each has faults of
its own. A ledger comes into being when it is first named, as `eip155:` with a number made from its name.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from adapters.protocol import AdapterOptions, Ledger, Misconfigured

if TYPE_CHECKING:
    from adapters.memory.chain import MemoryChain
    from adapters.memory.faults import Faults

_SCHEME = "memory://"
_lock = threading.Lock()
_chains: dict[str, MemoryChain] = {}
_faults: dict[str, Faults] = {}


def memory_chain(name: str, *, validators: int = 4, clique: bool = False) -> MemoryChain:
    """Return the ledger of that name; at first it is made, sealed by so many validators (0: by nobody), on Clique in turn."""
    from adapters.memory.chain import MemoryChain
    from schemas.suites import keccak256

    with _lock:
        if name not in _chains:
            number = int.from_bytes(keccak256(name.encode())[:4], "big")
            _chains[name] = MemoryChain(number, validators=validators, clique=clique)
        return _chains[name]


def forget_memory_chain(name: str) -> None:
    """Forget a ledger, so that the next of its name begins anew."""
    with _lock:
        _chains.pop(name, None)
        for url in [url for url in _faults if _ledger_name(url) == name]:
            del _faults[url]


def faults_at(url: str) -> Faults:
    """Return the switches of one endpoint, by its URL."""
    from adapters.memory.faults import Faults

    with _lock:
        return _faults.setdefault(url, Faults())


def _ledger_name(url: str) -> str:
    return url.removeprefix(_SCHEME).partition("/")[0]


class MemoryFactory:
    """Opens ledgers of this process."""

    name = "memory"
    keeps_time = True

    def open(self, options: AdapterOptions) -> Ledger:
        """Open the ledger that the first endpoint's URL names.

        Raises:
            Misconfigured: the URL is not `memory://NAME`.
        """
        from adapters.memory.adapter import MemoryLedger

        url = options.endpoints[0].url if options.endpoints else ""
        if not url.startswith(_SCHEME) or not _ledger_name(url):
            raise Misconfigured(f"{url!r} is no ledger of this process; give memory://NAME.")
        return MemoryLedger(memory_chain(_ledger_name(url)), faults_at(url), url, timeout_s=options.timeout_s)


ADAPTER = MemoryFactory()
