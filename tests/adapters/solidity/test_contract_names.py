"""On ledgers that name contracts a gateway and a committee are known by their names, and are deployed only under them."""

import pyrevm
import pytest

from adapters.solidity import administration
from adapters.solidity.calldata import encode_send
from adapters.solidity.contracts import committee_creation, contract, gateway_creation
from adapters.solidity.events import MESSAGE_SENT
from light_clients.crypto.secp256k1 import address_of
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.lane import Lane
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.evm_world import GUARDIAN, OFFICERS, SENDER, SIGNERS, EvmChain, checksummed, refuses

NAME = b"relayhub_gateway_1a2b3c4d5e"
CLAIM = Claim(
    LaneId(keccak256(b"lane")), Direction.OUTBOX, 5, Head(keccak256(b"head")), 9, BlockHash(keccak256(b"block"))
)


def named_address(name):
    return keccak256(keccak256(name))[12:]


def deploy_named(chain, name, creation):
    """Deploy as a ledger with names does, at the name's address: by code at that address that runs the constructor."""
    address = named_address(name)
    chain.evm.insert_account_info(checksummed(address), pyrevm.AccountInfo(nonce=1, code=creation))
    runtime = chain.transact(OFFICERS[0], address, b"").output
    chain.evm.insert_account_info(checksummed(address), pyrevm.AccountInfo(nonce=1, code=runtime))
    return address


def gateway(chain, name, guardian=GUARDIAN):
    people = {"officers": OFFICERS, "guardian": guardian, "delay_s": 0}
    return gateway_creation(chain_word=chain.word, **people, self_name=name)


def committee(chain, name, guardian=GUARDIAN):
    people = {"officers": OFFICERS, "guardian": guardian, "delay_s": 0}
    signers = [(address_of(private), organisation) for private, organisation in SIGNERS]
    return committee_creation(chain_word=chain.word, **people, signers=signers, threshold=2, self_name=name)


def opening(chain, source, peer=b"peer"):
    return Lane("hub", EVM, chain.word, source, EvmChain("beta").word, peer, "main")


def test_a_named_gateway_stands_in_lanes_by_its_name():
    chain = EvmChain("alpha")
    address = deploy_named(chain, NAME, gateway(chain, NAME))
    verifier = chain.create("test/StubVerifier")
    lane = opening(chain, NAME)
    caps = administration.Caps()
    chain.administer(address, administration.open_lane(lane, 0, verifier, bytes(31) + b"\x01", caps))
    assert chain.view(address, "Gateway", "lane", lane.lane_id)[0] is True
    by_address = opening(chain, address)
    with refuses("NotOurEnd"):
        chain.administer(address, administration.open_lane(by_address, 0, verifier, bytes(31) + b"\x01", caps))


def test_a_named_committee_signs_for_its_name():
    chain = EvmChain("alpha")
    address = deploy_named(chain, NAME, committee(chain, NAME))
    spoken = (CLAIM.lane_id, 0, CLAIM.nonce, CLAIM.head, CLAIM.height, CLAIM.block_hash)
    digest = chain.view(address, "CommitteeVerifier", "digest", keccak256(b"gateway"), 1, spoken)
    assert digest == attestation_digest(EVM, Place(chain.word, b"gateway", NAME, 1), CLAIM)


@pytest.mark.parametrize("creation", [gateway, committee])
def test_another_contracts_name_is_refused(creation):
    chain = EvmChain("alpha")
    code = creation(chain, NAME)
    with refuses("NameOfAnother", named=checksummed(named_address(NAME))):
        chain.deploy(code)
    with refuses("NameOfAnother"):
        deploy_named(chain, NAME + b"f", code)


def test_a_gateway_without_a_name_is_its_address():
    chain = EvmChain("alpha")
    address = chain.deploy(gateway(chain, b""))
    verifier = chain.create("test/StubVerifier")
    lane = opening(chain, address)
    chain.administer(address, administration.open_lane(lane, 0, verifier, bytes(31) + b"\x01", administration.Caps()))
    assert contract("Gateway").name == "Gateway"
    assert chain.view(address, "Gateway", "lane", lane.lane_id)[0] is True


def test_administration_of_named_contracts_takes_keys_only():
    """A lock does not hold where frames do not see each other's writes, so no contract administers there."""
    chain = EvmChain("alpha")
    forwarder = chain.create("test/Forwarder")
    strike = administration.strike(address_of(SIGNERS[0][0]))
    for creation, call in ((gateway, administration.pause()), (committee, strike)):
        named = deploy_named(chain, NAME, creation(chain, NAME, forwarder))
        plain = chain.deploy(creation(chain, b"", forwarder))
        with refuses("NotOrigin"):
            chain.call(OFFICERS[0], forwarder, "test/Forwarder", "forward", named, call)
        chain.transact(OFFICERS[0], named, call)
        chain.call(OFFICERS[0], forwarder, "test/Forwarder", "forward", plain, call)


def test_what_was_sent_is_kept_where_contracts_have_names():
    chain = EvmChain("alpha")
    named, plain = deploy_named(chain, NAME, gateway(chain, NAME)), chain.deploy(gateway(chain, b""))
    verifier = chain.create("test/StubVerifier")
    for address, name in ((named, NAME), (plain, plain)):
        lane = opening(chain, name)
        caps = administration.Caps()
        chain.administer(address, administration.open_lane(lane, 0, verifier, bytes(31) + b"\x01", caps))
        chain.administer(address, administration.allow_sender(lane.lane_id, SENDER, 10))
        for nonce, payload in enumerate((b"", b"short", bytes(range(200)), b"x" * 4_000), 1):
            done = chain.transact(SENDER, address, encode_send(lane.lane_id, bytes(20), payload, 9, 0, 0))
            ((_, topics, data),) = done.logs
            assert topics[0] == MESSAGE_SENT
            kept = chain.view(address, "Gateway", "sentData", lane.lane_id, nonce)
            assert kept == (data if address == named else b"")
        assert chain.view(address, "Gateway", "sentData", lane.lane_id, 5) == b""
