"""One endpoint that is two interfaces of one node: its Ethereum JSON-RPC, and its consensus beside it.

Who leaves such an endpoint leaves both, so that what one says is never held against what another node's other says.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from adapters.protocol import Misconfigured
from adapters.transport import endpoint_label


class NodeUrls(NamedTuple):
    """The URLs of a node's Ethereum JSON-RPC and of its consensus interface."""

    evm: str
    consensus: str


def read_pair(url: str, default_port: int) -> NodeUrls:
    """Read `http(s)://HOST:PORT#REST`: the Ethereum JSON-RPC, and after `#` where the consensus interface is.

    That is a port of the same host, or a whole URL; where nothing stands it is the default port. A URL's fragment is sent to
    nobody and stands in no label.

    Args:
        url: the endpoint.
        default_port: of the consensus interface.

    Raises:
        Misconfigured: the URL or what stands after `#` cannot be.
    """
    evm, _, rest = url.partition("#")
    label = endpoint_label(evm)
    if not evm.startswith(("http://", "https://")) or label == "(unreadable URL)" or not urlsplit(evm).hostname:
        raise Misconfigured(
            f"{label!r} is no endpoint of two interfaces; give http://HOST:PORT#PORT or https://…#https://…."
        )
    if rest.startswith(("http://", "https://")):
        return NodeUrls(evm, rest)
    port = rest or str(default_port)
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise Misconfigured(
            f"{label} names no place of the consensus interface after '#'; give a port (http://HOST:8545#{default_port}) "
            "or a whole URL."
        )
    parts = urlsplit(evm)
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return NodeUrls(evm, f"{parts.scheme}://{user}{at}{host}:{port}")
