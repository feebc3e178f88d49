"""Certificates and revocation lists read: real ones, built ones, and every form that is refused."""

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from light_clients.crypto.asn1 import (
    DerUnreadable,
    object_identifier,
    pem_or_der,
    positive_integer,
    read_all,
    read_elements,
)
from light_clients.crypto.certificates import read_certificate, read_revocation_list
from light_clients.crypto.errors import (
    CertificateKeyUnsupported,
    CertificateRefused,
    CertificateUnreadable,
    RevocationListUnreadable,
)
from light_clients.crypto.x509_extensions import (
    KEY_USAGES,
    authority_key_id,
    basic_constraints,
    key_usage,
    read_extensions,
)
from tests.support.certificate_authority import (
    ALGORITHMS,
    FROM,
    KEY_PREFIXES,
    UNTIL,
    Key,
    extension,
    issue,
    name,
    pem,
    revocation_list,
    root,
    time,
    tlv,
)
from tests.support.shared_vectors import shared

SCHEMES = list(ALGORITHMS)
ROOT = root("reader root", organisation="org1.example")
LEAF = issue(ROOT, "reader leaf", organisation="org1.example", units=("peer", "second"), serial=77)
FABRIC = sorted(shared("fabric").rglob("*.pem"))
CHAINMAKER = sorted(shared("chainmaker").rglob("*.crt"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fields_of_a_member(scheme):
    authority = root(f"fields {scheme}", scheme, organisation="org1.example")
    member = issue(authority, "member", organisation="org1.example", units=("peer", "x"), serial=2**120)
    found = read_certificate(member.der)
    assert read_certificate(member.pem) == found
    assert found.der == member.der
    assert found.scheme == found.signature_scheme == scheme
    assert found.public_key == member.key.public
    assert found.serial == 2**120
    assert found.subject == (
        ("2.5.4.10", "org1.example"),
        ("2.5.4.11", "peer"),
        ("2.5.4.11", "x"),
        ("2.5.4.3", "member"),
    )
    assert found.issuer == (("2.5.4.10", "org1.example"), ("2.5.4.3", f"fields {scheme}"))
    assert found.subject_der == member.subject
    assert found.issuer_der == authority.subject
    assert (found.organisation, found.common_name) == ("org1.example", "member")
    assert found.organisational_units == ("peer", "x")
    assert (found.not_before, found.not_after) == (FROM, UNTIL)
    assert (found.is_authority, found.path_length) == (False, None)
    assert found.key_usage == {"digital_signature", "content_commitment"}
    assert found.subject_key_id == member.key.identifier
    assert found.authority_key_id == authority.key.identifier
    assert found.extensions_unknown == ()


def test_fields_of_an_authority():
    found = read_certificate(issue(ROOT, "below", authority=True, path_length=3).der)
    assert (found.is_authority, found.path_length) == (True, 3)
    assert found.key_usage == {"key_cert_sign", "crl_sign"}


def test_fields_that_may_be_absent():
    bare = issue(ROOT, "bare", usage=None, subject_key_id=None, authority_key_id=None, subject=name(("OU", "only")))
    found = read_certificate(bare.der)
    assert found.key_usage is None
    assert found.subject_key_id is None
    assert found.authority_key_id is None
    assert found.organisation is None
    assert found.common_name is None


def test_two_organisations_are_none():
    two = read_certificate(issue(ROOT, "two", subject=name(("O", "a"), ("O", "b"), ("CN", "c"), ("CN", "d"))).der)
    assert two.organisation is None
    assert two.common_name is None


def extension_of(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


@pytest.mark.parametrize("file", FABRIC + CHAINMAKER, ids=lambda file: file.name)
def test_real_certificates_as_the_library_reads_them(file):
    found = read_certificate(file.read_bytes())
    theirs = x509.load_pem_x509_certificate(file.read_bytes())
    assert found.tbs == theirs.tbs_certificate_bytes
    assert found.signature == theirs.signature
    assert (found.not_before, found.not_after) == (
        int(theirs.not_valid_before_utc.timestamp()),
        int(theirs.not_valid_after_utc.timestamp()),
    )
    constraints = extension_of(theirs, x509.BasicConstraints)
    assert found.is_authority == (constraints is not None and constraints.ca)
    assert found.path_length == (constraints and constraints.path_length)
    usage = extension_of(theirs, x509.KeyUsage)
    assert found.key_usage == {name for name in KEY_USAGES if getattr(usage, name)}
    assert found.subject_key_id == getattr(extension_of(theirs, x509.SubjectKeyIdentifier), "digest", None)
    assert found.authority_key_id == getattr(extension_of(theirs, x509.AuthorityKeyIdentifier), "key_identifier", None)
    assert found.serial == theirs.serial_number
    assert found.subject == tuple((item.oid.dotted_string, item.value) for item in theirs.subject)
    assert found.issuer == tuple((item.oid.dotted_string, item.value) for item in theirs.issuer)
    assert found.subject_der == theirs.subject.public_bytes()
    assert found.issuer_der == theirs.issuer.public_bytes()
    assert found.extensions_unknown == ()


def test_an_attribute_of_bits_is_shown_in_hexadecimal():
    unique = tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, bytes.fromhex("55042d")), b"\x03\x02\x00\xab")))
    assert read_certificate(issue(ROOT, "bits", subject=unique).der).subject == (("2.5.4.45", "00ab"),)


