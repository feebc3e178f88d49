"""What a node means by a refusal: ChainMaker's status codes and texts, sorted.

Codes: pb-go `common.TxStatusCode`. Texts: `common/errors` (transaction pool) and `utils.VerifyTxWithoutPayload` (members), as
their source has them; a contract's failure is text on this platform, never revert data.
"""

from __future__ import annotations

import re

from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import AdapterError, MemberRefused, Misconfigured, Rejected, Unreachable

SUCCESS, TIMEOUT, NO_PERMISSION, CONTRACT_FAIL, INTERNAL_ERROR = 0, 1, 3, 4, 5
ARCHIVED = frozenset({40, 41})
LONGEST_TEXT = 300

_KNOWN = re.compile(r"txid exist|already.{0,12}(in|on) the (chain|pool)|had been on the block ?chain", re.IGNORECASE)
_EXPIRED = re.compile(r"txtimestamp error|before expiration time|expired?\b", re.IGNORECASE)
_POOL = re.compile(r"pool is full|pool has stopped|too many", re.IGNORECASE)
_TOO_LARGE = re.compile(r"too (large|long|big)|exceeds? .{0,20}(size|limit)", re.IGNORECASE)
_REVOKED = re.compile(r"revoked|frozen", re.IGNORECASE)
_OUTDATED = re.compile(r"certificate.{0,40}(expired|not yet valid)|CertificateExpired", re.IGNORECASE)
_MEMBER = re.compile(
    r"authenticat|unmatched organi|certificate|signature is invalid|permission|principal|access ?control", re.IGNORECASE
)
_CHAIN = re.compile(r"chain id \[|get chain.?conf|chain .{0,40}not (exist|found)", re.IGNORECASE)
_ENDORSEMENT = re.compile(r"endorsement|authentication (error|failed) for", re.IGNORECASE)


def known_already(response: pb.TxResponse) -> bool:
    """Whether a node refuses a transaction because it has it."""
    return response.code != SUCCESS and _KNOWN.search(response.message) is not None


def refusal(response: pb.TxResponse, endpoint: str, member: str) -> AdapterError:
    """Sort a refusal.

    Args:
        response: with a code that is not success.
        endpoint: without credentials.
        member: the certificate that signed the request, as its file is called.

    Returns:
        `Misconfigured` where a person has to change a certificate or the chain's name, `Unreachable` where the node is busy,
        else `Rejected`.
    """
    text = shown(response.message or response.contract_result.message)
    if response.code in ARCHIVED:
        return Rejected(f"{endpoint} has archived that block.", code="no_state", endpoint=endpoint)
    if response.code == TIMEOUT:
        return Unreachable(f"{endpoint} answers that its time is over ({text}).", endpoint=endpoint)
    if response.code == CONTRACT_FAIL:
        said = shown(response.contract_result.message) or text
        return Rejected(f"The call fails: {said}", code="reverted", reason=said, endpoint=endpoint)
    if _CHAIN.search(text):
        return Misconfigured(
            f"{endpoint} does not serve this chain ({text}); correct the option chain.", endpoint=endpoint
        )
    if response.code in (INTERNAL_ERROR, NO_PERMISSION):
        judged = _member_refusal(text, endpoint, member)
        if judged is not None:
            return judged
    for code, pattern in (("expired", _EXPIRED), ("pool_full", _POOL), ("too_large", _TOO_LARGE)):
        if pattern.search(text):
            return Rejected(f"{endpoint} refuses the request: {text}", code=code, reason=text, endpoint=endpoint)
    return Rejected(f"{endpoint} refuses the request: {text}", reason=text, endpoint=endpoint)


def shown(text: str) -> str:
    """A node's text as a person may read it: one line, printable, at most 300 characters."""
    return "".join(character if character.isprintable() else " " for character in text[:LONGEST_TEXT]).strip()


def _member_refusal(text: str, endpoint: str, member: str) -> Misconfigured | None:
    if _REVOKED.search(text):
        why = f"The chain has revoked or frozen the certificate {member}; get a new one and put it in its place"
    elif _OUTDATED.search(text):
        why = f"The chain says that the certificate {member} is over; put a renewed one in its place"
    elif _ENDORSEMENT.search(text):
        why = "Too few administrators endorsed this; put certificates and keys of more organisations into the endorsers folder"
    elif _MEMBER.search(text):
        why = f"The chain does not take the member {member}; use a certificate of one of its organisations"
    else:
        return None
    return MemberRefused(f"{why} ({text}).", endpoint=endpoint)
