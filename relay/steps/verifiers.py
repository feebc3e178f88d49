"""Which contract verifies at each end of a lane, as its ledger says: officers change it by any wallet, past this hub.

| what is seen | what is done |
| --- | --- |
| VerifierChanged | written down by the look (`record`) |
| a lane's verifier that the hub has not read | it is read, with the parts behind it |
| a verifier that cannot be read, or a lane's transactions that revert | the gateway is asked who verifies |

The event and the answer are an endpoint's word: a false one delays the lane until another endpoint is asked, and forges nothing.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select

from adapters.protocol import AdapterError, Ledger, Rejected
from relay.context import Context
from relay.errors import HubError
from relay.registry.verifiers import learn_verifier, take_over
from relay.steps.changed import change_verifier
from relay.store import Lease, waits
from relay.store.lanes import WORKING
from relay.store.tables import lanes, verifiers
from relay.store.tables import waits as waits_table
from relay.store.waits import Reason, wait
from schemas.primitives import LaneId

log = structlog.get_logger()

ASKED_AT_ONCE = 16
"""Lanes whose gateway is asked in one look who verifies."""
ENDS = (("source", "back"), ("destination", "lane"))
"""An end of a lane, and the wait of what is judged there."""


def wait_id(chain: str, address: bytes) -> str:
    """Under which id a wait of the kind `client` is kept: 16 digits of the address, and the ledger on which it stands."""
    return f"{address.hex()[:16]}@{chain}"


def know_verifiers(context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> None:
    """Read what verifies on a ledger and was not read yet; ask again who does where that does not work.

    Args:
        context: this process's view of the hub.
        lease: the ledger's.
        row: the ledger on which the verifiers stand.
        ledger: the same, opened.
    """
    with context.store.read() as connection:
        unknown = _unknown(connection, row.name)
        held = {address: waits.find(connection, "client", wait_id(row.name, address)) for address in unknown}
        doubtful = _doubtful(connection, row.name, unknown)
    try:
        for lane, end in doubtful:
            _ask_gateway(lease, row, ledger, lane, end)
        for address in unknown:
            known = held[address]
            if known is None or waits.is_due(known.next_at, time.time()):
                _learn(lease, row, ledger, address)
    except AdapterError as error:
        log.info("verifier_unread", chain=row.name, error=str(error)[:200])


def _unknown(connection: Connection, name: str) -> list[bytes]:
    """Verifiers of a ledger's lanes that were not read yet."""
    known = select(verifiers.c.address).where(verifiers.c.chain == name)
    found: set[bytes] = set()
    for end, _kind in ENDS:
        address = lanes.c[f"{end}_verifier"]
        mine = (lanes.c[end] == name, lanes.c.state.in_(WORKING), address.not_in(known))
        found |= {bytes(item) for item in connection.execute(select(address).where(*mine)).scalars()}
    return sorted(found)


def _doubtful(connection: Connection, name: str, unknown: list[bytes]) -> list[tuple[Row[Any], str]]:
    """Lanes with the end on a ledger whose verifier cannot be read, or where transactions revert."""
    found: list[tuple[Row[Any], str]] = []
    for end, kind in ENDS:
        mine = (lanes.c[end] == name, lanes.c.state.in_(WORKING))
        reverting = connection.execute(
            select(waits_table.c.id).where(
                waits_table.c.kind == kind, waits_table.c.code == str(Reason.TRANSACTION_REVERTED)
            )
        ).scalars()
        ids = [bytes.fromhex(item) for item in reverting]
        address = lanes.c[f"{end}_verifier"]
        in_doubt = lanes.c.lane_id.in_(ids) | address.in_(unknown)
        rows = connection.execute(select(lanes).where(*mine, in_doubt).limit(ASKED_AT_ONCE))
        found += [(lane, end) for lane in rows]
    return found


def _ask_gateway(lease: Lease, row: Row[Any], ledger: Ledger, lane: Row[Any], end: str) -> None:
    """Write down who verifies at an end of a lane where the gateway names another contract than the hub knows."""
    try:
        address = ledger.lane_ends(bytes(row.gateway), LaneId(lane.lane_id)).verifier
    except Rejected:
        return  # the gateway never opened that end
    if address == bytes(getattr(lane, f"{end}_verifier")):
        return
    with lease.write() as connection:
        change_verifier(connection, row.name, lane, address)
        before = wait_id(row.name, bytes(getattr(lane, f"{end}_verifier")))
        waits.clear_if(connection, "client", before, (Reason.VERIFIER_UNKNOWN,))
    log.info("verifier_taken_over", chain=row.name, lane=bytes(lane.lane_id).hex()[:16])


def _learn(lease: Lease, row: Row[Any], ledger: Ledger, address: bytes) -> None:
    """Read a verifier that officers set past the hub; say so where it is none."""
    name = wait_id(row.name, address)
    try:
        learn_verifier(lease.write, ledger, row.name, address)
    except HubError as error:
        text = f"The hub cannot use the verifier 0x{address.hex()} on {row.name}: {error.message}"
        with lease.write() as connection:
            wait(connection, "client", name, Reason.VERIFIER_UNKNOWN, party="officers", text=text)
        return
    with lease.write() as connection:
        waits.clear_if(connection, "client", name, (Reason.VERIFIER_UNKNOWN,))
        here = ((lanes.c.source == row.name) & (lanes.c.source_verifier == address)) | (
            (lanes.c.destination == row.name) & (lanes.c.destination_verifier == address)
        )
        for lane_id in list(connection.execute(select(lanes.c.lane_id).where(here)).scalars()):
            take_over(connection, lane_id)
