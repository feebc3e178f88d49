"""A whole hub between a P-256 and an SM2 network of the ChainMaker simulator: messages, failures, expiries, and bad days.

One hub for all tests, in this order; three nodes of each network are its endpoints.
"""

import json
import threading

import pytest

from tests.support.chainmaker_stack import ChainMakerStack, RunningChain
from tests.support.receipt_stack import ReceiptStack

pytestmark = [pytest.mark.live, pytest.mark.stack]

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chainmaker")
    networks = {name: RunningChain(folder, name, suite) for name, suite in (("alpha", "ecc"), ("beta", "sm"))}
    with ChainMakerStack(networks) as running:
        running.up()
        running.join()
        running.json("lane", "open", "alpha", "beta", "--both")
        yield running


@pytest.fixture(scope="module")
def sent():
    """How many messages each lane has."""
    return {OUT: 0, HOME: 0}


def send(stack, sent, way, text="hello", **more):
    stack.send(*way, text, **more)
    sent[way] += int(more.get("count", 1))


def send_one(stack, sent, way):
    """Send a message; its id."""
    (told,) = stack.json("send", *way, "--to", "mailbox", "--text", "凭据")
    sent[way] += 1
    return told["message_id"]


def all_settled(stack, sent):
    for way, count in sent.items():
        stack.wait_settled(*way, count)
        lane = stack.lane(*way)
        assert lane["delivered"] == count
    assert {item["state"] for item in stack.json("chain", "list")} == {"active"}


def test_messages_cross_both_ways_also_those_that_fail_or_expire(stack, sent):
    for way in (OUT, HOME):
        send(stack, sent, way, "你好", count=3)
        send(stack, sent, way, "too little gas", gas_limit=1)
        send(stack, sent, way, "in time", expires_in=3_600)
    all_settled(stack, sent)


def test_nodes_that_fail_or_lie_are_left_and_named(stack, sent):
    nodes = stack.networks["alpha"].network.nodes
    nodes[0].faults.failure = "garbage"
    nodes[1].faults.lies = {"events", "votes"}
    send(stack, sent, OUT, count=2)
    send(stack, sent, HOME, count=2)
    all_settled(stack, sent)
    shown = stack.run("status").stdout
    assert nodes[0].endpoint in shown
    for node in nodes:
        node.faults.clear()


def test_the_consortium_changes_under_traffic_and_the_lanes_go_on(stack, sent):
    stop = threading.Event()

    def traffic():
        while not stop.is_set():
            for way in (OUT, HOME):
                send(stack, sent, way, "under way")

    sender = threading.Thread(target=traffic)
    sender.start()
    try:
        for chain in stack.networks.values():
            chain.network.add_organisation()
            chain.network.remove_organisation(3)
            chain.network.stop_node(1)
            chain.network.add_organisation()
            chain.network.start_node(1)
    finally:
        stop.set()
        sender.join()
    assert min(sent.values()) > 7
    all_settled(stack, sent)
    assert all(item["trust"] == "committee" for item in stack.json("lane", "list"))


def test_a_member_that_is_revoked_is_named_and_a_renewed_certificate_helps(stack, sent):
    network = stack.networks["alpha"].network
    client = network.nodes[0].organisation.client.pem
    network.freeze(client)
    stack.wait_until("the status names the certificate", lambda: "revoked or frozen" in stack.run("status").stdout)
    network.freeze(client, thaw=True)
    send(stack, sent, OUT)
    all_settled(stack, sent)


def test_receipts_hold_by_the_committees_and_by_what_the_ledgers_hold_of_the_log(stack, sent, tmp_path):
    receipts = ReceiptStack(stack, tmp_path)
    for way in (OUT, HOME):
        identifier = send_one(stack, sent, way)
        all_settled(stack, sent)
        receipt = receipts.receipt(identifier)
        note = receipts.log_note(way[0], receipt)
        (failed, _), (other_failed, unasked) = receipts.verdicts(receipt, receipts.anchors(), note)
        assert (failed, other_failed) == ([], ["note.proof", "note.header"])  # the second verifier knows no such notes
        assert unasked == [f"{way}.{part}" for way in ("out", "back") for part in ("proof", "header")]
    another = json.loads(note.read_text(encoding="utf-8"))
    note.write_text(json.dumps(another | {"root": "0x" + "11" * 32}), encoding="utf-8")
    (failed, _), _ = receipts.verdicts(receipt, receipts.anchors(), note)
    assert failed == ["note.proof", "note.consistency"]
