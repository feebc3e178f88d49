"""The gateway inside the machines of ChainMaker and FISCO BCOS: golden vectors, whole lanes, back-ends and their refusals."""

import dataclasses
import json
from pathlib import Path

import pytest
from eth_abi import decode, encode

from adapters.solidity import administration
from adapters.solidity.calldata import committee_proof
from adapters.solidity.contracts import back_ends, contract
from adapters.solidity.machine import platforms
from light_clients.crypto import sm2
from schemas.attestation import attestation_digest
from schemas.suites import EVM, SM, keccak256, sm3
from tests.support.evm_world import STRANGER, EvmChain, EvmWorld, key, refuses
from tests.support.machine_world import PLATFORMS, PRIVATE_KEYS, Platform, chain_of, make_end
from tests.support.shared_vectors import shared_json

VECTORS = Path(__file__).parents[2] / "vectors" / "golden"
GOLDEN = {name: json.loads((VECTORS / f"{name}.json").read_text()) for name in ("evm", "sm")}
SM2_PLATFORMS = [name for name, platform in PLATFORMS.items() if platform.sm2]
WORDS = {
    **{name: platform for name, platform in PLATFORMS.items() if platform.suite is SM},
    "ordinary": Platform(platforms.FISCO_3_16, SM, "ecrecover", "solidity"),
    "chainmaker": PLATFORMS["chainmaker"],
}
PARTNERS = {
    "chainmaker": "fisco2",
    "fisco2": "fisco3",
    "fisco3": "chainmaker",
    "chainmaker-sm": "fisco2-sm",
    "fisco2-sm": "fisco3-sm",
    "fisco3-sm": "chainmaker-sm",
    "fisco2-lane-sm": "fisco3-sm",
    "fisco3-lane-sm": "chainmaker-sm",
}


def raw(text):
    return bytes.fromhex(text.removeprefix("0x"))


# Golden vectors


@pytest.fixture(scope="module", params=WORDS)
def words(request):
    """The protocol's hashes in one machine: a function that asks, and the vectors of its suite."""
    platform = WORDS[request.param]
    chain = chain_of("words", platform)
    libraries = [chain.deploy(code) for _, code in back_ends(hashing=platform.hashing)]
    name = "test/WordsHarnessSm" if platform.suite is SM else "test/WordsHarness"
    arguments = (libraries or [bytes(20)]) if platform.suite is SM else []
    address = chain.deploy(contract(name).creation_code(*arguments))
    return platform.suite, lambda function, *values: chain.view(address, name, function, *values)


def test_golden_lanes(words):
    suite, ask = words
    for vector in GOLDEN[suite.name]["lanes"]:
        ends = [raw(vector[end]) for end in ("source", "source_gateway", "destination", "destination_gateway")]
        lane_id = ask("nameLane", vector["hub"], *ends, vector["channel"])
        assert lane_id == raw(vector["lane_id"])
        assert ask("outcomesGenesis", lane_id) == raw(vector["outcomes_genesis"])


def test_golden_messages_and_outcomes(words):
    suite, ask = words
    for vector in GOLDEN[suite.name]["messages"]:
        fields = vector["message"]
        numbers = [int(fields[name]) for name in ("nonce", "expires_at", "gas_limit", "callback_gas", "payload_length")]
        ends = raw(fields["sender"]), raw(fields["receiver"])
        message = (numbers[0], *ends, *numbers[1:], raw(fields["payload_hash"]), b"")
        assert ask("entries", raw(vector["lane_id"]), [(message, 1, b"")])[0][0] == raw(vector["message_id"])
    for vector in GOLDEN[suite.name]["outcomes"]:
        fields = vector["outcome"]
        values = raw(fields["message_id"]), fields["status"], raw(fields["result"])
        assert ask("outcome", *values) == raw(vector["outcome_id"])


def test_golden_heads_and_attestations(words):
    suite, ask = words
    for vector in GOLDEN[suite.name]["folds"]:
        for count, head in enumerate(vector["heads"], 1):
            assert ask("foldAll", raw(vector["start"]), [raw(one) for one in vector["ids"][:count]]) == raw(head)
    for vector in GOLDEN[suite.name]["attestations"]:
        place, claim = vector["place"], vector["claim"]
        names = suite.hash(raw(place["gateway"])), suite.hash(raw(place["verifier"]))
        spoken = (
            *(raw(claim["lane_id"]), claim["direction"], int(claim["nonce"]), raw(claim["head"])),
            *(int(claim["height"]), raw(claim["block_hash"])),
        )
        digest = ask("attestation", raw(place["chain"]), *names, int(place["epoch"]), spoken)
        assert digest == raw(vector["digest"])


