"""The in-process ledger does what every adapter must do."""

import pytest

from tests.adapters.conformance_suite import LedgerConformance
from tests.support.memory_lane import MemoryLane


@pytest.fixture(scope="module")
def world():
    lane = MemoryLane()
    yield lane
    lane.close()


class TestMemory(LedgerConformance):
    """Every test of the suite, at the source and the destination of one lane."""
