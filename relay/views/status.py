"""The hub's state on one snapshot of its database: ledgers, lanes, operators, what waits for whom.

Everything here is plain data (numbers, text, bytes as hexadecimal), the same for `--json` and for the tables.
"""

from __future__ import annotations

import json
import time
from typing import Any

from relay.certificate_ends import NEXT_STEP, alarms_of, earliest
from relay.home import Home
from relay.processes import is_running, recorded
from relay.store.reader import Reader, text_of
from relay.views.evidence import evidence_status
from relay.views.log_anchors import log_anchor
from relay.views.times import DAY_S, HOUR_S
from relay.views.verifiers import light_clients, verifiers_of

SILENT_AFTER_S = 10.0
COUNTERS = ("executed", "failed", "expired", "refused")


def hub_status(home: Home, now: float | None = None) -> dict[str, Any]:
    """Read the whole state.

    Args:
        home: the hub's folder.
        now: Unix seconds, else the clock.

    Raises:
        NotFound: there is no hub, or no database yet.
        BadInput: the configuration or database cannot be read.
    """
    now = time.time() if now is None else now
    settings = home.settings()
    with Reader(home.database_in(settings)) as reader:
        waits = reader.rows(WAITS)
        data: dict[str, Any] = {
            "hub": settings.get("name", ""),
            "development": bool(settings.get("development", False)),
            "home": str(home.folder),
            "chains": [chain_status(reader, row, waits, now) for row in reader.rows(CHAINS)],
            "lanes": [lane_status(reader, row, waits, now) for row in reader.rows(LANES)],
            "light_clients": light_clients(reader, now),
            "operators": operators_of(reader, now),
            "evidence": evidence_status(reader, home, now),
            "incidents": reader.rows("SELECT at, name, subject, text FROM incidents ORDER BY id DESC LIMIT 5"),
        }
    data |= _processes(home)
    return data


CHAINS = "SELECT * FROM chains ORDER BY name"
WAITS = "SELECT kind, id, code, party, text, since, next_at FROM waits ORDER BY since"
LANES = "SELECT * FROM lanes ORDER BY source, destination, channel"


