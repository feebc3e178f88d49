"""The ledgers of the mesh: each is a process of its own that says in one line of JSON how it is spoken to.

ChainMaker, FISCO BCOS and Fabric are simulators: real blocks and signatures by the platforms' formats, the real gateway in a real
virtual machine, no node of the platform. The EVM ledgers are real nodes: anvil behind a sealing front, and, where Go is installed,
geth (Clique) and evmd (CometBFT).
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from relay.errors import NotNow
from relay.processes import die_with_parent

READY_S = 120.0
BUILD_S = 1_500.0
ATTEMPTS = 3
"""Seconds until a ledger says how it is spoken to; longer where its node is built first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of ledger.

    Attributes:
        name: its name in the demo.
        title: what it is, as a person reads it.
        command: arguments of Python that start it; `{folder}` stands for a folder of its own.
        suite: hash and signatures of its own blocks.
        needs: a program that has to be installed, or empty.
    """

    name: str
    title: str
    command: tuple[str, ...]
    suite: str
    needs: str = ""


BLOCK_S = "0.5"
KINDS = (
    Kind(
        "qbft",
        "EVM, QBFT (anvil behind a sealing front)",
        ("adapters.evm.devnet", "--chain-id", "72001", "--port", "0", "--block-time", BLOCK_S, "--json"),
        "keccak-256, secp256k1",
    ),
    Kind(
        "clique",
        "EVM, Clique (geth)",
        ("adapters.evm.clique", "--folder", "{folder}", "--chain-id", "72002"),
        "keccak-256, secp256k1",
        needs="go",
    ),
    Kind(
        "cometbft",
        "EVM on CometBFT (evmd)",
        ("adapters.cosmos.devnet", "--folder", "{folder}"),
        "SHA-256, Ed25519",
        needs="go",
    ),
    Kind(
        "chainmaker",
        "ChainMaker 2.3 (simulator)",
        ("adapters.chainmaker.simulator", "--folder", "{folder}", "--suite", "ecc", "--block-interval", BLOCK_S),
        "SHA-256, P-256",
    ),
    Kind(
        "chainmaker-sm",
        "ChainMaker 2.3, national cryptography (simulator)",
        (
            *("adapters.chainmaker.simulator", "--folder", "{folder}", "--suite", "sm", "--chain", "chain2"),
            *("--block-interval", BLOCK_S),
        ),
        "SM3, SM2",
    ),
    Kind(
        "fisco-2",
        "FISCO BCOS 2.9 (simulator)",
        ("adapters.fisco.simulator", "--folder", "{folder}", "--line", "2", "--block-interval", BLOCK_S),
        "keccak-256, secp256k1",
    ),
    Kind(
        "fisco-3",
        "FISCO BCOS 3.16 (simulator)",
        ("adapters.fisco.simulator", "--folder", "{folder}", "--line", "3", "--block-interval", BLOCK_S),
        "keccak-256, secp256k1",
    ),
    Kind(
        "fabric",
        "Hyperledger Fabric 3.1 (simulator)",
        ("adapters.fabric.simulator", "--folder", "{folder}", "--block-interval", "0.1", "--chaincode", "gateway"),
        "SHA-256, P-256",
        needs="node",
    ),
)
"""Every kind that the hub speaks to and delivers to, in the order of the picture."""


@dataclass(slots=True)
class Ledger:
    """A running ledger of a kind.

    Attributes:
        kind: what it is.
        folder: where it keeps its files.
        said: how it is spoken to: adapter, consensus, endpoints, options, client_options, and gateway where one is there.
    """

    kind: Kind
    folder: Path
    said: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None
    _stopped: bool = False

    def start(self) -> None:
        """Start the process and wait until it says how it is spoken to; another process may have taken a port of its meanwhile.

        Raises:
            NotNow: it ends or says nothing; its log is named.
        """
        for _ in range(ATTEMPTS):
            line = self._launch()
            with suppress(ValueError):  # no line, or half of one
                self.said = _with_defaults(json.loads(line))
                return
            self._end()
            if self._stopped:
                break
            shutil.rmtree(self.folder / "data", ignore_errors=True)
        raise NotNow(f"{self.kind.title} did not start.", f"Its log is {self.log}.")

    def _launch(self) -> str:
        """Start the process; returns the line that it says, empty if it says none."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [word.replace("{folder}", str(self.folder / "data")) for word in self.kind.command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - prctl is safe between fork and exec
            )
        return self._first_line(self.process)

    def stop(self) -> None:
        """End the process, and start it no more."""
        self._stopped = True
        self._end()

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._reader is not None:
            self._reader.join(15)

    @property
    def log(self) -> Path:
        """What the process writes beside its answer."""
        return self.folder / "log.txt"

    @property
    def pid(self) -> int:
        """The process's id, 0 where there is none."""
        return self.process.pid if self.process is not None and self.process.poll() is None else 0

    def _first_line(self, process: subprocess.Popen[str]) -> str:
        output = process.stdout
        if output is None:
            return ""
        answer: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=_read, args=(output, answer), daemon=True)
        self._reader.start()
        try:
            return answer.get(timeout=BUILD_S if self.kind.needs == "go" else READY_S)
        except queue.Empty:
            return ""


def _with_defaults(said: dict[str, Any]) -> dict[str, Any]:
    """What a ledger says, with what all of them have."""
    for name in said.get("chaincodes", [])[:1]:  # gateway and committee are one chaincode
        said |= {"gateway": name, "verifier": name}
    if "endpoints" not in said:  # the EVM's development network says its URL alone
        said |= {"adapter": "evm", "consensus": "auto", "endpoints": [said["url"]]}
    return said


def _read(output: IO[str], answer: queue.Queue[str]) -> None:
    """Hand the first line of JSON over, and go on reading: a full pipe would stop the process."""
    with output:
        for line in output:
            if line.startswith("{"):
                answer.put(line)
                break
        else:
            answer.put("")
        for _ in output:
            continue


def chosen(names: Sequence[str] = ()) -> tuple[list[Kind], list[Kind]]:
    """The kinds that can run here, and those that cannot because a program is missing.

    Args:
        names: those that are wanted; all if none is named.
    """
    wanted = [kind for kind in KINDS if not names or kind.name in names]
    possible = [kind for kind in wanted if not kind.needs or shutil.which(kind.needs)]
    return possible, [kind for kind in wanted if kind not in possible]
