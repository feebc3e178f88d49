"""Chains at random: signers come and go by votes, seal out of turn, fork; the client follows what the rules allow."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from light_clients import clique
from light_clients.clique.types import is_majority
from light_clients.errors import HeaderUnconfirmed, LightClientError
from tests.support import clique_chain as chain

EPOCH = 7
NAMES = "abcdef"


class Model:
    """The rules once more, written as geth keeps them: a map of recent sealers and a list of votes."""

    def __init__(self, labels):
        self.labels, self.votes, self.recent = set(labels), [], {}

    def may_seal(self, number):
        limit = len(self.labels) // 2 + 1
        return sorted(
            label
            for label in self.labels
            if all(self.recent.get(at) != label for at in range(number - limit + 1, number))
        )

    def seal(self, number, label, subject, add):
        self.recent[number] = label
        if number % EPOCH == 0:
            self.votes = []
            return
        if subject is None:
            return
        self.votes = [vote for vote in self.votes if vote[:2] != (label, subject)]
        if add != (subject in self.labels):
            self.votes.append((label, subject, add))
        if sum(vote[1] == subject for vote in self.votes) * 2 <= len(self.labels):
            return
        if add:
            self.labels.add(subject)
        else:
            self.labels.discard(subject)
            self.votes = [vote for vote in self.votes if vote[0] != subject]
        self.votes = [vote for vote in self.votes if vote[1] != subject]


def grow(draw, parent, model, length):
    specs = []
    for _ in range(length):
        number = parent.number + 1
        free = model.may_seal(number)
        label = draw(st.sampled_from(free))
        epoch = number % EPOCH == 0
        subject = None if epoch else draw(st.sampled_from([None, None, *NAMES]))
        add = draw(st.booleans()) if subject else False
        if subject in model.labels and not add and len(model.labels) == 1:
            subject = None
        changes = {"listed": b"".join(map(chain.address, chain.ascending(model.labels)))} if epoch else {}
        if subject:
            changes |= {"subject": chain.address(subject), "nonce": chain.ADD if add else chain.DROP}
        parent = chain.next_spec(parent, tuple(model.labels), sealer=label, **changes)
        model.seal(number, label, subject, add)
        specs.append(parent)
    return specs


@given(st.data())
def test_every_chain_that_the_rules_allow_is_followed_and_final_blocks_have_a_majority(data):
    genesis = chain.first_spec(tuple(data.draw(st.sets(st.sampled_from(NAMES), min_size=1))))
    labels = {name for name in NAMES if chain.address(name) in chain.begun(genesis).signers}
    model = Model(labels)
    specs = grow(data.draw, genesis, model, data.draw(st.integers(1, 24)))
    state, index = chain.begun(genesis, epoch_length=EPOCH), 0
    while index + state.confirmations < len(specs):
        window = specs[index : index + state.confirmations + 1]
        sets = []
        snapshot = state.newest
        for spec in window:
            sets.append(len(snapshot.signers))
            snapshot = clique.chain.follow(state.configuration, snapshot, clique.codec.parse_header(spec.sealed()))
        assert is_majority(len({spec.sealer for spec in window}), min(sets))
        state = clique.apply(state, clique.verify_header(state, chain.run(*window), window[-1].timestamp))
        assert clique.state_from_bytes(state.to_bytes()) == state
        index += 1
    everything = [genesis, *specs]
    whole = clique.bootstrap(chain.run(*everything), type(state.block_hash)(specs[-1].hash()), state.configuration)
    assert whole.signers == tuple(sorted(map(chain.address, model.labels)))


@given(st.data())
def test_a_header_that_is_changed_is_refused_in_its_run(data):
    genesis = chain.first_spec()
    specs = chain.chain_of(genesis, 5)
    state = chain.begun(genesis)
    header = bytearray(chain.run(*specs[:3]))
    position = data.draw(st.integers(0, len(header) - 1))
    header[position] ^= data.draw(st.integers(1, 255))
    try:
        clique.verify_header(state, bytes(header), specs[2].timestamp)
    except LightClientError:
        return
    raise AssertionError(f"byte {position} means nothing")


@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 3))
def test_forks_below_the_depth_are_no_contradiction_and_above_it_they_are(length, at, shift):
    """A fork of `length` blocks after height `at`; the client had accepted what was under its depth."""
    genesis = chain.first_spec()
    ours = chain.chain_of(genesis, 12)
    state = chain.followed(chain.begun(genesis), ours)
    first = replace(ours[at], timestamp=ours[at].timestamp + 1 + shift)
    theirs = [first, *chain.chain_of(first, length - 1)]
    depth = state.confirmations
    mine, other = chain.run(*ours[at : at + depth + 1]), chain.run(*theirs[: depth + 1])
    try:
        found = clique.find_misbehaviour(state, mine, other)
    except HeaderUnconfirmed:
        assert length <= depth
        return
    assert length > depth
    assert found.height == at + 1
