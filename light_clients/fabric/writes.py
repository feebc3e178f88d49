"""What a transaction wrote under a key of the gateway, with the read that says it was valid: heads and notes have this in common.

It is proved when all of this holds:
1. The envelopes of the transaction's block hash to its data hash.
2. Peers of enough organisations attest the read of the key (`attestations`), in the version of that transaction: its block and
   its place.
3. That transaction wrote the key, well endorsed (`transactions`).

Nobody signs which transactions of a block were valid. So nothing rests on a block alone: a transaction with too few
endorsements fails check 3, and one that anything else made invalid fails check 2.
"""

from __future__ import annotations

from light_clients.fabric.attestations import KeyRead, attested_read
from light_clients.fabric.codec import check_data
from light_clients.fabric.config_block import read_config
from light_clients.fabric.errors import AttestationMismatch
from light_clients.fabric.transactions import written_value
from light_clients.fabric.types import AttestedRead, FabricBlock, FabricPin, FabricState


def proved_write(
    state: FabricState, pin: FabricPin, block: FabricBlock, place: int, read: AttestedRead, asked: KeyRead
) -> tuple[bytes, bytes]:
    """What peers answer and what the transaction wrote; the list of checks is the module's.

    Args:
        state: What is trusted. Who made the block is not asked.
        pin: The chaincode, its definition, and whose peers must attest.
        block: The block of the transaction, untrusted.
        place: Of the transaction in it.
        read: Attested, untrusted.
        asked: What has to be read.

    Returns:
        The answer, and the value that was written under the key; the caller says how one follows from the other.

    Raises:
        ClaimRefused: By its name.
        Refused: A part of the evidence does not hold.
    """
    config, channel = read_config(state.channel_config), state.configuration.channel
    # 1. The envelopes.
    check_data(block)
    # 2. The read.
    answer, version = attested_read(config, channel, pin, read, asked, state.timestamp)
    if version != (block.height, place) or not place < len(block.envelopes):
        raise AttestationMismatch("Another transaction wrote the key.", expected=version[0], found=block.height)
    # 3. The write.
    return answer, written_value(config, channel, pin, block.envelopes[place], asked.key)
