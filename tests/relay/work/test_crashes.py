"""A worker dies at each named point, at each pass of it; what was committed is enough for the next one to finish."""

import pytest

from relay import attestations, submitter
from relay.crash import POINTS
from relay.steps import carry, claim, look
from relay.store.verifiers import Kind
from tests.support.memory_hub import RECEIVER, REVERTING

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
HERE = [point for point in POINTS if point.startswith(("worker.", "web.")) and "anchor" not in point]
ANCHORING = [point for point in POINTS if point.startswith(("worker.anchor", "worker.carry"))]
MODULES = (attestations, submitter, carry, claim, look)


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Killer:
    """Dies at the n-th pass of a point, once."""

    def __init__(self, point, passes):
        self.point, self.left, self.died = point, passes, False

    def __call__(self, name):
        if name == self.point and not self.died:
            self.left -= 1
            if self.left == 0:
                self.died = True
                raise Killed(name)


@pytest.mark.parametrize("passes", [1, 2, 3])
@pytest.mark.parametrize("point", HERE)
def test_a_crash_costs_time_and_nothing_else(make_hub, monkeypatch, point, passes):
    hub = make_hub(seed=passes, batch_limit=2)
    killer = Killer(point, passes)
    for module in MODULES:
        monkeypatch.setattr(module, "crash_point", killer)
    for number in range(5):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=REVERTING)
    for _ in range(15):
        hub.forget_times()
        hub.mine()
        try:
            hub.turn()
        except Killed:
            hub.restart()
        hub.check()
    assert killer.died, "the point is never passed so often"
    assert [hub.journey(*lane).settled for lane in (OUT, HOME)] == [5, 5]
    assert (hub.journey(*OUT).executed, hub.journey(*HOME).failed) == (5, 5)


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("point", ANCHORING)
@pytest.mark.parametrize("kind", [Kind.LIGHT_CLIENT, Kind.BOTH])
def test_a_crash_in_the_middle_of_a_walk_costs_time_and_nothing_else(make_hub, monkeypatch, kind, point, passes):
    hub = make_hub(seed=passes, batch_limit=2, kind=kind, pairs=(OUT,))
    killer = Killer(point, passes)
    for module in MODULES:
        monkeypatch.setattr(module, "crash_point", killer)
    for number in range(11):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
    for _ in range(20):
        hub.forget_times()
        hub.mine()
        try:
            hub.turn()
        except Killed:
            hub.restart()
        hub.check()
    assert killer.died, "the point is never passed so often"
    assert (hub.journey(*OUT).settled, hub.journey(*OUT).executed) == (11, 11)


def test_every_point_of_this_process_is_passed(make_hub, monkeypatch):
    passed = set()
    for module in MODULES:
        monkeypatch.setattr(module, "crash_point", passed.add)
    hub = make_hub()
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.settle_down()
    assert passed == set(HERE)
