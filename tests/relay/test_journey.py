"""relay.journey: counters only grow except where something was lost; every event may come twice."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.journey import (
    COUNTERS,
    ClaimsVoid,
    Delivered,
    Journey,
    JourneyError,
    ProofsOutdated,
    Reached,
    Stage,
    SubmissionLost,
    skipped_stages,
    step,
)


def test_a_message_passes_every_stage_in_order():
    journey = Journey()
    seen = [journey.stage_of(1)]
    for stage in Stage:
        event = Delivered(1, 1, 0, 0, 0) if stage is Stage.DELIVERED else Reached(stage, 1)
        journey = step(journey, event)
        seen.append(journey.stage_of(1))
    assert seen == [None, *Stage]
    assert journey.in_flight == 0
    assert journey.executed == 1


@pytest.mark.parametrize(
    ("stage", "before"),
    [
        (Stage.CLAIMED, "final"),
        (Stage.ATTESTED, "claimed"),
        (Stage.SUBMITTED, "attested"),
        (Stage.OUTCOME_CLAIMED, "delivered"),
        (Stage.OUTCOME_ATTESTED, "outcome_claimed"),
        (Stage.SETTLE_SUBMITTED, "outcome_attested"),
    ],
)
def test_no_stage_passes_the_one_before_it(stage, before):
    with pytest.raises(JourneyError, match=before):
        step(Journey(final=5, delivered=0) if before != "final" else Journey(), Reached(stage, 1))


def test_a_delivery_is_never_just_reached():
    with pytest.raises(JourneyError, match="outcomes"):
        step(Journey(final=1), Reached(Stage.DELIVERED, 1))


def test_a_delivery_needs_as_many_outcomes_as_messages():
    with pytest.raises(JourneyError, match="1 outcomes for 2"):
        step(Journey(final=2), Delivered(2, 1, 0, 0, 0))


def test_old_news_changes_nothing():
    journey = Journey(final=3, claimed=3, attested=3, submitted=3, delivered=2, executed=2)
    assert step(journey, Delivered(2, 2, 0, 0, 0)) is journey
    assert step(journey, Reached(Stage.FINAL, 2)) is journey


def test_somebody_elses_delivery_counts_as_ours():
    journey = step(Journey(final=2), Delivered(2, 0, 1, 1, 0))
    assert (journey.claimed, journey.attested, journey.submitted, journey.failed, journey.expired) == (2, 2, 2, 1, 1)


def test_somebody_elses_settlement_counts_as_ours():
    journey = step(Journey(final=2, delivered=2, executed=2), Reached(Stage.SETTLED, 2))
    assert (journey.outcome_claimed, journey.outcome_attested, journey.settle_submitted) == (2, 2, 2)


def test_a_lost_submission_steps_back_to_what_was_consumed():
    out = Journey(final=9, claimed=9, attested=9, submitted=9, delivered=4, executed=4, settle_submitted=3, settled=1)
    assert step(out, SubmissionLost(back=False)).submitted == 4
    assert step(out, SubmissionLost(back=True)).settle_submitted == 1


@pytest.mark.parametrize("back", [False, True])
def test_void_claims_are_made_anew(back):
    journey = Journey(
        final=9, claimed=9, attested=7, submitted=6, delivered=5, executed=5,
        outcome_claimed=5, outcome_attested=4, settle_submitted=3, settled=2,
    )  # fmt: skip
    some = step(journey, ClaimsVoid(back=back, attested_too=False))
    every = step(journey, ClaimsVoid(back=back, attested_too=True))
    if back:
        assert (some.outcome_claimed, every.outcome_claimed, every.outcome_attested, every.settle_submitted) == (
            4,
            2,
            2,
            2,
        )
        assert replace(some, outcome_claimed=5) == journey
    else:
        assert (some.claimed, every.claimed, every.attested, every.submitted) == (7, 5, 5, 5)
        assert replace(some, claimed=9) == journey


events = st.one_of(
    st.builds(Reached, st.sampled_from([stage for stage in Stage if stage is not Stage.DELIVERED]), st.integers(0, 12)),
    st.builds(Delivered, st.integers(0, 12), *[st.integers(0, 4)] * 4),
    st.builds(ClaimsVoid, st.booleans(), st.booleans()),
    st.builds(SubmissionLost, st.booleans()),
)


@given(st.lists(events, max_size=60))
def test_whatever_happens_the_counters_stay_in_order(history):
    journey = Journey()
    for event in history:
        try:
            after = step(journey, event)
        except JourneyError:
            continue
        assert after.final >= journey.final
        assert after.delivered >= journey.delivered
        assert after.settled >= journey.settled
        assert after.attested <= after.claimed
        assert after.submitted <= after.attested
        assert after.delivered <= after.submitted
        assert after.outcome_attested <= after.outcome_claimed
        assert after.settled <= after.settle_submitted <= after.outcome_attested
        assert after.executed + after.failed + after.expired + after.refused == after.delivered
        assert step(after, event) == after or isinstance(event, Delivered | ClaimsVoid | SubmissionLost)
        journey = after
    assert len(astuple(journey)) == len(COUNTERS) + 4


SILENT = skipped_stages(out=True, back=True)


def test_a_message_of_a_lane_where_nobody_signs_passes_the_other_stages_in_order():
    journey, seen = Journey(), []
    for stage in Stage:
        if stage in SILENT:
            continue
        event = Delivered(1, 1, 0, 0, 0) if stage is Stage.DELIVERED else Reached(stage, 1)
        journey = step(journey, event, SILENT)
        seen.append(journey.stage_of(1))
    assert seen == [stage for stage in Stage if stage not in SILENT]
    assert (journey.attested, journey.outcome_attested) == (0, 0)


@pytest.mark.parametrize("stage", sorted(SILENT))
def test_a_stage_that_a_lane_does_not_have_is_never_reached(stage):
    with pytest.raises(JourneyError, match=stage):
        step(Journey(final=1, claimed=1, delivered=1, outcome_claimed=1), Reached(stage, 1), SILENT)


@pytest.mark.parametrize(
    ("stage", "before"), [(Stage.SUBMITTED, "claimed"), (Stage.SETTLE_SUBMITTED, "outcome_claimed")]
)
def test_what_nobody_signs_is_submitted_only_when_it_is_proved(stage, before):
    with pytest.raises(JourneyError, match=before):
        step(Journey(final=1, attested=1, outcome_attested=1), Reached(stage, 1), SILENT)


def test_each_direction_has_its_own_stages():
    assert skipped_stages(out=True, back=False) == {Stage.ATTESTED}
    assert skipped_stages(out=False, back=True) == {Stage.OUTCOME_ATTESTED}
    assert skipped_stages(out=False, back=False) == frozenset()


def test_proofs_that_are_outdated_take_back_what_is_not_submitted():
    journey = Journey(final=9, claimed=9, attested=7, submitted=4, delivered=4, executed=4)
    assert step(journey, ProofsOutdated(back=False)) == replace(journey, claimed=4, attested=4)
    back = replace(journey, outcome_claimed=3, outcome_attested=3, settle_submitted=1)
    assert step(back, ProofsOutdated(back=True)) == replace(back, outcome_claimed=1, outcome_attested=1)
    behind = replace(journey, attested=1)
    assert step(behind, ProofsOutdated(back=False)).attested == 1


def test_void_claims_never_raise_a_counter():
    journey = Journey(final=9, claimed=9, submitted=6, delivered=5, executed=5, settled=2)
    assert step(journey, ClaimsVoid(back=False, attested_too=True)).attested == 0
    assert step(journey, ClaimsVoid(back=True, attested_too=True)).outcome_attested == 0
