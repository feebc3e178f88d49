"""Where the HTTP interface may listen: on loopback as it is, elsewhere with TLS and at least one token."""

from __future__ import annotations

import ipaddress
import ssl
import time

from relay.config import HubConfig
from relay.errors import BadInput
from relay.store import Store
from relay.tokens import valid_token


def check_listening(config: HubConfig, store: Store) -> dict[str, str]:
    """Check what the configuration says of the interface; returns uvicorn's settings of TLS.

    Raises:
        BadInput: the interface may not or cannot listen so.
    """
    tls = tls_of(config)
    if not is_loopback(config.web_host):
        check_beyond_loopback(store, config.web_host, tls=bool(tls))
    return tls


def tls_of(config: HubConfig) -> dict[str, str]:
    """Uvicorn's settings of TLS; empty where the configuration names none.

    Raises:
        BadInput: one of two files is missing, or they cannot be used.
    """
    certificate, key = config.web_tls_certificate, config.web_tls_key
    if not certificate and not key:
        return {}
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error)
        raise BadInput(
            f"The TLS certificate {certificate!r} with the key {key!r} cannot be used: {reason}.",
            "Correct web_tls_certificate and web_tls_key in hub.toml.",
        ) from None
    return {"ssl_certfile": certificate, "ssl_keyfile": key}


def check_beyond_loopback(store: Store, host: str, *, tls: bool) -> None:
    """Whoever is not on this machine gets TLS and shows a token.

    Raises:
        BadInput: one of both is missing.
    """
    if not tls:
        raise BadInput(
            f"The hub listens on {host} only with TLS.",
            "Set web_tls_certificate and web_tls_key in hub.toml, or listen on 127.0.0.1.",
        )
    if not valid_token(store, time.time()):
        raise BadInput(
            f"The hub listens on {host} only when there is a token.", "Make one: relayhub token create ROLE NAME."
        )


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine alone.

    Raises:
        BadInput: it is no IP address.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise BadInput(f"{host!r} is no IP address.", "Listen on 127.0.0.1 or ::1.") from None
