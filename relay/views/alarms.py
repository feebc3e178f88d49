"""Everything at the hub that asks for somebody's hand and is no wait: one list for the page, the status and the interface.

An alarm is on as long as its cause is; nothing is stored. Its code stands in `relay.reasons`, which explains it in two languages.
What the sentence tells (`values`) is there as plain data too, moments as Unix seconds, so that the page says it in the reader's
language and two looks at a hub in which nothing happens are equal. Only rows with a cause are read: a thousand lanes that are
well cost one query.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from relay.certificate_ends import NEXT_STEP, alarms_of
from relay.home import Home
from relay.processes import recorded
from relay.store.reader import Reader, text_of
from relay.views.evidence import BEHIND_S, queue_of
from relay.views.silence import is_silent, newest_quorum
from relay.views.spending import spent_per_day
from relay.views.statements import clause, troubles
from relay.views.times import DAY_S, ago, span
from relay.views.witnesses import witness_status, witness_troubles

RUNWAY_SHORT_S = DAY_S
LAST_PART = 3
"""A light client is renewed long before the last third of its trusting period."""
OWNER, OFFICERS, NOBODY = "hub's owner", "officers", "nobody"
FROZEN_LANES = "SELECT lane_id, source, destination, channel FROM lanes WHERE state = 'frozen' ORDER BY source, destination, channel"
UNBALANCED_LANES = (
    "SELECT lane_id, source, destination, channel, final, delivered, settled, executed + failed + expired + refused AS ended "
    "FROM lanes WHERE executed + failed + expired + refused <> delivered OR delivered > final OR settled > delivered "
    "ORDER BY source, destination, channel"
)
CLIENTS = (
    "SELECT chain, address, peer, client_time, expires_at, frozen FROM verifiers WHERE kind = 'light-client' "
    "ORDER BY chain, peer, address"
)
CARRYING = (
    "SELECT 1 FROM verifiers JOIN lanes ON (lanes.source = verifiers.chain AND lanes.source_verifier = verifiers.address) "
    "OR (lanes.destination = verifiers.chain AND lanes.destination_verifier = verifiers.address) "
    "WHERE verifiers.chain = :chain AND verifiers.light_client = :client AND lanes.state NOT IN ('abandoned', 'retired') LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that asks for somebody's hand.

    Attributes:
        code: of `relay.reasons`.
        kind: `alarm`, or `freeze` where something stands still until officers act.
        subject: what it is about: chain, lane, client, operator, process or evidence.
        id: its identifier: a name, a lane's id in hexadecimal, the address of a light client.
        name: the same as a person names it.
        party: whose turn it is.
        text: a sentence in English.
        since: Unix seconds, 0 = unknown.
        ends_at: when what ends ends, Unix seconds, 0 for everything else.
        values: what the sentence tells.
    """

    code: str
    kind: str
    subject: str
    id: str
    name: str
    party: str
    text: str
    since: float = 0.0
    ends_at: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Tells it from every other alarm of the same moment."""
        return " ".join((self.code, self.subject, self.id, str(self.values.get("item", "")))).rstrip()

    def as_data(self) -> dict[str, Any]:
        """Plain data for `--json` and the interface."""
        told = ("code", "kind", "subject", "id", "name", "party", "text", "since", "ends_at")
        return {name: getattr(self, name) for name in told}

    def for_page(self) -> dict[str, Any]:
        """Plain data without ages, so that it changes only with its cause."""
        told = ("code", "kind", "subject", "id", "name", "party", "since", "ends_at", "values")
        return {name: getattr(self, name) for name in told}


def hub_alarms(reader: Reader, home: Home | None, now: float, spent: dict[str, float] | None = None) -> list[Alarm]:
    """Every alarm that is on, freezes first.

    Args:
        reader: a snapshot of the database.
        home: the hub's folder, for its processes; without it nothing is said about them.
        now: Unix seconds.
        spent: what wallets spend in a day (`relay.views.spending`), where it is known already.

    Raises:
        BadInput: the database cannot be read.
    """
    chains = reader.rows("SELECT * FROM chains WHERE state <> 'retired' ORDER BY name")
    clients = reader.rows(CLIENTS)
    found: list[Alarm] = [
        *(_frozen("client_frozen", "chain", row["name"], row["name"]) for row in chains if row["state"] == "frozen"),
        *(_frozen("client_frozen", "lane", row["lane_id"].hex(), _lane(row)) for row in reader.rows(FROZEN_LANES)),
        *(
            _frozen("light_client_frozen", "client", text_of(row, "address"), _client(row))
            for row in clients
            if row["frozen"]
        ),
    ]
    spent = spent_per_day(reader, now) if spent is None else spent
    for row in chains:
        found += _of_chain(row, spent.get(row["name"], 0.0), now)
    found += _endpoints(reader, {row["name"] for row in chains})
    for row in clients:
        ends = _expiry("light_client_expired", "client", text_of(row, "address"), _client(row), row, now)
        if ends is not None and reader.row(CARRYING, chain=row["chain"], client=row["address"]) is not None:
            found.append(ends)
    found += map(_not_conserved, reader.rows(UNBALANCED_LANES))
    found += _operators(reader, now)
    found += _statements(reader, now)
    found += _processes(home)
    found += _evidence(reader, now)
    found += _witnesses(home, now)
    return found


def alarms_about(alarms: Iterable[Alarm], subject: str, identifier: str) -> list[dict[str, Any]]:
    """Those about one thing, as plain data."""
    return [alarm.as_data() for alarm in alarms if (alarm.subject, alarm.id) == (subject, identifier)]


def _lane(row: dict[str, Any]) -> str:
    channel = "" if row["channel"] == "default" else f" #{row['channel']}"
    return f"{row['source']} → {row['destination']}{channel}"


def _client(row: dict[str, Any]) -> str:
    return f"{row['peer'] or '?'} @ {row['chain']}"


def _frozen(code: str, subject: str, identifier: str, name: str) -> Alarm:
    text = "Frozen: nothing of it is believed or carried until officers decide."
    return Alarm(code, "freeze", subject, identifier, name, OFFICERS, text)


def _of_chain(row: dict[str, Any], spent: float, now: float) -> Iterator[Alarm]:
    """Certificates, the hub's light client, the wallet."""
    name = row["name"]
    kept = row["certificates"]
    certificates = (json.loads(kept) if isinstance(kept, str) else kept) or []  # SQLite gives JSON as text
    for ends in alarms_of(certificates, now):
        values = {"item": ends.name, "ends_at": ends.not_after}
        text = f"{ends.text} {NEXT_STEP}"
        yield Alarm(ends.code, "alarm", "chain", name, name, OWNER, text, ends_at=ends.not_after, values=values)
    expiry = {"client_time": row["client_time"], "expires_at": row["client_expires_at"]}
    if (over := _expiry("client_expired", "chain", name, name, expiry, now)) is not None:
        yield over
    runway_s = runway(int(row["balance"]), spent)
    if runway_s is not None and runway_s < RUNWAY_SHORT_S:
        text = f"The wallet lasts {span(runway_s)}. Fill it: relayhub doctor names its address."
        yield Alarm("runway_short", "alarm", "chain", name, name, OWNER, text, values={"runway_s": round(runway_s, -3)})


