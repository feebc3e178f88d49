"""The gateway on a node of newer rules: what the in-process machine cannot show."""

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from adapters.evm.devnet.anvil import find_anvil
from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.calldata import encode_deliver, encode_settle
from adapters.solidity.contracts import contract
from adapters.solidity.refusals import decode_refusal
from schemas.lane import Lane
from schemas.outcome import Settled, Status
from schemas.suites import EVM, SM
from tests.support.evm_world import (
    DEPLOYER,
    OFFICERS,
    RELAYER,
    SENDER,
    Done,
    EvmChain,
    EvmWorld,
    attest,
)
from tests.support.machine_world import Platform, make_end

pytestmark = pytest.mark.live
STARTS_WITHIN_S = 60
RECOVERING = Platform(None, EVM, "ecrecover")


class NodeChain:
    """The face of EvmChain that a world needs, on anvil with impersonated accounts."""

    def __init__(self, url, name):
        self.word = EvmChain(name).word
        self.http = httpx.Client(base_url=url, timeout=60)
        for who in (DEPLOYER, RELAYER, SENDER, *OFFICERS):
            self.rpc("anvil_impersonateAccount", "0x" + who.hex())
            self.rpc("anvil_setBalance", "0x" + who.hex(), hex(10**24))

    def rpc(self, method, *params):
        answer = self.http.post("", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def receipt(self, transaction):
        sent = self.rpc("eth_sendTransaction", {**transaction, "gasPrice": hex(10**10)})
        ends = time.monotonic() + STARTS_WITHIN_S
        while (receipt := self.rpc("eth_getTransactionReceipt", sent)) is None:
            assert time.monotonic() < ends, "anvil did not mine"
        assert receipt["status"] == "0x1"
        return receipt

    def deploy(self, creation):
        transaction = {"from": "0x" + DEPLOYER.hex(), "data": "0x" + creation.hex(), "gas": hex(25_000_000)}
        return bytes.fromhex(self.receipt(transaction)["contractAddress"][2:])

    def create(self, name, *arguments):
        return self.deploy(contract(name).creation_code(*arguments))

    def transact(self, sender, to, data, gas=25_000_000):
        transaction = {"from": "0x" + sender.hex(), "to": "0x" + to.hex(), "data": "0x" + data.hex(), "gas": hex(gas)}
        receipt = self.receipt(transaction)
        logs = [
            (
                bytes.fromhex(log["address"][2:]),
                [bytes.fromhex(topic[2:]) for topic in log["topics"]],
                bytes.fromhex(log["data"][2:]),
            )
            for log in receipt["logs"]
        ]
        return Done(int(receipt["gasUsed"], 16), b"", logs)

    def view(self, to, name, function, *arguments):
        data = contract(name).encode(function, *arguments)
        output = self.rpc("eth_call", {"to": "0x" + to.hex(), "data": "0x" + data.hex()}, "latest")
        values = contract(name).decode(function, bytes.fromhex(output[2:]))
        return values[0] if len(values) == 1 else values

    def administer(self, to, action):
        self.transact(OFFICERS[0], to, administration.propose(action))
        number = self.view(to, "Gateway", "proposals")
        self.transact(OFFICERS[1], to, administration.approve(number))
        return self.transact(OFFICERS[2], to, administration.execute(number, action))


@contextlib.contextmanager
def ledger(hardfork):
    """A node of these rules, started and stopped here."""
    with node(hardfork) as url:
        chain = NodeChain(url, "node")
        with contextlib.closing(chain.http):
            yield chain


@contextlib.contextmanager
def node(hardfork):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [find_anvil(), "--port", str(port), "--hardfork", hardfork, "--gas-limit", "1000000000", "--silent"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        ends = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
                break
            except httpx.TransportError:
                assert time.monotonic() < ends, "anvil did not start"
                time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()


def lane_on(chain, channel="loop", platform=RECOVERING):
    """A lane between two gateways of one node, opened at both ends, with an idle receiver."""
    ends = [make_end(chain, platform) for _ in range(2)]
    lane = Lane("hub", platform.suite, chain.word, ends[0].gateway, chain.word, ends[1].gateway, channel)
    idle = chain.create("Idle")
    for number, end in enumerate(ends):
        chain.administer(end.gateway, administration.open_lane(lane, number, end.committee, b"\x01" * 32, Caps()))
    world = EvmWorld(*ends, lane, idle)
    world.allow_sender(SENDER)
    world.allow_receiver(idle)
    return world


@pytest.mark.parametrize("name", ["deliver", "settle"])
def test_a_caller_with_delegated_code(name):
    """An account whose code is a delegation (EIP-7702) is the origin and has code: it is refused."""
    with ledger("prague") as chain:
        world = lane_on(chain)
        world.send()
        entry = Settled(world.sent[0].without_payload(), Status.EXECUTED, b"")
        claim = world.claim(0, 1)
        proof = attest(world.destination, claim)
        data = {
            "deliver": encode_deliver(world.lane_id, world.sent, [], claim, proof),
            "settle": encode_settle(world.lane_id, [entry], [], claim, proof),
        }[name]
        designator = "0xef0100" + chain.create("test/Forwarder").hex()
        chain.rpc("anvil_setCode", "0x" + RELAYER.hex(), designator)
        transaction = {
            "from": "0x" + RELAYER.hex(),
            "to": "0x" + world.destination.gateway.hex(),
            "data": "0x" + data.hex(),
            "gas": hex(5_000_000),
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [transaction, "latest"]}
        error = chain.http.post("", json=body).json()["error"]
        assert decode_refusal(bytes.fromhex(error["data"][2:])).name == "NotOrigin"
        chain.rpc("anvil_setCode", "0x" + RELAYER.hex(), "0x")
        world.deliver(gas=25_000_000)
        assert world.statuses() == [1]


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param(Platform(None, EVM, "secp256k1"), id="secp256k1 in Solidity"),
        pytest.param(Platform(None, SM, "ecrecover", "solidity"), id="SM3 in Solidity"),
        pytest.param(Platform(None, SM, "secp256k1", "solidity"), id="both"),
    ],
)
def test_messages_travel_by_back_ends(platform):
    with ledger("istanbul") as chain:
        world = lane_on(chain, platform=platform)
        world.send(b"one")
        world.send(bytes(300), expires_at=2**40)
        world.deliver(gas=25_000_000)
        world.settle(gas=25_000_000)
        assert world.statuses() == [1, 1]
        assert world.source_view().settled == 2


def test_golden_vectors_of_the_suite_sm():
    golden = json.loads((Path(__file__).parents[2] / "vectors" / "golden" / "sm.json").read_text())
    name = "test/WordsHarnessSm"
    with ledger("istanbul") as chain:
        address = chain.create(name, chain.create("Sm3"))
        for vector in golden["folds"]:
            ids = [bytes.fromhex(one[2:]) for one in vector["ids"]]
            head = chain.view(address, name, "foldAll", bytes.fromhex(vector["start"][2:]), ids)
            assert "0x" + head.hex() == [vector["start"], *vector["heads"]][-1]
        for vector in golden["outcomes"]:
            fields = vector["outcome"]
            values = bytes.fromhex(fields["message_id"][2:]), fields["status"], bytes.fromhex(fields["result"][2:])
            assert "0x" + chain.view(address, name, "outcome", *values).hex() == vector["outcome_id"]
