"""Alarms: promtool finds nothing wrong, each one fires where it should and is quiet where it should be, and every name exists."""

import json
import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from relay.metrics.names import METRICS, NAMED, sample_names
from relay.store.waits import Reason
from tests.support.debian import needs

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "compose" / "prometheus"
RULES = FOLDER / "alerts.yaml"
NAME = re.compile(r"\brelayhub_\w+")
DAY_S = 86_400

LANE = '{lane="alpha>beta#default"}'
OLD = "relayhub_lane_oldest_undelivered_age_seconds" + LANE
UNSETTLED = "relayhub_lane_oldest_unsettled_age_seconds" + LANE
UP = 'up{job="relayhub", instance="hub"}'
INCIDENTS = 'relayhub_incidents_total{kind="misbehaviour"}'


def histogram(name, labels, quick, slow):
    """Series of a histogram in which so many messages a minute take 1 s, and so many 3000 s."""
    total = quick + slow
    return {
        f'{name}_bucket{{{labels}, le="1.0"}}': f"0+{quick}x60",
        f'{name}_bucket{{{labels}, le="900.0"}}': f"0+{quick}x60",
        f'{name}_bucket{{{labels}, le="3600.0"}}': f"0+{total}x60",
        f'{name}_bucket{{{labels}, le="+Inf"}}': f"0+{total}x60",
    }


def stage(name):
    """A stage that is slow for one message of ten, and for one of a hundred."""
    labels = f'ledger="alpha", stage="{name}"'
    return histogram("relayhub_stage_seconds", labels, 90, 10), histogram("relayhub_stage_seconds", labels, 99, 1)


def level(series, bad, good):
    """A value that stays, from the beginning."""
    return {series: f"{bad}x60"}, {series: f"{good}x60"}


CASES = {
    "RelayHubScrapeFailing": [({}, {UP: "1x60"}), ({UP: "1x30 0x30"}, {UP: "0x1 1x58"})],
    "RelayHubProcessDown": [level('relayhub_process_up{process="web"}', 0, 1)],
    "RelayHubProcessRestarts": [level('relayhub_process_restarts_total{process="web"}', "0+1", "100+0")],
    "RelayHubWatchSilent": [level('relayhub_heartbeat_age_seconds{process="watch"}', 61, 60)],
    "RelayHubEvidenceBehind": [level("relayhub_evidence_queue_age_seconds", 301, 300)],
    "RelayHubNotConserved": [level("relayhub_lane_conserved" + LANE, 0, 1)],
    "RelayHubOldBacklog": [level(OLD, 901, 900)],
    "RelayHubOldSettlement": [
        ({UNSETTLED: "3601x60", OLD: "0x60"}, {UNSETTLED: "3600x60", OLD: "0x60"}),
        ({UNSETTLED: "9999x60", OLD: "899x60"}, {UNSETTLED: "9999x60", OLD: "9999x60"}),
    ],
    "RelayHubFinalitySlow": [stage("final")],
    "RelayHubProofSlow": [stage("proved"), stage("outcome_proved")],
    "RelayHubAttestationSlow": [stage("attested"), stage("outcome_attested")],
    "RelayHubDeliverySlow": [
        (
            histogram("relayhub_delivery_seconds", 'ledger="beta"', 90, 10),
            histogram("relayhub_delivery_seconds", 'ledger="beta"', 99, 1),
        )
    ],
    "RelayHubLaneFrozen": [
        (
            {'relayhub_lane_info{lane="alpha>beta#default", state="frozen"}': "1x60"},
            {'relayhub_lane_info{lane="alpha>beta#default", state="active"}': "1x60"},
        )
    ],
    "RelayHubLedgerFrozen": [level('relayhub_ledger_frozen{ledger="alpha"}', 1, 0)],
    "RelayHubIncident": [
        ({INCIDENTS: "1x89 2x31"}, {INCIDENTS: "3x120"}),
        ({INCIDENTS: "_x90 1x30"}, {}),
    ],
    "RelayHubLedgerStalled": [
        level('relayhub_ledger_waiting_seconds{ledger="alpha", reason="chain_stalled"}', 301, 300)
    ],
    "RelayHubLightClientBehind": [
        level('relayhub_client_behind_blocks{ledger="alpha"}', 101, 100),
        level('relayhub_client_behind_blocks{ledger="alpha"}', "101+1", "9000-10"),
    ],
    "RelayHubLightClientExpires": [
        level('relayhub_client_expiry_timestamp_seconds{ledger="alpha"}', 2 * DAY_S, 2 * DAY_S + 7_200)
    ],
    "RelayHubContractClientExpires": [
        level(
            'relayhub_contract_client_expiry_timestamp_seconds{ledger="alpha", peer="beta"}',
            2 * DAY_S,
            2 * DAY_S + 7_200,
        )
    ],
    "RelayHubContractClientFrozen": [level('relayhub_contract_client_frozen{ledger="alpha", peer="beta"}', 1, 0)],
    "RelayHubCertificateEnds": [
        level('relayhub_certificate_expiry_timestamp_seconds{ledger="alpha"}', 30 * DAY_S, 30 * DAY_S + 7_200),
        level('relayhub_certificate_expiry_timestamp_seconds{ledger="alpha"}', 1, 99 * DAY_S),
    ],
    "RelayHubOperatorSilent": [level('relayhub_operator_silent{operator="ana"}', 1, 0)],
    "RelayHubWalletRunsOut": [
        level('relayhub_wallet_runway_seconds{ledger="alpha"}', DAY_S - 1, DAY_S),
        level('relayhub_wallet_runway_seconds{ledger="alpha"}', 0, "9e99"),
    ],
    "RelayHubFalseAttestations": [
        level('relayhub_refusals_total{reason="FalseHead"}', "0+1", "7+0"),
        level('relayhub_refusals_total{reason="OperatorEquivocation"}', "0+1", "0+0"),
    ],
    "RelayHubManyRefusals": [
        level('relayhub_refusals_total{reason="SignerUnknown"}', "0+4", "0+2"),
        level('relayhub_refusals_total{reason="ClaimVoid"}', "0+4", "900+0"),
    ],
    "RelayHubTransactionsFail": [
        level('relayhub_transactions_total{ledger="alpha", purpose="deliver", state="reverted"}', "0+1", "40+0")
    ],
}


