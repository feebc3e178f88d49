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
   of a transaction) is asked of a fit endpoint of each operator, and `adapters.ballots` says what follows.
8. A transaction that comes again, or that an endpoint refuses, is given to every fit endpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from adapters.answer_forms import check_bytes_list, check_list, check_receipts, check_wallet
from adapters.ballots import agreed_receipts, agreed_refusal, contradicts, is_odd, middle, middle_wallet
from adapters.panel import Panel, newest_height
from adapters.protocol import (
    Action,
    AdapterFactory,
    AdapterOptions,
    Call,
    CertificateState,
    GatewayEvent,
    Installed,
    LaneEnds,
    Ledger,
    LedgerIdentity,
    MachineTraits,
    Misconfigured,
    NoteProver,
    Receipt,
    Rejected,
    Signed,
    StorageProver,
    VerifierParts,
    Wallet,
)
from schemas.evidence import HeadEvidence, StateEvidence
from schemas.primitives import LaneId

BROADCASTS_KEPT = 4_096


class GuardedLedger(Panel):
    """A ledger with all its endpoints behind the guard. Safe to share between threads."""

    def __init__(
        self, factory: AdapterFactory, options: AdapterOptions, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open the ledger at each of its endpoints; the network is asked nothing.

        Args:
            factory: the adapter.
            options: endpoints, the preferred first, the expected chain, and limits.
            clock: seconds that only grow; tests give their own.

        Raises:
            Misconfigured: there is no endpoint, or an option cannot be.
        """
        super().__init__(factory, options, clock=clock)
        self._broadcasts: dict[int, None] = {}

    def identity(self) -> LedgerIdentity:
        """Ask the node what it is."""
        return self._run(lambda ledger: ledger.identity())

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves; begins a turn, which one endpoint answers as a whole."""
        self._turn.seats = []
        self._compare_tips()
        return self._run(newest_height, note_tip=True)

    def headers(self, first: int, last: int) -> list[bytes]:
        """Headers of heights `first` to `last` inclusive, as their validators sealed them, in order; at most 1,000.

        Of a ledger that skips heights, what leads a light client there.
        """
        count = None if getattr(self._factory, "skips_heights", False) else max(0, last - first + 1)
        return self._run(
            lambda ledger: check_bytes_list(
                ledger.headers(first, last), count, self._options.max_answer_bytes, "headers"
            ),
            height=last,
        )

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order.

        Where nobody signs whether a transaction is valid, what most of the fit endpoints show.
        """

        def ask(ledger: Ledger) -> list[GatewayEvent]:
            return check_list(ledger.events(first, last, gateway), None, "events")

        if getattr(self._factory, "verdicts_unsigned", False):
            return list(self._vote(lambda ledger: tuple(ask(ledger))))
        return self._run(ask, height=last)

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that a gateway keeps of a lane, at the newest block."""
        return self._run(lambda ledger: ledger.lane_ends(gateway, lane_id))

    def counted(self, gateway: bytes, lane_id: LaneId) -> tuple[int, int]:
        """Messages sent and delivered of a lane: the middle of what the fit endpoints say of each.

        Raises:
            AdapterError: none of them says.
        """
        ends = [each for _, each in self._poll(lambda ledger: ledger.lane_ends(gateway, lane_id))]
        return middle([each.sent for each in ends]), middle([each.delivered for each in ends])

    def middle_tip(self) -> int:
        """The newest height: the middle of what the fit endpoints say.

        Raises:
            AdapterError: none of them says.
        """
        return middle([tip for _, tip in self._poll(newest_height)])

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """Fetch, for each (lane, direction), the proof of its head in the state of the block at `height`."""
        return self._run(
            lambda ledger: check_list(ledger.evidence(gateway, lane_ids, height), len(lane_ids), "proofs"),
            height=height,
        )

    def storage(self, program: bytes, slots: Sequence[bytes], height: int) -> list[StateEvidence]:
        """Fetch the proofs of any slots of a program in the state of the block at `height`.

        Raises:
            Misconfigured: the ledger proves no state, or its adapter no slots but those of heads.
        """

        def proofs(ledger: Ledger) -> list[StateEvidence]:
            if not isinstance(ledger, StorageProver):
                raise Misconfigured("This ledger's adapter proves the heads of lanes and no other slots.")
            return check_list(ledger.storage(program, slots, height), len(slots), "proofs")

        return self._run(proofs, height=height)

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """Fetch what shows what an account noted of its evidence log, in the form of the ledger's family.

        Raises:
            Misconfigured: the ledger's adapter fetches no such notes.
        """

        def note(ledger: Ledger) -> bytes:
            if not isinstance(ledger, NoteProver):
                raise Misconfigured("This ledger's adapter fetches no notes of an evidence log.")
            proof = ledger.log_note(gateway, account, height)
            return check_bytes_list([proof], 1, self._options.max_answer_bytes, "bytes of a note's evidence")[0]

        return self._run(note, height=height)

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is, and believe what most of the fit endpoints say."""

        def parts(ledger: Ledger) -> VerifierParts | Rejected:
            try:
                return ledger.verifier_parts(verifier)
            except Rejected as refusal:
                return refusal

        return self._vote(parts)

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring for the gateway, with its gas limit."""
        return self._run(lambda ledger: ledger.call_for(gateway, action))

    def wallet(self, address: bytes) -> Wallet:
        """Read an account and the fee that the ledger asks now: the middle of what the fit endpoints say."""
        said = self._poll(lambda ledger: check_wallet(ledger.wallet(address)))
        agreed = middle_wallet([wallet for _, wallet in said])
        self._outvoted(said, "says what no other says of the account", lambda wallet: is_odd(wallet, agreed))
        return agreed

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
        first = self._turn.seats[-1]
        ballots = self._poll(sent([transactions[index] for index in wanted]), others, needed=False)
        for place, index in enumerate(wanted):
            said = [(first, answers[index]), *((seat, ballot[place]) for seat, ballot in ballots)]
            answers[index] = agreed_refusal([answer for _, answer in said])
            if answers[index] is None:
                self._outvoted(said, "refused a transaction that another took", _is_refusal)
        return answers

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as most of the fit endpoints know."""
        said = self._poll(lambda ledger: check_receipts(ledger.receipts(transactions), len(transactions)))
        agreed = agreed_receipts([ballot for _, ballot in said])
        self._outvoted(said, "says another fate of a transaction than most", lambda ballot: contradicts(ballot, agreed))
        return agreed

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns the output that most of the fit endpoints give."""

        def run(ledger: Ledger) -> bytes | Rejected:
            try:
                return ledger.simulate(sender, call)
            except Rejected as refusal:
                return refusal

        return self._vote(run)

    def machine(self) -> MachineTraits:
        """What the ledger's machine can do."""
        return self._at_home(lambda ledger: ledger.machine())

    def account(self, private_key: bytes) -> bytes:
        """The account of a key on this ledger."""
        return self._at_home(lambda ledger: ledger.account(private_key))

    def called_by(self, program: bytes) -> bytes:
        """What other programs call a program by."""
        return self._at_home(lambda ledger: ledger.called_by(program))

    def new_name(self, program: str) -> bytes:
        """A fresh name for a program, or empty where the ledger chooses addresses."""
        return self._run(lambda ledger: ledger.new_name(program))

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """A transaction that deploys a program."""
        return self._run(lambda ledger: ledger.deployment(name, creation))

    def installed(self, address: bytes) -> Installed:
        """What stands at an address, as most of the fit endpoints say."""

        def stands(ledger: Ledger) -> _Stands | Rejected:
            try:
                return _Stands(ledger.installed(address))
            except Rejected as refusal:
                return refusal

        return self._vote(stands).installed

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """On a development network: make the accounts of these keys able to act."""
        return self._run(lambda ledger: ledger.endow(private_keys))

    def certificates(self) -> list[CertificateState]:
        """The certificates that are used to speak to the ledger."""
        return self._at_home(lambda ledger: ledger.certificates())

    def _is_sent_again(self, raw: bytes) -> bool:
        """Whether these bytes were sent before, by this process and not long ago."""
        with self._lock:
            mark = hash(raw)
            known = mark in self._broadcasts
            self._broadcasts[mark] = None
            if len(self._broadcasts) > BROADCASTS_KEPT:
                del self._broadcasts[next(iter(self._broadcasts))]
            return known


class _Stands:
    """What stands at an address, as something that can be compared and counted."""

    def __init__(self, installed: Installed) -> None:
        self.installed = installed
        self._words = (installed.code, installed.code_hash, repr(sorted(installed.pin.items())))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Stands) and other._words == self._words

    def __hash__(self) -> int:
        return hash(self._words)


def _is_refusal(answer: Rejected | None) -> bool:
    return answer is not None
