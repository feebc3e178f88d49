"""Reading and writing headers of FISCO BCOS, both lines.

A header travels in a bundle, RLP of

    [header, [[index, signature], …], [execution, …]]

with the signatures of its sealers and, where its list of sealers differs from its parent's, the proofs of the calls that
changed it (`steps`). The header itself is

- line 2: [parentHash, stateRoot, transactionsRoot, receiptsRoot, dbHash, logsBloom, number, gasLimit, gasUsed, timestamp,
  [extraData …], sealer, [sealerList …]], whose RLP is what is hashed (FISCO-BCOS 2.x, `libethcore/BlockHeader`);
- line 3: [version, [[number, hash]], txsRoot, receiptsRoot, stateRoot, number, gasUsed, timestamp, sealer, [sealerList …],
  extraData, [consensusWeights …]], hashed as its fields one behind the other, integers big-endian in 4 (version) or 8 bytes
  and gasUsed in decimal digits (FISCO-BCOS 3.x, `bcos-tars-protocol`, `TarsHashable`).

The hashed form of line 3 has no lengths, so one hash must not have two readings. What fixes it: exactly one parent; the digits
of gasUsed end at the first byte of the time, which is zero; extra data of the configured size; as many weights as sealers.
"""

from __future__ import annotations

from collections.abc import Sequence

from light_clients import rlp
from light_clients.errors import HeaderFieldInvalid, HeaderTooLarge, ValidatorsTooMany
from light_clients.fisco.errors import ParentsInvalid
from light_clients.fisco.evidence import Execution, integer_bytes
from light_clients.fisco.types import (
    KEY_SIZE,
    MAXIMUM_SEALERS,
    FiscoConfiguration,
    FiscoHeader,
    Sealer,
)
from light_clients.rlp import RlpItem
from schemas.primitives import BlockHash, Bytes32

MAXIMUM_BUNDLE_SIZE = 1024 * 1024
"""Bytes; a header with 256 sealers and their signatures takes about 55 KB."""

BLOOM_SIZE = 256
MAXIMUM_TIME_MS = 2**56
"""Times stay below it, so that the first byte of a time in 8 bytes is zero."""


def parse_header(bundle: bytes, configuration: FiscoConfiguration) -> FiscoHeader:
    """Reads a bundle.

    Args:
        bundle: See the module.
        configuration: Says the line and the suite.

    Returns:
        The header with its hash, signatures and proofs of changes, not yet judged.

    Raises:
        RlpRefused: It is not canonical RLP.
        HeaderRefused: It is too large, or an item is wrong, by its name.
        ClaimMalformed: A proof of a change is not of its form.
    """
    if len(bundle) > MAXIMUM_BUNDLE_SIZE:
        raise HeaderTooLarge("A header is too large.", expected=MAXIMUM_BUNDLE_SIZE, found=len(bundle))
    match rlp.decode_list(bundle):
        case [list() as header, list() as seals, list() as steps]:
            parts = tuple(map(_seal, seals)), tuple(map(Execution.from_item, steps))
            return _read_header(header, _first_list(bundle), configuration, *parts)
        case _:
            raise HeaderFieldInvalid("A bundle has a header, its signatures and the proofs of changes.")


def encode_bundle(header: list[RlpItem], seals: Sequence[tuple[int, bytes]], steps: Sequence[Execution] = ()) -> bytes:
    """Writes a bundle.

    Args:
        header: The items of the header.
        seals: Index and signature of each signer.
        steps: Proofs of the calls that changed the sealers.

    Returns:
        See the module.
    """
    signatures: list[RlpItem] = [[integer_bytes(index), signature] for index, signature in seals]
    return rlp.encode([header, signatures, [step.to_item() for step in steps]])


def hashed_bytes(header: list[RlpItem], configuration: FiscoConfiguration) -> bytes:
    """What is hashed of a header.

    Args:
        header: The items of the header.
        configuration: Says the line.

    Raises:
        HeaderRefused: An item is wrong, by its name.
    """
    return _Reader(header, rlp.encode(header), configuration).hashed


def _first_list(bundle: bytes) -> bytes:
    """The encoding of a header inside of its bundle: three lists in one; what was read is canonical, so it is the only one."""
    start = 1 if bundle[0] < 0xF8 else bundle[0] - 0xF6
    return rlp.split_lists(bundle[start:])[0]


def _read_header(
    items: list[RlpItem],
    encoded: bytes,
    configuration: FiscoConfiguration,
    seals: tuple[tuple[int, bytes], ...],
    steps: tuple[Execution, ...],
) -> FiscoHeader:
    read = _Reader(items, encoded, configuration)
    return FiscoHeader(
        height=read.height,
        block_hash=BlockHash(configuration.hashing.hash(read.hashed)),
        parent_hash=read.parent_hash,
        transactions_root=read.transactions_root,
        receipts_root=read.receipts_root,
        timestamp_ms=read.timestamp_ms,
        sealers=read.sealers,
        seals=seals,
        steps=steps,
    )


