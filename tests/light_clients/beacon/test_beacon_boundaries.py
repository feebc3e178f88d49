"""The last value that is accepted and the first that is not, for every limit of the beacon chain's verifier."""

from dataclasses import replace

import pytest

from light_clients import beacon
from light_clients.beacon import errors as own
from light_clients.beacon.types import ZERO, FinalizedBlock, Preset
from light_clients.beacon.verify import check_participants, read_update
from light_clients.errors import SealsTooFew, TimestampAhead
from schemas.primitives import BlockHash
from tests.support.beacon_chain import ALL, BeaconChain

CHAIN = BeaconChain()
START = CHAIN.trusted(16)


@pytest.mark.parametrize("drift", [0, 4])
def test_a_signature_one_second_ahead_of_what_the_drift_allows(drift):
    state = replace(START, configuration=replace(CHAIN.configuration, maximum_drift_s=drift))
    signed = CHAIN.now(41)
    assert beacon.verify_header(state, CHAIN.update(40, 24), signed - drift).height == 24
    with pytest.raises(TimestampAhead):
        beacon.verify_header(state, CHAIN.update(40, 24), signed - drift - 1)


def test_a_finalized_header_that_is_the_newest_already_brings_its_committee_alone():
    state = CHAIN.advance(START, CHAIN.update(41, 16), 42)
    assert state.following.keys == CHAIN.committee(1)[0]
    assert replace(state, following=None) == START


def test_the_finalized_slot_may_be_the_attested_one():
    """So it is in the first block; of a later one, the state cannot hold the root of its own block."""
    assert CHAIN.advance(START, CHAIN.update(0, 0), 17).following is not None
    parts = list(CHAIN.update_value(40, 24))
    parts[3] = CHAIN.header(40)
    with pytest.raises(own.FinalityBranchInvalid):
        beacon.verify_header(START, CHAIN.bundle("update", tuple(parts)), CHAIN.now(41))
    parts[3] = CHAIN.header(41)
    with pytest.raises(own.SlotOrderInvalid):
        beacon.verify_header(START, CHAIN.bundle("update", tuple(parts)), CHAIN.now(41))


def test_two_thirds_are_enough_where_a_committee_has_such():
    update = read_update(CHAIN.update(40, 24, signers=ALL[:22]), beacon.MINIMAL)
    check_participants(update, Preset(8, 8, 33))
    with pytest.raises(SealsTooFew):
        check_participants(update, Preset(8, 8, 34))


def test_before_anything_is_final_the_first_block_is_told_without_an_execution_block():
    update = read_update(CHAIN.update(12, 0), beacon.MINIMAL)
    verified = beacon.verify_header(START, CHAIN.update(12, 0), CHAIN.now(17))
    root = update.finalized.root()
    assert verified.finalized == FinalizedBlock(0, root, 0, BlockHash(root), ZERO, ZERO)
