"""What the commands of the command line do about ledgers, for callers of the interface; each returns what `--json` prints."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import tomli_w

from relay.cli.session import Session
from relay.errors import BadInput
from relay.web.api.acts import proposals_of
from relay.web.api.bodies import ChainBody


def add_chain(hub: Session, body: ChainBody) -> dict[str, Any]:
    """Register a ledger."""
    from relay.registry.chains import endpoints_of
    from relay.registry.operators import account_named
    from relay.registry.registration import ChainRequest, Registration

    with tempfile.TemporaryDirectory(prefix="relayhub-") as folder:
        options = _options_file(folder, body.client_options)
        wanted = ChainRequest(
            name=body.name,
            endpoints=endpoints_of(body.endpoints),
            adapter=body.adapter,
            chain_id=body.chain_id,
            consensus=body.consensus,
            client_options=options,
            pin=body.pin,
            gateway=account_named(body.gateway) if body.gateway else b"",
            verifier=account_named(body.verifier) if body.verifier else b"",
            key=body.key,
            officers=tuple(account_named(item) for item in body.officers),
            guardian=account_named(body.guardian) if body.guardian else b"",
            options=dict(body.options),
        )
        row = Registration(hub.home, hub.config, hub.store, lambda _: None).add(wanted)
    names = (
        "name",
        "chain_id",
        "consensus",
        "gateway",
        "verifier",
        "mailbox",
        "account",
        "pinned_height",
        "pinned_hash",
    )
    return {name: getattr(row, name) for name in names}


def announce(hub: Session, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Take up changes of validators that were announced for later blocks."""
    from relay.clients import options_of_state
    from relay.registry.announcements import announce as take_up

    with tempfile.TemporaryDirectory(prefix="relayhub-") as folder:
        row = take_up(hub.home, hub.config, hub.store, name, _options_file(folder, options))
    return {"name": name, "client": options_of_state(row.consensus, bytes(row.client_state))}


def recover(hub: Session, name: str, pin: str) -> dict[str, Any]:
    """Start the light client of a frozen ledger again."""
    from relay.registry.consensus import parse_pin
    from relay.registry.recovery import pin_anew, recovery_of

    wanted = parse_pin(pin)
    if wanted is not None:
        pin_anew(hub.home, hub.config, hub.store, name, wanted)
    return recovery_of(hub.store, name).as_data()


def retire_chain(hub: Session, name: str) -> dict[str, Any]:
    """Stop following a ledger."""
    from relay.registry.chains import retire_chain as retire

    retire(hub.home, hub.config, hub.store, name)
    return {"name": name, "state": "retired"}


def pause_chain(hub: Session, name: str, key: str) -> dict[str, Any]:
    """Pause a ledger's gateway at once."""
    from adapters.solidity.administration import pause
    from relay.registry.chains import chain_named
    from relay.registry.officers import at_once

    at_once(chain_named(hub.store, name), "gateway", hub.narrowing_officer(key), pause())
    return {"paused": f"the gateway of {name}"}


def resume_chain(hub: Session, name: str, key: str) -> dict[str, Any]:
    """Let a ledger's gateway work again."""
    from adapters.solidity.administration import unpause
    from relay.registry.chains import chain_named
    from relay.registry.officers import carry_out

    row = chain_named(hub.store, name)
    text = f"resume {name}"
    proposed = carry_out(
        hub.config, hub.store, hub.keys, row, "gateway", [unpause()], officer=hub.officer(key), text=text
    )
    return proposals_of(proposed)


def _options_file(folder: str, options: dict[str, Any] | None) -> str:
    """Write a light client's options as the file that commands read: a genesis file as JSON, anything else as TOML; empty without.

    Raises:
        BadInput: they are neither.
    """
    if options is None:
        return ""
    path = Path(folder) / "client-options"
    try:
        path.write_text(json.dumps(options) if "config" in options else tomli_w.dumps(options), encoding="utf-8")
    except (TypeError, ValueError):
        raise BadInput("These client options are no genesis file and no TOML.", "Leave out what is null.") from None
    return str(path)
