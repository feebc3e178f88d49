"""A development network as an object: start it, talk to it, kill it, restart it. For the demo, the tests and the bench."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from adapters.evm.devnet.errors import DevelopmentNetworkError, RpcError
from adapters.evm.devnet.header import Form

_START_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = 60.0
_REQUEST_TIMEOUT_S = 120.0


class DevelopmentNetwork:
    """One network in a process of its own; it ends with the program that started it unless it is `detached`.

    Args:
        chain_id: The EIP-155 chain id.
        port: The port on 127.0.0.1; 0 takes a free one, kept over a restart.
        block_time_s: Seconds between blocks; 0 makes blocks only when asked (`mine`).
        hardfork: The EVM's rules, such as `london` (with a base fee) or `berlin` (without).
        validators: How many validators it begins with.
        epoch_length: Blocks between two clearings of validator votes; None for Besu's default.
        directory: Where keys, headers and state are kept; None for a temporary one that `stop` deletes.
        form: Whose headers its validators seal.
        unlisted_from: The first header that lists no validators, as where a contract selects them.
        plain: Serve anvil unsealed.
        detached: Let it run on when this program ends; `stop` still ends it. Its messages go to `network.log` in its
            directory, so that nobody who reads this program's output waits for it.
    """

    def __init__(
        self,
        *,
        chain_id: int,
        port: int = 0,
        block_time_s: float = 1.0,
        hardfork: str = "london",
        validators: int = 4,
        epoch_length: int | None = None,
        directory: Path | None = None,
        form: Form = Form.QBFT,
        unlisted_from: int | None = None,
        plain: bool = False,
        detached: bool = False,
    ) -> None:
        self.chain_id = chain_id
        self.port = port
        self.status: dict[str, Any] = {}
        self._detached = detached
        self._temporary = tempfile.TemporaryDirectory(prefix="relayhub-devnet-") if directory is None else None
        self.directory = Path(self._temporary.name) if self._temporary is not None else Path(str(directory))
        self._options = [
            *("--chain-id", str(chain_id), "--block-time", str(block_time_s), "--hardfork", hardfork),
            *("--validators", str(validators), "--directory", str(self.directory), "--json"),
            *(("--epoch-length", str(epoch_length)) if epoch_length is not None else ()),
            *(("--consensus", form) if form is not Form.QBFT else ()),
            *(("--unlisted-from", str(unlisted_from)) if unlisted_from is not None else ()),
            *(("--plain",) if plain else ()),
            *(() if detached else ("--until-input-ends",)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    @property
    def url(self) -> str:
        """The JSON-RPC endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The front's process id.

        Raises:
            DevelopmentNetworkError: It does not run.
        """
        return self._running().pid

    @property
    def anvil_pid(self) -> int:
        """Anvil's process id at the last start."""
        pid: int = self.status["anvilPid"]
        return pid

    def start(self) -> Self:
        """Starts the network and waits until it answers.

        Raises:
            DevelopmentNetworkError: It runs already, or could not start; its message stands on standard error.
        """
        if self._process is not None:
            raise DevelopmentNetworkError("the network runs already; stop it first.")
        if self._detached:
            self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "network.log" if self._detached else Path(os.devnull)).open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "adapters.evm.devnet", "--port", str(self.port), *self._options],
                stdin=subprocess.DEVNULL if self._detached else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log if self._detached else None,
                start_new_session=True,
                bufsize=0,
            )
        try:
            self.status = json.loads(self._announcement(self._process))
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        self.port = int(self.status["url"].rpartition(":")[2])
        self._client = httpx.Client(timeout=_REQUEST_TIMEOUT_S, trust_env=False)
        return self

    def stop(self) -> None:
        """Stops front and anvil; a temporary directory is deleted, another keeps the state for a later start."""
        if self._process is not None:
            self._end(signal.SIGUSR1 if self._temporary is not None else signal.SIGTERM)
        if self._temporary is not None:
            self._temporary.cleanup()

    def kill(self) -> None:
        """Kills the front with SIGKILL, as a crash would; anvil saves its state and ends."""
        self._running()
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Starts it again on the same port with the same chain, after `kill` or while it runs."""
        if self._process is not None:
            self._end(signal.SIGTERM)
        return self.start()

    def rpc(self, method: str, *params: Any, path: str = "/") -> Any:
        """Calls one method.

        Args:
            method: The JSON-RPC method.
            params: Its parameters.
            path: Which endpoint of the network; each path has faults of its own.

        Returns:
            The result.

        Raises:
            RpcError: The network answers an error.
            DevelopmentNetworkError: It does not run.
        """
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}, path)
        return _result_of(answer)

    def batch(self, calls: list[tuple[str, list[Any]]], path: str = "/") -> list[Any]:
        """Calls several methods in one body; the results in the same order.

        Raises:
            RpcError: One of them answers an error.
            DevelopmentNetworkError: It does not run.
        """
        requests = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, (method, params) in enumerate(calls)
        ]
        return [_result_of(answer) for answer in self._post(requests, path)]

    def mine(self, blocks: int = 1) -> int:
        """Makes blocks now; the new height."""
        return int(self.rpc("devnet_mine", blocks), 16)

    def fund(self, address: str, wei: int) -> None:
        """Sets an account's balance."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _post(self, body: Any, path: str) -> Any:
        self._running()
        if self._client is None:
            raise DevelopmentNetworkError("the network does not run; start it first.")
        return self._client.post(self.url + path, json=body).json()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise DevelopmentNetworkError("the network does not run; start it first.")
        return self._process

    def _announcement(self, process: subprocess.Popen[bytes]) -> bytes:
        """The line that the front prints when it answers."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        line = b""
        while process.stdout is not None and not line.endswith(b"\n"):
            if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise DevelopmentNetworkError(
                    f"eip155:{self.chain_id} does not answer; see whether the machine is overloaded."
                )
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                raise DevelopmentNetworkError(f"eip155:{self.chain_id} could not start; {self._where_it_says_why()}.")
            line += piece
        return line

    def _where_it_says_why(self) -> str:
        return f"see {self.directory / 'network.log'}" if self._detached else "its message stands above"

    def _end(self, number: signal.Signals) -> None:
        """Ends the front and waits for it and for anvil."""
        process = self._running()
        children = _children(process.pid)
        process.send_signal(number)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _wait_until_ended(children)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        if self._client is not None:
            self._client.close()
        self._process = self._client = None


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _wait_until_ended(processes: list[psutil.Process]) -> None:
    """Waits for processes that are not ours to reap; a dead one may stay in the table for a while.

    Raises:
        DevelopmentNetworkError: One of them goes on.
    """
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    for process in processes:
        while _runs(process):
            if time.monotonic() > deadline:
                raise DevelopmentNetworkError(f"process {process.pid} does not end; end it by hand.")
            time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _result_of(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise RpcError(answer["error"]["code"], answer["error"]["message"])
    return answer["result"]
