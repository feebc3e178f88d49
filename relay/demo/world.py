"""The demo's world: three development networks, a hub with its processes, and lanes between neighbours.

Everything is done through the parts that the commands use. The hub's supervisor is a child of the demo and dies with it,
however the demo ends, unless the hub is to be kept; so do the networks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import psutil

from adapters.evm.devnet import DevelopmentNetwork
from adapters.solidity.administration import Caps, allow_receiver
from adapters.solidity.contracts import contract
from relay.config import HubConfig
from relay.demo.checks import Check, CheckFailed
from relay.demo.show import Silent, waits_of
from relay.errors import NotNow
from relay.home import Home
from relay.keys import Key, KeyStore
from relay.processes import Process, die_with_parent, end, hold, recorded, release, start_time
from relay.registry.chains import chain_named, open_chain
from relay.registry.gateways import deploy
from relay.registry.hub import ensure_hub, prepare
from relay.registry.lane_verifiers import Trust
from relay.registry.lanes import all_lanes
from relay.registry.names import SENDER
from relay.registry.officers import carry_out
from relay.registry.opening import open_lanes
from relay.registry.registration import ChainRequest, Registration
from relay.store import Store
from relay.store.verifiers import Kind
from relay.views.status import hub_status
from schemas.primitives import LaneId

CHAIN_IDS = {"alpha": 71_001, "beta": 71_002, "gamma": 71_003}
TRUST = {
    ("alpha", "beta"): Kind.COMMITTEE,
    ("beta", "alpha"): Kind.LIGHT_CLIENT,
    ("beta", "gamma"): Kind.BOTH,
    ("gamma", "beta"): Kind.COMMITTEE,
}
"""The lanes, and what judges at both ends of each."""
PAIRS = list(TRUST)
SIGNED = [pair for pair, kind in TRUST.items() if kind is not Kind.LIGHT_CLIENT]
"""Lanes that carry nothing without the operators' signatures."""
CHANNEL = "default"
PATIENCE_S = 180.0
"""A ceiling for every wait; nothing is concluded from how long one took."""
LOOK_S = 0.15
STOP_S = 30.0

_T = TypeVar("_T")


