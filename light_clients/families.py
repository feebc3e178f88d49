"""The light clients by the name that a configuration gives them. A family's module is loaded when it is asked for."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import Any, cast

from light_clients.bft.client import BftClient
from light_clients.clique.codec import has_form
from light_clients.errors import ClaimMalformed, ConfigurationInvalid, Refused
from light_clients.ibft.verify import CLIENT as IBFT
from light_clients.ibft2.verify import CLIENT as IBFT2
from light_clients.proofs.gateway import SlotEvidence
from light_clients.protocol import LightClient, NoteJudge
from light_clients.qbft.verify import CLIENT as QBFT
from schemas.evidence import HeadEvidence, StateEvidence
from schemas.primitives import BlockHash
from schemas.suites import keccak256

ETHEREUM_FAMILIES = ("qbft", "ibft2", "ibft", "clique", "development")
"""Families whose header is an Ethereum header with seals in it, as an execution client serves it."""

FAMILIES = (*ETHEREUM_FAMILIES, "cometbft", "beacon", "chainmaker", "fisco", "fabric")
"""Every consensus family that this version judges; each is the package of that name."""

RECEIPT_FAMILIES = ("chainmaker", "fisco", "fabric")
"""Families whose ledgers prove no state: a head is proved by the transaction that moved it, in the block where it stands."""

NOTE_FAMILIES = ("cometbft", "beacon", "chainmaker", "fisco", "fabric")
"""Families that prove notes of an evidence log in a form of their own, each in its module `log_notes`."""

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


def note_judge_named(name: str) -> NoteJudge[Any, Any]:
    """What judges notes of an evidence log in a family's own form.

    Args:
        name: One of `NOTE_FAMILIES`.

    Raises:
        ConfigurationInvalid: The family has none.
    """
    if name not in NOTE_FAMILIES:
        raise ConfigurationInvalid(f"Notes of an evidence log have no form of their own on {name!r}.")
    return cast("NoteJudge[Any, Any]", importlib.import_module(f"light_clients.{name}.log_notes"))


def header_hash(name: str, header: bytes, configuration: Any = None) -> BlockHash:
    """The hash of a header as its consensus computes it, which is what officers pin; nothing is judged.

    Args:
        name: The family.
        header: As the family's light client takes it.
        configuration: Of the light client; the families `fisco` and `beacon` hash by what it says.

    Raises:
        Refused: It is no header of the family.
    """
    if (family := _HASHED_BY_FORM.get(name)) is not None:
        return family.block_hash(header)
    if name == "cometbft":
        from light_clients.cometbft.codec import read_bundle

        return read_bundle(header).header.block_hash
    if name == "chainmaker":
        from light_clients.chainmaker.codec import read_block

        return BlockHash(read_block(header).header.block_hash)
    if name == "fisco":
        from light_clients.fisco.codec import parse_header

        return parse_header(header, configuration).block_hash
    if name == "fabric":
        from light_clients.fabric.codec import read_block as read_fabric_block

        return read_fabric_block(header).block_hash
    if name == "beacon":
        from light_clients.beacon.codec import beacon_root

        return beacon_root(header, configuration)
    return BlockHash(keccak256(header))


def proves_state(name: str) -> bool:
    """Whether a family's ledgers prove what their state is; the others prove a head by the transaction that moved it."""
    return name not in RECEIPT_FAMILIES


def proves_newest_alone(name: str) -> bool:
    """Whether only the newest head can be proved: on Fabric organisations attest what they read now, and nothing of before."""
    return name == "fabric"


def skips_heights(name: str) -> bool:
    """Whether a family's headers are not of heights in a row: each leads from what is trusted to a later block."""
    return name == "beacon"


def evidence_of(name: str, item: HeadEvidence) -> Any:
    """What a family's `verify_claim` takes, out of what an adapter fetched.

    Args:
        name: The family.
        item: What the adapter brought.

    Raises:
        Refused: It is not of the family's form.
    """
    if isinstance(item, StateEvidence):
        return SlotEvidence(item.header, item.account_proof, item.storage_proof)
    if name == "cometbft":
        from light_clients.cometbft.types import CometbftEvidence

        return CometbftEvidence.from_bytes(item.proof)
    if name == "chainmaker":
        from light_clients.chainmaker.types import ChainMakerEvidence

        return ChainMakerEvidence.from_bytes(item.proof)
    if name == "fisco":
        from light_clients.fisco.evidence import FiscoEvidence

        return FiscoEvidence.from_bytes(item.proof)
    if name == "fabric":
        from light_clients.fabric.types import FabricEvidence

        return FabricEvidence.from_bytes(item.proof)
    raise ClaimMalformed(f"Evidence of {name} is a path to a slot; the adapter brought something else.")


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
