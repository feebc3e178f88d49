"""Two decided blocks of one height: what no honest set of more than two thirds can make."""

from __future__ import annotations

from light_clients.chainmaker.codec import read_block
from light_clients.chainmaker.types import ChainMakerState
from light_clients.chainmaker.verify import check_decided
from light_clients.errors import HeaderGap, HeightNotRetained, Misbehaviour


def find_misbehaviour(state: ChainMakerState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two blocks of one height.

    Args:
        state: What is trusted.
        header_a: Protobuf of a block with its votes.
        header_b: Another one.

    Returns:
        The accusation, or ``None`` where the heights differ or both are the same block.

    Raises:
        HeaderGap: The nodes that decide that height are not known yet.
        HeightNotRetained: They are no longer known.
        Refused: One of the blocks is not decided, and so accuses nobody.
    """
    first, second = read_block(header_a), read_block(header_b)
    height = first.header.height
    if height != second.header.height or first.header.hashed == second.header.hashed:
        return None
    membership = state.membership_at(height)
    if membership is None:
        if height > state.height:
            raise HeaderGap("Headers are missing.", expected=state.height + 1, found=height)
        raise HeightNotRetained("The nodes of this height are no longer kept.", found=height)
    for block in (first, second):
        check_decided(membership, state.configuration, block)
    return Misbehaviour(f"Two blocks of height {height} are decided.", height=height, evidence=(header_a, header_b))
