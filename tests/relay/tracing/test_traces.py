"""Traces of settled messages: what a collector gets, over failures of the collector and kills of the process."""

import os
import subprocess
import sys
import time

import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from relay.config import HubConfig
from relay.journey import Stage
from relay.store.tables import lanes, settings
from relay.supervisor import children_of
from relay.tracing.configuration import Tracing
from relay.tracing.exporter import Exporter
from relay.tracing.journeys import Place, is_sampled, span_id, trace_id
from relay.tracing.process import PLACE, Tracer
from tests.support.collector import Collector
from tests.support.filled_hub import LANE, NOW, message_id
from tests.support.told_metrics import filled_hub

GENEROUS_S = 120


@pytest.fixture
def hub(tmp_path):
    hub = filled_hub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane()
    yield hub
    hub.store.close()


@pytest.fixture
def collector():
    with Collector() as collector:
        yield collector


class Kept:
    """Takes spans, unless it is away."""

    def __init__(self):
        self.portions = []
        self.away = False

    def tell(self, spans):
        if not self.away:
            self.portions.append(list(spans))
        return not self.away

    @property
    def spans(self):
        return [span for portion in self.portions for span in portion]


def settle(hub, first, last, *, status=1, skipped=(), begin=NOW):
    """A lane's messages go through every stage, a second each."""
    for nonce in range(first, last + 1):
        hub.message(nonce, sent_at=begin)
        hub.outcome(nonce, status)
    for number, stage in enumerate(Stage, start=1):
        if stage not in skipped:
            hub.milestone(str(stage), last, begin + number, height=number, reference=bytes([number]) * 32)


def place(hub):
    with hub.store.read() as connection:
        return connection.execute(select(settings.c.value).where(settings.c.name == PLACE)).scalar_one_or_none()


def attributes(span):
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def test_a_message_is_one_trace_with_a_span_a_stage(hub, collector):
    exporter = Exporter(collector.url, "trade “lanes”")
    tracer = Tracer(hub.store, exporter, 1.0)
    assert tracer.turn()
    settle(hub, 1, 1)
    assert tracer.turn()
    exporter.close()
    (request,) = collector.requests
    resource = {item.key: item.value.string_value for item in request.resource_spans[0].resource.attributes}
    assert (resource["service.name"], resource["service.instance.id"]) == ("relayhub", "trade “lanes”")
    whole = {span.name: span for span in collector.spans}
    assert set(whole) == {"message", *map(str, Stage)}
    root = whole.pop("message")
    assert root.trace_id == message_id(1)[:16]
    assert root.parent_span_id == b""
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (NOW * 10**9, (NOW + 9) * 10**9)
    assert root.status.code == root.status.STATUS_CODE_OK
    about = attributes(root)
    assert about["relayhub.message.id"] == "0x" + message_id(1).hex()
    assert about["relayhub.lane.id"] == "0x" + LANE.hex()
    assert (about["relayhub.lane.source"], about["relayhub.lane.destination"]) == ("alpha", "beta")
    assert (about["relayhub.message.nonce"], about["relayhub.message.outcome"]) == (1, "executed")
    end = root.start_time_unix_nano
    for number, stage in enumerate(Stage, start=1):
        span = whole[str(stage)]
        assert (span.trace_id, span.parent_span_id) == (root.trace_id, root.span_id)
        assert span.start_time_unix_nano == end
        assert span.end_time_unix_nano == end + 10**9
        assert attributes(span) == {
            "relayhub.ledger.height": number,
            "relayhub.reference": "0x" + (bytes([number]) * 32).hex(),
        }
        end = span.end_time_unix_nano
    assert len({span.span_id for span in collector.spans}) == 10


