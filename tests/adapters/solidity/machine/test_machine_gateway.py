"""The gateway and its committee inside the machines of ChainMaker and FISCO BCOS: the whole way of a message, and refusals."""

from dataclasses import replace

import pytest

from adapters.solidity import calldata
from adapters.solidity.contracts import back_ends, gateway_creation
from adapters.solidity.storage import head_slot
from schemas.attestation import attestation_digest
from tests.support.evm_world import GUARDIAN, OFFICERS, RELAYER, EvmWorld, attest, heads_moved, refuses
from tests.support.machine_world import PLATFORMS, PRIVATE_KEYS, chain_of, make_end


def ring(suite):
    """Every platform of a suite with itself and with the next one."""
    names = [name for name, platform in PLATFORMS.items() if platform.suite.name == suite]
    return [(name, other) for place, name in enumerate(names) for other in (name, names[(place + 1) % len(names)])]


PAIRS = [*ring("evm"), *ring("sm")]


def world_of(source, destination=None, receiver="Mailbox"):
    names = (source, destination or source)
    ends = [
        make_end(chain_of(label, PLATFORMS[name]), PLATFORMS[name]) for name, label in zip(names, "ab", strict=True)
    ]
    return EvmWorld.between(*ends, receiver=receiver)


def heads(end, lane_id):
    return end.chain.view(end.gateway, "Gateway", "heads", lane_id)


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_messages_go_the_whole_way(pair):
    world = world_of(*pair)
    source, destination = world.source, world.destination
    for number in range(3):
        world.send(b"message %d" % number)
    delivered = world.deliver()
    settled = world.settle()
    assert world.statuses() == [1, 1, 1]
    assert heads_moved(delivered, destination.gateway) == [(2, 3, world.head(0, 3)), (1, 3, world.head(1, 3))]
    assert heads_moved(settled, source.gateway) == [(3, 3, world.head(1, 3))]
    assert heads(source, world.lane_id)[0] == world.head(0, 3)
    assert heads(destination, world.lane_id)[1] == world.head(1, 3)


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if PLATFORMS[name].traits.hash_opcode == "keccak256"])
def test_heads_stand_in_the_slots_that_verifiers_compute(platform):
    world = world_of(platform)
    world.send()
    world.deliver()
    for end, direction in ((world.source, 0), (world.destination, 1)):
        assert end.chain.slot(end.gateway, head_slot(world.lane_id, direction)) == world.head(direction, 1)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_failures_expiry_and_refusals(platform):
    world = world_of(platform, receiver="Reverting")
    now = world.source.chain.now
    world.send(b"fails")
    world.send(b"too late", expires_at=now + 100)
    world.send(b"to nobody", receiver=RELAYER)
    world.destination.chain.now = now + 101
    world.deliver()
    world.settle()
    assert world.statuses() == [2, 3, 4]
    assert world.source_view().settled == 3


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_is_delivered_twice_or_without_its_committee(platform):
    world = world_of(platform)
    world.send()
    claim, end = world.claim(0, 1), world.destination
    wrong = attestation_digest(end.suite, world.source.place(), claim)
    bad = calldata.committee_proof(1, [(index, end.sign(PRIVATE_KEYS[index], wrong)) for index in (0, 1)])
    with refuses("SignatureOfAnother"):
        world.deliver(proof=bad)
    with refuses("QuorumTooSmall"):
        world.deliver(proof=attest(end, claim, signers=(0,)))
    world.deliver()
    with refuses("NothingNew"):
        world.deliver(first=1, last=1)
    assert world.destination_view().delivered == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_batch_of_a_hundred(platform):
    world = world_of(platform, receiver="Idle")
    for number in range(100):
        world.send(number.to_bytes(200, "big"))
    world.deliver()
    world.settle()
    assert world.statuses() == [1] * 100
    assert world.source_view().settled == 100
    assert heads(world.source, world.lane_id)[3] == world.head(1, 100)


# What a machine cannot do is found at deployment

UNFIT_SIGNATURES = [
    ("chainmaker", "ecrecover"),
    ("chainmaker-sm", "fisco-sm2"),
    ("fisco2-sm", "chainmaker-sm2"),
    ("fisco3", "chainmaker-sm2"),
]


@pytest.mark.parametrize(("platform", "signatures"), UNFIT_SIGNATURES)
def test_a_way_to_check_signatures_that_the_machine_has_not(platform, signatures):
    fit = PLATFORMS[platform]
    with refuses("SignatureBackendFails"):
        make_end(chain_of("unfit", fit), replace(fit, signatures=signatures))


@pytest.mark.parametrize(
    ("platform", "suite", "refusal"),
    [
        ("fisco2-sm", "evm", "HashNotKeccak"),
        ("fisco3-sm", "evm", "HashNotKeccak"),
        ("chainmaker", "sm", "HashNotSm3"),
        ("fisco2", "sm", "HashNotSm3"),
    ],
)
def test_a_suite_that_the_machine_does_not_hash(platform, suite, refusal):
    chain = chain_of("unfit", PLATFORMS[platform])
    creation = gateway_creation(chain_word=chain.word, officers=OFFICERS, guardian=GUARDIAN, delay_s=0, suite=suite)
    with refuses(refusal):
        chain.deploy(creation)


@pytest.mark.parametrize("platform", ["chainmaker", "chainmaker-sm"])
def test_a_hash_by_a_contract_that_is_not_there(platform):
    chain = chain_of("unfit", PLATFORMS[platform])
    ((_, creation),) = back_ends(hashing="fisco2")
    with refuses("HashNotSm3"):
        chain.deploy(creation)


def test_keys_of_another_curve_are_refused_before_they_bring_a_node_down():
    fit = PLATFORMS["chainmaker-sm"]

    class Mistaken(type(fit)):
        def public_key(self, private):
            return PLATFORMS["chainmaker"].public_key(private)

    mistaken = Mistaken(fit.traits, fit.suite, fit.signatures, fit.hashing, fit.named, fit.units)
    with refuses("KeyUnfit"):
        make_end(chain_of("unfit", fit), mistaken)


def test_a_gateway_knows_its_name_on_chainmaker():
    fit = PLATFORMS["chainmaker"]
    chain = chain_of("names", fit)
    end = make_end(chain, fit)
    assert [name.startswith(b"relayhub_names_") for name in end.names] == [True, True]
    assert end.place().gateway == end.names[0]
    creation = gateway_creation(
        chain_word=chain.word, officers=OFFICERS, guardian=GUARDIAN, delay_s=0, self_name=b"relayhub_names_98"
    )
    with refuses("NameOfAnother"):
        chain.deploy(creation, b"relayhub_names_99")
