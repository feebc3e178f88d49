"""What `/v1/evidence` and `/v1/records` answer."""

from __future__ import annotations

from pydantic import Field

from relay.web.api.models import Item


class Checkpoint(Item):
    """The newest checkpoint of the evidence log."""

    size: int = Field(description="leaves under it")
    root: str = Field(description="root hash, base64")
    note: str = Field(description="the signed note, as C2SP has it")


class RecordRow(Item):
    """A record as its readers see it, beside its content."""

    id: str = Field(description="SHA-256(salt ‖ content)", examples=["0x" + "5a" * 32])
    number: int
    organisation: str
    readers: list[str]
    name: str
    size: int = Field(description="bytes of the content")
    at: float
    erased_at: float | None
