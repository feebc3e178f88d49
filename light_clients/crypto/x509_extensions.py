"""Extensions of X.509 certificates and revocation lists: the four that decide, and the names of the others (RFC 5280, 4.2).

The library would read all of them, those that do not concern us too, and warn of what it finds odd there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from light_clients.crypto.asn1 import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    DerUnreadable,
    Element,
    object_identifier,
    positive_integer,
    read_all,
    read_elements,
)

SUBJECT_KEY_ID, KEY_USAGE, SUBJECT_NAMES, BASIC_CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19"
NAME_CONSTRAINTS, AUTHORITY_KEY_ID, EXTENDED_KEY_USAGE = "2.5.29.30", "2.5.29.35", "2.5.29.37"

UNDERSTOOD: Final = frozenset(
    {SUBJECT_KEY_ID, KEY_USAGE, SUBJECT_NAMES, BASIC_CONSTRAINTS, AUTHORITY_KEY_ID, EXTENDED_KEY_USAGE}
)
"""Extensions that may be critical: they are kept here, or say nothing about who may sign a block."""

KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
"""Bits of the key usage, in order; the two that follow qualify the fifth and are not kept."""

_TRUE: Final = b"\x01\x01\xff"


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: whether it has to be understood, and the DER of its value."""

    critical: bool
    value: bytes


def read_extensions(extensions: Element) -> dict[str, Extension]:
    """Read a list of extensions.

    Args:
        extensions: the sequence of them.

    Returns:
        By object identifier in dots.

    Raises:
        DerUnreadable: one is not of its form, or stands twice.
    """
    found: dict[str, Extension] = {}
    for item in read_all(extensions.content):
        kind, *flag, value = read_all(item.content)
        if (item.tag, kind.tag, value.tag) != (SEQUENCE, OBJECT_IDENTIFIER, OCTET_STRING):
            raise DerUnreadable
        name = object_identifier(kind.content)
        if name in found or b"".join(part.encoded for part in flag) not in (b"", _TRUE):
            raise DerUnreadable
        found[name] = Extension(bool(flag), value.content)
    return found


def basic_constraints(extensions: dict[str, Extension]) -> tuple[bool, int | None]:
    """Whether the subject is an authority, and how many may stand below it (section 4.2.1.9)."""
    if BASIC_CONSTRAINTS not in extensions:
        return False, None
    (whole,) = read_elements(extensions[BASIC_CONSTRAINTS].value, (SEQUENCE,))
    parts = read_all(whole.content)
    tags = tuple(part.tag for part in parts)
    if tags == ():
        return False, None
    if tags not in ((BOOLEAN,), (BOOLEAN, INTEGER)) or parts[0].encoded != _TRUE:
        raise DerUnreadable
    return True, positive_integer(parts[1].content) if len(parts) == 2 else None


def key_usage(extensions: dict[str, Extension]) -> frozenset[str] | None:
    """What the key may be used for, as in `KEY_USAGES`; None where that is not restricted (section 4.2.1.3)."""
    if KEY_USAGE not in extensions:
        return None
    (bits,) = read_elements(extensions[KEY_USAGE].value, (BIT_STRING,))
    if not 1 <= len(bits.content) <= 3 or bits.content[0] > 7:
        raise DerUnreadable
    first = bits.content[1] if len(bits.content) > 1 else 0
    return frozenset(name for place, name in enumerate(KEY_USAGES) if first & 0x80 >> place)


def subject_key_id(extensions: dict[str, Extension]) -> bytes | None:
    """The name of the subject's key (section 4.2.1.2)."""
    if SUBJECT_KEY_ID not in extensions:
        return None
    return read_elements(extensions[SUBJECT_KEY_ID].value, (OCTET_STRING,))[0].content


def authority_key_id(extensions: dict[str, Extension]) -> bytes | None:
    """The name of the issuer's key, where the extension has it (section 4.2.1.1)."""
    if AUTHORITY_KEY_ID not in extensions:
        return None
    (whole,) = read_elements(extensions[AUTHORITY_KEY_ID].value, (SEQUENCE,))
    found = [part.content for part in read_all(whole.content) if part.tag == 0x80]
    if len(found) > 1:
        raise DerUnreadable
    return found[0] if found else None


def unknown(extensions: dict[str, Extension]) -> tuple[str, ...]:
    """Critical extensions that are not understood, and name constraints, critical or not."""
    return tuple(
        name
        for name, item in extensions.items()
        if (item.critical and name not in UNDERSTOOD) or name == NAME_CONSTRAINTS
    )
