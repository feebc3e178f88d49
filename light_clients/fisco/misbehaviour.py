"""Two signed headers of one height (the hub's protocol, section Finality and misbehaviour)."""

from __future__ import annotations

from light_clients.errors import HeaderGap, HeightNotRetained, Misbehaviour
from light_clients.fisco.codec import parse_header
from light_clients.fisco.errors import SealersUnexpected
from light_clients.fisco.seals import check_seals
from light_clients.fisco.steps import same_sealers
from light_clients.fisco.types import (
    FiscoHeader,
    FiscoState,
)
from light_clients.fisco.verify import check_sealers


def find_misbehaviour(state: FiscoState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two headers of one height.

    Args:
        state: Knows the sealers of the recent heights, and the roots under which those of the next one are proved.
        header_a: A bundle.
        header_b: Another one.

    Returns:
        The accusation with both bundles, or ``None`` where they are of different heights or the same block.

    Raises:
        HeaderGap: The sealers of that height are not known yet.
        HeightNotRetained: The sealers of that height are no longer known.
        Refused: One of the headers is not signed by a quorum of them, and so accuses nobody.
    """
    first, second = (parse_header(data, state.configuration) for data in (header_a, header_b))
    if first.height != second.height or first.block_hash == second.block_hash:
        return None
    for parsed in (first, second):
        _check_signed(state, parsed)
    return Misbehaviour(
        f"Two blocks of height {first.height} have a quorum.", height=first.height, evidence=(header_a, header_b)
    )


def _check_signed(state: FiscoState, parsed: FiscoHeader) -> None:
    known = state.set_at(parsed.height)
    if known is not None:
        if not same_sealers(parsed.sealers, {sealer.key: sealer.weight for sealer in known}):
            raise SealersUnexpected("The sealers are not those of the height.", expected=len(known))
    elif parsed.height == state.height + 1:
        check_sealers(state, parsed)
    elif parsed.height > state.height:
        raise HeaderGap("Headers are missing.", expected=state.height + 1, found=parsed.height)
    else:
        raise HeightNotRetained("The sealers of this height are no longer kept.", found=parsed.height)
    check_seals(parsed, state.configuration)
