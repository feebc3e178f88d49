"""Each operator follows a ledger through endpoints of its own; f of 2f + 1 of them lie, and it signs what is true all the same."""

import pytest

from relay.store.tables import attestations, incidents
from tests.support.lying_endpoints import COVERED, SEEN, forged_fork, spoil
from tests.support.memory_hub import RECEIVER
from tests.support.operator_world import OperatorWorld, wait_until

OUT = ("alpha", "beta")
FORKS = {"a fork of strangers": True, "states of a fork under true headers": False}
READING = {
    name: changes for name, changes in (SEEN | COVERED).items() if "transaction" not in name and "receipt" not in name
}


def seats_of(operator, chain):
    (follower,) = [item for item in operator._followers.values() if item.chain == chain]
    return follower._view.ledger._seats


@pytest.mark.parametrize("liars", [1, 2])
@pytest.mark.parametrize("fault", [*READING, *FORKS])
def test_a_true_claim_is_signed_and_the_liars_are_found_out(tmp_path, fault, liars):
    with OperatorWorld(tmp_path, endpoints=2 * liars + 1) as world:
        hub = world.hub
        hub.send(*OUT, b"before", receiver=RECEIVER)
        world.look()
        operator = world.start("one")
        wait_until(lambda: len(hub.rows(attestations)) == 1, "the first claim is signed")
        for number in range(liars):
            if fault in FORKS:
                fork = forged_fork(hub, "alpha", blocks=6)
                spoil(hub.faults("alpha", number), {"fork": fork, "fork_headers": FORKS[fault]})
            else:
                spoil(hub.faults("alpha", number), READING[fault])
        for number in range(2):
            hub.send(*OUT, b"after %d" % number, receiver=RECEIVER)

        def signed():
            world.look()
            hub.forget_times()
            return len(hub.rows(attestations)) == 2

        wait_until(signed, "the second claim is signed")
        assert hub.rows(incidents) == []
        assert not any(item._view.frozen for item in operator._followers.values())
        hub.check()
        if fault not in COVERED and not fault.startswith(
            "boasts"
        ):  # it follows a ledger up to the claim, and no further
            assert seats_of(operator, "alpha")[0].last_error
