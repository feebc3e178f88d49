"""Two headers that one committee should never have signed.

Each side is an update of any kind, signed by at least two thirds of the committee of our period or of the next one. They
contradict each other when
1. they show two finalized blocks of one slot, or two finalized blocks of one checkpoint (its epoch stands beside the block's
   root in the attested state, as the first node of the finality branch): more than a third of the stake broke its votes, or
   two thirds of the committee signed a state that does not exist; or
2. they are two attested blocks under signatures of one slot: a member signs its head once in a slot, so more than a third of
   the committee signed twice.
Blocks of two branches that were signed in different slots are no contradiction: before finality the chain may turn.
"""

from __future__ import annotations

from light_clients.beacon.codec import Update, check_header
from light_clients.beacon.containers import depth_of, places_of
from light_clients.beacon.types import BeaconState
from light_clients.beacon.verify import (
    check_finality,
    check_participants,
    check_signature,
    check_slots,
    read_update,
    signing_committee,
)
from light_clients.errors import HeaderBehind, HeightNotRetained, Misbehaviour


def find_misbehaviour(state: BeaconState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:
    """Compares two updates.

    Args:
        state: Knows the committees of its period and of the next one.
        header_a: A bundle of any kind but ``bootstrap``.
        header_b: Another one.

    Returns:
        The accusation, or ``None`` where they do not contradict each other. Its height is the slot of the first one's finalized
        block, or of its attested block where the attested blocks contradict each other.

    Raises:
        HeaderGap: The committee that signed is not known yet.
        HeightNotRetained: The committee that signed is no longer known.
        Refused: One of them does not hold, and so accuses nobody.
    """
    first, second = (read_update(data, state.configuration.preset) for data in (header_a, header_b))
    slot = _contradiction(state, first, second)
    if slot is None:
        return None
    for update in (first, second):
        _check_signed(state, update)
    return Misbehaviour(
        f"The sync committee signed two blocks that exclude each other at slot {slot}.",
        height=slot,
        evidence=(header_a, header_b),
    )


def _contradiction(state: BeaconState, first: Update, second: Update) -> int | None:
    if first.finalized is not None and second.finalized is not None:
        is_one_slot = first.finalized.slot == second.finalized.slot
        is_one_checkpoint = _checkpoint(state, first) == _checkpoint(state, second)
        if (is_one_slot or is_one_checkpoint) and first.finalized.root() != second.finalized.root():
            return first.finalized.slot
    if first.signature_slot == second.signature_slot and first.attested.root() != second.attested.root():
        return first.attested.slot
    return None


def _checkpoint(state: BeaconState, update: Update) -> bytes:
    """The epoch of the checkpoint: the sister of its root, after the zeros of a longer branch."""
    place = places_of(state.configuration.fork_at(update.attested.slot).name).finalized
    return update.finality_branch[len(update.finality_branch) - depth_of(place)]


def _check_signed(state: BeaconState, update: Update) -> None:
    configuration = state.configuration
    check_slots(update)
    try:
        committee = signing_committee(state, update.signature_slot)
    except HeaderBehind as error:
        raise HeightNotRetained(
            "The committee of that period is no longer kept.", found=update.signature_slot
        ) from error
    check_participants(update, configuration.preset)
    check_header(configuration, update.attested)
    if update.finalized is not None:
        check_finality(configuration, update, update.finalized)
    check_signature(configuration, update, committee)
