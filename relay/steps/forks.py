"""Branches that gave way before they were final: remembered for contradictions, told in the log, and no accusation."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Row

from light_clients import clique
from relay.following import Followed
from relay.trail import Trail

log = structlog.get_logger()


def trail_of(row: Row[Any]) -> Trail:
    """The newest headers of a ledger, as the last look left them."""
    if row.client_trail is None:
        return Trail(row.client_height, (row.client_header,))
    return Trail.read(row.client_trail, row.client_height)


def log_replaced(chain: str, client: Any, followed: Followed) -> None:
    """One line about headers that gave way to others, and on Clique who sealed on both branches."""
    if not followed.replaced:
        return
    double: list[str] = []
    if client is clique:
        sealers = (clique.double_sealer(old, new) for old, new in followed.replaced)
        double = ["0x" + sealer.hex() for sealer in sealers if sealer is not None]
    log.info("branch_replaced", chain=chain, blocks=len(followed.replaced), double_sealers=double)
