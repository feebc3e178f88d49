"""Changes that a network's configuration announces for later blocks (Besu `transitions`), taken up by a running client.

1. What is said about blocks up to the next one stays as it was: their validators are decided.
2. The rest may change; epoch, dialect and periods do not.
"""

from __future__ import annotations

from dataclasses import replace

from light_clients.bft.types import BftConfiguration, BftState, ValidatorOverride, ValidatorSelection
from light_clients.errors import ConfigurationInvalid

_Schedule = tuple[tuple[ValidatorOverride, ...], tuple[ValidatorSelection, ...]]


def reconfigure(state: BftState, announced: BftConfiguration) -> BftState:
    """The state with the overrides and selections of another configuration.

    Args:
        state: Any state.
        announced: Whose overrides and selections are to hold from now on; nothing else of it is read.

    Returns:
        The state.

    Raises:
        ConfigurationInvalid: It changes what is decided, or contradicts the dialect.
    """
    decided = state.height + 1
    if _until(state.configuration, decided) != _until(announced, decided):
        raise ConfigurationInvalid(
            "The validators of blocks up to the next one are decided; pin the ledger anew where they were told wrong.",
            found=decided,
        )
    configuration = replace(state.configuration, overrides=announced.overrides, selections=announced.selections)
    return replace(state, configuration=configuration)


def _until(configuration: BftConfiguration, height: int) -> _Schedule:
    overrides = tuple(item for item in configuration.overrides if item.height <= height)
    return overrides, tuple(item for item in configuration.selections if item.height <= height)