class World:
    """Networks, hub and lanes of one demo.

    Args:
        home: the hub's folder; there must be no hub yet.
        audience: who sees how things go while the demo waits.
        keep: whether hub and networks may outlive the demo.
    """

    def __init__(self, home: Home, audience: Silent, *, keep: bool) -> None:
        self.home = home
        self.audience = audience
        self.keep = keep
        self.config: HubConfig
        self.store: Store
        self.keys = KeyStore(home.keys)
        self.networks: dict[str, DevelopmentNetwork] = {}
        self.reverting: dict[str, bytes] = {}
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pool = ThreadPoolExecutor(max_workers=len(CHAIN_IDS))
        self._jobs: list[Future[Any]] = []

    # ——— begin

    def start(self) -> None:
        """Make the hub, start its processes and the networks; the hub's processes come up meanwhile."""
        self.config, _ = ensure_hub(self.home, name="demo")
        self.store = prepare(self.home, self.config)
        self._supervisor = self._start_supervisor()
        for name, number in CHAIN_IDS.items():
            folder = self.home.folder / "networks" / name if self.keep else None
            self.networks[name] = DevelopmentNetwork(chain_id=number, directory=folder, detached=self.keep)
        self.wait_for(self.together(lambda network: network.start(), self.networks.values()))

    def register(self, tell: Callable[[str], None]) -> None:
        """Register each ledger: the light client starts from a pinned block, gateway and verifier are deployed."""
        for name, network in self.networks.items():
            told: list[str] = []
            registration = Registration(self.home, self.config, self.store, told.append)
            row = self.wait_for(self.together(registration.add, [ChainRequest(name=name, endpoints=(network.url,))]))[0]
            tell(
                f"{name}: {row.chain_id}, {row.consensus} headers verified from block {row.pinned_height}; " + told[-1]
            )

    def open_lanes(self) -> None:
        """Open the lanes at both ends, deploy a receiver that always fails, and let the officers allow it."""
        deployments = self.together(self._deploy_reverting, self.networks)
        self.wait_for([*deployments, *self.together(self._open_lanes, [PAIRS])])
        self.wait_for(self.together(self._allow_reverting, self.networks))

    def _open_lanes(self, pairs: list[tuple[str, str]]) -> None:
        open_lanes(
            self.config,
            self.store,
            self.keys,
            pairs,
            channel=CHANNEL,
            caps=Caps(window_limit=1_000_000),
            batch_limit=self.config.batch_limit,
            officer=None,
            tell=lambda _line: None,
            trust={pair: Trust(TRUST[pair]) for pair in pairs},
        )

    def _deploy_reverting(self, name: str) -> None:
        ledger = open_chain(chain_named(self.store, name))
        try:
            made = deploy(ledger, self.sender, [("Reverting", contract("Reverting").creation_code())])
        finally:
            ledger.close()
        self.reverting[name] = made[0].address

    def _allow_reverting(self, name: str) -> None:
        lanes = [LaneId(row.lane_id) for row in all_lanes(self.store) if row.destination == name]
        actions = [allow_receiver(lane_id, self.reverting[name]) for lane_id in lanes]
        row = chain_named(self.store, name)
        carry_out(
            self.config, self.store, self.keys, row, "gateway", actions, officer=None, text="allow the failing receiver"
        )

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        with (self.home.run / "supervisor.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "relay.supervisor", "--home", str(self.home.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=None if self.keep else die_with_parent,  # noqa: PLW1509 - only this thread runs yet
            )

    # ——— what is there

    @property
    def sender(self) -> Key:
        """The local key that sends messages on every ledger."""
        return self.keys.load(SENDER)

    def status(self) -> dict[str, Any]:
        """What `relayhub status` shows."""
        return hub_status(self.home)

    def lanes(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The lanes as `relayhub status` shows them, by source and destination."""
        return {(lane["source"], lane["destination"]): lane for lane in self.status()["lanes"]}

    def total(self, stage: str) -> int:
        """Messages of all lanes that reached a stage."""
        return sum(lane[stage] for lane in self.lanes().values())

    def process(self, role: str) -> Process:
        """A process of the hub as the supervisor has written it down; one without a pid where there is none."""
        found = [process for process in recorded(self.home)[1] if process.role == role]
        return found[0] if found else Process(role)

    @property
    def ready(self) -> bool:
        """Whether everything that the supervisor started runs."""
        if self._supervisor is not None and self._supervisor.poll() is not None:
            raise NotNow("The supervisor ended.", f"Its reason is in {self.home.run / 'supervisor.log'}.")
        return recorded(self.home)[0]

    # ——— faults

    def kill(self, role: str) -> int:
        """Kill a process with SIGKILL; returns its id."""
        process = self.process(role)
        os.kill(process.pid, signal.SIGKILL)
        return process.pid

    def stop_operator(self, name: str) -> None:
        """Stop an operator's process until it is brought back."""
        hold(self.home, f"operator-{name}")

    def bring_back(self, name: str) -> None:
        """Let an operator's process run again."""
        release(self.home, f"operator-{name}")

    # ——— waiting

    def together(self, work: Callable[[Any], _T], items: Iterable[Any]) -> list[Future[_T]]:
        """Do work for several ledgers at once."""
        jobs = [self._pool.submit(work, item) for item in items]
        self._jobs += jobs
        return jobs

    def wait_for(self, jobs: list[Future[_T]]) -> list[_T]:
        """Wait for work to end while the audience watches; returns the results in order.

        Raises:
            Exception: what the work raised.
        """
        self.wait_until("work on the ledgers ends", lambda: all(job.done() for job in jobs))
        return [job.result() for job in jobs]

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait, with a generous ceiling, until something is so, while the audience watches.

        Raises:
            CheckFailed: it does not become so; the check says how the lanes stand.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if self.store.version():
                self.audience.progress(self.status())
            if time.monotonic() > deadline:
                raise CheckFailed(Check(what, f"within {PATIENCE_S:.0f} s", self._how_it_stands(), ok=False))
            time.sleep(LOOK_S)

    def _how_it_stands(self) -> str:
        status = self.status()
        lanes = [
            f"{lane['source']} → {lane['destination']} settled {lane['settled']} of {lane['sent']}"
            for lane in status["lanes"]
        ]
        return "; ".join([*lanes, *waits_of(status)]) or "nothing yet"

    # ——— end

    def close(self) -> list[str]:
        """End the hub and the networks; returns what had to be killed."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(self._jobs, STOP_S)  # what still works on a ledger then fails when the ledger is gone
        started = self._started()
        if self._supervisor is not None:
            self._stop_hub(self._supervisor)
        self._stop_ledgers()
        left = [process for process in started if process.alive]
        end(left, 1.0)
        return [f"{process.role} ({process.pid})" for process in left]

    def leave(self) -> None:
        """Leave the hub and the networks running."""
        self._pool.shutdown()
        self.store.close()

    def _stop_hub(self, supervisor: subprocess.Popen[bytes]) -> None:
        supervisor.terminate()
        try:
            supervisor.wait(STOP_S)
        except subprocess.TimeoutExpired:
            supervisor.kill()  # the kernel kills its children with it
            supervisor.wait()

    def _started(self) -> list[Process]:
        """Every process that runs because of the demo."""
        return [*recorded(self.home)[1], *self._ledger_processes()]

    def _stop_ledgers(self) -> None:
        for network in self.networks.values():
            network.stop()

    def _ledger_processes(self) -> list[Process]:
        return [
            Process(f"network {name}", pid, start_time(pid))
            for name, network in self.networks.items()
            for pid in network_pids(network)
        ]


def network_pids(network: DevelopmentNetwork) -> list[int]:
    """Process ids of a running network: its front and the anvil behind it."""
    try:
        return [network.pid, *(child.pid for child in psutil.Process(network.pid).children())]
    except (RuntimeError, psutil.Error):
        return []