def test_a_name_of_several_attributes_in_one_set():
    parts = [tlv(0x30, tlv(0x06, bytes.fromhex(oid)), tlv(0x13, b"x")) for oid in ("550403", "55040a")]
    found = read_certificate(issue(ROOT, "set", subject=tlv(0x30, tlv(0x31, *parts))).der)
    assert found.subject == (("2.5.4.3", "x"), ("2.5.4.10", "x"))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("550403", "2.5.4.3"),
        ("2a8648ce3d0201", "1.2.840.10045.2.1"),
        ("00", "0.0"),
        ("27", "0.39"),
        ("28", "1.0"),
        ("883703", "2.999.3"),
    ],
)
def test_object_identifiers(content, text):
    assert object_identifier(bytes.fromhex(content)) == text
    assert x509.ObjectIdentifier(text).dotted_string == text


@pytest.mark.parametrize("content", ["", "80", "5583", "55800403", "8055"])
def test_what_is_no_object_identifier(content):
    with pytest.raises(DerUnreadable):
        object_identifier(bytes.fromhex(content))


CRITICAL = {
    "an unknown one": extension("2a0304", b"\x05\x00", critical=True),
    "certificate policies": extension("551d20", tlv(0x30, tlv(0x30, b"\x06\x02\x2a\x03")), critical=True),
    "name constraints": extension("551d1e", tlv(0x30, tlv(0xA0, tlv(0x30, tlv(0x82, b"a.example"))))),
}


@pytest.mark.parametrize("added", CRITICAL.values(), ids=CRITICAL)
def test_extensions_that_restrict_are_named(added):
    assert len(read_certificate(issue(ROOT, "restricted", extensions=(added,)).der).extensions_unknown) == 1


def test_an_unknown_extension_that_is_not_critical_is_passed_over():
    assert (
        read_certificate(issue(ROOT, "x", extensions=(extension("2a0304", b"\x05\x00"),)).der).extensions_unknown == ()
    )


