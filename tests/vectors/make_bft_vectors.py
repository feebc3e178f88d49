"""Makes tests/vectors/{ibft2,ibft,qbft_contract}: accepted headers, and for each check an object that fails it alone.

Synthetic ledgers; keys come from labels. Run it as `python -m tests.vectors.make_bft_vectors`; a test runs it again and compares.
"""

import json
from dataclasses import replace
from pathlib import Path

import rlp

from light_clients import ibft, ibft2, qbft
from light_clients.bft.bundle import SetProof, bundle
from light_clients.bft.types import SelectionMode, ValidatorSelection
from light_clients.crypto.secp256k1 import sign_seal
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain

FOLDER = Path(__file__).parent
NOW_AFTER = 2
CLIENTS = {"ibft2": ibft2, "ibft": ibft, "qbft_contract": qbft}
KINDS = {"ibft2": family.Ibft2Spec, "ibft": family.IbftSpec, "qbft_contract": chain.Spec}
CONFIGURATIONS = {
    "ibft2": ibft2.Ibft2Configuration(),
    "ibft": ibft.IbftConfiguration(),
    "qbft_contract": qbft.QbftConfiguration(
        selections=(
            ValidatorSelection(0, SelectionMode.CONTRACT, family.CONTRACT, family.SLOT, bytes(chain.CODE_HASH)),
        )
    ),
}


class World:
    """A ledger of a family after its first two blocks, and the next header that would be accepted."""

    def __init__(self, name, labels="abcd", start=0):
        self.client, self.kind, self.configuration = CLIENTS[name], KINDS[name], CONFIGURATIONS[name]
        self.genesis = family.first_of(self.kind, tuple(labels), start)
        self.begun = self.client.bootstrap(self.genesis.sealed(), BlockHash(self.genesis.hash()), self.configuration)
        self.parent = family.next_of(self.genesis)
        self.state = self.follow(self.begun, self.parent)
        self.good = family.next_of(self.parent)
        self.labels = self.good.validators
        self.now = self.good.timestamp + NOW_AFTER

    def follow(self, state, spec):
        return self.client.apply(state, self.client.verify_header(state, spec.sealed(), spec.timestamp))

    def case(self, error, header, state=None, now=None):
        return error, self.state if state is None else state, header, self.now if now is None else now

    def changed(self, error, **changes):
        return self.case(error, replace(self.good, **changes).sealed())

    def item(self, error, index, value):
        return self.changed(error, items={index: value})

    def by(self, label):
        return family.proposer_of(self.kind, label)


def common_cases(world):
    """Name of the defect → (error, state, header, now), for what both families check."""
    good, parent, labels = world.good, world.parent, world.labels
    listed = chain.addresses(labels)
    foreign = sign_seal(chain.private_key("stranger"), good.seal_digest())
    strangers = chain.ascending("wxyz")
    return {
        "accepted": world.case("", good.sealed()),
        "trailing_byte": world.case("RlpTrailingBytes", good.sealed() + b"\x00"),
        "fourteen_items": world.case("HeaderFieldInvalid", rlp.encode(rlp.decode(good.sealed())[:14])),
        "validator_of_21_bytes": world.changed("ExtraDataInvalid", listed=(*listed[:3], listed[3] + b"\x00")),
        "seal_of_64_bytes": world.case("ExtraDataInvalid", good.with_seals([*good.seals()[:2], good.seals()[2][:64]])),
        "extra_with_one_more_item": world.changed("ExtraDataInvalid", extra_more=(b"",)),
        "five_seals_of_four": world.case(
            "SealsTooMany", good.with_seals([*replace(good, sealers=labels).seals(), foreign])
        ),
        "mix_hash_of_another_engine": world.changed("MixHashInvalid", mix_hash=bytes(32)),
        "difficulty_2": world.changed("DifficultyInvalid", difficulty=2),
        "ommers": world.item("OmmersInvalid", 1, keccak256(b"ommers")),
        "client_frozen": world.case("ClientFrozen", good.sealed(), state=world.state.freeze()),
        "client_expired": world.case("ClientExpired", good.sealed(), now=world.state.expires_at),
        "gap": world.changed("HeaderGap", number=good.number + 1),
        "behind": world.changed("HeaderBehind", number=parent.number),
        "wrong_parent": world.changed("ParentMismatch", parent_hash=keccak256(b"another parent")),
        "ahead_of_our_clock": world.case("TimestampAhead", good.sealed(), now=good.timestamp - 16),
        "time_stands_still": world.changed("TimestampNotIncreasing", timestamp=parent.timestamp),
        "validators_descending": world.changed("ValidatorsNotAscending", listed=tuple(reversed(listed))),
        "validator_listed_twice": world.changed("ValidatorsNotAscending", listed=(listed[0], *listed[:3])),
        "set_grows_without_votes": world.changed("ValidatorsUnexpected", validators=chain.ascending((*labels, "e"))),
        "set_replaced_without_votes": world.changed(
            "ValidatorsUnexpected", validators=strangers, sealers=strangers[:3], proposer=world.by(strangers[0])
        ),
        "no_validators_listed": world.changed("ValidatorsUnexpected", listed=()),
        "proposer_is_a_stranger": world.changed("ProposerNotValidator", proposer=world.by("stranger")),
        "two_seals_of_four": world.changed("SealsTooFew", sealers=labels[:2]),
        "no_seals": world.changed("SealsTooFew", sealers=()),
        "foreign_seal_beside_a_quorum": world.changed("SealForeign", sealers=(*labels[:3], "stranger")),
        "duplicate_seal": world.changed("SealDuplicate", sealers=(labels[0], labels[1], labels[0])),
        "duplicate_seal_beside_a_quorum": world.changed("SealDuplicate", sealers=(*labels[:3], labels[0])),
        "seals_of_another_block": world.case(
            "SealForeign", good.with_seals(replace(good, state_root=bytes(32)).seals())
        ),
        "seal_ends_in_27": world.case(
            "SignatureRecoveryId", good.with_seals([*good.seals()[:2], good.seals()[2][:64] + b"\x1b"])
        ),
        **set_change_cases(world),
    }


