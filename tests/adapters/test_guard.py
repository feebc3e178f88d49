"""The guard: one error family, limits of time and form, failover and rests, the wrong chain, counts."""

import threading

import pytest

from adapters.guard import ACCUSED_REST_S, RESTS_S, GuardedLedger
from adapters.protocol import (
    AdapterOptions,
    BadAnswer,
    Endpoint,
    LedgerIdentity,
    Misconfigured,
    Rejected,
    Unreachable,
)
from schemas.primitives import BlockHash, ChainId

CHAIN = ChainId("eip155:7")
FIRST = BlockHash(b"\x01" * 32)


class FakeLedger:
    """A ledger whose every answer is a function of its endpoint's script."""

    def __init__(self, endpoint, script, clock):
        self.endpoint, self.script, self.clock, self.closed = endpoint, script, clock, False

    def identity(self):
        value = self.script.get("identity", LedgerIdentity(CHAIN, FIRST, "fake", development=True))
        return self._answer(value)

    def tip(self):
        return self._answer(self.script.get("tip", 1))

    def headers(self, first, last):
        return self._answer(self.script.get("headers", [b"h"] * (last - first + 1)))

    def broadcast(self, transactions):
        return self._answer(self.script.get("broadcast", [None] * len(transactions)))

    def close(self):
        self.closed = True

    def _answer(self, value):
        if isinstance(value, BaseException):
            raise value
        return value() if callable(value) else value


class World:
    """Fake endpoints by URL, a clock by hand, and the guard around them."""

    name = "fake"

    def __init__(self, *scripts, keeps_time=False, **options):
        self.keeps_time = keeps_time
        self.now = 100.0
        self.scripts = {f"http://n{number}": script for number, script in enumerate(scripts)}
        self.opened = []
        endpoints = tuple(Endpoint(url, operator=url[-2:]) for url in self.scripts)
        self.guard = GuardedLedger(self, AdapterOptions(endpoints, **options), clock=lambda: self.now)

    def open(self, options):
        (endpoint,) = options.endpoints
        ledger = FakeLedger(endpoint.url, self.scripts[endpoint.url], self)
        self.opened.append(ledger)
        return ledger


def test_the_preferred_endpoint_answers():
    world = World({"tip": 5}, {"tip": 6})
    assert world.guard.tip() == 5
    assert world.guard.endpoint == "http://n0"


@pytest.mark.parametrize("error", [Unreachable("down"), BadAnswer("garbage")])
def test_a_failing_endpoint_is_left_for_the_next(error):
    world = World({"tip": error}, {"tip": 6})
    assert world.guard.tip() == 6
    assert world.guard.endpoint == "http://n1"
    assert [status.failures for status in world.guard.status()] == [{type(error).__name__: 1}, {}]


@pytest.mark.parametrize("error", [Rejected("reverted", code="reverted"), Misconfigured("no such option")])
def test_what_the_ledger_or_the_configuration_says_moves_no_call(error):
    world = World({"tip": error}, {"tip": 6})
    with pytest.raises(type(error)) as caught:
        world.guard.tip()
    assert caught.value is error
    assert world.guard.endpoint == "http://n0"


@pytest.mark.parametrize("keeps_time", [False, True])
def test_anything_else_becomes_a_bad_answer_with_its_cause(keeps_time):
    world = World({"tip": KeyError("blockNumber")}, keeps_time=keeps_time)
    with pytest.raises(BadAnswer, match="cannot read") as caught:
        world.guard.tip()
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.endpoint == "http://n0"


def test_rests_grow_and_the_preferred_endpoint_comes_back():
    script = {"tip": Unreachable("down")}
    world = World(script, {"tip": 6})
    for rest in (*RESTS_S, RESTS_S[-1]):
        assert world.guard.tip() == 6
        assert world.guard.status()[0].rests_s == rest
        calls = world.guard.status()[0].calls
        world.now += rest - 0.5
        world.guard.tip()
        assert world.guard.status()[0].calls == calls
        world.now += 0.5
    script["tip"] = 9
    assert world.guard.tip() == 9
    script["tip"] = Unreachable("down again")
    world.guard.tip()
    assert world.guard.status()[0].rests_s == RESTS_S[0]


def test_an_endpoint_that_asks_for_a_longer_rest_gets_it():
    world = World({"tip": Unreachable("busy", retry_after_s=42)}, {})
    world.guard.tip()
    assert world.guard.status()[0].rests_s == 42


def test_a_rejection_shows_that_the_endpoint_is_well():
    script = {"tip": Unreachable("down")}
    world = World(script)
    with pytest.raises(Unreachable):
        world.guard.tip()
    script["tip"] = Rejected("no")
    with pytest.raises(Rejected):
        world.guard.tip()
    assert world.guard.status()[0].rests_s == 0


def test_the_only_endpoint_is_asked_though_it_rests():
    script = {"tip": Unreachable("down")}
    world = World(script)
    with pytest.raises(Unreachable, match="down"):
        world.guard.tip()
    script["tip"] = 3
    assert world.guard.tip() == 3


