"""The named vectors of tests/vectors/qbft on the ledger: what Python refuses by name is refused here by a name of its own."""

from dataclasses import replace

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.solidity import verifiers
from adapters.solidity.contracts import contract
from light_clients.bft.checks import check_form
from light_clients.bft.types import is_validator_set
from light_clients.errors import LightClientError
from light_clients.proofs.gateway import SlotEvidence, head_slot
from light_clients.qbft.codec import parse_header
from light_clients.qbft.signed import signed_form
from schemas.claim import Claim
from schemas.primitives import LaneId
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.evm_world import STRANGER, EvmChain, Refused, refusal_of, refuses
from tests.support.light_client_world import LightClient, signed, taken_apart
from tests.support.vectors import VECTORS, load_json, unhex

GENESIS = chain.first_spec()
PARENT = chain.next_spec(GENESIS)
GOOD = chain.next_spec(PARENT)
FOLDER = VECTORS / "qbft"


def named(kind):
    paths = sorted(FOLDER.rglob(f"{kind}_*.json"))
    return {path.stem.removeprefix(f"{kind}_"): load_json("qbft", path.parent.name, path.name) for path in paths}


HEADERS, CLAIMS = named("headers"), named("claims")
READING = {"RlpMalformed", "HeaderMalformed", "ExtraMalformed", "SealMalformed", "ValidatorsUnfit"}
"""Refusals of what cannot be read at all."""
EXPECTED = {
    "accepted": {None},
    "proposer_is_a_stranger": {"ProposerUnfit"},
    "two_seals_of_four": {"SealsTooFew"},
    "no_seals": {"SealsTooFew"},
    "foreign_seal": {"SealForeign"},
    "foreign_seal_beside_a_quorum": {"SealForeign"},
    "five_seals_of_four": {"SealForeign"},
    "duplicate_seal": {"SealRepeated"},
    "duplicate_seal_beside_a_quorum": {"SealRepeated"},
    "sealed_in_another_round": {"SealForeign"},
    "content_changed_after_sealing": {"SealForeign"},
    "seal_with_zero_r": {"SealForeign"},
    "set_grows_without_votes": {"ValidatorsUnexpected"},
    "set_shrinks_without_votes": {"ValidatorsUnexpected"},
    "set_replaced_without_votes": {"ValidatorsUnexpected"},
    "no_validators_listed": {"ValidatorsUnfit"},
    "ahead_of_our_clock": {"HeaderAhead"},
    "client_expired": {"ClientExpired"},
    "gap": {"RunBroken"},
    "behind": {"RunBroken"},
    "wrong_parent": {"RunBroken"},
    "time_stands_still": {None},  # the ledger's client takes blocks of one second too
    "client_frozen": {"ClientIsFrozen"},
}
CHANGING = {
    "sealed_by_a_removed_validator",
    "old_set_after_a_removal",
    "three_seals_of_six",
    "last_validator_voted_out",
}
"""Vectors that need another ledger than the one of four; tests of runs hold them."""


def beside(header):
    """The header without its seals and the seals, also where Python cannot read it."""
    try:
        items = rlp.decode(header)
        extra = rlp.decode(items[12])
        seals, extra[4] = extra[4], []
    except (rlp.DecodingError, IndexError):
        return broken(header)
    return rlp.encode([*items[:12], rlp.encode(extra), *items[13:]]), seals


def broken(header):
    """Bytes that are no list of items: the same defect in the header without seals."""
    good = GOOD.signed()
    if header == GOOD.sealed() + b"\x00":
        return good + b"\x00", GOOD.seals()
    if header == GOOD.sealed()[:-1]:
        return good[:-1], GOOD.seals()
    items = rlp.decode(header)
    assert items[12] == b"\x80"
    return header, GOOD.seals()


@pytest.mark.parametrize("name", sorted(set(HEADERS) - CHANGING))
def test_headers_are_judged_as_python_judges_them(name):
    vector = HEADERS[name]
    client = LightClient(GENESIS).at(vector["now"])
    if name == "client_expired":
        client.at(GENESIS.timestamp + 14 * 24 * 3600)
    else:
        client.follow(signed(PARENT))
    if name == "client_frozen":
        client.freeze(signed(GOOD), signed(replace(GOOD, state_root=keccak256(b"rival"))))
    header = beside(unhex(vector["header"]))
    judged = refusal_of(lambda: client.follow(header, fresh=False)) if name != "client_expired" else None
    judged = judged or refusal_of(lambda: client.update(header))
    assert judged in EXPECTED.get(name, READING)


