"""Debian's Prometheus scrapes a hub's web process, and an alarm of ours goes from pending to firing."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from sqlalchemy import update

from adapters.loopback_ports import free_port
from relay.metrics.names import METRICS
from relay.store.tables import operators
from tests.support.debian import needs
from tests.support.told_metrics import Told, filled_hub

ALERTS = Path(__file__).parents[3] / "compose" / "prometheus" / "alerts.yaml"
GENEROUS_S = 240


def wait_for(what, condition):
    """Wait, with a generous ceiling, for something that is not None or empty."""
    deadline = time.monotonic() + GENEROUS_S
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not within {GENEROUS_S} s: {what}")


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


@pytest.fixture
def hub(tmp_path):
    hub = filled_hub(tmp_path)
    hub.chain('上海 "1"', 1)
    hub.chain("beta", 2)
    hub.lane(source='上海 "1"', final=5, delivered=3, executed=3)
    hub.operator("ana", 11, seen_at=time.time() + 10**6, signed_at=time.time())
    yield hub
    hub.store.close()


@pytest.fixture
def web(hub):
    """The hub's own web process; yields its URL."""
    environment = {**os.environ, "RELAYHUB_HOME": str(hub.home.folder)}
    with subprocess.Popen([sys.executable, "-m", "relay.web"], env=environment) as process:
        try:
            yield wait_for("web.json", lambda: json.loads((hub.home.run / "web.json").read_bytes())["url"])
        finally:
            process.terminate()


@pytest.fixture
def prometheus(web, tmp_path):
    """Prometheus with our rules, in a hurry; yields its URL."""
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "3s"
    (tmp_path / "alerts.yaml").write_text(json.dumps(rules))
    settings = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [{"job_name": "relayhub", "static_configs": [{"targets": [web.partition("://")[2]]}]}],
    }
    (tmp_path / "prometheus.yaml").write_text(json.dumps(settings))
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(needs("prometheus").with_name("prometheus")),
        f"--config.file={tmp_path / 'prometheus.yaml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    with subprocess.Popen(command) as process:
        try:
            yield f"http://{address}"
        finally:
            process.terminate()


def test_a_hub_is_scraped_and_an_alarm_goes_from_pending_to_firing(hub, web, prometheus):
    told = Told(get(f"{web}/metrics"))
    assert told.get("relayhub_lane_backlog", lane='上海 "1">beta#default') == 2
    assert len(told.families) == len(METRICS)

    def targets():
        return json.loads(get(f"{prometheus}/api/v1/targets"))["data"]["activeTargets"]

    def alerts(name):
        found = json.loads(get(f"{prometheus}/api/v1/alerts"))["data"]["alerts"]
        return [alert for alert in found if alert["labels"]["alertname"] == name]

    def value(query):
        url = f"{prometheus}/api/v1/query?query={urllib.request.quote(query)}"
        return [item["value"][1] for item in json.loads(get(url))["data"]["result"]]

    wait_for("a scrape", lambda: [target for target in targets() if target["health"] == "up"])
    assert wait_for("the backlog", lambda: value('relayhub_lane_backlog{lane="上海 \\"1\\">beta#default"}')) == ["2"]
    assert not alerts("RelayHubOperatorSilent")
    with hub.store.write() as connection:
        connection.execute(update(operators).values(seen_at=1))
    states = []

    def fires():
        states.extend(alert["state"] for alert in alerts("RelayHubOperatorSilent"))
        return "firing" in states

    wait_for("an alarm that fires", fires)
    assert states[0] == "pending"
    (alert,) = alerts("RelayHubOperatorSilent")
    assert alert["annotations"]["summary"] == "The operator ana is silent."
    assert alert["annotations"]["summary_zh"] == "运营方 ana 没有响应。"
    assert alert["labels"] == {"alertname": "RelayHubOperatorSilent", "operator": "ana", "severity": "page"} | {
        name: alert["labels"][name] for name in ("instance", "job")
    }
