"""A whole hub between a Clique network of real geth nodes and a QBFT network, on the network's hostile days.

One network of three signers, whose node 0 is the hub's only endpoint, and one hub for all tests, in this order. After each
test but the last everything is settled, and the ledgers' own logs and heads show each effect once.
"""

import json
import threading

import pytest
from sqlalchemy import select

from adapters.evm.devnet import DevelopmentNetwork
from light_clients.rlp import split_lists
from relay.store.tables import chains, incidents
from schemas.suites import keccak256
from tests.support.drill import Drill
from tests.support.geth_network import GethNetwork
from tests.support.geth_stack import GethStack, Traffic

pytestmark = [pytest.mark.live, pytest.mark.stack]

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
FOLLOWERS = 2
"""Blocks that make one final where three, or two, sign."""


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """`alpha` is geth's, `beta` a development network; lanes both ways."""
    file = tmp_path_factory.mktemp("drill") / "crash"
    networks = {"alpha": GethNetwork(chain_id=62_001, twin=True), "beta": DevelopmentNetwork(chain_id=62_002)}
    with GethStack(networks) as stack:
        stack.up()
        stack.join()
        stack.json("lane", "open", "alpha", "beta", "--both")
        yield Drill(stack, file)


@pytest.fixture
def geth(drill):
    return drill.stack.networks["alpha"]


def settled_once(drill):
    """Everything is settled, each effect took place once, and nobody was accused of anything."""
    drill.wait_settled()
    drill.check()
    assert state_of(drill) == "active"


def state_of(drill):
    with drill.store.read() as connection:
        return connection.execute(select(chains.c.state).where(chains.c.name == "alpha")).scalar_one()


def test_messages_cross_both_ways(drill):
    shown = {chain["name"]: chain for chain in drill.stack.json("chain", "list")}
    assert shown["alpha"]["consensus"] == "clique"
    drill.send(*OUT, 5)
    drill.send(*OUT, starved=True)
    drill.send(*HOME, 5)
    settled_once(drill)


def test_a_signer_is_voted_out_and_in_again_under_traffic(drill, geth):
    with Traffic(drill, OUT, HOME) as traffic:
        geth.propose(2, signs=False)
        geth.wait_blocks(3)
        assert geth.signers() == [0, 1]
        geth.propose(2, signs=True)
        geth.wait_blocks(3)
    assert all(traffic.sent.values())
    settled_once(drill)


def pending(geth):
    return int(geth.rpc("txpool_status")["pending"], 16)


def test_a_node_dies_with_transactions_that_no_one_else_has(drill, geth):
    """What the hub sent to the node is gone with its pool; it is sent again."""
    geth.seal(0, on=False)
    geth.partition([1, 2])
    drill.send(*HOME, 3)
    drill.stack.wait_until("the hub's delivery waits in the pool", lambda: pending(geth) > 0)
    geth.kill(0)
    geth.start_node(0)
    assert pending(geth) == 0
    geth.heal()
    settled_once(drill)


def test_a_partition_that_heals(drill, geth):
    """The endpoint stands at the side that cannot go on; traffic comes all the while."""
    with Traffic(drill, OUT, HOME):
        geth.partition([1, 2])
        geth.wait_for_height(geth.height(1) + 6, nodes=[1, 2])
        geth.heal()
    settled_once(drill)


def test_a_reorganisation_below_the_depth_delivers_once(drill, geth):
    sending = threading.Thread(target=drill.send, args=(*OUT, 2))

    def before():
        sending.start()
        drill.stack.wait_until("both wait in the pool", lambda: pending(geth) >= 2)

    height = geth.lone_block(0, before)
    lone = geth.hash_at(height)
    assert len(geth.nodes[0].block(height)["transactions"]) >= 2
    drill.stack.wait_until("the hub saw that block", lambda: tip_of(drill) >= height - FOLLOWERS)
    geth.heal()
    geth.wait_agreed()
    sending.join()
    settled_once(drill)
    assert geth.hash_at(height) not in ("", lone)


def tip_of(drill):
    with drill.store.read() as connection:
        return connection.execute(select(chains.c.tip).where(chains.c.name == "alpha")).scalar_one()


def test_a_reorganisation_above_the_depth_freezes_and_the_officers_are_walked_through(drill, geth):
    stack = drill.stack
    fork = geth.split()
    lost_by_this = drill.send(*OUT, 2)
    drill.send(*HOME)
    drill.wait_settled()
    lost = geth.hash_at(fork + 1)
    shows_it = geth.join()
    standing = geth.hash_at(fork + 1)
    stack.wait_until("the ledger is frozen", lambda: state_of(drill) == "frozen")
    assert geth.height() <= shows_it + 2
    for signer in range(3):
        geth.seal(signer, on=True)

    evidence = kept_evidence(drill)
    runs = [split_lists(bytes.fromhex(evidence[name].removeprefix("0x"))) for name in ("header_a", "header_b")]
    assert evidence["height"] == fork + 1
    assert {"0x" + keccak256(run[0]).hex() for run in runs} == {lost, standing}
    assert min(len(run) for run in runs) > FOLLOWERS
    shown = stack.json("recover", "alpha")
    assert {shown["incident"]["hash_a"], shown["incident"]["hash_b"]} == {lost, standing}
    contradicted = {entry["message_id"] for lane in shown["lanes"] for entry in lane["contradicted"]}
    assert {"0x" + event.message_id.hex() for event in lost_by_this} <= contradicted
    assert {lane["state"] for lane in stack.json("lane", "list")} == {"frozen"}

    shown = walk(stack, shown, "pause")
    walk(stack, shown, "close")
    pin = geth.wait_agreed() - FOLLOWERS
    shown = stack.json("recover", "alpha", "--pin", f"{pin}:{geth.hash_at(pin)}")
    shown = walk(stack, shown, "reopen", NEW="again")
    assert all(step["done"] for step in shown["steps"])
    for source, destination in (OUT, HOME):
        (message,) = stack.json(
            "send", source, destination, "--channel", "again", "--to", "mailbox", "--text", "重新", "--wait"
        )
        assert message["stage"] == "settled"


def kept_evidence(drill):
    with drill.store.read() as connection:
        kept = connection.execute(select(incidents.c.evidence).where(incidents.c.subject == "chain alpha")).scalars()
        (evidence,) = kept
    return json.loads(evidence)


def walk(stack, shown, name, **words):
    """Type the commands that `relayhub recover` showed for a step; returns what it shows then."""
    (step,) = [step for step in shown["steps"] if step["name"] == name]
    assert step["commands"]
    assert not step["done"]
    for command in step["commands"]:
        stack.json(*(words.get(word, word) for word in command.split()[1:]))
    return stack.json("recover", "alpha")
