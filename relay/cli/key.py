"""`relayhub key`: private keys of this hub, each in a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of
from relay.views.tables import table

app = typer.Typer(help="Private keys: made here, never shown.", no_args_is_help=True, rich_markup_mode=None)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="A name for the key, in any script.")],
    sm2: Annotated[bool, typer.Option("--sm2", help="An operator's SM2 key instead of a secp256k1 key.")] = False,
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a key; prints its address, and of an SM2 key the public key."""
    from relay.keys import SECP256K1, SM2, KeyStore

    store = KeyStore(home_of(home).keys)
    key = store.new(name, kind=SM2 if sm2 else SECP256K1)
    data = {"name": name, "address": "0x" + key.address.hex(), "file": str(store.path(name))}
    if sm2:
        data["public_key"] = "0x" + key.public_key.hex()
    emit(
        data,
        f"{name}  {data.get('public_key', data['address'])}\n(kept in {data['file']}, mode 600; make a backup)",
        as_json=as_json,
    )


@app.command("list")
def show(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """List names and addresses."""
    from relay.keys import KeyStore
    from relay.views.keys import key_names

    keys = key_names(KeyStore(home_of(home).keys))
    text = table(["KEY", "ADDRESS"], [[key["name"], key["address"] or key["trouble"]] for key in keys])
    emit(keys, text if keys else "No keys yet. Make one: relayhub key new NAME.", as_json=as_json)
