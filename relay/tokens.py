"""Tokens of the public interface: who shows one, what it may do. Stored is the SHA-256 of the secret, never the secret.

A token reads `rht_ID_SECRET`: ID names the row (12 hexadecimal digits), SECRET is 32 random bytes (base64url, 43 characters).
A secret of 256 random bits needs no slow hash: nobody finds it by guessing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from relay.errors import BadInput, NotFound, NotNow
from relay.keys import key_name
from relay.store import Store
from relay.store.tables import api_tokens
from schemas.primitives import SchemaError, name_text

PREFIX = "rht"
SECRET_BYTES = 32
_FORM = re.compile(r"rht_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME_AND_ORGANISATION = "token name", "organisation"


class Role(StrEnum):
    """What a caller is to the hub.

    All may read. An application sends messages from its key and has webhooks. An operator reads what concerns the committees.
    An officer registers ledgers, opens and closes lanes and acts with officers' keys. An auditor reads, incidents and keys' names
    included, and changes nothing.
    """

    APPLICATION = "application"
    OPERATOR = "operator"
    OFFICER = "officer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was just made.

    Attributes:
        id: names the row; no secret.
        text: the whole token, to be shown once.
    """

    id: str
    text: str


def digest_of(secret: str) -> bytes:
    """SHA-256 of a secret's characters, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def split(text: str) -> tuple[str, str] | None:
    """Id and secret of a token's text; None where it has not the form of one."""
    match = _FORM.fullmatch(text)
    return (match.group(1), match.group(2)) if match else None


def create(
    store: Store, role: Role, name: str, *, now: float, organisation: str = "", key: str = "", expires_at: float = 0.0
) -> Token:
    """Make a token.

    Args:
        store: the hub's database.
        role: what its holder may do.
        name: who holds it.
        now: Unix seconds.
        organisation: whose it is.
        key: for an application: the only local key from which it may send.
        expires_at: Unix seconds; 0 = never.

    Raises:
        BadInput: a name cannot be used, or only an application's token may name a key.
    """
    try:
        for value, what in zip((name, organisation or name), _NAME_AND_ORGANISATION, strict=True):
            name_text(value, what)
    except SchemaError as error:
        raise BadInput(f"{error}.", "Choose another name.") from None
    if key and role is not Role.APPLICATION:
        raise BadInput(
            f"A token of an {role} is bound to no key.", "Leave --key out, or make a token of an application."
        )
    if key:
        key_name(key)
    secret = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=").decode()
    identifier = secrets.token_hex(6)
    with store.write() as connection:
        connection.execute(
            insert(api_tokens).values(
                id=identifier,
                digest=digest_of(secret),
                role=str(role),
                name=name,
                organisation=organisation,
                key=key,
                created_at=now,
                expires_at=expires_at,
                revoked_at=0.0,
            )
        )
    return Token(identifier, f"{PREFIX}_{identifier}_{secret}")


def find(connection: Connection, text: str, now: float) -> Row[Any] | None:
    """The row of a token that is valid now; None whatever is wrong with it. The secret is compared in constant time."""
    parts = split(text)
    if parts is None:
        return None
    row = connection.execute(select(api_tokens).where(api_tokens.c.id == parts[0])).one_or_none()
    if row is None or not hmac.compare_digest(digest_of(parts[1]), bytes(row.digest)):
        return None
    return row if state_of(row, now) == "valid" else None


def state_of(row: Row[Any], now: float) -> str:
    """`valid`, `expired` or `revoked`."""
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at and row.expires_at <= now else "valid"


def any_token(connection: Connection) -> bool:
    """Whether a token was ever made here: from then on nobody is served without one, also when all are revoked."""
    return connection.execute(select(api_tokens.c.id).limit(1)).first() is not None


def valid_token(store: Store, now: float) -> bool:
    """Whether somebody could show a valid token now."""
    with store.read() as connection:
        return any(state_of(row, now) == "valid" for row in connection.execute(select(api_tokens)))


def listed(store: Store, now: float) -> list[dict[str, Any]]:
    """Every token without its secret, oldest first."""
    with store.read() as connection:
        rows = connection.execute(select(api_tokens).order_by(api_tokens.c.created_at, api_tokens.c.id)).all()
    names = ("id", "role", "name", "organisation", "key", "created_at", "expires_at", "revoked_at")
    return [{name: getattr(row, name) for name in names} | {"state": state_of(row, now)} for row in rows]


def revoke(store: Store, identifier: str, now: float) -> None:
    """Let a token be worth nothing from now on.

    Raises:
        NotFound: there is none of that id.
        NotNow: it was revoked already.
    """
    with store.write() as connection:
        row = connection.execute(select(api_tokens).where(api_tokens.c.id == identifier)).one_or_none()
        if row is None:
            raise NotFound(f"There is no token {identifier!r}.", "See: relayhub token list.")
        if row.revoked_at:
            raise NotNow(f"The token {identifier} was revoked already.", "See: relayhub token list.")
        connection.execute(update(api_tokens).where(api_tokens.c.id == identifier).values(revoked_at=now))
