"""kill -9 of the log's writer at points and times of a few seeds; `make kills` runs a hundred."""

import pytest

from tests.support.log_kills import kill_and_check


@pytest.mark.parametrize("seed", range(3))
def test_no_checkpoint_contradicts_a_later_one(tmp_path, seed):
    counted = kill_and_check(tmp_path / "log", seed)
    assert counted["checkpoints seen"] > 1
    assert counted["batches acknowledged"] > 1
