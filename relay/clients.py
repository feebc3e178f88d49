"""What a light client and an adapter are told about a ledger's consensus beyond its headers.

The hub and each operator use this alike: options come from a file that an officer wrote, or from the ledger's genesis file;
what they do not say follows from what the node is, or is the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

from sqlalchemy import Row

from adapters.protocol import LedgerIdentity
from light_clients.bft.options import read_options, write_options
from light_clients.bft.reconfigure import reconfigure
from light_clients.bft.types import BftConfiguration, SelectionMode
from light_clients.clique import options as clique_options
from light_clients.families import client_named
from light_clients.ibft import IbftConfiguration
from light_clients.ibft2 import Ibft2Configuration
from light_clients.qbft import Dialect, QbftConfiguration
from relay.config import HubConfig

DEVELOPMENT, CLIQUE = "development", "clique"
PLAIN_FAMILIES = ("cometbft", "beacon", "chainmaker", "fisco", "fabric")
"""Families whose options need no node: the module `options` of the family reads and writes them."""
BFT_FAMILIES: Mapping[str, type[BftConfiguration]] = {
    "qbft": QbftConfiguration,
    "ibft2": Ibft2Configuration,
    "ibft": IbftConfiguration,
}
"""Families whose headers are sealed by ceil(2n/3) of their validators, in the order in which they are tried."""


def client_configuration(consensus: str, options: Mapping[str, Any], identity: LedgerIdentity) -> Any:
    """The configuration of a light client.

    Args:
        consensus: the light client's name.
        options: what was said.
        identity: what the node says it is.

    Raises:
        ConfigurationInvalid: an option is unknown or out of its range; the message names it.
    """
    if consensus == DEVELOPMENT:
        from light_clients.development import DevelopmentConfiguration

        return DevelopmentConfiguration(**options)
    if consensus == CLIQUE:
        counted = {"counts_idle_votes": "besu" in identity.software.lower()}
        return clique_options.read_options({**counted, **options})
    if consensus in PLAIN_FAMILIES:
        return _options_of(consensus).read_options({**_known(consensus, identity), **options})
    told = {"sub_second_blocks": identity.development, **options}
    if consensus == "qbft":
        software = identity.software.lower()
        goquorum = "quorum" in software and "besu" not in software
        told = {"dialect": str(Dialect.GOQUORUM if goquorum else Dialect.BESU), **told}
    return read_options(BFT_FAMILIES[consensus], told)


def adapter_extra(configuration: Any) -> dict[str, str]:
    """What the adapter is told, so that headers come with what the light client asks for.

    Args:
        configuration: of the light client.

    Returns:
        Options of the adapter: the contracts that select validators, with the heights whose headers prove the child's set.
    """
    if not isinstance(configuration, BftConfiguration):
        return {}
    selections = configuration.selections
    spans = []
    for selection, following in pairwise((*selections, None)):
        if selection is not None and selection.mode is SelectionMode.CONTRACT:
            span = f"0x{selection.contract.hex()}:{selection.slot}:{max(selection.height - 1, 0)}"
            spans.append(span if following is None else f"{span}:{following.height - 2}")
    return {"validator_contracts": ",".join(spans)} if spans else {}


def with_announced(consensus: str, state: Any, options: Mapping[str, Any]) -> Any:
    """A state that was kept, with the changes of validators that its network announced since.

    Args:
        consensus: the light client's name.
        state: its state.
        options: of the light client, as they are written now; none say nothing new.

    Raises:
        ConfigurationInvalid: an option is wrong, or changes what is decided.
    """
    if not options or consensus not in BFT_FAMILIES:
        return state
    return reconfigure(state, read_options(BFT_FAMILIES[consensus], options))


def extra_of_options(consensus: str, options: Mapping[str, Any]) -> dict[str, str]:
    """What the adapter is told about a ledger that is not followed yet.

    Args:
        consensus: the light client's name, or `auto`.
        options: of the light client.

    Raises:
        ConfigurationInvalid: an option is unknown or out of its range; the message names it.
    """
    if not options or consensus not in BFT_FAMILIES:
        return {}
    return adapter_extra(read_options(BFT_FAMILIES[consensus], options))


def extra_of_state(consensus: str, client_state: bytes) -> dict[str, str]:
    """What the adapter is told about a ledger that is followed already.

    Args:
        consensus: the light client's name.
        client_state: its state as bytes.
    """
    # Asked at each look; a state without the mode's name has no contract, and need not be read.
    if consensus not in BFT_FAMILIES or SelectionMode.CONTRACT.encode() not in client_state:
        return {}
    return adapter_extra(client_named(consensus).state_from_bytes(client_state).configuration)


def adapter_options(row: Row[Any], config: HubConfig | None = None) -> dict[str, str]:
    """What the adapter of a registered ledger is told: at registration, in hub.toml, and by the state of its light client.

    Args:
        row: the ledger's.
        config: the hub's configuration, where there is one at hand.
    """
    spoken = config.ledger_options.get(row.name, {}) if config is not None else {}
    said = {name: str(value) for name, value in spoken.items()}
    return {**(row.adapter_options or {}), **said, **extra_of_state(row.consensus, bytes(row.client_state))}


def options_of_state(consensus: str, client_state: bytes) -> dict[str, Any]:
    """The options of a light client that is running, for those who follow the same ledger by themselves.

    Args:
        consensus: the light client's name.
        client_state: its state as bytes.
    """
    if consensus == CLIQUE:
        return clique_options.write_options(client_named(consensus).state_from_bytes(client_state).configuration)
    if consensus in PLAIN_FAMILIES:
        return dict(
            _options_of(consensus).write_options(client_named(consensus).state_from_bytes(client_state).configuration)
        )
    if consensus not in BFT_FAMILIES:
        return {}
    return write_options(client_named(consensus).state_from_bytes(client_state).configuration)


def _options_of(consensus: str) -> ModuleType:
    return import_module(f"light_clients.{consensus}.options")


def _known(consensus: str, identity: LedgerIdentity) -> dict[str, Any]:
    """What follows from who the ledger is: a Fabric ledger's name is its channel's, unless that is hashed."""
    _, _, reference = identity.chain_id.partition(":")
    return {"channel": reference} if consensus == "fabric" and not reference.startswith("hashed-") else {}
