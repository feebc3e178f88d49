"""A configuration as a person writes it."""

from __future__ import annotations

from typing import Any

import pytest

from light_clients.chainmaker import ChainMakerConfiguration, NodePin
from light_clients.chainmaker.options import read_options, write_options
from light_clients.errors import LightClientError
from schemas.primitives import Bytes32
from tests.support.shared_vectors import shared

PEM = shared("chainmaker/sm/certs/wx-org1.chainmaker.org/node/consensus1/consensus1.sign.crt").read_bytes()


def test_a_configuration_survives_its_options() -> None:
    whole = ChainMakerConfiguration(
        shared("chainmaker/sm/chain_config.pb").read_bytes(), (NodePin("Qm", PEM),), (Bytes32(bytes(32)),), 7, 3
    )
    for configuration in (whole, ChainMakerConfiguration(), ChainMakerConfiguration(maximum_drift_s=0)):
        assert read_options(write_options(configuration)) == configuration
    assert write_options(ChainMakerConfiguration()) == {}
    assert set(write_options(whole)) == {
        "chain_config", "pins", "refused_certificates", "trusting_period_s", "maximum_drift_s"
    }  # fmt: skip


WRONG: list[dict[str, Any]] = [
    {"quorum": 3},
    {"chain_config": 7},
    {"chain_config": "0xzz"},
    {"pins": {}},
    {"pins": ["Qm"]},
    {"pins": [{"node_id": "Qm"}]},
    {"pins": [{"node_id": "Qm", "certificate": PEM.decode(), "more": 1}]},
    {"pins": [{"node_id": "Qm", "certificate": "none"}]},
    {"refused_certificates": "0x"},
    {"refused_certificates": ["0x00"]},
    {"trusting_period_s": "7"},
    {"trusting_period_s": True},
    {"maximum_drift_s": -1},
]


@pytest.mark.parametrize("options", WRONG)
def test_wrong_options_are_refused_by_their_name(options: dict[str, Any]) -> None:
    with pytest.raises(LightClientError) as caught:
        read_options(options)
    assert caught.value.name == "ConfigurationInvalid"
