"""Administration of lanes: who may widen and who may narrow, when, and at which end."""

import pytest

from adapters.solidity import administration
from adapters.solidity.administration import Caps
from schemas.lane import Lane
from schemas.primitives import LaneId
from schemas.suites import EVM
from tests.support.desk import PEER, Desk
from tests.support.evm_world import (
    GUARDIAN,
    OFFICERS,
    SENDER,
    STRANGER,
    EvmWorld,
    account,
    make_committee,
    refuses,
    view_of,
)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def opened(desk):
    desk.perform(desk.opening())
    return desk


def test_one_officer_lowers_caps_at_once(opened):
    lower = Caps(100, 200, 300, 20, 60, 5)
    opened.call(administration.lower_caps(opened.lane_id, lower))
    assert view_of(opened.end, opened.lane_id).caps == (100, 200, 300, 20, 60, 5)
    opened.perform(administration.set_caps(opened.lane_id, Caps()))
    assert view_of(opened.end, opened.lane_id).caps[0] == 16_384


@pytest.mark.parametrize(
    "caps",
    [
        Caps(max_payload=16_385),
        Caps(max_gas=2_000_001),
        Caps(max_callback_gas=500_001),
        Caps(window_limit=100_001),
        Caps(window_s=59),
        Caps(window_s=61),
        Caps(receiver_length=19),
        Caps(receiver_length=0),
    ],
    ids=str,
)
def test_one_officer_cannot_widen_by_lowering(opened, caps):
    with refuses("CapsNotLower"):
        opened.call(administration.lower_caps(opened.lane_id, caps))


def test_a_sender_is_allowed_by_two_and_lowered_by_one(opened):
    opened.perform(administration.allow_sender(opened.lane_id, SENDER, 10))
    opened.call(administration.lower_sender_limit(opened.lane_id, SENDER, 5))
    assert opened.view("senderLimit", opened.lane_id, SENDER) == 5
    for limit in (5, 6):
        with refuses("LimitNotLower", limit=5):
            opened.call(administration.lower_sender_limit(opened.lane_id, SENDER, limit))
    opened.call(administration.lower_sender_limit(opened.lane_id, SENDER))
    assert opened.view("senderLimit", opened.lane_id, SENDER) == 0
    with refuses("LimitNotLower", limit=0):
        opened.call(administration.lower_sender_limit(opened.lane_id, SENDER))


def test_a_sender_who_is_nobody_or_may_send_nothing_is_refused(opened):
    with refuses("AccountUnfit"):
        opened.perform(administration.allow_sender(opened.lane_id, bytes(20), 1))
    with refuses("LimitZero"):
        opened.perform(administration.allow_sender(opened.lane_id, SENDER, 0))


def backwards(desk):
    lane = Lane("hub", EVM, desk.lane.destination, PEER, desk.lane.source, desk.gateway, "main")
    desk.perform(desk.opening(end=1, lane=lane))
    return lane.lane_id


def test_a_receiver_is_allowed_by_two_and_denied_by_one(desk):
    lane_id, app = backwards(desk), account("application")
    desk.perform(administration.allow_receiver(lane_id, app))
    assert desk.view("receiverAllowed", lane_id, app)
    with refuses("AccountUnfit"):
        desk.perform(administration.allow_receiver(lane_id, app))
    desk.call(administration.deny_receiver(lane_id, app))
    assert not desk.view("receiverAllowed", lane_id, app)
    with refuses("AccountUnfit"):
        desk.call(administration.deny_receiver(lane_id, app))


def test_a_message_can_never_target_the_gateway_or_a_verifier(desk):
    lane_id = backwards(desk)
    for target in (desk.gateway, desk.committee, bytes(20)):
        with refuses("AccountUnfit"):
            desk.perform(administration.allow_receiver(lane_id, target))
    later = make_committee(desk.chain)
    desk.perform(administration.set_verifier(lane_id, later))
    for target in (later, desk.committee):
        with refuses("AccountUnfit"):
            desk.perform(administration.allow_receiver(lane_id, target))


def test_a_receiver_cannot_become_a_verifier_until_it_is_denied(desk):
    lane_id, later = backwards(desk), make_committee(desk.chain)
    desk.perform(administration.allow_receiver(lane_id, later))
    with refuses("VerifierUnfit"):
        desk.perform(administration.set_verifier(lane_id, later))
    desk.call(administration.deny_receiver(lane_id, later))
    desk.perform(administration.set_verifier(lane_id, later))


def test_lists_belong_to_their_end(opened):
    lane_id = backwards(opened)
    with refuses("WrongEnd"):
        opened.perform(administration.allow_receiver(opened.lane_id, SENDER))
    with refuses("WrongEnd"):
        opened.perform(administration.allow_sender(lane_id, SENDER, 1))
    with refuses("WrongEnd"):
        opened.call(administration.deny_receiver(opened.lane_id, SENDER))
    with refuses("WrongEnd"):
        opened.call(administration.lower_sender_limit(lane_id, SENDER))


