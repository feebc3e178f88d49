"""Makes tests/vectors/clique: accepted runs and claims, and for each check an object that fails it alone.

Run it as `python -m tests.vectors.make_clique_vectors`; a test runs it again and compares. Keys come from labels.
"""

import json
from dataclasses import replace
from pathlib import Path

import rlp

from light_clients.crypto.secp256k1 import sign_seal
from light_clients.proofs.gateway import head_slot
from schemas.primitives import LaneId
from schemas.suites import keccak256
from tests.support import clique_chain as chain
from tests.support.qbft_chain import CODE_HASH, GATEWAY, Storage

FOLDER = Path(__file__).parent / "clique"
NOW_AFTER = 2
LANE = LaneId(keccak256(b"lane"))
HEADS = {0: keccak256(b"outbox head"), 1: keccak256(b"outcome head")}


def header_cases():
    """Name of the defect → (error, state, run, now)."""
    genesis = chain.first_spec()
    specs = chain.chain_of(genesis, 6)
    state = chain.followed(chain.begun(genesis), specs[:5])
    parent, good, child, last = specs[2:]
    now = last.timestamp + NOW_AFTER
    labels = chain.ascending("abc")
    waiting = specs[1].sealer  # the signer whose turn it is not, and who may seal

    def case(error, run, state=state, now=now):
        return error, state, run, now

    def judged(error, spec, **options):
        """The run begins with a header that was changed; those that follow it are honest ones of its own."""
        return case(error, chain.run(spec, *chain.chain_of(spec, 2)), **options)

    def changed(error, **changes):
        return judged(error, replace(good, **changes))

    def item(error, index, value):
        return changed(error, items={index: value})

    def follower(error, **changes):
        spec = replace(child, **changes)
        return case(error, chain.run(good, spec, *chain.chain_of(spec, 1)))

    fork = chain.chain_of(replace(good, timestamp=good.timestamp + 1), 2)
    early = replace(good, sealer=waiting, difficulty=1)
    second = chain.next_spec(early, sealer=good.sealer)
    digest = keccak256(good.encoded(b""))
    return {
        "accepted": case("", chain.run(good, child, last)),
        "accepted_out_of_turn": case("", chain.run(early, second, *chain.chain_of(second, 1))),
        "accepted_with_more_than_are_needed": case("", chain.run(good, *chain.chain_of(good, 5)), now=now + 5),
        "accepted_on_older_rules": changed("", later=()),
        # Reading
        "no_bytes": case("RlpTruncated", b""),
        "cut_short": case("RlpTruncated", chain.run(good, child, last)[:-1]),
        "byte_before": case("RlpNotCanonical", b"\x00" + chain.run(good, child, last)),
        "number_of_nine_bytes": item("RlpNotCanonical", 8, b"\x01" + bytes(8)),
        "fourteen_items": case(
            "HeaderFieldInvalid", rlp.encode(rlp.decode(good.sealed())[:14]) + chain.run(child, last)
        ),
        "extra_without_a_seal": item("ExtraDataInvalid", 12, bytes(96)),
        "part_of_an_address_listed": changed("ExtraDataInvalid", listed=bytes(19)),
        "more_signers_than_are_kept": changed("ValidatorsTooMany", listed=bytes(20 * 257)),
        # Form
        "ommers": item("OmmersInvalid", 1, keccak256(b"ommers")),
        "mix_hash": changed("MixHashInvalid", mix_hash=b"\x01" + bytes(31)),
        "difficulty_3": changed("DifficultyInvalid", difficulty=3),
        "nonce_of_neither_vote": changed("NonceInvalid", nonce=b"\x00" * 7 + b"\x01"),
        "list_outside_of_an_epoch": changed("ValidatorsUnexpected", listed=b"".join(map(chain.address, labels))),
        # Client
        "client_frozen": case("ClientFrozen", chain.run(good, child, last), state=state.freeze()),
        "client_expired": case("ClientExpired", chain.run(good, child, last), now=state.expires_at),
        # Place
        "gap": changed("HeaderGap", number=good.number + 1),
        "behind": changed("HeaderBehind", number=parent.number),
        "wrong_parent": changed("ParentMismatch", parent_hash=keccak256(b"another parent")),
        "ahead_of_our_clock": case("TimestampAhead", chain.run(good, child, last), now=last.timestamp - 16),
        "before_its_parent": changed("TimestampNotIncreasing", timestamp=parent.timestamp - 1),
        # Seals
        "sealed_by_a_stranger": changed("SealForeign", sealer="stranger", difficulty=1),
        "content_changed_after_sealing": judged(
            "SealForeign", replace(good, state_root=bytes(32), seal=sign_seal(chain.private_key(good.sealer), digest))
        ),
        "sealed_by_the_sealer_of_the_parent": changed("SealTooSoon", sealer=parent.sealer, difficulty=1),
        "out_of_turn_as_if_in_turn": changed("DifficultyInvalid", sealer=waiting),
        "in_turn_as_if_out_of_turn": changed("DifficultyInvalid", difficulty=1),
        "seal_ends_in_27": changed("SignatureRecoveryId", seal=bytes(64) + b"\x1b"),
        "seal_with_zero_r": changed("SignatureInvalid", seal=bytes(65)),
        # Confirmations
        "two_where_three_make_it_final": case("HeaderUnconfirmed", chain.run(good, child)),
        "alone": case("HeaderUnconfirmed", good.sealed()),
        "followed_by_another_branch": case("HeaderUnconfirmed", chain.run(good, *fork)),
        "followed_by_a_gap": case("HeaderUnconfirmed", chain.run(good, last, *chain.chain_of(last, 1))),
        "followed_by_itself": case("HeaderUnconfirmed", chain.run(good, good, last)),
        "follower_sealed_by_a_stranger": follower("SealForeign", sealer="stranger", difficulty=1),
        "follower_sealed_too_soon": follower("SealTooSoon", sealer=good.sealer, difficulty=1),
        "follower_out_of_turn_as_if_in_turn": follower("DifficultyInvalid", sealer=parent.sealer),
        "follower_before_its_parent": follower("TimestampNotIncreasing", timestamp=good.timestamp - 1),
        **_epoch_cases(),
        **_set_cases(),
        **_period_cases(),
    }