def set_change_cases(world):
    """A removed validator seals on; a set of 6 is sealed by F + 1; one validator votes itself out."""
    name = next(name for name, kind in KINDS.items() if kind is world.kind)
    spec, state = world.genesis, world.begun
    gone = spec.validators[3]
    for voter in spec.validators[:3]:
        spec = family.next_of(spec, vote=(chain.address(gone), False), proposer=world.by(voter))
        state = world.follow(state, spec)
    left = spec.validators[:3]
    after = family.next_of(spec, validators=left, sealers=(left[0], gone), proposer=world.by(left[0]))
    old = family.next_of(spec, proposer=world.by(left[0]))
    six = World(name, "abcdef")
    alone = World(name, "a")
    last = replace(alone.good, vote=(chain.address("a"), False))
    return {
        "sealed_by_a_removed_validator": ("SealForeign", state, after.sealed(), after.timestamp),
        "old_set_after_a_removal": ("ValidatorsUnexpected", state, old.sealed(), old.timestamp),
        "three_seals_of_six": six.changed("SealsTooFew", sealers=six.labels[:3]),
        "last_validator_voted_out": alone.case("ValidatorsExhausted", last.sealed()),
    }


def ibft2_cases():
    world = World("ibft2")
    good, parts = world.good, world.good.parts()
    vote = chain.address("e")
    four = rlp.encode(rlp.decode(good.extra(0, good.seals()))[:4])
    return {
        **common_cases(world),
        "accepted_round_1": world.changed("", round=1),
        "accepted_vote_to_add": world.changed("", vote=(vote, True)),
        "accepted_vote_to_drop": world.changed("", vote=(vote, False)),
        "nonce_of_one": world.item("NonceInvalid", 14, bytes(7) + b"\x01"),
        "vanity_of_31_bytes": world.changed("VanityInvalid", vanity=bytes(31)),
        "extra_of_three_items": world.case("ExtraDataInvalid", good.encoded(parts)),
        "extra_of_four_items": world.case("ExtraDataInvalid", good.encoded(four)),
        "extra_of_legacy_ibft": world.case("RlpTrailingBytes", good.encoded(bytes(32) + parts)),
        "round_of_three_bytes": world.changed("RoundOutOfBounds", round_item=bytes(3)),
        "round_of_five_bytes": world.changed("RoundOutOfBounds", round_item=bytes(5)),
        "round_without_bytes": world.changed("RoundOutOfBounds", round_item=b""),
        "round_of_2_to_31": world.changed("RoundOutOfBounds", round=2**31),
        "no_vote_as_qbft_has_it": world.changed("VoteInvalid", vote=[]),
        "drop_as_qbft_has_it": world.changed("VoteInvalid", vote=[vote, b""]),
        "vote_of_another_kind": world.changed("VoteInvalid", vote=[vote, b"\x01"]),
        "vote_for_19_bytes": world.changed("VoteInvalid", vote=[vote[:19], b"\xff"]),
        "vote_is_a_string": world.changed("ExtraDataInvalid", vote=b"\x01"),
        "sealed_in_another_round": world.case("SealForeign", replace(good, round=1).with_seals(good.seals())),
        "sealed_as_qbft": world.case("SealForeign", good.with_seals(_sealed(good, keccak256(good.sealed())))),
    }


