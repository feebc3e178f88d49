"""What callers post to `/v1/records`."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import Field

from relay.web.api.bodies import Body

RECORD_MAX_BYTES = 256 << 20
"""Bytes of a content that is posted by itself; a batch has as many as any other body (relay.web.limits)."""
BATCH_MAX = 500
"""Records that are posted at once."""
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

RecordName = Annotated[
    str, Field(max_length=512, pattern="^[^\\x00-\\x1f\\x7f]*$", description="A name for people, 512 bytes at most.")
]


class TextRecord(Body):
    """A record whose content is a text in UTF-8."""

    name: RecordName = ""
    text: str = Field(examples=["户籍 1024"])


class BytesRecord(Body):
    """A record whose content is any bytes."""

    name: RecordName = ""
    base64: Annotated[str, Field(pattern=_BASE64)] = Field(examples=["aGVsbG8="])


class RecordsBody(Body):
    """Records under one rule, as `relayhub evidence put`."""

    records: list[TextRecord | BytesRecord] = Field(min_length=1, max_length=BATCH_MAX)
    organisation: str = Field(
        default="", max_length=64, description="Whose records they are; empty = your token's organisation."
    )
    readers: str = Field(default="", max_length=4096, description="Who else reads: ORG,ORG, role:auditor or public.")


def content_of(record: TextRecord | BytesRecord) -> bytes:
    """The content's bytes."""
    return record.text.encode() if isinstance(record, TextRecord) else base64.b64decode(record.base64)
