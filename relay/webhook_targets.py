"""Where a webhook may lead: https to a host that everybody can reach; loopback for a development hub.

A name is resolved once, its addresses are checked, and the checked one is connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from relay.errors import BadInput

WRAPPING = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 addresses that hold an IPv4 address, which may be a private one: NAT64, 6to4, Teredo."""

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a delivery goes: the parts of the URL, and the address that was checked."""

    parts: SplitResult
    address: str


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
