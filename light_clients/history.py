"""The history of a lane as a list of heads (the hub's protocol, section The lane digest).

A storage proof shows one head; the entries that an endpoint brings must fold to it. A prefix claim names an earlier head of
the same history, and its number of entries is counted here, never taken from a proof.
"""

from __future__ import annotations

from collections.abc import Sequence

from light_clients.errors import HeadNotInHistory, HistoryMismatch
from schemas.claim import Claim
from schemas.primitives import Head
from schemas.suites import Suite


def fold_history(suite: Suite, start_head: Head, entry_ids: Sequence[bytes]) -> list[Head]:
    """Folds entries one by one.

    Args:
        suite: Fixes the hash of the lane.
        start_head: The head before the first of the entries.
        entry_ids: Message or outcome ids in order, 32 bytes each.

    Returns:
        The head after each entry; as many as there are entries.

    Raises:
        HistoryMismatch: An id is not 32 bytes.
    """
    digest, step = suite.hash, suite.tag("step")
    heads: list[Head] = []
    current: bytes = start_head
    for entry_id in entry_ids:
        if len(entry_id) != 32:
            raise HistoryMismatch("An id of an entry has 32 bytes.", expected=32, found=entry_id)
        current = digest(step + current + entry_id)
        heads.append(Head(current))
    return heads


def check_claim_in_history(
    suite: Suite, claim: Claim, start_head: Head, start_nonce: int, entry_ids: Sequence[bytes], *, proved_head: Head
) -> None:
    """Checks that a claim's head and nonce lie on the history that ends at a proved head.

    Args:
        suite: Fixes the hash of the lane.
        claim: The claim; ``nonce`` and ``head`` are read.
        start_head: A head that is known already.
        start_nonce: Entries folded into ``start_head``.
        entry_ids: The entries after it, up to and including the last one of ``proved_head``.
        proved_head: The head that the slot of the gateway was proved to hold.

    Raises:
        HistoryMismatch: The entries do not fold to the proved head, or an id is not 32 bytes; the endpoint is wrong.
        HeadNotInHistory: The claim's head is not the one after ``claim.nonce`` entries.
    """
    heads = [start_head, *fold_history(suite, start_head, entry_ids)]
    if heads[-1] != proved_head:
        raise HistoryMismatch("The entries do not fold to the proved head.", expected=proved_head, found=heads[-1])
    index = claim.nonce - start_nonce
    if not 0 <= index < len(heads):
        raise HeadNotInHistory(
            "The number of entries that the claim names is not in this history.",
            expected=start_nonce,
            found=claim.nonce,
        )
    if heads[index] != claim.head:
        raise HeadNotInHistory("The head of the claim is another one.", expected=heads[index], found=claim.head)
