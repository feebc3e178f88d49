"""Two headers that one committee should never have signed.

Each side is an update of any kind, signed by at least two thirds of the committee of our period or of the next one. They
contradict each other when
1. they show two finalized blocks of one slot, or two finalized blocks of one checkpoint (its epoch stands beside the block's
   root in the attested state, as the first node of the finality branch): more than a third of the stake broke its votes, or
   two thirds of the committee signed a state that does not exist; or
2. they show two next committees of one period, each beside a finalized block of that period: the committee was fixed before
   that block, so the two finalized blocks are on two branches.
Two attested blocks alone are no contradiction. Before finality the chain may turn, and the slot in which a block was signed is
itself not signed: two honest updates, moved to one slot, would accuse an honest committee.
"""

from __future__ import annotations

from light_clients.beacon.codec import LightClientHeader, Update, check_header
from light_clients.beacon.containers import depth_of, places_of
from light_clients.beacon.types import BeaconState
from light_clients.beacon.verify import (
    check_committee,
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
        block, or of its attested block where the committees contradict each other.

    Raises:
        HeaderGap: The committee that signed is not known yet.
        HeightNotRetained: The committee that signed is no longer known.
        Refused: One of them does not hold, and so accuses nobody.
    """
    first, second = (read_update(data, state.configuration.preset) for data in (header_a, header_b))
    if first.finalized is None or second.finalized is None:
        return None
    slot = _contradiction(state, (first, first.finalized), (second, second.finalized))
    if slot is None:
        return None
    _check_signed(state, first, first.finalized)
    _check_signed(state, second, second.finalized)
    return Misbehaviour(
        f"The sync committee signed two blocks that exclude each other at slot {slot}.",
        height=slot,
        evidence=(header_a, header_b),
    )


_Side = tuple[Update, LightClientHeader]
"""An update and its finalized header."""


def _contradiction(state: BeaconState, side_a: _Side, side_b: _Side) -> int | None:
    (first, final_a), (second, final_b) = side_a, side_b
    is_one_place = final_a.slot == final_b.slot or _checkpoint(state, first) == _checkpoint(state, second)
    if is_one_place and final_a.root() != final_b.root():
        return final_a.slot
    period_a, period_b = _settled_period(state, *side_a), _settled_period(state, *side_b)
    if first.following != second.following and period_a is not None and period_a == period_b:
        return first.attested.slot
    return None


def _settled_period(state: BeaconState, update: Update, finalized: LightClientHeader) -> int | None:
    """The period whose next committee an update shows, where a block of that very period is final in it."""
    period = state.configuration.period_of(update.attested.slot)
    is_settled = update.following is not None and state.configuration.period_of(finalized.slot) == period
    return period if is_settled else None


def _checkpoint(state: BeaconState, update: Update) -> bytes:
    """The epoch of the checkpoint: the sister of its root, after the zeros of a longer branch."""
    place = places_of(state.configuration.fork_at(update.attested.slot).name).finalized
    return update.finality_branch[len(update.finality_branch) - depth_of(place)]


def _check_signed(state: BeaconState, update: Update, finalized: LightClientHeader) -> None:
    configuration = state.configuration
    check_slots(update, finalized)
    try:
        committee = signing_committee(state, update.signature_slot)
    except HeaderBehind as error:
        raise HeightNotRetained(
            "The committee of that period is no longer kept.", found=update.signature_slot
        ) from error
    check_participants(update, configuration.preset)
    check_header(configuration, update.attested)
    check_finality(configuration, update, finalized)
    if update.following is not None:
        check_committee(configuration, update, update.following)
    check_signature(configuration, update, committee)
