"""The protocol's named attacks that concern the gateway and the committee, each run on a ledger."""

import unicodedata
from dataclasses import replace

import pytest

from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.calldata import encode_anchor, encode_deliver, encode_retry, encode_send, encode_settle
from adapters.solidity.contracts import contract, organisation_word
from light_clients.crypto.secp256k1 import address_of
from schemas.heads import fold_all, genesis
from schemas.outcome import Settled, Status
from schemas.primitives import Head
from schemas.suites import EVM
from tests.support.evm_world import (
    DEPLOYER,
    GUARDIAN,
    OFFICERS,
    RELAYER,
    SENDER,
    SIGNERS,
    STRANGER,
    EvmChain,
    EvmWorld,
    account,
    attest,
    checksummed,
    key,
    make_committee,
    make_end,
    make_gateway,
    refusal_of,
    refuses,
)


def ids_of(world, first, last):
    return [message.message_id(EVM, world.lane_id) for message in world.sent[first - 1 : last]]


def test_two_ledgers_with_one_chain_id_and_gateway_address():
    worlds = []
    for source, destination in (("alpha", "beta"), ("alpha", "twin of beta")):
        worlds.append(EvmWorld.between(make_end(EvmChain(source)), make_end(EvmChain(destination))))
    honest, twin = worlds
    assert (honest.destination.gateway, honest.destination.committee) == (
        twin.destination.gateway,
        twin.destination.committee,
    )
    assert honest.lane_id != twin.lane_id
    for world in worlds:
        world.send(b"pay once")
    proof = attest(honest.destination, honest.claim(0, 1))
    with refuses("HeadMismatch"):
        twin.deliver(claim=honest.claim(0, 1), proof=proof)
    with refuses("ClaimForAnotherLane"):
        twin.deliver(claim=replace(twin.claim(0, 1), lane_id=honest.lane_id), proof=proof)
    with refuses("SignatureOfAnother"):
        twin.deliver(proof=proof)


def test_a_message_that_no_block_can_hold():
    """Caps at the source keep it out; what a stricter destination cannot hold passes by hash as refused."""
    world = EvmWorld.create(caps=Caps(max_payload=20_000, max_gas=3_000_000))
    with refuses("PayloadTooLarge"):
        world.send(bytes(20_001))
    with refuses("GasLimitTooHigh"):
        world.send(gas_limit=3_000_001)
    lower = administration.lower_caps(world.lane_id, Caps(max_payload=10, max_gas=100_000))
    world.destination.chain.transact(OFFICERS[0], world.destination.gateway, lower)
    world.send(bytes(20_000), gas_limit=3_000_000)
    world.send(b"small", gas_limit=50_000)
    messages = [world.sent[0].without_payload(), world.sent[1]]
    world.deliver(messages=messages, gas=400_000)
    assert world.statuses()[0] == 4


