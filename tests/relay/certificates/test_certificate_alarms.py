"""Certificates of a ledger: named 30 days before they end by the log, the status and the doctor, and again once replaced."""

import time

import pytest
from sqlalchemy import select

from adapters.memory.adapter import MemoryLedger
from adapters.protocol import CertificateState, Misconfigured
from relay import certificate_watch, doctor
from relay.certificate_ends import AHEAD_S, DAY_S, alarms_of, earliest
from relay.certificate_watch import CertificateWatch
from relay.steps.certificates import note_certificates
from relay.store import Lease
from relay.store.tables import chains
from relay.views.status import hub_status
from relay.views.status_text import render, render_chain
from tests.support.filled_hub import NOW, FilledHub


def certificate(name, ends_in_s, now=NOW):
    return {"name": name, "not_after": int(now + ends_in_s)}


class FakeLedger:
    """A ledger that has certificates, or cannot read them."""

    endpoint = "fake"

    def __init__(self, *states, error=None):
        self.states, self.error, self.asked = list(states), error, 0

    def certificates(self):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.states


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    yield hub
    hub.store.close()


@pytest.fixture
def now(monkeypatch):
    """Monotonic seconds that a test moves."""
    moment = [1000.0]
    monkeypatch.setattr(certificate_watch.time, "monotonic", lambda: moment[0])
    return moment


class TestAlarms:
    def test_none_is_used(self):
        assert alarms_of([], NOW) == []
        assert earliest([]) is None

    @pytest.mark.parametrize(
        ("ends_in_s", "code", "said"),
        [
            (AHEAD_S + 1, "", ""),
            (AHEAD_S, "certificate_ends", "in 30 days"),
            (DAY_S + 60, "certificate_ends", "tomorrow"),
            (60, "certificate_ends", "today"),
            (0, "certificate_ended", "ended at 2027-01-15 08:00 UTC"),
            (-DAY_S, "certificate_ended", "ended at 2027-01-14 08:00 UTC"),
        ],
    )
    def test_thirty_days_ahead(self, ends_in_s, code, said):
        found = alarms_of([certificate("peer.pem", ends_in_s)], NOW)
        assert [alarm.code for alarm in found] == ([code] if code else [])
        assert all(said in alarm.text and "peer.pem" in alarm.text for alarm in found)
        assert all(alarm.ended == (code == "certificate_ended") for alarm in found)

    def test_the_most_urgent_first(self):
        given = [certificate("b", 20), certificate("far", 40 * DAY_S), certificate("a", -5)]
        assert [alarm.name for alarm in alarms_of(given, NOW)] == ["a", "b"]
        assert earliest(given)["name"] == "a"


class TestWatch:
    def test_at_most_once_a_minute_each_ledger(self, now):
        watch, ledger = CertificateWatch("test"), FakeLedger(CertificateState("own.pem", int(NOW) + 400 * DAY_S))
        assert watch.look("alpha", ledger, NOW) == [certificate("own.pem", 400 * DAY_S)]
        assert watch.look("alpha", ledger, NOW) is None
        assert watch.look("beta", ledger, NOW) is not None
        now[0] += 61
        assert watch.look("alpha", ledger, NOW) is not None
        assert ledger.asked == 3

    def test_warns_once_a_day_until_it_is_replaced(self, now, logged):
        watch, ledger = CertificateWatch("test"), FakeLedger(CertificateState("own.pem", int(NOW) + DAY_S + 60))
        for pause_s in (0, 61, 3600, 86_400):
            now[0] += pause_s
            watch.look("alpha", ledger, NOW)
        said = [entry for entry in logged if entry["event"] == "certificate_ends"]
        assert [(entry["chain"], entry["certificate"], entry["log_level"]) for entry in said] == [
            ("alpha", "own.pem", "warning")
        ] * 2
        assert "read again by itself" in said[0]["next_step"]
        ledger.states = [CertificateState("own.pem", int(NOW) + 400 * DAY_S)]
        now[0] += 90_000
        watch.look("alpha", ledger, NOW)
        assert len([entry for entry in logged if entry["event"] == "certificate_ends"]) == 2

    def test_one_that_cannot_be_read_is_said_and_changes_nothing(self, now, logged):
        watch = CertificateWatch("test")
        assert watch.look("alpha", FakeLedger(error=Misconfigured("own.pem is none.")), NOW) is None
        assert [entry["event"] for entry in logged] == ["certificates_unread"]


class TestWorker:
    def test_keeps_what_it_saw(self, hub, now):
        hub.chain("alpha", 1)
        lease = Lease.take(hub.store, "chain", "alpha")
        watch, ledger = CertificateWatch("test"), FakeLedger()

        def stored():
            with hub.store.read() as connection:
                return connection.execute(select(chains)).one()

        note_certificates(lease, stored(), ledger, watch)
        assert stored().certificates is None
        for states in ([CertificateState("a.pem", 5)], [CertificateState("a.pem", 9)], []):
            ledger.states = states
            now[0] += 61
            note_certificates(lease, stored(), ledger, watch)
            assert stored().certificates == [{"name": state.name, "not_after": state.not_after} for state in states]
        ledger.states = [CertificateState("a.pem", 5)]
        note_certificates(lease, stored(), ledger, watch)  # too soon
        assert stored().certificates == []


