"""The checks of a receipt's ways: that a history passes through the entry, and that whoever the lane trusts said so.

The numbers are those of docs/evidence.md, section The checks. Each function takes for granted what another one checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from light_clients.crypto import sm2
from light_clients.crypto.secp256k1 import recover_address
from light_clients.families import client_named, evidence_of
from light_clients.pins import pin_of
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, verify_gateway_head
from relay.evidence.leaves import ATTESTED, PROVED, decode, digest_of, signatures_object
from relay.evidence.verify_headers import (
    HASHED_WHOLE,
    SEALED,
    Fails,
    NotAsked,
    NotKnown,
    check_maker,
    leave,
    same,
    shown,
    state_root_of,
)
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.evidence import FamilyEvidence
from schemas.heads import fold_all, genesis
from schemas.primitives import Digest
from schemas.receipt import Anchors, ChainAnchor, CommitteeAnchor, JudgeAnchor, MemberAnchor, Quorum, Receipt, Way
from schemas.suites import keccak256, sm3, suite_named

MORE_THAN_HASHES = ("cometbft", "beacon")
"""Families whose states keep of a block what proofs are held against: no block can be taken for accepted by its hash alone."""


@dataclass(frozen=True, slots=True)
class WayContext:
    """One way of a receipt, with what the checks need of the rest.

    Attributes:
        receipt: the whole.
        anchors: what is trusted.
        direction: 0 for `out`, 1 for `back`.
        way: the way.
        entry_id: message_id or outcome_id.
    """

    receipt: Receipt
    anchors: Anchors
    direction: Direction
    way: Way
    entry_id: bytes

    @property
    def proving(self) -> ChainAnchor:
        """The ledger whose block proves the head."""
        lane = self.receipt.lane
        return known_chain(self.anchors, lane.destination if self.direction else lane.source)

    @property
    def judge(self) -> JudgeAnchor:
        """Who judges this direction of the lane."""
        lane = self.anchors.lane(self.receipt.lane_id)
        if lane is None:
            raise Fails("The anchors do not list the lane.")
        return lane.back if self.direction else lane.out


def known_chain(anchors: Anchors, word: bytes) -> ChainAnchor:
    """The anchors' ledger of a chain word.

    Raises:
        Fails: it is not there.
    """
    chain = anchors.chain(word)
    if chain is None:
        raise Fails(f"The anchors have no ledger of chain word 0x{word.hex()}.")
    return chain


def check_fold(context: WayContext) -> None:
    """The claimed head is folded of what was before, the entry, and the ids after it."""
    receipt, way = context.receipt, context.way
    suite, claim = suite_named(receipt.lane.suite), way.claim
    same("The claim's lane_id", claim.lane_id, receipt.lane_id)
    same("The claim's direction", int(claim.direction), int(context.direction))
    same("The claim's nonce", claim.nonce, receipt.message.nonce + len(way.suffix_ids))
    if receipt.message.nonce == 1:
        same("The head before the first entry", way.before, genesis(suite, receipt.lane_id, context.direction))
    same("The folded head", claim.head, fold_all(suite, way.before, (context.entry_id, *way.suffix_ids)))


def check_prefix(context: WayContext) -> None:
    """The proved head is the claimed one, or, where a committee alone judges, one that passes through it."""
    way, proof = context.way, context.way.proof
    same("The proof's nonce", proof.nonce, way.claim.nonce + len(proof.between_ids))
    suite = suite_named(context.receipt.lane.suite)
    same("The proved head", proof.head, fold_all(suite, way.claim.head, proof.between_ids))
    if context.judge.kind != "committee" and proof.between_ids:
        raise Fails("A light client sees no head but the proved one, and the claim is of an earlier one.")


def check_proof(context: WayContext) -> None:
    """Under the header of the claimed hash the gateway holds the proved head."""
    way, chain = context.way, context.proving
    same("The proof's consensus", way.proof.consensus, chain.consensus)
    claim = replace(way.claim, nonce=max(way.proof.nonce, 1), head=way.proof.head)
    if chain.consensus in SEALED or chain.consensus in HASHED_WHOLE:
        _check_slot(chain, claim, SlotEvidence.from_bytes(way.proof.evidence))
        return
    if not chain.client_state:
        leave("The anchors have no state of the ledger's light client.", context.judge.kind)
    client = client_named(chain.consensus)
    state = client.state_from_bytes(chain.client_state)
    item = FamilyEvidence(claim.height, b"", way.proof.evidence)
    evidence = (
        SlotEvidence.from_bytes(way.proof.evidence)
        if chain.consensus == "beacon"
        else evidence_of(chain.consensus, item)
    )
    pin = pin_of(chain.consensus, chain.gateway, chain.code_hash, chain.pin)
    client.verify_claim(_accepting(context, state, claim), claim, evidence, pin)


def _check_slot(chain: ChainAnchor, claim: Claim, evidence: SlotEvidence) -> None:
    root = state_root_of(chain.consensus, evidence.header, claim.height, claim.block_hash)
    pin = GatewayPin(chain.gateway, chain.code_hash)
    verify_gateway_head(root, pin, claim, evidence.account_proof, evidence.storage_proof)


def _accepting(context: WayContext, state: Any, claim: Claim) -> Any:
    """A state that takes the claim's block for accepted; whether it is, another check says."""
    if state.hash_at(claim.height) == claim.block_hash:
        return state
    if context.proving.consensus in MORE_THAN_HASHES:
        leave("The light client's state in the anchors does not reach to that block.", context.judge.kind)
    return replace(state, height=claim.height, recent=(claim.block_hash,))