def test_every_vector_of_a_header_is_judged():
    reading = {
        name
        for name, vector in HEADERS.items()
        if vector["error"]
        in {
            "RlpTrailingBytes",
            "RlpTruncated",
            "RlpNotCanonical",
            "HeaderFieldInvalid",
            "ExtraDataInvalid",
            "VoteInvalid",
            "RoundOutOfBounds",
            "VanityInvalid",
            "MixHashInvalid",
            "DifficultyInvalid",
            "ValidatorsNotAscending",
            "SignatureRecoveryId",
        }
    }
    assert set(HEADERS) == reading | set(EXPECTED) | CHANGING


# Claims

CLAIMED = {
    "accepted": None,
    "accepted_outcomes": None,
    "client_frozen": "ClientIsFrozen",
    "zero_head": "ClaimMalformed",
    "nonce_zero": "ClaimMalformed",
    "direction_2": "ClaimMalformed",
    "height_not_reached": "ClaimHeightMismatch",
    "header_of_another_block": "ClaimBlockMismatch",
    "header_of_another_height": "ClaimHeightMismatch",
    "gateway_absent": "AccountAbsent",
    "code_replaced": "CodeHashMismatch",
    "lane_not_open": "HeadNotProved",
    "head_of_another_entry": "HeadNotProved",
    "slot_of_the_other_direction": "ProofNodeMismatch",
    "another_lane": "ProofNodeMismatch",
    "account_proof_cut": "ProofIncomplete",
    "account_proof_extended": "ProofNodesUnused",
    "account_proof_reordered": "ProofNodeMismatch",
    "storage_proof_cut": "ProofIncomplete",
    "storage_proof_extended": "ProofNodesUnused",
    "storage_proof_reordered": "ProofNodeMismatch",
    "storage_proof_empty": "ProofIncomplete",
    "rival_of_the_accepted_block": None,  # who holds the seals of both proves misbehaviour; the ledger keeps no window
    "height_before_the_pin": "ClaimHeightMismatch",
}


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_claims_are_judged_as_python_judges_them(name):
    vector = CLAIMS[name]
    fields = {key: unhex(value) if isinstance(value, str) else value for key, value in vector["claim"].items()}
    evidence = SlotEvidence.from_bytes(unhex(vector["evidence"]))
    client = LightClient(GENESIS)
    client.at(GENESIS.timestamp + 500)
    if name == "client_frozen":
        client.freeze(signed(GOOD), signed(replace(GOOD, state_root=keccak256(b"rival"))))
    header = taken_apart(evidence.header)
    proof = verifiers.qbft_proof(header, evidence.account_proof, evidence.storage_proof)
    spoken = tuple(fields[key] for key in ("lane_id", "direction", "nonce", "head", "height", "block_hash"))
    words = (keccak256(b"our gateway"), unhex(vector["gateway"]), unhex(vector["code_hash"]), spoken, proof)
    assert refusal_of(lambda: client.view("verify", *words)) == CLAIMED[name]


# Reading and judging, mutated


class Reader:
    def __init__(self):
        self.chain = EvmChain("alpha")
        self.address = self.chain.create("test/ProofHarness")

    def read(self, header):
        interface = contract("test/ProofHarness")
        done = self.chain.transact(STRANGER, self.address, interface.encode("read", header))
        return interface.decode("read", done.output)[0]


@pytest.fixture(scope="module")
def reader():
    return Reader()


LATER = (7, keccak256(b"withdrawals"), 131072, 0, keccak256(b"beacon"), keccak256(b"requests"))
VOTES = (None, (chain.address("e"), True), (chain.address("e"), False))


def read_by_python(header):
    parsed = parse_header(header)
    vote = parsed.extra.vote
    return (
        bytes(parsed.parent_hash),
        "0x" + parsed.proposer.hex(),
        bytes(parsed.state_root),
        parsed.height,
        parsed.timestamp,
        bytes(parsed.block_hash),
        bytes(parsed.seal_digest),
        tuple("0x" + validator.hex() for validator in parsed.extra.validators),
        verifiers.validators_hash(parsed.extra.validators),
        vote is not None,
        "0x" + (vote[0] if vote else bytes(20)).hex(),
        bool(vote and vote[1]),
    )


