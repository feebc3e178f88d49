"""Hash suites of a lane: `evm` (keccak-256) and `sm` (SM3), with their domain tags.

Sources: the hub's protocol (docs/protocol.md, section Words and tags); Keccak as Ethereum uses it (Yellow Paper,
appendix); SM3 in GB/T 32905-2016. This is the one door to the hash libraries: safe-pysha3, and OpenSSL by hashlib or, where
that has no SM3, plain arithmetic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sha3 import keccak_256

from schemas import sm3_fallback
from schemas.primitives import SchemaError


def keccak256(data: bytes) -> bytes:
    """Hash with Keccak-256 as Ethereum does; 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


def sm3(data: bytes) -> bytes:
    """Hash with SM3 (GB/T 32905-2016); 32 bytes."""
    return _sm3(data)


def choose_sm3(new: Callable[..., hashlib._Hash]) -> Callable[[bytes], bytes]:
    """Return OpenSSL's SM3, or the slow one where OpenSSL was built without it or may not offer it.

    Args:
        new: `hashlib.new`, which raises ValueError for a hash that it does not have.
    """
    try:
        new("sm3")
    except ValueError:
        return sm3_fallback.sm3
    return lambda data: new("sm3", data).digest()


_sm3 = choose_sm3(hashlib.new)


@dataclass(frozen=True, slots=True)
class Suite:
    """A hash suite: its name in tags and its hash function (bytes of any length to 32 bytes)."""

    name: str
    hash: Callable[[bytes], bytes]

    def tag(self, word: str) -> bytes:
        """Return TAG(word) = H("relayhub/" + suite + "/" + word + "/v1"), 32 bytes."""
        return _tag(self, word)

    def hash_account(self, account: bytes) -> bytes:
        """Hash a short value that recurs (an account, a gateway), remembering recent answers."""
        return _hash_short(self, account)


@lru_cache(maxsize=64)
def _tag(suite: Suite, word: str) -> bytes:
    return suite.hash(f"relayhub/{suite.name}/{word}/v1".encode())


@lru_cache(maxsize=4096)
def _hash_short(suite: Suite, value: bytes) -> bytes:
    return suite.hash(value)


EVM = Suite("evm", keccak256)
SM = Suite("sm", sm3)
SUITES = {suite.name: suite for suite in (EVM, SM)}


def suite_named(name: str) -> Suite:
    """Return the suite of that name.

    Raises:
        SchemaError: there is no such suite.
    """
    suite = SUITES.get(name)
    if suite is None:
        raise SchemaError(f"no suite named {name!r}; choose one of {', '.join(SUITES)}")
    return suite


def integer_word(value: int) -> bytes:
    """Return an unsigned integer as a big-endian 32-byte word."""
    return value.to_bytes(32, "big")
