"""relay.steps.plan: every backlog is carried whole, each step leans on what is believed, and the cost is linear."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from hypothesis import given
from hypothesis import strategies as st

from relay.steps.plan import Anchor, Batch, plan


class Believed:
    """Heads that are believed, by their nonces."""

    def __init__(self, nonces):
        self.nonces = sorted(nonces)

    def below(self, first, last):
        place = bisect_right(self.nonces, last)
        return self.nonces[place - 1] if place and self.nonces[place - 1] >= first else None

    def above(self, last):
        place = bisect_right(self.nonces, last)
        return self.nonces[place] if place < len(self.nonces) else None

    def add(self, nonce):
        assert nonce not in self.nonces
        insort(self.nonces, nonce)

    def __contains__(self, nonce):
        place = bisect_left(self.nonces, nonce)
        return place < len(self.nonces) and self.nonces[place] == nonce


def carried(covered, proofs, *, sizes=None, spacing=100, room=60, first=1):
    """Plan again and again until nothing is left, as the steps of many looks do; every step is checked as a gateway would."""
    believed, steps, done = Believed(proofs), [], first - 1
    while True:
        known = Believed(believed.nonces)
        plans = plan(
            done + 1, covered, Believed(believed.nonces), lambda start: start + (sizes or {}).get(start, spacing) - 1,
            spacing=spacing, room=room,
        )  # fmt: skip
        if not plans:
            return steps, done
        for step in plans:
            assert step.leans_on in known
            if isinstance(step, Anchor):
                assert done < step.nonce < step.leans_on
                known.add(step.nonce)
            else:
                assert step.first == done + 1 <= step.last <= step.leans_on
                done = step.last
        believed = known
        steps += plans


def test_what_one_block_shows_in_one_batch_needs_nothing_more():
    assert carried(40, [40])[0] == [Batch(1, 40, 40)]


def test_a_batch_ends_where_a_block_ends():
    assert carried(90, [30, 60, 90])[0] == [Batch(1, 90, 90)]
    assert carried(140, [35, 70, 105, 140])[0] == [Batch(1, 70, 70), Batch(71, 140, 140)]


def test_a_short_rest_goes_with_suffix_ids():
    assert carried(150, [150])[0] == [Batch(1, 100, 150), Batch(101, 150, 150)]


def test_a_block_that_ends_just_behind_the_last_batch_costs_no_batch_of_its_own():
    assert carried(220, [105, 220])[0] == [Batch(1, 100, 105), Batch(101, 200, 220), Batch(201, 220, 220)]


def test_a_long_rest_is_walked_back_by_anchors_where_batches_will_end():
    assert carried(450, [450])[0] == [
        Anchor(400, 450),
        Anchor(300, 400),
        Anchor(200, 300),
        Batch(1, 100, 200),
        Batch(101, 200, 200),
        Batch(201, 300, 300),
        Batch(301, 400, 400),
        Batch(401, 450, 450),
    ]


def test_a_walk_that_has_no_room_goes_on_with_the_next_plan():
    steps, done = carried(10_000, [10_000], room=7)
    assert done == 10_000
    assert steps == carried(10_000, [10_000], room=10_000)[0]


def test_nothing_is_carried_without_support():
    assert carried(10, []) == ([], 0)
    assert carried(10, [4])[1] == 4


def test_a_hundred_thousand_cost_a_thousand_anchors_and_a_thousand_batches():
    steps, done = carried(100_000, [100_000], room=10_000)
    assert done == 100_000
    assert sum(isinstance(step, Anchor) for step in steps) <= 1_000
    assert sum(isinstance(step, Batch) for step in steps) == 1_000
    assert sum(step.leans_on - (step.nonce if isinstance(step, Anchor) else step.last) for step in steps) <= 100_100


@given(
    st.integers(1, 3_000),
    st.sets(st.integers(1, 3_000), max_size=12),
    st.dictionaries(st.integers(1, 3_000), st.integers(1, 40)),
    st.integers(1, 40),
    st.integers(1, 100),
)
def test_every_backlog_is_carried_up_to_the_last_proof_at_a_linear_cost(covered, proofs, sizes, room, first):
    last = max((nonce for nonce in proofs if nonce >= first), default=0)
    steps, done = carried(covered, proofs, sizes=sizes, spacing=40, room=room, first=first)
    assert done >= min(covered, last) if last else done == first - 1
    batches = [step for step in steps if isinstance(step, Batch)]
    anchors = [step for step in steps if isinstance(step, Anchor)]
    assert all(step.leans_on - step.last <= 40 for step in batches)
    assert sum(step.leans_on - step.nonce for step in anchors) <= max(last - first, 0)
    assert len(anchors) <= (last - first) // 40 + len(proofs) if last else not anchors
