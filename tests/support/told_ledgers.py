"""Ledgers for tests of the guard that answer as they are told, and a guard over several of them."""

from adapters.guard import GuardedLedger
from adapters.protocol import (
    AdapterOptions,
    Call,
    Endpoint,
    LedgerIdentity,
)
from schemas.primitives import BlockHash, ChainId

CHAIN = ChainId("eip155:7")
FIRST = BlockHash(b"\x01" * 32)
CALL = Call(b"", b"", 0)


class FakeLedger:
    """A ledger whose every answer is a function of its endpoint's script."""

    def __init__(self, endpoint, script, clock):
        self.endpoint, self.script, self.clock, self.closed = endpoint, script, clock, False

    def identity(self):
        value = self.script.get("identity", LedgerIdentity(CHAIN, FIRST, "fake", development=True))
        return self._answer(value)

    def tip(self):
        return self._answer(self.script.get("tip", 1))

    def headers(self, first, last):
        return self._answer(self.script.get("headers", [b"h"] * (last - first + 1)))

    def broadcast(self, transactions):
        said = self.script.get("broadcast", [None] * len(transactions))
        return said(transactions) if callable(said) else self._answer(said)

    def wallet(self, _address):
        return self._answer(self.script["wallet"])

    def receipts(self, _transactions):
        return self._answer(self.script["receipts"])

    def simulate(self, _sender, _call):
        return self._answer(self.script["simulate"])

    def close(self):
        self.closed = True

    def _answer(self, value):
        if isinstance(value, BaseException):
            raise value
        return value() if callable(value) else value


class World:
    """Fake endpoints by URL, a clock by hand, and the guard around them."""

    name = "fake"

    def __init__(self, *scripts, keeps_time=False, **options):
        self.keeps_time = keeps_time
        self.now = 100.0
        self.scripts = {f"http://n{number}": script for number, script in enumerate(scripts)}
        self.opened = []
        endpoints = tuple(
            Endpoint(url, operator=script.pop("operator", url[-2:])) for url, script in self.scripts.items()
        )
        self.guard = GuardedLedger(self, AdapterOptions(endpoints, **options), clock=lambda: self.now)

    def open(self, options):
        (endpoint,) = options.endpoints
        ledger = FakeLedger(endpoint.url, self.scripts[endpoint.url], self)
        self.opened.append(ledger)
        return ledger
