"""Makes tests/vectors/qbft: one accepted header and one accepted claim, and for each check an object that fails it alone.

Run it as `python -m tests.vectors.make_qbft_vectors`; a test runs it again and compares. Keys come from labels.
"""

import json
from dataclasses import replace
from pathlib import Path

import rlp

from light_clients import qbft
from light_clients.crypto.secp256k1 import sign_seal
from light_clients.proofs.gateway import SlotEvidence, head_slot
from schemas.primitives import BlockHash, LaneId
from schemas.suites import keccak256
from tests.support import qbft_chain as chain

FOLDER = Path(__file__).parent / "qbft"
NOW_AFTER = 2
LANE = LaneId(keccak256(b"lane"))
HEADS = {0: keccak256(b"outbox head"), 1: keccak256(b"outcome head")}


def header_cases():
    """Name of the defect → (error, state, header, now)."""
    genesis = chain.first_spec()
    start = qbft.bootstrap(genesis.sealed(), BlockHash(genesis.hash()), qbft.QbftConfiguration())
    parent = chain.next_spec(genesis)
    state = qbft.apply(start, qbft.verify_header(start, parent.sealed(), parent.timestamp))
    good = chain.next_spec(parent)
    labels = good.validators
    now = good.timestamp + NOW_AFTER
    digest = good.seal_digest()
    foreign = sign_seal(chain.private_key("stranger"), digest)
    listed = chain.addresses(labels)

    def case(error, header, state=state, now=now):
        return error, state, header, now

    def changed(error, **changes):
        return case(error, replace(good, **changes).sealed())

    def item(error, index, value):
        return changed(error, items={index: value})

    cases = {
        "accepted": case("", good.sealed()),
        # Reading
        "trailing_byte": case("RlpTrailingBytes", good.sealed() + b"\x00"),
        "cut_short": case("RlpTruncated", good.sealed()[:-1]),
        "number_with_leading_zero": item("RlpNotCanonical", 10, b"\x00\x01"),
        "number_of_nine_bytes": item("RlpNotCanonical", 8, b"\x01" + bytes(8)),
        "base_fee_with_leading_zero": changed("RlpNotCanonical", later=(b"\x00\x07",)),
        "fourteen_items": case("HeaderFieldInvalid", rlp.encode(rlp.decode(good.sealed())[:14])),
        "twenty_two_items": changed("HeaderFieldInvalid", later=(7, bytes(32), 0, 0, bytes(32), bytes(32), 0)),
        "item_is_a_list": item("HeaderFieldInvalid", 9, [b"\x01"]),
        "parent_hash_of_31_bytes": item("HeaderFieldInvalid", 0, good.parent_hash[:31]),
        "state_root_of_33_bytes": item("HeaderFieldInvalid", 3, good.state_root + b"\x00"),
        "nonce_of_7_bytes": item("HeaderFieldInvalid", 14, bytes(7)),
        "withdrawals_root_of_31_bytes": changed("HeaderFieldInvalid", later=(7, bytes(31))),
        "extra_of_six_items": changed("ExtraDataInvalid", extra_more=(b"",)),
        "extra_is_a_string": case("RlpNotCanonical", good.encoded(b"\x80")),
        "validator_of_21_bytes": changed("ExtraDataInvalid", listed=(*listed[:3], listed[3] + b"\x00")),
        "seal_of_64_bytes": case("ExtraDataInvalid", good.with_seals([*good.seals()[:2], good.seals()[2][:64]])),
        "vote_of_another_kind": changed("VoteInvalid", vote=[chain.address("e"), b"\x01"]),
        "vote_for_19_bytes": changed("VoteInvalid", vote=[chain.address("e")[:19], b"\xff"]),
        "vote_of_one_item": changed("VoteInvalid", vote=[chain.address("e")]),
        "round_of_2_to_31": changed("RoundOutOfBounds", round=2**31),
        "five_seals_of_four": case("SealsTooMany", good.with_seals([*replace(good, sealers=labels).seals(), foreign])),
        # Form
        "vanity_of_31_bytes": changed("VanityInvalid", vanity=bytes(31)),
        "mix_hash_of_another_engine": changed("MixHashInvalid", mix_hash=bytes(32)),
        "difficulty_2": changed("DifficultyInvalid", difficulty=2),
        # Client
        "client_frozen": case("ClientFrozen", good.sealed(), state=state.freeze()),
        "client_expired": case("ClientExpired", good.sealed(), now=state.expires_at),
        # Place
        "gap": changed("HeaderGap", number=good.number + 1),
        "behind": changed("HeaderBehind", number=parent.number),
        "wrong_parent": changed("ParentMismatch", parent_hash=keccak256(b"another parent")),
        "ahead_of_our_clock": case("TimestampAhead", good.sealed(), now=good.timestamp - 16),
        "time_stands_still": changed("TimestampNotIncreasing", timestamp=parent.timestamp),
        # Set
        "validators_descending": changed("ValidatorsNotAscending", listed=tuple(reversed(listed))),
        "validator_listed_twice": changed("ValidatorsNotAscending", listed=(listed[0], *listed[:3])),
        "set_grows_without_votes": changed("ValidatorsUnexpected", validators=chain.ascending((*labels, "e"))),
        "set_shrinks_without_votes": changed("ValidatorsUnexpected", validators=labels[:3]),
        "set_replaced_without_votes": changed("ValidatorsUnexpected", **_strangers()),
        "no_validators_listed": case("ValidatorsUnexpected", replace(good, listed=()).with_seals([])),
        "proposer_is_a_stranger": changed("ProposerNotValidator", proposer=chain.address("stranger")),
        # Seals
        "two_seals_of_four": changed("SealsTooFew", sealers=labels[:2]),
        "no_seals": changed("SealsTooFew", sealers=()),
        "foreign_seal": changed("SealForeign", sealers=(*labels[:2], "stranger")),
        "foreign_seal_beside_a_quorum": changed("SealForeign", sealers=(*labels[:3], "stranger")),
        "duplicate_seal": changed("SealDuplicate", sealers=(labels[0], labels[1], labels[0])),
        "duplicate_seal_beside_a_quorum": changed("SealDuplicate", sealers=(*labels[:3], labels[0])),
        "sealed_in_another_round": case("SealForeign", replace(good, round=1).with_seals(good.seals())),
        "content_changed_after_sealing": case(
            "SealForeign", replace(good, state_root=bytes(32)).with_seals(good.seals())
        ),
        "seal_ends_in_27": case("SignatureRecoveryId", _last_seal(good, lambda seal: seal[:64] + b"\x1b")),
        "seal_with_zero_r": case("SignatureInvalid", _last_seal(good, lambda seal: bytes(32) + seal[32:])),
    }
    return {**cases, **_set_change_cases()}


