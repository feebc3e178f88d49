"""Step 4, for one ledger and key: sign, send, watch, replace.

One key, one row of account nonces. A transaction is signed and stored before it is sent, so that after `kill -9` the same
bytes are sent again. A nonce that was given out is never left empty: a transaction that is not taken is offered again with a
higher fee under the same nonce, until the ledger has used that nonce for it or for another transaction.

| what is seen | what is done |
| --- | --- |
| events of it in a proved block | `mined` (step look) |
| receipt: success, block read, effect known | `mined` |
| receipt: success, block read, no effect known | an endpoint hid its events: the block is read again |
| receipt: reverted, block final | `reverted`, with the contract's reason by simulation |
| no receipt, account's nonce beyond it | used from outside: `lost`, the lane submits again |
| no receipt for some seconds | the same bytes again; after more, while blocks go on, a fee higher by a quarter |
| underpriced | a fee higher by a quarter at once |
| refused for what it is, several times | an empty transaction takes its place, so that no other lane stands behind it |
| account's nonce before all of ours | somebody lied about it once: empty transactions fill the gap |
| account's nonce far before all of ours | the gap would never be filled: the nonces are forgotten, the lanes submit again |
| its lane was frozen | nothing of it is sent again: an empty transaction takes its place |
| wallet empty, key unreadable | waits for who can change that; resumes by itself |
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, select, update

from adapters.protocol import AdapterError, Call, Ledger, Receipt, Rejected, Wallet
from relay.context import Context
from relay.crash import crash_point
from relay.errors import BadInput, NotFound
from relay.keys import Key
from relay.steps.setback import note_unfit
from relay.steps.trouble import note_trouble
from relay.store import Lease, waits
from relay.store.lanes import WORKING, read_again
from relay.store.tables import chains, lanes, transactions
from relay.store.waits import Reason, wait

log = structlog.get_logger()

WALLET_AGE_S = 5.0
IDLE_WALLET_AGE_S = 60.0
SENT_AT_ONCE = 64
RESEND_S = 3.0
BUMP_AFTER = 4
"""So many times the same bytes are sent before their fee is raised: some 12 s."""
BUMP = (5, 4)
FEE_CEILING = 10
"""A replacement offers at most so many times what the ledger asks."""
NOTHING_GAS = 21_000
UNFIT = ("other:", "too_much_gas:")
"""Refusals that no fee, wait or coin would change: too large, too much gas, or of a kind that is not known."""
OURS = (Reason.WALLET_EMPTY, Reason.KEY_UNREADABLE, Reason.TRANSACTION_PENDING)
"""The waits of a ledger that sending begins and ends."""


class Submitter:
    """Sends what is queued for one ledger, under the lease of its chain task."""

    def __init__(self, context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> None:
        self.context = context
        self.lease = lease
        self.row = row
        self.ledger = ledger
        self.waiting: Row[Any] | None = None

    def run(self) -> set[str]:
        """Send, watch and replace; return lanes to wake."""
        with self.context.store.read() as connection:
            queued = self._rows(connection, "queued", SENT_AT_ONCE)
            sent = self._rows(connection, "sent", 500)
            self.waiting = waits.find(connection, "chain", self.row.name)
        woken: set[str] = set()
        if not queued and not sent:
            self._end(OURS)
            if not 0 <= time.time() - self.row.wallet_at <= IDLE_WALLET_AGE_S:
                with suppress(AdapterError):  # only the status wants to know
                    self._wallet()
            return woken
        try:
            # A time that lies ahead was written before the clock was set back: it is late as well.
            late = [item for item in sent if not 0 <= time.time() - (item.sent_at or 0) <= RESEND_S]
            wallet = None
            if late:
                wallet = self._wallet()
                if min(item.account_nonce for item in sent) - wallet.nonce > SENT_AT_ONCE:
                    return self._take_back(sent, wallet)
                self._fill_gap(sent, wallet)
                woken = self._watch(late, wallet)
            room = SENT_AT_ONCE - len(sent)
            if queued and room > 0:
                self._send(queued[:room], sent, wallet)
        except AdapterError as error:
            note_trouble(self.lease, self.row, error)
        except (BadInput, NotFound) as error:
            self._wait(Reason.KEY_UNREADABLE, "hub's owner", str(error), again_s=0.0)
        return woken

    def _rows(self, connection: Connection, state: str, limit: int) -> list[Row[Any]]:
        return list(
            connection.execute(
                select(transactions)
                .where(transactions.c.chain == self.row.name, transactions.c.state == state)
                .order_by(transactions.c.id)
                .limit(limit)
            ).all()
        )

    def _wallet(self) -> Wallet:
        """Read account and fee, and keep balance and fee for the status."""
        wallet = self.ledger.wallet(bytes(self.row.account))
        with self.lease.write() as connection:
            connection.execute(
                update(chains)
                .where(chains.c.name == self.row.name)
                .values(balance=str(wallet.balance), fee=str(wallet.fee), wallet_at=time.time())
            )
        return wallet

    def _send(self, queued: list[Row[Any]], sent: list[Row[Any]], wallet: Wallet | None) -> None:
        """Give nonces, sign, store, send."""
        fee = int(self.row.fee)
        if wallet is None and (not sent or time.time() - self.row.wallet_at > WALLET_AGE_S):
            wallet = self._wallet()
        if wallet is not None:
            fee = wallet.fee
        first = self._next_nonce(wallet)
        balance = wallet.balance if wallet is not None else int(self.row.balance)
        needed = fee * queued[0].gas
        if balance < needed:
            text = f"0x{bytes(self.row.account).hex()} holds {balance}; the next transaction may cost {needed}."
            self._wait(
                Reason.WALLET_EMPTY,
                f"wallet on {self.row.name}",
                text + " Fund it; sending resumes by itself.",
                again_s=2.0,
            )
            return
        key = self._key().private
        signed = [
            (item, first + offset, self.ledger.sign(key, first + offset, _call(item), fee))
            for offset, item in enumerate(queued)
        ]
        with self.lease.write() as connection:
            if [item.id for item in self._rows(connection, "queued", len(queued))] != [item.id for item in queued]:
                return  # some were made void meanwhile, and a nonce must not be left out
            for item, nonce, transaction in signed:
                connection.execute(
                    update(transactions)
                    .where(transactions.c.id == item.id)
                    .values(
                        state="sent",
                        account_nonce=nonce,
                        fee=str(transaction.fee),
                        raw=transaction.raw,
                        hash=transaction.transaction,
                        attempts=1,
                        sent_at=time.time(),
                    )
                )
            crash_point("worker.submit.before_sign_commit")
        crash_point("worker.submit.before_broadcast")
        answers = self.ledger.broadcast([transaction.raw for _, _, transaction in signed])
        crash_point("worker.submit.after_broadcast")
        self._note_answers([item.id for item, _, _ in signed], answers)
        crash_point("worker.submit.after_commit")
        log.info("sent", chain=self.row.name, transactions=len(signed), first_nonce=first)

    def _next_nonce(self, wallet: Wallet | None) -> int:
        """One more than the highest nonce given out, or the account's own where that is further."""
        with self.context.store.read() as connection:
            highest = connection.execute(
                select(func.max(transactions.c.account_nonce)).where(transactions.c.chain == self.row.name)
            ).scalar_one()
        ours = -1 if highest is None else int(highest)
        if wallet is None:
            return ours + 1
        return max(ours + 1, wallet.nonce)

    def _note_answers(self, identifiers: list[int], answers: list[Rejected | None]) -> None:
        """Keep why a transaction was not taken; what is underpriced or lost is handled at the next watch."""
        rejected = [
            (identifier, answer) for identifier, answer in zip(identifiers, answers, strict=True) if answer is not None
        ]
        poor = next((answer for _, answer in rejected if answer.code == "no_funds"), None)
        if poor is None:
            self._end((Reason.WALLET_EMPTY, Reason.KEY_UNREADABLE))
        if not rejected:
            return
        with self.lease.write() as connection:
            for identifier, answer in rejected:
                connection.execute(
                    update(transactions)
                    .where(transactions.c.id == identifier)
                    .values(sent_at=0.0, reason=f"{answer.code}: {answer}"[:500])
                )
        if poor is not None:
            text = f"{self.row.name} refused a transaction: {poor}. Fund 0x{bytes(self.row.account).hex()}; sending resumes by itself."
            self._wait(Reason.WALLET_EMPTY, f"wallet on {self.row.name}", text, again_s=2.0)
        log.warning(
            "rejected",
            chain=self.row.name,
            count=len(rejected),
            code=rejected[0][1].code,
            text=str(rejected[0][1])[:200],
        )

    def _watch(self, late: list[Row[Any]], wallet: Wallet) -> set[str]:
        """Ask after transactions that are late: mined, used from outside, to be sent again, to be replaced."""
        hashes = [[bytes(item.hash), *(bytes.fromhex(earlier) for earlier in item.earlier)] for item in late]
        flat = [transaction for group in hashes for transaction in group]
        receipts = dict(zip(flat, self.ledger.receipts(flat), strict=True))
        woken: set[str] = set()
        again: list[Row[Any]] = []
        for item, group in zip(late, hashes, strict=True):
            receipt = next((receipts[entry] for entry in group if receipts[entry] is not None), None)
            if receipt is not None:
                if receipt.height <= self.row.observed_height and self._finish(item, receipt):
                    woken.add(item.lane_id.hex())
            elif wallet.nonce > item.account_nonce:
                self._mark(item, "lost", "its account nonce was used by another transaction")
                woken.add(item.lane_id.hex())
            else:
                again.append(item)
        self._note_pending(again)
        if again:
            self._resend(again[:SENT_AT_ONCE], wallet)
        return woken

    def _finish(self, item: Row[Any], receipt: Receipt) -> bool:
        """Record what became of a transaction; False where its effect is not known yet."""
        reason = ""
        if not receipt.success and item.purpose != "nothing":
            try:
                self.ledger.simulate(bytes(self.row.account), _call(item))
                reason = "it would succeed now"
            except Rejected as rejected:
                reason = rejected.reason or str(rejected)
        with self.lease.write() as connection:
            mine = update(transactions).where(transactions.c.id == item.id)
            if receipt.success and not _has_effect(connection, item):
                read_again(connection, self.row.name, receipt.height)
                connection.execute(mine.values(sent_at=time.time()))
                return False
            connection.execute(
                mine.values(
                    state="mined" if receipt.success else "reverted",
                    height=receipt.height,
                    gas_used=receipt.gas_used,
                    hash=receipt.transaction,
                    reason=reason[:500],
                )
            )
        return True

    def _fill_gap(self, sent: list[Row[Any]], wallet: Wallet) -> None:
        """Use up account nonces before the first of ours, or nothing of ours would ever be mined."""
        first = min(item.account_nonce for item in sent)
        gap = range(wallet.nonce, first)
        if not gap:
            return
        key = self._key().private
        nothing = Call(bytes(self.row.account), b"", NOTHING_GAS)
        self.ledger.broadcast([self.ledger.sign(key, nonce, nothing, wallet.fee).raw for nonce in gap])
        log.warning("gap_filled", chain=self.row.name, first=gap[0], last=gap[-1])

    def _take_back(self, sent: list[Row[Any]], wallet: Wallet) -> set[str]:
        """Forget account nonces that are too far ahead to be filled up to; return their lanes, which submit again."""
        reason = f"its account nonce was given out far beyond the account's own, {wallet.nonce}"
        with self.lease.write() as connection:
            mine = transactions.c.id.in_([item.id for item in sent])
            connection.execute(update(transactions).where(mine).values(state="lost", account_nonce=None, reason=reason))
        log.warning("nonces_taken_back", chain=self.row.name, transactions=len(sent), account_nonce=wallet.nonce)
        return {item.lane_id.hex() for item in sent}

    def _note_pending(self, again: list[Row[Any]]) -> None:
        """Say what is sent and not in a block for long; that the wallet is empty is the better reason."""
        slow = [item for item in again if item.attempts >= BUMP_AFTER]
        if not slow:
            self._end((Reason.TRANSACTION_PENDING,))
        elif self.waiting is None or self.waiting.code == Reason.TRANSACTION_PENDING:
            text = f"{len(slow)} transactions are sent and in no block yet; the fee is raised under the same nonce."
            said = slow[0].reason and f" The ledger said: {slow[0].reason}."
            self._wait(Reason.TRANSACTION_PENDING, f"chain {self.row.name}", text + said, again_s=0.0)

    def _mark(self, item: Row[Any], state: str, reason: str) -> None:
        with self.lease.write() as connection:
            connection.execute(
                update(transactions).where(transactions.c.id == item.id).values(state=state, reason=reason)
            )
        log.warning("transaction", chain=self.row.name, id=item.id, state=state, reason=reason)

    def _resend(self, items: list[Row[Any]], wallet: Wallet) -> None:
        """Offer transactions again: the same bytes, the same nonce with a higher fee, or an empty one in its place."""
        key = self._key().private
        halted = self._halted(items)
        raws = []
        with self.lease.write() as connection:
            for item in items:
                values: dict[str, Any] = {"sent_at": time.time(), "attempts": item.attempts + 1, "reason": ""}
                call = _call(item)
                unfit = _is_unfit(item)
                empty = unfit or (item.lane_id in halted and item.purpose != "nothing")
                if unfit:
                    note_unfit(self.context, connection, item)
                if empty:
                    call = Call(bytes(self.row.account), b"", NOTHING_GAS)
                    values |= {"purpose": "nothing", "target": call.target, "data": call.data, "gas": call.gas}
                if empty or self._must_raise(item, wallet):
                    signed = self.ledger.sign(key, item.account_nonce, call, _raised(int(item.fee), wallet.fee))
                    earlier = [*item.earlier, bytes(item.hash).hex()][-20:]
                    values |= {"raw": signed.raw, "hash": signed.transaction, "fee": str(signed.fee)}
                    values |= {"earlier": earlier}
                raws.append(values.get("raw", bytes(item.raw)))
                connection.execute(update(transactions).where(transactions.c.id == item.id).values(**values))
        self._note_answers([item.id for item in items], self.ledger.broadcast(raws))
        log.info("sent_again", chain=self.row.name, transactions=len(items))

    def _must_raise(self, item: Row[Any], wallet: Wallet) -> bool:
        """Whether its fee is too low, or it was in none of the blocks that came since it was sent so many times."""
        stuck = item.attempts >= BUMP_AFTER * (1 + len(item.earlier)) and self.row.tip_at > (item.sent_at or 0)
        return stuck or item.reason.startswith("underpriced") or int(item.fee) < wallet.fee

    def _halted(self, items: list[Row[Any]]) -> set[bytes]:
        """Lanes of these transactions that carry nothing any more."""
        with self.context.store.read() as connection:
            rows = connection.execute(
                select(lanes.c.lane_id).where(
                    lanes.c.lane_id.in_({item.lane_id for item in items}), lanes.c.state.not_in(WORKING)
                )
            )
            return {row.lane_id for row in rows}

    def _key(self) -> Key:
        return self.context.keys.load(self.row.account_key)

    def _end(self, codes: tuple[Reason, ...]) -> None:
        """End a wait of this ledger that began with sending."""
        if self.waiting is not None and self.waiting.code in codes:
            with self.lease.write() as connection:
                waits.clear_if(connection, "chain", self.row.name, codes)
            self.waiting = None

    def _wait(self, reason: Reason, party: str, text: str, again_s: float) -> None:
        with self.lease.write() as connection:
            wait(connection, "chain", self.row.name, reason, party=party, text=text, again_s=again_s)


def _is_unfit(item: Row[Any]) -> bool:
    """Whether a ledger refused it again and again for what it is, and not for its fee, nonce or wallet."""
    return bool(item.purpose != "nothing" and item.attempts >= BUMP_AFTER and item.reason.startswith(UNFIT))


def _raised(fee: int, asked: int) -> int:
    """A fee higher by a quarter, at least what the ledger asks, at most the ceiling over that."""
    return min(max(fee * BUMP[0] // BUMP[1] + 1, asked), max(fee, asked * FEE_CEILING))


def _has_effect(connection: Connection, item: Row[Any]) -> bool:
    """Whether the hub knows of what a delivery or settlement that succeeded must have moved."""
    lane = connection.execute(select(lanes).where(lanes.c.lane_id == item.lane_id)).one()
    if item.purpose == "nothing" or lane.state not in WORKING:
        return True
    return bool((lane.settled if item.purpose == "settle" else lane.delivered) >= item.last)


def _call(item: Row[Any]) -> Call:
    return Call(bytes(item.target), bytes(item.data), item.gas)
