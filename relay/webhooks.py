"""Webhooks: an application is told that its messages were delivered, and that they are settled.

A delivery is a row of the database, written together with the place up to which a lane was looked through: `kill -9` loses none. It is
posted until it is taken (2xx), with growing pauses, and parked with a reason when it was refused twelve times (about nine hours). Of the
parked ones of a webhook the oldest is tried once a day; when it is taken, or its owner asks, all are taken up again. None is ever dropped.
It may come twice, in any order; its id says that it is the same.

Signed as the Standard Webhooks specification (1.0) has it: HMAC-SHA256 with the secret over `id.timestamp.body`, in the headers
`webhook-id`, `webhook-timestamp`, `webhook-signature`. No redirect is followed; where it may lead is judged by `relay.webhook_targets`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
from sqlalchemy import Connection, Row, Select, Update, func, insert, select, update

from relay.errors import BadInput
from relay.store import Store
from relay.store.tables import lanes, messages, outcomes, webhook_cursors, webhook_deliveries, webhooks
from relay.store.upsert import upsert
from relay.views.trace import STATUS_NAMES
from relay.webhook_targets import Resolve, resolve, target_of
from schemas.primitives import hex0x

ATTEMPTS_MAX = 12
FIRST_PAUSE_S, LAST_PAUSE_S = 5.0, 3_600.0
PARKED_PAUSE_S = 86_400.0
TIMEOUT_S = 10.0
BATCH = 200
DUE_MAX = 16
POSTS_AT_ONCE = 8
REASON_MAX = 300
GONE = 410
EVENTS = ("delivered", "settled")
UNPARKED: dict[str, Any] = {"parked_since": None, "parked_until": None, "parked_reason": ""}


def new_secret() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(32)


def secret_text(secret: bytes) -> str:
    """A secret as it is shown: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secret).decode()


