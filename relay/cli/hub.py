"""`relayhub up` and `down`: start and stop the hub's processes."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, note
from relay.errors import NotNow
from relay.home import Home

READY_WITHIN_S = 90.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("down")(down)


def up(
    name: Annotated[
        str, typer.Option("--name", help="The hub's name, when it is made; it enters every lane's id.")
    ] = "",
    production: Annotated[
        bool, typer.Option("--production", help="Make a production hub: no local officers or operators, real delays.")
    ] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay in the foreground until interrupted.")] = False,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Start the hub; makes a development hub where there is none."""
    from relay.processes import is_running
    from relay.registry.hub import ensure_hub, prepare
    from relay.web.listening import check_listening
    from relay.web.ports import check_port

    place = home_of(home)
    config, made = ensure_hub(place, name=name, production=production)
    if is_running(place):
        emit(_summary(place), f"The hub at {place.folder} is running already. See: relayhub status", as_json=as_json)
        return
    store = prepare(place, config)
    try:
        check_listening(config, store)
        check_port(config)
    finally:
        store.close()
    if made and not as_json:
        note(_made(config.name, development=config.development))
    if foreground:
        _stay(place)
        return
    _start(place)
    emit(_summary(place), _text(place), as_json=as_json)


def down(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """Stop the hub; nothing is lost, messages wait in the database and on the ledgers."""
    from relay.processes import stop

    stopped = stop(home_of(home))
    emit({"stopped": stopped}, f"Stopped {', '.join(stopped) or 'the hub'}.", as_json=as_json)


def _made(name: str, *, development: bool) -> str:
    if not development:
        return f"Made the production hub {name!r}: operators and officers keep their own keys."
    return (
        f"Made the development hub {name!r}: the keys of its three officers, its guardian and its three operators are local "
        "files, and delays are zero. Use --production --name NAME for a real one."
    )


def _stay(home: Home) -> None:
    from relay.processes import supervisor_lock
    from relay.supervisor import Supervisor

    with supervisor_lock(home):
        Supervisor(home, home.load()).run()


def _start(home: Home) -> None:
    """Start the supervisor as a process of its own and wait until everything answers.

    Raises:
        NotNow: something does not come up; the error names it and its log.
    """
    import subprocess
    import sys

    from relay.processes import recorded

    (home.run / "processes.json").unlink(missing_ok=True)
    with (home.run / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "relay.supervisor", "--home", str(home.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise NotNow("The supervisor ended at once.", f"Its reason is in {home.run / 'supervisor.log'}.")
        if recorded(home)[0] and _workers_answer(home, deadline):
            return
        time.sleep(0.1)
    troubled = [f"{process.role} ({process.note})" for process in recorded(home)[1] if process.note]
    raise NotNow(
        f"Not everything came up within {READY_WITHIN_S:.0f} s: {', '.join(troubled) or 'no worker answers'}.",
        f"See the logs in {home.run}, then: relayhub down.",
    )


def _workers_answer(home: Home, deadline: float) -> bool:
    """Ask Celery's workers until one answers."""
    import os

    from kombu.exceptions import OperationalError

    os.environ["RELAYHUB_HOME"] = str(home.folder)
    from relay.app import app

    while time.monotonic() < deadline:
        try:
            if app.control.ping(timeout=0.5, limit=1):
                return True
        except (OperationalError, OSError):
            time.sleep(0.1)
    return False


def _summary(home: Home) -> dict[str, Any]:
    from relay.processes import recorded

    ready, processes = recorded(home)
    return {
        "home": str(home.folder),
        "ready": ready,
        "page": _url(home),
        "processes": [{"role": process.role, "pid": process.pid} for process in processes],
    }


def _url(home: Home) -> str:
    """The address of the page and of the HTTP interface; empty while the process does not run."""
    import json

    try:
        return str(json.loads((home.run / "web.json").read_bytes())["url"])
    except (OSError, ValueError, KeyError):
        return ""


def _text(home: Home) -> str:
    from relay.processes import recorded

    roles = ", ".join(process.role for process in recorded(home)[1])
    return (
        f"Up: {roles}.\nStatus page and HTTP interface: {_url(home)} · logs: {home.run}\n"
        "Next: relayhub chain add NAME --rpc URL, then relayhub lane open A B --both"
    )
