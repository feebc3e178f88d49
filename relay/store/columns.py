"""Kinds of columns that all tables use, and the list of all tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData, Text, TypeDecorator

metadata = MetaData()
SIGN_BIT = 1 << 63
WORD = 1 << 64


class Unsigned64(TypeDecorator[int]):
    """An unsigned 64-bit integer in a signed column (two's complement)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        """Store: 2**63 and above become negative."""
        return value if value is None or value < SIGN_BIT else value - WORD

    def process_result_value(self, value: int | None, dialect: Any) -> int | None:
        """Read: negative becomes 2**63 and above."""
        return value if value is None or value >= 0 else value + WORD


class Words(TypeDecorator[str]):
    """Text that nodes and strangers may have a part in: what a database cannot keep (NUL, lone surrogates) becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Store: PostgreSQL keeps no NUL, and UTF-8 has no lone surrogates."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# An auto-incrementing key: SQLite wants INTEGER, PostgreSQL BIGINT.
Serial = BigInteger().with_variant(Integer, "sqlite")
