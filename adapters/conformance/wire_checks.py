"""Checks of what an adapter makes of a bad network and a bad node, with the hostile proxy in between.

Under every fault each question has to end in time, in an error of the adapter's or in a true answer; and when the fault is
over, the same opened ledger has to answer again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from adapters.conformance.findings import Broken, NotHere, one_line, require, stranger
from adapters.conformance.steps import World
from adapters.conformance.wire import (
    BUSY,
    CHANGED,
    CUT,
    DRIP,
    GARBAGE,
    HALVED,
    HUGE,
    PASS,
    REFUSE,
    SILENT,
    HostileProxy,
    moved,
    place_of,
    within,
)
from adapters.guard import GuardedLedger
from adapters.protocol import (
    AdapterError,
    AdapterFactory,
    BadAnswer,
    Endpoint,
    GatewayEvent,
    LaneEnds,
    Ledger,
    LedgerIdentity,
    MessageSent,
    Receipt,
    Rejected,
    Unreachable,
    Wallet,
)
from schemas.evidence import FamilyEvidence, StateEvidence

TIMEOUT_S = 0.5
REQUESTS_A_CALL = 12
CALL_S = TIMEOUT_S * REQUESTS_A_CALL + 2.0
RECOVERY_S = 10.0
ANSWER_BYTES = 1 << 20
TAKEN_BYTES = 24 << 20
"""What may leave the proxy in one answer before an adapter with a limit of 1 MiB stops: its own buffers and the kernel's."""
FUZZED_ANSWERS = 25


@dataclass(frozen=True, slots=True)
class Wire:
    """A ledger of the world, opened once more through the proxy."""

    world: World
    factory: AdapterFactory
    proxy: HostileProxy
    ledger: Ledger
    url: str


Question = tuple[str, Callable[[Ledger], Any]]


@contextmanager
def through_proxy(world: World, factory: AdapterFactory) -> Iterator[Wire]:
    """Open the source once more, behind a proxy.

    Raises:
        NotHere: its endpoint has no host and port.
    """
    options = world.options(0)
    url = options.endpoints[0].url
    place = place_of(url)
    if place is None:
        raise NotHere("no network lies between the adapter and its ledger")
    plain = url.lower().startswith("http://")
    with HostileProxy(*place, http=plain) as proxy:
        changed = replace(
            options,
            endpoints=(Endpoint(moved(url, proxy.port)),),
            timeout_s=TIMEOUT_S,
            max_answer_bytes=ANSWER_BYTES,
        )
        ledger = factory.open(changed)
        try:
            yield Wire(world, factory, proxy, ledger, changed.endpoints[0].url)
        finally:
            proxy.choose(REFUSE)
            ledger.close()


def questions(world: World) -> list[Question]:
    """What is asked under a fault: reads, a proof, an account, a receipt, and a transaction that is known already.

    An account without numbers is no question: an adapter may know all of it by itself.
    """
    tip, gateway, lane_id = world.ledgers[0].tip(), world.gateways[0], world.lane.lane_id
    height = world.events(0, MessageSent)[-1].position.height
    account = world.account(0, world.sender)
    call = world.send_call(b"never sent")
    asked: list[Question] = [
        ("identity", lambda ledger: ledger.identity()),
        ("tip", lambda ledger: ledger.tip()),
        ("headers", lambda ledger: ledger.headers(tip - 1, tip)),
        ("events", lambda ledger: ledger.events(0, tip, gateway)),
        ("lane_ends", lambda ledger: ledger.lane_ends(gateway, lane_id)),
        ("evidence", lambda ledger: ledger.evidence(gateway, [(lane_id, 0)], height)),
        ("wallet", lambda ledger: ledger.wallet(account)),
        ("receipts", lambda ledger: ledger.receipts([b"\x09" * 32])),
        ("simulate", lambda ledger: ledger.simulate(account, call)),
        ("broadcast", lambda ledger: ledger.broadcast([b"\x01" * 100])),
    ]
    return [question for question in asked if world.ordered or question[0] != "wallet"]


