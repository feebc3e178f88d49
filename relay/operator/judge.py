"""The checks that a claim must pass before an operator signs it, in order. Nothing here asks the network.

 1. The claim can be: its numbers are in range, and nothing is zero that must not be.
 2. The lane is open at both ends, by what the gateways in the operator's own configuration said; their preimages hash to it; and a
    committee stands behind the verifying end.
 3. The suite is the lane's.
 4. The place — ledger, gateway, verifier, epoch — is the one that the operator itself read at the verifying end.
 5. The verifying end pins the very code that the operator pinned.
 6. The light client is not frozen.
 7. The height is not above the operator's own newest final header.
 8. The block is the operator's own at that height.
 9. The nonce is within the operator's own history at that height, and the head is its own after so many entries.
10. A proof that the operator fetched itself shows that history in the state of that block (`LedgerView.prove`).
11. No other head was ever signed there (the database).

What may still come true (an end not seen yet, a header not reached, a history to be read again) is `NotYet`; the rest is
`RefusedClaim` with a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from light_clients.errors import HeightNotRetained
from relay.operator.lanes import KnownLane
from relay.operator.view import LedgerView
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim
from schemas.primitives import Digest, SchemaError, Uint64
from schemas.suites import suite_named

_CLAIM, _PLACE, _UINT64 = TypeAdapter(Claim), TypeAdapter(Place), TypeAdapter(Uint64)
SIGNED_64_MAX = (1 << 63) - 1
_CURSOR = TypeAdapter(Annotated[Uint64, Field(le=SIGNED_64_MAX)])
"""A larger one than any hub's, once kept, would hide every later claim."""


class RefusedClaim(Exception):
    """A claim that is not signed.

    Attributes:
        name: name of the refusal.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class NotYet(Exception):
    """A claim that cannot be judged now.

    Attributes:
        name: what is missing.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class NeedsRewind(NotYet):
    """The claim is older than the history that is kept; it is read again from the lane's opening."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A claim as the hub offers it.

    Attributes:
        cursor: the hub's number of it.
        claim: what is claimed.
        epoch: the committee's epoch.
        suite: name of the lane's suite.
        place: where the hub says that it is judged.
    """

    cursor: int
    claim: Claim
    epoch: int
    suite: str
    place: Place

    @property
    def about(self) -> tuple[bytes, int]:
        """Lane and direction of the claim."""
        return bytes(self.claim.lane_id), int(self.claim.direction)


@dataclass(frozen=True, slots=True)
class Judged:
    """An offer that passed every check but the proof: the digest to sign, where it counts, and the scheme of signatures there."""

    offer: Offer
    place: Place
    digest: Digest
    scheme: str


def read_offer(item: Any) -> Offer:
    """Read an item of `GET /v1/claims`.

    Raises:
        RefusedClaim: it is not of that form.
    """
    try:
        return Offer(
            cursor=_CURSOR.validate_python(str(item["cursor"])),
            claim=_CLAIM.validate_python(item["claim"]),
            epoch=_UINT64.validate_python(item["epoch"]),
            suite=str(item["suite"]),
            place=_PLACE.validate_python(item["place"]),
        )
    except (ValidationError, SchemaError, KeyError, TypeError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise RefusedClaim("OfferMalformed", f"The hub's offer cannot be read: {reason}.") from None


def judge(offer: Offer, known: KnownLane | None, view: LedgerView) -> Judged:
    """Apply checks 1 to 9.

    Args:
        offer: the claim.
        known: the lane, as the operator's own gateways opened it.
        view: the ledger whose history the claim speaks of.

    Raises:
        RefusedClaim: the claim is false, by the name of the check.
        NotYet: it cannot be judged now.
    """
    claim = offer.claim
    # 1. Form.
    try:
        claim.check()
    except SchemaError as error:
        raise RefusedClaim("ClaimMalformed", f"{error}.") from None
    if max(claim.nonce, claim.height, offer.epoch) > SIGNED_64_MAX or offer.epoch == 0:
        raise RefusedClaim("ClaimMalformed", "A number of the claim is larger than any ledger's, or the epoch is 0.")
    # 2. The lane.
    key = (claim.lane_id, int(claim.direction))
    end = known.verifying_end(claim.direction) if known is not None else None
    chronicle = view.chronicles.get(key)
    if known is None or end is None or chronicle is None:
        raise NotYet("LaneUnknown", "The pinned gateways did not open this lane at both ends.")
    place = known.place(claim.direction, offer.epoch)
    if end.committee is None:
        raise NotYet("VerifierUnread", "The verifying ledger has not said yet who verifies there.")
    if place is None:
        raise RefusedClaim("NoCommittee", "Nobody signs for this lane: its verifier there is a light client alone.")
    # 3. The suite.
    if offer.suite != known.lane.suite.name:
        raise RefusedClaim("SuiteMismatch", f"The lane's suite is {known.lane.suite.name}, not {offer.suite[:20]}.")
    # 4. The place.
    for name in ("chain", "gateway", "verifier", "epoch"):
        if getattr(offer.place, name) != getattr(place, name):
            raise RefusedClaim("PlaceMismatch", f"The verifying {name} is not the one read at that ledger.")
    # 5. The pinned code.
    if bytes(end.peer_code_hash) != bytes(view.config.gateway_code_hash):
        raise RefusedClaim("CodeHashMismatch", "The lane's verifying end pins other code of the claimed gateway.")
    # 6. The light client.
    if view.frozen:
        raise RefusedClaim("ClientFrozen", f"The light client of {view.config.name} is frozen.")
    # 7. The height.
    if view.state is None or claim.height > view.state.height:
        raise NotYet("HeightNotReached", f"Block {claim.height} of {view.config.name} is not accepted yet.")
    # 8. The block.
    try:
        accepted = view.block_hash(claim.height, key)
    except HeightNotRetained as error:
        raise RefusedClaim(error.name, "The claim's block is older than the light client remembers.") from None
    if accepted != claim.block_hash:
        raise RefusedClaim("BlockMismatch", f"Another block of height {claim.height} was accepted.")
    # 9. The history.
    if not chronicle.reaches_back_to(claim.nonce, claim.height):
        raise NeedsRewind("HistoryNotRetained", "The claim is older than the history that is kept.")
    if claim.nonce > chronicle.nonce_at(claim.height):
        raise RefusedClaim("NonceAhead", f"The history has {chronicle.nonce_at(claim.height)} entries at that block.")
    if chronicle.head_after(claim.nonce) != claim.head:
        raise RefusedClaim("HeadMismatch", f"The head after {claim.nonce} entries is another one.")
    return Judged(offer, place, attestation_digest(suite_named(offer.suite), place, claim), end.scheme)
