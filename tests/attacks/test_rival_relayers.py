"""Other relayers on our lanes: a second hub, a third one, a front-runner, a griefer. Nothing jams and little is wasted."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from adapters.memory.adapter import MemoryLedger
from adapters.protocol import Anchoring, Delivery, Settlement
from relay.steps.carry import IN_FLIGHT
from relay.steps.rivals import LONGEST_S, SHORTEST_S, STAND_OFF_BLOCKS, window
from relay.steps.sides import BACK
from relay.steps.sides import OUT as OUT_SIDE
from relay.store.lanes import get
from relay.store.tables import messages, milestones, outcomes, transactions
from tests.support.memory_hub import RECEIVER
from tests.support.rivals import OUT, Clock, FrontRunner, Rivals, part_of, waiting_actions

A_WHILE = 200
"""Rounds (seconds) that are more than any stand-off here."""


@pytest.fixture
def make_rivals(tmp_path, monkeypatch):
    made = []

    def make(**options):
        made.append(Rivals(tmp_path, monkeypatch, **({"pairs": [OUT]} | options)))
        made[-1].send(1)
        made[-1].settle(A_WHILE)
        return made[-1]

    yield make
    for world in made:
        world.close()


def since(world, before):
    """Redundant transactions and all of the hubs since then."""
    redundant, total = world.redundant()
    return redundant - before[0], total - before[1]


class TestHubs:
    """Hubs that follow the rules, and know nothing of one another but what the ledger shows."""

    def test_two_hubs_waste_at_most_one_transaction_in_a_hundred(self, make_rivals, record_property):
        world = make_rivals()
        for _ in range(20):
            world.send(50)
            world.round()
        world.settle(A_WHILE)
        world.check()
        redundant, total = world.redundant()  # the first message of the lane, on which both began, is in it
        record_property("table", f"two hubs on one lane, 1,001 messages: {redundant} of {total} transactions redundant")
        assert total >= 200
        assert redundant * 100 <= total

    def test_without_standing_back_a_third_is_wasted(self, make_rivals, monkeypatch):
        """The measure measures: this is what the same traffic costs hubs that do not look at one another."""
        monkeypatch.setattr("relay.steps.rivals.window", lambda *_, most, **__: most)
        monkeypatch.setattr("relay.steps.rivals._has_more", lambda *_: False)
        world = make_rivals()
        for _ in range(5):
            world.send(50)
            world.round()
        world.settle(A_WHILE)
        world.check()
        redundant, total = world.redundant()
        assert redundant * 3 > total

    def test_when_the_one_that_carries_is_gone_another_takes_over_and_keeps_the_lane(self, make_rivals):
        world = make_rivals()
        world.send(20)
        world.settle(A_WHILE)
        world.away = {self.carrier(world, "deliver")}
        before = world.redundant()
        world.send(20)
        assert world.settle(A_WHILE) > STAND_OFF_BLOCKS
        world.send(20)
        assert world.settle(A_WHILE) <= STAND_OFF_BLOCKS  # nobody stands back any more
        world.away = set()
        world.send(20)
        world.settle(A_WHILE)
        world.check()
        assert since(world, before)[0] == 0  # and who comes back stands back

    @staticmethod
    def carrier(world, purpose):
        """The hub whose transaction of that purpose was mined last."""
        newest = {}
        for number, hub in enumerate(world.hubs):
            for row in hub.rows(transactions, transactions.c.purpose == purpose, transactions.c.state == "mined"):
                newest[row.last] = number
        return newest[max(newest)]

    def test_of_three_hubs_two_stand_back(self, make_rivals):
        world = make_rivals(hubs=3)
        before = world.redundant()
        for _ in range(8):
            world.send(30)
            world.round()
        world.settle(A_WHILE)
        world.check()
        assert since(world, before)[0] == 0


class TestFrontRunner:
    """Whoever sees our transactions in the pool and comes first into the block."""

    def run(self, world, act, rounds=8, count=20):
        runner = FrontRunner(world)
        taken = []
        for _ in range(rounds):
            world.send(count)
            for hub in world.hubs:
                hub.turn()
                hub.turn()
            for ledger in world.first.ledgers.values():
                changed = [found for action in waiting_actions(ledger) if (found := act(action)) is not None]
                for action in reversed(changed):  # each comes before those that were submitted until now
                    runner.submit(ledger, action)
                taken += changed
            world.clock.now += 1.0
            for ledger in world.first.ledgers.values():
                ledger.mine()
        return taken

    def test_who_delivers_and_settles_parts_of_our_batches_takes_nothing_from_them(self, make_rivals):
        world = make_rivals(hubs=1)
        before = world.redundant()
        taken = self.run(world, lambda action: part_of(action, 3))
        assert {type(action) for action in taken} == {Delivery, Settlement}
        assert len(taken) > 10
        world.settle(A_WHILE)
        world.check()
        assert since(world, before)[0] == 0

    def test_who_copies_whole_batches_costs_one_transaction_each_stand_off_and_jams_nothing(self, make_rivals):
        world = make_rivals(hubs=1)
        before = world.redundant()
        rounds = 20
        taken = self.run(world, lambda action: action, rounds=rounds)
        redundant, _ = since(world, before)
        first = 4  # a round's batches, both ways, before anything is known of him
        assert 0 < redundant <= first + 2 * rounds / SHORTEST_S
        assert len(taken) >= redundant
        world.settle(300)
        world.check()

    def test_who_moves_a_little_now_and_then_does_not_hold_us_back(self, make_rivals):
        """A relayer delivers one message a second and leaves the others waiting: we carry on after the first stand-off."""
        world = make_rivals(hubs=1)
        runner = FrontRunner(world)
        hub = world.first
        world.send(100)
        world.mine()
        hub.chain_task()
        hub.lane_task(*OUT)
        hub.attest()
        hub.work("lane", hub.lane_ids[OUT].hex())
        whole = waiting_actions(hub.ledgers["beta"]) or queued(hub)
        spare = list(whole[0].messages)
        for _ in range(5):
            done = hub.ledgers["beta"].gateway.lanes[hub.lane_ids[OUT]].delivered
            left = [message for message in spare if message.nonce > done]
            if len(left) > 1:
                runner.submit(hub.ledgers["beta"], part_of(replace(whole[0], messages=tuple(left)), 1))
            world.round()
        assert world.settle(A_WHILE) <= A_WHILE
        world.check()


def queued(hub):
    """Deliveries that are in the hub's pool after it sent what it had queued."""
    hub.chain_task("beta")
    return waiting_actions(hub.ledgers["beta"])


