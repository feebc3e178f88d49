"""Revert data in words, with the hub's own contracts' errors by name; the artifacts are read only when one is met."""

from __future__ import annotations


def explain(revert_data: bytes) -> str:
    """Say what a contract meant by its revert data: the error's name and arguments, or the data if it is a stranger's."""
    from adapters.solidity.contracts import explain_revert

    return explain_revert(revert_data)
