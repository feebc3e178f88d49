"""The outermost layers of DER and PEM, strictly: enough to name the parts of a certificate byte for byte.

Sources: ITU-T X.690 (2021), sections 8.1 and 10.1 (definite lengths in the fewest octets); RFC 7468, sections 2 and 5.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

INTEGER, BIT_STRING, SEQUENCE = 0x02, 0x03, 0x30


class DerUnreadable(Exception):
    """The bytes are not DER of the form that is asked for; never leaves this package."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes:
        tag: its first octet, class and form included.
        content: what it holds.
        encoded: the whole element, tag and length included.
    """

    tag: int
    content: bytes
    encoded: bytes


def read_elements(data: bytes, tags: tuple[int, ...], *, more: bool = False) -> tuple[Element, ...]:
    """Read elements that follow each other.

    Args:
        data: their encodings, one after the other.
        tags: the tag of each.
        more: whether others may follow, which are not looked at.

    Returns:
        As many elements as tags.

    Raises:
        DerUnreadable: other elements stand there, or a length is not in its one form.
    """
    place, elements = 0, []
    for tag in tags:
        start, end = _content(data, place)
        if data[place] != tag:
            raise DerUnreadable
        elements.append(Element(data[place], data[start:end], data[place:end]))
        place = end
    if place != len(data) and not more:
        raise DerUnreadable
    return tuple(elements)


def pem_or_der(data: bytes, label: str) -> bytes:
    """Take the DER out of PEM; what does not begin as PEM is DER already.

    Args:
        data: one PEM block, or DER.
        label: such as ``CERTIFICATE``.

    Returns:
        DER, not looked into.

    Raises:
        DerUnreadable: the PEM block is not whole, or not alone.
    """
    if not data.startswith(b"-----"):
        return data
    begin, end = (f"-----{word} {label}-----".encode() for word in ("BEGIN", "END"))
    text = data.strip()
    if not text.startswith(begin) or not text.endswith(end) or len(text) < len(begin) + len(end):
        raise DerUnreadable
    body = text[len(begin) : -len(end)].replace(b"\r", b"").replace(b"\n", b"")
    try:
        return binascii.a2b_base64(body, strict_mode=True)
    except binascii.Error as error:
        raise DerUnreadable from error


def _content(data: bytes, place: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends."""
    header = data[place : place + 2]
    if len(header) < 2 or header[0] & 0x1F == 0x1F:
        raise DerUnreadable
    start, size = place + 2, header[1]
    if size >= 0x80:
        digits = data[start : start + size - 0x80]
        start, size = start + len(digits), int.from_bytes(digits, "big")
        if not 0 < len(digits) <= 3 or digits[0] == 0 or size < 0x80 or header[1] != 0x80 + len(digits):
            raise DerUnreadable
    if start + size > len(data):
        raise DerUnreadable
    return start, start + size
