"""The Grafana dashboard: made by its description, queries that Prometheus understands, names that exist, panels that fit."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from relay.metrics.names import NAMED, sample_names
from tests.support.debian import needs

FOLDER = Path(__file__).parents[3] / "compose" / "grafana"
NAME = re.compile(r"\brelayhub_\w+")


def module(path, monkeypatch):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, loaded)  # dataclasses look for the module of their class
    spec.loader.exec_module(loaded)
    return loaded


def dashboard():
    return json.loads((FOLDER / "dashboards" / "relayhub.json").read_text(encoding="utf-8"))


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries():
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def test_the_file_is_what_its_description_makes(monkeypatch):
    made = module(FOLDER / "make_dashboard.py", monkeypatch).text()
    assert made == (FOLDER / "dashboards" / "relayhub.json").read_text(encoding="utf-8"), (
        "make it again: python compose/grafana/make_dashboard.py"
    )


def test_every_name_in_the_dashboard_is_in_the_exposition():
    used = {name for query in queries() for name in NAME.findall(query)}
    choices = {
        name for choice in dashboard()["templating"]["list"] for name in NAME.findall(json.dumps(choice["query"]))
    }
    assert used | choices <= sample_names()
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    left_out = {
        "relayhub_ledger_info",
        "relayhub_ledger_tip_height",
        "relayhub_client_height",
        "relayhub_client_age_seconds",
    }
    left_out |= {"relayhub_operator_info", "relayhub_wait_age_seconds"}
    left_out |= {f"relayhub_contract_client_{name}" for name in ("height", "behind_blocks", "age_seconds", "frozen")}
    assert set(NAMED) - shown == left_out


def test_prometheus_understands_every_query(tmp_path):
    rules = [
        {
            "record": f"query:{number}",
            "expr": query.replace("$__rate_interval", "1m").replace("$lane", ".*").replace("$ledger", ".*"),
        }
        for number, query in enumerate(queries())
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        [str(needs("prometheus")), "check", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_legends_show_labels_that_their_query_keeps():
    for panel in panels():
        for target in panel["targets"]:
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            kept = re.search(r"\bby \(([^)]*)\)", target["expr"])
            names = NAME.findall(target["expr"])
            known = {label for name in names for label in NAMED[re.sub(r"_(bucket|sum|count)$", "", name)].labels}
            known |= {"alertname", "severity"} if "ALERTS" in target["expr"] else set()
            assert shown <= known, panel["title"]
            if kept:
                assert shown <= set(kept[1].replace(" ", "").split(",")), panel["title"]


def test_panels_fit_and_do_not_overlap():
    taken = set()
    numbers = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_rows_are_named_in_both_languages():
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
    wanted = {"Overview", "Lanes", "Latency", "Ledgers", "Operators", "Wallets", "Evidence and processes"}
    assert {title.partition(" · ")[0] for title in rows} == wanted
    assert all(re.search(r"[\u4e00-\u9fff]", panel["title"]) for panel in dashboard()["panels"])


def test_provisioning_names_what_is_there():
    sources = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))
    assert [source["type"] for source in sources["datasources"]] == ["prometheus"]
    providers = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "relayhub.yaml").read_text(encoding="utf-8"))
    assert [provider["options"]["path"] for provider in providers["providers"]] == ["${GRAFANA_DASHBOARDS}"]


def test_the_page_of_metrics_is_what_the_lists_make(monkeypatch):
    page = module(FOLDER.parent / "prometheus" / "make_page.py", monkeypatch)
    assert page.page(page.rules()) == page.PAGE.read_text(encoding="utf-8"), (
        "make it again: python compose/prometheus/make_page.py"
    )
