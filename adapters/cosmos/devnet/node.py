"""One evmd as a process: a validator, or a node that follows, on 127.0.0.1 alone."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from adapters.loopback_ports import free_port

PATIENCE_S = 120.0
KEYRING = ("--keyring-backend", "test")


class EvmdError(RuntimeError):
    """A node said an error, or did not do in time what was waited for."""


class EvmdNode:
    """A node in a folder of its own.

    Args:
        name: its moniker, and the name of its operator's key.
        binary: evmd.
        folder: of its own; made by `initialise`.
        chain_id: the name of the Cosmos chain.
        block_s: seconds between a block and the next proposal.
    """

    def __init__(self, name: str, binary: Path, folder: Path, chain_id: str, block_s: float) -> None:
        """Choose its ports; nothing is started or written."""
        self.name, self.binary, self.chain_id, self.block_s = name, binary, chain_id, block_s
        self.folder = folder / ".evmd"  # where it looks for the chain's name, whatever home it is told
        self.ports = {kind: free_port() for kind in ("rpc", "p2p", "evm", "ws")}
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._client = httpx.Client(timeout=30.0, trust_env=False)

    @property
    def evm_url(self) -> str:
        """Its Ethereum JSON-RPC."""
        return f"http://127.0.0.1:{self.ports['evm']}"

    @property
    def consensus_url(self) -> str:
        """Its CometBFT RPC."""
        return f"http://127.0.0.1:{self.ports['rpc']}"

    @property
    def endpoint(self) -> str:
        """Both, as the adapter `cosmos` takes them."""
        return f"{self.evm_url}#{self.ports['rpc']}"

    @property
    def peer(self) -> str:
        """How others dial it."""
        return f"{self.command('comet', 'show-node-id').strip()}@127.0.0.1:{self.ports['p2p']}"

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def command(self, *words: str, text: str | None = None) -> str:
        """Run a command of evmd on its folder; returns what it says.

        Raises:
            EvmdError: it failed.
        """
        whole = [str(self.binary), *words, "--home", str(self.folder)]
        done = subprocess.run(
            whole, input=text, capture_output=True, text=True, env=self._environment(), check=False, timeout=60
        )
        if done.returncode != 0:
            raise EvmdError(f"evmd {' '.join(words[:3])}: {done.stdout[-500:]}{done.stderr[:800]}")
        return done.stdout or done.stderr

    def initialise(self, denomination: str) -> None:
        """Make its folder and its keys."""
        self.folder.parent.mkdir(mode=0o700)
        self.folder.mkdir(mode=0o700)
        self.command("init", self.name, "--chain-id", self.chain_id, "--default-denom", denomination)
        self.command("config", "set", "client", "chain-id", self.chain_id)
        self.command("keys", "add", self.name, *KEYRING, "--algo", "eth_secp256k1", "--output", "json")

    def configure(self, peers: Sequence[str]) -> None:
        """Write its two configuration files: who its peers are, and that it listens nowhere else."""
        self._settle(
            "config.toml",
            ("rpc", {"laddr": f"tcp://127.0.0.1:{self.ports['rpc']}", "pprof_laddr": ""}),
            ("p2p", {"laddr": f"tcp://127.0.0.1:{self.ports['p2p']}", "persistent_peers": ",".join(peers)}),
            ("p2p", {"pex": False, "addr_book_strict": False, "allow_duplicate_ip": True}),
            ("consensus", {"timeout_commit": f"{self.block_s:g}s", "timeout_propose": "2s"}),
        )
        listeners = {
            "address": f"127.0.0.1:{self.ports['evm']}",
            "ws-address": f"127.0.0.1:{self.ports['ws']}",
            "enable": True,
        }
        self._settle(
            "app.toml",
            ("", {"pruning": "nothing"}),
            ("grpc", {"enable": False}),
            ("grpc-web", {"enable": False}),
            ("json-rpc", listeners),
        )

    def launch(self) -> None:
        """Start the process; `wait_ready` waits until it answers."""
        words = [str(self.binary), "start", "--home", str(self.folder), "--chain-id", self.chain_id]
        with (self.folder / "evmd.log").open("ab") as log:
            self.process = subprocess.Popen(
                words, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        """Wait until both its interfaces answer; a taken JSON-RPC port would let another node answer, so both are asked who they are.

        Raises:
            EvmdError: it ended instead; the text shows the end of its log.
        """
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.running:
            with contextlib.suppress(httpx.TransportError, EvmdError):
                if self.consensus("status")["node_info"]["moniker"] == self.name and self.height() > 0:
                    self.rpc("web3_clientVersion")
                    return
            time.sleep(0.05)
        raise EvmdError(f"{self.name} did not start:\n{self.log_tail()}")

    def rpc(self, method: str, *params: Any) -> Any:
        """Call one method of the Ethereum JSON-RPC.

        Raises:
            EvmdError: the node answers an error.
            httpx.TransportError: it does not answer.
        """
        return self._call(self.evm_url, method, list(params))

    def consensus(self, method: str, **params: Any) -> Any:
        """Call one method of the CometBFT RPC."""
        return self._call(self.consensus_url, method, params)

    def height(self) -> int:
        """Its newest block's height."""
        return int(self.consensus("status")["sync_info"]["latest_block_height"])

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Kill it, if it lives, and release the connection."""
        self.kill()
        self._client.close()

    def log_tail(self, lines: int = 30) -> str:
        """The end of its log."""
        path = self.folder / "evmd.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _call(self, url: str, method: str, params: list[Any] | dict[str, Any]) -> Any:
        body = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        answer = self._client.post(url, json=body).json()
        if "error" in answer:
            raise EvmdError(f"{self.name}: {method}: {answer['error']['message']} {answer['error'].get('data', '')}")
        return answer["result"]

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _environment(self) -> dict[str, str]:
        """No variables of ours, which it would take for options."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent)}

    def _settle(self, name: str, *changes: tuple[str, Mapping[str, Any]]) -> None:
        """Set values that stand in a configuration file: pairs of a section's name and its values."""
        path = self.folder / "config" / name
        sections = re.split(r"(?m)^(?=\[)", path.read_text())
        for section, values in changes:
            index = next(
                number
                for number, text in enumerate(sections)
                if (text.startswith(f"[{section}]") if section else not number)
            )
            for key, value in values.items():
                line = re.compile(rf"(?m)^{re.escape(key)} *=.*$")
                written = f"{key} = {json.dumps(value)}"
                sections[index], found = line.subn(written.replace("\\", r"\\"), sections[index])
                if not found:
                    raise EvmdError(f"{name}: [{section}] has no {key}")
        path.write_text("".join(sections))
