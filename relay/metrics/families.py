"""From rows to metrics: each function yields (name, label values, value) of what relay.metrics.names lists."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from relay.journey import COUNTERS, Stage
from relay.metrics.snapshot import Snapshot, first_certificate, lane_label
from relay.metrics.tallies import Spending
from relay.views.silence import is_silent
from relay.views.status import COUNTERS as OUTCOMES

Sample = tuple[str, tuple[str, ...], float]
KEPT_STAGES = (Stage.FINAL, Stage.DELIVERED, Stage.SETTLED)
NEVER = 1 << 62
"""An expiry that lies beyond this (Unix seconds) is none."""


def lanes(snapshot: Snapshot) -> Iterator[Sample]:
    """Each lane: how far it has come, what is behind, and how old that is."""
    for row in snapshot.lanes:
        lane = (lane_label(row),)
        named = (row["source"], row["destination"], row["channel"], row["trust"], row["state"])
        yield "relayhub_lane_info", (*lane, *named), 1
        for stage in KEPT_STAGES:
            yield "relayhub_lane_messages_total", (*lane, str(stage)), row[COUNTERS[stage]]
        for outcome in OUTCOMES:
            yield "relayhub_lane_outcomes_total", (*lane, outcome), row[outcome]
        for stage, messages in standing(row):
            yield "relayhub_lane_in_stage", (*lane, str(stage)), messages
        yield "relayhub_lane_backlog", lane, row["final"] - row["delivered"]
        undelivered = row["final"] > row["delivered"]
        unsettled = row["final"] > row["settled"]
        yield "relayhub_lane_oldest_undelivered_age_seconds", lane, _age(snapshot, row["undelivered_at"], undelivered)
        yield "relayhub_lane_oldest_unsettled_age_seconds", lane, _age(snapshot, row["unsettled_at"], unsettled)
        ended = sum(row[outcome] for outcome in OUTCOMES)
        conserved = ended == row["delivered"] and row["final"] >= row["delivered"] >= row["settled"]
        yield "relayhub_lane_conserved", lane, conserved


def standing(row: dict[str, Any]) -> list[tuple[Stage, int]]:
    """How many messages of a lane stand at each stage now, those that are settled apart."""
    found: list[tuple[Stage, int]] = []
    further = row["settled"]
    for stage in reversed(Stage):
        if stage is not Stage.SETTLED:
            found.append((stage, max(row[COUNTERS[stage]] - further, 0)))
        further = max(further, row[COUNTERS[stage]])
    return found


def ledgers(snapshot: Snapshot, spending: dict[str, Spending]) -> Iterator[Sample]:
    """Each ledger: heights, the hub's light client, certificates, the wallet."""
    for row in snapshot.chains:
        ledger = (row["name"],)
        yield "relayhub_ledger_info", (row["name"], row["adapter"], row["consensus"], row["state"]), 1
        yield "relayhub_ledger_frozen", ledger, row["state"] == "frozen"
        yield "relayhub_ledger_tip_height", ledger, row["tip"]
        if row["tip_at"]:
            yield "relayhub_ledger_tip_age_seconds", ledger, max(snapshot.now - row["tip_at"], 0)
        yield "relayhub_client_height", ledger, row["client_height"]
        yield "relayhub_client_behind_blocks", ledger, max(row["tip"] - row["client_height"], 0)
        yield "relayhub_client_age_seconds", ledger, max(snapshot.now - row["client_time"], 0)
        if 0 < row["client_expires_at"] < NEVER:
            yield "relayhub_client_expiry_timestamp_seconds", ledger, row["client_expires_at"]
        ends = first_certificate(row)
        if ends is not None:
            yield "relayhub_certificate_expiry_timestamp_seconds", ledger, ends
        if row["wallet_at"]:
            balance = float(row["balance"])
            rate = spending[row["name"]].a_second(snapshot.now) if row["name"] in spending else 0.0
            yield "relayhub_wallet_balance_base_units", ledger, balance
            yield "relayhub_wallet_runway_seconds", ledger, balance / rate if rate else math.inf
    for row in snapshot.endpoints:
        age_s = max(snapshot.now - row["since"], 0)
        yield "relayhub_endpoint_resting_seconds", (row["chain"], _without_credentials(row["url"])), age_s


