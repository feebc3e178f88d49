"""Rows of the vectors in ``ics23``: proofs by tree, and tables of single operations."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from light_clients.errors import ClaimRefused
from light_clients.proofs.ics23 import SPECIFICATIONS, Specification, verify_absence, verify_existence
from light_clients.proofs.ics23_ops import InnerOperation, LeafOperation, hash_of
from tests.support import cometbft_opinion as opinion
from tests.vector_table.item import Item, Verdict, judged, unusable
from tests.vector_table.verdicts import verdict_in

FAMILY = "ics23"


class OtherResult(ClaimRefused):
    """An operation gave another result than the table says."""


def items(folder: Path) -> Iterator[Item]:
    """One row for each proof, and one for each operation of the tables."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix != ".json":
            yield unusable(FAMILY, name, "says where the vectors come from; no vector itself")
            continue
        content = json.loads(path.read_text())
        specification = SPECIFICATIONS.get(path.parent.name)
        if "proof" in content and specification is not None:
            told = verdict_in(content)
            why = "verdict in the file" if told else "second opinion: the hashes written out"
            yield judged(FAMILY, name, told or _second_opinion(content), _proof(specification, content), why)
        elif content and all(isinstance(case, dict) for case in content.values()):
            for title, case in content.items():
                yield _operation(f"{name} {title}", case)
        else:
            yield unusable(FAMILY, name, "neither a proof of one of the trees nor a table of operations")


def _proof(specification: Specification, content: Mapping[str, Any]) -> Callable[[], None]:
    root, key, value, proof = (bytes.fromhex(content[field]) for field in ("root", "key", "value", "proof"))
    if value:
        return lambda: verify_existence(specification, root, key, value, proof)
    return lambda: verify_absence(specification, root, key, proof)


def _second_opinion(content: Mapping[str, Any]) -> Verdict:
    root, key, value, proof = (bytes.fromhex(content[field]) for field in ("root", "key", "value", "proof"))
    return "accepted" if opinion.proofs_hold(root, [key], value or None, [proof]) else "refused"


def _operation(name: str, case: Mapping[str, Any]) -> Item:
    """A hash, a leaf or an inner node, with its result or an error."""
    operation = case.get("Op", {})
    prefix, suffix = (base64.b64decode(operation.get(field) or "") for field in ("prefix", "suffix"))
    if "HashOp" in case:
        preimage, wanted = case.get("Preimage", case.get("PreImage")).encode(), bytes.fromhex(case["ExpectedHash"])
        return judged(FAMILY, name, "accepted", lambda: _same(hash_of(case["HashOp"], preimage), wanted))
    expected: Verdict = "refused" if case["IsErr"] else "accepted"
    wanted = base64.b64decode(case["Expected"] or "")
    if "Child" in case:
        child = base64.b64decode(case["Child"] or "")
        inner = InnerOperation(prefix, suffix, operation["hash"])
        return judged(FAMILY, name, expected, lambda: _same(inner.apply(child), wanted))
    key, value = base64.b64decode(case["Key"] or ""), base64.b64decode(case["Value"] or "")
    leaf = LeafOperation(
        operation["hash"],
        operation.get("prehash_key", 0),
        operation.get("prehash_value", 0),
        operation.get("length", 0),
        prefix,
    )
    return judged(FAMILY, name, expected, lambda: _same(leaf.apply(key, value), wanted))


def _same(found: bytes, wanted: bytes) -> None:
    if found != wanted:
        raise OtherResult("The operation gave another result.", expected=wanted, found=found)
