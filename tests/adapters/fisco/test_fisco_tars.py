"""The Tars codec against the specification's forms, against a real transaction, and against what is no Tars."""

import random

import pytest

from adapters.fisco.tars import TarsRefused, decode, encode

REAL = bytes.fromhex(
    "1a1c2606636861696e30360667726f7570304101fd562831343230303535313832363235373935303133363132373836353832393033393938343232"
    "343237662a3078303130326538623666633863646639363236666464633163336561386331653739623366636539347d0000644ed3885e0000000000"
    "000000000000000000000000000000000000000000000000000020000000000000000000000000000000000000000000000000000000000000000474"
    "657374000000000000000000000000000000000000000000000000000000000b2d00002082b0283ac2793fb68be2f2f79056251664093500a57313e3"
    "adad74d852cb32e53d000041cb1d9cc1e3b87ec4afa9ccf680ce11cad980056b63a58641dff78c84a6e7c6a41f3480b0cfa1a9a5107f4a0bf2ccffab"
    "eb1a550d66a1a754e9aba6b266cde7da00"
)
"""A signed transaction of FISCO BCOS 3.x, version 0, out of the tests of the project's own Java SDK (transaction decoding)."""


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({1: 0}, "1c"),
        ({1: 1}, "1001"),
        ({1: -1}, "10ff"),
        ({1: 127}, "107f"),
        ({1: 128}, "110080"),
        ({1: -128}, "1080"),
        ({1: -129}, "11ff7f"),
        ({1: 1 << 15}, "1200008000"),
        ({1: 1 << 31}, "130000000080000000"),
        ({1: (1 << 63) - 1}, "137fffffffffffffff"),
        ({14: 1}, "e001"),
        ({15: 1}, "f00f01"),
        ({255: 1}, "f0ff01"),
        ({2: ""}, "2600"),
        ({2: "ab"}, "26026162"),
        ({2: "x" * 256}, "2700000100" + "78" * 256),
        ({3: b""}, "3d000c"),
        ({3: b"\x07"}, "3d00000107"),
        ({3: b"\x07" * 200}, "3d000100c8" + "07" * 200),
        ({4: {1: 5}}, "4a10050b"),
        ({1: 2, 3: "a"}, "1002360161"),
    ],
)
def test_each_form_is_that_of_the_specification(value, encoded):
    assert encode(value).hex() == encoded
    assert decode(bytes.fromhex(encoded)) == value


def test_a_real_transaction_is_read_and_written_to_the_byte():
    fields = decode(REAL)
    assert (fields[1][2], fields[1][3], fields[1][4]) == ("chain0", "group0", 509)
    assert encode(fields) == REAL


@pytest.mark.parametrize(
    "encoded",
    [
        "11",  # breaks off in a value
        "2605ab",  # breaks off in a text
        "4a1005",  # a structure without an end
        "0b",  # an end without a structure
        "2001" + "1001",  # tags descend
        "1001" + "1001",  # a tag twice
        "18",  # a map, which no transaction has
        "19",  # a list of other things than bytes
        "3d060161",  # a simple list of texts
        "3d0000ff",  # a negative length
        "2601ff",  # no UTF-8
        "f0",  # a long tag that breaks off
        "1a" * 40,  # structures without end in each other
    ],
)
def test_what_is_no_tars_of_a_transaction_is_refused(encoded):
    with pytest.raises(TarsRefused):
        decode(bytes.fromhex(encoded))


def test_changed_bytes_are_read_or_refused_and_nothing_else():
    source = random.Random(6)
    for _ in range(2_000):
        changed = bytearray(REAL)
        for _ in range(source.randint(1, 4)):
            changed[source.randrange(len(changed))] = source.randrange(256)
        try:
            decode(bytes(changed[: source.randint(1, len(changed))]))
        except TarsRefused:
            continue


def test_too_large_integers_are_refused():
    with pytest.raises(ValueError, match="64 bits"):
        encode({1: 1 << 63})
