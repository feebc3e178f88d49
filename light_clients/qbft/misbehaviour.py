"""Two sealed headers of one height with different block hashes (the hub's protocol, section Finality and misbehaviour).

One block sealed in two rounds has one block hash, because the hash has no round and no seals: that is no conflict.
"""

from __future__ import annotations

from light_clients.errors import HeaderGap, HeightNotRetained, Misbehaviour
from light_clients.qbft.codec import parse_header
from light_clients.qbft.types import Address, QbftHeader, QbftState
from light_clients.qbft.verify import check_form, check_seals


def find_misbehaviour(state: QbftState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two headers.

    Args:
        state: Knows the sets of the recent heights and of the next one.
        header_a: RLP of a sealed header.
        header_b: RLP of another one.

    Returns:
        The accusation, or ``None`` where the headers are of different heights or are the same block.

    Raises:
        HeaderGap: The set of that height is not known yet.
        HeightNotRetained: The set of that height is no longer known.
        Refused: One of them is not sealed by the set of its height, and so accuses nobody.
    """
    first, second = parse_header(header_a), parse_header(header_b)
    if first.height != second.height or first.block_hash == second.block_hash:
        return None
    validators = _sealing_set(state, first)
    for parsed in (first, second):
        check_form(parsed)
        check_seals(parsed, validators)
    return Misbehaviour(
        f"Two blocks of height {first.height} are sealed.", height=first.height, evidence=(header_a, header_b)
    )


def _sealing_set(state: QbftState, parsed: QbftHeader) -> tuple[Address, ...]:
    validators = state.set_at(parsed.height)
    if validators is not None:
        return validators
    if parsed.height > state.height:
        raise HeaderGap("Headers are missing.", expected=state.height + 1, found=parsed.height)
    raise HeightNotRetained("The set of this height is no longer kept.", found=parsed.height)
