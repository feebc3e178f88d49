"""Ledgers that take a request and never answer: with two of them and two workers, a healthy lane must hardly notice."""

import time
from types import SimpleNamespace

import pytest

from adapters.memory.adapter import MemoryLedger
from adapters.protocol import Misconfigured, Unreachable
from relay import work as work_module
from relay.context import REQUEST_TIMEOUT_S, Context
from relay.errors import BadInput
from relay.steps import look as look_step
from relay.steps.trouble import LONGEST_REST_S, REST_FOR_EACH_S
from relay.store.waits import is_due
from relay.submitter import Submitter
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")
HEALTHY = ("alpha", "gamma")


class Silence:
    """Ledgers that swallow every request until its time is over; the clock is the test's."""

    def __init__(self, monkeypatch, hub, *names):
        self.now, self.asked = 0.0, 0
        self.names = {url for name in names for url in hub.urls[name]}
        self.cost_s = REQUEST_TIMEOUT_S
        check = MemoryLedger._check

        def swallow(ledger):
            if ledger.endpoint in self.names:
                self.asked += 1
                self.now += self.cost_s
                raise Unreachable(f"{ledger.endpoint} did not answer.", endpoint=ledger.endpoint)
            check(ledger)

        monkeypatch.setattr(MemoryLedger, "_check", swallow)
        monkeypatch.setattr(look_step, "time", SimpleNamespace(monotonic=lambda: self.now))


def test_a_silent_ledger_has_a_fifth_of_a_worker_at_most(make_hub, monkeypatch):
    hub = make_hub(names=("alpha", "beta", "gamma", "delta"), pairs=[OUT, ("alpha", "delta"), HEALTHY])
    silence = Silence(monkeypatch, hub, "beta", "delta")
    for lane in hub.lane_ids:
        hub.send(*lane, b"x", receiver=RECEIVER)
    for _ in range(12):
        hub.mine()
        hub.turn()
    assert hub.journey(*HEALTHY).settled == 1
    assert silence.asked == 2  # each once, however often their tasks came: nothing of them is due
    for name in ("beta", "delta"):
        row = hub.wait_of("chain", name)
        assert (row.code, row.party) == ("endpoint_slow", f"chain {name}")
        assert row.next_at - row.since == pytest.approx(REQUEST_TIMEOUT_S * REST_FOR_EACH_S, abs=2)
        assert hub.code("lane", "alpha", name) == "destination_down"
    silence.names = set()
    hub.settle_down(hurry=True)
    hub.check()


def test_what_is_to_be_sent_is_not_asked_about_when_the_look_was_not_answered(hub, monkeypatch):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    for _ in range(3):
        hub.mine("alpha")
        hub.turn()
    silence = Silence(monkeypatch, hub, "beta")
    hub.forget_times()
    hub.chain_task("beta")
    assert silence.asked == 1


def test_no_rest_is_longer_than_a_minute_and_a_quick_refusal_needs_none(hub, monkeypatch):
    silence = Silence(monkeypatch, hub, "beta")
    silence.cost_s = 1_000.0
    hub.chain_task("beta")
    row = hub.wait_of("chain", "beta")
    assert row.next_at - row.since == pytest.approx(LONGEST_REST_S, abs=2)
    hub.forget_times()
    silence.cost_s = 0.0
    hub.chain_task("beta")
    hub.chain_task("beta")
    assert hub.code("chain", "beta") == "endpoint_unreachable"
    assert silence.asked == 3  # a refused connection is asked again whenever there is a reason


def test_a_worker_waits_for_one_answer_only_so_long(hub):
    ledger = Context(hub.home).ledger(hub.context.chain("alpha"))
    assert ledger._options.timeout_s == REQUEST_TIMEOUT_S <= 5


@pytest.mark.parametrize("kind", ["chain", "lane"])
def test_an_error_of_our_own_is_named_and_ends_when_it_does(hub, monkeypatch, kind):
    which = ("alpha",) if kind == "chain" else OUT
    identifier = "alpha" if kind == "chain" else hub.lane_ids[OUT].hex()

    def broken(*_):
        raise KeyError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(work_module, "look" if kind == "chain" else "propose_claims", broken)
        hub.work(kind, identifier)
    row = hub.wait_of(kind, *which)
    assert (row.code, row.party) == ("hub_failed", "hub's owner")
    assert "KeyError: 'nobody thought of this'" in row.text
    assert not is_due(row.next_at, time.time())
    hub.work(kind, identifier)
    assert hub.code(kind, *which) == ""


def test_a_refused_configuration_of_our_own_is_named_too(hub, monkeypatch):
    def broken(*_):
        raise BadInput("The home cannot be read.", "Look.")

    monkeypatch.setattr(work_module, "look", broken)
    hub.chain_task("alpha")
    assert hub.code("chain", "alpha") == "hub_failed"


def test_an_endpoint_that_cannot_even_be_opened_is_a_wait(hub, monkeypatch):
    def unusable(*_):
        raise Misconfigured("'gopher://x' is no endpoint.")

    monkeypatch.setattr(Context, "ledger", unusable)
    monkeypatch.setattr(Submitter, "run", lambda _: set())
    hub.chain_task("alpha")
    row = hub.wait_of("chain", "alpha")
    assert row.code == "endpoint_bad_answer"
    assert "gopher" in row.text
