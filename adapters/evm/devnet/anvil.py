"""One anvil on a private loopback port, started and stopped by the front, and never outliving it.

The kernel sends anvil SIGTERM when the front dies (prctl PR_SET_PDEATHSIG, Linux); with a directory anvil then writes its
state, history included, so that a front that was killed goes on where it was. Its pool of waiting transactions is lost, as
on any node that restarts.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from adapters.evm.devnet.errors import AnvilNotFoundError, DevelopmentNetworkError, RpcError
from adapters.loopback_ports import free_port, is_free

GAS_LIMIT = 300_000_000
"""Gas of a block."""

STATES_KEPT = 1024
"""Newest blocks whose state can be asked and proved; older blocks keep their transactions, receipts and logs. Every kept
state is written out when anvil ends, so this also bounds the time of a restart (measured with 150 kB of contract code:
2 s to write, 4 s to read)."""

_PR_SET_PDEATHSIG = 1
_START_TIMEOUT_S = 120.0
_PORTS_TRIED = 5
_REQUEST_TIMEOUT_S = 300.0
_PACKAGE = Path("node_modules", "@foundry-rs", "anvil-linux-amd64", "bin", "anvil")


def find_anvil() -> Path:
    """The anvil binary: RELAYHUB_ANVIL, else the checkout's or this folder's node_modules, else the user's cache.

    Returns:
        The path of an executable file.

    Raises:
        AnvilNotFoundError: It is in none of these places.
    """
    named = os.environ.get("RELAYHUB_ANVIL")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = [
        Path(__file__).resolve().parents[3] / _PACKAGE,
        Path.cwd() / _PACKAGE,
        cache / "relayhub" / "anvil",
    ]
    for path in [Path(named)] if named else places:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    if named:
        raise AnvilNotFoundError(f"RELAYHUB_ANVIL names {named}, which is no executable file; correct or unset it.")
    raise AnvilNotFoundError("There is no anvil binary; run `make setup`, or set RELAYHUB_ANVIL to its path.")


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How anvil is started.

    Attributes:
        chain_id: The EIP-155 chain id.
        hardfork: The EVM's rules, such as `london`.
        cache: A folder for the states that do not fit into memory.
        state: The file that keeps the state over a restart, or None.
    """

    chain_id: int
    hardfork: str
    cache: Path
    state: Path | None = None

    def arguments(self, port: int) -> list[str]:
        """Anvil's command line without the program."""
        kept = [] if self.state is None else ["--state", str(self.state), "--preserve-historical-states"]
        return [
            *("--host", "127.0.0.1", "--port", str(port), "--quiet", "--chain-id", str(self.chain_id)),
            *("--hardfork", self.hardfork, "--no-mining", "--gas-limit", str(GAS_LIMIT), "--no-request-size-limit"),
            *("--slots-in-an-epoch", "1", "--cache-path", str(self.cache), "--prune-history", str(STATES_KEPT)),
            *kept,
        ]


class Anvil:
    """A running anvil.

    Args:
        process: The child process.
        port: Its port on 127.0.0.1.
    """

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=_REQUEST_TIMEOUT_S),
            headers={"Content-Type": "application/json"},
            read_bufsize=2**20,
            auto_decompress=False,
        )

    @classmethod
    async def start(cls, options: AnvilOptions, inherited: int | None = None) -> Anvil:
        """Starts anvil and waits until it answers.

        Args:
            options: How to start it.
            inherited: A file descriptor that anvil keeps open until it ends (the directory's lock).

        Raises:
            AnvilNotFoundError: There is no binary.
            DevelopmentNetworkError: It ended, or does not answer.
        """
        for _ in range(_PORTS_TRIED):
            anvil = await cls._start_on(free_port(), options, inherited)
            if anvil is not None:
                return anvil
        raise DevelopmentNetworkError(f"{_PORTS_TRIED} ports chosen for anvil were taken at once; start it again.")

    @classmethod
    async def _start_on(cls, port: int, options: AnvilOptions, inherited: int | None) -> Anvil | None:
        """Starts it on a port; None where somebody else took the port first."""
        process = await asyncio.create_subprocess_exec(
            str(find_anvil()),
            *options.arguments(port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=() if inherited is None else (inherited,),
            preexec_fn=_die_with_parent(os.getpid()),
        )
        anvil = cls(process, port)
        try:
            await anvil._ready()
        except BaseException:
            taken = process.returncode is not None and not is_free(port)
            await anvil.stop(save=False)
            if taken:
                return None
            raise
        return anvil

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def post(self, body: bytes) -> bytes:
        """Passes a JSON-RPC body on and returns the answer as it is.

        Raises:
            RpcError: anvil does not answer.
        """
        try:
            async with self._session.post(self._url, data=body) as response:
                return await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RpcError(-32603, f"anvil behind the front does not answer ({type(error).__name__})") from error

    async def call(self, method: str, *params: Any) -> Any:
        """Calls one method and returns its result.

        Raises:
            RpcError: anvil answers an error, or not at all.
        """
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = orjson.loads(await self.post(orjson.dumps(request)))
        if "error" in answer:
            raise RpcError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    async def wait(self) -> int:
        """Waits until it ends; its exit status."""
        return await self._process.wait()

    async def stop(self, *, save: bool) -> None:
        """Ends anvil; with `save` it writes its state first, where it has a file for it."""
        await self._session.close()
        if self._process.returncode is None:
            (self._process.terminate if save else self._process.kill)()
            await self._process.wait()

    async def _ready(self) -> None:
        """Waits until it answers, or has ended: on a taken port somebody else might be answering, or keep silent."""
        answers, ends = asyncio.create_task(self._answers()), asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait((answers, ends), return_when=asyncio.FIRST_COMPLETED)
            if ends.done():
                raise DevelopmentNetworkError(
                    "anvil ended while it started; its message stands above: correct the options."
                )
            await answers
        finally:
            answers.cancel()
            ends.cancel()

    async def _answers(self) -> None:
        deadline = asyncio.get_running_loop().time() + _START_TIMEOUT_S
        while True:
            try:
                await self.call("eth_chainId")
            except RpcError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise DevelopmentNetworkError(
                        "anvil does not answer; see whether the machine is overloaded."
                    ) from error
                await asyncio.sleep(0.01)
            else:
                return


def _die_with_parent(parent: int) -> Callable[[], None]:
    """What the child does before it becomes anvil: ask for SIGTERM when the front dies."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def before_exec() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return before_exec
