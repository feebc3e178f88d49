"""How long stages take: each message once, matched with the time at which it reached the stage before."""

import random
from itertools import pairwise

import pytest

from relay.journey import COUNTERS, Stage
from relay.metrics import lags
from relay.metrics.lags import BUCKETS_S, Histogram, Lags
from relay.store.reader import Reader
from tests.support.filled_hub import LANE, NOW
from tests.support.told_metrics import Scraped, filled_hub


@pytest.fixture
def hub(tmp_path):
    hub = filled_hub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane()
    yield hub
    hub.store.close()


def counted(told, **labels):
    """Messages and seconds of a histogram."""
    name = "relayhub_stage_seconds" if "stage" in labels else "relayhub_delivery_seconds"
    return told.get(f"{name}_count", **labels), told.get(f"{name}_sum", **labels)


def test_a_message_from_sending_to_settlement(hub):
    scraped = Scraped(hub, NOW)
    assert not scraped.ask().all("relayhub_stage_seconds_count")
    hub.message(1, sent_at=NOW)
    for number, stage in enumerate(Stage, start=1):
        hub.milestone(str(stage), 1, NOW + number * number)
    told = scraped.ask()
    at_source = {"final": 1, "proved": 3, "outcome_attested": 13, "settle_submitted": 15, "settled": 17}
    at_destination = {"attested": 5, "submitted": 7, "delivered": 9, "outcome_proved": 11}
    for ledger, stages in (("alpha", at_source), ("beta", at_destination)):
        for stage, seconds in stages.items():
            assert counted(told, ledger=ledger, stage=stage) == (1, seconds)
    assert counted(told, ledger="beta") == (1, 25)
    assert len(told.all("relayhub_stage_seconds_count")) == len(Stage)
    assert told.get("relayhub_stage_seconds_bucket", ledger="beta", stage="delivered", le="5.0") == 0
    assert told.get("relayhub_stage_seconds_bucket", ledger="beta", stage="delivered", le="10.0") == 1
    assert told.get("relayhub_stage_seconds_bucket", ledger="beta", stage="delivered", le="+Inf") == 1


def test_batches_of_unlike_sizes_meet_message_by_message(hub):
    scraped = Scraped(hub, NOW)
    scraped.ask()
    for nonce in range(1, 11):
        hub.message(nonce, sent_at=NOW + (0 if nonce <= 4 else 2))
    hub.milestone("final", 6, NOW + 10)
    hub.milestone("final", 10, NOW + 20)
    hub.milestone("proved", 3, NOW + 30)
    told = scraped.ask()
    assert counted(told, ledger="alpha", stage="final") == (10, 4 * 10 + 2 * 8 + 4 * 18)
    assert counted(told, ledger="alpha", stage="proved") == (3, 60)
    hub.milestone("proved", 10, NOW + 40)
    hub.milestone("attested", 10, NOW + 41)
    told = scraped.ask()
    assert counted(told, ledger="alpha", stage="proved") == (10, 60 + 3 * 30 + 4 * 20)
    assert counted(told, ledger="beta", stage="attested") == (10, 3 * 11 + 7 * 1)


def test_a_lane_without_signatures_is_measured_from_the_proof(hub):
    scraped = Scraped(hub, NOW)
    scraped.ask()
    hub.message(1, sent_at=NOW)
    for stage, at in (("final", 1), ("proved", 3), ("submitted", 10)):
        hub.milestone(stage, 1, NOW + at)
    assert counted(scraped.ask(), ledger="beta", stage="submitted") == (1, 7)


def test_what_was_on_its_way_before_is_not_counted_with_a_time_that_nobody_saw(hub):
    from sqlalchemy import update

    from relay.store.tables import lanes

    hub.message(1)
    hub.milestone("final", 5, NOW)
    with hub.store.write() as connection:
        connection.execute(update(lanes).values(final=5))
    scraped = Scraped(hub, NOW)
    scraped.ask()
    hub.message(6, sent_at=NOW)
    hub.milestone("proved", 4, NOW + 5)
    hub.milestone("final", 6, NOW + 6)
    hub.milestone("proved", 6, NOW + 8)
    told = scraped.ask()
    assert counted(told, ledger="alpha", stage="proved") == (1, 2)
    assert counted(told, ledger="alpha", stage="final") == (1, 6)


def test_a_stage_that_is_reached_again_after_a_setback_counts_once(hub):
    scraped = Scraped(hub, NOW)
    scraped.ask()
    hub.message(1, sent_at=NOW)
    hub.milestone("final", 1, NOW + 1)
    hub.milestone("proved", 1, NOW + 2)
    hub.milestone("proved", 1, NOW + 900)
    assert counted(scraped.ask(), ledger="alpha", stage="proved") == (1, 1)


