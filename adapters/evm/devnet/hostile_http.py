"""HTTP answers of an endpoint that was told to be hostile: busy, cut in the middle, a byte at a time, or a gigabyte long."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import web

BUSY_S = 30
"""What its Retry-After asks for."""
FLOOD_BYTES = 1_000_000_000
DRIP_S = 0.05
_BLOCK = b"[" * (1 << 16)

HTTP_FAILURES = frozenset({"busy", "cut", "drip", "flood"})
"""Ways to fail below JSON-RPC: HTTP 429, a body that breaks off, one that never comes to an end, one of 1 GB."""


async def hostile_answer(request: web.BaseRequest, answer: bytes, kind: str) -> web.StreamResponse:
    """Answers as one of `HTTP_FAILURES`; whoever asked may be gone before it ends.

    Args:
        request: What is answered.
        answer: What an honest endpoint would say.
        kind: The way to fail.
    """
    if kind == "busy":
        return web.Response(status=429, headers={"Retry-After": str(BUSY_S)})
    sizes = {"cut": len(answer), "drip": len(answer), "flood": FLOOD_BYTES}
    response = web.StreamResponse(headers={"Content-Length": str(sizes[kind]), "Content-Type": "application/json"})
    with suppress(ConnectionError):
        await response.prepare(request)
        if kind == "cut":
            await response.write(answer[: len(answer) // 2])
        elif kind == "drip":
            for byte in answer:
                await response.write(bytes([byte]))
                await asyncio.sleep(DRIP_S)
        else:
            for _ in range(FLOOD_BYTES // len(_BLOCK)):
                await response.write(_BLOCK)
    if kind != "drip" and request.transport is not None:
        request.transport.close()
    return response
