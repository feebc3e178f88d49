"""How the operator stands with each ledger, and the thread that tells the hub: at once when it changes, else every 30 seconds.

What is told names codes, refusals and block hashes, and never an endpoint: where an organisation's own nodes are is nobody else's
business. Telling is no work of the operator's: where the hub does not hear, claims are judged and signed all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import structlog

from adapters.protocol import AdapterError, BadAnswer, MemberRefused
from adapters.protocol import Misconfigured as Unfit
from light_clients.errors import LightClientError, Misbehaviour, Misconfigured, Retry, TimestampAhead
from relay.following import HeaderLied, Lied
from relay.operator.hub import HubClient, HubUnreachable
from relay.operator.signer import Signer
from schemas.primitives import ChainWord
from schemas.statement import TEXT_MAX, Contradiction, Statement, statement_digest

WELL = "well"
FROZEN, EXPIRED, UNFIT = "operator_client_frozen", "operator_client_expired", "operator_client_misconfigured"
HEADER_REFUSED, BEHIND, CLOCK = "operator_header_refused", "operator_behind", "operator_clock_behind"
DOWN, LIES, CERTIFICATE = "operator_endpoint_down", "operator_endpoint_lies", "operator_certificate_refused"
REFUSES, DISPUTES, FAILED = "operator_refuses_claim", "operator_disputes_claim", "operator_failed"

SAY_AGAIN_S = 30.0
CHANGES_EVERY_S = 2.0
"""A ledger that comes and goes is told no more often than this."""
REFUSAL_LASTS_S = 90.0
"""A refused claim rests a minute at most; what was not refused again for so long is over."""
LOOK_EVERY_S = 0.2
RETRIES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
SENTENCES = {
    FROZEN: "Its light client is frozen: two final headers contradict each other ({name}).",
    EXPIRED: "Its light client saw no header within its trusting period ({name}).",
    UNFIT: "Its light client or adapter cannot work as configured ({name}).",
    HEADER_REFUSED: "Its light client refuses what its node says ({name}).",
    BEHIND: "Its own node has not come so far as the claim, or has nothing to show yet ({name}).",
    CLOCK: "A sealed header is ahead of its clock ({name}).",
    DOWN: "None of its nodes answers ({name}).",
    LIES: "A node of its own said what cannot be true ({name}).",
    CERTIFICATE: "Its certificate, or that of its node, is refused ({name}).",
    FAILED: "An error of the operator's own stands in the way ({name}).",
}

Key = tuple[bytes, int]
"""Lane and direction of a claim."""

log = structlog.get_logger("relay.operator")


def code_of(error: Exception) -> str:
    """The code of what stands in the way of a look at a ledger."""
    match error:
        case Misbehaviour():
            return FROZEN
        case Misconfigured():
            return {"ClientFrozen": FROZEN, "ClientExpired": EXPIRED}.get(error.name, UNFIT)
        case HeaderLied():
            return HEADER_REFUSED
        case Lied() | BadAnswer():
            return LIES
        case MemberRefused():
            return CERTIFICATE
        case Unfit():
            return UNFIT
        case AdapterError():
            return DOWN
        case TimestampAhead():
            return CLOCK
        case Retry():
            return BEHIND
        case LightClientError():
            return HEADER_REFUSED
        case _:
            return FAILED


def sentence(error: Exception) -> str:
    """What is told of an error: its name, never its text, which may name a node."""
    name = error.name if isinstance(error, LightClientError | Lied) else type(error).__name__
    return SENTENCES[code_of(error)].format(name=name)


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with one ledger.

    Attributes:
        code: `well`, or what is in the way.
        text: one sentence.
        contradiction: the claim that is refused as false, where one is.
    """

    code: str = WELL
    text: str = ""
    contradiction: Contradiction | None = None


@dataclass(slots=True)
class _Ledger:
    """What is known of one ledger: trouble with looking at it, the newest refusal, and what was told (monotonic seconds)."""

    height: int = 0
    trouble: Standing = Standing()
    refusal: Standing = Standing()
    refused_at: float = 0.0
    about: Key | None = None
    told: Standing | None = None
    told_at: float = float("-inf")


