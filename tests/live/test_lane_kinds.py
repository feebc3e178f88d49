"""Lanes of each kind on a whole hub: they carry and settle while validators are voted in and out under traffic."""

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from tests.support.stack import Stack

pytestmark = pytest.mark.stack

KINDS = {"committee": "default", "light-client": "direct", "both": "twice"}
BATCH = 15


@pytest.fixture(scope="module")
def stack():
    networks = {name: DevelopmentNetwork(chain_id=number) for name, number in (("alpha", 53101), ("beta", 53102))}
    with Stack(networks) as stack:
        stack.up()
        stack.join()
        for kind, channel in KINDS.items():
            stack.json("lane", "open", "alpha", "beta", "--trust", kind, "--channel", channel)
        yield stack


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


def test_votes_at_both_ends_under_traffic(stack):
    """Each change of a set is walked by the light client at the other end, before what comes after it is delivered."""
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
