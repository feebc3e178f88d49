# ruff: noqa: INP001 - a script beside what it is made from
"""Make docs/metrics.md from the list of metrics and the alarms: `python compose/prometheus/make_page.py`; a test compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from relay.metrics.names import METRICS
from relay.metrics.tallies import KNOWN_REFUSALS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
HEAD = """# Metrics and alarms

Made by `python compose/prometheus/make_page.py` from `relay/metrics/names.py` and [alerts.yaml](../compose/prometheus/alerts.yaml).
[operate.md](operate.md#metrics-and-alarms) says how Prometheus and Grafana are set up.

Seconds and bytes; coins in the ledger's smallest unit. Labels hold names (ledgers, operators, processes, endpoints without credentials)
and codes, never ids or free text. `lane` is `SOURCE>DESTINATION#CHANNEL`, with a backslash before `\\`, `>` and `#` inside a name.
Counters that say *since the web process began* start at zero with it, as Prometheus expects.

## Metrics

| name | type | labels | what it says |
| --- | --- | --- | --- |
"""
REFUSALS = """
## Refusals

What the label `reason` of `relayhub_refusals_total` means. Each operator's log has the sentence that came with it.

| reason | what it says |
| --- | --- |
"""
ALARMS = """
## Alarms

*page*: somebody gets up. *ticket*: on the next working day.
"""


def page(rules: list[dict[str, Any]]) -> str:
    """The whole document.

    Args:
        rules: the alerting rules, in order.
    """
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.text} |\n"
        for metric in METRICS
    ]
    refused = [f"| `{name}` | {text} |\n" for name, text in KNOWN_REFUSALS.items()]
    return HEAD + "".join(rows) + REFUSALS + "".join(refused) + ALARMS + "".join(map(_alarm, rules))


def _alarm(rule: dict[str, Any]) -> str:
    said = {name: _plain(text) for name, text in rule["annotations"].items()}
    lasting = f", for {rule['for']}" if "for" in rule else ""
    return (
        f"\n### {rule['alert']}\n\n{rule['labels']['severity']}{lasting}: `{rule['expr']}`\n\n"
        f"{said['summary']} {said['description']}\n\n{said['summary_zh']}{said['description_zh']}\n"
    )


def _plain(text: str) -> str:
    """Templates as a person reads them: `{{ $labels.ledger }}` is LEDGER, a value is N."""
    while "{{" in text:
        before, _, rest = text.partition("{{")
        inside, _, after = rest.partition("}}")
        name = inside.strip().partition(" ")[0]
        text = before + ("N" if name == "$value" else name.removeprefix("$labels.").upper()) + after
    return text


def rules() -> list[dict[str, Any]]:
    """The alerting rules of alerts.yaml, in order."""
    groups = yaml.safe_load((Path(__file__).parent / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


if __name__ == "__main__":
    PAGE.write_text(page(rules()), encoding="utf-8")
