"""Notes of an evidence log: what proves them, and who made their block; each check fails alone."""

from dataclasses import replace

import pytest

from light_clients import cometbft, rlp
from light_clients.cometbft.errors import (
    BlockVersionMismatch,
    ChainIdMismatch,
    CommitMalformed,
    CommitMismatch,
    PowerTooLittle,
    TrustedSetMismatch,
    ValidatorSetMismatch,
    VoteMisplaced,
    VoteSignatureInvalid,
)
from light_clients.cometbft.log_notes import check_note_block, read_note
from light_clients.cometbft.note_evidence import CometbftNoteEvidence
from light_clients.cometbft.types import CometbftConfiguration
from light_clients.errors import (
    ClaimBlockMismatch,
    ClaimMalformed,
    ClientFrozen,
    CodeHashMismatch,
    GatewayAbsent,
    LightClientError,
    ProofValueInvalid,
    RlpTrailingBytes,
    RlpTruncated,
)
from light_clients.proofs.ics23_ops import ProofKeyMismatch, ProofKindUnsupported, ProofRootMismatch
from light_clients.proofs.log_notes import ProvedNote
from light_clients.protobuf import message_field
from schemas.primitives import Bytes32
from schemas.suites import integer_word
from tests.support.cometbft_chain import ABSENT, FOR_BLOCK, FOR_NIL, START, Block, members, set_bytes
from tests.support.cometbft_gateway import EVM, GATEWAY, storage_key
from tests.support.cometbft_messages import message, read
from tests.support.cometbft_notes import ACCOUNT, NOTED, ROOT, SIZE, STRANGER, NoteWorld, note_entries, note_keys

ADA, BOB, CID, DOT = members(["ada", "bob", "cid", "dot"])
OTHERS = members(["eve", "fay", "gus", "hal"])


@pytest.fixture(scope="module")
def world():
    return NoteWorld()


def in_order(*validators):
    return tuple(sorted(validators, key=lambda member: (-member.power, member.address)))


def trusting(next_validators, height=9, configuration=None):
    """A state that trusts one header, of another height than the note's, and who comes after it."""
    block = Block(height, (START + height) * 10**9, in_order(ADA, BOB, CID, DOT), next_validators)
    return cometbft.bootstrap(block.bundle(), block.block_hash, configuration or CometbftConfiguration())


def shown(world, evidence, pin=EVM, account=ACCOUNT):
    return read_note(world.state, evidence, pin, account)


def not_shown(world, leaf, evidence=None, **changes):
    with pytest.raises(LightClientError) as caught:
        shown(world, world.evidence() if evidence is None else evidence, **changes)
    assert type(caught.value) is leaf


def not_believed(state, evidence, leaf, text="."):
    with pytest.raises(LightClientError, match=text) as caught:
        check_note_block(state, evidence)
    assert type(caught.value) is leaf


