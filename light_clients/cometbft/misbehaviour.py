"""Two signed headers that cannot both be (ibc-go 07-tendermint, `misbehaviour_handle.go`; CometBFT, Accountable light client).

- Equivocation: two blocks of one height.
- Time violation: a higher block that is not later than a lower one.

Each side is judged by the newest accepted header below it that the bundle names as trusted, or below it at all, with the same
checks as a new header (`verify`, 3 to 7); clocks do not matter. An accepted header counts only while the chain could still
punish its validators: as long before the newest one as the trusting period.
"""

from __future__ import annotations

from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.types import NANOSECONDS, CometbftState, LightBlock
from light_clients.cometbft.verify import judge_block
from light_clients.errors import HeightNotRetained, Misbehaviour


def find_misbehaviour(state: CometbftState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two headers.

    Args:
        state: Knows what was accepted below them.
        header_a: A bundle.
        header_b: Another one; of the same height, or of another one.

    Returns:
        The accusation, or ``None`` where they do not contradict each other.

    Raises:
        HeightNotRetained: Nothing below one of them is known any more, or it is older than the trusting period.
        NotEnoughTrust: The trust in what is known does not reach as far as one of them.
        Refused: One of them is not signed as it must be, and so accuses nobody.
    """
    lower, higher = sorted((read_bundle(header_a), read_bundle(header_b)), key=lambda block: block.header.height)
    same_height = lower.header.height == higher.header.height
    if lower.header.block_hash == higher.header.block_hash:
        return None
    if not same_height and higher.header.time_ns > lower.header.time_ns:
        return None
    for block in (lower, higher):
        _judge(state, block)
    height = lower.header.height
    return Misbehaviour(
        f"Two blocks of height {height} are signed."
        if same_height
        else f"Block {higher.header.height} is signed, and is not later than block {height}.",
        height=height,
        evidence=(header_a, header_b),
    )


def _judge(state: CometbftState, block: LightBlock) -> None:
    named = state.anchor_at(block.trusted_height)
    anchor = named or state.anchor_below(block.header.height)
    if anchor is None:
        raise HeightNotRetained("Nothing below this height is kept.", found=block.header.height)
    period = state.configuration.trusting_period_s * NANOSECONDS
    if state.newest.time_ns - anchor.time_ns >= period:
        raise HeightNotRetained("What is kept below this height is too old to accuse by.", found=anchor.height)
    judge_block(state, anchor, block)
