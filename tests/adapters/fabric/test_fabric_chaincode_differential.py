"""The chaincode against the Solidity gateway: random steps on both, one after another, must end alike.

Each step is taken at both: the refusal's name and the numbers in it, the events' nonces, statuses and results, and the counters
afterwards are the same. Ids and heads differ, for they hash who stands where; each must be what `schemas` computes for its lane.
The chaincode's lane is of either suite, Solidity's of `evm`.
"""

import random

import pytest

from adapters.solidity import administration
from schemas.suites import EVM, SM
from tests.support.chaincode_process import ChaincodeProcess
from tests.support.gateway_pair import PEER, ChaincodeSide, EvmSide, Pair, told

SEEDS = range(3)
STEPS = 150


@pytest.fixture
def process():
    started = ChaincodeProcess()
    yield started
    started.close()


@pytest.mark.parametrize("suite", [EVM, SM], ids=["evm", "sm"])
@pytest.mark.parametrize("seed", SEEDS)
def test_destinations_agree(process, seed, suite):
    pair = Pair(process, 1, seed, suite)
    for _ in range(STEPS):
        steps = [pair.arrive, pair.arrive, pair.consume, pair.consume, pair.pass_time, pair.anchor, pair.administrate]
        pair.random.choice(steps)()
        pair.compare_views()
    assert len(pair.refusals) >= 8, pair.refusals
    assert pair.statuses >= {1, 2, 4}


@pytest.mark.parametrize("suite", [EVM, SM], ids=["evm", "sm"])
@pytest.mark.parametrize("seed", SEEDS)
def test_sources_agree(process, seed, suite):
    pair = Pair(process, 0, seed, suite)
    for _ in range(STEPS):
        steps = [
            pair.send,
            pair.send,
            pair.conclude,
            pair.conclude,
            pair.consume,
            pair.anchor,
            pair.pass_time,
            pair.administrate,
        ]
        pair.random.choice(steps)()
        pair.compare_views()
    assert len(pair.refusals) >= 10, pair.refusals


@pytest.mark.parametrize("suite", [EVM, SM], ids=["evm", "sm"])
def test_callbacks_agree(process, suite):
    """Programs that sent are called back, refuse, and are tried again."""
    pair = Pair(process, 0, 9, suite)
    for side in pair.sides:
        side.administer(administration.allow_sender(side.lane_id, side.moody, 60_000, accounts=side.accounts))
    heard = set()
    for number in range(150):
        if number == 90:
            for side in pair.sides:
                side.mend()
        step = pair.random.choice(
            ["send", "send as program", "send as program", "conclude", "conclude", "settle", "retry", "retry"]
        )
        if step == "send":
            pair.send()
        elif step == "send as program":
            draft = (PEER, b"hello", 100_000, pair.random.choice([0, 300_000, 300_000]), 0)
            pair.both(lambda side: side.send_as_program(draft))  # noqa: B023
        elif step == "conclude":
            pair.conclude()
        elif step == "settle":
            pair.settle_in_order(heard)
        else:
            pair.retry(heard)
    assert heard == {"HeadMoved", "CallbackFailed", "CallbackRetried"}
    assert pair.refusals >= {"NothingToRetry", "CallbackFailedAgain"}


def test_officers_agree(process):
    """Every step of a proposal, in the right order and out of it, at both."""
    sides = (EvmSide(1), ChaincodeSide(1, process, EVM))
    chooser = random.Random(5)
    names, proposed = set(), [("unknown", "", "")]
    for _ in range(400):
        label = chooser.choice(["officer 0", "officer 1", "officer 2", "guardian", "stranger"])
        kind = chooser.choice(["propose", "approve", "execute", "execute", "cancel"])
        number = max(0, len(proposed) - 1 - chooser.choice([0, 0, 0, 1, 5]))
        other = chooser.random() < 0.3 or kind == "propose"
        asked = random_action(chooser) if other else proposed[number]
        found = []
        for side in sides:
            action = action_of(side, *asked)
            data = {
                "propose": administration.propose(action),
                "approve": administration.approve(number),
                "execute": administration.execute(number, action),
                "cancel": administration.cancel(number),
            }[kind]
            refusal, events = side.step(label, data)
            found.append((refusal, [told(event) for event in events]))
        assert found[0] == found[1], (label, kind, number, asked)
        names.add(found[0][0][0] if found[0][0] else "")
        if kind == "propose" and found[0][0] is None:
            proposed.append(asked)
    wanted = {"", "NotOfficer", "NotGuardianOrOfficer", "ProposalState", "SameOfficer", "ReplacesYou", "UnknownAction"}
    assert wanted | {"ActionMismatch", "OfficersMalformed"} <= names


def random_action(chooser):
    """What is proposed, who goes and who comes."""
    kind = chooser.choice(["unpause", "guardian", "officer", "officer", "unknown"])
    return kind, f"officer {chooser.randint(0, 3)}", chooser.choice(["officer 2", "officer 3", "guardian", "stranger"])


def action_of(side, kind, previous, following):
    """The same proposal in the words of one side."""
    incoming = side.account(following)
    if kind == "unpause":
        return administration.unpause()
    if kind == "guardian":
        return administration.replace_guardian(incoming, accounts=side.accounts)
    if kind == "officer":
        return administration.replace_officer(side.account(previous), incoming, accounts=side.accounts)
    return b"\xde\xad\xbe\xef"
