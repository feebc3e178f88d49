"""What a worker does with a task (kind, id): takes the lease, works in short passes for about two seconds, leaves.

A second copy of a task finds the lease taken, notes that somebody wants another look, and leaves; the holder then looks once
more before it gives the lease back. So a task that comes twice, late or out of order costs a glance.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import structlog

from adapters.protocol import AdapterError
from relay.context import Context
from relay.errors import LeaseLost, NotFound
from relay.steps.carry import carry
from relay.steps.certificates import note_certificates
from relay.steps.claim import propose_claims
from relay.steps.committee import read_committee_again, speaks_of_committee
from relay.steps.endpoints import note_endpoints
from relay.steps.keep import keep
from relay.steps.log_anchor import anchor_log
from relay.steps.look import look
from relay.steps.seal import seal
from relay.steps.sides import BACK, OUT
from relay.steps.trouble import note_trouble
from relay.steps.verifiers import know_verifiers
from relay.store import Lease, waits
from relay.store.lanes import WORKING, get
from relay.store.waits import Reason
from relay.submitter import Submitter
from schemas.primitives import LaneId

log = structlog.get_logger()

WORK_S = 2.0
Wake = Callable[[str, str], None]


def work(context: Context, kind: str, identifier: str, wake: Wake) -> None:
    """Do what there is to do for a chain or a lane.

    Args:
        context: this process's view of the hub.
        kind: `chain` or `lane`.
        identifier: the chain's name, or the lane's id in hexadecimal without 0x.
        wake: called with (kind, id) for other work that became possible.
    """
    lease = Lease.take(context.store, kind, identifier)
    if lease is None:
        return
    until = time.monotonic() + WORK_S
    run = _chain if kind == "chain" else _lane
    try:
        with context.holding(lease):
            while True:
                more = run(context, lease, identifier, wake)
                if time.monotonic() > until:
                    if not lease.release() or more:
                        lease.release()
                        wake(kind, identifier)
                    return
                if not more and lease.release():
                    return
    except LeaseLost:
        log.info("lease_lost", kind=kind, id=identifier[:16])
    except Exception as error:
        log.exception("work_failed", kind=kind, id=identifier[:16], error=str(error))
        if not isinstance(error, NotFound):
            _note_failure(lease, error)
        lease.release()


def _note_failure(lease: Lease, error: Exception) -> None:
    """Say that an error of our own stands in the way; the sweep tries again when it is time."""
    text = f"{type(error).__name__}: {error}. The workers' logs have the details."
    with contextlib.suppress(LeaseLost), lease.write() as connection:
        waits.wait(connection, lease.kind, lease.id, Reason.HUB_FAILED, party="hub's owner", text=text)


def _chain(context: Context, lease: Lease, name: str, wake: Wake) -> bool:
    row = context.chain(name)
    if row.state != "active" or _rests(context, name):
        return False
    try:
        ledger = context.ledger(row)
    except AdapterError as error:
        note_trouble(lease, row, error)
        return False
    note_certificates(lease, row, ledger)
    found = look(context, lease, row, ledger)
    note_endpoints(lease, row, ledger.status())
    woken = found.lanes
    if not found.down:  # whoever did not answer the look would only take as long again
        know_verifiers(context, lease, row, ledger)
        keep(context, lease, context.chain(name), ledger)
        seal(lease, context.chain(name), ledger, context.store)
        anchor_log(context, lease, row, ledger)
        woken |= Submitter(context, lease, context.chain(name), ledger).run()
    for lane in woken - {""}:  # a light client's transaction is of no lane
        wake("lane", lane)
    return found.more


def _rests(context: Context, name: str) -> bool:
    """Whether a ledger whose silence cost a worker's time is not yet to be asked again."""
    with context.store.read() as connection:
        known = waits.find(connection, "chain", name)
    return known is not None and known.code == Reason.ENDPOINT_SLOW and not waits.is_due(known.next_at, time.time())


def _lane(context: Context, lease: Lease, identifier: str, wake: Wake) -> bool:
    lane_id = LaneId.from_hex(identifier)
    with context.store.read() as connection:
        if get(connection, lane_id).state not in WORKING:
            return False
        known = waits.find(connection, "lane", identifier)
        refused = {
            side: speaks_of_committee(waits.find(connection, side.wait_kind, identifier)) for side in (OUT, BACK)
        }
    for side in (OUT, BACK):
        if refused[side]:
            read_committee_again(context, lane_id, side)
        propose_claims(context, lease, lane_id, side)
        target = carry(context, lease, lane_id, side)
        if target is not None:
            wake("chain", target)
    if known is not None and known.code == Reason.HUB_FAILED:
        with lease.write() as connection:
            waits.clear_if(connection, "lane", identifier, (Reason.HUB_FAILED,))
    return False
