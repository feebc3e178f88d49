"""Every deliberately broken adapter: the scorecard names its fault, and no other."""

import pytest

from adapters.conformance import reading
from adapters.conformance.checks import CHECKS
from adapters.conformance.scorecard import run_checks
from adapters.registry import load_adapter
from relay.certify.judge import LightClientJudge
from tests.support.broken_adapters import FAULTS, STATE_FAULTS, Factory
from tests.support.careless_transports import WIRE_FAULTS, WireFactory
from tests.support.devnet_world import DevnetWorld
from tests.support.memory_lane import MemoryLane

EVM, MEMORY = load_adapter("evm"), load_adapter("memory")


def scorecard(factory, **options):
    world = MemoryLane(open_one=factory.open)
    try:
        return run_checks(world, factory, LightClientJudge(), **options)
    finally:
        world.close()


def test_a_true_adapter_passes():
    found = scorecard(MEMORY)
    assert found.passed
    assert {item.name.partition(".")[0] for item in found.results if item.result == "not here"} == {"wire"}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_named_and_no_other(fault):
    kind, expected = FAULTS[fault]
    found = scorecard(Factory(MEMORY, kind), limit_s=3.0 if fault == "blocks for ever" else 60.0)
    named(found, expected)


def named(found, expected):
    assert [item.name for item in found.failed] == [expected], [item for item in found.results if item.finding]
    assert found.failed[0].finding
    assert "\n" not in found.failed[0].finding


class Credulous(LightClientJudge):
    """A judge that believes every claim."""

    def follow(self, *asked):
        followed = super().follow(*asked)

        class Believer(type(followed)):
            def judge(self, *_):
                return None

        return Believer(followed.consensus, followed.client, followed.state, followed.hashes)


def test_a_judge_that_believes_everything_is_found_by_the_lies():
    world = MemoryLane(open_one=MEMORY.open)
    try:
        found = run_checks(world, MEMORY, Credulous())
    finally:
        world.close()
    assert [item.name for item in found.failed] == ["lies.events", "lies.proofs"]


def test_without_a_light_client_what_stands_on_it_is_not_here():
    world = MemoryLane(open_one=MEMORY.open)
    world.consensus = ""
    try:
        found = run_checks(world, MEMORY, LightClientJudge())
    finally:
        world.close()
    assert found.passed
    missing = {item.name for item in found.results if item.result == "not here" and not item.name.startswith("wire")}
    assert missing == {"headers.believed", "evidence.believed", "lies.disorder", "lies.events", "lies.proofs"}


@pytest.fixture(scope="module")
def devnets():
    world = DevnetWorld(EVM.open)
    reading.send_three(world)
    yield world
    world.close()


@pytest.mark.live
class TestOnDevelopmentNetworks:
    """One pair of networks for all; a fault stands between them and the checks."""

    def test_a_true_adapter_passes(self, devnets):
        found = run_checks(devnets, EVM, LightClientJudge())
        assert found.passed
        assert {item.result for item in found.results} == {"passed"}

    @pytest.mark.parametrize("fault", STATE_FAULTS)
    def test_faults_of_states(self, devnets, fault):
        kind, expected = STATE_FAULTS[fault]
        ledgers = devnets.ledgers
        factory = Factory(EVM, kind)
        devnets.ledgers = [factory.open(devnets.options(end)) for end in (0, 1)]
        try:
            proving = [check for check in CHECKS if check.name.startswith(("headers", "evidence", "lies"))]
            named(run_checks(devnets, factory, LightClientJudge(), checks=proving), expected)
        finally:
            for ledger in devnets.ledgers:
                ledger.close()
            devnets.ledgers = ledgers

    @pytest.mark.parametrize("fault", WIRE_FAULTS)
    def test_faults_on_the_wire(self, devnets, fault):
        kind, expected = WIRE_FAULTS[fault]
        slow = set() if expected == "wire.time" else {"wire.time"}
        on_wire = [check for check in CHECKS if check.name.startswith("wire") and check.name not in slow]
        named(run_checks(devnets, WireFactory(kind), None, checks=on_wire), expected)
