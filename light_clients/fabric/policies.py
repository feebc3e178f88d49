"""Who must have signed: policies of a channel (Fabric 3.1 `common/policies`, `common/cauthdsl`).

A *signature policy* counts identities: N out of some rules, each a principal or again N out of rules. Rules are tried in
order, an identity is used once, and the first unused one that fits is taken, as Fabric does it. An *implicit* policy counts
the groups below whose own policy of a name is satisfied: any, all, or more than half of them. A policy that asks for nobody,
or a group without members, satisfies nothing here.

Principals: a role in an organisation (member, admin, client, peer, orderer), an organisational unit, one certificate, that
an identity is not anonymous, and several of these together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from light_clients.errors import LightClientError
from light_clients.fabric.config_tree import ConfigGroup
from light_clients.fabric.errors import PolicyInvalid
from light_clients.fabric.membership import Identity, read_identity, split_identity
from light_clients.protobuf import Message

SIGNATURE_POLICY, IMPLICIT_META_POLICY = 1, 3
"""Types of a `common.Policy`."""

ANY, ALL, MAJORITY = 0, 1, 2
"""Rules of an `ImplicitMetaPolicy`."""

ROLE, ORGANIZATION_UNIT, IDENTITY, ANONYMITY, COMBINED = 0, 1, 2, 3, 4
"""Classifications of a principal (`msp_principal.proto`)."""

MEMBER = 0
"""The role of every identity of an organisation; the numbers after it are those of `_ROLES`."""

_ROLES = {1: "admin", 2: "client", 3: "peer", 4: "orderer"}

MAXIMUM_RULES = 1_000
"""Rules in one signature policy, at every depth together."""

MAXIMUM_DEPTH = 8
"""Rules inside rules, and principals inside principals."""


@dataclass(frozen=True, slots=True)
class Principal:
    """What an identity may be.

    Attributes:
        kind: One of the classifications.
        msp_id: The organisation, for a role, a unit and a certificate.
        role: Number of the role; for anonymity 0 where an identity must not be anonymous.
        unit: Name of the unit.
        content: The certificate (PEM), or the chain of authorities that a unit is of.
        parts: Principals of which all must fit.
    """

    kind: int
    msp_id: str = ""
    role: int = 0
    unit: str = ""
    content: bytes = b""
    parts: tuple[Principal, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a signature policy.

    Attributes:
        principal: Who must have signed, or ``None`` where it counts other rules.
        wanted: How many of the rules.
        rules: The rules that it counts.
    """

    principal: Principal | None
    wanted: int
    rules: tuple[Rule, ...]


def satisfies_policy(
    root: ConfigGroup, path: str, identities: Sequence[Identity], memberships: Mapping[str, bytes]
) -> bool:
    """Whether identities satisfy a policy of the channel.

    Args:
        root: The channel's group.
        path: Such as ``/Channel/Orderer/BlockValidation``.
        identities: Who signed; each is counted once.
        memberships: `FabricMSPConfig` by membership id.

    Raises:
        PolicyInvalid: The policy cannot be read.
        ProtobufRefused: As above.
    """
    top, *names = path.removeprefix("/").split("/")
    if top != "Channel" or not names or not path.startswith("/"):
        return False
    group: ConfigGroup | None = root
    for name in names[:-1]:
        group = group.groups.get(name) if group else None
    return group is not None and satisfies_group_policy(group, names[-1], distinct(identities), memberships)


