"""Sealing: a message that was sent on Fabric waits under a ticket until somebody folds it into the lane's head.

`send` writes a message under a key of its own, so that senders do not conflict; the ticket is the transaction's id. Anybody who
is a member may name tickets in a `seal`, which gives them nonces in order of their age, and whose event is `MessageSent`. One
seal of a lane at a time: of two that wait at once the second fails (MVCC), and its tickets wait on.
Source: the hub's protocol (docs/protocol.md, Ledgers that are unlike Ethereum).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_abi.abi import encode

from adapters.fabric.adapter import FabricLedger
from adapters.fabric.receipts import GAS
from adapters.protocol import AdapterError, Call, Rejected, Unreachable
from schemas.primitives import LaneId
from schemas.suites import keccak256

SEAL = keccak256(b"seal(bytes32,bytes32[])")[:4]
TICKET = keccak256(b"ticket(bytes32,bytes32)")[:4]
WAITING = 1
"""State of a ticket: 0 unknown, 1 waiting, 2 sealed."""

MOST = 200
"""Tickets of one seal."""

POLL_S = 0.05

REST_S = 1.0
"""Seconds of rest after a channel did not answer."""


def seal_call(gateway: bytes, lane_id: LaneId, tickets: Sequence[bytes]) -> Call:
    """A call that seals tickets, 32 bytes each, into a lane's outbox."""
    return Call(gateway, SEAL + encode(("bytes32", "bytes32[]"), (lane_id, list(tickets))), GAS)


@dataclass
class Sealer:
    """Seals what waits, as one member; call `step` again and again.

    Attributes:
        ledger: the channel.
        gateway: the chaincode's name.
        private_key: of the member that seals.
        patience_s: seconds in which a seal is in a block.
        trouble: why the last look of `run` failed, or empty.
    """

    ledger: FabricLedger
    gateway: bytes
    private_key: bytes
    patience_s: float = 30.0
    trouble: str = ""
    _next: int = 0
    _waiting: dict[LaneId, list[bytes]] = field(default_factory=dict)
    _nonces: itertools.count[int] = field(default_factory=lambda: itertools.count(time.time_ns()))

    def step(self) -> int:
        """Look for new tickets and seal those that wait; returns how many transactions were made.

        A ticket that the gateway refuses for good (a sender who is not allowed) is left; one that waits for a limit comes again.

        Raises:
            AdapterError: the channel does not answer.
        """
        tip = self.ledger.tip()
        if tip >= self._next:
            for lane_id, ticket in self.ledger.tickets(self._next, tip, self.gateway):
                self._waiting.setdefault(lane_id, []).append(ticket)
            self._next = tip + 1
        made = 0
        for lane_id in list(self._waiting):
            waiting = [ticket for ticket in self._waiting[lane_id] if self._waits(lane_id, ticket)]
            self._waiting[lane_id] = waiting
            for start in range(0, len(waiting), MOST):
                made += self._seal(lane_id, waiting[start : start + MOST])
        return made

    def run(self, stop: threading.Event, pause_s: float = 0.5) -> None:
        """Seal until told to stop; while the channel does not answer, wait.

        Args:
            stop: ends it.
            pause_s: seconds between two looks.
        """
        while not stop.is_set():
            try:
                self.step()
            except AdapterError as error:
                self.trouble = str(error)
            else:
                self.trouble = ""
            stop.wait(max(pause_s, REST_S) if self.trouble else pause_s)

    def _waits(self, lane_id: LaneId, ticket: bytes) -> bool:
        question = Call(self.gateway, TICKET + lane_id + ticket, GAS)
        return int.from_bytes(self.ledger.simulate(b"", question)[:32], "big") == WAITING

    def _seal(self, lane_id: LaneId, tickets: list[bytes]) -> int:
        try:
            signed = self.ledger.sign(
                self.private_key, next(self._nonces), seal_call(self.gateway, lane_id, tickets), 0
            )
        except Rejected as refusal:
            if refusal.reason.startswith("SenderNotAllowed"):
                self._waiting[lane_id] = [ticket for ticket in self._waiting[lane_id] if ticket not in tickets]
            return 0
        (error,) = self.ledger.broadcast([signed.raw])
        if error is not None:
            raise error
        deadline = time.monotonic() + self.patience_s
        while self.ledger.receipts([signed.transaction]) == [None]:
            if time.monotonic() > deadline:
                raise Unreachable("A seal that the orderers took is in no block yet; it is looked for again.")
            time.sleep(POLL_S)
        return 1
