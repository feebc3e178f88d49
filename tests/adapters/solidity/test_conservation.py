"""Whatever is sent, delivered and settled in whatever pieces: sent = executed + failed + expired + refused + in flight."""

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.solidity import administration
from adapters.solidity.administration import Caps
from schemas.heads import fold_all, genesis
from schemas.suites import EVM
from tests.support.evm_world import GUARDIAN, OFFICERS, EvmWorld, account, attest, refusal_of

NOBODY = account("nobody")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(["mailbox", "reverting", "nobody", "mortal"]), st.integers(0, 70)),
        st.tuples(st.just("deliver"), st.integers(1, 6), st.integers(0, 3)),
        st.tuples(st.just("settle"), st.integers(1, 6), st.integers(0, 3)),
        st.tuples(st.just("repeat"), st.sampled_from(["deliver", "settle"]), st.integers(1, 4)),
        st.tuples(st.just("anchor"), st.integers(1, 4), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(1, 90), st.just(0)),
        st.tuples(st.sampled_from(["pause", "close", "deny", "narrow"]), st.just(0), st.just(0)),
    ),
    max_size=40,
)


class Run:
    """A world and a model of what may happen in it."""

    def __init__(self):
        self.world = EvmWorld.create()
        self.reverting = self.world.destination.chain.create("Reverting")
        self.world.allow_receiver(self.reverting)
        self.closed = False
        self.settled = 0

    def send(self, receiver, size):
        world = self.world
        to = {"mailbox": world.receiver, "reverting": self.reverting, "nobody": NOBODY, "mortal": world.receiver}[
            receiver
        ]
        expires_at = world.source.chain.now + 60 if receiver == "mortal" else 0
        name = refusal_of(lambda: world.send(bytes(size), receiver=to, gas_limit=400_000, expires_at=expires_at))
        assert name in {None, "LaneIsClosed"}

    def deliver(self, count, suffix):
        world, done = self.world, len(self.world.outcomes)
        last = min(done + count, len(world.sent))
        if last == done:
            return
        ids = [message.message_id(EVM, world.lane_id) for message in world.sent[last : last + suffix]]
        world.deliver(last=last, suffix_ids=ids)

    def settle(self, count, suffix):
        world = self.world
        last = min(self.settled + count, len(world.outcomes))
        if last == self.settled:
            return
        ids = [entry.outcome_id(EVM, world.lane_id) for entry in world.outcomes[last : last + suffix]]
        world.settle(first=self.settled + 1, last=last, suffix_ids=ids)
        self.settled = last

    def repeat(self, step, count):
        """What was consumed before is refused, whoever brings it again."""
        world = self.world
        entries = world.outcomes[: self.settled] if step == "settle" else world.outcomes
        last = min(count, len(entries))
        if last:
            again = world.settle if step == "settle" else world.deliver
            assert refusal_of(lambda: again(first=1, last=last)) == "NothingNew"

    def anchor(self, count, suffix):
        world, done = self.world, len(self.world.outcomes)
        last = min(done + count + suffix, len(world.sent))
        at = min(done + count, last)
        if at > done:
            ids = [message.message_id(EVM, world.lane_id) for message in world.sent[at:last]]
            claim = world.claim(0, last)
            world.anchor(world.destination, 0, world.head(0, at), ids, claim, attest(world.destination, claim))
            world.deliver(last=at, proof=b"")

    def wait(self, seconds, _):
        for end in (self.world.source, self.world.destination):
            end.chain.now += seconds

    def pause(self, *_):
        end = self.world.destination
        end.chain.transact(GUARDIAN, end.gateway, administration.pause())
        end.chain.administer(end.gateway, administration.unpause())

    def close(self, *_):
        if not self.closed:
            self.closed = True
            for end in (self.world.source, self.world.destination):
                end.chain.administer(end.gateway, administration.close_lane(self.world.lane_id))

    def deny(self, *_):
        end, lane_id = self.world.destination, self.world.lane_id
        if end.chain.view(end.gateway, "Gateway", "receiverAllowed", lane_id, self.reverting):
            end.chain.transact(OFFICERS[0], end.gateway, administration.deny_receiver(lane_id, self.reverting))

    def narrow(self, *_):
        end = self.world.destination
        call = administration.lower_caps(self.world.lane_id, Caps(max_payload=40))
        end.chain.transact(OFFICERS[0], end.gateway, call)

    def check(self):
        world = self.world
        lane_id, statuses = world.lane_id, world.statuses()
        seen, delivered = world.source_view(), world.destination_view().delivered
        assert seen.sent == len(world.sent)
        assert delivered == len(world.outcomes)
        assert seen.settled == self.settled <= delivered <= seen.sent
        by_status = [statuses[: self.settled].count(status) for status in (1, 2, 3, 4)]
        in_flight = seen.sent - self.settled
        assert seen.sent == sum(by_status) + in_flight
        outbox, _, _, settled = world.source.chain.view(world.source.gateway, "Gateway", "heads", lane_id)
        _, outcomes, inbox, _ = world.destination.chain.view(world.destination.gateway, "Gateway", "heads", lane_id)
        ids = [message.message_id(EVM, lane_id) for message in world.sent]
        assert outbox == fold_all(EVM, genesis(EVM, lane_id, 0), ids)
        assert inbox == fold_all(EVM, genesis(EVM, lane_id, 0), ids[:delivered])
        ids = [entry.outcome_id(EVM, lane_id) for entry in world.outcomes]
        assert outcomes == fold_all(EVM, genesis(EVM, lane_id, 1), ids)
        assert settled == fold_all(EVM, genesis(EVM, lane_id, 1), ids[: self.settled])
        executed = statuses.count(1)
        assert world.destination.chain.view(world.receiver, "Mailbox", "count") == executed


@settings(max_examples=25)
@given(STEPS)
def test_messages_are_conserved_through_random_sequences(steps):
    run = Run()
    for name, first, second in steps:
        getattr(run, name)(first, second)
    run.check()
    run.deliver(len(run.world.sent), 0)
    run.settle(len(run.world.sent), 0)
    run.check()
    assert run.settled == len(run.world.sent)
