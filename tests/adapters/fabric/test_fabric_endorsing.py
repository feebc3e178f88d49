"""Who is asked to endorse, and how often a peer is asked for what became of transactions."""

import threading

import pytest

from adapters.fabric.peers import Nodes
from adapters.protocol import Call
from adapters.solidity.calldata import encode_send
from tests.support.fabric_world import FabricWorld, opened, options_of

SLOW_S = 2.0


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A world whose channels have three organisations, of which two endorse."""
    made = FabricWorld(tmp_path_factory.mktemp("three"), organisations=3)
    yield made
    made.close()


def sending_of(world, payload):
    return Call(world.gateways[0], encode_send(world.lane.lane_id, world.receiver, payload, 100_000, 0, 0), 0)


def asked_of(monkeypatch, method, what):
    """What the nodes are asked from now on by one of their methods."""
    asked, real, lock = [], getattr(Nodes, method), threading.Lock()

    def told(nodes, *arguments):
        with lock:
            asked.append(what(*arguments))
        return real(nodes, *arguments)

    monkeypatch.setattr(Nodes, method, told)
    return asked


def endorsers(monkeypatch):
    return asked_of(monkeypatch, "_endorse_for", lambda msp_id, *_: msp_id)


def test_as_many_organisations_are_asked_as_have_to_agree(three, monkeypatch):
    with opened(options_of(three.networks[0])) as ledger:
        sending = sending_of(three, b"two of three")
        asked = endorsers(monkeypatch)
        ledger.sign(three.sender, 1, sending, 0)
        assert len(asked) == len(set(asked)) == 2


def test_an_organisation_that_is_slow_is_asked_last(three, monkeypatch):
    network = three.networks[0]
    with opened(options_of(network)) as ledger:
        sending = sending_of(three, b"without the slow one")
        network.peers[1].node.faults.set(slow_s=SLOW_S)
        try:
            ledger.sign(three.sender, 2, sending, 0)
            asked = endorsers(monkeypatch)
            for nonce in (3, 4, 5):
                ledger.sign(three.sender, nonce, sending, 0)
        finally:
            network.peers[1].node.faults.heal()
    assert set(asked) == {"Org1MSP", "Org3MSP"}


def test_where_those_asked_do_not_agree_another_one_is(three, monkeypatch):
    network = three.networks[0]
    with opened(options_of(network)) as ledger:
        sending = sending_of(three, b"one lies")
        asked = endorsers(monkeypatch)
        network.peers[1].node.faults.set(wrong_answer=True)
        try:
            signed = ledger.sign(three.sender, 6, sending, 0)
        finally:
            network.peers[1].node.faults.heal()
        assert sorted(asked) == ["Org1MSP", "Org2MSP", "Org3MSP"]
        assert ledger.broadcast([signed.raw]) == [None]
    assert three.receipt(0, signed.transaction).success


def test_the_transactions_of_one_block_are_asked_for_once(three, monkeypatch):
    with opened(options_of(three.networks[0])) as ledger:
        signed = [ledger.sign(three.sender, 10 + number, sending_of(three, b"%d" % number), 0) for number in range(5)]
        assert ledger.broadcast([item.raw for item in signed]) == [None] * 5
        transactions = [item.transaction for item in signed]
        for transaction in transactions:
            three.receipt(0, transaction)
        asked = asked_of(monkeypatch, "ask", lambda _node, _identity, _chaincode, arguments: arguments[0])
        unknown = b"\x01" * 32
        receipts = ledger.receipts([*transactions, unknown])
    assert [receipt.transaction for receipt in receipts[:-1]] == transactions
    assert all(receipt.success for receipt in receipts[:-1])
    assert receipts[-1] is None
    assert set(asked) == {b"GetBlockByTxID"}
    assert len(asked) == len({receipt.height for receipt in receipts[:-1]}) + 1
