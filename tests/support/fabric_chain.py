"""A synthetic Fabric channel, raft or SmartBFT: organisations with certificate authorities, blocks, transactions, reads, updates.

Messages are written field by field by a writer of this file's own, not by the product's. Keys follow from labels and
signatures need no randomness, so the same calls give the same bytes. Whatever a test wants wrong is an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from light_clients import fabric
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from tests.support import certificate_authority as authority
from tests.support.certificate_authority import Issued

START = 1_800_000_000
CHANNEL = "trade"
CHAINCODE = "gateway"
LIFECYCLE = "_lifecycle"
SEQUENCE_KEY = f"namespaces/fields/{CHAINCODE}/Sequence"
DEFINED_AT = (0, 0)
"""Where the builder says that the definition of the gateway was committed."""
LANE = LaneId(hashlib.sha256(b"lane").digest())
CLIENT, PEER, ADMIN, ORDERER, MEMBER = "client", "peer", "admin", "orderer", "member"
ROLES = {MEMBER: 0, ADMIN: 1, CLIENT: 2, PEER: 3, ORDERER: 4}


def varint(value: int) -> bytes:
    """A varint."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))


def message(*fields: tuple[int, int | str | bytes | None]) -> bytes:
    """A protobuf message: numbers other than 0 as varints, text and bytes with a length; ``None`` and 0 are left out."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += varint(number << 3) + varint(value) if value else b""
        elif value is not None:
            data = value.encode() if isinstance(value, str) else value
            written += varint(number << 3 | 2) + varint(len(data)) + data
    return written


def explicit(number: int, value: int) -> bytes:
    """A number of a choice, written even where it is 0."""
    return varint(number << 3) + varint(value)


@dataclass(frozen=True)
class Organisation:
    """An organisation with its own root, and an intermediate below it where asked for.

    Attributes:
        msp_id: membership id.
        intermediate: whether certificates are issued by an intermediate authority.
        node_units: whether roles come from organisational units.
        listed: labels of certificates that are administrators by being listed.
        revoked: labels of certificates that were taken back.
        unit_rules: units of which an identity must have one.
    """

    msp_id: str
    intermediate: bool = False
    node_units: bool = True
    listed: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    unit_rules: tuple[str, ...] = ()

    @cached_property
    def root(self) -> Issued:
        """The root authority."""
        return authority.root(f"ca.{self.msp_id}", organisation=self.msp_id)

    @cached_property
    def issuer(self) -> Issued:
        """The authority that issues certificates."""
        if not self.intermediate:
            return self.root
        return authority.issue(self.root, f"ica.{self.msp_id}", authority=True)

    def member(self, role: str, label: str = "0", **wrong) -> Issued:
        """A certificate with a role; `wrong` as in `certificate_authority.issue`."""
        named = f"{role}{label}.{self.msp_id}"
        return authority.issue(self.issuer, named, **{"units": (role,), **wrong})

    def serialized(self, issued: Issued) -> bytes:
        """`SerializedIdentity`."""
        return message((1, self.msp_id), (2, issued.pem))

    @cached_property
    def content(self) -> bytes:
        """`FabricMSPConfig`."""
        rule = [message((1, self.issuer.pem), (2, role)) for role in (CLIENT, PEER, ADMIN, ORDERER)]
        lists = [
            authority.pem(authority.revocation_list(self.issuer, [serial_of(f"{label}.{self.msp_id}")]), "X509 CRL")
            for label in self.revoked
        ]
        return message(
            (1, self.msp_id),
            (2, self.root.pem),
            *(((3, self.issuer.pem),) if self.intermediate else ()),
            *((4, self.member(ADMIN, label, units=()).pem) for label in self.listed),
            *((5, item) for item in lists),
            *((7, message((1, self.issuer.pem), (2, unit))) for unit in self.unit_rules),
            (8, message((1, "SHA2"), (2, "SHA256"))),
            (11, message((1, int(self.node_units)), *enumerate(rule, 2))),
        )


def serial_of(label: str) -> int:
    """The serial number that the certificate of a label has."""
    return int.from_bytes(hashlib.sha256(b"serial " + label.encode()).digest()[:15], "big") + 1


def role_principal(msp_id: str, role: str) -> bytes:
    """A principal: a role in an organisation."""
    return message((2, message((1, msp_id), (2, ROLES[role]))))


def signed_by(index: int) -> bytes:
    """A rule: one principal."""
    return explicit(1, index)


def out_of(count: int, *rules: bytes) -> bytes:
    """A rule: so many of others."""
    return message((2, message((1, count), *((2, rule) for rule in rules))))


def signature_policy(rule: bytes, *principals: bytes) -> bytes:
    """`SignaturePolicyEnvelope`."""
    return message((2, rule), *((3, principal) for principal in principals))


def roles_policy(count: int, *roles: tuple[str, str]) -> bytes:
    """`SignaturePolicyEnvelope`: so many of (organisation, role) pairs."""
    rules = [signed_by(index) for index in range(len(roles))]
    return signature_policy(out_of(count, *rules), *(role_principal(*pair) for pair in roles))


def signatures(envelope: bytes) -> bytes:
    """A `common.Policy` of signatures."""
    return message((1, 1), (2, envelope))


def implicit(name: str, rule: int) -> bytes:
    """A `common.Policy` over the groups below; 0 any, 1 all, 2 more than half."""
    return message((1, 3), (2, message((1, name), (2, rule))))


@dataclass(frozen=True)
class Item:
    """A value or a policy of a configuration."""

    content: bytes
    version: int = 0
    guard: str = "Admins"

    def encoded(self) -> bytes:
        """`ConfigValue` or `ConfigPolicy`."""
        return message((1, self.version), (2, self.content), (3, self.guard or None))


@dataclass(frozen=True)
class Group:
    """A group of a configuration."""

    version: int = 0
    groups: dict[str, Group] = field(default_factory=dict)
    values: dict[str, Item] = field(default_factory=dict)
    policies: dict[str, Item] = field(default_factory=dict)
    guard: str = "Admins"

    def encoded(self) -> bytes:
        """`ConfigGroup`."""
        maps = ((2, self.groups), (3, self.values), (4, self.policies))
        entries = [
            (number, message((1, name), (2, each.encoded()))) for number, items in maps for name, each in items.items()
        ]
        return message((1, self.version), *entries, (5, self.guard or None))

    def changed(self, path: Sequence[str], change: Callable[[Group], Group]) -> Group:
        """The tree with one group of it changed."""
        if not path:
            return change(self)
        below = self.groups[path[0]].changed(path[1:], change)
        return replace(self, groups={**self.groups, path[0]: below})

    def at(self, *path: str) -> Group:
        """A group of the tree."""
        return self.groups[path[0]].at(*path[1:]) if path else self

    def frame(self, *path: str) -> Group:
        """The tree with nothing in it but the way to one group, as an update has it."""
        below = {path[0]: self.groups[path[0]].frame(*path[1:])} if path else {}
        return Group(self.version, below, guard="")


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
    organisations: tuple[Organisation, ...] = (Organisation("Org1MSP"), Organisation("Org2MSP", intermediate=True))
    orderers: int = 4
    orderer_organisation: Organisation = Organisation("OrdererMSP")

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


def organisation_group(organisation: Organisation) -> Group:
    """The group of an organisation."""
    msp_id = organisation.msp_id
    return Group(
        values={"MSP": Item(message((2, organisation.content)))},
        policies={
            "Readers": Item(signatures(roles_policy(1, (msp_id, MEMBER)))),
            "Writers": Item(signatures(roles_policy(1, (msp_id, MEMBER)))),
            "Admins": Item(signatures(roles_policy(1, (msp_id, ADMIN)))),
            "Endorsement": Item(signatures(roles_policy(1, (msp_id, PEER)))),
        },
    )


def meta_policies() -> dict[str, Item]:
    """Policies of a group above organisations."""
    return {
        "Readers": Item(implicit("Readers", 0)),
        "Writers": Item(implicit("Writers", 0)),
        "Admins": Item(implicit("Admins", 2)),
    }


def config_envelope(
    root: Group, sequence: int, last_update: bytes, *, channel: str = CHANNEL, kind: int = 1, timestamp: int = START
) -> bytes:
    """The envelope of a configuration."""
    header = message((1, kind), (3, message((1, timestamp))), (4, channel))
    content = message((1, message((1, sequence), (2, root.encoded()))), (2, last_update or None))
    payload = message((1, message((1, header), (2, message((2, bytes(24)))))), (2, content))
    return message((1, payload), (2, b"signature of an orderer"))


def update_envelope(
    read_set: Group,
    write_set: Group,
    signers: Sequence[tuple[Organisation, Issued]],
    *,
    channel: str = CHANNEL,
    kind: int = 2,
    signed: bytes | None = None,
) -> bytes:
    """The envelope of an update with signatures of administrators; `signed` is what they sign in its place."""
    update = message((1, channel), (2, read_set.encoded()), (3, write_set.encoded()))
    made = []
    for organisation, issued in signers:
        header = message((1, organisation.serialized(issued)), (2, bytes(24)))
        made.append(message((1, header), (2, issued.key.sign(header + (update if signed is None else signed)))))
    header = message((1, message((1, kind), (4, channel))), (2, b""))
    payload = message((1, header), (2, message((1, update), *((2, item) for item in made))))
    return message((1, payload))


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
