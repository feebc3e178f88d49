"""The operator's process: threads poll the hub, follow each ledger and tell how it stands; this one watches the configuration."""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import structlog

from adapters.registry import open_ledger
from relay.errors import BadInput, HubError, NotNow
from relay.operator.configuration import ChainConfig, OperatorConfig, load_config
from relay.operator.database import OperatorDatabase
from relay.operator.desk import RefusalDesk
from relay.operator.follower import Follower
from relay.operator.hub import HubClient, HubUnreachable
from relay.operator.judge import Offer, RefusedClaim, read_offer
from relay.operator.lanes import LaneBook
from relay.operator.signer import FileSigner
from relay.operator.standing import Standings, Teller
from relay.operator.view import LedgerView
from schemas.primitives import hex0x

POLL_WAIT_S = 5.0
RETRIES_S = (0.1, 0.2, 0.2, 0.5, 1.0, 2.0)
CONFIG_LOOK_S = 0.25
LANE_PATIENCE_S = 10.0
MALFORMED_REST_S = 2.0
NOT_CONFIGURED = "The configuration does not name this claim's ledger."
NOT_OPENED = "No gateway of the configuration opened this lane."

log = structlog.get_logger("relay.operator")


class Operator:
    """An operator at work.

    Args:
        file: its configuration, `operator.toml`.
        clock: Unix seconds; light clients hold headers against it.

    Raises:
        HubError: the configuration, the key or the database cannot be used, or the operator runs already.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._file = file.absolute()
        self._config = load_config(self._file)
        self._stamp = _stamp(self._file)
        self._signer = FileSigner.load(self._config.key_file, self._config.sm2_key_file)
        self._lock_file = _lock(self._config.database)
        self._database = OperatorDatabase(self._config.database)
        self._book = LaneBook()
        self._desk = RefusalDesk()
        self._standings = Standings()
        self._hub = HubClient(self._config.hub_url, self._signer.address)
        self._followers: dict[bytes, Follower] = {}
        self._configs: dict[bytes, ChainConfig] = {}
        self._unrouted: dict[int, tuple[Offer, float]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until `stop` is called."""
        log.info("operator_started", operator=self._config.name, signer=hex0x(self._signer.address))
        self._arrange(self._config)
        poller = threading.Thread(target=self._poll, name="poller", daemon=True)
        poller.start()
        teller = Teller(self._standings, self._signer, lambda: self._hub)
        teller.start()
        while not self._stopping.wait(CONFIG_LOOK_S):
            self._reload()
            self._route_again()
        teller.stop()
        for follower in self._followers.values():
            follower.stop()
        for follower in self._followers.values():
            follower.join(timeout=2.0)
        teller.join(timeout=2.0)
        self._hub.close()
        self._database.close()
        self._lock_file.close()

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def _reload(self) -> None:
        """Take up a changed configuration; one that cannot be used changes nothing."""
        stamp = _stamp(self._file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            config = load_config(self._file)
        except HubError as error:
            log.warning("configuration_refused", text=str(error))
            return
        fixed = ("name", "key_file", "sm2_key_file", "database")
        if any(getattr(config, name) != getattr(self._config, name) for name in fixed):
            log.warning("configuration_refused", text=f"{', '.join(fixed)} change only with a restart of the operator.")
            return
        log.info("configuration_loaded", chains=[chain.name for chain in config.chains])
        self._arrange(config)

    def _arrange(self, config: OperatorConfig) -> None:
        """Start, stop and restart followers so that they are those of the configuration."""
        wanted = {bytes(chain.word): chain for chain in config.chains}
        with self._lock:
            if config.hub_url != self._config.hub_url:
                self._hub = HubClient(config.hub_url, self._signer.address)
                again = set(self._followers)
            else:
                again = {word for word, chain in self._configs.items() if wanted.get(word) != chain}
            for word in again:
                self._followers.pop(word).stop()
                self._configs.pop(word)
            for word, chain in wanted.items():
                if word not in self._followers:
                    self._followers[word] = self._follower(chain)
                    self._configs[word] = chain
                    self._followers[word].start()
            self._config = config
            self._desk.forget()
            self._standings.keep(wanted)

    def _follower(self, chain: ChainConfig) -> Follower:
        def open_view() -> LedgerView:
            return LedgerView(chain, open_ledger(chain.adapter, chain.options), self._database, self._book)

        return Follower(
            open_view,
            name=chain.name,
            database=self._database,
            book=self._book,
            signer=self._signer,
            hub=self._hub,
            desk=self._desk,
            standings=self._standings,
            word=bytes(chain.word),
            clock=self._clock,
        )

    def _poll(self) -> None:
        cursor, failures = 0, 0
        while not self._stopping.is_set():
            hub = self._hub
            try:
                items = hub.claims(cursor, POLL_WAIT_S)
            except HubUnreachable as error:
                if failures in (0, 10) or failures % 60 == 59:
                    log.warning("hub_waits", text=str(error))
                self._stopping.wait(RETRIES_S[min(failures, len(RETRIES_S) - 1)])
                failures += 1
                continue
            failures = 0
            offers = self._read(items)
            cursor = max([cursor, *(offer.cursor for offer in offers)])
            self._hand_out([offer for offer in offers if self._desk.accept(offer.cursor)])

    def _read(self, items: list[object]) -> list[Offer]:
        offers = []
        for item in items:
            try:
                offers.append(read_offer(item))
            except RefusedClaim as refusal:
                log.warning("claim_refused", refusal=refusal.name, text=str(refusal))
                self._stopping.wait(MALFORMED_REST_S)  # the same item would come again at once
        return offers

    def _hand_out(self, offers: list[Offer]) -> None:
        """Give each claim to the follower of the ledger that it speaks of; a claim of an unknown lane waits a little."""
        by_chain: dict[bytes, list[Offer]] = {}
        unknown = []
        for offer in offers:
            known = self._book.get(offer.claim.lane_id)
            if known is None or known.place(offer.claim.direction, offer.epoch) is None:
                unknown.append(offer)
            if known is not None:
                by_chain.setdefault(bytes(known.claimed_chain(offer.claim.direction)), []).append(offer)
            else:
                with self._lock:
                    self._unrouted.setdefault(offer.cursor, (offer, time.monotonic()))
        with self._lock:
            followers = dict(self._followers)
        if unknown:
            for follower in followers.values():
                follower.look_soon()
        for word, mine in by_chain.items():
            if word in followers:
                followers[word].offer(mine)
                continue
            for offer in mine:
                self._desk.refuse(offer, "LedgerUnknown", NOT_CONFIGURED)
                self._standings.refused(word, offer.about, f"LedgerUnknown: {NOT_CONFIGURED}")

    def _route_again(self) -> None:
        """Hand out what waited for its lane to be seen; refuse what waited too long."""
        with self._lock:
            waiting, self._unrouted = self._unrouted, {}
            followers = list(self._followers.values())
        known = [offer for offer, _ in waiting.values() if self._book.get(offer.claim.lane_id) is not None]
        now = time.monotonic()
        for offer, since in waiting.values():
            if offer in known:
                continue
            if now - since <= LANE_PATIENCE_S:
                with self._lock:
                    self._unrouted.setdefault(offer.cursor, (offer, since))
                continue
            self._desk.refuse(offer, "LaneUnknown", NOT_OPENED)
            self._standings.refused(offer.place.chain, offer.about, f"LaneUnknown: {NOT_OPENED}")
            for follower in followers:
                follower.look_soon(openings_again=True)
        if known:
            self._hand_out(known)


def _stamp(file: Path) -> tuple[int, int, int]:
    """Changes when the file does; zeros where it is away for a moment."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _lock(database: Path) -> IO[bytes]:
    """Keep a second process away from the operator's database.

    Raises:
        BadInput: the file beside the database cannot be made.
        NotNow: another process holds it.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = path.open("wb")
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.", "Check the folder's permissions.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise NotNow(
            f"An operator runs on {database} already.", "Stop it first, or give this one its own database."
        ) from None
    return file
