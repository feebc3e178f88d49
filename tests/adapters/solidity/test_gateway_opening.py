"""Opening a lane: every preimage is checked, and a lane is opened once."""

from dataclasses import replace

import pytest

from adapters.protocol import LaneOpened
from adapters.solidity import administration
from adapters.solidity.administration import Caps
from adapters.solidity.contracts import contract
from schemas.lane import Lane
from schemas.suites import EVM, SM, keccak256
from tests.support.desk import CODE_HASH, PEER, Desk
from tests.support.evm_world import (
    STRANGER,
    EvmWorld,
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


def test_anyone_recomputes_the_lane_id_from_the_event(desk):
    done = desk.perform(desk.opening())
    (event,) = (event for event in done.events_of(desk.gateway) if isinstance(event, LaneOpened))
    recomputed = Lane(
        event.hub,
        EVM,
        event.source,
        event.source_gateway,
        event.destination,
        event.destination_gateway,
        event.channel,
    )
    assert event.lane_id == recomputed.lane_id == desk.lane_id
    assert (event.end, event.verifier, event.peer_code_hash) == (0, desk.committee, CODE_HASH)


def test_what_was_opened_can_be_read(opened):
    seen = view_of(opened.end, opened.lane_id)
    assert (seen.end, seen.closed, seen.paused, seen.abandoned) == (0, False, False, False)
    assert (seen.peer_gateway, seen.peer_code_hash) == (PEER, CODE_HASH)
    assert seen.verifier == "0x" + opened.committee.hex()
    assert seen.caps == (16_384, 2_000_000, 500_000, 20, 60, 100_000)
    assert (seen.sent, seen.settled, seen.delivered, seen.verifier_changes) == (0, 0, 0, 0)


def test_a_lane_is_opened_once_in_a_gateways_life(opened):
    with refuses("LaneExists"):
        opened.perform(opened.opening())
    opened.perform(administration.close_lane(opened.lane_id))
    with refuses("LaneExists"):
        opened.perform(opened.opening())
    with refuses("LaneExists"):
        opened.perform(opened.opening(verifier=make_committee(opened.chain), caps=Caps(max_gas=1)))
    opened.perform(opened.opening(lane=replace(opened.lane, channel="second")))


def test_a_gateway_opens_only_lanes_at_whose_end_it_stands(desk):
    lane, other = desk.lane, keccak256(b"another chain")
    with refuses("NotOurEnd"):
        desk.perform(desk.opening(end=1))
    with refuses("NotOurEnd"):
        desk.perform(desk.opening(lane=replace(lane, source=other)))
    with refuses("NotOurEnd"):
        desk.perform(desk.opening(lane=replace(lane, source_gateway=PEER)))
    backwards = Lane("hub", EVM, lane.destination, PEER, lane.source, desk.gateway, "main")
    with refuses("NotOurEnd"):
        desk.perform(desk.opening(end=0, lane=backwards))
    desk.perform(desk.opening(end=1, lane=backwards))
    assert view_of(desk.end, backwards.lane_id).end == 1


def test_a_lane_to_itself_is_refused(desk):
    lane = replace(desk.lane, destination=desk.chain.word, destination_gateway=desk.gateway)
    with refuses("LaneToItself"):
        desk.perform(desk.opening(lane=lane))


def test_a_lane_to_another_gateway_of_the_same_ledger_is_a_lane(desk):
    desk.perform(desk.opening(lane=replace(desk.lane, destination=desk.chain.word)))


def test_another_suite_is_refused(desk):
    with refuses("UnknownSuite", suite="sm"):
        desk.perform(desk.opening(lane=replace(desk.lane, suite=SM)))
    words = (desk.lane.source, desk.gateway, desk.lane.destination, PEER)
    with refuses("UnknownSuite"):
        desk.view("laneIdOf", (0, "hub", "sm", *words, "main", bytes(20), bytes(32)))


def test_an_unknown_end_is_refused(desk):
    with refuses("UnknownEnd", end=2):
        desk.perform(desk.opening(end=2))


def raw_opening(desk, **changes):
    fields = {
        "end": 0,
        "hub": "hub",
        "suite": "evm",
        "source": desk.chain.word,
        "source_gateway": desk.gateway,
        "destination": desk.lane.destination,
        "destination_gateway": PEER,
        "channel": "main",
        "verifier": desk.committee,
        "code_hash": CODE_HASH,
    }
    values = tuple((fields | changes).values())
    return contract("IGatewayActions").encode("openLane", values, (16_384, 2_000_000, 0, 20, 60, 100))


@pytest.mark.parametrize(
    "change",
    [
        {"hub": ""},
        {"hub": "x" * 65},
        {"channel": ""},
        {"channel": "x" * 65},
        {"source_gateway": b""},
        {"source_gateway": bytes(65)},
        {"destination_gateway": b""},
        {"destination_gateway": bytes(65)},
        {"source": bytes(32)},
        {"destination": bytes(32)},
        {"code_hash": bytes(32)},
    ],
    ids=lambda change: " ".join(f"{name} {len(value)}" for name, value in change.items()),
)
def test_names_gateways_and_words_have_their_sizes(desk, change):
    with refuses("OpeningMalformed"):
        desk.perform(raw_opening(desk, **change))


def test_names_and_gateways_of_64_bytes_are_taken(desk):
    desk.perform(raw_opening(desk, hub="x" * 64, channel="y" * 64, destination_gateway=bytes(range(64))))


def test_a_verifier_has_code_and_is_not_the_gateway(desk):
    for verifier in (bytes(20), STRANGER, desk.gateway):
        with refuses("VerifierUnfit"):
            desk.perform(desk.opening(verifier=verifier))


@pytest.mark.parametrize(
    "caps", [Caps(max_payload=0), Caps(window_s=0), Caps(window_limit=0), Caps(receiver_length=65)], ids=str
)
def test_caps_that_carry_nothing_are_refused(opened, caps):
    with refuses("CapsMalformed"):
        opened.perform(opened.opening(lane=replace(opened.lane, channel="second"), caps=caps))
    with refuses("CapsMalformed"):
        opened.perform(administration.set_caps(opened.lane_id, caps))


def test_a_verifier_sees_the_gateway_as_its_caller():
    """On a machine that passes its caller's caller on, the origin rule would hold nobody back."""
    world = EvmWorld.create()
    chain, gateway = world.source.chain, world.source.gateway
    verifier = chain.create("test/StubVerifier")
    action = administration.set_verifier(world.lane_id, verifier)
    chain.administer(gateway, action)
    chain.call(STRANGER, verifier, "test/StubVerifier", "hide")
    with refuses("CallerHidden", verifier="0x" + verifier.hex()):
        chain.administer(gateway, action)
    for other in ("Idle", "test/Burner", "Mailbox"):
        with refuses("CallerHidden"):
            arguments = [gateway] if other == "Mailbox" else []
            chain.administer(gateway, administration.set_verifier(world.lane_id, chain.create(other, *arguments)))
