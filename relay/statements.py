"""Statements of operators as they come in: judged one by one, the newest of each operator and ledger kept.

Source: docs/encodings.md, section Operators. What an operator says is its word and no fact of the hub: nothing here changes a claim, a
lane or a committee. The rules, in order:

1. the signer is an operator that was not struck out, and the hub knows the ledger;
2. the code is one of the list below;
3. the operator's clock is within five minutes of the hub's, and the statement later than the newest that is kept: so neither an
   old one nor the same one twice is taken;
4. the last one was kept at least a second ago;
5. a claim that is refused as false was proposed by the hub, field by field, and the operator's side differs from it;
6. the signature is the signer's, by its secp256k1 key, over the statement.

Whoever posts is nobody: what fails is answered by name and kept nowhere. A refusal of a claim as false is an incident with both
sides, at most one an hour for each operator, lane and direction, and a leaf of the evidence log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select

from light_clients.errors import SignatureRefused
from relay.attestations import CLAIM_FIELDS, Result, Verdict
from relay.evidence.decisions import note_incident
from relay.signers import SECP256K1, signed_by
from relay.store import Store
from relay.store.tables import chains, claims, incidents, operator_statements, operators
from relay.store.upsert import upsert
from relay.views.statements import SHORT, WELL, clause, is_fresh
from schemas.primitives import SchemaError, hex0x
from schemas.statement import Contradiction, Statement, statement_digest

DISPUTES = "operator_disputes_claim"
CODES = (WELL, *SHORT)
"""How an operator may stand; all but the first are explained in relay/reasons.toml."""
STATEMENTS_MAX = 64
"""Statements in one call: an operator follows fewer ledgers."""
CLOCKS_APART_MS = 300_000
KEPT_EVERY_S = 1.0
INCIDENT_EVERY_S = 3_600.0
NONCE_MAX = (1 << 63) - 1

_STATEMENT = TypeAdapter(Statement)
_CONTRADICTION = TypeAdapter(Contradiction)

log = structlog.get_logger("relay.statements")


class _Refusal(Exception):
    """A statement that is not taken."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def hear(store: Store, statements: Sequence[Statement], now: float) -> list[Verdict]:
    """Judge statements and keep the good ones.

    Args:
        store: the hub's database.
        statements: at most 64, as posted.
        now: Unix seconds.

    Returns:
        One verdict for each statement, in order.
    """
    verdicts = []
    for statement in statements:
        try:
            with store.read() as connection:
                operator, chain, _ = _judge(connection, statement, now)
            _check_signature(operator, statement)
            with store.write() as connection:
                _keep(connection, statement, operator, chain, now)
        except _Refusal as refusal:
            verdicts.append(Verdict(Result.REFUSED, refusal.name, str(refusal)))
        else:
            verdicts.append(Verdict(Result.ACCEPTED))
    return verdicts


def said_of(connection: Connection, names: Sequence[str], chain: str, now: float) -> str:
    """What operators who are waited for say of a ledger, as sentences behind a blank; empty where none says anything fresh.

    Args:
        connection: to the hub's database.
        names: the operators.
        chain: the hub's name of the ledger.
        now: Unix seconds.
    """
    said = operator_statements
    rows = connection.execute(
        select(operators.c.name, said.c.code, said.c.heard_at)
        .join(said, said.c.signer == operators.c.signer)
        .where(operators.c.name.in_(names), said.c.chain == chain)
        .order_by(operators.c.name)
    )
    told = [
        f" {row.name} says that {clause(row.code, chain)}."
        for row in rows
        if row.code in SHORT and is_fresh(row.heard_at, now)
    ]
    return "".join(told)


def _judge(connection: Connection, said: Statement, now: float) -> tuple[Row[Any], str, Row[Any] | None]:
    """Rules 1 to 5, against what is kept now; returns the operator's row, the ledger's name and the earlier statement."""
    operator = connection.execute(select(operators).where(operators.c.signer == bytes(said.signer))).one_or_none()
    if operator is None:
        raise _Refusal("SignerUnknown", f"{hex0x(said.signer)} is no operator of this hub.")
    if operator.state != "active":
        raise _Refusal("SignerStruck", f"Operator {operator.name} was struck out; nothing is heard from it.")
    chain = connection.execute(
        select(chains.c.name).where(chains.c.chain_word == bytes(said.chain), chains.c.state != "retired")
    ).scalar()
    if chain is None:
        raise _Refusal("LedgerUnknown", f"The hub has no ledger {hex0x(said.chain)[:18]}….")
    if said.code not in CODES:
        raise _Refusal("CodeUnknown", "The hub has no such code; bring hub and operator to one version.")
    if abs(said.at - now * 1000) > CLOCKS_APART_MS:
        raise _Refusal("ClocksApart", "The statement's time is more than 5 minutes from the hub's; set both clocks.")
    key = (operator_statements.c.signer == bytes(said.signer), operator_statements.c.chain == chain)
    earlier = connection.execute(select(operator_statements).where(*key)).one_or_none()
    if earlier is not None and said.at <= earlier.said_at_ms:
        raise _Refusal("StatementOld", "A statement of this time or a later one was heard already.")
    if earlier is not None and 0 <= now - earlier.heard_at < KEPT_EVERY_S:
        raise _Refusal("TooSoon", "One statement a second is kept of each ledger; say it again later.")
    _check_contradiction(connection, said)
    return operator, chain, earlier


