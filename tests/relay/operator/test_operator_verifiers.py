"""Operators and what verifies a lane: they sign for the committee, also inside both, follow its changes, and sign for nobody else."""

import dataclasses

import pytest
from sqlalchemy import select

from adapters.memory import faults_at
from relay.operator.judge import NotYet, RefusedClaim
from relay.store.tables import attestations, claims
from relay.store.verifiers import Kind
from tests.relay.operator.test_operator_judge import Scene
from tests.support.memory_hub import VERIFIER
from tests.support.operator_world import OperatorWorld, wait_until

OUT = ("alpha", "beta")


class KindScene(Scene):
    """The scene of the judge's tests with lanes of one kind."""

    def __init__(self, folder, kind):
        self.world = OperatorWorld(folder, kind=kind)
        self.hub = self.world.hub
        self.file = folder / "operator.db"
        self.open()


@pytest.fixture
def scenes(tmp_path):
    made = []

    def make(kind):
        made.append(KindScene(tmp_path, kind))
        return made[-1]

    yield make
    for scene in made:
        scene.close()


def change(hub, kind):
    hub.ledgers["beta"].set_verifier(hub.lane_ids[OUT], hub.verifier("beta", "alpha", kind))


def test_the_place_of_both_is_the_committee_inside(scenes):
    scene = scenes(Kind.BOTH)
    scene.send()
    scene.look()
    (offer,) = scene.offers()
    assert offer.place.verifier == VERIFIER
    assert scene.judge(offer).place == offer.place


def test_nobody_is_asked_to_sign_for_a_light_client(scenes):
    scene = scenes(Kind.LIGHT_CLIENT)
    scene.send()
    scene.look()
    assert scene.offers() == []


def test_nobody_would_sign_for_a_light_client(scenes):
    scene = scenes(Kind.COMMITTEE)
    scene.send()
    scene.look()
    (offer,) = scene.offers()
    change(scene.hub, Kind.LIGHT_CLIENT)
    scene.look()
    with pytest.raises(RefusedClaim) as refused:
        scene.judge(offer)
    assert refused.value.name == "NoCommittee"


def test_a_ledger_that_has_not_said_who_verifies_is_waited_for(scenes):
    scene = scenes(Kind.COMMITTEE)
    scene.send()
    scene.hub.ledgers["beta"].verifiers.clear()
    scene.look()
    (offer,) = scene.offers()
    with pytest.raises(NotYet) as delay:
        scene.judge(offer)
    assert delay.value.name == "VerifierUnread"
    scene.hub.verifier("beta", "alpha", Kind.COMMITTEE)
    scene.hub.ledgers["beta"].verifiers[VERIFIER] = scene.hub.committee
    scene.book.doubt(offer.claim.lane_id, 1)
    scene.look()
    assert scene.judge(offer).place.verifier == VERIFIER


def test_what_was_read_of_a_verifier_outlives_a_restart_while_its_ledger_is_away(scenes):
    scene = scenes(Kind.BOTH)
    scene.send()
    scene.look()
    for url in scene.hub.urls["beta"]:
        faults_at(url).unreachable = True
    for view in scene.views.values():
        view.save()
    scene.reopen()
    scene.look("alpha")
    (offer,) = scene.offers()
    assert scene.judge(offer).place.verifier == VERIFIER


def test_an_event_that_was_kept_silent_is_made_up_for_by_a_doubt(scenes):
    scene = scenes(Kind.COMMITTEE)
    scene.send()
    scene.look()
    another = dataclasses.replace(scene.hub.committee, address=b"\x78" * 20)
    lane_id = scene.hub.lane_ids[OUT]
    scene.hub.ledgers["beta"].set_verifier(lane_id, another)
    scene.book.doubt(lane_id, 1)
    scene.look()
    assert scene.book.get(lane_id).place(0, 1).verifier == b"\x78" * 20


def test_operators_sign_anew_for_the_verifier_that_came_after(tmp_path):
    with OperatorWorld(tmp_path) as world:
        hub = world.hub
        for name in hub.signers:
            world.start(name)
        hub.send(*OUT, b"one")
        world.look()
        wait_until(lambda: world.states() == ["attested"], "the first claim is signed")
        another = dataclasses.replace(hub.committee, address=b"\x78" * 20)
        hub.ledgers["beta"].set_verifier(hub.lane_ids[OUT], another)
        write_committee(hub, another)
        world.look()
        wait_until(lambda: world.states() == ["void", "attested"], "the claim is signed for the new committee")
        with hub.context.store.read() as connection:
            rows = connection.execute(select(claims.c.digest).order_by(claims.c.id)).scalars().all()
            signed = connection.execute(select(attestations.c.claim_id)).scalars().all()
        assert len(set(rows)) == 2
        assert {1, 2} <= set(signed)


def write_committee(hub, committee):
    """What the keeper reads of a committee that officers gave a lane."""
    from relay.store.tables import committees, verifiers

    with hub.context.store.write() as connection:
        row = {"chain": "beta", "address": committee.address, "kind": "committee", "committee": committee.address}
        connection.execute(verifiers.insert().values(**row))
        known = connection.execute(select(committees).where(committees.c.chain == "beta")).one()
        connection.execute(committees.insert().values(**(known._asdict() | {"verifier": committee.address})))