class _Reader:
    """The fields of a header of either line, and its hashed bytes."""

    def __init__(self, items: list[RlpItem], encoded: bytes, configuration: FiscoConfiguration) -> None:
        if configuration.line == 2:
            self._line_2(items, encoded)
        else:
            self._line_3(items, configuration)
        if self.timestamp_ms >= MAXIMUM_TIME_MS:
            raise HeaderFieldInvalid("The time of a header is too large.", found=self.timestamp_ms)

    def _line_2(self, items: list[RlpItem], encoded: bytes) -> None:
        if len(items) != 13:
            raise HeaderFieldInvalid("A header of line 2 has 13 items.", expected=13, found=len(items))
        self.parent_hash = _sized(items[0], 32)
        for item in (items[1], items[4]):
            _sized(item, 32)
        self.transactions_root, self.receipts_root = Bytes32(_sized(items[2], 32)), Bytes32(_sized(items[3], 32))
        _sized(items[5], BLOOM_SIZE)
        self.height = rlp.decode_integer(items[6], 8)
        for item in (items[7], items[8], items[11]):
            rlp.decode_integer(item)
        self.timestamp_ms = rlp.decode_integer(items[9], 8)
        if any(isinstance(item, list) for item in _list(items[10])):
            raise HeaderFieldInvalid("Extra data of line 2 is a list of strings.")
        self.sealers = _sealers(_list(items[12]), None)
        self.hashed = encoded

    def _line_3(self, items: list[RlpItem], configuration: FiscoConfiguration) -> None:
        if len(items) != 12:
            raise HeaderFieldInvalid("A header of line 3 has 12 items.", expected=12, found=len(items))
        version, number = rlp.decode_integer(items[0], 4), rlp.decode_integer(items[5], 8)
        self.height = number
        self.parent_hash = _one_parent(items[1], number)
        self.transactions_root, self.receipts_root = Bytes32(_sized(items[2], 32)), Bytes32(_sized(items[3], 32))
        state_root = _sized(items[4], 32)
        self.timestamp_ms = rlp.decode_integer(items[7], 8)
        sealer = rlp.decode_integer(items[8], 8)
        weights = [rlp.decode_integer(item, 8) for item in _list(items[11])]
        self.sealers = _sealers(_list(items[9]), weights)
        extra = _sized(items[10], configuration.extra_data_size)
        self.hashed = b"".join(
            (
                version.to_bytes(4, "big"),
                (number - 1).to_bytes(8, "big"),
                self.parent_hash,
                self.transactions_root,
                self.receipts_root,
                state_root,
                number.to_bytes(8, "big"),
                _digits(items[6]),
                self.timestamp_ms.to_bytes(8, "big"),
                sealer.to_bytes(8, "big"),
                *(known.key for known in self.sealers),
                extra,
                *(known.weight.to_bytes(8, "big") for known in self.sealers),
            )
        )


def _one_parent(item: RlpItem, number: int) -> bytes:
    match item:
        case [[parent_number, bytes() as parent_hash]] if number:
            if rlp.decode_integer(parent_number, 8) == number - 1 and len(parent_hash) == 32:
                return parent_hash
    raise ParentsInvalid("A header of line 3 above the first block has one parent, one number below.", found=number)


def _sealers(keys: list[RlpItem], weights: list[int] | None) -> tuple[Sealer, ...]:
    if not 1 <= len(keys) <= MAXIMUM_SEALERS:
        raise ValidatorsTooMany("A header has 1 to 256 sealers.", expected=MAXIMUM_SEALERS, found=len(keys))
    if weights is None:
        weights = [1] * len(keys)
    if len(weights) != len(keys) or not all(0 < weight < 2**48 for weight in weights):
        raise HeaderFieldInvalid("Every sealer has a weight above zero.", expected=len(keys), found=len(weights))
    sealers = tuple(Sealer(_sized(key, KEY_SIZE), weight) for key, weight in zip(keys, weights, strict=True))
    if len({sealer.key for sealer in sealers}) != len(sealers):
        raise HeaderFieldInvalid("A sealer stands twice in the list.")
    return sealers


def _seal(item: RlpItem) -> tuple[int, bytes]:
    match item:
        case [index, bytes() as signature]:
            return rlp.decode_integer(index, 4), signature
        case _:
            raise HeaderFieldInvalid("A signature of a header has an index and its bytes.")


def _digits(item: RlpItem) -> bytes:
    if not isinstance(item, bytes) or not 1 <= len(item) <= 78 or not item.isdigit() or (item[:1] == b"0" != item):
        raise HeaderFieldInvalid("Gas used is a number in decimal digits without leading zeros.")
    return item


def _sized(item: RlpItem, size: int) -> bytes:
    if not isinstance(item, bytes) or len(item) != size:
        raise HeaderFieldInvalid("A field of the header has a wrong size.", expected=size)
    return item


def _list(item: RlpItem) -> list[RlpItem]:
    if not isinstance(item, list):
        raise HeaderFieldInvalid("A field of the header is a string where a list stands.")
    return item
