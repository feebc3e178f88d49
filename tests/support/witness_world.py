"""Witnesses for tests: made in a folder, asked over a transport that reaches no network, or as a process of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from relay.errors import HubError
from relay.evidence.witness_calls import WitnessCaller
from relay.witness.configuration import WitnessConfig, create
from relay.witness.requests import PATH
from relay.witness.server import Application, _Answer
from relay.witness.witness import Witness
from tests.support.evidence_log import KEYS, private

PATIENCE_S = 120


def make_witness(folder: Path, name: str) -> Witness:
    """A witness of the test log, with a key from its name."""
    folder.mkdir(exist_ok=True)
    place = folder / name.replace("/", "-")
    return Witness(name, private(name), KEYS, place.with_suffix(".json"), place.with_suffix(".forks"))


class Wire:
    """The way to a witness: what it answers may be replaced, and what it was asked is kept.

    Attributes:
        asked: bodies, in order.
        spoilt: in place of the witness: an answer, or an exception of httpx.
        now: the witness's clock, Unix seconds.
    """

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.asked: list[bytes] = []
        self.spoilt: httpx.Response | Exception | None = None
        self.now = 1_700_000_000.0
        self._application = Application(witness, lambda: self.now)
        self.caller = WitnessCaller(
            witness.key, "http://127.0.0.1:1", httpx.Client(transport=httpx.MockTransport(self.answer))
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What a hub gets."""
        assert (request.method, request.url.path) == ("POST", f"/{PATH}")
        self.asked.append(request.content)
        if isinstance(self.spoilt, Exception):
            raise self.spoilt
        if self.spoilt is not None:
            return self.spoilt
        try:
            return httpx.Response(200, text=self._application.answer(request.content))
        except _Answer as refusal:
            return httpx.Response(refusal.status, text=refusal.text, headers={"content-type": refusal.kind})


class WitnessProcess:
    """`relayhub witness run`, as an organisation runs it.

    Attributes:
        config: its configuration.
    """

    def __init__(self, folder: Path, name: str, logs: list[str], port: int) -> None:
        self.folder = folder
        self.config: WitnessConfig = create(folder, name, logs, port)
        self.drill = folder / "drill"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = ["-m", "relay.cli", "witness", "run", "--config", str(self.folder / "witness.toml")]
        environment = os.environ | {"RELAYHUB_DRILL": str(self.drill)}
        with (self.folder / "witness.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *words], env=environment, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "witness.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex((self.config.host, self.config.port)) == 0:
                    return
            time.sleep(0.05)
        raise HubError("The witness does not listen.")

    def kill_at(self, point: str) -> None:
        """Have it killed when it passes a point."""
        self.drill.write_text(point)

    def ended(self) -> int:
        """Wait until it has ended; returns the signal's number, negative."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE_S)

    def post(self, body: bytes) -> httpx.Response:
        """Send a request."""
        return httpx.post(f"{self.config.url}/{PATH}", content=body, timeout=PATIENCE_S, trust_env=False)
