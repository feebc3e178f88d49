"""What the folders of EVM ledgers share: recorded headers one after another, single headers, genesis files, EIP-1186 answers.

Where a vector brings no verdict, the second opinion is `tests.support.evm_opinion` (rlp and eth_keys), beside what the node
said of the same block.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from light_clients import ibft, ibft2, qbft
from light_clients.bft.block_json import header_from_json
from light_clients.bft.types import BftConfiguration, Dialect
from light_clients.errors import HeaderHashMismatch, ProofValueInvalid, SealForeign, ValidatorsUnexpected
from light_clients.genesis import read_genesis
from light_clients.ibft.codec import parse_header as parse_ibft
from light_clients.ibft2.codec import parse_header as parse_ibft2
from light_clients.proofs.patricia import EMPTY_ROOT, slot_from_hex, verify_account, verify_storage
from light_clients.qbft.codec import parse_header as parse_qbft
from schemas.primitives import BlockHash
from tests.support.evm_opinion import HeaderOpinion, opinion
from tests.support.vectors import unhex, unhex_all
from tests.vector_table.item import Item, Verdict, judged, unusable
from tests.vector_table.verdicts import verdict_in

PARSERS = {"qbft": parse_qbft, "ibft2": parse_ibft2, "ibft": parse_ibft}
CLIENTS = {"qbft": qbft, "ibft2": ibft2, "ibft": ibft}
CONFIGURATIONS: dict[str, Callable[[], BftConfiguration]] = {
    "qbft": lambda: qbft.QbftConfiguration(dialect=Dialect.GOQUORUM),
    "ibft2": ibft2.Ibft2Configuration,
    "ibft": ibft.IbftConfiguration,
}


def as_verdict(yes: bool) -> Verdict:
    """Accepted or refused."""
    return "accepted" if yes else "refused"


def files_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file below a folder, and its name in the table."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield file, file.relative_to(folder).as_posix()


def recorded_network(folder: Path, folder_name: str, family: str) -> Iterator[Item]:
    """A folder of one live network: lists of its headers, its genesis, answers of eth_getProof."""
    for file, name in files_of(folder):
        if file.suffix != ".json":
            yield unusable(folder_name, name, "documentation, no vector")
            continue
        content = json.loads(file.read_text())
        if isinstance(content, list):
            yield from _headers(folder_name, name, family, content)
        elif "genesis" in content:
            yield genesis_row(folder_name, f"{name} genesis", family, content["genesis"])
        elif "block" in content:
            yield from _proofs(folder_name, name, family, content)
        else:
            yield Item(folder_name, name, "accepted", "unusable", "a layout that is not known here")


class _Walk:
    """A client that goes from header to header."""

    def __init__(self, family: str) -> None:
        self.client, self.configuration = CLIENTS[family], CONFIGURATIONS[family]()
        self.state: Any = None

    def pin(self, header: bytes, block_hash: str) -> None:
        """Start at a header."""
        self.state = self.client.bootstrap(header, BlockHash.from_hex(block_hash), self.configuration)

    def follow(self, header: bytes, entry: Mapping[str, Any], now: int) -> None:
        """Go on by one header, where it is what the node said of it."""
        verified = self.client.verify_header(self.state, header, now)
        after = self.client.apply(self.state, verified)
        told = entry.get("istanbul_getSignersFromBlock")
        if told and sorted(verified.sealers) != sorted(unhex_all(told["Committers"])):
            raise SealForeign("The node names other sealers.")
        if told and sorted(after.validators) != sorted(unhex_all(entry["istanbul_getValidators"])):
            raise ValidatorsUnexpected("The node names other validators.")
        self.state = after


def _headers(folder: str, name: str, family: str, entries: list[dict[str, Any]]) -> Iterator[Item]:
    """For each header: rebuilt from JSON, followed from the one before it, and the same with a seal changed."""
    walk, before = _Walk(family), None
    for entry in entries:
        header = unhex(entry["header_rlp"])
        seen = opinion(family, header)
        row = f"{name} block {seen.number if seen else '?'}"
        block_hash = entry.get("istanbul_getSignersFromBlock", {}).get("Hash", entry["json"]["hash"])
        same = seen is not None and seen.block_hash == unhex(block_hash)
        told = verdict_in(entry)
        yield judged(
            folder,
            f"{row} from JSON",
            told or as_verdict(same),
            partial(_must_rebuild, entry["json"], family, header),
            "the node's hash, and rlp's",
        )
        if before is None or seen is None or not seen.seals or seen.number != before.number + 1:
            expected = told or as_verdict(same and seen is not None and seen.enough)
            pin = partial(walk.pin, header, block_hash)
            step = judged(folder, f"{row} pinned", expected, pin, "its own set sealed it: rlp and eth_keys")
        else:
            spoilt = _with_spoilt_seal(header, seen)
            yield judged(
                folder,
                f"{row} spoilt",
                as_verdict(_good(opinion(family, spoilt))),
                partial(walk.client.verify_header, walk.state, spoilt, seen.timestamp),
                "its last seal changed; eth_keys",
            )
            expected = told or as_verdict(same and _follows(before, seen, entry))
            go_on = partial(walk.follow, header, entry, seen.timestamp)
            why = "the node's own list of sealers and validators; rlp and eth_keys"
            step = judged(folder, f"{row} follows", expected, go_on, why)
        yield step
        if step.found == "accepted":
            before = seen


def _good(seen: HeaderOpinion | None) -> bool:
    return seen is not None and seen.enough


def _follows(before: HeaderOpinion, seen: HeaderOpinion, entry: Mapping[str, Any]) -> bool:
    committers = unhex_all(entry.get("istanbul_getSignersFromBlock", {}).get("Committers", ()))
    return (
        seen.enough
        and seen.parent_hash == before.block_hash
        and seen.timestamp > before.timestamp
        and (not committers or sorted(committers) == sorted(seen.sealers))
    )


def _with_spoilt_seal(header: bytes, seen: HeaderOpinion) -> bytes:
    """The header whose last seal is by nobody: the byte before its recovery id is another."""
    at = header.rindex(seen.seals[-1]) + len(seen.seals[-1]) - 2
    return header[:at] + bytes([header[at] ^ 1]) + header[at + 1 :]


def _must_rebuild(block: Mapping[str, Any], family: str, header: bytes) -> None:
    if header_from_json(block, PARSERS[family]) != header:
        raise HeaderHashMismatch("The header of the JSON is another.")


def genesis_row(folder: str, name: str, family: str, genesis: Mapping[str, Any]) -> Item:
    """A genesis file is read as a configuration of the family that its `config` names."""
    expected = verdict_in(genesis) or as_verdict(_sections(genesis) == [family])

    def judge() -> None:
        found = read_genesis(genesis).family
        if found != family:
            raise HeaderHashMismatch("Another family was read.", expected=family, found=found)

    return judged(folder, name, expected, judge, f"the one section of its config is {family}'s")


def _sections(genesis: Mapping[str, Any]) -> list[str]:
    names = {"qbft": "qbft", "ibft2": "ibft2", "ibft": "ibft", "istanbul": "ibft"}
    return [names[key] for key in genesis.get("config", {}) if key in names]


def _proofs(folder: str, name: str, family: str, content: Mapping[str, Any]) -> Iterator[Item]:
    """The block of a sample, and each answer of eth_getProof under its state root, true and with one byte changed."""
    block = content["block"]
    yield judged(
        folder,
        f"{name} block",
        verdict_in(content) or "accepted",
        lambda: header_from_json(block, PARSERS[family]),
        "the node's hash",
    )
    for key, answer in content.items():
        if not isinstance(answer, dict) or "accountProof" not in answer:
            continue
        yield judged(
            folder,
            f"{name} {key}",
            verdict_in(answer) or "accepted",
            lambda answer=answer: _must_prove(unhex(block["stateRoot"]), answer),
            "the node's nonce, balance, hashes and words",
        )
        nodes = answer["accountProof"]
        spoilt = {**answer, "accountProof": [*nodes[:-1], nodes[-1][:-1] + ("0" if nodes[-1][-1] != "0" else "1")]}
        yield judged(
            folder,
            f"{name} {key} spoilt",
            "refused",
            lambda spoilt=spoilt: _must_prove(unhex(block["stateRoot"]), spoilt),
            "the last digit of its account proof changed: another hash",
        )


def _must_prove(state_root: bytes, answer: Mapping[str, Any]) -> None:
    account = verify_account(state_root, unhex(answer["address"]), unhex_all(answer["accountProof"]))
    storage_root = EMPTY_ROOT if account is None else account.storage_root
    if account is not None:
        found = (account.nonce, account.balance, account.code_hash, account.storage_root)
        told = (
            int(answer["nonce"], 16),
            int(answer["balance"], 16),
            unhex(answer["codeHash"]),
            unhex(answer["storageHash"]),
        )
        if found != told:
            raise ProofValueInvalid("The account is another one than the node says.")
    for entry in answer["storageProof"]:
        word = verify_storage(storage_root, slot_from_hex(entry["key"]), unhex_all(entry["proof"]))
        if int.from_bytes(word or b"", "big") != int(entry["value"], 16):
            raise ProofValueInvalid("The word is another one than the node says.")
