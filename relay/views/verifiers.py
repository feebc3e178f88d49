"""What verifies at the ends of lanes, and how the light clients on ledgers stand, as the hub last read them."""

from __future__ import annotations

from typing import Any

from relay.store.reader import Reader, text_of

CLIENTS = (
    "SELECT verifiers.*, chains.client_height AS peer_height FROM verifiers "
    "LEFT JOIN chains ON chains.name = verifiers.peer WHERE verifiers.kind = 'light-client' "
    "ORDER BY verifiers.chain, verifiers.peer, verifiers.address"
)
USED = (
    "SELECT COUNT(*) AS lanes FROM lanes JOIN verifiers ON "
    "((verifiers.chain = lanes.source AND verifiers.address = lanes.source_verifier) OR "
    "(verifiers.chain = lanes.destination AND verifiers.address = lanes.destination_verifier)) "
    "WHERE verifiers.chain = :chain AND verifiers.light_client = :client AND lanes.state NOT IN ('abandoned', 'retired')"
)


def light_clients(reader: Reader, now: float) -> list[dict[str, Any]]:
    """The light clients on ledgers: of which ledger, on which, how high, how old, until when, and how many lanes use it."""
    return [_light_client(reader, row, now) for row in reader.rows(CLIENTS)]


def _light_client(reader: Reader, row: dict[str, Any], now: float) -> dict[str, Any]:
    used = reader.row(USED, chain=row["chain"], client=row["address"])
    return {
        "peer": row["peer"],
        "chain": row["chain"],
        "address": text_of(row, "address"),
        "height": row["client_height"],
        "block_hash": text_of(row, "client_hash"),
        "behind": max((row["peer_height"] or 0) - row["client_height"], 0),
        "age_s": round(max(now - row["client_time"], 0.0), 3),
        "expires_in_s": row["expires_at"] - int(now),
        "trusting_period_s": row["trusting_period_s"],
        "validators_hash": text_of(row, "validators_hash"),
        "validators_since": row["validators_since"],
        "frozen": bool(row["frozen"]),
        "read_at": row["read_at"],
        "lanes": used["lanes"] if used else 0,
    }


def known_verifiers(reader: Reader) -> dict[tuple[str, bytes], dict[str, Any]]:
    """Rows of the table of verifiers by ledger and address."""
    return {(row["chain"], row["address"]): row for row in reader.rows("SELECT * FROM verifiers")}


def verifiers_of(lane: dict[str, Any], known: dict[tuple[str, bytes], dict[str, Any]]) -> list[dict[str, Any]]:
    """What verifies the way out (on the destination) and the way back (on the source) of a lane, with its parts.

    Args:
        lane: a row of the table of lanes.
        known: what the hub knows of verifiers.
    """
    return [
        _verifier(known.get((lane[end], lane[f"{end}_verifier"])), lane[end], text_of(lane, f"{end}_verifier"), judges)
        for end, judges in (("destination", "messages"), ("source", "outcomes"))
    ]


def _verifier(row: dict[str, Any] | None, chain: str, address: str, judges: str) -> dict[str, Any]:
    told: dict[str, Any] = {"judges": judges, "chain": chain, "address": address, "kind": "unknown"}
    if row is not None:
        told["kind"] = row["kind"]
        told |= {part: text_of(row, part) for part in ("committee", "light_client") if row[part]}
    return told


def describe_verifier(verifier: dict[str, Any]) -> str:
    """One line: `messages judged on beta by the light client 0x… and the committee 0x…`."""
    named = [
        (name, verifier.get(part)) for part, name in (("light_client", "light client"), ("committee", "committee"))
    ]
    parts = [f"the {name} {address}" for name, address in named if address]
    judges = " and ".join(parts) or f"the contract {verifier['address']}, which the hub has not read yet"
    return f"{verifier['judges']} judged on {verifier['chain']} by {judges}"
