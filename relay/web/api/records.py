"""`/v1/records`: contents of the organisations' records, for whom their rule lets in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from relay.evidence.access_rules import Caller
from relay.evidence.records import Records
from relay.web import access
from relay.web.api.common import answers, caller_of, home_of, store_of

router = APIRouter(prefix="/v1/records", tags=["evidence"])
SALT_HEADER = "relayhub-salt"
BINARY = "application/octet-stream"


def reader(who: access.Caller) -> Caller:
    """Who asks, as rules know it: a token's organisation and role; whoever shows none is a stranger, and so is the hub's owner."""
    if who.id in (access.ANYONE.id, access.OWNER.id):
        return Caller()
    return Caller(who.organisation, frozenset(str(role) for role in who.roles))


_DECLARED = answers(bytes, text="The content; the header Relayhub-Salt has the salt, 0x and 64 digits.")
_DECLARED["responses"][200] = {"description": _DECLARED["responses"][200]["description"], "content": {BINARY: {}}}


@router.get("/{id}/content", summary="Read a record", **_DECLARED)
def content(
    request: Request,
    identifier: Annotated[
        str,
        Path(
            alias="id",
            pattern="^(0x)?[0-9a-f]{8,64}$",
            description="The record's id, or 8 digits and more of it.",
            examples=["0x5a5a5a5a"],
        ),
    ],
) -> Response:
    """Its content, compared with the hash in the log; that you asked becomes a leaf. 403 where its rule refuses you."""
    kept = Records(store_of(request), home_of(request).evidence)
    opened = ExitStack()
    record, stored = opened.enter_context(kept.open(identifier, reader(caller_of(request))))

    def pieces() -> Iterator[bytes]:
        with opened:
            yield from stored.chunks()

    headers = {SALT_HEADER: "0x" + stored.salt.hex(), "content-length": str(record.size)}
    return StreamingResponse(pieces(), media_type=BINARY, headers=headers)