def runway(balance: int, spent: float) -> float | None:
    """Seconds that a wallet lasts, to be rounded to thousands; None where it spends nothing.

    Args:
        balance: base units.
        spent: base units a day.
    """
    return balance / spent * DAY_S if spent else None


def _expiry(code: str, subject: str, identifier: str, name: str, row: dict[str, Any], now: float) -> Alarm | None:
    """A light client that is over, or within the last third of its trusting period."""
    ends_at, header_at = row["expires_at"], row["client_time"]
    left = ends_at - now
    if not ends_at or left > (ends_at - header_at) / LAST_PART:
        return None
    over = left <= 0
    text = f"Expired {span(-left)} ago." if over else f"Expires in {span(left)} unless newer headers come."
    code = code if over else "client_expires_soon"
    values = {"ends_at": ends_at}
    return Alarm(code, "alarm", subject, identifier, name, OWNER, text, ends_at=ends_at, values=values)


def _endpoints(reader: Reader, names: set[str]) -> Iterator[Alarm]:
    for row in reader.rows("SELECT chain, url, since, reason FROM endpoint_health ORDER BY since"):
        if row["chain"] in names:
            chain, values = row["chain"], {"item": row["url"], "reason": row["reason"]}
            text = f"{row['url']}: {row['reason']}"
            yield Alarm(
                "endpoint_rests", "alarm", "chain", chain, chain, NOBODY, text, since=row["since"], values=values
            )


