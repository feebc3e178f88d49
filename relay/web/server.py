"""The process `python -m relay.web`: uvicorn on an address, its port written to `run/web.json`, and kept in `run/web.port`."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import orjson
import uvicorn
from fastapi import FastAPI

from relay.config import HubConfig
from relay.home import Home
from relay.store import Store
from relay.web.application import create_app
from relay.web.listening import check_beyond_loopback, is_loopback, tls_of
from relay.web.ports import choose_port, listen
from relay.web.telling import Telling

KEEP_ALIVE_S = 75
"""Seconds that an idle connection is kept; longer than clients keep theirs."""
STOP_WITHIN_S = 1
"""Seconds that an answer under way may take once the process is asked to stop; streams and long polls end at once."""


class Server(uvicorn.Server):
    """Uvicorn's server that ends streams of events and long polls before it waits for what is under way.

    Args:
        config: uvicorn's settings.
        app: the application; what waits in it is at `app.state.waiting`.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell everybody who waits that nothing comes any more, then end as uvicorn does."""
        for board in self._app.state.waiting:
            await board.close()
        await super().shutdown(sockets)


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
    app = create_app(
        store,
        config.name,
        development=config.development,
        home=home,
        open_reading=open_reading,
        names=config.web_names,
        loopback=open_reading,
    )
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
        timeout_graceful_shutdown=STOP_WITHIN_S,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        **tls,  # type: ignore[arg-type]
    )
    telling = Telling(store, development=config.development)
    telling.start()
    try:
        Server(settings, app).run(sockets=[listener])
    finally:
        telling.end()
        app.state.changes.close()


def _url(host: str, port: int, scheme: str) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)
