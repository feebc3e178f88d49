"""Chains: real networks, both schemes, and each check failing alone."""

from dataclasses import replace

import pytest
from cryptography import x509

from light_clients.crypto.certificates import (
    MOST_AUTHORITIES,
    read_certificate,
    read_revocation_list,
    verify_chain,
    verify_message,
)
from light_clients.crypto.der import signature_from_der, signature_to_der
from light_clients.crypto.errors import (
    CertificateAlgorithmMismatch,
    CertificateChainTooLong,
    CertificateExpired,
    CertificateExtensionUnknown,
    CertificateIsAuthority,
    CertificateNotYetValid,
    CertificateRevoked,
    CertificateSignatureInvalid,
    IssuerUnknown,
    NotAnAuthority,
    RevocationListInvalid,
)
from light_clients.crypto.p256 import ORDER
from tests.support.certificate_authority import (
    ALGORITHMS,
    FROM,
    UNTIL,
    Key,
    extension,
    issue,
    name,
    revocation_list,
    root,
)
from tests.support.shared_vectors import shared

NOW = FROM + 1_000
SCHEMES = list(ALGORITHMS)


def read(*issued):
    return tuple(read_certificate(item.der) for item in issued)


class Family:
    """A root, an authority below it, a member below that."""

    def __init__(self, scheme):
        self.root = root(f"root {scheme}", scheme)
        self.middle = issue(self.root, f"middle {scheme}", authority=True)
        self.member = issue(self.middle, f"member {scheme}")
        self.r, self.m, self.leaf = read(self.root, self.middle, self.member)


@pytest.fixture(params=SCHEMES, scope="module")
def family(request):
    return Family(request.param)


def test_a_chain_in_its_time(family):
    verify_chain(family.leaf, [family.r], [family.m], NOW)
    verify_chain(family.leaf, [family.r], [family.m])
    verify_chain(family.leaf, [family.m], [], NOW)
    verify_chain(family.leaf, [family.r, family.m], [family.m], NOW)


@pytest.mark.parametrize("folder", ["raft", "bft"])
def test_fabrics_certificates_by_their_organisations_authorities(folder):
    count = 0
    for authorities in sorted(shared(f"fabric/{folder}/msp").rglob("*Organizations/*/msp")):
        roots = [read_certificate(file.read_bytes()) for file in authorities.glob("*cacerts/*.pem")]
        for file in authorities.parent.rglob("signcerts/*.pem"):
            leaf = read_certificate(file.read_bytes())
            verify_chain(leaf, roots, [], leaf.not_before)
            with pytest.raises(IssuerUnknown):
                verify_chain(leaf, [item for item in roots if item.subject_der != leaf.issuer_der])
            count += 1
    assert count >= 10


@pytest.mark.parametrize("folder", ["ecc", "sm"])
def test_chainmakers_certificates_by_their_own_organisations_authority_alone(folder):
    certificates = [
        read_certificate(file.read_bytes()) for file in sorted(shared(f"chainmaker/{folder}").rglob("*.crt"))
    ]
    roots = [item for item in certificates if item.is_authority]
    members = [item for item in certificates if not item.is_authority]
    assert len(roots) == 4
    assert len(members) >= 16
    for member in members:
        verify_chain(member, roots, [], member.not_after)
        with pytest.raises(IssuerUnknown):
            verify_chain(member, [item for item in roots if item.organisation != member.organisation])


def test_the_library_agrees_on_a_p256_chain():
    family = Family("p256-sha256")
    for below, above in ((family.member, family.middle), (family.middle, family.root)):
        x509.load_der_x509_certificate(below.der).verify_directly_issued_by(x509.load_der_x509_certificate(above.der))


def test_messages_of_a_member(family):
    signature = family.member.key.sign(b"vote")
    assert verify_message(family.leaf, b"vote", signature, low_s=True)
    assert not verify_message(family.leaf, b"note", signature)
    assert not verify_message(family.m, b"vote", signature)
    assert not verify_message(family.leaf, b"vote", signature + b"\0")
    assert not verify_message(family.leaf, b"vote", b"")


def test_a_high_s_is_the_callers_to_refuse():
    family = Family("p256-sha256")
    numbers = signature_from_der(family.member.key.sign(b"vote"))
    high = signature_to_der(numbers[:32] + (ORDER - int.from_bytes(numbers[32:])).to_bytes(32))
    assert verify_message(family.leaf, b"vote", high)
    assert not verify_message(family.leaf, b"vote", high, low_s=True)


def test_an_authority_is_no_member(family):
    with pytest.raises(CertificateIsAuthority):
        verify_chain(family.m, [family.r])
    verify_chain(family.m, [family.r], allow_authority=True)
    verify_chain(family.r, [family.r], allow_authority=True)


