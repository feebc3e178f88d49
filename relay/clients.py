"""Which light client judges which ledger, by the name of its consensus."""

from __future__ import annotations

from typing import Any

from relay.errors import BadInput

CONSENSUS_NAMES = ("qbft", "development")


def client_named(consensus: str) -> Any:
    """Return the light client of a consensus (the face is `light_clients.protocol.LightClient`).

    Raises:
        BadInput: there is none of that name.
    """
    if consensus == "qbft":
        from light_clients import qbft

        return qbft
    if consensus == "development":
        from light_clients import development

        return development
    raise BadInput(f"There is no light client for {consensus!r}.", f"Choose one of {', '.join(CONSENSUS_NAMES)}.")
