"""`/v1/messages`: list, show."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from relay.registry.names import SENDER
from relay.views.messages import OUTCOMES, STATES, CursorForeign, Wanted, list_messages
from relay.views.trace import trace
from relay.web.access import Caller, Role
from relay.web.api import acts
from relay.web.api.bodies import SendBody
from relay.web.api.common import SENDING, Limit, answers, caller_of, change, home_of, page, reading
from relay.web.api.models import Message, MessageRow, Page
from relay.web.problems import Problem

router = APIRouter(prefix="/v1/messages", tags=["messages"])

Lane = Annotated[str | None, Query(pattern="^0x[0-9a-f]{64}$", description="A lane's id.", examples=["0x" + "5a" * 32])]
State = Annotated[
    str | None,
    Query(
        pattern=f"^({'|'.join(STATES)})$",
        description="The furthest stage that it reached, or in_flight: not settled yet.",
        examples=["in_flight"],
    ),
]
Outcome = Annotated[
    str | None, Query(pattern=f"^({'|'.join(OUTCOMES)})$", description="What became of it.", examples=["failed"])
]
Sender = Annotated[
    str | None,
    Query(pattern="^0x([0-9a-f]{2}){1,64}$", description="An account at the source.", examples=["0x" + "11" * 20]),
]
Since = Annotated[
    float | None, Query(ge=0, le=1e11, description="Sent then or later, Unix seconds.", examples=[1_700_000_000])
]
Until = Annotated[
    float | None, Query(ge=0, le=1e11, description="Sent before, Unix seconds.", examples=[1_900_000_000])
]
Cursor = Annotated[
    str | None,
    Query(
        pattern="^([0-9a-f]{80}|[0-9a-f]{96})$", description="`next_cursor` of the page before, with the same filters."
    ),
]


@router.get("", summary="List messages", **answers(Page[MessageRow]))
def list_all(
    request: Request,
    lane: Lane = None,
    state: State = None,
    outcome: Outcome = None,
    sender: Sender = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Newest first; by lane and nonce where a lane, an outcome, or a state without a sender is given. 404 for a cursor of another list."""
    wanted = Wanted(
        lane=bytes.fromhex(lane[2:]) if lane else None,
        state=state,
        outcome=OUTCOMES[outcome] if outcome else None,
        sender=bytes.fromhex(sender[2:]) if sender else None,
        since=since,
        until=until,
    )
    try:
        with reading(request) as reader:
            return page(*list_messages(reader, wanted, limit, cursor))
    except CursorForeign:
        raise Problem(404, "CursorForeign", "This cursor is of another list; begin without one.") from None


@router.get("/{id}", summary="Trace messages", **answers(Page[Message]))
def show(
    request: Request,
    identifier: Annotated[
        str,
        Path(
            alias="id",
            pattern="^(0x)?[0-9a-f]{6,64}$",
            description="A message's id, or a transaction of the source or of the delivery; a prefix will do.",
            examples=["0xc0ffee"],
        ),
    ],
) -> Response:
    """Each stage of a message with time, proof height, party and result; several where one transaction has several."""
    return page(trace(home_of(request), identifier), None)


@router.post("", summary="Send a message", **change("message.send", roles=SENDING))
def send(request: Request, body: SendBody) -> Response:
    """Send from a local key; the operation's result has each message's id. An application sends from its token's key alone."""
    key = key_for(caller_of(request), body.key)
    return acts.begin(request, "message.send", lambda hub: acts.send(hub, body, key))


def key_for(caller: Caller, wanted: str) -> str:
    """The key from which a caller sends.

    Raises:
        Problem: 403, an application asks for another key than its token's, or its token has none.
    """
    if Role.OFFICER in caller.roles:
        return wanted or SENDER
    if not caller.key:
        raise Problem(403, "KeyMissing", "This token is bound to no key; ask the hub's owner for one made with --key.")
    if wanted not in ("", caller.key):
        raise Problem(403, "KeyForeign", "This token sends from its own key alone; leave `key` out.")
    return caller.key
