"""One look at the hub a second for any number of viewers, and none for nobody.

Each look that finds something changed makes a new version of the state and a delta. The newest deltas are kept; a viewer holds
no queue but the number of the version that it has, so that one which reads slowly costs nothing and gets the sum of what it
missed, and one which was away for longer is told to load the whole state again. An event's id is `BOOT-VERSION`: the ids of
another process of the hub mean nothing here.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import structlog

from relay.errors import HubError
from relay.web.page.deltas import Delta, State, difference, is_empty, total

LOOK_EVERY_S = 1.0
HEARTBEAT_S = 10.0
DELTAS_KEPT = 60
VIEWERS_MAX = 500

log = structlog.get_logger("relay.web.page")


class Board:
    """The state that viewers share.

    Args:
        look: reads the state; it is called in a thread, one call at a time.
        clock: Unix seconds.
    """

    def __init__(self, look: Callable[[], State], clock: Callable[[], float] = time.time) -> None:
        self.viewers = 0
        self._closed = False
        self._look = look
        self._clock = clock
        self._boot = secrets.token_hex(4)
        self._version = 0
        self._state: State = {}
        self._deltas: deque[tuple[int, Delta]] = deque(maxlen=DELTAS_KEPT)
        self._encoded: dict[int, bytes] = {}
        self._looked_at = -LOOK_EVERY_S
        self._lock = asyncio.Lock()
        self._news = asyncio.Condition()
        self._looking: asyncio.Task[None] | None = None

    async def state(self) -> bytes:
        """The whole state as JSON: `{"id", "now", "state"}`, not older than a second."""
        await self._refresh()
        return orjson.dumps({"id": self._id(), "now": self._clock(), "state": self._state})

    async def events(self, last_id: str) -> AsyncIterator[bytes]:
        """Server-sent events for one viewer: deltas since the version of an id, `reload` where they are not there any more.

        Args:
            last_id: the id of the state or event that the viewer has; empty for none.
        """
        self.viewers += 1
        try:
            if not self._closed and (self._looking is None or self._looking.done()):
                self._looking = asyncio.create_task(self._keep_looking())
            version = self._version_of(last_id)
            yield self._beat()
            while not self._closed:
                if version is None or not self._has_since(version):
                    yield b"event: reload\ndata: {}\n\n"
                    return
                if version < self._version:
                    event, version = self._event(version), self._version  # others may come while this one is sent
                    yield event
                elif not await self._newer_than(version) and not self._closed:
                    yield self._beat()
        finally:
            self.viewers -= 1

    async def _newer_than(self, version: int) -> bool:
        """Wait for a newer version, at most until a heartbeat is due."""
        try:
            async with self._news, asyncio.timeout(HEARTBEAT_S):
                await self._news.wait_for(lambda: self._version > version or self._closed)
        except TimeoutError:
            return False
        return self._version > version

    async def close(self) -> None:
        """End every stream, now and from now on: the process is about to stop. A viewer comes back by itself."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
        async with self._news:
            self._news.notify_all()

    async def _keep_looking(self) -> None:
        while self.viewers > 0:
            await self._refresh()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _refresh(self) -> None:
        """Look, unless somebody else did within the second; a look that fails is part of the state."""
        async with self._lock:
            if time.monotonic() - self._looked_at < LOOK_EVERY_S * 0.9 and self._state:
                return
            state = await asyncio.to_thread(self._seen)
            self._looked_at = time.monotonic()
            delta = difference(self._state, state)
            if is_empty(delta):
                return
            self._state, self._version = state, self._version + 1
            self._deltas.append((self._version, delta))
            self._encoded.clear()
        async with self._news:
            self._news.notify_all()

    def _seen(self) -> State:
        try:
            state = self._look()
        except HubError as error:
            return {**self._state, "trouble": {"look": {"text": str(error)}}}
        except Exception as error:
            log.exception("the page's look at the database failed", error=type(error).__name__)
            return {**self._state, "trouble": {"look": {"text": "The hub failed; look into its log."}}}
        return state

    def _has_since(self, version: int) -> bool:
        oldest = self._deltas[0][0] if self._deltas else self._version + 1
        return oldest - 1 <= version <= self._version

    def _event(self, version: int) -> bytes:
        """All that changed since a version, encoded once for everyone who has that version."""
        if version not in self._encoded:
            delta: dict[str, Any] = total(delta for number, delta in self._deltas if number > version)
            data = orjson.dumps({"id": self._id(), "now": self._clock(), **delta})
            self._encoded[version] = b"id: %s\nevent: delta\ndata: %s\n\n" % (self._id().encode(), data)
        return self._encoded[version]

    def _beat(self) -> bytes:
        return b"event: beat\ndata: %s\n\n" % orjson.dumps({"now": self._clock()})

    def _id(self) -> str:
        return f"{self._boot}-{self._version}"

    def _version_of(self, identifier: str) -> int | None:
        boot, _, number = identifier.partition("-")
        return (
            int(number) if boot == self._boot and number.isascii() and number.isdigit() and len(number) < 16 else None
        )