class Standings:
    """How the operator stands with its ledgers; shared by the threads.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ledgers: dict[bytes, _Ledger] = {}
        self._followed: set[bytes] = set()

    def looked(self, chain: bytes, height: int) -> None:
        """A look came to its end: the ledger answers and the light client believes it."""
        with self._lock:
            ledger = self._of(chain)
            ledger.height, ledger.trouble = height, Standing()

    def trouble(self, chain: bytes, code: str, text: str) -> None:
        """A look did not."""
        with self._lock:
            self._of(chain).trouble = Standing(code, _printable(text))

    def behind(self, chain: bytes, about: Key, text: str) -> None:
        """A claim waits for what the operator's own node does not show yet."""
        self._refuse(chain, about, Standing(BEHIND, _printable(text)))

    def refused(self, chain: bytes, about: Key, text: str, contradiction: Contradiction | None = None) -> None:
        """A claim about the ledger was refused; as false, where there is a contradiction."""
        code = REFUSES if contradiction is None else DISPUTES
        self._refuse(chain, about, Standing(code, _printable(text), contradiction))

    def _refuse(self, chain: bytes, about: Key, refusal: Standing) -> None:
        """A claim that is held for false is not hidden by another one that is not signed for less."""
        with self._lock:
            ledger = self._of(chain)
            if ledger.refusal.code == DISPUTES and refusal.code != DISPUTES and not self._over(ledger):
                return
            ledger.refusal, ledger.refused_at, ledger.about = refusal, self._clock(), about

    def signed(self, chain: bytes, about: Iterable[Key]) -> None:
        """Claims were signed: whatever was lacking for these lanes is there. One that was held for false stays told."""
        with self._lock:
            ledger = self._of(chain)
            if ledger.refusal.code != DISPUTES and ledger.about in set(about):
                ledger.refusal = Standing()

    def keep(self, chains: Iterable[bytes]) -> None:
        """The ledgers of the configuration: of another one only refusals are told, while they last."""
        wanted = set(chains)
        with self._lock:
            self._followed = wanted
            self._ledgers = {chain: ledger for chain, ledger in self._ledgers.items() if chain in wanted}

    def due(self) -> list[tuple[bytes, int, Standing]]:
        """What the hub is to be told now: ledger, newest accepted height, standing."""
        now = self._clock()
        found = []
        with self._lock:
            for chain, ledger in self._ledgers.items():
                standing = self._now(ledger)
                if standing.code == WELL and chain not in self._followed:
                    continue
                rest_s = SAY_AGAIN_S if standing == ledger.told else CHANGES_EVERY_S
                if now - ledger.told_at >= rest_s:
                    found.append((chain, ledger.height, standing))
        return found

    def told(self, chain: bytes, standing: Standing) -> None:
        """The hub was told."""
        with self._lock:
            ledger = self._of(chain)
            ledger.told, ledger.told_at = standing, self._clock()

    def _of(self, chain: bytes) -> _Ledger:
        return self._ledgers.setdefault(bytes(chain), _Ledger())

    def _over(self, ledger: _Ledger) -> bool:
        return self._clock() - ledger.refused_at > REFUSAL_LASTS_S

    def _now(self, ledger: _Ledger) -> Standing:
        """A false claim is told before all else, then what keeps the ledger from being followed."""
        refusal = Standing() if self._over(ledger) else ledger.refusal
        if refusal.code == DISPUTES or ledger.trouble.code == WELL:
            return refusal
        return ledger.trouble


class Teller(threading.Thread):
    """Signs what is due and posts it.

    Args:
        standings: how the operator stands.
        signer: the operator's key.
        hub: gives the hub as the configuration has it now.
        clock: Unix seconds.
    """

    def __init__(
        self, standings: Standings, signer: Signer, hub: Callable[[], HubClient], clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(name="teller", daemon=True)
        self._standings = standings
        self._signer = signer
        self._hub = hub
        self._clock = clock
        self._said_at = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the present call."""
        self._stopping.set()

    def run(self) -> None:
        """Tell until it is stopped."""
        failures = 0
        while not self._stopping.is_set():
            try:
                self.tell()
            except HubUnreachable as error:
                if failures == 0:
                    log.warning("hub_not_told", text=str(error))
                failures += 1
                self._stopping.wait(RETRIES_S[min(failures, len(RETRIES_S)) - 1])
                continue
            failures = 0
            self._stopping.wait(LOOK_EVERY_S)

    def tell(self) -> None:
        """Tell what is due.

        Raises:
            HubUnreachable: the hub does not answer properly.
        """
        due = self._standings.due()
        if not due:
            return
        verdicts = self._hub().say([self._statement(*item) for item in due])
        for (chain, _, standing), verdict in zip(due, verdicts, strict=False):
            if not isinstance(verdict, dict) or verdict.get("name") == "TooSoon":
                continue
            if verdict.get("result") != "accepted":
                log.warning(
                    "statement_refused", refusal=str(verdict.get("name"))[:60], text=str(verdict.get("text"))[:300]
                )
            self._standings.told(chain, standing)

    def _statement(self, chain: bytes, height: int, standing: Standing) -> Statement:
        """One with a time of its own: the hub takes none that is not later than the last."""
        self._said_at = max(int(self._clock() * 1000), self._said_at + 1)
        said = Statement(
            chain=ChainWord(chain),
            code=standing.code,
            text=standing.text,
            height=height,
            at=self._said_at,
            signer=self._signer.address,
            signature=b"",
            contradiction=standing.contradiction,
        )
        return replace(said, signature=self._signer.sign(statement_digest(said)))


def _printable(text: str) -> str:
    """What the hub takes: at most 200 characters, none that steers a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:TEXT_MAX]
