"""Options as a person writes them, and what a genesis file says."""

import pytest

from light_clients.clique import CliqueConfiguration
from light_clients.clique.options import options_of_genesis, read_options, write_options
from light_clients.errors import ConfigurationInvalid

SAID = {"epoch_length": 100, "confirmations": 6, "period_s": 5, "counts_idle_votes": True}


def test_both_ways():
    assert write_options(read_options(SAID)) == SAID
    assert write_options(CliqueConfiguration()) == {}
    assert read_options({}) == CliqueConfiguration()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depth": 3}, "no option 'depth'"),
        ({"confirmations": "3"}, "a whole number"),
        ({"confirmations": True}, "a whole number"),
        ({"counts_idle_votes": 1}, "true or false"),
        ({"confirmations": 501}, "0 to 500"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(options, said):
    with pytest.raises(ConfigurationInvalid, match=said):
        read_options(options)


@pytest.mark.parametrize(
    ("section", "options"),
    [
        ({"period": 1, "epoch": 30_000}, {"period_s": 1}),
        ({"period": 0, "epoch": 0}, {}),
        (
            {"blockperiodseconds": 15, "epochlength": 100, "createemptyblocks": False},
            {"epoch_length": 100, "period_s": 15},
        ),
    ],
)
def test_a_genesis_file_of_geth_or_besu(section, options):
    assert options_of_genesis(section) == options


@pytest.mark.parametrize("section", [{"period": "1"}, {"epoch": -1}, {"proofOfHope": 1}])
def test_a_genesis_file_that_says_what_is_not_known(section):
    with pytest.raises(ConfigurationInvalid):
        options_of_genesis(section)