def _no_answer(wire: Wire, mode: str, fault: str, names: tuple[str, ...] = ()) -> None:
    """Under a fault that lets no answer through, every question ends in time as `Unreachable` or `BadAnswer`."""
    asked = [item for item in questions(wire.world) if not names or item[0] in names]
    _answers(wire, "before the fault")
    for name, question in asked:
        wire.proxy.choose(mode)
        outcome = timed(lambda question=question: question(wire.ledger), f"{name}, while the node {fault}")  # type: ignore[misc]
        _check_refused(name, fault, outcome)
        if mode == HUGE:
            taken = wire.proxy.longest
            require(
                taken < TAKEN_BYTES,
                f"{name} read {taken >> 20} MiB of an endless answer, and the limit was {ANSWER_BYTES >> 20} MiB",
            )
    wire.proxy.choose(PASS)
    _answers(wire, f"after the node {fault}")


def _check_refused(name: str, fault: str, outcome: Any) -> None:
    if isinstance(outcome, Unreachable | BadAnswer):
        return
    if isinstance(outcome, AdapterError):
        raise Broken(
            f"{name}, while the node {fault}: {type(outcome).__name__} came where Unreachable or BadAnswer was due "
            f"({one_line(outcome)})"
        )
    if isinstance(outcome, BaseException):
        raise Broken(f"{name}, while the node {fault}: {stranger(outcome)}") from outcome
    raise Broken(f"{name}, while the node {fault}: it was answered, with {one_line(repr(outcome))[:80]}")


def _answers(wire: Wire, when: str) -> None:
    """The opened ledger answers again."""

    def works() -> bool:
        try:
            return wire.ledger.tip() >= 0
        except AdapterError:
            return False

    require(within(RECOVERY_S, works), f"the ledger does not answer {when}")


def node_is_gone(wire: Wire) -> None:
    """A node that is gone is Unreachable, and one that comes back is used again."""
    _no_answer(wire, REFUSE, "refuses connections")


def node_is_slow(wire: Wire) -> None:
    """A node that is silent, or answers a byte at a time, is left in time."""
    _no_answer(wire, SILENT, "is silent")
    _no_answer(wire, DRIP, "answers a byte at a time", ("tip", "headers", "broadcast"))


def answers_are_cut(wire: Wire) -> None:
    """An answer that breaks off is no answer."""
    _no_answer(wire, CUT, "breaks off at the beginning")
    if _speaks_http(wire):
        _no_answer(wire, HALVED, "breaks off in the middle")


def node_is_busy(wire: Wire) -> None:
    """HTTP 429 and 503 mean: later."""
    _require_http(wire)
    _no_answer(wire, BUSY, "says that it is busy (HTTP 429, 503)")


def answers_are_huge(wire: Wire) -> None:
    """An answer beyond the limit is left while it comes in."""
    _require_http(wire)
    _no_answer(wire, HUGE, "answers without an end")


def answers_are_garbage(wire: Wire) -> None:
    """Bytes of no protocol are an error of the adapter's."""
    asked = questions(wire.world)
    for name, question in asked:
        wire.proxy.choose(GARBAGE)
        outcome = timed(lambda question=question: question(wire.ledger), f"{name}, while garbage comes")  # type: ignore[misc]
        if isinstance(outcome, AdapterError):
            continue
        if isinstance(outcome, BaseException):
            raise Broken(f"{name}, while garbage comes: {stranger(outcome)}") from outcome
        raise Broken(f"{name}, while garbage comes: it was answered, with {one_line(repr(outcome))[:80]}")
    wire.proxy.choose(PASS)
    _answers(wire, "after garbage")


