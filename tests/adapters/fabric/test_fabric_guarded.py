"""Several endpoints behind the guard: one peer that lies, lags or is down changes nothing that is believed."""

import time

import pytest

from adapters.protocol import AdapterOptions, Call, Endpoint, MessageSent, Rejected
from adapters.registry import open_ledger
from adapters.solidity.calldata import encode_send
from light_clients.fabric.log_notes import check_note_block, read_note
from tests.support.fabric_world import FabricWorld, calldata, followed, pin_of


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    made = FabricWorld(tmp_path_factory.mktemp("wide"), organisations=3, orderers=1)
    yield made
    made.close()


@pytest.fixture
def guarded(wide):
    network = wide.networks[0]
    ledger = open_ledger("fabric", AdapterOptions(
        tuple(Endpoint(url, f"organisation {number}") for number, url in enumerate(network.endpoints)),
        timeout_s=20.0,
        extra=network.options,
    ))  # fmt: skip
    yield ledger
    ledger.close()
    for peer in network.peers:
        peer.node.faults.heal()


def test_the_sender_of_a_simulated_call_is_known_at_every_endpoint(wide, guarded):
    sender = guarded.account(wide.sender)
    call = Call(b"gateway", encode_send(wide.lane.lane_id, wide.receiver, b"asked", 1, 0, 0), 0)
    assert len(guarded.simulate(sender, call)) == 32


def test_a_peer_that_calls_everything_invalid_does_not_hide_a_proof(wide, guarded):
    assert wide.send(b"hidden").success
    event = wide.events(0, MessageSent)[-1]
    wide.networks[0].peers[0].node.faults.set(none_valid=True)
    height = event.position.height
    assert guarded.events(height, height, b"gateway")[-1] == event
    (found,) = guarded.evidence(b"gateway", [(wide.lane.lane_id, 0)], event.position.height)
    assert found.height == event.position.height


@pytest.mark.parametrize(
    "fault", ["none_valid", "all_valid", "garbage", "cut", "unavailable", "wrong_answer", "forged_block"]
)
def test_one_of_three_peers_does_what_it_likes(wide, guarded, fault):
    network = wide.networks[0]
    assert wide.send(fault.encode()).success
    event = wide.events(0, MessageSent)[-1]
    network.peers[1].node.faults.set(**{fault: True})
    lane = [(wide.lane.lane_id, 0)]
    deadline, found = time.monotonic() + 60, None
    while found is None and time.monotonic() < deadline:
        assert guarded.tip() >= event.position.height
        (found,) = guarded.evidence(b"gateway", lane, event.position.height)
    assert found.height == event.position.height
    call = Call(b"gateway", encode_send(wide.lane.lane_id, wide.receiver, fault.encode(), 1, 0, 0), 0)
    signed = guarded.sign(wide.sender, 9_000 + len(fault), call, 0)
    assert guarded.broadcast([signed.raw]) == [None]
    receipt = None
    while receipt is None and time.monotonic() < deadline:
        (receipt,) = guarded.receipts([signed.transaction])
    assert receipt.success


def test_a_note_of_the_log_comes_by_whichever_peer_tells_the_truth(wide, guarded):
    data = calldata("anchorLog(uint64,bytes32)", 9, bytes(32))
    receipt = wide.transact(0, wide.relayer, Call(b"gateway", data, 0))
    assert receipt.success
    account = wide.account(0, wide.relayer)
    for fault in ("none_valid", "garbage", "wrong_answer", "forged_block"):
        wide.networks[0].peers[0].node.faults.set(**{fault: True})
        evidence = guarded.log_note(b"gateway", account, receipt.height)
        wide.networks[0].peers[0].node.faults.heal()
        state = followed(guarded, "trade")
        assert read_note(state, evidence, pin_of(wide.ledgers[0]), account).size == 9
        check_note_block(state, evidence)
    with pytest.raises(Rejected):
        guarded.log_note(b"gateway", account, receipt.height - 1)
    assert [dict(seat.failures) for seat in guarded.status()[1:]] == [{"Rejected": 1}] * 2  # nobody is accused


def test_a_peer_that_is_down_is_left_for_another_and_named(wide, guarded):
    node = wide.networks[0].peers[0].node
    height = guarded.tip()
    node.stop()
    assert guarded.tip() == height
    assert guarded.headers(0, height)[0]
    assert followed(guarded, "trade").height == height
    seat = next(each for each in guarded.status() if node.url == each.label)
    assert seat.failures["Unreachable"] >= 1
    assert "does not answer" in seat.last_error
    node.start()
