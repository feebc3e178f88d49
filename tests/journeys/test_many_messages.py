"""Five thousand messages in one lane, and batches cut by count, bytes and gas: counted, never timed."""

import pytest
import structlog

from relay.steps import claim as claim_step
from relay.steps.claim import OPEN_CLAIMS
from relay.steps.entries import BATCH_BYTES, BATCH_GAS, MESSAGE_BYTES
from relay.store.tables import claims, transactions
from tests.support.memory_hub import RECEIVER, MemoryHub

OUT = ("alpha", "beta")


@pytest.fixture
def make_hub(tmp_path):
    made = []

    def make(**options):
        made.append(MemoryHub(tmp_path, pairs=(OUT,), **options))
        return made[-1]

    with structlog.testing.capture_logs():
        yield make
    for hub in made:
        hub.close()


def of(hub, direction):
    return [(row.first, row.nonce) for row in hub.rows(claims, claims.c.direction == direction)]


def carried(hub, purpose):
    return [(row.first, row.last) for row in hub.rows(transactions, transactions.c.purpose == purpose)]


def test_five_thousand_messages_settle_in_as_many_batches_as_they_fill(make_hub):
    hub, count, limit = make_hub(batch_limit=100), 5_000, 100
    for number in range(count):
        hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
        if number % limit == limit - 1:
            hub.mine("alpha")  # a small pool, and still one look at everything
    hub.settle_down()
    batches = [(first, first + limit - 1) for first in range(1, count, limit)]
    assert of(hub, 0) == batches
    assert carried(hub, "deliver") == batches
    assert of(hub, 1)[-1][1] == count
    assert len(carried(hub, "settle")) == len(of(hub, 1)) <= 2 * len(batches)
    assert hub.journey(*OUT).executed == count
    hub.check()


def proposed(hub):
    hub.mine("alpha")
    hub.chain_task("alpha")
    hub.lane_task(*OUT)
    return of(hub, 0)


def test_a_batch_ends_before_its_payloads_grow_too_large(make_hub):
    hub = make_hub(batch_limit=100)
    half = BATCH_BYTES // 2 - MESSAGE_BYTES - 31
    for size in (half, half, 1, BATCH_BYTES, 1):
        hub.send(*OUT, bytes(size), receiver=RECEIVER)
    assert proposed(hub) == [(1, 2), (3, 3), (4, 4), (5, 5)]
    hub.settle_down()
    hub.check()


def test_a_message_larger_than_a_batch_goes_alone(make_hub):
    hub = make_hub(batch_limit=100)
    for size in (1, BATCH_BYTES + 1, 1):
        hub.send(*OUT, bytes(size), receiver=RECEIVER)
    assert proposed(hub) == [(1, 1), (2, 2), (3, 3)]
    hub.settle_down()
    hub.check()


def test_a_batch_ends_before_its_receivers_may_use_too_much_gas(make_hub):
    hub = make_hub(batch_limit=100)
    for gas in (BATCH_GAS // 2, BATCH_GAS // 2, 1, BATCH_GAS + 1, 1):
        hub.send(*OUT, b"x", receiver=RECEIVER, gas_limit=gas)
    assert proposed(hub) == [(1, 2), (3, 3), (4, 4), (5, 5)]


def test_only_so_many_claims_are_open_at_once_and_the_rest_follows(make_hub, monkeypatch):
    assert OPEN_CLAIMS == 200
    monkeypatch.setattr(claim_step, "OPEN_CLAIMS", 3)
    hub = make_hub(batch_limit=2)
    for number in range(20):
        hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
    assert proposed(hub) == [(1, 2), (3, 4), (5, 6)]
    hub.lane_task(*OUT)
    assert len(of(hub, 0)) == 3
    hub.attest()
    hub.lane_task(*OUT)
    assert len(of(hub, 0)) == 6
    hub.settle_down(80)
    hub.check()


def test_claims_at_a_block_that_operators_forget_are_made_anew(make_hub):
    hub = make_hub()
    hub.send(*OUT, b"x", receiver=RECEIVER)
    first = proposed(hub)
    for _ in range(3):
        hub.ledgers["alpha"].mine(30)
        hub.chain_task("alpha")
        hub.lane_task(*OUT)
    rows = hub.rows(claims)
    assert first == [(1, 1)]
    assert [row.state for row in rows] == ["void", "open"]
    assert rows[1].height > rows[0].height + 60
    hub.settle_down()
    hub.check()


def test_a_new_epoch_voids_what_the_old_one_signed(make_hub):
    hub = make_hub()
    hub.send(*OUT, b"x", receiver=RECEIVER)
    proposed(hub)
    hub.attest()
    from relay.store.tables import committees

    with hub.context.store.write() as connection:
        old = connection.execute(committees.select().where(committees.c.chain == "beta")).one()
        connection.execute(committees.update().where(committees.c.chain == "beta").values(state="old"))
        connection.execute(committees.insert().values(**{**old._mapping, "epoch": 2, "state": "current"}))
    hub.lane_task(*OUT)
    assert [(row.epoch, row.state) for row in hub.rows(claims)] == [(1, "void"), (2, "open")]
    assert hub.rows(transactions) == []
