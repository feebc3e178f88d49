"""Checks of a message's way: refused where it is false, delivered once, its outcome settled."""

from __future__ import annotations

from dataclasses import replace

from adapters.conformance.findings import refusal_of, require
from adapters.conformance.reading import PAYLOADS
from adapters.conformance.steps import World, last_head
from adapters.protocol import HeadMoved, MessageDelivered, MessageSent
from schemas.heads import fold_all, outcomes_genesis
from schemas.outcome import Status

COUNT = len(PAYLOADS)
STATUSES = [Status.EXECUTED, Status.FAILED, Status.REFUSED]


def false_deliveries_are_refused(world: World) -> None:
    """A false delivery is refused when simulated, in the gateway's words."""
    action = world.delivery(world.events(0, MessageSent)[:COUNT])
    relayer, ledger = world.account(1, world.relayer), world.ledgers[1]
    higher = replace(action.claim, height=action.claim.height + 1)
    for forged, reason in [
        (replace(action, messages=action.messages[:2]), "HeadMismatch"),
        (replace(action, messages=action.messages[1:]), "NonceGap"),
        (replace(action, claim=higher), "SignatureOfAnother"),
        (replace(action, proof=world.proof(action.claim, operators=(2,))), "QuorumTooSmall"),
    ]:
        call = ledger.call_for(world.gateways[1], forged)
        refusal = refusal_of(
            lambda call=call: ledger.simulate(relayer, call),  # type: ignore[misc]
            f"a delivery that the gateway refuses with {reason}",
        )
        require(refusal.code == "reverted", f"a revert came with the code {refusal.code!r}, not 'reverted'")
        named = refusal.reason.startswith(reason) or not world.names_errors
        require(named, f"a refusal with {reason} came with the reason {refusal.reason!r}")


def deliveries_are_taken(world: World) -> None:
    """A true delivery goes through within the gas that `call_for` gave it."""
    ledger = world.ledgers[1]
    call = ledger.call_for(world.gateways[1], world.delivery(world.events(0, MessageSent)[:COUNT]))
    ledger.simulate(world.account(1, world.relayer), call)
    receipt = world.transact(1, world.relayer, call)
    require(receipt.success, "a delivery that the simulation took has a receipt that says it failed")
    require(receipt.gas_used <= call.gas, "a delivery used more gas than it was given")


def outcomes_fold(world: World) -> None:
    """Outcomes come in order and fold to the head that moved."""
    delivered = world.events(1, MessageDelivered)
    statuses = [event.status for event in delivered]
    require(statuses == STATUSES, f"the outcomes are {[status.name for status in statuses]}")
    require([event.nonce for event in delivered] == [1, 2, 3], "the outcomes came out of order")
    moved = world.events(1, HeadMoved)
    require({event.direction for event in moved} == {1, 2}, "other heads moved than the outcomes' and the inbox'")
    sent = world.events(0, MessageSent)[:COUNT]
    require(last_head(moved, 2).head == sent[-1].head, "the inbox is at another head than the outbox")
    suite, lane_id = world.lane.suite, world.lane.lane_id
    head = last_head(moved, 1).head
    ids = [entry.outcome_id(suite, lane_id) for entry in world.settlement(sent, delivered, head).settled]
    require(
        head == fold_all(suite, outcomes_genesis(suite, lane_id), ids),
        "the outcomes do not fold to the head that moved",
    )


def deliveries_happen_once(world: World) -> None:
    """The same delivery has no second effect."""
    ledger = world.ledgers[1]
    call = ledger.call_for(world.gateways[1], world.delivery(world.events(0, MessageSent)[:COUNT]))
    refusal = refusal_of(
        lambda: ledger.simulate(world.account(1, world.relayer), call), "a delivery for the second time"
    )
    named = refusal.reason.startswith("NothingNew") or not world.names_errors
    require(named, f"a second delivery was refused with {refusal.reason!r}")
    require(len(world.events(1, MessageDelivered)) == COUNT, "a simulated delivery had an effect")


def failures_are_in_receipts(world: World) -> None:
    """A transaction that fails on the ledger has a receipt that says so."""
    ledger = world.ledgers[1]
    call = ledger.call_for(world.gateways[1], world.delivery(world.events(0, MessageSent)[:COUNT]))
    receipt = world.transact(1, world.relayer, call)
    require(not receipt.success, "a delivery that had no effect has a receipt that says success")
    require(receipt.contract == b"", "a failed transaction is said to have deployed a contract")
    require(len(world.events(1, MessageDelivered)) == COUNT, "a message was delivered twice")


def outcomes_come_home(world: World) -> None:
    """The outcomes are settled at the source."""
    head = last_head(world.events(1, HeadMoved), 1).head
    action = world.settlement(world.events(0, MessageSent)[:COUNT], world.events(1, MessageDelivered), head)
    require(world.settle(action).success, "a true settlement failed")
    settled = world.events(0, HeadMoved)
    found = [(event.direction, event.nonce, event.head) for event in settled]
    require(
        found == [(3, COUNT, head)], f"{len(found)} heads moved at the source by one settlement, or to another head"
    )


def gateways_count_the_same(world: World) -> None:
    """The gateways' counters are those of what happened."""
    source, destination = (world.ledgers[end].lane_ends(world.gateways[end], world.lane.lane_id) for end in (0, 1))
    sent = len(world.events(0, MessageSent))
    counted = (source.sent, source.settled, destination.delivered)
    require(counted == (sent, COUNT, COUNT), f"the counters (sent, settled, delivered) are {counted}")
    require(
        not any((source.paused, source.closed, destination.paused, destination.closed)),
        "a lane that is open is said to rest or to be closed",
    )
