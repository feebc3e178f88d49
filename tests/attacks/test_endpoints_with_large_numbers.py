"""One poisoned endpoint answers with numbers that no ledger has: it costs its own turn, and nothing that would last."""

from dataclasses import replace

import pytest

from adapters.answer_forms import COINS_LIMIT, COUNT_LIMIT, FEE_LIMIT
from adapters.memory.adapter import MemoryLedger
from adapters.protocol import BadAnswer
from relay.store.tables import transactions
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")


def submitted(hub):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)
    hub.chain_task("beta")


@pytest.mark.parametrize("jump", [66, 10**9, COUNT_LIMIT - 1])
def test_an_account_nonce_far_beyond_the_accounts_jams_nothing_afterwards(hub, jump):
    hub.faults("beta").nonce_jump = jump
    submitted(hub)
    assert hub.rows(transactions)[0].account_nonce == jump
    hub.faults("beta").nonce_jump = 0
    hub.settle_down(hurry=True)
    hub.check()
    nonces = [row.account_nonce for row in hub.rows(transactions, transactions.c.chain == "beta")]
    assert nonces == [None, 0]
    assert hub.ledgers["beta"].nonce(bytes(hub.context.chain("beta").account)) == 1  # no fee for any gap


@pytest.mark.parametrize("endpoints", [1, 2])
@pytest.mark.parametrize(
    ("field", "value"),
    [("nonce", COUNT_LIMIT), ("pending_nonce", COUNT_LIMIT), ("balance", COINS_LIMIT), ("fee", FEE_LIMIT), ("fee", -1)],
)
def test_a_wallet_that_cannot_be_is_no_answer(make_hub, monkeypatch, endpoints, field, value):
    hub = make_hub(endpoints=endpoints)
    honest = MemoryLedger.wallet

    def poisoned(self, address):
        wallet = honest(self, address)
        return replace(wallet, **{field: value}) if self.endpoint == hub.urls["beta"][0] else wallet

    monkeypatch.setattr(MemoryLedger, "wallet", poisoned)
    submitted(hub)
    states = [row.state for row in hub.rows(transactions)]
    if endpoints == 2:
        assert states == ["sent"]  # the other endpoint was asked
    else:
        assert states == ["queued"]
        assert hub.code("chain", "beta") == "endpoint_bad_answer"
    monkeypatch.setattr(MemoryLedger, "wallet", honest)
    hub.settle_down(hurry=True)
    hub.check()


@pytest.mark.parametrize("field", ["height", "gas_used"])
@pytest.mark.parametrize("value", [COUNT_LIMIT, -1])
def test_a_receipt_that_cannot_be_is_no_answer(hub, monkeypatch, field, value):
    submitted(hub)
    hub.mine("beta")
    asked = [bytes(hub.rows(transactions)[0].hash)]
    ledger = hub.context.ledger(hub.context.chain("beta"))
    honest = MemoryLedger.receipts
    assert ledger.receipts(asked)[0].success
    monkeypatch.setattr(
        MemoryLedger, "receipts", lambda self, asked: [replace(item, **{field: value}) for item in honest(self, asked)]
    )
    with pytest.raises(BadAnswer, match="of the receipt"):
        ledger.receipts(asked)
