"""SSZ against remerkleable, and every refusal of its reader."""

import random
from hashlib import sha256

import pytest
from remerkleable.basic import uint64
from remerkleable.bitfields import Bitvector as TheirBits
from remerkleable.byte_arrays import ByteList as TheirByteList
from remerkleable.byte_arrays import ByteVector as TheirBytes
from remerkleable.complex import Container as TheirContainer
from remerkleable.complex import List as TheirList
from remerkleable.complex import Vector as TheirVector

from light_clients import ssz

PAIR = ssz.Container((("left", ssz.Uint(8)), ("right", ssz.ByteVector(48))))
ALL = ssz.Container(
    (
        ("number", ssz.Uint(8)),
        ("data", ssz.ByteList(100)),
        ("pairs", ssz.ListOf(PAIR, 5)),
        ("roots", ssz.Vector(ssz.ByteVector(32), 3)),
        ("bits", ssz.Bitvector(13)),
    )
)


class TheirPair(TheirContainer):
    left: uint64
    right: TheirBytes[48]


class TheirAll(TheirContainer):
    number: uint64
    data: TheirByteList[100]
    pairs: TheirList[TheirPair, 5]
    roots: TheirVector[TheirBytes[32], 3]
    bits: TheirBits[13]


def drawn(chance):
    return (
        chance.randrange(2**64),
        chance.randbytes(chance.randrange(101)),
        tuple((chance.randrange(2**64), chance.randbytes(48)) for _ in range(chance.randrange(6))),
        tuple(chance.randbytes(32) for _ in range(3)),
        chance.randrange(2**13).to_bytes(2, "little"),
    )


@pytest.mark.parametrize("seed", range(40))
def test_encoding_and_root_are_those_of_remerkleable(seed):
    value = drawn(random.Random(seed))
    encoded = ALL.encode(value)
    theirs = TheirAll.decode_bytes(encoded)
    assert theirs.encode_bytes() == encoded
    assert bytes(theirs.hash_tree_root()) == ALL.root(value)
    assert ALL.decode(encoded) == value


@pytest.mark.parametrize("seed", range(300))
def test_spoiled_bytes_are_refused_or_are_the_encoding_of_another_value(seed):
    chance = random.Random(seed)
    encoded = bytearray(ALL.encode(drawn(chance)))
    for _ in range(chance.randrange(1, 4)):
        encoded[chance.randrange(len(encoded))] ^= 1 << chance.randrange(8)
    data = bytes(encoded[: chance.choice((len(encoded), chance.randrange(len(encoded))))])
    try:
        value = ALL.decode(data)
    except ssz.SszRefused:
        return
    assert ALL.encode(value) == data
    assert bytes(TheirAll.decode_bytes(data).hash_tree_root()) == ALL.root(value)


GOOD = ALL.encode((1, b"abc", ((2, bytes(48)),), (bytes(32),) * 3, b"\xff\x1f"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:60],
        GOOD + b"\x00",
        GOOD[:8] + b"\x73" + GOOD[9:],
        GOOD[:12] + b"\x01" + GOOD[13:],
        GOOD[:12] + b"\xff" + GOOD[13:],
        GOOD[:113] + b"\x20" + GOOD[114:],
        GOOD + bytes(56 * 5),
    ],
)
def test_what_is_no_encoding_is_refused(data):
    with pytest.raises(ssz.SszRefused):
        ALL.decode(data)


def test_limits_and_sizes_hold():
    with pytest.raises(ssz.SszRefused):
        ssz.ByteList(3).decode(b"abcd")
    with pytest.raises(ssz.SszRefused):
        ssz.ListOf(PAIR, 1).decode(bytes(112))
    with pytest.raises(ssz.SszRefused):
        PAIR.decode(bytes(57))
    assert (PAIR.fixed_size, ALL.fixed_size, ssz.ByteList(3).fixed_size, ssz.ListOf(PAIR, 1).fixed_size) == (
        56,
        None,
        None,
        None,
    )
    with pytest.raises(AssertionError):
        ssz.ListOf(ssz.ByteList(3), 1).decode(b"")


def test_roots_of_nothing_and_of_one_chunk():
    assert ssz.merkle_root([]) == bytes(32)
    assert ssz.merkle_root([b"\x01" * 32]) == b"\x01" * 32
    assert ssz.merkle_root([b"\x01" * 32], 2) == sha256(b"\x01" * 32 + bytes(32)).digest()


def test_a_branch_leads_to_the_root():
    left, right = b"\x01" * 32, b"\x02" * 32
    root = sha256(left + right).digest()
    assert ssz.branch_root(left, (right,), 2) == root
    assert ssz.branch_root(right, (left,), 3) == root
    assert ssz.branch_root(root, (), 1) == root
