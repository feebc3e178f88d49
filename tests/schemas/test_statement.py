"""Statements of operators: every field is in the digest, no text steers a terminal, and what does not differ is no contradiction."""

from dataclasses import replace

import pytest

from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Bytes32, ChainWord, Head, LaneId, SchemaError
from schemas.statement import CODE_MAX, TEXT_MAX, Contradiction, Statement, check_statement, statement_digest

CLAIM = Claim(LaneId(b"\x01" * 32), Direction.OUTBOX, 7, Head(b"\x02" * 32), 90, BlockHash(b"\x03" * 32))
DISPUTE = Contradiction(CLAIM, BlockHash(b"\x04" * 32), 7, Bytes32(b"\x05" * 32))
PLAIN = Statement(
    ChainWord(b"\x06" * 32), "client_frozen", "it is frozen — 冻结", 88, 1_700_000_000_000, b"\x07" * 20, b""
)
DISPUTING = replace(PLAIN, contradiction=DISPUTE)

CHANGES = {
    "chain": ChainWord(b"\x16" * 32),
    "code": "client_expired",
    "text": "it is expired",
    "height": 89,
    "at": 1_700_000_000_001,
    "signer": b"\x17" * 20,
}
OF_CLAIM = {
    "lane_id": LaneId(b"\x11" * 32),
    "direction": Direction.OUTCOMES,
    "nonce": 8,
    "head": Head(b"\x12" * 32),
    "height": 91,
    "block_hash": BlockHash(b"\x13" * 32),
}
OF_DISPUTE = {"own_block_hash": BlockHash(b"\x14" * 32), "own_nonce": 6, "own_head": Bytes32(b"\x15" * 32)}


def test_every_field_is_in_the_digest_but_the_signature():
    others = [replace(DISPUTING, **{name: value}) for name, value in CHANGES.items()]
    others += [
        replace(PLAIN, contradiction=replace(DISPUTE, claim=replace(CLAIM, **{name: value})))
        for name, value in OF_CLAIM.items()
    ]
    others += [replace(PLAIN, contradiction=replace(DISPUTE, **{name: value})) for name, value in OF_DISPUTE.items()]
    digests = [bytes(statement_digest(item)) for item in (PLAIN, DISPUTING, *others)]
    assert len(set(digests)) == len(digests) == 2 + len(CHANGES) + len(OF_CLAIM) + len(OF_DISPUTE)
    assert statement_digest(replace(PLAIN, signature=b"\x09" * 65)) == statement_digest(PLAIN)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"signer": b""}, "signer"),
        ({"height": -1}, "height"),
        ({"height": 1 << 64}, "height"),
        ({"at": -1}, "at"),
        ({"code": ""}, "code"),
        ({"code": "c" * (CODE_MAX + 1)}, "code"),
        ({"code": "冻结"}, "code"),
        ({"code": "not a word"}, "code"),
        ({"text": "t" * (TEXT_MAX + 1)}, "text"),
        ({"text": "\x1b[2J"}, "text"),
        ({"text": "two\nlines"}, "text"),
        ({"text": "turned \u202e round"}, "text"),
        ({"contradiction": replace(DISPUTE, own_nonce=-1)}, "own_nonce"),
        ({"contradiction": replace(DISPUTE, claim=replace(CLAIM, nonce=0))}, "nonce"),
    ],
)
def test_what_is_out_of_its_range_is_refused(changes, match):
    with pytest.raises(SchemaError, match=match):
        check_statement(replace(PLAIN, **changes))
    with pytest.raises(SchemaError, match=match):
        statement_digest(replace(PLAIN, **changes))


@pytest.mark.parametrize("changes", [{"text": ""}, {"text": "t" * TEXT_MAX}, {"code": "c" * CODE_MAX}, {"height": 0}])
def test_the_ends_of_the_ranges_are_taken(changes):
    check_statement(replace(PLAIN, **changes))


@pytest.mark.parametrize(
    ("own", "differs"),
    [
        ({"own_block_hash": CLAIM.block_hash, "own_head": Bytes32(CLAIM.head)}, False),
        ({"own_block_hash": CLAIM.block_hash, "own_head": Bytes32(bytes(32))}, False),
        ({"own_block_hash": CLAIM.block_hash, "own_head": Bytes32(b"\x05" * 32)}, True),
        ({"own_block_hash": CLAIM.block_hash, "own_head": Bytes32(CLAIM.head), "own_nonce": 6}, True),
        ({"own_head": Bytes32(CLAIM.head)}, True),
    ],
)
def test_two_sides_that_say_the_same_contradict_nothing(own, differs):
    assert replace(DISPUTE, **own).differs() is differs
