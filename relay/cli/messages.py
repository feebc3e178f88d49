"""`relayhub send`: send a message from a local key and, if wished, follow it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, note
from relay.home import Home

LOOK_S = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send")(send)


def send(
    source: Annotated[str, typer.Argument(metavar="A", help="The ledger that sends.")],
    destination: Annotated[str, typer.Argument(metavar="B", help="The ledger that receives.")],
    to: Annotated[str, typer.Option("--to", help="The receiver: 0x…, or mailbox, the example of a development hub.")],
    text: Annotated[str | None, typer.Option("--text", help="A text in any script.")] = None,
    hexadecimal: Annotated[str | None, typer.Option("--hex", help="Bytes as hexadecimal digits.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="A file whose bytes are sent; above the lane's cap its record's id.")
    ] = None,
    call: Annotated[str | None, typer.Option("--call", help='A call: method(1, "two", true).')] = None,
    record: Annotated[
        str | None, typer.Option("--record", help="A record's id, 0x…: sent in place of its content.")
    ] = None,
    expires_in: Annotated[int, typer.Option("--expires-in", min=0, help="Seconds until it expires; 0 = never.")] = 0,
    gas_limit: Annotated[int, typer.Option("--gas-limit", min=1, help="Gas of the receiver's call.")] = 300_000,
    callback_gas: Annotated[
        int, typer.Option("--callback-gas", min=0, help="Gas of the sender's callback; contracts only.")
    ] = 0,
    channel: Annotated[str, typer.Option("--channel", help="The lane's channel.")] = "default",
    key: Annotated[str, typer.Option("--key", help="The key that sends and pays.")] = "sender",
    count: Annotated[int, typer.Option("--count", min=1, max=10_000, help="How many times to send it.")] = 1,
    organisation: Annotated[
        str, typer.Option("--organisation", help="Whose record a file above the cap is [default: called as ledger A].")
    ] = "",
    readers: Annotated[str, typer.Option("--readers", help="Who else reads it [default: called as ledger B].")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is settled.")] = False,
    patience: Annotated[int, typer.Option("--patience", min=1, help="Seconds that --wait waits at most.")] = 300,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send a message; prints its id."""
    from relay.cli.session import session
    from relay.evidence.bodies import fitting, is_beyond_every_lane
    from relay.evidence.records import Records
    from relay.sending import Letter, expiry, payload_of
    from relay.sending import send as bring

    only_file = file if file is not None and (text, hexadecimal, call, record) == (None,) * 4 else None
    large = only_file is not None and is_beyond_every_lane(only_file)
    payload = None if large else payload_of(text=text, hexadecimal=hexadecimal, file=file, call=call, record=record)
    with session(home) as hub:
        lane, sender = (source, destination, channel), hub.keys.load(key)
        if only_file is not None:
            records = Records(hub.store, hub.home.evidence)
            payload, kept = fitting(hub.store, records, lane, only_file, payload, organisation, readers)
            if kept is not None:
                note(f"The body is above the lane's cap: it is record 0x{kept.hex()}.")
        letter = Letter(to, payload or b"", gas_limit, callback_gas, expiry(expires_in))
        sent = bring(hub.store, lane, sender, letter, count)
    if not wait:
        data = [
            {
                "message_id": item.message_id,
                "lane_id": item.lane_id,
                "nonce": item.nonce,
                "transaction": item.transaction,
                "height": item.height,
            }
            for item in sent
        ]
        ids = "\n".join("0x" + item.message_id.hex() for item in sent)
        last = "0x" + sent[-1].message_id.hex()
        emit(data, f"{ids}\nNext: relayhub trace {last[:14]}", as_json=as_json)
        return
    followed = follow(Home.locate(home or None), [item.message_id.hex() for item in sent], patience, quiet=as_json)
    emit(followed, _outcomes(followed), as_json=as_json)


def follow(home: Home, message_ids: list[str], patience_s: float, *, quiet: bool) -> list[dict[str, Any]]:
    """Wait until messages of one lane are settled, telling each new stage of the last; returns their journeys.

    Raises:
        NotNow: they are not settled in time; the error says what they wait for.
    """
    from relay.errors import NotFound, NotNow
    from relay.views.trace import trace

    deadline = time.monotonic() + patience_s
    last: dict[str, Any] = {}
    told: set[str] = set()
    while time.monotonic() < deadline:
        try:
            last = trace(home, message_ids[-1])[0]
        except NotFound:
            time.sleep(LOOK_S)
            continue
        for stage in last["stages"]:
            if stage["stage"] not in told:
                told.add(stage["stage"])
                if not quiet:
                    note(_stage_text(stage, last["stages"][0]["at"]))
        if last["stage"] == "settled":
            return [trace(home, identifier)[0] for identifier in message_ids]
        time.sleep(LOOK_S)
    waits = (
        "; ".join(f"{wait['code']} for {wait['party']}" for wait in last.get("waits", [])) or "nothing that is known"
    )
    stage = last.get("stage", "sent, not seen by the hub (does it run?)")
    raise NotNow(
        f"After {patience_s:.0f} s the message is {stage}; it waits for {waits}.",
        f"Look again: relayhub trace 0x{message_ids[-1][:12]}.",
    )


def _stage_text(stage: dict[str, Any], begin: float) -> str:
    after = f"+{stage['at'] - begin:.1f} s" if stage["at"] else ""
    who = ", ".join(stage.get("signers", [])) or stage["party"]
    return f"  {stage['stage']:<17} {after:<9} by {who}" + (f" at height {stage['height']}" if stage["height"] else "")


def _outcomes(followed: list[dict[str, Any]]) -> str:
    lines = []
    for message in followed:
        outcome = message["outcome"] or {"status": "?", "result": "0x"}
        lines.append(f"{message['message_id']}: {outcome['status']}, settled")
    return "\n".join(lines)
