"""The newest headers that were accepted, and those behind them that were not final yet: what a contradiction is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from light_clients import rlp
from light_clients.errors import RlpRefused

KEPT = 16
"""Accepted headers that are remembered: an endpoint that shows another branch is held against each of them."""


@dataclass(frozen=True, slots=True)
class Trail:
    """Headers of heights in a row, byte for byte.

    Attributes:
        first: height of the first one.
        headers: at least one.
    """

    first: int
    headers: tuple[bytes, ...]

    def at(self, height: int) -> bytes | None:
        """The header of a height, if it is remembered."""
        index = height - self.first
        return self.headers[index] if 0 <= index < len(self.headers) else None

    def extended(self, height: int, accepted: Sequence[bytes], unfinal: Sequence[bytes]) -> Self:
        """The trail after a look.

        Args:
            height: of the newest header that was accepted before.
            accepted: headers that were accepted after it.
            unfinal: headers after those, not final yet.
        """
        known = (*self.headers[: height - self.first + 1], *accepted)
        kept = known[-KEPT:]
        return type(self)(height + len(accepted) - len(kept) + 1, (*kept, *unfinal))

    def replaced(self, height: int, shown: Sequence[bytes]) -> tuple[tuple[bytes, bytes], ...]:
        """Headers that gave way to others before they were final: what was remembered, and what is shown now.

        Args:
            height: of the newest accepted header.
            shown: headers of the heights after it.
        """
        remembered = self.headers[height - self.first + 1 :]
        return tuple((old, new) for old, new in zip(remembered, shown, strict=False) if old != new)

    def to_bytes(self) -> bytes:
        """RLP of [height of the first, [header, …]], each header as a string."""
        return rlp.encode([self.first.to_bytes(8, "big"), list(self.headers)])

    @classmethod
    def read(cls, data: bytes, height: int) -> Self:
        """Read a trail back.

        Args:
            data: what `to_bytes` wrote, or a header alone, from before there were trails.
            height: of the newest accepted header.
        """
        try:
            items = rlp.decode_list(data)
        except RlpRefused:
            items = []
        match items:
            case [bytes() as first, list() as headers]:
                return cls(int.from_bytes(first, "big"), tuple(item for item in headers if isinstance(item, bytes)))
            case _:
                return cls(height, (data,))


def run_of(headers: Sequence[bytes]) -> bytes:
    """A header and the headers that confirm it, as light clients take them: one after the other."""
    return b"".join(headers)
