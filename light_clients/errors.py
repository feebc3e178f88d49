"""The refusals of the light clients, drawn as one tree.

    LightClientError            the only family that leaves this package
    ├─ Retry                    their side is slow or behind: ask again, nothing is false
    │  ├─ HeaderGap             headers are missing between the trusted one and this one
    │  └─ HeightNotRetained     the height has left, or not yet reached, the window of the state
    ├─ Refused                  the proof is false: keep the evidence, never retry
    │  ├─ RlpRefused            RlpTruncated · RlpNotCanonical · RlpTrailingBytes · RlpTooDeep
    │  ├─ SignatureRefused      SignatureLength · SignatureRecoveryId · SignatureHighS · SignatureInvalid
    │  ├─ ProofRefused          what a Merkle-Patricia proof can get wrong
    │  ├─ HeaderRefused         what a sealed header can get wrong
    │  └─ ClaimRefused          what a claim and its evidence can get wrong
    ├─ Misbehaviour             two final headers contradict each other: freeze
    └─ Misconfigured            stop, and tell the operator what to change

Every leaf has a name of its own, so that "refused by name" can be tested, logged and counted.
"""

# ruff: noqa: N818 - the names are the protocol's own words (Retry, Refused, Misbehaviour, Misconfigured)

from __future__ import annotations

from typing import ClassVar

Detail = int | str | bytes | None
"""A value that an error carries: an integer, a text, or bytes that are shown in hexadecimal."""


def _shown(value: Detail) -> int | str | None:
    return "0x" + value.hex() if isinstance(value, bytes) else value


class LightClientError(Exception):
    """The base of everything that a light client raises on purpose.

    Attributes:
        message: One sentence that says what is wrong.
        expected: What the rule asks for, where there is one value of it.
        found: What was found in its place.
        next_step: What the reader of the error does next.
    """

    next_step: ClassVar[str] = "Read the message."

    def __init__(self, message: str, *, expected: Detail = None, found: Detail = None) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.found = found

    @property
    def name(self) -> str:
        """The name of the refusal, as tests, logs and counters use it."""
        return type(self).__name__

    def diagnostics(self) -> dict[str, int | str]:
        """Everything that a person needs to act: name, message, values and the next step; bytes as 0x-hexadecimal."""
        details = {"expected": _shown(self.expected), "found": _shown(self.found)}
        told = {key: value for key, value in details.items() if value is not None}
        return {"error": self.name, "message": self.message, **told, "next_step": self.next_step}


class Retry(LightClientError):
    """Their side is slow or behind; nothing was proved false."""

    next_step = "Ask again later, or ask another endpoint."


class Refused(LightClientError):
    """The proof is false."""

    next_step = "Keep the evidence and do not retry with the same bytes; ask another endpoint for the true ones."


class Misconfigured(LightClientError):
    """The client cannot work as it was configured."""

    next_step = "Stop this client and correct its configuration."


class Misbehaviour(LightClientError):
    """Two final headers of one ledger contradict each other.

    Attributes:
        height: The height of both headers.
        evidence: The two sealed headers, byte for byte.
    """

    next_step = "Freeze the client, pause the lanes of this ledger at both gateways, and keep both headers."

    def __init__(self, message: str, *, height: int, evidence: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.height = height
        self.evidence = evidence

    def diagnostics(self) -> dict[str, int | str]:
        """As for every error, with the height and both headers in hexadecimal."""
        first, second = self.evidence
        return {
            **super().diagnostics(),
            "height": self.height,
            "header_a": "0x" + first.hex(),
            "header_b": "0x" + second.hex(),
        }


class RlpRefused(Refused):
    """Bytes that are not one canonical RLP item."""


class RlpTruncated(RlpRefused):
    """An item announces more bytes than there are."""


class RlpNotCanonical(RlpRefused):
    """An item is not in its only canonical form."""


class RlpTrailingBytes(RlpRefused):
    """Bytes follow the item."""


class RlpTooDeep(RlpRefused):
    """Lists are nested deeper than any ledger's object."""


class SignatureRefused(Refused):
    """A signature that is not acceptable in form, or that recovers no key."""


class SignatureLength(SignatureRefused):
    """A signature is not 65 bytes, or a digest or key not 32."""


class SignatureRecoveryId(SignatureRefused):
    """The last byte of a signature is not one of the two that its use allows."""


class SignatureHighS(SignatureRefused):
    """The second half of a signature lies above half of the group order."""


class SignatureInvalid(SignatureRefused):
    """No public key can be recovered."""