def check_header(context: WayContext) -> None:
    """The header is sealed by the validators of the anchors or their successors, or the anchors' light client accepted the block."""
    chain, way = context.proving, context.way
    seals = chain.consensus in SEALED and chain.validators
    header = SlotEvidence.from_bytes(way.proof.evidence).header if seals else b""
    try:
        check_maker(chain, way.claim.height, way.claim.block_hash, header, way.validators)
    except NotKnown as reason:
        leave(str(reason), context.judge.kind)


def check_quorum(context: WayContext) -> None:
    """As many organisations of the committee signed the claim as it asks for."""
    judge, quorum, lane = context.judge, context.way.quorum, context.receipt.lane
    if judge.kind == "light-client":
        if quorum is not None:
            raise Fails("A light client alone judges the lane, and there are signatures.")
        raise NotAsked("A light client alone judges this direction.")
    if quorum is None:
        raise Fails("A committee judges the lane, and there are no signatures.")
    here, gateway = (lane.destination, lane.destination_gateway)
    if context.direction:
        here, gateway = (lane.source, lane.source_gateway)
    same("The quorum's ledger", quorum.chain, here)
    same("The quorum's gateway", quorum.gateway, gateway)
    same("The committee", quorum.verifier, judge.committee)
    place = Place(quorum.chain, quorum.gateway, quorum.verifier, quorum.epoch)
    same("The digest", quorum.digest, attestation_digest(suite_named(lane.suite), place, context.way.claim))
    committee = context.anchors.committee(quorum.chain, quorum.gateway, quorum.verifier, quorum.epoch)
    if committee is None:
        raise Fails(f"The anchors have no epoch {quorum.epoch} of that committee.")
    _check_signatures(quorum, committee)


def _check_signatures(quorum: Quorum, committee: CommitteeAnchor) -> None:
    members = {member.account: member for member in committee.members}
    houses, seen = set(), set()
    for item in quorum.signatures:
        member = members.get(item.account)
        if member is None:
            raise Fails(f"{shown(item.account)} does not sit in the committee.")
        if item.account in seen:
            raise Fails(f"{shown(item.account)} signs twice.")
        seen.add(item.account)
        same("The scheme of a signature", item.scheme, member.scheme)
        if not _signed(member, quorum.digest, item.signature):
            raise Fails(f"The signature is not that of {shown(item.account)}.")
        if not member.struck:
            houses.add(member.organisation)
    if len(houses) < committee.threshold:
        raise Fails(f"{len(houses)} organisations signed; the committee asks for {committee.threshold}.")


def _signed(member: MemberAnchor, digest: Digest, signature: bytes) -> bool:
    if member.scheme == "secp256k1":
        return recover_address(digest, signature) == member.account
    key = member.public_key
    accounts = (keccak256(key)[12:], sm3(key)[12:])
    return member.account in accounts and sm2.verify(key, bytes(digest), signature)


def check_leaves(context: WayContext) -> None:
    """The leaves of the log say what the receipt does."""
    way, claim = context.way, context.way.claim
    said = _named(way.proof.leaf.entry, PROVED)
    shown = {"nonce": way.proof.nonce, "head": way.proof.head, "consensus": way.proof.consensus}
    _compare(said, _block_of(claim) | shown | {"evidence": digest_of(way.proof.evidence)})
    if way.quorum is None:
        return
    quorum = way.quorum
    content = signatures_object(
        [(item.signer, item.account, item.scheme, item.signature) for item in quorum.signatures]
    )
    place = {"chain": quorum.chain, "gateway": quorum.gateway, "verifier": quorum.verifier, "epoch": quorum.epoch}
    place |= {"threshold": quorum.threshold, "nonce": claim.nonce, "head": claim.head}
    _compare(_named(quorum.leaf.entry, ATTESTED), _block_of(claim) | place | {"signatures": digest_of(content)})


def _block_of(claim: Claim) -> dict[str, Any]:
    return {
        "lane_id": claim.lane_id,
        "direction": int(claim.direction),
        "height": claim.height,
        "block_hash": claim.block_hash,
    }


def _named(entry: bytes, kind: str) -> dict[str, Any]:
    read = decode(entry)
    same("The kind of a leaf", read.kind, kind)
    return read.named()


def _compare(said: dict[str, Any], shown: dict[str, Any]) -> None:
    for name, value in shown.items():
        same(f"The leaf's {name}", said[name], value)


WAY_CHECKS: tuple[tuple[str, Callable[[WayContext], None]], ...] = (
    ("fold", check_fold),
    ("prefix", check_prefix),
    ("proof", check_proof),
    ("header", check_header),
    ("quorum", check_quorum),
    ("leaves", check_leaves),
)
"""The checks of each way, in order."""
