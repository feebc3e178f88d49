"""What a worker does with a task (kind, id): takes the lease, works in short passes for about two seconds, leaves.

A second copy of a task finds the lease taken, notes that somebody wants another look, and leaves; the holder then looks once
more before it gives the lease back. So a task that comes twice, late or out of order costs a glance.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from relay.context import Context
from relay.errors import HubError, LeaseLost
from relay.steps.carry import carry
from relay.steps.claim import BACK, OUT, propose_claims
from relay.steps.look import look
from relay.store import Lease
from relay.store.lanes import WORKING, get
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
    except HubError as error:
        log.exception("work_failed", kind=kind, id=identifier[:16], error=str(error))
        lease.release()


def _chain(context: Context, lease: Lease, name: str, wake: Wake) -> bool:
    row = context.chain(name)
    if row.state != "active":
        return False
    ledger = context.ledger(row)
    found = look(context, lease, row, ledger)
    woken = found.lanes | Submitter(context, lease, context.chain(name), ledger).run()
    for lane in woken:
        wake("lane", lane)
    return found.more


def _lane(context: Context, lease: Lease, identifier: str, wake: Wake) -> bool:
    lane_id = LaneId.from_hex(identifier)
    with context.store.read() as connection:
        if get(connection, lane_id).state not in WORKING:
            return False
    for side in (OUT, BACK):
        propose_claims(context, lease, lane_id, side)
        target = carry(context, lease, lane_id, side)
        if target is not None:
            wake("chain", target)
    return False
