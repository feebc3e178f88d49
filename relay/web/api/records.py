"""`/v1/records`: the organisations' own records; a token's organisation and role are judged by each record's rule.

Whoever may not read a record is answered as if there were none: neither its owner, its size nor its name is told, only what the public
log says anyway. What an operation keeps as its result are ids alone, since officers and auditors may look at operations of others.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, BinaryIO, cast

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from relay.cli.session import Session
from relay.errors import NotAllowed, NotFound
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.record_proofs import prove
from relay.evidence.records import NewRecord, Records
from relay.views.records import as_data
from relay.web import access
from relay.web.api import acts
from relay.web.api.common import (
    SENDING,
    Limit,
    answers,
    caller_of,
    change,
    home_of,
    json_response,
    page,
    store_of,
)
from relay.web.api.evidence_models import RecordRow
from relay.web.api.models import Page
from relay.web.api.record_bodies import RECORD_MAX_BYTES, RecordsBody, content_of
from relay.web.changes import REPLAYED
from relay.web.problems import Problem

router = APIRouter(prefix="/v1/records", tags=["evidence"])
SALT_HEADER = "relayhub-salt"
BINARY = "application/octet-stream"
SPOOL_BYTES = 1 << 20
"""A larger content lies in a file without a name until it is kept."""
HIDDEN = "There is no record of that id that you may read."

RecordId = Annotated[
    str,
    Path(
        alias="id",
        pattern="^(0x)?[0-9a-f]{8,64}$",
        description="The record's id, or 8 digits and more of it.",
        examples=["0x5a5a5a5a"],
    ),
]
RecordCursor = Annotated[
    str | None, Query(pattern="^[1-9][0-9]{0,17}$", description="`next_cursor` of the page before.", examples=["41"])
]
Owner = Annotated[
    str, Query(max_length=64, description="Only records of this organisation; empty = of every one.", examples=["org"])
]


def reader(who: access.Caller) -> Caller:
    """Who asks, as rules know it: a token's organisation and role; whoever shows none is a stranger, and so is the hub's owner."""
    if who.id in (access.ANYONE.id, access.OWNER.id):
        return Caller()
    return Caller(who.organisation, frozenset(str(role) for role in who.roles))


@router.get("", summary="List records", **answers(Page[RecordRow]))
def list_all(request: Request, organisation: Owner = "", limit: Limit = 100, cursor: RecordCursor = None) -> Response:
    """Records that you may read, the newest first."""
    who, before = reader(caller_of(request)), int(cursor or 0)
    found = _records(request).listed(who, before=before, limit=limit + 1, owner=organisation.replace("\0", ""))
    last = str(found[limit - 1].number) if len(found) > limit else None
    return page([as_data(record) for record in found[:limit]], last)


@router.post("", summary="Put records", **change("record.put", roles=SENDING))
def put(request: Request, body: RecordsBody) -> Response:
    """Keep records under one rule; the result has their ids in the same order. The log gets a salted hash of each, nobody else anything."""
    owner = _owner(caller_of(request), body.organisation)
    new = [NewRecord(content_of(item), item.name) for item in body.records]
    return acts.begin(request, "record.put", lambda hub: _put(hub, new, owner, body.readers))


@router.post(
    "/content",
    summary="Put a large record",
    openapi_extra={
        "requestBody": {"required": True, "content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}}
    },
    **change("record.put", roles=SENDING),
)
async def put_content(
    request: Request,
    name: Annotated[
        str, Query(max_length=512, pattern="^[^\\x00-\\x1f\\x7f]*$", description="A name for people.", examples=["a"])
    ] = "",
    organisation: Annotated[
        str, Query(max_length=64, description="Whose record it is; empty = your token's organisation.", examples=[""])
    ] = "",
    readers: Annotated[
        str, Query(max_length=4096, description="Who else reads: ORG,ORG, role:auditor or public.", examples=["public"])
    ] = "",
) -> Response:
    """Keep the body as one record, at most 256 MiB; it is never held whole in memory."""
    owner = _owner(caller_of(request), organisation)
    with ExitStack() as ours:
        spooled = ours.enter_context(tempfile.SpooledTemporaryFile(SPOOL_BYTES, dir=str(home_of(request).run)))
        request.state.request_digest = await _spool(request, cast(BinaryIO, spooled))

        def work(hub: Session) -> list[dict[str, Any]]:
            with spooled:
                return _put(hub, [NewRecord(cast(BinaryIO, spooled), name)], owner, readers)

        answer = await asyncio.to_thread(acts.begin, request, "record.put", work)
        if REPLAYED not in answer.headers:
            ours.pop_all()  # the operation's now
    return answer


async def _spool(request: Request, file: BinaryIO) -> bytes:
    """Write a body to a file, which is rewound; returns the hash of what was asked, for Idempotency-Key.

    Raises:
        Problem: 413, it is too large.
    """
    digest, size = hashlib.sha256(f"{request.url.path}?{request.url.query}\n".encode()), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > RECORD_MAX_BYTES:
            raise Problem(413, "BodyTooLarge", f"The record is larger than {RECORD_MAX_BYTES} bytes; put it in parts.")
        digest.update(chunk)
        await asyncio.to_thread(file.write, chunk)
    file.seek(0)
    return digest.digest()


@router.get("/{id}", summary="Show a record", **answers(RecordRow))  # noqa: FAST003 - RecordId has the alias
def show(request: Request, identifier: RecordId) -> Response:
    """Whose it is, who reads it, its name and size; nothing for whom its rule refuses."""
    with _hidden():
        record = _records(request).find(identifier)
        if not record.rule.decide(reader(caller_of(request))).allowed:
            raise NotAllowed(HIDDEN, "")
    return json_response(as_data(record))


_DECLARED = answers(bytes, text="The content; the header Relayhub-Salt has the salt, 0x and 64 digits.")
_DECLARED["responses"][200] = {"description": _DECLARED["responses"][200]["description"], "content": {BINARY: {}}}


@router.get("/{id}/content", summary="Read a record", **_DECLARED)  # noqa: FAST003 - RecordId has the alias
def content(request: Request, identifier: RecordId) -> Response:
    """Its content, compared with the hash in the log; that you asked becomes a leaf. 404 also where its rule refuses you."""
    opened = ExitStack()
    kept, who = _records(request), reader(caller_of(request))
    with _hidden():
        whole = kept.find(identifier).commitment.hex()
    with _refused():
        record, stored = opened.enter_context(kept.open(whole, who))

    def pieces() -> Iterator[bytes]:
        with opened:
            yield from stored.chunks()

    headers = {SALT_HEADER: "0x" + stored.salt.hex(), "content-length": str(record.size)}
    return StreamingResponse(pieces(), media_type=BINARY, headers=headers)


@router.get(
    "/{id}/proof",  # noqa: FAST003 - RecordId has the alias
    summary="Prove a record",
    **answers(dict[str, Any], text="As `relayhub evidence prove` prints it."),
)
def proof(
    request: Request,
    identifier: RecordId,
    salt: Annotated[
        str, Query(pattern="^(yes|no)$", description="With the salt, for those who may read: yes or no.")
    ] = "no",
) -> Response:
    """That the record stands in the log, for everyone; 409 until a checkpoint has it. Asking for the salt becomes a leaf."""
    kept, found = _records(request), None
    with _hidden():
        commitment = kept.find(identifier).commitment
    if salt == "yes":
        with _refused(), kept.open(commitment.hex(), reader(caller_of(request)), purpose="prove") as (_, stored):
            found = stored.salt
    return json_response(prove(store_of(request), home_of(request).evidence, commitment, found).to_json())


@router.delete(
    "/{id}",  # noqa: FAST003 - RecordId has the alias
    summary="Erase a record",
    **change("record.erase", roles=SENDING),
)
def erase(request: Request, identifier: RecordId) -> Response:
    """Erase content, salt and name for good, as its owner's organisation; its leaf and proofs of it stay."""
    who = reader(caller_of(request))

    def work(hub: Session) -> dict[str, Any]:
        with _hidden():
            record = Records(hub.store, hub.home.evidence).erase(identifier, who)
        return {"id": "0x" + record.commitment.hex(), "erased_at": record.erased_at}

    return acts.begin(request, "record.erase", work)


