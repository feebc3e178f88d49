"""A second opinion on headers of QBFT, IBFT2, legacy IBFT and Clique: the rlp library and eth_keys' plain Python, no code of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rlp
from eth_keys.backends.native import NativeECCBackend
from eth_keys.datatypes import Signature
from eth_utils import keccak

VANITY, SEAL = 32, 65
NUMBER, TIME, EXTRA = 8, 11, 12


@dataclass(frozen=True)
class HeaderOpinion:
    """What a header says, and who sealed it."""

    block_hash: bytes
    parent_hash: bytes
    state_root: bytes
    number: int
    timestamp: int
    validators: list[bytes]
    seals: list[bytes]
    sealers: list[bytes]

    @property
    def enough(self) -> bool:
        """Whether two thirds of the listed set sealed, each once, and nobody else."""
        distinct = set(self.sealers)
        return (
            len(distinct) == len(self.sealers)
            and distinct <= set(self.validators)
            and 3 * len(distinct) >= 2 * len(self.validators) > 0
        )


def opinion(family: str, header: bytes) -> HeaderOpinion | None:
    """What the other libraries make of a header; None where they cannot read it."""
    try:
        items = rlp.decode(header, strict=True)
        block_hash, digest, validators, seals = _FORMS[family](items)
        return HeaderOpinion(
            block_hash=block_hash,
            parent_hash=items[0],
            state_root=items[3],
            number=int.from_bytes(items[NUMBER], "big"),
            timestamp=int.from_bytes(items[TIME], "big"),
            validators=list(validators),
            seals=list(seals),
            sealers=[_recovered(digest, seal) for seal in seals],
        )
    except Exception:  # noqa: BLE001  (whatever a library of others does with spoilt bytes, its opinion is no)
        return None


def _hash_with(items: list[Any], extra: bytes) -> bytes:
    return keccak(rlp.encode([*items[:EXTRA], extra, *items[EXTRA + 1 :]]))


def _qbft(items: list[Any]) -> tuple[bytes, bytes, list[bytes], list[bytes]]:
    vanity, validators, vote, round_number, seals = rlp.decode(items[EXTRA])
    block_hash = _hash_with(items, rlp.encode([vanity, validators, vote, b"", []]))
    return block_hash, _hash_with(items, rlp.encode([vanity, validators, vote, round_number, []])), validators, seals


def _ibft2(items: list[Any]) -> tuple[bytes, bytes, list[bytes], list[bytes]]:
    vanity, validators, vote, round_number, seals = rlp.decode(items[EXTRA])
    block_hash = _hash_with(items, rlp.encode([vanity, validators, vote]))
    return block_hash, _hash_with(items, rlp.encode([vanity, validators, vote, round_number])), validators, seals


def _ibft(items: list[Any]) -> tuple[bytes, bytes, list[bytes], list[bytes]]:
    vanity = items[EXTRA][:VANITY]
    validators, proposer_seal, seals = rlp.decode(items[EXTRA][VANITY:])
    block_hash = _hash_with(items, vanity + rlp.encode([validators, proposer_seal, []]))
    return block_hash, keccak(block_hash + b"\x02"), validators, seals


def _clique(items: list[Any]) -> tuple[bytes, bytes, list[bytes], list[bytes]]:
    extra = items[EXTRA]
    listed = extra[VANITY:-SEAL]
    signers = [listed[start : start + 20] for start in range(0, len(listed), 20)]
    return keccak(rlp.encode(items)), _hash_with(items, extra[:-SEAL]), signers, [extra[-SEAL:]]


_FORMS: dict[str, Callable[[list[Any]], tuple[bytes, bytes, list[bytes], list[bytes]]]] = {
    "qbft": _qbft,
    "ibft2": _ibft2,
    "ibft": _ibft,
    "clique": _clique,
}


def _recovered(digest: bytes, seal: bytes) -> bytes:
    backend = NativeECCBackend()
    return backend.ecdsa_recover(digest, Signature(seal, backend=backend)).to_canonical_address()
