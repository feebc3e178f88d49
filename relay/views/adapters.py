"""Installed adapters as `relayhub adapter list` and the public interface show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relay.certify.certificate import state_of
from relay.certify.packages import providers


def adapters_of(folder: Path) -> list[dict[str, Any]]:
    """Every adapter: who provides it, and whether it is certified in this hub's folder."""
    data: list[dict[str, Any]] = []
    for provider in providers():
        certified, why = state_of(provider, folder)
        data.append(
            {
                "name": provider.name,
                "package": provider.package,
                "version": provider.version,
                "built_in": provider.built_in,
                "certified": certified,
                "why": why,
            }
        )
    return data
