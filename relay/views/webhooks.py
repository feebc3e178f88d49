"""Webhooks whose receivers are gone: how many deliveries are parked, since when, why, and until when."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from relay.store.reader import Reader
from relay.views.times import ago, span

PARKED = """
SELECT w.id, w.url, w.state, w.reason, p.number, p.since, p.until,
  (SELECT d.reason FROM webhook_deliveries d WHERE d.webhook = w.id AND d.state = 'parked' ORDER BY d.created_at LIMIT 1) AS why
FROM webhooks w LEFT JOIN (
  SELECT webhook, count(*) AS number, min(created_at) AS since, min(next_at) AS until
  FROM webhook_deliveries WHERE state = 'parked' GROUP BY webhook
) p ON p.webhook = w.id
WHERE w.state = 'parked' OR (w.state = 'active' AND p.number > 0) ORDER BY w.created_at, w.id
"""


def parked_webhooks(reader: Reader) -> list[dict[str, Any]]:
    """Webhooks with parked deliveries, or that are parked themselves; of an URL only its host, the rest is its owner's.

    `until` is when the hub tries the oldest delivery again, Unix seconds; None where its owner has to take it up.
    """
    return [
        {
            "id": row["id"],
            "host": urlsplit(row["url"]).hostname or "",
            "parked": row["number"] or 0,
            "since": row["since"],
            "reason": row["reason"] or row["why"] or "",
            "until": row["until"] if row["state"] == "active" else None,
        }
        for row in reader.rows(PARKED)
    ]


def webhooks_text(webhooks: list[dict[str, Any]], now: float) -> str:
    """The same as lines; empty without any."""
    return "\n".join(["Webhooks", *(_line(item, now) for item in webhooks)]) if webhooks else ""


def _line(item: dict[str, Any], now: float) -> str:
    since = f" since {ago(item['since'], now)}" if item["since"] else ""
    again = "not tried again" if item["until"] is None else f"tried again in {span(max(item['until'] - now, 0.0))}"
    resume = f"take up: POST /v1/webhooks/{item['id']}/retry"
    return f"  {item['id']} to {item['host']}: {item['parked']} parked{since}, {item['reason']}; {again}; {resume}"
