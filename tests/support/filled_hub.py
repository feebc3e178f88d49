"""A hub's home whose database holds two ledgers and a lane, written by hand: for views and commands without processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import insert

from relay.config import HubConfig
from relay.home import Home
from relay.store import Store
from relay.store.tables import chains, lanes, messages, milestones, operators, outcomes

LANE = bytes.fromhex("aa" * 32)
SENDER, RECEIVER = b"\x11" * 20, b"\x22" * 20
NOW = 1_800_000_000.0


def message_id(nonce: int) -> bytes:
    """The id of a message in the tests: distinct in its first bytes."""
    return bytes([0xC0, nonce]) + b"\xcc" * 30


def transaction(kind: int, nonce: int) -> bytes:
    """A transaction's hash: kind 1 sent it, 2 delivered it."""
    return bytes([0xD0 + kind, nonce]) + b"\xdd" * 30


class FilledHub:
    """A hub in a folder, with helpers to write rows.

    Args:
        folder: where the home is made.
        settings: further settings of hub.toml.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.home = Home(folder / "hub")
        self.home.save(HubConfig(name="hub", development=True, **settings))
        self.store = Store(self.home.database_url(self.home.load()))
        self.store.migrate()

    def add(self, table: Any, **values: Any) -> None:
        """Insert a row."""
        with self.store.write() as connection:
            connection.execute(insert(table).values(**values))

    def chain(self, name: str, number: int, **values: Any) -> None:
        """A ledger at height 10 of 12."""
        row = {
            "name": name,
            "chain_id": f"eip155:{number}",
            "chain_word": bytes([number]) * 32,
            "first_block": b"\x01" * 32,
            "adapter": "evm",
            "endpoints": [{"url": "http://127.0.0.1:1", "operator": ""}],
            "software": "node/1",
            "development": True,
            "consensus": "qbft",
            "gateway": bytes([number]) * 20,
            "gateway_code_hash": b"\x05" * 32,
            "verifier": b"\x06" * 20,
            "officers": [],
            "account": b"\x07" * 20,
            "account_key": f"relayer-{name}",
            "pinned_height": 1,
            "pinned_hash": b"\x08" * 32,
            "client_state": b"",
            "client_header": b"",
            "client_height": 10,
            "client_hash": b"\x08" * 32,
            "client_time": int(NOW),
            "client_expires_at": int(NOW) + 86_400,
            "observed_height": 10,
            "tip": 12,
            "tip_at": NOW - 1,
            "balance": str(10**18),
            "state": "active",
            "created_at": NOW,
        }
        self.add(chains, **{**row, **values})

    def lane(self, **values: Any) -> None:
        """The lane alpha → beta."""
        row = {
            "lane_id": LANE,
            "hub": "hub",
            "suite": "evm",
            "source": "alpha",
            "destination": "beta",
            "channel": "default",
            "source_verifier": b"\x06" * 20,
            "destination_verifier": b"\x06" * 20,
            "trust": "committee",
            "batch_limit": 100,
            "state": "active",
            "opened_at": NOW,
            "final_head": LANE,
            "outcome_head": b"\xbb" * 32,
        }
        self.add(lanes, **{**row, **values})

    def message(self, nonce: int, **values: Any) -> None:
        """A message of the lane."""
        row = {
            "lane_id": LANE,
            "nonce": nonce,
            "message_id": message_id(nonce),
            "head": LANE,
            "sender": SENDER,
            "receiver": RECEIVER,
            "expires_at": 0,
            "gas_limit": 300_000,
            "callback_gas": 0,
            "payload": b"\x01\x62hi",
            "height": 5,
            "transaction": transaction(1, nonce),
            "sent_at": NOW - 30,
            "seen_at": NOW - 29,
        }
        self.add(messages, **{**row, **values})

    def outcome(self, nonce: int, status: int = 1) -> None:
        """What became of a message."""
        self.add(
            outcomes,
            lane_id=LANE,
            nonce=nonce,
            message_id=message_id(nonce),
            status=status,
            result=b"\x01",
            head=b"\xbb" * 32,
            height=7,
            transaction=transaction(2, nonce),
            seen_at=NOW,
        )

    def milestone(self, stage: str, nonce: int, at: float, height: int = 0, reference: bytes = b"") -> None:
        """A stage was reached up to a nonce."""
        self.add(milestones, lane_id=LANE, stage=stage, nonce=nonce, at=at, height=height, reference=reference)

    def operator(self, name: str, number: int, **values: Any) -> None:
        """An operator of an organisation of its own."""
        row = {"signer": bytes([number]) * 20, "name": name, "organisation": name, "state": "active", "created_at": NOW}
        self.add(operators, **{**row, **values})
