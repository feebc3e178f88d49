"""What a person sees of the demo: a live table on a terminal, plain lines elsewhere, nothing where JSON is asked for."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any, TextIO

from relay.demo.checks import Check
from relay.views.status_text import lane_name

EVERY_S = 2.0
"""Seconds between two lines of progress where there is no terminal."""
STAGES = ("sent", "proved", "attested", "submitted", "delivered", "settled")
ENDINGS = ("executed", "failed", "expired", "refused")


def waits_of(status: dict[str, Any]) -> list[str]:
    """What waits for whom, a line each, as `relayhub status` has it."""
    lines = [f"{chain['name']}: {w['code']}, for {w['party']}" for chain in status["chains"] for w in chain["waits"]]
    for lane in status["lanes"]:
        for wait in lane["waits"]:
            way = " (way back)" if wait["kind"] == "back" else ""
            lines.append(f"{lane_name(lane)}{way}: {wait['code']}, for {wait['party']}")
    return lines


class Silent:
    """Says nothing: the result is one JSON document."""

    def act(self, title: str) -> None:
        """A new part begins."""

    def say(self, text: str) -> None:
        """Something happened."""

    def checked(self, check: Check) -> None:
        """Something was checked."""

    def progress(self, status: dict[str, Any]) -> None:
        """The hub's state now."""

    def close(self) -> None:
        """The show is over."""


class Plain(Silent):
    """Lines of text, for logs and pipes.

    Args:
        out: where they go.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = ""
        self._told_at = 0.0

    def act(self, title: str) -> None:
        """A new part begins."""
        self._line(f"\n── {title}")

    def say(self, text: str) -> None:
        """Something happened."""
        self._line(f"   {text}")

    def checked(self, check: Check) -> None:
        """Something was checked."""
        self._line(told(check))

    def progress(self, status: dict[str, Any]) -> None:
        """The hub's state now: a line where it changed, at most every two seconds."""
        text = _progress(status)
        if text and text != self._last and time.monotonic() - self._told_at >= EVERY_S:
            if not self._last:
                self._line(f"   … each lane: {'/'.join(STAGES)}")
            self._last, self._told_at = text, time.monotonic()
            self._line(f"   … {text}")

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


class Terminal(Silent):
    """A table of the lanes that changes in place, below the lines that stay."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def act(self, title: str) -> None:
        """A new part begins."""
        self._console.print(f"\n[bold]── {_plain(title)}[/bold]")

    def say(self, text: str) -> None:
        """Something happened."""
        self._console.print(f"   {_plain(text)}")

    def checked(self, check: Check) -> None:
        """Something was checked."""
        colour = "green" if check.ok else "bold red"
        self._console.print(f"[{colour}]{_plain(told(check))}[/{colour}]")

    def progress(self, status: dict[str, Any]) -> None:
        """The hub's state now."""
        self._live.update(_table(status), refresh=True)

    def close(self) -> None:
        """Take the table away; the lines stay."""
        self._live.stop()


def audience(*, as_json: bool) -> Silent:
    """Who watches: a terminal, a log, or a program that reads JSON."""
    if as_json:
        return Silent()
    return Terminal() if sys.stdout.isatty() else Plain(sys.stdout)


def told(check: Check) -> str:
    """A check in one line."""
    if check.ok:
        return f"   ✓ {check.name}: {check.found}"
    return f"   ✗ {check.name}: expected {check.expected}; found {check.found}"


def _progress(status: dict[str, Any]) -> str:
    lanes = [f"{lane_name(lane)} {'/'.join(_counters(lane))}" for lane in status["lanes"]]
    if not any(lane["sent"] for lane in status["lanes"]):
        return ""
    waits = Counter(line.partition(": ")[2] for line in waits_of(status))
    waiting = [f"{reason} ({count})" for reason, count in waits.items()]
    return " · ".join(lanes) + (f"; waits: {'; '.join(waiting)}" if waiting else "")


def _counters(lane: dict[str, Any]) -> list[str]:
    """How far each stage has come; nothing is attested where nobody has to sign."""
    return ["-" if stage == "attested" and lane["trust"] == "light-client" else str(lane[stage]) for stage in STAGES]


def _table(status: dict[str, Any]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title_justify="left", expand=False)
    for heading in ("lane", *STAGES):
        table.add_column(heading, justify="left" if heading == "lane" else "right")
    table.add_column("/".join(ENDINGS), justify="right")
    for lane in status["lanes"]:
        table.add_row(lane_name(lane), *_counters(lane), "/".join(str(lane[ending]) for ending in ENDINGS))
    waits = [Text(f"waits: {line}", style="yellow") for line in waits_of(status)]
    return Group(table, *waits) if status["lanes"] else Group(*waits)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
