"""Two final headers of one height (the hub's protocol, section Finality and misbehaviour).

A header is final under its depth alone, so each side of an accusation is a run: the header and the headers that follow it, sealed
by more than half of the signers of its height. Two headers that one signer sealed are no more than a fork that was solved.
"""

from __future__ import annotations

from itertools import pairwise

from light_clients.bft.types import Address
from light_clients.clique.chain import check_form
from light_clients.clique.codec import parse_header, sealer_of
from light_clients.clique.types import CliqueHeader, CliqueState, depth, is_majority
from light_clients.errors import (
    HeaderGap,
    HeaderUnconfirmed,
    HeightNotRetained,
    Misbehaviour,
    ParentMismatch,
    SealsTooFew,
)
from light_clients.rlp import split_lists


def find_misbehaviour(state: CliqueState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two headers, each in the run that makes it final.

    Args:
        state: Knows the sets of the recent heights and of the next one.
        header_a: A run of headers.
        header_b: Another one.

    Returns:
        The accusation, or ``None`` where the first headers are of different heights or are the same block.

    Raises:
        HeaderGap: The set of that height is not known yet.
        HeightNotRetained: The set of that height is no longer known.
        HeaderUnconfirmed: Too few blocks follow one of them: it is not final, and accuses nobody.
        Refused: One of the runs is false, and so accuses nobody.
    """
    runs = [[parse_header(item) for item in split_lists(data)] for data in (header_a, header_b)]
    first, second = runs[0][0], runs[1][0]
    if first.height != second.height or first.block_hash == second.block_hash:
        return None
    signers = _sealing_set(state, first.height)
    for run in runs:
        _check_final(state, run, signers)
    return Misbehaviour(
        f"Two blocks of height {first.height} are final.", height=first.height, evidence=(header_a, header_b)
    )


def double_sealer(header_a: bytes, header_b: bytes) -> Address | None:
    """Who sealed two headers of one height, if one signer did: worth a line in the log, and no accusation.

    Args:
        header_a: A header, alone.
        header_b: Another one.

    Raises:
        Refused: One of them cannot be read, or has no seal.
    """
    first, second = parse_header(header_a), parse_header(header_b)
    if first.height != second.height or first.block_hash == second.block_hash:
        return None
    sealer = sealer_of(first.seal_digest, first.seal)
    return sealer if sealer == sealer_of(second.seal_digest, second.seal) else None


def _sealing_set(state: CliqueState, height: int) -> tuple[Address, ...]:
    signers = state.set_at(height)
    if signers is not None:
        return signers
    if height > state.height:
        raise HeaderGap("Headers are missing.", expected=state.height + 1, found=height)
    raise HeightNotRetained("The set of this height is no longer kept.", found=height)


def _check_final(state: CliqueState, run: list[CliqueHeader], signers: tuple[Address, ...]) -> None:
    """Whether a run shows that its first header is final; the set of its height counts, whatever was voted since."""
    wanted = depth(state.configuration, len(signers))
    if len(run) - 1 < wanted:
        raise HeaderUnconfirmed("Too few blocks follow.", expected=wanted, found=len(run) - 1)
    for parent, child in pairwise(run):
        if bytes(child.parent_hash) != parent.block_hash:
            raise ParentMismatch("The parent is another one.", expected=parent.block_hash, found=child.parent_hash)
    sealers: set[Address] = set()
    for parsed in run:
        check_form(state.configuration, parsed)
        sealers.add(sealer_of(parsed.seal_digest, parsed.seal))
    if not is_majority(len(sealers.intersection(signers)), len(signers)):
        raise SealsTooFew(
            "Not more than half of the signers sealed the header or one after it.",
            expected=len(signers) // 2 + 1,
            found=len(sealers.intersection(signers)),
        )