def _epoch_cases():
    """The block before an epoch is final; the epoch block is judged."""
    epoch = {"epoch_length": 4}
    genesis = chain.first_spec()
    labels = chain.ascending("abc")
    listed = b"".join(map(chain.address, labels))
    before = chain.chain_of(genesis, 3)
    state = chain.begun(genesis, **epoch)
    block = chain.next_spec(before[-1], listed=listed)
    state = chain.followed(state, [*before, block, *chain.chain_of(block, 1)])

    def case(error, **changes):
        spec = replace(block, **changes)
        run = chain.run(spec, *chain.chain_of(spec, 2))
        return error, state, run, spec.timestamp + NOW_AFTER

    stranger = chain.address("stranger")
    return {
        "accepted_epoch": case(""),
        "epoch_without_the_list": case("ValidatorsUnexpected", listed=b""),
        "epoch_with_a_stranger": case("ValidatorsUnexpected", listed=listed + stranger),
        "epoch_without_a_signer": case("ValidatorsUnexpected", listed=listed[:-20]),
        "epoch_in_another_order": case("ValidatorsUnexpected", listed=listed[20:] + listed[:20]),
        "epoch_with_a_subject": case("VoteInvalid", subject=stranger),
        "epoch_with_a_vote_to_add": case("VoteInvalid", nonce=chain.ADD),
    }


