"""An endpoint as the guard keeps it: its opened ledger, its record, and what of that is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.protocol import Endpoint, Ledger, Misconfigured


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
    calls: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    last_error: str = ""
