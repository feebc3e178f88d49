"""What is answered to those who look after a hub: explanations of codes, findings of the doctor, trust anchors."""

from __future__ import annotations

from pydantic import Field

from relay.web.api.models import Item


class Reason(Item):
    """What a code means, in English and Chinese."""

    code: str = Field(examples=["operators_silent"])
    kind: str = Field(description="wait, alarm or incident", examples=["wait"])
    en: str
    zh: str
    turn_en: str = Field(description="whose turn it is")
    turn_zh: str
    next_en: str = Field(description="when the hub looks again")
    next_zh: str
    todo_en: str = Field(description="what to do")
    todo_zh: str


class Finding(Item):
    """What one check of the doctor found."""

    check: str = Field(examples=["disk"])
    ok: bool
    warning: bool
    text: str
    next_step: str


class Anchors(Item):
    """The hub's trust anchors, by which receipts are verified."""

    anchors: str = Field(description="a TOML file")
