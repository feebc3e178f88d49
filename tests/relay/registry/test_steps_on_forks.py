"""Transactions on a ledger whose newest blocks are not final: what a block had that was left for another is waited for."""

from types import SimpleNamespace

import pytest

from adapters.protocol import MachineTraits, MessageSent, Position, Receipt, Rejected
from relay import sending
from relay.errors import NotNow
from relay.registry import gateways
from relay.registry.gateways import Contract
from schemas.suites import keccak256

STATE = "ProposalState(id=5, state=1): The proposal is not in the state that this step needs"


class Forking(Contract):
    """A contract whose approval is refused for the reasons given, one after another, and then taken."""

    __slots__ = ("done", "reasons")

    def __init__(self, *reasons):
        object.__setattr__(self, "reasons", list(reasons))
        object.__setattr__(self, "done", [])

    def propose(self, key, actions):
        self.done.append(("proposed", key, tuple(actions)))
        return [5]

    def approve(self, key, numbers):
        if self.reasons:
            raise Rejected("The call would revert.", code="reverted", reason=self.reasons.pop(0))
        self.done.append(("approved", key, tuple(numbers)))

    def execute(self, key, proposals, *, independent):
        self.done.append(("executed", key, tuple(proposals)))


def act(contract):
    contract.act("first", "second", [b"action"])
    return contract.done


DONE = [("proposed", "first", (b"action",)), ("approved", "second", (5,)), ("executed", "first", ((5, b"action"),))]


@pytest.mark.parametrize("reasons", [(), (STATE,), (STATE, "", STATE)])
def test_a_step_is_taken_again_while_the_one_before_it_was_lost(reasons):
    assert act(Forking(*reasons)) == DONE


def test_another_refusal_is_final():
    contract = Forking("NotOfficer()", STATE)
    with pytest.raises(Rejected) as caught:
        act(contract)
    assert caught.value.reason == "NotOfficer()"
    assert contract.done == DONE[:1]


def test_it_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(gateways, "STANDS_WITHIN_S", -1.0)
    with pytest.raises(Rejected, match="would revert"):
        act(Forking(STATE))


class Forgetful(Contract):
    """A contract whose node shows these counts of proposals, one after another; each holds the action of its number."""

    __slots__ = ("counts",)

    def __init__(self, *counts):
        super().__init__(SimpleNamespace(machine=MachineTraits), "Gateway", bytes(20))
        object.__setattr__(self, "counts", list(counts))

    def ask(self, function, *arguments):
        if function == "proposals":
            return self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]
        return {"actionHash": keccak256(b"action %d" % arguments[0])}

    def _send(self, key, data, *, independent):
        return []


def test_a_proposal_is_looked_for_until_it_stands_again():
    contract = Forgetful(3, 3, 4, 5)
    assert contract.propose("officer", [b"action 5", b"action 4"]) == [5, 4]
    assert contract.counts == [5]


def test_a_proposal_that_never_comes_is_told(monkeypatch):
    monkeypatch.setattr(gateways, "STANDS_WITHIN_S", -1.0)
    with pytest.raises(NotNow, match="cannot be found"):
        Forgetful(3, 4).propose("officer", [b"action 4", b"action 5"])


class Leaving:
    """A ledger that shows these heights of one transaction, one after another (None: in no block), and its event at the last."""

    def __init__(self, *heights):
        self.heights = list(heights)

    def receipts(self, transactions):
        self.heights.pop(0)
        return [receipt_at(self.heights[0]) for _ in transactions]

    machine = staticmethod(MachineTraits)

    def events(self, first, last, gateway):
        assert first == last == self.heights[0]
        position = Position(first, bytes(32), TRANSACTION, 0)
        event = MessageSent("lane", b"id", None, SimpleNamespace(nonce=7), position)
        other = MessageSent("lane", b"of another", None, SimpleNamespace(nonce=8), Position(first, bytes(32), b"", 1))
        return [event, other] if len(self.heights) == 1 else [other]


TRANSACTION = b"\x01" * 32


def receipt_at(height):
    return None if height is None else Receipt(TRANSACTION, height, bytes(32), success=True, gas_used=1)


@pytest.mark.parametrize("heights", [(5,), (5, 6), (5, None, 7)])
def test_what_was_sent_is_looked_for_where_it_stands_now(heights):
    (sent,) = sending._shown(Leaving(*heights), b"gateway", b"lane", [receipt_at(heights[0])])
    assert (sent.message_id, sent.nonce, sent.height, sent.transaction) == (b"id", 7, heights[-1], TRANSACTION)


def test_what_the_endpoint_never_shows_is_told(monkeypatch):
    monkeypatch.setattr(sending, "STANDS_WITHIN_S", -1.0)
    with pytest.raises(NotNow, match="does not show"):
        sending._shown(Leaving(5, 6), b"gateway", b"lane", [receipt_at(5)])
