"""Operators at work in this process: a hub over memory ledgers, its HTTP interface on a free port, operators in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import tomli_w
from sqlalchemy import select

from adapters.memory.chain import CODE_HASH
from relay.keys import KeyStore
from relay.operator.process import Operator
from relay.store.tables import attestations, claims
from relay.store.verifiers import Kind
from tests.support.memory_hub import NAMES, VERIFIER, MemoryHub
from tests.support.served_hub import ServedHub

GENEROUS_S = 60.0


def wait_until(condition: Callable[[], Any], what: str, within_s: float = GENEROUS_S) -> None:
    """Wait, with a generous ceiling, until something is so."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.01)


class OperatorWorld:
    """A memory hub that serves HTTP, and operators that the test starts and stops."""

    def __init__(
        self,
        folder: Path,
        *,
        endpoints: int = 1,
        batch_limit: int = 10,
        clique: bool = False,
        kind: Kind = Kind.COMMITTEE,
    ) -> None:
        self.folder = folder
        self.hub = MemoryHub(folder, endpoints=endpoints, batch_limit=batch_limit, clique=clique, kind=kind)
        self.running: dict[str, tuple[Operator, threading.Thread]] = {}

    def __enter__(self) -> Self:
        self.start_hub(0)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.stop(name)
        self.stop_hub()
        self.hub.close()

    def start_hub(self, port: int) -> None:
        """Serve the hub's interface."""
        self.server = ServedHub(self.hub.context.store, port)
        self.port = self.server.port

    def stop_hub(self) -> None:
        """Stop serving."""
        self.server.stop()

    def settings(self, name: str, **changes: Any) -> dict[str, Any]:
        """What an operator's file says."""
        return {
            "name": name,
            "organisation": f"house {name}",
            "hub_url": f"http://127.0.0.1:{self.port}",
            "key_file": "signer.json",
            "database": "operator.db",
            "chains": [self.chain(chain) for chain in NAMES],
            **changes,
        }

    def chain(self, name: str, **changes: Any) -> dict[str, Any]:
        """What an operator's file says of a ledger."""
        ledger = self.hub.ledgers[name]
        return {
            "name": name,
            "chain_id": str(ledger.chain_id),
            "first_block": ledger.first_block.hex0x(),
            "adapter": "memory",
            "endpoints": list(self.hub.urls[name]),
            "consensus": "clique" if self.hub.clique else "qbft",
            "gateway": "0x" + ledger.gateway.address.hex(),
            "gateway_code_hash": "0x" + CODE_HASH.hex(),
            "pinned_height": 0,
            "pinned_hash": "0x" + ledger.blocks[0].header.block_hash.hex(),
            **changes,
        }

    def write(self, name: str, **changes: Any) -> Path:
        """Write an operator's folder."""
        folder = self.folder / f"operator-{name}"
        keys = KeyStore(folder)
        if not keys.exists("signer"):
            keys.new("signer", self.hub.signers[name])
        file = folder / "operator.toml"
        temporary = file.with_suffix(".new")
        temporary.write_bytes(tomli_w.dumps(self.settings(name, **changes)).encode())
        temporary.replace(file)
        return file

    def start(self, name: str, **changes: Any) -> Operator:
        """Start an operator in a thread."""
        operator = Operator(self.write(name, **changes), clock=self.hub.context.clock)
        self.run(name, operator)
        return operator

    def run(self, name: str, operator: Operator) -> None:
        """Run an operator in a thread."""
        thread = threading.Thread(target=operator.run, daemon=True)
        thread.start()
        self.running[name] = (operator, thread)

    def stop(self, name: str) -> None:
        """Stop an operator."""
        operator, thread = self.running.pop(name)
        operator.stop()
        thread.join(timeout=GENEROUS_S)
        assert not thread.is_alive()

    def look(self) -> None:
        """The hub looks at both ledgers and proposes what it finds."""
        self.hub.mine()
        for name in NAMES:
            self.hub.work("chain", name)
        for lane_id in self.hub.lane_ids.values():
            self.hub.work("lane", lane_id.hex())

    def states(self) -> list[str]:
        """The states of all claims, in order."""
        with self.hub.context.store.read() as connection:
            return list(connection.execute(select(claims.c.state).order_by(claims.c.id)).scalars())

    def signers(self) -> set[bytes]:
        """Everyone whose attestation the hub took."""
        with self.hub.context.store.read() as connection:
            return set(connection.execute(select(attestations.c.signer)).scalars())


__all__ = ["NAMES", "VERIFIER", "OperatorWorld", "wait_until"]