def _sealed(spec, digest):
    return [sign_seal(chain.private_key(label), digest) for label in spec.sealers]


def ibft_cases():
    world = World("ibft")
    good = world.good
    listed = chain.addresses(world.labels)
    stolen = world.parent.own_seal()
    another = chain.address("e")
    return {
        **common_cases(world),
        "accepted_vote_to_add": world.changed("", vote=(another, True)),
        "accepted_vote_to_drop": world.changed("", vote=(chain.address("a"), False)),
        "nonce_of_one": world.item("VoteInvalid", 14, bytes(7) + b"\x01"),
        "extra_of_31_bytes": world.case("ExtraDataInvalid", good.encoded(bytes(31))),
        "extra_of_vanity_alone": world.case("ExtraDataInvalid", good.encoded(bytes(32))),
        "extra_of_two_items": world.case("ExtraDataInvalid", good.encoded(bytes(32) + rlp.encode([listed, bytes(65)]))),
        "extra_of_qbft": world.case(
            "RlpTrailingBytes", good.encoded(rlp.encode([bytes(32), listed, [], 0, good.seals()]))
        ),
        "no_proposer_seal": world.changed("ExtraDataInvalid", proposer_seal=b""),
        "proposer_seal_of_64_bytes": world.changed("ExtraDataInvalid", proposer_seal=good.own_seal()[:64]),
        "proposer_seal_ends_in_27": world.changed("SignatureRecoveryId", proposer_seal=good.own_seal()[:64] + b"\x1b"),
        "proposer_seal_of_another_block": world.changed("ProposerNotValidator", proposer_seal=stolen),
        "vote_changed_after_sealing": world.case(
            "ProposerNotValidator", _resealed(replace(good, vote=(another, True), proposer_seal=good.own_seal()))
        ),
        "sealed_without_the_code_of_a_commit": world.case("SealForeign", good.with_seals(_sealed(good, good.hash()))),
    }


def _resealed(spec):
    """Sealed by the committee all the same: the proposer's seal is over other content."""
    return spec.with_seals(_sealed(spec, spec.seal_digest()))


class ContractWorld:
    """A QBFT ledger whose contract holds a, b, c, d; e comes in the state of block 3."""

    def __init__(self):
        self.name = "qbft_contract"
        self.configuration = CONFIGURATIONS[self.name]
        self.old = family.ValidatorState("cadb")
        self.new = family.ValidatorState("cadbe")
        self.genesis = family.first_of(chain.Spec, number=1, listed=(), state_root=self.old.root)
        self.begun = self.start(self.configuration)
        self.parent = family.next_of(self.genesis, listed=(), state_root=self.old.root)
        self.state = self.follow(self.begun, self.parent, self.old)
        self.good = family.next_of(self.parent, listed=(), state_root=self.new.root)

    def start(self, configuration):
        header = self.old.bundled(self.genesis.sealed())
        return qbft.bootstrap(header, BlockHash(self.genesis.hash()), configuration)

    def follow(self, state, spec, held):
        return qbft.apply(state, qbft.verify_header(state, held.bundled(spec.sealed()), spec.timestamp))

    def case(self, error, header, state=None):
        return error, self.state if state is None else state, header, self.good.timestamp

    def holding(self, error, held, proof=None):
        """The good header in another state of the contract, with its proof."""
        spec = replace(self.good, state_root=held.root)
        return self.case(error, bundle(spec.sealed(), proof or held.proof()))

    def changed(self, error, **changes):
        return self.case(error, self.new.bundled(replace(self.good, **changes).sealed()))


