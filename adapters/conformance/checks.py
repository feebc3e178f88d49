"""Every check by name, in the order in which a message goes its way, with what each of them stands on.

A check that stands on one that failed is not tried, so that a scorecard names the fault and not its shadows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.conformance import carrying, growth, lies, proving, reading, wire_checks, writing
from adapters.conformance.findings import Broken
from adapters.conformance.proving import Followed, Judge
from adapters.conformance.steps import World
from adapters.conformance.wire_checks import Wire
from adapters.protocol import AdapterFactory


@dataclass
class Trial:
    """What the checks of one certification share.

    Attributes:
        world: two ledgers and a lane.
        factory: the adapter.
        judge: the light clients, None where the caller brings none.
        followed: the source's headers as they were believed, once they were.
    """

    world: World
    factory: AdapterFactory
    judge: Judge | None
    followed: Followed | None = None

    def belief(self) -> Followed:
        """The source's headers as they were believed."""
        if self.followed is None:
            raise Broken("the headers were not believed")
        return self.followed


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, which is kept for good, what it asks for in words, and the checks that it stands on."""

    name: str
    title: str
    run: Callable[[Trial], None]
    needs: tuple[str, ...] = ()


def _of(check: Callable[[World], None]) -> Callable[[Trial], None]:
    return lambda trial: check(trial.world)


def _on_wire(check: Callable[[Wire], None]) -> Callable[[Trial], None]:
    """Each check has a proxy and an opened ledger of its own, so that what one leaves behind does not meet the next."""

    def run(trial: Trial) -> None:
        with wire_checks.through_proxy(trial.world, trial.factory) as wire:
            check(wire)

    return run


def _with_belief(check: Callable[[World, Followed], None]) -> Callable[[Trial], None]:
    return lambda trial: check(trial.world, trial.belief())


def _believe(trial: Trial) -> None:
    trial.followed = proving.headers_are_believed(trial.world, trial.judge)


def _outvote(trial: Trial) -> None:
    lies.liars_are_outvoted(trial.world, trial.factory)


def _check(name: str, run: Callable[[Trial], None], title: str, *needs: str) -> Check:
    return Check(name, title, run, needs)


EVENTS = ("events.complete", "events.once", "events.order", "events.heights", "events.content")

CHECKS: tuple[Check, ...] = (
    _check("identity.stays", _of(reading.identity_stays), "a ledger says what it is, and says it again"),
    _check("keys.secret", _of(writing.keys_stay_secret), "no key stands in an error or a name"),
    _check("signing.depends", _of(writing.signatures_depend_on_everything), "a signature depends on every field"),
    _check(
        "errors.missing", _of(reading.missing_blocks_are_errors), "a block that is not there is the adapter's error"
    ),
    _check("errors.unknown", _of(reading.unknown_lanes_are_refused), "an unknown lane or gateway is Rejected"),
    _check("sending.works", _of(reading.send_three), "messages are sent, with receipts"),
    _check("sending.once", _of(writing.transactions_are_sent_once), "a transaction has one effect", "sending.works"),
    _check("events.complete", _of(reading.events_complete), "no event is lost", "sending.once"),
    _check("events.once", _of(reading.events_once), "no event comes twice", "events.complete"),
    _check("events.order", _of(reading.events_in_order), "events come in ledger order", "events.once"),
    _check("events.heights", _of(reading.events_have_their_heights), "events have their heights", "events.order"),
    _check("events.content", _of(reading.events_fold), "events fold to the head that moved", "events.heights"),
    _check("events.elsewhere", _of(reading.nothing_stands_elsewhere), "no event where no gateway stands"),
    _check("lane.preimages", _of(reading.lane_has_every_preimage), "a lane's id has its preimages", *EVENTS),
    _check("headers.order", _of(reading.headers_come_in_order), "headers come for each height"),
    _check("headers.believed", _believe, "the light client believes the headers", "headers.order", "identity.stays"),
    _check("evidence.answers", _of(proving.evidence_answers_each_question), "evidence answers each question", *EVENTS),
    _check(
        "evidence.believed",
        _with_belief(proving.proofs_are_believed),
        "the light client believes the evidence",
        *("headers.believed", "evidence.answers"),
    ),
    _check("delivery.refused", _of(carrying.false_deliveries_are_refused), "false deliveries are refused", *EVENTS),
    _check("delivery.taken", _of(carrying.deliveries_are_taken), "true deliveries are taken", *EVENTS),
    _check("outcomes.content", _of(carrying.outcomes_fold), "outcomes fold to the head that moved", "delivery.taken"),
    _check(
        "delivery.once",
        _of(carrying.deliveries_happen_once),
        "a delivery has no second effect",
        *("delivery.refused", "outcomes.content"),
    ),
    _check(
        "receipts.failures", _of(carrying.failures_are_in_receipts), "failures stand in receipts", "outcomes.content"
    ),
    _check("settlement.taken", _of(carrying.outcomes_come_home), "outcomes come home", "outcomes.content"),
    _check("lane.counts", _of(carrying.gateways_count_the_same), "gateways count what happened", "settlement.taken"),
    _check("sending.refused", _of(writing.refusals_are_told), "what is not taken is refused", "sending.works"),
    _check("sending.pool", _of(writing.pools_know_what_they_have), "a pool knows what it has", "sending.once"),
    _check("receipts.none", _of(writing.receipts_of_nothing_are_none), "nothing has no receipt"),
    _check("receipts.reverts", _of(writing.reverts_are_in_receipts), "reverts stand in receipts", "receipts.failures"),
    _check(
        "lies.disorder",
        _with_belief(lies.disorder_is_harmless),
        "events twice or in disorder do no harm",
        "evidence.believed",
    ),
    _check("lies.events", _with_belief(lies.false_events_are_found), "false events are found out", "evidence.believed"),
    _check("lies.proofs", _with_belief(lies.false_proofs_are_found), "false proofs are found out", "evidence.believed"),
    _check("lies.outvoted", _outvote, "one liar of three is outvoted", "receipts.none", "identity.stays"),
    _check("wire.gone", _on_wire(wire_checks.node_is_gone), "a node that is gone, and comes back", *EVENTS),
    _check("wire.time", _on_wire(wire_checks.node_is_slow), "a node that is silent or slow", *EVENTS),
    _check("wire.cut", _on_wire(wire_checks.answers_are_cut), "answers that break off", *EVENTS),
    _check("wire.busy", _on_wire(wire_checks.node_is_busy), "HTTP 429 and 503", *EVENTS),
    _check("wire.huge", _on_wire(wire_checks.answers_are_huge), "answers without an end", *EVENTS),
    _check("wire.garbage", _on_wire(wire_checks.answers_are_garbage), "garbage", *EVENTS),
    _check("wire.fuzzed", _on_wire(wire_checks.answers_are_changed), "changed answers", *EVENTS),
    _check("wire.once", _on_wire(wire_checks.transactions_go_out_once), "a transaction goes out once", "sending.once"),
    _check(
        "wire.failover",
        _on_wire(wire_checks.second_endpoint_is_used),
        "a second endpoint is used",
        *("wire.time", "wire.cut", "wire.gone"),
    ),
    _check("memory.bounded", _of(growth.memory_is_bounded), "memory does not grow", *EVENTS),
)
