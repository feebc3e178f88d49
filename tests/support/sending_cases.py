"""What jams a sender on a real node, whatever its software: a subclass has fixtures `make_world` and `make_fresh_world`.

Three steps are wanted in each case, and within three blocks after the cause is gone each has had its effect once. Cases that
leave fees changed have a node of their own; the others share one, with an account for each.
"""

from relay import offers


class SendingCases:
    """Cases that every node takes part in."""

    def test_nothing_is_in_the_way(self, make_world):
        world = make_world()
        world.want()
        world.tasks()
        assert world.is_unjammed() == 1

    def test_dropped_by_a_pool_that_forgets_everything(self, make_world):
        world = make_world()
        world.want()
        world.tasks()
        first = [row.raw for row in world.rows()]
        world.node.forget_pool()
        world.is_unjammed()
        assert [row.raw for row in world.rows()] == first

    def test_a_pool_that_forgets_time_and_again(self, make_world):
        world = make_world()
        world.want()
        for _ in range(3):
            world.tasks()
            world.node.forget_pool()
            world.node.mine()
        world.is_unjammed()

    def test_a_nonce_used_from_outside_before_anything_is_sent(self, make_world):
        world = make_world()
        assert world.outside(world.first_nonce) is None
        world.want()
        world.tasks()
        world.is_unjammed()

    def test_replaced_from_outside_under_the_same_nonce(self, make_world):
        world = make_world()
        world.want()
        world.tasks()
        assert world.outside(world.first_nonce + 1, fee=int(world.rows()[1].fee) * 3) is None
        world.node.mine()
        world.is_unjammed()
        assert [row.state for row in world.rows()][:3] == ["mined", "failed", "failed"]

    def test_every_nonce_used_from_outside(self, make_world):
        world = make_world()
        world.want()
        world.tasks()
        world.node.forget_pool()
        for number in range(3):
            assert world.outside(world.first_nonce + number) is None
        world.node.mine()
        world.is_unjammed()

    def test_reverted_because_somebody_did_it_first(self, make_world):
        world = make_world()
        world.want()
        world.tasks()
        world.step_from_outside(1)
        world.node.mine()
        world.is_unjammed()
        assert world.steps() == 3

    def test_a_base_fee_fifty_times_as_high(self, make_fresh_world):
        world = make_fresh_world()
        world.want()
        world.tasks()
        before = int(world.rows()[0].fee)
        world.node.forget_pool()
        world.node.raise_base_fee(50)
        world.is_unjammed()
        assert int(world.rows()[0].fee) > before

    def test_a_base_fee_fifty_times_as_high_while_the_pool_keeps_what_is_too_cheap(self, make_fresh_world):
        world = make_fresh_world()
        world.want()
        world.tasks()
        world.hold_first()
        world.node.raise_base_fee(50)
        assert world.steps() == 0
        world.is_unjammed()

    def test_an_empty_wallet_parks_with_what_is_missing_and_resumes(self, make_world):
        world = make_world()
        coins = world.drain()
        world.want()
        world.tasks()
        world.stays_jammed()
        row = world.hub.wait_of("chain", "beta")
        assert row.code == "wallet_empty"
        assert f"0x{world.account.hex()} holds" in row.text
        assert "is missing" in row.text
        world.node.fund(world.account, coins)
        world.is_unjammed()

    def test_a_wallet_emptied_while_transactions_are_on_their_way(self, make_world):
        world = make_world()
        world.want()
        world.tasks()
        world.node.forget_pool()
        coins = world.drain()
        world.stays_jammed()
        assert world.hub.code("chain", "beta") == "wallet_empty"
        world.node.fund(world.account, coins)
        world.is_unjammed()

    def test_a_fee_above_the_ceiling_parks_and_is_never_paid(self, make_fresh_world):
        world = make_fresh_world()
        ceiling = world.ledger.wallet(world.account).least_fee * 3
        world.set_options(fee_ceiling=ceiling)
        world.node.raise_base_fee(50)
        world.want()
        world.tasks()
        world.stays_jammed(2)
        assert world.hub.code("chain", "beta") == "fee_ceiling"
        while world.ledger.wallet(world.account).least_fee > ceiling:
            world.block()
        world.is_unjammed()
        assert all(int(row.fee) <= ceiling for row in world.rows())

    def test_receipts_that_a_reorganisation_takes_back(self, make_world):
        world = make_world(final_under=5)
        world.block(6)
        world.want()
        world.tasks()
        world.block(2)
        assert world.steps() == 3
        world.node.take_back(2)
        assert world.steps() == 0
        world.is_unjammed(final_after=6)

    def test_a_nonce_used_from_outside_that_came_free_again(self, make_world):
        world = make_world(final_under=5)
        world.block(6)
        world.want()
        assert world.outside(world.first_nonce) is None
        world.block(3)
        world.block(offers.LATE_BLOCKS)
        assert world.steps() == 3
        world.node.take_back(5)
        world.node.forget_pool()
        world.is_unjammed(final_after=6)

    def test_a_transaction_larger_than_a_pool_takes_holds_up_nothing_behind_it(self, make_world):
        world = make_world()
        world.want(1, size=140_000)
        world.tasks()
        world.block(offers.BUMP_AFTER + 2)
        assert world.rows()[0].purpose in ("nothing", "deliver")
        assert world.nonce() > world.first_nonce


class LegacyCases:
    """The same where there is no base fee."""

    def test_a_ledger_without_a_base_fee_takes_legacy_transactions(self, make_legacy_world):
        world = make_legacy_world()
        world.want()
        world.tasks()
        assert all(row.raw[0] >= 0xC0 for row in world.rows())
        assert world.is_unjammed() == 1

    def test_dropped(self, make_legacy_world):
        world = make_legacy_world()
        world.want()
        world.tasks()
        world.node.forget_pool()
        world.is_unjammed()

    def test_replaced_from_outside(self, make_legacy_world):
        world = make_legacy_world()
        world.want()
        world.tasks()
        assert world.outside(world.first_nonce, fee=int(world.rows()[0].fee) * 3) is None
        world.node.mine()
        world.is_unjammed()

    def test_what_no_block_takes_is_replaced_for_more(self, make_legacy_world):
        """As where block producers leave out what is cheap: the same nonce with a higher price, until it is taken."""
        world = make_legacy_world()
        world.want(1)
        world.tasks()
        (row,) = world.rows()
        world.spoil(row.id, reason="underpriced: too cheap for a producer", sent_at=0)
        world.tasks()
        (raised,) = world.rows()
        assert int(raised.fee) >= int(row.fee) * 11 // 10
        assert raised.earlier == [row.hash.hex()]
        world.is_unjammed()
