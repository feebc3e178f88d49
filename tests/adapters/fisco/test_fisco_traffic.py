"""Traffic on simulated networks: sealers that change, transactions that fail, expire, come again or cannot be proved."""

import time

import pytest

from adapters.fisco.simulator.keys import new_key
from adapters.fisco.simulator.ledger import Refused
from adapters.fisco.transactions import sign_call
from adapters.protocol import Call, MessageSent
from light_clients import errors, fisco
from light_clients.fisco import FiscoEvidence, FiscoPin
from light_clients.fisco.codec import parse_header
from schemas.claim import Claim, Direction
from tests.support.fisco_lane import FiscoLane, followed, open_fisco, start_fisco
from tests.support.lane_world import key

CEILING_S = 30


@pytest.fixture(scope="module", params=[2, 3], ids=["line 2", "line 3"])
def lane(request):
    made = FiscoLane(request.param)
    yield made
    made.close()


@pytest.fixture(params=[(2, False), (2, True), (3, False), (3, True)], ids=["2", "2 national", "3", "3 national"])
def network(request, tmp_path):
    line, national = request.param
    made = start_fisco(line, tmp_path, national=national)
    yield made
    made.stop()


def wait_for(condition):
    ends = time.monotonic() + CEILING_S
    while not condition():
        assert time.monotonic() < ends, "it does not happen"
        time.sleep(0.01)


def send_something(network, ledger, number):
    """A transaction that calls nothing; it is mined all the same."""
    signed = ledger.sign(key("anybody"), number, Call(b"\x77" * 20, b"", 100_000), 0)
    assert ledger.broadcast([signed.raw]) == [None]
    wait_for(lambda: ledger.receipts([signed.transaction]) != [None])
    return ledger.receipts([signed.transaction])[0]


def test_sealers_change_under_traffic_and_the_light_client_follows(network):
    ledger = open_fisco(network)
    configuration = fisco.FiscoConfiguration(**network.client_options)
    for number in range(3):
        send_something(network, ledger, number)
    added = [network.add_sealer(), network.add_sealer()]
    for number in range(3, 6):
        send_something(network, ledger, number)
    network.remove_sealer(network.sealers[0])
    network.remove_sealer(added[0])
    for number in range(6, 9):
        send_something(network, ledger, number)
    state = followed(ledger, configuration)
    expected = {sealer.public for sealer in [*network.sealers[1:], added[1]]}
    assert {sealer.key for sealer in state.sealers} == expected
    assert len(state.sets) > 1
    ledger.close()


def test_a_change_of_sealers_without_its_proof_is_not_followed(network):
    ledger = open_fisco(network)
    configuration = fisco.FiscoConfiguration(**network.client_options)
    send_something(network, ledger, 0)
    network.add_sealer()
    wait_for(lambda: network.ledger.waiting == 0)
    send_something(network, ledger, 1)
    headers = ledger.headers(1, ledger.tip())
    parsed = [parse_header(header, configuration) for header in headers]
    changed = next(place for place, header in enumerate(parsed) if header.steps)
    state = fisco.bootstrap(headers[0], parsed[0].block_hash, configuration)
    for header in headers[1:changed]:
        state = fisco.apply(state, fisco.verify_header(state, header, int(time.time()) + 1))
    bare = fisco.codec.encode_bundle(
        fisco.codec.rlp.decode_list(headers[changed])[0], [(index, seal) for index, seal in parsed[changed].seals]
    )
    with pytest.raises(errors.Refused):
        fisco.verify_header(state, bare, int(time.time()) + 1)
    assert fisco.verify_header(state, headers[changed], int(time.time()) + 1).height == changed + 1
    ledger.close()


def test_a_transaction_that_fails_stands_in_a_block_and_says_so(network):
    ledger = open_fisco(network)
    receipt = send_something(network, ledger, 0)
    assert (receipt.success, receipt.contract) == (False, b"")
    assert receipt.block_hash == network.ledger.blocks[receipt.height].hash
    assert receipt.gas_used > 0
    ledger.close()


def test_a_transaction_whose_time_is_over_is_refused_and_a_new_one_taken(network):
    ledger = open_fisco(network, block_limit="10")
    call = Call(b"\x77" * 20, b"", 100_000)
    ledger.tip()
    late = ledger.sign(key("anybody"), 1, call, 0)
    for _ in range(12):
        network.seal(empty=True)
    (refusal,) = ledger.broadcast([late.raw])
    assert refusal.code == "expired"
    ledger.tip()
    fresh = ledger.sign(key("anybody"), 1, call, 0)
    assert fresh.transaction != late.transaction
    assert ledger.broadcast([fresh.raw]) == [None]
    ledger.close()


def test_a_transaction_for_a_block_too_far_ahead_is_refused(network):
    ledger = open_fisco(network)
    call = Call(b"\x77" * 20, b"", 100_000)
    far = sign_call(network.network, key("anybody"), nonce=1, call=call, fee=0, block_limit=5_000)
    (refusal,) = ledger.broadcast([far.raw])
    assert refusal.code == "expired"
    ledger.close()