def satisfies_group_policy(
    group: ConfigGroup, name: str, identities: Sequence[Identity], memberships: Mapping[str, bytes]
) -> bool:
    """Whether identities satisfy a policy of one group; its recursion ends with the tree.

    Args:
        group: Any group.
        name: Of the policy in it.
        identities: Distinct ones.
        memberships: As for `satisfies_policy`.

    Raises:
        PolicyInvalid: The policy cannot be read.
    """
    item = group.policies.get(name)
    if item is None:
        return False
    policy = Message.read(item.content, (1, 2))
    kind, content = policy.integer(1), policy.octets(2)
    if kind == SIGNATURE_POLICY:
        return satisfies_signature_policy(content, identities, memberships)
    if kind != IMPLICIT_META_POLICY:
        raise PolicyInvalid("A policy is neither of signatures nor implicit.", found=kind)
    implicit = Message.read(content, (1, 2))
    below, rule = implicit.text(1), implicit.integer(2)
    wanted = {ANY: 1, ALL: max(1, len(group.groups)), MAJORITY: len(group.groups) // 2 + 1}.get(rule)
    if wanted is None:
        raise PolicyInvalid("An implicit policy is of any, all or more than half.", found=rule)
    return sum(satisfies_group_policy(each, below, identities, memberships) for each in group.groups.values()) >= wanted


def satisfies_signature_policy(
    content: bytes, identities: Sequence[Identity], memberships: Mapping[str, bytes]
) -> bool:
    """Whether identities satisfy a signature policy.

    Args:
        content: `SignaturePolicyEnvelope`.
        identities: Who signed; each is counted once.
        memberships: As for `satisfies_policy`.

    Raises:
        PolicyInvalid: It cannot be read, is too deep or too large, or asks for nobody.
    """
    known = distinct(identities)
    return _satisfies_rule(read_signature_policy(content), known, [False] * len(known), memberships)


def distinct(identities: Sequence[Identity]) -> tuple[Identity, ...]:
    """The identities, each once, where it stands first."""
    found: dict[tuple[str, bytes], Identity] = {}
    for identity in identities:
        found.setdefault(identity.key, identity)
    return tuple(found.values())


@lru_cache(maxsize=256)
def read_signature_policy(content: bytes) -> Rule:
    """Reads a signature policy.

    Args:
        content: `SignaturePolicyEnvelope`.

    Raises:
        PolicyInvalid: It is of another version, too deep or too large, or asks for nobody.
    """
    envelope = Message.read(content, (1, 2, 3))
    if envelope.integer(1):
        raise PolicyInvalid("A signature policy is of a version that is not known.", found=envelope.integer(1))
    principals = tuple(read_principal(item) for item in envelope.repeated(3))
    return _read_rule(envelope.octets(2), principals, 0, count())


def _read_rule(data: bytes, principals: tuple[Principal, ...], depth: int, counted: count[int]) -> Rule:
    if depth > MAXIMUM_DEPTH or next(counted) >= MAXIMUM_RULES:
        raise PolicyInvalid("A signature policy has too many rules, or rules nested too deep.", expected=MAXIMUM_RULES)
    message = Message.read(data, (1, 2))
    if message.has(1) == message.has(2):
        raise PolicyInvalid("A rule is either a principal or so many out of others.")
    if message.has(1):
        index = message.integer(1)
        if index >= len(principals):
            raise PolicyInvalid("A rule names a principal that is not in the policy.", found=index)
        return Rule(principals[index], 0, ())
    content = Message.read(message.octets(2), (1, 2))
    wanted, rules = content.integer(1), content.repeated(2)
    if not 1 <= wanted <= len(rules):
        raise PolicyInvalid("A rule asks for none of its rules, or for more than there are.", found=wanted)
    return Rule(None, wanted, tuple(_read_rule(rule, principals, depth + 1, counted) for rule in rules))


def read_principal(data: bytes, depth: int = 0) -> Principal:
    """Reads a principal.

    Args:
        data: `MSPPrincipal`.
        depth: Principals around it.

    Raises:
        PolicyInvalid: It is of a kind that is not known, or nested too deep.
    """
    message = Message.read(data, (1, 2))
    kind, content = message.integer(1), message.octets(2)
    if kind == ROLE:
        role = Message.read(content, (1, 2))
        return Principal(kind, role.text(1), role=role.integer(2))
    if kind == ORGANIZATION_UNIT:
        unit = Message.read(content, (1, 2, 3))
        return Principal(kind, unit.text(1), unit=unit.text(2), content=unit.octets(3))
    if kind == IDENTITY:
        msp_id, id_bytes = split_identity(content)
        return Principal(kind, msp_id, content=id_bytes)
    if kind == ANONYMITY:
        return Principal(kind, role=Message.read(content, (1,)).integer(1))
    if kind != COMBINED or depth >= MAXIMUM_DEPTH:
        raise PolicyInvalid("A principal is of a kind that is not known, or nested too deep.", found=kind)
    parts = Message.read(content, (1,)).repeated(1)
    return Principal(kind, parts=tuple(read_principal(part, depth + 1) for part in parts))


def satisfies_principal(identity: Identity, principal: Principal, memberships: Mapping[str, bytes]) -> bool:
    """Whether an identity is what a principal describes.

    Args:
        identity: One that its organisation's rules accept.
        principal: Who is asked for.
        memberships: As for `satisfies_policy`.
    """
    if principal.kind == COMBINED:
        parts = principal.parts
        return bool(parts) and all(satisfies_principal(identity, part, memberships) for part in parts)
    if principal.kind == ANONYMITY:
        return principal.role == 0
    if principal.msp_id != identity.msp_id:
        return False
    if principal.kind == ROLE:
        return principal.role == MEMBER or _ROLES.get(principal.role) in identity.roles
    if principal.kind == ORGANIZATION_UNIT:
        return principal.unit in identity.units and principal.content == identity.issuer_chain
    return _is_certificate(identity, principal, memberships)


def _satisfies_rule(
    rule: Rule, identities: Sequence[Identity], used: list[bool], memberships: Mapping[str, bytes]
) -> bool:
    if rule.principal is not None:
        for place, identity in enumerate(identities):
            if not used[place] and satisfies_principal(identity, rule.principal, memberships):
                used[place] = True
                return True
        return False
    satisfied = 0
    for below in rule.rules:
        tried = list(used)
        if _satisfies_rule(below, identities, tried, memberships):
            satisfied += 1
            used[:] = tried
    return satisfied >= rule.wanted


def _is_certificate(identity: Identity, principal: Principal, memberships: Mapping[str, bytes]) -> bool:
    content = memberships.get(principal.msp_id)
    if content is None:
        return False
    try:
        return read_identity(content, principal.content).certificate == identity.certificate
    except LightClientError:
        return False