def _check_contradiction(connection: Connection, said: Statement) -> None:
    """Rule 5. Only claims that the hub itself proposed can be disputed, so that nobody makes incidents out of nothing."""
    if (said.contradiction is not None) != (said.code == DISPUTES):
        raise _Refusal("StatementMalformed", f"A contradiction belongs to {DISPUTES}, and to nothing else.")
    if said.contradiction is None:
        return
    claim = said.contradiction.claim
    if not said.contradiction.differs() or said.contradiction.own_nonce > claim.nonce:
        raise _Refusal("NoContradiction", "The operator's side says the same as the claim.")
    if max(claim.nonce, claim.height) > NONCE_MAX:  # was never proposed, and fits no column
        raise _Refusal("UnknownClaim", "The hub proposed no such claim; pull the claims again.")
    proposed = connection.execute(
        select(claims).where(
            claims.c.lane_id == bytes(claim.lane_id),
            claims.c.direction == int(claim.direction),
            claims.c.nonce == claim.nonce,
        )
    ).all()
    if not any(all(getattr(row, name) == getattr(claim, name) for name in CLAIM_FIELDS) for row in proposed):
        raise _Refusal("UnknownClaim", "The hub proposed no such claim; pull the claims again.")


def _check_signature(operator: Row[Any], said: Statement) -> None:
    """Rule 6."""
    try:
        fits = signed_by(operator, SECP256K1, statement_digest(said), said.signature)
    except SignatureRefused as error:
        raise _Refusal(error.name, error.message) from error
    except SchemaError as error:
        raise _Refusal("StatementMalformed", f"{error}.") from error
    if not fits:
        raise _Refusal("SignerMismatch", "The signature is not the signer's over this statement.")


def _keep(connection: Connection, said: Statement, operator: Row[Any], chain: str, now: float) -> None:
    """Judge again in the transaction that writes, because another one may have come meanwhile, and write."""
    _, _, earlier = _judge(connection, said, now)
    same = earlier is not None and earlier.code == said.code
    contradiction = None if said.contradiction is None else _CONTRADICTION.dump_python(said.contradiction, mode="json")
    values = {
        "code": said.code,
        "text": said.text,
        "height": said.height,
        "said_at_ms": said.at,
        "heard_at": now,
        "since": earlier.since if same and earlier is not None else now,
        "contradiction": contradiction,
        "signature": said.signature,
    }
    upsert(connection, operator_statements, {"signer": bytes(said.signer), "chain": chain}, values)
    if said.contradiction is not None:
        _accuse(connection, said, said.contradiction, operator=operator, chain=chain, now=now)


def _accuse(
    connection: Connection, said: Statement, contradiction: Contradiction, *, operator: Row[Any], chain: str, now: float
) -> None:
    """An operator holds a claim for false: one of the two sides is wrong, and people have to find out which."""
    claim = contradiction.claim
    subject = f"{hex0x(said.signer)} lane {hex0x(claim.lane_id)[:18]} direction {int(claim.direction)}"
    lately = select(incidents.c.id).where(
        incidents.c.name == DISPUTES, incidents.c.subject == subject, incidents.c.at > now - INCIDENT_EVERY_S
    )
    if connection.execute(lately.limit(1)).first() is not None:
        return
    text = (
        f"{operator.name} refuses a claim of {chain} as false: after {claim.nonce} entries at block {claim.height} "
        f"the hub has head {_short(claim.head)}, it has {contradiction.own_nonce} and {_short(contradiction.own_head)}."
    )
    evidence = orjson.dumps({"statement": _STATEMENT.dump_python(said, mode="json")})
    connection.execute(insert(incidents).values(at=now, name=DISPUTES, subject=subject, text=text, evidence=evidence))
    note_incident(connection, DISPUTES, subject, text, evidence)
    log.critical("claim_disputed", operator=operator.name, chain=chain, subject=subject, text=text)


def _short(word: bytes) -> str:
    return hex0x(word)[:10]