class TestReadNote:
    def test_it_is_what_the_gateway_holds_under_that_header(self, world):
        expected = ProvedNote(5, world.block.block_hash, SIZE, ROOT)
        assert shown(world, world.evidence()) == expected
        assert shown(world, world.evidence(account=STRANGER), account=STRANGER) == replace(
            expected, size=5, root=Bytes32(b"\x78" * 32)
        )

    def test_nothing_noted_is_shown_as_such(self):
        world = NoteWorld({key: value for key, value in NOTED.items() if key not in note_keys()})
        assert shown(world, world.evidence()) == ProvedNote(5, world.block.block_hash, 0, Bytes32(bytes(32)))

    def test_it_does_not_ask_who_made_the_block(self, world):
        made = replace(world.block, chain_id="relay-test-2", validators=OTHERS, flags=(ABSENT,) * 4)
        assert shown(world, world.evidence(made)).block_hash == made.block_hash
        assert read_note(None, world.evidence(), EVM, ACCOUNT) == shown(world, world.evidence())

    def test_the_account_is_that_one(self, world):
        not_shown(world, ProofKeyMismatch, account=STRANGER)
        not_shown(world, ProofKeyMismatch, world.evidence(account=STRANGER))
        not_shown(world, ClaimMalformed, account=ACCOUNT + b"\0")

    def test_each_slot_is_its_own(self, world):
        size, root = (world.store.proof(key) for key in note_keys())
        strangers = [world.store.proof(key) for key in note_keys(STRANGER)]
        for fields in (
            {"size_proof": root},
            {"root_proof": size},
            {"size_proof": strangers[0]},
            {"root_proof": strangers[1]},
            {"size_proof": world.store.proof(storage_key())},
            {"root_proof": world.store.proof(storage_key())},
        ):
            not_shown(world, ProofKeyMismatch, world.evidence(**fields))

    def test_the_gateway_is_that_one(self, world):
        other = b"\x45" * 20
        not_shown(world, ProofKeyMismatch, pin=replace(EVM, address=other))
        proofs = [world.store.proof(key) for key in note_keys(gateway=other)]
        not_shown(world, ProofKeyMismatch, world.evidence(size_proof=proofs[0], root_proof=proofs[1]))
        not_shown(world, ProofKeyMismatch, world.evidence(code_proof=world.store.proof(b"\x04" + other)))

    def test_its_code_is_the_pinned_one(self, world):
        not_shown(world, CodeHashMismatch, pin=replace(EVM, code_hash=Bytes32(b"\x56" * 32)))
        bare = NoteWorld({key: value for key, value in NOTED.items() if key != b"\x04" + GATEWAY})
        not_shown(bare, GatewayAbsent)

    def test_the_state_is_the_one_under_this_header(self, world):
        not_shown(world, ProofRootMismatch, world.evidence(world.chain.at(7)))
        not_shown(world, ProofKeyMismatch, pin=replace(EVM, store=b"evm2"))
        not_shown(world, ProofKindUnsupported, world.evidence(store_proof=world.store.proof(b"\x05")))

    @pytest.mark.parametrize("part", ["code_proof", "size_proof", "root_proof"])
    def test_every_proof_is_under_this_header(self, world, part):
        longer = NoteWorld(NOTED | {b"\x99": b"one more"})
        not_shown(world, ProofKeyMismatch, world.evidence(**{part: getattr(longer.whole(), part)}))

    @pytest.mark.parametrize("part", [0, 1])
    @pytest.mark.parametrize("value", [b"\x15", integer_word(21)[1:], integer_word(21) + b"\0"])
    def test_a_slot_holds_32_bytes(self, part, value):
        world = NoteWorld(NOTED | {note_keys()[part]: value})
        not_shown(world, ProofValueInvalid)

    def test_an_absence_is_that_of_the_slot(self, world):
        absent = world.store.proof(note_keys(b"\x68" * 20)[0])
        not_shown(world, ProofKeyMismatch, world.evidence(size_proof=absent))

    def test_the_evidence_is_five_strings_and_nothing_else(self, world):
        whole, items = world.evidence(), rlp.decode_list(world.evidence())
        assert CometbftNoteEvidence.from_bytes(whole) == world.whole()
        not_shown(world, RlpTrailingBytes, whole + b"\0")
        not_shown(world, RlpTruncated, whole[:-1])
        for others in (items[:4], [*items, b""], [[], *items[1:]], [*items[:4], [items[4]]]):
            not_shown(world, ClaimMalformed, rlp.encode(others))

    @pytest.mark.parametrize("part", ["bundle", "code_proof", "size_proof", "root_proof", "store_proof"])
    def test_no_part_is_cut_off_or_longer(self, world, part):
        whole = getattr(world.whole(), part)
        for spoilt in (whole[:-1], whole + b"\x08", b""):
            with pytest.raises(LightClientError):
                shown(world, world.evidence(**{part: spoilt}))

    def test_a_note_at_the_largest_size_is_read(self):
        world = NoteWorld(NOTED | note_entries(size=2**64 - 1))
        assert shown(world, world.evidence()).size == 2**64 - 1


