"""Receipts and logs under a receipts root, against the trie package."""

from __future__ import annotations

import random

import pytest
import rlp as second
from trie import HexaryTrie

from light_clients import rlp
from light_clients.errors import LightClientError, ProofRefused, ProofValueInvalid
from light_clients.proofs.bloom import bloom_mask
from light_clients.proofs.patricia import EMPTY_ROOT, verify_proof
from light_clients.proofs.receipts import (
    Log,
    LogAbsent,
    Receipt,
    ReceiptAbsent,
    decode_receipt,
    encode_receipt,
    receipts_root,
    verify_log,
    verify_receipt,
)
from light_clients.proofs.trie import trie_root


def bloom_of(logs):
    bloom = 0
    for log in logs:
        for item in (log.address, *log.topics):
            bloom |= bloom_mask(item)
    return bloom.to_bytes(256, "big")


def receipt(number, logs=2, kind=2, outcome=b"\x01"):
    told = tuple(
        Log(bytes((number % 256,)) * 20, (bytes((place,)) * 32,) * place, b"data %d" % place) for place in range(logs)
    )
    return Receipt(kind, outcome, 21_000 * (number + 1), bloom_of(told), told)


def built(receipts):
    package = HexaryTrie({})
    for index, item in enumerate(receipts):
        package[second.encode(index)] = encode_receipt(item)
    return package


def nodes(package, index):
    proof = [second.encode(node) for node in package.get_proof(second.encode(index))]
    return [node for node in proof if node != b"\x80"]


KINDS = (0, 1, 2, 3, 4, 0x7E)
BLOCK = [receipt(number, number % 5, KINDS[number % 6], b"" if number % 7 == 6 else b"\x01") for number in range(140)]
PACKAGE = built(BLOCK)
ROOT = receipts_root([encode_receipt(item) for item in BLOCK])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 16, 17, 127, 128, 129, 140])
def test_roots_of_blocks_are_those_of_the_trie_package(count):
    assert receipts_root([encode_receipt(item) for item in BLOCK[:count]]) == built(BLOCK[:count]).root_hash


@pytest.mark.parametrize("seed", range(30))
def test_roots_of_any_entries_are_those_of_the_trie_package(seed):
    chance = random.Random(seed)
    entries = {
        chance.randbytes(chance.randrange(1, 5)): chance.randbytes(chance.randrange(0, 40))
        for _ in range(chance.randrange(40))
    }
    package = HexaryTrie({})
    for key, value in entries.items():
        package[key] = value
    assert trie_root(entries) == package.root_hash


def test_every_receipt_and_log_of_a_block_is_proved():
    for index, item in enumerate(BLOCK):
        proof = nodes(PACKAGE, index)
        assert verify_receipt(ROOT, index, proof) == item
        assert decode_receipt(encode_receipt(item)) == item
        for position, log in enumerate(item.logs):
            if item.failed:
                with pytest.raises(LogAbsent):
                    verify_log(ROOT, index, position, proof)
            else:
                assert verify_log(ROOT, index, position, proof) == log


def test_a_log_stands_at_its_place_alone():
    for position in (-1, len(BLOCK[4].logs)):
        with pytest.raises(LogAbsent):
            verify_log(ROOT, 4, position, nodes(PACKAGE, 4))
    with pytest.raises(LightClientError):
        verify_receipt(ROOT, 5, nodes(PACKAGE, 4))


def test_a_receipt_that_is_not_there_is_absent():
    with pytest.raises(ReceiptAbsent):
        verify_receipt(ROOT, 140, nodes(PACKAGE, 140))
    with pytest.raises(ReceiptAbsent):
        verify_receipt(EMPTY_ROOT, 0, [])
    with pytest.raises(ReceiptAbsent):
        verify_receipt(ROOT, -1, [])


def test_a_receipt_of_before_byzantium_has_a_state_root():
    old = receipt(1, 1, 0, b"\x05" * 32)
    assert decode_receipt(encode_receipt(old)) == old
    assert not old.failed
    root = receipts_root([encode_receipt(old)])
    assert verify_log(root, 0, 0, nodes(built([old]), 0)) == old.logs[0]


BODY = [b"\x01", b"\x05", bytes(256), []]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x00" + rlp.encode(BODY),
        b"\x80" + rlp.encode(BODY),
        rlp.encode(BODY[:3]),
        rlp.encode([*BODY, b""]),
        rlp.encode([b"\x01", b"\x05", bytes(255), []]),
        rlp.encode([b"\x01", b"\x05", bytes(256), b""]),
        rlp.encode([[], b"\x05", bytes(256), []]),
        rlp.encode([b"\x02", b"\x05", bytes(256), []]),
        rlp.encode([b"\x00", b"\x05", bytes(256), []]),
        b"\x02" + rlp.encode([b"\x05" * 32, b"\x05", bytes(256), []]),
        rlp.encode([b"\x01", b"\x00\x05", bytes(256), []]),
        rlp.encode([b"\x01", b"\x05", b"\x01" + bytes(255), []]),
        rlp.encode([b"\x01", b"\x05", bytes(256), [[b"\x01" * 20, [], b""]]]),
        rlp.encode([b"\x01", b"\x05", bytes(256), [b""]]),
        rlp.encode([b"\x01", b"\x05", bytes(256), [[b"\x01" * 19, [], b""]]]),
        rlp.encode([b"\x01", b"\x05", bytes(256), [[b"\x01" * 20, [bytes(32)] * 5, b""]]]),
        rlp.encode([b"\x01", b"\x05", bytes(256), [[b"\x01" * 20, [bytes(31)], b""]]]),
        rlp.encode([b"\x01", b"\x05", bytes(256), [[b"\x01" * 20, [[]], b""]]]),
    ],
)
def test_what_is_no_receipt_is_refused(data):
    with pytest.raises(LightClientError):
        decode_receipt(data)


@pytest.mark.parametrize("seed", range(400))
def test_spoiled_proofs_show_nothing_else(seed):
    chance = random.Random(seed)
    index = chance.randrange(len(BLOCK))
    proof = nodes(PACKAGE, index)
    place = chance.randrange(len(proof))
    node = bytearray(proof[place])
    node[chance.randrange(len(node))] ^= 1 << chance.randrange(8)
    spoiled = [*proof[:place], bytes(node), *proof[place + 1 :]]
    with pytest.raises(ProofRefused):
        verify_receipt(ROOT, index, spoiled)


def test_an_inlined_leaf_and_the_refusal_of_the_form_have_names():
    small = trie_root({b"\x01\x02": b"a", b"\x01\x03": b"b"})
    package = HexaryTrie({})
    package[b"\x01\x02"], package[b"\x01\x03"] = b"a", b"b"
    proof = [second.encode(node) for node in package.get_proof(b"\x01\x02")]
    kept = [node for node in proof if len(node) >= 32] or proof[:1]
    assert verify_proof(small, b"\x01\x02", kept) == b"a"
    with pytest.raises(ProofValueInvalid):
        decode_receipt(rlp.encode([b"", b"", b"", []]))
