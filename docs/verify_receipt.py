# ruff: noqa: INP001 - a program by itself, no module of a package
"""Verify a receipt of a Relay Hub offline: a second verifier in one file.

    python verify_receipt.py r.json --anchors anchors.toml [--log-note note.json] [--json]

Written from docs/evidence.md, docs/protocol.md and docs/encodings.md alone; it shares no code with the hub and imports nothing of
it. It needs Python 3.11 and the package `cryptography` (Ed25519, SM3). It prints a line for each check of docs/evidence.md, 20 of a
receipt and 5 more of a log note, and ends with 0 where none fails, else with 2.

Of headers it knows the families qbft, ibft2 and ibft, by the validators that the anchors list. Of clique, development and beacon it
checks the proof under the header, not who made the header; of all others neither. It says so where a committee judges the lane, whose
quorum it checks on every ledger; where a light client judges, and of a log note's ledger, it refuses what it cannot check.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import tomllib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SEALED = ("qbft", "ibft2", "ibft")
ETHEREUM = (*SEALED, "clique", "development", "beacon")
NOTED = (*SEALED, "clique", "development")
MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
SM2_KEY = b"\xffrelayhub/sm2-sm3"
SM2_USER = b"1234567812345678"
KINDS = ("committee", "light-client", "both")


class Bad(Exception):
    """What was looked at is not as it must be; the text says how."""


class NotAskedError(Exception):
    """A check that does not apply, or that another check has answered; the text says why."""


def need(condition: object, text: str) -> None:
    """Raise Bad with this text unless the condition holds."""
    if not condition:
        raise Bad(text)


# Hashes


def _keccak_constants() -> tuple[list[int], list[int]]:
    """FIPS 202, sections 3.2.2 and 3.2.5: the rotation of each lane x + 5y, and the constants of the 24 rounds."""
    rotations, x, y = [0] * 25, 1, 0
    for step in range(24):
        rotations[x + 5 * y] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            constant |= (register & 1) << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return rotations, constants


_ROTATIONS, _ROUNDS = _keccak_constants()
_LANE = (1 << 64) - 1


def _permute(lanes: list[int]) -> list[int]:
    for constant in _ROUNDS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        parity = [columns[x - 1] ^ _rotate(columns[(x + 1) % 5], 1) for x in range(5)]
        moved = [0] * 25
        for place, lane in enumerate(lanes):
            x, y = place % 5, place // 5
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = _rotate(lane ^ parity[x], _ROTATIONS[place])
        lanes = [
            moved[place] ^ (~moved[place - place % 5 + (place + 1) % 5] & moved[place - place % 5 + (place + 2) % 5])
            for place in range(25)
        ]
        lanes[0] ^= constant
    return lanes


def _rotate(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & _LANE


@lru_cache(maxsize=65_536)  # whoever verifies many receipts hashes the same words again and again
def keccak256(data: bytes) -> bytes:
    """Keccak-256 with the padding of Ethereum (0x01)."""
    rate = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), rate):
        for place in range(rate // 8):
            lanes[place] ^= int.from_bytes(padded[start + 8 * place : start + 8 * place + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905)."""
    running = hashes.Hash(hashes.SM3())
    running.update(data)
    return running.finalize()


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


@dataclass(frozen=True)
class Suite:
    """A lane's hash, and its words (docs/protocol.md, Hashing)."""

    name: str

    def hash(self, data: bytes) -> bytes:
        """H."""
        return sm3(data) if self.name == "sm" else keccak256(data)

    def of(self, tag: str, *words: bytes | int) -> bytes:
        """H of a tag and words; integers become words."""
        row = [word.to_bytes(32, "big") if isinstance(word, int) else word for word in words]
        return self.hash(b"".join([self.hash(f"relayhub/{self.name}/{tag}/v1".encode()), *row]))

    def fold(self, head: bytes, ids: Sequence[bytes]) -> bytes:
        """The head after more entries."""
        for entry in ids:
            head = self.of("step", head, entry)
        return head


# Curves (SEC 2, secp256k1; GB/T 32918.5, SM2): affine points as (x, y), None at infinity

Point = tuple[int, int] | None


@dataclass(frozen=True)
class Curve:
    """y² = x³ + ax + b over p, of order n, generated by g."""

    p: int
    a: int
    b: int
    n: int
    g: tuple[int, int]

    def has(self, point: tuple[int, int]) -> bool:
        """Whether a point lies on the curve."""
        x, y = point
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - x * x * x - self.a * x - self.b) % self.p == 0

    def add(self, one: Point, other: Point) -> Point:
        """The sum of two points."""
        if one is None or other is None:
            return other if one is None else one
        if one[0] == other[0]:
            if (one[1] + other[1]) % self.p == 0:
                return None
            slope = (3 * one[0] * one[0] + self.a) * pow(2 * one[1], -1, self.p)
        else:
            slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, self.p)
        x = (slope * slope - one[0] - other[0]) % self.p
        return x, (slope * (one[0] - x) - one[1]) % self.p

    def times(self, factor: int, point: Point) -> Point:
        """A point added to itself so many times."""
        total: Point = None
        while factor:
            if factor & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            factor >>= 1
        return total


