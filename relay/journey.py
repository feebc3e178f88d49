"""The life of a lane's messages, as counters: pure, and the only place where a stage changes.

Messages of a lane are ordered, so where each of them stands follows from how far each stage has come:

    sent → final → proved → attested → submitted → delivered → settled

A message of nonce n is at the furthest stage whose counter is at least n. `step(journey, event)` takes what happened
and returns the new counters, or the same ones where the news is old: events may come twice and out of order.
Stages that a lane's verifiers do not have are skipped: `skipped_stages` names them, and their counters stay behind.
The way out counts messages, the way back counts outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Stage(StrEnum):
    """The stages, in order; the values are stored and shown."""

    FINAL = "final"  # in a finalized block of the source, and the proof of its head verified
    CLAIMED = "proved"  # a claim that covers it was proposed to the operators
    ATTESTED = "attested"  # a quorum of organisations signed that claim
    SUBMITTED = "submitted"  # a transaction that delivers it was sent
    DELIVERED = "delivered"  # consumed, in a finalized block of the destination
    OUTCOME_CLAIMED = "outcome_proved"
    OUTCOME_ATTESTED = "outcome_attested"
    SETTLE_SUBMITTED = "settle_submitted"
    SETTLED = "settled"  # its outcome consumed, in a finalized block of the source


class JourneyError(Exception):
    """An event that cannot follow the counters: something upstream is wrong; nothing may be stored."""


@dataclass(frozen=True, slots=True)
class Journey:
    """How far a lane has come; every counter is a nonce.

    Attributes:
        final: messages seen in finalized blocks of the source under a verified proof.
        claimed, attested, submitted: how far claims, quorums and deliveries have been made.
        delivered: messages consumed, by finalized blocks of the destination.
        outcome_claimed, outcome_attested, settle_submitted: the same for the way back.
        settled: outcomes consumed, by finalized blocks of the source.
        executed, failed, expired, refused: what became of the delivered ones.
    """

    final: int = 0
    claimed: int = 0
    attested: int = 0
    submitted: int = 0
    delivered: int = 0
    outcome_claimed: int = 0
    outcome_attested: int = 0
    settle_submitted: int = 0
    settled: int = 0
    executed: int = 0
    failed: int = 0
    expired: int = 0
    refused: int = 0

    @property
    def in_flight(self) -> int:
        """Messages that were sent and are not yet settled as executed, failed, expired or refused."""
        return self.final - self.settled

    def stage_of(self, nonce: int) -> Stage | None:
        """The furthest stage that the message of this nonce has reached; None if it was not seen."""
        reached = None
        for stage in Stage:
            if nonce <= getattr(self, COUNTERS[stage]):
                reached = stage
        return reached


COUNTERS = {
    Stage.FINAL: "final",
    Stage.CLAIMED: "claimed",
    Stage.ATTESTED: "attested",
    Stage.SUBMITTED: "submitted",
    Stage.DELIVERED: "delivered",
    Stage.OUTCOME_CLAIMED: "outcome_claimed",
    Stage.OUTCOME_ATTESTED: "outcome_attested",
    Stage.SETTLE_SUBMITTED: "settle_submitted",
    Stage.SETTLED: "settled",
}

# What each stage presupposes: a counter never passes the one before it.
_BEFORE = {
    Stage.CLAIMED: "final",
    Stage.ATTESTED: "claimed",
    Stage.SUBMITTED: "attested",
    Stage.OUTCOME_CLAIMED: "delivered",
    Stage.OUTCOME_ATTESTED: "outcome_claimed",
    Stage.SETTLE_SUBMITTED: "outcome_attested",
    Stage.SETTLED: "delivered",
}


NONE_SKIPPED: frozenset[Stage] = frozenset()


def skipped_stages(*, out: bool, back: bool) -> frozenset[Stage]:
    """The stages that a lane does not have.

    Args:
        out: whether nobody signs for the way out, because its verifier is a light client alone.
        back: the same for the way back.
    """
    return frozenset(stage for stage, skipped in ((Stage.ATTESTED, out), (Stage.OUTCOME_ATTESTED, back)) if skipped)


@dataclass(frozen=True, slots=True)
class Reached:
    """A stage was reached by every message up to `nonce`."""

    stage: Stage
    nonce: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The destination consumed messages up to `nonce`; how many of the new ones ended in each status."""

    nonce: int
    executed: int
    failed: int
    expired: int
    refused: int


@dataclass(frozen=True, slots=True)
class ClaimsVoid:
    """Claims are worth nothing any more: those without a quorum (an old block), or all (a new committee). Make new ones."""

    back: bool
    attested_too: bool


