"""Who asks, and what they may do.

A caller shows a token as `Authorization: Bearer rht_…`; a browser may show it in the cookie `relayhub_token`, for reading only, so
that no other site can let it change anything. Who can read the hub's folder is its owner and shows `run/owner.token`, which the
HTTP process makes anew at each start.

While no token was ever made, and the hub listens on loopback, everyone who reaches it may read. Changes always need a token.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from relay import tokens
from relay.home import Home
from relay.store import Store
from relay.tokens import Role
from relay.web.limits import Buckets
from relay.web.problems import Problem

__all__ = ["Access", "Caller", "Role", "caller", "require"]

EVERY_ROLE = frozenset(Role)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE = "relayhub_token"
OWNER_PREFIX = "rho_"
HOW = "Show a token: Authorization: Bearer rht_… (the hub's owner makes one: relayhub token create)."


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask.

    Attributes:
        id: a token's id, `owner`, or `anyone`.
        name: whose token it is.
        organisation: of whom; may be empty.
        roles: what it is to the hub.
        may_change: whether it may do more than read.
        key: the only local key from which an application may send; empty = its role sends from none, or from any (owner, officer).
    """

    id: str
    name: str
    organisation: str
    roles: frozenset[Role]
    may_change: bool
    key: str = ""


ANYONE = Caller("anyone", "anyone", "", EVERY_ROLE, may_change=False)
OWNER = Caller("owner", "owner", "", EVERY_ROLE, may_change=True)


class Access:
    """Judges callers.

    Args:
        store: the hub's database, which has the tokens.
        clock: Unix seconds.
        open_reading: whether everyone may read while there are no tokens; false where the hub listens beyond loopback.
        per_token: how many requests a token has.
    """

    def __init__(
        self, store: Store, clock: Callable[[], float], *, open_reading: bool, per_token: Buckets | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._open_reading = open_reading
        self._per_token = per_token
        self._owner = b""

    def let_owner_in(self, home: Home) -> None:
        """Make the owner's token of this start: a file of mode 600 in the hub's folder."""
        text = OWNER_PREFIX + secrets.token_urlsafe(32)
        path = owner_token_file(home)
        temporary = path.with_name(f"{path.name}.new")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(text + "\n")
        temporary.replace(path)
        self._owner = tokens.digest_of(text)

    def judge(self, shown: str | None, *, by_cookie: bool = False) -> Caller | None:
        """Say who shows this token; None is nobody.

        Raises:
            Problem: 401 where a token is shown that is not valid; 429 where it asks too often.
        """
        if shown is None:
            return self._nobody()
        if self._owner and not by_cookie and hmac.compare_digest(tokens.digest_of(shown), self._owner):
            return OWNER
        with self._store.read() as connection:
            row = tokens.find(connection, shown, self._clock())
        if row is None:
            raise unauthorized("TokenInvalid", f"The token is unknown, expired or revoked. {HOW}")
        if self._per_token is not None:
            self._per_token.take(row.id)
        roles = frozenset({Role(row.role)})
        return Caller(row.id, row.name, row.organisation, roles, may_change=not by_cookie, key=row.key)

    def _nobody(self) -> Caller | None:
        if not self._open_reading:
            return None
        with self._store.read() as connection:
            return None if tokens.any_token(connection) else ANYONE


def owner_token_file(home: Home) -> Path:
    """Where the owner's token lies."""
    return home.run / "owner.token"


def unauthorized(name: str, text: str) -> Problem:
    """401, with the header that RFC 9110 section 11.6.1 asks for."""
    return Problem(401, name, text, {"www-authenticate": 'Bearer realm="relayhub"'})


def caller(request: Request) -> Caller | None:
    """Who makes a request; None where nobody is known and the hub serves nobody unknown. Looks into the database.

    Raises:
        Problem: 401 where a token is shown that is not valid; 429 where it asks too often.
    """
    access: Access = request.app.state.access
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, shown = header.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized("TokenInvalid", f"The header Authorization has no Bearer token. {HOW}")
        return access.judge(shown.strip())
    return access.judge(request.cookies.get(COOKIE), by_cookie=True)


def require(*roles: Role) -> Callable[[Request], Caller]:
    """Make a dependency that lets callers of these roles pass, or any known caller where none is named.

    Whatever is no GET needs a caller who may change something.

    Raises (from the dependency):
        Problem: 401 where nobody is known, 403 where the role is another one.
    """

    def dependency(request: Request) -> Caller:
        who = caller(request)
        if who is None:
            raise unauthorized("TokenMissing", f"This hub answers nobody without a token. {HOW}")
        if request.method not in SAFE and not who.may_change:
            raise unauthorized("TokenMissing", f"Changing something needs a token. {HOW}")
        if roles and not who.roles & set(roles):
            raise Problem(403, "RoleMissing", f"This needs the role {' or '.join(roles)}; ask the hub's owner for one.")
        request.state.caller = who
        return who

    return dependency
