"""Run the demo in a folder of its own, and leave nothing behind that was not asked for."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from relay.errors import BadInput, Duplicate, HubError
from relay.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from relay.demo.balance import LaneBalance
    from relay.demo.checks import Record
    from relay.demo.show import Silent
    from relay.demo.world import World

    Play = Callable[[Any, Record], list[LaneBalance]]

    class Show(Protocol):
        """Makes the world of a demo, and says how its story is played."""

        def __call__(self, place: Home, watching: Silent, *, keep: bool) -> tuple[World, Play]:
            """The world and its story."""


FAILED = 1
INTERRUPTED = 130


def run(home: str, *, keep: bool, as_json: bool, ledgers: str = "") -> int:
    """Show the hub at work on local ledgers.

    Args:
        home: the folder of the demo's hub; a temporary one if empty.
        keep: leave hub and networks running at the end, and say what to try next.
        as_json: print one JSON document instead of text.
        ledgers: empty for three EVM ledgers; `all`, or names with commas between, for a mesh of unlike ones.

    Returns:
        0 where everything shown is so, 1 where a check failed, 130 where it was interrupted.

    Raises:
        Duplicate: there is a hub in that folder.
        BadInput: there is no such kind of ledger, or the mesh was to be kept.
    """
    from relay.demo.checks import Record
    from relay.demo.show import audience

    show = _mesh(ledgers, keep=keep) if ledgers else _neighbours
    place = _folder(home)
    watching = audience(as_json=as_json)
    record = Record(watching)
    began = time.monotonic()
    balances, next_commands, interrupted = _perform(show, place, record, watching, keep=keep)
    code = INTERRUPTED if interrupted else FAILED if record.failed else 0
    if not home and not (keep and code == 0) and code != FAILED:
        shutil.rmtree(place.folder, ignore_errors=True)
    _report(place, record, balances, next_commands, code, time.monotonic() - began, as_json=as_json)
    return code


def _neighbours(place: Home, watching: Silent, *, keep: bool) -> tuple[World, Play]:
    """The demo of three EVM ledgers."""
    from relay.demo.story import play
    from relay.demo.world import World

    return World(place, watching, keep=keep), play


def _mesh(ledgers: str, *, keep: bool) -> Show:
    """The demo of a ledger of every kind.

    Raises:
        BadInput: there is no such kind, or the mesh was to be kept.
    """
    from relay.demo.mesh.ledgers import KINDS, chosen

    names = [] if ledgers == "all" else [name.strip() for name in ledgers.split(",")]
    unknown = sorted(set(names) - {kind.name for kind in KINDS})
    if unknown:
        known = ", ".join(kind.name for kind in KINDS)
        raise BadInput(f"There is no ledger {', '.join(unknown)!r}.", f"Choose all, or some of {known}.")
    if keep:
        raise BadInput("A mesh of all ledgers is not kept.", "Leave --keep out.")
    kinds, missing = chosen(names)
    if len(kinds) < 2:
        raise BadInput("A mesh needs two ledgers.", "Name more, or all.")

    def show(place: Home, watching: Silent, *, keep: bool) -> tuple[World, Play]:
        from relay.demo.mesh import MeshWorld
        from relay.demo.mesh import play as play_mesh

        del keep
        world = MeshWorld(place, watching, kinds)
        return world, lambda _world, record: play_mesh(world, record, missing)

    return show


def _perform(
    show: Show, place: Home, record: Record, watching: Silent, *, keep: bool
) -> tuple[list[LaneBalance], list[str], bool]:
    """Play the story and end what it started; returns the balances, commands to try next, and whether it was interrupted."""
    from relay.demo.checks import Check, CheckFailed
    from relay.demo.next_commands import commands

    world, play = show(place, watching, keep=keep)
    balances: list[LaneBalance] = []
    next_commands: list[str] = []
    interrupted = kept = False
    try:
        with _terminated_as_interrupted():
            balances = play(world, record)
            if keep:
                next_commands = commands(world)
                kept = True
    except KeyboardInterrupt:
        interrupted = True
    except CheckFailed as failure:
        if record.failed is None:
            record.note(failure.check)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is a failed check that says where
        record.note(Check("no error", "none", _told(error), ok=False))
    finally:
        watching.close()
        watching.say("hub and networks go on" if kept else "stopping hub and networks")
        _end(world, record, kept=kept)
    return balances, next_commands, interrupted


def _end(world: World, record: Record, *, kept: bool) -> None:
    """End what the demo started; a second Ctrl-C does not leave half of it behind."""
    from relay.demo.checks import Check

    if kept:
        world.leave()
        return
    with _ignoring(signal.SIGINT, signal.SIGTERM):
        left = world.close()
    record.note(Check("everything is stopped", "no process left", ", ".join(left) or "no process left", ok=not left))


def _folder(home: str) -> Home:
    """The demo's folder: the given one, which must hold no hub, or a temporary one."""
    if not home:
        return Home(Path(tempfile.mkdtemp(prefix="relayhub-demo-")))
    place = Home(Path(home))
    if place.config_file.exists():
        raise Duplicate(f"There is a hub at {place.folder}.", "Give --home an empty folder, or leave it out.")
    return place


def _report(
    place: Home,
    record: Record,
    balances: list[LaneBalance],
    next_commands: list[str],
    code: int,
    seconds: float,
    *,
    as_json: bool,
) -> None:
    from relay.cli.output import emit
    from relay.demo.story import NOTICE

    failed = record.failed
    data: dict[str, Any] = {
        "ok": code == 0,
        "interrupted": code == INTERRUPTED,
        "failed": failed.as_json() if failed is not None else None,
        "seconds": round(seconds, 2),
        "notice": NOTICE,
        "home": str(place.folder),
        "acts": record.as_json(),
        "lanes": [balance.as_json() for balance in balances],
        "next": next_commands,
    }
    emit(data, "" if as_json else _summary(place, record, balances, next_commands, code, seconds), as_json=as_json)
    if failed is not None and not as_json:
        sys.stderr.write(f"The demo failed at {failed.name}: expected {failed.expected}; found {failed.found}.\n")


def _summary(
    place: Home, record: Record, balances: list[LaneBalance], next_commands: list[str], code: int, seconds: float
) -> str:
    from relay.demo.balance import ENDINGS
    from relay.views.tables import table

    lines = [""]
    if balances:
        headings = ("LANE", "SENT", *(name.upper() for name in ENDINGS.values()), "IN FLIGHT", "CONSERVED", "PROVED AT")
        rows = [
            (
                f"{item.source} → {item.destination}",
                item.sent,
                *(item.endings[name] for name in ENDINGS.values()),
                item.in_flight,
                "yes" if item.conserved else "NO",
                f"{item.outbox_height}/{item.outcome_height}",
            )
            for item in balances
        ]
        lines += [table(headings, rows), ""]
    checks = [check for act in record.acts for check in act.checks]
    if code == INTERRUPTED:
        lines.append(f"Interrupted after {seconds:.0f} s; everything is stopped.")
    elif code:
        lines.append(f"FAILED after {seconds:.0f} s. The logs are kept in {place.run}.")
    else:
        lines.append(f"All {len(checks)} checks hold; {seconds:.0f} s.")
    if next_commands:
        lines += ["", "Hub and networks go on. Try next:", *(f"  {command}" for command in next_commands)]
    return "\n".join(lines)


def _told(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, HubError) else f"{type(error).__name__}: {text}"


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _ignoring(*numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
