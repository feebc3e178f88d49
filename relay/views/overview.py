"""The hub's whole state for whoever looks at it again and again: one query a kind of thing, however many lanes there are.

Unlike `relay.views.status` it holds moments (Unix seconds) and no ages, so that two looks at a hub in which nothing happens are
equal. Sections hold items by their names: `{"lanes": {lane_id: {…}}, …}`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from relay.certificate_ends import earliest
from relay.store.reader import Reader, text_of
from relay.views.silence import is_silent, newest_quorum
from relay.views.statements import statements_by_operator
from relay.views.status import COUNTERS, oldest_messages, trust_of

Section = dict[str, dict[str, Any]]

CLAIMS_LOOKED_AT = 500
"""Newest claims from which it is told who signs and how high each operator's ledgers are."""
OVERDUE_S = 5.0
"""Age from which a claim without an operator's signature counts as missing."""
INCIDENTS_SHOWN = 20
SIMULATED = ("simulator", "relayhub-devnet", "anvil")
"""Words in the names of software that is no ledger of anybody's."""

SIGNED = (
    "SELECT claims.id, claims.lane_id, claims.direction, claims.height, claims.state, claims.created_at, attestations.signer "
    "FROM claims LEFT JOIN attestations ON attestations.claim_id = claims.id WHERE claims.id > :after"
)


def overview(reader: Reader, now: float) -> dict[str, Section]:
    """Read ledgers, lanes, light clients on ledgers, operators, waits, incidents; alarms are in `relay.views.alarms`.

    Args:
        reader: a snapshot of the database.
        now: Unix seconds, by which operators are silent and certificates near their end.
    """
    chains = reader.rows("SELECT * FROM chains ORDER BY name")
    lanes = reader.rows("SELECT * FROM lanes ORDER BY source, destination, channel")
    verifiers = reader.rows("SELECT * FROM verifiers WHERE kind <> 'committee'")
    return {
        "chains": _chains(reader, chains),
        "lanes": _lanes(reader, lanes, verifiers),
        "clients": _clients(verifiers, lanes),
        "operators": _operators(reader, lanes, now),
        "waits": {
            f"{row['kind']} {row['id']}": row
            for row in reader.rows("SELECT kind, id, code, party, text, since, next_at FROM waits ORDER BY since")
        },
        "incidents": {
            str(row["id"]): row
            for row in reader.rows(
                "SELECT id, at, name, subject, text FROM incidents ORDER BY id DESC LIMIT :shown", shown=INCIDENTS_SHOWN
            )
        },
    }


def _chains(reader: Reader, rows: list[dict[str, Any]]) -> Section:
    troubles = defaultdict(list)
    for row in reader.rows("SELECT chain, url, since, reason FROM endpoint_health ORDER BY since"):
        troubles[row.pop("chain")].append(row)
    return {row["name"]: _chain(row, troubles[row["name"]]) for row in rows}


def _chain(row: dict[str, Any], troubles: list[dict[str, Any]]) -> dict[str, Any]:
    first = earliest(_certificates(row))
    shown = ("name", "chain_id", "adapter", "consensus", "software", "state", "tip", "tip_at", "balance")
    return {name: row[name] for name in shown} | {
        "trust": trust_of(row["consensus"]),
        "development": bool(row["development"]),
        "simulated": any(word in row["software"].lower() for word in SIMULATED),
        "height": row["client_height"],
        "block_hash": text_of(row, "client_hash"),
        "header_at": row["client_time"],
        "expires_at": row["client_expires_at"],
        "certificate": first["name"] if first else "",
        "certificate_ends_at": first["not_after"] if first else 0,
        "gateway": text_of(row, "gateway"),
        "account": text_of(row, "account"),
        "endpoint_trouble": troubles,
    }


