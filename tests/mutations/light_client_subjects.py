"""A light client on a ledger: headers, seals, proofs of account and storage, and claims on them are spoilt.

The Python judge is made of the light client that hub and operators run (`light_clients.qbft`), for the one question that the
contract answers: is this a header that the trusted set sealed, and does its state hold the head?
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import rlp
from eth_abi.abi import encode
from rlp.exceptions import RLPException

from adapters.protocol import MessageDelivered
from adapters.solidity.calldata import DELIVER
from adapters.solidity.verifiers import encode_update
from light_clients.bft.checks import check_form, check_seals, check_validators
from light_clients.bft.types import BftHeader, SelectionMode
from light_clients.errors import LightClientError
from light_clients.proofs.gateway import GatewayPin, check_claim_form, verify_gateway_head
from light_clients.qbft.codec import parse_header, with_extra
from light_clients.qbft.signed import signed_form
from light_clients.rlp import decode_list
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, outbox_genesis
from schemas.primitives import BlockHash, Bytes32, Head, LaneId, SchemaError
from schemas.suites import EVM, keccak256
from tests.mutations.gateway_subjects import CLAIM, DELIVERY_TYPES, claim_fields, message_fields
from tests.mutations.judges import Mutation, Subject, Verdict
from tests.mutations.mutators import spoil, spoil_bytes, spoil_list
from tests.support import qbft_chain
from tests.support.evm_world import GAS, RELAYER, Refused
from tests.support.light_client_world import LightLane

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DRIFT_S = 15
MESSAGES = 3


def spoil_rlp(chance: random.Random, encoded: bytes) -> bytes:
    """Change an item somewhere inside nested lists, and encode the whole again, so that the form stays right."""
    try:
        decoded = rlp.decode(encoded, strict=True)
    except RLPException:
        return spoil_bytes(chance, encoded)
    return rlp.encode(_spoil_item(chance, decoded))


def _spoil_item(chance: random.Random, item: Any) -> Any:
    if isinstance(item, bytes):
        try:
            nested = rlp.decode(item, strict=True) if len(item) > 40 and chance.random() < 0.7 else None
        except RLPException:
            nested = None
        return spoil_bytes(chance, item) if nested is None else rlp.encode(_spoil_item(chance, nested))
    if not item or chance.random() < 0.2:
        return spoil_list(chance, item)
    place = chance.randrange(len(item))
    return [*item[:place], _spoil_item(chance, item[place]), *item[place + 1 :]]


def spoil_encoded(chance: random.Random, encoded: bytes) -> bytes:
    """Raw bytes, or what they encode."""
    return spoil_bytes(chance, encoded) if chance.random() < 0.4 else spoil_rlp(chance, encoded)


def spoil_seals(chance: random.Random, seals: list[bytes], digest: bytes) -> list[bytes]:
    """Bytes, order and number; the other form of a signature; seals by strangers, and over other headers."""
    way = chance.randrange(6)
    if way == 0:
        return spoil_list(chance, seals)
    place = chance.randrange(len(seals))
    seal = seals[place]
    if way == 1:
        s = CURVE_ORDER - int.from_bytes(seal[32:64], "big")
        seal = seal[:32] + s.to_bytes(32, "big") + bytes([seal[64] ^ 1])
    elif way == 2:
        seal = seal[:64] + bytes([seal[64] + 27])
    elif way == 3:
        seal = qbft_chain.sign_seal(qbft_chain.private_key(chance.choice("wxyz")), digest)
    elif way == 4:
        seal = qbft_chain.sign_seal(qbft_chain.private_key(chance.choice("abcd")), keccak256(digest))
    else:
        seal = spoil_bytes(chance, seal)
    return [*seals[:place], seal, *seals[place + 1 :]]


def judged_header(header: bytes, seals: list[bytes], trusted: tuple[bytes, ...]) -> BftHeader:
    """A header as its validators signed it, with its seals: read, in that very form, and sealed by the trusted set.

    Raises:
        LightClientError: something of that is not so.
    """
    unsealed = parse_header(header)
    items = [item for item in decode_list(header) if isinstance(item, bytes)]
    sealed = with_extra(items, replace(unsealed.extra, seals=tuple(seals)))
    if signed_form(sealed).header != header:
        raise LightClientError("It is not in the form that its validators signed.")
    parsed = parse_header(sealed)
    check_form(parsed)
    check_validators(parsed, trusted, SelectionMode.HEADER)
    if parsed.proposer not in trusted:
        raise LightClientError("The proposer is no validator.")
    check_seals(parsed, trusted)
    return parsed


class ProofSubject:
    """A delivery over a lane that a light client judges: its header, seals, proofs and claim."""

    shape = ("bytes", ["bytes"], ["bytes"], ["bytes"], CLAIM)
    parts = ("header", "seals", "account proof", "storage proof", "claim")

    def __init__(self) -> None:
        self.lane = LightLane(receiver="Idle")
        world = self.lane.world
        for number in range(MESSAGES):
            world.send(payload=bytes([number]))
        self.honest = self.lane.claim(0)
        peer = self.lane.peers[0]
        self.trusted = tuple(qbft_chain.addresses(peer.spec.validators))
        self.digest = peer.spec.seal_digest()
        slot = qbft_chain.keccak256(bytes(self.lane.lane_id) + bytes(32))
        account, storage = list(peer.storage.account_proof()), list(peer.storage.storage_proof(slot))
        self.good = (peer.spec.signed(), peer.spec.seals(), account, storage, claim_fields(self.honest))
        self.messages = [message_fields(message) for message in world.sent]
        self.ids = [message.message_id(EVM, self.lane.lane_id) for message in world.sent]
        self.end = world.destination
        self.pin = GatewayPin(world.source.gateway, Bytes32(world.source.chain.code_hash(world.source.gateway)))
        self.meaning = self.solidity(self.good)
        assert self.meaning is not None
        assert self.python(self.good) == self.meaning

    def mutate(self, chance: random.Random) -> Mutation:
        place = chance.randrange(len(self.parts))
        value = self.good[place]
        if place == 0:
            value = spoil_encoded(chance, value)
        elif place == 1:
            value = spoil_seals(chance, value, self.digest)
        elif place == 4:
            value = spoil(chance, value, CLAIM)
        elif chance.random() < 0.2:
            value = spoil_list(chance, value)
        else:
            node = chance.randrange(len(value))
            value = [*value[:node], spoil_encoded(chance, value[node]), *value[node + 1 :]]
        return Mutation(self.parts[place], (*self.good[:place], value, *self.good[place + 1 :]))

    def python(self, value: Any) -> Verdict:
        header, seals, account_proof, storage_proof, fields = value
        try:
            lane_id, direction, nonce, head, height, block_hash = fields
            claim = Claim(LaneId(lane_id), Direction(direction), nonce, Head(head), height, BlockHash(block_hash))
            check_claim_form(claim)
            folded = fold_all(EVM, outbox_genesis(self.lane.lane_id), self.ids)
            if claim.lane_id != self.lane.lane_id or claim.direction or claim.nonce != MESSAGES or claim.head != folded:
                return None
            parsed = judged_header(header, seals, self.trusted)
            if parsed.height != claim.height or parsed.block_hash != claim.block_hash:
                return None
            if parsed.timestamp > self.end.chain.now + DRIFT_S:
                return None
            verify_gateway_head(parsed.state_root, self.pin, claim, account_proof, storage_proof)
        except (LightClientError, SchemaError, ValueError):
            return None
        return [(number + 1, message_id) for number, message_id in enumerate(self.ids)]

    def solidity(self, value: Any) -> Verdict:
        header, seals, account_proof, storage_proof, fields = value
        proof = encode(["bytes", "bytes[]", "bytes[]", "bytes[]"], [header, seals, account_proof, storage_proof])
        data = DELIVER + encode(DELIVERY_TYPES, (bytes(self.lane.lane_id), self.messages, [], fields, proof))
        evm = self.end.chain.evm
        point = evm.snapshot()
        try:
            done = self.end.chain.transact(RELAYER, self.end.gateway, data, gas=GAS)
        except Refused:
            return None
        finally:
            evm.revert(point)
        events = done.events_of(self.end.gateway)
        return [(event.nonce, event.message_id) for event in events if isinstance(event, MessageDelivered)]

    def same_meaning(self, verdict: Verdict) -> bool:
        return verdict == self.meaning


class UpdateSubject:
    """A newer header that moves a light client on."""

    def __init__(self) -> None:
        self.lane = LightLane()
        self.client = self.lane.clients[0]
        self.old = self.lane.peers[0].spec
        new = self.lane.seal(0, round=1)
        self.trusted = tuple(qbft_chain.addresses(new.validators))
        self.digest = new.seal_digest()
        self.good = (new.signed(), new.seals())
        self.meaning = (new.number, new.hash(), new.timestamp)
        assert self.python(self.good) == self.solidity(self.good) == self.meaning

    def mutate(self, chance: random.Random) -> Mutation:
        header, seals = self.good
        if chance.random() < 0.6:
            return Mutation("header", (spoil_encoded(chance, header), seals))
        return Mutation("seals", (header, spoil_seals(chance, seals, self.digest)))

    def python(self, value: Any) -> Verdict:
        try:
            parsed = judged_header(*value, self.trusted)
        except (LightClientError, SchemaError):
            return None
        if parsed.height <= self.old.number or parsed.timestamp < self.old.timestamp:
            return None
        if parsed.timestamp > self.client.chain.now + DRIFT_S:
            return None
        return parsed.height, parsed.block_hash, parsed.timestamp

    def solidity(self, value: Any) -> Verdict:
        evm = self.client.chain.evm
        point = evm.snapshot()
        try:
            self.client.transact(encode_update(value))
            return tuple(self.client.view("client")[:3])
        except Refused:
            return None
        finally:
            evm.revert(point)

    def same_meaning(self, verdict: Verdict) -> bool:
        return verdict == self.meaning


def light_client_subjects() -> list[Subject]:
    """A delivery by proof, and an update of the client."""
    return [ProofSubject(), UpdateSubject()]
