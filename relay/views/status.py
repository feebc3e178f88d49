"""The hub's state on one snapshot of its database: ledgers, lanes, operators, what waits for whom.

Everything here is plain data (numbers, text, bytes as hexadecimal), the same for `--json` and for the tables.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from relay.certificate_ends import earliest
from relay.home import Home
from relay.processes import is_running, recorded
from relay.store.reader import Reader, text_of
from relay.views.alarms import Alarm, alarms_about, hub_alarms, runway
from relay.views.evidence import evidence_status
from relay.views.log_anchors import log_anchor
from relay.views.silence import is_silent, newest_quorum
from relay.views.spending import spent_per_day
from relay.views.statements import statements_by_operator
from relay.views.times import DAY_S
from relay.views.verifiers import known_verifiers, light_clients, verifiers_of
from relay.views.webhooks import parked_webhooks

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
        waits, alarms = reader.rows(WAITS), hub_alarms(reader, home, now, _spent(reader, now))
        data: dict[str, Any] = {
            "hub": settings.get("name", ""),
            "development": bool(settings.get("development", False)),
            "home": str(home.folder),
            "chains": [chain_status(reader, row, waits, now) for row in reader.rows(CHAINS)],
            "lanes": [lane_status(reader, row, waits, now) for row in reader.rows(LANES)],
            "light_clients": light_clients(reader, now),
            "operators": operators_of(reader, now),
            "evidence": evidence_status(reader, home, now) | {"alarms": alarms_about(alarms, "evidence", "")},
            "alarms": [alarm.as_data() for alarm in alarms],
            "incidents": reader.rows("SELECT at, name, subject, text FROM incidents ORDER BY id DESC LIMIT 5"),
            "webhooks": parked_webhooks(reader),
        }
    data |= _processes(home)
    return data


_READ: WeakKeyDictionary[Reader, dict[str, Any]] = WeakKeyDictionary()
T = TypeVar("T")


def _once(reader: Reader, name: str, read: Callable[[], T]) -> T:
    """What the items of a list have in common, read once a snapshot: when the first of them asks for it."""
    kept = _READ.setdefault(reader, {})
    if name not in kept:
        kept[name] = read()
    found: T = kept[name]
    return found


def _spent(reader: Reader, now: float) -> dict[str, float]:
    return _once(reader, "spent", lambda: spent_per_day(reader, now))


def _alarms(reader: Reader, now: float) -> list[Alarm]:
    """Everything that alarms, but for the hub's processes."""
    return _once(reader, "alarms", lambda: hub_alarms(reader, None, now, _spent(reader, now)))


CHAINS = "SELECT * FROM chains ORDER BY name"
WAITS = "SELECT kind, id, code, party, text, since, next_at FROM waits ORDER BY since"
LANES = "SELECT * FROM lanes ORDER BY source, destination, channel"


def oldest_messages(reader: Reader) -> dict[bytes, float]:
    """When the oldest message in flight of each lane that has one was sent (Unix seconds): one message a lane, by its key."""
    rows = reader.rows(
        "SELECT lane_id, (SELECT sent_at FROM messages WHERE messages.lane_id = lanes.lane_id "
        "AND messages.nonce = lanes.settled + 1) AS sent_at FROM lanes WHERE final > settled"
    )
    return {row["lane_id"]: row["sent_at"] for row in rows if row["sent_at"] is not None}


def chain_status(reader: Reader, row: dict[str, Any], waits: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """A ledger: heights, the light client's expiry, its certificates, the wallet and its runway, trouble at endpoints.

    Args:
        reader: a snapshot of the database.
        row: of the table of ledgers.
        waits: everything that waits.
        now: Unix seconds.
    """
    balance = int(row["balance"])
    lasts_s = runway(balance, _spent(reader, now).get(row["name"], 0.0))
    expires_at = row["client_expires_at"]
    first = earliest(_certificates(row))
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
        "runway_days": round(lasts_s / DAY_S, 1) if lasts_s is not None else None,
        "endpoint_trouble": reader.rows(
            "SELECT url, since, reason FROM endpoint_health WHERE chain = :name ORDER BY since", name=row["name"]
        ),
        "alarms": alarms_about(_alarms(reader, now), "chain", row["name"]),
        "log_anchor": log_anchor(reader, row["name"]),
        "waits": waits_of(waits, ("chain", "client"), row["name"]),
    }


def _certificates(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker last saw; SQLite gives JSON as text."""
    found = row["certificates"]
    return (json.loads(found) if isinstance(found, str) else found) or []


def trust_of(consensus: str) -> str:
    """The trust level that a ledger's consensus gives the claims about it: `committee`, or `development` without any."""
    return "development" if consensus == "development" else "committee"


def lane_status(reader: Reader, row: dict[str, Any], waits: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """A lane: how far each stage has come, what became of its messages, the oldest one, what waits for whom.

    Args:
        reader: a snapshot of the database.
        row: of the table of lanes.
        waits: everything that waits.
        now: Unix seconds.
    """
    oldest_at = _once(reader, "oldest", lambda: oldest_messages(reader)).get(row["lane_id"])
    verifiers = _once(reader, "verifiers", lambda: known_verifiers(reader))
    ended = {name: row[name] for name in COUNTERS}
    in_flight = row["final"] - row["settled"]
    undelivered_outcomes = row["delivered"] - row["settled"]
    return {
        "lane_id": text_of(row, "lane_id"),
        "source": row["source"],
        "destination": row["destination"],
        "channel": row["channel"],
        "state": row["state"],
        "trust": row["trust"],
        "verifiers": verifiers_of(row, verifiers),
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
        "oldest_age_s": None if oldest_at is None else round(max(now - oldest_at, 0.0), 3),
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
    """Operators, who of them is silent (relay.views.silence), and what each says of itself (relay.views.statements)."""
    attested_at, said = newest_quorum(reader), statements_by_operator(reader, now)
    rows = reader.rows("SELECT * FROM operators ORDER BY name")
    return [_operator(row, now, attested_at) | {"says": said.get(row["name"], [])} for row in rows]


def _operator(row: dict[str, Any], now: float, attested_at: float) -> dict[str, Any]:
    return {
        "name": row["name"],
        "organisation": row["organisation"],
        "signer": text_of(row, "signer"),
        "state": row["state"],
        "seen_at": row["seen_at"],
        "signed_at": row["signed_at"],
        "silent": is_silent(row, attested_at, now),
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
            "failing": process.failing,
        }
        for process in processes
    ]
    return {"running": running, "ready": ready and running, "processes": shown}
