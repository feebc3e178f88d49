"""Lanes of each kind on a whole hub: they carry and settle while validators are voted in and out under traffic, and receipts prove it."""

import json

import pytest

from tests.support.receipt_stack import ReceiptStack
from tests.support.stack import stack_between

pytestmark = pytest.mark.stack

KINDS = {"committee": "default", "light-client": "direct", "both": "twice"}
BATCH = 15


@pytest.fixture(scope="module")
def stack():
    lanes = [("alpha", "beta", "--trust", kind, "--channel", channel) for kind, channel in KINDS.items()]
    with stack_between({"alpha": 53101, "beta": 53102}, *lanes) as stack:
        yield stack


@pytest.fixture(scope="module")
def receipts(stack, tmp_path_factory):
    """Receipts, and anchors of before any change of validators."""
    made = ReceiptStack(stack, tmp_path_factory.mktemp("receipts"))
    made.anchors("before.toml")
    return made


def send(stack, channel, *, count=1, wait=False):
    words = ["send", "alpha", "beta", "--channel", channel, "--to", "mailbox", "--text", "你好", "--count", str(count)]
    return stack.json(*words, *(["--wait"] if wait else []))


def settled(stack):
    return {channel: stack.lane("alpha", "beta", channel)["settled"] for channel in KINDS.values()}


def vote(network, *, add):
    """Vote a validator in or out."""
    present = network.rpc("qbft_getValidatorsByBlockNumber", "latest")
    subject = network.rpc("devnet_newValidator") if add else present[0]
    network.rpc("qbft_proposeValidatorVote", subject, add)
    return lambda: network.rpc("qbft_getValidatorsByBlockNumber", "latest") != present


def waiting(stack):
    data = stack.json("status")
    return [wait for kind in ("chains", "lanes") for item in data[kind] for wait in item["waits"]]


def clients(stack):
    return stack.json("status")["light_clients"]


@pytest.mark.parametrize(("kind", "channel"), KINDS.items())
def test_a_message_is_carried_and_settled(stack, kind, channel):
    assert stack.lane("alpha", "beta", channel)["trust"] == kind
    send(stack, channel, wait=True)
    assert settled(stack)[channel] == 1


def test_votes_at_both_ends_under_traffic(stack, receipts):
    """Each change of a set is walked by the light client at the other end, before what comes after it is delivered."""
    assert (receipts.folder / "before.toml").exists()
    before, expected = settled(stack), 0
    heights = {item["chain"]: item["height"] for item in clients(stack)}
    for name in ("alpha", "beta"):
        for add in (True, False):
            changed = vote(stack.networks[name], add=add)
            for channel in KINDS.values():
                send(stack, channel, count=BATCH)
            expected += BATCH
            stack.wait_until("the set has changed", changed)
    for channel in KINDS.values():
        send(stack, channel, count=BATCH)
    expected += BATCH
    wanted = {channel: count + expected for channel, count in before.items()}
    stack.wait_until(f"settled {wanted}", lambda: settled(stack) == wanted)
    stack.wait_until("nothing waits", lambda: not waiting(stack))
    assert all(item["height"] > heights[item["chain"]] and not item["frozen"] for item in clients(stack))


def test_receipts_hold_by_anchors_of_before_the_votes_and_by_what_the_ledgers_hold_of_the_log(stack, receipts):
    """Both verifiers, offline: every kind of lane, with the note of either ledger, by the oldest anchors and by the newest."""
    anchors = [receipts.folder / "before.toml", receipts.anchors("after.toml")]
    for (kind, channel), ledger in zip(KINDS.items(), ("alpha", "beta", "alpha"), strict=True):
        (told,) = send(stack, channel, wait=True)
        receipt = receipts.receipt(told["message_id"])
        note = receipts.log_note(ledger, receipt)
        assert json.loads(receipt.read_text(encoding="utf-8"))["out"]["validators"]
        unasked = ["out.quorum", "back.quorum"] if kind == "light-client" else []
        for trusted in anchors:
            assert receipts.verdicts(receipt, trusted, note) == (([], unasked), ([], unasked))
    another = json.loads(note.read_text(encoding="utf-8"))
    note.write_text(json.dumps(another | {"size": str(int(another["size"]) - 1)}), encoding="utf-8")
    expected = ["note.proof", "note.consistency"]
    assert [failed for failed, _ in receipts.verdicts(receipt, anchors[0], note)] == [expected, expected]
