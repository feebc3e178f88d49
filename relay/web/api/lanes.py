"""`/v1/lanes`: lanes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from relay.registry.lanes import lane_row
from relay.views.status import WAITS, lane_status
from relay.web.api import acts
from relay.web.api.bodies import LaneBody, LimitBody, OfficerBody, PartyBody
from relay.web.api.common import (
    GOVERNING,
    NAME_MAX,
    LaneIdPath,
    Limit,
    answers,
    change,
    json_response,
    now_of,
    page,
    reading,
    store_of,
)
from relay.web.api.models import Lane, Page
from relay.web.problems import Problem

router = APIRouter(prefix="/v1/lanes", tags=["lanes"])

End = Annotated[
    str | None, Query(min_length=1, max_length=NAME_MAX, description="A ledger's name.", examples=["alpha"])
]
State = Annotated[
    str | None,
    Query(
        pattern="^(opening|active|frozen|closed|abandoned|retired)$",
        description="The lane's state.",
        examples=["active"],
    ),
]
LaneCursor = Annotated[
    str | None,
    Query(pattern="^[0-9a-f]{64}$", description="`next_cursor` of the page before; 404 if that lane is gone."),
]


@router.get("", summary="List lanes", **answers(Page[Lane]))
def list_all(
    request: Request,
    source: End = None,
    destination: End = None,
    state: State = None,
    limit: Limit = 100,
    cursor: LaneCursor = None,
) -> Response:
    """By source, destination and channel."""
    given = {"source": source, "destination": destination, "state": state}
    filters = {name: value.replace("\0", "") for name, value in given.items() if value is not None}
    conditions = [f"{name} = :{name}" for name in filters]
    with reading(request) as reader:
        place = {}
        if cursor is not None:
            last = reader.row("SELECT * FROM lanes WHERE lane_id = :lane", lane=bytes.fromhex(cursor))
            if last is None:
                raise Problem(404, "CursorForeign", "This cursor is of another list; begin without one.")
            place = {"a": last["source"], "b": last["destination"], "c": last["channel"]}
            conditions.append("(source, destination, channel) > (:a, :b, :c)")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = reader.rows(
            f"SELECT * FROM lanes {where} ORDER BY source, destination, channel LIMIT :limit",  # noqa: S608 - our own words
            **filters,
            **place,
            limit=limit + 1,
        )
        waits = reader.rows(WAITS)
        items = [lane_status(reader, row, waits, now_of(request)) for row in rows[:limit]]
    return page(items, rows[limit - 1]["lane_id"].hex() if len(rows) > limit else None)


@router.get("/{lane}", summary="Show a lane", **answers(Lane))
def show(request: Request, lane: LaneIdPath) -> Response:
    """How far each stage has come, what became of its messages, the oldest one, what waits for whom."""
    lane_id = bytes(lane_row(store_of(request), lane).lane_id)
    with reading(request) as reader:
        row = reader.row("SELECT * FROM lanes WHERE lane_id = :lane", lane=lane_id)
        if row is None:
            raise Problem(404, "NotFound", "The lane is gone; GET /v1/lanes lists them.")
        return json_response(lane_status(reader, row, reader.rows(WAITS), now_of(request)))


@router.post("", summary="Open a lane", **change("lane.open", roles=GOVERNING))
def open_(request: Request, body: LaneBody) -> Response:
    """Open a lane at both of its ends, and the lane back with `both`; in production it is proposed to two officers."""
    return acts.begin(request, "lane.open", lambda hub: acts.open_lane(hub, body))


@router.post("/{lane}/close", summary="Close a lane", **change("lane.close", roles=GOVERNING))
def close(request: Request, lane: LaneIdPath, body: OfficerBody) -> Response:
    """Close it at both ends (two officers, no delay): nothing new is sent, what was sent is settled."""
    return acts.begin(request, "lane.close", lambda hub: acts.close_lane(hub, lane, body.key))


@router.post("/{lane}/pause", summary="Pause a lane", **change("lane.pause", roles=GOVERNING))
def pause(request: Request, lane: LaneIdPath, body: OfficerBody) -> Response:
    """Pause it at both ends at once (one officer, or the guardian)."""
    return acts.begin(request, "lane.pause", lambda hub: acts.pause_lane(hub, lane, body.key))


@router.post("/{lane}/resume", summary="Resume a lane", **change("lane.resume", roles=GOVERNING))
def resume(request: Request, lane: LaneIdPath, body: OfficerBody) -> Response:
    """Let a paused lane work again (two officers, and the delay)."""
    return acts.begin(request, "lane.resume", lambda hub: acts.resume_lane(hub, lane, body.key))


@router.post("/{lane}/limit", summary="Limit a lane", **change("lane.limit", roles=GOVERNING))
def limit(request: Request, lane: LaneIdPath, body: LimitBody) -> Response:
    """Change what it carries: lowering takes one officer, raising two. What is left out stays."""
    return acts.begin(request, "lane.limit", lambda hub: acts.limit_lane(hub, lane, body))


@router.post("/{lane}/allow", summary="Allow a party", **change("lane.allow", roles=GOVERNING))
def allow(request: Request, lane: LaneIdPath, body: PartyBody) -> Response:
    """Allow a sender at the source or a receiver at the destination (two officers)."""
    return acts.begin(request, "lane.allow", lambda hub: acts.allow(hub, lane, body))


@router.post("/{lane}/deny", summary="Deny a party", **change("lane.deny", roles=GOVERNING))
def deny(request: Request, lane: LaneIdPath, body: PartyBody) -> Response:
    """Deny a sender or a receiver at once (one officer)."""
    return acts.begin(request, "lane.deny", lambda hub: acts.deny(hub, lane, body))