@pytest.mark.parametrize(("status", "name"), [(2, "failed"), (3, "expired"), (4, "refused")])
def test_a_message_without_effect_is_marked(hub, status, name):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    settle(hub, 1, 1, status=status)
    tracer.turn()
    assert [span.failed for span in kept.spans if span.name == "message"] == [name]
    assert {span.failed for span in kept.spans if span.name != "message"} == {""}


def test_stages_that_a_lane_does_not_have_are_left_out(hub):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    settle(hub, 1, 1, skipped=(Stage.ATTESTED, Stage.OUTCOME_ATTESTED))
    tracer.turn()
    spans = {span.name: span for span in kept.spans}
    assert "attested" not in spans
    assert (spans["submitted"].start_s, spans["submitted"].end_s) == (NOW + 2, NOW + 4)


def test_clocks_that_differ_make_no_span_that_ends_before_it_begins(hub):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    hub.message(1, sent_at=NOW + 5)
    for stage in Stage:
        hub.milestone(str(stage), 1, NOW)
    tracer.turn()
    assert {(span.start_s, span.end_s) for span in kept.spans} == {(NOW + 5, NOW + 5)}


def test_what_was_settled_before_tracing_began_is_not_told(hub):
    settle(hub, 1, 3)
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    settle(hub, 4, 5)
    tracer.turn()
    assert {span.trace_id for span in kept.spans} == {trace_id(message_id(nonce)) for nonce in (4, 5)}


def test_each_message_is_told_once_however_it_was_batched(hub):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    hub.lane(lane_id=b"\x01" * 32, channel="second")
    settle(hub, 1, 7)
    hub.milestone("settled", 7, NOW + 99)
    tracer.turn()
    settle(hub, 8, 230)
    tracer.turn()
    tracer.turn()
    told = [span for span in kept.spans if span.name == "message"]
    assert len(told) == len({span.span_id for span in told}) == 230
    assert max(map(len, kept.portions)) < 2_500


def test_a_share_of_messages_is_the_same_for_whoever_asks(hub):
    half, all_of_them = Kept(), Kept()
    for kept, ratio in ((half, 0.5), (all_of_them, 1.0)):
        Tracer(hub.store, kept, ratio).turn()
    settle(hub, 1, 5)
    for kept, ratio in ((half, 0.5), (all_of_them, 1.0)):
        with hub.store.write() as connection:
            connection.execute(
                update(settings).where(settings.c.name == PLACE).values(value={"milestone": 0, "nonce": 0})
            )
        Tracer(hub.store, kept, ratio).turn()
    chosen = {span.trace_id for span in all_of_them.spans if is_sampled(span.trace_id, 0.5)}
    assert {span.trace_id for span in half.spans} == chosen
    assert not any(is_sampled(number << 64 | 1 << 63, 0.5) for number in range(9))
    assert is_sampled(2**128 - 1, 1.0)
    assert not is_sampled(1 << 64, 0.0)


def test_a_collector_that_is_away_loses_nothing(hub):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    settle(hub, 1, 150)
    kept.away, before = True, place(hub)
    assert not tracer.turn()
    assert place(hub) == before
    kept.away = False
    assert tracer.turn()
    assert sum(span.name == "message" for span in kept.spans) == 150


def test_a_portion_within_a_batch_is_gone_on_from(hub):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    settle(hub, 1, 250)
    stop_after_one = iter((False, True))
    tracer.turn(lambda: next(stop_after_one))
    assert place(hub)["nonce"] == 100
    Tracer(hub.store, kept, 1.0).turn()
    told = [span.attributes["relayhub.message.nonce"] for span in kept.spans if span.name == "message"]
    assert told == list(range(1, 251))


def test_an_error_of_the_collector_is_told_again(hub, collector, caplog):
    exporter = Exporter(collector.url, "hub")
    tracer = Tracer(hub.store, exporter, 1.0)
    tracer.turn()
    settle(hub, 1, 1)
    collector.status = 400
    assert not tracer.turn()
    collector.status = 200
    assert tracer.turn()
    exporter.close()
    assert len(collector.spans) == 10


