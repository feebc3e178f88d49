"""`POST /v1/statements`: operators say how they stand. Source: docs/encodings.md, section Operators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from relay.attestations import Result, Verdict
from relay.statements import STATEMENTS_MAX, hear
from relay.store import Store
from relay.web.problems import Problem
from schemas.primitives import SchemaError
from schemas.statement import Statement, check_statement

BODY_MAX_BYTES = 128_000
"""64 statements with a contradiction each have about 100,000 bytes."""

_STATEMENT = TypeAdapter(Statement)


def statements_router(store: Store, clock: Callable[[], float]) -> APIRouter:
    """The call by which operators say how they stand.

    Args:
        store: the hub's database.
        clock: Unix seconds.
    """
    router = APIRouter()

    @router.post("/v1/statements", include_in_schema=False)
    async def post_statements(request: Request) -> Response:
        items = _items(await request.body())
        verdicts = await asyncio.to_thread(_hear, store, items, clock())
        return Response(
            orjson.dumps({"verdicts": [_shown(verdict) for verdict in verdicts]}), media_type="application/json"
        )

    return router


def _items(body: bytes) -> list[Any]:
    if len(body) > BODY_MAX_BYTES:
        raise Problem(413, "BodyTooLarge", f"The body is larger than {BODY_MAX_BYTES} bytes; post fewer at a time.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "BodyNotJson", "The body is not JSON; post a statement or a list of them.") from None
    items = value if isinstance(value, list) else [value]
    if len(items) > STATEMENTS_MAX:
        raise Problem(413, "TooMany", f"There are {len(items)} statements; post at most {STATEMENTS_MAX} at a time.")
    return items


def _hear(store: Store, items: list[Any], now: float) -> list[Verdict]:
    """Read each item on its own, so that one that cannot be read spoils no other."""
    read: list[Statement | Verdict] = [_statement(item) for item in items]
    verdicts = iter(hear(store, [item for item in read if isinstance(item, Statement)], now))
    return [next(verdicts) if isinstance(item, Statement) else item for item in read]


def _statement(item: Any) -> Statement | Verdict:
    try:
        found = _STATEMENT.validate_python(item)
        check_statement(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the statement"
        return Verdict(Result.REFUSED, "StatementMalformed", f"{where}: {first['msg']}."[:300])
    except SchemaError as error:
        return Verdict(Result.REFUSED, "StatementMalformed", f"{error}.")
    return found


def _shown(verdict: Verdict) -> dict[str, str]:
    if verdict.result is not Result.REFUSED:
        return {"result": verdict.result}
    return {"result": verdict.result, "name": verdict.name, "text": verdict.text}
