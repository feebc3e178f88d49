"""What can be made to go wrong at one endpoint of an in-process ledger, while another endpoint of it stays honest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adapters.protocol import (
    BadAnswer,
    GatewayEvent,
    HeadMoved,
    LaneOpened,
    MessageDelivered,
    MessageSent,
    MessageTicketed,
    Receipt,
    Rejected,
    Unreachable,
    Wallet,
)
from schemas.outcome import Status

if TYPE_CHECKING:
    from adapters.memory.chain import MemoryChain


@dataclass(slots=True)
class Faults:
    """Switches; all off at first.

    Attributes:
        unreachable: nothing is answered.
        truncated: every answer breaks off.
        answer_s: seconds that an answer would take; beyond the request's time-out it does not come. Nobody waits for it.
        stalled_at: the newest height that is served, None for the ledger's own.
        events_lie: events say something else than happened.
        events_dropped: the first event of each answer is left out.
        events_withheld: no event is shown at all.
        events_doubled: the first event of each answer comes twice.
        events_reordered: events come in the opposite order.
        heads_lie: proofs show another head than the one that is stored.
        loses_transactions: transactions are taken and forgotten.
        nonce_jump: what is added to every account's nonce.
        busy_s: the endpoint says that it is busy, and for how long (HTTP 429 or 503 with Retry-After); None if it is not.
        refuses: every question is refused with an error.
        tip_jump: what is added to the newest height; below 0 the endpoint lags behind, and serves no newer block.
        states_old: proofs are of the block before.
        receipts_lie: what every transaction is said to have become: `success`, `failure` or `unknown`.
        refuses_transactions: the code of the refusal that every transaction meets.
        reverts: the reason for which every simulated call is said to revert.
        poor: every account is said to be empty.
        fee_factor: what the fee is multiplied by.
        fork: another history that the endpoint serves in place of the ledger's own.
        fork_headers: whether the headers are that history's too; else they are the ledger's own.
    """

    unreachable: bool = False
    truncated: bool = False
    answer_s: float = 0.0
    stalled_at: int | None = None
    events_lie: bool = False
    events_dropped: bool = False
    events_withheld: bool = False
    events_doubled: bool = False
    events_reordered: bool = False
    heads_lie: bool = False
    loses_transactions: bool = False
    nonce_jump: int = 0
    busy_s: float | None = None
    refuses: bool = False
    tip_jump: int = 0
    states_old: bool = False
    receipts_lie: str = ""
    refuses_transactions: str = ""
    reverts: str = ""
    poor: bool = False
    fee_factor: int = 1
    fork: MemoryChain | None = None
    fork_headers: bool = True

    def check(self, endpoint: str, timeout_s: float) -> None:
        """Fail a call as the switches say.

        Raises:
            Unreachable: the endpoint does not answer, or not in time.
            BadAnswer: its answer breaks off.
            Rejected: it refuses everything.
        """
        if self.busy_s is not None:
            raise Unreachable(f"{endpoint} is busy (HTTP 503).", endpoint=endpoint, retry_after_s=self.busy_s)
        if self.refuses:
            raise Rejected(f"{endpoint} refuses every question.", endpoint=endpoint)
        if self.unreachable:
            raise Unreachable(f"{endpoint} cannot be reached.", endpoint=endpoint)
        if self.answer_s > timeout_s:
            raise Unreachable(f"{endpoint} did not answer in {timeout_s:g} s.", endpoint=endpoint)
        if self.truncated:
            raise BadAnswer(f"{endpoint} broke off in the middle of its answer.", endpoint=endpoint)

    def tip(self, height: int) -> int:
        """The newest height that the endpoint says it serves."""
        return max(0, (height if self.stalled_at is None else min(self.stalled_at, height)) + self.tip_jump)

    def wallet(self, wallet: Wallet) -> Wallet:
        """Change an account as the switches say."""
        nonce, pending = wallet.nonce + self.nonce_jump, wallet.pending_nonce + self.nonce_jump
        balance = 0 if self.poor else wallet.balance
        fee, least_fee = wallet.fee * self.fee_factor, wallet.least_fee * self.fee_factor
        return replace(wallet, nonce=nonce, pending_nonce=pending, balance=balance, fee=fee, least_fee=least_fee)

    def receipts(self, found: list[Receipt | None], asked: Sequence[bytes], height: int) -> list[Receipt | None]:
        """Change receipts as the switches say."""
        if self.receipts_lie == "unknown":
            return [None] * len(found)
        if not self.receipts_lie:
            return found
        success = self.receipts_lie == "success"
        return [Receipt(transaction, height, bytes(32), success, 21_000) for transaction in asked]

    def spoil(self, events: list[GatewayEvent]) -> list[GatewayEvent]:
        """Change events as the switches say."""
        if self.events_lie:
            events = [_false(event) for event in events]
        if self.events_dropped:
            events = events[1:]
        if self.events_withheld:
            return []
        if self.events_doubled:
            events = events[:1] + events
        if self.events_reordered:
            events = events[::-1]
        return events


def _false(event: GatewayEvent) -> GatewayEvent:
    if isinstance(event, MessageSent):
        return replace(event, message=replace(event.message, gas_limit=event.message.gas_limit + 1))
    if isinstance(event, MessageDelivered):
        return replace(event, status=Status.FAILED if event.status == Status.EXECUTED else Status.EXECUTED)
    if isinstance(event, HeadMoved):
        return replace(event, head=type(event.head)(event.head[::-1]))
    if isinstance(event, LaneOpened):
        return replace(event, channel=event.channel + "x")
    if isinstance(event, MessageTicketed):
        return replace(event, ticket=event.ticket[::-1])
    return replace(event, verifier=event.verifier[::-1])
