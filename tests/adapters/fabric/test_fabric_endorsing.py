"""Who is asked to endorse, and how often a peer is asked for what became of transactions."""

import threading
from pathlib import Path

import pytest

from adapters.fabric.peers import OWED, Nodes
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
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


def endorsements_of(signed):
    payload = messages.Payload.FromString(messages.Envelope.FromString(signed.raw).payload)
    (action,) = messages.Transaction.FromString(payload.data).actions
    return list(messages.ChaincodeActionPayload.FromString(action.payload).action.endorsements)


def test_all_organisations_endorse_for_a_channel_that_grows_asks_for_more(three, monkeypatch):
    with opened(options_of(three.networks[0])) as ledger:
        monkeypatch.setattr("adapters.fabric.peers.GRACE_S", SLOW_S)
        assert len(endorsements_of(ledger.sign(three.sender, 1, sending_of(three, b"all three"), 0))) == 3


def test_an_organisation_that_is_slow_is_not_waited_for(three, monkeypatch):
    network = three.networks[0]
    with opened(options_of(network)) as ledger:
        sending = sending_of(three, b"without the slow one")
        ledger.sign(three.sender, 2, sending, 0)
        network.peers[1].node.faults.set(slow_s=SLOW_S)
        try:
            asked, signed = endorsers(monkeypatch), []
            while len(signed) < 2 * OWED:
                signed.append(ledger.sign(three.sender, 3 + len(signed), sending, 0))
        finally:
            network.peers[1].node.faults.heal()
    assert [len(endorsements_of(item)) for item in signed] == [2] * 2 * OWED
    assert asked.count("Org2MSP") < len(signed), "who owes answers is not asked for more"


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


def test_a_network_file_that_is_being_written_changes_nothing(three):
    options = options_of(three.networks[0])
    file = Path(options.extra["network"])
    with opened(options) as ledger:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
        try:
            assert len(endorsements_of(ledger.sign(three.sender, 30, sending_of(three, b"half a file"), 0))) >= 2
        finally:
            file.write_bytes(content)


def test_organisations_that_join_endorse_without_a_restart(three):
    """Of six organisations four have to endorse, and the ledger was opened when there were three."""
    network = three.networks[0]
    with opened(options_of(network)) as ledger:
        signed = [ledger.sign(three.sender, 40, sending_of(three, b"three"), 0)]
        for _organisation in range(3):
            network.add_organisation()
        signed.append(ledger.sign(three.sender, 41, sending_of(three, b"six"), 0))
        assert ledger.broadcast([item.raw for item in signed[1:]]) == [None]
        assert len(endorsements_of(signed[1])) >= 4
        assert three.receipt(0, signed[1].transaction).success
