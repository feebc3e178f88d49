"""Blocks, receipts and trees as each line hashes them, built from whole blocks by the platform's own description.

Sources: FISCO-BCOS 2.9.1 `libethcore/BlockHeader`, `libprotocol/TransactionReceipt`, `libblockchain` (ParallelMerkleProof, 16 wide);
3.16 `bcos-tars-protocol/TarsHashable`, `bcos-crypto/merkle/Merkle.h` (2 wide). See also light_clients/fisco.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.fisco.simulator.keys import SealerKey
from adapters.fisco.transactions import Network, Parsed
from adapters.solidity.machine import Log
from light_clients import rlp
from light_clients.fisco.codec import hashed_bytes
from light_clients.fisco.evidence import integer_bytes
from light_clients.fisco.types import FiscoConfiguration
from schemas.suites import SUITES

VERSION_3 = 0x03100300
"""3.16.3 as headers of line 3 write it."""
REMAINING_GAS = 300_000_000
BLOOM = bytes(256)


@dataclass(frozen=True, slots=True)
class Executed:
    """A transaction in a block and what it did.

    Attributes:
        parsed: the transaction.
        raw: as its signer sent it.
        sender: 20 bytes.
        status: 0 for success.
        output: what it returned, or its revert data.
        gas_used: gas.
        created: the contract that it made, 20 bytes, or empty.
        logs: its events.
    """

    parsed: Parsed
    raw: bytes
    sender: bytes
    status: int
    output: bytes
    gas_used: int
    created: bytes = b""
    logs: tuple[Log, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block with everything in it.

    Attributes:
        height: its number.
        header: the items of the light client's bundle; of the first block what JSON shows.
        hash: 32 bytes.
        timestamp_ms: Unix milliseconds.
        sealers: whose set signs it.
        seals: index and signature of each signer.
        executed: its transactions.
    """

    height: int
    header: list[rlp.RlpItem]
    hash: bytes
    timestamp_ms: int
    sealers: tuple[SealerKey, ...]
    seals: tuple[tuple[int, bytes], ...]
    executed: tuple[Executed, ...] = field(default=())


def configuration_of(network: Network) -> FiscoConfiguration:
    """The light client's configuration of a network."""
    return FiscoConfiguration(network.line, network.suite, network.chain, network.group)


def first_block(network: Network, timestamp_ms: int) -> SealedBlock:
    """Block 0, which nobody signs; its hash stands for its configuration."""
    label = f"first block of {network.chain} {network.group} at {timestamp_ms}".encode()
    return SealedBlock(0, [], SUITES[network.suite].hash(label), timestamp_ms, (), ())


def seal(
    network: Network,
    parent: SealedBlock,
    sealers: Sequence[SealerKey],
    signers: Sequence[int],
    executed: Sequence[Executed],
    timestamp_ms: int,
    *,
    extra: bytes = b"",
) -> SealedBlock:
    """Make the next block.

    Args:
        network: line and suite.
        parent: the block before it.
        sealers: its set, in the order of the header.
        signers: indices of those that sign.
        executed: its transactions.
        timestamp_ms: Unix milliseconds.
        extra: mixed into the state root, to make another block of the same.
    """
    configuration, height = configuration_of(network), parent.height + 1
    header = _header(network, parent, sealers, executed, timestamp_ms, extra)
    block_hash = SUITES[network.suite].hash(hashed_bytes(header, configuration))
    seals = tuple((index, sealers[index].sign(block_hash)) for index in signers)
    return SealedBlock(height, header, block_hash, timestamp_ms, tuple(sealers), seals, tuple(executed))


def state_root(network: Network, height: int, extra: bytes = b"") -> bytes:
    """A hash that stands for the state of a height; nothing is proved under it on this platform."""
    return SUITES[network.suite].hash(b"state %d" % height + extra)


def receipt_items(network: Network, height: int, item: Executed, extra: bytes = b"") -> list[rlp.RlpItem]:
    """What is hashed of a receipt, in the form of the light client's `Execution`."""
    logs: list[rlp.RlpItem]
    status, gas = integer_bytes(item.status), item.gas_used
    if network.line == 2:
        logs = [[log.address, list(log.topics), log.data] for log in item.logs]
        parts: list[rlp.RlpItem] = [state_root(network, height, extra), integer_bytes(gas), item.created or bytes(20)]
        return [*parts, BLOOM, status, item.output, integer_bytes(REMAINING_GAS), logs]
    logs = [[log.address.hex().encode(), list(log.topics), log.data] for log in item.logs]
    created = item.created.hex().encode()
    return [b"", b"%d" % gas, created, status, item.output, b"", logs, integer_bytes(height)]


def receipt_hash(network: Network, height: int, item: Executed, extra: bytes = b"") -> bytes:
    """Hash of a receipt."""
    digest = SUITES[network.suite].hash
    items = receipt_items(network, height, item, extra)
    if network.line == 2:
        return digest(rlp.encode(items))
    flat = b"".join(log.address.hex().encode() + b"".join(log.topics) + log.data for log in item.logs)
    head = bytes(4) + b"%d" % item.gas_used + item.created.hex().encode() + item.status.to_bytes(4, "big")
    return digest(head + item.output + flat + height.to_bytes(8, "big"))


def leaves(network: Network, hashes: Sequence[bytes]) -> list[bytes]:
    """The leaves of a tree of transactions or receipts."""
    if network.line == 3:
        return list(hashes)
    return [rlp.encode(integer_bytes(index)) + item for index, item in enumerate(hashes)]


def levels(network: Network, hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Every level of a tree, from the leaves to the one node at the top."""
    width = 16 if network.line == 2 else 2
    digest = SUITES[network.suite].hash
    found = [leaves(network, hashes)]
    while len(found[-1]) > 1:
        nodes = found[-1]
        found.append([digest(b"".join(nodes[start : start + width])) for start in range(0, len(nodes), width)])
    return found


def root(network: Network, hashes: Sequence[bytes]) -> bytes:
    """Root of a tree; 32 zero bytes of an empty one."""
    if not hashes:
        return bytes(32)
    top = levels(network, hashes)[-1][0]
    return SUITES[network.suite].hash(top) if network.line == 2 else top


def _header(
    network: Network,
    parent: SealedBlock,
    sealers: Sequence[SealerKey],
    executed: Sequence[Executed],
    timestamp_ms: int,
    extra: bytes,
) -> list[rlp.RlpItem]:
    height = parent.height + 1
    transactions = root(network, [item.parsed.hash for item in executed])
    receipts = root(network, [receipt_hash(network, height, item, extra) for item in executed])
    state, number, time = state_root(network, height, extra), integer_bytes(height), integer_bytes(timestamp_ms)
    sealer = integer_bytes(height % len(sealers))
    keys: list[rlp.RlpItem] = [key.public for key in sealers]
    if network.line == 2:
        return [parent.hash, state, transactions, receipts, state, BLOOM, number, b"", b"", time, [], sealer, keys]
    gas = b"%d" % sum(item.gas_used for item in executed)
    weights: list[rlp.RlpItem] = [integer_bytes(key.weight) for key in sealers]
    parents: list[rlp.RlpItem] = [[integer_bytes(parent.height), parent.hash]]
    version = integer_bytes(VERSION_3)
    return [version, parents, transactions, receipts, state, number, gas, time, sealer, keys, b"", weights]
