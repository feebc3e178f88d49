"""How much a caller may ask: token buckets in memory, and the size of a body.

An address has a bucket for whatever it asks under `/v1/`; operators' two calls are left out, because organisations behind one proxy
share an address and are answered by signatures. A body is read up to its limit and handed on whole; what
was asked is hashed on the way, for Idempotency-Key (relay.web.changes).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relay.web.problems import Problem, problem_response

BODY_MAX_BYTES = 1_000_000
KEPT_MAX = 10_000
UNLIMITED = frozenset({"/v1/claims", "/v1/attestations"})
STREAMED = frozenset({"/v1/records/content"})
"""Its handler reads the body piece by piece once it knows who asks, and bounds and hashes it itself (relay.web.api.records)."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a second, and how many at once after a rest.

    Attributes:
        per_token: a second, for each token.
        per_address: a second, for each address.
        burst_s: seconds of rest that are saved up.
    """

    per_token: float = 100.0
    per_address: float = 200.0
    burst_s: float = 3.0


class Buckets:
    """A token bucket for each name: it fills by `rate` a second up to `size`, and a request takes one.

    Args:
        rate: a second.
        size: at most.
        clock: monotonic seconds.
    """

    def __init__(self, rate: float, size: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._size = max(size, 1.0)
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> None:
        """Take one.

        Raises:
            Problem: 429 with the seconds after which there is one again.
        """
        now = self._clock()
        level, at = self._levels.get(name, (self._size, now))
        level = min(self._size, level + (now - at) * self._rate)
        if level < 1:
            wait_s = math.ceil((1 - level) / self._rate)
            raise Problem(
                429,
                "TooManyRequests",
                f"This is asked too often; ask again in {wait_s} s.",
                {"retry-after": str(wait_s)},
            )
        if len(self._levels) >= KEPT_MAX:
            self._forget_full(now)
        self._levels[name] = (level - 1, now)

    def _forget_full(self, now: float) -> None:
        """Names whose buckets are full again are as good as new; if that is not enough, all begin anew."""
        self._levels = {
            name: (level, at)
            for name, (level, at) in self._levels.items()
            if level + (now - at) * self._rate < self._size
        }
        if len(self._levels) >= KEPT_MAX:
            self._levels = {}


class Limits:
    """Middleware: the bucket of the caller's address, and the size of the body, before anything else is done.

    Args:
        app: the application behind it.
        buckets: by address.
        body_max_bytes: bytes that a body has at most.
    """

    def __init__(self, app: ASGIApp, buckets: Buckets, body_max_bytes: int = BODY_MAX_BYTES) -> None:
        self._app = app
        self._buckets = buckets
        self._body_max_bytes = body_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or hand on."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/") or scope["path"] in UNLIMITED:
            await self._app(scope, receive, send)
            return
        try:
            client = scope.get("client")
            self._buckets.take(client[0] if client else "")
            whole = scope["method"] not in ("GET", "HEAD") and scope["path"] not in STREAMED
            body = await self._body(receive) if whole else None
        except Problem as problem:
            await problem_response(problem)(scope, receive, send)
            return
        if body is None:
            await self._app(scope, receive, send)
            return
        asked = f"{scope['method']} {scope['path']}\n".encode() + body
        scope.setdefault("state", {})["request_digest"] = hashlib.sha256(asked).digest()
        await self._app(scope, _again(body, receive), send)

    async def _body(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._body_max_bytes:
                raise Problem(413, "BodyTooLarge", f"The body is larger than {self._body_max_bytes} bytes; send less.")
            if not message.get("more_body", False):
                return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand a body on that was read, then whatever comes after it."""
    given = False

    async def read() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read
