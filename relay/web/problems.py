"""Errors of the HTTP interface as problem+json (RFC 9457): a name, one sentence, never a stack trace."""

from __future__ import annotations

from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from relay.errors import HubError

log = structlog.get_logger("relay.web")

NAMES = {404: "NotFound", 405: "MethodNotAllowed"}


class Problem(Exception):
    """A request that is not answered.

    Attributes:
        status: HTTP status.
        name: a short name that programs compare.
        text: one sentence that says what to do next.
    """

    def __init__(self, status: int, name: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.name = name
        self.text = text


def problem_response(error: Exception) -> Response:
    """Write any error as a problem; what is unexpected shows nothing of itself."""
    match error:
        case Problem():
            status, name, text = error.status, error.name, error.text
        case HTTPException():
            status, name = error.status_code, NAMES.get(error.status_code, "BadRequest")
            text = "There is nothing at this path with this method; see docs/encodings.md."
        case HubError():
            status, name, text = 503, type(error).__name__, str(error)
        case _:
            status, name, text = 500, "Unexpected", "The hub failed; look into its log and ask again."
    body = orjson.dumps({"type": "about:blank", "title": name, "status": status, "detail": text})
    # Nobody reads the rest of a body that was refused for its size: the connection ends with the answer.
    headers = {"connection": "close"} if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
    return Response(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Turn whatever a handler raises into a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, Problem | HTTPException | HubError):
            log.error("unexpected error", path=request.url.path, error=type(error).__name__, text=str(error)[:500])
        return problem_response(error)

    for kind in (Problem, HTTPException, HubError, Exception):
        app.add_exception_handler(kind, answer)
