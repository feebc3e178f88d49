"""Errors of the HTTP interface as problem+json (RFC 9457): a name, one sentence, never a stack trace."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from relay.errors import BadInput, Duplicate, HubError, NotAllowed, NotFound, NotNow

log = structlog.get_logger("relay.web")

NAMES = {404: "NotFound", 405: "MethodNotAllowed"}
NOTHING_HERE = "There is nothing at this path with this method; see docs/encodings.md and docs/openapi.json."
TEXTS = {404: NOTHING_HERE, 405: NOTHING_HERE}


class Problem(Exception):
    """A request that is not answered.

    Attributes:
        status: HTTP status.
        name: a short name that programs compare.
        text: one sentence that says what to do next.
        headers: further headers of the answer.
    """

    def __init__(self, status: int, name: str, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.name = name
        self.text = text
        self.headers = dict(headers or {})


def problem_response(error: Exception) -> Response:
    """Write any error as a problem; what is unexpected shows nothing of itself."""
    headers: dict[str, str] = {}
    match error:
        case Problem():
            status, name, text, headers = error.status, error.name, error.text, dict(error.headers)
        case RequestValidationError():
            status, name, text = _invalid(error)
        case HTTPException():
            status, name = error.status_code, NAMES.get(error.status_code, "BadRequest")
            text = TEXTS.get(error.status_code, "The body cannot be read; post one JSON object.")
            headers = dict(error.headers or {})
        case HubError():
            status, name, text = _status_of(error), type(error).__name__, one_line(str(error))
        case _:
            status, name, text = 500, "Unexpected", "The hub failed; look into its log and ask again."
    body = orjson.dumps({"type": "about:blank", "title": name, "status": status, "detail": text})
    # Nobody reads the rest of a body that was refused for its size: the connection ends with the answer.
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["connection"] = "close"
    return Response(body, status, headers, media_type="application/problem+json")


def _status_of(error: HubError) -> int:
    """What a refusal of the hub means to a client; a database that does not answer is nobody's mistake."""
    match error:
        case NotFound():
            return 404
        case NotAllowed():
            return 403
        case Duplicate() | NotNow():
            return 409
        case BadInput() if not error.message.startswith("The database"):
            return 422
        case _:
            return 503


def _invalid(error: RequestValidationError) -> tuple[int, str, str]:
    """The first thing that is wrong, in one sentence; what was sent is not repeated."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return 400, "BodyNotJson", "The body is no JSON; post one JSON object."
    where = ".".join(str(part) for part in first["loc"])
    return 422, "RequestInvalid", one_line(f"{where}: {first['msg'].rstrip('.')}.")[:400]


def one_line(text: str) -> str:
    """Lines joined, whatever does not print left out, no half characters: a sentence that any encoder takes."""
    joined = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in joined)


def install(app: FastAPI) -> None:
    """Turn whatever a handler raises into a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, Problem | HTTPException | HubError | RequestValidationError):
            log.error("unexpected error", path=request.url.path, error=type(error).__name__, text=str(error)[:500])
        return problem_response(error)

    for kind in (Problem, HTTPException, RequestValidationError, HubError, Exception):
        app.add_exception_handler(kind, answer)
