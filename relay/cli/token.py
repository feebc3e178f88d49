"""`relayhub token`: who may ask the hub's public interface."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit
from relay.views.tables import table

app = typer.Typer(
    help="Tokens of the public interface: create, list, revoke.", no_args_is_help=True, rich_markup_mode=None
)
DAY_S = 86_400


@app.command("create")
def create(
    role: Annotated[str, typer.Argument(help="application, operator, officer or auditor.")],
    name: Annotated[str, typer.Argument(help="Who gets it, in any script.")],
    organisation: Annotated[str, typer.Option("--organisation", help="Whose it is.")] = "",
    days: Annotated[float, typer.Option("--days", min=0, max=36_500, help="Days until it ends; 0 = never.")] = 365,
    key: Annotated[
        str, typer.Option("--key", help="The only local key from which an application sends; without it, from none.")
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a token; it is printed once and can never be shown again."""
    from relay.cli.session import session
    from relay.errors import BadInput
    from relay.tokens import Role
    from relay.tokens import create as make

    if role not in list(Role):
        raise BadInput(f"{role!r} is no role.", f"Give one of {', '.join(Role)}.")
    now = time.time()
    expires_at = now + days * DAY_S if days else 0.0
    with session(home) as hub:
        if key:
            hub.keys.load(key)
        token = make(hub.store, Role(role), name, now=now, organisation=organisation, key=key, expires_at=expires_at)
    data: dict[str, str | float] = {
        "id": token.id,
        "role": role,
        "name": name,
        "organisation": organisation,
        "key": key,
    }
    data |= {"token": token.text, "expires_at": expires_at}
    text = f"{token.text}\n(the {role} {name}; shown this once. Keep it in a file of mode 600: relayhub --hub URL --token-file FILE)"
    emit(data, text, as_json=as_json)


@app.command("list")
def show_all(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """List tokens, never their secrets."""
    from relay.cli.session import session
    from relay.tokens import listed

    with session(home) as hub:
        found = listed(hub.store, time.time())
    rows = [
        (
            row["id"],
            row["role"],
            row["name"],
            row["organisation"] or "-",
            row["key"] or "-",
            _day(row["expires_at"]),
            row["state"],
        )
        for row in found
    ]
    text = table(("TOKEN", "ROLE", "NAME", "ORGANISATION", "KEY", "ENDS", "STATE"), rows)
    emit(found, text if found else "No tokens yet. Make one: relayhub token create ROLE NAME.", as_json=as_json)


@app.command("revoke")
def revoke(
    identifier: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's id, as `token list` shows it.")],
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let a token be worth nothing at once."""
    from relay.cli.session import session
    from relay.tokens import revoke as end

    with session(home) as hub:
        end(hub.store, identifier, time.time())
    emit({"id": identifier, "state": "revoked"}, f"The token {identifier} is worth nothing any more.", as_json=as_json)


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at)) if at else "never"
