"""Options that a person writes."""

from __future__ import annotations

from typing import Any

import pytest

from light_clients.errors import ConfigurationInvalid
from light_clients.fisco.options import read_options, write_options
from light_clients.fisco.types import (
    FiscoConfiguration,
)


@pytest.mark.parametrize(
    "options",
    [
        {"line": 2},
        {"line": 2, "suite": "sm", "maximum_drift_s": 3},
        {"line": 2, "chain_id": "1", "group_id": "12"},
        {"line": 3, "chain_id": "chain0", "group_id": "group0"},
        {"line": 3, "suite": "sm", "chain_id": "c", "group_id": "g", "extra_data_size": 4, "trusting_period_s": 9},
    ],
)
def test_options_survive(options: dict[str, Any]) -> None:
    configuration = read_options(options)
    assert configuration == FiscoConfiguration(**options)
    assert write_options(configuration) == options


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "line is missing"),
        ({"suite": "sm"}, "line is missing"),
        ({"line": 2, "colour": 1}, "no option 'colour'"),
        ({"line": "2"}, "line is a whole number"),
        ({"line": True}, "line is a whole number"),
        ({"line": 2, "suite": 3}, "suite is a text"),
        ({"line": 4}, "2 or 3"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=text):
        read_options(options)
