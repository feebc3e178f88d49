"""The fabric adapter does what every adapter must do, against simulated channels with the real chaincode.

What a gateway refuses is endorsed by nobody, so it never becomes a transaction: the refusal comes from `sign`.
"""

from dataclasses import replace

import pytest

from adapters.conformance import carrying
from adapters.protocol import Call, MessageSent, Rejected
from tests.adapters.conformance_suite import LedgerConformance


class TestFabric(LedgerConformance):
    def test_the_same_delivery_has_no_second_effect(self, world):
        carrying.deliveries_happen_once(world)
        again = world.delivery(world.events(0, MessageSent)[:3])
        with pytest.raises(Rejected) as caught:
            world.deliver(again)
        assert (caught.value.code, caught.value.reason.split("(")[0]) == ("reverted", "NothingNew")

    def test_a_transaction_that_reverts_says_so_in_its_receipt(self, world):
        with pytest.raises(Rejected, match="UnknownFunction") as caught:
            world.transact(0, world.sender, Call(world.gateways[0], b"\x01\x02\x03\x04", 0))
        assert caught.value.code == "reverted"

    def test_a_signature_depends_on_every_field(self, world):
        ledger, call = world.ledgers[0], world.send_call(b"x")
        other = world.send_call(b"y")
        signed = [
            ledger.sign(world.sender, 900, call, 7),
            ledger.sign(world.sender, 901, call, 7),
            ledger.sign(world.sender, 900, other, 7),
            ledger.sign(world.relayer, 900, call, 7),
        ]
        assert len({item.transaction for item in signed}) == len({item.raw for item in signed}) == 4
        assert {len(item.transaction) for item in signed} == {32}
        assert ledger.sign(world.sender, 900, replace(call, gas=5), 7).transaction == signed[0].transaction