SECP256K1 = Curve(
    2**256 - 2**32 - 977,
    0,
    7,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    (
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
)
_SM2_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
SM2 = Curve(
    _SM2_P,
    _SM2_P - 3,
    0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
    (
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
)


@lru_cache(maxsize=4_096)
def recovered(digest: bytes, r: int, s: int, parity: int) -> bytes | None:
    """X ‖ Y of who signed by secp256k1 (SEC 1, section 4.1.6); None where nobody did."""
    curve = SECP256K1
    if not (0 < r < curve.n and 0 < s < curve.n):
        return None
    y = pow(r**3 + curve.b, (curve.p + 1) // 4, curve.p)
    if not curve.has((r, y)):
        return None
    point = (r, y if y & 1 == parity else curve.p - y)
    inverse = pow(r, -1, curve.n)
    e = int.from_bytes(digest, "big")
    key = curve.add(curve.times(s * inverse % curve.n, point), curve.times(-e * inverse % curve.n, curve.g))
    return None if key is None else key[0].to_bytes(32, "big") + key[1].to_bytes(32, "big")


@lru_cache(maxsize=4_096)
def sm2_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether r ‖ s is a key's SM2 signature of a message (GB/T 32918.2, section 7)."""
    key = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(public_key) != 64 or len(signature) != 64 or not SM2.has(key):
        return False
    t = (r + s) % SM2.n
    if not (0 < r < SM2.n and 0 < s < SM2.n and t):
        return False
    fixed = b"".join(value.to_bytes(32, "big") for value in (SM2.a, SM2.b, *SM2.g))
    z = sm3((8 * len(SM2_USER)).to_bytes(2, "big") + SM2_USER + fixed + public_key)
    point = SM2.add(SM2.times(s, SM2.g), SM2.times(t, key))
    return point is not None and (int.from_bytes(sm3(z + message), "big") + point[0]) % SM2.n == r


# Codecs: RLP, CBOR, tree proofs


def rlp_decode(data: bytes) -> Any:
    """Bytes and lists of one RLP item, in its one form."""
    item, end = _rlp_item(data, 0)
    need(end == len(data), "bytes are left over behind an RLP item")
    return item


def _rlp_item(data: bytes, place: int) -> tuple[Any, int]:
    need(place < len(data), "RLP is truncated")
    first = data[place]
    if first < 0x80:
        return data[place : place + 1], place + 1
    is_list = first >= 0xC0
    length, start = first - (0xC0 if is_list else 0x80), place + 1
    if length > 55:
        size = length - 55
        need(start + size <= len(data) and data[start] != 0, "a length in RLP is malformed")
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
        need(length > 55, "a length in RLP is not the shortest")
    end = start + length
    need(end <= len(data), "RLP is truncated")
    if not is_list:
        need(length != 1 or data[start] >= 0x80, "a byte in RLP is not in its shortest form")
        return data[start:end], end
    items = []
    while start < end:
        item, start = _rlp_item(data[:end], start)
        items.append(item)
    return items, end


def rlp_encode(item: Any) -> bytes:
    """RLP of bytes and lists."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _rlp_length(len(item), 0x80) + item
    body = b"".join(rlp_encode(part) for part in item)
    return _rlp_length(len(body), 0xC0) + body


def _rlp_length(length: int, base: int) -> bytes:
    if length <= 55:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size


def cbor_decode(data: bytes) -> Any:
    """One canonical CBOR item of integers from 0, byte strings, texts and arrays."""
    item, end = _cbor_item(data, 0)
    need(end == len(data) and cbor_encode(item) == data, "an entry is not canonical CBOR")
    return item


def _cbor_item(data: bytes, place: int) -> tuple[Any, int]:
    need(place < len(data), "CBOR is truncated")
    kind, value, place = data[place] >> 5, data[place] & 31, place + 1
    if value >= 24:
        need(value <= 27, "CBOR has a length that is not definite")
        size = 1 << (value - 24)
        need(place + size <= len(data), "CBOR is truncated")
        value, place = int.from_bytes(data[place : place + size], "big"), place + size
    if kind == 0:
        return value, place
    if kind in (2, 3):
        raw = data[place : place + value]
        need(len(raw) == value, "CBOR is truncated")
        try:
            return raw if kind == 2 else raw.decode(), place + value
        except UnicodeDecodeError:
            raise Bad("a text in CBOR is not UTF-8") from None
    need(kind == 4 and value <= len(data), "CBOR has an item of another kind")
    items = []
    for _ in range(value):
        item, place = _cbor_item(data, place)
        items.append(item)
    return items, place


def cbor_encode(item: Any) -> bytes:
    """Canonical CBOR of integers from 0, byte strings, texts and arrays."""
    if isinstance(item, int):
        return _cbor_head(0, item)
    if isinstance(item, bytes):
        return _cbor_head(2, len(item)) + item
    if isinstance(item, str):
        return _cbor_head(3, len(item.encode())) + item.encode()
    return _cbor_head(4, len(item)) + b"".join(cbor_encode(part) for part in item)


def _cbor_head(kind: int, value: int) -> bytes:
    if value < 24:
        return bytes([kind << 5 | value])
    size = next(power for power in range(4) if value < 1 << (8 << power))
    return bytes([kind << 5 | 24 + size]) + value.to_bytes(1 << size, "big")


def opened(root: bytes, key: bytes, nodes: Sequence[Any]) -> bytes:
    """The value under a key of a Merkle Patricia tree (Ethereum yellow paper, appendix D); every node given is used."""
    path = "".join(f"{byte:02x}" for byte in keccak256(key))
    link: Any = root
    rest = list(nodes)
    while True:
        if isinstance(link, bytes):
            need(rest and isinstance(rest[0], bytes), "a node of the proof is missing")
            raw = rest.pop(0)
            need(
                len(link) == 32 and keccak256(raw) == link,
                "a node of the proof does not have the hash that its parent names",
            )
            link = rlp_decode(raw)
        need(isinstance(link, list) and len(link) in (2, 17), "a node of the proof has another form")
        if len(link) == 17:
            need(path, "the proof ends in a branch")
            nibble, path = int(path[0], 16), path[1:]
            link = link[nibble]
        else:
            need(isinstance(link[0], bytes) and link[0], "a path of the proof has another form")
            flag, shared = link[0].hex()[0], link[0].hex()[2 - int(link[0].hex()[0], 16) % 2 :]
            need(flag in "0123" and path.startswith(shared), "the proof leads elsewhere: there is no such entry")
            path = path[len(shared) :]
            if flag in "23":
                need(not path and not rest and isinstance(link[1], bytes), "the proof does not end at the entry")
                return bytes(link[1])
            link = link[1]
        need(link, "the proof shows that there is no such entry")


def leads(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root to which an inclusion proof leads (RFC 9162, section 2.1.3.2)."""
    place, last, node = index, size - 1, leaf
    for sibling in path:
        need(last, "an inclusion proof is too long")
        if place & 1 or place == last:
            node = sha256(b"\x01" + sibling + node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling)
        place, last = place >> 1, last >> 1
    need(not last, "an inclusion proof is too short")
    return node


# The receipt's form


Reader = Callable[[Any, str], Any]


def raw(least: int = 0, most: int = 1 << 26) -> Reader:
    """Bytes of a length, from lower-case hexadecimal with 0x."""

    def read(value: Any, where: str) -> bytes:
        fits = isinstance(value, str) and re.fullmatch(r"0x(?:[0-9a-f]{2})*", value)
        need(fits and least <= len(value) // 2 - 1 <= most, f"{where} is no bytes of the right length")
        return bytes.fromhex(value[2:])

    return read


def u64(value: Any, where: str) -> int:
    """A 64-bit integer, from a decimal string in its one form."""
    need(isinstance(value, str) and re.fullmatch(r"0|[1-9][0-9]{0,19}", value), f"{where} is no decimal number")
    need(int(value) < 1 << 64, f"{where} has more than 64 bits")
    return int(value)


def text(value: Any, where: str) -> str:
    """Text that UTF-8 can hold."""
    need(isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value), f"{where} is no text")
    return str(value)


def name(value: Any, where: str) -> str:
    """A name: NFC, 1 to 64 bytes (docs/protocol.md, Names)."""
    found = text(value, where)
    fits = 1 <= len(found.encode()) <= 64 and unicodedata.normalize("NFC", found) == found
    need(fits, f"{where} is no name of 1 to 64 bytes in NFC")
    return found


def one_of(*known: Any) -> Reader:
    """One of these values."""

    def read(value: Any, where: str) -> Any:
        need(any(type(value) is type(item) and value == item for item in known), f"{where} is none of {known}")
        return value

    return read


def list_of(reader: Reader) -> Reader:
    """A list of any length."""

    def read(value: Any, where: str) -> list[Any]:
        need(isinstance(value, list), f"{where} is no list")
        return [reader(item, f"{where}[{place}]") for place, item in enumerate(value)]

    return read


def maybe(reader: Reader) -> Reader:
    """The same, or null."""
    return lambda value, where: None if value is None else reader(value, where)


class Part(dict[str, Any]):
    """An object of the receipt: its members are attributes."""

    def __getattr__(self, member: str) -> Any:
        return self[member]


def shape(**readers: Reader) -> Reader:
    """An object with these members and no other."""

    def read(value: Any, where: str) -> Part:
        need(isinstance(value, dict), f"{where or 'the receipt'} is no object")
        need(
            set(value) == set(readers),
            f"{where or 'the receipt'} has other members: {sorted(set(value) ^ set(readers))}",
        )
        return Part((key, reader(value[key], f"{where}.{key}".lstrip("."))) for key, reader in readers.items())

    return read


WORD = raw(32, 32)
ACCOUNT = raw(1, 64)
LEAF = shape(index=u64, entry=raw(1, 1024), path=list_of(WORD))
SIGNATURE = shape(signer=ACCOUNT, account=ACCOUNT, scheme=one_of("secp256k1", "sm2"), signature=raw(64, 65))
WAY = shape(
    before=WORD,
    suffix_ids=list_of(WORD),
    claim=shape(lane_id=WORD, direction=one_of(0, 1), nonce=u64, head=WORD, height=u64, block_hash=WORD),
    validators=list_of(raw()),
    proof=shape(consensus=text, nonce=u64, head=WORD, between_ids=list_of(WORD), evidence=raw(), leaf=LEAF),
    quorum=maybe(
        shape(
            chain=WORD,
            gateway=ACCOUNT,
            verifier=ACCOUNT,
            epoch=u64,
            threshold=u64,
            digest=WORD,
            signatures=list_of(SIGNATURE),
            leaf=LEAF,
        )
    ),
)
RECEIPT = shape(
    format=one_of("relayhub/receipt/v1"),
    complete=one_of(True),
    lane=shape(
        hub=name,
        suite=one_of("evm", "sm"),
        source=WORD,
        destination=WORD,
        source_gateway=ACCOUNT,
        destination_gateway=ACCOUNT,
        channel=name,
    ),
    lane_id=WORD,
    message_id=WORD,
    message=shape(
        nonce=u64,
        sender=ACCOUNT,
        receiver=ACCOUNT,
        expires_at=u64,
        gas_limit=u64,
        callback_gas=u64,
        payload_length=u64,
        payload_hash=WORD,
        payload=raw(),
    ),
    outcome=shape(outcome_id=WORD, status=one_of(1, 2, 3, 4), result=raw(0, 256)),
    out=WAY,
    back=WAY,
    settled=LEAF,
    checkpoint=text,
)

DEEPEST = 32
MOST_CHANGES = 1_000
NOTE = shape(
    format=one_of("relayhub/log-note/v1"),
    chain=WORD,
    gateway=ACCOUNT,
    account=ACCOUNT,
    consensus=text,
    height=u64,
    block_hash=WORD,
    size=u64,
    root=WORD,
    evidence=raw(),
    validators=list_of(raw()),
    consistency=list_of(WORD),
)


def read_receipt(content: bytes) -> Part:
    """The receipt of a file, by its form alone.

    Raises:
        Bad: it has another form; the text says where.
    """
    receipt: Part = RECEIPT(_json(content), "")
    need(receipt.message.nonce > 0, "message.nonce counts from 1")
    need(all(len(receipt[way].validators) <= MOST_CHANGES for way in ("out", "back")), "too many changed validators")
    return receipt


def read_note(content: bytes) -> Part:
    """The log note of a file, by its form alone.

    Raises:
        Bad: it has another form; the text says where.
    """
    note: Part = NOTE(_json(content), "")
    need(len(note.validators) <= MOST_CHANGES and len(note.consistency) <= 128, "a list of the note is too long")
    return note


def _json(content: bytes) -> Any:
    try:
        told = content.decode()
        need(
            _depth(told) <= DEEPEST, "the file has lists in lists without end"
        )  # a parser may run out of its stack there
        return json.loads(told, object_pairs_hook=_once, parse_constant=_no_number)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Bad(f"the file is no JSON: {error}") from None


def _depth(told: str) -> int:
    """How deep lists and objects of a JSON text lie in each other."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[{\]}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", told)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    need(len(found) == len(pairs), "a member stands twice in one object")
    return found


def _no_number(token: str) -> Any:
    raise Bad(f"{token} is no JSON")


# The trust anchors


@dataclass(frozen=True)
class Anchors:
    """What is believed beforehand: the file's tables, by what they are asked for."""

    hub: str
    origin: str
    keys: list[str]
    witnesses: list[str]
    witness_threshold: int
    chains: Mapping[bytes, Mapping[str, Any]]
    lanes: Mapping[bytes, Mapping[str, Any]]
    committees: Mapping[tuple[bytes, bytes, bytes, int], Mapping[str, Any]]


def read_anchors(content: bytes) -> Anchors:
    """Read trust anchors.

    Raises:
        Bad: the file has another form.
    """
    try:
        told = tomllib.loads(content.decode())
        need(told["format"] == "relayhub/anchors/v1", "the anchors are not of the format relayhub/anchors/v1")
        place = ("chain", "gateway", "verifier")
        return Anchors(
            hub=text(told["hub"], "hub"),
            origin=text(told["log"]["origin"], "log.origin"),
            keys=[text(key, "log.keys") for key in told["log"]["keys"]],
            witnesses=[text(key, "log.witnesses") for key in told["log"].get("witnesses", [])],
            witness_threshold=int(told["log"].get("witness_threshold", 0)),
            chains={_hex(item["chain"]): _chain(item) for item in told.get("chains", [])},
            lanes={_hex(item["lane_id"]): _lane(item) for item in told.get("lanes", [])},
            committees={
                (*(_hex(item[key]) for key in place), int(item["epoch"])): _committee(item)
                for item in told.get("committees", [])
            },
        )
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise Bad(f"the anchors cannot be used: {type(error).__name__}: {error}") from None


def _hex(value: Any) -> bytes:
    found: bytes = raw()(value, "a value of the anchors")
    return found


def _chain(item: Mapping[str, Any]) -> dict[str, Any]:
    sets = [(int(group["from"]), {_hex(member) for member in group["members"]}) for group in item.get("validators", [])]
    read = {key: _hex(item[key]) for key in ("first_block", "gateway", "code_hash")}
    read["log_account"] = _hex(item.get("log_account", "0x"))
    return {**read, "chain_id": str(item["chain_id"]), "consensus": str(item["consensus"]), "validators": sets}


def _lane(item: Mapping[str, Any]) -> dict[str, Any]:
    judges = {}
    for way in ("out", "back"):
        need(item[way]["kind"] in KINDS, f"a lane's verifier is none of {KINDS}")
        judges[way] = (str(item[way]["kind"]), _hex(item[way]["committee"]))
    return judges


def _committee(item: Mapping[str, Any]) -> dict[str, Any]:
    members = {}
    for member in item["members"]:
        kept = {key: member[key] for key in ("organisation", "scheme", "struck")}
        members[_hex(member["account"])] = {**kept, "public_key": _hex(member["public_key"])}
    return {"threshold": int(item["threshold"]), "members": members}


# The checks


class Judge:
    """One receipt against trust anchors; each method is a check of docs/evidence.md, and returns what it found."""

    def __init__(self, receipt: Part, anchors: Anchors) -> None:
        self.receipt, self.anchors = receipt, anchors
        self.suite = Suite(receipt.lane.suite)

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Every check behind the first, by its name, in order."""
        yield from (
            ("lane", self.lane),
            ("ledgers", self.ledgers),
            ("message", self.message),
            ("outcome", self.outcome),
        )
        for way in ("out", "back"):
            for check in (self.fold, self.prefix, self.proof, self.header, self.quorum, self.leaves):
                yield f"{way}.{check.__name__}", lambda check=check, way=way: check(way)  # type: ignore[misc]
        yield from (("settled", self.settled), ("log", self.log), ("checkpoint", self.checkpoint))

    def lane(self) -> str:
        """lane_id is the one of its words, and the hub is the anchors'."""
        lane, hashed = self.receipt.lane, self.suite.hash
        ends = (lane.source, hashed(lane.source_gateway), lane.destination, hashed(lane.destination_gateway))
        made = self.suite.of("lane", hashed(lane.hub.encode()), *ends, hashed(lane.channel.encode()))
        need(made == self.receipt.lane_id, "lane_id is not the one of the lane's words")
        need(lane.hub == self.anchors.hub, f"the lane is of the hub {lane.hub!r}, the anchors of {self.anchors.hub!r}")
        return f"0x{made.hex()}"

    def ledgers(self) -> str:
        """Both ledgers and the lane stand in the anchors."""
        for end in ("source", "destination"):
            word, gateway = self.receipt.lane[end], self.receipt.lane[f"{end}_gateway"]
            chain = self.anchors.chains.get(word)
            if chain is None:
                raise Bad(f"the {end} stands not in the anchors")
            made = sha256(chain["chain_id"].encode() + b"\x00" + chain["first_block"])
            need(made == word, f"the chain word of the {end} is not the one of its id and first block")
            need(chain["gateway"] == gateway, f"the gateway at the {end} is another one")
        need(self.receipt.lane_id in self.anchors.lanes, "the lane stands not in the anchors")
        return "both, with their gateways"

    def message(self) -> str:
        """The payload has its length and hash, and message_id is the one of the message."""
        told = self.receipt.message
        need(len(told.payload) == told.payload_length, "the payload has another length")
        need(self.suite.hash(told.payload) == told.payload_hash, "the payload has another hash")
        ends = self.suite.hash(told.sender), self.suite.hash(told.receiver)
        rest = (told.expires_at, told.gas_limit, told.callback_gas, told.payload_length, told.payload_hash)
        made = self.suite.of("message", self.receipt.lane_id, told.nonce, *ends, *rest)
        need(made == self.receipt.message_id, "message_id is not the one of the message")
        return f"nonce {told.nonce}, {told.payload_length} bytes"

    def outcome(self) -> str:
        """outcome_id is the one of message, status and result."""
        told = self.receipt.outcome
        made = self.suite.of("outcome", self.receipt.message_id, told.status, self.suite.hash(told.result))
        need(made == told.outcome_id, "outcome_id is not the one of message, status and result")
        return ("executed", "failed", "expired", "refused")[told.status - 1]

    def fold(self, way: str) -> str:
        """The claim's head is the fold of what stood before, the entry and later ids."""
        part, claim, direction = self.receipt[way], self.receipt[way].claim, int(way == "back")
        nonce, lane_id = self.receipt.message.nonce, self.receipt.lane_id
        need((claim.lane_id, claim.direction) == (lane_id, direction), "the claim is about another lane or direction")
        need(claim.nonce == nonce + len(part.suffix_ids), "the claim's nonce is not the entry's and those after it")
        entry = self.receipt.outcome.outcome_id if direction else self.receipt.message_id
        need(
            self.suite.fold(part.before, [entry, *part.suffix_ids]) == claim.head, "the entries do not fold to the head"
        )
        first = self.suite.of("outcomes", lane_id, 0) if direction else lane_id
        need(nonce > 1 or part.before == first, "before the first entry stands another head than the lane's first")
        return f"entry {nonce} of {claim.nonce}"

    def prefix(self, way: str) -> str:
        """The proof's head is the fold of the claim's and of what came between."""
        claim, proof = self.receipt[way].claim, self.receipt[way].proof
        need(
            proof.nonce == claim.nonce + len(proof.between_ids),
            "the proof's nonce is not the claim's and those between",
        )
        need(
            self.suite.fold(claim.head, proof.between_ids) == proof.head,
            "the ids between do not fold to the proof's head",
        )
        need(
            not proof.between_ids or self._judge(way)[0] == "committee", "a light client judges, and ids stand between"
        )
        return f"{len(proof.between_ids)} ids between claim and proof"

    def proof(self, way: str) -> str:
        """The head stands in the gateway's slot under the header of the claim's block."""
        chain, claim, proof = self._ledger(way), self.receipt[way].claim, self.receipt[way].proof
        need(
            proof.consensus == chain["consensus"],
            f"the ledger's consensus is {chain['consensus']}, not {proof.consensus}",
        )
        if proof.consensus not in ETHEREUM:
            return self._leave(way, f"{proof.consensus}: the proof on this ledger is not checked here, only the quorum")
        header, account, storage = self._evidence(way)
        need(int.from_bytes(header[8], "big") == claim.height, "the header has another height")
        need(block_hash(proof.consensus, header) == claim.block_hash, "the header has another hash")
        state = rlp_decode(opened(header[3], chain["gateway"], account))
        need(isinstance(state, list) and len(state) == 4, "the account has another form")
        need(state[3] == chain["code_hash"], "the gateway runs another code than the anchors say")
        slot = keccak256(claim.lane_id + claim.direction.to_bytes(32, "big"))
        stored = rlp_decode(opened(state[2], slot, storage))
        need(stored == proof.head.lstrip(b"\x00"), "the gateway's slot holds another head")
        return f"{proof.consensus}, block {claim.height}"

    def header(self, way: str) -> str:
        """Who made the header: its validators sealed it."""
        chain, consensus = self._ledger(way), self.receipt[way].proof.consensus
        if consensus not in SEALED:
            return self._leave(way, f"{consensus}: who made the header is not checked here, only the quorum")
        header = self._evidence(way)[0]
        if not any(first <= int.from_bytes(header[8], "big") for first, _ in chain["validators"]):
            return self._leave(way, "the anchors list no validators for this height")
        return sealed(chain, consensus, header, self.receipt[way].validators)

    def quorum(self, way: str) -> str:
        """Enough organisations of the lane's committee signed the claim."""
        kind, committee = self._judge(way)
        told, claim = self.receipt[way].quorum, self.receipt[way].claim
        if kind == "light-client":
            need(told is None, "a light client judges alone, and a quorum is given")
            raise NotAskedError("a light client judges alone")
        if told is None:
            raise Bad("the committee's signatures are missing")
        end = "source" if way == "back" else "destination"
        place = (self.receipt.lane[end], self.receipt.lane[f"{end}_gateway"], committee)
        need(
            (told.chain, told.gateway, told.verifier) == place,
            "the quorum is of another place than the lane's committee",
        )
        group = self.anchors.committees.get((*place, told.epoch))
        if group is None:
            raise Bad(f"epoch {told.epoch} of the committee stands not in the anchors; get those of that time")
        words = (told.chain, self.suite.hash(told.gateway), self.suite.hash(told.verifier), told.epoch)
        said = (claim.lane_id, claim.direction, claim.nonce, claim.head, claim.height, claim.block_hash)
        need(self.suite.of("attestation", *words, *said) == told.digest, "the digest is not the one of the claim")
        accounts = [item.account for item in told.signatures]
        need(len(set(accounts)) == len(accounts), "a member signed twice")
        houses = set()
        for item in told.signatures:
            member = group["members"].get(item.account)
            need(
                member is not None and signed(member, item, told.digest),
                f"0x{item.account.hex()} is no member, or did not sign",
            )
            if not member["struck"]:
                houses.add(member["organisation"])
        need(
            len(houses) >= group["threshold"] > 0,
            f"{len(houses)} organisations signed, {group['threshold']} are needed",
        )
        return f"{len(houses)} organisations, {group['threshold']} needed"

    def leaves(self, way: str) -> str:
        """The log's entries say what the receipt does."""
        claim, proof, told = self.receipt[way].claim, self.receipt[way].proof, self.receipt[way].quorum
        entry = entry_of(proof.leaf, "proved", 9)
        seen = (claim.lane_id, claim.direction, proof.nonce, proof.head, claim.height, claim.block_hash)
        need((*entry[:2], *entry[3:7]) == seen, "the entry `proved` speaks of something else")
        need(tuple(entry[7:]) == (proof.consensus, sha256(proof.evidence)), "the entry `proved` names other evidence")
        if told is None:
            return "proved"
        entry = entry_of(told.leaf, "attested", 12)
        said = (claim.lane_id, claim.direction, claim.nonce, claim.head, claim.height, claim.block_hash)
        place = (told.chain, told.gateway, told.verifier, told.epoch, told.threshold)
        need(tuple(entry[:11]) == (*said, *place), "the entry `attested` speaks of something else")
        signatures = cbor_encode([[item.signer, item.account, item.scheme, item.signature] for item in told.signatures])
        need(entry[11] == sha256(signatures), "the entry `attested` names other signatures")
        return "proved, attested"

    def settled(self) -> str:
        """The source took the outcome over."""
        entry = entry_of(self.receipt.settled, "settled", 5)
        need(entry[0] == self.receipt.lane_id, "the entry `settled` is about another lane")
        need(
            isinstance(entry[1], int) and entry[1] >= self.receipt.message.nonce,
            "the entry `settled` does not reach the message",
        )
        return f"up to nonce {entry[1]}"

    def log(self) -> str:
        """Every entry stands in the tree of the checkpoint."""
        _, size, root = self.checkpoint_parts()
        leaves = self._all_leaves()
        need(len({leaf.index for leaf in leaves}) == len(leaves), "two leaves have one index")
        for leaf in leaves:
            need(leaf.index < size, f"the log has no entry {leaf.index}")
            found = leads(leaf.index, size, sha256(b"\x00" + leaf.entry), leaf.path)
            need(found == root, f"entry {leaf.index} stands not in the checkpoint's tree")
        return f"{len(leaves)} entries among {size}"

    def checkpoint(self) -> str:
        """A key of the anchors signed the checkpoint of the anchors' log, and enough of the anchors' witnesses cosigned it."""
        origin = self.checkpoint_parts()[0]
        need(
            origin == self.anchors.origin,
            f"the checkpoint is of the log {origin!r}, the anchors of {self.anchors.origin!r}",
        )
        message, lines = note_parts(self.receipt.checkpoint)
        trusted = dict(_key(key) for key in self.anchors.keys)
        signers = [key for key, _ in lines]
        need(len(set(signers)) == len(signers), "a key signed the checkpoint twice")
        held = [_note_signed(trusted[key], message, signature) for key, signature in lines if key in trusted]
        need(held, "no key of the anchors signed the checkpoint")
        need(all(held), "a signature of the checkpoint does not hold")
        witnesses = dict(_key(key) for key in self.anchors.witnesses)
        cosigned = {
            witnesses[key] for key, seal in lines if key in witnesses and _cosigned(witnesses[key], message, seal)
        }
        wanted = self.anchors.witness_threshold
        need(
            len(cosigned) >= wanted, f"{len(cosigned)} witnesses cosigned the checkpoint, the anchors ask for {wanted}"
        )
        return f"{origin}, {len(held)} signatures, {len(cosigned)} witnesses"

    def _judge(self, way: str) -> tuple[str, bytes]:
        lane = self.anchors.lanes.get(self.receipt.lane_id)
        if lane is None:
            raise NotAskedError("the lane stands not in the anchors (check ledgers)")
        judge: tuple[str, bytes] = lane[way]
        return judge

    def _ledger(self, way: str) -> Mapping[str, Any]:
        chain = self.anchors.chains.get(self.receipt.lane["destination" if way == "back" else "source"])
        if chain is None:
            raise NotAskedError("the ledger stands not in the anchors (check ledgers)")
        return chain

    def _leave(self, way: str, reason: str) -> str:
        if self._judge(way)[0] == "committee":
            raise NotAskedError(reason)
        raise Bad(f"{reason}; and a light client judges this lane")

    def _evidence(self, way: str) -> tuple[list[Any], list[Any], list[Any]]:
        parts = rlp_decode(self.receipt[way].proof.evidence)
        need(isinstance(parts, list) and len(parts) == 3, "the evidence has another form")
        encoded, account, storage = parts
        need(isinstance(account, list) and isinstance(storage, list), "the evidence has another form")
        return header_of(encoded), account, storage

    def _all_leaves(self) -> list[Part]:
        ways = [self.receipt[way] for way in ("out", "back")]
        quorums = [way.quorum.leaf for way in ways if way.quorum is not None]
        return [*(way.proof.leaf for way in ways), *quorums, self.receipt.settled]

    def checkpoint_parts(self) -> tuple[str, int, bytes]:
        """Origin, size and root of the receipt's checkpoint."""
        lines = note_parts(self.receipt.checkpoint)[0].split("\n")
        need(len(lines) == 4 and not lines[3] and lines[0], "the checkpoint has other lines than origin, size and root")
        need(re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]), "the size of the checkpoint is no number")
        root = _base64(lines[2])
        need(len(root) == 32, "the root of the checkpoint has another length")
        return lines[0], int(lines[1]), root


class NoteJudge:
    """One log note against a receipt and trust anchors; each method is a check of docs/evidence.md, and returns what it found."""

    def __init__(self, note: Part, judge: Judge) -> None:
        self.note, self.judge = note, judge

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Every check behind the form, by its name, in order."""
        for check in (self.ledger, self.proof, self.header, self.consistency):
            yield f"note.{check.__name__}", check

    def ledger(self) -> str:
        """Ledger, gateway, consensus and account are the anchors'."""
        note, chain = self.note, self._chain()
        need(note.gateway == chain["gateway"], "the note is of another gateway")
        need(note.consensus == chain["consensus"], f"the ledger's consensus is {chain['consensus']}")
        need(chain["log_account"], "the anchors do not say which account notes the log")
        need(note.account == chain["log_account"], "the note is another account's")
        need(note.size > 0, "no leaves are noted")
        return f"0x{note.chain.hex()}"

    def proof(self) -> str:
        """The gateway's slots hold size and root."""
        note, chain = self.note, self._chain()
        need(chain["consensus"] in NOTED, f"{chain['consensus']}: what this ledger holds is not checked here")
        header, account, size, root = self._evidence()
        need(int.from_bytes(header[8], "big") == note.height, "the header has another height")
        need(block_hash(chain["consensus"], header) == note.block_hash, "the header has another hash")
        state = rlp_decode(opened(header[3], note.gateway, account))
        need(isinstance(state, list) and len(state) == 4, "the account has another form")
        need(state[3] == chain["code_hash"], "the gateway runs another code than the anchors say")
        need(len(note.account) == 20, "the account is no address")
        first = int.from_bytes(keccak256(note.account.rjust(32, b"\x00") + (16).to_bytes(32, "big")), "big")
        for place, nodes, value in ((first, size, note.size.to_bytes(8, "big")), (first + 1, root, note.root)):
            stored = rlp_decode(opened(state[2], (place % (1 << 256)).to_bytes(32, "big"), nodes))
            need(stored == value.lstrip(b"\x00"), "the gateway holds another note")
        return f"{note.size} leaves at block {note.height}"

    def header(self) -> str:
        """Who made the header: the anchors' validators, or their successors, sealed it."""
        chain = self._chain()
        need(chain["consensus"] in SEALED, f"{chain['consensus']}: who made the header is not checked here")
        return sealed(chain, chain["consensus"], self._evidence()[0], self.note.validators)

    def consistency(self) -> str:
        """The shorter of the two trees is the beginning of the longer."""
        _, size, root = self.judge.checkpoint_parts()
        noted = (self.note.size, self.note.root)
        (older, first), (newer, last) = sorted([noted, (size, root)], key=lambda end: end[0])
        need(older > 0, "an empty log is the beginning of every log")
        need(grows(older, first, newer, last, self.note.consistency), "the ledger was told of another log")
        return f"{older} and {newer} leaves"

    def _chain(self) -> Mapping[str, Any]:
        chain = self.judge.anchors.chains.get(self.note.chain)
        if chain is None:
            raise Bad("the note's ledger stands not in the anchors")
        return chain

    def _evidence(self) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        parts = rlp_decode(self.note.evidence)
        need(isinstance(parts, list) and len(parts) == 4, "the evidence has another form")
        encoded, account, size, root = parts
        need(all(isinstance(part, list) for part in (account, size, root)), "the evidence has another form")
        return header_of(encoded), account, size, root


def grows(older: int, first: bytes, newer: int, last: bytes, path: Sequence[bytes]) -> bool:
    """Whether a tree of `older` leaves is the beginning of one of `newer` (RFC 9162, section 2.1.4.2)."""
    if older == newer:
        return first == last and not path
    rest = [first, *path] if older & (older - 1) == 0 else list(path)
    if not rest:
        return False
    place, end = older - 1, newer - 1
    while place & 1:
        place, end = place >> 1, end >> 1
    small = large = rest[0]
    for sibling in rest[1:]:
        if not end:
            return False
        if place & 1 or place == end:
            small, large = sha256(b"\x01" + sibling + small), sha256(b"\x01" + sibling + large)
            while not place & 1 and place:
                place, end = place >> 1, end >> 1
        else:
            large = sha256(b"\x01" + large + sibling)
        place, end = place >> 1, end >> 1
    return (small, large, end) == (first, last, 0)


def header_of(encoded: Any) -> list[Any]:
    """The items of a header."""
    need(isinstance(encoded, bytes), "the header has another form")
    header = rlp_decode(encoded)
    need(isinstance(header, list) and 15 <= len(header) <= 21, "the header has another form")
    need(all(isinstance(item, bytes) for item in header), "the header has another form")
    found: list[Any] = header
    return found


def sealed(chain: Mapping[str, Any], consensus: str, header: list[Any], changes: Sequence[bytes]) -> str:
    """Judge by whom a header is sealed: the anchors' validators of its height, or those to which `changes` lead from them."""
    height = int.from_bytes(header[8], "big")
    known = [group for group in chain["validators"] if group[0] <= height]
    need(known, "the anchors list no validators for this height")
    first, members = max(known, key=lambda group: group[0])
    before = -1
    for encoded in changes:
        change = header_of(encoded)
        listed, place = seal_parts(consensus, change)[0], int.from_bytes(change[8], "big")
        need(before < place <= height, "the headers of changed validators are not ascending up to the block")
        before = place
        if place <= first:
            continue
        fits = 0 < len(listed) <= 256 and all(len(member) == 20 for member in listed)
        need(fits and sorted(set(listed)) == listed, "a header of changed validators lists no set of them")
        sealers = _sealers(consensus, change, set(listed))
        need(3 * len(sealers & members) > len(members), "too few of the validators before sealed their successors")
        members = set(listed)
    listed = seal_parts(consensus, header)[0]
    need(not listed or set(listed) == members, "the header lists other validators than the anchors lead to")
    return f"sealed by {len(_sealers(consensus, header, members))} of {len(members)}"


def _sealers(consensus: str, header: list[Any], members: set[bytes]) -> set[bytes]:
    """Who of a set sealed a header: two thirds at least, and nobody else."""
    _, digest, seals = seal_parts(consensus, header)
    need(header[7] == b"\x01" and header[13] == MIX_HASH, "the header is none of this family")
    sealers = {_sealer(digest, seal) for seal in seals}
    need(sealers <= members, "somebody sealed who is no validator")
    need(len(sealers) == len(seals), "a validator sealed twice")
    need(3 * len(sealers) >= 2 * len(members) > 0, f"{len(sealers)} of {len(members)} validators sealed: too few")
    return sealers


def block_hash(consensus: str, header: list[Any]) -> bytes:
    """The hash of a block by its header."""
    if consensus not in SEALED:
        return keccak256(rlp_encode(header))
    if consensus == "ibft":
        vanity, extra = header[12][:32], _extra(header[12][32:], 3)
        return _hash_with(header, vanity + rlp_encode([extra[0], extra[1], []]))
    extra = _extra(header[12], 5)
    return _hash_with(header, rlp_encode([*extra[:3], b"", []] if consensus == "qbft" else extra[:3]))


def seal_parts(consensus: str, header: list[Any]) -> tuple[list[bytes], bytes, list[Any]]:
    """The validators that a header lists, the digest that they sealed, and the seals."""
    if consensus == "ibft":
        extra = _extra(header[12][32:], 3)
        return extra[0], keccak256(block_hash(consensus, header) + b"\x02"), extra[2]
    extra = _extra(header[12], 5)
    sealed = [*extra[:4], []] if consensus == "qbft" else extra[:4]
    return extra[1], _hash_with(header, rlp_encode(sealed)), extra[4]


def _extra(data: bytes, items: int) -> list[Any]:
    extra = rlp_decode(data)
    lists = (0, 2) if items == 3 else (1, 4)
    fits = isinstance(extra, list) and len(extra) == items and all(isinstance(extra[place], list) for place in lists)
    need(
        fits and all(isinstance(part, bytes) for place in lists for part in extra[place]),
        "the extra data has another form",
    )
    found: list[Any] = extra
    return found


def _hash_with(header: list[Any], extra: bytes) -> bytes:
    return keccak256(rlp_encode([*header[:12], extra, *header[13:]]))


def _sealer(digest: bytes, seal: bytes) -> bytes:
    need(len(seal) == 65 and seal[64] < 2, "a seal has another form")
    key = recovered(digest, int.from_bytes(seal[:32], "big"), int.from_bytes(seal[32:64], "big"), seal[64])
    return b"" if key is None else keccak256(key)[12:]


def signed(member: Mapping[str, Any], item: Part, digest: bytes) -> bool:
    """Whether a signature over a digest is a member's, by the member's scheme."""
    if member["scheme"] != item.scheme:
        return False
    if item.scheme == "sm2":
        return sm2_holds(member["public_key"], digest, item.signature)
    r, s = int.from_bytes(item.signature[:32], "big"), int.from_bytes(item.signature[32:64], "big")
    if len(item.signature) != 65 or item.signature[64] not in (27, 28) or s > SECP256K1.n // 2:
        return False
    key = recovered(digest, r, s, item.signature[64] - 27)
    return key is not None and (key == member["public_key"] or keccak256(key)[12:] == item.account)


def entry_of(leaf: Part, kind: str, fields: int) -> list[Any]:
    """The fields of a leaf's entry, which is of that kind."""
    entry = cbor_decode(leaf.entry)
    need(isinstance(entry, list) and len(entry) == 3 + fields and entry[0] == kind, f"the entry is none of kind {kind}")
    need(isinstance(entry[1], int) and entry[1] > 0 and isinstance(entry[2], int), "the entry has no number and time")
    found: list[Any] = entry[3:]
    return found


def note_parts(note: str) -> tuple[str, list[tuple[tuple[str, bytes], bytes]]]:
    """A note's text with its last newline, and ((name, key id), signature) of each line (C2SP signed-note)."""
    body, between, tail = note.rpartition("\n\n")
    need(between and tail.endswith("\n") and len(note.encode()) <= 65_536, "the checkpoint is no signed note")
    need(not any(letter < " " and letter != "\n" for letter in note), "the checkpoint has control characters")
    lines = []
    for line in tail[:-1].split("\n"):
        match = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
        if match is None:
            raise Bad("a signature line of the checkpoint has another form")
        data = _base64(match[2])
        need(len(data) > 4, "a signature of the checkpoint is too short")
        lines.append(((match[1], data[:4]), data[4:]))
    need(len(lines) <= 100, "the checkpoint has too many signatures")
    return body + "\n", lines


def _key(told: str) -> tuple[tuple[str, bytes], bytes]:
    parts = told.split("+", 2)
    need(len(parts) == 3, "a key of the anchors is not NAME+ID+BASE64")
    data = _base64(parts[2])
    key_id = sha256(parts[0].encode() + b"\n" + data)[:4]
    need(key_id.hex() == parts[1], "a key of the anchors has another id")
    return (parts[0], key_id), data


def _note_signed(key: bytes, message: str, signature: bytes) -> bool:
    if key.startswith(SM2_KEY):
        return sm2_holds(key[len(SM2_KEY) :], message.encode(), signature)
    need(key[:1] == b"\x01" and len(key) == 33, "a key of the anchors is neither Ed25519 nor SM2")
    try:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message.encode())
    except InvalidSignature:
        return False
    return True


