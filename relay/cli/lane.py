"""`relayhub lane`: open, list, allow, deny, limit, close."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from relay.cli.lane_options import (
    BatchLimit,
    Both,
    MaxCallbackGas,
    MaxGas,
    MaxPayload,
    NewMaxCallbackGas,
    NewMaxGas,
    NewMaxPayload,
    NewWindowLimit,
    SenderLimit,
    TrustingPeriod,
    TrustKind,
    Verifiers,
    Window,
    WindowLimit,
)
from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, note

app = typer.Typer(help="Lanes: open, list, allow, deny, limit, close.", no_args_is_help=True, rich_markup_mode=None)

First = Annotated[str, typer.Argument(metavar="A", help="The ledger that sends, or the lane's id (8 digits will do).")]
Second = Annotated[str, typer.Argument(metavar="B", help="The ledger that receives; left out after an id.")]
Source = Annotated[str, typer.Argument(metavar="A", help="The ledger that sends.")]
Destination = Annotated[str, typer.Argument(metavar="B", help="The ledger that receives.")]
Channel = Annotated[str, typer.Option("--channel", help="The channel's name.")]
OfficerKey = Annotated[str, typer.Option("--key", help="An officer's key; not needed on a development hub.")]
Sender = Annotated[str, typer.Option("--sender", help="An account at the source: 0x…, or the name of a local key.")]
Receiver = Annotated[str, typer.Option("--receiver", help="An account at the destination: 0x…, or mailbox.")]


@app.command("open")
def open_(
    source: Source,
    destination: Destination,
    channel: Channel = "default",
    both: Both = False,
    trust: TrustKind = "committee",
    verifier: Verifiers = None,
    trusting_period: TrustingPeriod = None,
    batch_limit: BatchLimit = None,
    max_payload: MaxPayload = 16_384,
    max_gas: MaxGas = 5_000_000,
    max_callback_gas: MaxCallbackGas = 1_000_000,
    window: Window = 60,
    window_limit: WindowLimit = 1_000_000,
    key: OfficerKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Open a lane at both of its ends."""
    from adapters.solidity.administration import Caps
    from relay.cli.session import session
    from relay.registry.certificates import check_certificates
    from relay.registry.lane_verifiers import parse_trust
    from relay.registry.opening import open_lanes

    wanted = parse_trust(trust, verifier or [], trusting_period)
    pairs = [(source, destination)] + ([(destination, source)] if both else [])
    caps = Caps(
        max_payload=max_payload,
        max_gas=max_gas,
        max_callback_gas=max_callback_gas,
        window_s=window,
        window_limit=window_limit,
    )
    with session(home) as hub:
        check_certificates(hub.config, hub.store, hub.home.folder, (source, destination))
        opened = open_lanes(
            hub.config,
            hub.store,
            hub.keys,
            pairs,
            channel=channel,
            caps=caps,
            batch_limit=batch_limit or hub.config.batch_limit,
            officer=hub.officer(key),
            tell=_quiet if as_json else note,
            trust=wanted,
        )
    data = [
        {
            "lane_id": lane.lane_id.hex0x(),
            "source": lane.source,
            "destination": lane.destination,
            "channel": lane.channel,
            "state": lane.state,
            "trust": lane.trust,
            "proposals": [proposed.label for proposed in lane.proposals],
        }
        for lane in opened
    ]
    emit(data, _opened_text(data, source, destination), as_json=as_json)


@app.command("list")
def show_all(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """List lanes."""
    from relay.views.status import hub_status
    from relay.views.status_text import render_lanes

    data = hub_status(home_of(home))["lanes"]
    emit(data, "" if as_json else render_lanes(data), as_json=as_json)


@app.command("allow")
def allow(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    sender: Sender = "",
    receiver: Receiver = "",
    limit: SenderLimit = 65_535,
    key: OfficerKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Allow a sender at the source or a receiver at the destination (two officers)."""
    from relay.cli.session import session
    from relay.registry.lane_changes import LaneChanges

    with session(home) as hub:
        changes = LaneChanges(hub.config, hub.store, hub.keys, first, second, channel)
        proposed = changes.allow(sender=sender, receiver=receiver, limit=limit, officer=hub.officer(key))
    _tell_proposals(proposed, "Allowed.", as_json=as_json)


@app.command("deny")
def deny(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    sender: Sender = "",
    receiver: Receiver = "",
    key: OfficerKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Deny a sender or a receiver at once (one officer)."""
    from relay.cli.session import session
    from relay.registry.lane_changes import LaneChanges

    with session(home) as hub:
        changes = LaneChanges(hub.config, hub.store, hub.keys, first, second, channel)
        changes.deny(sender=sender, receiver=receiver, officer=hub.narrowing_officer(key))
    emit({"denied": sender or receiver}, f"Denied {sender or receiver}.", as_json=as_json)


@app.command("limit")
def limit(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    batch_limit: BatchLimit = None,
    max_payload: NewMaxPayload = None,
    max_gas: NewMaxGas = None,
    max_callback_gas: NewMaxCallbackGas = None,
    window_limit: NewWindowLimit = None,
    key: OfficerKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Change what a lane carries: lowering takes one officer, raising two. What is left out stays."""
    from relay.cli.session import session
    from relay.registry.lane_changes import LaneChanges

    wanted = {
        "max_payload": max_payload,
        "max_gas": max_gas,
        "max_callback_gas": max_callback_gas,
        "window_limit": window_limit,
    }
    with session(home) as hub:
        changes = LaneChanges(hub.config, hub.store, hub.keys, first, second, channel)
        proposed = changes.limit(
            {name: value for name, value in wanted.items() if value is not None}, batch_limit, hub.officer(key)
        )
    _tell_proposals(proposed, "Limited.", as_json=as_json)


@app.command("close")
def close(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    key: OfficerKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Close a lane at both ends (two officers, no delay): nothing new is sent, what was sent is settled."""
    from relay.cli.session import session
    from relay.registry.lane_changes import LaneChanges

    with session(home) as hub:
        changes = LaneChanges(hub.config, hub.store, hub.keys, first, second, channel)
        proposed = changes.close(hub.officer(key))
    _tell_proposals(proposed, "Closed at both ends.", as_json=as_json)


def _tell_proposals(proposed: list[Any], done: str, *, as_json: bool) -> None:
    """Say that it is done, or which proposals wait for another officer."""
    labels = [item.label for item in proposed]
    text = (
        done
        if not labels
        else "\n".join(f"Proposed {label}; next: relayhub approve {label} --key OTHER" for label in labels)
    )
    emit({"done": not labels, "proposals": labels}, text, as_json=as_json)


def _opened_text(data: list[dict[str, Any]], source: str, destination: str) -> str:
    lines = []
    for lane in data:
        lines.append(
            f"{lane['source']} → {lane['destination']} {lane['lane_id']}: {lane['state']}, trust {lane['trust']}"
        )
        lines += [f"  proposed {label}; next: relayhub approve {label} --key OTHER" for label in lane["proposals"]]
    if all(lane["state"] == "active" for lane in data):
        lines.append(f"Next: relayhub send {source} {destination} --to mailbox --text hello --wait")
    return "\n".join(lines)


def _quiet(_line: str) -> None:
    """Say nothing: the result is JSON."""
