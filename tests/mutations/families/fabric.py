"""Fabric: blocks, orderers' signatures, configuration updates, transactions and attested reads, taken apart and put together again.

What a change means is what was believed: number, hash and configuration of a block, or the head. Signatures, nonces and who
signed are no meaning: a block that one orderer less signed, or another one, says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from light_clients import fabric
from light_clients.errors import ClaimMalformed, ProtobufFieldInvalid
from light_clients.fabric.codec import read_block
from light_clients.protobuf import Message
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, SchemaError
from tests.mutations.families.engine import FamilySubject
from tests.support import fabric_chain as f
from tests.support.shared_vectors import shared

FAMILY = "fabric"
NOW = f.START + 100
Parts = Any


def subjects() -> list[FamilySubject]:
    """Blocks of both live networks, and claims and updates of synthetic channels."""
    found = []
    for network in ("raft", "bft"):
        others = [_taken_apart(_real(network, number)) for number in (3, 4, 6)]
        judge = _judge_block(_real_state(network, 5))
        found.append(FamilySubject(FAMILY, f"block {network}", _taken_apart(_real(network, 5)), judge, others))
        raw = partial(_judge_bytes, _real_state(network, 5))
        others = [(_real(network, number),) for number in (3, 4, 6)]
        found.append(FamilySubject(FAMILY, f"bytes {network}", (_real(network, 5),), raw, others))
    for consensus in ("etcdraft", "BFT"):
        found += _claims(consensus)
        found.append(_update(consensus))
    return found


def _real(network: str, number: int) -> bytes:
    return shared(f"fabric/{network}/blocks/{number}.block").read_bytes()


def _real_state(network: str, number: int) -> fabric.FabricState:
    first, block = _real(network, 0), read_block(_real(network, number))
    state = fabric.bootstrap(first, read_block(first).block_hash, fabric.FabricConfiguration("mychannel"))
    return replace(state, height=number - 1, recent=(BlockHash(block.previous_hash),))


def _taken_apart(data: bytes) -> Parts:
    """(header's three fields, envelopes, signed value, signatures of three fields each)."""
    block = read_block(data)
    signatures = [(each.signature_header, each.signature, each.identifier_header) for each in block.signatures]
    header = (block.height, block.previous_hash, block.data_hash)
    return (header, list(block.envelopes), block.signed_value, signatures)


def _assembled(parts: Parts) -> bytes:
    header, envelopes, value, signatures = parts
    metadata = _message((1, value), *((2, _message(*enumerate(each, 1))) for each in signatures))
    data = _message(*((1, envelope) for envelope in envelopes))
    return _message((1, _message(*enumerate(header, 1))), (2, data), (3, _message((1, metadata))))


def _message(*fields: tuple[int, int | bytes]) -> bytes:
    """As a canonical writer leaves out what is empty; numbers that do not fit are refused like their bytes would be."""
    for _, value in fields:
        if isinstance(value, int) and not 0 <= value < 2**64:
            raise ProtobufFieldInvalid("A number does not fit.")
    return f.message(
        *((number, value or None) if isinstance(value, bytes) else (number, value) for number, value in fields)
    )


def _judge_bytes(state: fabric.FabricState, value: Parts) -> object:
    verified = fabric.verify_header(state, value[0], NOW)
    return (verified.height, verified.block_hash, verified.timestamp, verified.channel_config)


def _judge_block(state: fabric.FabricState) -> Callable[[Parts], object]:
    return lambda parts: _judge_bytes(state, (_assembled(parts),))


@cache
def _scene(consensus: str) -> tuple[f.Scene, fabric.FabricState]:
    scene = f.scene(f.Network(consensus))
    return scene, scene.chain.followed()


def _claims(consensus: str) -> list[FamilySubject]:
    scene, state = _scene(consensus)
    other = f.scene(f.Network(consensus), later=1, direction=1)
    pairs = [(each.claim(2, direction=Direction(way)), each.evidence(2)) for way, each in ((0, scene), (1, other))]
    mine, theirs = (_parts_of_claim(*pair) for pair in pairs)
    judge = partial(_judge_claim, state, scene.pin())
    transaction = FamilySubject(
        FAMILY,
        f"transaction {consensus}",
        _parts_of_transaction(scene.chain.blocks[1].envelopes[1]),
        partial(_judge_transaction, consensus),
        [_parts_of_transaction(scene.chain.blocks[2].envelopes[0])],
    )
    return [FamilySubject(FAMILY, f"claim {consensus}", mine, judge, [theirs]), transaction]


def _parts_of_claim(claim: Claim, evidence: fabric.FabricEvidence) -> Parts:
    read = evidence.read
    words = (read.channel_header, read.signature_header, read.proposal_payload, read.response_payload)
    stated = (claim.lane_id, int(claim.direction), claim.head, claim.height, claim.block_hash)
    block = _taken_apart(evidence.block)[:2]
    return (stated, block, evidence.transaction, list(evidence.links), words, list(read.endorsements))


def _judge_claim(state: fabric.FabricState, pin: fabric.FabricPin, parts: Parts) -> object:
    (lane_id, direction, head, height, block_hash), (header, envelopes), place, links, words, endorsements = parts
    data = _message(*((1, envelope) for envelope in envelopes))
    try:
        claim = Claim(LaneId(lane_id), Direction(direction), 5, Head(head), height, BlockHash(block_hash))
    except (SchemaError, ValueError) as error:
        raise ClaimMalformed("The claim cannot be.") from error
    read = fabric.AttestedRead(*words, tuple(endorsements))
    block = _message((1, _message(*enumerate(header, 1))), (2, data))
    fabric.verify_claim(state, claim, fabric.FabricEvidence(block, place, tuple(links), read), pin)
    return (claim.lane_id, claim.direction, claim.head, claim.height, claim.block_hash)


def _parts_of_transaction(envelope: bytes) -> Parts:
    """(creator's signature, channel header, signature header, proposal, response, [(endorser, signature)])."""
    outer = Message.read(envelope)
    payload = Message.read(outer.octets(1))
    header = Message.read(payload.octets(1))
    action = Message.read(Message.read(Message.read(payload.octets(2)).octets(1)).octets(2))
    endorsed = Message.read(action.octets(2))
    pairs = [(Message.read(each).octets(1), Message.read(each).octets(2)) for each in endorsed.repeated(2)]
    words = (header.octets(1), header.octets(2), action.octets(1), endorsed.octets(1))
    return (outer.octets(2), *words, pairs)


def _judge_transaction(consensus: str, parts: Parts) -> object:
    """The transaction in a block whose hashes an orderer made right again: what is left is what the transaction signs itself."""
    scene, _ = _scene(consensus)
    signature, channel_header, signature_header, proposal, response, pairs = parts
    endorsed = _message((1, response), *((2, _message((1, each), (2, made))) for each, made in pairs))
    action = _message((1, signature_header), (2, _message((1, proposal), (2, endorsed))))
    headers = _message((1, channel_header), (2, signature_header))
    envelope = _message((1, _message((1, headers), (2, _message((1, action))))), (2, signature))
    chain = scene.chain.network.first()
    block = chain.next(scene.chain.blocks[1].envelopes[0], envelope)
    state = fabric.apply(chain.state(), fabric.VerifiedFabricHeader(1, block.hash, f.START, None))
    claim = replace(scene.claim(), block_hash=block.hash)
    fabric.verify_claim(state, claim, replace(scene.evidence(), block=block.signed()), scene.pin())
    return claim.head


def _update(consensus: str) -> FamilySubject:
    """An update of the configuration whose block an orderer signs whatever it is: what is left are the administrators."""
    network = f.Network(consensus)
    chain = network.first()
    organisation = network.orderer_organisation
    frame = chain.root.frame("Orderer")

    def changed(group: f.Group) -> f.Group:
        return replace(group, values={**group.values, "BatchSize": f.Item(b"\x08\x14", 1)})

    after = chain.root.changed(("Orderer",), changed)
    content = f.message((1, 1), (2, after.encoded()))
    update = f.message((1, f.CHANNEL), (2, frame.encoded()), (3, frame.changed(("Orderer",), changed).encoded()))
    admin = organisation.member(f.ADMIN)
    header = f.message((1, organisation.serialized(admin)), (2, bytes(24)))
    value = (content, update, [(header, admin.key.sign(header + update))])
    return FamilySubject(FAMILY, f"update {consensus}", value, partial(_judge_update, chain, chain.state()))


def _judge_update(chain: f.Chain, state: fabric.FabricState, parts: Parts) -> object:
    content, update, signatures = parts
    envelope = _message((1, update), *((2, _message((1, each), (2, made))) for each, made in signatures))
    update_header = f.message((1, f.message((1, 2), (4, f.CHANNEL))))
    last_update = _message((1, _message((1, update_header), (2, envelope))))
    header = f.message((1, f.message((1, 1), (4, f.CHANNEL))))
    payload = _message((1, header), (2, _message((1, content), (2, last_update))))
    block = chain.next(_message((1, payload)), last_config=1)
    verified = fabric.verify_header(state, chain.signed(block), NOW)
    config = Message.read(verified.channel_config or b"")
    return (verified.height, config.integer(1), _canonical(config.octets(2)))


def _canonical(group: bytes) -> object:
    """What a configuration says: maps without an order."""
    message = Message.read(group)
    maps = []
    for number in (2, 3, 4):
        entries = (Message.read(entry) for entry in message.repeated(number))
        maps.append(
            {each.text(1): _canonical(each.octets(2)) if number == 2 else _item(each.octets(2)) for each in entries}
        )
    return (message.integer(1), *maps, message.text(5))


def _item(data: bytes) -> object:
    message = Message.read(data)
    return (message.integer(1), message.octets(2), message.text(3))
