"""Headers of a live GoQuorum network on legacy IBFT, and its genesis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.vector_table.evm_ledgers import recorded_network
from tests.vector_table.item import Item


def items(folder: Path) -> Iterator[Item]:
    """Rows for every file."""
    return recorded_network(folder, "goquorum_ibft", "ibft")