def test_of_resting_endpoints_the_one_whose_rest_ends_first_is_asked():
    first, second = {"tip": Unreachable("a", retry_after_s=90)}, {"tip": Unreachable("b")}
    world = World(first, second)
    with pytest.raises(Unreachable, match="b"):
        world.guard.tip()
    first["tip"], second["tip"] = 1, 2
    assert world.guard.tip() == 2


def test_an_accused_endpoint_rests_ten_minutes():
    world = World({"tip": 1}, {"tip": 2})
    assert world.guard.leave_endpoint("events do not fold") is True
    assert world.guard.tip() == 2
    status = world.guard.status()[0]
    assert (status.rests_s, status.last_error, status.failures) == (
        ACCUSED_REST_S,
        "events do not fold",
        {"Accused": 1},
    )
    world.now += ACCUSED_REST_S - 1
    assert world.guard.tip() == 2
    world.now += 1
    assert world.guard.tip() == 1


def test_an_accused_endpoint_is_not_asked_while_another_only_rests():
    second = {"tip": Unreachable("down")}
    world = World({"tip": 1}, second)
    world.guard.leave_endpoint("lied")
    with pytest.raises(Unreachable, match="down"):
        world.guard.tip()
    with pytest.raises(Unreachable, match="down"):
        world.guard.tip()


def test_the_only_endpoint_cannot_be_left():
    world = World({"tip": 1})
    assert world.guard.leave_endpoint("lied") is False
    assert world.guard.status()[0].rests_s == 0


def test_an_endpoint_of_another_chain_is_not_the_other_one():
    world = World(
        {"identity": LedgerIdentity(ChainId("eip155:8"), FIRST, "x", development=True)}, {}, expected_chain="eip155:7"
    )
    assert world.guard.tip() == 1
    assert world.guard.leave_endpoint("lied") is False


def test_the_wrong_chain_is_never_used():
    wrong = LedgerIdentity(ChainId("eip155:8"), FIRST, "fake", development=True)
    world = World({"identity": wrong, "tip": 99}, expected_chain="eip155:7")
    for _ in range(2):
        with pytest.raises(Misconfigured, match="is eip155:8, not eip155:7"):
            world.guard.tip()


def test_another_first_block_is_another_ledger():
    world = World({}, expected_chain="eip155:7", expected_first_block=b"\x02" * 32)
    with pytest.raises(Misconfigured, match="another ledger of the same name"):
        world.guard.tip()


@pytest.mark.parametrize(
    "other",
    [
        LedgerIdentity(ChainId("eip155:8"), FIRST, "fake", development=True),
        LedgerIdentity(CHAIN, BlockHash(b"\x02" * 32), "fake", development=True),
    ],
)
def test_a_second_endpoint_must_be_the_ledger_of_the_first(other):
    script = {"tip": 1}
    world = World(script, {"identity": other, "tip": 99})
    assert world.guard.tip() == 1
    script["tip"] = Unreachable("down")
    with pytest.raises(Misconfigured):
        world.guard.tip()
    script["tip"] = 2
    world.now += RESTS_S[0]
    assert world.guard.tip() == 2


def test_identity_is_asked_once_for_each_endpoint():
    asked = []

    def identity():
        asked.append(1)
        return LedgerIdentity(CHAIN, FIRST, "fake", development=True)

    world = World({"identity": identity})
    world.guard.tip()
    world.guard.tip()
    assert len(asked) == 1


def test_a_call_that_hangs_is_left_with_its_connection():
    held = threading.Event()
    hanging = {"tip": lambda: held.wait(30)}
    world = World(hanging, {"tip": 6}, timeout_s=0.01)
    assert world.guard.tip() == 6
    assert world.opened[0].closed
    assert "did not finish a call" in world.guard.status()[0].last_error
    held.set()
    hanging["tip"] = 7
    world.now += RESTS_S[0]
    assert world.guard.tip() == 7
    assert len(world.opened) == 3


@pytest.mark.parametrize(("keeps_time", "same"), [(True, True), (False, False)])
def test_an_adapter_that_keeps_time_needs_no_thread(keeps_time, same):
    world = World({"tip": lambda: threading.get_ident() % 2**40}, keeps_time=keeps_time)
    assert (world.guard.tip() == threading.get_ident() % 2**40) is same


@pytest.mark.parametrize("tip", [-1, True, "1", 2**64])
def test_a_height_is_a_number(tip):
    with pytest.raises(BadAnswer, match="64-bit"):
        World({"tip": tip}).guard.tip()


@pytest.mark.parametrize("headers", [[b"h"], "hh", [b"h", "h"], [b"h", b"h" * 1000]])
def test_headers_are_as_many_bytes_as_were_asked_for(headers):
    with pytest.raises(BadAnswer, match="headers"):
        World({"headers": headers}, max_answer_bytes=100).guard.headers(1, 2)


def test_answers_to_transactions_are_as_many_as_transactions():
    with pytest.raises(BadAnswer, match="answers to transactions"):
        World({"broadcast": [None]}).guard.broadcast([b"1", b"2"])


def test_a_ledger_needs_an_endpoint():
    with pytest.raises(Misconfigured, match="needs an endpoint"):
        World()


def test_closing_closes_every_connection():
    world = World({}, {})
    world.guard.close()
    assert [ledger.closed for ledger in world.opened] == [True, True]
    assert world.guard.tip() == 1
