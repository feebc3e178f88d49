"""An operator's configuration file, `operator.toml`.

    name = "org-1"
    organisation = "org-1"
    hub_url = "http://127.0.0.1:8080"
    key_file = "key.json"
    sm2_key_file = "key-sm2.json"      # where a ledger's committee checks SM2
    database = "operator.db"

    [[chains]]
    name = "alpha"
    chain_id = "eip155:31337"
    first_block = "0x…"
    adapter = "evm"
    endpoints = ["http://127.0.0.1:8545"]
    consensus = "qbft"
    gateway = "0x…"
    gateway_code_hash = "0x…"
    pinned_height = 12
    pinned_hash = "0x…"
    gateway_pin = { version = "1.0" }   # what the code hash stands for, where it is no hash of code
    adapter_options = { certificates = "…" }

Paths are relative to the file. The file is read again when it changes.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.protocol import AdapterOptions, Endpoint
from light_clients.errors import ConfigurationInvalid
from relay.clients import extra_of_options
from relay.errors import BadInput, NotFound
from relay.observer import Believer
from schemas.primitives import Account, BlockHash, Bytes32, ChainId, ChainWord, SchemaError, name_text


class ChainConfig(BaseModel):
    """A ledger that the operator follows, with everything that it takes on trust.

    Attributes:
        name: the operator's name for it.
        chain_id: CAIP-2 name.
        first_block: hash of its first block.
        adapter: name of the adapter.
        endpoints: URLs or IPC paths of the operator's own nodes, the preferred first.
        consensus: name of the light client.
        gateway: native bytes of the gateway.
        gateway_code_hash: hash of its code.
        pinned_height: height of the header from which the light client starts.
        pinned_hash: its hash.
        gateway_height: block from which the gateway's events are read; the pinned one if it is not given.
        client: options of the light client, by name; what is not given follows from what the operator's node is.
        gateway_pin: what the code hash stands for, where it is no hash of code (`light_clients.pins`).
        adapter_options: options of the adapter, by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    chain_id: str
    first_block: BlockHash
    adapter: str = "evm"
    endpoints: tuple[str, ...] = Field(min_length=1)
    consensus: str
    gateway: Account
    gateway_code_hash: Bytes32
    pinned_height: int = Field(ge=0, lt=1 << 63)
    pinned_hash: BlockHash
    gateway_height: int = Field(default=-1, ge=-1, lt=1 << 63)
    client: dict[str, Any] = {}
    gateway_pin: dict[str, Any] = {}
    adapter_options: dict[str, str] = {}

    @property
    def first_height(self) -> int:
        """Block from which the gateway's events are read."""
        return self.pinned_height if self.gateway_height < 0 else self.gateway_height

    @property
    def word(self) -> ChainWord:
        """The ledger's chain word."""
        return ChainId(self.chain_id).word(self.first_block)

    @property
    def believer(self) -> Believer:
        """Who judges the ledger.

        Raises:
            ConfigurationInvalid: what is pinned of the gateway cannot be.
        """
        return Believer.of(self.consensus, self.gateway, self.gateway_code_hash, self.gateway_pin)

    @property
    def options(self) -> AdapterOptions:
        """What the adapter needs to open the ledger."""
        return AdapterOptions(
            endpoints=tuple(Endpoint(url) for url in self.endpoints),
            expected_chain=self.chain_id,
            expected_first_block=self.first_block,
            extra={**self.adapter_options, **extra_of_options(self.consensus, self.client)},
        )

    @property
    def identity(self) -> bytes:
        """Names what is remembered of this ledger; another gateway, consensus or pin is another memory."""
        parts = (self.word, self.gateway, self.gateway_code_hash, self.consensus.encode(), self.pinned_hash)
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


class OperatorConfig(BaseModel):
    """The whole file.

    Attributes:
        name: the operator's name.
        organisation: whose operator it is.
        hub_url: where the hub's interface is.
        key_file: the signing key, mode 600.
        sm2_key_file: the SM2 key, mode 600, for ledgers whose committees check SM2.
        database: the operator's own SQLite file.
        development: whether ledgers without verifiable consensus may be followed at all.
        chains: the ledgers that it follows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    organisation: str
    hub_url: str = Field(pattern=r"^https?://[^\s/]+")
    key_file: Path
    sm2_key_file: Path | None = None
    database: Path
    development: bool = False
    chains: tuple[ChainConfig, ...] = ()


def load_config(file: Path) -> OperatorConfig:
    """Read and check the file.

    Raises:
        NotFound: there is no such file.
        BadInput: it cannot be read or used; the error names the setting.
    """
    try:
        settings = tomllib.loads(file.read_bytes().decode())
    except FileNotFoundError:
        raise NotFound(f"There is no operator configuration {file}.", "Give its path with --config.") from None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", "Check its permissions.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no TOML: {error}.", "Correct the file.") from None
    try:
        config = OperatorConfig.model_validate(settings)
        name_text(config.name, "name")
        name_text(config.organisation, "organisation")
        for chain in config.chains:
            name_text(chain.name, "chain name")
            ChainId(chain.chain_id)
            _ = chain.believer
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{file}: {setting}: {first['msg']}.", "Correct the setting.") from None
    except SchemaError as error:
        raise BadInput(f"{file}: {error}.", "Correct the setting.") from None
    except ConfigurationInvalid as error:
        raise BadInput(f"{file}: {error.message}", "Correct the setting.") from None
    unsealed = [chain.name for chain in config.chains if chain.consensus == "development"]
    if unsealed and not config.development:
        raise BadInput(
            f"{file}: {', '.join(unsealed)}: nobody seals such a ledger, so nothing about it can be verified.",
            "Leave it out; on a development network write development = true.",
        )
    words = [chain.word for chain in config.chains]
    if len(set(words)) != len(words):
        raise BadInput(f"{file}: one ledger stands twice under chains.", "Keep one of the two entries.")
    paths = {"key_file": config.key_file, "sm2_key_file": config.sm2_key_file, "database": config.database}
    return config.model_copy(update={name: file.parent / path for name, path in paths.items() if path is not None})
