"""Send messages from a local key through a ledger's gateway, as an application would: nothing of the hub is needed for it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.protocol import Call, Ledger, MessageSent, Receipt, Rejected
from adapters.solidity.calldata import decode_ticket, encode_seal, encode_send, encode_ticket
from relay.errors import BadInput, NotNow
from relay.keys import Key
from relay.registry.chains import chain_named, open_chain
from relay.registry.lanes import lane_row, refresh
from relay.registry.transact import LOOK_S, STANDS_WITHIN_S, transact
from relay.store import Store
from schemas.payloads import CallPayload, DocumentPayload, RawPayload, TextPayload, encode_payload
from schemas.primitives import ACCOUNT_MAX_BYTES, Bytes32, LaneId, SchemaError, bytes_from_hex

SEND_GAS = 200_000
GAS_PER_PAYLOAD_BYTE = 60
SENDS_AT_ONCE = 200
SEALED = 2
"""State of a ticket whose message has its place in the lane."""
SEALED_WITHIN_S = 60.0
_CALL = re.compile(r"\s*([^\s(]+)\s*\((.*)\)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that its source gateway took: id, nonce, transaction and block."""

    message_id: bytes
    lane_id: bytes
    nonce: int
    transaction: bytes
    height: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: the receiver (an address or `mailbox`), payload bytes, gas, and when it expires (Unix seconds, 0 never)."""

    receiver: str
    payload: bytes
    gas_limit: int
    callback_gas: int = 0
    expires_at: int = 0


def payload_of(
    *, text: str | None, hexadecimal: str | None, file: str | None, call: str | None, record: str | None = None
) -> bytes:
    """Encode the one kind of payload that was given; of a record, its id (docs/records.md).

    Raises:
        BadInput: none or several were given, or it cannot be encoded.
    """
    given = [value for value in (text, hexadecimal, file, call, record) if value is not None]
    if len(given) != 1:
        raise BadInput("A message has one payload.", "Give one of --text, --hex, --file, --call, --record.")
    try:
        if text is not None:
            text.encode()
            return encode_payload(TextPayload(text=text))
        if hexadecimal is not None:
            return encode_payload(RawPayload(data=bytes_from_hex(hexadecimal)))
        if call is not None:
            return encode_payload(_call(call))
        if record is not None:
            return encode_payload(DocumentPayload(record=Bytes32(bytes_from_hex(record))))
        return encode_payload(RawPayload(data=Path(str(file)).read_bytes()))
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.", "Check --file.") from None
    except (SchemaError, ValueError) as error:
        reason = "it is no valid text" if isinstance(error, UnicodeError) else str(error).splitlines()[0]
        raise BadInput(f"The payload cannot be encoded: {reason}.", "Correct it.") from None


def send(store: Store, lane: tuple[str, str, str], key: Key, letter: Letter, count: int) -> list[Sent]:
    """Send one letter `count` times over a lane; as `send_all`."""
    return send_all(store, lane, key, [letter] * count)


def send_all(store: Store, lane: tuple[str, str, str], key: Key, letters: Sequence[Letter]) -> list[Sent]:
    """Send letters in order over a lane; returns when the source has them in blocks.

    Args:
        store: the database, for the lane and its ledgers.
        lane: source, destination and channel.
        key: who sends and pays.
        letters: what is sent.

    Raises:
        BadInput: the receiver is no account.
        NotFound: there is no such lane.
        NotNow: the lane is not active.
        Rejected: the gateway refuses; the reason is in its own words.
    """
    row = lane_row(store, *lane)
    state = refresh(store, row) if row.state == "opening" else row.state
    if state != "active":
        raise NotNow(f"The lane {lane[0]} → {lane[1]} #{lane[2]} is {state}.", "See: relayhub status.")
    source = chain_named(store, row.source)
    destination = chain_named(store, row.destination)
    calls = [_call_of(bytes(source.gateway), row.lane_id, destination, letter) for letter in letters]
    ledger = open_chain(source)
    sent: list[Sent] = []
    try:
        while len(sent) < len(calls):
            batch = calls[len(sent) : len(sent) + SENDS_AT_ONCE]
            receipts = transact(ledger, key, batch, independent=True)
            if ledger.machine().tickets:
                sent += _sealed(ledger, key, bytes(source.gateway), LaneId(row.lane_id), receipts)
            else:
                sent += _shown(ledger, bytes(source.gateway), row.lane_id, receipts)
    finally:
        ledger.close()
    return sent


def _sealed(ledger: Ledger, key: Key, gateway: bytes, lane_id: LaneId, receipts: Sequence[Receipt]) -> list[Sent]:
    """What the gateway took and gave a ticket for, once each ticket is sealed, by us or by somebody else.

    Raises:
        NotNow: a ticket waits still, also after a while.
    """
    waiting, found = {receipt.transaction: receipt for receipt in receipts}, list[Sent]()
    deadline = time.monotonic() + SEALED_WITHIN_S
    while waiting:
        with suppress(Rejected):  # somebody else's seal was faster, or a limit stands in the way for now
            transact(ledger, key, [Call(gateway, encode_seal(lane_id, list(waiting)), SEND_GAS)])
        for ticket, receipt in list(waiting.items()):
            output = ledger.simulate(b"", Call(gateway, encode_ticket(lane_id, ticket), SEND_GAS))
            state, nonce, message_id = decode_ticket(output)
            if state == SEALED:
                del waiting[ticket]
                found.append(Sent(message_id, bytes(lane_id), nonce, ticket, receipt.height))
        if waiting and time.monotonic() > deadline:
            raise NotNow(
                f"{len(waiting)} messages wait to be sealed.", "The hub seals them; see: relayhub status, then trace."
            )
        if waiting:
            time.sleep(LOOK_S)
    return sorted(found, key=lambda item: item.nonce)


def _shown(ledger: Ledger, gateway: bytes, lane_id: bytes, receipts: Sequence[Receipt]) -> list[Sent]:
    """What the gateway took by these transactions, by its events.

    Where a ledger's newest blocks are not final, the block of a receipt may have been left for another one meanwhile; the
    transactions then come into a later one, and the endpoint is asked anew.

    Raises:
        NotNow: the endpoint does not show it, also after a while.
    """
    transactions = [receipt.transaction for receipt in receipts]
    wanted, known, delay = set(transactions), list[Receipt | None](receipts), ledger.machine().proof_delay
    deadline = time.monotonic() + STANDS_WITHIN_S
    while True:
        heights = [receipt.height + delay for receipt in known if receipt is not None]
        if heights and delay and ledger.tip() < max(heights):
            heights = []
        found = [
            Sent(event.message_id, lane_id, event.message.nonce, event.position.transaction, event.position.height)
            for event in (ledger.events(min(heights), max(heights), gateway) if heights else [])
            if isinstance(event, MessageSent) and event.position.transaction in wanted
        ]
        if len(found) == len(transactions):
            return found
        if time.monotonic() > deadline:
            raise NotNow("The endpoint does not show what was just sent.", "See: relayhub status.")
        time.sleep(LOOK_S)
        known = ledger.receipts(transactions)


def expiry(seconds: int) -> int:
    """Unix seconds at which a message of so many seconds expires; 0 = never."""
    return int(time.time()) + seconds if seconds else 0


def _call_of(gateway: bytes, lane_id: bytes, destination: Any, letter: Letter) -> Call:
    receiver = _receiver(destination, letter.receiver)
    calldata = encode_send(lane_id, receiver, letter.payload, letter.gas_limit, letter.callback_gas, letter.expires_at)
    return Call(gateway, calldata, SEND_GAS + GAS_PER_PAYLOAD_BYTE * len(letter.payload))


def _receiver(destination: Any, text: str) -> bytes:
    if text == "mailbox":
        if not destination.mailbox:
            raise BadInput(f"There is no example receiver on {destination.name}.", "Give --to 0x….")
        return bytes(destination.mailbox)
    try:
        receiver = bytes_from_hex(text)
    except SchemaError:
        receiver = b""
    if not text.startswith("0x") or not 1 <= len(receiver) <= ACCOUNT_MAX_BYTES:
        raise BadInput(f"{text[:140]!r} is no account.", "Give --to 0x… or --to mailbox.")
    return receiver


def _call(text: str) -> CallPayload:
    """Read `method(1, "two", true)`; the arguments are JSON."""
    match = _CALL.fullmatch(text)
    if match is None:
        raise SchemaError('a call looks like method(1, "two", true)')
    try:
        arguments = json.loads(f"[{match.group(2)}]")
    except ValueError:
        raise SchemaError("the arguments of a call are JSON values with commas between") from None
    return CallPayload(method=match.group(1), arguments=arguments)
