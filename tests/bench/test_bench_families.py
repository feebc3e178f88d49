"""The families' measurements are found, and the issue's bars stand beside them."""

import pytest

from tests.bench.families import discovery


@pytest.mark.parametrize(
    ("figure", "aim"),
    [
        ("qbft_header_ratio_to_recover", 4.5),
        ("cometbft_commit_100_ratio_to_ed25519", 85),
        ("beacon_update_512_ratio_to_fast_aggregate_verify", 2.5),
        ("storage_proof_depth_7_ratio_to_hashes", 3),
        ("chainmaker_block_sm_ratio_to_signature", 5),
        ("ics23_depth_12_ratio_to_hashes", 4),
        ("ibft_header_ratio_to_recover", None),
        ("qbft_header_us", None),
    ],
)
def test_the_aim_of_a_figure(figure, aim):
    assert discovery.aim_of(figure) == aim


def test_families_are_measured_one_after_the_other(monkeypatch):
    class Module:
        @staticmethod
        def measure():
            return {"a_us": 1.0}

    asked, told = [], []
    monkeypatch.setattr(discovery.importlib, "import_module", lambda name: asked.append(name) or Module)
    assert discovery.measure_families(told.append) == {"a_us": 1.0}
    assert asked == [f"tests.bench.families.{name}" for name in discovery.names()]
    assert "evm: 1 figures" in told
    assert "discovery" not in discovery.names()
