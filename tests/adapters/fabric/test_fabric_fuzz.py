"""Whatever a peer or an orderer answers, only AdapterError leaves the adapter; answers are those of a real run with changed bytes."""

import random

import pytest

from adapters.fabric.connections import Connection
from adapters.protocol import AdapterError, BadAnswer, Call, Misconfigured, Rejected, Unreachable
from schemas.primitives import LaneId
from tests.support.fabric_world import opened, options_of

CHANGED = 400
FAULTS = {
    "unavailable": Unreachable,
    "exhausted": Unreachable,
    "cut": AdapterError,
    "huge": BadAnswer,
    "garbage": AdapterError,
    "twice": BadAnswer,
    "forged_block": BadAnswer,
}


def changed(data, source):
    way = source.randrange(5)
    place = source.randrange(len(data)) if data else 0
    if way == 0:
        return data[:place]
    if way == 1:
        return data[:place] + bytes((source.randrange(256),)) + data[place + 1 :]
    if way == 2:
        return data[:place] + source.randbytes(source.randrange(1, 9)) + data[place:]
    if way == 3:
        return data[:place] + data[place + source.randrange(1, 40) :]
    return source.randbytes(source.randrange(200))


def questions(world, ledger, height):
    lane, gateway = world.lane.lane_id, world.gateways[0]
    return [
        ledger.identity,
        ledger.tip,
        lambda: ledger.headers(0, height),
        lambda: ledger.events(0, height, gateway),
        lambda: ledger.lane_ends(gateway, lane),
        lambda: ledger.verifier_parts(gateway),
        lambda: ledger.evidence(gateway, [(lane, 0)], height),
        lambda: ledger.log_note(gateway, world.account(0, world.relayer), height),
        lambda: ledger.installed(gateway),
        lambda: ledger.receipts([b"\x07" * 32, world.last]),
        lambda: ledger.simulate(b"", Call(gateway, b"\0" * 4, 0)),
        lambda: ledger.sign(world.relayer, 1, Call(gateway, b"\x5c\x97\x5a\xbb", 0), 0),
        lambda: ledger.broadcast([b"raw"]),
        lambda: ledger.endow([world.sender]),
    ]


@pytest.fixture(scope="module")
def busy(world):
    receipt = world.send(b"fuzz")
    world.last = receipt.transaction
    world.height = receipt.height
    return world


def test_only_adapter_errors_leave(busy, monkeypatch):
    source = random.Random(20_261_123)
    unary, stream = Connection.unary, Connection.stream
    monkeypatch.setattr("adapters.fabric.evidence.PAUSE_S", 0.0)
    monkeypatch.setattr("adapters.fabric.endorsing.PAUSE_S", 0.0)
    monkeypatch.setattr(Connection, "unary", lambda *said: changed(unary(*said), source))
    monkeypatch.setattr(
        Connection, "stream", lambda *said: [changed(item, source) for item in stream(*said)][source.randrange(2) :]
    )
    refusals = []
    for _ in range(CHANGED):
        with opened(options_of(busy.networks[0])) as ledger:
            ask = source.choice(questions(busy, ledger, busy.height))
            try:
                ask()
            except AdapterError as error:
                refusals.append(str(error))
    assert len(refusals) > CHANGED // 3
    assert not [text for text in refusals if "\n" in text]


@pytest.mark.parametrize(("fault", "kind"), FAULTS.items(), ids=FAULTS)
def test_a_node_that_fails_is_told_by_kind(busy, fault, kind):
    faults = busy.networks[0].peers[0].node.faults
    options = options_of(busy.networks[0])
    with opened(
        type(options)(options.endpoints, timeout_s=20.0, max_answer_bytes=4 << 20, extra=options.extra)
    ) as ledger:
        faults.set(**{fault: True})
        try:
            with pytest.raises(kind):
                ledger.headers(0, busy.height)
        finally:
            faults.heal()
        assert len(ledger.headers(0, busy.height)) == busy.height + 1


def test_a_node_that_is_slow_is_left_in_time(busy):
    faults = busy.networks[0].peers[0].node.faults
    options = options_of(busy.networks[0])
    faults.set(slow_s=4.0)
    try:
        hurried = type(options)(options.endpoints, timeout_s=0.5, extra=options.extra)
        with opened(hurried) as ledger, pytest.raises(Unreachable):
            ledger.tip()
    finally:
        faults.heal()


def test_a_node_that_is_down_is_unreachable_and_comes_back(busy):
    node = busy.networks[0].peers[0].node
    with opened(options_of(busy.networks[0])) as ledger:
        tip = ledger.tip()
        node.stop()
        with pytest.raises(Unreachable):
            ledger.tip()
        node.start()
        assert ledger.tip() == tip


def test_what_is_not_there_is_rejected(busy):
    ledger = busy.ledgers[0]
    with pytest.raises(Rejected) as caught:
        ledger.headers(0, busy.height + 50)
    assert caught.value.code == "no_state"
    with pytest.raises(Rejected):
        ledger.lane_ends(b"gateway", LaneId(b"\x05" * 32))
    with pytest.raises(Rejected):
        ledger.lane_ends(b"nobody", busy.lane.lane_id)
    with pytest.raises(Misconfigured):
        ledger.lane_ends(b"\xff\xfe", busy.lane.lane_id)
    with pytest.raises(Misconfigured, match="organisations install"):
        ledger.deployment(b"", b"")
