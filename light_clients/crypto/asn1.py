"""The outermost layers of DER and PEM, strictly: enough to name the parts of a certificate byte for byte.

Sources: ITU-T X.690 (2021), sections 8.1 and 10.1 (definite lengths in the fewest octets); RFC 7468, sections 2 and 5.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
TEXTS = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii"}
"""UTF8String, PrintableString, IA5String, and how their bytes are read."""


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
        elements.append(_element(data, place))
        if elements[-1].tag != tag:
            raise DerUnreadable
        place += len(elements[-1].encoded)
    if place != len(data) and not more:
        raise DerUnreadable
    return tuple(elements)


def read_all(data: bytes) -> tuple[Element, ...]:
    """Read elements of any number and tags that fill the data.

    Args:
        data: their encodings, one after the other.

    Returns:
        The elements, in order.

    Raises:
        DerUnreadable: a length is not in its one form, or the data end inside an element.
    """
    place, elements = 0, []
    while place < len(data):
        elements.append(_element(data, place))
        place += len(elements[-1].encoded)
    return tuple(elements)


def object_identifier(content: bytes) -> str:
    """Write an object identifier in dots (X.690, section 8.19).

    Args:
        content: of the element, without tag and length.

    Returns:
        Such as ``2.5.4.10``.

    Raises:
        DerUnreadable: a number is cut or longer than needed.
    """
    if not content or content[-1] & 0x80:
        raise DerUnreadable
    numbers, number = [], 0
    for byte in content:
        if number == 0 and byte == 0x80:
            raise DerUnreadable
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(part) for part in (first, numbers[0] - 40 * first, *numbers[1:]))


def positive_integer(content: bytes) -> int:
    """Read an integer that is not negative and has at most 20 bytes (X.690, section 8.3).

    Args:
        content: of the element, without tag and length.

    Raises:
        DerUnreadable: it is empty, negative, too long or not in the fewest bytes.
    """
    if not 1 <= len(content) <= 20 or content[0] > 0x7F or (content[0] == 0 and len(content) > 1 and content[1] < 0x80):
        raise DerUnreadable
    return int.from_bytes(content, "big")


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


def _element(data: bytes, place: int) -> Element:
    """The element at this place."""
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
    return Element(header[0], data[start : start + size], data[place : start + size])
