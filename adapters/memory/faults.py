"""What can be made to go wrong at one endpoint of an in-process ledger, while another endpoint of it stays honest."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.protocol import BadAnswer, GatewayEvent, HeadMoved, MessageDelivered, MessageSent, Unreachable
from schemas.outcome import Status


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
        events_doubled: the first event of each answer comes twice.
        events_reordered: events come in the opposite order.
        heads_lie: proofs show another head than the one that is stored.
        loses_transactions: transactions are taken and forgotten.
        nonce_jump: what is added to every account's nonce.
    """

    unreachable: bool = False
    truncated: bool = False
    answer_s: float = 0.0
    stalled_at: int | None = None
    events_lie: bool = False
    events_dropped: bool = False
    events_doubled: bool = False
    events_reordered: bool = False
    heads_lie: bool = False
    loses_transactions: bool = False
    nonce_jump: int = 0

    def check(self, endpoint: str, timeout_s: float) -> None:
        """Fail a call as the switches say.

        Raises:
            Unreachable: the endpoint does not answer, or not in time.
            BadAnswer: its answer breaks off.
        """
        if self.unreachable:
            raise Unreachable(f"{endpoint} cannot be reached.", endpoint=endpoint)
        if self.answer_s > timeout_s:
            raise Unreachable(f"{endpoint} did not answer in {timeout_s:g} s.", endpoint=endpoint)
        if self.truncated:
            raise BadAnswer(f"{endpoint} broke off in the middle of its answer.", endpoint=endpoint)

    def spoil(self, events: list[GatewayEvent]) -> list[GatewayEvent]:
        """Change events as the switches say."""
        if self.events_lie:
            events = [_false(event) for event in events]
        if self.events_dropped:
            events = events[1:]
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
    return replace(event, channel=event.channel + "x")
