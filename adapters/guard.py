"""The guard around any ledger: limits, failover among endpoints, one family of errors, and counts for the status.

1. A call that takes longer than agreed is left, and its endpoint with it. A factory that says `keeps_time` vouches that each
   of its requests ends in time; its calls need no thread of their own, which costs more than a request.
2. An answer that is larger than agreed, or not of the face's form, is a `BadAnswer`.
3. Only `AdapterError` and its kinds escape; anything else that an adapter raises becomes `BadAnswer`, its cause chained.
4. `Unreachable` and `BadAnswer` move the call to the next endpoint; the one left rests 5, 10, 30, 60, then 180 s (longer
   if it asked for that), an accused one ten minutes. Where no other endpoint is left, a resting one is asked all the same,
   but never an accused one while another exists.
5. An endpoint is asked what it is before its first use: the wrong chain is never used, nor one that has another first
   block than the endpoint before it.
6. `Rejected` moves a question to the next endpoint too: one that answers what another refused contradicts it, and the one that
   refused rests. So does one that says it serves a height and then does not, or is far behind the middle of the others.
7. What can be proved is answered by one endpoint as a whole, from `tip` on, as long as it keeps answering; only an endpoint that
   said everything since then can be accused of it. What cannot be proved (an account, a receipt, a simulated call, the refusal
   of a transaction) is asked of every fit endpoint, and `adapters.ballots` says what follows.
8. A transaction that comes again, or that an endpoint refuses, is given to every fit endpoint.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from adapters.answer_forms import check_bytes_list, check_count, check_list, check_receipts, check_wallet
from adapters.ballots import agreed_receipts, agreed_refusal, middle_wallet, most_common
from adapters.endpoints import EndpointStatus, Seat
from adapters.protocol import (
    Action,
    AdapterError,
    AdapterFactory,
    AdapterOptions,
    BadAnswer,
    Call,
    Endpoint,
    GatewayEvent,
    LaneEnds,
    Ledger,
    LedgerIdentity,
    Misconfigured,
    Receipt,
    Rejected,
    Signed,
    Unreachable,
    VerifierParts,
    Wallet,
)
from schemas.evidence import StateEvidence
from schemas.primitives import LaneId

REQUESTS_A_CALL = 12
"""How many times its request time-out a call may last: it may need several requests."""
COMPARE_TIPS_S = 10.0
"""How often the newest heights of all endpoints are held against one another."""
LAG_BLOCKS = 8
"""An endpoint so many blocks behind the middle one is left."""
BROADCASTS_KEPT = 4_096

Result = TypeVar("Result")


class _Turn(threading.local):
    """Which endpoints answered this thread since it last asked for the newest height, in order."""

    def __init__(self) -> None:
        self.seats: list[Seat] = []


class GuardedLedger:
    """A ledger with all its endpoints behind the guard. Safe to share between threads."""

    def __init__(
        self, factory: AdapterFactory, options: AdapterOptions, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the ledger at its first endpoint; the network is asked nothing.

        Args:
            factory: the adapter.
            options: endpoints, the preferred first, the expected chain, and limits.
            clock: seconds that only grow; tests give their own.

        Raises:
            Misconfigured: there is no endpoint, or an option cannot be.
        """
        if not options.endpoints:
            raise Misconfigured("A ledger needs an endpoint; give its URL.")
        self._factory = factory
        self._options = options
        self._clock = clock
        self._lock = threading.RLock()
        self._turn = _Turn()
        self._compared_at = float("-inf")
        self._broadcasts: dict[int, None] = {}
        self._pinned: LedgerIdentity | None = None
        self._call_timeout_s = options.timeout_s * REQUESTS_A_CALL
        self._keeps_time = bool(getattr(factory, "keeps_time", False))
        self._seats = [self._seat(endpoint) for endpoint in options.endpoints]

    @property
    def endpoint(self) -> str:
        """The endpoint that answered this thread last, else the one that is asked next; without credentials."""
        return (self._turn.seats[-1] if self._turn.seats else self._order()[0]).label

    def leave_endpoint(self, reason: str) -> bool:
        """Accuse the endpoint that answered and move to another; False if there is no other.

        Where several answered since `tip`, any of them may be the liar: the first, which did not keep answering, rests, and
        what comes next is asked of one alone.
        """
        with self._lock:
            if sum(seat.unusable is None for seat in self._seats) < 2:
                return False
            now, answered = self._clock(), list(self._turn.seats)
            self._turn.seats = []
            blamed = answered[0] if answered else self._order()[0]
            if len(answered) > 1:
                blamed.contradict(now, f"it left a question in the middle, and {reason}")
            else:
                blamed.accuse(now, reason)
            return self._order()[0] is not blamed

    def status(self) -> list[EndpointStatus]:
        """How each endpoint does, in the order of preference."""
        with self._lock:
            now, current = self._clock(), self._order()[0]
            return [
                EndpointStatus(
                    label=seat.label,
                    operator=seat.endpoint.operator,
                    in_use=seat is current,
                    rests_s=max(0.0, seat.rests_until - now, seat.accused_until - now),
                    calls=seat.calls,
                    failures=dict(seat.failures),
                    last_error=seat.last_error,
                )
                for seat in self._seats
            ]

    def close(self) -> None:
        """Release connections."""
        with self._lock:
            for seat in self._seats:
                self._drop(seat)

    def identity(self) -> LedgerIdentity:
        """Ask the node what it is."""
        return self._run(lambda ledger: ledger.identity())

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves; begins a turn, which one endpoint answers as a whole."""
        self._turn.seats = []
        self._compare_tips()
        return self._run(_tip, note_tip=True)

    def headers(self, first: int, last: int) -> list[bytes]:
        """Headers of heights `first` to `last` inclusive, as their validators sealed them, in order; at most 1,000."""
        return self._run(
            lambda ledger: check_bytes_list(
                ledger.headers(first, last), max(0, last - first + 1), self._options.max_answer_bytes, "headers"
            ),
            height=last,
        )

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order."""
        return self._run(lambda ledger: check_list(ledger.events(first, last, gateway), None, "events"), height=last)

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that a gateway keeps of a lane, at the newest block."""
        return self._run(lambda ledger: ledger.lane_ends(gateway, lane_id))

    def evidence(self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int) -> list[StateEvidence]:
        """Fetch, for each (lane, direction), the proof of its head in the state of the block at `height`."""
        return self._run(
            lambda ledger: check_list(ledger.evidence(gateway, lane_ids, height), len(lane_ids), "proofs"),
            height=height,
        )

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is."""
        return self._run(lambda ledger: ledger.verifier_parts(verifier))

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring for the gateway, with its gas limit."""
        return self._run(lambda ledger: ledger.call_for(gateway, action))

    def wallet(self, address: bytes) -> Wallet:
        """Read an account and the fee that the ledger asks now: the middle of what the fit endpoints say."""
        return middle_wallet(self._poll(lambda ledger: check_wallet(ledger.wallet(address))))

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction offering `fee` per gas."""
        return self._run(lambda ledger: ledger.sign(private_key, nonce, call, fee))

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected."""

        def sent(raws: Sequence[bytes]) -> Callable[[Ledger], list[Rejected | None]]:
            return lambda ledger: check_list(ledger.broadcast(raws), len(raws), "answers to transactions")

        answers = self._run(sent(transactions))
        known = [self._is_sent_again(raw) for raw in transactions]
        wanted = [index for index, answer in enumerate(answers) if answer is not None or known[index]]
        others = [seat for seat in self._candidates() if seat not in self._turn.seats[-1:]] if wanted else []
        if not others:
            return answers
        ballots = self._poll(sent([transactions[index] for index in wanted]), others, needed=False)
        for place, index in enumerate(wanted):
            answers[index] = agreed_refusal([answers[index], *(ballot[place] for ballot in ballots)])
        return answers

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as most of the fit endpoints know."""
        return agreed_receipts(
            self._poll(lambda ledger: check_receipts(ledger.receipts(transactions), len(transactions)))
        )

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns the output that most of the fit endpoints give."""

        def run(ledger: Ledger) -> bytes | Rejected:
            try:
                return ledger.simulate(sender, call)
            except Rejected as refusal:
                return refusal

        answers = self._poll(run)
        output, _ = most_common([(a.code, a.reason) if isinstance(a, Rejected) else a for a in answers])
        if isinstance(output, bytes):
            return output
        raise next(a for a in answers if isinstance(a, Rejected) and (a.code, a.reason) == output)

    def _seat(self, endpoint: Endpoint) -> Seat:
        ledger = self._open(endpoint)
        return Seat(endpoint, ledger.endpoint, ledger)

    def _open(self, endpoint: Endpoint) -> Ledger:
        return self._factory.open(replace(self._options, endpoints=(endpoint,)))

    def _order(self) -> list[Seat]:
        """The seats in the order in which they are asked: fit ones by preference, then resting, accused, unusable ones."""
        with self._lock:
            now = self._clock()
            return sorted(self._seats, key=lambda seat: seat.rank(now))

    def _candidates(self) -> list[Seat]:
        """The seats that one call may try: all that are fit, the one of this turn first; else the one whose rest ends first."""
        now = self._clock()
        order = self._order()
        fit = [seat for seat in order if seat.is_fit(now)]
        if self._turn.seats and self._turn.seats[-1] in fit:
            fit.sort(key=lambda seat: seat is not self._turn.seats[-1])
        return fit or order[:1]

    def _run(self, action: Callable[[Ledger], Result], *, height: int = 0, note_tip: bool = False) -> Result:
        """Ask one endpoint after the other until one answers.

        Args:
            action: the question.
            height: the newest block that it concerns; an endpoint that said it serves that block must not refuse.
            note_tip: the answer is the newest height that the endpoint says it serves.

        Raises:
            AdapterError: no endpoint answers; a refusal where there was one.
        """
        refused: list[tuple[Seat, Rejected]] = []
        failure: AdapterError | None = None
        for seat in self._candidates():
            try:
                result = self._at(seat, action)
            except Rejected as refusal:
                refused.append((seat, refusal))
            except (Unreachable, BadAnswer) as error:
                failure = error
            except Misconfigured as error:
                if seat.checked:
                    raise
                failure = error
            else:
                with self._lock:
                    for other, no in refused:
                        other.contradict(self._clock(), f"{no} {seat.label} did answer.")
                    if note_tip and isinstance(result, int):
                        seat.tip = result
                return result
        for other, no in refused:
            if no.code == "no_state" and 0 < height <= other.tip:
                with self._lock:
                    other.contradict(self._clock(), f"{no} It said that it serves blocks up to {other.tip}.")
        if refused:
            raise refused[0][1]
        raise failure or Unreachable("No endpoint is left; add one.")

    def _poll(
        self, action: Callable[[Ledger], Result], seats: Sequence[Seat] | None = None, *, needed: bool = True
    ) -> list[Result]:
        """Ask every fit endpoint; those that fail are left out.

        Raises:
            AdapterError: none of them answers, and an answer is needed.
        """
        answers: list[Result] = []
        failure: AdapterError | None = None
        for seat in self._candidates() if seats is None else seats:
            try:
                answers.append(self._at(seat, action, in_turn=False))
            except AdapterError as error:
                failure = failure or error
        if needed and not answers:
            raise failure or Unreachable("No endpoint is left; add one.")
        return answers

    def _compare_tips(self) -> None:
        """Leave endpoints that are far behind the middle one: whoever stands still a little would delay everything."""
        now = self._clock()
        with self._lock:
            due = len(self._seats) > 1 and now - self._compared_at >= COMPARE_TIPS_S
            if due:
                self._compared_at = now
        if not due:
            return
        tips: list[tuple[Seat, int]] = []
        for seat in self._candidates():
            try:
                tips.append((seat, self._at(seat, _tip, in_turn=False)))
            except AdapterError:
                continue
        middle = sorted(tip for _, tip in tips)[len(tips) // 2] if tips else 0
        with self._lock:
            for seat, tip in tips:
                seat.tip = tip
                if tip < middle - LAG_BLOCKS:
                    seat.contradict(now, f"{seat.label} is at block {tip}, and others are at {middle}.")

    def _is_sent_again(self, raw: bytes) -> bool:
        """Whether these bytes were sent before, by this process and not long ago."""
        with self._lock:
            mark = hash(raw)
            known = mark in self._broadcasts
            self._broadcasts[mark] = None
            if len(self._broadcasts) > BROADCASTS_KEPT:
                del self._broadcasts[next(iter(self._broadcasts))]
            return known

    def _at(self, seat: Seat, action: Callable[[Ledger], Result], *, in_turn: bool = True) -> Result:
        if seat.unusable is not None:
            raise seat.unusable
        with self._lock:
            seat.calls += 1
            if seat.ledger is None:
                seat.ledger = self._open(seat.endpoint)
            ledger = seat.ledger
        try:
            if not seat.checked:
                self._check(seat, self._limited(seat, ledger.identity))
            result = self._limited(seat, lambda: action(ledger))
        except AdapterError as error:
            self._record(seat, error)
            raise
        with self._lock:
            seat.strikes = 0
            seat.rests_until = 0.0
        if in_turn and seat not in self._turn.seats[-1:]:
            self._turn.seats.append(seat)
        return result

    def _limited(self, seat: Seat, work: Callable[[], Result]) -> Result:
        """Do the work within its time, and let only the one family of errors out."""
        try:
            return work() if self._keeps_time else self._in_thread(seat, work)
        except AdapterError as error:
            error.endpoint = error.endpoint or seat.label
            raise
        except Exception as error:
            raise BadAnswer(
                f"{seat.label} answered what the adapter cannot read ({type(error).__name__}); ask another endpoint.",
                endpoint=seat.label,
            ) from error

    def _in_thread(self, seat: Seat, work: Callable[[], Result]) -> Result:
        """Do the work in a thread of its own and leave it when its time is over."""
        outcome: list[Result] = []
        failure: list[BaseException] = []
        done = threading.Event()

        def body() -> None:
            try:
                outcome.append(work())
            except BaseException as error:  # noqa: BLE001 - it is handed to the caller's thread, whatever it is
                failure.append(error)
            finally:
                done.set()

        threading.Thread(target=body, name=f"ledger {seat.label}", daemon=True).start()
        if not done.wait(self._call_timeout_s):
            with self._lock:
                self._drop(seat)
            raise Unreachable(
                f"{seat.label} did not finish a call in {self._call_timeout_s:g} s; try again later.",
                endpoint=seat.label,
            )
        if failure:
            raise failure[0]
        return outcome[0]

    def _check(self, seat: Seat, identity: LedgerIdentity) -> None:
        """Compare what the endpoint says it is with what is expected, and with the endpoint before it."""
        expected = self._options.expected_chain or (self._pinned.chain_id if self._pinned else identity.chain_id)
        first_block = self._options.expected_first_block or (
            self._pinned.first_block if self._pinned else identity.first_block
        )
        if identity.chain_id != expected:
            seat.unusable = Misconfigured(
                f"{seat.label} is {identity.chain_id}, not {expected}; correct the endpoint.", endpoint=seat.label
            )
        elif identity.first_block != first_block:
            seat.unusable = Misconfigured(
                f"{seat.label} begins with block 0x{identity.first_block.hex()}, not 0x{first_block.hex()}: another ledger "
                "of the same name; correct the endpoint.",
                endpoint=seat.label,
            )
        if seat.unusable is not None:
            raise seat.unusable
        with self._lock:
            seat.checked = True
            self._pinned = self._pinned or identity

    def _record(self, seat: Seat, error: AdapterError) -> None:
        with self._lock:
            seat.count(type(error).__name__, str(error))
            if isinstance(error, Unreachable | BadAnswer) or (isinstance(error, Misconfigured) and not seat.checked):
                seat.strike(self._clock(), error.retry_after_s if isinstance(error, Unreachable) else 0.0)
            elif isinstance(error, Rejected):  # the endpoint answered, and its ledger said no
                seat.strikes, seat.rests_until = 0, 0.0

    @staticmethod
    def _drop(seat: Seat) -> None:
        ledger, seat.ledger = seat.ledger, None
        if ledger is not None:
            ledger.close()


def _tip(ledger: Ledger) -> int:
    return check_count(ledger.tip(), "the newest height")
