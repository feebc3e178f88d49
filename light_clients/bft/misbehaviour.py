"""Two sealed headers of one height with different block hashes (the hub's protocol, section Finality and misbehaviour).

One block sealed in two rounds has one block hash in QBFT and IBFT2, because the hash has no round and no seals: that is no
conflict. In legacy IBFT a second seal of the proposer makes another block; that too accuses only when two thirds sealed both.
"""

from __future__ import annotations

from light_clients.bft.types import Address, BftState
from light_clients.errors import HeaderGap, HeightNotRetained


def sealing_set(state: BftState, height: int) -> tuple[Address, ...]:
    """Who had to seal a height.

    Args:
        state: Knows the sets of the recent heights and of the next one.
        height: Number of the block.

    Returns:
        The set, ascending.

    Raises:
        HeaderGap: The set is not known yet.
        HeightNotRetained: The set is no longer known.
    """
    validators = state.set_at(height)
    if validators is not None:
        return validators
    if height > state.height:
        raise HeaderGap("Headers are missing.", expected=state.height + 1, found=height)
    raise HeightNotRetained("The set of this height is no longer kept.", found=height)
