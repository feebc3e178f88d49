"""Lists of messages, page by page, each page in bounded time however many messages there are.

A page is read in one of three orders, by what is asked for; all have an index:

    an outcome              lane and nonce   (outcomes_status)
    a lane, or a state      lane and nonce   (the messages' own key; a state is a range of nonces in each lane)
    a sender, or nothing    newest first     (messages_sender, messages_sent_at)

Whatever else is asked for is looked for among the rows in that order. A page looks at 10,000 rows at most: it may have fewer items
than asked for, and the list goes on behind its cursor.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relay.journey import COUNTERS, Stage
from relay.store.reader import Reader, text_of
from relay.views.trace import STATUS_NAMES

SENT, IN_FLIGHT = "sent", "in_flight"
STATES = (SENT, *(str(stage) for stage in Stage), IN_FLIGHT)
OUTCOMES = {name: number for number, name in STATUS_NAMES.items()}
SCANNED_MAX = 10_000
CHUNK = 1_000
LAST = 2**63 - 1
_COLUMNS = (
    'messages.lane_id, messages.nonce, messages.message_id, sender, receiver, messages."transaction", messages.height, '
    "messages.sent_at, outcomes.status"
)
_WITH_OUTCOME = "LEFT JOIN outcomes ON outcomes.lane_id = messages.lane_id AND outcomes.nonce = messages.nonce"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are asked for; None = any.

    Attributes:
        lane: a lane's id, 32 bytes.
        state: the furthest stage that it reached, or `in_flight`.
        outcome: what became of it: 1 executed, 2 failed, 3 expired, 4 refused.
        sender: an account at the source.
        since: sent then or later, Unix seconds of the block.
        until: sent before.
    """

    lane: bytes | None = None
    state: str | None = None
    outcome: int | None = None
    sender: bytes | None = None
    since: float | None = None
    until: float | None = None

    @property
    def by_lane(self) -> bool:
        """Whether the list is in order of lane and nonce; else the newest is first."""
        return self.outcome is not None or self.lane is not None or (self.state is not None and self.sender is None)

    @property
    def picky(self) -> bool:
        """Whether rows of the order may have to be passed over."""
        kinds = (self.sender, self.since, self.until, self.state)
        return any(kind is not None for kind in kinds)


class CursorForeign(ValueError):
    """The cursor is of a list in another order."""


