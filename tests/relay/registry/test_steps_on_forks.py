"""Officers' steps on a ledger whose newest blocks are not final: a step waits for the one before it to stand again."""

import pytest

from adapters.protocol import Rejected
from relay.registry import gateways
from relay.registry.gateways import Contract

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

    def execute(self, key, proposals):
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
