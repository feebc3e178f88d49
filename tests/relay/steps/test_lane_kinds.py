"""Messages over lanes of every kind: by a committee, by a light client, by both."""

import pytest

from adapters.memory.verifiers import FOREVER
from relay.store.tables import attestations, claims, lanes, milestones, transactions
from relay.store.verifiers import Kind
from tests.support.memory_hub import RECEIVER, REVERTING

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("seed", [1, 2])
def test_messages_and_outcomes_cross_a_lane_of_each_kind(make_hub, kind, seed):
    hub = make_hub(kind=kind, seed=seed)
    for number in range(25):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=REVERTING)
    hub.settle_down()
    hub.check()
    assert hub.journey(*OUT).executed == 25
    assert hub.journey(*HOME).failed == 25
    assert {row.state for row in hub.rows(transactions)} <= {"mined", "sent"}  # nothing failed on the way
    stages = {row.stage for row in hub.rows(milestones)}
    assert ("attested" in stages, "outcome_attested" in stages) == (kind is not Kind.LIGHT_CLIENT,) * 2
    assert (hub.rows(claims) == []) == (kind is Kind.LIGHT_CLIENT)
    assert (hub.rows(attestations) == []) == (kind is Kind.LIGHT_CLIENT)


@pytest.mark.parametrize("kind", [Kind.LIGHT_CLIENT, Kind.BOTH])
def test_an_end_that_is_not_open_yet_is_waited_for(make_hub, kind):
    hub = make_hub(pairs=(("beta", "alpha"),))
    hub.open(*OUT, ends=(0,), kind=kind)
    hub.send(*OUT, b"early", receiver=RECEIVER)
    hub.mine()
    hub.chain_task("alpha")
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)
    row = hub.wait_of("lane", *OUT)
    assert (row.code, row.party) == ("lane_not_open", "officers")
    assert hub.rows(transactions) == []


def to_kind(hub, kind, here="beta", peer="alpha"):
    """Officers give the lane out of alpha another verifier on beta."""
    hub.ledgers[here].set_verifier(hub.lane_ids[OUT], hub.verifier(here, peer, kind))


@pytest.mark.parametrize("after", Kind)
@pytest.mark.parametrize("before", Kind)
def test_a_lane_whose_verifier_is_changed_goes_on(make_hub, before, after):
    hub = make_hub(kind=before, pairs=(OUT,), batch_limit=3)
    for number in range(7):
        hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest()
    hub.lane_task(*OUT)  # queued, with proofs for the verifier of before
    to_kind(hub, after)
    for number in range(5):
        hub.send(*OUT, b"later %d" % number, receiver=RECEIVER)
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    assert hub.journey(*OUT).executed == 12
    verifier = hub.ledgers["beta"].gateway.lanes[hub.lane_ids[OUT]].verifier
    assert bytes(hub.lane(*OUT).destination_verifier) == verifier.address


def test_signatures_for_the_verifier_of_before_count_for_nobody(make_hub):
    hub = make_hub(pairs=(OUT,))
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.attest()
    to_kind(hub, Kind.BOTH)
    hub.chain_task("beta")
    assert [row.state for row in hub.rows(claims)] == ["void"]
    assert (hub.journey(*OUT).claimed, hub.journey(*OUT).attested) == (0, 0)
    hub.settle_down(rounds=80, hurry=True)
    assert hub.journey(*OUT).executed == 1


def test_what_was_waited_for_because_of_the_verifier_of_before_is_over(make_hub):
    hub = make_hub(pairs=(OUT,))
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    hub.age_claims()
    hub.lane_task(*OUT)
    assert hub.code("lane", *OUT) == "operators_silent"
    to_kind(hub, Kind.LIGHT_CLIENT)
    hub.chain_task("beta")
    assert hub.code("lane", *OUT) == ""


def test_a_verifier_that_came_back_has_its_claims_again(make_hub):
    hub = make_hub(pairs=(OUT,))
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    hub.chain_task()
    hub.lane_task(*OUT)
    to_kind(hub, Kind.LIGHT_CLIENT)
    to_kind(hub, Kind.COMMITTEE)
    hub.chain_task("beta")
    assert [row.state for row in hub.rows(claims)] == ["open"]  # both events in one look change nothing
    to_kind(hub, Kind.BOTH)
    hub.chain_task("beta")
    to_kind(hub, Kind.COMMITTEE)
    hub.chain_task("beta")
    hub.lane_task(*OUT)
    assert [row.state for row in hub.rows(claims)] == ["open"]
    hub.settle_down(rounds=80, hurry=True)
    assert hub.journey(*OUT).executed == 1