def list_messages(
    reader: Reader, wanted: Wanted, limit: int, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Read a page.

    Args:
        reader: a snapshot.
        wanted: which messages.
        limit: items at most.
        cursor: what the page before gave.

    Returns:
        Messages ready for JSON, and the cursor of the next page, None at the end.

    Raises:
        CursorForeign: the cursor is of another list.
    """
    lanes = {row["lane_id"]: row for row in reader.rows(_LANES)}
    chunk = CHUNK if wanted.picky else limit + 1
    if wanted.outcome is not None:
        rows = _by_outcome(reader, wanted, _place(cursor, by_lane=True), chunk)
    elif wanted.by_lane:
        rows = _by_lane(reader, wanted, lanes, _place(cursor, by_lane=True), chunk)
    else:
        rows = _by_time(reader, wanted, _place(cursor, by_lane=False), chunk)
    found: list[dict[str, Any]] = []
    last: dict[str, Any] | None = None
    for looked_at, row in enumerate(rows):
        if len(found) == limit or looked_at == SCANNED_MAX:
            return found, None if last is None else _cursor(last, by_lane=wanted.by_lane)
        last = row
        lane = lanes.get(row["lane_id"])
        if lane is not None and _fits(row, lane, wanted):
            found.append(_shown(row, lane))
    return found, None


_LANES = f"SELECT lane_id, source, destination, channel, {', '.join(COUNTERS.values())} FROM lanes"  # noqa: S608 - our own names


def _by_time(reader: Reader, wanted: Wanted, place: tuple[Any, ...] | None, chunk: int) -> Iterator[dict[str, Any]]:
    at, lane, nonce = place or (wanted.until if wanted.until is not None else 1e300, b"", 0)
    mine = "sender = :sender AND" if wanted.sender is not None else ""
    query = (
        f"SELECT {_COLUMNS} FROM messages {_WITH_OUTCOME} WHERE {mine} sent_at >= :since "  # noqa: S608 - our own words
        "AND (messages.sent_at, messages.lane_id, messages.nonce) < (:at, :lane, :nonce) "
        "ORDER BY messages.sent_at DESC, messages.lane_id DESC, messages.nonce DESC LIMIT :chunk"
    )
    while True:
        rows = reader.rows(
            query, sender=wanted.sender, since=wanted.since or 0.0, at=at, lane=lane, nonce=nonce, chunk=chunk
        )
        yield from rows
        if len(rows) < chunk:
            return
        at, lane, nonce = rows[-1]["sent_at"], rows[-1]["lane_id"], rows[-1]["nonce"]


def _by_lane(
    reader: Reader, wanted: Wanted, lanes: Mapping[bytes, Any], place: tuple[Any, ...] | None, chunk: int
) -> Iterator[dict[str, Any]]:
    first, after = place or (b"", 0)
    query = (
        f"SELECT {_COLUMNS} FROM messages {_WITH_OUTCOME} WHERE messages.lane_id = :lane "  # noqa: S608 - our own words
        "AND messages.nonce > :low AND messages.nonce <= :high ORDER BY messages.nonce LIMIT :chunk"
    )
    for lane_id in sorted(lanes):
        if lane_id < first or (wanted.lane is not None and lane_id != wanted.lane):
            continue
        low, high = range_of(lanes[lane_id], wanted.state)
        low = max(low, after) if lane_id == first else low
        while low < high:
            rows = reader.rows(query, lane=lane_id, low=low, high=high, chunk=chunk)
            yield from rows
            if len(rows) < chunk:
                break
            low = rows[-1]["nonce"]


def _by_outcome(reader: Reader, wanted: Wanted, place: tuple[Any, ...] | None, chunk: int) -> Iterator[dict[str, Any]]:
    lane, nonce = place or (wanted.lane or b"", 0)
    mine = "AND outcomes.lane_id = :mine" if wanted.lane is not None else ""
    query = (
        f"SELECT {_COLUMNS} FROM outcomes JOIN messages ON messages.lane_id = outcomes.lane_id "  # noqa: S608 - our own words
        "AND messages.nonce = outcomes.nonce WHERE outcomes.status = :status "
        f"AND (outcomes.lane_id, outcomes.nonce) > (:lane, :nonce) {mine} "
        "ORDER BY outcomes.lane_id, outcomes.nonce LIMIT :chunk"
    )
    while True:
        rows = reader.rows(query, status=wanted.outcome, lane=lane, nonce=nonce, mine=wanted.lane, chunk=chunk)
        yield from rows
        if len(rows) < chunk:
            return
        lane, nonce = rows[-1]["lane_id"], rows[-1]["nonce"]


def range_of(lane: Mapping[str, Any], state: str | None) -> tuple[int, int]:
    """The nonces of a lane that are in a state: above the first number, up to the second one."""
    if state is None:
        return 0, LAST
    if state == IN_FLIGHT:
        return lane["settled"], LAST
    names = list(COUNTERS.values())
    if state == SENT:
        return max(lane[name] for name in names), LAST
    place = list(Stage).index(Stage(state))
    return max((lane[name] for name in names[place + 1 :]), default=0), lane[names[place]]


def stage_of(lane: Mapping[str, Any], nonce: int) -> str:
    """The furthest stage that a message has reached."""
    return next((str(stage) for stage in reversed(Stage) if nonce <= lane[COUNTERS[stage]]), SENT)


def _fits(row: Mapping[str, Any], lane: Mapping[str, Any], wanted: Wanted) -> bool:
    low, high = range_of(lane, wanted.state)
    return (
        low < row["nonce"] <= high
        and (wanted.sender is None or row["sender"] == wanted.sender)
        and (wanted.since is None or row["sent_at"] >= wanted.since)
        and (wanted.until is None or row["sent_at"] < wanted.until)
    )


def _shown(row: Mapping[str, Any], lane: Mapping[str, Any]) -> dict[str, Any]:
    status = row["status"]
    return {
        "message_id": text_of(row, "message_id"),
        "lane_id": text_of(row, "lane_id"),
        "source": lane["source"],
        "destination": lane["destination"],
        "channel": lane["channel"],
        "nonce": row["nonce"],
        "stage": stage_of(lane, row["nonce"]),
        "outcome": None if status is None else STATUS_NAMES.get(status, str(status)),
        "sender": text_of(row, "sender"),
        "receiver": text_of(row, "receiver"),
        "transaction": text_of(row, "transaction"),
        "height": row["height"],
        "sent_at": row["sent_at"],
    }


def _cursor(row: Mapping[str, Any], *, by_lane: bool) -> str:
    place: bytes = row["lane_id"] + int(row["nonce"]).to_bytes(8)
    return place.hex() if by_lane else (struct.pack(">d", row["sent_at"]) + place).hex()


def _place(cursor: str | None, *, by_lane: bool) -> tuple[Any, ...] | None:
    """Read a cursor: lane and nonce (40 bytes), with the time before them (48 bytes) in lists by time."""
    if cursor is None:
        return None
    data = bytes.fromhex(cursor)
    if len(data) != (40 if by_lane else 48):
        raise CursorForeign
    nonce = min(int.from_bytes(data[-8:]), LAST)
    if by_lane:
        return data[:32], nonce
    (at,) = struct.unpack(">d", data[:8])
    return (at if at == at and abs(at) < 1e300 else 0.0), data[8:40], nonce  # noqa: PLR0124 - no number is not itself
