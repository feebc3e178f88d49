"""The configuration of a channel, and the blocks that bring one (Fabric 3.1 `common/configtx.proto`, `common/channelconfig`).

What a client takes from a configuration, when all of this holds:
1. It is at most 4 MiB, its tree can be read, and blocks are hashed flat with SHA-256.
2. The channel is ordered by raft (`etcdraft`) or SmartBFT (`BFT`).
3. On SmartBFT the consenters have ids of their own, each from 1 on, and there is at least one.
4. Every organisation of Orderer and Application has membership rules, and one id has the same rules everywhere.

A configuration block has one envelope and no other: of type CONFIG, of this channel, with the whole configuration and the
update that led to it. No other block may have an envelope of that type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from light_clients.fabric.codec import CONFIG
from light_clients.fabric.config_tree import MAXIMUM_CONFIG_SIZE, ConfigGroup, read_group
from light_clients.fabric.errors import ChannelMismatch, ConfigInvalid, ConsensusUnsupported, MembershipUnknown
from light_clients.fabric.membership import Identity, read_identity, split_identity
from light_clients.fabric.types import FabricBlock
from light_clients.protobuf import Message

RAFT, SMART_BFT = "etcdraft", "BFT"
"""Names of the two consensus types."""

FLAT = 2**32 - 1
"""`BlockDataHashingStructure.width` of a data hash without a tree."""

FABRIC_MEMBERSHIP = 0
"""`MSPConfig.type` of X.509 memberships; 1 is Idemix."""

MAXIMUM_CONSENTERS = 256


@dataclass(frozen=True, slots=True)
class Consenter:
    """One orderer of SmartBFT.

    Attributes:
        number: Its id, from 1 on.
        msp_id: Its organisation.
        certificate: PEM, what it signs blocks with.
    """

    number: int
    msp_id: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """A configuration that was read.

    Attributes:
        sequence: Grows by one with every configuration.
        root: The channel's group.
        consensus: `RAFT` or `SMART_BFT`.
        consenters: By id; empty on raft.
        memberships: `FabricMSPConfig` by membership id.
    """

    sequence: int
    root: ConfigGroup
    consensus: str
    consenters: Mapping[int, Consenter]
    memberships: Mapping[str, bytes]

    def identity(self, serialized: bytes) -> Identity:
        """The identity of a `SerializedIdentity`, after its organisation's rules accepted it.

        Raises:
            MembershipUnknown: There is no such organisation in the channel.
            IdentityInvalid: Its organisation refuses it, by its name.
            ProtobufRefused: It is no such message.
        """
        return self.member(*split_identity(serialized))

    def member(self, msp_id: str, id_bytes: bytes) -> Identity:
        """The identity of a certificate; as `identity`."""
        content = self.memberships.get(msp_id)
        if content is None:
            raise MembershipUnknown("No organisation of the channel has this membership id.", found=msp_id)
        return read_identity(content, id_bytes)


@dataclass(frozen=True, slots=True)
class ConfigBlock:
    """What a configuration block brings.

    Attributes:
        channel_config: `Config`.
        last_update: The envelope with the update that led to it; empty in the first block.
    """

    channel_config: bytes
    last_update: bytes


@lru_cache(maxsize=16)
def read_config(data: bytes) -> ChannelConfig:
    """Reads a configuration; the list of checks is the module's.

    Args:
        data: `Config`.

    Raises:
        ConfigInvalid: A part is missing, doubled or too large.
        ConsensusUnsupported: It is ordered or hashed in another way.
        ProtobufRefused: It is no configuration.
    """
    # 1. The tree and the hashes.
    if len(data) > MAXIMUM_CONFIG_SIZE:
        raise ConfigInvalid("The configuration is too large.", expected=MAXIMUM_CONFIG_SIZE, found=len(data))
    message = Message.read(data, (1, 2))
    root = read_group(message.octets(2))
    hashing = Message.read(root.value("HashingAlgorithm"), (1,)).text(1)
    width = Message.read(root.value("BlockDataHashingStructure"), (1,)).integer(1)
    if hashing != "SHA256" or width != FLAT:
        raise ConsensusUnsupported("Blocks are hashed flat with SHA-256.", expected="SHA256", found=hashing)
    # 2. The consensus.
    orderer = root.groups.get("Orderer")
    if orderer is None:
        raise ConfigInvalid("The configuration has no orderers.")
    consensus = Message.read(orderer.value("ConsensusType"), (1, 2, 3)).text(1)
    if consensus not in (RAFT, SMART_BFT):
        raise ConsensusUnsupported("The channel is ordered by neither raft nor SmartBFT.", found=consensus)
    # 3. Consenters.
    consenters = _read_consenters(orderer) if consensus == SMART_BFT else {}
    # 4. Memberships.
    memberships = _read_memberships(root)
    return ChannelConfig(
        message.integer(1), root, consensus, MappingProxyType(consenters), MappingProxyType(memberships)
    )


def read_config_block(block: FabricBlock, channel: str) -> ConfigBlock | None:
    """The configuration that a block brings.

    Args:
        block: A block whose data hash was checked.
        channel: Name of the channel.

    Returns:
        ``None`` where it brings none.

    Raises:
        ConfigInvalid: An envelope of that type stands beside others, or cannot be read.
        ChannelMismatch: It is of another channel.
        ProtobufRefused: As above.
    """
    if all(kind != CONFIG for kind, _ in block.skimmed):
        return None
    if len(block.envelopes) != 1:
        raise ConfigInvalid("A configuration stands alone in its block.", expected=1, found=len(block.envelopes))
    payload = Message.read(Message.read(block.envelopes[0], (1, 2)).octets(1), (1, 2))
    header = Message.read(Message.read(payload.octets(1), (1, 2)).octets(1), range(1, 9))
    if header.text(4) != channel:
        raise ChannelMismatch("The configuration is of another channel.", expected=channel, found=header.text(4))
    envelope = Message.read(payload.octets(2), (1, 2))
    return ConfigBlock(envelope.octets(1), envelope.octets(2))


def _read_consenters(orderer: ConfigGroup) -> dict[int, Consenter]:
    found: dict[int, Consenter] = {}
    listed = Message.read(orderer.value("Orderers"), (1,)).repeated(1)
    if not 1 <= len(listed) <= MAXIMUM_CONSENTERS:
        raise ConfigInvalid("SmartBFT has 1 to 256 consenters.", expected=MAXIMUM_CONSENTERS, found=len(listed))
    for data in listed:
        message = Message.read(data, range(1, 8))
        consenter = Consenter(message.integer(1), message.text(4), message.octets(5))
        if consenter.number in found or not consenter.number:
            raise ConfigInvalid("A consenter has no id of its own.", found=consenter.number)
        found[consenter.number] = consenter
    return found


def _read_memberships(root: ConfigGroup) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for group in (root.groups.get("Orderer"), root.groups.get("Application")):
        for organisation in group.groups.values() if group else ():
            message = Message.read(organisation.value("MSP"), (1, 2))
            if message.integer(1) != FABRIC_MEMBERSHIP:
                continue
            content = message.octets(2)
            msp_id = Message.read(content, range(1, 12)).text(1)
            if not msp_id or found.setdefault(msp_id, content) != content:
                raise ConfigInvalid("A membership id is empty, or has two different rules.", found=msp_id)
    return found
