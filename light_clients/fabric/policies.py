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


@dataclass(slots=True)
class _Evaluation:
    """One run through a signature policy.

    Attributes:
        identities: Who signed, each once.
        principals: Of the policy.
        memberships: The rules of the organisations, for principals that are certificates.
        rules: How many rules were tried.
    """

    identities: Sequence[Identity]
    principals: tuple[bytes, ...]
    memberships: Mapping[str, bytes]
    rules: int = 0


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
    envelope = Message.read(content, (1, 2, 3))
    if envelope.integer(1):
        raise PolicyInvalid("A signature policy is of a version that is not known.", found=envelope.integer(1))
    known = distinct(identities)
    evaluation = _Evaluation(known, envelope.repeated(3), memberships)
    return _satisfies_rule(evaluation, envelope.octets(2), [False] * len(known), 0)


def distinct(identities: Sequence[Identity]) -> tuple[Identity, ...]:
    """The identities, each once, where it stands first."""
    found: dict[tuple[str, bytes], Identity] = {}
    for identity in identities:
        found.setdefault(identity.key, identity)
    return tuple(found.values())


def _satisfies_rule(evaluation: _Evaluation, data: bytes, used: list[bool], depth: int) -> bool:
    evaluation.rules += 1
    if depth > MAXIMUM_DEPTH or evaluation.rules > MAXIMUM_RULES:
        raise PolicyInvalid("A signature policy has too many rules, or rules nested too deep.", found=evaluation.rules)
    message = Message.read(data, (1, 2))
    if message.has(1) == message.has(2):
        raise PolicyInvalid("A rule is either a principal or so many out of others.")
    if message.has(1):
        return _satisfies_signed_by(evaluation, message.integer(1), used)
    counted = Message.read(message.octets(2), (1, 2))
    wanted, rules = counted.integer(1), counted.repeated(2)
    if not 1 <= wanted <= len(rules):
        raise PolicyInvalid("A rule asks for none of its rules, or for more than there are.", found=wanted)
    satisfied = 0
    for rule in rules:
        tried = list(used)
        if _satisfies_rule(evaluation, rule, tried, depth + 1):
            satisfied += 1
            used[:] = tried
    return satisfied >= wanted


def _satisfies_signed_by(evaluation: _Evaluation, index: int, used: list[bool]) -> bool:
    if index >= len(evaluation.principals):
        raise PolicyInvalid("A rule names a principal that is not in the policy.", found=index)
    principal = evaluation.principals[index]
    for place, identity in enumerate(evaluation.identities):
        if not used[place] and satisfies_principal(identity, principal, evaluation.memberships):
            used[place] = True
            return True
    return False


def satisfies_principal(identity: Identity, data: bytes, memberships: Mapping[str, bytes], depth: int = 0) -> bool:
    """Whether an identity is what a principal describes.

    Args:
        identity: One that its organisation's rules accept.
        data: `MSPPrincipal`.
        memberships: As for `satisfies_policy`.
        depth: Principals around it.

    Raises:
        PolicyInvalid: It is of a kind that is not known, or nested too deep.
    """
    message = Message.read(data, (1, 2))
    kind, content = message.integer(1), message.octets(2)
    if kind == ROLE:
        role = Message.read(content, (1, 2))
        number = role.integer(2)
        return role.text(1) == identity.msp_id and (number == MEMBER or _ROLES.get(number) in identity.roles)
    if kind == ORGANIZATION_UNIT:
        unit = Message.read(content, (1, 2, 3))
        named = unit.text(1) == identity.msp_id and unit.text(2) in identity.units
        return named and unit.octets(3) == identity.issuer_chain
    if kind == IDENTITY:
        return _is_certificate(identity, content, memberships)
    if kind == ANONYMITY:
        return Message.read(content, (1,)).integer(1) == 0
    if kind != COMBINED or depth >= MAXIMUM_DEPTH:
        raise PolicyInvalid("A principal is of a kind that is not known, or nested too deep.", found=kind)
    parts = Message.read(content, (1,)).repeated(1)
    return bool(parts) and all(satisfies_principal(identity, part, memberships, depth + 1) for part in parts)


def _is_certificate(identity: Identity, content: bytes, memberships: Mapping[str, bytes]) -> bool:
    msp_id, id_bytes = split_identity(content)
    if msp_id != identity.msp_id or msp_id not in memberships:
        return False
    try:
        return read_identity(memberships[msp_id], id_bytes).certificate == identity.certificate
    except LightClientError:
        return False
