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
6. A call is answered by one endpoint as a whole; answers of two are never merged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from adapters.answer_forms import check_bytes_list, check_count, check_list, check_receipts, check_wallet
from adapters.endpoints import EndpointStatus, Seat
from adapters.protocol import (
    AdapterError,
    AdapterFactory,
    AdapterOptions,
    BadAnswer,
    Call,
    Delivery,
    Endpoint,
    GatewayEvent,
    LaneEnds,
    Ledger,
    LedgerIdentity,
    Misconfigured,
    Receipt,
    Rejected,
    Settlement,
    Signed,
    Unreachable,
    Wallet,
)
from schemas.evidence import StateEvidence
from schemas.primitives import LaneId

RESTS_S = (5.0, 10.0, 30.0, 60.0, 180.0)
ACCUSED_REST_S = 600.0
REQUESTS_A_CALL = 12
"""How many times its request time-out a call may last: it may need several requests."""

Result = TypeVar("Result")


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
        self._pinned: LedgerIdentity | None = None
        self._call_timeout_s = options.timeout_s * REQUESTS_A_CALL
        self._keeps_time = bool(getattr(factory, "keeps_time", False))
        self._seats = [self._seat(endpoint) for endpoint in options.endpoints]

    @property
    def endpoint(self) -> str:
        """The endpoint in use now, without credentials."""
        return self._order()[0].label

    def leave_endpoint(self, reason: str) -> bool:
        """Accuse the endpoint in use and move to another; False if there is no other."""
        with self._lock:
            order = self._order()
            usable = [seat for seat in order if seat.unusable is None]
            if len(usable) < 2:
                return False
            order[0].accused_until = self._clock() + ACCUSED_REST_S
            order[0].last_error = reason
            order[0].failures["Accused"] = order[0].failures.get("Accused", 0) + 1
            return self._order()[0] is not order[0]

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
        """Height of the newest block that the endpoint serves."""
        return self._run(lambda ledger: check_count(ledger.tip(), "the newest height"))

    def headers(self, first: int, last: int) -> list[bytes]:
        """Headers of heights `first` to `last` inclusive, as their validators sealed them, in order; at most 1,000."""
        return self._run(
            lambda ledger: check_bytes_list(
                ledger.headers(first, last), max(0, last - first + 1), self._options.max_answer_bytes, "headers"
            )
        )

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order."""
        return self._run(lambda ledger: check_list(ledger.events(first, last, gateway), None, "events"))

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that a gateway keeps of a lane, at the newest block."""
        return self._run(lambda ledger: ledger.lane_ends(gateway, lane_id))

    def evidence(self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int) -> list[StateEvidence]:
        """Fetch, for each (lane, direction), the proof of its head in the state of the block at `height`."""
        return self._run(lambda ledger: check_list(ledger.evidence(gateway, lane_ids, height), len(lane_ids), "proofs"))

    def call_for(self, gateway: bytes, action: Delivery | Settlement) -> Call:
        """Encode a delivery or a settlement for the gateway, with its gas limit."""
        return self._run(lambda ledger: ledger.call_for(gateway, action))

    def wallet(self, address: bytes) -> Wallet:
        """Read an account and the fee that the ledger asks now."""
        return self._run(lambda ledger: check_wallet(ledger.wallet(address)))

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction offering `fee` per gas."""
        return self._run(lambda ledger: ledger.sign(private_key, nonce, call, fee))

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected."""
        return self._run(
            lambda ledger: check_list(ledger.broadcast(transactions), len(transactions), "answers to transactions")
        )

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as the endpoint knows."""
        return self._run(lambda ledger: check_receipts(ledger.receipts(transactions), len(transactions)))

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns its output."""
        return self._run(lambda ledger: ledger.simulate(sender, call))

    def _seat(self, endpoint: Endpoint) -> Seat:
        ledger = self._open(endpoint)
        return Seat(endpoint, ledger.endpoint, ledger)

    def _open(self, endpoint: Endpoint) -> Ledger:
        return self._factory.open(replace(self._options, endpoints=(endpoint,)))

    def _order(self) -> list[Seat]:
        """The seats in the order in which they are asked: fit ones by preference, then resting, accused, unusable ones."""
        with self._lock:
            now = self._clock()

            def rank(seat: Seat) -> tuple[int, float]:
                if seat.unusable is not None:
                    return 3, 0.0
                if seat.accused_until > now:
                    return 2, seat.accused_until
                if seat.rests_until > now:
                    return 1, seat.rests_until
                return 0, 0.0

            return sorted(self._seats, key=rank)

    def _candidates(self) -> list[Seat]:
        """The seats that one call may try: all that are fit; else the one whose rest ends first."""
        now = self._clock()
        order = self._order()
        fit = [seat for seat in order if seat.unusable is None and max(seat.rests_until, seat.accused_until) <= now]
        return fit or order[:1]

    def _run(self, action: Callable[[Ledger], Result]) -> Result:
        *others, last = self._candidates()
        for seat in others:
            try:
                return self._at(seat, action)
            except (Unreachable, BadAnswer):
                continue
            except Misconfigured:
                if seat.unusable is None:
                    raise
        return self._at(last, action)

    def _at(self, seat: Seat, action: Callable[[Ledger], Result]) -> Result:
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
        kind = type(error).__name__
        with self._lock:
            seat.failures[kind] = seat.failures.get(kind, 0) + 1
            seat.last_error = str(error)
            if isinstance(error, Unreachable | BadAnswer):
                rest = RESTS_S[min(seat.strikes, len(RESTS_S) - 1)]
                asked = error.retry_after_s if isinstance(error, Unreachable) else 0.0
                seat.rests_until = self._clock() + max(rest, asked)
                seat.strikes += 1
            elif isinstance(error, Rejected):  # the endpoint answered, and its ledger said no
                seat.strikes, seat.rests_until = 0, 0.0

    @staticmethod
    def _drop(seat: Seat) -> None:
        ledger, seat.ledger = seat.ledger, None
        if ledger is not None:
            ledger.close()
