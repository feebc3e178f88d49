"""What the relayer's wallets spend in a day."""

from __future__ import annotations

from relay.store.reader import Reader
from relay.views.since import first_since
from relay.views.times import DAY_S, HOUR_S

WRITTEN_WITHIN_S = 2 * DAY_S
"""A transaction is sent within a day of being written down, so those sent within the last day were written within two."""
SPENT = (
    "SELECT chain, SUM(COALESCE(gas_used, gas) * CAST(fee AS DOUBLE PRECISION)) AS total, MIN(sent_at) AS since "
    "FROM transactions WHERE id >= :first AND state = 'mined' AND sent_at > :since GROUP BY chain"
)


def spent_per_day(reader: Reader, now: float) -> dict[str, float]:
    """What each wallet spends on its ledger in a day, in base units, by the transactions mined in the last one.

    Where a receipt was not needed the gas limit stands for the gas used. The rate is taken over at least an hour. Only the
    transactions of the last two days are read, however many there are.

    Args:
        reader: a snapshot of the database.
        now: Unix seconds.
    """
    rows = reader.rows(
        SPENT, first=first_since(reader, "transactions", "created_at", now - WRITTEN_WITHIN_S), since=now - DAY_S
    )
    return {
        row["chain"]: float(row["total"]) * DAY_S / max(now - float(row["since"]), HOUR_S)
        for row in rows
        if row["total"]
    }
