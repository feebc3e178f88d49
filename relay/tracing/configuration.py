"""The table `[tracing]` of hub.toml."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Tracing(BaseModel):
    """Where traces go.

    Attributes:
        endpoint: OTLP/HTTP URL of the collector with its path (`http://127.0.0.1:4318/v1/traces`): https, or http on loopback;
            empty = no traces.
        ratio: the share of messages that are traced, 0 … 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = ""
    ratio: float = Field(default=1.0, ge=0, le=1)

    @field_validator("endpoint")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
            if not parts.hostname or not safe:
                raise ValueError(
                    "give an https URL, or an http one of this machine such as http://127.0.0.1:4318/v1/traces"
                )
        return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
