"""What each refusal of `verify` tells a person: the sentence, what the rule asks for, what was found."""

import hashlib
from dataclasses import replace

import pytest

from light_clients import errors, fabric
from light_clients.fabric import errors as own
from schemas.primitives import BlockHash, Head
from tests.support import fabric_chain as f

NETWORK = f.Network("etcdraft")
SCENE = f.scene(NETWORK)
CHAIN, STATE = SCENE.chain, SCENE.chain.followed()
NEXT = CHAIN.next(f.moving(NETWORK, b"\1" * 32))
OTHER = hashlib.sha256(b"other").digest()
NOW = f.START + 100
OPTIONS = fabric.FabricConfiguration(f.CHANNEL)


def header(block, state=STATE, now=NOW):
    return lambda: fabric.verify_header(state, CHAIN.signed(block), now)


def claim(claim=None, evidence=None, state=STATE, **options):
    return lambda: fabric.verify_claim(
        state, claim or SCENE.claim(), evidence or SCENE.evidence(), SCENE.pin(), **options
    )


def shown(value):
    return "0x" + value.hex()


FIRST = CHAIN.blocks[0]
DATA_HASH = hashlib.sha256(b"".join(NEXT.envelopes)).digest()
MOVED = CHAIN.blocks[1]
LATER = CHAIN.blocks[3]
STRANGE = f.Block(3, CHAIN.blocks[2].hash, (b"other envelopes",))

CASES = [
    (
        lambda: fabric.bootstrap(FIRST.signed(), BlockHash(OTHER), OPTIONS),
        errors.PinMismatch,
        "The block is not the pinned one.",
        shown(OTHER),
        shown(FIRST.hash),
    ),
    (
        lambda: fabric.bootstrap(NEXT.signed(), NEXT.hash, OPTIONS),
        errors.ConfigurationInvalid,
        "The pinned block brings no configuration; pin one that does.",
        None,
        4,
    ),
    (header(NEXT, STATE.freeze()), errors.ClientFrozen, "The light client is frozen.", None, 3),
    (
        header(NEXT, now=STATE.expires_at),
        errors.ClientExpired,
        "The trusting period of the light client is over.",
        STATE.expires_at,
        STATE.expires_at,
    ),
    (header(replace(NEXT, number=5)), errors.HeaderGap, "Blocks are missing.", 4, 5),
    (header(LATER), errors.HeaderBehind, "This number was accepted already.", 4, 3),
    (
        header(replace(NEXT, previous_hash=OTHER)),
        errors.ParentMismatch,
        "The parent is another one.",
        shown(LATER.hash),
        shown(OTHER),
    ),
    (
        header(replace(NEXT, data_hash=OTHER)),
        own.DataHashMismatch,
        "The envelopes have another hash.",
        shown(OTHER),
        shown(DATA_HASH),
    ),
    (header(replace(NEXT, last_config=2)), own.LastConfigMismatch, "Another configuration is in force.", 0, 2),
    (claim(state=STATE.freeze()), errors.ClientFrozen, "The light client is frozen.", None, 3),
    (
        claim(replace(SCENE.claim(), height=4)),
        errors.HeightNotReached,
        "The block is not accepted yet.",
        4,
        3,
    ),
    (
        claim(state=replace(STATE, recent=STATE.recent[-2:])),
        errors.HeightNotRetained,
        "The height is no longer kept.",
        2,
        1,
    ),
    (
        claim(SCENE.claim(block_hash=BlockHash(OTHER))),
        errors.ClaimBlockMismatch,
        "Another block is accepted.",
        shown(MOVED.hash),
        shown(OTHER),
    ),
    (
        claim(evidence=SCENE.evidence(links=(b"",) * 100_001)),
        errors.ClaimMalformed,
        "Too many headers lie between; prove a newer head.",
        100_000,
        None,
    ),
    (
        claim(SCENE.claim(3)),
        errors.ClaimHeightMismatch,
        "The headers lead to another height.",
        3,
        1,
    ),
    (
        claim(SCENE.claim(3), SCENE.evidence(3, links=CHAIN.links(1, 3)[::-1])),
        own.HeaderLinkMismatch,
        "A header does not follow the one before it.",
        2,
        3,
    ),
    (
        claim(SCENE.claim(3), SCENE.evidence(3, links=(CHAIN.links(1, 2)[0], STRANGE.fields))),
        errors.ClaimBlockMismatch,
        "The headers lead to another block.",
        shown(LATER.hash),
        shown(STRANGE.hash),
    ),
    (
        claim(evidence=SCENE.evidence(read=f.reading(NETWORK, SCENE.head, (2, 1)))),
        own.AttestationMismatch,
        "Another transaction wrote the key.",
        2,
        1,
    ),
    (
        claim(SCENE.claim(head=Head(OTHER)), SCENE.evidence(read=f.reading(NETWORK, OTHER, (1, 1)))),
        own.AttestationMismatch,
        "The transaction wrote another head than peers read.",
        shown(OTHER),
        shown(SCENE.head),
    ),
    (
        claim(proved_head=Head(OTHER)),
        errors.HeadMismatch,
        "The gateway holds another head.",
        shown(OTHER),
        shown(SCENE.head),
    ),
]


@pytest.mark.parametrize(("judge", "error", "message", "expected", "found"), CASES)
def test_a_refusal_tells_what_is_wrong(judge, error, message, expected, found):
    with pytest.raises(error) as caught:
        judge()
    told = caught.value.diagnostics()
    assert told["error"] == error.__name__
    assert (told["message"], told.get("expected"), told.get("found")) == (message, expected, found)