def test_a_block_time_ahead_of_this_clock_makes_no_negative_time(hub):
    scraped = Scraped(hub, NOW)
    scraped.ask()
    hub.message(1, sent_at=NOW + 7)
    hub.milestone("final", 1, NOW)
    assert counted(scraped.ask(), ledger="alpha", stage="final") == (1, 0)


def test_more_messages_than_may_be_read_are_taken_by_their_first(hub, monkeypatch):
    monkeypatch.setattr(lags, "MESSAGES_AT_ONCE", 3)
    scraped = Scraped(hub, NOW)
    scraped.ask()
    hub.message(1, sent_at=NOW - 10)
    hub.milestone("final", 50, NOW)
    assert counted(scraped.ask(), ledger="alpha", stage="final") == (50, 500)


def test_a_process_that_was_not_asked_for_long_begins_anew(hub, monkeypatch):
    scraped = Scraped(hub, NOW)
    scraped.ask()
    monkeypatch.setattr(lags, "TOO_FAR_BEHIND", 2)
    hub.message(1, sent_at=NOW)
    for number in range(1, 5):
        hub.milestone("final", number, NOW)
    assert not scraped.ask().all("relayhub_stage_seconds_count")
    hub.message(5, sent_at=NOW - 2)
    hub.milestone("final", 5, NOW)
    assert sum(scraped.ask().all("relayhub_stage_seconds_count").values()) > 0


def test_milestones_of_a_lane_that_is_over_count_nothing(hub):
    scraped = Scraped(hub, NOW)
    scraped.ask()
    from relay.store.tables import milestones

    hub.add(milestones, lane_id=b"\x01" * 32, stage="final", nonce=1, at=NOW)
    hub.add(milestones, lane_id=LANE, stage="unheard-of", nonce=1, at=NOW)
    assert not scraped.ask().all("relayhub_stage_seconds_count")


def test_buckets_hold_what_is_at_most_their_bound():
    histogram = Histogram()
    for seconds in (0.0, -5.0, 0.1, 0.10001, 21_600.0, 21_601.0):
        histogram.add(seconds, 2)
    assert [count for _, count in histogram.cumulative()][:2] == [6, 8]
    assert histogram.cumulative()[-2:] == [("21600.0", 10.0), ("+Inf", 12.0)]
    assert len(histogram.cumulative()) == len(BUCKETS_S) + 1


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_batches_gives_each_message_its_own_time(hub, seed):
    """A naive reckoning message by message agrees."""
    dice = random.Random(seed)
    found = Lags()
    lanes = [{"lane_id": LANE, "source": "alpha", "destination": "beta", **dict.fromkeys(COUNTERS.values(), 0)}]
    with Reader(hub.store.url) as reader:
        found.update(reader, lanes)
    total, now, rows = 30, NOW, []
    for nonce in range(1, total + 1):
        hub.message(nonce, sent_at=NOW + dice.choice((0, nonce)))
    reached = {str(stage): 0 for stage in Stage}
    reads = dice.sample(range(400), 5)
    for turn in range(400):
        now += dice.random() * 5
        stages = [str(stage) for stage in Stage]
        place = dice.randrange(len(stages))
        most = total if place == 0 else reached[stages[place - 1]]
        if most > reached[stages[place]]:
            reached[stages[place]] = dice.randint(reached[stages[place]] + 1, most)
            rows.append((stages[place], reached[stages[place]], now))
            hub.milestone(*rows[-1])
        if turn in reads:
            with Reader(hub.store.url) as reader:
                found.update(reader, lanes)
    with Reader(hub.store.url) as reader:
        found.update(reader, lanes)
        sent = {row["nonce"]: row["sent_at"] for row in reader.rows("SELECT nonce, sent_at FROM messages")}
    times = {"sent": sent}
    for stage in map(str, Stage):
        times[stage] = {
            nonce: min(at for name, last, at in rows if name == stage and last >= nonce)
            for nonce in range(1, reached[stage] + 1)
        }
    order = ["sent", *map(str, Stage)]
    for earlier, stage in pairwise(order):
        waited = [max(at - times[earlier][nonce], 0) for nonce, at in times[stage].items()]
        ledger = "alpha" if stage in lags.AT_SOURCE else "beta"
        histogram = found.stages[ledger, stage]
        assert (sum(histogram.counts), pytest.approx(histogram.total_s)) == (len(waited), sum(waited))
    waited = [at - sent[nonce] for nonce, at in times["delivered"].items()]
    assert sum(found.deliveries["beta"].counts) == len(waited)
    assert found.deliveries["beta"].total_s == pytest.approx(sum(max(seconds, 0) for seconds in waited))
