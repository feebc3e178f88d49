"""Messages over lanes of every kind: by a committee, by a light client, by both."""

import pytest

from relay.store.tables import attestations, claims, milestones, transactions
from relay.store.verifiers import Kind
from tests.support.memory_hub import RECEIVER, REVERTING

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("seed", [1, 2])
def test_messages_and_outcomes_cross_a_lane_of_each_kind(make_hub, kind, seed):
    hub = make_hub(kind=kind, seed=seed)
    for number in range(25):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=REVERTING)
    hub.settle_down()
    hub.check()
    assert hub.journey(*OUT).executed == 25
    assert hub.journey(*HOME).failed == 25
    assert {row.state for row in hub.rows(transactions)} <= {"mined", "sent"}  # nothing failed on the way
    stages = {row.stage for row in hub.rows(milestones)}
    assert ("attested" in stages, "outcome_attested" in stages) == (kind is not Kind.LIGHT_CLIENT,) * 2
    assert (hub.rows(claims) == []) == (kind is Kind.LIGHT_CLIENT)
    assert (hub.rows(attestations) == []) == (kind is Kind.LIGHT_CLIENT)
