"""Policies: counting, order, principals; bounds of what is read."""

import hashlib
from dataclasses import replace

import pytest

from light_clients.errors import ProtobufRefused
from light_clients.fabric import errors as own
from light_clients.fabric.config_block import read_config
from light_clients.fabric.membership import Identity
from light_clients.fabric.policies import (
    MAXIMUM_DEPTH,
    MAXIMUM_RULES,
    distinct,
    read_principal,
    satisfies_policy,
    satisfies_principal,
    satisfies_signature_policy,
)
from light_clients.fabric.transactions import satisfies_definition
from tests.support import fabric_chain as f

NETWORK = f.Network("etcdraft")
ORG1, ORG2 = NETWORK.organisations
CONFIG = read_config(f.message((2, NETWORK.root.encoded())))
MEMBERS = CONFIG.memberships


def who(organisation, role, label="0", **wrong):
    return CONFIG.identity(organisation.serialized(organisation.member(role, label, **wrong)))


PEER1, PEER2, SECOND1 = who(ORG1, f.PEER), who(ORG2, f.PEER), who(ORG1, f.PEER, "1")
ADMIN1, ADMIN2, CLIENT1 = who(ORG1, f.ADMIN), who(ORG2, f.ADMIN), who(ORG1, f.CLIENT)


def role(count, *pairs):
    return f.roles_policy(count, *pairs)


BOTH = role(2, ("Org1MSP", f.PEER), ("Org2MSP", f.PEER))
TWO_OF_ONE = role(2, ("Org1MSP", f.PEER), ("Org1MSP", f.PEER))


@pytest.mark.parametrize(
    ("policy", "identities", "expected"),
    [
        (BOTH, (PEER1, PEER2), True),
        (BOTH, (PEER2, PEER1), True),
        (BOTH, (PEER1,), False),
        (BOTH, (PEER1, SECOND1), False),
        (BOTH, (PEER1, ADMIN2), False),
        (BOTH, (), False),
        (TWO_OF_ONE, (PEER1, SECOND1), True),
        (TWO_OF_ONE, (PEER1, PEER1), False),
        (role(1, ("Org1MSP", f.PEER), ("Org2MSP", f.PEER)), (PEER2,), True),
        (role(1, ("Org1MSP", f.MEMBER)), (CLIENT1,), True),
        (role(1, ("Org1MSP", f.MEMBER)), (PEER2,), False),
        (role(1, ("Org1MSP", f.CLIENT)), (CLIENT1,), True),
        (role(1, ("Org1MSP", f.ORDERER)), (CLIENT1,), False),
        (role(1, ("Org1MSP", f.ADMIN)), (ADMIN1,), True),
    ],
)
def test_counting(policy, identities, expected):
    assert satisfies_signature_policy(policy, identities, MEMBERS) is expected


def test_an_identity_is_used_once_in_nested_rules():
    principal = f.role_principal("Org1MSP", f.MEMBER), f.role_principal("Org1MSP", f.PEER)
    nested = f.out_of(2, f.signed_by(0), f.out_of(1, f.signed_by(1), f.signed_by(0)))
    policy = f.signature_policy(nested, *principal)
    assert not satisfies_signature_policy(policy, (PEER1,), MEMBERS)
    assert satisfies_signature_policy(policy, (PEER1, CLIENT1), MEMBERS)


def test_the_first_identity_that_fits_is_taken_as_fabric_takes_it():
    policy = f.signature_policy(
        f.out_of(2, f.signed_by(0), f.signed_by(1)),
        f.role_principal("Org1MSP", f.MEMBER),
        f.role_principal("Org1MSP", f.PEER),
    )
    assert satisfies_signature_policy(policy, (CLIENT1, PEER1), MEMBERS)
    assert not satisfies_signature_policy(policy, (PEER1, CLIENT1), MEMBERS)


def test_a_rule_that_fails_gives_its_identities_back():
    pair = f.out_of(2, f.signed_by(0), f.signed_by(1))
    policy = f.signature_policy(
        f.out_of(1, pair, f.signed_by(0)), f.role_principal("Org1MSP", f.PEER), f.role_principal("Org2MSP", f.PEER)
    )
    assert satisfies_signature_policy(policy, (PEER1,), MEMBERS)


def test_identities_are_distinct_by_organisation_and_key():
    again = replace(PEER1, certificate=b"the same key in another certificate")
    assert distinct((PEER1, again, PEER2, PEER1)) == (PEER1, PEER2)
    assert not satisfies_signature_policy(TWO_OF_ONE, (PEER1, again), MEMBERS)


def principal(kind, content):
    return f.message((1, kind), (2, content))


ISSUED = ORG1.member(f.PEER)
CHAIN = hashlib.sha256(ORG1.root.der).digest()
NESTED = principal(0, f.message((1, "Org1MSP"), (2, 3)))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (principal(1, f.message((1, "Org1MSP"), (2, "peer"), (3, CHAIN))), True),
        (principal(1, f.message((1, "Org1MSP"), (2, "peer"), (3, bytes(32)))), False),
        (principal(1, f.message((1, "Org1MSP"), (2, "client"), (3, CHAIN))), False),
        (principal(1, f.message((1, "Org2MSP"), (2, "peer"), (3, CHAIN))), False),
        (principal(2, ORG1.serialized(ISSUED)), True),
        (principal(2, ORG1.serialized(ORG1.member(f.PEER, "1"))), False),
        (principal(2, f.message((1, "Org1MSP"), (2, b"junk"))), False),
        (principal(2, f.message((1, "Org2MSP"), (2, ISSUED.pem))), False),
        (principal(3, b""), True),
        (principal(3, f.message((1, 1))), False),
        (principal(4, f.message((1, NESTED), (1, principal(3, b"")))), True),
        (principal(4, f.message((1, NESTED), (1, f.role_principal("Org1MSP", f.CLIENT)))), False),
        (principal(4, b""), False),
        (principal(0, f.message((1, "Org1MSP"), (2, 9))), False),
    ],
)
def test_principals(data, expected):
    assert satisfies_principal(PEER1, read_principal(data), MEMBERS) is expected


