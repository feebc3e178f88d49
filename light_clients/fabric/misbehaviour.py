"""Two blocks of one number (the hub's protocol, section Finality and misbehaviour).

Every orderer writes the block that consensus gave it and signs its own copy; so two blocks of one number with different hashes,
both signed, are a lie. On raft one orderer can tell it, and it freezes the client all the same: whom to believe is the
officers' to say.
"""

from __future__ import annotations

from light_clients.errors import HeaderGap, HeightNotRetained, Misbehaviour
from light_clients.fabric.codec import check_data, read_block
from light_clients.fabric.config_block import ChannelConfig, read_config, read_config_block
from light_clients.fabric.orderers import check_signatures
from light_clients.fabric.types import FabricBlock, FabricState


def find_misbehaviour(state: FabricState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two blocks.

    Args:
        state: Knows the configuration in force.
        header_a: A block, whole.
        header_b: Another one.

    Returns:
        The accusation, or ``None`` where they are of different numbers or are the same block.

    Raises:
        HeightNotRetained: The block is from before the configuration that the state holds.
        HeaderGap: The block is of a configuration that the state does not hold yet.
        Refused: One of them is not signed, and so accuses nobody.
    """
    first, second = read_block(header_a), read_block(header_b)
    if first.height != second.height or first.block_hash == second.block_hash:
        return None
    config = read_config(state.channel_config)
    for block in (first, second):
        _check_final(state, config, block)
    return Misbehaviour(
        f"Two blocks of number {first.height} are signed.", height=first.height, evidence=(header_a, header_b)
    )


def _check_final(state: FabricState, config: ChannelConfig, block: FabricBlock) -> None:
    if block.height <= state.config_height:
        raise HeightNotRetained(
            "The configuration of this block is no longer kept.", expected=state.config_height + 1, found=block.height
        )
    check_data(block)
    if not _is_under(state, config, block):
        raise HeaderGap("The block is of another configuration.", expected=state.config_height, found=block.last_config)
    check_signatures(config, block, None)


def _is_under(state: FabricState, config: ChannelConfig, block: FabricBlock) -> bool:
    """Whether the configuration of the state was in force before a block."""
    brought = read_config_block(block, state.configuration.channel)
    if brought is None:
        return block.last_config == state.config_height
    return block.last_config == block.height and read_config(brought.channel_config).sequence == config.sequence + 1
