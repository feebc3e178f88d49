"""SM3 in plain arithmetic, for a Python whose OpenSSL has none (GB/T 32905-2016, sections 4 and 5)."""

from __future__ import annotations

from typing import Final

START: Final[tuple[int, ...]] = (
    0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E,
)  # fmt: skip
_MASK: Final = 0xFFFFFFFF


def sm3(data: bytes) -> bytes:
    """Hash with SM3; 32 bytes. Some hundred times slower than OpenSSL's."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = START
    for place in range(0, len(padded), 64):
        state = _compress(state, padded[place : place + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """One block of 64 bytes (section 5.3)."""
    words = [int.from_bytes(block[place : place + 4], "big") for place in range(0, 64, 4)]
    for j in range(16, 68):
        mixed = words[j - 16] ^ words[j - 9] ^ _turn(words[j - 3], 15)
        words.append(mixed ^ _turn(mixed, 15) ^ _turn(mixed, 23) ^ _turn(words[j - 13], 7) ^ words[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        turned = _turn(a, 12)
        ss1 = _turn((turned + e + _turn(constant, j % 32)) & _MASK, 7)
        first = a ^ b ^ c if j < 16 else a & b | a & c | b & c
        second = e ^ f ^ g if j < 16 else e & f | ~e & g
        tt1 = (first + d + (ss1 ^ turned) + (words[j] ^ words[j + 4])) & _MASK
        tt2 = (second + h + ss1 + words[j]) & _MASK
        a, b, c, d, e, f, g, h = tt1, a, _turn(b, 9), c, tt2 ^ _turn(tt2, 9) ^ _turn(tt2, 17), e, _turn(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def _turn(word: int, places: int) -> int:
    """Rotate 32 bits to the left."""
    return (word << places | word >> 32 - places) & _MASK
