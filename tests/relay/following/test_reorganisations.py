"""Branches that give way: below the depth nothing notices, above it the ledger is frozen at the height where they part."""

import json

import pytest

from light_clients import clique
from relay.store.tables import chains, incidents
from relay.trail import KEPT
from tests.support.memory_hub import RECEIVER

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
DEPTH = 2
"""Three signers: floor(3 / 2) + 1 blocks have to follow."""


@pytest.fixture
def clique_hub(make_hub):
    return make_hub(clique=True)


def states(hub):
    return {row.name: row.state for row in hub.rows(chains)}


def evidence(hub):
    (incident,) = hub.rows(incidents)
    return json.loads(incident.evidence)


def heights(run):
    return [clique.codec.parse_header(item).height for item in clique.verify.split_lists(bytes.fromhex(run[2:]))]


def test_messages_cross_clique_ledgers_both_ways(clique_hub):
    hub = clique_hub
    for number in range(3):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=RECEIVER)
    for _ in range(9 * DEPTH):
        hub.mine()
        hub.turn()
        hub.check()
    assert [hub.journey(*lane).settled for lane in (OUT, HOME)] == [3, 3]
    assert hub.context.chain("alpha").client_height == hub.ledgers["alpha"].height - DEPTH


def test_a_message_is_not_final_before_so_many_blocks_follow(clique_hub):
    hub = clique_hub
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine("alpha")
    for follow in range(DEPTH):
        hub.chain_task("alpha")
        assert hub.journey(*OUT).final == 0, follow
        hub.mine("alpha")
    hub.chain_task("alpha")
    assert hub.journey(*OUT).final == 1


@pytest.mark.parametrize("depth", range(1, DEPTH + 1))
def test_a_reorganisation_below_the_depth_is_never_seen_and_delivers_once(clique_hub, depth):
    hub = clique_hub
    hub.ledgers["alpha"].mine(DEPTH + 3)
    hub.chain_task("alpha")
    for turn in range(18):
        if turn == 3:
            hub.ledgers["alpha"].reorganise(depth)
            hub.ledgers["alpha"].mine(depth + 1)
        if turn == 4:
            hub.send(*OUT, b"x", receiver=RECEIVER)
        hub.mine()
        hub.turn()
        hub.check()
    assert set(states(hub).values()) == {"active"}
    assert hub.rows(incidents) == []
    journey = hub.journey(*OUT)
    assert (journey.final, journey.executed, journey.settled) == (1, 1, 1)


def test_what_was_sent_in_a_branch_that_gave_way_is_sent_again_by_its_sender_alone(clique_hub):
    hub = clique_hub
    hub.mine()
    hub.send(*OUT, b"gone", receiver=RECEIVER)
    hub.mine("alpha")
    hub.chain_task("alpha")
    hub.ledgers["alpha"].reorganise(1)
    hub.send(*OUT, b"kept", receiver=RECEIVER)
    hub.settle_down()
    hub.check()
    assert hub.journey(*OUT).executed == 1


@pytest.mark.parametrize("above", [1, 3, KEPT + 4])
def test_a_reorganisation_above_the_depth_freezes_as_soon_as_it_is_shown(clique_hub, above):
    hub = clique_hub
    hub.ledgers["alpha"].mine(KEPT + 30)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    final = ledger.height - DEPTH
    assert hub.context.chain("alpha").client_height == final
    ledger.reorganise(DEPTH + above)
    ledger.mine(DEPTH + above + 1)
    hub.chain_task("alpha")
    assert states(hub) == {"alpha": "frozen", "beta": "active"}
    found = evidence(hub)
    parts = max(final - above + 1, final - KEPT + 1)
    assert found["height"] == parts
    for run in (found["header_a"], found["header_b"]):
        assert heights(run)[: DEPTH + 1] == [parts, parts + 1, parts + 2]


@pytest.mark.parametrize("shorter", range(1, 4))
def test_a_branch_that_is_shorter_freezes_too(clique_hub, shorter):
    """Its tip is below ours: more difficult blocks may outweigh more blocks."""
    hub = clique_hub
    hub.ledgers["alpha"].mine(20)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    ledger.reorganise(DEPTH + 5)
    ledger.mine(DEPTH + 5 - shorter)
    hub.chain_task("alpha")
    assert states(hub)["alpha"] == "frozen"


