"""`/v1/evidence`: the newest checkpoint of the evidence log, and receipts of messages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from relay.errors import NotFound
from relay.evidence.receipts import make_receipt
from relay.web.api.common import answers, home_of, json_response
from relay.web.api.evidence_models import Checkpoint

router = APIRouter(prefix="/v1/evidence", tags=["evidence"])


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
