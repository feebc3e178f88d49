"""The light clients by the name that a configuration gives them. A family's module is loaded when it is asked for."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import Any, cast

from light_clients.bft.client import BftClient
from light_clients.clique.codec import has_form
from light_clients.errors import ConfigurationInvalid, Refused
from light_clients.ibft.verify import CLIENT as IBFT
from light_clients.ibft2.verify import CLIENT as IBFT2
from light_clients.protocol import LightClient
from light_clients.qbft.verify import CLIENT as QBFT
from schemas.primitives import BlockHash
from schemas.suites import keccak256

ETHEREUM_FAMILIES = ("qbft", "ibft2", "ibft", "clique", "development")
"""Families whose header is an Ethereum header with seals in it, as an execution client serves it."""

FAMILIES = (*ETHEREUM_FAMILIES, "cometbft", "beacon", "chainmaker", "fisco", "fabric")
"""Every consensus family that this version judges; each is the package of that name."""

_HASHED_BY_FORM: MappingProxyType[str, BftClient] = MappingProxyType({"qbft": QBFT, "ibft2": IBFT2, "ibft": IBFT})
"""Families whose block hash leaves out a part of the header."""


def client_named(name: str) -> LightClient[Any, Any, Any, Any, Any]:
    """The light client of a family.

    Args:
        name: Such as ``qbft``.

    Returns:
        Its functions.

    Raises:
        ConfigurationInvalid: There is none of that name.
    """
    if name not in FAMILIES:
        raise ConfigurationInvalid(f"There is no light client {name!r}; choose one of {', '.join(FAMILIES)}.")
    return cast("LightClient[Any, Any, Any, Any, Any]", importlib.import_module(f"light_clients.{name}"))


def header_hash(name: str, header: bytes) -> BlockHash:
    """The hash of a header as its consensus computes it; nothing is judged.

    Args:
        name: The family.
        header: RLP of the header, with its seals.

    Raises:
        Refused: It is no header of the family.
    """
    family = _HASHED_BY_FORM.get(name)
    return BlockHash(keccak256(header)) if family is None else family.block_hash(header)


def is_sealed(name: str, header: bytes) -> bool:
    """Whether a header has the form of a family whose validators seal, with seals in it; they are not judged.

    Args:
        name: The family.
        header: RLP of the header.
    """
    if name == "clique":
        return has_form(header)
    family = _HASHED_BY_FORM.get(name)
    if family is None:
        return False
    try:
        return bool(family.parse_header(header).extra.seals)
    except Refused:
        return False