@dataclass(frozen=True, slots=True)
class ProofsOutdated:
    """The proofs of what is not submitted yet are no longer believed (the validators changed): make new ones."""

    back: bool


@dataclass(frozen=True, slots=True)
class SubmissionLost:
    """Transactions that were sent will not be mined: submit again."""

    back: bool


Event = Reached | Delivered | ClaimsVoid | ProofsOutdated | SubmissionLost


def step(journey: Journey, event: Event, skipped: frozenset[Stage] = NONE_SKIPPED) -> Journey:
    """Apply what happened.

    Args:
        journey: the counters.
        event: what happened; old news changes nothing.
        skipped: stages that the lane does not have.

    Returns:
        The new counters.

    Raises:
        JourneyError: the event contradicts the counters.
    """
    if isinstance(event, Delivered):
        return _delivered(journey, event, skipped)
    if isinstance(event, ProofsOutdated):
        return _proofs_outdated(journey, event)
    if isinstance(event, ClaimsVoid):
        return _claims_void(journey, event)
    if isinstance(event, SubmissionLost):
        if event.back:
            return replace(journey, settle_submitted=journey.settled)
        return replace(journey, submitted=journey.delivered)
    return _reached(journey, event, skipped)


def _reached(journey: Journey, event: Reached, skipped: frozenset[Stage]) -> Journey:
    if event.stage is Stage.DELIVERED:
        raise JourneyError("a delivery comes with its outcomes: use Delivered")
    if event.stage in skipped:
        raise JourneyError(f"nothing of this lane is ever {event.stage}")
    counter = COUNTERS[event.stage]
    if event.nonce <= getattr(journey, counter):
        return journey
    before = _presupposed(event.stage, skipped)
    if before is not None and event.nonce > getattr(journey, before):
        raise JourneyError(f"{counter} cannot reach {event.nonce}: {before} is at {getattr(journey, before)}")
    if event.stage is Stage.SETTLED:
        return _settled(journey, event.nonce, skipped)
    return replace(journey, **{counter: event.nonce})


def _presupposed(stage: Stage, skipped: frozenset[Stage]) -> str | None:
    """The counter that a stage never passes: of the stage before it, or of the one before that where it is skipped."""
    if stage is Stage.SUBMITTED and Stage.ATTESTED in skipped:
        return "claimed"
    if stage is Stage.SETTLE_SUBMITTED and Stage.OUTCOME_ATTESTED in skipped:
        return "outcome_claimed"
    return _BEFORE.get(stage)


def _delivered(journey: Journey, event: Delivered, skipped: frozenset[Stage]) -> Journey:
    if event.nonce <= journey.delivered:
        return journey
    ended = event.executed + event.failed + event.expired + event.refused
    if ended != event.nonce - journey.delivered:
        raise JourneyError(f"{ended} outcomes for {event.nonce - journey.delivered} delivered messages")
    # Anyone may deliver: what the destination consumed counts as submitted even if another relayer did it.
    return replace(
        journey,
        claimed=max(journey.claimed, event.nonce),
        attested=journey.attested if Stage.ATTESTED in skipped else max(journey.attested, event.nonce),
        submitted=max(journey.submitted, event.nonce),
        delivered=event.nonce,
        executed=journey.executed + event.executed,
        failed=journey.failed + event.failed,
        expired=journey.expired + event.expired,
        refused=journey.refused + event.refused,
    )


def _settled(journey: Journey, nonce: int, skipped: frozenset[Stage]) -> Journey:
    silent = Stage.OUTCOME_ATTESTED in skipped
    return replace(
        journey,
        outcome_claimed=max(journey.outcome_claimed, nonce),
        outcome_attested=journey.outcome_attested if silent else max(journey.outcome_attested, nonce),
        settle_submitted=max(journey.settle_submitted, nonce),
        settled=nonce,
    )


def _proofs_outdated(journey: Journey, event: ProofsOutdated) -> Journey:
    if event.back:
        return replace(
            journey,
            outcome_claimed=journey.settle_submitted,
            outcome_attested=min(journey.outcome_attested, journey.settle_submitted),
        )
    return replace(journey, claimed=journey.submitted, attested=min(journey.attested, journey.submitted))


def _claims_void(journey: Journey, event: ClaimsVoid) -> Journey:
    if event.back:
        if not event.attested_too:
            return replace(journey, outcome_claimed=journey.outcome_attested)
        return replace(
            journey,
            outcome_claimed=journey.settled,
            outcome_attested=min(journey.outcome_attested, journey.settled),
            settle_submitted=journey.settled,
        )
    if not event.attested_too:
        return replace(journey, claimed=journey.attested)
    return replace(
        journey,
        claimed=journey.delivered,
        attested=min(journey.attested, journey.delivered),
        submitted=journey.delivered,
    )
