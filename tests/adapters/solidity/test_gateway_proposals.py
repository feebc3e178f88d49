"""Officers, guardian, proposals and delays."""

from dataclasses import replace

import pytest

from adapters.solidity import administration
from tests.support.desk import DELAY_S, Desk
from tests.support.evm_world import (
    DEPLOYER,
    GUARDIAN,
    OFFICERS,
    SENDER,
    START,
    STRANGER,
    EvmChain,
    account,
    make_gateway,
    refuses,
    view_of,
)


@pytest.fixture
def desk():
    return Desk()


def test_widening_takes_two_officers_and_the_delay(desk):
    action = desk.opening()
    number = desk.propose(action)
    with refuses("ProposalState", state=1):
        desk.execute(number, action)
    with refuses("SameOfficer"):
        desk.approve(number, officer=0)
    desk.approve(number)
    with refuses("TooEarly", readyAt=START + DELAY_S):
        desk.execute(number, action)
    desk.chain.now += DELAY_S - 1
    with refuses("TooEarly"):
        desk.execute(number, action)
    desk.chain.now += 1
    desk.execute(number, action)
    assert view_of(desk.end, desk.lane_id).opened
    with refuses("ProposalState", state=3):
        desk.execute(number, action)
    with refuses("ProposalState", state=3):
        desk.approve(number)
    with refuses("ProposalState", state=3):
        desk.cancel(number)


def test_the_delay_begins_with_the_second_officer(desk):
    number = desk.propose(desk.opening())
    desk.chain.now += 10 * DELAY_S
    desk.approve(number)
    with refuses("TooEarly"):
        desk.execute(number, desk.opening())


def test_only_officers_propose_approve_and_execute(desk):
    action = desk.opening()
    number = desk.propose(action)
    calls = (administration.propose(action), administration.approve(number), administration.execute(number, action))
    for call in calls:
        for who in (STRANGER, GUARDIAN, DEPLOYER):
            with refuses("NotOfficer", caller="0x" + who.hex()):
                desk.call(call, who)


def test_an_approval_is_for_these_bytes_only(desk):
    action = desk.opening()
    number = desk.propose(action)
    desk.approve(number)
    desk.chain.now += DELAY_S
    other = desk.opening(lane=replace(desk.lane, channel="other"))
    with refuses("ActionMismatch", id=number):
        desk.execute(number, other)


@pytest.mark.parametrize("action", [b"", b"\x01\x02\x03\x04", administration.pause(), administration.strike(SENDER)])
def test_an_unknown_action_cannot_be_proposed(desk, action):
    with refuses("UnknownAction"):
        desk.propose(action)


def test_a_committees_action_is_unknown_to_a_gateway_and_the_other_way_round(desk):
    with refuses("UnknownAction"):
        desk.propose(administration.add_epoch(2, [], 2, START))
    with refuses("UnknownAction"):
        desk.chain.propose(desk.committee, desk.opening())


@pytest.mark.parametrize("who", [GUARDIAN, OFFICERS[0], OFFICERS[2]])
@pytest.mark.parametrize("approved", [False, True])
def test_the_guardian_or_one_officer_cancels(desk, who, approved):
    action = desk.opening()
    number = desk.propose(action)
    if approved:
        desk.approve(number)
    desk.cancel(number, who)
    assert desk.state(number) == 4
    desk.chain.now += DELAY_S
    with refuses("ProposalState", state=4):
        desk.execute(number, action)


def test_a_stranger_cancels_nothing(desk):
    number = desk.propose(desk.opening())
    with refuses("NotGuardianOrOfficer"):
        desk.cancel(number, STRANGER)


def test_what_never_was_proposed_cannot_be_approved_or_cancelled(desk):
    with refuses("ProposalState", state=0):
        desk.approve(7)
    with refuses("ProposalState", state=0):
        desk.cancel(7)


def test_the_log_of_a_proposal(desk):
    action = desk.opening()
    done = desk.call(administration.propose(action))
    ((topics, data),) = done.named("Gateway", "Proposed")
    assert int.from_bytes(topics[1], "big") == 1
    assert topics[2][12:] == OFFICERS[0]
    assert action in data
    assert desk.view("proposals") == 1


