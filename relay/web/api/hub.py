"""`/v1/status`, `/v1/operators`, `/v1/waits`, `/v1/incidents`, `/v1/keys`, `/v1/adapters`, `/v1/doctor`: the hub itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from relay.views.alarms import hub_alarms
from relay.views.status import hub_status, operators_of
from relay.web.api.common import (
    KNOWING_KEYS,
    OVERSEEING,
    WATCHING,
    Limit,
    answers,
    caller_of,
    home_of,
    json_response,
    keys_of,
    now_of,
    page,
    reading,
)
from relay.web.api.models import Adapter, Alarm, HubStatus, Incident, KeyName, NamedWait, Operator, Page
from relay.web.api.operating_models import Finding

UNREADABLE = "The file cannot be used; `relayhub key list` on the hub's machine says why."

router = APIRouter(prefix="/v1", tags=["hub"])

NumberCursor = Annotated[
    str | None, Query(pattern="^[0-9]{1,18}$", description="`next_cursor` of the page before.", examples=["41"])
]


@router.get("/status", summary="The whole state", **answers(HubStatus, text="As `relayhub status --json` prints it."))
def get_status(request: Request) -> Response:
    """Ledgers, lanes, light clients, operators, what waits for whom, and the hub's processes."""
    return json_response(hub_status(home_of(request), now_of(request)))


@router.get("/operators", summary="List operators", **answers(Page[Operator]))
def list_operators(request: Request) -> Response:
    """Operators with their last signature, and who of them is silent."""
    with reading(request) as reader:
        return page(operators_of(reader, now_of(request)), None)


@router.get("/waits", summary="List what waits", **answers(Page[NamedWait]))
def list_waits(request: Request, limit: Limit = 100, cursor: NumberCursor = None) -> Response:
    """What waits, why, for whom, since when, and when the hub looks again; the oldest first."""
    begin = int(cursor or 0)
    with reading(request) as reader:
        rows = reader.rows(
            "SELECT kind, id, code, party, text, since, next_at FROM waits ORDER BY since, kind, id "
            "LIMIT :limit OFFSET :begin",
            limit=limit + 1,
            begin=begin,
        )
    return page(rows[:limit], str(begin + limit) if len(rows) > limit else None)


@router.get("/alarms", summary="List alarms", **answers(Page[Alarm]))
def list_alarms(request: Request, limit: Limit = 100, cursor: NumberCursor = None) -> Response:
    """What is frozen, ends soon, does not add up, is silent or down: freezes first. `/v1/reasons/{code}` explains each."""
    begin = int(cursor or 0)
    with reading(request) as reader:
        alarms = hub_alarms(reader, home_of(request), now_of(request))[begin : begin + limit + 1]
    return page([alarm.as_data() for alarm in alarms[:limit]], str(begin + limit) if len(alarms) > limit else None)


@router.get("/incidents", summary="List incidents", **answers(Page[Incident], roles=WATCHING))
def list_incidents(request: Request, limit: Limit = 100, cursor: NumberCursor = None) -> Response:
    """Freezes and what led to them, the newest first."""
    before = int(cursor) if cursor else 2**62
    with reading(request) as reader:
        rows = reader.rows(
            "SELECT id, at, name, subject, text FROM incidents WHERE id < :before ORDER BY id DESC LIMIT :limit",
            before=before,
            limit=limit + 1,
        )
    items = [{name: row[name] for name in ("at", "name", "subject", "text")} for row in rows[:limit]]
    return page(items, str(rows[limit - 1]["id"]) if len(rows) > limit else None)


@router.get("/keys", summary="List keys' names", **answers(Page[KeyName], roles=KNOWING_KEYS))
def list_keys(request: Request) -> Response:
    """Names and addresses of the hub's local keys; an application sees the one from which it sends."""
    from relay.views.keys import key_names

    items = [item | {"trouble": item["trouble"] and UNREADABLE} for item in key_names(keys_of(request))]
    mine = caller_of(request).key
    if mine:
        items = [item for item in items if item["name"] == mine]
    return page(items, None)


@router.get("/adapters", summary="List adapters", **answers(Page[Adapter]))
def list_adapters(request: Request) -> Response:
    """Installed adapters: who provides them, and whether they are certified."""
    from relay.views.adapters import adapters_of

    items: list[dict[str, Any]] = adapters_of(home_of(request).folder)
    return page(items, None)


@router.get("/doctor", summary="Examine the hub", **answers(Page[Finding], roles=OVERSEEING))
def doctor(request: Request) -> Response:
    """Packages, configuration, keys, database, broker, processes, each endpoint of each ledger, clocks and disk, looked at now."""
    from relay.doctor import as_data, examine

    return page([as_data(item) for item in examine(home_of(request))], None)
