"""A thread for each ledger: look, judge, sign, post. A slow or dead ledger holds up nobody's claims but its own.

A turn of a follower:
1. take the claims that wait, follow the ledger up to their height and read the gateway;
2. judge each claim; prove the histories of those that pass at their blocks, one request a block;
3. sign, write what was signed to the disk, and only then post it.
What comes of it is noted for the hub (relay.operator.standing).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from adapters.protocol import AdapterError
from light_clients.errors import HeightNotRetained, LightClientError, Misbehaviour, Misconfigured
from relay.certificate_watch import CertificateWatch
from relay.crash import crash_point
from relay.following import Lied
from relay.operator.database import Checkpoint, OperatorDatabase, Signed
from relay.operator.hub import HubClient, HubUnreachable
from relay.operator.judge import SIGNED_64_MAX, Judged, NeedsRewind, NotYet, Offer, RefusedClaim, judge
from relay.operator.lanes import DESTINATION, SOURCE, LaneBook
from relay.operator.signer import Signer
from relay.operator.standing import BEHIND, EXPIRED, FROZEN, SENTENCES, Standings, code_of, sentence
from relay.operator.view import LedgerView
from schemas.attestation import attestation_digest
from schemas.claim import Claim
from schemas.primitives import Bytes32, LaneId
from schemas.statement import NOTHING, Contradiction
from schemas.suites import SUITES

IDLE_LOOK_S = 2.0
RETRIES_S = (0.2, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
NOT_YET_S = (0.05, 0.1, 0.2, 0.5, 1.0)
PATIENCE_S = 30.0
"""A claim that cannot be judged for so long is given back; the hub offers it again while it is open."""
READ_OPENINGS_AGAIN_S = 60.0
SAVE_EVERY_S = 5.0
BEHIND_AFTER_S = 5.0
"""A claim that waits so long for the operator's own node is worth a word to the hub."""
FAILURES_TOLD = 3
"""Looks that fail in a row before the hub is told: one may be a node that restarts."""
FALSE = ("BlockMismatch", "HeadMismatch", "NonceAhead")
"""Refusals by which a claim contradicts what the operator's own light client accepted."""
NAME_THE_KEY = "name the key's file in operator.toml (sm2_key_file) and start the operator again."

log = structlog.get_logger("relay.operator")


class Desk(Protocol):
    """Where a follower tells what became of a claim."""

    def done(self, offer: Offer) -> None:
        """It was signed and posted, or is given back."""

    def refuse(self, offer: Offer, name: str, text: str) -> None:
        """It was refused."""


@dataclass(slots=True)
class _Waiting:
    """An offer and since when it waits (monotonic seconds)."""

    offer: Offer
    since: float


