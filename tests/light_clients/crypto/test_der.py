"""DER of signatures: one encoding each; `cryptography` as second opinion."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from light_clients.crypto.der import LARGEST, signature_from_der, signature_to_der
from light_clients.crypto.errors import SignatureEncodingInvalid
from light_clients.errors import SignatureLength

NUMBERS = st.integers(1, 2**256 - 1)
R, S = 0x1234, 2**255 + 1
DER = encode_dss_signature(R, S)


def plain(r, s):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@given(NUMBERS, NUMBERS)
@example(1, 2**256 - 1)
@example(0x7F, 0x80)
@example(2**248 - 1, 2**255)
def test_both_ways_as_another_library_does(r, s):
    der = encode_dss_signature(r, s)
    assert signature_to_der(plain(r, s)) == der
    assert signature_from_der(der) == plain(r, s)


def test_the_largest():
    assert len(encode_dss_signature(2**256 - 1, 2**256 - 1)) == LARGEST


@given(st.binary(max_size=80))
@example(bytes.fromhex("3006020101020101"))
def test_what_is_read_is_what_another_library_reads(data):
    try:
        signature = signature_from_der(data)
    except SignatureEncodingInvalid:
        return
    assert decode_dss_signature(data) == (int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    assert signature_to_der(signature) == data


BAD = {
    "nothing": b"",
    "a set": b"\x31" + DER[1:],
    "too short a length": DER[:1] + bytes((DER[1] - 1,)) + DER[2:],
    "a long length": b"\x30\x81" + DER[1:],
    "trailing": DER + b"\0",
    "trailing inside": b"\x30" + bytes((DER[1] + 1,)) + DER[2:] + b"\0",
    "one integer": bytes.fromhex("3006020412345678"),
    "an octet string": bytes.fromhex("3008040212340202 1234"),
    "three integers": bytes.fromhex("3009020101020101020101"),
    "r of no bytes": bytes.fromhex("30060200020212 34"),
    "r is zero": bytes.fromhex("3006020100020101"),
    "s is zero": bytes.fromhex("3006020101020100"),
    "r is negative": bytes.fromhex("3006020180020101"),
    "r has a needless byte": bytes.fromhex("300702020001020101"),
    "s ends early": bytes.fromhex("30060201010202 01"),
    "s is not there": bytes.fromhex("300602041111 1111"),
    "the header of s is cut": bytes.fromhex("300602030111 1102"),
    "r has 33 bytes": b"\x30\x26\x02\x21\x01" + bytes(32) + b"\x02\x01\x01",
    "r has 34 bytes": b"\x30\x27\x02\x22\x00\x80" + bytes(32) + b"\x02\x01\x01",
    "longer than any": encode_dss_signature(2**256 - 1, 2**260),
}


@pytest.mark.parametrize("der", BAD.values(), ids=BAD)
def test_another_encoding_is_refused(der):
    with pytest.raises(SignatureEncodingInvalid):
        signature_from_der(der)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_plain_signature_has_64_bytes(size):
    with pytest.raises(SignatureLength):
        signature_to_der(bytes(size))
