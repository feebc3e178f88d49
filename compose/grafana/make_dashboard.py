# ruff: noqa: INP001 - a script beside what it makes
"""Make the Grafana dashboard: `python compose/grafana/make_dashboard.py`; a test makes it again and compares.

Rows of panels; a panel is a title, a unit of Grafana, and queries with their legends. Panels are placed from left to right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "dashboards" / "relayhub.json"
WIDTH, HEIGHT = 24, 8
SOURCE = {"type": "prometheus", "uid": "${source}"}
LANE = 'lane=~"$lane"'
LEDGER = 'ledger=~"$ledger"'
OFTEN = "$__rate_interval"


@dataclass(frozen=True)
class Panel:
    """A panel.

    Attributes:
        title: what it shows, in English and Chinese.
        unit: Grafana's name of the unit: s, short, ops, percentunit, …
        queries: (PromQL, legend).
        width: of 24.
        kind: timeseries, stat or table.
        alarm: from which value it is red; None = never.
        below: whether it is red below that value.
    """

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    width: int = 8
    kind: str = "timeseries"
    alarm: float | None = None
    below: bool = False


def quantile(share: float, metric: str, by: str, where: str) -> str:
    """A percentile of a histogram."""
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({metric}_bucket{{{where}}}[{OFTEN}])))"


def mean(metric: str, by: str, where: str) -> str:
    """The mean of a histogram."""
    total, count = (f"sum by ({by}) (rate({metric}_{part}{{{where}}}[{OFTEN}]))" for part in ("sum", "count"))
    return f"{total} / {count}"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Overview · 总览": (
        Panel(
            "Delivered a second · 每秒投递",
            "ops",
            ((f'sum(rate(relayhub_lane_messages_total{{stage="delivered"}}[{OFTEN}]))', "delivered"),),
            4,
            "stat",
        ),
        Panel("Backlog · 积压", "short", (("sum(relayhub_lane_backlog)", "messages"),), 4, "stat", 10_000),
        Panel(
            "Oldest undelivered · 最久未投递",
            "s",
            (("max(relayhub_lane_oldest_undelivered_age_seconds)", "age"),),
            4,
            "stat",
            900,
        ),
        Panel("Waits · 等待", "short", (("sum(relayhub_waits) or vector(0)", "waits"),), 4, "stat", 1),
        Panel(
            "Freezes · 冻结",
            "short",
            (('sum(relayhub_ledger_frozen) + (count(relayhub_lane_info{state="frozen"}) or vector(0))', "frozen"),),
            4,
            "stat",
            1,
        ),
        Panel(
            "Not conserved · 不守恒",
            "short",
            (("count(relayhub_lane_conserved == 0) or vector(0)", "lanes"),),
            4,
            "stat",
            1,
        ),
        Panel(
            "Alarms that fire · 正在告警",
            "short",
            (
                (
                    'count by (alertname, severity) (ALERTS{alertname=~"RelayHub.+", alertstate="firing"})',
                    "{{alertname}} {{severity}}",
                ),
            ),
            12,
        ),
        Panel("What waits, by reason · 等待原因", "short", (("sum by (reason) (relayhub_waits)", "{{reason}}"),), 12),
    ),
    "Lanes · 通道": (
        Panel(
            "Final, delivered, settled a second · 各阶段每秒",
            "ops",
            ((f"sum by (stage) (rate(relayhub_lane_messages_total{{{LANE}}}[{OFTEN}]))", "{{stage}}"),),
            12,
        ),
        Panel(
            "Delivered a second by lane · 各通道每秒投递",
            "ops",
            ((f'topk(20, rate(relayhub_lane_messages_total{{stage="delivered", {LANE}}}[{OFTEN}]))', "{{lane}}"),),
            12,
        ),
        Panel(
            "Where messages stand · 消息所处阶段",
            "short",
            ((f"sum by (stage) (relayhub_lane_in_stage{{{LANE}}})", "{{stage}}"),),
            8,
        ),
        Panel(
            "Backlog by lane · 各通道积压", "short", ((f"topk(20, relayhub_lane_backlog{{{LANE}}})", "{{lane}}"),), 8
        ),
        Panel(
            "Oldest undelivered by lane · 各通道最久未投递",
            "s",
            ((f"topk(20, relayhub_lane_oldest_undelivered_age_seconds{{{LANE}}})", "{{lane}}"),),
            8,
            alarm=900,
        ),
        Panel(
            "Outcomes a second · 每秒结果",
            "ops",
            ((f"sum by (outcome) (rate(relayhub_lane_outcomes_total{{{LANE}}}[{OFTEN}]))", "{{outcome}}"),),
            8,
        ),
        Panel(
            "Oldest unsettled by lane · 各通道最久未结算",
            "s",
            ((f"topk(20, relayhub_lane_oldest_unsettled_age_seconds{{{LANE}}})", "{{lane}}"),),
            8,
            alarm=3_600,
        ),
        Panel("Lanes by state · 通道状态", "short", (("count by (state) (relayhub_lane_info)", "{{state}}"),), 8),
    ),
    "Latency · 延迟": (
        Panel(
            "Sending to delivery · 发送到投递",
            "s",
            tuple(
                (quantile(share, "relayhub_delivery_seconds", "ledger", LEDGER), f"{{{{ledger}}}} {share:.0%}")
                for share in (0.5, 0.95)
            ),
            12,
        ),
        Panel(
            "Each stage, 95 of 100 · 各阶段 95%",
            "s",
            ((quantile(0.95, "relayhub_stage_seconds", "stage", LEDGER), "{{stage}}"),),
            12,
        ),
        Panel(
            "Finality by ledger, 95 of 100 · 最终性 95%",
            "s",
            ((quantile(0.95, "relayhub_stage_seconds", "ledger", f'stage="final", {LEDGER}'), "{{ledger}}"),),
            8,
            alarm=300,
        ),
        Panel(
            "Attestation by ledger, 95 of 100 · 签名 95%",
            "s",
            ((quantile(0.95, "relayhub_stage_seconds", "ledger", f'stage="attested", {LEDGER}'), "{{ledger}}"),),
            8,
            alarm=120,
        ),
        Panel(
            "Mean of each stage · 各阶段平均",
            "s",
            (
                (
                    mean("relayhub_stage_seconds", "stage", LEDGER),
                    "{{stage}}",
                ),
            ),
            8,
        ),
    ),
    "Ledgers · 账本": (
        Panel(
            "Age of the newest block · 最新区块时长",
            "s",
            ((f"relayhub_ledger_tip_age_seconds{{{LEDGER}}}", "{{ledger}}"),),
            8,
        ),
        Panel(
            "Blocks behind · 落后区块",
            "short",
            ((f"relayhub_client_behind_blocks{{{LEDGER}}}", "{{ledger}}"),),
            8,
            alarm=100,
        ),
        Panel(
            "Light clients expire in · 轻客户端剩余",
            "s",
            (
                (f"relayhub_client_expiry_timestamp_seconds{{{LEDGER}}} - time()", "{{ledger}}"),
                (f"relayhub_contract_client_expiry_timestamp_seconds{{{LEDGER}}} - time()", "{{peer}} on {{ledger}}"),
            ),
            8,
            alarm=172_800,
            below=True,
        ),
        Panel(
            "Endpoints that rest · 停用的节点",
            "s",
            ((f"relayhub_endpoint_resting_seconds{{{LEDGER}}}", "{{ledger}} {{endpoint}}"),),
            8,
        ),
        Panel(
            "Ledgers that wait · 等待的账本",
            "s",
            ((f"relayhub_ledger_waiting_seconds{{{LEDGER}}}", "{{ledger}} {{reason}}"),),
            8,
            alarm=300,
        ),
        Panel(
            "Certificates end in · 证书剩余",
            "s",
            ((f"relayhub_certificate_expiry_timestamp_seconds{{{LEDGER}}} - time()", "{{ledger}}"),),
            8,
            alarm=2_592_000,
            below=True,
        ),
    ),
    "Operators · 运营方": (
        Panel("Silent · 无响应", "short", (("relayhub_operator_silent", "{{operator}}"),), 8, alarm=1),
        Panel(
            "Since it signed · 距上次签名", "s", (("relayhub_operator_signed_age_seconds < +Inf", "{{operator}}"),), 8
        ),
        Panel("Since it asked · 距上次请求", "s", (("relayhub_operator_seen_age_seconds < +Inf", "{{operator}}"),), 8),
        Panel("Open claims · 待签声明", "short", (("relayhub_claims_open", "claims"),), 8),
        Panel(
            "Refusals by reason · 拒绝原因",
            "short",
            (("sum by (reason) (increase(relayhub_refusals_total[15m]))", "{{reason}}"),),
            8,
        ),
        Panel("Incidents by kind · 事件", "short", (("relayhub_incidents_total", "{{kind}}"),), 8),
    ),
    "Wallets · 钱包": (
        Panel(
            "Runway · 可用时长",
            "s",
            ((f"relayhub_wallet_runway_seconds{{{LEDGER}}} < +Inf", "{{ledger}}"),),
            8,
            alarm=86_400,
            below=True,
        ),
        Panel(
            "Balance, base units · 余额, 最小单位",
            "short",
            ((f"relayhub_wallet_balance_base_units{{{LEDGER}}}", "{{ledger}}"),),
            8,
        ),
        Panel(
            "Fees a second, base units · 每秒费用",
            "short",
            ((f"sum by (ledger) (rate(relayhub_fees_base_units_total{{{LEDGER}}}[{OFTEN}]))", "{{ledger}}"),),
            8,
        ),
        Panel(
            "Gas a second · 每秒燃料",
            "short",
            ((f"sum by (ledger, purpose) (rate(relayhub_gas_total{{{LEDGER}}}[{OFTEN}]))", "{{ledger}} {{purpose}}"),),
            8,
        ),
        Panel(
            "Open transactions · 未完成交易",
            "short",
            (
                (
                    f"sum by (ledger, purpose, state) (relayhub_transactions_open{{{LEDGER}}})",
                    "{{ledger}} {{purpose}} {{state}}",
                ),
            ),
            8,
        ),
        Panel(
            "How transactions ended · 交易结果",
            "short",
            ((f"sum by (state) (increase(relayhub_transactions_total{{{LEDGER}}}[15m]))", "{{state}}"),),
            8,
        ),
    ),
    "Evidence and processes · 证据与进程": (
        Panel("Leaves of the log · 日志叶子数", "short", (("relayhub_evidence_log_leaves", "leaves"),), 6),
        Panel("Waits to become a leaf · 待写入", "short", (("relayhub_evidence_queue_length", "decisions"),), 6),
        Panel(
            "Oldest that waits · 最久待写入",
            "s",
            (
                ("relayhub_evidence_queue_age_seconds", "decision"),
                ("relayhub_evidence_checkpoint_age_seconds", "checkpoint"),
            ),
            6,
            alarm=300,
        ),
        Panel("Restarts · 重启", "short", (("increase(relayhub_process_restarts_total[15m])", "{{process}}"),), 6),
        Panel("Processes down · 停止的进程", "short", (("relayhub_process_up == 0", "{{process}}"),), 6),
        Panel("Sign of life · 心跳", "s", (("relayhub_heartbeat_age_seconds", "{{process}}"),), 6, alarm=60),
        Panel(
            "Reading the database · 读取数据库",
            "s",
            (("relayhub_read_seconds", "read"), ('scrape_duration_seconds{job="relayhub"}', "scrape")),
            6,
            alarm=0.3,
        ),
        Panel(
            "Ready and version · 就绪与版本",
            "short",
            (("relayhub_ready", "ready"), ("relayhub_build_info", "{{version}} {{database}} {{tables}} {{mode}}")),
            6,
        ),
    ),
}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it (schema version 39, Grafana 11)."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append(
            {
                "type": "row",
                "title": title,
                "id": len(panels) + 1,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            }
        )
        y, x, height = y + 1, 0, 0
        for panel in row:
            if x + panel.width > WIDTH:
                y, x, height = y + height, 0, 0
            tall = HEIGHT // 2 if panel.kind == "stat" else HEIGHT
            panels.append(_panel(panel, len(panels) + 1, {"x": x, "y": y, "w": panel.width, "h": tall}))
            x, height = x + panel.width, max(height, tall)
        y += height
    return {
        "uid": "relayhub",
        "title": "Relay Hub",
        "tags": ["relayhub"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [_source(), _choice("lane", "relayhub_lane_info"), _choice("ledger", "relayhub_ledger_info")]
        },
        "annotations": {"list": []},
        "panels": panels,
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "id": number,
        "gridPos": place,
        "datasource": SOURCE,
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend, "datasource": SOURCE}
            for index, (query, legend) in enumerate(panel.queries)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": {"mode": "absolute", "steps": _steps(panel)},
                "custom": _looks(panel),
            },
            "overrides": [],
        },
        "options": _options(panel),
    }


def _steps(panel: Panel) -> list[dict[str, Any]]:
    if panel.alarm is None:
        return [{"color": "green", "value": None}]
    first, second = ("red", "green") if panel.below else ("green", "red")
    return [{"color": first, "value": None}, {"color": second, "value": panel.alarm}]


def _looks(panel: Panel) -> dict[str, Any]:
    return (
        {"thresholdsStyle": {"mode": "off" if panel.alarm is None else "dashed"}} if panel.kind == "timeseries" else {}
    )


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "background"}
    return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _choice(label: str, metric: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({metric}, {label})", "refId": label},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
