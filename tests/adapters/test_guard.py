"""The guard: one error family, limits of time and form, failover and rests, the wrong chain, counts."""

import threading

import pytest

from adapters.endpoints import ACCUSED_REST_S, FORGOTTEN_S, RESTS_S
from adapters.panel import COMPARE_TIPS_S
from adapters.protocol import (
    BadAnswer,
    LedgerIdentity,
    Misconfigured,
    Rejected,
    Unreachable,
)
from schemas.primitives import BlockHash, ChainId
from tests.support.told_ledgers import CHAIN, FIRST, World


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


def test_what_the_configuration_says_moves_no_call():
    world = World({}, {})
    world.guard.tip()
    world.scripts["http://n0"]["headers"] = error = Misconfigured("no such option")
    with pytest.raises(Misconfigured) as caught:
        world.guard.headers(1, 1)
    assert caught.value is error
    assert world.guard.endpoint == "http://n0"


@pytest.mark.parametrize("code", ["no_state", "no_method", "other"])
def test_what_one_endpoint_refuses_another_may_answer_and_then_the_first_rests(code):
    script = {}
    world = World(script, {"headers": [b"good"]})
    world.guard.tip()
    script["headers"] = Rejected("n0 does not have block 1.", code=code)
    for number in range(7):
        assert world.guard.headers(1, 1) == [b"good"]
        rest = RESTS_S[min(number, len(RESTS_S) - 1)]
        status = world.guard.status()[0]
        assert status.rests_s == rest
        assert status.failures["Contradicted"] == number + 1
        assert status.last_error == "n0 does not have block 1. http://n1 did answer."
        world.now += rest
        world.guard.tip()  # a good answer in between does not make up for it


def test_contradictions_are_forgotten_in_the_end():
    script = {"headers": Rejected("no", code="no_state")}
    world = World(script, {})
    for _ in range(3):
        world.now += FORGOTTEN_S + 1
        world.guard.tip()
        world.guard.headers(1, 1)
    assert world.guard.status()[0].rests_s == RESTS_S[0]


def test_what_every_endpoint_refuses_is_refused_and_nobody_rests():
    error = Rejected("pruned", code="no_state")
    world = World({"tip": 6, "headers": error}, {"tip": 6, "headers": Rejected("gone", code="no_state")})
    with pytest.raises(Rejected) as caught:
        world.guard.headers(7, 9)
    assert caught.value is error
    assert [status.rests_s for status in world.guard.status()] == [0, 0]


@pytest.mark.parametrize(("code", "rests"), [("no_state", RESTS_S[0]), ("other", 0)])
def test_who_says_a_height_and_does_not_serve_it_rests(code, rests):
    honest = {"tip": 6, "headers": Rejected("no block 900", code=code)}
    world = World({"tip": 10**9, "headers": Rejected("not now", code=code)}, honest, honest)
    assert world.guard.tip() == 10**9
    with pytest.raises(Rejected):
        world.guard.headers(500, 900)
    assert [status.rests_s for status in world.guard.status()] == [rests, 0, 0]
    assert world.guard.tip() == (6 if rests else 10**9)


class TestTips:
    """Newest heights of all endpoints are held against one another."""

    @pytest.mark.parametrize("tips", [(100, 109, 110), (100, 109, 109, 109, 10**9), (0, 9)])
    def test_who_is_far_behind_the_middle_is_left_and_named(self, tips):
        world = World(*({"tip": tip} for tip in tips))
        assert world.guard.tip() == tips[1]
        status = world.guard.status()[0]
        assert status.rests_s == RESTS_S[0]
        assert (
            status.last_error
            == f"http://n0 is at block {tips[0]}, and others are at {tips[1] if len(tips) < 3 else 109}."
        )

    @pytest.mark.parametrize("tips", [(101, 109, 109), (100, 100, 10**9), (100, 108)])
    def test_who_is_a_little_behind_or_behind_one_that_boasts_is_not(self, tips):
        world = World(*({"tip": tip} for tip in tips))
        assert world.guard.tip() == tips[0]
        assert [status.rests_s for status in world.guard.status()] == [0] * len(tips)

    def test_it_is_done_every_ten_seconds_and_costs_nothing_between(self):
        world = World({"tip": 1}, {"tip": 1})
        calls = []
        for _ in range(4):
            for _ in range(3):
                world.guard.tip()
            calls.append(world.guard.status()[1].calls)
            world.now += COMPARE_TIPS_S / 2
        assert calls == [1, 1, 2, 2]


class TestBlame:
    """Only who said everything since the newest height was asked can be accused of it."""

    def test_who_answered_last_is_accused_though_a_better_one_came_back_meanwhile(self):
        script = {"tip": Unreachable("down")}
        world = World(script, {"tip": 2})
        world.guard.tip()
        script["tip"] = 1
        world.now += RESTS_S[0]  # the preferred endpoint is fit again before the lie is found
        assert world.guard.endpoint == "http://n1"
        assert world.guard.leave_endpoint("lied") is True
        assert [status.failures.get("Accused") for status in world.guard.status()] == [None, 1]

    def test_an_endpoint_cannot_get_another_accused_by_stopping_in_the_middle(self):
        liar = {}
        world = World(liar, {}, {})
        world.guard.tip()
        liar["headers"] = Unreachable("busy")
        world.guard.headers(1, 1)
        assert world.guard.endpoint == "http://n1"
        assert world.guard.leave_endpoint("events do not fold") is True
        assert [status.failures.get("Accused") for status in world.guard.status()] == [None, None, None]
        assert world.guard.status()[0].failures["Contradicted"] == 1
        assert "events do not fold" in world.guard.status()[0].last_error
        world.guard.tip()
        world.guard.leave_endpoint("events do not fold")
        assert [status.failures.get("Accused") for status in world.guard.status()] == [None, 1, None]

    def test_one_turn_stays_with_the_endpoint_that_answers(self):
        script = {"tip": Unreachable("down")}
        world = World(script, {"headers": [b"of n1"]})
        world.guard.tip()
        world.now += RESTS_S[0]
        assert world.guard.headers(1, 1) == [b"of n1"]
        script["tip"] = 5
        assert world.guard.tip() == 5


def test_who_cannot_even_say_what_it_is_does_not_keep_the_others_from_answering():
    world = World({"identity": Misconfigured("no Ethereum JSON-RPC")}, {"tip": 6})
    assert world.guard.tip() == 6
    assert world.guard.status()[0].rests_s == RESTS_S[0]
    with pytest.raises(Misconfigured, match="no Ethereum"):
        World({"identity": Misconfigured("no Ethereum JSON-RPC")}).guard.tip()


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
    with pytest.raises(Unreachable):
        world.guard.tip()
    assert world.guard.status()[1].failures == {"Misconfigured": 1}
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