def test_an_endpoint_that_is_only_behind_freezes_nothing(clique_hub):
    hub = clique_hub
    hub.ledgers["alpha"].mine(20)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    blocks = ledger.blocks[-9:]
    del ledger.blocks[-9:]
    hub.chain_task("alpha")
    assert states(hub)["alpha"] == "active"
    ledger.blocks += blocks
    hub.mine("alpha")
    hub.chain_task("alpha")
    assert hub.context.chain("alpha").client_height == ledger.height - DEPTH


def test_another_branch_that_is_not_final_itself_accuses_its_endpoint_alone(clique_hub):
    """The endpoint sits on a branch that too few signers have sealed."""
    hub = clique_hub
    hub.ledgers["alpha"].mine(12)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    alone = ledger.fork(DEPTH + 2, ledger.validator_keys[:1])
    alone.mine(DEPTH + 4)
    honest = list(ledger.blocks)
    ledger.blocks[:] = alone.blocks
    hub.chain_task("alpha")
    assert states(hub)["alpha"] == "active"
    assert hub.rows(incidents) == []
    assert hub.code("chain", "alpha") == "header_refused"
    ledger.blocks[:] = honest
    hub.settle_down(hurry=True)
    hub.check()
    assert hub.code("chain", "alpha") == ""


def test_an_answer_that_mixes_two_branches_is_asked_for_again(clique_hub):
    """The endpoint changed its mind in the middle of an answer: nothing is false."""
    hub = clique_hub
    hub.ledgers["alpha"].mine(5)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    hub.mine("alpha")
    before = ledger.blocks[-1]
    ledger.reorganise(1)
    ledger.mine(2)
    after = ledger.blocks[-2]
    ledger.blocks[-2] = before
    hub.chain_task("alpha")
    assert hub.code("chain", "alpha") == "header_not_there"
    ledger.blocks[-2] = after
    hub.forget_times()
    hub.chain_task("alpha")
    assert hub.context.chain("alpha").client_height == ledger.height - DEPTH
    assert states(hub)["alpha"] == "active"


def test_an_endpoint_that_mixes_branches_without_end_is_left(make_hub, monkeypatch):
    from relay.steps import trouble

    hub = make_hub(clique=True, endpoints=2)
    hub.ledgers["alpha"].mine(5)
    hub.chain_task("alpha")
    ledger = hub.context.ledger(hub.context.chain("alpha"))
    seat = ledger._seats[0]
    honest = seat.ledger.headers

    def mixed(first, last):
        found = honest(first, last)
        return [*found[:-1], found[0]] if len(found) > 1 else found

    seat.ledger.headers = mixed
    hub.ledgers["alpha"].mine(1)
    hub.chain_task("alpha")
    before = hub.context.chain("alpha").client_height
    assert hub.code("chain", "alpha") == "header_not_there"
    monkeypatch.setattr(trouble, "STALLED_S", -1.0)
    hub.forget_times()
    hub.chain_task("alpha")
    monkeypatch.undo()
    hub.forget_times()
    hub.chain_task("alpha")
    assert hub.context.chain("alpha").client_height == before + 1


def test_more_confirmations_than_the_majority_needs(make_hub):
    hub = make_hub(clique=True, confirmations=6)
    hub.ledgers["alpha"].mine(20)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    assert hub.context.chain("alpha").client_height == ledger.height - 6
    ledger.reorganise(6)
    ledger.mine(7)
    hub.chain_task("alpha")
    assert states(hub)["alpha"] == "active"


@pytest.mark.parametrize("back", [1, 2, KEPT])
def test_validators_of_qbft_that_seal_another_branch_are_accused_where_it_parts(make_hub, back):
    """Whatever the endpoint's tip: equivocation below the newest header is found too."""
    hub = make_hub()
    hub.ledgers["alpha"].mine(KEPT + 5)
    hub.chain_task("alpha")
    ledger = hub.ledgers["alpha"]
    newest = ledger.height
    ledger.reorganise(back)
    ledger.mine(back - 1 or 2)
    hub.chain_task("alpha")
    assert states(hub)["alpha"] == "frozen"
    assert evidence(hub)["height"] == newest - back + 1
