"""The witnesses of a hub's log, as `hub.toml` lists them.

witness_threshold = 2

[witnesses."witness.bank-b.example"]
key = "witness.bank-b.example+id+base64"
url = "https://witness.bank-b.example"
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, field_validator


class WitnessEntry(BaseModel):
    """A witness.

    Attributes:
        key: its public key, as it prints it.
        url: the prefix of its calls: https, or http on this machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    url: str

    @field_validator("key")
    @classmethod
    def _is_key(cls, text: str) -> str:
        from light_clients.errors import LightClientError
        from relay.evidence.cosignatures import CosignatureKey

        try:
            return CosignatureKey.parse(text.strip()).text
        except LightClientError as error:
            raise ValueError(error.message.rstrip(".")) from None

    @field_validator("url")
    @classmethod
    def _is_url(cls, text: str) -> str:
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("it is no URL") from None
        if not host or parts.query or parts.fragment or parts.username is not None:
            raise ValueError("a URL has https://, a host and perhaps a path")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
            raise ValueError("only a witness on this machine is asked without TLS: give https://")
        return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