class TestStatus:
    def test_says_the_earliest_end_and_what_to_do(self, hub):
        hub.chain("alpha", 1, certificates=[certificate("far.pem", 90 * DAY_S), certificate("own.pem", DAY_S + 60)])
        data = hub_status(hub.home, NOW)["chains"][0]
        assert (data["certificate"], data["certificate_ends_in_s"]) == ("own.pem", DAY_S + 60)
        assert [(alarm["code"], alarm["party"]) for alarm in data["alarms"]] == [("certificate_ends", "hub's owner")]
        text = render(hub_status(hub.home, NOW), NOW)
        waiting = text[text.index("Waiting") :]
        assert "ledger alpha: certificate_ends, for hub's owner. The certificate own.pem ends tomorrow" in waiting
        assert "Put a renewed certificate in its place; it is read again by itself." in waiting
        assert "far.pem" not in waiting
        assert "certificate_ends," in render_chain(data, NOW)

    def test_one_that_has_ended(self, hub):
        hub.chain("alpha", 1, certificates=[certificate("own.pem", -60)])
        text = render(hub_status(hub.home, NOW), NOW)
        assert "certificate_ended, for hub's owner. The certificate own.pem ended at" in text
        row = next(line for line in text.splitlines() if line.startswith("alpha"))
        assert " ended " in row

    @pytest.mark.parametrize("certificates", [None, [], [{"name": "far.pem", "not_after": int(NOW) + 90 * DAY_S}]])
    def test_nothing_to_say(self, hub, certificates):
        hub.chain("alpha", 1, certificates=certificates)
        data = hub_status(hub.home, NOW)
        assert data["chains"][0]["alarms"] == []
        assert data["chains"][0]["certificate_ends_in_s"] == (90 * DAY_S if certificates else None)
        assert "Waiting" not in render(data, NOW)

    def test_a_retired_ledger_alarms_nobody(self, hub):
        hub.chain("alpha", 1, state="retired", certificates=[certificate("own.pem", -60)])
        assert hub_status(hub.home, NOW)["chains"][0]["alarms"] == []


class TestDoctor:
    def findings(self, hub, monkeypatch, *states):
        """What the doctor says of a ledger's certificates; every endpoint has the same."""
        opened = []

        class Ledger(FakeLedger):
            def tip(self):
                return 7

            def close(self):
                opened.append("closed")

        def opens(name, options):
            opened.append(options.extra)
            return Ledger(*states)

        monkeypatch.setattr("adapters.registry.open_ledger", opens)
        monkeypatch.setattr("relay.clients.adapter_options", lambda *_: {"tls_roots": "ca.pem"})
        monkeypatch.setattr("light_clients.families.client_named", lambda _: _Client)
        endpoints = [{"url": "http://127.0.0.1:1", "operator": ""}, {"url": "http://127.0.0.1:2", "operator": ""}]
        hub.chain("alpha", 1, endpoints=endpoints)
        found = list(doctor._ledgers(hub.home, hub.home.load()))
        assert opened == [{"tls_roots": "ca.pem"}, "closed"] * 2
        return [item for item in found if item.check == "certificates"]

    def test_a_warning_before_and_a_failure_after_the_end(self, hub, monkeypatch):
        now = int(time.time())
        found = self.findings(
            hub,
            monkeypatch,
            CertificateState("own.pem", now + DAY_S + 3600),
            CertificateState("node.pem", now - 5),
            CertificateState("far.pem", now + 90 * DAY_S),
        )
        assert [(item.ok, item.warning) for item in found] == [(False, False), (True, True)]
        assert "alpha: The certificate node.pem ended" in found[0].text
        assert "alpha: The certificate own.pem ends tomorrow" in found[1].text
        assert all("read again by itself" in item.next_step for item in found)

    def test_none(self, hub, monkeypatch):
        assert self.findings(hub, monkeypatch) == []

    def test_a_ledger_that_cannot_be_opened_is_a_finding(self, hub, monkeypatch):
        def refuses(name, options):
            raise Misconfigured("The option tls_roots names no file.")

        monkeypatch.setattr("adapters.registry.open_ledger", refuses)
        monkeypatch.setattr("relay.clients.adapter_options", lambda *_: {})
        monkeypatch.setattr("light_clients.families.client_named", lambda _: _Client)
        hub.chain("alpha", 1)
        found = list(doctor._ledgers(hub.home, hub.home.load()))
        assert [(item.check, item.ok) for item in found if "tls_roots" in item.text] == [("ledgers", False)]


class _Client:
    """A light client of which the state never expires."""

    expires_at = 0

    @classmethod
    def state_from_bytes(cls, _data):
        return cls


class TestChainTask:
    def test_a_worker_looks_also_where_it_cannot_follow(self, make_hub, monkeypatch):
        memory, looked = make_hub(), {}
        monkeypatch.setattr("relay.steps.certificates._WATCH._looked", looked)
        for number, unreachable in enumerate((False, True)):
            seen = [CertificateState("own.pem", number)]
            monkeypatch.setattr(MemoryLedger, "certificates", lambda _, seen=seen: seen)
            memory.faults("alpha").unreachable = unreachable
            memory.chain_task("alpha")
            assert memory.context.chain("alpha").certificates == [{"name": "own.pem", "not_after": number}]
            looked.clear()
        assert memory.code("chain", "alpha") == "endpoint_unreachable"