def signature(secret: bytes, identifier: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def create(
    connection: Connection, owner: str, url: str, lane_id: bytes | None, sender: bytes | None, now: float
) -> dict[str, Any]:
    """Write a webhook down; it is told what happens from now on. The answer has the secret."""
    row = {"id": f"wh_{secrets.token_hex(12)}", "url": url, "state": "active", "reason": "", "created_at": now}
    secret = new_secret()
    connection.execute(insert(webhooks).values(**row, owner=owner, secret=secret, lane_id=lane_id, sender=sender))
    for lane in connection.execute(select(lanes.c.lane_id, lanes.c.delivered, lanes.c.settled)).all():
        if lane_id is None or bytes(lane.lane_id) == lane_id:
            place = {"delivered": lane.delivered, "settled": lane.settled}
            connection.execute(insert(webhook_cursors).values(webhook=row["id"], lane_id=lane.lane_id, **place))
    given = {"lane_id": lane_id and hex0x(lane_id), "sender": sender and hex0x(sender)}
    return {**row, **given, **UNPARKED, "waiting": 0, "parked": 0, "secret": secret_text(secret)}


def shown(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """A webhook ready for JSON, never its secret."""
    query = select(webhook_deliveries.c.state, func.count()).where(
        webhook_deliveries.c.webhook == row.id, webhook_deliveries.c.state.in_(("waiting", "parked"))
    )
    found = connection.execute(query.group_by(webhook_deliveries.c.state)).all()
    counts: dict[str, Any] = {"waiting": 0, "parked": 0} | {item.state: item[1] for item in found}
    if counts["parked"]:
        oldest = connection.execute(_oldest_parked(row.id)).one()
        until = oldest.next_at if row.state == "active" else None
        counts |= {"parked_since": oldest.created_at, "parked_until": until, "parked_reason": oldest.reason}
    lane_id, sender = row.lane_id, row.sender
    given = {"lane_id": lane_id and hex0x(lane_id), "sender": sender and hex0x(sender)}
    names = ("id", "url", "state", "reason", "created_at")
    return {name: getattr(row, name) for name in names} | given | UNPARKED | counts


def take_up(connection: Connection, webhook: str, now: float) -> None:
    """Let parked deliveries of a webhook be posted again, from now on."""
    connection.execute(_parked_of(webhook).values(state="waiting", attempts=0, next_at=now))


def _parked_of(webhook: str) -> Update:
    table = webhook_deliveries
    return update(table).where(table.c.webhook == webhook, table.c.state == "parked")


def _oldest_parked(webhook: str) -> Select[Any]:
    table = webhook_deliveries
    found = select(table).where(table.c.webhook == webhook, table.c.state == "parked")
    return found.order_by(table.c.created_at, table.c.id).limit(1)


def any_active(store: Store) -> bool:
    """Whether there is somebody to tell."""
    with store.read() as connection:
        return (
            connection.execute(select(webhooks.c.id).where(webhooks.c.state == "active").limit(1)).first() is not None
        )


def write_deliveries(store: Store, now: float) -> int:
    """Write down what webhooks are to be told; returns how many deliveries are new."""
    with store.read() as connection:
        hooks = connection.execute(select(webhooks).where(webhooks.c.state == "active")).all()
        if not hooks:
            return 0
        roads = connection.execute(select(lanes.c.lane_id, lanes.c.delivered, lanes.c.settled)).all()
        known = {(row.webhook, bytes(row.lane_id)): row for row in connection.execute(select(webhook_cursors)).all()}
    made = 0
    for hook in hooks:
        for road in roads:
            place = known.get((hook.id, bytes(road.lane_id)))
            behind = place is None or place.delivered < road.delivered or place.settled < road.settled
            if behind and (hook.lane_id is None or hook.lane_id == road.lane_id):
                made += _look_through(store, hook, road.lane_id, now)
    return made


def _look_through(store: Store, hook: Row[Any], lane_id: bytes, now: float) -> int:
    """Write the deliveries of one lane's next messages together with the new place, in one transaction."""
    with store.write() as connection:
        lane = connection.execute(select(lanes).where(lanes.c.lane_id == lane_id)).one()
        where = (webhook_cursors.c.webhook == hook.id, webhook_cursors.c.lane_id == lane_id)
        place = connection.execute(select(webhook_cursors).where(*where)).one_or_none()
        reached, made = {}, 0
        for event in EVENTS:
            first = getattr(place, event) if place is not None else 0
            last = min(first + BATCH, getattr(lane, event))
            found = _messages(connection, hook, lane_id, first, last)
            rows = [_delivery(hook, lane, row, event, now) for row in found]
            if rows:
                connection.execute(insert(webhook_deliveries), rows)
            reached[event], made = last, made + len(rows)
        upsert(connection, webhook_cursors, {"webhook": hook.id, "lane_id": lane_id}, reached)
    return made


def _messages(connection: Connection, hook: Row[Any], lane_id: bytes, first: int, last: int) -> list[Any]:
    end = (outcomes.c.lane_id == messages.c.lane_id) & (outcomes.c.nonce == messages.c.nonce)
    query = (
        select(messages.c.message_id, messages.c.nonce, messages.c.sender, messages.c.transaction, outcomes.c.status)
        .join(outcomes, end, isouter=True)
        .where(messages.c.lane_id == lane_id, messages.c.nonce > first, messages.c.nonce <= last)
        .order_by(messages.c.nonce)
    )
    if hook.sender is not None:
        query = query.where(messages.c.sender == hook.sender)
    return list(connection.execute(query).all())


def _delivery(hook: Row[Any], lane: Row[Any], row: Row[Any], event: str, now: float) -> dict[str, Any]:
    content = {
        "type": f"message.{event}",
        "timestamp": now,
        "data": {
            "message_id": hex0x(row.message_id),
            "lane_id": hex0x(lane.lane_id),
            "source": lane.source,
            "destination": lane.destination,
            "channel": lane.channel,
            "nonce": row.nonce,
            "sender": hex0x(row.sender),
            "transaction": hex0x(row.transaction),
            "outcome": None if row.status is None else STATUS_NAMES.get(row.status, str(row.status)),
        },
    }
    named = hashlib.sha256(f"{hook.id} {event} {row.message_id.hex()}".encode()).hexdigest()[:32]
    return {
        "id": f"evt_{named}",
        "webhook": hook.id,
        "body": orjson.dumps(content),
        "state": "waiting",
        "attempts": 0,
        "next_at": now,
        "reason": "",
        "created_at": now,
        "done_at": 0.0,
    }


def due(store: Store, now: float) -> list[tuple[Row[Any], Row[Any]]]:
    """Deliveries that are to be posted now, each with its webhook: the longest due, and of a webhook's parked ones the oldest."""
    table = webhook_deliveries
    query = (
        select(table)
        .join(webhooks, webhooks.c.id == table.c.webhook)
        .where(table.c.state == "waiting", table.c.next_at <= now)
        .where(webhooks.c.state == "active")
        .order_by(table.c.next_at)
        .limit(DUE_MAX)
    )
    parked = select(table.c.webhook).where(table.c.state == "parked", table.c.next_at <= now).distinct()
    with store.read() as connection:
        rows = list(connection.execute(query).all())
        rows += [connection.execute(_oldest_parked(item.webhook)).one() for item in connection.execute(parked).all()]
        named = webhooks.c.id.in_({row.webhook for row in rows})
        hooks = {hook.id: hook for hook in connection.execute(select(webhooks).where(named))}
    return [(row, hooks[row.webhook]) for row in rows if hooks[row.webhook].state == "active"]


def post(delivery: Row[Any], hook: Row[Any], now: float, *, development: bool, resolver: Resolve = resolve) -> str:
    """Post a delivery; returns an empty text where it was taken, else why not, beginning with the status if there is one."""
    body, timestamp = bytes(delivery.body), int(now)
    try:
        target = target_of(hook.url, development=development, resolver=resolver)
        host = str(target.parts.hostname)
        inside = f"[{target.address}]" if ":" in target.address else target.address
        port = f":{target.parts.port}" if target.parts.port else ""
        url = target.parts._replace(netloc=inside + port).geturl()
        headers = {
            "host": target.parts.netloc,
            "content-type": "application/json",
            "user-agent": "relayhub",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(bytes(hook.secret), delivery.id, timestamp, body),
        }
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers, extensions={"sni_hostname": host}) as answer,
        ):
            return "" if answer.is_success else f"{answer.status_code} from {host}"
    except BadInput as error:
        return error.message
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return f"{type(error).__name__}: {error}"[:REASON_MAX]


