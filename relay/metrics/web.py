"""`GET /metrics`, for Prometheus."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from relay.metrics.exposition import Exposition
from relay.web.access import require

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_router(exposition: Exposition) -> APIRouter:
    """The route on an exposition, for everybody whom the hub knows (a hub on loopback without tokens: for everybody).

    Where the database cannot be read it answers 503, which Prometheus counts as down.
    """
    router = APIRouter()

    @router.get("/metrics", dependencies=[Depends(require())])
    async def get_metrics() -> Response:
        return Response(await asyncio.to_thread(exposition.text), media_type=CONTENT_TYPE)

    return router