# Lanes


def world_of(*names):
    chosen = [PLATFORMS[name] for name in names]
    return EvmWorld.between(*(make_end(chain_of(f"end{end}", one), one) for end, one in enumerate(chosen)))


@pytest.mark.parametrize("first", PARTNERS)
def test_messages_travel_between_unlike_machines(first):
    world = world_of(first, PARTNERS[first])
    world.send(b"one")
    world.send(bytes(300), receiver=STRANGER)
    world.send(b"three", expires_at=world.source.chain.now + 100)
    world.destination.chain.now += 200
    world.deliver()
    world.settle()
    assert world.statuses() == [1, 4, 3]
    assert world.source_view().settled == 3
    world.send(b"four")
    world.deliver()
    world.settle()
    assert world.source_view().settled == 4


@pytest.mark.parametrize("name", PLATFORMS)
def test_officers_change_on_every_machine(name):
    platform = PLATFORMS[name]
    end = make_end(chain_of(name, platform), platform)
    officers = end.chain.view(end.gateway, "Gateway", "officers")
    action = administration.replace_officer(raw(officers[0]), STRANGER)
    number = administration_by(end, action, officers[1:])
    assert number == 1
    assert end.chain.view(end.gateway, "Gateway", "officers") == ("0x" + STRANGER.hex(), *officers[1:])


def administration_by(end, action, officers):
    one, two = map(raw, officers)
    end.chain.transact(one, end.gateway, administration.propose(action))
    number = end.chain.view(end.gateway, "Gateway", "proposals")
    end.chain.transact(two, end.gateway, administration.approve(number))
    end.chain.transact(two, end.gateway, administration.execute(number, action))
    return number


# SM2


@pytest.fixture(scope="module", params=SM2_PLATFORMS)
def sm2_end(request):
    platform = PLATFORMS[request.param]
    chain = chain_of(request.param, platform)
    ((name, creation),) = back_ends(platform.signatures)
    return chain, name, chain.deploy(creation)


def judged(sm2_end, public_key, digest, signature):
    chain, name, address = sm2_end
    kept = chain.view(address, name, "prepare", public_key)
    return chain.view(address, name, "verify", digest, signature, kept)


def test_sm2_signatures(sm2_end):
    for number in range(12):
        private, digest = key(f"sm2 {number}"), keccak256(bytes([number]))
        public_key, signature = sm2.public_key_of(private), sm2.sign(private, digest)
        assert judged(sm2_end, public_key, digest, signature)
        assert not judged(sm2_end, public_key, keccak256(digest), signature)
        assert not judged(sm2_end, sm2.public_key_of(key("another")), digest, signature)
        place = 5 * number + 1
        bent = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        assert not judged(sm2_end, public_key, digest, bent)


def test_the_key_of_the_standards_example_is_taken(sm2_end):
    example = shared_json("sm/sm2_gbt32918_5.json")
    private = bytes.fromhex(example["private_key"])
    public_key = bytes.fromhex(example["public_x"] + example["public_y"])
    assert judged(sm2_end, public_key, bytes(32), sm2.sign(private, bytes(32)))


def test_short_numbers_are_encoded_shortly(sm2_end):
    """Signatures whose r or s begins with zeros, or would look negative: every form of a DER integer."""
    private, seen = key("short"), set()
    public_key = sm2.public_key_of(private)
    for number in range(600):
        digest = number.to_bytes(32, "big")
        signature = sm2.sign(private, digest)
        forms = {("r", _form(signature[0:2])), ("s", _form(signature[32:34]))}
        if not forms <= seen:
            assert judged(sm2_end, public_key, digest, signature)
            seen |= forms
    assert len(seen) >= 5


def _form(head):
    return "short" if head[0] == 0 else "negative" if head[0] >= 0x80 else "plain"


def test_numbers_out_of_range_are_nobodys(sm2_end):
    digest, private = keccak256(b"range"), key("range")
    public_key, signature = sm2.public_key_of(private), sm2.sign(private, digest)
    for word in (bytes(32), sm2.ORDER.to_bytes(32, "big"), b"\xff" * 32):
        assert not judged(sm2_end, public_key, digest, word + signature[32:])
        assert not judged(sm2_end, public_key, digest, signature[:32] + word)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_an_sm2_signature_has_64_bytes(sm2_end, size):
    chain, name, address = sm2_end
    kept = chain.view(address, name, "prepare", sm2.public_key_of(key("size")))
    with refuses("SignatureMalformed"):
        chain.view(address, name, "verify", bytes(32), bytes(size), kept)