def _cosigned(key: bytes, message: str, seal: bytes) -> bool:
    """Whether a witness cosigned a checkpoint at the time, eight bytes, before its signature (C2SP tlog-cosignature)."""
    need(key[:1] == b"\x04" and len(key) == 33, "a witness of the anchors has no key for cosignatures")
    time = int.from_bytes(seal[:8], "big")
    if len(seal) != 72 or time >> 63:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(seal[8:], f"cosignature/v1\ntime {time}\n{message}".encode())
    except InvalidSignature:
        return False
    return True


def _base64(told: str) -> bytes:
    try:
        data = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        raise Bad("base64 is malformed") from None
    need(base64.b64encode(data).decode() == told, "base64 is not in its one form")
    return data


# The program


@dataclass(frozen=True)
class Finding:
    """What one check found: `holds`, `fails` or `not asked for`, and a sentence."""

    number: int
    name: str
    state: str
    text: str


def verify(content: bytes, anchors: Anchors, log_note: bytes | None = None) -> list[Finding]:
    """Make the checks of docs/evidence.md in order; where the form fails, it is the only one."""
    try:
        receipt = read_receipt(content)
    except Bad as bad:
        return [Finding(1, "format", "fails", str(bad))]
    findings = [Finding(1, "format", "holds", "relayhub/receipt/v1, complete")]
    judge = Judge(receipt, anchors)
    _make(findings, judge.checks())
    if log_note is not None:
        try:
            note = read_note(log_note)
        except Bad as bad:
            return [*findings, Finding(len(findings) + 1, "note.format", "fails", str(bad))]
        findings.append(Finding(len(findings) + 1, "note.format", "holds", "relayhub/log-note/v1"))
        _make(findings, NoteJudge(note, judge).checks())
    return findings


