"""Who belongs to an organisation, and as what."""

import hashlib
from dataclasses import replace

import pytest

from light_clients.fabric import errors as own
from light_clients.fabric.membership import MAXIMUM_AUTHORITIES, read_identity, read_membership
from tests.support import certificate_authority as authority
from tests.support import fabric_chain as f

PLAIN = f.Organisation("Org1MSP")
DEEP = f.Organisation("Org2MSP", intermediate=True)


@pytest.mark.parametrize("organisation", [PLAIN, DEEP])
@pytest.mark.parametrize("role", [f.CLIENT, f.PEER, f.ADMIN, f.ORDERER])
def test_an_identity_has_the_role_of_its_unit(organisation, role):
    issued = organisation.member(role)
    found = read_identity(organisation.content, issued.pem)
    assert found.roles == {role}
    assert found.msp_id == organisation.msp_id
    assert found.key == (organisation.msp_id, issued.key.public)
    expected = (organisation.issuer.der,) if organisation is PLAIN else (organisation.issuer.der, organisation.root.der)
    assert found.authorities == expected
    assert found.issuer_chain == hashlib.sha256(b"".join(expected)).digest()
    assert found.signed(b"message", issued.key.sign(b"message"))
    assert not found.signed(b"another", issued.key.sign(b"message"))


def test_validity_is_the_earliest_end_of_the_chain():
    assert read_identity(PLAIN.content, PLAIN.member(f.PEER, not_after=5_000).pem).expires_at == 5_000
    assert read_identity(PLAIN.content, PLAIN.member(f.PEER, not_after=authority.UNTIL + 9).pem).expires_at == (
        authority.UNTIL
    )


def test_another_organisations_certificate_is_refused():
    for mine, theirs in ((PLAIN, DEEP), (DEEP, PLAIN)):
        with pytest.raises(own.IdentityInvalid):
            read_identity(mine.content, theirs.member(f.PEER).pem)


def test_what_is_no_certificate_or_of_another_curve_is_refused():
    for data in (b"", b"junk", PLAIN.member(f.PEER).pem[:-40]):
        with pytest.raises(own.IdentityInvalid):
            read_identity(PLAIN.content, data)
    with pytest.raises(own.IdentityInvalid) as caught:
        read_identity(PLAIN.content, PLAIN.member(f.PEER, scheme="sm2-sm3").pem)
    assert caught.value.found == "sm2-sm3"


def test_an_authority_is_no_identity():
    for data in (PLAIN.root.pem, DEEP.issuer.pem):
        with pytest.raises(own.IdentityInvalid):
            read_identity(PLAIN.content if data == PLAIN.root.pem else DEEP.content, data)


@pytest.mark.parametrize("organisation", [PLAIN, DEEP])
def test_a_revoked_certificate_is_refused(organisation):
    strict = replace(organisation, revoked=("peer0",))
    with pytest.raises(own.IdentityRevoked):
        read_identity(strict.content, strict.member(f.PEER).pem)
    assert read_identity(strict.content, strict.member(f.PEER, "1").pem).roles == {f.PEER}


def test_a_revoked_intermediate_takes_everybody_with_it():
    serial = f.serial_of("ica.Org2MSP")
    listed = authority.pem(authority.revocation_list(DEEP.root, [serial]), "X509 CRL")
    with pytest.raises(own.IdentityInvalid):
        read_identity(DEEP.content + f.message((5, listed)), DEEP.member(f.PEER).pem)


def test_exactly_one_role():
    for units in ((), ("sales",), (f.PEER, f.CLIENT), (f.PEER, f.PEER)):
        with pytest.raises(own.IdentityRoleInvalid):
            read_identity(PLAIN.content, PLAIN.member(f.PEER, units=units).pem)
    assert read_identity(PLAIN.content, PLAIN.member(f.PEER, units=("sales", f.PEER)).pem).roles == {f.PEER}


def test_a_role_is_given_by_the_authority_of_the_rule():
    by_root = authority.issue(DEEP.root, "peer0 of the root", units=(f.PEER,))
    with pytest.raises(own.IdentityRoleInvalid):
        read_identity(DEEP.content, by_root.pem)
    rule = f.message((2, f.PEER))
    anywhere = f.message((1, "Org2MSP"), (2, DEEP.root.pem), (11, f.message((1, 1), (3, rule))))
    assert read_identity(anywhere, by_root.pem).roles == {f.PEER}


def test_without_node_units_there_are_members_and_listed_administrators():
    plain = f.Organisation("Org1MSP", node_units=False, listed=("boss",))
    assert read_identity(plain.content, plain.member(f.PEER).pem).roles == frozenset()
    boss = plain.member(f.ADMIN, "boss", units=())
    assert read_identity(plain.content, boss.pem).roles == {"admin"}
    strict = f.Organisation("Org1MSP", listed=("boss",))
    with pytest.raises(own.IdentityRoleInvalid):
        read_identity(strict.content, boss.pem)


def test_units_that_every_identity_must_have():
    strict = replace(PLAIN, unit_rules=("trade", "bank"), node_units=False)
    assert read_identity(strict.content, strict.member(f.PEER, units=("bank",)).pem).roles == frozenset()
    with pytest.raises(own.IdentityRoleInvalid):
        read_identity(strict.content, strict.member(f.PEER).pem)
    with_nodes = replace(strict, node_units=True)
    assert read_identity(with_nodes.content, with_nodes.member(f.PEER).pem).roles == {f.PEER}


def test_an_organisation_has_a_bounded_number_of_authorities():
    with pytest.raises(own.IdentityInvalid):
        read_membership(f.message((1, "Org1MSP"), *[(2, PLAIN.root.pem)] * (MAXIMUM_AUTHORITIES + 1)))


def test_an_intermediate_listed_beside_a_second_way_up():
    """Two intermediates of one name and key: the chain is found over the one that leads to the root."""
    content = f.message((1, "Org2MSP"), (2, DEEP.root.pem), (3, DEEP.issuer.pem), (3, DEEP.issuer.pem))
    found = read_identity(content, DEEP.member(f.PEER).pem)
    assert found.authorities == (DEEP.issuer.der, DEEP.root.der)
    assert found.roles == frozenset()


def test_a_blind_alley_among_the_authorities():
    """The way up that stands first ends at a root that is not the organisation's: the one that leads home is taken."""
    elsewhere = authority.root("ca.Elsewhere")
    crossed = authority.issue(
        elsewhere, "ica.Org2MSP", authority=True, key=DEEP.issuer.key, subject=DEEP.issuer.subject
    )
    content = f.message((1, "Org2MSP"), (2, DEEP.root.pem), (3, crossed.pem), (3, DEEP.issuer.pem))
    found = read_identity(content, DEEP.member(f.PEER).pem)
    assert found.authorities == (DEEP.issuer.der, DEEP.root.der)