def test_what_is_signed_for_another_chain_or_by_nobody_is_refused(network):
    ledger = open_fisco(network)
    call = Call(b"\x77" * 20, b"", 100_000)
    other = type(network.network)(network.network.line, network.network.suite, "9", "9")
    foreign = sign_call(other, key("anybody"), nonce=1, call=call, fee=0, block_limit=500).raw
    own = sign_call(network.network, key("anybody"), nonce=1, call=call, fee=0, block_limit=500).raw
    (refusal,) = ledger.broadcast([foreign])
    assert refusal is not None
    if network.network.suite == "sm":
        spoilt = own[:-3] + bytes([own[-3] ^ 1]) + own[-2:]
        (refusal,) = ledger.broadcast([spoilt])
        assert refusal is not None
    assert network.ledger.waiting == 0
    ledger.close()


def test_too_few_sealers_seal_nothing_until_one_comes_back(network):
    ledger = open_fisco(network)
    for index in (2, 3):
        network.stop_node(index)
    call = Call(b"\x77" * 20, b"", 100_000)
    signed = sign_call(network.network, key("anybody"), nonce=1, call=call, fee=0, block_limit=500)
    network.ledger.submit(signed.raw)
    assert network.seal() is None
    assert ledger.receipts([signed.transaction]) == [None]
    network.start_node(3)
    wait_for(lambda: ledger.receipts([signed.transaction]) != [None])
    (block,) = [block for block in network.ledger.blocks if block.executed]
    assert len(block.seals) == 3
    ledger.close()


def test_an_unknown_sealer_is_not_added_and_the_set_stays(network):
    before = network.ledger.executor.sealers
    network.remove_sealer(new_key(network.network.suite))
    wait_for(lambda: network.ledger.waiting == 0)
    assert network.ledger.executor.sealers == before


def claim_of(lane, event):
    """The evidence of a sent message's head at its block, and the claim."""
    height = event.position.height
    (found,) = lane.ledgers[0].evidence(lane.gateways[0], [(lane.lane.lane_id, 0)], height)
    claim = Claim(
        lane.lane.lane_id, Direction.OUTBOX, event.message.nonce, event.head, height, event.position.block_hash
    )
    return found, claim


def test_forty_hexadecimal_digits_in_a_payload_are_proved_by_a_later_message(lane):
    """On line 3 such a transaction can be read as a call of somebody else; heads run, so the next one proves both."""
    assert lane.send(b"pay to 0x" + b"ab" * 20).success
    odd = lane.events(0, MessageSent)[-1]
    found, claim = claim_of(lane, odd)
    if lane.networks[0].network.line == 2:
        fisco.verify_claim(
            followed(lane.ledgers[0], lane.configuration(0)),
            claim,
            FiscoEvidence.from_bytes(found.proof),
            FiscoPin(lane.gateways[0]),
        )
    else:
        assert found is None
    assert lane.send(b"plain").success
    found, claim = claim_of(lane, lane.events(0, MessageSent)[-1])
    state = followed(lane.ledgers[0], lane.configuration(0))
    fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(found.proof), FiscoPin(lane.gateways[0]))


def test_a_block_with_many_transactions_proves_its_last_message(lane):
    ledger = lane.ledgers[0]
    raws = [
        ledger.sign(lane.sender, 500_000 + number, lane.send_call(b"number %d" % number), 0).raw for number in range(23)
    ]
    for raw in raws:
        lane.networks[0].ledger.submit(raw)
    wait_for(lambda: lane.networks[0].ledger.waiting == 0)
    events = lane.events(0, MessageSent)
    assert len({event.position.height for event in events[-23:]}) <= 2
    found, claim = claim_of(lane, events[-1])
    state = followed(ledger, lane.configuration(0))
    fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(found.proof), FiscoPin(lane.gateways[0]))
    places = [(event.position.height, event.position.index) for event in events]
    assert places == sorted(set(places))


def test_messages_are_proved_across_changes_of_sealers(lane):
    network = lane.networks[0]
    assert lane.send(b"before").success
    added = network.add_sealer()
    for number in range(3):
        assert lane.send(b"while %d" % number).success
    network.remove_sealer(network.sealers[1])
    network.remove_sealer(added)
    for number in range(3):
        assert lane.send(b"after %d" % number).success
    state = followed(lane.ledgers[0], lane.configuration(0))
    assert len(state.sets) >= 3
    for event in lane.events(0, MessageSent)[-7:]:
        found, claim = claim_of(lane, event)
        fisco.verify_claim(state, claim, FiscoEvidence.from_bytes(found.proof), FiscoPin(lane.gateways[0]))


def test_a_mined_transaction_whose_time_is_over_is_taken_already(lane):
    """Some nodes look at the block limit first; the receipt says that nothing is to be made anew."""
    network, ledger = lane.networks[0], lane.ledgers[0]
    signed = ledger.sign(lane.sender, 900_001, lane.send_call(b"long ago"), 0)
    assert ledger.broadcast([signed.raw]) == [None]
    lane.receipt(0, signed.transaction)
    submit = network.ledger.submit

    def too_late(raw):
        raise Refused("BlockLimitCheckFail")

    network.ledger.submit = too_late
    try:
        other = ledger.sign(lane.sender, 900_002, lane.send_call(b"never"), 0)
        taken, refusal = ledger.broadcast([signed.raw, other.raw])
    finally:
        network.ledger.submit = submit
    assert taken is None
    assert refusal.code == "expired"
