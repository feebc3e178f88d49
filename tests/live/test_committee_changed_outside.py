"""Officers strike a signer and add an epoch by a wallet of their own, past the hub: the lanes go on by themselves."""

from __future__ import annotations

from contextlib import closing

import pytest

from adapters.protocol import AdapterOptions, Endpoint
from adapters.registry import open_ledger
from adapters.solidity.administration import add_epoch, strike
from adapters.solidity.contracts import organisation_word
from relay.keys import KeyStore
from relay.registry.gateways import Contract
from tests.support.stack import stack_between

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack():
    with stack_between({"alpha": 53001, "beta": 53002}, ("alpha", "beta")) as stack:
        yield stack


@pytest.fixture
def verifier(stack):
    row = next(item for item in stack.json("chain", "list") if item["name"] == "beta")
    with closing(open_ledger("evm", AdapterOptions((Endpoint(stack.networks["beta"].url),)))) as ledger:
        yield Contract(ledger, "CommitteeVerifier", bytes.fromhex(row["verifier"][2:]))


def signers(stack):
    return {item["name"]: bytes.fromhex(item["signer"][2:]) for item in stack.json("operator", "list")}


def test_a_signer_that_was_struck_on_the_ledger_is_left_out(stack, verifier):
    stack.json("send", "alpha", "beta", "--to", "mailbox", "--text", "before", "--wait")
    verifier.call(KeyStore(stack.home.keys).load("officer-1"), strike(signers(stack)["org-1"]))
    stack.json("send", "alpha", "beta", "--to", "mailbox", "--text", "after the strike", "--wait")
    assert stack.lane("alpha", "beta")["delivered"] == 2
    states = {item["name"]: item["state"] for item in stack.json("operator", "list")}
    assert states == {"org-1": "struck", "org-2": "active", "org-3": "active"}


def test_an_epoch_that_was_added_on_the_ledger_is_taken_over(stack, verifier):
    keys = KeyStore(stack.home.keys)
    members = [(signer, organisation_word(name)) for name, signer in signers(stack).items() if name != "org-1"]
    now = int(verifier.ask("nowSeconds"))
    action = add_epoch(2, members, 2, now + 3)
    verifier.act(keys.load("officer-1"), keys.load("officer-2"), [action])
    stack.wait_until("the first epoch has ended", lambda: int(verifier.ask("nowSeconds")) > now + 4)
    stack.json("send", "alpha", "beta", "--to", "mailbox", "--text", "in the second epoch", "--wait")
    assert stack.lane("alpha", "beta")["delivered"] == 3
