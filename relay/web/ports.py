"""Which port the HTTP interface takes, and whether it is free: without the server, whose import alone takes a second."""

from __future__ import annotations

import ipaddress
import socket

from relay.config import HubConfig
from relay.errors import BadInput, NotNow
from relay.home import Home
from relay.web.listening import is_loopback

BACKLOG = 128


def choose_port(home: Home, config: HubConfig) -> int:
    """The configured port; else the one of the last start, if it is still free; else 0, which means any free one."""
    if config.web_port:
        return config.web_port
    try:
        last = int((home.run / "web.port").read_text())
        listen("127.0.0.1", last).close()
    except (OSError, NotNow, ValueError):
        return 0
    return last


def listen(host: str, port: int, *, beyond_loopback: bool = False) -> socket.socket:
    """Listen on an address.

    Args:
        host: an IP address.
        port: 0 = any free one.
        beyond_loopback: whether it may be another one than loopback.

    Raises:
        BadInput: it may not be listened on.
        NotNow: the port is taken or not allowed.
    """
    if not is_loopback(host) and not beyond_loopback:
        raise BadInput(
            f"The hub's interface listens on loopback only, not on {host}.", "Put a reverse proxy with TLS before it."
        )
    address = ipaddress.ip_address(host)
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise NotNow(f"Port {port} on {host} cannot be listened on: {error}.", "Choose another web_port.") from None
    return listener


def check_port(config: HubConfig) -> None:
    """See that the configured port is free, before anything is started; where none is configured any free one will do.

    Raises:
        NotNow: it is taken.
    """
    if config.web_port:
        listen(config.web_host, config.web_port, beyond_loopback=not is_loopback(config.web_host)).close()
