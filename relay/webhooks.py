"""Webhooks: an application is told that its messages were delivered, and that they are settled.

A delivery is a row of the database, written together with the place up to which a lane was looked through: `kill -9` loses none. It is
posted until it is taken (2xx), with growing pauses, and parked with a reason when it was refused twelve times (about nine hours). It may
come twice, in any order; its id says that it is the same.

Signed as the Standard Webhooks specification (1.0) has it: HMAC-SHA256 with the secret over `id.timestamp.body`, in the headers
`webhook-id`, `webhook-timestamp`, `webhook-signature`. No redirect is followed; a name is resolved once, its addresses are checked, and
the checked one is connected to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
import orjson
from sqlalchemy import Connection, Row, func, insert, select, update

from relay.errors import BadInput
from relay.store import Store
from relay.store.tables import lanes, messages, outcomes, webhook_cursors, webhook_deliveries, webhooks
from relay.store.upsert import upsert
from relay.views.trace import STATUS_NAMES
from schemas.primitives import hex0x

ATTEMPTS_MAX = 12
FIRST_PAUSE_S, LAST_PAUSE_S = 5.0, 3_600.0
TIMEOUT_S = 10.0
BATCH = 200
DUE_MAX = 16
POSTS_AT_ONCE = 8
REASON_MAX = 300
GONE = 410
EVENTS = ("delivered", "settled")

WRAPPING = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 addresses that hold an IPv4 address, which may be a private one: NAT64, 6to4, Teredo."""

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a delivery goes: the parts of the URL, and the address that was checked."""

    parts: SplitResult
    address: str


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


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a name."""
    return [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check_url(url: str, *, development: bool) -> SplitResult:
    """Check an URL by itself: https; http on loopback for a development hub.

    Raises:
        BadInput: it cannot be one of a webhook.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or not url.isascii() or not url.isprintable() or " " in url or "\\" in url or port == 0:
        raise BadInput("This is no URL.", "Give https://host/path.")
    if parts.username is not None or parts.fragment:
        raise BadInput("A webhook's URL has no user and no fragment.", "Give https://host/path.")
    local = development and _is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise BadInput("A webhook's URL begins with https://.", "http:// is for 127.0.0.1 on a development hub only.")
    if _address_of(host) is not None and not local:
        _check_address(host)
    return parts


def target_of(url: str, *, development: bool, resolver: Resolve = resolve) -> Target:
    """Where an URL leads now.

    Raises:
        BadInput: to an address that no webhook may have.
        OSError: its name has no address.
    """
    parts = check_url(url, development=development)
    host = str(parts.hostname)
    found = resolver(host, parts.port or (443 if parts.scheme == "https" else 80))
    if not found:
        raise OSError(f"{host} has no address")
    for address in found:
        if not (development and _is_loopback(host) and ipaddress.ip_address(address).is_loopback):
            _check_address(address)
    return Target(parts, found[0])


def _is_loopback(host: str) -> bool:
    address = _address_of(host)
    return host == "localhost" if address is None else address.is_loopback


def _address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check_address(text: str) -> None:
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or address
    wrapped = any(address.version == net.version and address in net for net in WRAPPING)
    if wrapped or not inner.is_global or inner.is_multicast:
        raise BadInput("The webhook leads to a private address.", "Give a host that everybody can reach.")


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
    return {**row, **given, "waiting": 0, "parked": 0, "secret": secret_text(secret)}


def shown(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """A webhook ready for JSON, never its secret."""
    counts = dict.fromkeys(("waiting", "parked"), 0)
    query = select(webhook_deliveries.c.state, func.count()).where(
        webhook_deliveries.c.webhook == row.id, webhook_deliveries.c.state.in_(list(counts))
    )
    for state, number in connection.execute(query.group_by(webhook_deliveries.c.state)).all():
        counts[state] = number
    lane_id, sender = row.lane_id, row.sender
    given = {"lane_id": lane_id and hex0x(lane_id), "sender": sender and hex0x(sender)}
    names = ("id", "url", "state", "reason", "created_at")
    return {name: getattr(row, name) for name in names} | given | counts


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
    """Deliveries that are to be posted now, each with its webhook; the longest due first."""
    query = (
        select(webhook_deliveries)
        .join(webhooks, webhooks.c.id == webhook_deliveries.c.webhook)
        .where(webhook_deliveries.c.state == "waiting", webhook_deliveries.c.next_at <= now)
        .where(webhooks.c.state == "active")
        .order_by(webhook_deliveries.c.next_at)
        .limit(DUE_MAX)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
        hooks = {
            hook.id: hook
            for hook in connection.execute(select(webhooks).where(webhooks.c.id.in_({row.webhook for row in rows})))
        }
    return [(row, hooks[row.webhook]) for row in rows]


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
    """Write down that a delivery was taken, when it is tried again, or that it is given up."""
    attempts = delivery.attempts + 1
    with store.write() as connection:
        mine = update(webhook_deliveries).where(
            webhook_deliveries.c.id == delivery.id, webhook_deliveries.c.state == "waiting"
        )
        if not why:
            connection.execute(mine.values(state="done", attempts=attempts, reason="", done_at=now))
            return
        gone = why.startswith(f"{GONE} ")
        parked = gone or attempts >= ATTEMPTS_MAX
        pause_s = min(FIRST_PAUSE_S * 2 ** (attempts - 1), LAST_PAUSE_S)
        state = "parked" if parked else "waiting"
        connection.execute(mine.values(state=state, attempts=attempts, reason=why, next_at=now + pause_s))
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
