"""A synthetic Fabric channel, raft or SmartBFT: organisations with certificate authorities, blocks, transactions, reads, updates.

Keys follow from labels and signatures need no randomness, so the same calls give the same bytes. Whatever a test wants wrong is an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from light_clients import fabric
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head
from tests.support import certificate_authority as authority
from tests.support.certificate_authority import Issued
from tests.support.fabric_config import (
    ADMIN,
    CHAINCODE,
    CHANNEL,
    CLIENT,
    DEFINED_AT,
    LANE,
    LIFECYCLE,
    MEMBER,
    ORDERER,
    PEER,
    SEQUENCE_KEY,
    START,
    Group,
    Item,
    Organisation,
    config_envelope,
    implicit,
    message,
    meta_policies,
    organisation_group,
    out_of,
    role_principal,
    roles_policy,
    serial_of,
    signature_policy,
    signatures,
    signed_by,
    update_envelope,
)

__all__ = [
    "ADMIN",
    "CHAINCODE",
    "CHANNEL",
    "CLIENT",
    "DEFINITION_READ",
    "LANE",
    "LIFECYCLE",
    "MEMBER",
    "ORDERER",
    "PEER",
    "SEQUENCE_KEY",
    "START",
    "Block",
    "Chain",
    "Group",
    "Item",
    "Network",
    "Organisation",
    "Scene",
    "answer",
    "bft_signature",
    "config_envelope",
    "endorse",
    "head_key",
    "implicit",
    "key_values",
    "message",
    "moving",
    "organisation_group",
    "out_of",
    "propose",
    "raft_signature",
    "reading",
    "role_principal",
    "roles_policy",
    "scene",
    "serial_of",
    "signature_policy",
    "signatures",
    "signed_by",
    "transaction",
    "update_envelope",
]


@dataclass(frozen=True)
class Proposal:
    """What peers are asked."""

    channel_header: bytes
    signature_header: bytes
    payload: bytes

    @property
    def hash(self) -> bytes:
        """What the answer is bound to."""
        return hashlib.sha256(self.channel_header + self.signature_header + self.payload).digest()


MEMBERS = (Organisation("Org1MSP"), Organisation("Org2MSP", intermediate=True))
ORDERERS = Organisation("OrdererMSP")


@dataclass(frozen=True)
class Network:
    """A channel: its organisations, its orderers, its configuration.

    Attributes:
        consensus: ``etcdraft`` or ``BFT``.
        organisations: those with peers.
        orderers: how many consenters there are.
        orderer_organisation: theirs.
    """

    consensus: str = "BFT"
    organisations: tuple[Organisation, ...] = MEMBERS
    orderers: int = 4
    orderer_organisation: Organisation = ORDERERS

    def orderer(self, number: int, **wrong) -> Issued:
        """The certificate of a consenter, from 1 on."""
        return self.orderer_organisation.member(ORDERER, str(number), **wrong)

    @cached_property
    def root(self) -> Group:
        """The tree of the first configuration."""
        orderers, own = self.orderer_organisation, self.orderer_organisation.msp_id
        byzantine = self.consensus == "BFT"
        mapping = [
            message((1, number), (2, "localhost"), (4, own), (5, self.orderer(number).pem))
            for number in range(1, self.orderers + 1)
        ]
        identities = [
            message((1, 2), (2, orderers.serialized(self.orderer(number)))) for number in range(1, self.orderers + 1)
        ]
        faulty = (self.orderers - 1) // 3
        wanted = (self.orderers + faulty + 2) // 2
        rules = [signed_by(index) for index in range(self.orderers)]
        byzantine_policy = signatures(signature_policy(out_of(wanted, *rules), *identities))
        orderer = Group(
            groups={"OrdererOrg": organisation_group(orderers)},
            values={
                "ConsensusType": Item(message((1, self.consensus))),
                "BatchSize": Item(message((1, 10))),
                **({"Orderers": Item(message(*((1, item) for item in mapping)))} if byzantine else {}),
            },
            policies={
                **meta_policies(),
                "BlockValidation": Item(byzantine_policy if byzantine else implicit("Writers", 0)),
            },
        )
        application = Group(
            groups={each.msp_id: organisation_group(each) for each in self.organisations},
            policies={
                **meta_policies(),
                "Endorsement": Item(implicit("Endorsement", 2)),
                "LifecycleEndorsement": Item(implicit("Endorsement", 2)),
            },
        )
        return Group(
            groups={"Orderer": orderer, "Application": application},
            values={
                "HashingAlgorithm": Item(message((1, "SHA256"))),
                "BlockDataHashingStructure": Item(message((1, 2**32 - 1))),
            },
            policies=meta_policies(),
        )

    def first(self, root: Group | None = None, **wrong) -> Chain:
        """The channel with its first block alone; `wrong` as in `config_envelope`."""
        root = root or self.root
        envelope = config_envelope(root, 0, b"", **wrong)
        block = Block(0, b"", (envelope,), last_config=0)
        return Chain(self, root, 0, 0, (block,))


@dataclass(frozen=True)
class Block:
    """A block, to be signed."""

    number: int
    previous_hash: bytes
    envelopes: tuple[bytes, ...]
    last_config: int = 0
    data_hash: bytes | None = None

    @property
    def fields(self) -> bytes:
        """`BlockHeader`."""
        data_hash = hashlib.sha256(b"".join(self.envelopes)).digest() if self.data_hash is None else self.data_hash
        return message((1, self.number), (2, self.previous_hash or None), (3, data_hash))

    @property
    def header(self) -> bytes:
        """DER of the header."""
        data_hash = hashlib.sha256(b"".join(self.envelopes)).digest() if self.data_hash is None else self.data_hash
        octets = authority.tlv(0x04, self.previous_hash) + authority.tlv(0x04, data_hash)
        return authority.tlv(0x30, authority.integer(self.number), octets)

    @property
    def hash(self) -> BlockHash:
        """The block hash."""
        return BlockHash(hashlib.sha256(self.header).digest())

    @property
    def value(self) -> bytes:
        """What is signed of the metadata."""
        return message((1, message((1, self.last_config))), (2, b"consenter"))

    def signed(self, *made: bytes, value: bytes | None = None) -> bytes:
        """`common.Block` with signatures, each as `raft_signature` or `bft_signature` made it."""
        metadata = message((1, self.value if value is None else value), *((2, item) for item in made))
        data = message(*((1, envelope) for envelope in self.envelopes))
        return message((1, self.fields), (2, data), (3, message((1, metadata), *((1, b""),) * 4)))


def raft_signature(block: Block, organisation: Organisation, issued: Issued, **wrong) -> bytes:
    """`MetadataSignature` on raft."""
    header = message((1, organisation.serialized(issued)), (2, bytes(24)))
    signature = issued.key.sign(wrong.get("signed", block.value + header + block.header))
    return message((1, header), (2, signature), (3, wrong.get("identifier")))


def bft_signature(block: Block, number: int, issued: Issued, **wrong) -> bytes:
    """`MetadataSignature` on SmartBFT."""
    header = message((1, number), (2, number.to_bytes(24, "big")))
    signature = issued.key.sign(wrong.get("signed", block.value + header + block.header))
    return message((1, wrong.get("creator")), (2, signature), (3, header))


@dataclass(frozen=True)
class Chain:
    """A channel with its blocks.

    Attributes:
        network: who is in it.
        root: the tree of the configuration in force.
        sequence: of that configuration.
        config_height: number of its block.
        blocks: from the first one on.
    """

    network: Network
    root: Group
    sequence: int
    config_height: int
    blocks: tuple[Block, ...]

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return self.blocks[-1].number

    def state(self, **options) -> fabric.FabricState:
        """A client that trusts the first block."""
        first = self.blocks[0]
        return fabric.bootstrap(first.signed(), first.hash, fabric.FabricConfiguration(CHANNEL, **options))

    def followed(self, now: int = START + 100) -> fabric.FabricState:
        """A client that accepted every block."""
        state = self.state()
        for block in self.blocks[1:]:
            state = fabric.apply(state, fabric.verify_header(state, self.signed(block), now))
        return state

    def next(self, *envelopes: bytes, **wrong) -> Block:
        """The next block, not yet of the chain."""
        newest = self.blocks[-1]
        fields = {"last_config": self.config_height, **wrong}
        return replace(Block(newest.number + 1, newest.hash, envelopes), **fields)

    def signed(self, block: Block, signers: Sequence[int] | None = None) -> bytes:
        """A block, signed by a quorum of consenters, on raft by one; or by the consenters of these numbers."""
        network = self.network
        if network.consensus == "BFT":
            faulty = (network.orderers - 1) // 3
            numbers = range(1, (network.orderers + faulty + 2) // 2 + 1) if signers is None else signers
            return block.signed(*(bft_signature(block, number, network.orderer(number)) for number in numbers))
        numbers = (1,) if signers is None else signers
        own = network.orderer_organisation
        return block.signed(*(raft_signature(block, own, network.orderer(number)) for number in numbers))

    def with_block(self, block: Block) -> Chain:
        """The channel with one block more, which brings no configuration."""
        return replace(self, blocks=(*self.blocks, block))

    def with_config(self, root: Group, last_update: bytes, **wrong) -> Chain:
        """The channel after a block with a configuration; `wrong` as in `config_envelope`, and `sequence`."""
        sequence = wrong.pop("sequence", self.sequence + 1)
        number = self.height + 1
        block = self.next(config_envelope(root, sequence, last_update, **wrong), last_config=number)
        return Chain(self.network, root, sequence, number, (*self.blocks, block))

    def links(self, number: int, until: int) -> tuple[bytes, ...]:
        """Headers after a block up to another one."""
        return tuple(self.blocks[each].fields for each in range(number + 1, until + 1))


def propose(
    organisation: Organisation,
    creator: Issued,
    *arguments: bytes,
    nonce: bytes = bytes(24),
    channel: str = CHANNEL,
    kind: int = 3,
    identifier: str | None = None,
    asked: str = CHAINCODE,
    specified: str = CHAINCODE,
    timestamp: int = START + 10,
) -> Proposal:
    """A proposal to the gateway."""
    identity = organisation.serialized(creator)
    found = hashlib.sha256(nonce + identity).hexdigest()
    extension = message((2, message((2, asked))))
    time = message((1, timestamp))
    header = message(
        (1, kind), (3, time), (4, channel), (5, found if identifier is None else identifier), (7, extension)
    )
    inputs = message(*((1, argument) for argument in arguments))
    payload = message((1, message((1, message((1, 1), (2, message((2, specified))), (3, inputs))))))
    return Proposal(header, message((1, identity), (2, nonce)), payload)


def version(place: tuple[int, int] | None) -> bytes | None:
    """The version of a key."""
    return None if place is None else message((1, place[0]), (2, place[1]))


def key_values(
    name: str,
    reads: dict[str, tuple[int, int] | None] | None = None,
    writes: dict[str, bytes | None] | None = None,
    *more: tuple[int, bytes],
) -> bytes:
    """`NsReadWriteSet`: versions read and values written by key; ``None`` deletes."""
    content = message(
        *((1, message((1, key), (2, version(place)))) for key, place in (reads or {}).items()),
        *((3, message((1, key), (2, int(value is None)), (3, value))) for key, value in (writes or {}).items()),
        *more,
    )
    return message((1, name), (2, content))


DEFINITION_READ = key_values(LIFECYCLE, {SEQUENCE_KEY: DEFINED_AT})
"""What Fabric adds to what every call of the gateway read."""


def answer(
    proposal: Proposal,
    namespaces: Sequence[bytes],
    result: bytes = b"",
    *,
    status: int = 200,
    ran: str = CHAINCODE,
    release: str = "1.0",
    proposal_hash: bytes | None = None,
    data_model: int = 0,
) -> bytes:
    """`ProposalResponsePayload`."""
    results = message((1, data_model), *((2, item) for item in namespaces))
    chaincode = message((2, ran), (3, release))
    action = message((1, results), (3, message((1, status), (3, result or None))), (4, chaincode))
    return message((1, proposal.hash if proposal_hash is None else proposal_hash), (2, action))


def endorse(organisation: Organisation, issued: Issued, response: bytes, **wrong) -> tuple[bytes, bytes]:
    """An endorser and its signature."""
    endorser = organisation.serialized(issued)
    return endorser, issued.key.sign(wrong.get("signed", response + endorser))


def transaction(
    proposal: Proposal,
    response: bytes,
    endorsements: Sequence[tuple[bytes, bytes]],
    creator: Issued,
    *,
    actions: int = 1,
    action_header: bytes | None = None,
    signed: bytes | None = None,
) -> bytes:
    """The envelope of a transaction."""
    endorsed = message((1, response), *((2, message((1, each), (2, signature))) for each, signature in endorsements))
    header = proposal.signature_header if action_header is None else action_header
    action = message((1, header), (2, message((1, proposal.payload), (2, endorsed))))
    headers = message((1, proposal.channel_header), (2, proposal.signature_header))
    payload = message((1, headers), (2, message(*((1, action),) * actions)))
    return message((1, payload), (2, creator.key.sign(payload if signed is None else signed)))


def head_key(direction: int = 0, lane: bytes = LANE) -> str:
    """The key of a head."""
    return f"head~{direction}~{lane.hex()}"


@dataclass(frozen=True)
class Scene:
    """A chain whose block 1 has a transaction that moved the lane's head, and the read that attests it.

    Attributes:
        chain: the channel.
        head: what was written.
        read: the attested read.
        number: number of the block with the transaction.
        place: the transaction's place in it.
    """

    chain: Chain
    head: Head
    read: fabric.AttestedRead
    number: int
    place: int

    def claim(self, height: int | None = None, **changes) -> Claim:
        """The claim at the block of the transaction, or at a later one."""
        block = self.chain.blocks[self.number if height is None else height]
        fields = {"lane_id": LANE, "direction": Direction.OUTBOX, "nonce": 5, "head": self.head, **changes}
        return Claim(**{"height": block.number, "block_hash": block.hash, **fields})

    def evidence(self, height: int | None = None, **changes) -> fabric.FabricEvidence:
        """Its evidence."""
        block = self.chain.blocks[self.number].signed()
        links = self.chain.links(self.number, self.number if height is None else height)
        return replace(fabric.FabricEvidence(block, self.place, links, self.read), **changes)

    def pin(self, **changes) -> fabric.FabricPin:
        """What the officers pinned."""
        names = tuple(each.msp_id for each in self.chain.network.organisations)
        policy = message((2, "/Channel/Application/Endorsement"))
        return replace(fabric.FabricPin(CHAINCODE, "1.0", *DEFINED_AT, policy, names, len(names)), **changes)


def moving(
    network: Network,
    head: bytes,
    *,
    direction: int = 0,
    nonce: bytes = bytes(24),
    endorsers: Sequence[tuple[Organisation, Issued]] | None = None,
    namespaces: Sequence[bytes] | None = None,
    key: str | None = None,
) -> bytes:
    """A transaction that moves a head, endorsed by a peer of each organisation."""
    asking = network.organisations[0]
    creator = asking.member(CLIENT)
    proposal = propose(asking, creator, b"seal", b"ticket", nonce=nonce)
    written = key_values(CHAINCODE, {}, {head_key(direction) if key is None else key: head})
    response = answer(proposal, (DEFINITION_READ, written) if namespaces is None else namespaces, b"sealed")
    peers = [(each, each.member(PEER)) for each in network.organisations] if endorsers is None else endorsers
    return transaction(proposal, response, [endorse(*pair, response) for pair in peers], creator)


def reading(
    network: Network,
    head: bytes,
    place: tuple[int, int] | None,
    *,
    direction: int = 0,
    attesters: Sequence[tuple[Organisation, Issued]] | None = None,
    arguments: Sequence[bytes] | None = None,
    namespaces: Sequence[bytes] | None = None,
) -> fabric.AttestedRead:
    """A read of a head, attested by a peer of each organisation."""
    asking = network.organisations[0]
    called = (b"head", LANE.hex().encode(), str(direction).encode()) if arguments is None else arguments
    proposal = propose(asking, asking.member(CLIENT), *called)
    found = key_values(CHAINCODE, {head_key(direction): place})
    response = answer(proposal, (DEFINITION_READ, found) if namespaces is None else namespaces, head)
    peers = [(each, each.member(PEER)) for each in network.organisations] if attesters is None else attesters
    pairs = tuple(endorse(*pair, response) for pair in peers)
    return fabric.AttestedRead(proposal.channel_header, proposal.signature_header, proposal.payload, response, pairs)


def scene(network: Network, *, later: int = 2, direction: int = 0, envelope: bytes | None = None) -> Scene:
    """A head moved in block 1, as its second transaction, and so many blocks after it."""
    head = hashlib.sha256(b"head").digest()
    chain = network.first()
    other = moving(network, hashlib.sha256(b"other").digest(), key="head~of another lane", nonce=b"\1" * 24)
    moved = moving(network, head, direction=direction) if envelope is None else envelope
    chain = chain.with_block(chain.next(other, moved))
    for number in range(later):
        chain = chain.with_block(chain.next(moving(network, head, key=f"later {number}", nonce=bytes((number,)) * 24)))
    return Scene(chain, Head(head), reading(network, head, (1, 1), direction=direction), 1, 1)
