"""The part of the demo in which claims are forged and replayed, while two operators are stopped and a quorum is missing."""

from __future__ import annotations

from relay.demo.checks import Record
from relay.demo.forgeries import (
    Answer,
    Attack,
    Forger,
    Lane,
    Replayer,
    claim_state,
    lane_between,
    newest_claim,
    offer_to_hub,
)
from relay.demo.world import World

LANE = ("alpha", "beta")
OTHER_LANE = ("gamma", "beta")
"""Both lanes are judged by the same verifier on the same ledger: nothing but the lane tells their claims apart."""


def attack(world: World, record: Record) -> None:
    """Offer a forged claim and a replayed one to the hub and to the ledger; each must be refused by name."""
    lane, other = lane_between(world, *LANE), lane_between(world, *OTHER_LANE)
    gateway = Attack(world, LANE[1])
    try:
        before = [gateway.delivered(item) for item in (lane, other)]
        forge(world, record, lane, gateway)
        replay(world, record, lane, other, gateway)
        after = [gateway.delivered(item) for item in (lane, other)]
        record.expect("delivered by the gateway after all this", _delivered(before), _delivered(after))
    finally:
        gateway.close()


def forge(world: World, record: Record, lane: Lane, gateway: Attack) -> None:
    """A message that nobody sent, a claim that covers it, and signatures by keys of the forger's own."""
    forger, proposed = Forger(world, lane), newest_claim(world, lane, "open").claim
    for what, attestation, name in (
        ("with an altered head", forger.altered(proposed), "ClaimMismatch"),
        ("signed in an operator's name", forger.impersonating(proposed), "SignerMismatch"),
        ("signed by a stranger", forger.in_his_own_name(proposed), "SignerUnknown"),
    ):
        _refused(record, f"the hub refuses a claim {what}", name, offer_to_hub(world, attestation))
    record.expect("the hub's claim still waits for its quorum", "open", claim_state(world, proposed))
    delivery = gateway.delivery(forger.delivery())
    _refused(record, "the ledger refuses the forged claim", "SignatureOfAnother", gateway.simulated(delivery))
    receipts = gateway.mined([delivery])
    record.expect("the forged delivery, mined", "reverted", _mined(receipts[0].success, receipts[0].height))


def replay(world: World, record: Record, lane: Lane, other: Lane, gateway: Attack) -> None:
    """A true claim of one lane with the operators' true signatures, offered on another lane."""
    true, wanted = newest_claim(world, lane, "attested"), newest_claim(world, other, "open")
    replayer = Replayer(true, lane, other)
    record.expect("the claim is true where it belongs", True, gateway.believed(replayer.probe()))
    missing = next(signer for signer in true.signatures if signer not in wanted.signatures)
    offer = offer_to_hub(world, replayer.as_signature_of(wanted, missing))
    _refused(record, "the hub refuses a signature made for another lane", "SignerMismatch", offer)
    record.expect("that lane's claim still waits for its quorum", "open", claim_state(world, wanted.claim))
    as_it_is, relabelled = gateway.call(replayer.anchor_as_it_is()), gateway.call(replayer.anchor_relabelled())
    _refused(record, "the ledger refuses a claim of another lane", "ClaimForAnotherLane", gateway.simulated(as_it_is))
    _refused(record, "the ledger refuses it relabelled", "SignatureOfAnother", gateway.simulated(relabelled))
    receipts = gateway.mined([as_it_is, relabelled])
    for what, receipt in zip(("as it is", "relabelled"), receipts, strict=True):
        record.expect(f"the replayed claim {what}, mined", "reverted", _mined(receipt.success, receipt.height))
    record.expect("the replayed head is anchored", False, gateway.is_anchored(other, true.claim.head))


def _refused(record: Record, name: str, expected: str, answer: Answer) -> None:
    record.expect(name, expected, answer.name, ok=answer.name == expected)
    record.audience.say(f"  {answer.text}")


def _delivered(counts: list[int]) -> str:
    return ", ".join(
        f"{delivered} of {' → '.join(pair)}" for delivered, pair in zip(counts, (LANE, OTHER_LANE), strict=True)
    )


def _mined(success: bool, height: int) -> str:
    return f"succeeded in block {height}" if success else "reverted"
