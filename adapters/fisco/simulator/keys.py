"""Keys of sealers, made anew for each simulated network."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from adapters.fisco import accounts
from light_clients.crypto import secp256k1, sm2


@dataclass(frozen=True)
class SealerKey:
    """A sealer: its private key (32 bytes), its suite and its weight."""

    private: bytes
    suite: str
    weight: int = 1

    def __repr__(self) -> str:
        """Show the public key alone."""
        return f"SealerKey({self.public.hex()[:16]}…, {self.suite})"

    @cached_property
    def public(self) -> bytes:
        """64 bytes: x and y; the node's id."""
        return accounts.public_key(self.private, self.suite)

    def sign(self, block_hash: bytes) -> bytes:
        """65 bytes with secp256k1; with SM2 64 bytes and the key."""
        if self.suite == "sm":
            return sm2.sign(self.private, block_hash) + self.public
        return secp256k1.sign_seal(self.private, block_hash)


def new_key(suite: str) -> SealerKey:
    """A fresh sealer."""
    return SealerKey((secrets.randbits(255) or 1).to_bytes(32, "big"), suite)


def ordered(sealers: Sequence[SealerKey]) -> tuple[SealerKey, ...]:
    """In the order of a header: by their keys."""
    return tuple(sorted(sealers, key=lambda sealer: sealer.public))
