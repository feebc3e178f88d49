"""The command that starts the Clique network: what it says is enough to speak to it, its bank pays, and it leaves nothing."""

import pytest

from tests.support.network_command import check, check_killed, check_refusals

pytestmark = pytest.mark.live

MODULE = "adapters.evm.clique"
WORDS = ("--chain-id", "64011", "--signers", "1")


def test_what_it_says_is_enough_and_it_ends_as_a_whole(tmp_path):
    said = check(MODULE, tmp_path / "new", *WORDS)
    assert (said["adapter"], said["consensus"]) == ("evm", "clique")


def test_when_it_was_killed_nothing_is_left(tmp_path):
    check_killed(MODULE, tmp_path / "new", *WORDS)


def test_it_takes_no_folder_that_holds_something_and_says_that_go_is_missing(tmp_path):
    check_refusals(MODULE, tmp_path, *WORDS)
