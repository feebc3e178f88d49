"""What the adapter makes of blocks, real ones and the simulator's: bundles that the light client takes, events, evidence, refusals."""

import base64
import json

import pytest

from adapters.chainmaker.blocks import check_hash, check_whole, events_of, read_block_info
from adapters.chainmaker.names import account_address, contract_address
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import AnswerTooLarge, BadAnswer, Call, MessageSent
from adapters.solidity.contracts import contract
from light_clients.chainmaker import ChainMakerConfiguration, apply, bootstrap, verify_header
from light_clients.chainmaker.claims import slot_key
from light_clients.chainmaker.evidence import check_body
from light_clients.crypto.certificates import read_certificate
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head
from tests.support.chainmaker_lane import LONG_S, ChainMakerLane, followed, open_one, put
from tests.support.shared_vectors import shared

HASHES = {"ecc": "SHA256", "sm": "SM3"}
REAL = [
    (suite, height)
    for suite, heights in (("ecc", (0, 1, 2, 3, 4, 6, 9)), ("sm", (0, 1, 2, 3, 4, 7)))
    for height in heights
]


def real_block(suite, height):
    return base64.b64decode(
        json.loads(shared(f"chainmaker/{suite}/blocks/{height}.json").read_text())["block_info_pb_b64"]
    )


@pytest.mark.parametrize(("suite", "height"), REAL)
def test_a_real_block_is_read_whole(suite, height):
    block = read_block_info(real_block(suite, height), height)
    check_hash(block, HASHES[suite])
    check_whole(block, HASHES[suite])
    assert pb.BlockInfo.FromString(block.info).SerializeToString() == block.info
    bundle = pb.Block.FromString(block.bundle)
    assert len(bundle.txs) == (1 if height in (0, 9) else 0)
    assert bundle.header.block_hash == block.header.block_hash


@pytest.mark.parametrize("suite", ["ecc", "sm"])
def test_bundles_of_real_blocks_pass_the_light_client(suite):
    blocks = [read_block_info(real_block(suite, height), height) for height in range(5)]
    configuration = ChainMakerConfiguration(trusting_period_s=LONG_S)
    state = bootstrap(blocks[0].bundle, BlockHash(blocks[0].header.block_hash), configuration)
    for block in blocks[1:]:
        state = apply(state, verify_header(state, block.bundle, block.header.timestamp))
    assert state.height == 4


@pytest.mark.parametrize("suite", ["ecc", "sm"])
def test_addresses_are_those_of_real_blocks(suite):
    (transaction,) = pb.BlockInfo.FromString(real_block(suite, 2)).block.txs
    (event,) = transaction.result.contract_result.contract_event
    sender = read_certificate(transaction.sender.signer.member_info)
    assert event.event_data[1] == account_address(sender.public_key[-64:]).rjust(32, b"\0").hex()
    (deployed,) = pb.BlockInfo.FromString(real_block(suite, 1)).block.txs
    told = pb.Contract.FromString(deployed.result.contract_result.result)
    assert told.address == contract_address(told.name.encode()).hex()


def test_real_requests_have_the_form_of_ours():
    """Fields that a real client sets in calls and deployments are those that the adapter sets, and no others but the expiry."""
    (real,) = pb.BlockInfo.FromString(real_block("ecc", 2)).block.txs
    assert {field.name for field, _ in real.payload.ListFields()} == {
        "chain_id", "tx_id", "timestamp", "contract_name", "method", "parameters", "limit",
    }  # fmt: skip
    assert [pair.key for pair in real.payload.parameters] == ["data"]
    assert real.payload.parameters[0].value[:8].decode() == real.payload.method
    (deployment,) = pb.BlockInfo.FromString(real_block("ecc", 1)).block.txs
    keys = [pair.key for pair in deployment.payload.parameters]
    assert keys == ["CONTRACT_NAME", "CONTRACT_VERSION", "CONTRACT_RUNTIME_TYPE", "CONTRACT_BYTECODE"]
    assert {entry.signer.org_id for entry in deployment.endorsers} == {
        f"wx-org{n}.chainmaker.org" for n in (1, 2, 3, 4)
    }


def test_events_of_another_gateway_are_none_of_ours():
    block = read_block_info(real_block("ecc", 2), 2)
    assert events_of(block, "KV1795399245") == []


