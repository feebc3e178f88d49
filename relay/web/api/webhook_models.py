"""What `/v1/webhooks` answers."""

from __future__ import annotations

from pydantic import Field

from relay.web.api.models import Item


class Webhook(Item):
    """Where an application is told of its messages."""

    id: str
    url: str
    lane_id: str | None
    sender: str | None
    state: str = Field(description="active or parked", examples=["active"])
    reason: str
    created_at: float
    waiting: int = Field(description="deliveries that are not yet taken")
    parked: int = Field(description="deliveries that were refused for nine hours")
    parked_since: float | None = Field(default=None, description="when the oldest of them was written")
    parked_until: float | None = Field(default=None, description="when it is tried again; null = once you retry")
    parked_reason: str = Field(default="", description="why it was refused")


class NewWebhook(Webhook):
    """A webhook that was just made."""

    secret: str = Field(description="shown this once; signs every delivery", examples=["whsec_…"])


class Delivery(Item):
    """One delivery of a webhook."""

    id: str
    state: str = Field(description="waiting, done or parked", examples=["done"])
    attempts: int
    next_at: float
    reason: str
    created_at: float
    done_at: float
