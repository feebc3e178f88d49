"""One development network as a process: the directory and its lock, anvil, the block clock, and HTTP on 127.0.0.1.

SIGTERM and SIGINT stop it and let anvil save its state; SIGUSR1 stops it without saving. The directory holds the seed of
the validators' keys, the sealed headers, anvil's state and a lock that front and anvil keep together: a restarted front
waits until the anvil of a killed one has written its state.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from aiohttp import web

from adapters.evm.devnet.anvil import Anvil, AnvilOptions
from adapters.evm.devnet.chain import SealedChain
from adapters.evm.devnet.errors import DevelopmentNetworkError
from adapters.evm.devnet.front import Front
from adapters.evm.devnet.header import Form
from adapters.evm.devnet.hostile_http import hostile_answer
from adapters.evm.devnet.producer import Producer
from adapters.evm.devnet.validators import EPOCH_LENGTH, Keyring, Validators

VERSION = "relayhub-devnet/0.1.0"
_LOCK_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a development network is started.

    Attributes:
        chain_id: The EIP-155 chain id.
        directory: Where it keeps what survives a restart.
        port: The port on 127.0.0.1; 0 takes a free one.
        block_time_s: Seconds between blocks; 0 makes blocks only when asked.
        hardfork: The EVM's rules.
        validators: How many validators the network begins with.
        epoch_length: Blocks between two clearings of validator votes.
        form: Whose headers its validators seal.
        unlisted_from: The first header that lists no validators, as where a contract selects them.
        plain: Serve anvil unsealed, as a bare development node.
        keep: Save anvil's state when it stops.
    """

    chain_id: int
    directory: Path
    port: int = 0
    block_time_s: float = 1.0
    hardfork: str = "london"
    validators: int = 4
    epoch_length: int = EPOCH_LENGTH
    form: Form = Form.QBFT
    unlisted_from: int | None = None
    plain: bool = False
    keep: bool = True


async def serve(options: ServerOptions, announce: Callable[[dict[str, Any]], None], *, watch_input: bool) -> None:
    """Runs the network until a signal, the end of standard input (with `watch_input`), or the end of anvil.

    Args:
        options: How to start it.
        announce: Told once, when requests are answered: url, chain id, process ids, first block, validators.
        watch_input: Stop when standard input ends, that is when the program that holds its other end does.

    Raises:
        DevelopmentNetworkError: It cannot start, or anvil ended by itself.
    """
    stop: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    _stop_on_signals(stop, watch_input=watch_input)
    lock = await _locked(options.directory)
    with lock:
        anvil = await Anvil.start(_anvil_options(options), lock.fileno())
        chain = None if options.plain else _chain(options)
        producer = Producer(anvil, chain, options.block_time_s)
        save = True
        try:
            await producer.begin()
            version = f"{VERSION} (development network; {await anvil.call('web3_clientVersion')})"
            front = Front(anvil, producer, chain, chain_id=options.chain_id, client_version=version)
            async with _listening(front, options.port) as port:
                announce(await _description(front, port))
                save = await _until_stopped(stop, anvil, producer)
        finally:
            await anvil.stop(save=save)
            if chain is not None:
                chain.close()


def _anvil_options(options: ServerOptions) -> AnvilOptions:
    state = options.directory / "anvil-state.json" if options.keep else None
    return AnvilOptions(options.chain_id, options.hardfork, options.directory / "anvil-cache", state)


def _chain(options: ServerOptions) -> SealedChain:
    seed_path = options.directory / "validators.seed"
    if not seed_path.exists():
        seed_path.touch(mode=0o600)
        seed_path.write_bytes(secrets.token_bytes(32))
    validators = Validators(Keyring(seed_path.read_bytes(), options.validators), options.epoch_length)
    path = options.directory / "sealed-headers" if options.keep else None
    return SealedChain(validators, path, options.form, options.unlisted_from)


async def _locked(directory: Path) -> IO[bytes]:
    """Takes the directory's lock, waiting for a dying predecessor."""
    lock = _lock_file(directory)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if loop.time() > deadline:
                lock.close()
                raise DevelopmentNetworkError(
                    f"another network runs in {directory}; stop it, or name another directory."
                ) from None
            await asyncio.sleep(0.02)
        else:
            return lock


def _lock_file(directory: Path) -> IO[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    return (directory / "lock").open("wb")


def _stop_on_signals(stop: asyncio.Future[bool], *, watch_input: bool) -> None:
    """Lets signals and the end of standard input finish `stop`: True saves the state, False does not."""
    loop = asyncio.get_running_loop()

    def finish(*, save: bool) -> None:
        if not stop.done():
            stop.set_result(save)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: finish(save=True))
    loop.add_signal_handler(signal.SIGUSR1, lambda: finish(save=False))
    if watch_input:
        descriptor = sys.stdin.fileno()

        def read() -> None:
            if not os.read(descriptor, 4096):
                loop.remove_reader(descriptor)
                finish(save=True)

        loop.add_reader(descriptor, read)


@asynccontextmanager
async def _listening(front: Front, port: int) -> AsyncIterator[int]:
    """Serves HTTP on 127.0.0.1; gives the port."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(text=f"{VERSION}: a development network; send JSON-RPC by POST.\n")
        try:
            body = await request.content.read()
        except ConnectionError:  # who asked is gone
            return web.Response(status=400)
        answer = await front.answer(body, request.path)
        if kind := front.http_failure(body, request.path):
            return await hostile_answer(request, answer, kind)
        return web.Response(body=answer, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=512)
        try:
            await site.start()
        except OSError as error:
            raise DevelopmentNetworkError(f"port {port} is taken; choose another, or 0 for a free one.") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _description(front: Front, port: int) -> dict[str, Any]:
    request = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "devnet_status", "params": []})
    status: dict[str, Any] = orjson.loads(await front.answer(request, "/"))["result"]
    return {"url": f"http://127.0.0.1:{port}", **status}


async def _until_stopped(stop: asyncio.Future[bool], anvil: Anvil, producer: Producer) -> bool:
    clock = asyncio.create_task(producer.run())
    death = asyncio.create_task(anvil.wait())
    try:
        waited: list[asyncio.Future[Any]] = [stop, clock, death]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            return stop.result()
        if clock.done():
            await clock
        raise DevelopmentNetworkError(f"anvil ended by itself with status {death.result()}; start the network again.")
    finally:
        for task in (clock, death):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
