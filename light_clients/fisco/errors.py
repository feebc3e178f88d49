"""What only FISCO BCOS is refused for."""

from __future__ import annotations

from light_clients.errors import ClaimRefused, HeaderRefused, ProofRefused


class SealersUnexpected(HeaderRefused):
    """The list of sealers differs from the trusted one, and no proof of the change came with the header."""


class SealerStepInvalid(HeaderRefused):
    """A proof of a change of sealers is no successful call of the consensus precompile, or leads to another set."""


class SealerIndexInvalid(HeaderRefused):
    """A signature names an index that is outside of the list of sealers."""


class ParentsInvalid(HeaderRefused):
    """A header has not exactly one parent, or its number is not one below."""


class TransactionMalformed(ProofRefused):
    """A transaction is not in the form of its line."""


class ReceiptMalformed(ProofRefused):
    """A receipt is not in the form of its line."""


class InclusionInvalid(ProofRefused):
    """A path in a block's tree does not have the shape that the position and the count ask for."""


class InclusionRootMismatch(ProofRefused):
    """A path leads to another root."""


class TransactionAmbiguous(ClaimRefused):
    """The hashed bytes of a transaction can be read as a call of another contract."""


class CallUnexpected(ClaimRefused):
    """The transaction is no direct call of the function whose event is claimed."""


class ExecutionFailed(ClaimRefused):
    """The receipt says that the transaction failed."""


class ReceiptBlockMismatch(ClaimRefused):
    """The receipt names another block than the one under whose root it stands."""
