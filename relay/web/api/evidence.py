"""`/v1/evidence`: the evidence log and its newest checkpoint, receipts of messages, and the anchors by which they are verified."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from relay.errors import NotFound
from relay.evidence.receipts import make_receipt
from relay.evidence.trust_anchors import anchors_of
from relay.web.api.common import answers, home_of, json_response
from relay.web.api.evidence_models import Checkpoint
from relay.web.api.operating_models import Anchors

router = APIRouter(prefix="/v1/evidence", tags=["evidence"])
BINARY = "application/octet-stream"


@router.get("/checkpoint", summary="Show the newest checkpoint", **answers(Checkpoint))
def checkpoint(request: Request) -> Response:
    """The signed note over everything that the hub relied on or decided; tiles and entries are files beside it."""
    try:
        note = (home_of(request).folder / "evidence" / "log" / "checkpoint").read_text()
    except (OSError, UnicodeDecodeError):
        raise NotFound("There is no checkpoint yet.", "The hub publishes one soon after it was started.") from None
    _, size, root = note.split("\n")[:3]
    return json_response({"size": int(size), "root": root, "note": note})


@router.get("/receipts/{id}", summary="Make a receipt", **answers(dict[str, Any], text="As `relayhub receipt ID`."))
def receipt(
    request: Request,
    identifier: Annotated[
        str,
        Path(
            alias="id",
            pattern="^(0x)?[0-9a-f]{6,64}$",
            description="A message's id, or the hash of a transaction; a prefix will do.",
            examples=["0xc0ffee"],
        ),
    ],
    partial: Annotated[
        str, Query(pattern="^(yes|no)$", description="Give what there is of a message that is not settled: yes or no.")
    ] = "no",
) -> Response:
    """What was sent, what became of it, and why either may be believed; 409 while it is not settled."""
    made = make_receipt(home_of(request), identifier, partial=partial == "yes")
    return Response(made.model_dump_json(), media_type="application/json")


@router.get("/anchors", summary="Show the trust anchors", **answers(Anchors))
def anchors(request: Request) -> Response:
    """By what receipts are verified; compare it with what officers and operators say, it comes from where the receipts come."""
    return json_response({"anchors": anchors_of(home_of(request))})


_DECLARED = answers(bytes, text="The file.")
_DECLARED["responses"][200] = {"description": "The file.", "content": {BINARY: {}}}


@router.get("/log/{path:path}", summary="Read the log", **_DECLARED)
def log_file(
    request: Request,
    path: Annotated[
        str,
        Path(
            pattern=r"^(checkpoint|tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?)$",
            description="Of a tile, of entries, or `checkpoint` (C2SP tlog-tiles).",
            examples=["checkpoint", "tile/0/000"],
        ),
    ],
) -> Response:
    """What an audit reads: `relayhub audit URL/v1/evidence/log`, or `relayhub --hub URL audit` where the hub asks for a token."""
    try:
        content = (home_of(request).evidence / "log" / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotFound("The log has no such file.", "GET /v1/evidence/checkpoint says how large it is.") from None
    return Response(content, media_type=BINARY)
