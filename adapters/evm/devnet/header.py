"""Headers in the form that Besu's QBFT or IBFT2 validators seal, made from the headers that anvil serves.

Source: hyperledger/besu, QbftExtraDataCodec and BftBlockHashing. extraData is one RLP list: vanity (32 bytes), validators
(20 bytes each, ascending), vote (an empty list, or subject and 0xff to add or an empty string to drop), round (an RLP
integer), seals (65 bytes each, v = 0 or 1). Validators sign the header with an empty list of seals; the block hash leaves
out the seals and sets the round to 0. In IBFT2 (IbftExtraDataCodec) an absent vote is an empty string, a vote to drop is the
byte 0, the round has four bytes; validators sign without the item of the seals, and the block hash leaves out the round too.
Header fields and their order: Ethereum Yellow Paper, section 4.3, with EIP-1559,
EIP-4895, EIP-4844, EIP-4788 and EIP-7685 appended where the fork has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from light_clients import rlp
from light_clients.crypto.secp256k1 import sign_seal
from schemas.suites import keccak256

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""The mixHash of every BFT header in Besu, 32 bytes."""

VANITY = b"relayhub development network".ljust(32, b"\x00")
"""The vanity of the headers sealed here, 32 bytes."""

DIFFICULTY = b"\x01"
NONCE = bytes(8)

FIELDS: tuple[tuple[str, bool], ...] = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)
"""JSON name of each header item in order, and whether it is a quantity (minimal big-endian integer)."""

POSITION = {name: index for index, (name, _) in enumerate(FIELDS)}
_OPTIONAL_FROM = POSITION["baseFeePerGas"]
_BLOB_FIELDS = ("blobGasUsed", "excessBlobGas")


class Form(StrEnum):
    """Whose extraData a header has."""

    QBFT = "qbft"
    IBFT2 = "ibft2"


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposer's vote on one validator.

    Attributes:
        subject: The validator's address, 20 bytes.
        add: Whether to add it; else to drop it.
    """

    subject: bytes
    add: bool


@dataclass(frozen=True, slots=True)
class Extra:
    """The content of an extraData.

    Attributes:
        validators: Addresses in ascending order, 20 bytes each.
        vote: The proposer's vote, if it cast one.
        round: The round in which the block was decided.
        seals: 65 bytes each.
        vanity: 32 bytes.
        form: Whose extraData it is.
    """

    validators: tuple[bytes, ...]
    vote: Vote | None = None
    round: int = 0
    seals: tuple[bytes, ...] = ()
    vanity: bytes = VANITY
    form: Form = Form.QBFT

    def encode(self) -> bytes:
        """The bytes of extraData."""
        return rlp.encode([*self._content(), self._round(), list(self.seals)])

    def signed(self) -> bytes:
        """The bytes of extraData in the header whose hash validators sign."""
        seals: list[rlp.RlpItem] = [[]] if self.form is Form.QBFT else []
        return rlp.encode([*self._content(), self._round(), *seals])

    def hashed(self) -> bytes:
        """The bytes of extraData in the header whose hash is the block's."""
        return replace(self, round=0).signed() if self.form is Form.QBFT else rlp.encode(self._content())

    def _content(self) -> list[rlp.RlpItem]:
        vote: rlp.RlpItem = [] if self.form is Form.QBFT else b""
        if self.vote is not None:
            drop = b"" if self.form is Form.QBFT else b"\x00"
            vote = [self.vote.subject, b"\xff" if self.vote.add else drop]
        return [self.vanity, list(self.validators), vote]

    def _round(self) -> bytes:
        return _integer(self.round) if self.form is Form.QBFT else self.round.to_bytes(4, "big")

    @classmethod
    def decode(cls, data: bytes) -> Extra:
        """Reads the extraData of a header that this module sealed.

        Raises:
            ValueError: It has another shape.
            RlpRefused: It is no canonical RLP.
        """
        match rlp.decode(data):
            case [bytes() as vanity, list() as validators, vote, bytes() as round_number, list() as seals]:
                # No IBFT2 round here needs its first byte, and no QBFT round begins with a zero.
                form = Form.IBFT2 if vote == b"" or (vote and round_number[:1] == b"\x00") else Form.QBFT
                subject = Vote(_bytes(vote[0]), _bytes(vote[1]) == b"\xff") if isinstance(vote, list) and vote else None
                addresses = tuple(_bytes(address) for address in validators)
                rounds = int.from_bytes(round_number, "big")
                return cls(addresses, subject, rounds, tuple(_bytes(seal) for seal in seals), vanity, form)
        raise ValueError("The extraData is not that of a header in QBFT or IBFT2 form.")


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """A header with its seals.

    Attributes:
        items: The header's RLP items with the complete extraData, as many as the fork has.
        extra: The decoded extraData.
        hash: The block hash, 32 bytes.
    """

    items: tuple[bytes, ...]
    extra: Extra
    hash: bytes

    @property
    def number(self) -> int:
        """The height."""
        return int.from_bytes(self.items[POSITION["number"]], "big")

    @property
    def proposer(self) -> bytes:
        """The address that proposed the block, 20 bytes (zero in block 0)."""
        return self.items[POSITION["miner"]]

    def rlp(self) -> bytes:
        """The complete header as the validators pass it on."""
        return rlp.encode(list(self.items))

    def document(self) -> dict[str, str]:
        """The header's fields, its hash and total difficulty as an Ethereum node serves them in JSON."""
        fields = {
            name: _quantity(item) if quantity else "0x" + item.hex()
            for (name, quantity), item in zip(FIELDS, self.items, strict=False)
        }
        return {"hash": "0x" + self.hash.hex(), **fields, "totalDifficulty": hex(self.number + 1)}