def contract_cases():
    world = ContractWorld()
    good, new = world.good, world.new
    proof = new.proof()
    changed = world.follow(world.state, good, new)
    after = family.next_of(good, validators=(*good.validators, "e"), listed=(), state_root=new.root)
    ending = (
        ValidatorSelection(0, SelectionMode.CONTRACT, family.CONTRACT, family.SLOT),
        ValidatorSelection(4, SelectionMode.HEADER),
    )
    override = (qbft.ValidatorOverride(4, tuple(chain.addresses("abcd"))),)
    ended = world.follow(
        world.start(qbft.QbftConfiguration(selections=ending, overrides=override)), world.parent, world.old
    )
    word = b"\x01" + bytes(11) + chain.address("e")
    many = family.ValidatorState("", words=[number.to_bytes(32, "big") for number in range(1, 258)])
    elsewhere = family.ValidatorState("cadbe", code_hash=keccak256(b"other code"))
    gateway = chain.Storage({}, gateway=chain.GATEWAY)
    absent = SetProof(gateway.account_proof(family.CONTRACT), ())
    without = replace(good, state_root=gateway.root)
    return {
        "accepted": world.case("", new.bundled(good.sealed())),
        "accepted_sealed_by_the_new_set": ("", changed, new.bundled(after.sealed()), after.timestamp),
        "accepted_where_the_contract_ends": world.case("", good.sealed(), state=ended),
        "no_proof": world.case("SetProofMissing", good.sealed()),
        "proof_that_nobody_needs": world.case("SetProofInvalid", new.bundled(good.sealed()), state=ended),
        "bundle_of_strings": world.case("SetProofInvalid", rlp.encode([good.sealed(), b"", b""])),
        "bundle_with_a_node_that_is_a_list": world.case("SetProofInvalid", rlp.encode([good.sealed(), [[]], []])),
        "bundle_with_a_proof_that_is_a_string": world.case(
            "SetProofInvalid", rlp.encode([good.sealed(), list(proof.account), [b"\x01"]])
        ),
        "contract_absent": world.case("ValidatorContractAbsent", bundle(without.sealed(), absent)),
        "contract_replaced": world.holding("ValidatorContractReplaced", elsewhere),
        "proof_without_the_length": world.holding("SetProofInvalid", new, SetProof(proof.account, ())),
        "proof_of_one_less": world.holding("SetProofInvalid", new, SetProof(proof.account, proof.storage[:-1])),
        "proof_of_one_more": world.holding(
            "SetProofInvalid", new, SetProof(proof.account, (*proof.storage, proof.storage[-1]))
        ),
        "proof_of_the_parents_state": world.case("ProofNodeHashMismatch", world.old.bundled(good.sealed())),
        "elements_in_another_order": world.holding(
            "ProofNodeHashMismatch", new, SetProof(proof.account, (proof.storage[0], *proof.storage[:0:-1]))
        ),
        "list_without_members": world.holding("SetProofInvalid", family.ValidatorState("")),
        "list_of_257": world.holding(
            "ValidatorsTooMany", many, SetProof(many.proof().account, many.proof().storage[:1])
        ),
        "word_that_is_no_address": world.holding("SetProofInvalid", family.ValidatorState("", words=[word])),
        "member_listed_twice": world.holding("ValidatorsNotAscending", family.ValidatorState("cadbc")),
        "header_lists_the_set": world.changed("ValidatorsUnexpected", listed=None),
        "header_votes": world.changed("VoteInvalid", vote=(chain.address("e"), True)),
        "proposer_is_a_stranger": world.changed("ProposerNotValidator", proposer=chain.address("stranger")),
        "sealed_by_the_new_set_too_early": world.changed("SealForeign", sealers=("a", "b", "e")),
        "two_seals_of_four": world.changed("SealsTooFew", sealers=good.validators[:2]),
        "five_seals_of_four": world.changed("SealsTooMany", sealers=(*good.validators, "e")),
    }


def hex0x(data):
    return "0x" + bytes(data).hex()


def files():
    """Path under tests/vectors → text."""
    made = {}
    for name, cases in (("ibft2", ibft2_cases()), ("ibft", ibft_cases()), ("qbft_contract", contract_cases())):
        for defect, (error, state, header, now) in cases.items():
            content = {"error": error, "state": hex0x(state.to_bytes()), "header": hex0x(header), "now": now}
            path = f"{name}/{'bad' if error else 'good'}/headers_{defect}.json"
            made[path] = json.dumps(content, indent=1, sort_keys=True) + "\n"
    return made


if __name__ == "__main__":
    for path, text in files().items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