def _set_cases():
    """A signer that was voted out seals on; one that was not voted in yet seals; one signer votes itself out."""
    genesis = chain.first_spec()
    labels = chain.ascending("abc")
    gone = labels[2]
    voted = [
        chain.next_spec(genesis, subject=chain.address(gone)),
    ]
    voted.append(chain.next_spec(voted[-1], sealer=labels[0], subject=chain.address(gone)))
    left = labels[:2]
    later = chain.chain_of(voted[-1], 4, left)
    state = chain.followed(chain.begun(genesis), [*voted, *later[:2]])
    after = replace(later[0], sealer=gone, difficulty=1)
    new = chain.address("d")
    asked = chain.next_spec(genesis, subject=new, nonce=chain.ADD)
    not_yet = chain.next_spec(asked, sealer="d")
    start = chain.begun(genesis)
    asked_state = chain.followed(start, [asked, *chain.chain_of(asked, 2)])
    alone = chain.first_spec(("a",))
    last = chain.next_spec(alone, ("a",), subject=chain.address("a"))
    now = last.timestamp + 9
    return {
        "accepted_after_a_removal": ("", state, chain.run(*later[:3]), now),
        "sealed_by_a_removed_signer": ("SealForeign", state, chain.run(after, *chain.chain_of(after, 2, left)), now),
        "sealed_by_one_with_too_few_votes": (
            "SealForeign",
            asked_state,
            chain.run(not_yet, *chain.chain_of(not_yet, 2)),
            now,
        ),
        "last_signer_voted_out": (
            "ValidatorsExhausted",
            chain.begun(alone),
            chain.run(last, *chain.chain_of(last, 1, ("a",))),
            now,
        ),
    }


def _period_cases():
    genesis = chain.first_spec()
    state = chain.begun(genesis, period_s=5)
    changes = {"timestamp": START_OF_FIRST}
    first = chain.next_spec(genesis, **changes)
    early = replace(first, timestamp=first.timestamp - 1)

    def run(spec):
        second = chain.next_spec(spec, timestamp=spec.timestamp + 5)
        return chain.run(spec, second, chain.next_spec(second, timestamp=second.timestamp + 5))

    now = first.timestamp + 20
    return {
        "accepted_at_its_period": ("", state, run(first), now),
        "before_its_period": ("TimestampNotIncreasing", state, run(early), now),
    }


START_OF_FIRST = chain.START + 5


def claim_cases():
    """Name of the defect → (error, state, claim fields, evidence, code hash)."""
    slots = {direction: head_slot(LANE, direction) for direction in HEADS}
    store = Storage({slots[direction]: head for direction, head in HEADS.items()})
    genesis = chain.first_spec()
    spec = chain.next_spec(genesis, state_root=store.root)
    specs = [spec, *chain.chain_of(spec, 3)]
    state = chain.followed(chain.begun(genesis), specs)
    other = replace(spec, timestamp=spec.timestamp + 1)
    good = {"lane_id": LANE, "direction": 0, "nonce": 7, "head": HEADS[0], "height": 1, "block_hash": spec.hash()}
    evidence = store.evidence(spec.sealed(), slots[0])

    def claim(error, **changes):
        return error, state, {**good, **changes}, evidence, CODE_HASH

    def proofs(error, **changes):
        return error, state, good, replace(evidence, **changes), CODE_HASH

    long = chain.followed(chain.begun(genesis), [spec, *chain.chain_of(spec, 260)])
    return {
        "accepted": claim(""),
        "accepted_outcomes": (
            "",
            state,
            {**good, "direction": 1, "head": HEADS[1]},
            store.evidence(spec.sealed(), slots[1]),
            CODE_HASH,
        ),
        "client_frozen": ("ClientFrozen", state.freeze(), good, evidence, CODE_HASH),
        "zero_head": claim("ClaimMalformed", head=bytes(32)),
        "height_not_final": claim("HeightNotReached", height=3),
        "height_not_kept": ("HeightNotRetained", long, good, evidence, CODE_HASH),
        "rival_of_the_final_block": claim("ClaimBlockMismatch", block_hash=other.hash()),
        "header_of_another_block": proofs("ClaimBlockMismatch", header=other.sealed()),
        "header_of_another_height": proofs("ClaimHeightMismatch", header=specs[1].sealed()),
        "code_replaced": ("CodeHashMismatch", state, good, evidence, keccak256(b"other code")),
        "head_of_another_entry": claim("HeadMismatch", head=keccak256(b"another head")),
        "storage_proof_cut": proofs("ProofIncomplete", storage_proof=evidence.storage_proof[:-1]),
    }


def hex0x(data):
    return "0x" + bytes(data).hex()


def files():
    """Path under tests/vectors/clique → text."""
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
            "gateway": hex0x(GATEWAY),
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
