"""Step 4, for one ledger and key: sign, send, watch, replace.

One key, one row of account nonces. A transaction is signed and stored before it is sent, so that after `kill -9` the same
bytes are sent again. A nonce that was given out is never left empty: a transaction that is not taken is offered again with a
higher fee under the same nonce, until the ledger has used that nonce for it or for another transaction.

| what is seen | what is done |
| --- | --- |
| events of it in a proved block | `mined` (step look) |
| receipt: success, block final | `mined` |
| receipt: reverted, block final | `reverted`, with the contract's reason by simulation |
| no receipt, account's nonce beyond it | used from outside: `lost`, the lane submits again |
| no receipt for some seconds | the same bytes again; after more, a fee higher by a quarter |
| underpriced | a fee higher by a quarter at once |
| wallet empty | waits for the operator of the wallet; resumes by itself |
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from sqlalchemy import Row, func, select, update

from adapters.protocol import AdapterError, Call, Ledger, Receipt, Rejected, Wallet
from relay.context import Context
from relay.crash import crash_point
from relay.store import Lease, waits
from relay.store.tables import chains, transactions
from relay.store.waits import Reason, wait

log = structlog.get_logger()

WALLET_AGE_S = 5.0
SENT_AT_ONCE = 64
RESEND_S = 3.0
BUMP_S = 12.0
BUMP = (5, 4)
FEE_CEILING = 200
"""A replacement offers at most so many times what the ledger asks."""


class Submitter:
    """Sends what is queued for one ledger, under the lease of its chain task."""

    def __init__(self, context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> None:
        self.context = context
        self.lease = lease
        self.row = row
        self.ledger = ledger

    def run(self) -> set[str]:
        """Send, watch and replace; return lanes to wake."""
        with self.context.store.read() as connection:
            queued = self._rows(connection, "queued", SENT_AT_ONCE)
            sent = self._rows(connection, "sent", 500)
        if not queued and not sent:
            return set()
        woken: set[str] = set()
        try:
            late = [item for item in sent if time.time() - (item.sent_at or 0) > RESEND_S]
            wallet = None
            if late:
                wallet = self._wallet()
                woken = self._watch(late, wallet)
            room = SENT_AT_ONCE - len(sent)
            if queued and room > 0:
                self._send(queued[:room], sent, wallet)
        except AdapterError as error:
            self._wait(Reason.ENDPOINT_UNREACHABLE, f"chain {self.row.name}", str(error), again_s=1.0)
        return woken

    def _rows(self, connection: Any, state: str, limit: int) -> list[Row[Any]]:
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
        key = self.context.keys.load(self.row.account_key).private
        signed = [
            (item, first + offset, self.ledger.sign(key, first + offset, _call(item), fee))
            for offset, item in enumerate(queued)
        ]
        with self.lease.write() as connection:
            for item, nonce, transaction in signed:
                connection.execute(
                    update(transactions)
                    .where(transactions.c.id == item.id, transactions.c.state == "queued")
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
            waits.clear_if(connection, "chain", self.row.name, (Reason.WALLET_EMPTY,))
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
        if not rejected:
            return
        with self.lease.write() as connection:
            for identifier, answer in rejected:
                connection.execute(
                    update(transactions)
                    .where(transactions.c.id == identifier)
                    .values(sent_at=0.0, reason=f"{answer.code}: {answer}"[:500])
                )
            worst = rejected[0][1]
            if worst.code == "no_funds":
                text = f"{self.row.name} refused a transaction: {worst}. Fund 0x{bytes(self.row.account).hex()}; sending resumes by itself."
                wait(
                    connection,
                    "chain",
                    self.row.name,
                    Reason.WALLET_EMPTY,
                    party=f"wallet on {self.row.name}",
                    text=text,
                    again_s=2.0,
                )
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
                if receipt.height <= self.row.client_height:
                    self._finish(item, receipt)
                    woken.add(item.lane_id.hex())
            elif wallet.nonce > item.account_nonce:
                self._mark(item, "lost", "its account nonce was used by another transaction")
                woken.add(item.lane_id.hex())
            else:
                again.append(item)
        if again:
            self._resend(again[:SENT_AT_ONCE], wallet)
        return woken

    def _finish(self, item: Row[Any], receipt: Receipt) -> None:
        reason = ""
        if not receipt.success:
            try:
                self.ledger.simulate(bytes(self.row.account), _call(item))
                reason = "it would succeed now"
            except Rejected as rejected:
                reason = rejected.reason or str(rejected)
        with self.lease.write() as connection:
            connection.execute(
                update(transactions)
                .where(transactions.c.id == item.id)
                .values(
                    state="mined" if receipt.success else "reverted",
                    height=receipt.height,
                    gas_used=receipt.gas_used,
                    hash=receipt.transaction,
                    reason=reason[:500],
                )
            )

    def _mark(self, item: Row[Any], state: str, reason: str) -> None:
        with self.lease.write() as connection:
            connection.execute(
                update(transactions).where(transactions.c.id == item.id).values(state=state, reason=reason)
            )
        log.warning("transaction", chain=self.row.name, id=item.id, state=state, reason=reason)

    def _resend(self, items: list[Row[Any]], wallet: Wallet) -> None:
        """Offer transactions again: the same bytes, or the same nonce with a higher fee."""
        now = time.time()
        raws = []
        key = None
        with self.lease.write() as connection:
            for item in items:
                fee = int(item.fee)
                stuck = now - item.created_at > BUMP_S * (1 + len(item.earlier))
                if item.reason.startswith("underpriced") or fee < wallet.fee or stuck:
                    key = key or self.context.keys.load(self.row.account_key).private
                    fee = min(max(fee * BUMP[0] // BUMP[1] + 1, wallet.fee), max(fee, wallet.fee * FEE_CEILING))
                    signed = self.ledger.sign(key, item.account_nonce, _call(item), fee)
                    earlier = [*item.earlier, bytes(item.hash).hex()][-20:]
                    values = {
                        "raw": signed.raw,
                        "hash": signed.transaction,
                        "fee": str(signed.fee),
                        "earlier": earlier,
                        "reason": "",
                    }
                    raws.append(signed.raw)
                else:
                    values = {"reason": item.reason}
                    raws.append(bytes(item.raw))
                values = {**values, "sent_at": now, "attempts": item.attempts + 1}
                connection.execute(update(transactions).where(transactions.c.id == item.id).values(**values))
        self._note_answers([item.id for item in items], self.ledger.broadcast(raws))
        log.info("sent_again", chain=self.row.name, transactions=len(items))

    def _wait(self, reason: Reason, party: str, text: str, again_s: float) -> None:
        with self.lease.write() as connection:
            wait(connection, "chain", self.row.name, reason, party=party, text=text, again_s=again_s)


def _call(item: Row[Any]) -> Call:
    return Call(bytes(item.target), bytes(item.data), item.gas)
