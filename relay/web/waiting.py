"""Long polls: any number of waiters share one cheap look at the database every 25 ms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from relay.store import Store
from relay.store.tables import operators
from relay.web.offers import REOFFER_AFTER_S, newest_open, offers

LOOK_EVERY_S = 0.025
SEEN_EVERY_S = 1.0


class ClaimBoard:
    """Where operators wait for claims, and where it is noted that they were here.

    Args:
        store: the hub's database.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._look: asyncio.Task[int] | None = None
        self._reoffered: dict[bytes, float] = {}  # signer → when its unsigned claims were looked for

    async def wait(self, after: int, *, limit: int, wait_s: float, signer: bytes | None) -> list[dict[str, Any]]:
        """Return the claims that there are, or those that come within `wait_s` seconds."""
        if signer is not None:
            signer = signer if await asyncio.to_thread(self._note_seen, signer) else None
        deadline = time.monotonic() + wait_s
        while True:
            items = await self._offers(after, limit, signer)
            if items or time.monotonic() >= deadline:
                return items
            while time.monotonic() < deadline and not self._reoffer_due(signer):
                if await self._newest() > after:
                    break

    async def _offers(self, after: int, limit: int, signer: bytes | None) -> list[dict[str, Any]]:
        now = self._clock()
        unsigned_by = signer if self._reoffer_due(signer) else None
        if unsigned_by is not None:
            self._reoffered[unsigned_by] = now
        return await asyncio.to_thread(offers, self._store, after, limit, unsigned_by=unsigned_by, now=now)

    def _reoffer_due(self, signer: bytes | None) -> bool:
        return signer is not None and not 0 <= self._clock() - self._reoffered.get(signer, 0.0) < REOFFER_AFTER_S

    async def _newest(self) -> int:
        """The next look, shared by everyone who waits for it."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_soon())
        return await asyncio.shield(self._look)

    async def _look_soon(self) -> int:
        await asyncio.sleep(LOOK_EVERY_S)
        return await asyncio.to_thread(newest_open, self._store)

    def _note_seen(self, signer: bytes) -> bool:
        """Note that an operator asked, at most once a second; False if there is no such operator."""
        now = self._clock()
        mine = operators.c.signer == signer
        with self._store.read() as connection:
            row = connection.execute(operators.select().where(mine)).one_or_none()
        if row is None:
            return False
        if not 0 <= now - row.seen_at < SEEN_EVERY_S:
            with self._store.write() as connection:
                connection.execute(update(operators).where(mine).values(seen_at=now))
        return True
