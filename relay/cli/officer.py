"""`relayhub propose | approve | execute | pause | resume`: what officers do, each with an own key."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit

OfficerKey = Annotated[str, typer.Option("--key", help="The officer's key.")]
LocalKey = Annotated[str, typer.Option("--key", help="An officer's key; not needed on a development hub.")]
Label = Annotated[
    str, typer.Argument(metavar="PROPOSAL", help="CHAIN/gateway/NUMBER, CHAIN/verifier/NUMBER or CHAIN/0x…/NUMBER.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("propose")(propose)
    app.command("approve")(approve)
    app.command("execute")(execute)
    app.command("pause")(pause)
    app.command("resume")(resume)


def propose(
    action: Annotated[
        str, typer.Argument(help="allow-sender, close-lane, add-epoch, replace-officer, …; unknown lists all.")
    ],
    chain: Annotated[str, typer.Option("--chain", help="The ledger on which it is proposed.")],
    key: OfficerKey,
    lane: Annotated[str, typer.Option("--lane", help="The lane's id, where the action concerns one.")] = "",
    account: Annotated[str, typer.Option("--account", help="The account that it concerns, 0x….")] = "",
    previous: Annotated[str, typer.Option("--previous", help="The officer who is replaced, 0x….")] = "",
    verifier: Annotated[str, typer.Option("--verifier", help="The verifier that it concerns, 0x….")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=65_535, help="A sender's messages a window.")] = 65_535,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Propose an action as an officer; another one approves it."""
    from relay.cli.session import session
    from relay.registry.actions import Wish, build_action
    from relay.registry.chains import chain_named, open_chain
    from relay.registry.officers import propose as make

    with session(home) as hub:
        row, officer = chain_named(hub.store, chain), hub.keys.load(key)
        wish = Wish(lane, account, previous, verifier, limit, hub.config.threshold)
        contract, calldata, text = build_action(hub.store, row, action, wish)
        ledger = open_chain(row)
        try:
            proposed = make(hub.store, ledger, row, contract, calldata, officer, text=text)
        finally:
            ledger.close()
    data = {"proposal": proposed.label, "text": text, "action": calldata}
    emit(
        data,
        f"Proposed {proposed.label}: {text}.\nNext: relayhub approve {proposed.label} --key OTHER",
        as_json=as_json,
    )


def approve(
    label: Annotated[str, typer.Argument(metavar="[PROPOSAL]", help="CHAIN/gateway/NUMBER; left out: list them.")] = "",
    key: OfficerKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Approve a proposal as another officer; without one, list those made through this hub."""
    from relay.cli.session import session
    from relay.errors import BadInput
    from relay.registry.officers import approve as agree
    from relay.registry.officers import known_proposals
    from relay.views.tables import table

    with session(home) as hub:
        if not label:
            found = known_proposals(hub.store)
            rows = [(item["proposal"], item["state"], item["by"], item["text"]) for item in found]
            text = table(("PROPOSAL", "STATE", "BY", "WHAT"), rows) if found else "No proposals."
            emit(found, text, as_json=as_json)
            return
        if not key:
            raise BadInput("An officer signs an approval.", "Give --key NAME.")
        ready_at = agree(hub.store, label, hub.keys.load(key))
    wait_s = max(ready_at - int(time.time()), 0)
    when = "now" if wait_s == 0 else f"in {wait_s} s"
    emit(
        {"proposal": label, "ready_at": ready_at},
        f"Approved. It can be executed {when}: relayhub execute {label} --key NAME",
        as_json=as_json,
    )


def execute(
    label: Label,
    key: OfficerKey,
    action: Annotated[str, typer.Option("--action", help="Its calldata, if it was proposed elsewhere.")] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Execute an approved proposal after its delay."""
    from relay.cli.session import session
    from relay.registry.actions import refresh_after
    from relay.registry.officers import execute as do
    from relay.registry.officers import parse_label
    from schemas.primitives import bytes_from_hex

    with session(home) as hub:
        done = do(hub.store, label, hub.keys.load(key), bytes_from_hex(action))
        refresh_after(hub.store, parse_label(hub.store, label)[0])
    emit({"proposal": label, "action": done}, f"Executed {label}.", as_json=as_json)


def pause(
    first: Annotated[str, typer.Argument(metavar="A", help="A ledger: its whole gateway stops; with B: one lane.")],
    second: Annotated[str, typer.Argument(metavar="[B]", help="The ledger at the lane's other end.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="The lane's channel.")] = "default",
    key: LocalKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Pause a ledger's gateway, or a lane at both ends, at once (one officer, or the guardian)."""
    from adapters.solidity.administration import pause as pause_gateway
    from relay.cli.session import session
    from relay.registry.chains import chain_named
    from relay.registry.lane_changes import LaneChanges
    from relay.registry.officers import at_once

    with session(home) as hub:
        officer = hub.narrowing_officer(key)
        if second:
            LaneChanges(hub.config, hub.store, hub.keys, first, second, channel).pause(officer)
        else:
            at_once(chain_named(hub.store, first), "gateway", officer, pause_gateway())
    what = f"the lane {first} → {second} #{channel}" if second else f"the gateway of {first}"
    emit({"paused": what}, f"Paused {what}. Next: relayhub resume {first} {second}".rstrip(), as_json=as_json)


def resume(
    first: Annotated[str, typer.Argument(metavar="A", help="A ledger: its whole gateway; with B: one lane.")],
    second: Annotated[str, typer.Argument(metavar="[B]", help="The ledger at the lane's other end.")] = "",
    channel: Annotated[str, typer.Option("--channel", help="The lane's channel.")] = "default",
    key: LocalKey = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let a paused gateway or lane work again (two officers, and the delay)."""
    from adapters.solidity.administration import unpause
    from relay.cli.session import session
    from relay.registry.chains import chain_named
    from relay.registry.lane_changes import LaneChanges
    from relay.registry.officers import carry_out

    with session(home) as hub:
        officer = hub.officer(key)
        if second:
            proposed = LaneChanges(hub.config, hub.store, hub.keys, first, second, channel).resume(officer)
        else:
            row = chain_named(hub.store, first)
            proposed = carry_out(
                hub.config, hub.store, hub.keys, row, "gateway", [unpause()], officer=officer, text=f"resume {first}"
            )
    labels = [item.label for item in proposed]
    text = (
        "Resumed."
        if not labels
        else "\n".join(f"Proposed {label}; next: relayhub approve {label} --key OTHER" for label in labels)
    )
    emit({"done": not labels, "proposals": labels}, text, as_json=as_json)