def _put(hub: Session, new: Iterable[NewRecord], owner: str, readers: str) -> list[dict[str, Any]]:
    kept = Records(hub.store, hub.home.evidence).put(new, AccessRule.parse(owner, readers))
    return [{"id": "0x" + record.commitment.hex()} for batch in kept for record in batch]


def _owner(who: access.Caller, wanted: str) -> str:
    """Whose records a caller puts: its token's organisation's; the hub's owner says whose, as on its own machine.

    Raises:
        Problem: 403, the token names no organisation, or another one.
    """
    if who.id == access.OWNER.id:
        if not wanted:
            raise Problem(403, "OrganisationMissing", "Say whose record it is: `organisation`.")
        return wanted
    if not who.organisation:
        text = "This token names no organisation; ask the hub's owner for one made with --organisation."
        raise Problem(403, "OrganisationMissing", text)
    if wanted not in ("", who.organisation):
        raise Problem(
            403,
            "OrganisationForeign",
            "This token puts records of its own organisation alone; leave `organisation` out.",
        )
    return who.organisation


def _records(request: Request) -> Records:
    return Records(store_of(request), home_of(request).evidence)


@contextmanager
def _hidden() -> Iterator[None]:
    """A record that is missing and one that the caller may not touch are answered alike."""
    try:
        yield
    except (NotAllowed, NotFound):
        raise NotFound(HIDDEN, "GET /v1/records lists those that you may read.") from None


@contextmanager
def _refused() -> Iterator[None]:
    """The same where a reader with the right is told that it was erased."""
    try:
        yield
    except NotAllowed:
        raise NotFound(HIDDEN, "GET /v1/records lists those that you may read.") from None