@pytest.mark.parametrize("place", ["member", "middle"])
@pytest.mark.parametrize(
    ("at", "refusal"),
    [(NOW - 1, CertificateNotYetValid), (NOW + 101, CertificateExpired), (NOW, None), (NOW + 100, None)],
)
def test_validity_of_each(family, place, at, refusal):
    times = {"not_before": NOW, "not_after": NOW + 100}
    middle = issue(family.root, "timed", authority=True, **(times if place == "middle" else {}))
    leaf, above = read(issue(middle, "timed member", **(times if place == "member" else {})), middle)
    verify_chain(leaf, [family.r], [above])
    if refusal is None:
        verify_chain(leaf, [family.r], [above], at)
    else:
        with pytest.raises(refusal):
            verify_chain(leaf, [family.r], [above], at)


def test_validity_of_a_root(family):
    with pytest.raises(CertificateExpired):
        verify_chain(read_certificate(issue(family.root, "long", not_after=UNTIL + 9).der), [family.r], [], UNTIL + 1)


@pytest.mark.parametrize("place", ["member", "middle", "root"])
def test_what_is_not_understood_is_refused_at_each(place):
    added = {"extensions": (extension("2a0304", b"\x05\x00", critical=True),)}
    top = root("odd root", **(added if place == "root" else {}))
    middle = issue(top, "odd middle", authority=True, **(added if place == "middle" else {}))
    leaf, above, highest = read(issue(middle, "odd member", **(added if place == "member" else {})), middle, top)
    with pytest.raises(CertificateExtensionUnknown):
        verify_chain(leaf, [highest], [above])


def test_nobody_vouches(family):
    other = read_certificate(root("somebody else").der)
    for roots, intermediates in (([], []), ([other], []), ([family.r], []), ([], [family.m]), ([other], [family.m])):
        with pytest.raises(IssuerUnknown):
            verify_chain(family.leaf, roots, intermediates)


def test_a_name_alone_is_no_authority(family):
    twin = root("twin", family.root.key.scheme, subject=family.middle.subject, subject_key_id=None)
    with pytest.raises(CertificateSignatureInvalid):
        verify_chain(family.leaf, read(twin))


def test_names_and_key_identifiers_have_to_agree(family):
    (renamed,) = read(root("renamed", key=family.root.key, subject=name(("CN", "other"))))
    with pytest.raises(IssuerUnknown):
        verify_chain(family.m, [renamed], allow_authority=True)
    (relabelled,) = read(root("x", key=family.root.key, subject=family.root.subject, subject_key_id=b"other"))
    with pytest.raises(IssuerUnknown):
        verify_chain(family.m, [relabelled], allow_authority=True)


def test_key_identifiers_may_be_absent(family):
    (bare,) = read(root("y", key=family.root.key, subject=family.root.subject, subject_key_id=None))
    verify_chain(family.m, [bare], allow_authority=True)
    (leaf,) = read(issue(family.middle, "no identifier", authority_key_id=None))
    verify_chain(leaf, [family.r], [family.m], NOW)


@pytest.mark.parametrize(
    "wrong", [{"authority": False}, {"usage": ("digital_signature", "crl_sign")}, {"authority": False, "usage": None}]
)
def test_who_may_not_sign_certificates(family, wrong):
    middle = issue(family.root, "no authority", **{"authority": True, **wrong})
    leaf, above = read(issue(middle, "child"), middle)
    with pytest.raises(NotAnAuthority):
        verify_chain(leaf, [family.r], [above])
    with pytest.raises(NotAnAuthority):
        verify_chain(leaf, [above])


def test_an_authority_without_key_usage_may(family):
    middle = issue(family.root, "free", authority=True, usage=None)
    leaf, above = read(issue(middle, "child of free"), middle)
    verify_chain(leaf, [family.r], [above])


def test_an_authority_of_another_kind_of_key():
    p256, sm = Family("p256-sha256"), Family("sm2-sm3")
    mixed = issue(p256.root, "mixed", "sm2-sm3", authority=True)
    leaf, above = read(issue(mixed, "child of mixed"), mixed)
    verify_chain(leaf, [p256.r], [above])
    (false,) = read(issue(sm.middle, "false", algorithm=ALGORITHMS["p256-sha256"]))
    with pytest.raises(CertificateAlgorithmMismatch):
        verify_chain(false, [sm.r], [sm.m])


def test_a_signature_by_another_key(family):
    forged = issue(family.middle, "forged", signature=Key("thief", family.root.key.scheme).sign(b"anything"))
    with pytest.raises(CertificateSignatureInvalid):
        verify_chain(*read(forged), [family.r], [family.m])
    garbled = issue(family.middle, "garbled", signature=b"\x30\x00")
    with pytest.raises(CertificateSignatureInvalid):
        verify_chain(*read(garbled), [family.r], [family.m])


