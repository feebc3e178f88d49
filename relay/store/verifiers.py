"""Verifiers in the database: which contract judges a direction of a lane, and the committee and light client behind it.

| kind | judges by | `committee` | `light_client` |
| --- | --- | --- | --- |
| `committee` | k of n operators' signatures | itself | empty |
| `light-client` | seals of the peer's validators, and a state proof | empty | itself |
| `both` | the two together | the committee inside | the light client inside |
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from relay.errors import NotFound
from relay.store.lanes import verifying_chain
from relay.store.tables import chains, committees, verifiers
from schemas.claim import Direction

DEVELOPMENT = "development"
"""The trust level of a lane one of whose ledgers has no consensus that could be verified."""


class Kind(StrEnum):
    """How a verifier judges, the weaker first.

    A light client needs nobody but the peer's validators, on whose word a committee signs as well; both need both.
    """

    COMMITTEE = "committee"
    LIGHT_CLIENT = "light-client"
    BOTH = "both"


def verifier_of(connection: Connection, lane: Row[Any], direction: Direction) -> Row[Any]:
    """The verifier that judges a direction of a lane: the destination's for the outbox, the source's for the outcomes.

    Raises:
        NotFound: the hub has not read that contract yet; the keeper does at the ledger's next look.
    """
    chain = verifying_chain(lane, direction)
    address = bytes(lane.source_verifier if direction else lane.destination_verifier)
    row = verifier_at(connection, chain, address)
    if row is None:
        raise NotFound(
            f"The hub does not know yet what verifies at 0x{address.hex()} on {chain}.",
            "It asks the ledger by itself; see: relayhub status.",
        )
    return row


def verifier_at(connection: Connection, chain: str, address: bytes) -> Row[Any] | None:
    """A ledger's verifier by its address."""
    mine = (verifiers.c.chain == chain, verifiers.c.address == address)
    return connection.execute(select(verifiers).where(*mine)).one_or_none()


def light_client_of(connection: Connection, verifier: Row[Any]) -> Row[Any] | None:
    """The row of the light client in or behind a verifier, with what the hub last read of it; None for a committee."""
    if verifier.kind == Kind.COMMITTEE:
        return None
    return verifier_at(connection, verifier.chain, bytes(verifier.light_client))


def committee_of(connection: Connection, verifier: Row[Any]) -> Row[Any] | None:
    """The present epoch of the committee in or behind a verifier; None where there is none, or none is known."""
    mine = (committees.c.chain == verifier.chain, committees.c.verifier == verifier.committee)
    return connection.execute(select(committees).where(*mine, committees.c.state == "current")).one_or_none()


def epochs_of(connection: Connection, verifier: Row[Any]) -> dict[int, Row[Any]]:
    """Every epoch that is known of the committee in or behind a verifier, by number."""
    mine = (committees.c.chain == verifier.chain, committees.c.verifier == verifier.committee)
    return {row.epoch: row for row in connection.execute(select(committees).where(*mine))}


def lane_trust(connection: Connection, lane: Row[Any]) -> str:
    """A lane's trust level: that of its weaker end; a verifier that was not read yet counts as a committee."""
    ends = ((lane.source, lane.source_verifier), (lane.destination, lane.destination_verifier))
    known = [verifier_at(connection, chain, bytes(address)) for chain, address in ends]
    consensus = connection.execute(
        select(chains.c.consensus).where(chains.c.name.in_((lane.source, lane.destination)))
    ).scalars()
    return trust_level([Kind(row.kind) if row else Kind.COMMITTEE for row in known], list(consensus))


def trust_level(kinds: Sequence[Kind], consensus: Sequence[str]) -> str:
    """The trust level of a lane whose ends have verifiers of these kinds and ledgers of this consensus."""
    if DEVELOPMENT in consensus:
        return DEVELOPMENT
    return str(min(kinds, key=list(Kind).index))


def read_client_again(connection: Connection, verifier: Row[Any]) -> None:
    """Have the keeper read the light client in or behind a verifier at its ledger's next look."""
    mine = (verifiers.c.chain == verifier.chain, verifiers.c.address == verifier.light_client)
    connection.execute(update(verifiers).where(*mine).values(read_at=0.0))
