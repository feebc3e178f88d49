"""Two final headers of one height freeze a ledger and its lanes; nothing less does, and nothing of them is sent afterwards."""

import json
from dataclasses import replace

import pytest

from adapters.memory.headers import make_header
from relay.store.tables import chains, claims, incidents, lanes, transactions
from tests.support.memory_hub import RECEIVER
from tests.support.waiting_scenes import equivocate

OUT, HOME, OTHER = ("alpha", "beta"), ("beta", "alpha"), ("beta", "gamma")
THREE = {"names": ("alpha", "beta", "gamma"), "pairs": (OUT, HOME, OTHER)}


@pytest.fixture
def three(make_hub):
    return make_hub(**THREE)


def test_a_second_sealed_block_freezes_the_ledger_and_its_lanes(three):
    three.send(*OUT, b"x", receiver=RECEIVER)
    three.mine()
    three.chain_task()
    three.lane_task(*OUT)
    accepted = three.context.chain("alpha").client_header
    equivocate(three)
    three.chain_task("alpha")
    assert {row.name: row.state for row in three.rows(chains)} == {
        "alpha": "frozen",
        "beta": "active",
        "gamma": "active",
    }
    assert [three.lane(*lane).state for lane in (OUT, HOME, OTHER)] == ["frozen", "frozen", "active"]
    assert [row.state for row in three.rows(claims)] == ["void"]
    (incident,) = three.rows(incidents)
    evidence = json.loads(incident.evidence)
    assert incident.subject == "chain alpha"
    assert evidence["header_a"] == "0x" + accepted.hex()
    assert evidence["header_b"] == "0x" + three.ledgers["alpha"].blocks[evidence["height"]].header.encoded.hex()
    for which in [("chain", "alpha"), ("lane", *OUT), ("back", *OUT), ("lane", *HOME), ("back", *HOME)]:
        row = three.wait_of(*which)
        assert (row.code, row.party) == ("client_frozen", "officers")
    assert three.wait_of("lane", *OTHER) is None


def test_nothing_is_signed_or_sent_afterwards_while_other_lanes_go_on(three):
    for lane in (OUT, HOME, OTHER):
        three.send(*lane, b"before", receiver=RECEIVER)
    three.mine()
    three.chain_task()
    for lane in (OUT, HOME, OTHER):
        three.lane_task(*lane)
    three.attest()
    three.lane_task(*OUT)  # queued for beta, and not sent yet
    equivocate(three)
    three.chain_task("alpha")
    pools = {name: list(ledger.pool) for name, ledger in three.ledgers.items()}
    assert [row.state for row in three.rows(transactions)] == ["void"]
    for lane in (OUT, HOME, OTHER):
        three.send(*lane, b"after", receiver=RECEIVER)
    del three.lane_ids[OUT], three.lane_ids[HOME]
    three.settle_down(hurry=True)
    assert {row.chain for row in three.rows(transactions, transactions.c.state != "void")} == {"beta", "gamma"}
    assert {row.lane_id for row in three.rows(transactions, transactions.c.state != "void")} == {
        bytes(three.lane_ids[OTHER])
    }
    of_frozen = three.rows(claims, claims.c.lane_id != bytes(three.lane_ids[OTHER]))
    assert [row.state for row in of_frozen] == ["attested", "attested"]
    assert pools["alpha"] == []


def test_what_was_sent_for_a_frozen_lane_is_replaced_by_nothing(three):
    three.send(*OUT, b"x", receiver=RECEIVER)
    three.mine()
    three.chain_task()
    three.lane_task(*OUT)
    three.attest()
    three.lane_task(*OUT)
    three.faults("beta").loses_transactions = True
    three.chain_task("beta")
    three.faults("beta").loses_transactions = False
    equivocate(three)
    three.chain_task("alpha")
    lane_id = three.lane_ids.pop(OUT)
    del three.lane_ids[HOME]
    three.send(*OTHER, b"needs the next account nonce? no: it settles on beta", receiver=RECEIVER)
    three.settle_down(hurry=True)
    assert three.ledgers["beta"].gateway.lanes[lane_id].delivered == 0
    first = three.rows(transactions)[0]
    assert (first.purpose, first.account_nonce, first.data) == ("nothing", 0, b"")
    assert first.state in ("mined", "reverted")