OFF_CURVE = LEAF.key.point[:64] + bytes((LEAF.key.point[64] ^ 1,))
KEYS = {
    "P-384": tlv(0x30, bytes.fromhex("301006072a8648ce3d020106052b81040022"), tlv(0x03, b"\0\x04" + bytes(96))),
    "a compressed point": tlv(
        0x30, bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"), tlv(0x03, b"\0\x02" + LEAF.key.point[1:33])
    ),
    "off P-256": KEY_PREFIXES["p256-sha256"] + OFF_CURVE,
    "off SM2": KEY_PREFIXES["sm2-sm3"] + LEAF.key.point,
    "RSA": bytes.fromhex("301b300d06092a864886f70d0101010500030a003007020200bb020103"),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_keys_of_other_kinds_are_refused(key):
    with pytest.raises(CertificateKeyUnsupported):
        read_certificate(issue(ROOT, "key", key_info=key).der)


TBS, ALGORITHM, SIGNATURE = (
    part.encoded for part in read_elements(read_elements(LEAF.der, (0x30,))[0].content, (0x30, 0x30, 0x03))
)
SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
WITH_NULL = bytes.fromhex("300c06082a8648ce3d0403020500")
CERTIFICATES = {
    "nothing": b"",
    "text": b"certificate",
    "trailing": LEAF.der + b"\0",
    "cut": LEAF.der[:-1],
    "too large": LEAF.der + bytes(16 * 1024),
    "four parts": tlv(0x30, TBS, ALGORITHM, SIGNATURE, b"\x05\x00"),
    "two parts": tlv(0x30, TBS, ALGORITHM),
    "unused bits": tlv(0x30, TBS, ALGORITHM, b"\x03" + SIGNATURE[1:2] + b"\x01" + SIGNATURE[3:]),
    "no bits": tlv(0x30, TBS, ALGORITHM, b"\x03\x00"),
    "ECDSA with SHA-384": issue(ROOT, "sha384", algorithm=SHA384).der,
    "a NULL parameter": issue(ROOT, "null", algorithm=WITH_NULL).der,
    "another algorithm outside": issue(ROOT, "outside", outer_algorithm=ALGORITHMS["sm2-sm3"]).der,
    "another algorithm inside": issue(ROOT, "in", algorithm=SHA384, outer_algorithm=ALGORITHMS["p256-sha256"]).der,
    "version 2": issue(ROOT, "v2", version=b"\xa0\x03\x02\x01\x01").der,
    "version 1": issue(ROOT, "v1", version=b"").der,
    "version 9": issue(ROOT, "v9", version=b"\xa0\x03\x02\x01\x09").der,
    "an extension twice": issue(ROOT, "twice", extensions=(extension("551d0e", tlv(4, b"x")),)).der,
    "extensions of no sequence": issue(ROOT, "noseq", extensions=(b"\x05\x00",)).der,
    "an extension that is broken": issue(ROOT, "broken", extensions=(tlv(0x30, b"\x06\x01\x2a"),)).der,
    "an extension of another tag": issue(ROOT, "tag", extensions=(tlv(0x31, b"\x06\x01\x2a", b"\x04\x00"),)).der,
    "an extension that is critically false": issue(
        ROOT, "false", extensions=(tlv(0x30, b"\x06\x01\x2a", b"\x01\x01\x00", b"\x04\x00"),)
    ).der,
    "an extension that is critical twice": issue(
        ROOT, "twice true", extensions=(tlv(0x30, b"\x06\x01\x2a", b"\x01\x01\xff" * 2, b"\x04\x00"),)
    ).der,
    "a name that is broken": issue(ROOT, "name", subject=tlv(0x30, b"\x31\x05")).der,
    "a name of no sets": issue(ROOT, "nosets", subject=tlv(0x30, tlv(0x30, b""))).der,
    "a name of an attribute without a value": issue(
        ROOT, "novalue", subject=tlv(0x30, tlv(0x31, tlv(0x30, b"\x06\x03\x55\x04\x03")))
    ).der,
    "a name of a kind that is none": issue(
        ROOT, "nokind", subject=tlv(0x30, tlv(0x31, tlv(0x30, b"\x04\x03\x55\x04\x03", tlv(0x0C, b"x"))))
    ).der,
    "a name that is no text": issue(
        ROOT, "utf8", subject=tlv(0x30, tlv(0x31, tlv(0x30, b"\x06\x03\x55\x04\x03", tlv(0x0C, b"\xff\xfe"))))
    ).der,
    "a time that is none": LEAF.der.replace(b"260101000000Z", b"261301000000Z"),
    "serial of 21 bytes": issue(ROOT, "serial", serial=2**161).der,
    "PEM of something else": pem(LEAF.der, "X509 CRL"),
    "PEM cut": LEAF.pem[:-20],
    "PEM twice": LEAF.pem * 2,
    "PEM without its middle": b"-----BEGIN CERTIFICATE-----",
    "PEM that overlaps": b"-----BEGIN CERTIFICATE-----END CERTIFICATE-----",
    "PEM of no base64": b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    "an indefinite length": b"\x30\x80" + LEAF.der[4:] + b"\0\0",
    "a needless length byte": b"\x30\x83\x00" + LEAF.der[2:],
    "a long length for a short one": b"\x30\x81\x03" + b"\x05\x00\x00",
    "a length of four bytes": b"\x30\x84\x00\x00\x00\x01\x00",
    "a length that is cut": b"\x30\x82\x01",
    "a long tag": b"\x3f" + LEAF.der[1:],
}


@pytest.mark.parametrize("data", CERTIFICATES.values(), ids=CERTIFICATES)
def test_what_is_no_certificate(data):
    with pytest.raises(CertificateUnreadable):
        read_certificate(data)


SERIAL = b"\x02\x01\x4d"


@pytest.mark.parametrize("serial", [b"\x02\x01\x00", b"\x02\x01\x80", b"\x02\x00"])
def test_a_serial_number_is_positive(serial):
    assert LEAF.der.count(b"\xa0\x03\x02\x01\x02" + SERIAL) == 1
    if len(serial) == len(SERIAL):
        changed = LEAF.der.replace(b"\xa0\x03\x02\x01\x02" + SERIAL, b"\xa0\x03\x02\x01\x02" + serial)
    else:
        shorter = read_elements(TBS, (0x30,))[0].content.replace(SERIAL, serial, 1)
        changed = tlv(0x30, tlv(0x30, shorter), ALGORITHM, SIGNATURE)
    with pytest.raises(CertificateUnreadable):
        read_certificate(changed)


@given(st.data())
def test_spoilt_certificates_are_read_or_refused_by_name(data):
    spoilt = bytearray(LEAF.der)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert read_certificate(bytes(spoilt)).der == bytes(spoilt)
    except CertificateRefused:
        return


@given(st.binary(max_size=100))
def test_anything_is_refused_by_name(data):
    with pytest.raises(CertificateUnreadable):
        read_certificate(data)
    with pytest.raises(RevocationListUnreadable):
        read_revocation_list(data)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fields_of_a_revocation_list(scheme):
    authority = root(f"lists {scheme}", scheme)
    der = revocation_list(authority, [5, 2**120], at=FROM + 60)
    found = read_revocation_list(der)
    assert read_revocation_list(pem(der, "X509 CRL")) == found
    assert found.serials == {5, 2**120}
    assert found.issuer_der == authority.subject
    assert found.authority_key_id == authority.key.identifier
    assert found.this_update == FROM + 60
    assert found.signature_scheme == scheme
    assert read_revocation_list(revocation_list(authority, [])).serials == frozenset()


def test_a_reason_does_not_matter():
    reason = extension("551d15", b"\x0a\x01\x01")
    assert read_revocation_list(revocation_list(ROOT, [5], entry_extensions=(reason,))).serials == {5}


def test_a_list_without_extensions():
    found = read_revocation_list(revocation_list(ROOT, [5], bare=True))
    assert found.serials == {5}
    assert found.authority_key_id is None
    assert read_revocation_list(revocation_list(ROOT, [], bare=True)).serials == frozenset()


LIST = revocation_list(ROOT, [5])
LISTS = {
    "a certificate": LEAF.der,
    "trailing": LIST + b"\0",
    "too large": LIST + bytes(1024 * 1024),
    "version 1": revocation_list(ROOT, [5], version=b""),
    "version 3": revocation_list(ROOT, [5], version=b"\x02\x01\x02"),
    "a delta": revocation_list(ROOT, [5], extensions=(extension("551d1b", b"\x02\x01\x01", critical=True),)),
    "a part": revocation_list(ROOT, [5], extensions=(extension("551d1c", tlv(0x30, b"\x81\x01\xff"), critical=True),)),
    "of others": revocation_list(
        ROOT, [5], entry_extensions=(extension("551d1d", tlv(0x30, tlv(0xA4, ROOT.subject)), critical=True),)
    ),
    "a negative number": revocation_list(ROOT, [5], entries=(tlv(0x30, b"\x02\x01\xff", time(FROM)),)),
    "an entry without a time": revocation_list(ROOT, [5], entries=(tlv(0x30, b"\x02\x01\x07"),)),
    "an entry of four parts": revocation_list(
        ROOT, [5], entries=(tlv(0x30, b"\x02\x01\x07", time(FROM), b"\x30\x00\x30\x00"),)
    ),
    "an entry of another tag": revocation_list(ROOT, [5], entries=(tlv(0x31, b"\x02\x01\x07", time(FROM)),)),
    "a number of another tag": revocation_list(ROOT, [5], entries=(tlv(0x30, b"\x0a\x01\x07", time(FROM)),)),
    "SHA-384": revocation_list(ROOT, [5], algorithm=SHA384),
    "another algorithm outside": revocation_list(ROOT, [5], outer_algorithm=ALGORITHMS["sm2-sm3"]),
    "PEM of a certificate": LEAF.pem,
}


@pytest.mark.parametrize("data", LISTS.values(), ids=LISTS)
def test_what_is_no_revocation_list(data):
    with pytest.raises(RevocationListUnreadable):
        read_revocation_list(data)


def test_elements_and_what_follows_them():
    data = tlv(0x02, b"\1") + tlv(0x04, bytes(200)) + tlv(0x05)
    assert [part.tag for part in read_elements(data, (0x02, 0x04, 0x05))] == [2, 4, 5]
    assert read_elements(data, (0x02,), more=True)[0].content == b"\1"
    assert read_elements(b"", ()) == ()
    assert [part.tag for part in read_all(data)] == [2, 4, 5]
    with pytest.raises(DerUnreadable):
        read_all(data[:-1])
    for tags in ((0x02,), (0x02, 0x04, 0x05, 0x05), (0x04,), (0x02, 0x05)):
        with pytest.raises(DerUnreadable):
            read_elements(data, tags)


def extensions_with(name, value):
    return read_extensions(read_elements(tlv(0x30, extension(name, value)), (0x30,))[0])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("3000", (False, None)),
        ("30030101ff", (True, None)),
        ("30060101ff020103", (True, 3)),
        ("30060101ff020100", (True, 0)),
    ],
)
def test_basic_constraints(value, found):
    assert basic_constraints(extensions_with("551d13", bytes.fromhex(value))) == found