def test_unknown_lanes_are_named(desk):
    nowhere = LaneId(b"\x01" * 32)
    actions = (
        administration.set_caps(nowhere, Caps()),
        administration.allow_sender(nowhere, SENDER, 1),
        administration.allow_receiver(nowhere, SENDER),
        administration.set_verifier(nowhere, desk.committee),
        administration.unpause_lane(nowhere),
        administration.close_lane(nowhere),
        administration.abandon_lane(nowhere),
    )
    for action in actions:
        with refuses("UnknownLane"):
            desk.perform(action)
    calls = (
        administration.pause_lane(nowhere),
        administration.lower_caps(nowhere, Caps()),
        administration.lower_sender_limit(nowhere, SENDER),
        administration.deny_receiver(nowhere, SENDER),
    )
    for call in calls:
        with refuses("UnknownLane"):
            desk.call(call)


def test_narrowing_takes_an_officer(opened):
    calls = (
        administration.lower_caps(opened.lane_id, Caps()),
        administration.lower_sender_limit(opened.lane_id, SENDER),
        administration.deny_receiver(opened.lane_id, SENDER),
    )
    for call in calls:
        for who in (STRANGER, GUARDIAN):
            with refuses("NotOfficer"):
                opened.call(call, who)


@pytest.mark.parametrize("who", [GUARDIAN, OFFICERS[1]])
def test_one_pauses_at_once_and_two_unpause_after_the_delay(opened, who):
    opened.call(administration.pause(), who)
    opened.call(administration.pause_lane(opened.lane_id), who)
    assert opened.view("paused")
    assert view_of(opened.end, opened.lane_id).paused
    number = opened.propose(administration.unpause())
    opened.approve(number)
    with refuses("TooEarly"):
        opened.execute(number, administration.unpause())
    opened.perform(administration.unpause())
    opened.perform(administration.unpause_lane(opened.lane_id))
    assert not opened.view("paused")
    assert not view_of(opened.end, opened.lane_id).paused


def test_a_stranger_pauses_nothing(opened):
    for call in (administration.pause(), administration.pause_lane(opened.lane_id)):
        with refuses("NotGuardianOrOfficer"):
            opened.call(call, STRANGER)


def test_closing_takes_two_officers_without_delay(opened):
    action = administration.close_lane(opened.lane_id)
    number = opened.propose(action)
    opened.approve(number)
    opened.execute(number, action)
    assert view_of(opened.end, opened.lane_id).closed
    with refuses("LaneIsClosed"):
        opened.perform(action)


def test_only_a_closed_lane_is_abandoned_and_apps_can_read_it(opened):
    action = administration.abandon_lane(opened.lane_id)
    with refuses("LaneNotClosed"):
        opened.perform(action)
    opened.perform(administration.close_lane(opened.lane_id))
    number = opened.propose(action)
    opened.approve(number)
    with refuses("TooEarly"):
        opened.execute(number, action)
    opened.perform(action)
    assert view_of(opened.end, opened.lane_id).abandoned


def test_another_verifier_is_another_generation(opened):
    before = view_of(opened.end, opened.lane_id)
    later = make_committee(opened.chain)
    opened.perform(administration.set_verifier(opened.lane_id, later))
    after = view_of(opened.end, opened.lane_id)
    assert after.verifier == "0x" + later.hex()
    assert (before.verifier_changes, after.verifier_changes) == (0, 1)
    assert before.generation != after.generation


@pytest.mark.parametrize(
    "action",
    [
        administration.set_caps(LaneId(b"\x01" * 32), Caps()),
        administration.allow_sender(LaneId(b"\x01" * 32), SENDER, 1),
        administration.allow_receiver(LaneId(b"\x01" * 32), SENDER),
        administration.set_verifier(LaneId(b"\x01" * 32), SENDER),
        administration.unpause(),
        administration.unpause_lane(LaneId(b"\x01" * 32)),
        administration.abandon_lane(LaneId(b"\x01" * 32)),
        administration.replace_officer(OFFICERS[2], SENDER),
    ],
)
def test_each_widening_action_waits_for_the_delay(desk, action):
    number = desk.propose(action)
    desk.approve(number)
    with refuses("TooEarly"):
        desk.execute(number, action)


def test_administration_leaves_a_log():
    world = EvmWorld.create()
    chain, gateway, lane_id = world.source.chain, world.source.gateway, world.lane_id
    assert chain.transact(GUARDIAN, gateway, administration.pause()).named("Gateway", "PauseChanged")
    assert chain.administer(gateway, administration.unpause()).named("Gateway", "PauseChanged")
    assert chain.administer(gateway, administration.close_lane(lane_id)).named("Gateway", "LaneClosed")
    assert chain.administer(gateway, administration.abandon_lane(lane_id)).named("Gateway", "LaneAbandoned")
    assert chain.administer(gateway, administration.set_caps(lane_id, Caps())).named("Gateway", "CapsChanged")
