"""An endpoint as the guard keeps it: its opened ledger, its record, and what of that is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.protocol import Endpoint, Ledger, Misconfigured

RESTS_S = (5.0, 10.0, 30.0, 60.0, 180.0)
ACCUSED_REST_S = 600.0
FORGOTTEN_S = 1_800.0
"""After so long without another one, a contradiction counts no more."""


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """How an endpoint does, for the status: names without credentials, counts since it was opened.

    Attributes:
        label: the endpoint.
        operator: who operates it.
        in_use: whether the next call goes to it.
        rests_s: seconds until it is asked again, 0 if it does not rest.
        calls: calls that it was given.
        failures: failed calls by kind of error.
        last_error: the last failure in one sentence, or empty.
    """

    label: str
    operator: str
    in_use: bool
    rests_s: float
    calls: int
    failures: dict[str, int]
    last_error: str


@dataclass(slots=True, eq=False)
class Seat:
    """An endpoint with its opened ledger and its record.

    Attributes:
        endpoint: its URL and operator.
        label: its name without credentials.
        ledger: the opened ledger, None after it was dropped.
        checked: whether it was asked what it is.
        unusable: why it is never used, once that is known.
        rests_until: when it may be asked again, by the guard's clock.
        accused_until: the same after an accusation.
        strikes: failures one after the other.
        contradictions: how often it did not keep its word (see `contradict`), however well it answered in between.
        contradicted_at: when it did so last, by the guard's clock.
        tip: the newest height that it said it serves.
        calls: calls that it was given.
        failures: failed calls by kind of error.
        last_error: the last failure in one sentence.
    """

    endpoint: Endpoint
    label: str
    ledger: Ledger | None = None
    checked: bool = False
    unusable: Misconfigured | None = None
    rests_until: float = 0.0
    accused_until: float = 0.0
    strikes: int = 0
    contradictions: int = 0
    contradicted_at: float = 0.0
    tip: int = 0
    calls: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    last_error: str = ""

    def is_fit(self, now: float) -> bool:
        """Whether it may be asked: neither of another ledger, nor accused, nor at rest."""
        return self.unusable is None and max(self.rests_until, self.accused_until) <= now

    def rank(self, now: float) -> tuple[int, float]:
        """Where it stands in the order: fit ones first, then resting, accused, unusable ones."""
        if self.unusable is not None:
            return 3, 0.0
        if self.accused_until > now:
            return 2, self.accused_until
        if self.rests_until > now:
            return 1, self.rests_until
        return 0, 0.0

    def count(self, kind: str, why: str) -> None:
        """Keep a failure for the status."""
        self.failures[kind] = self.failures.get(kind, 0) + 1
        self.last_error = why

    def strike(self, now: float, asked_s: float) -> None:
        """It failed: it rests 5, 10, 30, 60, then 180 s, or as long as it asked for."""
        self.rests_until = now + max(RESTS_S[min(self.strikes, len(RESTS_S) - 1)], asked_s)
        self.strikes += 1

    def contradict(self, now: float, why: str) -> None:
        """It did not keep its word: it rests 5, 10, 30, 60, then 180 s, whatever it answers well in between."""
        if now - self.contradicted_at > FORGOTTEN_S:
            self.contradictions = 0
        self.rests_until = max(self.rests_until, now + RESTS_S[min(self.contradictions, len(RESTS_S) - 1)])
        self.contradictions += 1
        self.contradicted_at = now
        self.count("Contradicted", why)

    def accuse(self, now: float, why: str) -> None:
        """It said what is proved to be false: it rests ten minutes."""
        self.accused_until = now + ACCUSED_REST_S
        self.count("Accused", why)
