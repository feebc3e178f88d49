"""The guard over several endpoints: accounts, receipts and simulated calls are voted by operator, transactions go to all."""

import pytest

from adapters.guard import BROADCASTS_KEPT
from adapters.protocol import (
    BadAnswer,
    Receipt,
    Rejected,
    Unreachable,
    Wallet,
)
from tests.support.told_ledgers import CALL, World


class TestBallots:
    """What no proof settles is asked of every fit endpoint."""

    def test_the_account_is_the_middle_one(self):
        honest = [Wallet(b"", 7, 9, 500, 20), Wallet(b"", 7, 8, 510, 21)]
        for lie in (Wallet(b"", 0, 0, 0, 0), Wallet(b"", 10**9, 10**9, 10**30, 10**30)):
            world = World(*({"wallet": wallet} for wallet in (lie, *honest)))
            found = world.guard.wallet(b"")
            assert found.nonce == 7
            assert 8 <= found.pending_nonce <= 9
            assert 500 <= found.balance <= 510
            assert 20 <= found.fee <= 21

    def test_of_two_accounts_the_lower_numbers_and_the_higher_balance(self):
        world = World({"wallet": Wallet(b"", 7, 9, 0, 10**9)}, {"wallet": Wallet(b"", 9, 9, 500, 20)})
        assert world.guard.wallet(b"") == Wallet(b"", 7, 9, 500, 20)

    def test_an_account_is_read_though_some_do_not_answer_and_not_though_none_does(self):
        scripts = [{"wallet": error} for error in (Unreachable("down"), BadAnswer("x"), Rejected("no"))]
        world = World(*scripts, {"wallet": Wallet(b"", 1, 1, 1, 1)})
        assert world.guard.wallet(b"").nonce == 1
        with pytest.raises(Unreachable, match="down"):
            World(*scripts).guard.wallet(b"")

    @pytest.mark.parametrize(
        ("said", "agreed"),
        [
            ((True, None, None), None),
            ((False, True, True), True),
            ((None, False, False), False),
            ((True, None), None),
            ((True, False), None),
            ((False,), False),
        ],
    )
    def test_a_receipt_is_what_most_say(self, said, agreed):
        fates = [None if fate is None else Receipt(b"t", 1, b"", fate, 1) for fate in said]
        (receipt,) = World(*({"receipts": [fate]} for fate in fates)).guard.receipts([b"t"])
        assert (receipt and receipt.success) is agreed

    @pytest.mark.parametrize(
        ("said", "agreed"),
        [
            ((Rejected("no", code="reverted", reason="Lie"), b"out", b"out"), b"out"),
            ((b"lie", b"out", b"out"), b"out"),
            ((b"mine", b"other"), b"mine"),
            ((b"lie", Rejected("no", code="reverted", reason="A"), Rejected("no", code="reverted", reason="A")), "A"),
        ],
    )
    def test_a_simulated_call_does_what_most_say(self, said, agreed):
        world = World(*({"simulate": answer} for answer in said))
        if isinstance(agreed, bytes):
            assert world.guard.simulate(b"", CALL) == agreed
            return
        with pytest.raises(Rejected) as caught:
            world.guard.simulate(b"", CALL)
        assert caught.value.reason == agreed


class TestHouses:
    """Endpoints count by operator: three machines of one house have one voice."""

    @pytest.mark.parametrize(("house", "believed"), [("liars", b"out"), ("", b"lie")])
    def test_a_house_has_one_voice(self, house, believed):
        liars = [{"simulate": b"lie", "operator": house} for _ in range(3)]
        world = World(*liars, {"simulate": b"out"}, {"simulate": b"out"})
        assert world.guard.simulate(b"", CALL) == believed

    def test_another_machine_of_the_house_speaks_where_the_first_does_not_answer(self):
        first = {"simulate": Unreachable("down"), "operator": "house"}
        world = World(first, {"simulate": b"out", "operator": "house"})
        assert world.guard.simulate(b"", CALL) == b"out"

    def test_a_house_of_three_does_not_say_what_the_middle_of_the_heights_is(self):
        boasts = [{"tip": 10**6, "operator": "house"} for _ in range(3)]
        world = World({"tip": 5}, {"tip": 5}, *boasts)
        assert world.guard.tip() == 5
        assert world.guard.status()[0].rests_s == 0

    def test_a_refused_transaction_goes_to_each_machine(self):
        refuses = [{"broadcast": [Rejected("no", code="other")], "operator": "house"} for _ in range(2)]
        world = World(*refuses, {"broadcast": [None], "operator": "house"})
        assert world.guard.broadcast([b"1"]) == [None]


class TestBroadcast:
    """Whoever swallows or refuses a transaction alone does not keep it from its ledger."""

    def test_at_first_one_endpoint_takes_it(self):
        world = World({}, {}, {})
        assert world.guard.broadcast([b"1", b"2"]) == [None, None]
        assert [status.calls for status in world.guard.status()] == [1, 0, 0]

    def test_the_same_again_goes_to_all_and_only_the_same(self):
        got = []
        listens = {"broadcast": lambda raws: got.append(tuple(raws)) or [None] * len(raws)}
        world = World({}, listens, listens)
        world.guard.broadcast([b"1"])
        world.guard.broadcast([b"1", b"2"])
        assert got == [(b"1",), (b"1",)]

    @pytest.mark.parametrize("code", ["underpriced", "no_funds", "nonce_too_low", "other"])
    def test_what_one_refuses_another_may_take(self, code):
        world = World({"broadcast": [None, Rejected("no", code=code)]}, {"broadcast": [None]})
        assert world.guard.broadcast([b"1", b"2"]) == [None, None]

    def test_what_all_refuse_is_refused_as_most_do(self):
        codes = ("no_funds", "underpriced", "underpriced")
        world = World(*({"broadcast": [Rejected(code, code=code)]} for code in codes))
        (refusal,) = world.guard.broadcast([b"1"])
        assert refusal.code == "underpriced"

    def test_who_does_not_answer_has_no_say(self):
        world = World({"broadcast": [Rejected("no", code="no_funds")]}, {"broadcast": Unreachable("down")})
        (refusal,) = world.guard.broadcast([b"1"])
        assert refusal.code == "no_funds"

    def test_what_was_sent_long_ago_is_forgotten(self):
        world = World({}, {})
        world.guard.broadcast([b"0"])
        world.guard.broadcast([b"%d" % number for number in range(1, BROADCASTS_KEPT + 1)])
        world.guard.broadcast([b"0"])
        assert world.guard.status()[1].calls == 0
