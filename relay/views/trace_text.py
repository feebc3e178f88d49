"""`relayhub trace` as text."""

from __future__ import annotations

from typing import Any

from relay.views.status_text import EXPLAIN_HINT, lane_name
from relay.views.tables import table
from relay.views.times import ago, clock
from relay.views.verifiers import describe_verifier


def render(messages: list[dict[str, Any]], now: float) -> str:
    """Lay out what `trace` returned: one message in full, several as a table."""
    if len(messages) == 1:
        return _one(messages[0], now)
    rows = [
        (lane_name(item), item["nonce"], item["message_id"], item["stage"], (item["outcome"] or {}).get("status", "-"))
        for item in messages
    ]
    return table(("LANE", "NONCE", "MESSAGE", "STAGE", "OUTCOME"), rows)


def _one(message: dict[str, Any], now: float) -> str:
    from schemas.payloads import describe_payload

    payload = describe_payload(bytes.fromhex(message["payload"][2:]))
    lines = [
        f"Message {message['message_id']}",
        f"{lane_name(message)} · nonce {message['nonce']} · trust {message['trust']}",
        *(describe_verifier(verifier) for verifier in message["verifiers"]),
        f"from {message['sender']} to {message['receiver']}",
        f"says {_printable(payload)[:200]}",
        "",
        table(("STAGE", "AT", "HEIGHT", "BY", "REFERENCE"), [_stage(stage) for stage in message["stages"]]),
    ]
    outcome = message["outcome"]
    if outcome:
        result = "" if outcome["result"] == "0x" else f", result {outcome['result']}"
        lines += ["", f"Outcome: {outcome['status']}{result} (at height {outcome['height']})"]
    for wait in message["waits"]:
        lines.append(f"Waits: {wait['code']}, for {wait['party']}, since {ago(wait['since'], now)}. {wait['text']}")
    if message["waits"]:
        lines.append(EXPLAIN_HINT)
    return "\n".join(lines)


def _stage(stage: dict[str, Any]) -> tuple[object, ...]:
    party = ", ".join(stage["signers"]) if stage.get("signers") else stage["party"]
    at = clock(stage["at"]) if stage["at"] else "-"
    return stage["stage"], at, stage["height"] or "-", party, stage["reference"] or "-"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