def test_kill_9_between_telling_and_remembering_loses_nothing_and_makes_no_second_span(hub, collector):
    config = hub.home.load().model_copy(update={"tracing": Tracing(endpoint=collector.url)})
    hub.home.save(config)
    Tracer(hub.store, Kept(), 1.0).turn()
    settle(hub, 1, 250)
    environment = {**os.environ, "RELAYHUB_HOME": str(hub.home.folder)}

    def start():
        return subprocess.Popen([sys.executable, "-m", "relay.tracing"], env=environment, stderr=subprocess.PIPE)

    first = start()
    collector.kill = first.pid
    with first:
        assert first.wait(GENEROUS_S) == -9, first.stderr.read()
    assert place(hub)["nonce"] == 0
    with start() as second:
        deadline = time.monotonic() + GENEROUS_S
        while place(hub)["nonce"] or place(hub)["milestone"] < 9:
            assert time.monotonic() < deadline
            assert second.poll() is None, second.stderr.read()
            time.sleep(0.1)
        second.terminate()
        assert second.wait(GENEROUS_S) == 0
    spans = [(span.trace_id, span.span_id) for span in collector.spans]
    assert len(set(spans)) == 2_500
    assert len(spans) > 2_500, "what was not remembered came again, as the same spans"


def test_ids_follow_from_the_message():
    assert trace_id(bytes(32)) == 1
    assert trace_id(bytes(15) + b"\x07" + b"\xff" * 16) == 7
    assert span_id(b"a" * 32, "final") != span_id(b"a" * 32, "proved") != span_id(b"b" * 32, "proved")
    assert 0 < span_id(b"", "") < 2**64
    assert Place(3) == Place(3, 0)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "https://collector.example/v1/traces",
        "http://127.0.0.1:4318/v1/traces",
        "http://[::1]:1/",
        "http://localhost:9",
    ],
)
def test_endpoints_that_may_be_named(endpoint):
    assert HubConfig(name="hub", tracing=Tracing(endpoint=endpoint)).tracing.endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://collector.example",
        "ftp://127.0.0.1",
        "127.0.0.1:4318",
        "https://",
        "http://127.0.0.1.example/",
        "file:///x",
    ],
)
def test_endpoints_that_would_send_in_the_clear_are_refused(endpoint):
    with pytest.raises(ValidationError, match="https"):
        Tracing(endpoint=endpoint)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_is_a_share(ratio):
    with pytest.raises(ValidationError):
        Tracing(ratio=ratio)


def test_the_settings_survive_the_file(hub):
    config = hub.home.load().model_copy(update={"tracing": Tracing(endpoint="https://x/é", ratio=0.25)})
    hub.home.save(config)
    assert hub.home.load() == config


def test_the_process_runs_only_where_an_endpoint_is_named(hub):
    config = hub.home.load()
    assert "tracing" not in [child.role for child in children_of(hub.home, config)]
    traced = config.model_copy(update={"tracing": Tracing(endpoint="https://x/")})
    assert [child.role for child in children_of(hub.home, traced)].count("tracing") == 1


def test_without_it_neither_exporter_nor_sdk_is_imported(hub):
    """FastAPI itself imports the bare interface `opentelemetry.trace` where the package is there; nothing of ours does."""
    program = (
        "import sys, relay.supervisor, relay.web.server, relay.work, relay.watch, relay.config, relay.metrics.web\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter', 'relay.tracing.exporter'))])"
    )
    environment = {**os.environ, "RELAYHUB_HOME": str(hub.home.folder)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_a_lane_without_a_row_tells_nothing(hub):
    kept = Kept()
    tracer = Tracer(hub.store, kept, 1.0)
    tracer.turn()
    settle(hub, 1, 1)
    with hub.store.write() as connection:
        connection.execute(lanes.delete())
    assert tracer.turn()
    assert not kept.spans
