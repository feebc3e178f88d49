"""Attacks that the demo makes, each refused by name: at the hub's interface and by the contracts on the ledger.

Two attackers are played. The *forger* has keys of his own and makes up a message. The *replayer* has a claim of one lane
with the operators' true signatures and offers it on another lane that the same verifier judges.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
from pydantic import TypeAdapter
from sqlalchemy import Row, select

from adapters.protocol import Call, Delivery, Ledger, Receipt, Rejected
from adapters.solidity.calldata import committee_proof, encode_anchor, encode_probe
from adapters.solidity.contracts import contract
from light_clients.crypto.secp256k1 import address_of, sign
from relay.attestations import VerifyingEnd, claim_of, verifying_ends
from relay.demo.world import World
from relay.errors import NotNow
from relay.registry.chains import chain_named, open_chain
from relay.store.tables import attestations, claims, committees, lanes, messages
from schemas.attestation import Attestation, attestation_digest
from schemas.claim import Claim, Direction
from schemas.heads import fold, outbox_genesis
from schemas.message import Message
from schemas.payloads import TextPayload, encode_payload
from schemas.primitives import BlockHash, Head, LaneId, bytes_from_hex
from schemas.suites import suite_named

ANCHOR_GAS = 500_000
HUB_ANSWERS_WITHIN_S = 30.0

_ATTESTATION = TypeAdapter(Attestation)


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """A claim that the hub proposed: its epoch and the operators' signatures by signer."""

    claim: Claim
    epoch: int
    signatures: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as its attackers see it: its row, where its messages are judged, and the committee's signers in order."""

    row: Row[Any]
    end: VerifyingEnd
    epoch: int
    signers: list[bytes]

    @property
    def lane_id(self) -> LaneId:
        """Its id."""
        return LaneId(self.row.lane_id)

    def proof(self, signed: SignedClaim) -> bytes:
        """Proof bytes from a claim's signatures."""
        return committee_proof(
            signed.epoch, [(self.signers.index(signer), found) for signer, found in signed.signatures.items()]
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an offer: the name of the refusal (or `accepted`), and the sentence with it."""

    name: str
    text: str


def lane_between(world: World, source: str, destination: str) -> Lane:
    """Read a lane with the committee that judges its messages."""
    with world.store.read() as connection:
        row = connection.execute(
            select(lanes).where(lanes.c.source == source, lanes.c.destination == destination)
        ).one()
        end = verifying_ends(connection, [row.lane_id])[row.lane_id, Direction.OUTBOX]
        committee = connection.execute(
            select(committees).where(committees.c.chain == destination, committees.c.state == "current")
        ).one()
    return Lane(row, end, committee.epoch, [bytes_from_hex(signer) for signer in committee.signers])


def newest_claim(world: World, lane: Lane, state: str) -> SignedClaim:
    """The newest claim about a lane's messages in a state (`open` or `attested`), with every signature that the hub has.

    Raises:
        NotNow: there is none.
    """
    with world.store.read() as connection:
        row = connection.execute(
            select(claims)
            .where(claims.c.lane_id == lane.row.lane_id, claims.c.direction == 0, claims.c.state == state)
            .order_by(claims.c.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            raise NotNow(f"There is no {state} claim of {lane.row.source} → {lane.row.destination}.", "Send a message.")
        found = connection.execute(select(attestations).where(attestations.c.claim_id == row.id)).all()
    return SignedClaim(claim_of(row), row.epoch, {bytes(item.signer): bytes(item.signature) for item in found})


def claim_state(world: World, claim: Claim) -> str:
    """How the hub's claim with these fields stands: open, attested or void."""
    with world.store.read() as connection:
        state: str = connection.execute(
            select(claims.c.state)
            .where(claims.c.lane_id == bytes(claim.lane_id), claims.c.direction == int(claim.direction))
            .where(claims.c.head == bytes(claim.head))
            .order_by(claims.c.id.desc())
            .limit(1)
        ).scalar_one()
    return state


def offer_to_hub(world: World, attestation: Attestation) -> Answer:
    """Post an attestation as an operator does; the hub's verdict."""
    answer = httpx.post(
        f"http://127.0.0.1:{world.config.web_port}/v1/attestations",
        json=_ATTESTATION.dump_python(attestation, mode="json"),
        timeout=HUB_ANSWERS_WITHIN_S,
        trust_env=False,
    )
    verdict = answer.json()["verdicts"][0]
    return Answer(verdict.get("name") or verdict["result"], verdict.get("text", ""))


class Forger:
    """Somebody with keys of his own, who would like a message to arrive that nobody sent."""

    def __init__(self, world: World, lane: Lane) -> None:
        self.lane = lane
        self.keys = [secrets.token_bytes(32) for _ in lane.signers[:2]]
        self.message, self.claim = self._invent(world)

    def sign(self, claim: Claim, key: int = 0) -> bytes:
        """His signature over the digest that a true operator would sign."""
        place = self.lane.end.place(self.lane.epoch)
        return sign(self.keys[key], attestation_digest(self.lane.end.suite, place, claim))

    def altered(self, proposed: Claim) -> Attestation:
        """The claim that the hub proposed with the head that he would like, in the name of a true signer."""
        claim = replace(proposed, head=self.claim.head)
        return Attestation(claim, self.lane.epoch, self.lane.signers[0], self.sign(claim))

    def impersonating(self, proposed: Claim) -> Attestation:
        """The true claim, signed by him in the name of a true signer."""
        return Attestation(proposed, self.lane.epoch, self.lane.signers[0], self.sign(proposed))

    def in_his_own_name(self, proposed: Claim) -> Attestation:
        """The true claim, signed by him in his own name."""
        return Attestation(proposed, self.lane.epoch, address_of(self.keys[0]), self.sign(proposed))

    def delivery(self) -> Delivery:
        """His message with his claim and as many signatures as the committee asks for."""
        proof = committee_proof(self.lane.epoch, [(index, self.sign(self.claim, index)) for index in range(2)])
        return Delivery(self.lane.lane_id, (self.message,), (), self.claim, proof)

    def _invent(self, world: World) -> tuple[Message, Claim]:
        """The next message after what was delivered, folded onto the true head: only the signatures can give him away."""
        suite, row = suite_named(self.lane.row.suite), self.lane.row
        head = outbox_genesis(self.lane.lane_id)
        if row.delivered:
            with world.store.read() as connection:
                head = Head(
                    connection.execute(
                        select(messages.c.head).where(
                            messages.c.lane_id == row.lane_id, messages.c.nonce == row.delivered
                        )
                    ).scalar_one()
                )
        mailbox = bytes(chain_named(world.store, row.destination).mailbox)
        message = Message.create(
            suite,
            nonce=row.delivered + 1,
            sender=address_of(self.keys[0]),
            receiver=mailbox,
            payload=encode_payload(TextPayload(text="付款一百万 💰")),
            gas_limit=300_000,
        )
        forged = fold(suite, head, message.message_id(suite, self.lane.lane_id))
        claim = Claim(
            self.lane.lane_id, Direction.OUTBOX, message.nonce, forged, row.final_height, BlockHash(row.final_hash)
        )
        return message, claim


class Replayer:
    """Somebody with a true claim of one lane and its true signatures, who offers them on another lane."""

    def __init__(self, true: SignedClaim, lane: Lane, other: Lane) -> None:
        self.true = true
        self.lane = lane
        self.other = other

    @property
    def relabelled(self) -> Claim:
        """The claim with the other lane's id written over its own."""
        return replace(self.true.claim, lane_id=self.other.lane_id)

    def as_signature_of(self, proposed: SignedClaim, signer: bytes) -> Attestation:
        """A signer's true signature of the one lane, offered for the claim that the hub proposed of the other."""
        return Attestation(proposed.claim, proposed.epoch, signer, self.true.signatures[signer])

    def probe(self) -> bytes:
        """Calldata that asks what the verifier says where the claim belongs."""
        return encode_probe(self.lane.lane_id, self.true.claim, self.lane.proof(self.true))

    def anchor_as_it_is(self) -> bytes:
        """Calldata that offers the claim, unaltered, on the other lane."""
        return self._anchor(self.true.claim)

    def anchor_relabelled(self) -> bytes:
        """Calldata that offers the claim on the other lane under that lane's id."""
        return self._anchor(self.relabelled)

    def _anchor(self, claim: Claim) -> bytes:
        return encode_anchor(
            self.other.lane_id, int(claim.direction), claim.head, [], claim, self.lane.proof(self.true)
        )


class Attack:
    """Offers calldata to the gateway that judges a lane.

    Args:
        world: where.
        chain: the ledger's name.
    """

    def __init__(self, world: World, chain: str) -> None:
        self.world = world
        self.chain = chain
        self.row = chain_named(world.store, chain)
        self.gateway = bytes(self.row.gateway)
        self.ledger: Ledger = open_chain(self.row)

    def close(self) -> None:
        """Release the connections."""
        self.ledger.close()

    def believed(self, probe: bytes) -> bool:
        """Whether the verifier believes a claim where it belongs."""
        output = self.ledger.simulate(self.world.sender.address, self.call(probe))
        return bool(contract("Gateway").decode("probe", output)[0])

    def delivery(self, delivery: Delivery) -> Call:
        """A transaction that delivers."""
        return self.ledger.call_for(self.gateway, delivery)

    def call(self, data: bytes) -> Call:
        """A transaction with this calldata."""
        return Call(self.gateway, data, ANCHOR_GAS)

    def simulated(self, call: Call) -> Answer:
        """What the contracts say to a transaction: the error's name and its sentence."""
        try:
            self.ledger.simulate(self.world.sender.address, call)
        except Rejected as refusal:
            return Answer(refusal.reason.partition("(")[0], refusal.reason)
        return Answer("accepted", "The transaction would succeed.")

    def mined(self, calls: Sequence[Call]) -> list[Receipt]:
        """Send transactions although they will revert, and wait for their receipts."""
        key = self.world.sender
        wallet = self.ledger.wallet(key.address)
        signed = [
            self.ledger.sign(key.private, wallet.pending_nonce + index, call, wallet.fee)
            for index, call in enumerate(calls)
        ]
        refused = next((answer for answer in self.ledger.broadcast([item.raw for item in signed]) if answer), None)
        if refused is not None:
            raise refused
        found: list[Receipt | None] = []

        def all_there() -> bool:
            found[:] = self.ledger.receipts([item.transaction for item in signed])
            return None not in found

        self.world.wait_until("the forged transactions are mined", all_there)
        return [receipt for receipt in found if receipt is not None]

    def is_anchored(self, lane: Lane, head: Head) -> bool:
        """Whether the gateway would believe a head of a lane without a proof."""
        asked = contract("Gateway").encode("anchored", bytes(lane.lane_id), bytes(head))
        return bool(
            contract("Gateway").decode("anchored", self.ledger.simulate(self.world.sender.address, self.call(asked)))[0]
        )

    def delivered(self, lane: Lane) -> int:
        """How many messages of a lane the gateway has delivered, as it says itself."""
        return self.ledger.lane_ends(self.gateway, lane.lane_id).delivered