def chain_status(reader: Reader, row: dict[str, Any], waits: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """A ledger: heights, the light client's expiry, its certificates, the wallet and its runway, trouble at endpoints."""
    spent, balance = spent_per_day(reader, row["name"], now), int(row["balance"])
    expires_at = row["client_expires_at"]
    certificates = _certificates(row)
    first = earliest(certificates)
    return {
        "name": row["name"],
        "chain_id": row["chain_id"],
        "state": row["state"],
        "trust": trust_of(row["consensus"]),
        "consensus": row["consensus"],
        "development": bool(row["development"]),
        "software": row["software"],
        "tip": row["tip"],
        "height": row["client_height"],
        "behind": max(row["tip"] - row["client_height"], 0),
        "tip_age_s": round(max(now - row["tip_at"], 0.0), 3) if row["tip_at"] else None,
        "client_expires_in_s": expires_at - int(now) if expires_at else None,
        "certificate": first["name"] if first else None,
        "certificate_ends_in_s": first["not_after"] - int(now) if first else None,
        "gateway": text_of(row, "gateway"),
        "verifier": text_of(row, "verifier"),
        "account": text_of(row, "account"),
        "balance": str(balance),
        "runway_days": round(balance / spent, 1) if spent else None,
        "endpoint_trouble": reader.rows(
            "SELECT url, since, reason FROM endpoint_health WHERE chain = :name ORDER BY since", name=row["name"]
        ),
        "alarms": [
            {
                "code": alarm.code,
                "party": "hub's owner",
                "text": f"{alarm.text} {NEXT_STEP}",
                "ends_at": alarm.not_after,
            }
            for alarm in (alarms_of(certificates, now) if row["state"] != "retired" else [])
        ],
        "log_anchor": log_anchor(reader, row["name"]),
        "waits": waits_of(waits, ("chain", "client"), row["name"]),
    }


def _certificates(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker last saw; SQLite gives JSON as text."""
    found = row["certificates"]
    return (json.loads(found) if isinstance(found, str) else found) or []


def spent_per_day(reader: Reader, chain: str, now: float) -> float:
    """What the relayer's wallet spends on a ledger in a day, in base units, by the transactions mined in the last one.

    Where a receipt was not needed the gas limit stands for the gas used. The rate is taken over at least an hour.
    """
    spent = reader.row(
        "SELECT SUM(COALESCE(gas_used, gas) * CAST(fee AS DOUBLE PRECISION)) AS total, MIN(sent_at) AS since FROM transactions "
        "WHERE chain = :chain AND state = 'mined' AND sent_at > :since",
        chain=chain,
        since=now - DAY_S,
    )
    if spent is None or not spent["total"]:
        return 0.0
    return float(spent["total"]) * DAY_S / max(now - float(spent["since"]), HOUR_S)


def trust_of(consensus: str) -> str:
    """The trust level that a ledger's consensus gives the claims about it: `committee`, or `development` without any."""
    return "development" if consensus == "development" else "committee"


def lane_status(reader: Reader, row: dict[str, Any], waits: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """A lane: how far each stage has come, what became of its messages, the oldest one, what waits for whom."""
    ended = {name: row[name] for name in COUNTERS}
    in_flight = row["final"] - row["settled"]
    undelivered_outcomes = row["delivered"] - row["settled"]
    oldest = reader.row(
        "SELECT sent_at FROM messages WHERE lane_id = :lane AND nonce = :nonce",
        lane=row["lane_id"],
        nonce=row["settled"] + 1,
    )
    return {
        "lane_id": text_of(row, "lane_id"),
        "source": row["source"],
        "destination": row["destination"],
        "channel": row["channel"],
        "state": row["state"],
        "trust": row["trust"],
        "verifiers": verifiers_of(reader, row),
        "sent": row["final"],
        "proved": row["claimed"],
        "attested": row["attested"],
        "submitted": row["submitted"],
        "delivered": row["delivered"],
        "settled": row["settled"],
        **ended,
        "in_flight": in_flight,
        "backlog": row["final"] - row["delivered"],
        # Both sides count from proved heads: what the source sent, and what the destination says became of it.
        "conserved": sum(ended.values()) == row["delivered"] and in_flight >= undelivered_outcomes >= 0,
        "oldest_age_s": round(max(now - oldest["sent_at"], 0.0), 3) if oldest and in_flight else None,
        "head": text_of(row, "final_head"),
        "head_height": row["final_height"],
        "outcome_head": text_of(row, "outcome_head"),
        "outcome_head_height": row["outcome_height"],
        "waits": waits_of(waits, ("lane", "back"), row["lane_id"].hex()),
    }


def waits_of(waits: list[dict[str, Any]], kinds: tuple[str, ...], identifier: str) -> list[dict[str, Any]]:
    """What of these waits concerns one chain or lane; a wait of a verifier concerns the chain on which that stands."""
    chosen = [wait for wait in waits if wait["kind"] in kinds and _subject(wait) == identifier]
    return [{name: wait[name] for name in ("kind", "code", "party", "text", "since", "next_at")} for wait in chosen]


def _subject(wait: dict[str, Any]) -> str:
    subject: str = wait["id"]
    return subject.partition("@")[2] if wait["kind"] == "client" else subject


def operators_of(reader: Reader, now: float) -> list[dict[str, Any]]:
    """Operators, and who of them is silent.

    Anybody may ask under an operator's name; only a signature shows that it lives. So one that signed nothing while others
    made a quorum is silent, however often its name asks.
    """
    (newest,) = reader.rows("SELECT max(attested_at) AS at FROM claims WHERE state = 'attested'")
    rows = reader.rows("SELECT * FROM operators ORDER BY name")
    return [_operator(row, now, float(newest["at"] or 0.0)) for row in rows]


def _operator(row: dict[str, Any], now: float, attested_at: float) -> dict[str, Any]:
    seen = row["seen_at"]
    away = now - seen > SILENT_AFTER_S
    passed_over = attested_at - row["signed_at"] > SILENT_AFTER_S and now - attested_at > SILENT_AFTER_S
    return {
        "name": row["name"],
        "organisation": row["organisation"],
        "signer": text_of(row, "signer"),
        "state": row["state"],
        "seen_at": seen,
        "signed_at": row["signed_at"],
        "silent": row["state"] == "active" and (away or passed_over),
    }


def _processes(home: Home) -> dict[str, Any]:
    ready, processes = recorded(home)
    running = is_running(home)
    shown = [
        {
            "role": process.role,
            "pid": process.pid,
            "alive": process.alive,
            "restarts": process.restarts,
            "started": process.started,
            "note": process.note,
        }
        for process in processes
    ]
    return {"running": running, "ready": ready and running, "processes": shown}
