"""The file that says what no header says: options of the light client in TOML, or the ledger's genesis file in JSON."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from light_clients.bft.options import write_options
from light_clients.clique.options import options_of_genesis
from light_clients.errors import ConfigurationInvalid
from light_clients.genesis import read_genesis
from relay.clients import CLIQUE
from relay.errors import BadInput

MAXIMUM_FILE_SIZE = 64 * 1024 * 1024
"""Bytes; a genesis file may carry the state of a ledger that was forked."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What a file says.

    Attributes:
        consensus: the light client's name, or empty where the file does not say.
        options: of the light client, by name.
    """

    consensus: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def read_client_options(path: str) -> ClientOptions:
    """Read a file; an empty path says nothing.

    A genesis file begins with a brace. Options in TOML are those of the light client, with `consensus` beside them.

    Raises:
        BadInput: the file is missing, unreadable, or says what no light client can follow.
    """
    if not path:
        return ClientOptions()
    try:
        file = Path(path)
        if file.stat().st_size > MAXIMUM_FILE_SIZE:
            raise BadInput(f"{path} is larger than any genesis file.", "Give the options of the light client in TOML.")
        text = file.read_text(encoding="utf-8")
        return _of_genesis(text) if text.lstrip().startswith("{") else _of_toml(text)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.", "Give a file in TOML, or the genesis file.") from None
    except ValueError as error:
        raise BadInput(f"{path} is neither TOML nor a genesis file: {error}.", "Correct the file.") from None
    except ConfigurationInvalid as error:
        raise BadInput(f"{path}: {error.message}", "Correct the file.") from None


def _of_genesis(text: str) -> ClientOptions:
    genesis = orjson.loads(text)  # it bounds the depth by itself, whatever the limit of recursion is
    section = genesis.get("config", {}).get(CLIQUE) if isinstance(genesis.get("config"), dict) else None
    if isinstance(section, dict):
        return ClientOptions(CLIQUE, options_of_genesis(section))
    found = read_genesis(genesis)
    return ClientOptions(found.family, write_options(found.configuration))


def _of_toml(text: str) -> ClientOptions:
    options = tomllib.loads(text)
    consensus = options.pop("consensus", "")
    if not isinstance(consensus, str):
        raise ConfigurationInvalid("The option consensus is a name.")
    return ClientOptions(consensus, options)