def _make(findings: list[Finding], checks: Iterator[tuple[str, Callable[[], str]]]) -> None:
    for label, check in checks:
        try:
            state, said = "holds", check()
        except NotAskedError as reason:
            state, said = "not asked for", str(reason)
        except Bad as bad:
            state, said = "fails", str(bad)
        findings.append(Finding(len(findings) + 1, label, state, said))


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the receipt that the command line names; 0 where it is good, else 2."""
    parser = argparse.ArgumentParser(description="Verify a receipt of a Relay Hub offline.")
    parser.add_argument("receipt", type=Path, help="the receipt, JSON")
    parser.add_argument(
        "--anchors", type=Path, required=True, help="the trust anchors, TOML, which came by another way"
    )
    parser.add_argument("--log-note", type=Path, help="what a ledger holds of the log, JSON")
    parser.add_argument("--json", action="store_true", help="print JSON")
    told = parser.parse_args(arguments)
    try:
        note = told.log_note.read_bytes() if told.log_note else None
        findings = verify(told.receipt.read_bytes(), read_anchors(told.anchors.read_bytes()), note)
    except (Bad, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    good = all(finding.state != "fails" for finding in findings)
    if told.json:
        checks = [vars(finding) for finding in findings]
        sys.stdout.write(json.dumps({"good": good, "checks": checks}, ensure_ascii=False, indent=2) + "\n")
    else:
        for finding in findings:
            sys.stdout.write(f"{finding.number:>2} {finding.state:<13} {finding.name:<16} {finding.text}\n")
        sys.stdout.write("The receipt is good.\n" if good else "The receipt is NOT good.\n")
    return 0 if good else 2


if __name__ == "__main__":
    raise SystemExit(main())
