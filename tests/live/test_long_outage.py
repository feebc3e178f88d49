"""A hundred thousand messages wait for a ledger that is away until the states in which they were sent are long pruned.

Times are the bench's (`tests/bench/outage.py`); here gas and messages are counted.
"""

import pytest

from tests.bench.outage import KINDS, MESSAGES, measure_outage

pytestmark = [pytest.mark.live, pytest.mark.stack]


def test_a_hundred_thousand_messages_wait_and_arrive_with_linear_gas_and_hold_up_no_other_lane():
    outage = measure_outage(print, messages=MESSAGES, latency_messages=3)
    assert MESSAGES == 100_000
    assert outage.executed == dict.fromkeys(KINDS, MESSAGES // len(KINDS))
    for kind, quarters in outage.gas.items():
        assert 0 < max(quarters) <= 1.1 * min(quarters), f"{kind}: {quarters}"
    assert outage.overtook  # a message of another lane, sent meanwhile, was there before the backlog was
