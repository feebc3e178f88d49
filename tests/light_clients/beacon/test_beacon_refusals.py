"""What every refusal of the beacon chain's judge says: its name, sentence, and the values it compares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from light_clients import beacon
from light_clients.beacon.types import SyncCommittee
from light_clients.errors import LightClientError
from schemas.primitives import BlockHash
from tests.support.beacon_chain import ALL, PIN, BeaconChain

CHAIN = BeaconChain()
START = CHAIN.trusted(16)
KNOWS = CHAIN.advance(START, CHAIN.update(40, 24), 41)
LATER = CHAIN.advance(KNOWS, CHAIN.update(90, 72), 91)
OLD = BeaconChain((0, 0, 0))


def header(state, bundle, slot=41):
    return beacon.verify_header(state, bundle, CHAIN.now(slot))


def claim(state=START, evidence=b"", **change):
    return beacon.verify_claim(state, replace(CHAIN.claim(16), **change), CHAIN.world.evidence(evidence), PIN)


def bootstrap(place, value):
    parts = list(CHAIN.bootstrap_value(16))
    parts[place] = value
    return beacon.bootstrap(CHAIN.bundle("bootstrap", tuple(parts)), CHAIN.root(16), CHAIN.configuration)


def changed(place, value):
    parts = list(CHAIN.update_value(40, 24))
    parts[place] = value
    return CHAIN.bundle("update", tuple(parts))


CASES = {
    "a bootstrap of another kind": lambda: beacon.bootstrap(CHAIN.update(40, 24), CHAIN.root(16), CHAIN.configuration),
    "another pin": lambda: beacon.bootstrap(CHAIN.bootstrap(16), CHAIN.root(24), CHAIN.configuration),
    "another first committee": lambda: bootstrap(1, CHAIN.committee(1)),
    "frozen": lambda: header(START.freeze(), CHAIN.update(40, 24)),
    "expired": lambda: beacon.verify_header(START, CHAIN.update(40, 24), START.expires_at),
    "a bootstrap as an update": lambda: header(START, CHAIN.bootstrap(16)),
    "no finality": lambda: header(START, CHAIN.optimistic_update(40)),
    "slots": lambda: header(START, CHAIN.update(40, 24, 40)),
    "ahead": lambda: header(START, CHAIN.update(40, 24), 40),
    "a period ahead": lambda: header(START, CHAIN.update(64, 48), 65),
    "a period behind": lambda: header(LATER, CHAIN.update(56, 40), 91),
    "nothing new": lambda: header(KNOWS, CHAIN.update(41, 24), 42),
    "too few": lambda: header(START, CHAIN.update(40, 24, signers=ALL[:21])),
    "another finalized block": lambda: header(START, changed(3, CHAIN.header(32))),
    "a first block that is not empty": lambda: header(
        START, changed(3, ((0, 1, *CHAIN.empty()[0][2:]), *CHAIN.empty()[1:]))
    ),
    "a twin of a finalized block": lambda: header(START, CHAIN.update(40, 16, salt=1)),
    "another next committee than known": lambda: header(
        replace(KNOWS, following=SyncCommittee(bytes(48 * 33))), CHAIN.update(50, 32), 51
    ),
    "another next committee than in the state": lambda: header(START, changed(1, CHAIN.committee(2))),
    "another signature": lambda: header(START, changed(5, (b"\xff" * 4, b"\xc0" + bytes(95)))),
    "a claim with a header": lambda: claim(evidence=b"\x01"),
    "a claim of a frozen client": lambda: claim(START.freeze()),
    "a claim ahead": lambda: claim(height=17),
    "a claim at no finalized header": lambda: claim(KNOWS, height=17),
    "a claim at another block": lambda: claim(block_hash=BlockHash(b"\x01" * 32)),
    "a claim before Capella": lambda: beacon.verify_claim(
        OLD.trusted(16), replace(OLD.claim(16), block_hash=OLD.root(16)), OLD.world.evidence(), PIN
    ),
}

TOLD = {
    "a bootstrap of another kind": (
        "BundleInvalid",
        "A client begins with a bundle of the kind bootstrap.",
        None,
        None,
    ),
    "another pin": (
        "PinMismatch",
        "The header is not the pinned beacon block.",
        "72332650ae18a32f46abe911d90fd87d97fb2967f7f060f82c52e135dadeb586",
        "4e9da880116ef1f3d137b583723e69b2fc6be87fa6ddd1b55964e92feaf697cb",
    ),
    "another first committee": (
        "CommitteeBranchInvalid",
        "The committee is not the one of the pinned block's state.",
        None,
        "72f7fc81617c54821d106be38bdee3817e2246221f58a42d309d892a9e175e20",
    ),
    "frozen": ("ClientFrozen", "The light client is frozen.", None, 16),
    "expired": ("ClientExpired", "The newest finalized header is too old.", 1700864096, 1700864096),
    "a bootstrap as an update": ("BundleInvalid", "A bootstrap is not signed and updates nothing.", None, None),
    "no finality": (
        "HeaderUnconfirmed",
        "The update shows no finalized header; send it once there is one.",
        None,
        None,
    ),
    "slots": ("SlotOrderInvalid", "The slots are not in order.", 40, 40),
    "ahead": ("TimestampAhead", "The signature is ahead of our clock.", 1700000240, 1700000246),
    "a period ahead": ("HeaderGap", "The committee of this period is not known yet.", 0, 1),
    "a period behind": ("HeaderBehind", "The update was signed in an earlier period.", 1, 0),
    "nothing new": ("HeaderBehind", "The update brings nothing new.", 24, 24),
    "too few": ("SealsTooFew", "Less than two thirds of the sync committee signed.", 22, 21),
    "another finalized block": (
        "FinalityBranchInvalid",
        "The finalized header is not the one of the attested state.",
        None,
        "05ae1d03ed78f439ec4d6d0b2fdba97513215efe6d31ab593e4af807738f5aac",
    ),
    "a first block that is not empty": ("FinalityBranchInvalid", "A finalized header of slot 0 is empty.", None, None),
    "a twin of a finalized block": (
        "FinalizedConflict",
        "Another block of this slot was accepted; give both to find_misbehaviour.",
        None,
        None,
    ),
    "another next committee than known": (
        "CommitteeMismatch",
        "The next committee is another one than the one that was shown before.",
        None,
        None,
    ),
    "another next committee than in the state": (
        "CommitteeBranchInvalid",
        "The next committee is not the one of the attested state.",
        None,
        "6f1659407599e76dc7512316edaa6e54d878e83fbfd9d752b187975ca6863d98",
    ),
    "another signature": (
        "SyncSignatureInvalid",
        "The members that the bits name did not sign this header.",
        None,
        "c00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ),
    "a claim with a header": (
        "ClaimMalformed",
        "Evidence for the beacon chain has an empty header: the state knows the roots.",
        None,
        None,
    ),
    "a claim of a frozen client": ("ClientFrozen", "The light client is frozen.", None, 16),
    "a claim ahead": ("HeightNotReached", "The block is not final yet.", 17, 16),
    "a claim at no finalized header": (
        "HeightNotRetained",
        "No finalized header of the window shows this block.",
        24,
        17,
    ),
    "a claim at another block": (
        "ClaimBlockMismatch",
        "Another block is final.",
        "4f543bebfb49bacd7b2cf5c2cc62c792efbf908ed38f92a059445747d25f4a74",
        "0101010101010101010101010101010101010101010101010101010101010101",
    ),
    "a claim before Capella": ("ExecutionAbsent", "A header before Capella shows no execution block.", None, 16),
}


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_says_what_is_wrong(case):
    with pytest.raises(LightClientError) as caught:
        CASES[case]()
    error = caught.value
    assert (error.name, error.message, plain(error.expected), plain(error.found)) == TOLD[case]
