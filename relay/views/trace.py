"""Where messages are, by any id: message id, transaction of the source or of the delivery, or a prefix of one.

A message's stage follows from its lane's counters (relay.journey); when it reached a stage is the first milestone of the
lane whose nonce is at least the message's.
"""

from __future__ import annotations

from typing import Any

from relay.errors import BadInput, NotFound
from relay.home import Home
from relay.journey import COUNTERS, Stage
from relay.store.reader import Reader, text_of
from relay.views.status import waits_of
from relay.views.verifiers import known_verifiers, verifiers_of

SHOWN_AT_MOST = 50
STATUS_NAMES = {1: "executed", 2: "failed", 3: "expired", 4: "refused"}
PREFIX_DIGITS = 6


def trace(home: Home, identifier: str) -> list[dict[str, Any]]:
    """Find messages by an id and tell the journey of each.

    Args:
        home: the hub's folder.
        identifier: hexadecimal with or without `0x`, at least 6 digits.

    Returns:
        At most 50 messages, oldest first.

    Raises:
        BadInput: it is no such id, or a prefix of several messages' ids.
        NotFound: the hub has not seen it.
    """
    with Reader(home.database_in(home.settings())) as reader:
        return trace_in(reader, identifier)


def trace_in(reader: Reader, identifier: str) -> list[dict[str, Any]]:
    """The same on a snapshot of the database."""
    low, high = bounds(identifier)
    found = find_messages(reader, low, high)
    if not found:
        raise NotFound(
            f"No message or transaction {identifier} is known.",
            "If it was just sent, wait for its block to be final; else check the id.",
        )
    return [journey_of(reader, row) for row in found[:SHOWN_AT_MOST]]


def bounds(identifier: str) -> tuple[bytes, bytes]:
    """The range of 32-byte values that begin with these digits.

    Raises:
        BadInput: the text is no prefix of an id.
    """
    digits = identifier.lower().removeprefix("0x")
    if not PREFIX_DIGITS <= len(digits) <= 64 or any(digit not in "0123456789abcdef" for digit in digits):
        raise BadInput(
            f"{identifier!r} is no id: give {PREFIX_DIGITS} to 64 hexadecimal digits.",
            "`relayhub send` prints message ids.",
        )
    return bytes.fromhex(digits.ljust(64, "0")), bytes.fromhex(digits.ljust(64, "f"))


def find_messages(reader: Reader, low: bytes, high: bytes) -> list[dict[str, Any]]:
    """Rows of the messages whose id, or else whose transaction of sending or delivery, lies in a range; at most 50.

    Raises:
        BadInput: several messages' ids do.
    """
    by_id = reader.rows(
        "SELECT * FROM messages WHERE message_id >= :low AND message_id <= :high ORDER BY lane_id, nonce LIMIT 3",
        low=low,
        high=high,
    )
    if len(by_id) > 1:
        raise BadInput("Several messages' ids begin with these digits.", "Give more of them.")
    if by_id:
        return by_id
    sent = reader.rows(
        'SELECT * FROM messages WHERE "transaction" >= :low AND "transaction" <= :high ORDER BY lane_id, nonce LIMIT 50',
        low=low,
        high=high,
    )
    return sent or reader.rows(
        "SELECT messages.* FROM messages JOIN outcomes ON outcomes.lane_id = messages.lane_id AND outcomes.nonce = messages.nonce "
        'WHERE outcomes."transaction" >= :low AND outcomes."transaction" <= :high '
        "ORDER BY messages.lane_id, messages.nonce LIMIT 50",
        low=low,
        high=high,
    )


