"""CometBFT's JSON as the bundles that the light client reads; a vote that cannot be read is shown as absent.

One validator may sign a vote that no form can hold (a time before year 1, a signature of another size). Its power is not
needed for what two thirds decided, and must not keep the header from being read.

Source: `light_clients.cometbft.codec`, `light_clients.cometbft.block_json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.ethereum.answers import record
from adapters.protocol import BadAnswer
from light_clients.cometbft.block_json import bundle_from_json, commit_from_json, header_from_json, validators_from_json
from light_clients.cometbft.codec import read_commit, read_header, read_validator_set
from light_clients.cometbft.types import ABSENT, CometbftHeader
from light_clients.errors import LightClientError

_ABSENT_VOTE = {"block_id_flag": ABSENT}


def read_chain_header(signed_header: Any, height: int) -> CometbftHeader:
    """Read the header of an answer to /commit, and hash it.

    Raises:
        BadAnswer: it is no header, or of another height.
    """
    try:
        header = read_header(header_from_json(record(signed_header, "signed_header").get("header")))
    except LightClientError as error:
        raise BadAnswer(f"the header of block {height} cannot be read: {error.message}") from error
    if header.height != height:
        raise BadAnswer(f"the endpoint answered block {header.height} where block {height} was asked for; leave it.")
    return header


def bundle(
    signed_header: dict[str, Any], validators: Sequence[Any], trusted: Sequence[Any] = (), trusted_height: int = 0
) -> bytes:
    """Header, commit and validators as the light client takes them.

    Args:
        signed_header: `result.signed_header` of /commit.
        validators: `result.validators` of /validators, of all pages.
        trusted: the same of those who follow a trusted header; empty where they are not needed.
        trusted_height: of that header; 0 where they are not needed.

    Raises:
        BadAnswer: the form is another one.
    """
    try:
        commit = _readable(record(signed_header.get("commit"), "the commit"))
        return bundle_from_json({**signed_header, "commit": commit}, validators, trusted, trusted_height)
    except LightClientError as error:
        raise BadAnswer(f"a commit or its validators cannot be read: {error.message}") from error


def set_hash(validators: Sequence[Any]) -> bytes:
    """The hash of a set, 32 bytes, or empty where the set cannot be read."""
    try:
        return read_validator_set(validators_from_json(validators)).set_hash
    except LightClientError:
        return b""


def _readable(commit: dict[str, Any]) -> dict[str, Any]:
    """The commit with absent votes in the places of those that cannot be read."""
    votes = commit.get("signatures")
    if _is_read(commit) or not isinstance(votes, list):
        return commit
    return commit | {
        "signatures": [vote if _is_read(commit | {"signatures": [vote]}) else _ABSENT_VOTE for vote in votes]
    }


def _is_read(commit: dict[str, Any]) -> bool:
    try:
        read_commit(commit_from_json(commit))
    except LightClientError:
        return False
    return True
