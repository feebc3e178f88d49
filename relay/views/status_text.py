"""`relayhub status` as tables."""

from __future__ import annotations

from typing import Any

from relay.views import log_anchors
from relay.views.evidence import evidence_text
from relay.views.statements import said_line
from relay.views.tables import table
from relay.views.times import ago, coins, span
from relay.views.webhooks import webhooks_text


def render(data: dict[str, Any], now: float) -> str:
    """Lay out what `hub_status` returned."""
    parts = [_heading(data)]
    if data["chains"]:
        parts.append(table(CHAIN_HEADINGS, [_chain(chain) for chain in data["chains"]]))
    else:
        parts.append("No ledgers yet. Add one: relayhub chain add NAME --rpc URL")
    if data["lanes"]:
        parts.append(table(LANE_HEADINGS, [_lane(lane) for lane in data["lanes"]]))
    elif data["chains"]:
        parts.append("No lanes yet. Open one: relayhub lane open A B --both")
    if data["light_clients"]:
        parts.append(table(CLIENT_HEADINGS, [_light_client(client) for client in data["light_clients"]]))
    waiting = [_wait(wait, subject, now) for subject, wait in _all_waits(data)]
    waiting += [_alarm(alarm) for alarm in data["alarms"]]
    if waiting:
        parts.append("Waiting\n" + "\n".join(waiting) + f"\n{EXPLAIN_HINT}")
    if data["operators"]:
        parts.append(table(OPERATOR_HEADINGS, [_operator(operator, now) for operator in data["operators"]]))
    parts.append(log_anchors.render(data["chains"], now))
    if data["incidents"]:
        parts.append("Incidents\n" + "\n".join(_incident(incident, now) for incident in data["incidents"]))
    if data["evidence"]["leaves"] is not None:
        parts.append(evidence_text(data["evidence"]))
    parts.append(webhooks_text(data.get("webhooks", []), now))
    parts.append(_processes(data))
    return "\n\n".join(part for part in parts if part)


EXPLAIN_HINT = "What a code means and who does what: relayhub explain CODE"
CHAIN_HEADINGS = (
    "LEDGER",
    "ID",
    "STATE",
    "TRUST",
    "HEIGHT",
    "BEHIND",
    "CLIENT EXPIRES",
    "CERTIFICATE ENDS",
    "WALLET",
    "RUNWAY",
    "TROUBLE",
)
LANE_HEADINGS = (
    "LANE",
    "STATE",
    "TRUST",
    "SENT",
    "DELIVERED",
    "SETTLED",
    "BACKLOG",
    "OLDEST",
    "OK/FAIL/EXP/REF",
    "HEADS AT",
)
CLIENT_HEADINGS = ("LIGHT CLIENT", "STATE", "HEIGHT", "BEHIND", "AGE", "EXPIRES", "LANES", "ADDRESS")
OPERATOR_HEADINGS = ("OPERATOR", "ORGANISATION", "STATE", "SEEN", "SIGNED", "SAYS")


def lane_name(lane: dict[str, Any]) -> str:
    """A lane as a person names it: `a → b`, and its channel unless that is the default one."""
    channel = "" if lane["channel"] == "default" else f" #{lane['channel']}"
    return f"{lane['source']} → {lane['destination']}{channel}"


def _heading(data: dict[str, Any]) -> str:
    state = "ready" if data["ready"] else "starting" if data["running"] else "stopped (relayhub up)"
    text = f"Hub {data['hub']} · {state} · {data['home']}"
    if data["development"]:
        text += "\nDevelopment hub: officers' and operators' keys are local and delays are zero."
    return text


def _chain(chain: dict[str, Any]) -> tuple[object, ...]:
    expires, ends = chain["client_expires_in_s"], chain["certificate_ends_in_s"]
    return (
        chain["name"],
        chain["chain_id"],
        chain["state"],
        chain["trust"],
        chain["height"],
        chain["behind"],
        "-" if expires is None else "expired" if expires <= 0 else f"in {span(expires)}",
        "-" if ends is None else "ended" if ends <= 0 else f"in {span(ends)}",
        coins(int(chain["balance"])),
        "-" if chain["runway_days"] is None else f"{chain['runway_days']:.0f} d",
        "; ".join(f"{item['url']}: {item['reason']}" for item in chain["endpoint_trouble"]) or "-",
    )


