"""What may go wrong at a ledger of the mesh, by switches that its process has for other processes.

Never more than f of the endpoints given are faulty: one of three. A ledger's own rules may go on changing all the while:
sealers, validators, organisations and consenters come, and those that came may leave.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from adapters.chainmaker.channel import DEVELOPMENT_SERVICE, NodeChannel
from adapters.chainmaker.options import ChainMakerOptions
from adapters.chainmaker.stubs import chainmaker_pb2
from adapters.fabric.connections import Connection
from adapters.fabric.development import act
from adapters.fabric.options import read_network
from relay.demo.mesh.ledgers import Ledger

SWITCH_TIMEOUT_S = 60.0
ANSWER_BYTES = 1 << 20
MOST_ADDED = 3
"""Sealers, organisations or consenters that came and have not left again."""

EVM_FAULTS = (
    "errors",
    "garbage",
    "busy",
    "cut",
    "logs",
    "missing_logs",
    "repeated_logs",
    "receipts",
    "proofs",
    "heads",
)
EVM_FAULTS += ("height", "headers", "seals", "fork")
FISCO_FAULTS = (
    "down",
    "busy",
    "throttled",
    "slow",
    "cut",
    "garbage",
    "errors",
    "lag",
    "fork",
    "events",
    "missing_events",
)
FISCO_FAULTS += ("repeated_events", "reordered_events", "receipts", "proofs", "heads", "height", "headers", "seals")
CHAINMAKER_FAILURES = ("unavailable", "exhausted", "internal", "slow", "cut", "garbage")
CHAINMAKER_LIES = ("events", "missing_events", "repeated_events", "reordered_events", "missing_transactions", "headers")
CHAINMAKER_LIES += ("votes", "height", "receipts", "heads")
FABRIC_FAULTS: dict[str, dict[str, bool | float]] = {
    "unavailable": {"unavailable": True},
    "exhausted": {"exhausted": True},
    "slow": {"slow_s": 0.5},
    "lag": {"lag": 3},
    "cut": {"cut": True},
    "garbage": {"garbage": True},
    "calls everything valid": {"all_valid": True},
    "calls everything invalid": {"none_valid": True},
    "wrong answers": {"wrong_answer": True},
    "forged blocks": {"forged_block": True},
    "blocks twice": {"twice": True},
}
STANDS_STILL = "a node stands still"


class Switches:
    """The faults of one running ledger.

    Attributes:
        faults: names of what can be switched on at one endpoint.
        on: what is on now, for people; empty where all is well.
    """

    faults: Sequence[str] = ()

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        self.ledger, self.chance, self.on = ledger, chance, ""
        self.endpoints: list[str] = list(ledger.said["endpoints"][:3])

    def disturb(self) -> str:
        """Switch one fault on at one endpoint, in place of the one before; returns its name."""
        self.heal()
        name = self.chance.choice(self.faults)
        index = self.chance.randrange(len(self.endpoints))
        self.switch(index, name)
        self.on = f"{name} at endpoint {index + 1}"
        return name

    def heal(self) -> None:
        """Everything is well again."""
        if self.on:
            self.mend()
            self.on = ""

    def switch(self, index: int, name: str) -> None:
        """Switch a fault on at an endpoint."""
        raise AssertionError(f"{self.ledger.kind.name} has no switch {name} at {index}")

    def mend(self) -> None:
        """Switch everything off."""

    def change(self) -> str:
        """Change who decides on the ledger; returns what changed, empty where nothing can."""
        return ""

    def close(self) -> None:
        """Release connections."""


class JsonRpcSwitches(Switches):
    """A ledger whose nodes are asked by JSON-RPC."""

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(ledger, chance)
        self._client = httpx.Client(timeout=SWITCH_TIMEOUT_S)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _ask(self, index: int, method: str, *params: Any) -> Any:
        """Ask an endpoint.

        Raises:
            RuntimeError: it answers an error.
            httpx.HTTPError: it does not answer.
        """
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._client.post(self.endpoints[index], json=question).raise_for_status().json()
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


class EvmSwitches(JsonRpcSwitches):
    """anvil behind the sealing front: each path is an endpoint with faults of its own."""

    faults = EVM_FAULTS

    def switch(self, index: int, name: str) -> None:
        """Switch a fault on at an endpoint."""
        if name == "fork":
            self._ask(index, "devnet_equivocate", None, {}, 1)  # one of them errs; a quorum that does is misbehaviour
        else:
            self._ask(index, "devnet_lie", name, True)

    def mend(self) -> None:
        """Switch everything off."""
        for index in range(len(self.endpoints)):
            self._ask(index, "devnet_heal")

    def change(self) -> str:
        """Vote a validator in, or out where there are more than at first."""
        validators = self._ask(0, "devnet_status")["validators"]
        if len(validators) > 4:
            self._ask(0, "qbft_proposeValidatorVote", self.chance.choice(validators), False)
            return "a validator is voted out"
        self._ask(0, "qbft_proposeValidatorVote", self._ask(0, "devnet_newValidator"), True)
        return "a validator is voted in"


class FiscoSwitches(JsonRpcSwitches):
    """The simulator of FISCO BCOS: `simulator_…` of JSON-RPC, which works whatever faults a node has."""

    faults = FISCO_FAULTS

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(ledger, chance)
        self._down: list[int] = []
        self._added: list[str] = []

    def switch(self, index: int, name: str) -> None:
        """Switch a fault on at an endpoint."""
        if name == "down":
            self._ask(self._beside(index), "simulator_stop_node", index)
            self._down.append(index)
            return
        height = self._ask(index, "simulator_status")["height"]
        self._ask(index, "simulator_faults", [name], max(height - 2, 1))

    def mend(self) -> None:
        """Switch everything off."""
        while self._down:
            self._ask(self._beside(self._down[-1]), "simulator_start_node", self._down[-1])
            self._down.pop()
        for index in range(len(self.endpoints)):
            self._ask(index, "simulator_faults", [])

    def change(self) -> str:
        """A sealer comes, or one that came leaves."""
        index = next(number for number in range(len(self.endpoints)) if number not in self._down)
        if self._added and (len(self._added) >= MOST_ADDED or self.chance.random() < 0.5):
            self._ask(index, "simulator_remove_sealer", self._added[0])
            self._added.pop(0)
            return "a sealer leaves"
        self._added.append(self._ask(index, "simulator_add_sealer"))
        return "a sealer comes"

    def _beside(self, index: int) -> int:
        return (index + 1) % len(self.endpoints)


class ChainMakerSwitches(Switches):
    """The simulator of ChainMaker: its development-only method, over the same TLS as everything else."""

    faults = ("down", "lag", "fork", *CHAINMAKER_FAILURES, *CHAINMAKER_LIES)

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(ledger, chance)
        options = ChainMakerOptions.read({name: str(value) for name, value in ledger.said["options"].items()})
        self._channels = [
            NodeChannel(url, options, timeout_s=SWITCH_TIMEOUT_S, max_answer_bytes=ANSWER_BYTES)
            for url in self.endpoints
        ]
        self._down: list[int] = []
        self._organisations, self._added = 4, list[int]()

    def switch(self, index: int, name: str) -> None:
        """Switch a fault on at an endpoint."""
        if name == "down":
            self._down.append(index)
            self._ask({"node": index, "down": True})
            return
        told: dict[str, Any] = {"lies": [name]} if name in CHAINMAKER_LIES else {"failure": name}
        if name == "lag":
            told = {"lag": 5}
        if name == "fork":
            told = {"fork": max(self._ask({})["height"] - 2, 1)}
        self._ask({"node": index, "faults": told})

    def mend(self) -> None:
        """Switch everything off."""
        while self._down:
            self._ask({"node": self._down[-1], "up": True})
            self._down.pop()
        for index in range(len(self.endpoints)):
            self._ask({"node": index, "faults": {}})

    def change(self) -> str:
        """An organisation comes with its node, or one that came decides no more."""
        if self._added and (len(self._added) >= MOST_ADDED or self.chance.random() < 0.5):
            self._ask({"remove_organisation": self._added[0]})
            self._added.pop(0)
            return "an organisation leaves"
        self._ask({"add_organisation": True})
        self._added.append(self._organisations)
        self._organisations += 1
        return "an organisation comes"

    def close(self) -> None:
        """Release connections."""
        for channel in self._channels:
            channel.close()

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        channel = next(each for index, each in enumerate(self._channels) if index not in self._down)
        request = chainmaker_pb2.SwitchRequest(switches=json.dumps(asked)).SerializeToString()
        answer = channel.ask(DEVELOPMENT_SERVICE + "Switch", request)
        return dict(json.loads(chainmaker_pb2.SwitchResponse.FromString(answer).switches))


class FabricSwitches(Switches):
    """The simulator of Fabric: its development-only method at any peer."""

    faults = tuple(FABRIC_FAULTS)

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(ledger, chance)
        path = Path(ledger.said["options"]["network"])
        peers = {entry.url: entry for entry in read_network(path).peers}
        self._names = [peers[url].tls_name for url in self.endpoints]
        self._connection = Connection(peers[self.endpoints[0]], path.parent, None, SWITCH_TIMEOUT_S, ANSWER_BYTES)
        self._added = 0

    def switch(self, index: int, name: str) -> None:
        """Switch a fault on at an endpoint."""
        self._ask({"do": "faults", "node": self._names[index], "set": FABRIC_FAULTS[name]})

    def mend(self) -> None:
        """Switch everything off."""
        for name in self._names:
            self._ask({"do": "faults", "node": name})

    def change(self) -> str:
        """An organisation with a peer comes, or a consenter; nobody leaves."""
        if self._added >= MOST_ADDED:
            return ""
        self._added += 1
        kind = self.chance.choice(("organisation", "orderer"))
        self._ask({"do": f"add-{kind}"})
        return f"an {kind} comes"

    def close(self) -> None:
        """Release connections."""
        self._connection.close()

    def _ask(self, asked: dict[str, Any]) -> None:
        act(self._connection, asked)


class NodeSwitches(Switches):
    """Real nodes: one that seals nothing alone is made to stand still (SIGSTOP), and goes on."""

    faults = (STANDS_STILL,)

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        super().__init__(ledger, chance)
        self._held: list[int] = []

    def switch(self, index: int, name: str) -> None:
        """Make one node stand still."""
        nodes = [child for child in psutil.Process(self.ledger.pid).children(recursive=True) if _is_spare(child)]
        if nodes:
            pid = nodes[index % len(nodes)].pid
            os.kill(pid, signal.SIGSTOP)
            self._held.append(pid)

    def mend(self) -> None:
        """Let it go on."""
        while self._held:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._held.pop(), signal.SIGCONT)


KINDS: dict[str, Callable[[Ledger, random.Random], Switches]] = {
    "qbft": EvmSwitches,
    "clique": NodeSwitches,
    "cometbft": NodeSwitches,
    "chainmaker": ChainMakerSwitches,
    "chainmaker-sm": ChainMakerSwitches,
    "fisco-2": FiscoSwitches,
    "fisco-3": FiscoSwitches,
    "fabric": FabricSwitches,
}
"""The switches of each kind of ledger that the mesh has."""


def _is_spare(process: psutil.Process) -> bool:
    """Whether a process is a node without which the others go on: any of geth's three, evmd's followers."""
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "geth" in words or ("evmd" in words and "/node0/" not in words)
