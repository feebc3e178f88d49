"""Freezing: what the protocol calls misbehaviour stops a ledger's lanes; nothing that an endpoint merely says does."""

from __future__ import annotations

import json
import time
from typing import Any

import structlog
from sqlalchemy import Row, insert, update

from light_clients.errors import Misbehaviour
from relay.store import Lease
from relay.store.tables import chains, claims, incidents, lanes
from relay.store.waits import Reason, wait

log = structlog.get_logger()


def freeze_chain(lease: Lease, row: Row[Any], misbehaviour: Misbehaviour) -> None:
    """Freeze a ledger on two contradicting final headers: keep both, void open claims, stop its lanes.

    The guardian's pause at both gateways is the operators' and officers' act; the incident says so.
    """
    text = f"{misbehaviour.message} Height {misbehaviour.height}."
    evidence = json.dumps(misbehaviour.diagnostics()).encode()
    here = (lanes.c.source == row.name) | (lanes.c.destination == row.name)
    with lease.write() as connection:
        connection.execute(update(chains).where(chains.c.name == row.name).values(state="frozen"))
        frozen = [item.lane_id for item in connection.execute(lanes.select().where(here, lanes.c.state == "active"))]
        connection.execute(update(lanes).where(lanes.c.lane_id.in_(frozen)).values(state="frozen"))
        connection.execute(
            update(claims).where(claims.c.lane_id.in_(frozen), claims.c.state == "open").values(state="void")
        )
        connection.execute(
            insert(incidents).values(
                at=time.time(), name="misbehaviour", subject=f"chain {row.name}", text=text, evidence=evidence
            )
        )
        wait(
            connection,
            "chain",
            row.name,
            Reason.CLIENT_FROZEN,
            party="officers",
            text=text + " Pause the lanes at both gateways: relayhub pause.",
            again_s=3600,
        )
    log.error("chain_frozen", chain=row.name, height=misbehaviour.height)