def test_a_task_that_was_on_its_way_writes_nothing_for_a_frozen_lane(three, monkeypatch):
    three.send(*OUT, b"x", receiver=RECEIVER)
    three.mine()
    three.chain_task()
    three.lane_task(*OUT)
    three.attest()
    from relay.steps import carry

    build = carry._calls

    def frozen_meanwhile(*arguments):
        calls = build(*arguments)
        with three.context.store.write() as connection:
            connection.execute(lanes.update().values(state="frozen"))
        return calls

    monkeypatch.setattr(carry, "_calls", frozen_meanwhile)
    three.lane_task(*OUT)
    assert three.rows(transactions) == []
    assert three.journey(*OUT).submitted == 0


def test_a_claim_is_not_proposed_for_a_lane_that_froze_meanwhile(three, monkeypatch):
    three.send(*OUT, b"x", receiver=RECEIVER)
    three.mine()
    three.chain_task()
    from relay.steps import claim

    has_work = claim._has_work

    def frozen_meanwhile(*arguments):
        found = has_work(*arguments)
        with three.context.store.write() as connection:
            connection.execute(lanes.update().values(state="frozen"))
        return found

    monkeypatch.setattr(claim, "_has_work", frozen_meanwhile)
    three.lane_task(*OUT)
    assert three.rows(claims) == []


def test_a_closed_lane_is_frozen_too(three):
    three.mine()
    three.chain_task()
    with three.context.store.write() as connection:
        connection.execute(lanes.update().values(state="closed"))
    equivocate(three)
    three.chain_task("alpha")
    assert three.lane(*OUT).state == "frozen"


def serve(hub, name, height, header):
    """Endpoint 0 serves another header of that height."""
    seat = hub.context.ledger(hub.context.chain(name))._seats[0]
    honest = seat.ledger.headers

    def headers(first, last):
        found = honest(first, last)
        return [header if first + index == height else item for index, item in enumerate(found)]

    seat.ledger.headers = headers


@pytest.mark.parametrize("what", ["unsealed", "sealed_by_others", "another_height", "no_header"])
@pytest.mark.parametrize("endpoints", [1, 2])
def test_a_header_that_is_merely_different_freezes_nothing(make_hub, what, endpoints):
    hub = make_hub(endpoints=endpoints)
    hub.mine()
    hub.chain_task()
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    ledger = hub.ledgers["alpha"]
    other = replace(ledger.blocks[-1].content, gas_used=1)
    header = {
        "unsealed": make_header(other, ledger.validator_keys[:2]).encoded,
        "sealed_by_others": make_header(other, hub.ledgers["beta"].validator_keys).encoded,
        "another_height": ledger.blocks[-2].header.encoded,
        "no_header": b"\xc0",
    }[what]
    serve(hub, "alpha", ledger.height, header)
    hub.chain_task("alpha")
    assert {row.state for row in hub.rows(chains)} == {"active"}
    assert hub.rows(incidents) == []
    assert hub.code("chain", "alpha") == ("header_refused" if endpoints == 1 else "endpoint_accused")
    if endpoints == 2:
        hub.settle_down()
        hub.check()


def test_an_old_block_served_anew_freezes_nothing_unless_it_is_sealed(make_hub):
    hub = make_hub()
    hub.mine()
    hub.chain_task()
    ledger = hub.ledgers["alpha"]
    hub.mine("alpha")
    fork = make_header(replace(ledger.blocks[-2].content, gas_used=1), ledger.validator_keys[:2])
    child = make_header(replace(ledger.blocks[-1].content, parent_hash=fork.block_hash), ledger.validator_keys[:2])
    serve(hub, "alpha", ledger.height - 1, fork.encoded)
    serve(hub, "alpha", ledger.height, child.encoded)
    hub.chain_task("alpha")
    assert hub.context.chain("alpha").state == "active"
