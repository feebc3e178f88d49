"""Following a chain by skipping heights (CometBFT `light/client.go`, verifySkipping; `light/detector.go`).

The functions here fetch nothing: a provider is a function of the caller's that answers with a bundle. Where trust does not reach
the wanted height, a height in between is verified first, until it does; next to the accepted header it always reaches.
"""

from __future__ import annotations

from collections.abc import Callable

from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.errors import CommitMismatch, NotEnoughTrust
from light_clients.cometbft.types import CometbftState
from light_clients.cometbft.verify import apply, verify_header
from light_clients.errors import HeaderBehind, Misbehaviour

Provider = Callable[[int, int], bytes]
"""Answers with the bundle of a height (first argument), its trusted validators being those of the block after a trusted height
(second argument)."""


def follow(state: CometbftState, height: int, provider: Provider, now: int) -> CometbftState:
    """Follows a chain up to a height, over as few headers as trust allows.

    Args:
        state: What is trusted.
        height: The wanted height, above the accepted one.
        provider: Answers with bundles. What it raises is not caught.
        now: Unix seconds.

    Returns:
        The state at that height. It keeps the headers in between too.

    Raises:
        HeaderBehind: The height was accepted already.
        LightClientError: A header is not accepted, as `verify_header` says; never `NotEnoughTrust`.
    """
    if height <= state.height:
        raise HeaderBehind("The height was accepted already.", expected=state.height + 1, found=height)
    wanted = [height]
    # Each pivot is strictly between the accepted height and the one before it on the list, so the list ends.
    while wanted:
        bundle = provider(wanted[-1], state.height)
        found = read_bundle(bundle).header.height
        if found != wanted[-1]:
            raise CommitMismatch("The provider answered with another height.", expected=wanted[-1], found=found)
        try:
            verified = verify_header(state, bundle, now)
        except NotEnoughTrust as error:
            wanted.append(error.pivot_height)
            continue
        state = apply(state, verified)
        wanted.pop()
    return state


def compare_with_witness(state: CometbftState, height: int, primary: Provider, witness: Provider, now: int) -> None:
    """Asks a second provider for what a first one showed.

    Args:
        state: What was trusted before either was asked.
        height: The height that was followed to.
        primary: The first provider.
        witness: The second one.
        now: Unix seconds.

    Raises:
        Misbehaviour: Both show a chain that is signed as it must be, and the chains differ; names the lowest height at which
            both showed a block.
        LightClientError: One of them shows a header that is not accepted.
    """
    shown: tuple[dict[int, bytes], dict[int, bytes]] = ({}, {})
    first, second = (
        follow(state, height, _remembering(provider, bundles), now)
        for provider, bundles in zip((primary, witness), shown, strict=True)
    )
    for anchor in first.anchors:
        other = second.anchor_at(anchor.height)
        if anchor.height > state.height and other is not None and other.block_hash != anchor.block_hash:
            raise Misbehaviour(
                f"Two providers show two signed blocks of height {anchor.height}.",
                height=anchor.height,
                evidence=(shown[0][anchor.height], shown[1][anchor.height]),
            )


def _remembering(provider: Provider, bundles: dict[int, bytes]) -> Provider:
    def answer(height: int, trusted_height: int) -> bytes:
        bundles[height] = provider(height, trusted_height)
        return bundles[height]

    return answer
