"""Changes of the consortium under traffic, a node that restarts, and the simulator as a process of its own."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from adapters.chainmaker import ADAPTER
from adapters.chainmaker.channel import DEVELOPMENT_SERVICE
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import AdapterOptions, Endpoint, MessageDelivered, MessageSent, Misconfigured, Unreachable
from tests.support.chainmaker_lane import LONG_S, ChainMakerLane, followed, options_of

CEILING_S = 60


@pytest.fixture
def lane():
    made = ChainMakerLane(("ecc", "sm"), nodes=(0, 1, 2), block_interval_s=0.05)
    yield made
    made.close()


def test_the_consortium_changes_under_traffic_and_the_lane_goes_on(lane):
    network, stop, sent, failures = lane.networks[0], threading.Event(), [], []

    def traffic():
        while not stop.is_set():
            try:
                sent.append(lane.send(f"message {len(sent)}".encode()))
            except Exception as error:  # noqa: BLE001 - shown by the assertion
                failures.append(error)
                return

    sender = threading.Thread(target=traffic)
    sender.start()
    try:
        added = network.add_organisation()
        network.remove_organisation(2)
        network.stop_node(0)
        time.sleep(0.3)
        network.start_node(0)
        added_again = network.add_organisation()
        network.stop_node(1)
        time.sleep(0.3)
    finally:
        stop.set()
        sender.join(CEILING_S)
    assert failures == []
    assert len(sent) > 5
    assert all(receipt.success for receipt in sent)
    events = lane.events(0, MessageSent)
    assert [event.message.nonce for event in events] == list(range(1, len(sent) + 1))
    ledger = lane.ledgers[0]
    state = followed(ledger, ledger.identity().first_block)
    names = {node.organisation for node in state.membership.nodes}
    assert {added.name, added_again.name} <= names
    assert network.nodes[2].organisation.name not in names
    assert state.membership.sequence == 5
    (outcome,) = delivered_of(lane, events[:1])
    assert outcome.nonce == 1


def delivered_of(lane, sent):
    """Deliver messages and return what the destination says of them."""
    assert lane.deliver(lane.delivery(sent)).success
    return lane.events(1, MessageDelivered)


def test_a_block_of_the_old_consortium_is_not_believed_after_the_change(own_network):
    ledger = ADAPTER.open(options_of(own_network))
    first_block = ledger.identity().first_block
    own_network.remove_organisation(3)
    own_network.produce(empty=True)
    state = followed(ledger, first_block)
    assert len(state.membership.nodes) == 3
    assert state.membership.quorum == 3
    ledger.close()


@pytest.fixture
def process(tmp_path):
    """The simulator in a process of its own."""
    command = [sys.executable, "-m", "adapters.chainmaker.simulator", "--folder", str(tmp_path / "simulated")]
    command += ["--suite", "sm", "--block-interval", "0.1", "--until-input-ends"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.stdin.close()
        assert running.wait(CEILING_S) == 0
        running.stdout.close()


def test_a_simulator_of_its_own_is_joined_by_what_it_says(process):
    options = AdapterOptions(
        (Endpoint(process["endpoints"][0]),), expected_chain=process["chain_id"], extra=process["options"]
    )
    ledger = ADAPTER.open(options)
    identity = ledger.identity()
    assert (identity.chain_id, identity.development) == ("cmaker:chain1", True)
    assert "simulator" in identity.software
    assert process["client_options"] == {"trusting_period_s": LONG_S}
    assert ledger.endow([b"\5" * 32])
    assert len(ledger.account(b"\5" * 32)) == 20
    for path in Path(process["folder"]).rglob("*.key"):
        assert path.stat().st_mode & 0o077 == 0
    switched = json.loads(switch(ledger, {"node": 1, "faults": {"failure": "unavailable", "lies": ["events"]}}))
    assert switched["faults"][1] == {"failure": "unavailable", "lag": 0, "fork": -1, "lies": ["events"]}
    assert len(json.loads(switch(ledger, {"add_organisation": True}))["nodes"]) == 5
    assert followed(ledger, identity.first_block).membership.sequence == 2
    ledger.close()


def switch(ledger, asked):
    request = pb.SwitchRequest(switches=json.dumps(asked)).SerializeToString()
    return pb.SwitchResponse.FromString(ledger.channel.ask(DEVELOPMENT_SERVICE + "Switch", request)).switches


def test_a_node_that_makes_no_certificates_endows_nobody(own_network, monkeypatch):
    ledger = ADAPTER.open(options_of(own_network))
    monkeypatch.setattr(ledger.questions, "software", lambda: "v2.3.2")
    assert ledger.endow([b"\6" * 32]) is False
    with pytest.raises(Misconfigured):
        ledger.account(b"\6" * 32)
    ledger.close()


@pytest.mark.parametrize(
    ("method", "parameters", "why"),
    [
        ("NODE_ORG_ADD", {"org_id": b"wx-org1.chainmaker.org", "node_ids": b"Qm1"}, "exists"),
        ("NODE_ORG_ADD", {"org_id": b"nobody", "node_ids": b"Qm1"}, "no trust root"),
        ("NODE_ORG_DELETE", {"org_id": b"nobody"}, "cannot be removed"),
        ("TRUST_ROOT_ADD", {"org_id": b"wx-org1.chainmaker.org", "root": b"x"}, "exists"),
        ("TRUST_ROOT_DELETE", {"org_id": b"wx-org1.chainmaker.org"}, "still there"),
        ("BLOCK_UPDATE", {"nonsense": b"1"}, "unknown parameter"),
        ("NONSENSE", {}, "method not found"),
    ],
)
def test_a_change_that_fails_stands_in_a_configuration_block_and_changes_nothing(own_network, method, parameters, why):
    ledger = ADAPTER.open(options_of(own_network))
    first_block = ledger.identity().first_block
    with pytest.raises(RuntimeError, match=why):
        own_network.administer("CHAIN_CONFIG", method, parameters)
    own_network.administer("CHAIN_CONFIG", "BLOCK_UPDATE", {"block_interval": b"20"})
    own_network.produce(empty=True)
    heads = [own_network.chain.header(height) for height in range(4)]
    assert [(header.block_type, header.pre_conf_height) for header in heads] == [(1, 0), (1, 0), (1, 0), (0, 2)]
    state = followed(ledger, first_block)
    assert (state.height, state.membership.sequence, len(state.membership.nodes)) == (3, 1, 4)
    ledger.close()


def test_a_certificate_list_that_cannot_be_read_changes_nothing(own_network):
    with pytest.raises(RuntimeError, match="cannot be read"):
        own_network.administer("CERT_MANAGE", "CERTS_REVOKE", {"cert_crl": b"nonsense"})
    with pytest.raises(RuntimeError, match="method not found"):
        own_network.administer("CERT_MANAGE", "CERTS_FREEZE", {})


def test_without_tls_a_node_that_wants_it_is_unreachable(own_network):
    port = own_network.nodes[0].port
    extra = own_network.options()
    ledger = ADAPTER.open(AdapterOptions((Endpoint(f"grpc://127.0.0.1:{port}"),), timeout_s=5, extra=extra))
    with pytest.raises(Unreachable):
        ledger.tip()
    assert [state.name for state in ledger.certificates() if "tls" in state.name.lower()] == []
    ledger.close()