def ladder(depth, **limits):
    """A root, so many authorities below it, a member: the member, the root, those between."""
    above = top = root("ladder", **limits)
    between = []
    for number in range(depth):
        above = issue(above, f"step {number}", authority=True)
        between.append(above)
    return (*read(issue(above, "at the end"), top), list(read(*between)))


@pytest.mark.parametrize(("limit", "depth"), [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)])
def test_authorities_below_one_that_limits_them(limit, depth):
    leaf, top, between = ladder(depth, path_length=limit)
    if depth <= limit:
        verify_chain(leaf, [top], between)
    else:
        with pytest.raises(CertificateChainTooLong):
            verify_chain(leaf, [top], between)


def test_a_chain_has_a_bound():
    leaf, top, between = ladder(MOST_AUTHORITIES - 1)
    verify_chain(leaf, [top], between)
    with pytest.raises(CertificateChainTooLong):
        verify_chain(leaf, [top], between, most_authorities=MOST_AUTHORITIES - 1)
    leaf, top, between = ladder(MOST_AUTHORITIES)
    with pytest.raises(CertificateChainTooLong):
        verify_chain(leaf, [top], between)


def test_authorities_that_vouch_for_each_other_end():
    first, second = Key("first"), Key("second")
    name_1, name_2 = name(("CN", "1")), name(("CN", "2"))
    a = issue(root("a", key=second, subject=name_2), "a", key=first, subject=name_1, authority=True)
    b = issue(root("b", key=first, subject=name_1), "b", key=second, subject=name_2, authority=True)
    leaf, *circle = read(issue(a, "in the circle"), a, b)
    with pytest.raises(IssuerUnknown):
        verify_chain(leaf, read(root("elsewhere")), circle)


def test_another_way_is_found_where_one_is_closed(family):
    expired = issue(
        family.root, "z", key=family.middle.key, subject=family.middle.subject, authority=True, not_after=NOW
    )
    (old,) = read(expired)
    verify_chain(family.leaf, [family.r], [old, family.m], NOW + 1)
    verify_chain(family.leaf, [family.r], [family.m, old], NOW + 1)
    with pytest.raises(CertificateExpired):
        verify_chain(family.leaf, [family.r], [old], NOW + 1)


def lists(*ders):
    return tuple(read_revocation_list(der) for der in ders)


def test_what_was_taken_back(family):
    of_member = lists(revocation_list(family.middle, [family.leaf.serial]))
    of_middle = lists(revocation_list(family.root, [1, family.m.serial]))
    for taken_back in (of_member, of_middle):
        with pytest.raises(CertificateRevoked):
            verify_chain(family.leaf, [family.r], [family.m], NOW, taken_back)
    verify_chain(family.leaf, [family.r], [family.m], NOW, lists(revocation_list(family.middle, [1, 2])))


def test_lists_of_others_are_passed_over(family):
    stranger = root("stranger", family.root.key.scheme)
    same_name = root("same name", family.root.key.scheme, subject=family.middle.subject)
    taken_back = lists(
        revocation_list(stranger, [family.leaf.serial]),
        revocation_list(family.root, [family.leaf.serial]),
        revocation_list(same_name, [family.leaf.serial]),
    )
    verify_chain(family.leaf, [family.r], [family.m], NOW, taken_back)


def test_a_list_without_key_identifier_is_its_issuers_by_name(family):
    taken_back = lists(revocation_list(family.middle, [family.leaf.serial], authority_key_id=None))
    with pytest.raises(CertificateRevoked):
        verify_chain(family.leaf, [family.r], [family.m], NOW, taken_back)


def test_a_list_that_its_issuer_did_not_sign(family):
    thief = Key("thief", family.root.key.scheme)
    with pytest.raises(RevocationListInvalid):
        verify_chain(family.leaf, [family.r], [family.m], NOW, lists(revocation_list(family.middle, [1], signer=thief)))


def test_a_list_of_another_kind_of_key(family):
    other = next(scheme for scheme in SCHEMES if scheme != family.root.key.scheme)
    with pytest.raises(RevocationListInvalid):
        verify_chain(
            family.leaf,
            [family.r],
            [family.m],
            NOW,
            lists(revocation_list(family.middle, [1], algorithm=ALGORITHMS[other])),
        )


def test_who_may_not_sign_lists(family):
    middle = issue(family.root, "no lists", authority=True, usage=("key_cert_sign",))
    leaf, above = read(issue(middle, "child of no lists"), middle)
    with pytest.raises(RevocationListInvalid):
        verify_chain(leaf, [family.r], [above], NOW, lists(revocation_list(middle, [1])))


def test_certificates_are_equal_where_their_bytes_are(family):
    assert replace(family.leaf, serial=1) == family.leaf
    assert family.leaf != family.m
    assert len({family.leaf, read_certificate(family.member.pem), family.m}) == 2
