"""The process `python -m relay.web`: uvicorn on a loopback address, its port written to `run/web.json`, and kept in `run/web.port`."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path

import orjson
import uvicorn

from relay.config import HubConfig
from relay.errors import BadInput, NotNow
from relay.home import Home
from relay.store import Store
from relay.web.application import create_app

KEEP_ALIVE_S = 75
BACKLOG = 128


def serve(home: Home, host: str = "127.0.0.1", port: int | None = None) -> None:
    """Serve the hub of a home folder until the process is asked to stop.

    Args:
        home: the hub's folder.
        host: a loopback address.
        port: overrules the configuration's port; 0 = any free one.

    Raises:
        BadInput: the address is not loopback, or the configuration cannot be used.
        NotFound: there is no hub in the folder.
        NotNow: the port is taken.
    """
    config = home.load()
    listener = listen(host, choose_port(home, config) if port is None else port)
    bound = listener.getsockname()[1]
    home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(home.run / "web.port", str(bound).encode())
    _write(home.run / "web.json", orjson.dumps({"pid": os.getpid(), "port": bound, "url": _url(host, bound)}))
    store = Store(home.database_url(config))
    settings = uvicorn.Config(
        create_app(store, config.name, development=config.development),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    try:
        uvicorn.Server(settings).run(sockets=[listener])
    finally:
        listener.close()
        store.close()


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


def listen(host: str, port: int) -> socket.socket:
    """Listen on a loopback address.

    Raises:
        BadInput: it is no loopback address.
        NotNow: the port is taken or not allowed.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise BadInput(f"{host!r} is no IP address.", "Listen on 127.0.0.1 or ::1.") from None
    if not address.is_loopback:
        raise BadInput(
            f"The hub's interface listens on loopback only, not on {host}.", "Put a reverse proxy with TLS before it."
        )
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise NotNow(f"Port {port} on {host} cannot be listened on: {error}.", "Choose another web_port.") from None
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)
