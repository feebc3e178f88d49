"""Ways to spoil bytes, numbers, lists and records; each returns something else than it was given, or says that it cannot."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

WORD_ENDS = (0, 1, 2, 2**8, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1)


def spoil_bytes(chance: random.Random, value: bytes, *, fixed: bool = False) -> bytes:
    """Flip a bit, change, zero, cut, add, repeat or swap bytes; `fixed` keeps the length."""
    if not value:
        return value if fixed else chance.randbytes(chance.choice((1, 20, 32)))
    ways = [_flip, _change, _zero, _swap, _copy_part] if fixed else [_flip, _change, _zero, _swap, _cut, _add, _repeat]
    for _ in range(8):
        spoilt = chance.choice(ways)(chance, value)
        if spoilt != value:
            return spoilt
    return _flip(chance, value)


def _flip(chance: random.Random, value: bytes) -> bytes:
    place = chance.randrange(8 * len(value))
    changed = bytearray(value)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def _change(chance: random.Random, value: bytes) -> bytes:
    changed = bytearray(value)
    changed[chance.randrange(len(value))] = chance.choice(
        (0, 1, 0x7F, 0x80, 0xB8, 0xC0, 0xF8, 0xFF, chance.randrange(256))
    )
    return bytes(changed)


def _zero(chance: random.Random, value: bytes) -> bytes:
    start = chance.randrange(len(value))
    size = min(len(value) - start, chance.choice((1, 4, 20, 32)))
    return value[:start] + bytes(size) + value[start + size :]


def _swap(chance: random.Random, value: bytes) -> bytes:
    one, other = chance.randrange(len(value)), chance.randrange(len(value))
    changed = bytearray(value)
    changed[one], changed[other] = changed[other], changed[one]
    return bytes(changed)


def _copy_part(chance: random.Random, value: bytes) -> bytes:
    size = min(len(value), chance.choice((1, 4, 20, 32)))
    source, target = chance.randrange(len(value) - size + 1), chance.randrange(len(value) - size + 1)
    return value[:target] + value[source : source + size] + value[target + size :]


def _cut(chance: random.Random, value: bytes) -> bytes:
    size = min(len(value), chance.choice((1, 1, 2, 32)))
    return chance.choice((value[:-size], value[size:]))


def _add(chance: random.Random, value: bytes) -> bytes:
    more = chance.choice((b"\x00", b"\x01", b"\x80", b"\xff", bytes(32), chance.randbytes(8)))
    return chance.choice((value + more, more + value))


def _repeat(chance: random.Random, value: bytes) -> bytes:
    place = chance.randrange(len(value))
    size = min(len(value) - place, chance.choice((1, 20, 32, 65)))
    return value[: place + size] + value[place:]


def spoil_number(chance: random.Random, value: int, top: int = 2**64 - 1) -> int:
    """Another number from 0 to `top`: near by, one bit off, or an end of a range."""
    for _ in range(16):
        near = value + chance.choice((-1, 1, -2, 2, 256))
        bit = value ^ 1 << chance.randrange(top.bit_length())
        spoilt = chance.choice((near, bit, chance.choice(WORD_ENDS), chance.randrange(top + 1)))
        if spoilt != value and 0 <= spoilt <= top:
            return spoilt
    return value ^ 1


def spoil_list(chance: random.Random, items: Sequence[Any]) -> list[Any]:
    """Drop, double, swap, reverse or rotate items."""
    changed = list(items)
    if not changed:
        return changed
    place, other = chance.randrange(len(changed)), chance.randrange(len(changed))
    way = chance.randrange(6)
    if way == 0:
        del changed[place]
    elif way == 1:
        changed.insert(other, changed[place])
    elif way == 2:
        changed[place], changed[other] = changed[other], changed[place]
    elif way == 3:
        changed.reverse()
    elif way == 4:
        changed = changed[1:] + changed[:1]
    else:
        changed[place] = changed[other]
    return changed


Shape = Any
"""What a value is: "uint8", "uint64", "bytes32", "bytes", a tuple of shapes (a struct), or a list of one shape (an array)."""


def spoil(chance: random.Random, value: Any, shape: Shape) -> Any:
    """The value with one leaf, or one array's order or length, changed."""
    if isinstance(shape, tuple):
        place = chance.randrange(len(shape))
        return (*value[:place], spoil(chance, value[place], shape[place]), *value[place + 1 :])
    if isinstance(shape, list):
        if not value or chance.random() < 0.3:
            return spoil_list(chance, value)
        place = chance.randrange(len(value))
        return [*value[:place], spoil(chance, value[place], shape[0]), *value[place + 1 :]]
    if shape == "bytes":
        return spoil_bytes(chance, value)
    if shape == "bytes32":
        return spoil_bytes(chance, value, fixed=True)
    return spoil_number(chance, value, 2 ** int(shape.removeprefix("uint")) - 1)


def spoil_at(chance: random.Random, value: Any, shape: Shape, place: Sequence[int]) -> Any:
    """The value with something changed below a path of indices into its structs."""
    if not place:
        return spoil(chance, value, shape)
    index = place[0]
    changed = spoil_at(chance, value[index], shape[index], place[1:])
    return (*value[:index], changed, *value[index + 1 :])
