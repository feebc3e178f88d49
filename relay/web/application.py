"""The HTTP application: `GET /v1/claims`, `POST /v1/attestations`, `POST /v1/statements`, `GET /v1/status`, `GET /healthz`.

Source: docs/encodings.md, section Operators.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from relay.attestations import Result, Verdict, collect
from relay.home import Home
from relay.metrics.exposition import Exposition
from relay.metrics.web import metrics_router
from relay.store import Store
from relay.store.engine import ping
from relay.web.access import Access
from relay.web.api import routes
from relay.web.changes import Changes
from relay.web.hosts import KnownHosts
from relay.web.limits import Buckets, Limits, Rates
from relay.web.page.page import page_router
from relay.web.problems import Problem, install
from relay.web.statements import statements_router
from relay.web.status import status
from relay.web.waiting import ClaimBoard
from schemas.attestation import Attestation
from schemas.primitives import SchemaError, account_bytes, bytes_from_hex

WAIT_MAX_S = 25.0
CLAIMS_MAX = 1_000
ATTESTATIONS_MAX = 500
BODY_MAX_BYTES = 1_000_000
"""500 attestations have about 350,000 bytes."""

_ATTESTATION = TypeAdapter(Attestation)


def create_app(
    store: Store,
    hub: str,
    *,
    development: bool,
    clock: Callable[[], float] = time.time,
    home: Home | None = None,
    open_reading: bool = True,
    rates: Rates | None = None,
    names: Sequence[str] = (),
    loopback: bool = False,
) -> FastAPI:
    """Build the application on an open store.

    Args:
        store: the hub's database.
        hub: the hub's name.
        development: whether this is a development hub; the status says so.
        clock: Unix seconds.
        home: the hub's folder; without it there are the operators' calls alone.
        open_reading: whether everyone may read while no token was ever made (relay.web.access).
        rates: how often a token and an address may ask.
        names: names by which a proxy in front is asked (relay.web.hosts).
        loopback: whether it listens on loopback, so that whoever asks by a name of elsewhere is refused.
    """
    app = FastAPI(title="Relay Hub", openapi_url=None, docs_url=None, redoc_url=None)
    install(app)
    rates = rates or Rates()
    per_token = Buckets(rates.per_token, rates.per_token * rates.burst_s)
    app.state.store, app.state.home, app.state.clock = store, home, clock
    app.state.access = Access(store, clock, open_reading=open_reading, per_token=per_token)
    app.add_middleware(Limits, buckets=Buckets(rates.per_address, rates.per_address * rates.burst_s))
    app.add_middleware(KnownHosts, names=names, loopback=loopback)
    pages = page_router(store, hub, home, development=development, clock=clock)
    app.include_router(pages.router)
    board = ClaimBoard(store, clock)
    app.state.waiting = (pages.board, board)
    told = Exposition(store.url, hub, development=development, home=home, clock=clock)
    app.include_router(metrics_router(told))
    app.include_router(statements_router(store, clock))
    if home is not None:
        app.state.changes = Changes(store, clock)
        routes.include(app)

    @app.get("/v1/claims")
    async def get_claims(request: Request) -> Response:
        query = request.query_params
        after = _number(query.get("after", "0"), "after", 0, 2**63 - 1)
        limit = _number(query.get("limit", "500"), "limit", 1, CLAIMS_MAX)
        wait_s = _seconds(query.get("wait", "0"))
        signer = _signer(query.get("signer"))
        items = await board.wait(after, limit=limit, wait_s=wait_s, signer=signer, caller=_caller(request))
        return _json({"claims": items})

    @app.post("/v1/attestations")
    async def post_attestations(request: Request) -> Response:
        items = _items(await _body(request))
        verdicts = await asyncio.to_thread(_collect, store, items, clock())
        return _json({"verdicts": [_shown(verdict) for verdict in verdicts]})

    @app.get("/v1/status")
    async def get_status() -> Response:
        return _json(await asyncio.to_thread(status, store, hub, development=development))

    @app.get("/healthz")
    async def get_health() -> Response:
        await asyncio.to_thread(ping, store)
        return _json({"ok": True})

    return app


def _collect(store: Store, items: list[Any], now: float) -> list[Verdict]:
    """Read each item on its own, so that one that cannot be read spoils no other."""
    read: list[Attestation | Verdict] = [_attestation(item) for item in items]
    verdicts = iter(collect(store, [item for item in read if isinstance(item, Attestation)], now))
    return [next(verdicts) if isinstance(item, Attestation) else item for item in read]


def _attestation(item: Any) -> Attestation | Verdict:
    try:
        return _ATTESTATION.validate_python(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the attestation"
        return Verdict(Result.REFUSED, "AttestationMalformed", f"{where}: {first['msg']}."[:300])


def _shown(verdict: Verdict) -> dict[str, str]:
    if verdict.result is not Result.REFUSED:
        return {"result": verdict.result}
    return {"result": verdict.result, "name": verdict.name, "text": verdict.text}


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise Problem(413, "BodyTooLarge", f"The body is larger than {BODY_MAX_BYTES} bytes; post fewer at a time.")
    return bytes(body)


def _items(body: bytes) -> list[Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "BodyNotJson", "The body is not JSON; post an attestation or a list of them.") from None
    items = value if isinstance(value, list) else [value]
    if len(items) > ATTESTATIONS_MAX:
        raise Problem(
            413, "TooMany", f"There are {len(items)} attestations; post at most {ATTESTATIONS_MAX} at a time."
        )
    return items


def _caller(request: Request) -> str:
    """The connection that asks: whoever names an operator on another one takes no offer away from it."""
    return "" if request.client is None else f"{request.client.host} {request.client.port}"


def _number(text: str, name: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and low <= int(text) <= high):
        raise Problem(400, "QueryInvalid", f"{name} must be a number from {low} to {high}.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= WAIT_MAX_S:
        raise Problem(400, "QueryInvalid", f"wait must be seconds from 0 to {WAIT_MAX_S:g}.")
    return seconds


def _signer(text: str | None) -> bytes | None:
    try:
        return None if text is None else account_bytes(bytes_from_hex(text), "signer")
    except SchemaError as error:
        raise Problem(400, "QueryInvalid", f"{error}.") from None


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
