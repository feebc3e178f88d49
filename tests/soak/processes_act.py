"""A whole hub on this machine: real processes, broker, operators over HTTP, and ledgers that are anvil behind the sealing front.

Messages travel all the time while processes are killed, ledgers die and come back, endpoints lie and fail, pools forget,
fees jump, validators are voted in and out. In the end everything is healed and settled, and counted on the ledgers.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import time
from pathlib import Path

from adapters.evm.devnet import DevelopmentNetwork
from adapters.evm.devnet.faults import FAILURES, LIES
from adapters.protocol import Rejected
from tests.soak.chances import Menu
from tests.support.crash_table import kill
from tests.support.drill import Drill
from tests.support.stack import Stack

KILLED = ("worker", "operator", "watch", "web", "broker", "supervisor", "ledger front")
ENDPOINTS = ("", "/second", "/third")
BLOCK_TIME_S = 0.5
TRUST = ("committee", "light-client", "both")


class ProcessesAct:
    """One hub's life.

    Args:
        seed: decides everything but the clock and the scheduler.
        seconds: how long things go wrong; healing and settling come after.
    """

    name = "processes"

    def __init__(self, seed: int, seconds: float) -> None:
        self.chance = random.Random(seed)
        self.seconds = seconds
        self.menu = Menu(self.chance)
        self.folder = Path(tempfile.mkdtemp(prefix="relayhub-soak-"))
        self.networks = {
            name: DevelopmentNetwork(chain_id=44_000 + number, block_time_s=BLOCK_TIME_S)
            for number, name in enumerate(("alpha", "beta"))
        }
        self.drill: Drill
        for name, weight, deed in (
            ("messages are sent", 10, self._send),
            ("a process is killed", 4, self._kill),
            ("an endpoint turns hostile", 4, self._turn_hostile),
            ("an endpoint recovers", 3, self._recover),
            ("a ledger stands still", 1, self._stand_still),
            ("a pool forgets", 2, self._forget_pool),
            ("the base fee jumps fifty times", 2, self._jump_fee),
            ("a validator is voted in or out", 2, self._vote),
            ("time passes", 4, lambda: time.sleep(self.chance.uniform(0.2, 1.5))),
        ):
            self.menu.add(name, weight, deed)

    def play(self) -> dict[str, int]:
        """Live through everything; returns counts.

        Raises:
            AssertionError: something was false, lost, doubled, or stayed stuck.
        """
        with Stack(self.networks, environment={"RELAYHUB_DRILL": str(self.folder / "crash")}) as stack:
            stack.up()
            for name, network in self.networks.items():
                urls = [word for path in ENDPOINTS for word in ("--rpc", network.url.rstrip("/") + path)]
                stack.json("chain", "add", name, *urls)
            kind = self.chance.choice(TRUST)
            stack.json("lane", "open", "alpha", "beta", "--both", "--trust", kind)
            self.drill = Drill(stack, self.folder / "crash")
            ends = time.monotonic() + self.seconds
            while time.monotonic() < ends:
                self.menu.draw()
            self._heal()
            self.drill.send("alpha", "beta", 2)
            self.drill.send("beta", "alpha", 2)
            self.drill.wait_settled()
            self.drill.check()
            self.menu.done[f"lanes of kind {kind}"] += 1
            return {"messages": sum(row.settled for row in self.drill.lane_rows().values())}

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _network(self) -> DevelopmentNetwork:
        return self.networks[self.chance.choice(list(self.networks))]

    def _send(self) -> None:
        pair = self.chance.choice([("alpha", "beta"), ("beta", "alpha")])
        with contextlib.suppress(Rejected):  # the fee jumped between the application's question and its send
            self.drill.send(*pair, self.chance.randint(1, 12), starved=self.chance.random() < 0.2)

    def _kill(self) -> None:
        back = kill(self.drill, self.chance.choice(KILLED))
        time.sleep(self.chance.uniform(0.0, 1.0))
        back()

    def _turn_hostile(self) -> None:
        """One of three endpoints of a ledger: fewer than half ever lie or fail."""
        kind = self.chance.choice([*sorted(LIES), *sorted(FAILURES)])
        self._network().rpc("devnet_lie", kind, True, path=ENDPOINTS[1])

    def _recover(self) -> None:
        self._network().rpc("devnet_heal", path=ENDPOINTS[1])

    def _stand_still(self) -> None:
        network = self._network()
        network.rpc("devnet_stall", True)
        time.sleep(self.chance.uniform(0.5, 3.0))
        network.rpc("devnet_stall", False)

    def _forget_pool(self) -> None:
        self._network().rpc("anvil_dropAllTransactions")

    def _jump_fee(self) -> None:
        network = self._network()
        block = network.rpc("eth_getBlockByNumber", "latest", False)
        network.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * max(int(block["baseFeePerGas"], 16), 10**9)))

    def _vote(self) -> None:
        network = self._network()
        status = network.rpc("devnet_status")
        validators = status["validators"]
        if len(validators) > 4:
            network.rpc("qbft_proposeValidatorVote", self.chance.choice(validators), False)
        else:
            network.rpc("qbft_proposeValidatorVote", network.rpc("devnet_newValidator"), True)

    def _heal(self) -> None:
        self.drill.disarm()
        for network in self.networks.values():
            for path in ENDPOINTS:
                network.rpc("devnet_heal", path=path or "/")
            network.rpc("devnet_stall", False)
