"""`relayhub --hub URL`: what officers change on a hub elsewhere."""

from __future__ import annotations

import time
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
from relay.cli.options import JsonOption
from relay.cli.output import emit
from relay.cli.remote_hub import (
    Channel,
    Destination,
    First,
    Key,
    Second,
    Source,
    chain_change,
    columns,
    hub,
    lane_path,
    show_change,
    show_list,
)

Label = Annotated[str, typer.Argument(metavar="PROPOSAL", help="CHAIN/gateway/NUMBER and the like.")]
Sender = Annotated[str, typer.Option("--sender", help="An account at the source: 0x…, or the name of a key there.")]
Receiver = Annotated[str, typer.Option("--receiver", help="An account at the destination: 0x…, or mailbox.")]


def register(app: typer.Typer, lane: typer.Typer, operator: typer.Typer) -> None:
    """Add the commands."""
    app.command("propose")(propose)
    app.command("approve")(approve)
    app.command("execute")(execute)
    app.command("pause")(pause)
    app.command("resume")(resume)
    lane.command("open")(open_)
    lane.command("allow")(allow)
    lane.command("deny")(deny)
    lane.command("limit")(limit)
    lane.command("close")(close)
    operator.command("add")(add_operator)
    operator.command("strike")(strike)


def pause(
    first: Source,
    second: Annotated[str, typer.Argument(metavar="[B]")] = "",
    channel: Channel = "default",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Pause a ledger's gateway, or a lane at both ends, at once."""
    data = _lane_change((first, second, channel), "pause", {"key": key}, or_chain=True)
    emit(data, f"Paused {first} {second}".rstrip() + ".", as_json=as_json)


def resume(
    first: Source,
    second: Annotated[str, typer.Argument(metavar="[B]")] = "",
    channel: Channel = "default",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Let a paused gateway or lane work again (two officers)."""
    data = _lane_change((first, second, channel), "resume", {"key": key}, or_chain=True)
    show_change(data, "Resumed.", as_json=as_json)


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
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Open a lane at both of its ends."""
    body: dict[str, Any] = {
        "source": source,
        "destination": destination,
        "channel": channel,
        "both": both,
        "trust": trust,
        "verifiers": verifier or [],
        "trusting_period_s": trusting_period,
        "batch_limit": batch_limit,
        "max_payload": max_payload,
        "max_gas": max_gas,
        "max_callback_gas": max_callback_gas,
        "window_s": window,
        "window_limit": window_limit,
        "key": key,
    }
    with hub() as client:
        data = client.change("/v1/lanes", body)
    lines = [f"{item['source']} → {item['destination']} {item['lane_id']}: {item['state']}" for item in data]
    emit(data, "\n".join(lines), as_json=as_json)


def close(
    first: First, second: Second = "", channel: Channel = "default", key: Key = "", as_json: JsonOption = False
) -> None:
    """Close a lane at both ends (two officers)."""
    show_change(_lane_change((first, second, channel), "close", {"key": key}), "Closed at both ends.", as_json=as_json)


def allow(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    sender: Sender = "",
    receiver: Receiver = "",
    limit: SenderLimit = 65_535,
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Allow a sender at the source or a receiver at the destination (two officers)."""
    body = {"sender": sender, "receiver": receiver, "limit": limit, "key": key}
    show_change(_lane_change((first, second, channel), "allow", body), "Allowed.", as_json=as_json)


def deny(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    sender: Sender = "",
    receiver: Receiver = "",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Deny a sender or a receiver at once (one officer)."""
    body = {"sender": sender, "receiver": receiver, "key": key}
    data = _lane_change((first, second, channel), "deny", body)
    emit(data, f"Denied {sender or receiver}.", as_json=as_json)


def limit(
    first: First,
    second: Second = "",
    channel: Channel = "default",
    batch_limit: BatchLimit = None,
    max_payload: NewMaxPayload = None,
    max_gas: NewMaxGas = None,
    max_callback_gas: NewMaxCallbackGas = None,
    window_limit: NewWindowLimit = None,
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Change what a lane carries: lowering takes one officer, raising two. What is left out stays."""
    body: dict[str, Any] = {
        "batch_limit": batch_limit,
        "max_payload": max_payload,
        "max_gas": max_gas,
        "max_callback_gas": max_callback_gas,
        "window_limit": window_limit,
        "key": key,
    }
    show_change(_lane_change((first, second, channel), "limit", body), "Limited.", as_json=as_json)


def add_operator(
    name: Annotated[str, typer.Argument(help="The operator's name.")],
    signer: Annotated[str, typer.Option("--signer", help="Its signing key: the address or the public key, 0x….")],
    organisation: Annotated[str, typer.Option("--organisation", help="Who it belongs to.")],
    sm2_key: Annotated[str, typer.Option("--sm2-key", help="Its SM2 public key, 0x….")] = "",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Register an operator; ledgers that are there get a new epoch of their committee (two officers)."""
    body = {"name": name, "signer": signer.lower(), "organisation": organisation, "sm2_key": sm2_key, "key": key}
    with hub() as client:
        data = client.change("/v1/operators", body)
    show_change(data, f"{name} is registered.", as_json=as_json)


def strike(
    name: Annotated[str, typer.Argument(help="The operator's name.")], key: Key = "", as_json: JsonOption = False
) -> None:
    """Strike an operator's signer out of every committee at once."""
    from relay.client import path_part

    with hub() as client:
        data = client.change(f"/v1/operators/{path_part(name)}/strike", {"key": key})
    emit(data, f"{name} is struck on {', '.join(data['struck_on']) or 'no ledger yet'}.", as_json=as_json)


def propose(
    action: Annotated[str, typer.Argument(help="allow-sender, close-lane, add-epoch, …; unknown lists all.")],
    chain: Annotated[str, typer.Option("--chain", help="The ledger on which it is proposed.")],
    key: Key,
    lane: Annotated[str, typer.Option("--lane", help="The lane's id, where the action concerns one.")] = "",
    account: Annotated[str, typer.Option("--account", help="The account that it concerns, 0x….")] = "",
    previous: Annotated[str, typer.Option("--previous", help="The officer who is replaced, 0x….")] = "",
    verifier: Annotated[str, typer.Option("--verifier", help="The verifier that it concerns, 0x….")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=65_535, help="A sender's messages a window.")] = 65_535,
    as_json: JsonOption = False,
) -> None:
    """Propose an action as an officer; another one approves it."""
    body = {
        "action": action,
        "chain": chain,
        "key": key,
        "lane": lane,
        "account": account.lower(),
        "previous": previous.lower(),
        "verifier": verifier.lower(),
        "limit": limit,
    }
    with hub() as client:
        data = client.change("/v1/proposals", body)
    emit(data, f"Proposed {data['proposal']}: {data['text']}.", as_json=as_json)


def approve(
    label: Annotated[str, typer.Argument(metavar="[PROPOSAL]", help="Left out: list them.")] = "",
    key: Key = "",
    as_json: JsonOption = False,
) -> None:
    """Approve a proposal as another officer; without one, list those made through the hub."""
    if not label:
        show_list("/v1/proposals", _proposals, as_json=as_json)
        return
    with hub() as client:
        data = client.change("/v1/proposals/approve", {"proposal": label, "key": key})
    wait_s = max(data["ready_at"] - int(time.time()), 0)
    emit(data, f"Approved. It can be executed {'now' if wait_s == 0 else f'in {wait_s} s'}.", as_json=as_json)


def execute(
    label: Label,
    key: Key,
    action: Annotated[str, typer.Option("--action", help="Its calldata, if it was proposed elsewhere.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Execute an approved proposal after its delay."""
    with hub() as client:
        data = client.change("/v1/proposals/execute", {"proposal": label, "key": key, "action": action.lower()})
    emit(data, f"Executed {label}.", as_json=as_json)


def _proposals(data: list[dict[str, Any]]) -> str:
    return columns(data, ("proposal", "state", "by", "text")) if data else "No proposals."


def _lane_change(which: tuple[str, str, str], what: str, body: dict[str, Any], *, or_chain: bool = False) -> Any:
    """Change a lane, or with `or_chain` a ledger's gateway where no second ledger is named."""
    if or_chain and not which[1]:
        return chain_change(which[0], what, body)
    with hub() as client:
        return client.change(f"{lane_path(client, *which)}/{what}", body)