def write_result(store: Store, delivery: Row[Any], why: str, now: float) -> None:
    """Write down that a delivery was taken, when it is tried again, or that it is parked and until when."""
    attempts = delivery.attempts + 1
    was_parked = delivery.state == "parked"
    with store.write() as connection:
        mine = update(webhook_deliveries).where(
            webhook_deliveries.c.id == delivery.id, webhook_deliveries.c.state == delivery.state
        )
        if not why:
            connection.execute(mine.values(state="done", attempts=attempts, reason="", done_at=now))
            if was_parked:
                take_up(connection, delivery.webhook, now)
            return
        gone = why.startswith(f"{GONE} ")
        parked = gone or attempts >= ATTEMPTS_MAX
        pause_s = PARKED_PAUSE_S if parked else min(FIRST_PAUSE_S * 2 ** (attempts - 1), LAST_PAUSE_S)
        state = "parked" if parked else "waiting"
        connection.execute(mine.values(state=state, attempts=attempts, reason=why, next_at=now + pause_s))
        if was_parked:
            connection.execute(_parked_of(delivery.webhook).values(next_at=now + pause_s))
        if gone:
            reason = "The receiver says that it is gone (410)."
            connection.execute(
                update(webhooks).where(webhooks.c.id == delivery.webhook).values(state="parked", reason=reason)
            )


def once(store: Store, now: float, *, development: bool, resolver: Resolve = resolve) -> int:
    """One round: write what is new, post what is due; returns how much there was to do."""
    made = write_deliveries(store, now)
    ready = due(store, now)
    with ThreadPoolExecutor(POSTS_AT_ONCE) as pool:
        told = pool.map(lambda pair: post(pair[0], pair[1], now, development=development, resolver=resolver), ready)
        for (delivery, _), why in zip(ready, told, strict=True):
            write_result(store, delivery, why, now)
    return made + len(ready)
