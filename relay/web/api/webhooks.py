"""`/v1/webhooks`: where an application is told of its messages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection, Row, delete, select, update

from relay import webhooks as hooks
from relay.store.tables import webhook_cursors, webhook_deliveries, webhooks
from relay.web.access import Role
from relay.web.api.bodies import WebhookBody
from relay.web.api.common import (
    SENDING,
    Limit,
    answers,
    caller_of,
    change,
    changes_of,
    home_of,
    json_response,
    now_of,
    page,
    store_of,
)
from relay.web.api.models import Page
from relay.web.api.webhook_models import Delivery, NewWebhook, Webhook
from relay.web.changes import Answer
from relay.web.problems import Problem
from relay.webhook_targets import check_url

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

OWN_MAX = 20
Identifier = Annotated[str, Path(pattern="^wh_[0-9a-f]{24}$", examples=["wh_" + "0a" * 12])]


@router.get("", summary="List own webhooks", **answers(Page[Webhook], roles=SENDING))
def list_all(request: Request) -> Response:
    """Own webhooks, the oldest first; an officer sees all."""
    caller = caller_of(request)
    query = select(webhooks).where(webhooks.c.state != "removed").order_by(webhooks.c.created_at, webhooks.c.id)
    if Role.OFFICER not in caller.roles:
        query = query.where(webhooks.c.owner == caller.id)
    with store_of(request).read() as connection:
        return page([hooks.shown(connection, row) for row in connection.execute(query).all()], None)


@router.post("", summary="Be told of messages", **change("webhook.add", roles=SENDING, model=NewWebhook, status=201))
def add(request: Request, body: WebhookBody) -> Response:
    """Each delivered and settled message is posted to the URL, signed with the secret that this answer shows once."""
    caller = caller_of(request)
    check_url(body.url, development=home_of(request).load().development)
    lane_id = bytes.fromhex(body.lane_id[2:]) if body.lane_id else None
    sender = bytes.fromhex(body.sender[2:]) if body.sender else None

    def act(connection: Connection) -> Answer:
        mine = select(webhooks.c.id).where(webhooks.c.owner == caller.id, webhooks.c.state != "removed")
        if len(connection.execute(mine).all()) >= OWN_MAX:
            raise Problem(409, "TooMany", f"You have {OWN_MAX} webhooks; remove one first.")
        made = hooks.create(connection, caller.id, body.url, lane_id, sender, now_of(request))
        return 201, made, {"location": f"/v1/webhooks/{made['id']}"}

    return changes_of(request).at_once(request, "webhook.add", act)


@router.get("/{webhook}", summary="Show a webhook", **answers(Webhook, roles=SENDING))
def show(request: Request, webhook: Identifier) -> Response:
    """Its state, and how many deliveries wait or were given up."""
    with store_of(request).read() as connection:
        return json_response(hooks.shown(connection, _own(request, connection, webhook)))


@router.get("/{webhook}/deliveries", summary="List a webhook's deliveries", **answers(Page[Delivery], roles=SENDING))
def deliveries(request: Request, webhook: Identifier, limit: Limit = 100) -> Response:
    """The newest deliveries, with why they wait or were given up."""
    names = ("id", "state", "attempts", "next_at", "reason", "created_at", "done_at")
    with store_of(request).read() as connection:
        _own(request, connection, webhook)
        query = select(*(webhook_deliveries.c[name] for name in names))
        query = query.where(webhook_deliveries.c.webhook == webhook)
        rows = connection.execute(query.order_by(webhook_deliveries.c.created_at.desc()).limit(limit)).all()
    return page([{name: getattr(row, name) for name in names} for row in rows], None)


@router.post(
    "/{webhook}/retry", summary="Try again", **change("webhook.retry", roles=SENDING, model=Webhook, status=200)
)
def retry(request: Request, webhook: Identifier) -> Response:
    """Take a parked webhook and its parked deliveries up again."""

    def act(connection: Connection) -> Answer:
        _own(request, connection, webhook)
        connection.execute(update(webhooks).where(webhooks.c.id == webhook).values(state="active", reason=""))
        hooks.take_up(connection, webhook, now_of(request))
        return 200, hooks.shown(connection, _own(request, connection, webhook)), {}

    return changes_of(request).at_once(request, "webhook.retry", act)


@router.delete(
    "/{webhook}", summary="Be told no more", **change("webhook.remove", roles=SENDING, model=Webhook, status=200)
)
def remove(request: Request, webhook: Identifier) -> Response:
    """The webhook and what it was not told yet are gone."""

    def act(connection: Connection) -> Answer:
        last = hooks.shown(connection, _own(request, connection, webhook))
        gone: dict[str, Any] = {"state": "removed", "secret": b"", "reason": "It was removed."}
        connection.execute(update(webhooks).where(webhooks.c.id == webhook).values(**gone))
        connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook == webhook))
        connection.execute(delete(webhook_cursors).where(webhook_cursors.c.webhook == webhook))
        none = {**hooks.UNPARKED, "waiting": 0, "parked": 0}
        return 200, last | {"state": "removed", "reason": gone["reason"]} | none, {}

    return changes_of(request).at_once(request, "webhook.remove", act)


def _own(request: Request, connection: Connection, identifier: str) -> Row[Any]:
    caller = caller_of(request)
    row = connection.execute(
        select(webhooks).where(webhooks.c.id == identifier, webhooks.c.state != "removed")
    ).one_or_none()
    if row is None or (row.owner != caller.id and Role.OFFICER not in caller.roles):
        raise Problem(404, "NotFound", "There is no such webhook of yours; GET /v1/webhooks lists them.")
    return row
