"""All endpoints of a ledger and how they are asked: one after the other, all at once, and who is left for what.

The rules are those of `adapters.guard`, which puts the faces of a ledger on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from adapters.answer_forms import check_count
from adapters.ballots import most_common
from adapters.endpoints import EndpointStatus, Seat
from adapters.protocol import (
    AdapterError,
    AdapterFactory,
    AdapterOptions,
    BadAnswer,
    Endpoint,
    Ledger,
    LedgerIdentity,
    MemberRefused,
    Misconfigured,
    Rejected,
    Unreachable,
)

REQUESTS_A_CALL = 12
"""How many times its request time-out a call may last: it may need several requests."""
COMPARE_TIPS_S = 10.0
"""How often the newest heights of all endpoints are held against one another."""
LAG_BLOCKS = 8
"""An endpoint so many blocks behind the middle one is left."""
VOTERS = 3
"""Of fewer endpoints nobody knows which one is odd."""

Result = TypeVar("Result")


class _Turn(threading.local):
    """Which endpoints answered this thread since it last asked for the newest height, in order."""

    def __init__(self) -> None:
        self.seats: list[Seat] = []


class Panel:
    """The endpoints of one ledger. Safe to share between threads."""

    def __init__(self, factory: AdapterFactory, options: AdapterOptions, *, clock: Callable[[], float]) -> None:
        """Open the ledger at its first endpoint; the network is asked nothing.

        Args:
            factory: the adapter.
            options: endpoints, the preferred first, the expected chain, and limits.
            clock: seconds that only grow.

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
                failure = failure if isinstance(failure, MemberRefused) else error
            except Misconfigured as error:
                if seat.checked and not _is_between(error):
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

    def _at_home(self, action: Callable[[Ledger], Result]) -> Result:
        """Ask the adapter what needs no network: no endpoint has to answer for it."""
        with self._lock:
            seat = self._order()[0]
            if seat.ledger is None:
                seat.ledger = self._open(seat.endpoint)
            ledger = seat.ledger
        return self._limited(seat, lambda: action(ledger))

    def _poll(
        self, action: Callable[[Ledger], Result], seats: Sequence[Seat] | None = None, *, needed: bool = True
    ) -> list[tuple[Seat, Result]]:
        """Ask every fit endpoint, but of each operator only one: houses have a voice, not machines. Those that fail are left out.

        Args:
            action: the question.
            seats: the endpoints to be asked, each of them, if not the fit ones.
            needed: whether there must be an answer.

        Raises:
            AdapterError: none of them answers, and an answer is needed.
        """
        answers: list[tuple[Seat, Result]] = []
        failure: AdapterError | None = None
        heard: set[str] = set()
        for seat in self._candidates() if seats is None else seats:
            house = seat.endpoint.operator or seat.label
            if seats is None and house in heard:
                continue
            try:
                answers.append((seat, self._at(seat, action, in_turn=False)))
                heard.add(house)
            except AdapterError as error:
                failure = failure or error
        if needed and not answers:
            raise failure or Unreachable("No endpoint is left; add one.")
        return answers

    def _vote(self, action: Callable[[Ledger], Result | Rejected]) -> Result:
        """What most of the fit endpoints answer.

        Raises:
            Rejected: most of them refuse, for one reason.
        """
        said = self._poll(action)
        keys = [_key(answer) for _, answer in said]
        chosen, alone = most_common(keys)
        if alone:
            self._outvoted(said, "answered otherwise than most", lambda answer: _key(answer) != chosen)
        answer = said[keys.index(chosen)][1]
        if isinstance(answer, Rejected):
            raise answer
        return answer

    def _outvoted(self, said: Sequence[tuple[Seat, Result]], what: str, is_odd_one: Callable[[Result], bool]) -> None:
        """Let endpoints rest that stand against most of the others: with f of 2f + 1 lying, those are the liars."""
        if len(said) < VOTERS:
            return
        with self._lock:
            for seat, answer in said:
                if is_odd_one(answer):
                    seat.contradict(self._clock(), f"{seat.label} {what}.")

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
                tips.append((seat, self._at(seat, newest_height, in_turn=False)))
            except AdapterError:
                continue
        by_house = {seat.endpoint.operator or seat.label: tip for seat, tip in reversed(tips)}
        middle = sorted(by_house.values())[len(by_house) // 2] if tips else 0
        with self._lock:
            for seat, tip in tips:
                seat.tip = tip
                if tip < middle - LAG_BLOCKS:
                    seat.contradict(now, f"{seat.label} is at block {tip}, and others are at {middle}.")

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
            left = isinstance(error, Unreachable | BadAnswer) or _is_between(error)
            if left or (isinstance(error, Misconfigured) and not seat.checked):
                seat.strike(self._clock(), error.retry_after_s if isinstance(error, Unreachable) else 0.0)
            elif isinstance(error, Rejected):  # the endpoint answered, and its ledger said no
                seat.strikes, seat.rests_until = 0, 0.0

    @staticmethod
    def _drop(seat: Seat) -> None:
        ledger, seat.ledger = seat.ledger, None
        if ledger is not None:
            ledger.close()


def newest_height(ledger: Ledger) -> int:
    """Ask for the newest height that the endpoint serves."""
    return check_count(ledger.tip(), "the newest height")


def _is_between(error: AdapterError) -> bool:
    """Whether a certificate does not serve between us and this endpoint, so that another one may do."""
    return isinstance(error, MemberRefused) and bool(error.endpoint)


def _key(answer: Any) -> Hashable:
    return (answer.code, answer.reason) if isinstance(answer, Rejected) else answer
