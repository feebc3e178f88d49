"""What officers change about a lane: who may send and receive, how much, and whether it is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Row, update

from adapters.solidity.administration import (
    Caps,
    allow_receiver,
    allow_sender,
    close_lane,
    deny_receiver,
    lower_caps,
    lower_sender_limit,
    pause_lane,
    set_caps,
    unpause_lane,
)
from relay.config import HubConfig
from relay.errors import BadInput
from relay.keys import Key, KeyStore
from relay.registry.chains import chain_named, machine_of, open_chain
from relay.registry.lanes import lane_row, lane_view, refresh
from relay.registry.names import OFFICERS
from relay.registry.officers import Proposed, at_once, carry_out
from relay.registry.operators import account_named
from relay.store import Store
from relay.store.tables import lanes
from schemas.primitives import LaneId


class LaneChanges:
    """Changes of one lane, named by its two ledgers and channel or by its id."""

    def __init__(self, config: HubConfig, store: Store, keys: KeyStore, first: str, second: str, channel: str) -> None:
        self.config = config
        self.store = store
        self.keys = keys
        self.row = lane_row(store, first, second, channel)
        self.lane_id = LaneId(self.row.lane_id)
        self.source = chain_named(store, self.row.source)
        self.destination = chain_named(store, self.row.destination)

    def account(self, text: str, chain: Row[Any]) -> bytes:
        """An account of a ledger: `0x…`, the name of a local key, or `mailbox`, the example receiver of a development hub."""
        if text == "mailbox":
            if not self.destination.mailbox:
                raise BadInput("This hub has no example receiver.", "Give the receiver's address, --receiver 0x….")
            return bytes(self.destination.mailbox)
        if text.startswith("0x"):
            return account_named(text)
        ledger = open_chain(chain)
        try:
            return ledger.account(self.keys.load(text).private)
        finally:
            ledger.close()

    def allow(self, *, sender: str, receiver: str, limit: int, officer: Key | None) -> list[Proposed]:
        """Allow a sender (with a limit a window) or a receiver; returns proposals that wait."""
        proposed: list[Proposed] = []
        if bool(sender) == bool(receiver):
            raise BadInput("One account at a time is allowed or denied.", "Give --sender or --receiver.")
        if sender:
            accounts = machine_of(self.source).accounts
            action = allow_sender(self.lane_id, self.account(sender, self.source), limit, accounts=accounts)
            proposed += self._two(self.source, action, officer, f"allow sender {sender}")
        if receiver:
            accounts = machine_of(self.destination).accounts
            action = allow_receiver(self.lane_id, self.account(receiver, self.destination), accounts=accounts)
            proposed += self._two(self.destination, action, officer, f"allow receiver {receiver}")
        return proposed

    def deny(self, *, sender: str, receiver: str, officer: Key) -> None:
        """Deny a sender or a receiver at once."""
        if bool(sender) == bool(receiver):
            raise BadInput("One account at a time is allowed or denied.", "Give --sender or --receiver.")
        if sender:
            accounts = machine_of(self.source).accounts
            denied = self.account(sender, self.source)
            at_once(self.source, "gateway", officer, lower_sender_limit(self.lane_id, denied, accounts=accounts))
        else:
            accounts = machine_of(self.destination).accounts
            denied = self.account(receiver, self.destination)
            at_once(self.destination, "gateway", officer, deny_receiver(self.lane_id, denied, accounts=accounts))

    def limit(self, wanted: Mapping[str, int], batch_limit: int | None, officer: Key | None) -> list[Proposed]:
        """Change caps at both ends: lowered at once, raised by two officers; the batch limit is the hub's own.

        Raises:
            BadInput: nothing is to be changed.
        """
        if not wanted and batch_limit is None:
            raise BadInput("Nothing is to be changed.", "Give a limit; see: relayhub lane limit --help.")
        proposed: list[Proposed] = []
        if wanted:
            for chain in (self.source, self.destination):
                proposed += self._limit_end(chain, wanted, officer)
        if batch_limit is not None:
            with self.store.write() as connection:
                where = lanes.c.lane_id == self.row.lane_id
                connection.execute(update(lanes).where(where).values(batch_limit=batch_limit))
        return proposed

    def close(self, officer: Key | None) -> list[Proposed]:
        """Close both ends."""
        proposed: list[Proposed] = []
        for chain in (self.source, self.destination):
            if not lane_view(self.store, chain.name, self.lane_id)["closed"]:
                proposed += self._two(chain, close_lane(self.lane_id), officer, f"close lane {self.lane_id.hex0x()}")
        refresh(self.store, lane_row(self.store, self.lane_id.hex()))
        return proposed

    def pause(self, officer: Key) -> None:
        """Pause both ends at once."""
        for chain in (self.source, self.destination):
            if not lane_view(self.store, chain.name, self.lane_id)["paused"]:
                at_once(chain, "gateway", officer, pause_lane(self.lane_id))

    def resume(self, officer: Key | None) -> list[Proposed]:
        """Let both ends work again (two officers)."""
        proposed: list[Proposed] = []
        for chain in (self.source, self.destination):
            if lane_view(self.store, chain.name, self.lane_id)["paused"]:
                text = f"resume lane {self.lane_id.hex0x()}"
                proposed += self._two(chain, unpause_lane(self.lane_id), officer, text)
        return proposed

    def _limit_end(self, chain: Row[Any], wanted: Mapping[str, int], officer: Key | None) -> list[Proposed]:
        view = lane_view(self.store, chain.name, self.lane_id)
        now = Caps(*view["caps"].values())
        changed = replace(now, **wanted)
        if changed == now:
            return []
        if all(getattr(changed, cap.name) <= getattr(now, cap.name) for cap in fields(Caps)):
            key = officer or self.keys.load(OFFICERS[0])
            at_once(chain, "gateway", key, lower_caps(self.lane_id, changed))
            return []
        return self._two(chain, set_caps(self.lane_id, changed), officer, f"limits of lane {self.lane_id.hex0x()}")

    def _two(self, chain: Row[Any], action: bytes, officer: Key | None, text: str) -> list[Proposed]:
        return carry_out(
            self.config,
            self.store,
            self.keys,
            chain,
            "gateway",
            [action],
            officer=officer,
            text=f"{text} at {chain.name}",
        )