def test_a_certificate_of_an_organisation_that_left_is_nobody():
    assert not satisfies_principal(PEER1, read_principal(principal(2, ORG1.serialized(ISSUED))), {})


def test_principals_have_bounds():
    with pytest.raises(own.PolicyInvalid):
        read_principal(principal(5, b""))
    deep = NESTED
    for _ in range(MAXIMUM_DEPTH):
        deep = principal(4, f.message((1, deep)))
    assert satisfies_principal(PEER1, read_principal(deep), MEMBERS)
    with pytest.raises(own.PolicyInvalid):
        read_principal(principal(4, f.message((1, deep))))


def nested(depth):
    rule = f.signed_by(0)
    for _ in range(depth):
        rule = f.out_of(1, rule)
    return f.signature_policy(rule, f.role_principal("Org1MSP", f.PEER))


@pytest.mark.parametrize(
    "policy",
    [
        f.signature_policy(f.out_of(0, f.signed_by(0)), NESTED),
        f.signature_policy(f.out_of(2, f.signed_by(0)), NESTED),
        f.signature_policy(f.signed_by(1), NESTED),
        f.signature_policy(b"", NESTED),
        f.signature_policy(f.signed_by(0) + f.out_of(1, f.signed_by(0)), NESTED),
        f.message((1, 1), (2, f.signed_by(0)), (3, NESTED)),
        nested(MAXIMUM_DEPTH + 1),
        f.signature_policy(f.out_of(1, *[f.signed_by(0)] * MAXIMUM_RULES), NESTED),
    ],
)
def test_signature_policies_that_cannot_be(policy):
    with pytest.raises(own.PolicyInvalid):
        satisfies_signature_policy(policy, (PEER1,), MEMBERS)


def test_the_bounds_are_reached():
    assert satisfies_signature_policy(nested(MAXIMUM_DEPTH), (PEER1,), MEMBERS)
    widest = f.signature_policy(f.out_of(1, *[f.signed_by(0)] * (MAXIMUM_RULES - 1)), NESTED)
    assert satisfies_signature_policy(widest, (PEER1,), MEMBERS)


ENDORSEMENT = "/Channel/Application/Endorsement"


@pytest.mark.parametrize(
    ("rule", "identities", "expected"),
    [
        (0, (PEER1,), True),
        (0, (CLIENT1,), False),
        (1, (PEER1, PEER2), True),
        (1, (PEER1, SECOND1), False),
        (2, (PEER1, PEER2), True),
        (2, (PEER2,), False),
    ],
)
def test_implicit_policies_count_groups(rule, identities, expected):
    root = NETWORK.root.changed(
        ("Application",),
        lambda group: replace(
            group, policies={**group.policies, "Endorsement": f.Item(f.implicit("Endorsement", rule))}
        ),
    )
    config = read_config(f.message((2, root.encoded())))
    assert satisfies_policy(config.root, ENDORSEMENT, identities, config.memberships) is expected


@pytest.mark.parametrize("rule", [0, 1, 2])
def test_an_implicit_policy_over_nobody_is_not_satisfied(rule):
    root = replace(
        NETWORK.root,
        groups={"Application": f.Group(policies={"Endorsement": f.Item(f.implicit("Endorsement", rule))}),
                "Orderer": NETWORK.root.at("Orderer")},
    )  # fmt: skip
    config = read_config(f.message((2, root.encoded())))
    assert not satisfies_policy(config.root, ENDORSEMENT, (PEER1,), config.memberships)


@pytest.mark.parametrize(
    "path",
    [
        "/Channel",
        "Channel/Application/Endorsement",
        "/Else/Application/Endorsement",
        "/Channel/Nowhere/Endorsement",
        "/Channel/Nowhere/Below/Endorsement",
        "/Channel/Application/Nothing",
        "",
        "/",
    ],
)
def test_a_path_that_leads_nowhere_is_not_satisfied(path):
    assert not satisfies_policy(CONFIG.root, path, (PEER1, PEER2, ADMIN1, ADMIN2), MEMBERS)


@pytest.mark.parametrize("content", [f.message((1, 2)), f.message((1, 3), (2, f.message((1, "Admins"), (2, 3))))])
def test_policies_of_another_kind(content):
    root = replace(NETWORK.root, policies={"Odd": f.Item(content)})
    config = read_config(f.message((2, root.encoded())))
    with pytest.raises(own.PolicyInvalid):
        satisfies_policy(config.root, "/Channel/Odd", (PEER1,), MEMBERS)


def test_the_policy_of_a_definition():
    assert satisfies_definition(CONFIG, f.message((1, BOTH)), (PEER1, PEER2))
    assert not satisfies_definition(CONFIG, f.message((1, BOTH)), (PEER1,))
    assert satisfies_definition(CONFIG, f.message((2, ENDORSEMENT)), (PEER1, PEER2))
    assert not satisfies_definition(CONFIG, f.message((2, ENDORSEMENT)), (PEER1,))
    for policy in (b"", f.message((1, BOTH), (2, ENDORSEMENT))):
        with pytest.raises(own.PolicyInvalid):
            satisfies_definition(CONFIG, policy, (PEER1, PEER2))
    with pytest.raises(ProtobufRefused):
        satisfies_definition(CONFIG, b"\xff", (PEER1,))


def test_an_identity_is_a_value():
    assert isinstance(PEER1, Identity)
    assert who(ORG1, f.PEER) == PEER1
