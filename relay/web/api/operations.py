"""`/v1/operations`: changes that take longer than an answer."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from relay.web.access import Role
from relay.web.api.common import answers, caller_of, json_response, store_of
from relay.web.api.models import Operation
from relay.web.changes import find_operation, operation_shown
from relay.web.problems import Problem

router = APIRouter(prefix="/v1/operations", tags=["operations"])

WAIT_MAX_S = 20.0
LOOK_S = 0.1
OVERSEERS = frozenset({Role.OFFICER, Role.AUDITOR})


@router.get("/{id}", summary="Look at an operation", **answers(Operation))
async def show(
    request: Request,
    identifier: Annotated[str, Path(alias="id", pattern="^op_[0-9a-f]{24}$", examples=["op_" + "0a" * 12])],
    wait: Annotated[
        float, Query(ge=0, le=WAIT_MAX_S, description="Seconds to wait until it is no longer running.")
    ] = 0.0,
) -> Response:
    """Whether it runs, is done, or failed, and with what. Whoever asked for it sees it, and officers and auditors."""
    caller = caller_of(request)
    deadline = time.monotonic() + wait
    while True:
        row = await asyncio.to_thread(find_operation, store_of(request), identifier)
        if row is None or (row.caller != caller.id and not caller.roles & OVERSEERS):
            raise Problem(404, "NotFound", "There is no such operation of yours; its id came with the answer 202.")
        if row.state != "running" or time.monotonic() >= deadline:
            return json_response(operation_shown(row))
        await asyncio.sleep(LOOK_S)
