"""The scorecard by which third parties' adapters are certified, on the chainmaker adapter: no check fails."""

from adapters.chainmaker import ADAPTER
from adapters.conformance.scorecard import run_checks
from relay.certify.judge import LightClientJudge
from tests.support.chainmaker_lane import ChainMakerLane

NOT_HERE = {"sending.pool", "wire.busy", "wire.huge", "wire.once"}
"""Accounts have no numbers, and the wire is no plain HTTP."""


def test_no_check_of_the_scorecard_fails():
    lane = ChainMakerLane()
    try:
        found = {}
        run_checks(lane, ADAPTER, LightClientJudge(), tell=lambda result: found.setdefault(result.name, result))
    finally:
        lane.close()
    assert {name: result.finding for name, result in found.items() if result.result not in ("passed", "not here")} == {}
    assert {name for name, result in found.items() if result.result == "not here"} == NOT_HERE
    assert len(found) > 30
