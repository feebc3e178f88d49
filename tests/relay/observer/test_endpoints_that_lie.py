"""What an endpoint says wrongly, twice, in disorder or not at all: noticed, never stored, and never the end of a lane."""

from dataclasses import replace

import pytest

from adapters.protocol import HeadMoved, MessageDelivered, MessageSent
from relay.store.tables import incidents, messages, outcomes, transactions
from tests.support.memory_hub import RECEIVER, REVERTING

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
FAULTS = ("unreachable", "truncated", "events_lie", "events_dropped", "events_doubled", "events_reordered", "heads_lie")
LIES = ("events_lie", "events_dropped", "events_reordered", "heads_lie")


def traffic(hub):
    for number in range(3):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=REVERTING)


def on_its_way(hub):
    """What was sent is in beta's pool."""
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)
    hub.chain_task("beta")


def says(hub, name, change, endpoint=0):
    """Endpoint `endpoint` says what `change` makes of its events."""
    ledger = hub.context.ledger(hub.context.chain(name))._seats[endpoint].ledger
    honest = ledger.events
    ledger.events = lambda *asked: change(honest(*asked))
    return lambda: setattr(ledger, "events", honest)


def without(*kinds):
    return lambda events: [event for event in events if not isinstance(event, kinds)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("ledger", ["alpha", "beta"])
def test_with_another_endpoint_nothing_false_is_stored_and_nothing_lost(make_hub, fault, ledger):
    hub = make_hub(endpoints=2)
    setattr(hub.faults(ledger), fault, True)
    traffic(hub)
    for _ in range(12):
        hub.mine()
        hub.turn()
        hub.check()
    assert [hub.journey(*lane).settled for lane in (OUT, HOME)] == [3, 3]
    assert (hub.journey(*OUT).executed, hub.journey(*HOME).failed) == (3, 3)
    assert hub.rows(incidents) == []


@pytest.mark.parametrize("fault", LIES)
@pytest.mark.parametrize("ledger", ["alpha", "beta"])
def test_alone_the_lane_waits_says_so_and_goes_on_when_the_lie_ends(make_hub, fault, ledger):
    hub = make_hub()
    hub.mine()
    hub.turn()
    setattr(hub.faults(ledger), fault, True)
    traffic(hub)
    for _ in range(4):
        hub.mine()
        hub.turn()
        hub.check()
    assert hub.code("chain", ledger) == "endpoint_accused"
    assert hub.journey(ledger, "beta" if ledger == "alpha" else "alpha").final == 0
    setattr(hub.faults(ledger), fault, False)
    hub.settle_down(hurry=True)
    hub.check()
    assert hub.code("chain", ledger) == ""


class TestHidden:
    """All events of a block are left out: the bloom filter of the sealed header says that there were some."""

    def test_messages_that_are_hidden_are_noticed(self, hub):
        hub.mine()
        hub.chain_task()
        tell = says(hub, "alpha", lambda _: [])
        traffic(hub)
        hub.mine()
        hub.chain_task()
        assert hub.code("chain", "alpha") == "endpoint_accused"
        assert "HeadMismatch" in hub.wait_of("chain", "alpha").text
        assert hub.context.chain("alpha").observed_height < hub.ledgers["alpha"].height
        tell()
        hub.settle_down(hurry=True)
        hub.check()

    def test_outcomes_that_are_hidden_are_noticed(self, hub):
        traffic(hub)
        on_its_way(hub)
        tell = says(hub, "beta", without(MessageDelivered, HeadMoved))
        hub.mine("beta")
        hub.chain_task("beta")
        assert hub.code("chain", "beta") == "endpoint_accused"
        assert hub.journey(*OUT).delivered == 0
        tell()
        hub.settle_down(hurry=True)
        hub.check()

    def test_a_block_hidden_while_the_hub_was_far_behind_is_noticed_by_proof_alone(self, hub, monkeypatch):
        from relay import following

        monkeypatch.setattr(following, "HEADERS_A_LOOK", 3)
        traffic(hub)
        for _ in range(8):
            hub.mine()
        tell = says(hub, "alpha", lambda _: [])
        hub.chain_task("alpha")
        assert hub.code("chain", "alpha") == "endpoint_accused"
        assert hub.journey(*OUT).final == 0
        tell()
        hub.settle_down(hurry=True)
        hub.check()

    def test_an_honest_block_of_another_lane_costs_no_proof(self, hub):
        hub.mine()
        hub.chain_task()
        hub.send(*OUT, b"x")
        hub.mine("alpha")
        ledger = hub.context.ledger(hub.context.chain("alpha"))
        asked = []
        evidence = ledger.evidence
        ledger.evidence = lambda gateway, wanted, height: asked.extend(wanted) or evidence(gateway, wanted, height)
        hub.chain_task("alpha")
        assert asked == [(hub.lane_ids[OUT], 0)]

    def test_a_settlement_that_was_hidden_is_read_again(self, hub):
        hub.send(*OUT, b"x", receiver=RECEIVER)
        tell = says(hub, "alpha", without(HeadMoved))
        for _ in range(8):
            hub.mine()
            hub.turn()
        assert hub.journey(*OUT).settled == 0
        hub.forget_times()
        hub.chain_task("alpha")
        assert hub.journey(*OUT).settled == 0
        assert hub.rows(transactions, transactions.c.purpose == "settle")[0].state == "sent"
        tell()
        for _ in range(2):
            hub.forget_times()
            hub.chain_task("alpha")
        assert hub.journey(*OUT).settled == 1
        assert len(hub.rows(transactions, transactions.c.purpose == "settle")) == 1
        hub.check()


class TestSettled:
    """No slot shows the settled head; it is held against the proved outcomes."""

    def said(self, hub, **changes):
        hub.send(*OUT, b"x", receiver=RECEIVER)
        hub.settle_down()
        hub.send(*OUT, b"y", receiver=RECEIVER)

        def lie(events):
            lies = [
                HeadMoved(event.lane_id, 3, event.message.nonce, event.head, event.position)
                for event in events
                if isinstance(event, MessageSent)
            ]
            return events + [replace(event, **changes) for event in lies]

        tell = says(hub, "alpha", lie)
        hub.mine()
        hub.chain_task("alpha")
        return tell

    def test_more_than_the_destination_consumed_is_not_believed(self, hub):
        tell = self.said(hub, nonce=(1 << 63) - 1)
        assert hub.journey(*OUT).settled == 1
        tell()
        hub.settle_down(hurry=True)
        hub.check()

    def test_another_head_than_the_outcomes_have_accuses(self, hub):
        tell = self.said(hub, nonce=1)
        assert "SettledDoesNotFold" in hub.wait_of("chain", "alpha").text
        assert hub.journey(*OUT).final == 1
        tell()
        hub.settle_down(hurry=True)
        hub.check()


class TestMessages:
    @pytest.mark.parametrize(
        ("changes", "name"),
        [
            ({"payload": b"other"}, "MessageMalformed"),
            ({"payload": b"", "payload_length": 1}, "PayloadHidden"),
            ({"gas_limit": 1}, "EventDoesNotFold"),
            ({"nonce": 2}, "EventDoesNotFold"),
        ],
    )
    def test_a_field_that_is_false_is_refused_by_name(self, hub, changes, name):
        hub.send(*OUT, b"x")
        hub.mine()

        def lie(events):
            return [
                replace(event, message=replace(event.message, **changes)) if isinstance(event, MessageSent) else event
                for event in events
            ]

        says(hub, "alpha", lie)
        hub.chain_task("alpha")
        assert name in hub.wait_of("chain", "alpha").text
        assert hub.rows(messages) == []

    def test_a_false_id_or_head_is_refused(self, hub):
        hub.send(*OUT, b"x")
        hub.mine()
        for field in ("message_id", "head"):
            tell = says(
                hub,
                "alpha",
                lambda events, field=field: [
                    replace(event, **{field: type(getattr(event, field))(b"\x11" * 32)})
                    if isinstance(event, MessageSent)
                    else event
                    for event in events
                ],
            )
            hub.chain_task("alpha")
            assert "EventDoesNotFold" in hub.wait_of("chain", "alpha").text
            tell()
        assert hub.rows(messages) == []


class TestOutcomes:
    @pytest.mark.parametrize("field", ["status", "result", "nonce", "head_moved"])
    def test_a_false_outcome_is_refused(self, hub, field):
        hub.send(*OUT, b"x", receiver=RECEIVER)
        on_its_way(hub)
        hub.mine("beta")

        def lie(events):
            changed = []
            for event in events:
                if isinstance(event, MessageDelivered) and field != "head_moved":
                    value = {"status": type(event.status)(2), "result": b"else", "nonce": 2}[field]
                    changed.append(replace(event, **{field: value}))
                elif isinstance(event, HeadMoved) and field == "head_moved" and event.direction == 1:
                    changed.append(replace(event, head=type(event.head)(b"\x11" * 32)))
                else:
                    changed.append(event)
            return changed

        tell = says(hub, "beta", lie)
        hub.chain_task("beta")
        assert hub.code("chain", "beta") == "endpoint_accused"
        assert hub.rows(outcomes) == []
        tell()
        hub.settle_down(hurry=True)
        hub.check()
