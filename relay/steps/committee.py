"""When a ledger says that its committee is another one than the hub knows: read it there again.

Officers may strike a signer or add an epoch by any wallet, without this hub. The gateway's refusal names it; the hub then takes
over what the verifier says, and the claims get the signatures that count now.
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Row, select, update

from adapters.protocol import AdapterError
from relay.context import Context
from relay.errors import HubError
from relay.evidence.decisions import note_operator
from relay.signers import by_account
from relay.steps.sides import Side
from relay.store.lanes import get
from relay.store.tables import operators
from relay.store.verifiers import verifier_of
from relay.store.waits import Reason
from schemas.primitives import LaneId

log = structlog.get_logger()

COMMITTEE_ERRORS = ("SignerStruckOut", "EpochEnded", "UnknownEpoch")


def speaks_of_committee(wait_row: Row[Any] | None) -> bool:
    """Whether a lane waits because the ledger refused its committee's signatures."""
    return (
        wait_row is not None
        and wait_row.code == Reason.TRANSACTION_REVERTED
        and any(name in wait_row.text for name in COMMITTEE_ERRORS)
    )


def read_committee_again(context: Context, lane_id: LaneId, side: Side) -> None:
    """Take over epoch, signers and strikes from the verifier of a lane's direction; a ledger that is down is asked later."""
    from relay.registry.committee import read_committee, write_committee
    from relay.registry.gateways import Contract

    with context.store.read() as connection:
        known = verifier_of(connection, get(connection, lane_id), side.direction)
    chain, address = known.chain, bytes(known.committee)
    try:
        ledger = context.ledger(context.chain(chain))
        committee = read_committee(ledger, address)
        verifier = Contract(ledger, "CommitteeVerifier", address)
        signers = [bytes.fromhex(signer.removeprefix("0x")) for signer in committee["signers"]]
        struck = {signer for signer in signers if verifier.ask("struck", signer)}
    except (AdapterError, HubError) as error:
        log.warning("committee_unread", chain=chain, error=str(error)[:200])
        return
    with context.store.write() as connection:
        write_committee(connection, chain, committee)
        rows = by_account(connection.execute(select(operators)))
        named = [rows[account].name for account in struck if account in rows]
        connection.execute(update(operators).where(operators.c.name.in_(named)).values(state="struck"))
        for name in named:
            note_operator(connection, name)
    log.info("committee_read_again", chain=chain, epoch=committee["epoch"], struck=len(struck))
