"""Freezing: what the protocol calls misbehaviour stops a ledger's lanes; nothing that an endpoint merely says does."""

from __future__ import annotations

import json
import time
from typing import Any

import structlog
from sqlalchemy import Row, insert, update

from light_clients.errors import Misbehaviour
from relay.evidence.decisions import note_chain, note_incident
from relay.store import Lease
from relay.store.lanes import on_chain
from relay.store.tables import chains, claims, incidents, lanes, transactions
from relay.store.waits import Reason, wait

log = structlog.get_logger()


def freeze_chain(lease: Lease, row: Row[Any], misbehaviour: Misbehaviour) -> None:
    """Freeze a ledger on two contradicting final headers: keep both, stop its lanes, void what is open or queued for them.

    Transactions that were sent already are replaced by empty ones when they would have to be sent again (submitter). The
    guardian's pause at both gateways is the operators' and officers' act; the incident says so.
    """
    text = f"{misbehaviour.message} Height {misbehaviour.height}."
    evidence = json.dumps(misbehaviour.diagnostics()).encode()
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(state="frozen"))
        frozen = [lane.lane_id for lane in on_chain(connection, row.name)]
        connection.execute(update(lanes).where(lanes.c.lane_id.in_(frozen)).values(state="frozen"))
        connection.execute(
            update(claims).where(claims.c.lane_id.in_(frozen), claims.c.state == "open").values(state="void")
        )
        connection.execute(
            update(transactions)
            .where(transactions.c.lane_id.in_(frozen), transactions.c.state == "queued")
            .values(state="void")
        )
        connection.execute(
            insert(incidents).values(
                at=time.time(), name="misbehaviour", subject=f"chain {row.name}", text=text, evidence=evidence
            )
        )
        note_chain(connection, row.name)
        note_incident(connection, "misbehaviour", f"chain {row.name}", text, evidence)
        advice = " Pause the lanes at both gateways: relayhub pause."
        stopped = [("chain", row.name), *((kind, lane.hex()) for lane in frozen for kind in ("lane", "back"))]
        for kind, name in stopped:
            wait(connection, kind, name, Reason.CLIENT_FROZEN, party="officers", text=text + advice, again_s=3600)
    log.error("chain_frozen", chain=row.name, height=misbehaviour.height)
