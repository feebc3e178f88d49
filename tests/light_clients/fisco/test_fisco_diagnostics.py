"""What a refusal says: the sentence, what was expected and what was found, for every check of `verify` and of the signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from light_clients import fisco
from light_clients.errors import LightClientError
from light_clients.fisco.codec import encode_bundle
from schemas.primitives import BlockHash, Head
from tests.support.fisco_chain import PIN, FiscoChain, change_sealers, head_of, sealer_key, send

CHAIN = FiscoChain(2)
FIRST = CHAIN.newest
SECOND = CHAIN.mine(send(1), send(2))
THIRD = CHAIN.mine()
STATE = CHAIN.state()
AT_SECOND = CHAIN.state(1)
NOW = CHAIN.now
PERIOD = 14 * 24 * 3600
OTHER_HASH = BlockHash(b"\x01" * 32)
STRANGE = SECOND.with_item(0, OTHER_HASH)
SEALS = SECOND.seals()


def stepped() -> tuple[fisco.FiscoState, bytes]:
    """A state whose newest block adds a sealer, and a header that names another one."""
    chain = FiscoChain(2)
    new = sealer_key("new", "evm")
    block = chain.mine(change_sealers(chain.configuration, "addSealer(string)", new.public))
    state, step = chain.state(-1), block.execution(0, with_transaction=True)
    bundle = chain.mine(steps=[step], sealers=[*chain.sealers, sealer_key("other", "evm")]).bundle()
    return state, bundle


def others() -> bytes:
    chain = FiscoChain(2)
    return chain.mine(sealers=[*chain.sealers[:3], sealer_key("other", "evm")]).bundle()


def header(bundle: bytes, state: fisco.FiscoState = STATE, now: int = NOW) -> Callable[[], object]:
    return lambda: fisco.verify_header(state, bundle, now)


def claim(state: fisco.FiscoState = AT_SECOND, evidence: Any = None, proved: Head | None = None, **changes: Any) -> Any:
    brought = evidence or SECOND.evidence(0)
    return lambda: fisco.verify_claim(state, replace(SECOND.claim(1), **changes), brought, PIN, proved)


STEP_STATE, STEP_BUNDLE = stepped()
CASES: list[tuple[Callable[[], object], str, Any, Any]] = [
    (
        lambda: fisco.bootstrap(FIRST.bundle(), OTHER_HASH, CHAIN.configuration),
        "The header is not the pinned one.",
        OTHER_HASH,
        FIRST.hash,
    ),
    (
        lambda: fisco.bootstrap(FIRST.with_item(6, b"").bundle(), FIRST.with_item(6, b"").hash, CHAIN.configuration),
        "The first block is signed by nobody; pin one above it.",
        None,
        0,
    ),
    (header(SECOND.bundle(), STATE.freeze()), "The light client is frozen.", None, 1),
    (
        header(SECOND.bundle(), now=FIRST.timestamp + PERIOD),
        "The trusting period of the light client is over.",
        FIRST.timestamp + PERIOD,
        FIRST.timestamp + PERIOD,
    ),
    (
        header(SECOND.bundle(), now=SECOND.timestamp - 16),
        "The header is ahead of our clock.",
        SECOND.timestamp - 16,
        SECOND.timestamp,
    ),
    (header(THIRD.bundle()), "Headers are missing.", 2, 3),
    (header(FIRST.bundle()), "The height was accepted already.", 2, 1),
    (header(STRANGE.bundle()), "The parent is another one.", FIRST.hash, OTHER_HASH),
    (
        header(others()),
        "The sealers are not the trusted ones; bring the calls that changed them, or pin a newer header.",
        4,
        4,
    ),
    (header(STEP_BUNDLE, STEP_STATE), "The proved changes lead to other sealers.", 5, None),
    (header(SECOND.bundle([0, 1])), "Too few votes of sealers signed the block.", 3, 2),
    (header(SECOND.bundle([0, 1, 2, 3, 3])), "There are more signatures than sealers.", 4, 5),
    (
        header(encode_bundle(SECOND.header, [*SEALS[:2], (4, SEALS[2][1])])),
        "A signature is by no sealer of the list.",
        4,
        4,
    ),
    (header(SECOND.bundle([0, 1, 1])), "A sealer signed twice.", None, 1),
    (
        header(encode_bundle(SECOND.header, [(3, SEALS[0][1])])),
        "A signature is not by the sealer that it names.",
        CHAIN.sealers[3].public,
        3,
    ),
    (claim(AT_SECOND.freeze()), "The light client is frozen.", None, 2),
    (claim(height=3), "The header is not accepted yet.", 3, 2),
    (claim(CHAIN.state(2)), "The height is no longer kept.", 3, 2),
    (claim(block_hash=OTHER_HASH), "Another block was accepted.", SECOND.hash, OTHER_HASH),
    (claim(evidence=replace(SECOND.evidence(0), header=THIRD.bundle())), "The header has another height.", 2, 3),
    (
        claim(evidence=replace(SECOND.evidence(0), header=STRANGE.bundle())),
        "The header is another.",
        SECOND.hash,
        STRANGE.hash,
    ),
    (claim(head=head_of(2)), "The gateway tells another head.", head_of(2), head_of(1)),
    (claim(nonce=2, head=head_of(1)), "The head is of another number of entries.", 2, 1),
    (claim(proved=head_of(7)), "The gateway tells another head.", head_of(7), head_of(1)),
]


@pytest.mark.parametrize(("act", "message", "expected", "found"), CASES, ids=[case[1] for case in CASES])
def test_what_a_refusal_says(act: Callable[[], object], message: str, expected: Any, found: Any) -> None:
    with pytest.raises(LightClientError) as caught:
        act()
    error = caught.value
    assert (error.message, error.expected, error.found) == (message, expected, found)


def test_what_an_accusation_says() -> None:
    twin = FiscoChain(2).propose(send(9))
    found = fisco.find_misbehaviour(STATE, SECOND.bundle(), twin.bundle())
    assert found is not None
    assert found.message == "Two blocks of height 2 have a quorum."


def test_a_claim_at_the_newest_and_at_the_oldest_height() -> None:
    state = fisco.apply(AT_SECOND, fisco.verify_header(AT_SECOND, THIRD.bundle(), NOW))
    assert (state.oldest_height, state.height) == (2, 3)
    fisco.verify_claim(state, SECOND.claim(2), SECOND.evidence(1), PIN)
