"""Counters that follow tables by their ids: what was refused, what went wrong, how transactions ended and what they cost.

A table is never counted through: each look reads the rows that were added since the last one, and looks again at transactions
that were open. Refusals and transactions are counted from the moment at which this process began.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import Any

from relay.store.reader import Reader
from relay.views.times import DAY_S, HOUR_S

REASONS_MAX = 64
OTHER = "other"
AT_ONCE = 5_000
WINDOW_MAX = 300
SHORTEST_S = 60.0
KNOWN_REFUSALS = {
    "AttestationMalformed": "What was posted is no attestation.",
    "ClaimMalformed": "The claim's words cannot be made.",
    "ClaimMismatch": "The claim differs from the one that the hub proposed.",
    "ClaimVoid": "The hub withdrew the claim meanwhile.",
    "EpochMismatch": "The committee is of another epoch; the operator follows the ledger late, or its configuration is old.",
    "FalseHead": "The operator signed another head than the proved one: an incident.",
    "NoCommittee": "The verifier has no committee yet.",
    "OperatorEquivocation": "The operator signed two heads for one nonce: an incident.",
    "SignerMismatch": "The signature is not the signer's over this claim at this place.",
    "SignerStruck": "An officer struck the operator out.",
    "SignerUnknown": "The signer does not sit in the committee.",
    "UnknownClaim": "The hub proposed no such claim.",
}
"""Names and what they mean. They are shown as 0 from the beginning, so that the first one of a kind is seen as an increase."""
OPEN = (
    "SELECT id, chain, purpose, state FROM transactions WHERE chain = :chain AND state = :state ORDER BY id LIMIT :most"
)
COST = "chain, purpose, state, COALESCE(gas_used, gas) AS gas, fee, sent_at"


class Named:
    """Counts rows of a table by its column `name`, as they come."""

    def __init__(self, table: str, known: Iterable[str] = (), *, from_beginning: bool = False) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(known, 0))
        self._query = f"SELECT id, name FROM {table} WHERE id > :cursor ORDER BY id LIMIT :most"  # noqa: S608 - our own name
        self._newest = f"SELECT MAX(id) AS id FROM {table}"  # noqa: S608 - the same
        self._cursor: int | None = 0 if from_beginning else None

    def update(self, reader: Reader) -> None:
        """Count what was added."""
        if self._cursor is None:
            self._cursor = (reader.row(self._newest) or {"id": 0})["id"] or 0
            return
        while rows := reader.rows(self._query, cursor=self._cursor, most=AT_ONCE):
            for row in rows:
                known = row["name"] in self.counts or len(self.counts) < REASONS_MAX
                self.counts[row["name"] if known else OTHER] += 1
            self._cursor = rows[-1]["id"]


class Spending:
    """What a wallet spent lately: at most a day, and at most so many transactions."""

    def __init__(self) -> None:
        self._spent: deque[tuple[float, float]] = deque(maxlen=WINDOW_MAX)

    def add(self, sent_at: float, base_units: float) -> None:
        """Note a mined transaction."""
        self._spent.append((sent_at, base_units))

    def a_second(self, now: float) -> float:
        """Base units a second, over the last day; over at least an hour, as in `relayhub status`, where the whole of it is known."""
        recent = [spent for spent in self._spent if spent[0] > now - DAY_S]
        if not recent:
            return 0.0
        shortest_s = SHORTEST_S if len(recent) == WINDOW_MAX else HOUR_S
        since = min(sent_at for sent_at, _ in recent)
        return sum(base_units for _, base_units in recent) / max(now - since, shortest_s)


class Transactions:
    """How transactions ended and what they cost, by (ledger, purpose); those that are open, and what wallets spend."""

    def __init__(self) -> None:
        self.open: Counter[tuple[str, str, str]] = Counter()
        self.ended: Counter[tuple[str, str, str]] = Counter()
        self.gas: Counter[tuple[str, str]] = Counter()
        self.fees: dict[tuple[str, str], float] = defaultdict(float)
        self.spending: dict[str, Spending] = defaultdict(Spending)
        self._watched: set[int] = set()
        self._cursor: int | None = None

    def update(self, reader: Reader, chains: list[str]) -> None:
        """Look at what is open, what came, and what ended."""
        self.open.clear()
        still: set[int] = set()
        for chain in chains:
            for state in ("queued", "sent"):
                for row in reader.rows(OPEN, chain=chain, state=state, most=AT_ONCE):
                    self.open[row["chain"], row["purpose"], row["state"]] += 1
                    still.add(row["id"])
        newest = (reader.row("SELECT MAX(id) AS id FROM transactions") or {"id": 0})["id"] or 0
        if self._cursor is None:
            self._begin(reader, chains)
        else:
            for number in sorted(self._watched - still):
                self._ended(reader.row(f"SELECT {COST} FROM transactions WHERE id = :id", id=number))  # noqa: S608 - our own columns
            self._passed_by(reader, self._cursor, still)
        self._cursor, self._watched = newest, still

    def _begin(self, reader: Reader, chains: list[str]) -> None:
        """What wallets spent before this process began: the newest transactions of each."""
        for chain in chains:
            rows = reader.rows(
                f"SELECT {COST} FROM transactions WHERE chain = :chain AND state = 'mined' ORDER BY id DESC LIMIT :most",  # noqa: S608
                chain=chain,
                most=WINDOW_MAX,
            )
            for row in reversed(rows):
                self.spending[chain].add(row["sent_at"] or 0.0, row["gas"] * float(row["fee"]))

    def _passed_by(self, reader: Reader, cursor: int, still: set[int]) -> None:
        """Count transactions that came and ended between two looks."""
        while rows := reader.rows(
            f"SELECT id, {COST} FROM transactions WHERE id > :cursor ORDER BY id LIMIT :most",  # noqa: S608 - our own columns
            cursor=cursor,
            most=AT_ONCE,
        ):
            for row in rows:
                if row["id"] not in still:
                    self._ended(row)
            cursor = rows[-1]["id"]

    def _ended(self, row: dict[str, Any] | None) -> None:
        if row is None or row["state"] in ("queued", "sent"):
            return
        chain, purpose = row["chain"], row["purpose"]
        self.ended[chain, purpose, row["state"]] += 1
        if row["state"] == "mined":
            cost = row["gas"] * float(row["fee"])
            self.gas[chain, purpose] += row["gas"]
            self.fees[chain, purpose] += cost
            self.spending[chain].add(row["sent_at"] or 0.0, cost)