class Follower(threading.Thread):
    """Follows one ledger and answers the claims about it.

    Args:
        open_view: opens the ledger; called in the thread, again after a configuration that cannot work.
        name: the ledger's name.
        database: the operator's database.
        book: the lanes of all ledgers.
        signer: the operator's key.
        hub: where attestations are posted.
        desk: where it is told what became of a claim.
        standings: where it is noted how the operator stands with the ledger.
        word: the ledger's chain word.
        clock: Unix seconds; the light client holds headers against it.
    """

    def __init__(
        self,
        open_view: Callable[[], LedgerView],
        *,
        name: str,
        database: OperatorDatabase,
        book: LaneBook,
        signer: Signer,
        hub: HubClient,
        desk: Desk,
        standings: Standings,
        word: bytes,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(name=f"follower-{name}", daemon=True)
        self.chain = name
        self._open_view = open_view
        self._database = database
        self._book = book
        self._signer = signer
        self._hub = hub
        self._desk = desk
        self._standings = standings
        self._word = word
        self._clock = clock
        self._view: LedgerView | None = None
        self._certificates = CertificateWatch("relay.operator")
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._unposted: list[tuple[Offer, Signed]] = []
        self._openings_wanted = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0
        self._failed_by = ""  # name of the newest failure
        self._delays = 0
        self._looked_at = self._saved_at = self._read_openings_at = float("-inf")

    def offer(self, offers: Sequence[Offer]) -> None:
        """Give it claims to answer."""
        now = time.monotonic()
        with self._lock:
            for item in offers:
                self._waiting.setdefault(item.cursor, _Waiting(item, now))
        self._wake.set()

    def look_soon(self, *, openings_again: bool = False) -> None:
        """Ask for a look without a claim: a lane is not known; `openings_again` where an endpoint may have hidden it."""
        self._openings_wanted = self._openings_wanted or openings_again
        self._looked_at = float("-inf")
        self._wake.set()

    def stop(self) -> None:
        """End after the present turn."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Take turns until it is stopped."""
        pause_s = 0.0
        while not self._stopping.is_set():
            self._wake.wait(pause_s)
            self._wake.clear()
            if self._stopping.is_set():
                break
            pause_s = self._guarded_turn()
        if self._view is not None:
            self._view.save()
            self._view.ledger.close()

    def _guarded_turn(self) -> float:
        """One turn; returns the seconds until the next one if nothing wakes it."""
        try:
            delayed = self._turn()
        except Misbehaviour as misbehaviour:
            log.critical("client_frozen", chain=self.chain, **misbehaviour.diagnostics())
            self._standings.trouble(self._word, FROZEN, sentence(misbehaviour))
            return 0.0
        except HubUnreachable as error:
            return self._failed(error)
        except (AdapterError, Lied, LightClientError) as error:
            self._tell(error)
            return self._failed(error)
        except Exception as error:
            log.exception("follower_failed", chain=self.chain, error=type(error).__name__)
            self._tell(error)
            return self._failed(error)
        self._failures = 0
        self._delays = self._delays + 1 if delayed else 0
        return NOT_YET_S[min(self._delays, len(NOT_YET_S)) - 1] if delayed else IDLE_LOOK_S

    def _tell(self, error: Exception) -> None:
        if self._failures + 1 >= FAILURES_TOLD:
            self._standings.trouble(self._word, code_of(error), sentence(error))

    def _failed(self, error: Exception) -> float:
        pause_s = RETRIES_S[min(self._failures, len(RETRIES_S) - 1)]
        self._failures += 1
        before, self._failed_by = self._failed_by, type(error).__name__
        if self._failed_by != before or self._failures in (1, 5) or self._failures % 20 == 0:
            log.warning("ledger_waits", chain=self.chain, error=self._failed_by, text=str(error)[:300], again_s=pause_s)
        self._give_back_old()
        # Waking early (a new claim) must not turn into a storm of requests at an endpoint that is down.
        self._stopping.wait(pause_s)
        return 0.0

    def _turn(self) -> bool:
        """Look, judge, sign, post; returns whether a claim still waits."""
        if self._view is None:
            self._view = self._open_view()
        view = self._view
        self._certificates.look(self.chain, view.ledger, self._clock())
        with self._lock:
            offers = [item.offer for item in self._waiting.values()]
        self._post()
        if self._openings_wanted and time.monotonic() - self._read_openings_at > READ_OPENINGS_AGAIN_S:
            self._read_openings_at = time.monotonic()
            view.read_openings_again()
        self._openings_wanted = False
        if not offers and time.monotonic() - self._looked_at < IDLE_LOOK_S:
            return False
        self._look(view, offers)
        if offers:
            self._answer(view, offers)
        with self._lock:
            return bool(self._waiting)

    def _look(self, view: LedgerView, offers: Sequence[Offer]) -> None:
        target = max((item.claim.height for item in offers), default=None)
        try:
            view.look(int(self._clock()), target)
        except Misconfigured as error:  # frozen or expired: every claim is refused by that name, below
            if view.state is None:
                raise
            self._standings.trouble(self._word, code_of(error), sentence(error))
        else:
            self._tell_of_client(view)
        self._looked_at = time.monotonic()
        if self._looked_at - self._saved_at > SAVE_EVERY_S:
            self._saved_at = self._looked_at
            view.save()

    def _tell_of_client(self, view: LedgerView) -> None:
        """After a look: a client may be over or frozen though no header came that it would have refused for that."""
        if view.frozen:
            self._standings.trouble(self._word, FROZEN, SENTENCES[FROZEN].format(name="ClientFrozen"))
        elif self._clock() >= view.state.expires_at:
            self._standings.trouble(self._word, EXPIRED, SENTENCES[EXPIRED].format(name="ClientExpired"))
        else:
            self._standings.looked(self._word, view.state.height)

    def _answer(self, view: LedgerView, offers: Sequence[Offer]) -> None:
        passed: list[Judged] = []
        before = self._database.signed([_key(item.claim) for item in offers if item.claim.nonce <= SIGNED_64_MAX])
        for item in offers:
            known = before.get(_key(item.claim))
            if known is not None and _says(known, item) and not view.frozen:
                self._unposted.append((self._taken(item), known))  # signed before a restart, or the answer was lost
                continue
            try:
                passed.append(judge(item, self._book.get(item.claim.lane_id), view))
            except RefusedClaim as refusal:
                if refusal.name == "NonceAhead" and view.read_more((item.claim.lane_id, int(item.claim.direction))):
                    self._delay(view, item, NotYet("HistoryReadAgain", str(refusal)))
                    continue
                if refusal.name in ("PlaceMismatch", "NoCommittee"):
                    self._doubt(item)
                self._refuse(item, refusal.name, str(refusal), view)
            except NotYet as delay:
                self._delay(view, item, delay)
        proved = self._proved(view, passed)
        if proved:
            self._sign(view, proved, before)
        self._post()

    def _proved(self, view: LedgerView, passed: Sequence[Judged]) -> list[Judged]:
        """Check 10: those claims whose history the operator's own proof shows, one request a block."""
        by_height: dict[int, list[Judged]] = {}
        for item in passed:
            by_height.setdefault(item.offer.claim.height, []).append(item)
        proved = []
        for height, items in sorted(by_height.items()):
            keys = [(item.offer.claim.lane_id, int(item.offer.claim.direction)) for item in items]
            try:
                view.prove(keys, height)
            except Misconfigured as error:
                for item in items:
                    self._refuse(item.offer, error.name, error.message)
                continue
            for key, item in zip(keys, items, strict=True):
                entries = view.proved(key, height)
                if entries is not None and item.offer.claim.nonce <= entries:
                    proved.append(item)
                else:
                    self._refuse(item.offer, "NonceAhead", "The proof shows fewer entries than the claim.", view)
        return proved

    def _sign(
        self, view: LedgerView, proved: Sequence[Judged], before: Mapping[tuple[bytes, int, int], Signed]
    ) -> None:
        """Check 11, then sign; nothing is posted before it is on the disk."""
        offers, rows = [], []
        for item in proved:
            known = before.get(_key(item.offer.claim))
            if known is not None and known.head != item.offer.claim.head:
                self._refuse(item.offer, "OtherHeadSigned", "Another head was signed after as many entries.")
                continue
            if item.scheme not in self._signer.schemes():
                self._refuse(item.offer, "NoKeyOfScheme", f"The committee there checks {item.scheme}; {NAME_THE_KEY}")
                continue
            rows.append(self._signature(item))
            offers.append(item.offer)
        crash_point("operator.before_sign_commit")
        allowed = self._database.record(view.config.identity, rows, _checkpoints(view, offers))
        self._standings.signed(self._word, [offer.about for offer, fine in zip(offers, allowed, strict=True) if fine])
        for offer, row, fine in zip(offers, rows, allowed, strict=True):
            if fine:
                self._unposted.append((self._taken(offer), row))
            else:
                self._refuse(offer, "OtherHeadSigned", "Another head was signed after as many entries.")
        log.info("signed", chain=self.chain, claims=sum(allowed), height=view.state.height)

    def _taken(self, offer: Offer) -> Offer:
        """The offer no longer waits for a judgement."""
        with self._lock:
            self._waiting.pop(offer.cursor, None)
        return offer

    def _signature(self, item: Judged) -> Signed:
        claim = item.offer.claim
        return Signed(
            *_key(claim),
            head=bytes(claim.head),
            digest=bytes(item.digest),
            epoch=item.offer.epoch,
            height=claim.height,
            block_hash=bytes(claim.block_hash),
            signature=self._signer.sign(item.digest, item.scheme),
        )

    def _post(self) -> None:
        """Post what was signed; what does not reach the hub now is posted again with the next turn."""
        if self._view is not None and self._view.frozen:
            for offer, _ in self._unposted:
                self._desk.refuse(offer, "ClientFrozen", "It was signed before the light client was frozen.")
            self._unposted = []
        if not self._unposted:
            return
        crash_point("operator.before_post")
        verdicts = self._hub.post([row for _, row in self._unposted])
        posted, self._unposted = self._unposted, []
        for (offer, _), verdict in zip(posted, verdicts, strict=True):
            if isinstance(verdict, dict) and verdict.get("result") in ("accepted", "already"):
                self._desk.done(offer)
            else:
                told = verdict if isinstance(verdict, dict) else {}
                self._desk.refuse(offer, f"Hub{str(told.get('name', ''))[:60]}", str(told.get("text", ""))[:300])
        crash_point("operator.after_post")

    def _delay(self, view: LedgerView, offer: Offer, delay: NotYet) -> None:
        now = time.monotonic()
        if isinstance(delay, NeedsRewind):
            view.rewind((offer.claim.lane_id, int(offer.claim.direction)))
        with self._lock:
            since = self._waiting[offer.cursor].since
        if now - since > BEHIND_AFTER_S:
            self._standings.behind(self._word, offer.about, SENTENCES[BEHIND].format(name=delay.name))
        if now - since > PATIENCE_S:
            self._openings_wanted = delay.name == "LaneUnknown"
            if delay.name == "VerifierUnread":
                self._doubt(offer)
            self._refuse(offer, delay.name, str(delay))

    def _doubt(self, offer: Offer) -> None:
        """Have it read again who verifies this lane: the hub knows another contract, or none was there to be read."""
        self._book.doubt(offer.claim.lane_id, SOURCE if offer.claim.direction else DESTINATION)

    def _give_back_old(self) -> None:
        now = time.monotonic()
        with self._lock:
            old = [item.offer for item in self._waiting.values() if now - item.since > PATIENCE_S]
            for offer in old:
                del self._waiting[offer.cursor]
        for offer in old:
            self._desk.done(offer)

    def _refuse(self, offer: Offer, name: str, text: str, view: LedgerView | None = None) -> None:
        """Refuse a claim; one that contradicts the operator's own view of the ledger is told with both sides."""
        self._desk.refuse(self._taken(offer), name, text)
        if name == "ClientFrozen":  # told with the look that found it
            return
        contradiction = None if view is None or name not in FALSE else _contradiction(view, offer.claim)
        self._standings.refused(self._word, offer.about, f"{name}: {text}", contradiction)


def _key(claim: Claim) -> tuple[bytes, int, int]:
    return bytes(claim.lane_id), int(claim.direction), claim.nonce


def _contradiction(view: LedgerView, claim: Claim) -> Contradiction | None:
    """What the operator's own light client shows where a claim is false; None where its block was forgotten since."""
    key = claim.lane_id, int(claim.direction)
    try:
        block_hash = view.block_hash(claim.height, key)
    except HeightNotRetained:
        return None
    chronicle = view.chronicles[key]
    entries = min(claim.nonce, chronicle.nonce_at(claim.height))
    proved = view.proved(key, claim.height)
    entries = entries if proved is None else min(entries, proved)
    kept = chronicle.reaches_back_to(entries, claim.height)
    head = Bytes32(chronicle.head_after(entries) if kept else NOTHING)
    return Contradiction(claim, block_hash, entries, head)


def _says(signed: Signed, offer: Offer) -> bool:
    """Whether a signature of earlier says just this claim, for this epoch of this committee."""
    claim, suite = offer.claim, SUITES.get(offer.suite)
    if suite is None or (signed.head, signed.height, signed.epoch) != (bytes(claim.head), claim.height, offer.epoch):
        return False
    return signed.digest == bytes(attestation_digest(suite, offer.place, claim))


def _checkpoints(view: LedgerView, offers: Sequence[Offer]) -> list[Checkpoint]:
    """Where each history goes on after the newest of these claims."""
    newest: dict[tuple[LaneId, int], int] = {}
    for offer in offers:
        key = (offer.claim.lane_id, int(offer.claim.direction))
        newest[key] = max(offer.claim.nonce, newest.get(key, 0))
    return [view.checkpoint(key, nonce) for key, nonce in newest.items()]