def _certificates(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker last saw; SQLite gives JSON as text."""
    found = row["certificates"]
    return (json.loads(found) if isinstance(found, str) else found) or []


def _lanes(reader: Reader, rows: list[dict[str, Any]], verifiers: list[dict[str, Any]]) -> Section:
    oldest = oldest_messages(reader)
    ends = {(row["chain"], row["address"]): row["expires_at"] for row in verifiers}
    return {row["lane_id"].hex(): _lane(row, oldest.get(row["lane_id"]), ends) for row in rows}


def _lane(row: dict[str, Any], oldest_at: float | None, ends: dict[tuple[str, bytes], int]) -> dict[str, Any]:
    in_flight, unsettled = row["final"] - row["settled"], row["delivered"] - row["settled"]
    expiries = [ends.get((row[end], row[f"{end}_verifier"]), 0) for end in ("source", "destination")]
    shown = (
        "source",
        "destination",
        "channel",
        "suite",
        "state",
        "trust",
        "attested",
        "submitted",
        "delivered",
        "settled",
    )
    return {name: row[name] for name in (*shown, *COUNTERS)} | {
        "lane_id": text_of(row, "lane_id"),
        "sent": row["final"],
        "proved": row["claimed"],
        "backlog": row["final"] - row["delivered"],
        "in_flight": in_flight,
        # Both sides count from proved heads: what the source sent, and what the destination says became of it.
        "conserved": sum(row[name] for name in COUNTERS) == row["delivered"] and in_flight >= unsettled >= 0,
        "oldest_at": oldest_at,
        "head": text_of(row, "final_head"),
        "head_height": row["final_height"],
        "outcome_head": text_of(row, "outcome_head"),
        "outcome_head_height": row["outcome_height"],
        "expires_at": min((at for at in expiries if at), default=0),
    }


def _clients(verifiers: list[dict[str, Any]], lanes: list[dict[str, Any]]) -> Section:
    """Light clients on ledgers, and how many lanes use each."""
    behind = {(row["chain"], row["address"]): (row["chain"], row["light_client"]) for row in verifiers}
    ends = (
        (lane[end], lane[f"{end}_verifier"]) for lane in lanes for end in ("source", "destination") if _carries(lane)
    )
    used = Counter(behind[end] for end in ends if end in behind)
    return {
        f"{row['chain']} {row['address'].hex()}": {
            "peer": row["peer"],
            "chain": row["chain"],
            "address": text_of(row, "address"),
            "height": row["client_height"],
            "header_at": row["client_time"],
            "expires_at": row["expires_at"],
            "trusting_period_s": row["trusting_period_s"],
            "frozen": bool(row["frozen"]),
            "lanes": used[row["chain"], row["address"]],
        }
        for row in verifiers
        if row["kind"] == "light-client"
    }


def _carries(lane: dict[str, Any]) -> bool:
    return lane["state"] not in ("abandoned", "retired")


def _operators(reader: Reader, lanes: list[dict[str, Any]], now: float) -> Section:
    """Operators: when they asked and signed, how high the blocks are for which they signed, what they left unsigned."""
    ledgers = {(lane["lane_id"], way): lane[end] for lane in lanes for way, end in ((0, "source"), (1, "destination"))}
    (newest,) = reader.rows("SELECT MAX(id) AS id FROM claims")
    heights: dict[bytes, dict[str, int]] = defaultdict(dict)
    signed: Counter[bytes] = Counter()
    owed = set()
    for row in reader.rows(SIGNED, after=(newest["id"] or 0) - CLAIMS_LOOKED_AT):
        if row["state"] == "open" and now - row["created_at"] > OVERDUE_S:
            owed.add(row["id"])
        if row["signer"] is not None:
            ledger = ledgers.get((row["lane_id"], row["direction"]), "")
            heights[row["signer"]][ledger] = max(heights[row["signer"]].get(ledger, 0), row["height"])
            signed[row["signer"]] += row["id"] in owed
    attested_at, said = newest_quorum(reader), statements_by_operator(reader, now)
    return {
        row["name"]: {
            "name": row["name"],
            "organisation": row["organisation"],
            "signer": text_of(row, "signer"),
            "state": row["state"],
            "seen_at": row["seen_at"],
            "signed_at": row["signed_at"],
            "silent": is_silent(row, attested_at, now),
            "heights": dict(sorted(heights[row["signer"]].items())),
            "unsigned": len(owed) - signed[row["signer"]],
            "says": said.get(row["name"], []),
        }
        for row in reader.rows("SELECT * FROM operators ORDER BY name")
    }