class TestProofsThatTheLightClientDoesNotTakeNow:
    @pytest.fixture(params=[Kind.LIGHT_CLIENT, Kind.BOTH])
    def hub(self, request, make_hub):
        """Seven messages are proved, and signed where somebody signs; nothing is queued yet."""
        made = make_hub(kind=request.param, pairs=(OUT,), batch_limit=3)
        for number in range(7):
            made.send(*OUT, b"%d" % number, receiver=RECEIVER)
        made.mine()
        made.chain_task()
        return made

    def settle(self, hub):
        hub.settle_down(rounds=80, hurry=True)
        hub.check()
        assert hub.journey(*OUT).executed == 7
        assert hub.code("lane", *OUT) == ""

    def client(self, hub, **changes):
        """Change the light client on the ledger, and what the hub read of it."""
        client = hub.light_client("beta", "alpha")
        for name, value in changes.items():
            setattr(client, name, value)
        hub.verifier("beta", "alpha", hub.kind)
        return client

    def carry(self, hub):
        hub.lane_task(*OUT)
        hub.attest()
        hub.lane_task(*OUT)

    def test_a_proof_of_a_block_before_the_trusted_set_is_made_anew(self, hub):
        self.client(hub, since=hub.ledgers["alpha"].height + 1)
        self.carry(hub)
        assert hub.code("lane", *OUT) == "proof_outdated"
        assert hub.rows(transactions) == []
        self.settle(hub)
        assert len([row for row in hub.rows(transactions) if row.state == "failed"]) == 0

    def test_what_the_hub_did_not_know_costs_one_refusal_and_no_more_fees(self, hub):
        hub.light_client("beta", "alpha").since = hub.ledgers["alpha"].height + 1  # the hub read it before
        self.carry(hub)
        hub.chain_task("beta")
        hub.mine("beta")
        hub.forget_times()
        hub.chain_task("beta")
        hub.lane_task(*OUT)
        sent = len(hub.rows(transactions))
        assert hub.code("lane", *OUT) == "light_client_behind"
        hub.forget_times()
        hub.lane_task(*OUT)
        assert len(hub.rows(transactions)) == sent
        self.client(hub)  # the keeper reads it
        self.settle(hub)

    def test_a_light_client_that_is_behind_the_validators_is_waited_for(self, hub):
        known = hub.light_client("beta", "alpha").validators
        self.client(hub, validators=known[:3])
        self.carry(hub)
        assert hub.code("lane", *OUT) == "light_client_behind"
        assert hub.rows(transactions) == []
        self.client(hub, validators=known)
        self.settle(hub)

    def test_what_somebody_else_carried_is_waited_for_no_longer(self, hub):
        known = hub.light_client("beta", "alpha").validators
        self.client(hub, validators=known[:3])
        self.carry(hub)
        assert hub.code("lane", *OUT) == "light_client_behind"
        self.client(hub, validators=known)
        lane = hub.lane(*OUT)
        with hub.context.store.write() as connection:  # as the look writes it that sees the delivery
            values = {"claimed": lane.final, "submitted": lane.final, "delivered": lane.final}
            connection.execute(lanes.update().values(**values, attested=lane.final))
        hub.lane_task(*OUT)
        assert hub.code("lane", *OUT) == ""

    def test_a_frozen_light_client_is_the_officers_matter(self, hub):
        self.client(hub, frozen=True)
        self.freeze_row(hub, frozen=True)
        self.carry(hub)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("light_client_frozen", "officers")
        assert hub.rows(transactions) == []
        self.client(hub, frozen=False, pins=1)
        self.freeze_row(hub, frozen=False)
        self.settle(hub)

    def freeze_row(self, hub, **values):
        from relay.store.tables import verifiers

        with hub.context.store.write() as connection:
            connection.execute(verifiers.update().where(verifiers.c.kind == "light-client").values(**values))

    def test_an_expired_light_client_is_the_officers_matter(self, hub):
        self.freeze_row(hub, expires_at=1)
        self.carry(hub)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("light_client_expired", "officers")
        self.freeze_row(hub, expires_at=FOREVER)
        self.settle(hub)
