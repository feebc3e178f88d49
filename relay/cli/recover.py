"""`relayhub recover`: walk the officers from a frozen ledger to new lanes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit

if TYPE_CHECKING:
    from relay.registry.recovery import FrozenLane, Recovery


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recover")(recover)


def recover(
    name: Annotated[str, typer.Argument(metavar="CHAIN", help="The ledger that was frozen.")],
    pin: Annotated[
        str, typer.Option("--pin", help="A block of the history that stands, HEIGHT:0xHASH, to start from again.")
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what was frozen and why, what to reconcile, and which step comes next; with --pin, start again."""
    from relay.cli.session import session
    from relay.registry.consensus import parse_pin
    from relay.registry.recovery import pin_anew, recovery_of

    with session(home) as hub:
        wanted = parse_pin(pin)
        if wanted is not None:
            pin_anew(hub.home, hub.config, hub.store, name, wanted)
        recovery = recovery_of(hub.store, name)
    emit(recovery.as_data(), "" if as_json else _render(recovery), as_json=as_json)


def _render(recovery: Recovery) -> str:
    incident = recovery.incident
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(incident.at))
    lines = [
        f"{recovery.chain} is {recovery.state}. Frozen {at} UTC: {incident.text}",
        f"  block {incident.hash_a}",
        f"  block {incident.hash_b}",
        f"  both headers, byte for byte: relayhub recover {recovery.chain} --json",
        "",
    ]
    for lane in recovery.lanes:
        lines += _lane_lines(lane)
    lines += [""] if recovery.lanes else []
    for number, step in enumerate(recovery.steps, 1):
        lines.append(f"{number}. [{'x' if step.done else ' '}] {step.text}")
        lines += [f"       {command}" for command in step.commands]
    return "\n".join(lines)


def _lane_lines(lane: FrozenLane) -> list[str]:
    ends = ", ".join(
        f"{end.chain}: {end.error or ('closed' if end.closed else 'paused' if end.paused else 'open')}"
        for end in lane.ends
    )
    lines = [f"{lane.source} → {lane.destination} #{lane.channel} ({ends}); {lane.undelivered} not delivered"]
    lines += [
        f"  {entry.effect} {entry.nonce}  {entry.message_id}  from {entry.sender} to {entry.receiver}  block {entry.height}"
        for entry in lane.contradicted
    ]
    return lines
