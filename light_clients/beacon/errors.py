"""What only the beacon chain is refused for."""

from __future__ import annotations

from light_clients.errors import ClaimRefused, HeaderRefused, SealForeign


class BundleInvalid(HeaderRefused):
    """The bundle is not the RLP list of a kind, a fork and one SSZ object, or is of a kind that does not belong here."""


class ForkUnexpected(HeaderRefused):
    """The bundle is in the form of a fork that its slots cannot have."""


class SlotOrderInvalid(HeaderRefused):
    """The slots are not finalized, attested and signed in this order."""


class ExecutionBranchInvalid(HeaderRefused):
    """The execution header is not the one of the beacon block's body."""


class FinalityBranchInvalid(HeaderRefused):
    """The finalized header is not the one of the attested state."""


class CommitteeBranchInvalid(HeaderRefused):
    """The sync committee is not the one of the state that should hold it."""


class CommitteeMismatch(HeaderRefused):
    """The next sync committee is another one than the one that is known already."""


class FinalizedConflict(HeaderRefused):
    """Another block of this slot was accepted as finalized."""


class SyncSignatureInvalid(SealForeign):
    """The aggregate signature is not by those members of the committee over this header."""


class ExecutionAbsent(ClaimRefused):
    """The finalized header is of a fork before Capella and shows no execution block."""
