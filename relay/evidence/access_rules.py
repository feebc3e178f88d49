"""Who may read a record: a pure function of the record's rule and of who asks.

A rule names its owner, and readers among other organisations, auditors and everybody:

1. The owner's organisation reads always.
2. An organisation reads where the rule names it; names are compared byte for byte.
3. An auditor reads where the rule says `role:auditor`.
4. Everybody reads where the rule says `public`.
5. Nobody else reads: not an operator, not an officer, not the hub's other organisations.

Who may erase is the owner's organisation alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from relay.errors import BadInput
from schemas.primitives import SchemaError, name_text

PUBLIC = "public"
AUDITORS = "role:auditor"
AUDITOR = "auditor"
_ROLE = "role:"
_SEPARATOR = re.compile("[,\uff0c]")
"""Between readers: a comma, also a full-width one, as Chinese keyboards write it."""


class Decision(StrEnum):
    """Why somebody may read, or that he may not."""

    OWNER = "owner"
    ORGANISATION = "organisation"
    AUDITOR = "auditor"
    PUBLIC = "public"
    REFUSED = "refused"

    @property
    def allowed(self) -> bool:
        """Whether the content is given."""
        return self is not Decision.REFUSED


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        organisation: its name; empty for somebody of none.
        roles: what it is to the hub: application, operator, officer, auditor; none for a stranger.
    """

    organisation: str = ""
    roles: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """The caller as leaves and people name it; empty for a stranger without a role."""
        return self.organisation or ",".join(f"{_ROLE}{role}" for role in sorted(self.roles))


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The rule of a record.

    Attributes:
        owner: the organisation whose record it is.
        readers: organisations, `role:auditor` or `public`, sorted and each once.
    """

    owner: str
    readers: tuple[str, ...] = ()

    @classmethod
    def parse(cls, owner: str, readers: str = "") -> AccessRule:
        """Read a rule as it is typed: `ORG,ORG`, `role:auditor`, `public`, or nothing for the owner alone.

        Raises:
            BadInput: a name is none of the protocol, or could be taken for something else.
        """
        named = [part.strip() for part in _SEPARATOR.split(readers)] if readers.strip() else []
        return cls.of(owner, named)

    @classmethod
    def of(cls, owner: str, readers: list[str] | tuple[str, ...]) -> AccessRule:
        """The same from a list.

        Raises:
            BadInput: as `parse`.
        """
        organisation_name(owner)
        for reader in readers:
            if reader not in (PUBLIC, AUDITORS):
                organisation_name(reader)
        return cls(owner, tuple(sorted(set(readers) - {owner})))

    def decide(self, caller: Caller) -> Decision:
        """Whether the caller may read; the rules are the module's, in their order."""
        if caller.organisation and caller.organisation == self.owner:
            return Decision.OWNER
        if caller.organisation and caller.organisation in set(self.readers) - {AUDITORS, PUBLIC}:
            return Decision.ORGANISATION
        if AUDITOR in caller.roles and AUDITORS in self.readers:
            return Decision.AUDITOR
        if PUBLIC in self.readers:
            return Decision.PUBLIC
        return Decision.REFUSED

    def may_erase(self, caller: Caller) -> bool:
        """Whether the caller may have the content erased."""
        return bool(caller.organisation) and caller.organisation == self.owner

    def __str__(self) -> str:
        """The readers beside the owner as a person reads them."""
        return ", ".join(self.readers) or "the owner alone"


def organisation_name(name: str) -> str:
    """Return `name` if an organisation may have it in a rule.

    Raises:
        BadInput: it is no name of the protocol, or it reads as a role, as `public` or as several names.
    """
    try:
        name_text(name, "organisation")
    except SchemaError as error:
        raise BadInput(f"{error}.", "Give the organisation's registered name.") from None
    if name == PUBLIC or name.startswith(_ROLE) or _SEPARATOR.search(name):
        raise BadInput(
            f"{name!r} names no organisation.",
            "Readers are organisations, role:auditor or public, with commas between.",
        )
    return name
