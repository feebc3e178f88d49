"""An allow-listed sender fills batches until no block or pool takes them: the lane must go on, and so must every other lane."""

from dataclasses import replace

import pytest

from adapters.memory import adapter as memory_adapter
from adapters.memory.gateway import Gateway, Reverted
from adapters.memory.transactions import sign_transaction
from adapters.protocol import Call, Rejected
from adapters.solidity.calldata import encode_send
from light_clients.crypto.secp256k1 import address_of
from relay.steps.entries import BATCH_GAS
from relay.store.tables import claims, transactions
from tests.support.memory_hub import RECEIVER, label_key

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
POOL_TAKES_BYTES = 128 * 1024
"""What geth's pool takes of one transaction at most (core/txpool, txMaxSize)."""


def send(hub, payload, *, receiver=RECEIVER, gas_limit=50_000, callback_gas=0, expires_at=0, lane=OUT):
    """Send as an application of any size: the whole width of every field is the sender's choice."""
    ledger, key = hub.ledgers[lane[0]], label_key("application")
    waiting = sum(transaction.sender == address_of(key) for transaction in ledger.pool)
    nonce = ledger.nonce(address_of(key)) + waiting
    data = encode_send(hub.lane_ids[lane], receiver, payload, gas_limit, callback_gas, expires_at)
    call = Call(ledger.gateway.address, data, 5_000_000)
    ledger.submit(sign_transaction(ledger.word, key, nonce, call, 10_000).raw)


def sizes(hub, purpose):
    return [len(row.data) for row in hub.rows(transactions, transactions.c.purpose == purpose)]


def stuffed(hub):
    """A receiver that answers with as much as is kept."""
    for ledger in hub.ledgers.values():
        ledger.gateway.receivers[RECEIVER] = lambda *_: b"\xff" * 256


@pytest.mark.parametrize("batch_limit", [100, 500])
def test_many_medium_messages_stay_below_what_a_pool_takes(make_hub, batch_limit):
    hub = make_hub(batch_limit=batch_limit, pairs=[OUT])
    stuffed(hub)
    for number in range(batch_limit * 6 // 5):
        send(hub, bytes(900 if batch_limit == 100 else 1), receiver=RECEIVER)
        if number % 50 == 49:
            hub.mine("alpha")
    hub.settle_down()
    hub.check()
    assert max(sizes(hub, "deliver")) < POOL_TAKES_BYTES
    assert max(sizes(hub, "settle")) < POOL_TAKES_BYTES
    assert max(sizes(hub, "deliver")) > POOL_TAKES_BYTES // 2  # and batches are still worth their name


def test_callbacks_of_one_settlement_share_a_gas_limit(make_hub):
    hub = make_hub(batch_limit=100, pairs=[OUT])
    for _ in range(30):
        send(hub, b"x", callback_gas=1_000_000)
    hub.settle_down()
    hub.check()
    back = hub.rows(claims, claims.c.direction == 1, claims.c.state == "attested")
    assert max(row.nonce - row.first + 1 for row in back) == BATCH_GAS // 1_000_000
    assert hub.journey(*OUT).settled == 30


def roomy(room):
    """A gateway that takes at most so many messages a delivery, as a window or a block's gas would have it."""
    deliver = Gateway.deliver

    def limited(self, frame, action):
        new = [message for message in action.messages if message.nonce > self.lanes[action.lane_id].delivered]
        if len(new) > room:
            raise Reverted("WindowFull(laneId=0x00, retryAt=1)")
        return deliver(self, frame, action)

    return limited


@pytest.mark.parametrize("room", [1, 3, 7])
def test_a_window_smaller_than_a_batch_delays_and_stops_nothing(make_hub, monkeypatch, room):
    hub = make_hub(batch_limit=10, pairs=[OUT])
    monkeypatch.setattr(Gateway, "deliver", roomy(room))
    for number in range(10):
        send(hub, b"%d" % number)
    hub.settle_down(rounds=120, hurry=True)
    hub.check()
    delivered = hub.rows(transactions, transactions.c.purpose == "deliver", transactions.c.state == "mined")
    assert all(row.last - row.first < room for row in delivered)


def test_a_lane_that_refuses_everything_is_asked_once_and_not_in_halves(hub, monkeypatch):
    for number in range(8):
        send(hub, b"%d" % number)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest()
    beta = hub.ledgers["beta"].gateway
    lane_id = hub.lane_ids[OUT]
    beta.lanes[lane_id] = replace(beta.lanes[lane_id], paused=True)
    hub.lane_task(*OUT)
    hub.chain_task("beta")
    hub.mine()
    hub.forget_times()
    hub.chain_task("beta")
    hub.lane_task(*OUT)
    asked = []
    simulate = memory_adapter.MemoryLedger.simulate
    monkeypatch.setattr(
        memory_adapter.MemoryLedger, "simulate", lambda self, *call: asked.append(1) or simulate(self, *call)
    )
    hub.forget_times()
    hub.lane_task(*OUT)
    assert hub.code("lane", *OUT) == "lane_paused"
    assert asked == [1]
    beta.lanes[lane_id] = replace(beta.lanes[lane_id], paused=False)
    hub.settle_down(hurry=True)
    hub.check()


EDGES = {
    "nothing at all": {"payload": b""},
    "expires at the end of time": {"payload": b"x", "expires_at": (1 << 64) - 1},
    "more gas than a block": {"payload": b"x", "gas_limit": (1 << 64) - 1},
    "16 KiB": {"payload": bytes(range(256)) * 64},
    "a receiver of one byte": {"payload": b"x", "receiver": b"\x01"},
    "a receiver of 64 bytes": {"payload": b"x", "receiver": b"\x02" * 64},
    "names of another script": {"payload": "链间消息 🚚".encode()},
}


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES.keys())
def test_the_widest_values_of_every_field_cross_and_come_home(hub, edge):
    stuffed(hub)
    send(hub, b"before")
    send(hub, **edge)
    send(hub, b"behind")
    send(hub, b"on another lane", lane=HOME)
    hub.settle_down(hurry=True)
    hub.check()
    assert hub.journey(*OUT).settled == 3
    assert hub.journey(*HOME).settled == 1


def test_what_a_pool_never_takes_does_not_hold_up_the_other_lanes_of_that_ledger(make_hub, monkeypatch):
    """One lane's transaction has the account's next nonce and no pool takes it: all lanes to that ledger stand behind it."""
    hub = make_hub(names=("alpha", "beta", "gamma"), pairs=[OUT, ("gamma", "beta")])
    poison = bytes(hub.lane_ids[OUT])
    submit = type(hub.ledgers["beta"]).submit
    closed = [True]

    def choosy(self, raw):
        if self is hub.ledgers["beta"] and closed[0] and poison in raw:
            raise Rejected("oversized data: transaction size 140000, limit 131072", code="other")
        return submit(self, raw)

    monkeypatch.setattr(type(hub.ledgers["beta"]), "submit", choosy)
    send(hub, b"poison")
    hub.mine()
    for _ in range(4):
        hub.turn()  # the poison is signed first
    send(hub, b"healthy", lane=("gamma", "beta"))
    for _ in range(30):
        hub.mine()
        hub.forget_times()
        hub.turn()
    assert hub.journey("gamma", "beta").settled == 1
    assert hub.journey(*OUT).delivered == 0
    row = hub.wait_of("lane", *OUT)
    assert (row.code, row.party) == ("transaction_reverted", "hub's owner")
    assert "oversized data" in row.text
    closed[0] = False
    hub.settle_down(hurry=True)
    hub.check()
