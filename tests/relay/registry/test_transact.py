"""Transactions of commands, while other processes send from the same account: each call has its effect, once."""

import dataclasses

import pytest

import relay.registry.transact as transact_module
from adapters.evm import ADAPTER
from adapters.evm.devnet import DevelopmentNetwork
from adapters.protocol import AdapterOptions, Call, Endpoint, Rejected
from relay.errors import NotNow
from relay.keys import KeyStore
from relay.registry.transact import transact

pytestmark = pytest.mark.live

GAS = 21_000


@pytest.fixture(scope="module")
def slow():
    with DevelopmentNetwork(chain_id=52_004, block_time_s=1.0) as network:
        yield network


@pytest.fixture
def key(tmp_path):
    return KeyStore(tmp_path).load_or_new("relayer-alpha")


class Shared:
    """A ledger from whose account another process sends: `between` is called after each broadcast of the first try."""

    def __init__(self, url, key):
        self.ledger = ADAPTER.open(AdapterOptions((Endpoint(url),)))
        self.key = key
        self.address = self.ledger.account(key.private)
        self.ledger.endow([key.private])
        self.sent, self.between, self.hidden = [], None, 0

    def __getattr__(self, name):
        return getattr(self.ledger, name)

    def broadcast(self, raws):
        answers = self.ledger.broadcast(raws)
        self.sent += raws
        between, self.between = self.between, None
        if between:
            between()
        return answers

    def receipts(self, transactions):
        if self.hidden:
            self.hidden -= 1
            return [None] * len(transactions)
        return self.ledger.receipts(transactions)

    def replace(self, nonce):
        """Another transaction under the same nonce that offers twice the fee."""
        fee = self.ledger.wallet(self.address).fee * 2
        raw = self.ledger.sign(self.key.private, nonce, Call(self.address, b"", GAS), fee).raw
        assert self.ledger.broadcast([raw]) == [None]

    def nonce(self):
        return self.ledger.wallet(self.address).nonce


@pytest.fixture
def shared(slow, key):
    shared = Shared(slow.url, key)
    yield shared
    shared.ledger.close()


def calls(shared, count):
    return [Call(shared.address, bytes([number]), GAS + 1_000) for number in range(count)]


def test_a_call_whose_nonce_another_transaction_took_is_sent_again(shared, key, monkeypatch):
    monkeypatch.setattr(transact_module, "STANDS_WITHIN_S", 1.0)
    first = shared.nonce()
    shared.between = lambda: shared.replace(first + 1)
    receipts = transact(shared, key, calls(shared, 3), independent=True)
    assert [receipt.success for receipt in receipts] == [True] * 3
    assert len(shared.sent) == 4  # only the one that was replaced is sent again
    assert shared.nonce() == first + 4


def test_a_receipt_that_comes_late_is_waited_for(shared, key):
    first = shared.nonce()
    shared.hidden = 40  # some two seconds, in which the nonce is used and no receipt is known
    assert len(transact(shared, key, calls(shared, 1))) == 1
    assert (len(shared.sent), shared.nonce()) == (1, first + 1)


def test_where_another_took_the_next_nonce_only_what_was_refused_is_sent_again(shared, key, monkeypatch):
    first, known = shared.nonce(), shared.ledger.wallet
    shared.replace(first)
    told = iter([first])  # the wallet as it was before the other transaction
    monkeypatch.setattr(
        shared.ledger,
        "wallet",
        lambda account: dataclasses.replace(known(account), pending_nonce=next(told, known(account).pending_nonce)),
    )
    receipts = transact(shared, key, calls(shared, 2), independent=True)
    assert [receipt.success for receipt in receipts] == [True] * 2
    assert len(shared.sent) == 3
    assert shared.nonce() == first + 3


def test_while_the_first_waits_the_others_are_not_asked_for_at_every_look(shared, key, monkeypatch):
    asked, receipts = [], shared.receipts
    monkeypatch.setattr(shared, "receipts", lambda wanted: asked.append(len(wanted)) or receipts(wanted), raising=False)
    shared.hidden = 40  # some two seconds
    assert len(transact(shared, key, calls(shared, 30), independent=True)) == 30
    assert asked.count(30) <= 6
    assert asked.count(1) >= 30


@pytest.mark.parametrize(("code", "tries"), [("underpriced", 3), ("intrinsic_gas_too_low", 1)])
def test_what_is_refused_again_and_again_ends_with_its_reason(shared, key, code, tries, monkeypatch):
    asked = []
    monkeypatch.setattr(
        shared, "broadcast", lambda raws: asked.append(raws) or [Rejected("no", code=code) for _ in raws], raising=False
    )
    with pytest.raises(Rejected, match="no"):
        transact(shared, key, calls(shared, 1))
    assert len(asked) == tries


def test_what_is_not_mined_in_time_is_named(shared, key, monkeypatch):
    monkeypatch.setattr(transact_module, "MINED_WITHIN_S", 0.5)
    shared.hidden = 1_000
    with pytest.raises(NotNow, match=r"The transaction 0x[0-9a-f]{64} was not mined"):
        transact(shared, key, calls(shared, 1))


def test_why_a_ledger_calls_it_failed_is_said(shared, key, monkeypatch):
    receipts = shared.receipts
    told = {"success": False, "reason": "POLICY: too few endorsed it"}
    monkeypatch.setattr(
        shared,
        "receipts",
        lambda asked: [item and dataclasses.replace(item, **told) for item in receipts(asked)],
        raising=False,
    )
    with pytest.raises(Rejected, match="was mined and failed: POLICY: too few endorsed it"):
        transact(shared, key, calls(shared, 1))