def test_a_block_of_another_height_or_no_block_is_a_bad_answer():
    info = real_block("ecc", 2)
    with pytest.raises(BadAnswer, match="block 2 came where block 3"):
        read_block_info(info, 3)
    for data in (b"", b"\xff", info[:-1], info + b"\x08\x01", info + info):
        with pytest.raises(BadAnswer):
            read_block_info(data, 2)
    block = read_block_info(info, 2)
    with pytest.raises(BadAnswer, match="another hash"):
        check_hash(block, "SM3")


@pytest.mark.parametrize("suites", [("ecc", "ecc"), ("sm", "sm")])
def test_blocks_of_the_simulator_are_whole_and_believed(suites):
    lane = ChainMakerLane(suites)
    try:
        lane.send(b"one")
        network, ledger = lane.networks[0], lane.ledgers[0]
        for height in range(network.chain.height + 1):
            check_body(network.chain.blocks[height], network.chain.hash_name)
        assert followed(ledger, ledger.identity().first_block).height == network.chain.height
        info = network.chain.block(network.chain.height)
        (write_set,) = info.rwset_list
        claim = Claim(lane.lane.lane_id, Direction.OUTBOX, 1, Head(b"\1" * 32), 1, BlockHash(b"\1" * 32))
        name, address = lane.gateways[0].decode(), ledger.called_by(lane.gateways[0]).hex()
        mine = [write for write in write_set.tx_writes if write.key == slot_key(claim)]
        assert [write.contract_name for write in mine] == sorted((name, address))
        assert {write.contract_name for write in write_set.tx_reads} == {name}
        assert all(not write.key.startswith(b"00") for write in write_set.tx_writes)
    finally:
        lane.close()


def test_transactions_of_one_block_depend_on_each_other_in_order(own_network):
    ledger = open_one(own_network)
    name = put(own_network, ledger, contract("Idle").creation)
    signed = [ledger.sign(bytes([1]) * 32, number, Call(name, b"\1\2\3\4", 0), 0) for number in range(3)]
    assert ledger.broadcast([item.raw for item in signed]) == [None] * 3
    own_network.produce()
    block = own_network.chain.block(own_network.chain.height).block
    assert [list(vertex.neighbors) for vertex in block.dag.vertexes] == [[], [0], [1]]
    assert [receipt.transaction for receipt in ledger.receipts([item.transaction for item in signed])] == [
        item.transaction for item in signed
    ]
    ledger.close()


def test_blocks_that_are_larger_than_an_answer_come_in_smaller_ranges():
    """Whoever reads a busy ledger from far back asks for less, and does not stand still."""
    lane = ChainMakerLane()
    try:
        for number in range(8):
            assert lane.send(b"%d" % number * 8_000).success
        network, tip = lane.networks[0], lane.ledgers[0].tip()
        sizes = [network.chain.block(height).ByteSize() for height in range(tip + 1)]
        room = max(sizes) + 2_000
        assert sum(sizes[-8:]) > 3 * room
        ledger = open_one(network, timeout_s=LONG_S, max_answer_bytes=room)
        assert [
            event.message.nonce for event in ledger.events(1, tip, lane.gateways[0]) if isinstance(event, MessageSent)
        ] == [*range(1, 9)]
        assert len(ledger.headers(0, tip)) == tip + 1
        ledger.close()
        narrow = open_one(network, timeout_s=LONG_S, max_answer_bytes=max(sizes) // 2)
        with pytest.raises(AnswerTooLarge):
            narrow.events(1, tip, lane.gateways[0])
        narrow.close()
    finally:
        lane.close()


def test_the_largest_payload_fits_into_an_event():
    lane = ChainMakerLane()
    try:
        assert lane.send(b"x" * 16_384).success
        (sent,) = lane.events(0, MessageSent)
        assert sent.message.payload == b"x" * 16_384
    finally:
        lane.close()


def test_a_failed_transaction_has_text_and_no_revert_data(own_network):
    ledger = open_one(own_network)
    name = put(own_network, ledger, contract("Reverting").creation)
    signed = ledger.sign(bytes([1]) * 32, 9, Call(name, b"\1\2\3\4", 0), 0)
    assert ledger.broadcast([signed.raw]) == [None]
    own_network.produce()
    (receipt,) = ledger.receipts([signed.transaction])
    assert not receipt.success
    (transaction,) = own_network.chain.block(own_network.chain.height).block.txs
    assert transaction.result.code == 4
    assert transaction.result.contract_result.result == b""
    assert "reverted" in transaction.result.contract_result.message
    ledger.close()