def test_a_backlog_whose_suffix_ids_outgrow_a_block():
    """3,000 messages, claimed once at the end, brought by transactions none of which could hold all ids."""
    world = EvmWorld.create(receiver="Idle")
    for number in range(3_000):
        world.send(number.to_bytes(2, "big"), gas_limit=20_000)
    claim, piece, batch, block_gas = world.claim(0, 3_000), 500, 50, 2_000_000
    proof = attest(world.destination, claim)
    with pytest.raises(Exception, match="OutOfGas"):
        world.deliver(last=1, claim=claim, suffix_ids=ids_of(world, 2, 3_000), gas=block_gas)
    for nonce in range(3_000 - piece, 0, -piece):
        ids, anchored = ids_of(world, nonce + 1, nonce + piece), world.claim(0, nonce + piece)
        under = proof if anchored == claim else b""
        data = encode_anchor(world.lane_id, 0, world.head(0, nonce), ids, anchored, under)
        world.destination.chain.transact(RELAYER, world.destination.gateway, data, gas=block_gas)
    for last in range(batch, 3_001, batch):
        reached = -(-last // piece) * piece
        under = proof if reached == 3_000 else b""
        suffix_ids, anchored = ids_of(world, last + 1, reached), world.claim(0, reached)
        world.deliver(last=last, claim=anchored, suffix_ids=suffix_ids, proof=under, gas=block_gas)
    assert world.statuses() == [1] * 3_000


def test_a_lane_opened_again():
    world = EvmWorld.create()
    world.send()
    world.deliver()
    for end, number in ((world.source, 0), (world.destination, 1)):
        again = administration.open_lane(world.lane, number, end.committee, b"\x01" * 32, Caps())
        with refuses("LaneExists"):
            end.chain.administer(end.gateway, again)
        end.chain.administer(end.gateway, administration.close_lane(world.lane_id))
        with refuses("LaneExists"):
            end.chain.administer(end.gateway, again)
    heads = world.destination.chain.view(world.destination.gateway, "Gateway", "heads", world.lane_id)
    assert heads[1:3] == (world.head(1, 1), world.head(0, 1))


def test_an_allow_list_widened_by_one_stolen_key():
    world = EvmWorld.create()
    chain, gateway = world.source.chain, world.source.gateway
    action = administration.allow_sender(world.lane_id, STRANGER, 1_000)
    number = chain.propose(gateway, action)
    for call in (administration.approve(number), administration.execute(number, action)):
        with refuses("SameOfficer" if call == administration.approve(number) else "ProposalState"):
            chain.transact(OFFICERS[0], gateway, call)
    raised = chain.propose(gateway, administration.set_caps(world.lane_id, Caps(max_gas=2**40 - 1)))
    with refuses("SameOfficer"):
        chain.transact(OFFICERS[0], gateway, administration.approve(raised))
    with refuses("SenderNotAllowed"):
        world.send(sender=STRANGER)


def callback_world(name, callback_gas):
    world = EvmWorld.create()
    sender = world.source.chain.create(name)
    world.allow_sender(sender)
    data = encode_send(world.lane_id, world.receiver, b"", 100_000, callback_gas, 0)
    forwarder = contract("test/Moody").encode("forward", world.source.gateway, data)
    world.note_sent(world.source.chain.transact(STRANGER, sender, forwarder))
    world.deliver()
    return world, sender


def test_a_refund_callback_starved_of_gas():
    """A relayer cannot settle with less than the callback's own gas: whatever he gives, it gets all of it or nothing moves."""
    world, sender = callback_world("test/GasMeter", 300_000)
    refusals = [refusal_of(lambda gas=gas: world.settle(gas=gas)) for gas in range(150_000, 460_000, 10_000)]
    assert set(refusals) <= {"", "GasTooLow", None, "NothingNew"}
    assert refusals.index("GasTooLow") < refusals.index(None)
    assert world.source_view().settled == 1
    assert world.source.chain.view(sender, "test/GasMeter", "seen") > 299_000


def test_a_refund_callback_that_reverts():
    world, sender = callback_world("test/Moody", 300_000)
    world.settle()
    assert world.source_view().settled == 1
    assert world.source.chain.view(sender, "test/Moody", "count") == 0
    world.source.chain.call(STRANGER, sender, "test/Moody", "mend")
    data = encode_retry(world.lane_id, world.outcomes[0])
    world.source.chain.transact(RELAYER, world.source.gateway, data)
    assert world.source.chain.view(sender, "test/Moody", "count") == 1


def test_a_message_starved_of_gas():
    """With too little gas the whole delivery reverts; no gas that a relayer gives turns an execution into a failure."""
    world = EvmWorld.create(receiver="test/GasMeter")
    world.send(gas_limit=200_000)
    claim = world.claim(0, 1)

    def deliver(gas):
        return refusal_of(lambda: world.deliver(first=1, last=1, claim=claim, gas=gas))

    refusals = [deliver(gas) for gas in range(100_000, 600_000, 5_000)]
    assert set(refusals) <= {"", "GasTooLow", None, "NothingNew"}
    assert refusals.index("GasTooLow") < refusals.index(None)
    assert world.statuses() == [1]
    assert 199_000 < world.destination.chain.view(world.receiver, "test/GasMeter", "seen") <= 200_000


def test_a_receiver_that_burns_all_its_gas():
    world = EvmWorld.create(receiver="test/Burner")
    for _ in range(3):
        world.send(gas_limit=500_000)
    done = world.deliver()
    assert world.statuses() == [2, 2, 2]
    assert done.gas_used < 3 * 500_000 + 300_000


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("size", [0, 1, 31, 32, 255, 256, 257, 100_000])
def test_a_return_data_bomb(fails, size):
    world = EvmWorld.create(receiver="Idle")
    bomb = world.destination.chain.create("test/Bomb", size, fails)
    world.allow_receiver(bomb)
    world.send(b"x" * 300, receiver=bomb, gas_limit=400_000)
    world.send(b"y", gas_limit=100_000)
    done = world.deliver()
    assert world.statuses() == [2 if fails else 1, 1]
    kept = min(size, 256)
    assert world.outcomes[0].result == (b"\xff" * 32 + bytes(256))[:kept]
    assert done.gas_used < 300_000
    heads = world.destination.chain.view(world.destination.gateway, "Gateway", "heads", world.lane_id)
    assert heads[1] == world.head(1, 2)


def test_a_call_to_an_address_without_code():
    world = EvmWorld.create()
    nobody = account("nobody")
    world.allow_receiver(nobody)
    precompile = bytes(19) + b"\x04"
    world.allow_receiver(precompile)
    world.send(receiver=nobody)
    world.send(receiver=precompile)
    world.deliver()
    assert world.statuses() == [4, 4]


def test_a_false_outcome_for_a_message_never_sent():
    world = EvmWorld.create()
    other = EvmWorld.between(world.source, world.destination, channel="other")
    other.send()
    entry = Settled(other.sent[0].without_payload(), Status.EXECUTED, b"")
    head = fold_all(EVM, genesis(EVM, world.lane_id, 1), [entry.outcome_id(EVM, world.lane_id)])
    claim = replace(world.claim(1, 0), nonce=1, head=Head(head))
    with refuses("NeverSent", sent=0, claimed=1):
        world.settle(settled=[entry], claim=claim)


@pytest.mark.parametrize("nonce", [0, 1, 3, 2**64 - 1])
def test_a_claim_with_a_nonce_of_the_relayers_choice(nonce):
    """The committee would even sign it: the consumer derives the nonce itself."""
    world = EvmWorld.create()
    world.send()
    world.send()
    claim = replace(world.claim(0, 2), nonce=nonce)
    with refuses("ClaimNonceMismatch", derived=2, claimed=nonce):
        world.deliver(claim=claim, proof=b"x" if nonce == 0 else attest(world.destination, claim))


def test_suffix_ids_swallowed_as_consumed():
    world = EvmWorld.create()
    for _ in range(4):
        world.send()
    world.deliver(last=1, suffix_ids=ids_of(world, 2, 4))
    seen = world.destination.chain.view(world.destination.gateway, "Gateway", "heads", world.lane_id)
    assert world.destination_view().delivered == 1
    assert seen[2] == world.head(0, 1)
    world.deliver()
    assert world.statuses() == [1] * 4


def test_an_anchor_that_outlives_its_verifier():
    world = EvmWorld.create()
    for _ in range(3):
        world.send()
    claim = world.claim(0, 3)
    world.anchor(world.destination, 0, world.head(0, 1), ids_of(world, 2, 3), claim)
    chain = world.destination.chain
    action = administration.set_verifier(world.lane_id, make_committee(chain))
    chain.administer(world.destination.gateway, action)
    with refuses("NotAnchored"):
        world.deliver(last=1, proof=b"")


def relayed_calls(world):
    world.send()
    claim = world.claim(0, 1)
    proof = attest(world.destination, claim)
    entry = Settled(world.sent[0].without_payload(), Status.EXECUTED, b"")
    return {
        "deliver": encode_deliver(world.lane_id, world.sent, [], claim, proof),
        "settle": encode_settle(world.lane_id, [entry], [], claim, proof),
        "anchor": encode_anchor(world.lane_id, 0, claim.head, [], claim, proof),
        "retry": encode_retry(world.lane_id, entry),
    }


@pytest.mark.parametrize("name", ["deliver", "settle", "anchor", "retry"])
def test_a_caller_that_is_a_contract(name):
    world = EvmWorld.create()
    data, chain = relayed_calls(world)[name], world.destination.chain
    forwarder = chain.create("test/Forwarder")
    with refuses("NotOrigin", caller=checksummed(forwarder)):
        chain.call(RELAYER, forwarder, "test/Forwarder", "forward", world.destination.gateway, data)


@pytest.mark.parametrize("name", ["deliver", "settle", "anchor", "retry"])
def test_a_caller_still_under_construction(name):
    world = EvmWorld.create()
    data = relayed_calls(world)[name]
    with refuses("NotOrigin"):
        world.destination.chain.create("test/ConstructorCaller", world.destination.gateway, data)


def test_a_front_run_part_of_a_batch_that_reverts_the_honest_one():
    world = EvmWorld.create()
    for _ in range(5):
        world.send()
    claim = world.claim(0, 5)
    world.deliver(last=2, sender=STRANGER)
    world.deliver(first=1, last=5, claim=claim)
    assert world.statuses() == [1] * 5
    ids = [entry.outcome_id(EVM, world.lane_id) for entry in world.outcomes]
    world.settle(last=3, suffix_ids=ids[3:], sender=STRANGER)
    world.settle(first=1, last=5)
    assert world.source_view().settled == 5


def test_a_quorum_of_keys_in_one_house():
    chain = EvmChain("beta")
    house = [(key(f"house {number}"), organisation_word("house")) for number in range(4)]
    keys = [*house, (key("b"), organisation_word("b")), (key("c"), organisation_word("c"))]
    destination = make_end(chain)
    destination.committee = make_committee(chain, signers=keys, threshold=2)
    world = EvmWorld.between(make_end(EvmChain("alpha")), destination)
    world.send()
    with refuses("QuorumTooSmall", organisations=1, threshold=2):
        world.deliver(proof=attest(destination, world.claim(0, 1), signers=range(4), keys=keys))
    world.deliver(proof=attest(destination, world.claim(0, 1), signers=(0, 5), keys=keys))


def test_a_struck_signer_alive_in_the_overlap():
    world = EvmWorld.create()
    chain, committee = world.destination.chain, world.destination.committee
    world.send()
    old = attest(world.destination, world.claim(0, 1), signers=(0, 1))
    signers = [(address_of(private), organisation) for private, organisation in SIGNERS]
    chain.administer(committee, administration.add_epoch(2, signers, 2, chain.now + 3_600))
    chain.transact(GUARDIAN, committee, administration.strike(signers[1][0]))
    for proof in (old, attest(world.destination, world.claim(0, 1), epoch=2, signers=(1, 2))):
        with refuses("SignerStruckOut"):
            world.deliver(proof=proof)
    world.deliver(proof=attest(world.destination, world.claim(0, 1), signers=(0, 2)))


def test_an_expired_message_by_a_clock_in_milliseconds():
    chain = EvmChain("beta")
    destination = make_end(chain)
    destination.gateway = make_gateway(chain, time_divisor=1_000)
    world = EvmWorld.between(make_end(EvmChain("alpha")), destination)
    now = world.source.chain.now
    chain.now = now * 1_000
    world.send(expires_at=now + 60)
    world.send(expires_at=now + 61)
    chain.now = (now + 60) * 1_000 + 999
    world.deliver()
    assert world.statuses() == [3, 1]


def test_limits_that_refuse_others_messages():
    """A flood fills its sender's own limit at the source; at the destination a full window delays and refuses nobody."""
    world = EvmWorld.create()
    flooder = account("flooder")
    world.allow_sender(flooder, 5)
    for end in (world.source, world.destination):
        end.chain.now = 60 * 1_000_000
    lower = administration.lower_caps(world.lane_id, Caps(window_limit=5))
    world.destination.chain.transact(OFFICERS[0], world.destination.gateway, lower)
    for _ in range(5):
        world.send(sender=flooder)
    with refuses("SenderLimitReached"):
        world.send(sender=flooder)
    world.send(sender=SENDER)
    world.deliver(last=5)
    with refuses("WindowFull"):
        world.deliver()
    world.destination.chain.now += 60
    world.deliver()
    assert world.statuses() == [1] * 6


def test_names_that_look_alike():
    """Names are bytes on the ledger: two that look alike are two lanes, and messages of one are nothing on the other."""
    composed, decomposed = "größe", unicodedata.normalize("NFD", "größe")
    world = EvmWorld.create(channel=composed)
    gateway, chain = world.source.gateway, world.source.chain
    words = (world.lane.source, gateway, world.lane.destination, world.lane.destination_gateway)
    twin = chain.view(gateway, "Gateway", "laneIdOf", (0, "hub", "evm", *words, decomposed, bytes(20), bytes(32)))
    assert twin != world.lane_id
    with refuses("UnknownLane"):
        chain.transact(SENDER, gateway, encode_send(twin, world.receiver, b"", 0, 0, 0))


def test_an_unproven_message_from_a_stranger():
    """What a hub shows: a message that nobody sent, folded to a head of its own, under keys of its own."""
    world = EvmWorld.create()
    world.send(b"honest")
    forged = replace(world.sent[0], sender=STRANGER)
    head = fold_all(EVM, genesis(EVM, world.lane_id, 0), [forged.message_id(EVM, world.lane_id)])
    claim = replace(world.claim(0, 1), head=Head(head))
    keys = [(key("forger 1"), b""), (key("forger 2"), b"")]
    with refuses("SignatureOfAnother"):
        world.deliver(messages=[forged], claim=claim, proof=attest(world.destination, claim, keys=keys))
    with refuses("NotAnchored"):
        world.deliver(messages=[forged], claim=claim, proof=b"")
    with refuses("SignatureOfAnother"):
        world.deliver(messages=[forged], claim=claim, proof=attest(world.destination, world.claim(0, 1)))


def test_the_gateway_takes_no_value():
    world = EvmWorld.create()
    evm = world.source.chain.evm
    evm.set_balance(checksummed(DEPLOYER), 10**18)
    data = encode_send(world.lane_id, world.receiver, b"", 0, 0, 0)
    for calldata in (b"", data, administration.pause()):
        with pytest.raises(RuntimeError, match="Revert"):
            evm.message_call(checksummed(DEPLOYER), checksummed(world.source.gateway), calldata=calldata, value=1)
