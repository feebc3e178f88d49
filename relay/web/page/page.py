"""The page's routes: its files at `/`, `/page/` and `/page/static/…`, its data at `/page/state`, `/page/events` and others.

The files say nothing about the hub and are everybody's; the data is for whoever may read the hub (`relay.web.access`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Message, Send

from relay.errors import BadInput, NotFound
from relay.home import Home
from relay.reasons import explain
from relay.store import Store
from relay.store.reader import Reader
from relay.views.trace import trace_in
from relay.web.access import require
from relay.web.page.assets import HEADERS, answer, load
from relay.web.page.board import VIEWERS_MAX, Board
from relay.web.page.look import Look
from relay.web.page.tally import EVERY_LANE
from relay.web.problems import Problem
from schemas.payloads import describe_payload

STALLED_S = 60.0
"""A viewer that takes no byte for so long is left; it comes back by itself if it still can."""
SAFE_INTEGER = 2**53 - 1
PAYLOAD_SHOWN = 2_000


class EventResponse(StreamingResponse):
    """A stream that gives up a reader who takes nothing."""

    async def stream_response(self, send: Send) -> None:
        """Send the events, each within a minute."""

        async def patient(message: Message) -> None:
            await asyncio.wait_for(send(message), STALLED_S)

        await super().stream_response(patient)


@dataclass(frozen=True, slots=True)
class Pages:
    """The page's routes, and the board that its viewers share."""

    router: APIRouter
    board: Board


def page_router(
    store: Store, hub: str, home: Home | None, *, development: bool, clock: Callable[[], float] = time.time
) -> Pages:
    """The routes of the page over an open store.

    Args:
        store: the hub's database.
        hub: the hub's name.
        home: the hub's folder, where there is one: its processes and its evidence log.
        development: whether this is a development hub.
        clock: Unix seconds.
    """
    router = APIRouter(include_in_schema=False)
    readers = [Depends(require())]
    assets = load()
    look = Look(store.url, hub, home, development=development, clock=clock)
    board = Board(look.state, clock)

    @router.get("/")
    @router.get("/page")
    @router.get("/page/")
    async def get_page(request: Request) -> Response:
        return answer(assets["index.html"], request)

    @router.get("/page/static/{name:path}")
    async def get_asset(name: str, request: Request) -> Response:
        if name not in assets:
            raise Problem(404, "NotFound", "There is no such file.")
        return answer(assets[name], request)

    @router.get("/page/state", dependencies=readers)
    async def get_state() -> Response:
        return _data(await board.state())

    @router.get("/page/events", dependencies=readers)
    async def get_events(request: Request) -> Response:
        if board.viewers >= VIEWERS_MAX:
            raise Problem(
                503, "TooManyViewers", f"More than {VIEWERS_MAX} pages are open; close one, or load it later."
            )
        events = board.events(request.headers.get("last-event-id", ""))
        return EventResponse(events, headers={**HEADERS, "cache-control": "no-store"}, media_type="text/event-stream")

    @router.get("/page/trace/{identifier}", dependencies=readers)
    async def get_trace(identifier: str) -> Response:
        return _data(await asyncio.to_thread(_traced, store.url, identifier))

    @router.get("/page/series/{lane}", dependencies=readers)
    async def get_series(lane: str) -> Response:
        return _data(orjson.dumps(await asyncio.to_thread(look.series, _lane(lane))))

    @router.get("/page/reason/{code}", dependencies=readers)
    async def get_reason(code: str) -> Response:
        try:
            return _data(orjson.dumps(explain(code).as_data()))
        except NotFound as error:
            raise Problem(404, "NotFound", str(error)) from None

    return Pages(router, board)


def _traced(url: str, identifier: str) -> bytes:
    """The journeys of the messages that an id names, with their payloads in words."""
    try:
        with Reader(url) as reader:
            found = trace_in(reader, identifier)
    except BadInput as error:
        raise Problem(400, "BadInput", str(error)) from None
    except NotFound as error:
        raise Problem(404, "NotFound", str(error)) from None
    return orjson.dumps({"messages": [_shown(message) for message in found]})


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    """A message for a script: numbers that it would round as text, the payload in words and not endlessly."""
    says = describe_payload(bytes.fromhex(message["payload"][2:]))
    told = {
        name: str(value) if isinstance(value, int) and abs(value) > SAFE_INTEGER else value
        for name, value in message.items()
    }
    return told | {"payload": message["payload"][:PAYLOAD_SHOWN], "says": says[:PAYLOAD_SHOWN]}


def _lane(text: str) -> bytes:
    if text == "all":
        return EVERY_LANE
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise Problem(400, "QueryInvalid", "A lane is named by its id in hexadecimal, or `all`.") from None


def _data(content: bytes) -> Response:
    return Response(content, headers={**HEADERS, "cache-control": "no-store"}, media_type="application/json")
