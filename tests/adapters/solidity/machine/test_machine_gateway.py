"""The gateway and its committee inside the machines of ChainMaker and FISCO BCOS: the whole way of a message."""

import pytest

from adapters.solidity import calldata
from adapters.solidity.contracts import committee_creation
from adapters.solidity.machine import platforms
from adapters.solidity.storage import head_slot
from light_clients.crypto.secp256k1 import address_of
from schemas.attestation import attestation_digest
from schemas.suites import EVM
from tests.support.evm_world import (
    GUARDIAN,
    OFFICERS,
    RELAYER,
    SIGNERS,
    attest,
    heads_moved,
    refuses,
    sign,
)
from tests.support.machine_chain import (
    PLATFORMS,
    MachineChain,
    machine_end,
    machine_world,
    platform_chain,
    platform_world,
)

PAIRS = [(one, one) for one in PLATFORMS] + [("chainmaker 2.3.2", "fisco 2.9"), ("fisco 3.16", "chainmaker 2.3.2")]


def heads(end, lane_id):
    return end.chain.view(end.gateway, "Gateway", "heads", lane_id)


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_messages_go_the_whole_way(pair):
    source, destination = (
        machine_end(platform_chain(platform, name)) for platform, name in zip(pair, "ab", strict=True)
    )
    world = machine_world(source, destination)
    for number in range(3):
        world.send(b"message %d" % number)
    delivered = world.deliver()
    settled = world.settle()
    assert world.statuses() == [1, 1, 1]
    assert heads_moved(delivered, destination.gateway) == [(2, 3, world.head(0, 3)), (1, 3, world.head(1, 3))]
    assert heads_moved(settled, source.gateway) == [(3, 3, world.head(1, 3))]
    assert heads(source, world.lane_id)[0] == world.head(0, 3)
    assert heads(destination, world.lane_id)[1] == world.head(1, 3)
    assert source.chain.slot(source.gateway, head_slot(world.lane_id, 0)) == world.head(0, 3)
    assert destination.chain.slot(destination.gateway, head_slot(world.lane_id, 1)) == world.head(1, 3)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_failures_expiry_and_refusals(platform):
    world = platform_world(platform, receiver="Reverting")
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
    world = platform_world(platform)
    world.send()
    claim = world.claim(0, 1)
    wrong = attestation_digest(EVM, world.source.place(), claim)
    bad = calldata.committee_proof(1, [(index, sign(SIGNERS[index][0], wrong)) for index in (0, 1)])
    with refuses("SignatureOfAnother"):
        world.deliver(proof=bad)
    with refuses("QuorumTooSmall"):
        world.deliver(proof=attest(world.destination, claim, signers=(0,)))
    world.deliver()
    with refuses("NothingNew"):
        world.deliver(first=1, last=1)
    assert world.destination_view().delivered == 1


def test_a_machine_that_recovers_nobody_refuses_a_committee_that_recovers():
    chain = MachineChain("stub", platforms.CHAINMAKER_2_3_2)
    with refuses("SignatureBackendFails"):
        machine_end(chain)


def test_a_gateway_knows_its_name_on_chainmaker():
    chain = platform_chain("chainmaker 2.3.2", "names")
    end = machine_end(chain)
    assert end.gateway.startswith(b"relayhub_names_")
    mine = committee_creation(
        chain_word=chain.word,
        officers=OFFICERS,
        guardian=GUARDIAN,
        delay_s=0,
        signers=[(address_of(private), organisation) for private, organisation in SIGNERS],
        threshold=2,
        self_name=b"relayhub_names_9",
        signatures="ecrecover",
    )
    with refuses("NameOfAnother"):
        chain.deploy(mine, b"relayhub_names_8")


@pytest.mark.parametrize("traits", [platforms.FISCO_2_9_SM, platforms.FISCO_3_16_SM])
def test_a_machine_that_hashes_with_sm3_refuses_the_gateway_of_the_other_suite(traits):
    with refuses("HashNotKeccak"):
        machine_end(MachineChain("sm", traits, unit=1000))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_batch_of_a_hundred(platform):
    world = platform_world(platform)
    for number in range(100):
        world.send(number.to_bytes(200, "big"))
    world.deliver()
    world.settle()
    assert world.statuses() == [1] * 100
    assert world.source_view().settled == 100
    assert heads(world.source, world.lane_id)[3] == world.head(1, 100)
