"""Single headers of real Besu networks on QBFT and IBFT2, and genesis files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from light_clients.bft.block_json import header_from_json
from light_clients.bft.bundle import SetProof, element_slots, length_slot
from light_clients.bft.contract import prove_validators
from light_clients.bft.types import SelectionMode, ValidatorSelection
from light_clients.errors import HeaderHashMismatch
from light_clients.genesis import read_genesis
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import keccak256
from tests.support.evm_opinion import opinion
from tests.support.qbft_chain import Storage
from tests.support.vectors import unhex
from tests.vector_table.evm_ledgers import CLIENTS, CONFIGURATIONS, PARSERS, as_verdict, files_of, genesis_row
from tests.vector_table.item import Item, judged, unusable
from tests.vector_table.verdicts import verdict_in

FOLDER = "besu_bft"


def items(folder: Path) -> Iterator[Item]:
    """Rows for every file, told apart by what it holds."""
    for file, name in files_of(folder):
        if file.suffix != ".json":
            yield unusable(FOLDER, name, "documentation, no vector")
            continue
        content = json.loads(file.read_text())
        genesis = content.get("genesis", content)
        if "config" in genesis:
            family = next((key for key in ("qbft", "ibft2") if key in genesis["config"]), "qbft")
            yield genesis_row(FOLDER, f"{name} genesis", family, genesis)
        elif "header_rlp_with_seals" in content:
            yield from _header(name, unhex(content["header_rlp_with_seals"]), content)
        elif "alloc" in content:
            yield from _allocation(name, content)
        elif "extraData" in content:
            yield from _block(name, content)
        else:
            yield Item(FOLDER, name, "accepted", "unusable", "a layout that is not known here")


def _header(name: str, header: bytes, content: Mapping[str, Any]) -> Iterator[Item]:
    family = _family(header)
    seen = opinion(family, header)
    yield judged(
        FOLDER,
        f"{name} pinned as {family}",
        verdict_in(content) or as_verdict(seen is not None and seen.enough),
        lambda: _pin(family, header, seen.block_hash if seen else b"\x01" * 32),
        "rlp's hash; its own set sealed it by eth_keys",
    )
    if "commit_seal_hash" in content:
        yield judged(
            FOLDER,
            f"{name} commit seal hash",
            "accepted",
            lambda: _must(PARSERS[family](header).seal_digest == unhex(content["commit_seal_hash"])),
            "its own field",
        )
        yield judged(
            FOLDER,
            f"{name} commit seal preimage",
            "accepted",
            lambda: _must(
                PARSERS[family](header).seal_digest == keccak256(unhex(content["header_rlp_commit_seal_preimage"]))
            ),
            "keccak of its own field",
        )


def _allocation(name: str, genesis: Mapping[str, Any]) -> Iterator[Item]:
    """A genesis file without `config`: no client can be made of it; the sets that its contracts hold can be proved."""
    yield judged(
        FOLDER, f"{name} genesis", "refused", lambda: read_genesis(genesis), "its config, with the family, is missing"
    )
    for account_name, account in genesis["alloc"].items():
        if "storage" not in account:
            continue
        contract = unhex(account_name)
        words = {bytes.fromhex(slot): bytes.fromhex(word) for slot, word in account["storage"].items()}
        members = sorted(word[12:] for slot, word in words.items() if any(slot))
        state = Storage(words, keccak256(unhex(account["code"])), contract, neighbours=0)
        slots = [length_slot(0), *element_slots(0, len(members))]
        proof = SetProof(state.account_proof(), tuple(map(state.storage_proof, slots)))
        selection = ValidatorSelection(0, SelectionMode.CONTRACT, contract, 0)
        for what, brought, due in (("set", proof, "accepted"), ("shortened set", _shortened(proof), "refused")):
            yield judged(
                FOLDER,
                f"{name} {what} of {account_name}",
                due,
                lambda state=state, selection=selection, brought=brought, members=members: _must(
                    list(prove_validators(Bytes32(state.root), selection, brought)) == members
                ),
                "the words of its storage, in tries of py-trie",
            )


def _shortened(proof: SetProof) -> SetProof:
    return SetProof(proof.account, proof.storage[:-1])


def _block(name: str, block: Mapping[str, Any]) -> Iterator[Item]:
    """A block of JSON with its hash: the family that the file names has to rebuild and pin it, the other ones refuse it."""
    named = next((family for family in ("ibft2", "qbft") if family in name), "qbft")
    for family, parse in PARSERS.items():
        yield judged(
            FOLDER,
            f"{name} as {family}",
            verdict_in(block) or as_verdict(family == named),
            lambda family=family, parse=parse: _pin(family, header_from_json(block, parse), unhex(block["hash"])),
            "the node's hash" if family == named else "another family's header",
        )


def _family(header: bytes) -> str:
    """Whose header it is, by the other libraries: the family in whose form its own set sealed it."""
    forms = [family for family in PARSERS if (seen := opinion(family, header)) is not None and seen.enough]
    return forms[0] if forms else "qbft"


def _pin(family: str, header: bytes, block_hash: bytes) -> None:
    CLIENTS[family].bootstrap(header, BlockHash(block_hash), CONFIGURATIONS[family]())


def _must(answer: bool) -> None:
    if not answer:
        raise HeaderHashMismatch("The hash is another.")
