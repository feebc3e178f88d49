"""Which names the hub is asked by: a page elsewhere whose name was made to lead to 127.0.0.1 (DNS rebinding) gets no answer.

On loopback the header Host (RFC 9110, section 7.2) names this machine: a loopback address or `localhost`, with any port. A proxy in front
hands on the name that people ask it by; `web_names` in hub.toml lists such names. Beyond loopback TLS and tokens stand in the way, and
the header is looked at only where `web_names` says something.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from relay.web.problems import Problem, problem_response

LOCALHOST = "localhost"
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]/@\s]+)(:[0-9]{0,5})?")


class KnownHosts:
    """Middleware: whoever asks by a name that is not the hub's is refused, before anything else is done.

    Args:
        app: the application behind it.
        names: names by which a proxy in front is asked, in any case.
        loopback: whether the hub listens on loopback, and is asked by its names too.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], *, loopback: bool) -> None:
        self._app = app
        self._names = frozenset(name.lower().rstrip(".") for name in names)
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or hand on."""
        if scope["type"] == "http" and not self._is_known(scope):
            text = "The hub is not asked by this name; ask 127.0.0.1, or have its owner add the name to web_names in hub.toml."
            await problem_response(Problem(421, "HostUnknown", text))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        if not self._loopback and not self._names:
            return True
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return False
        host = host_name(given[0].decode("latin-1"))
        return host in self._names or (self._loopback and is_of_loopback(host))


def host_name(header: str) -> str:
    """The host of a header, without its port, brackets and a last dot, in small letters; empty where it is none."""
    match = _HOST.fullmatch(header.strip().lower())
    return match[1].strip("[]").rstrip(".") if match else ""


def is_of_loopback(host: str) -> bool:
    """Whether a host is `localhost` or an address of loopback itself, whatever a resolver would say."""
    if host == LOCALHOST:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
