"""The first part of a look: fetch the headers after the trusted one and judge each with the light client.

A header is judged together with as many after it as make it final (`state.confirmations`; none where a sealed block is final).
So the state moves over final headers alone: a reorganisation of later ones is never seen by it. One that reaches an accepted
header is held against what is remembered (`Trail`): where the endpoint shows two final headers of one height, that is
misbehaviour, found at the height where the branches part; where it shows less, the endpoint is wrong and is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.protocol import AdapterError, Ledger
from light_clients.errors import (
    HeaderBehind,
    HeaderGap,
    HeaderUnconfirmed,
    LightClientError,
    Refused,
    Retry,
    TimestampAhead,
)
from relay.trail import Trail, run_of
from schemas.claim import Direction
from schemas.primitives import LaneId

HEADERS_A_LOOK = 400
HEADERS_A_REQUEST = 1000
HEADERS_BEFORE_EVENTS = 128
"""Headers that are judged before events are read, on a ledger that proves no state: its clients remember twice as many, and what
they have forgotten cannot be proved any more."""


class Lied(Exception):
    """An endpoint said what cannot be true; another endpoint is asked and the lane waits.

    Attributes:
        name: name of the refusal.
        endpoint: who said it.
        about: lane and direction of the history whose entries do not lead to what is proved; None where it is about something else.
    """

    def __init__(self, name: str, message: str, endpoint: str, about: tuple[LaneId, Direction] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.endpoint = endpoint
        self.about = about


class HeaderLied(Lied):
    """The lie is a header: one that the light client refuses, or another one than was asked for."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Headers that were judged.

    Attributes:
        state: the new state.
        headers: the bytes of those that were accepted, without what confirms them.
        tip: height up to which the endpoint has final ones.
        trail: the newest headers, for the next look.
        replaced: headers that were not final yet and gave way to others, as (old, new).
    """

    state: Any
    headers: tuple[bytes, ...]
    tip: int
    trail: Trail
    replaced: tuple[tuple[bytes, bytes], ...] = ()


def follow(
    ledger: Ledger,
    client: Any,
    state: Any,
    trail: Trail,
    now: int,
    *,
    target: int | None = None,
    most: int = HEADERS_A_LOOK,
    skips: bool = False,
) -> Followed:
    """Fetch and judge the headers after the trusted one, at most 400.

    Args:
        ledger: where they are fetched.
        client: the light client of the ledger's consensus.
        state: its trusted state.
        trail: the newest headers, to hold contradicting ones against.
        now: Unix seconds.
        target: go no further than this height (the endpoint's tip otherwise).
        most: headers that are judged at once.
        skips: whether the consensus' headers are not of heights in a row; `most` then counts for nothing.

    Returns:
        The new state; fewer headers than there are where the endpoint has more.

    Raises:
        AdapterError: the endpoint does not answer properly.
        HeaderLied: a header is refused, or is not the one that was asked for.
        Misbehaviour: the endpoint showed a second final header of a height that was accepted.
        HeaderUnconfirmed: what follows the next header is on another branch, or not enough.
        TimestampAhead: a sealed header is ahead of our clock.
    """
    depth, start = state.confirmations, state.height + 1
    tip = ledger.tip()
    final = max(tip - depth, 0)
    goal = final if target is None else min(final, target)
    if skips:
        return _follow_steps(ledger, client, state, trail, now, goal, final)
    if goal < start:
        if final < state.height:
            _look_behind(ledger, client, state, trail, tip)
        return Followed(state, (), final, trail)
    last = min(goal, state.height + min(most, HEADERS_A_REQUEST - depth))
    fetched = tuple(ledger.headers(start, last + depth))
    accepted = judged = 0
    known = trail
    while accepted <= last - start and accepted + state.confirmations < len(fetched):
        run = fetched[accepted : accepted + state.confirmations + 1]
        try:
            verified = _judge(ledger, client, state, known, run, now)
        except HeaderUnconfirmed:
            if not accepted:
                raise
            break
        state, judged = client.apply(state, verified), accepted + len(run)
        accepted += 1
        known = trail.extended(start - 1, fetched[:accepted], fetched[accepted:judged])
    return Followed(state, fetched[:accepted], final, known, trail.replaced(start - 1, fetched[:judged]))


def _follow_steps(ledger: Ledger, client: Any, state: Any, trail: Trail, now: int, goal: int, final: int) -> Followed:
    """Go from one final header to a later one, as far as the endpoint leads.

    What brings nothing new is passed over: an endpoint does not know what the client knows, and shows a committee once more. A
    goal that is the very next height waits for a later one, for a range of one height asks where a client begins.
    """
    accepted: list[bytes] = []
    for header in ledger.headers(state.height + 1, goal) if goal > state.height + 1 else ():
        try:
            verified = client.verify_header(state, header, now)
        except (HeaderBehind, HeaderUnconfirmed):
            continue
        except HeaderGap as gap:
            raise HeaderLied(gap.name, f"A step is missing. {gap}", ledger.endpoint) from gap
        except Refused as refusal:
            _accuse_by_last(client, state, trail, header)
            raise HeaderLied(refusal.name, refusal.message, ledger.endpoint) from refusal
        except TimestampAhead as ahead:
            _refuse_unless_sealed(ledger, client, state, header, ahead)
            raise
        state = client.apply(state, verified)
        accepted.append(header)
        trail = Trail(state.height, (header,))
    return Followed(state, tuple(accepted), final, trail)


def _accuse_by_last(client: Any, state: Any, trail: Trail, header: bytes) -> None:
    """Raise Misbehaviour if a header that was refused contradicts the last one that was accepted."""
    try:
        contradiction = client.find_misbehaviour(state, trail.headers[-1], header)
    except (Refused, Retry):
        return
    if contradiction is not None:
        raise contradiction


def _judge(ledger: Ledger, client: Any, state: Any, trail: Trail, run: Sequence[bytes], now: int) -> Any:
    """Judge the first header of a run; what is refused is looked into before its endpoint is blamed."""
    header = run_of(run)
    try:
        return client.verify_header(state, header, now)
    except Refused as refusal:
        _accuse_if_proved(ledger, client, state, trail)
        raise HeaderLied(refusal.name, refusal.message, ledger.endpoint) from refusal
    except (HeaderGap, HeaderBehind) as other:
        raise HeaderLied(other.name, f"Another header came than was asked for. {other}", ledger.endpoint) from other
    except TimestampAhead as ahead:
        _refuse_unless_sealed(ledger, client, state, header, ahead)
        raise


def _refuse_unless_sealed(ledger: Ledger, client: Any, state: Any, header: bytes, ahead: TimestampAhead) -> None:
    """A header that is ahead of our clock blames the clocks only if it is good at its own time; else its endpoint lies."""
    found = ahead.found if isinstance(ahead.found, int) else 0
    try:
        client.verify_header(state, header, min(found, state.expires_at - 1))
    except LightClientError as error:
        raise HeaderLied(error.name, error.message, ledger.endpoint) from error


def _look_behind(ledger: Ledger, client: Any, state: Any, trail: Trail, tip: int) -> None:
    """An endpoint whose tip is below ours is behind us or on another branch; one header tells which."""
    height = min(tip, state.height)
    known = trail.at(height)
    if known is not None and ledger.headers(height, height)[0] != known:
        _accuse_if_proved(ledger, client, state, trail)


def _accuse_if_proved(ledger: Ledger, client: Any, state: Any, trail: Trail) -> None:
    """Raise Misbehaviour if the endpoint serves another final header of a height that is remembered.

    The lowest such height is named: there the branches part, or they part below everything that is remembered.
    """
    depth = state.confirmations
    try:
        last = min(ledger.tip(), state.height + depth)
        served = ledger.headers(trail.first, last) if last >= trail.first else []
    except AdapterError:
        return
    for index, (ours, theirs) in enumerate(zip(trail.headers, served, strict=False)):
        if ours == theirs or trail.first + index > state.height:
            continue
        end = index + depth + 1
        try:
            contradiction = client.find_misbehaviour(state, run_of(trail.headers[index:end]), run_of(served[index:end]))
        except (Refused, Retry):
            continue
        if contradiction is not None:
            raise contradiction