def _not_conserved(row: dict[str, Any]) -> Alarm:
    values = {"sent": row["final"], "ended": row["ended"], "in_flight": row["final"] - row["settled"]}
    text = "{sent} sent; {ended} ended, {in_flight} in flight.".format(**values)
    return Alarm("not_conserved", "alarm", "lane", row["lane_id"].hex(), _lane(row), OWNER, text, values=values)


def _operators(reader: Reader, now: float) -> Iterator[Alarm]:
    attested_at = newest_quorum(reader)
    for row in reader.rows("SELECT name, organisation, state, seen_at, signed_at FROM operators ORDER BY name"):
        if is_silent(row, attested_at, now):
            times = (f"{said} {_when(row[at], now)}" for said, at in (("Asked", "seen_at"), ("signed", "signed_at")))
            values = {"seen_at": row["seen_at"], "signed_at": row["signed_at"]}
            text, party = f"{', '.join(times)}.", f"operator {row['organisation']}"
            yield Alarm("operator_silent", "alarm", "operator", row["name"], row["name"], party, text, values=values)


def _statements(reader: Reader, now: float) -> Iterator[Alarm]:
    """What operators say of themselves; their own words come last, and are theirs."""
    for row in troubles(reader, now):
        name, chain, words = row["name"], row["chain"], row["text"]
        values = {"item": chain, "chain": chain, "text": words}
        text, party = f"It says that {clause(row['code'], chain)}. {words}".rstrip(), f"operator {row['organisation']}"
        yield Alarm(row["code"], "alarm", "operator", name, name, party, text, since=row["since"], values=values)


def _processes(home: Home | None) -> Iterator[Alarm]:
    """What does not run, or ends again and again, with the last line that it said."""
    for process in recorded(home)[1] if home is not None else []:
        if process.failing or not process.alive:
            role, note = process.role, process.note
            code, text = "process_down", f"{note or 'It died'}."
            yield Alarm(code, "alarm", "process", role, role, OWNER, text, values={"note": note})


def _evidence(reader: Reader, now: float) -> Iterator[Alarm]:
    waiting, since = queue_of(reader)
    if waiting and now - since > BEHIND_S:
        text = (
            f"{waiting} decisions wait for their leaves, the oldest for {span(now - since)}. "
            "See that the process recorder runs and that its disk has room; messages go on meanwhile."
        )
        values = {"waiting": waiting}
        yield Alarm("evidence_behind", "alarm", "evidence", "", "", OWNER, text, since=since, values=values)


def _witnesses(home: Home | None, now: float) -> Iterator[Alarm]:
    for trouble in witness_troubles(witness_status(home, now)) if home is not None else ():
        name, values = trouble.witness, {"item": trouble.witness}
        yield Alarm(
            trouble.code, "alarm", "evidence", "", name, OWNER, trouble.text, since=trouble.since, values=values
        )


def _when(at: float, now: float) -> str:
    return f"{ago(at, now)} ago" if at > 0 else "never"