class TestCheckNoteBlock:
    @pytest.mark.parametrize("height", [1, 4, 5, 6, 9])
    def test_the_state_may_be_older_newer_or_of_the_block(self, world, height):
        state = world.state if height == 5 else trusting(in_order(ADA, BOB, CID, DOT), height)
        check_note_block(state, world.evidence())

    def test_it_does_not_look_at_the_proofs(self, world):
        junk = dict.fromkeys(("code_proof", "size_proof", "root_proof", "store_proof"), b"\x07")
        check_note_block(world.state, world.evidence(**junk))

    def test_a_frozen_client_believes_nothing(self, world):
        not_believed(world.state.freeze(), world.evidence(), ClientFrozen)

    def test_the_chain_and_its_version_are_the_states(self, world):
        not_believed(world.state, world.evidence(replace(world.block, chain_id="relay-test-2")), ChainIdMismatch)
        not_believed(world.state, world.evidence(replace(world.block, version=(10, 0))), BlockVersionMismatch)

    def test_the_set_is_the_one_that_the_header_names(self, world):
        def with_set(validators):
            bundle = read("Bundle", world.block.bundle())
            bundle.ClearField("validator_set")
            if validators:
                bundle.validator_set.CopyFrom(read("ValidatorSet", set_bytes(validators)))
            return world.evidence(bundle=bundle.SerializeToString(deterministic=True))

        not_believed(world.state, with_set(OTHERS), ValidatorSetMismatch)
        not_believed(world.state, with_set(None), ValidatorSetMismatch)
        check_note_block(world.state, with_set(world.block.validators))

    def test_the_commit_is_there_and_for_this_block(self, world):
        header, own = message_field(1, world.block.header().SerializeToString()), set_bytes(world.block.validators)
        cut = message_field(2, world.block.commit().SerializeToString()[:-1])
        for commit, leaf in ((b"", CommitMismatch), (cut, CommitMalformed)):
            bundle = message_field(1, header + commit) + message_field(2, own)
            not_believed(world.state, world.evidence(bundle=bundle), leaf)
        for fields in (
            {"height": 6},
            {"block_id": message("BlockID", hash=bytes(32))},
            {"signatures": list(world.block.votes())[:3]},
        ):
            not_believed(world.state, world.evidence(replace(world.block, commit_fields=fields)), CommitMismatch)

    def test_votes_are_at_their_places_and_signed(self, world):
        votes = list(world.block.votes())
        swapped = replace(world.block, commit_fields={"signatures": [votes[1], votes[0], *votes[2:]]})
        not_believed(world.state, world.evidence(swapped), VoteMisplaced)
        not_believed(world.state, world.evidence(replace(world.block, signers=OTHERS)), VoteSignatureInvalid)

    @pytest.mark.parametrize(
        ("others", "enough"), [((ABSENT,), True), ((ABSENT, ABSENT), False), ((FOR_NIL, FOR_NIL), False)]
    )
    def test_more_than_two_thirds_of_its_own_set_sealed_it(self, world, others, enough):
        flags = (FOR_BLOCK,) * (4 - len(others)) + others
        evidence = world.evidence(replace(world.block, flags=flags))
        for state in (world.state, trusting(world.block.validators)):
            if enough:
                check_note_block(state, evidence)
            else:
                not_believed(state, evidence, PowerTooLittle, "two thirds")

    def test_a_height_has_one_block(self, world):
        twin = replace(world.block, time_ns=world.block.time_ns + 1)
        not_believed(world.state, world.evidence(twin), ClaimBlockMismatch)
        check_note_block(trusting(twin.validators), world.evidence(twin))

    def test_strangers_are_not_believed(self, world):
        forged = replace(world.block, validators=OTHERS, next_validators=OTHERS)
        state = trusting(in_order(ADA, BOB, CID, DOT))
        not_believed(state, world.evidence(forged), TrustedSetMismatch, "take anchors")
        brought = replace(forged, trusted=in_order(ADA, BOB, CID, DOT), trusted_height=9)
        not_believed(state, world.evidence(brought), PowerTooLittle, "trusted at block 9")

    def test_the_trusted_set_is_the_states_and_no_other(self, world):
        mixed = replace(world.block, validators=in_order(ADA, BOB, *OTHERS[:2]))
        for brought in (None, OTHERS, in_order(ADA, BOB, CID)):
            evidence = world.evidence(replace(mixed, trusted=brought, trusted_height=9))
            not_believed(trusting(in_order(ADA, BOB, CID, DOT)), evidence, TrustedSetMismatch)

    @pytest.mark.parametrize("height", [2, 9])
    def test_more_than_a_third_of_the_trusted_sealed_it(self, world, height):
        trusted = in_order(ADA, BOB, CID, DOT)
        for validators, enough in (((ADA, BOB, *OTHERS[:2]), True), ((ADA, *OTHERS[:3]), False)):
            made = replace(world.block, validators=in_order(*validators), trusted=trusted, trusted_height=height)
            if enough:
                check_note_block(trusting(trusted, height), world.evidence(made))
            else:
                not_believed(trusting(trusted, height), world.evidence(made), PowerTooLittle, "trusted at block")

    def test_exactly_a_third_is_not_enough(self, world):
        trusted = in_order(ADA, BOB, CID)
        made = replace(world.block, validators=in_order(ADA, *OTHERS[:2]), trusted=trusted, trusted_height=9)
        not_believed(trusting(trusted), world.evidence(made), PowerTooLittle, "trusted at block 9")

    def test_the_level_of_trust_is_the_configurations(self, world):
        trusted = in_order(ADA, BOB, CID, DOT)
        made = replace(world.block, validators=in_order(ADA, BOB, *OTHERS[:2]), trusted=trusted, trusted_height=9)
        half = CometbftConfiguration(trust_numerator=1, trust_denominator=2)
        not_believed(trusting(trusted, configuration=half), world.evidence(made), PowerTooLittle, "trusted at block 9")

    def test_an_accepted_block_needs_no_other_trust(self, world):
        state = cometbft.bootstrap(world.block.bundle(), world.block.block_hash, CometbftConfiguration())
        gone = replace(state.newest, height=6, next_validators_hash=bytes(32), time_ns=state.newest.time_ns + 1)
        check_note_block(replace(state, anchors=(*state.anchors, gone)), world.evidence())
        not_believed(replace(state, anchors=(gone,)), world.evidence(), TrustedSetMismatch)

    def test_it_is_the_newest_set_that_is_trusted(self, world):
        before, now = trusting(world.block.validators, 3), trusting(OTHERS, 9)
        check_note_block(before, world.evidence())
        both = replace(now, anchors=(*before.anchors, *now.anchors))
        not_believed(both, world.evidence(), TrustedSetMismatch, "trusted at block 9")

    def test_its_votes_are_looked_at_all_the_same(self, world):
        not_believed(world.state, world.evidence(replace(world.block, flags=(ABSENT,) * 4)), PowerTooLittle)


def test_a_changed_byte_is_refused_or_changes_nothing(world):
    trusted = in_order(ADA, BOB, CID, DOT)
    state = trusting(trusted)
    evidence = world.evidence(replace(world.block, validators=trusted[:3], trusted=trusted, trusted_height=9))
    said = read_note(state, evidence, EVM, ACCOUNT)
    check_note_block(state, evidence)
    refused = 0
    for place in range(len(evidence)):
        for bit in (1, 0x80):
            spoilt = evidence[:place] + bytes([evidence[place] ^ bit]) + evidence[place + 1 :]
            try:
                check_note_block(state, spoilt)
                assert read_note(state, spoilt, EVM, ACCOUNT) == said
            except LightClientError:
                refused += 1
    assert refused > 1.5 * len(evidence)


def test_a_beginning_alone_is_refused(world):
    evidence = world.evidence()
    for length in range(0, len(evidence), 7):
        not_shown_and_not_believed(world, evidence[:length])


def not_shown_and_not_believed(world, evidence):
    for judge in (lambda: shown(world, evidence), lambda: check_note_block(world.state, evidence)):
        with pytest.raises(LightClientError):
            judge()