def _lane(lane: dict[str, Any]) -> tuple[object, ...]:
    counts = "/".join(str(lane[name]) for name in ("executed", "failed", "expired", "refused"))
    return (
        lane_name(lane),
        lane["state"],
        lane["trust"],
        lane["sent"],
        lane["delivered"],
        lane["settled"],
        lane["backlog"],
        "-" if lane["oldest_age_s"] is None else span(lane["oldest_age_s"]),
        counts + ("" if lane["conserved"] else " NOT CONSERVED"),
        f"{lane['head_height']}/{lane['outcome_head_height']}",
    )


def _light_client(client: dict[str, Any]) -> tuple[object, ...]:
    expires = client["expires_in_s"]
    return (
        f"{client['peer'] or 'unknown ledger'} on {client['chain']}",
        "FROZEN" if client["frozen"] else "EXPIRED" if expires <= 0 else "active",
        client["height"],
        client["behind"],
        span(client["age_s"]),
        "expired" if expires <= 0 else f"in {span(expires)}",
        client["lanes"],
        client["address"],
    )


def _all_waits(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [(f"ledger {chain['name']}", wait) for chain in data["chains"] for wait in chain["waits"]]
    for lane in data["lanes"]:
        for wait in lane["waits"]:
            way = " (way back)" if wait["kind"] == "back" else ""
            found.append((f"lane {lane_name(lane)}{way}", wait))
    return found


def _wait(wait: dict[str, Any], subject: str, now: float) -> str:
    next_look = max(wait["next_at"] - now, 0.0)
    return (
        f"  {subject}: {wait['code']}, for {wait['party']}, since {ago(wait['since'], now)}; "
        f"next look in {span(next_look)}. {wait['text']}"
    )


SUBJECTS = {
    "chain": "ledger {name}",
    "client": "light client {name}",
    "evidence": "evidence log",
    "lane": "lane {name}",
    "operator": "operator {name}",
    "process": "process {name}",
}


def _alarm(alarm: dict[str, Any]) -> str:
    subject = SUBJECTS[alarm["subject"]].format(name=alarm["name"])
    return f"  {subject}: {alarm['code']}, for {alarm['party']}. {alarm['text']}"


def _operator(operator: dict[str, Any], now: float) -> tuple[object, ...]:
    state = "SILENT" if operator["silent"] else operator["state"]
    seen, signed = ago(operator["seen_at"], now), ago(operator["signed_at"], now)
    return operator["name"], operator["organisation"], state, seen, signed, said_line(operator["says"])


def _incident(incident: dict[str, Any], now: float) -> str:
    return f"  {ago(incident['at'], now)} ago: {incident['name']}, {incident['subject']}. {incident['text']}"


def _processes(data: dict[str, Any]) -> str:
    if not data["processes"]:
        return ""
    shown = []
    for process in data["processes"]:
        state = f"{process['pid']}" if process["alive"] else f"down ({process['note'] or 'died'})"
        if process["alive"] and process.get("failing"):
            state = f"KEEPS FAILING ({process['note']})"
        again = f" (start {process['restarts'] + 1})" if process["restarts"] else ""
        shown.append(f"{process['role']} {state}{again}")
    return "Processes: " + " · ".join(shown)


def render_chains(chains: list[dict[str, Any]]) -> str:
    """Lay out ledgers."""
    if not chains:
        return "No ledgers yet. Add one: relayhub chain add NAME --rpc URL"
    return table(CHAIN_HEADINGS, [_chain(chain) for chain in chains])


def render_chain(chain: dict[str, Any], now: float) -> str:
    """Lay out one ledger in full."""
    shown = {name: value for name, value in chain.items() if name not in ("waits", "alarms", "endpoint_trouble")}
    width = max(len(name) for name in shown)
    lines = [f"{name.ljust(width)}  {'-' if value is None else value}" for name, value in shown.items()]
    lines += [
        f"{item['url']}: {item['reason']} (since {ago(item['since'], now)})" for item in chain["endpoint_trouble"]
    ]
    lines += [_wait(wait, f"ledger {chain['name']}", now) for wait in chain["waits"]]
    lines += [_alarm(alarm) for alarm in chain["alarms"]]
    return "\n".join(lines)


def render_lanes(lanes: list[dict[str, Any]]) -> str:
    """Lay out lanes with their ids."""
    if not lanes:
        return "No lanes yet. Open one: relayhub lane open A B --both"
    return table((*LANE_HEADINGS, "ID"), [(*_lane(lane), lane["lane_id"]) for lane in lanes])


def render_operators(operators: list[dict[str, Any]], now: float) -> str:
    """Lay out operators with their signers."""
    if not operators:
        return "No operators yet. Register one: relayhub operator add NAME --signer 0x… --organisation ORG"
    return table((*OPERATOR_HEADINGS, "SIGNER"), [(*_operator(item, now), item["signer"]) for item in operators])