@lru_cache(maxsize=1)
def alarms():
    """Every rule of the file, by its name."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


class World:
    """A hub in which several alarms are judged at once: one case of each, whose series contradict no other's."""

    def __init__(self):
        self.series, self.judged = {}, {}

    def takes(self, name, series):
        alone = "RelayHubScrapeFailing" in {name, *self.judged} and self.judged
        same = all(self.series.get(key, values) == values for key, values in series.items())
        return not alone and name not in self.judged and same

    def add(self, name, series, fires):
        self.series |= series
        self.judged[name] = fires

    def test(self):
        """What promtool wants."""
        quiet = {} if "RelayHubScrapeFailing" in self.judged else {UP: "1x120"}
        return {
            "interval": "1m",
            "input_series": [{"series": key, "values": values} for key, values in {**quiet, **self.series}.items()],
            "promql_expr_test": [check(name, fires) for name, fires in self.judged.items()],
        }


def check(name, fires):
    """Whether exactly one alarm of this name fires, or none."""
    severity = alarms()[name]["labels"]["severity"]
    labels = f'{{__name__="ALERTS", alertname="{name}", alertstate="firing", severity="{severity}"}}'
    firing = f'ALERTS{{alertname="{name}", alertstate="firing"}}'
    return {
        "expr": f"count by (__name__, alertname, alertstate, severity) ({firing})",
        "eval_time": "100m" if name == "RelayHubIncident" else "1h",
        "exp_samples": [{"labels": labels, "value": 1}] if fires else [],
    }


def worlds():
    found = []
    for name, cases in CASES.items():
        for series, fires in [(case[number], number == 0) for case in cases for number in (0, 1)]:
            fitting = [world for world in found if world.takes(name, series)]
            if not fitting:
                found.append(World())
            (fitting or found[-1:])[0].add(name, series, fires)
    return found


def promtool(*words):
    path = needs("prometheus")
    return subprocess.run([str(path), *words], capture_output=True, text=True, check=False, timeout=400)


def test_promtool_finds_nothing_wrong():
    for kind, file in (("rules", RULES), ("config", FOLDER / "prometheus.yaml")):
        done = promtool("check", kind, str(file))
        assert done.returncode == 0, done.stderr
    assert f"{len(alarms())} rules found" in done.stdout


def test_every_alarm_has_a_case():
    assert sorted(CASES) == sorted(alarms())


def test_each_alarm_fires_and_keeps_quiet(tmp_path):
    tests = [world.test() for world in worlds()]
    assert sum(len(test["promql_expr_test"]) for test in tests) == 2 * sum(map(len, CASES.values()))
    file = tmp_path / "tests.yaml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_alarm_is_told_in_both_languages_with_the_numbers_in_place(tmp_path):
    rule = alarms()["RelayHubWalletRunsOut"]
    told = {
        name: text.replace("{{ $labels.ledger }}", "alpha").replace("{{ $value | humanizeDuration }}", "2h 0m 0s")
        for name, text in rule["annotations"].items()
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": 'relayhub_wallet_runway_seconds{ledger="alpha"}', "values": "7200x30"}],
        "alert_rule_test": [
            {"eval_time": "5m", "alertname": "RelayHubWalletRunsOut", "exp_alerts": []},
            {
                "eval_time": "15m",
                "alertname": "RelayHubWalletRunsOut",
                "exp_alerts": [{"exp_labels": {"severity": "page", "ledger": "alpha"}, "exp_annotations": told}],
            },
        ],
    }
    file = tmp_path / "tests.yaml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_alarm_says_what_to_do_in_two_languages(name):
    rule = alarms()[name]
    said = rule["annotations"]
    assert sorted(said) == ["description", "description_zh", "runbook_url", "summary", "summary_zh"]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    for key in ("summary", "description"):
        assert re.search(r"[\u4e00-\u9fff]", said[f"{key}_zh"])
        used = [set(re.findall(r"{{ (\S+)", said[each])) for each in (key, f"{key}_zh")]
        assert used[0] == used[1], "both languages show the same"
    file, _, anchor = said["runbook_url"].partition("#")
    assert (ROOT / file).is_file()
    assert f"### {name}\n" in (ROOT / file).read_text(encoding="utf-8")
    assert anchor == name.lower()


def test_labels_that_texts_show_are_there():
    for rule in alarms().values():
        shown = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        first = NAME.search(rule["expr"])
        if first is None:
            continue
        name = re.sub(r"_(bucket|sum|count)$", "", first[0])
        assert shown <= set(NAMED[name].labels), rule["alert"]


def test_every_name_in_the_rules_is_in_the_exposition():
    names = set(NAME.findall(RULES.read_text(encoding="utf-8")))
    assert names - {"relayhub_"} <= sample_names()
    assert len(METRICS) > 20


def test_codes_that_rules_name_exist():
    named = set(re.findall(r'reason="(\w+)"', RULES.read_text(encoding="utf-8")))
    assert named <= {str(reason) for reason in Reason}