def answers_are_changed(wire: Wire) -> None:
    """Whatever stands in an answer: an error of the adapter's, or an answer of the face's form."""
    for name, question in questions(wire.world):
        wire.proxy.choose(CHANGED)
        for number in range(FUZZED_ANSWERS):
            outcome = timed(lambda question=question: question(wire.ledger), f"{name}, from a changed answer")  # type: ignore[misc]
            if isinstance(outcome, AdapterError):
                continue
            if isinstance(outcome, BaseException):
                raise Broken(f"{name}, from changed answer {number + 1}: {stranger(outcome)}") from outcome
            require(
                has_form(name, outcome),
                f"{name}, from changed answer {number + 1}: {one_line(repr(outcome))[:80]} is not of the face's form",
            )
    wire.proxy.choose(PASS)
    _answers(wire, "after changed answers")


def transactions_go_out_once(wire: Wire) -> None:
    """A transaction is put on the wire once for each broadcast."""
    world, ledger = wire.world, wire.ledger
    wallet = ledger.wallet(world.account(0, world.sender))
    signed = ledger.sign(world.sender, wallet.pending_nonce, world.send_call(b"once on the wire"), wallet.fee)
    wire.proxy.choose(PASS)
    ledger.broadcast([signed.raw])
    seen = b"".join(wire.proxy.seen)
    forms = (signed.raw.hex().encode(), signed.raw)
    times = max(seen.lower().count(form) for form in forms)
    if times == 0:
        raise NotHere("what goes to the node cannot be read here")
    world.mine(0)
    require(times == 1, f"one broadcast put the transaction on the wire {times} times")


def second_endpoint_is_used(wire: Wire) -> None:
    """Behind the guard, an endpoint that fails is named and the other one answers, the same as before."""
    options = wire.world.options(0)
    both = replace(
        options, endpoints=(Endpoint(wire.url, "one house"), replace(options.endpoints[0], operator="another"))
    )
    guarded = GuardedLedger(wire.factory, replace(both, timeout_s=TIMEOUT_S))
    try:
        expected = wire.world.ledgers[0].events(0, 0, wire.world.gateways[0])
        for mode in (CUT, REFUSE, SILENT):
            wire.proxy.choose(mode)
            found = guarded.events(0, 0, wire.world.gateways[0])
            require(found == expected, "behind the guard other events came than from the ledger")
        failures = guarded.status()[0].failures
        require(failures, "the status counts no failure of the endpoint that failed")
    finally:
        guarded.close()
        wire.proxy.choose(PASS)


def timed(action: Callable[[], Any], what: str, limit_s: float = CALL_S) -> Any:
    """What an action answers, or the error that it raises.

    Raises:
        Broken: it does not end in time.
    """
    outcome: list[Any] = []

    def body() -> None:
        try:
            outcome.append(action())
        except BaseException as error:  # noqa: BLE001 - it is what is looked at
            outcome.append(error)

    thread = threading.Thread(target=body, name="conformance", daemon=True)
    begun = time.monotonic()
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise Broken(f"{what}: it has not ended after {time.monotonic() - begun:.0f} s")
    return outcome[0]


def has_form(name: str, answer: Any) -> bool:
    """Whether an answer is of the form that the face promises."""
    forms: dict[str, Callable[[Any], bool]] = {
        "identity": lambda item: isinstance(item, LedgerIdentity),
        "tip": lambda item: type(item) is int and item >= 0,
        "headers": lambda item: _list_of(item, bytes) and len(item) == 2,
        "events": lambda item: _list_of(item, GatewayEvent),
        "lane_ends": lambda item: isinstance(item, LaneEnds),
        "evidence": lambda item: _list_of(item, StateEvidence | FamilyEvidence | None) and len(item) == 1,
        "wallet": lambda item: isinstance(item, Wallet) and type(item.nonce) is int and type(item.balance) is int,
        "receipts": lambda item: _list_of(item, Receipt | None) and len(item) == 1,
        "simulate": lambda item: isinstance(item, bytes),
        "broadcast": lambda item: _list_of(item, Rejected | None) and len(item) == 1,
    }
    return forms[name](answer)


def _list_of(items: Any, kind: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, kind) for item in items)


def _speaks_http(wire: Wire) -> bool:
    return wire.url.lower().startswith("http://")


def _require_http(wire: Wire) -> None:
    if not _speaks_http(wire):
        raise NotHere("the node is not spoken to by plain HTTP")
