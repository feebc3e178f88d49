"""`python -m relay.health ROLE`: whether a process of the hub does its work, for a container's health check.

    web        its /healthz answers
    watch      its heartbeat in the database is young
    worker     it answers the broker's ping
    recorder   what was decided reaches the evidence log within two minutes
    operator   its database can be read (--config operator.toml)

Exit code 0 and one line, or 1 and one line that says what is wrong.
"""

from __future__ import annotations

import argparse
import os
import socket
import sqlite3
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from relay.errors import HubError
from relay.home import Home
from relay.store import Store
from relay.store.tables import evidence_queue, heartbeats

YOUNG_S = 30.0
RECORDED_WITHIN_S = 120.0
PATIENCE_S = 8.0


class Unhealthy(Exception):
    """The process does not do its work; the text says what is wrong."""


def check_web(home: Home) -> str:
    """Ask the HTTP interface on this machine."""
    config = home.load()
    scheme, context = "http", None
    if config.web_tls_certificate:
        scheme, context = "https", ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own loopback: who else could it be
    url = f"{scheme}://127.0.0.1:{config.web_port}/healthz"
    with urlopen(url, timeout=PATIENCE_S, context=context) as answer:  # noqa: S310 - our own loopback
        return f"{url}: {answer.status}"


def check_watch(home: Home) -> str:
    """Look for a young heartbeat."""
    age_s = _oldest(home, select(func.max(heartbeats.c.at)).where(heartbeats.c.process == "watch"))
    if age_s is None or not -YOUNG_S < age_s < YOUNG_S:
        raise Unhealthy("the watch has shown no heartbeat" + (f" for {age_s:.0f} s" if age_s is not None else ""))
    return f"heartbeat {age_s:.0f} s ago"


def check_recorder(home: Home) -> str:
    """Look for what waits too long to become a leaf."""
    age_s = _oldest(home, select(func.min(evidence_queue.c.at)))
    if age_s is not None and age_s > RECORDED_WITHIN_S:
        raise Unhealthy(f"the oldest decision has waited {age_s:.0f} s for the evidence log")
    return "nothing waits" if age_s is None else f"the oldest waits {age_s:.0f} s"


def check_worker(_home: Home) -> str:
    """Ping the worker of this machine by the broker."""
    from relay.app import app

    name = f"worker@{socket.gethostname()}"
    if not app.control.ping(destination=[name], timeout=PATIENCE_S):
        raise Unhealthy(f"{name} does not answer; it may be in a long piece of work")
    return f"{name} answers"


def check_operator(config: Path) -> str:
    """Read an operator's database."""
    import tomllib

    said = tomllib.loads(config.read_text(encoding="utf-8"))
    path = config.parent / str(said["database"])
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_S) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return f"{path} answers"


CHECKS: dict[str, Callable[[Home], str]] = {
    "web": check_web,
    "watch": check_watch,
    "worker": check_worker,
    "recorder": check_recorder,
}


def main(arguments: list[str] | None = None) -> int:
    """Check one role; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m relay.health", description="Check one process of the hub.")
    parser.add_argument("role", choices=[*CHECKS, "operator"])
    parser.add_argument("--home", default=os.environ.get("RELAYHUB_HOME"))
    parser.add_argument("--config", type=Path, default=Path("operator.toml"))
    options = parser.parse_args(arguments)
    try:
        found = (
            check_operator(options.config)
            if options.role == "operator"
            else CHECKS[options.role](Home.locate(options.home))
        )
    except (Unhealthy, HubError, OSError, SQLAlchemyError, sqlite3.Error, KeyError, ValueError) as error:
        sys.stderr.write(f"{options.role}: {error}\n")
        return 1
    sys.stdout.write(f"{options.role}: {found}\n")
    return 0


def _oldest(home: Home, asked: object) -> float | None:
    store = Store(home.database_url(home.load()))
    try:
        with store.read() as connection:
            at = connection.execute(asked).scalar()  # type: ignore[call-overload]
    finally:
        store.close()
    return None if at is None else time.time() - float(at)


if __name__ == "__main__":
    sys.exit(main())
