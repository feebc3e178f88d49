"""Blocks of Rinkeby and Görli: their hashes, their signers, and a client that starts at a list of signers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from light_clients import clique
from light_clients.bft.block_json import header_from_json
from light_clients.clique.chain import follow
from light_clients.clique.codec import parse_header, sealer_of
from light_clients.clique.types import Snapshot
from light_clients.errors import HeaderHashMismatch, SealForeign, ValidatorsUnexpected
from schemas.primitives import BlockHash
from tests.support.evm_opinion import opinion
from tests.support.vectors import unhex
from tests.vector_table.evm_ledgers import as_verdict, files_of
from tests.vector_table.item import Item, judged, unusable
from tests.vector_table.verdicts import verdict_in

FOLDER = "clique"


def items(folder: Path) -> Iterator[Item]:
    """Rows for every block of every file: one block, or a list of them."""
    for file, name in files_of(folder):
        if file.suffix != ".json":
            yield unusable(FOLDER, name, "documentation, no vector")
            continue
        content = json.loads(file.read_text())
        for block in content if isinstance(content, list) else [content]:
            yield from _block(f"{name} block {block['number']}", block)


def _block(name: str, block: Mapping[str, Any]) -> Iterator[Item]:
    told = verdict_in(block)
    yield judged(FOLDER, f"{name} hash", told or "accepted", lambda: rebuilt(block), "the hash that the block says")
    seen = opinion("clique", encoded(block))
    yield judged(
        FOLDER,
        f"{name} spoilt",
        "refused",
        lambda: rebuilt({**block, "timestamp": hex(int(block["timestamp"], 16) + 1)}),
        "a second later: another hash",
    )
    signer = unhex(block["expected_signer"]) if "expected_signer" in block else None
    if signer is not None:
        expected = told or as_verdict(seen is not None and seen.sealers == [signer])
        yield judged(FOLDER, f"{name} signer", expected, lambda: _sealed_by(block, signer), "its own field; eth_keys")
    if "genesis_extraData" in block:
        listed = unhex(block["genesis_extraData"])[32:-65]
        expected = told or as_verdict(seen is not None and b"".join(seen.validators) == listed)
        yield judged(
            FOLDER, f"{name} pinned", expected, lambda: _pinned(block, listed), "the signers of its first block"
        )


def encoded(block: Mapping[str, Any]) -> bytes:
    """RLP of the header, whatever its hash."""
    return header_from_json(block, lambda _: SimpleNamespace(block_hash=unhex(block["hash"])))


def rebuilt(block: Mapping[str, Any]) -> bytes:
    """RLP of the header, which has the hash that the block says."""
    return header_from_json(block, parse_header)


def _sealed_by(block: Mapping[str, Any], signer: bytes) -> None:
    """Whether the signer, who alone may seal, sealed the block after its parent."""
    parsed = parse_header(rebuilt(block))
    if sealer_of(parsed.seal_digest, parsed.seal) != signer:
        raise SealForeign("Somebody else sealed it.", expected=signer)
    if parsed.height == 1:
        before = Snapshot(0, BlockHash.from_hex(block["parentHash"]), parsed.timestamp - 15, (signer,), (), ())
        follow(clique.CliqueConfiguration(period_s=15), before, parsed)


def _pinned(block: Mapping[str, Any], listed: bytes) -> None:
    configuration = clique.CliqueConfiguration(epoch_length=int(block["number"], 16))
    state = clique.bootstrap(rebuilt(block), BlockHash.from_hex(block["hash"]), configuration)
    if b"".join(state.signers) != listed:
        raise ValidatorsUnexpected("The signers are others.", expected=listed)
    parsed = parse_header(rebuilt(block))
    if sealer_of(parsed.seal_digest, parsed.seal) not in state.signers:
        raise SealForeign("No signer sealed it.")
    if state.height != int(block["number"], 16):
        raise HeaderHashMismatch("The height is another.")
