"""Long polls: any number of waiters share one cheap look at the database every 25 ms, and none is made for nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from relay.store import Store
from relay.store.tables import operators
from relay.web.offers import REOFFER_AFTER_S, NewestClaim, offers

LOOK_EVERY_S = 0.025
SEEN_EVERY_S = 1.0
CALLERS_KEPT = 1_000


class ClaimBoard:
    """Where operators wait for claims, and where it is noted that they were here.

    Args:
        store: the hub's database.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._newest = NewestClaim(store)
        self._looking: asyncio.Task[None] | None = None
        self._closed = False
        self._waiters: dict[asyncio.Future[None], int] = {}  # who waits → the cursor that has to be passed
        self._reoffered: dict[tuple[bytes, str], float] = {}  # signer and connection → when its claims were looked for

    async def wait(
        self, after: int, *, limit: int, wait_s: float, signer: bytes | None, caller: str = ""
    ) -> list[dict[str, Any]]:
        """Return the claims that there are, or those that come within `wait_s` seconds.

        Args:
            after: the cursor that the operator has reached.
            limit: claims at most.
            wait_s: seconds.
            signer: whom the caller says that it is; nobody has to prove it, so it must take nothing from anybody.
            caller: the connection on which it says so.
        """
        if signer is not None:
            signer = signer if await asyncio.to_thread(self._note_seen, signer) else None
        deadline = time.monotonic() + wait_s
        while True:
            items = await self._offers(after, limit, signer, caller)
            left_s = deadline - time.monotonic()
            if items or left_s <= 0 or self._closed:
                return items
            await self._news(after, left_s if signer is None else min(left_s, REOFFER_AFTER_S))

    async def close(self) -> None:
        """Answer everybody who waits with what there is; nobody waits any more."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _offers(self, after: int, limit: int, signer: bytes | None, caller: str) -> list[dict[str, Any]]:
        now = self._clock()
        unsigned_by = signer if signer is not None and self._reoffer_due((signer, caller), now) else None
        if unsigned_by is not None:
            if len(self._reoffered) >= CALLERS_KEPT:
                self._reoffered.clear()
            self._reoffered[unsigned_by, caller] = now
        return await asyncio.to_thread(offers, self._store, after, limit, unsigned_by=unsigned_by, now=now)

    def _reoffer_due(self, who: tuple[bytes, str], now: float) -> bool:
        return not 0 <= now - self._reoffered.get(who, 0.0) < REOFFER_AFTER_S

    async def _news(self, after: int, within_s: float) -> None:
        """Wait for a claim above the cursor, or for the time to pass."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = after
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait_for(waiter, within_s)
        except TimeoutError:
            return
        finally:
            self._waiters.pop(waiter, None)

    async def _look(self) -> None:
        """Look every 25 ms while somebody waits; a database that fails is told to everyone who does."""
        while self._waiters:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                newest = self._newest.look() if self._store.is_sqlite else await asyncio.to_thread(self._newest.look)
            except Exception as error:  # noqa: BLE001 - whatever it is, the waiters' own requests report it
                for waiter in self._waiters:
                    if not waiter.done():
                        waiter.set_exception(error)
                return
            for waiter, after in self._waiters.items():
                if newest > after and not waiter.done():
                    waiter.set_result(None)

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
