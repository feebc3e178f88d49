"""Votes that change a set: the thresholds, the epoch, the two dialects, and the configuration's own changes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients.bft.types import MAXIMUM_VOTES, Dialect, ValidatorOverride, Vote
from light_clients.bft.votes import after_block
from light_clients.errors import ConfigurationInvalid, ValidatorsExhausted, ValidatorsTooMany, VotesTooMany
from light_clients.qbft import QbftConfiguration
from tests.support import qbft_chain as chain

BESU = QbftConfiguration()
GOQUORUM = QbftConfiguration(dialect=Dialect.GOQUORUM)
BOTH = pytest.mark.parametrize("configuration", [BESU, GOQUORUM], ids=["besu", "goquorum"])


def named(labels):
    return tuple(chain.addresses(labels))


FOUR = named("abcd")
A, B, C, D, E, F = (chain.address(label) for label in "abcdef")


def run(configuration, validators, votes, start=1):
    """The set and the open votes after one block for each vote."""
    state = (validators, ())
    for height, vote in enumerate(votes, start):
        state = after_block(configuration, height, *state, vote)
    return state


def add(*voters, subject=E):
    return [Vote(voter, subject, add=True) for voter in voters]


def drop(*voters, subject=D):
    return [Vote(voter, subject, add=False) for voter in voters]


@BOTH
@pytest.mark.parametrize(("size", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4), (22, 12)])
def test_more_than_half_changes_the_set(configuration, size, needed):
    validators = named([f"v{number}" for number in range(size)])
    votes = add(*validators)
    before, open_votes = run(configuration, validators, votes[: needed - 1])
    assert before == validators
    assert len(open_votes) == needed - 1
    after, open_votes = run(configuration, validators, votes[:needed])
    assert after == tuple(sorted((*validators, E)))
    assert open_votes == ()


@BOTH
def test_the_same_voter_counts_once(configuration):
    assert run(configuration, FOUR, add(A, A, A)) == (FOUR, tuple(add(A)))


@BOTH
def test_a_voter_changes_their_mind(configuration):
    votes = [*drop(A, B), Vote(A, D, add=True), *drop(C)]
    validators, _ = run(configuration, FOUR, votes)
    assert validators == FOUR
    validators, _ = run(configuration, FOUR, [*votes, *drop(A)])
    assert D not in validators


@BOTH
def test_any_vote_on_a_subject_completes_the_others_once_the_set_has_shrunk(configuration):
    votes = [*add(A, B), *drop(A, B, C)]
    validators, open_votes = run(configuration, FOUR, votes)
    assert (validators, open_votes) == (tuple(sorted((A, B, C))), tuple(add(A, B)))
    against = Vote(C, E, add=False)
    assert after_block(configuration, 6, validators, open_votes, against) == (tuple(sorted((A, B, C, E))), ())


@BOTH
def test_a_removal_discards_the_votes_of_the_removed(configuration):
    validators, votes = run(configuration, FOUR, [*add(D, A), *drop(A, B, C)])
    assert validators == tuple(sorted((A, B, C)))
    assert votes == tuple(add(A))
    assert run(configuration, validators, [*add(A), *add(B)])[0] == tuple(sorted((A, B, C, E)))


@BOTH
def test_a_change_clears_only_the_votes_about_its_subject(configuration):
    validators, votes = run(configuration, FOUR, [*add(A, subject=F), *add(A, B, C)])
    assert validators == tuple(sorted((*FOUR, E)))
    assert votes == tuple(add(A, subject=F))


@BOTH
def test_an_epoch_block_clears_all_votes(configuration):
    short = QbftConfiguration(dialect=configuration.dialect, epoch_length=10)
    assert after_block(short, 10, FOUR, tuple(add(A, B)), None) == (FOUR, ())
    assert after_block(short, 11, FOUR, tuple(add(A, B)), None) == (FOUR, tuple(add(A, B)))


def test_the_vote_of_an_epoch_block_is_counted_by_goquorum_alone():
    vote = Vote(C, E, add=True)
    assert after_block(BESU, 30_000, FOUR, tuple(add(A, B)), vote) == (FOUR, ())
    assert after_block(GOQUORUM, 30_000, FOUR, tuple(add(A, B)), vote) == (FOUR, (vote,))


def test_a_vote_that_changes_nothing_is_counted_by_besu_alone():
    useless = Vote(A, E, add=False)
    assert run(BESU, FOUR, [useless]) == (FOUR, (useless,))
    assert run(GOQUORUM, FOUR, [useless]) == (FOUR, ())


def test_useless_votes_that_pass_clear_the_others_in_besu_alone():
    votes = [*drop(A), *add(B, C, D, subject=D)]
    assert run(BESU, FOUR, votes) == (FOUR, ())
    assert run(GOQUORUM, FOUR, votes) == (FOUR, tuple(drop(A)))


def test_useless_drops_that_pass_change_nothing_in_besu():
    assert run(BESU, FOUR, drop(A, B, C, subject=E)) == (FOUR, ())


@BOTH
def test_a_useless_vote_takes_back_the_useful_one_of_its_voter(configuration):
    _, votes = run(configuration, FOUR, [*drop(A), Vote(A, D, add=True)])
    assert not [vote for vote in votes if not vote.add]


@BOTH
def test_the_configuration_replaces_the_set_at_its_height(configuration):
    override = ValidatorOverride(6, tuple(sorted((E, F))))
    changed = QbftConfiguration(dialect=configuration.dialect, overrides=(override,))
    assert after_block(changed, 4, FOUR, tuple(add(A)), None) == (FOUR, tuple(add(A)))
    assert after_block(changed, 5, FOUR, tuple(add(A)), Vote(B, E, add=True)) == (override.validators, ())
    assert after_block(changed, 6, override.validators, (), None) == (override.validators, ())


@BOTH
def test_the_last_validator_cannot_go(configuration):
    with pytest.raises(ValidatorsExhausted):
        after_block(configuration, 1, (A,), (), Vote(A, A, add=False))


@BOTH
def test_a_set_cannot_outgrow_the_client(configuration):
    many = tuple(number.to_bytes(20, "big") for number in range(1, 257))
    votes = tuple(Vote(voter, b"\xff" * 20, add=True) for voter in many[:128])
    grown, _ = after_block(configuration, 1, many[:255], votes[:127], Vote(many[128], b"\xff" * 20, add=True))
    assert len(grown) == 256
    with pytest.raises(ValidatorsTooMany):
        after_block(configuration, 1, many, votes, Vote(many[128], b"\xff" * 20, add=True))


@BOTH
def test_votes_cannot_outgrow_the_client(configuration):
    votes = tuple(Vote(A, number.to_bytes(20, "big"), add=True) for number in range(MAXIMUM_VOTES))
    kept = after_block(configuration, 1, FOUR, votes[1:], votes[0])
    assert len(kept[1]) == MAXIMUM_VOTES
    with pytest.raises(VotesTooMany):
        after_block(configuration, 1, FOUR, votes, Vote(B, E, add=True))


VOTES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.booleans()), max_size=40)


class Counted:
    """The rules once more, by sets for each subject, to compare with."""

    def __init__(self, dialect, validators):
        self.goquorum = dialect is Dialect.GOQUORUM
        self.validators = set(validators)
        self.voters = {}

    def vote(self, voter, subject, adding):
        sides = {kind: self.voters.setdefault((subject, kind), set()) for kind in (True, False)}
        for voters in sides.values():
            voters.discard(voter)
        if not self.goquorum or adding != (subject in self.validators):
            sides[adding].add(voter)
        for kind, voters in sides.items():
            if len(voters) * 2 > len(self.validators):
                self.change(subject, kind)
                return

    def change(self, subject, adding):
        if adding:
            self.validators.add(subject)
        else:
            self.validators.discard(subject)
            for voters in self.voters.values():
                voters.discard(subject)
        for kind in (True, False):
            self.voters.pop((subject, kind), None)


@pytest.mark.parametrize("dialect", [Dialect.BESU, Dialect.GOQUORUM])
@given(votes=VOTES)
def test_agrees_with_a_second_counting(dialect, votes):
    people = named("abcdefg")
    state = (people[:4], ())
    counted = Counted(dialect, people[:4])
    for height, (voter_index, subject_index, adding) in enumerate(votes, 1):
        voter = state[0][voter_index % len(state[0])]
        subject = people[subject_index]
        if not adding and state[0] == (subject,):
            continue
        state = after_block(QbftConfiguration(dialect=dialect), height, *state, Vote(voter, subject, adding))
        counted.vote(voter, subject, adding)
        assert set(state[0]) == counted.validators
        assert {(vote.subject, vote.add, vote.voter) for vote in state[1]} == {
            (subject, kind, voter) for (subject, kind), voters in counted.voters.items() for voter in voters
        }


def test_order_of_voters_does_not_matter():
    results = {run(BESU, FOUR, votes)[0] for votes in itertools.permutations(drop(A, B, C))}
    assert results == {tuple(sorted((A, B, C)))}


BAD_CONFIGURATIONS = {
    "epoch of no block": {"epoch_length": 0},
    "epoch too long": {"epoch_length": 2**63},
    "no trusting period": {"trusting_period_s": 0},
    "trusting period of ages": {"trusting_period_s": 2**32},
    "negative drift": {"maximum_drift_s": -1},
    "drift of a day": {"maximum_drift_s": 86_400},
    "overrides not ascending": {"overrides": (ValidatorOverride(9, FOUR), ValidatorOverride(3, FOUR))},
    "two overrides of one height": {"overrides": (ValidatorOverride(3, FOUR), ValidatorOverride(3, FOUR))},
    "override of the first block": {"overrides": (ValidatorOverride(0, FOUR),)},
    "override with nobody": {"overrides": (ValidatorOverride(3, ()),)},
    "override with a short address": {"overrides": (ValidatorOverride(3, (b"\x01" * 19,)),)},
    "override not ascending": {"overrides": (ValidatorOverride(3, FOUR[::-1]),)},
    "override with a twin": {"overrides": (ValidatorOverride(3, (A, A)),)},
    "override too large": {"overrides": (ValidatorOverride(3, tuple(n.to_bytes(20, "big") for n in range(257))),)},
    "too many votes": {"votes": tuple(Vote(A, n.to_bytes(20, "big"), add=True) for n in range(MAXIMUM_VOTES + 1))},
}


@pytest.mark.parametrize("name", BAD_CONFIGURATIONS)
def test_configurations_that_cannot_be(name):
    with pytest.raises(ConfigurationInvalid):
        QbftConfiguration(**BAD_CONFIGURATIONS[name])
