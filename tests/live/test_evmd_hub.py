"""A whole hub between an evmd network and a QBFT network: two validators, a third that joins, and nodes that are lost.

One network and one hub for all tests, in this order. After each everything is settled, and the ledgers' own logs and heads show
each effect once.
"""

import json

import pytest
from sqlalchemy import select

from adapters.cosmos.devnet import EvmdNetwork
from adapters.evm.devnet import DevelopmentNetwork
from relay.store.tables import chains
from tests.support.drill import Drill
from tests.support.evmd_stack import EvmdStack
from tests.support.geth_stack import Traffic
from tests.support.receipt_stack import ReceiptStack

pytestmark = [pytest.mark.live, pytest.mark.stack]

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """`alpha` is evmd's, `beta` a development network; lanes both ways."""
    file = tmp_path_factory.mktemp("drill") / "crash"
    networks = {
        "alpha": EvmdNetwork(chain_id="relayhub-hub", validators=3, followers=1, block_s=0.5),
        "beta": DevelopmentNetwork(chain_id=62_002),
    }
    with EvmdStack(networks) as stack:
        stack.up()
        stack.join()
        stack.json("lane", "open", "alpha", "beta", "--both")
        yield Drill(stack, file)


@pytest.fixture
def evmd(drill):
    return drill.stack.networks["alpha"]


@pytest.fixture(scope="module")
def receipts(drill, tmp_path_factory):
    """Receipts, and anchors of before any change of validators."""
    made = ReceiptStack(drill.stack, tmp_path_factory.mktemp("receipts"))
    made.anchors("before.toml")
    return made


def settled_once(drill):
    """Everything is settled, each effect took place once, and nobody was accused of anything."""
    drill.wait_settled()
    drill.check()
    with drill.store.read() as connection:
        assert connection.execute(select(chains.c.state).where(chains.c.name == "alpha")).scalar_one() == "active"


def test_messages_cross_both_ways(drill):
    shown = {chain["name"]: chain for chain in drill.stack.json("chain", "list")}
    assert (shown["alpha"]["consensus"], shown["alpha"]["chain_id"]) == ("cometbft", "cosmos:relayhub-hub")
    drill.send(*OUT, 5)
    drill.send(*OUT, starved=True)
    drill.send(*HOME, 5)
    settled_once(drill)


def test_validators_change_under_traffic(drill, evmd, receipts):
    assert receipts.folder.joinpath("before.toml").is_file()
    with Traffic(drill, OUT, HOME) as traffic:
        evmd.delegate(0, 200)  # the others are still more than two thirds
        evmd.bond(3, 900)
        evmd.wait_blocks(3)
        assert len(evmd.powers()) == 4
    assert all(traffic.sent.values())
    settled_once(drill)


def test_a_validator_that_is_killed_and_starts_again_costs_nothing(drill, evmd):
    with Traffic(drill, OUT, HOME) as traffic:
        evmd.kill(1)
        evmd.wait_blocks(4)
        evmd.start_node(1)
    assert all(traffic.sent.values())
    settled_once(drill)


def test_the_endpoint_in_use_is_lost_and_another_one_goes_on(drill, evmd):
    evmd.kill(0)
    drill.send(*HOME, 3)
    drill.wait_settled(HOME)
    shown = next(chain for chain in drill.stack.json("chain", "list") if chain["name"] == "alpha")
    assert shown["endpoint_trouble"]
    evmd.start_node(0)
    drill.send(*OUT, 3)
    settled_once(drill)


def test_what_evmd_holds_of_the_log_is_proved_by_those_who_are_trusted_now(drill, receipts):
    """By anchors of after the note; those of before the validators changed say that they know others."""
    (sent,) = drill.send(*OUT)
    settled_once(drill)
    receipt = receipts.receipt(sent.message_id.hex())
    note, anchors = receipts.log_note("alpha", receipt), receipts.anchors()
    words = ("verify", str(receipt), "--anchors", str(anchors), "--log-note", str(note))
    told = drill.stack.run(*words)
    assert " 25. note.consistency holds" in told.stdout
    assert receipts.verdicts(receipt, anchors, note)[0][0] == []
    old = drill.stack.run(*words[:3], str(receipts.folder / "before.toml"), *words[4:], check=False)
    assert "TrustedSetMismatch: The validators that are trusted at block" in old.stdout
    other = json.loads(note.read_text(encoding="utf-8"))
    note.write_text(json.dumps(other | {"root": "0x" + "11" * 32}), encoding="utf-8")
    assert receipts.verdicts(receipt, anchors, note)[0][0] == ["note.proof", "note.consistency"]
