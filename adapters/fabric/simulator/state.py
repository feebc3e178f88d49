"""What a peer keeps: blocks with the verdict on each transaction, keys and values by version (Fabric 3.1 `core/ledger/kvledger`).

A peer validates each transaction of an ordered block in order — its creator, its id, the endorsement policies of every
namespace that it writes, and that nothing that it read has changed — and writes the verdicts into the block's metadata. An
invalid transaction stays in the block. State is read as of a height, so that a simulation never sees half a block.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field

from adapters.fabric.proposals import CONFIG, ENDORSER_TRANSACTION
from adapters.fabric.simulator.wire import message, varint
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from light_clients.errors import LightClientError
from light_clients.fabric.codec import read_block
from light_clients.fabric.config_block import ChannelConfig, read_config, read_config_block
from light_clients.fabric.executions import LIFECYCLE, Namespace
from light_clients.fabric.policies import satisfies_policy
from light_clients.fabric.transactions import Endorsed, read_transaction, satisfies_definition
from light_clients.fabric.types import FabricBlock

VALID, BAD_PAYLOAD, BAD_CREATOR, DUPLICATE_ID = 0, 2, 4, 9
POLICY_FAILURE, READ_CONFLICT, EXPIRED_CHAINCODE, NOT_VALIDATED = 10, 11, 17, 254
"""Validation codes (`peer.TxValidationCode`)."""

Version = tuple[int, int]
LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"


@dataclass(frozen=True)
class Definition:
    """A chaincode's committed definition.

    Attributes:
        sequence: grows by one with every definition.
        version: the chaincode's.
        policy: `ApplicationPolicy`.
    """

    sequence: int
    version: str
    policy: bytes


@dataclass
class PeerState:
    """A peer's ledger.

    Attributes:
        channel: its name.
        blocks: whole blocks with the peer's metadata.
        transactions: block, place and verdict of the first transaction of an id.
        config: in force.
    """

    channel: str
    blocks: list[bytes] = field(default_factory=list)
    transactions: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    config: ChannelConfig | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)
    _values: dict[tuple[str, str], list[tuple[Version, bytes | None]]] = field(default_factory=dict)
    _commit_hash: bytes = b""

    @property
    def height(self) -> int:
        """How many blocks there are."""
        return len(self.blocks)

    def read(self, namespace: str, key: str, height: int) -> tuple[bytes | None, Version | None]:
        """Value and version of a key after so many blocks; None where it does not exist."""
        for version, value in reversed(self._values.get((namespace, key), [])):
            if version[0] < height:
                return (None, None) if value is None else (value, version)
        return None, None

    def definition(self, chaincode: str, height: int) -> Definition | None:
        """A chaincode's definition after so many blocks."""
        names = [f"namespaces/fields/{chaincode}/{name}" for name in ("Sequence", "EndorsementInfo", "ValidationInfo")]
        fields = [self.read(LIFECYCLE, name, height)[0] for name in names]
        if None in fields:
            return None
        sequence, endorsement, validation = (messages.StateData.FromString(item or b"") for item in fields)
        info = messages.ChaincodeEndorsementInfo.FromString(endorsement.octets)
        rules = messages.ChaincodeValidationInfo.FromString(validation.octets)
        return Definition(sequence.number, info.version, rules.validation_parameter)

    def commit(self, data: bytes) -> None:
        """Validate the next block as an orderer delivered it, and take its valid writes."""
        block = read_block(data)
        codes = bytearray()
        for place, envelope in enumerate(block.envelopes):
            codes.append(self._judge(block, place, envelope))
        self._commit_hash = hashlib.sha256(varint(len(codes)) + bytes(codes) + self._commit_hash).digest()
        whole = messages.Block.FromString(data)
        whole.metadata.metadata[2] = bytes(codes)
        whole.metadata.metadata[4] = message((1, self._commit_hash))
        with self.changed:
            self.blocks.append(whole.SerializeToString())
            self.changed.notify_all()

    def _judge(self, block: FabricBlock, place: int, envelope: bytes) -> int:
        kind = block.skimmed[place][0]
        if kind == CONFIG:
            brought = read_config_block(block, self.channel)
            if brought is not None:
                self.config = read_config(brought.channel_config)
            return VALID
        if kind != ENDORSER_TRANSACTION:
            return BAD_PAYLOAD
        try:
            identifier, chaincode = _names(envelope)
        except ValueError:
            return BAD_PAYLOAD
        if identifier in self.transactions:
            return DUPLICATE_ID
        code = self._judge_endorsed(block.height, place, envelope, chaincode)
        self.transactions[identifier] = (block.height, place, code)
        return code

    def _judge_endorsed(self, number: int, place: int, envelope: bytes, chaincode: str) -> int:
        release = "syscc"
        if chaincode != LIFECYCLE:
            definition = self.definition(chaincode, number + 1)
            if definition is None:
                return EXPIRED_CHAINCODE
            release = definition.version
        if self.config is None:
            return NOT_VALIDATED
        try:
            endorsed = read_transaction(self.config, self.channel, chaincode, release, envelope)
            spaces = endorsed.execution.namespaces
            written = {name for name, space in spaces.items() if space.writes} | {chaincode}
            if not all(self._is_endorsed(name, endorsed, number) for name in written):
                return POLICY_FAILURE
        except LightClientError as error:
            return BAD_CREATOR if "creator" in str(error) else BAD_PAYLOAD
        if not all(self._is_current(name, space, number) for name, space in spaces.items()):
            return READ_CONFLICT
        for name, space in spaces.items():
            for key, value in space.writes.items():
                self._values.setdefault((name, key), []).append(((number, place), value))
        return VALID

    def _is_endorsed(self, namespace: str, endorsed: Endorsed, number: int) -> bool:
        config = self.config
        if config is None:
            return False
        if namespace == LIFECYCLE:
            return satisfies_policy(config.root, LIFECYCLE_POLICY, endorsed.identities, config.memberships)
        definition = self.definition(namespace, number + 1)
        return definition is not None and satisfies_definition(config, definition.policy, endorsed.identities)

    def _is_current(self, namespace: str, space: Namespace, number: int) -> bool:
        return all(self.read(namespace, key, number + 1)[1] == version for key, version in space.reads.items())


def _names(envelope: bytes) -> tuple[str, str]:
    """The id of a transaction and the chaincode that it calls.

    Raises:
        ValueError: they cannot be read.
    """
    try:
        payload = messages.Payload.FromString(messages.Envelope.FromString(envelope).payload)
        header = messages.ChannelHeader.FromString(payload.header.channel_header)
        extension = messages.ChaincodeHeaderExtension.FromString(header.extension)
    except Exception as error:
        raise ValueError("no transaction") from error
    return header.tx_id, extension.chaincode_id.name
