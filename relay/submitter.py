"""Step 4, for one ledger and key: sign, send, watch, replace.

One key, one row of account nonces. A transaction is signed and stored before it is sent, so that after `kill -9` the same
bytes are sent again. A nonce that was given out is never left empty: a transaction that is not taken is offered again with a
higher fee under the same nonce, until the ledger has used that nonce for it or for another transaction. `relay.offers` decides
when and for how much.

| what is seen | what is done |
| --- | --- |
| events of it in a proved block | `mined` (step look) |
| receipt: success, block read, effect known | `mined` |
| receipt: success, block read, no effect known | an endpoint hid its events: the block is read again |
| receipt: reverted, block final | `reverted`, with the contract's reason by simulation |
| no receipt, account's nonce beyond it | used from outside: `lost`, the lane submits again |
| no receipt, two blocks or some seconds | the same bytes again; after more blocks a fee higher by a quarter |
| underpriced | a fee higher by a quarter at once, until it is taken |
| a block takes more than it offers | what the ledger asks now, and a quarter |
| refused for what it is, several times | an empty transaction takes its place, so that no other lane stands behind it |
| a nonce below ours that nobody used | somebody lied about it or a block was taken back: an empty transaction fills it |
| account's nonce far before all of ours | the gap would never be filled: the nonces are forgotten, the lanes submit again |
| its lane was frozen | nothing of it is sent again: an empty transaction takes its place |
| fee above the ceiling, or dearer than the node allows | waits, and never pays more; resumes by itself |
| wallet empty, key unreadable | waits for who can change that; resumes by itself |

On a ledger without account nonces (`MachineTraits.ordered`) nothing stands behind anything: there are no gaps and no fillers. What is
refused for what it is, or whose time is over there, is `lost`, and the lane makes another one; what endorsers refuse is `reverted`.
Where of two transactions in one block that touch one key only the first holds (`MachineTraits.optimistic`), all go at once until one
loses such a race; then one goes after another, and one more at once after each few that were mined.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Connection, Row, update

from adapters.protocol import AdapterError, Call, Ledger, Receipt, Rejected, Signed, Wallet
from relay import offers
from relay.context import Context
from relay.crash import crash_point
from relay.errors import BadInput, NotFound
from relay.keys import Key
from relay.sending_waits import OURS, SendingWaits
from relay.steps.setback import WOULD_SUCCEED, note_unfit
from relay.steps.trouble import note_trouble
from relay.store import Lease, sending
from relay.store.lanes import read_again
from relay.store.tables import transactions

log = structlog.get_logger()

WALLET_AGE_S = 5.0
IDLE_WALLET_AGE_S = 60.0
SENT_AT_ONCE = 64
OFFERS_AT_ONCE = 4
"""So many times a transaction whose fee is refused is offered with another one before the next block: up to 2.4 times it."""
NOTHING_GAS = 21_000
MINED_UNTIL_ONE_MORE = 8
"""So many transactions have to be mined on an optimistic ledger after a lost race until one more goes at once."""


class Submitter:
    """Sends what is queued for one ledger, under the lease of its chain task."""

    def __init__(self, context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> None:
        self.context = context
        self.lease = lease
        self.row = row
        self.ledger = ledger
        self.account = bytes(row.account)
        traits = ledger.machine()
        self.ordered, self.proof_delay, self.optimistic = traits.ordered, traits.proof_delay, traits.optimistic
        self.waits = SendingWaits(lease, row)

    def run(self) -> set[str]:
        """Send, watch and replace; return lanes to wake."""
        with self.context.store.read() as connection:
            queued = sending.in_state(connection, self.row.name, "queued", SENT_AT_ONCE)
            sent = sending.in_state(connection, self.row.name, "sent", 500)
            self.waits.read(connection)
        if not queued and not sent:
            self.waits.end(*OURS)
            if not 0 <= time.time() - self.row.wallet_at <= IDLE_WALLET_AGE_S:
                with suppress(AdapterError):  # only the status wants to know
                    self._wallet()
            return set()
        try:
            return self._work(queued, sent)
        except AdapterError as error:
            note_trouble(self.lease, self.row, error)
        except (BadInput, NotFound) as error:
            self.waits.key_unreadable(str(error))
        return set()

    def _work(self, queued: list[Row[Any]], sent: list[Row[Any]]) -> set[str]:
        late = [item for item in sent if offers.is_late(item, self.row.tip, time.time())]
        wallet = self._wallet() if late or (queued and self._is_wallet_old(sent)) else None
        if self.ordered and late and wallet is not None and _is_far_ahead(sent, wallet):
            return self._take_back(sent, wallet)
        woken: set[str] = set()
        parked = wallet is not None and offers.is_above_ceiling(wallet)
        if wallet is not None and parked:
            self.waits.above_ceiling(wallet)
        if late and wallet is not None:
            woken, again = self._watch(late, wallet)
            self.waits.pending(again)
            if not parked:
                if self.ordered:
                    self._fill_gaps(sent, wallet)
                self._offer_again(again, wallet)
        room = self._at_once() - len(sent)
        if queued and room > 0 and not parked:
            self._send(queued[:room], sent, wallet)
        return woken

    def _at_once(self) -> int:
        """How many transactions may be on their way; fewer where the hub's own ones lose races against each other."""
        if not self.optimistic:
            return SENT_AT_ONCE
        with self.context.store.read() as connection:
            mined = sending.mined_since_reverted(
                connection, self.row.name, WOULD_SUCCEED, SENT_AT_ONCE * MINED_UNTIL_ONE_MORE
            )
        return SENT_AT_ONCE if mined is None else min(1 + mined // MINED_UNTIL_ONE_MORE, SENT_AT_ONCE)

    def _is_wallet_old(self, sent: list[Row[Any]]) -> bool:
        """Whether what is known of the account and the fee may have changed: a block came, or somebody was to change it."""
        age_s = time.time() - self.row.wallet_at
        new_block = self.row.wallet_at <= self.row.tip_at
        return not sent or new_block or self.waits.is_about_coins or not 0 <= age_s <= WALLET_AGE_S

    def _wallet(self) -> Wallet:
        """Read account and fee, and keep balance and fee for the status."""
        wallet = self.ledger.wallet(self.account)
        with self.lease.write() as connection:
            sending.keep_wallet(connection, self.row.name, wallet.balance, wallet.fee)
        return wallet

    def _send(self, queued: list[Row[Any]], sent: list[Row[Any]], wallet: Wallet | None) -> None:
        """Give nonces, sign, store, send: as many as the account pays for together with those on their way."""
        fee = int(self.row.fee) if wallet is None else wallet.fee
        balance = int(self.row.balance) if wallet is None else wallet.balance
        costs = [fee * item.gas for item in queued]
        if balance < costs[0]:
            self.waits.empty(costs[0], balance)
            return
        reserved = offers.cost(item for item in sent if wallet is None or item.account_nonce >= wallet.nonce)
        queued = queued[: offers.affordable(costs, balance - reserved)]
        if not queued:
            return  # those on their way are paid first
        first = self._next_nonce(wallet)
        signed = self._signed(queued, first, fee)
        if not signed:
            return
        queued = [item for item, _, _ in signed]
        with self.lease.write() as connection:
            now_queued = sending.in_state(connection, self.row.name, "queued", len(queued))
            if [item.id for item in now_queued] != [item.id for item in queued]:
                return  # some were made void meanwhile, and a nonce must not be left out
            for item, nonce, transaction in signed:
                sending.keep_signed(connection, item, nonce, transaction, self.row.tip)
            crash_point("worker.submit.before_sign_commit")
        crash_point("worker.submit.before_broadcast")
        answers = self.ledger.broadcast([transaction.raw for _, _, transaction in signed])
        crash_point("worker.submit.after_broadcast")
        refused = self._note_answers([item.id for item, _, _ in signed], answers)
        crash_point("worker.submit.after_commit")
        log.info("sent", chain=self.row.name, transactions=len(signed), first_nonce=first)
        if refused:
            self._offer_otherwise(refused, wallet or self._wallet())

    def _signed(self, queued: list[Row[Any]], first: int, fee: int) -> list[tuple[Row[Any], int, Signed]]:
        """Sign transactions with nonces from `first` on; what a ledger's endorsers refuse is reverted before it is sent.

        Raises:
            Rejected: a ledger refuses on which signing asks nobody.
        """
        key = self._key().private
        signed: list[tuple[Row[Any], int, Signed]] = []
        for item in queued:
            nonce = first + len(signed)
            try:
                signed.append((item, nonce, self.ledger.sign(key, nonce, _call(item), fee)))
            except Rejected as refusal:
                if self.ordered:
                    raise
                with self.lease.write() as connection:
                    connection.execute(
                        update(transactions)
                        .where(transactions.c.id == item.id, transactions.c.state == "queued")
                        .values(state="reverted", height=self.row.tip, reason=(refusal.reason or str(refusal))[:500])
                    )
        return signed

    def _next_nonce(self, wallet: Wallet | None) -> int:
        """One more than the highest nonce given out, or the account's own where that is further."""
        with self.context.store.read() as connection:
            ours = sending.highest_nonce(connection, self.row.name)
        return ours + 1 if wallet is None else max(ours + 1, wallet.nonce)

    def _note_answers(self, identifiers: list[int], answers: list[Rejected | None]) -> list[int]:
        """Keep why transactions were not taken; return those to which another fee may help."""
        rejected = [
            (identifier, answer) for identifier, answer in zip(identifiers, answers, strict=True) if answer is not None
        ]
        self.waits.refused([answer for _, answer in rejected])
        if not rejected:
            return []
        with self.lease.write() as connection:
            for identifier, answer in rejected:
                connection.execute(
                    update(transactions)
                    .where(transactions.c.id == identifier)
                    .values(reason=f"{answer.code}: {answer}"[:500])
                )
        self._give_up_expired([identifier for identifier, answer in rejected if answer.code == "expired"])
        first = rejected[0][1]
        log.warning("rejected", chain=self.row.name, count=len(rejected), code=first.code, text=str(first)[:200])
        return [identifier for identifier, answer in rejected if answer.code in offers.ABOUT_FEES]

    def _give_up_expired(self, identifiers: list[int]) -> None:
        """Record that the ledger will never take transactions any more; their lanes submit again."""
        if identifiers:
            with self.lease.write() as connection:
                mine = (transactions.c.id.in_(identifiers), transactions.c.state == "sent")
                connection.execute(update(transactions).where(*mine).values(state="lost", account_nonce=None))

    def _watch(self, late: list[Row[Any]], wallet: Wallet) -> tuple[set[str], list[Row[Any]]]:
        """Ask after transactions that are late: mined, or used from outside; return lanes to wake, and what is in no block."""
        hashes = [[bytes(item.hash), *(bytes.fromhex(earlier) for earlier in item.earlier)] for item in late]
        flat = [transaction for group in hashes for transaction in group]
        receipts = dict(zip(flat, self.ledger.receipts(flat), strict=True))
        woken: set[str] = set()
        again: list[Row[Any]] = []
        unsure: list[int] = []
        for item, group in zip(late, hashes, strict=True):
            receipt = next((receipts[entry] for entry in group if receipts[entry] is not None), None)
            if receipt is not None and receipt.height + self.proof_delay > self.row.observed_height:
                unsure.append(item.id)
            elif receipt is not None:
                if self._finish(item, receipt):
                    woken.add(item.lane_id.hex())
            elif wallet.nonce > item.account_nonce:
                self._give_up(item)
                woken.add(item.lane_id.hex())
            else:
                again.append(item)
        if unsure:
            with self.lease.write() as connection:
                sending.keep_unsure(connection, unsure)
        return woken, again

    def _finish(self, item: Row[Any], receipt: Receipt) -> bool:
        """Record what became of a transaction; False where its effect is not known yet."""
        reason = receipt.reason
        if not receipt.success and not reason and item.purpose != "nothing":
            try:
                self.ledger.simulate(self.account, _call(item))
                reason = WOULD_SUCCEED
            except Rejected as rejected:
                reason = rejected.reason or str(rejected)
        with self.lease.write() as connection:
            mine = update(transactions).where(transactions.c.id == item.id)
            if receipt.success and not sending.has_effect(connection, item):
                read_again(connection, self.row.name, receipt.height)
                connection.execute(mine.values(sent_at=time.time(), height=self.row.tip))
                return False
            connection.execute(
                mine.values(
                    state="mined" if receipt.success or item.purpose == "nothing" else "reverted",
                    height=receipt.height,
                    gas_used=receipt.gas_used,
                    hash=receipt.transaction,
                    reason=reason[:500],
                )
            )
        return True

    def _fill_gaps(self, sent: list[Row[Any]], wallet: Wallet) -> None:
        """Use up account nonces below ours that nobody used, or nothing of ours behind them would ever be mined."""
        gaps = offers.missing_nonces(sent, wallet.nonce)
        if not gaps:
            return
        key = self._key().private
        call = Call(self.account, b"", NOTHING_GAS)
        signed = [self.ledger.sign(key, nonce, call, wallet.fee) for nonce in gaps]
        with self.lease.write() as connection:
            identifiers = [
                sending.keep_filler(connection, sent[0], nonce, call, transaction, self.row.tip)
                for nonce, transaction in zip(gaps, signed, strict=True)
            ]
        self._note_answers(identifiers, self.ledger.broadcast([transaction.raw for transaction in signed]))
        log.warning("gap_filled", chain=self.row.name, first=gaps[0], last=gaps[-1])

    def _take_back(self, sent: list[Row[Any]], wallet: Wallet) -> set[str]:
        """Forget account nonces that are too far ahead to be filled up to; return their lanes, which submit again."""
        reason = f"its account nonce was given out far beyond the account's own, {wallet.nonce}"
        with self.lease.write() as connection:
            for item in sent:
                state = "void" if item.purpose == "nothing" else "lost"
                connection.execute(
                    update(transactions)
                    .where(transactions.c.id == item.id)
                    .values(state=state, account_nonce=None, reason=reason)
                )
        log.warning("nonces_taken_back", chain=self.row.name, transactions=len(sent), account_nonce=wallet.nonce)
        return {item.lane_id.hex() for item in sent}

    def _give_up(self, item: Row[Any]) -> None:
        """Record that another transaction has a transaction's account nonce; its lane submits again."""
        state, reason = (
            "void" if item.purpose == "nothing" else "lost",
            "its account nonce was used by another transaction",
        )
        with self.lease.write() as connection:
            connection.execute(
                update(transactions).where(transactions.c.id == item.id).values(state=state, reason=reason)
            )
        log.warning("transaction", chain=self.row.name, id=item.id, state=state, reason=reason)

    def _offer_again(self, again: list[Row[Any]], wallet: Wallet) -> None:
        """Offer what is in no block again, in the order of the account's nonces, as far as the account pays for it."""
        again = sorted(again, key=lambda item: int(item.account_nonce))[:SENT_AT_ONCE]
        count = offers.affordable([offers.cost([item]) for item in again], wallet.balance)
        if again and count == 0:
            self.waits.empty(offers.cost(again[:1]), wallet.balance)
        if count:
            self._offer_otherwise(self._resend(again[:count], wallet), wallet)

    def _offer_otherwise(self, refused: list[int], wallet: Wallet) -> None:
        """Offer transactions whose fee was refused with another one, until it is taken or nothing else can be offered."""
        for _ in range(OFFERS_AT_ONCE):
            with self.context.store.read() as connection:
                items = sending.still_sent(connection, refused)
            items = [item for item in items if offers.next_fee(item, wallet) != int(item.fee)]
            if not items:
                return
            refused = self._resend(items, wallet)

    def _resend(self, items: list[Row[Any]], wallet: Wallet) -> list[int]:
        """Offer transactions again: the same bytes, the same nonce with another fee, or an empty one in its place.

        Returns:
            The ids of those to which another fee may help.
        """
        key = self._key().private
        with self.context.store.read() as connection:
            halted = sending.halted_lanes(connection, items)
        raws, offered = [], []
        with self.lease.write() as connection:
            for item in self._still_wanted(connection, items, halted):
                values: dict[str, Any] = {"sent_at": time.time(), "reason": ""}
                if offers.counts(item, self.row.tip):
                    values |= {"attempts": item.attempts + 1, "height": self.row.tip}
                call, fee = _call(item), offers.next_fee(item, wallet)
                unfit = offers.is_unfit(item)
                empty = unfit or (item.lane_id in halted and item.purpose != "nothing")
                if unfit and item.lane_id:
                    note_unfit(self.context, connection, item)
                if empty:
                    call, fee = Call(self.account, b"", NOTHING_GAS), offers.raised(int(item.fee), wallet)
                    values |= {"purpose": "nothing", "target": call.target, "data": call.data, "gas": call.gas}
                if empty or fee != int(item.fee):
                    signed = self.ledger.sign(key, item.account_nonce, call, fee)
                    earlier = [*item.earlier, bytes(item.hash).hex()][-20:]
                    values |= {"raw": signed.raw, "hash": signed.transaction, "fee": str(signed.fee)}
                    values |= {"earlier": earlier}
                offered.append(item.id)
                raws.append(values.get("raw", bytes(item.raw)))
                connection.execute(update(transactions).where(transactions.c.id == item.id).values(**values))
        refused = self._note_answers(offered, self.ledger.broadcast(raws))
        log.info("sent_again", chain=self.row.name, transactions=len(offered))
        return refused

    def _still_wanted(self, connection: Connection, items: list[Row[Any]], halted: set[bytes]) -> list[Row[Any]]:
        """Those to offer again; without account nonces an empty transaction is of no use, and what it would replace is given up."""
        if self.ordered:
            return items
        wanted = []
        for item in items:
            unfit = offers.is_unfit(item)
            if not unfit and item.lane_id not in halted:
                wanted.append(item)
                continue
            if unfit and item.lane_id:
                note_unfit(self.context, connection, item)
            mine = transactions.c.id == item.id
            connection.execute(update(transactions).where(mine).values(state="lost" if unfit else "void"))
        return wanted

    def _key(self) -> Key:
        return self.context.keys.load(self.row.account_key)


def _is_far_ahead(sent: list[Row[Any]], wallet: Wallet) -> bool:
    """Whether all account nonces were given out so far beyond the account's own that nobody would fill the gap."""
    return bool(min(item.account_nonce for item in sent) - wallet.nonce > SENT_AT_ONCE)


def _call(item: Row[Any]) -> Call:
    return Call(bytes(item.target), bytes(item.data), item.gas)
