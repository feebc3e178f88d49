"""A settled message's journey as spans: plain data, with ids that follow from the message's id.

The trace id is the first 16 bytes of the message id, so that whoever knows a message finds its trace; a span's id is a hash of the
message id and the stage. What is told twice, because a process was killed between telling and remembering, is the same span twice.

Source: OpenTelemetry specification 1.x, Trace API, sections SpanContext (16 and 8 bytes, not all zero) and Sampling (TraceIdRatioBased:
the low 8 bytes of the trace id below ratio · 2**64).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from relay.journey import COUNTERS, Stage
from relay.store.reader import Reader
from relay.views.trace import STATUS_NAMES

WHOLE = "message"
GOOD = "executed"
MESSAGES_AT_ONCE = 100
SPANS_AT_ONCE = 1_000
MILESTONES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Span:
    """A span.

    Attributes:
        trace_id, span_id: 16 and 8 bytes as integers.
        parent_id: of the span around it; 0 = none.
        name: `message`, or the stage.
        start_s, end_s: Unix seconds.
        attributes: what else is known.
        failed: why the message had no effect, else empty.
    """

    trace_id: int
    span_id: int
    parent_id: int
    name: str
    start_s: float
    end_s: float
    attributes: dict[str, str | int] = field(default_factory=dict)
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """How far telling has come: the newest milestone that was looked at, and up to which nonce the one after it is told."""

    milestone: int
    nonce: int = 0


def trace_id(message_id: bytes) -> int:
    """The trace of a message; a message id whose first half is zero has the trace 1."""
    return int.from_bytes(message_id[:16], "big") or 1


def span_id(message_id: bytes, name: str) -> int:
    """The span of a stage of a message."""
    digest = hashlib.sha256(b"relayhub/span\0" + message_id + name.encode()).digest()
    return int.from_bytes(digest[:8], "big") or 1


def is_sampled(trace: int, ratio: float) -> bool:
    """Whether a trace is told at this ratio (0 … 1): the same ones at whoever asks."""
    return trace & (2**64 - 1) < round(ratio * 2**64)


def newest(reader: Reader) -> Place:
    """Where telling begins when it was never configured before: now."""
    row = reader.row("SELECT MAX(id) AS id FROM milestones")
    return Place((row["id"] if row else 0) or 0)


def portion(reader: Reader, place: Place, ratio: float) -> tuple[list[Span], Place] | None:
    """What is told in one request: some hundred spans or more where there are so many, and the place that comes with them.

    Args:
        reader: the open database.
        place: how far telling had come.
        ratio: the share of traces that are told.

    Returns:
        None where nothing was added.
    """
    spans: list[Span] = []
    reached = place
    for more, there in after(reader, place, ratio):
        spans, reached = [*spans, *more], there
        if len(spans) >= SPANS_AT_ONCE:
            break
    return None if reached == place else (spans, reached)


def after(reader: Reader, place: Place, ratio: float) -> Iterator[tuple[list[Span], Place]]:
    """Tell what was settled after a place: spans, a portion of messages at a time, and the place that comes with them.

    Args:
        reader: the open database.
        place: how far telling had come.
        ratio: the share of traces that are told.
    """
    rows = reader.rows(
        "SELECT id, lane_id, stage, nonce FROM milestones WHERE id > :after ORDER BY id LIMIT :most",
        after=place.milestone,
        most=MILESTONES_AT_ONCE,
    )
    told = place.nonce
    for row in rows:
        if row["stage"] == Stage.SETTLED:
            begin = max(told, _settled_before(reader, row))
            for first in range(begin + 1, row["nonce"] + 1, MESSAGES_AT_ONCE):
                last = min(first + MESSAGES_AT_ONCE - 1, row["nonce"])
                yield spans_of(reader, row["lane_id"], first, last, ratio), Place(row["id"] - 1, last)
        told = 0
    if rows:
        yield [], Place(rows[-1]["id"])


def spans_of(reader: Reader, lane_id: bytes, first: int, last: int, ratio: float) -> list[Span]:
    """The spans of a lane's messages first … last that are sampled."""
    lane = reader.row("SELECT source, destination, channel, trust FROM lanes WHERE lane_id = :lane", lane=lane_id)
    messages = reader.rows(
        'SELECT m.nonce, m.message_id, m.sent_at, m.height, m."transaction" AS reference, o.status FROM messages AS m '
        "LEFT JOIN outcomes AS o ON o.lane_id = m.lane_id AND o.nonce = m.nonce "
        "WHERE m.lane_id = :lane AND m.nonce >= :first AND m.nonce <= :last ORDER BY m.nonce",
        lane=lane_id,
        first=first,
        last=last,
    )
    chosen = [row for row in messages if is_sampled(trace_id(row["message_id"]), ratio)]
    if lane is None or not chosen:
        return []
    runs = {stage: _milestones(reader, lane_id, stage, first, last) for stage in Stage}
    return [span for row in chosen for span in _spans(row, lane, lane_id, runs)]


