"""registry.toml beside hub.toml: what is registered, so that a database that is gone can be made anew from the ledgers.

It is written again after every command that changes the registry and, by the watch, when officers or another process changed it.
It names endpoints, which may hold credentials: mode 600. Of a ledger's light client the state of at most an hour ago stands in it,
because trust cannot be taken from a pin that is older than the trusting period.
"""

from __future__ import annotations

import json
import os
import time
import tomllib
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, Table, select

from relay.errors import BadInput, NotFound
from relay.home import Home
from relay.store import Store
from relay.store.tables import api_tokens, chains, committees, lanes, operators, verifiers

FILE = "registry.toml"
TRUST_KEPT_S = 3600.0
TRUST = ("client_state", "client_header", "client_height", "client_hash", "client_time", "client_expires_at")
"""Columns that say what a light client trusts."""
MOVING = {
    chains.name: (
        *TRUST,
        *("client_trail", "observed_height", "tip", "tip_at"),
        *("balance", "fee", "wallet_at", "accused_at", "certificates"),
    ),
    verifiers.name: (
        *("client_height", "client_hash", "client_time", "validators_hash", "validators_since"),
        *("expires_at", "trusting_period_s", "frozen", "generation", "read_at"),
    ),
    operators.name: ("seen_at", "signed_at"),
}
"""Columns that change by themselves."""
LANE = (
    *("lane_id", "hub", "suite", "source", "destination", "channel", "source_verifier", "destination_verifier"),
    *("trust", "batch_limit", "state", "opened_at"),
)
"""Columns of a lane that are not counted from its ledgers."""
KEPT = (operators, chains, verifiers, committees, lanes, api_tokens)
Registry = dict[str, list[dict[str, Any]]]


def registry_file(home: Home) -> Path:
    """Where it lies."""
    return home.folder / FILE


def keep_registry(home: Home, store: Store) -> bool:
    """Write the file if the registry is another than it says, or its trust is an hour old; return whether it was written.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    with store.read() as connection:
        found: Registry = {
            table.name: [dict(row) for row in connection.execute(select(*_columns(table))).mappings()] for table in KEPT
        }
        trust = {
            row["name"]: dict(row)
            for row in connection.execute(select(chains.c.name, *(chains.c[name] for name in TRUST))).mappings()
        }
    if not any(found[table.name] for table in (chains, lanes)):
        return False
    fresh = {name: [_encoded(row) for row in rows] for name, rows in found.items()}
    if _is_kept(home, fresh):
        return False
    fresh[chains.name] = [row | _encoded(trust[row["name"]]) for row in fresh[chains.name]]
    _write(registry_file(home), {"trusted_at": round(time.time(), 3), "registry": fresh})
    return True


def _is_kept(home: Home, fresh: Registry) -> bool:
    """Whether the file says this registry already, with trust that is young; a damaged one is written anew."""
    try:
        known = _read(registry_file(home))
        said = {name: _without_trust(rows) for name, rows in known["registry"].items()}
        return said == fresh and 0 <= time.time() - float(known["trusted_at"]) < TRUST_KEPT_S
    except (BadInput, KeyError, TypeError, ValueError, AttributeError):
        return False


def read_registry(home: Home) -> Registry:
    """What the file says, as rows of the tables.

    Raises:
        NotFound: there is none.
        BadInput: it cannot be used.
    """
    path = registry_file(home)
    if not path.exists():
        raise NotFound(f"There is no {path}.", "Take it from a backup; without it nobody knows which ledgers to ask.")
    content = _read(path)
    try:
        tables = {table.name: table for table in KEPT}
        return {name: [_decoded(tables[name], row) for row in rows] for name, rows in content["registry"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path} cannot be used: {error!r}.", "Take another copy of it.") from None


def _columns(table: Table) -> list[Column[Any]]:
    moving = MOVING.get(table.name, ())
    return [table.c[name] for name in LANE] if table is lanes else [item for item in table.c if item.name not in moving]


def _encoded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, list | dict) else value


def _decoded(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(table.c[name], value) for name, value in row.items()}


def _value(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, LargeBinary):
        return bytes.fromhex(value.removeprefix("0x"))
    return json.loads(value) if isinstance(column.type, JSON) else value


def _without_trust(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in TRUST} for row in rows]


def _read(path: Path) -> dict[str, Any]:
    """The file's content; empty where there is none.

    Raises:
        BadInput: it is no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}.", "Take another copy of it.") from None


def _write(path: Path, content: dict[str, Any]) -> None:
    import tomli_w

    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(tomli_w.dumps(content).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