@pytest.mark.parametrize("seed", range(2))
def test_a_griefer_who_anchors_and_takes_parts_at_odd_moments_jams_nothing(make_rivals, seed):
    world = make_rivals(seed=seed, hubs=1)
    before = world.redundant()
    chance = random.Random(seed)
    anchored = 0
    runner = FrontRunner(world)
    for _ in range(8):
        world.send(20)
        for hub in world.hubs:
            hub.turn()
            hub.turn()
        for ledger in world.first.ledgers.values():
            for action in waiting_actions(ledger):
                choice = chance.random()
                changed = None
                if choice < 0.4:
                    changed = part_of(action, chance.choice([1, 5, 9]))
                elif choice < 0.7:
                    claim = action.claim
                    changed = Anchoring(action.lane_id, claim.head, (), claim, action.proof)
                    anchored += 1
                if changed is not None:
                    runner.submit(ledger, changed)
        world.mine()
    world.settle(A_WHILE)
    world.check()
    assert anchored > 0
    redundant, total = since(world, before)
    assert redundant * 100 <= total


class TestWindow:
    """The rules one by one, on the rows of one lane."""

    @pytest.fixture
    def lane(self, hub):
        hub.send(*OUT, b"x", receiver=RECEIVER)
        hub.settle_down()
        for _ in range(2):
            hub.send(*OUT, b"y", receiver=RECEIVER)
        hub.mine()
        hub.chain_task()
        return hub

    def window(self, hub, now, side=OUT_SIDE):
        with hub.context.store.read() as connection:
            lane = get(connection, hub.lane_ids[OUT])
            chain = hub.context.chain(lane.source if side is BACK else lane.destination)
            return window(connection, lane, side, chain, most=IN_FLIGHT, now=now)

    def change(self, hub, table, values, *where):
        with hub.context.store.write() as connection:
            connection.execute(update(table).where(*where).values(**values))

    def anothers(self, hub, stage="delivered"):
        self.change(hub, milestones, {"reference": b"\x66" * 32}, milestones.c.stage == stage)

    @staticmethod
    def seen(hub, nonce=2):
        with hub.context.store.read() as connection:
            return connection.execute(select(messages.c.seen_at).where(messages.c.nonce == nonce)).scalar_one()

    @pytest.mark.parametrize("side", [OUT_SIDE, BACK])
    def test_who_moved_the_lane_last_carries_on(self, lane, side):
        assert self.window(lane, 0.0, side) == IN_FLIGHT

    def test_a_new_lane_is_begun_by_everybody(self, make_hub):
        hub = make_hub()
        assert self.window(hub, 0.0) == IN_FLIGHT

    def test_an_earlier_fee_of_ours_is_ours(self, lane):
        self.anothers(lane)
        self.change(lane, transactions, {"earlier": ["66" * 32]}, transactions.c.purpose == "deliver")
        assert self.window(lane, self.seen(lane)) == IN_FLIGHT

    @pytest.mark.parametrize(("side", "stage"), [(OUT_SIDE, "delivered"), (BACK, "settled")])
    def test_who_did_not_stands_back_and_then_tries_one(self, lane, side, stage):
        self.anothers(lane, stage)
        began = self.seen(lane)
        if side is BACK:
            with lane.context.store.write() as connection:
                (row,) = connection.execute(
                    select(outcomes).where(outcomes.c.lane_id == bytes(lane.lane_ids[OUT]))
                ).all()
                connection.execute(insert(outcomes).values(**row._asdict() | {"nonce": 2, "seen_at": began}))
        assert self.window(lane, began, side) == 0
        assert self.window(lane, began + SHORTEST_S - 0.1, side) == 0
        assert self.window(lane, began + 2 * LONGEST_S, side) == 1

    def test_while_it_stands_back_it_says_so(self, lane, monkeypatch):
        self.anothers(lane)
        lane.lane_task(*OUT)
        lane.attest()
        monkeypatch.setattr("time.time", Clock(self.seen(lane) + 1))
        lane.lane_task(*OUT)
        row = lane.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("other_relayer", "another relayer")
        assert lane.journey(*OUT).submitted == 1
        monkeypatch.setattr("time.time", Clock(self.seen(lane) + 2 * LONGEST_S))
        lane.lane_task(*OUT)
        assert lane.journey(*OUT).submitted == 3
        lane.settle_down(hurry=True)
        assert lane.code("lane", *OUT) == ""

    @pytest.mark.parametrize(("after_s", "submitted"), [(0.0, 1), (2 * LONGEST_S, 3)])
    def test_what_the_gateway_says_it_has_is_believed_for_one_stand_off(self, lane, monkeypatch, after_s, submitted):
        ends = MemoryLedger.lane_ends

        def boast(self, *asked):
            found = ends(self, *asked)
            return replace(found, delivered=found.delivered + 1)

        monkeypatch.setattr(MemoryLedger, "lane_ends", boast)
        lane.lane_task(*OUT)
        lane.attest()
        monkeypatch.setattr("time.time", Clock(self.seen(lane) + after_s))
        lane.lane_task(*OUT)
        assert lane.journey(*OUT).submitted == submitted

    def test_a_clock_that_was_set_back_holds_nothing_up(self, lane):
        self.anothers(lane)
        assert self.window(lane, self.seen(lane) - 1_000) == 1

    def test_it_is_eight_blocks_and_a_share_of_ones_own(self, lane):
        self.anothers(lane)
        began = self.seen(lane)
        for account, share in ((b"\x00" * 20, 1.0), (b"\x00" * 18 + b"\x80\x00", 1.5)):
            lane.set_chain("beta", account=account)
            with lane.context.store.write() as connection:
                connection.execute(milestones.delete().where(milestones.c.stage == "delivered"))
                for number in (0, 1):
                    row = {"stage": "delivered", "nonce": number, "at": began + 40 * number, "height": 10 * number}
                    row |= {"lane_id": bytes(lane.lane_ids[OUT]), "reference": b"\x66" * 32}
                    connection.execute(insert(milestones).values(**row))
            assert self.window(lane, began + 8 * 4 * share - 0.1) == 0
            assert self.window(lane, began + 8 * 4 * share + 0.1) == 1

    @pytest.mark.parametrize(("failed", "times"), [(1, 2), (2, 2), (5, 2)])
    def test_an_attempt_that_came_to_nothing_makes_it_twice_as_long_and_no_more(self, lane, failed, times):
        self.anothers(lane)
        lane.set_chain("beta", account=b"\x00" * 20)
        began = self.seen(lane) + 100
        with lane.context.store.write() as connection:
            (row,) = connection.execute(select(transactions).where(transactions.c.purpose == "deliver")).all()
            for _ in range(failed):
                values = row._asdict() | {"state": "failed", "created_at": began, "first": 2, "last": 2, "hash": None}
                values.pop("id")
                connection.execute(insert(transactions).values(**values))
        assert self.window(lane, began + times * SHORTEST_S - 0.1) == 0
        assert self.window(lane, began + times * SHORTEST_S + 0.1) == 1
