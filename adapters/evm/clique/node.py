"""One geth as a process: a signer of a Clique network, or a second node with a signer's key."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from adapters.evm.clique.keystore import keystore
from adapters.loopback_ports import free_port
from light_clients.crypto.secp256k1 import address_of
from schemas.primitives import hex0x

PATIENCE_S = 120.0
HTTP_API = "eth,net,web3,admin,clique,debug,miner,txpool"
CONFIGURATION = """
[Node.P2P]
ListenAddr = "127.0.0.1:{port}"
MaxPeers = {peers}
DialRatio = 1
"""
"""A node with fewer peers than its maximum (or than five) looks for a heavier chain every ten seconds only. It dials `peers` others."""


class GethError(RuntimeError):
    """A node said an error, or did not do in time what was waited for.

    Attributes:
        code: the JSON-RPC error's code, or 0.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class GethNode:
    """A node in a folder of its own, on 127.0.0.1 alone.

    Args:
        name: for messages.
        binary: geth.
        folder: of its own; made here.
        genesis: the network's genesis file.
        chain_id: its chain id, which is its network id too.
        key: the signer's private key, 32 bytes.
        peers: how many others it may have.
        options: further words of the command line.
    """

    def __init__(
        self,
        name: str,
        binary: Path,
        folder: Path,
        genesis: Path,
        chain_id: int,
        key: bytes,
        peers: int,
        options: Sequence[str] = (),
    ) -> None:
        """Write its configuration and its signer's key; nothing is started."""
        self.name, self.binary, self.folder, self.genesis = name, binary, folder, genesis
        self.chain_id, self.key, self.port = chain_id, key, free_port()
        self.options = list(options)
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._client = httpx.Client(timeout=60.0, trust_env=False)
        (folder / "keystore").mkdir(parents=True, mode=0o700)
        self._write("password", "development")
        self._write("geth.toml", CONFIGURATION.format(port=free_port(), peers=peers))
        self._write("keystore/signer.json", json.dumps(keystore(key, "development")))

    @property
    def url(self) -> str:
        """Its JSON-RPC endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """The signer that it seals for, in lower case."""
        return hex0x(address_of(self.key))

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def make_ledger(self) -> subprocess.Popen[bytes]:
        """Begin to write the genesis block into its folder; returns the process."""
        return self._spawn(["--datadir", str(self.folder), "--state.scheme", "hash", "init", str(self.genesis)])

    def launch(self, *, seal: bool = True) -> None:
        """Start the process; `wait_ready` waits until it answers."""
        signer = ["--unlock", self.address, "--password", str(self.folder / "password"), "--allow-insecure-unlock"]
        words = [
            *(
                "--config",
                str(self.folder / "geth.toml"),
                "--datadir",
                str(self.folder),
                "--networkid",
                str(self.chain_id),
            ),
            *("--nodiscover", "--nat", "none", "--netrestrict", "127.0.0.0/8", "--discovery.dns", "", "--ipcdisable"),
            *(
                "--syncmode",
                "full",
                "--gcmode",
                "archive",
                "--state.scheme",
                "hash",
                "--snapshot=false",
                "--cache",
                "64",
            ),
            *("--http", "--http.addr", "127.0.0.1", "--http.port", str(self.port), "--http.api", HTTP_API),
            *("--authrpc.addr", "127.0.0.1", "--authrpc.port", "0", "--txpool.nolocals", "--lightkdf", *signer),
            *("--miner.etherbase", self.address, *(["--mine"] if seal else []), *self.options),
        ]
        self.process = self._spawn(words)

    def wait_ready(self) -> None:
        """Wait until it answers, and until others can dial it, which comes later.

        Raises:
            GethError: it ended instead; the text shows the end of its log.
        """
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.running:
            with contextlib.suppress(httpx.TransportError):
                if self.rpc("admin_nodeInfo")["ports"]["listener"]:
                    return
            time.sleep(0.05)
        raise GethError(f"{self.name} did not start:\n{self.log_tail()}")

    def rpc(self, method: str, *params: Any) -> Any:
        """Call one method.

        Raises:
            GethError: the node answers an error.
            httpx.TransportError: it does not answer.
        """
        body = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": list(params)}
        answer = self._client.post(self.url, json=body).json()
        if "error" in answer:
            raise GethError(f"{self.name}: {method}: {answer['error']['message']}", answer["error"]["code"])
        return answer["result"]

    def height(self) -> int:
        """Its newest block's height."""
        return int(self.rpc("eth_blockNumber"), 16)

    def block(self, height: int | str = "latest") -> Any:
        """A block as JSON; None where it has none."""
        return self.rpc("eth_getBlockByNumber", hex(height) if isinstance(height, int) else height, False)

    def stop(self) -> None:
        """End it as an operator does: it writes everything down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Kill it, if it lives, and release the connection."""
        self.kill()
        self._client.close()

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log_tail(self, lines: int = 30) -> str:
        """The end of its log."""
        path = self.folder / "geth.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _spawn(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """A geth with no variables of ours, which it would take for options."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        with (self.folder / "geth.log").open("ab") as log:
            return subprocess.Popen(
                [self.binary, *words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
