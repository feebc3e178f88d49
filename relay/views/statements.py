"""What operators say of themselves (relay.statements), for the status, the page, the alarms and the waits.

It is each operator's word and is shown as such; an old one is shown with its age and alarms nobody.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from relay.store.reader import Reader

FRESH_S = 120.0
"""An operator says every 30 seconds how it stands; what was not said again for so long is its last word and no more."""
WELL = "well"
SAID = (
    "SELECT operators.name, operators.organisation, operators.state, said.chain, said.code, said.text, said.height, "
    "said.heard_at, said.since, said.contradiction FROM operator_statements AS said "
    "JOIN operators ON operators.signer = said.signer JOIN chains ON chains.name = said.chain "
    "WHERE chains.state <> 'retired' ORDER BY operators.name, said.chain"
)
SHORT = {
    "operator_client_frozen": "its light client of {chain} is frozen",
    "operator_client_expired": "its light client of {chain} has expired",
    "operator_client_misconfigured": "its configuration of {chain} cannot work",
    "operator_header_refused": "its light client refuses the headers of its node of {chain}",
    "operator_endpoint_down": "none of its nodes of {chain} answers",
    "operator_endpoint_lies": "its node of {chain} said what cannot be true",
    "operator_certificate_refused": "its certificate for {chain} is refused",
    "operator_behind": "its node of {chain} is behind",
    "operator_clock_behind": "its clock is behind that of {chain}",
    "operator_refuses_claim": "it refuses a claim about {chain}",
    "operator_disputes_claim": "it holds a claim about {chain} for false",
    "operator_failed": "its own program fails at {chain}",
}
"""What each code says in a clause, in the hub's own words."""


def statements_by_operator(reader: Reader, now: float) -> dict[str, list[dict[str, Any]]]:
    """The newest statement of each operator about each ledger: {operator: [{chain, code, text, height, since, heard_at, fresh}]}.

    Args:
        reader: a snapshot of the database.
        now: Unix seconds.
    """
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in reader.rows(SAID):
        shown = {name: row[name] for name in ("chain", "code", "text", "height", "since", "heard_at")}
        kept = row["contradiction"]
        other = json.loads(kept) if isinstance(kept, str) else kept  # SQLite gives JSON as text
        found[row["name"]].append(shown | {"fresh": is_fresh(row["heard_at"], now), "contradiction": other})
    return dict(found)


def troubles(reader: Reader, now: float) -> list[dict[str, Any]]:
    """Statements of active operators that are fresh and say that something is in the way."""
    rows = reader.rows(SAID)
    return [
        row
        for row in rows
        if row["state"] == "active" and row["code"] != WELL and row["code"] in SHORT and is_fresh(row["heard_at"], now)
    ]


def is_fresh(heard_at: float, now: float) -> bool:
    """Whether what was heard then still stands."""
    return now - heard_at <= FRESH_S


def clause(code: str, chain: str) -> str:
    """A statement as a clause, in the hub's own words."""
    return SHORT[code].format(chain=chain)


def said_line(said: Iterable[dict[str, Any]]) -> str:
    """What an operator says of its ledgers, in one line; empty where it is well everywhere or said nothing."""
    shown = [item for item in said if item["code"] in SHORT]
    return "; ".join(
        clause(item["code"], item["chain"]) + ("" if item["fresh"] else " (its last word)") for item in shown
    )