def _strangers():
    labels = chain.ascending(("w", "x", "y", "z"))
    return {"validators": labels, "sealers": labels[:3], "proposer": chain.address(labels[0])}


def _last_seal(spec, change):
    seals = spec.seals()
    return spec.with_seals([*seals[:2], change(seals[2])])


def follow(state, spec):
    return qbft.apply(state, qbft.verify_header(state, spec.sealed(), spec.timestamp))


def _set_change_cases():
    """A removed validator seals on; a set of 6 is sealed by GoQuorum's F + 1; one validator votes itself out."""
    spec = chain.first_spec()
    state = qbft.bootstrap(spec.sealed(), BlockHash(spec.hash()), qbft.QbftConfiguration())
    gone = spec.validators[3]
    for voter in spec.validators[:3]:
        spec = chain.next_spec(spec, vote=(chain.address(gone), False), proposer=chain.address(voter))
        state = follow(state, spec)
    left = spec.validators[:3]
    after = chain.next_spec(spec, validators=left, sealers=(left[0], gone))
    six = chain.first_spec(tuple("abcdef"))
    state_of_six = qbft.bootstrap(
        six.sealed(), BlockHash(six.hash()), qbft.QbftConfiguration(dialect=qbft.Dialect.GOQUORUM)
    )
    weak = chain.next_spec(six)
    alone = chain.first_spec(("a",))
    state_of_one = qbft.bootstrap(alone.sealed(), BlockHash(alone.hash()), qbft.QbftConfiguration())
    last = chain.next_spec(alone, vote=(chain.address("a"), False))
    return {
        "sealed_by_a_removed_validator": ("SealForeign", state, after.sealed(), after.timestamp),
        "old_set_after_a_removal": ("ValidatorsUnexpected", state, chain.next_spec(spec).sealed(), after.timestamp),
        "three_seals_of_six": (
            "SealsTooFew",
            state_of_six,
            replace(weak, sealers=weak.validators[:3]).sealed(),
            weak.timestamp,
        ),
        "last_validator_voted_out": ("ValidatorsExhausted", state_of_one, last.sealed(), last.timestamp),
    }