@pytest.mark.parametrize("vote", VOTES, ids=["no vote", "add", "drop"])
@pytest.mark.parametrize("round_number", [0, 1, 127, 128, 255, 256, 2**31 - 1])
@pytest.mark.parametrize("later", range(7))
def test_every_field_is_read_as_python_reads_it(reader, vote, round_number, later):
    spec = replace(GOOD, vote=vote, round=round_number, later=LATER[:later])
    assert reader.read(spec.signed()) == read_by_python(spec.signed())


@pytest.mark.parametrize("size", [1, 2, 3, 22, 256])
def test_sets_of_any_size_are_read(reader, size):
    labels = chain.ascending(tuple(f"v{number}" for number in range(size)))
    spec = replace(GOOD, validators=labels, round=300)
    assert reader.read(spec.signed()) == read_by_python(spec.signed())


def test_larger_sets_are_not_read(reader):
    listed = tuple(number.to_bytes(20, "big") for number in range(1, 258))
    assert refusal_of(lambda: reader.read(replace(GOOD, listed=listed).signed())) == "ValidatorsUnfit"


SIZES = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8, 16: 32, 19: 32, 20: 32}
WIDTHS = {7: 32, 8: 8, 9: 32, 10: 32, 11: 8, 15: 32, 17: 32, 18: 32}
FULL = rlp.decode(replace(GOOD, later=LATER).signed())


def with_item(index, item):
    return rlp.encode([*FULL[:index], item, *FULL[index + 1 :]])


@pytest.mark.parametrize("index", SIZES)
def test_every_item_of_a_header_has_its_size(reader, index):
    item = FULL[index]
    for bad in (item + b"\x01", item[:-1], b"", [item]):
        with refuses("HeaderMalformed", item=index):
            reader.read(with_item(index, bad))
    assert len(item) == SIZES[index]


@pytest.mark.parametrize("index", WIDTHS)
def test_every_number_of_a_header_is_an_integer_of_its_width(reader, index):
    widest = b"\xff" * WIDTHS[index]
    for bad in (widest + b"\xff", b"\x00\x01", b"\x00", [b"\x01"]):
        with refuses("RlpMalformed"):
            reader.read(with_item(index, bad))
    if index == 7:
        with refuses("HeaderMalformed", item=7):
            reader.read(with_item(index, widest))
    else:
        assert reader.read(with_item(index, widest))


def test_the_extra_data_is_a_string_and_the_mark_is_the_mark(reader):
    for index, bad in ((12, [FULL[12]]), (13, bytes(32))):
        with refuses("HeaderMalformed", item=index):
            reader.read(with_item(index, bad))
    with refuses("HeaderMalformed", item=21):
        reader.read(rlp.encode([*FULL, b""]))