def contract_clients(snapshot: Snapshot) -> Iterator[Sample]:
    """The light clients on ledgers that open lanes use: of several for one pair of ledgers the worst one counts."""
    heights = {row["name"]: row["client_height"] for row in snapshot.chains}
    judges = {(row["chain"], row["address"]): row for row in snapshot.verifiers}
    used: dict[tuple[str, str], dict[bytes, dict[str, Any]]] = {}
    for lane in snapshot.lanes:
        for end in ("source", "destination"):
            judge = judges.get((lane[end], lane[f"{end}_verifier"]))
            client = judges.get((lane[end], judge["light_client"] or judge["address"])) if judge else None
            if client is not None and client["kind"] == "light-client":
                used.setdefault((client["chain"], client["peer"]), {})[client["address"]] = client
    for pair, clients in sorted(used.items()):
        worst = min(clients.values(), key=lambda client: client["client_height"])
        yield "relayhub_contract_client_height", pair, worst["client_height"]
        behind = max(heights.get(pair[1], 0) - worst["client_height"], 0)
        yield "relayhub_contract_client_behind_blocks", pair, behind
        yield "relayhub_contract_client_age_seconds", pair, max(snapshot.now - worst["client_time"], 0)
        expiries = [client["expires_at"] for client in clients.values() if 0 < client["expires_at"] < NEVER]
        if expiries:
            yield "relayhub_contract_client_expiry_timestamp_seconds", pair, min(expiries)
        yield "relayhub_contract_client_frozen", pair, any(client["frozen"] for client in clients.values())


def operators(snapshot: Snapshot) -> Iterator[Sample]:
    """Each operator: when it was seen, when it signed, and whether it is silent (as `relayhub status` says it)."""
    now, attested_at = snapshot.now, snapshot.attested_at
    for row in snapshot.operators:
        operator = (row["name"],)
        yield "relayhub_operator_info", (row["name"], row["organisation"], row["state"]), 1
        for column in ("seen", "signed"):
            at = row[f"{column}_at"]
            yield f"relayhub_operator_{column}_age_seconds", operator, max(now - at, 0) if at else math.inf
        yield "relayhub_operator_silent", operator, is_silent(row, attested_at, now)
    yield "relayhub_claims_open", (), snapshot.open_claims


def waiting(snapshot: Snapshot) -> Iterator[Sample]:
    """What waits by kind and reason, and which ledgers do."""
    count: Counter[tuple[str, str]] = Counter()
    oldest: dict[tuple[str, str], float] = {}
    for row in snapshot.waits:
        kind = (row["kind"], row["code"])
        count[kind] += 1
        oldest[kind] = min(oldest.get(kind, math.inf), row["since"])
        if row["kind"] == "chain":
            yield "relayhub_ledger_waiting_seconds", (row["id"], row["code"]), max(snapshot.now - row["since"], 0)
    for kind, number in count.items():
        yield "relayhub_waits", kind, number
        yield "relayhub_wait_age_seconds", kind, max(snapshot.now - oldest[kind], 0)


def evidence(snapshot: Snapshot) -> Iterator[Sample]:
    """What waits to become a leaf."""
    yield "relayhub_evidence_queue_length", (), snapshot.queue_length
    yield "relayhub_evidence_queue_age_seconds", (), _age(snapshot, snapshot.queue_since, snapshot.queue_length > 0)


def _age(snapshot: Snapshot, at: float | None, waits: bool) -> float:
    return max(snapshot.now - at, 0.0) if waits and at else 0.0


def _without_credentials(label: str) -> str:
    """What the endpoint's table says, without a user, a query or a fragment if any ever came there."""
    scheme, separator, rest = label.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}".partition("?")[0].partition("#")[0]
