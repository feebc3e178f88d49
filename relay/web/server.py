"""The process `python -m relay.web`: uvicorn on an address, its port written to `run/web.json`, and kept in `run/web.port`."""

from __future__ import annotations

import ipaddress
import os
import socket
from contextlib import closing
from pathlib import Path

import orjson
import uvicorn

from relay.config import HubConfig
from relay.errors import BadInput, NotNow
from relay.home import Home
from relay.store import Store
from relay.web.application import create_app
from relay.web.listening import check_beyond_loopback, is_loopback, tls_of
from relay.web.telling import Telling

KEEP_ALIVE_S = 75
BACKLOG = 128


def serve(home: Home, host: str = "", port: int | None = None) -> None:
    """Serve the hub of a home folder until the process is asked to stop.

    Args:
        home: the hub's folder.
        host: overrules the configuration's address.
        port: overrules the configuration's port; 0 = any free one.

    Raises:
        BadInput: the address needs what is not there, or the configuration cannot be used.
        NotFound: there is no hub in the folder.
        NotNow: the port is taken.
    """
    config = home.load()
    host = host or config.web_host
    tls = tls_of(config)
    store = Store(home.database_url(config))
    try:
        beyond = not is_loopback(host)
        if beyond:
            check_beyond_loopback(store, host, tls=bool(tls))
        listener = listen(host, choose_port(home, config) if port is None else port, beyond_loopback=beyond)
        with closing(listener):
            _serve(home, config, store, listener, tls, open_reading=not beyond)
    finally:
        store.close()


def _serve(
    home: Home, config: HubConfig, store: Store, listener: socket.socket, tls: dict[str, str], *, open_reading: bool
) -> None:
    host, bound = listener.getsockname()[:2]
    home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = create_app(store, config.name, development=config.development, home=home, open_reading=open_reading)
    app.state.access.let_owner_in(home)
    app.state.changes.recover()
    _write(home.run / "web.port", str(bound).encode())
    told = {"pid": os.getpid(), "host": host, "port": bound, "url": _url(host, bound, "https" if tls else "http")}
    _write(home.run / "web.json", orjson.dumps(told))
    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        **tls,  # type: ignore[arg-type]
    )
    telling = Telling(store, development=config.development)
    telling.start()
    try:
        uvicorn.Server(settings).run(sockets=[listener])
    finally:
        telling.end()
        app.state.changes.close()


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


def _url(host: str, port: int, scheme: str) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)