def test_only_points_of_the_sm2_curve_are_keys(sm2_end):
    """A secp256k1 key brings ChainMaker's node down: it never gets there."""
    chain, name, address = sm2_end
    other = PLATFORMS["chainmaker"].public_key(key("other curve"))
    good = sm2.public_key_of(key("good"))
    for bad in (other, b"", bytes(64), good[:63], good + b"\x00", b"\x04" + good, good[:63] + bytes([good[63] ^ 1])):
        with refuses("KeyUnfit"):
            chain.view(address, name, "prepare", bad)


@pytest.mark.parametrize("name", SM2_PLATFORMS)
def test_a_committee_of_sm2_signers(name):
    platform = PLATFORMS[name]
    world = world_of(name, name)
    end = world.destination
    account = platform.account(PRIVATE_KEYS[0])
    assert end.chain.view(end.committee, "CommitteeVerifierSm", "keyOf", account) == platform.public_key(
        PRIVATE_KEYS[0]
    )
    assert end.chain.view(end.committee, "CommitteeVerifierSm", "signatureScheme") == "sm2"
    world.send(b"one")
    claim = world.claim(0, 1)
    digest = attestation_digest(SM, end.place(), claim)
    good = [sm2.sign(private, digest) for private in PRIVATE_KEYS]
    with refuses("SignatureOfAnother"):
        world.deliver(proof=committee_proof(1, [(0, good[1]), (1, good[0])]))
    with refuses("ProofNotCanonical"):
        world.deliver(proof=committee_proof(1, [(0, good[0] + b"\x1b"), (1, good[1] + b"\x1b")]))
    with refuses("QuorumTooSmall"):
        world.deliver(proof=committee_proof(1, [(2, good[2])]))
    world.deliver(proof=committee_proof(1, [(1, good[1]), (2, good[2])]))
    assert world.statuses() == [1]


# What a machine cannot do is refused at deployment


def test_a_stub_for_ecrecover_is_refused():
    platform = dataclasses.replace(PLATFORMS["chainmaker"], signatures="ecrecover")
    with refuses("SignatureBackendFails"):
        make_end(chain_of("chainmaker", platform), platform)


@pytest.mark.parametrize("signatures", ["chainmaker-sm2", "fisco-sm2"])
def test_a_node_without_sm2_is_refused(signatures):
    ((_, creation),) = back_ends(signatures)
    with refuses("SignatureBackendFails"):
        EvmChain("ordinary").deploy(creation)


@pytest.mark.parametrize("lie", [b"", (1).to_bytes(32, "big")])
def test_a_precompile_that_says_yes_to_everything_is_refused(lie):
    traits = dataclasses.replace(platforms.CHAINMAKER_2_3_2, precompiles={platforms.CHAINMAKER_VERIFY: lambda _: lie})
    platform = dataclasses.replace(PLATFORMS["chainmaker-sm"], traits=traits)
    ((_, creation), *_) = back_ends("chainmaker-sm2")
    with refuses("SignatureBackendFails"):
        chain_of("liar", platform).deploy(creation)


def test_a_ledger_without_the_hash_contract_is_refused():
    ((_, creation),) = back_ends(hashing="fisco3")
    with refuses("HashNotSm3"):
        EvmChain("ordinary").deploy(creation)


def test_an_sm_machine_takes_no_gateway_of_the_other_suite():
    platform = dataclasses.replace(PLATFORMS["fisco3-sm"], suite=EVM)
    with refuses("HashNotKeccak"):
        make_end(chain_of("sm", platform), platform)


def test_the_other_form_of_fiscos_sm2verify():
    """(bytes message, bytes r ‖ s ‖ key), as some versions have it."""

    def verify(data):
        if data[:4] == sm3(b"sm3(bytes)")[:4]:
            return sm3(decode(["bytes"], data[4:])[0])
        if data[:4] != sm3(b"sm2Verify(bytes,bytes)")[:4]:
            return None
        message, signature = decode(["bytes", "bytes"], data[4:])
        good = sm2.verify(signature[64:], message, signature[:64])
        return encode(["bool", "address"], [good, sm3(signature[64:])[12:] if good else bytes(20)])

    traits = dataclasses.replace(platforms.FISCO_3_16_SM, precompiles={platforms.FISCO_3_CRYPTO: verify})
    platform = dataclasses.replace(PLATFORMS["fisco3-sm"], traits=traits)
    world = EvmWorld.between(*(make_end(chain_of(name, platform), platform) for name in ("alpha", "beta")))
    world.send(b"one")
    world.deliver()
    assert world.statuses() == [1]
