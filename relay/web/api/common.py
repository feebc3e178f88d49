"""What every resource shares: parameters, answers, and the problems that each may answer with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from relay.home import Home
from relay.keys import KeyStore
from relay.store import Store
from relay.store.reader import Reader
from relay.web.access import Caller, Role, require
from relay.web.api.models import Operation
from relay.web.changes import Changes

LIMIT_MAX = 500
NAME_MAX = 64

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Items at most.", examples=[100])]
ChainName = Annotated[
    str, Path(min_length=1, max_length=NAME_MAX, description="The ledger's name here.", examples=["alpha"])
]
Once = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,255}$",
        description="Any word of your own: asking twice with it does it once.",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]
LaneIdPath = Annotated[
    str,
    Path(
        pattern="^(0x)?[0-9a-f]{8,64}$",
        description="The lane's id, or 8 digits and more of it.",
        examples=["0x5a5a5a5a"],
    ),
]
KNOWING_KEYS = (Role.APPLICATION, Role.OFFICER, Role.AUDITOR)
WATCHING = (Role.OPERATOR, Role.OFFICER, Role.AUDITOR)
SENDING = (Role.APPLICATION, Role.OFFICER)
GOVERNING = (Role.OFFICER,)
OVERSEEING = (Role.OFFICER, Role.AUDITOR)

_WHY = {
    400: "The request cannot be read.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token's role may not do this.",
    404: "There is no such thing.",
    409: "It is there already, or it cannot be done in the present state.",
    413: "The body is too large.",
    422: "The request is read and cannot be used; the sentence says what to change.",
    429: "Asked too often; the header Retry-After says when to ask again.",
    500: "The hub failed.",
    503: "The database does not answer.",
}
READ_PROBLEMS = (400, 401, 403, 404, 409, 422, 429, 500, 503)
CHANGE_PROBLEMS = (*READ_PROBLEMS, 413)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the problems of an operation for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {
        status: {"description": _WHY[status], "content": {"application/problem+json": {"schema": schema}}}
        for status in sorted(statuses)
    }


def answers(
    model: Any, *, status: int = 200, text: str = "", change: bool = False, roles: Sequence[Role] = ()
) -> dict[str, Any]:
    """Arguments of a route: the model of its answer and its problems for OpenAPI, and who may ask; no role named = every caller."""
    declared: dict[int | str, dict[str, Any]] = {status: {"model": model, "description": text or "The answer."}}
    return {
        "status_code": status,
        "response_model": None,
        "dependencies": [Depends(require(*roles)), Depends(_only_known_parameters)],
        "responses": declared | problems(*(CHANGE_PROBLEMS if change else READ_PROBLEMS)),
    }


def _only_known_parameters(request: Request) -> None:
    """A filter with a slip of the pen would otherwise list everything.

    Raises:
        RequestValidationError: the query has a parameter that the route does not know.
    """
    known = _parameters(request.scope["route"].dependant)
    of_pages = () if request.method != "GET" else ("limit", "cursor")  # a list that is short has one page
    for name in request.query_params:
        if name not in known and name not in of_pages:
            text = f"There is no such parameter; there are {', '.join(sorted(known)) or 'none'}"
            raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name[:64]), "msg": text}])


def _parameters(dependant: Dependant) -> set[str]:
    """Names of the query parameters that a route or what it depends on takes."""
    below = (_parameters(each) for each in dependant.dependencies)
    return {field.alias for field in dependant.query_params}.union(*below)


def change(kind: str, *, roles: Sequence[Role], model: Any = Operation, status: int = 202) -> dict[str, Any]:
    """Arguments of a route that changes something; `kind` names the change."""
    text = f"Taken up as the operation {kind}; its state is under the header Location." if status == 202 else "Done."
    made = answers(model, status=status, text=text, change=True, roles=roles)
    made["dependencies"].append(Depends(_idempotency_key))
    return made


def _idempotency_key(once: Once = None) -> None:
    """Check the header's form and describe it; relay.web.changes reads it."""


def changes_of(request: Request) -> Changes:
    """What makes changes in this process."""
    made: Changes = request.app.state.changes
    return made


def caller_of(request: Request) -> Caller:
    """Who asks; the route's dependency found out."""
    who: Caller = request.state.caller
    return who


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON; bytes become hexadecimal."""
    return Response(orjson.dumps(value, default=plain), status, headers, media_type="application/json")


def plain(value: Any) -> Any:
    """What JSON has no word for."""
    return "0x" + bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def page(items: list[Any], next_cursor: str | None) -> Response:
    """A page of a list."""
    return json_response({"items": items, "next_cursor": next_cursor})


def home_of(request: Request) -> Home:
    """The hub's folder."""
    home: Home = request.app.state.home
    return home


def store_of(request: Request) -> Store:
    """The hub's database."""
    store: Store = request.app.state.store
    return store


def keys_of(request: Request) -> KeyStore:
    """The hub's keys."""
    return KeyStore(home_of(request).keys)


def now_of(request: Request) -> float:
    """Unix seconds."""
    return float(request.app.state.clock())


@contextmanager
def reading(request: Request) -> Iterator[Reader]:
    """One snapshot of the database, for the views that the command line uses."""
    with Reader(store_of(request).url) as reader:
        yield reader