def _settled_before(reader: Reader, row: dict[str, Any]) -> int:
    """Up to which nonce an earlier milestone had settled the lane already."""
    found = reader.row(
        "SELECT nonce FROM milestones WHERE lane_id = :lane AND stage = :stage AND id < :id ORDER BY nonce DESC LIMIT 1",
        lane=row["lane_id"],
        stage=str(Stage.SETTLED),
        id=row["id"],
    )
    return int(found["nonce"]) if found else 0


def _milestones(reader: Reader, lane_id: bytes, stage: Stage, first: int, last: int) -> list[dict[str, Any]]:
    """Milestones of a stage that messages first … last may have been reached by, in the order of nonces."""
    select = (
        "SELECT nonce, at, height, reference FROM milestones WHERE lane_id = :lane AND stage = :stage AND nonce >= :low"
    )
    within = reader.rows(
        f"{select} AND nonce < :high ORDER BY nonce, id", lane=lane_id, stage=str(stage), low=first, high=last
    )
    beyond = reader.rows(f"{select} ORDER BY nonce, id LIMIT 1", lane=lane_id, stage=str(stage), low=last)
    return within + beyond


def _spans(
    row: dict[str, Any], lane: dict[str, Any], lane_id: bytes, runs: dict[Stage, list[dict[str, Any]]]
) -> Iterator[Span]:
    """A message's spans: each stage from the end of the one before, and one around them all."""
    message_id, nonce = row["message_id"], row["nonce"]
    trace, whole = trace_id(message_id), span_id(message_id, WHOLE)
    reached = [(stage, next((item for item in runs[stage] if item["nonce"] >= nonce), None)) for stage in COUNTERS]
    before: float = row["sent_at"]
    for stage, item in reached:
        if item is None:  # a stage that the lane does not have
            continue
        more: dict[str, str | int] = {"relayhub.ledger.height": item["height"]} if item["height"] else {}
        if item["reference"]:
            more["relayhub.reference"] = "0x" + item["reference"].hex()
        end = max(item["at"], before)
        yield Span(trace, span_id(message_id, stage), whole, str(stage), before, end, more)
        before = end
    outcome = STATUS_NAMES.get(row["status"], "unknown")
    about: dict[str, str | int] = {
        "relayhub.message.id": "0x" + message_id.hex(),
        "relayhub.message.nonce": nonce,
        "relayhub.message.outcome": outcome,
        "relayhub.lane.id": "0x" + lane_id.hex(),
        "relayhub.lane.source": lane["source"],
        "relayhub.lane.destination": lane["destination"],
        "relayhub.lane.channel": lane["channel"],
        "relayhub.lane.trust": lane["trust"],
        "relayhub.ledger.height": row["height"],
        "relayhub.reference": "0x" + row["reference"].hex(),
    }
    yield Span(trace, whole, 0, WHOLE, row["sent_at"], before, about, "" if outcome == GOOD else outcome)