@pytest.mark.parametrize(
    "value", ["", "0500", "3003010100", "30030101fe", "3003020103", "30060101ff0201ff", "30060201030101ff", "30020500"]
)
def test_what_is_no_basic_constraints(value):
    with pytest.raises(DerUnreadable):
        basic_constraints(extensions_with("551d13", bytes.fromhex(value)))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("030100", set()),
        ("03020780", {"digital_signature"}),
        ("03020106", {"key_cert_sign", "crl_sign"}),
        ("0303070080", set()),
        ("0303070480", {"key_cert_sign"}),
    ],
)
def test_key_usage(value, found):
    assert key_usage(extensions_with("551d0f", bytes.fromhex(value))) == found


@pytest.mark.parametrize("value", ["", "0300", "03020880", "0304000000 00", "04020780"])
def test_what_is_no_key_usage(value):
    with pytest.raises(DerUnreadable):
        key_usage(extensions_with("551d0f", bytes.fromhex(value)))


@pytest.mark.parametrize(
    ("value", "found"), [("3000", None), ("30038001ab", b"\xab"), ("30078001ab8202 0102", b"\xab")]
)
def test_authority_key_id(value, found):
    assert authority_key_id(extensions_with("551d23", bytes.fromhex(value))) == found


@pytest.mark.parametrize("value", ["", "0401ab", "30068001ab8001ab", "3003800 2ab".replace(" ", "")])
def test_what_is_no_authority_key_id(value):
    with pytest.raises(DerUnreadable):
        authority_key_id(extensions_with("551d23", bytes.fromhex(value)))


@pytest.mark.parametrize(("content", "number"), [("00", 0), ("7f", 127), ("0080", 128), ("7f" + "ff" * 19, 2**159 - 1)])
def test_positive_integers(content, number):
    assert positive_integer(bytes.fromhex(content)) == number


@pytest.mark.parametrize("content", ["", "80", "007f", "0000", "7f" + "ff" * 20])
def test_what_is_no_positive_integer(content):
    with pytest.raises(DerUnreadable):
        positive_integer(bytes.fromhex(content))


def test_what_does_not_begin_as_pem_is_left_alone():
    assert pem_or_der(b"\x30\x00", "CERTIFICATE") == b"\x30\x00"
    assert pem_or_der(pem(b"\x30\x00", "CERTIFICATE").replace(b"\n", b"\r\n"), "CERTIFICATE") == b"\x30\x00"


def test_the_same_labels_give_the_same_bytes():
    again = root("reader root", organisation="org1.example")
    assert again.der == ROOT.der
    assert Key("a").public != Key("b").public