def journey_of(reader: Reader, message: dict[str, Any]) -> dict[str, Any]:
    """Tell one message's journey: each stage with its time, height and reference; the outcome; what it waits for."""
    lane_id, nonce = message["lane_id"], message["nonce"]
    lane = reader.row("SELECT * FROM lanes WHERE lane_id = :lane", lane=lane_id)
    if lane is None:
        raise NotFound(f"The lane 0x{lane_id.hex()} of this message is not registered.", "See: relayhub lane list.")
    outcome = reader.row("SELECT * FROM outcomes WHERE lane_id = :lane AND nonce = :nonce", lane=lane_id, nonce=nonce)
    stages = [_sent(message)]
    stages += [_stage(reader, lane, stage, nonce) for stage in Stage if lane[COUNTERS[stage]] >= nonce]
    way_back = lane["delivered"] >= nonce
    waits = reader.rows("SELECT kind, id, code, party, text, since, next_at FROM waits ORDER BY since")
    pending = lane["settled"] < nonce
    return {
        "message_id": text_of(message, "message_id"),
        "lane_id": text_of(message, "lane_id"),
        "source": lane["source"],
        "destination": lane["destination"],
        "channel": lane["channel"],
        "trust": lane["trust"],
        "verifiers": verifiers_of(lane, known_verifiers(reader)),
        "nonce": nonce,
        "stage": stages[-1]["stage"],
        "sender": text_of(message, "sender"),
        "receiver": text_of(message, "receiver"),
        "payload": text_of(message, "payload"),
        "expires_at": _unsigned(message["expires_at"]),
        "gas_limit": _unsigned(message["gas_limit"]),
        "stages": stages,
        "outcome": _outcome(outcome) if outcome else None,
        "waits": _where_it_waits(waits, lane, way_back=way_back) if pending else [],
    }


def _sent(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "stage": "sent",
        "at": message["sent_at"],
        "height": message["height"],
        "party": text_of(message, "sender"),
        "reference": text_of(message, "transaction"),
    }


def _stage(reader: Reader, lane: dict[str, Any], stage: Stage, nonce: int) -> dict[str, Any]:
    milestone = reader.row(
        "SELECT at, height, reference FROM milestones WHERE lane_id = :lane AND stage = :stage AND nonce >= :nonce "
        "ORDER BY nonce, id LIMIT 1",
        lane=lane["lane_id"],
        stage=str(stage),
        nonce=nonce,
    )
    told: dict[str, Any] = {
        "stage": str(stage),
        "at": None,
        "height": None,
        "party": _party(lane, stage),
        "reference": "",
    }
    if milestone is not None:
        told |= {
            "at": milestone["at"],
            "height": milestone["height"] or None,
            "reference": text_of(milestone, "reference") if milestone["reference"] else "",
        }
    if stage in (Stage.ATTESTED, Stage.OUTCOME_ATTESTED):
        told["signers"] = _signers(reader, lane["lane_id"], int(stage is Stage.OUTCOME_ATTESTED), nonce)
    return told


def _party(lane: dict[str, Any], stage: Stage) -> str:
    """Whose act a stage is."""
    if stage in (Stage.FINAL, Stage.SETTLED):
        return f"chain {lane['source']}"
    if stage is Stage.DELIVERED:
        return f"chain {lane['destination']}"
    return "operators" if stage in (Stage.ATTESTED, Stage.OUTCOME_ATTESTED) else "hub"


def _signers(reader: Reader, lane_id: bytes, direction: int, nonce: int) -> list[str]:
    """Names of the operators who signed the claim that covers the message."""
    rows = reader.rows(
        "SELECT operators.name FROM attestations JOIN operators ON operators.signer = attestations.signer "
        "WHERE attestations.claim_id = (SELECT id FROM claims WHERE lane_id = :lane AND direction = :direction "
        "AND first <= :nonce AND nonce >= :nonce AND state = 'attested' ORDER BY id LIMIT 1) ORDER BY operators.name",
        lane=lane_id,
        direction=direction,
        nonce=nonce,
    )
    return [row["name"] for row in rows]


def _outcome(outcome: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": STATUS_NAMES.get(outcome["status"], str(outcome["status"])),
        "result": text_of(outcome, "result"),
        "height": outcome["height"],
        "transaction": text_of(outcome, "transaction"),
    }


def _where_it_waits(waits: list[dict[str, Any]], lane: dict[str, Any], *, way_back: bool) -> list[dict[str, Any]]:
    found = waits_of(waits, ("back" if way_back else "lane",), lane["lane_id"].hex())
    for chain in (lane["source"], lane["destination"]):
        found += waits_of(waits, ("chain", "client"), chain)
    return found


def _unsigned(value: int) -> int:
    return value if value >= 0 else value + (1 << 64)
