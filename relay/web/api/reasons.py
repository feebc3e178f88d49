"""`/v1/reasons`: every code that the hub shows, explained in English and Chinese."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from relay.errors import NotFound
from relay.reasons import all_codes, explain
from relay.web.api.common import answers, json_response, page
from relay.web.api.models import Page
from relay.web.api.operating_models import Reason

router = APIRouter(prefix="/v1/reasons", tags=["hub"])


@router.get("", summary="List codes", **answers(Page[Reason], text="As `relayhub explain --all --json`."))
def list_all(request: Request) -> Response:  # noqa: ARG001 - every handler has it
    """What each means, whose turn it is, when the hub looks again, what to do."""
    return page([explain(code).as_data() for code in all_codes()], None)


@router.get("/{code}", summary="Explain a code", **answers(Reason, text="As `relayhub explain CODE --json`."))
def show(
    request: Request,  # noqa: ARG001 - every handler has it
    code: Annotated[str, Path(pattern="^[A-Za-z_-]{1,64}$", examples=["operators_silent"])],
) -> Response:
    """Of one code."""
    try:
        return json_response(explain(code).as_data())
    except NotFound as error:
        raise NotFound(error.message, "GET /v1/reasons lists all.") from None