def claim_cases():
    """Name of the defect → (error, state, claim fields, evidence, code hash)."""
    slots = {direction: head_slot(LANE, direction) for direction in HEADS}
    store = chain.Storage({slots[direction]: head for direction, head in HEADS.items()})
    genesis = chain.first_spec()
    state = qbft.bootstrap(genesis.sealed(), BlockHash(genesis.hash()), qbft.QbftConfiguration())
    spec = chain.next_spec(genesis, state_root=store.root)
    state = follow(state, spec)
    other = replace(spec, timestamp=spec.timestamp + 1)
    good = {"lane_id": LANE, "direction": 0, "nonce": 7, "head": HEADS[0], "height": 1, "block_hash": spec.hash()}
    header = spec.sealed()
    evidence = store.evidence(header, slots[0])
    code = chain.CODE_HASH
    empty = chain.Storage({})
    gateless = chain.Storage({}, gateway=chain.address("another gateway"))

    def on(storage, proof_slot, evidence_of=None):
        """The same claim in another state: a header with that root, and its proofs."""
        placed = chain.next_spec(genesis, state_root=storage.root)
        begun = qbft.bootstrap(genesis.sealed(), BlockHash(genesis.hash()), qbft.QbftConfiguration())
        proofs = evidence_of or storage.evidence(placed.sealed(), proof_slot)
        proofs = SlotEvidence(placed.sealed(), proofs.account_proof, proofs.storage_proof)
        return follow(begun, placed), {**good, "block_hash": placed.hash()}, proofs

    def claim(error, **changes):
        return error, state, {**good, **changes}, evidence, code

    def proofs(error, **changes):
        return error, state, good, replace(evidence, **changes), code

    account, storage = evidence.account_proof, evidence.storage_proof
    absent = SlotEvidence(b"", gateless.account_proof(chain.GATEWAY), ())
    return {
        "accepted": claim(""),
        "accepted_outcomes": (
            "",
            state,
            {**good, "direction": 1, "head": HEADS[1]},
            store.evidence(header, slots[1]),
            code,
        ),
        "client_frozen": ("ClientFrozen", state.freeze(), good, evidence, code),
        "zero_head": claim("ClaimMalformed", head=bytes(32)),
        "nonce_zero": claim("ClaimMalformed", nonce=0),
        "direction_2": claim("ClaimMalformed", direction=2),
        "height_not_reached": claim("HeightNotReached", height=2),
        "height_before_the_pin": _pruned(genesis, spec, evidence, good),
        "rival_of_the_accepted_block": (
            "ClaimBlockMismatch",
            state,
            {**good, "block_hash": other.hash()},
            replace(evidence, header=other.sealed()),
            code,
        ),
        "header_of_another_block": proofs("ClaimBlockMismatch", header=other.sealed()),
        "header_of_another_height": proofs("ClaimHeightMismatch", header=genesis.sealed()),
        "gateway_absent": ("GatewayAbsent", *on(gateless, slots[0], absent), code),
        "code_replaced": ("CodeHashMismatch", state, good, evidence, keccak256(b"other code")),
        "lane_not_open": ("HeadAbsent", *on(empty, slots[0]), code),
        "head_of_another_entry": claim("HeadMismatch", head=keccak256(b"another head")),
        "slot_of_the_other_direction": (
            "ProofNodeHashMismatch",
            state,
            good,
            replace(evidence, storage_proof=store.storage_proof(slots[1])),
            code,
        ),
        "another_lane": claim("ProofNodeHashMismatch", lane_id=LaneId(keccak256(b"another lane"))),
        "account_proof_cut": proofs("ProofIncomplete", account_proof=account[:-1]),
        "account_proof_extended": proofs("ProofNodesUnused", account_proof=(*account, account[-1])),
        "account_proof_reordered": proofs("ProofNodeHashMismatch", account_proof=account[::-1]),
        "storage_proof_cut": proofs("ProofIncomplete", storage_proof=storage[:-1]),
        "storage_proof_extended": proofs("ProofNodesUnused", storage_proof=(*storage, storage[-1])),
        "storage_proof_reordered": proofs("ProofNodeHashMismatch", storage_proof=storage[::-1]),
        "storage_proof_empty": proofs("ProofIncomplete", storage_proof=()),
    }


def _pruned(genesis, spec, evidence, good):
    """A client that was pinned after the claim's block."""
    state = qbft.bootstrap(spec.sealed(), BlockHash(spec.hash()), qbft.QbftConfiguration())
    return "HeightNotRetained", state, {**good, "height": 0, "block_hash": genesis.hash()}, evidence, chain.CODE_HASH


def hex0x(data):
    return "0x" + bytes(data).hex()


def files():
    """Path under tests/vectors/qbft → text."""
    made = {}
    for name, (error, state, header, now) in header_cases().items():
        content = {"error": error, "state": hex0x(state.to_bytes()), "header": hex0x(header), "now": now}
        made[_path("headers", name, error)] = content
    for name, (error, state, claim, evidence, code_hash) in claim_cases().items():
        fields = {key: hex0x(value) if isinstance(value, bytes) else value for key, value in claim.items()}
        made[_path("claims", name, error)] = {
            "error": error,
            "state": hex0x(state.to_bytes()),
            "claim": fields,
            "evidence": hex0x(evidence.to_bytes()),
            "gateway": hex0x(chain.GATEWAY),
            "code_hash": hex0x(code_hash),
        }
    return {path: json.dumps(content, indent=1, sort_keys=True) + "\n" for path, content in made.items()}


def _path(kind, name, error):
    return f"{'bad' if error else 'good'}/{kind}_{name}.json"


if __name__ == "__main__":
    for path, text in files().items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
