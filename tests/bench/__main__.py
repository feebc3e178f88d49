"""`make bench`: measures, prints a table, writes bench/results.json (flat, the unit in the key)."""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.e2e import measure
from tests.bench.evidence import measure_evidence
from tests.bench.families.discovery import aim_of, measure_families
from tests.bench.gas import measure_gas
from tests.bench.metrics import measure_metrics
from tests.bench.outage import MESSAGES as OUTAGE_MESSAGES
from tests.bench.outage import measure_outage
from tests.bench.page import MESSAGES as PAGE_MESSAGES
from tests.bench.page import measure_page
from tests.bench.primitives import measure_primitives

RESULTS = Path(__file__).parents[2] / "bench" / "results.json"
AIMS = {
    "e2e_messages_per_s": ("≥", 1_000),
    "latency_p50_s": ("≤", 1.5),
    "hub_and_operators_cpu_ms_per_message": ("≤", 0.6),
    "gas_send": ("≤", 50_000),
    "gas_deliver_committee_batch_100": ("≤", 16_000),
    "gas_settle_committee_batch_100": ("≤", 11_000),
    "gas_deliver_light_client_batch_100": ("≤", 18_000),
    "outage_latency_ratio": ("≤", 2.0),
    "evidence_append_leaves_per_cpu_s": ("≥", 20_000),
    "evidence_proof_worst_ms": ("≤", 5),
    "evidence_disk_ratio": ("≤", 1.5),
    "page_first_state_ms": ("≤", 300),
    "page_look_ms": ("≤", 300),
    "page_trace_ms": ("≤", 300),
    "metrics_scrape_ms": ("≤", 300),
}


def main() -> None:
    """Run everything and show it beside the aims."""
    console = Console()
    quick = "--quick" in sys.argv
    began = time.time()
    figures: dict[str, float] = dict(measure_gas())
    console.print(f"gas: {len(figures)} figures")
    figures |= measure_primitives()
    figures |= measure_families(console.print)
    figures |= measure_evidence()
    figures |= measure(console.print, messages=2_000 if quick else 20_000, latency_messages=10 if quick else 40)
    figures["hub_and_operators_cpu_ms_per_message"] = (
        figures["hub_cpu_ms_per_message"] + figures["operators_cpu_ms_per_message"]
    )
    figures |= measure_outage(console.print, messages=4_000 if quick else OUTAGE_MESSAGES).figures()
    figures |= measure_page(console.print, number=100_000 if quick else PAGE_MESSAGES)
    figures |= measure_metrics(console.print, number=100_000 if quick else PAGE_MESSAGES)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
    table = Table(title=f"Relay Hub bench · {platform.machine()} · {time.time() - began:.0f} s")
    for column in ("figure", "value", "aim"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for name, value in figures.items():
        sign, aim = _aim(name)
        shown = f"{value:,.0f}" if value >= 100 else f"{value:.3f}"
        table.add_row(name, shown, f"{sign} {aim:,}" if sign else "")
    console.print(table)
    console.print(f"written: {RESULTS.relative_to(Path.cwd())}" if RESULTS.is_relative_to(Path.cwd()) else str(RESULTS))


def _aim(name: str) -> tuple[str, float]:
    """How a figure compares with its aim, and the aim; no sign where there is none."""
    at_most = aim_of(name)
    return ("≤", at_most) if at_most is not None else AIMS.get(name, ("", 0))


if __name__ == "__main__":
    main()