VANITY, LISTED = bytes(32), chain.addresses(GOOD.validators)
SUBJECT = chain.address("e")
EXTRAS = {
    "vanity of 33 bytes": ([VANITY + b"\x00", LISTED, [], b"", []], "ExtraMalformed"),
    "vanity is a list": ([[VANITY], LISTED, [], b"", []], "ExtraMalformed"),
    "validators are a string": ([VANITY, b"".join(LISTED), [], b"", []], "ExtraMalformed"),
    "a validator of 19 bytes": ([VANITY, [*LISTED[:3], LISTED[3][:19]], [], b"", []], "ExtraMalformed"),
    "a validator is a list": ([VANITY, [[b"v" * 20]], [], b"", []], "ExtraMalformed"),
    "no validators": ([VANITY, [], [], b"", []], "ValidatorsUnfit"),
    "validators descending": ([VANITY, LISTED[::-1], [], b"", []], "ValidatorsUnfit"),
    "validator twice": ([VANITY, [LISTED[0], LISTED[0]], [], b"", []], "ValidatorsUnfit"),
    "vote is a string": ([VANITY, LISTED, b"", b"", []], "ExtraMalformed"),
    "vote of a list": ([VANITY, LISTED, [[SUBJECT], b"\xff"], b"", []], "ExtraMalformed"),
    "vote for 21 bytes": ([VANITY, LISTED, [SUBJECT + b"\x00", b"\xff"], b"", []], "ExtraMalformed"),
    "vote of one item": ([VANITY, LISTED, [SUBJECT], b"", []], "RlpMalformed"),
    "vote of three items": ([VANITY, LISTED, [SUBJECT, b"\xff", b""], b"", []], "ExtraMalformed"),
    "vote of kind 1": ([VANITY, LISTED, [SUBJECT, b"\x01"], b"", []], "ExtraMalformed"),
    "vote of two bytes": ([VANITY, LISTED, [SUBJECT, b"\xff\xff"], b"", []], "RlpMalformed"),
    "round of 2 to 31": ([VANITY, LISTED, [], b"\x80\x00\x00\x00", []], "ExtraMalformed"),
    "round of five bytes": ([VANITY, LISTED, [], b"\x01" + bytes(4), []], "RlpMalformed"),
    "round is a list": ([VANITY, LISTED, [], [], []], "RlpMalformed"),
    "seals are a string": ([VANITY, LISTED, [], b"", b""], "ExtraMalformed"),
    "a seal inside": ([VANITY, LISTED, [], b"", [bytes(65)]], "ExtraMalformed"),
    "six items": ([VANITY, LISTED, [], b"", [], b""], "ExtraMalformed"),
    "four items": ([VANITY, LISTED, [], b""], "RlpMalformed"),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_the_extra_data_has_its_five_items(reader, name):
    extra, error = EXTRAS[name]
    with refuses(error):
        reader.read(with_item(12, rlp.encode(extra)))


def test_a_header_with_its_seals_is_not_in_the_form_that_was_signed(reader):
    assert refusal_of(lambda: reader.read(GOOD.sealed())) == "ExtraMalformed"


def test_a_drop_vote_of_one_zero_byte_is_not_in_the_form_that_was_signed(reader):
    zero = replace(GOOD, vote=[chain.address("e"), b"\x00"])
    assert refusal_of(lambda: reader.read(zero.signed())) == "RlpMalformed"
    assert reader.read(signed_form(zero.sealed()).header) == read_by_python(zero.sealed())


@given(st.integers(0, 2_000), st.integers(1, 255), st.sampled_from([0, 1, 300]), st.sampled_from(VOTES))
@settings(deadline=None, max_examples=300)
def test_a_flipped_byte_is_read_alike_or_refused_by_both(reader, place, mask, round_number, vote):
    header = bytearray(replace(GOOD, round=round_number, vote=vote).signed())
    header[place % len(header)] ^= mask
    changed = bytes(header)
    read, expected = outcome(reader.read, changed), outcome(read_by_python, changed)
    if isinstance(read, tuple):
        assert read == expected
        return
    if isinstance(expected, tuple):
        assert not has_form(changed)


def has_form(header):
    """What the ledger checks when it reads, and Python when it judges: the form, the order of the set, the form signed."""
    parsed = parse_header(header)
    well_formed = outcome(check_form, parsed) is None
    return well_formed and is_validator_set(parsed.extra.validators) and signed_form(header).header == header


def outcome(judge, header):
    """What is read, or the name of the refusal."""
    try:
        return judge(header)
    except (LightClientError, Refused) as error:
        return error.name


STORE = chain.Storage({head_slot(LaneId(keccak256(b"lane")), 0): keccak256(b"head")})
PROVED = replace(GOOD, state_root=STORE.root)
CLIENT = []


@given(st.integers(0, 100_000), st.integers(1, 255))
@settings(deadline=None, max_examples=200)
def test_no_changed_byte_of_a_proof_is_believed(place, mask):
    if not CLIENT:
        CLIENT.append(LightClient(GENESIS).at(PROVED.timestamp))
    (client,) = CLIENT
    lane = LaneId(keccak256(b"lane"))
    proof = bytearray(
        verifiers.qbft_proof(signed(PROVED), STORE.account_proof(), STORE.storage_proof(head_slot(lane, 0)))
    )
    claim = Claim(lane, 0, 7, keccak256(b"head"), PROVED.number, PROVED.hash())
    assert client.verify(claim, bytes(proof))
    proof[place % len(proof)] ^= mask
    assert refusal_of(lambda: client.verify(claim, bytes(proof))) is not None