def header_items(document: Mapping[str, Any]) -> list[bytes]:
    """Reads the RLP items of a header out of a block in JSON.

    anvil shows blob gas on forks that have none; only a header with a parent beacon block root has those items.

    Args:
        document: A block as `eth_getBlockByNumber` answers it.

    Returns:
        15 to 21 items.

    Raises:
        KeyError: A field that every fork has is missing.
    """
    items: list[bytes] = []
    for index, (name, quantity) in enumerate(FIELDS):
        if index >= _OPTIONAL_FROM and (
            document.get(name) is None or (name in _BLOB_FIELDS and document.get("parentBeaconBlockRoot") is None)
        ):
            break
        text: str = document[name]
        items.append(_integer(int(text, 16)) if quantity else bytes.fromhex(text[2:]))
    return items


def header_hash(items: Sequence[bytes]) -> bytes:
    """The plain hash of a header, 32 bytes: what a chain without QBFT calls its block hash."""
    return keccak256(rlp.encode(list(items)))


def seal_header(items: Sequence[bytes], extra: Extra, keys: Sequence[bytes]) -> SealedHeader:
    """Puts a header into the form of its extraData and seals it.

    Args:
        items: The header's items; extraData, mixHash, difficulty and nonce are replaced.
        extra: The extraData without seals.
        keys: Private keys of those who seal, 32 bytes each, in the order of the seals.

    Returns:
        The sealed header.
    """
    form = list(items)
    form[POSITION["mixHash"]] = MIX_HASH
    form[POSITION["difficulty"]] = DIFFICULTY
    form[POSITION["nonce"]] = NONCE
    digest = header_hash(_with_extra(form, extra.signed()))
    sealed = replace(extra, seals=tuple(sign_seal(key, digest) for key in keys))
    return _finished(form, sealed)


def read_header(encoded: bytes) -> SealedHeader:
    """Reads back a header that was sealed here.

    Raises:
        ValueError: It is no header in QBFT or IBFT2 form.
        RlpRefused: It is no canonical RLP.
    """
    items = [_bytes(item) for item in rlp.decode_list(encoded)]
    return _finished(items, Extra.decode(items[POSITION["extraData"]]))


def _finished(items: list[bytes], extra: Extra) -> SealedHeader:
    block_hash = header_hash(_with_extra(items, extra.hashed()))
    return SealedHeader(tuple(_with_extra(items, extra.encode())), extra, block_hash)


def _with_extra(items: Sequence[bytes], extra_data: bytes) -> list[bytes]:
    form = list(items)
    form[POSITION["extraData"]] = extra_data
    return form


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _quantity(item: bytes) -> str:
    return hex(int.from_bytes(item, "big"))


def _bytes(item: rlp.RlpItem) -> bytes:
    if not isinstance(item, bytes):
        raise ValueError("A list stands where a header has bytes.")  # noqa: TRY004 - what was read is wrong, not the call
    return item