# Officers and guardian


def test_replacing_an_officer_takes_two_others_and_the_delay(desk):
    fresh = account("fresh officer")
    action = administration.replace_officer(OFFICERS[0], fresh)
    with refuses("ReplacesYou"):
        desk.propose(action, officer=0)
    number = desk.propose(action, officer=1)
    with refuses("ReplacesYou"):
        desk.approve(number, officer=0)
    desk.approve(number, officer=2)
    with refuses("ReplacesYou"):
        desk.cancel(number, OFFICERS[0])
    with refuses("TooEarly"):
        desk.execute(number, action)
    desk.chain.now += DELAY_S
    desk.execute(number, action)
    assert desk.view("officers") == tuple("0x" + who.hex() for who in (fresh, *OFFICERS[1:]))
    with refuses("NotOfficer"):
        desk.propose(desk.opening(), officer=0)
    desk.chain.propose(desk.gateway, desk.opening(), fresh)


def test_replacing_a_guardian_takes_two_officers_and_no_delay(desk):
    fresh = account("fresh guardian")
    action = administration.replace_guardian(fresh)
    number = desk.propose(action)
    with refuses("ReplacesYou"):
        desk.cancel(number, GUARDIAN)
    desk.approve(number)
    desk.execute(number, action)
    assert desk.view("guardian") == "0x" + fresh.hex()
    with refuses("NotGuardianOrOfficer"):
        desk.call(administration.pause(), GUARDIAN)
    desk.call(administration.pause(), fresh)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(administration.replace_officer(OFFICERS[2], OFFICERS[1]), id="an officer twice"),
        pytest.param(administration.replace_officer(OFFICERS[2], bytes(20)), id="a zero officer"),
        pytest.param(administration.replace_officer(OFFICERS[2], GUARDIAN), id="the guardian as officer"),
        pytest.param(administration.replace_officer(STRANGER, SENDER), id="who is no officer"),
        pytest.param(administration.replace_guardian(bytes(20)), id="a zero guardian"),
        pytest.param(administration.replace_guardian(OFFICERS[0]), id="an officer as guardian"),
    ],
)
def test_malformed_replacements_are_refused(desk, action):
    with refuses("OfficersMalformed"):
        desk.perform(action)


@pytest.mark.parametrize("leaver", [0, 1])
def test_a_proposal_of_a_former_officer_is_outdated(desk, leaver):
    action = desk.opening()
    number = desk.propose(action)
    desk.approve(number)
    replacing = administration.replace_officer(OFFICERS[leaver], account("fresh officer"))
    second = desk.propose(replacing, officer=1 - leaver)
    desk.approve(second, officer=2)
    desk.chain.now += DELAY_S
    desk.execute(second, replacing)
    with refuses("ProposalOutdated", id=number):
        desk.execute(number, action)


@pytest.mark.parametrize(
    ("officers", "guardian"),
    [
        pytest.param(OFFICERS[:2], GUARDIAN, id="two officers"),
        pytest.param([*OFFICERS[:2], OFFICERS[0]], GUARDIAN, id="an officer twice"),
        pytest.param([*OFFICERS[:2], bytes(20)], GUARDIAN, id="a zero officer"),
        pytest.param(OFFICERS, bytes(20), id="a zero guardian"),
        pytest.param(OFFICERS, OFFICERS[1], id="an officer as guardian"),
    ],
)
def test_a_gateway_needs_three_officers_and_a_guardian(officers, guardian):
    with refuses("OfficersMalformed"):
        make_gateway(EvmChain("alpha"), officers=officers, guardian=guardian)


def test_a_gateway_needs_a_chain_word_and_a_divisor():
    with refuses("ChainWordZero"):
        make_gateway(EvmChain("alpha"), word=bytes(32))
    with refuses("TimeDivisorZero"):
        make_gateway(EvmChain("alpha"), time_divisor=0)


def test_what_a_gateway_was_deployed_with_can_be_read(desk):
    assert desk.view("chainWord") == desk.chain.word
    assert desk.view("delaySeconds") == DELAY_S
    assert desk.view("minimumExpirySeconds") == 60
    assert desk.view("guardian") == "0x" + GUARDIAN.hex()
