"""The block clock: asks anvil for a block, seals it, and only then lets anyone see it.

Every answer that comes from anvil waits for a block in the making (`settled`), so no unsealed block is ever shown. Without
a chain to seal (a bare development node) the clock only mines.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from adapters.evm.devnet.anvil import Anvil
from adapters.evm.devnet.chain import SealedChain
from adapters.evm.devnet.errors import DevelopmentNetworkError, RpcError


class Producer:
    """Makes blocks, one at a time.

    Args:
        anvil: The node that executes.
        chain: Where blocks are sealed, or None for a bare node.
        block_time_s: Seconds between two blocks; 0 makes blocks only when asked.
    """

    def __init__(self, anvil: Anvil, chain: SealedChain | None, block_time_s: float) -> None:
        self.block_time_s = block_time_s
        self.stalled = False
        self._anvil = anvil
        self._chain = chain
        self._lock = asyncio.Lock()
        self._settled = asyncio.Event()
        self._settled.set()
        self._changed = asyncio.Event()
        self._offset_s = 0
        self._next_timestamp: int | None = None
        self._newest_timestamp = 0

    async def settled(self) -> None:
        """Waits while a block is being made."""
        if not self._settled.is_set():
            await self._settled.wait()

    async def begin(self) -> None:
        """Seals what anvil has and we have not: block 0, or a block that a killed front had not sealed.

        Raises:
            DevelopmentNetworkError: anvil has fewer blocks than the file of sealed headers.
        """
        height = int(await self._anvil.call("eth_blockNumber"), 16)
        if self._chain is not None:
            if height < self._chain.height:
                raise DevelopmentNetworkError(
                    f"{self._chain.height} blocks are sealed but anvil's state ends at {height}: "
                    "it was not saved; delete the network's directory to begin anew."
                )
            while self._chain.height < height:
                await self._seal_next(self._chain)
            await self._name_proposer(self._chain)
        newest = await self._anvil.call("eth_getBlockByNumber", hex(height), False)
        self._newest_timestamp = int(newest["timestamp"], 16)

    async def run(self) -> None:
        """Makes blocks by the clock for ever."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self.block_time_s <= 0 or self.stalled:
                await self._changed.wait()
                self._changed.clear()
                due = loop.time()
                continue
            due = max(due + self.block_time_s, loop.time())
            if await self._change_before(due):
                due = loop.time()
                continue
            with suppress(RpcError):  # too few validators awake: the next tick tries again
                await self.produce(by_clock=True)

    async def set_clock(self, *, block_time_s: float | None = None, stalled: bool | None = None) -> None:
        """Changes the pace, or stops and starts the clock; returns once no block of the old pace is being made."""
        self.block_time_s = self.block_time_s if block_time_s is None else block_time_s
        self.stalled = self.stalled if stalled is None else stalled
        self._changed.set()
        async with self._lock:
            return

    def shift_time(self, seconds: int) -> int:
        """Moves the time of all later blocks ahead; returns the whole shift in seconds."""
        self._offset_s += seconds
        return self._offset_s

    def set_next_timestamp(self, timestamp: int) -> None:
        """Fixes the time of the next block, in Unix seconds; later ones go on from there.

        Raises:
            RpcError: It lies before the newest block.
        """
        if timestamp < self._newest_timestamp:
            raise RpcError(-32602, f"the newest block's time is {self._newest_timestamp}; give a later one")
        self._next_timestamp = timestamp
        self._offset_s = timestamp - int(time.time())

    async def produce(self, by_clock: bool = False) -> None:
        """Makes one block now; for the clock, only if it was not stopped meanwhile.

        Raises:
            RpcError: anvil does not mine, or too few validators are awake.
        """
        async with self._lock:
            if by_clock and (self.stalled or self.block_time_s <= 0):
                return
            self._settled.clear()
            try:
                if self._chain is not None:
                    self._chain.validators.sealing_keys()
                timestamp = self._timestamp()
                await self._anvil.call("evm_mine", {"timestamp": timestamp})
                self._newest_timestamp = timestamp
                if self._chain is not None:
                    await self._seal_next(self._chain)
                    await self._name_proposer(self._chain)
            finally:
                self._settled.set()

    def _timestamp(self) -> int:
        """The next block's time: later than its parent's, or equal where blocks are made faster than one a second."""
        chosen, self._next_timestamp = self._next_timestamp, None
        if chosen is not None:
            return chosen
        earliest = self._newest_timestamp + (1 if self.block_time_s >= 1 else 0)
        return max(earliest, int(time.time()) + self._offset_s)

    async def _seal_next(self, chain: SealedChain) -> None:
        chain.seal(await self._anvil.call("eth_getBlockByNumber", hex(chain.height + 1), False))

    async def _name_proposer(self, chain: SealedChain) -> None:
        """Tells anvil who proposes next, so that COINBASE and the fees are the proposer's."""
        try:
            proposer = chain.next_proposer()
        except RpcError:
            return
        await self._anvil.call("anvil_setCoinbase", "0x" + proposer.hex())

    async def _change_before(self, due: float) -> bool:
        """Waits until `due`; says whether the clock was changed meanwhile."""
        try:
            async with asyncio.timeout_at(due):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True
