"""A change of the set by a run of headers on the ledger: what is followed, in pieces too, and each refusal alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.solidity import verifiers
from light_clients.bft.votes import after_block
from light_clients.errors import ValidatorsExhausted
from light_clients.qbft import Dialect, QbftConfiguration
from light_clients.qbft import Vote as PythonVote
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.evm_world import RELAYER, STRANGER, refuses
from tests.support.light_client_world import LightClient, chain_of, signed, unsealed
from tests.support.vectors import unhex

FIRST = chain.first_spec(number=9)
LABELS = FIRST.validators
NEWCOMER = chain.address("e")
GROWN = chain.ascending((*LABELS, "e"))


def votes_of(*labels, subject=NEWCOMER, add=True):
    return [{"vote": (subject, add), "proposer": chain.address(label)} for label in labels]


def grown_chain(*between):
    """Three votes for a fifth validator, and the first header of five."""
    return chain_of(FIRST, *votes_of(*LABELS[:3]), *between, {"validators": GROWN})


def as_run(specs, sealed_at=(-2, -1)):
    """Headers without seals but for those at these places."""
    places = {place % len(specs) for place in sealed_at}
    return [signed(spec) if place in places else unsealed(spec) for place, spec in enumerate(specs)]


@pytest.fixture
def client():
    return LightClient(FIRST).at(FIRST.timestamp + 100)


def set_hash(labels):
    return verifiers.validators_hash(chain.addresses(labels))


def run_of(client, who=STRANGER):
    return client.view("runOf", "0x" + who.hex())


def test_a_validator_is_voted_in(client):
    specs = grown_chain()
    done = client.follow(*as_run(specs))
    last = specs[-1]
    assert client.view("client")[:5] == (last.number, last.hash(), last.timestamp, set_hash(GROWN), last.number)
    assert client.view("generation") == bytes(32)
    assert len(done.named("QbftVerifier", "ValidatorsChanged")) == len(done.named("QbftVerifier", "RunFollowed")) == 1
    following = chain.next_spec(last)
    client.update(signed(following))
    with refuses("ValidatorsUnexpected"):
        client.update(signed(chain.next_spec(following, validators=LABELS)))


def test_a_validator_is_voted_out_and_its_seal_is_worth_nothing(client):
    gone = LABELS[3]
    specs = chain_of(FIRST, *votes_of(*LABELS[:3], subject=chain.address(gone), add=False), {"validators": LABELS[:3]})
    client.follow(*as_run(specs))
    assert client.validators_hash == set_hash(LABELS[:3])
    with refuses("SealForeign"):
        client.update(signed(chain.next_spec(specs[-1], sealers=(*LABELS[:2], gone))))


def test_two_changes_in_one_run(client):
    six = chain.ascending((*GROWN, "f"))
    specs = grown_chain()
    specs += chain_of(specs[-1], *votes_of(*GROWN[:3], subject=chain.address("f")), {"validators": six})[1:]
    client.follow(*as_run(specs, (3, 4, 7, 8)))
    assert client.validators_hash == set_hash(six)
    assert client.height == specs[-1].number


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_run_comes_in_pieces(client, cut):
    run = as_run(grown_chain())
    client.follow(*run[:cut])
    client.follow(*run[cut:], fresh=False)
    assert client.validators_hash == set_hash(GROWN)


def test_pieces_are_kept_for_each_caller(client):
    specs = grown_chain()
    run = as_run(specs)
    client.follow(*run[:3])
    client.follow(run[0], sender=RELAYER)
    height, block_hash, timestamp, votes = run_of(client)
    assert (height, block_hash, timestamp) == (specs[2].number, specs[2].hash(), specs[2].timestamp)
    assert [(unhex(voter), unhex(subject), add) for voter, subject, add in votes] == [
        (chain.address(label), NEWCOMER, True) for label in LABELS[:2]
    ]
    assert run_of(client, RELAYER)[0] == FIRST.number
    client.follow(*run[3:], fresh=False)
    assert client.validators_hash == set_hash(GROWN)


def test_a_fresh_run_forgets_the_callers_old_one(client):
    run = as_run(grown_chain())
    client.follow(*run[:3])
    client.follow(run[0])
    assert run_of(client)[3] == ()
    client.follow(*run[1:], fresh=False)
    assert client.validators_hash == set_hash(GROWN)


def test_a_run_may_begin_anywhere_before_the_needed_votes(client):
    specs = grown_chain()
    with refuses("ValidatorsUnexpected", expected=set_hash(LABELS), listed=set_hash(GROWN)):
        client.follow(*as_run(specs[2:]))
    client.follow(*as_run(specs[1:]))
    assert client.validators_hash == set_hash(GROWN)


def test_seals_may_stand_at_every_header_and_are_judged_where_they_stand(client):
    specs = grown_chain()
    client.follow(*map(signed, specs))
    other = LightClient(FIRST).at(FIRST.timestamp + 100)
    with refuses("SealForeign"):
        other.follow(signed(specs[0]), (specs[1].signed(), specs[0].seals()), *map(signed, specs[2:]))


# Refusals


def test_an_empty_run(client):
    with refuses("RunEmpty"):
        client.follow()


def test_a_run_begins_at_a_header_of_the_trusted_set(client):
    with refuses("ValidatorsUnexpected"):
        client.follow(signed(chain.next_spec(FIRST, validators=GROWN)))
    with refuses("ProposerUnfit"):
        client.follow(signed(replace(FIRST, proposer=NEWCOMER)))


def test_a_run_that_was_never_begun_does_not_go_on(client):
    with refuses("RunOutdated"):
        client.follow(signed(FIRST), fresh=False)


def test_the_headers_follow_one_another(client):
    specs = grown_chain()
    run = as_run(specs)
    with refuses("RunBroken", height=specs[2].number):
        client.follow(run[0], *run[2:])
    other_parent = replace(specs[1], parent_hash=keccak256(b"another parent"))
    with refuses("RunBroken", height=specs[1].number):
        client.follow(run[0], signed(other_parent))
    other_height = replace(specs[1], number=specs[1].number + 1)
    with refuses("RunBroken", height=specs[1].number + 1):
        client.follow(run[0], signed(other_height))


def test_time_does_not_go_backwards_in_a_run(client):
    still = replace(chain.next_spec(FIRST), timestamp=FIRST.timestamp)
    client.follow(signed(FIRST), signed(still))
    with refuses("TimeBackwards", earlier=FIRST.timestamp, timestamp=FIRST.timestamp - 1):
        client.follow(signed(FIRST), signed(replace(still, timestamp=FIRST.timestamp - 1)))


def test_each_header_of_a_run_has_a_proposer_of_its_set(client):
    with refuses("ProposerUnfit"):
        client.follow(signed(FIRST), unsealed(chain.next_spec(FIRST, proposer=NEWCOMER, vote=(NEWCOMER, True))))


def test_a_header_of_a_run_ahead_of_the_clock_waits(client):
    ahead = chain.next_spec(FIRST, timestamp=FIRST.timestamp + 116)
    with refuses("HeaderAhead"):
        client.follow(signed(FIRST), unsealed(ahead))
    client.at(FIRST.timestamp + 101).follow(signed(FIRST), unsealed(ahead))


@pytest.mark.parametrize("missing", [-2, -1])
def test_the_change_needs_the_seals_of_both_sides(client, missing):
    specs = grown_chain()
    sealed_at = {-2, -1} - {missing}
    with refuses("SealsMissing", height=specs[missing].number):
        client.follow(*as_run(specs, sealed_at))


@pytest.mark.parametrize("missing", [-2, -1])
def test_the_change_needs_a_quorum_on_both_sides(client, missing):
    specs = grown_chain()
    run = as_run(specs)
    run[missing] = (run[missing][0], run[missing][1][:-1])
    with refuses("SealsTooFew"):
        client.follow(*run)


def test_the_new_sets_header_is_sealed_by_the_new_set_and_the_old_ones_by_the_old(client):
    specs = grown_chain()
    specs[-1] = replace(specs[-1], sealers=("w", "x", "y", "z"))
    with refuses("SealForeign"):
        client.follow(*as_run(specs))
    specs = grown_chain()
    by_newcomer = replace(specs[-2], sealers=(*LABELS[:2], "e"))
    with refuses("SealForeign"):
        client.follow(*as_run([*specs[:-2], by_newcomer, specs[-1]]))


def test_seals_of_the_piece_before_count(client):
    specs = grown_chain()
    run = as_run(specs, (-1,))
    client.follow(*run[:-1])
    with refuses("SealsMissing", height=specs[-2].number):
        client.follow(run[-1], fresh=False)
    client.follow(*as_run(specs)[:-1])
    client.follow(run[-1], fresh=False)
    assert client.validators_hash == set_hash(GROWN)


def test_a_run_ends_when_another_one_changed_the_set_first(client):
    run = as_run(grown_chain())
    client.follow(*run[:3], sender=RELAYER)
    client.follow(*run)
    assert run_of(client, RELAYER) == (0, bytes(32), 0, ())
    with refuses("RunOutdated"):
        client.follow(*run[3:], fresh=False, sender=RELAYER)


def test_a_run_goes_on_behind_its_own_change(client):
    specs = grown_chain()
    six = chain.ascending((*GROWN, "f"))
    more = chain_of(specs[-1], *votes_of(*GROWN[:3], subject=chain.address("f")), {"validators": six})[1:]
    client.follow(*as_run(specs))
    client.follow(*as_run(more), fresh=False)
    assert client.validators_hash == set_hash(six)


def test_a_run_ends_when_the_officers_set_validators(client):
    run = as_run(grown_chain())
    client.follow(*run[:3])
    client.set_validators(chain.next_spec(FIRST))
    with refuses("RunOutdated"):
        client.follow(*run[3:], fresh=False)


def test_an_old_change_is_not_followed_again(client):
    """A set that was left and came back: headers of between lie behind the client."""
    specs = grown_chain()
    later = chain.next_spec(replace(specs[-1], validators=LABELS, number=50, timestamp=FIRST.timestamp + 50))
    client.update(signed(later))
    with refuses("HeaderBehind"):
        client.follow(*as_run(specs))


def test_time_of_the_change_is_not_before_the_clients(client):
    specs = grown_chain()
    client.update(signed(replace(chain.next_spec(FIRST), timestamp=specs[-1].timestamp + 1)))
    with refuses("TimeBackwards"):
        client.follow(*as_run(specs))


def test_a_frozen_client_follows_nothing(client):
    first, rival = signed(FIRST), signed(replace(FIRST, state_root=keccak256(b"rival")))
    client.freeze(first, rival)
    with refuses("ClientIsFrozen"):
        client.follow(*as_run(grown_chain()))


def test_the_last_but_one_is_for_development_only():
    two = chain.first_spec(("a", "b"), number=9)
    out = chain_of(
        two,
        *votes_of(*two.validators, subject=chain.address(two.validators[1]), add=False),
        {"validators": two.validators[:1]},
    )
    strict = LightClient(two).at(two.timestamp + 100)
    with refuses("ValidatorsUnfit", validators=1):
        strict.follow(*map(signed, out))
    loose = LightClient(two, development=True).at(two.timestamp + 100)
    loose.follow(*map(signed, out))
    assert loose.validators_hash == set_hash(two.validators[:1])


def test_the_last_validator_never_goes():
    alone = chain.first_spec(("a",), number=9)
    client = LightClient(alone, development=True).at(alone.timestamp + 100)
    with refuses("ValidatorsUnfit", validators=0):
        client.follow(*map(signed, chain_of(alone, *votes_of("a", subject=chain.address("a"), add=False))))


def test_a_set_of_256_grows_no_more():
    labels = chain.ascending(tuple(f"v{number}" for number in range(256)))
    first = chain.first_spec(labels, number=9)
    client = LightClient(first).at(first.timestamp + 500)
    run = chain_of(first, *votes_of(*labels[:129]))
    client.follow(*map(unsealed, run[:-1]))
    with refuses("ValidatorsUnfit", validators=257):
        client.follow(unsealed(run[-1]), fresh=False)


# Votes: the same count as Python's


def followed_by_both(dialect, epoch_length, votes):
    """Follow blocks with these votes (voter's index, subject's label, add), as long as the set stays what it is."""
    dialect_number = int(dialect is Dialect.GOQUORUM)
    client = LightClient(FIRST, dialect=dialect_number, epoch_length=epoch_length, development=True)
    client.at(FIRST.timestamp + 1_000)
    configuration = QbftConfiguration(dialect=dialect, epoch_length=epoch_length)
    spec, members, tally = FIRST, tuple(chain.addresses(LABELS)), ()
    client.follow(signed(spec))
    for voter, subject, add in votes:
        label = spec.validators[voter % len(spec.validators)]
        proposer = chain.address(label)
        spec = chain.next_spec(spec, vote=(chain.address(subject), add), proposer=proposer)
        vote = PythonVote(proposer, chain.address(subject), add)
        try:
            members, tally = after_block(configuration, spec.number, members, tally, vote)
        except ValidatorsExhausted:
            with refuses("ValidatorsUnfit", validators=0):
                client.follow(signed(spec), fresh=False)
            return client
        client.follow(signed(spec), fresh=False)
        seen = [(unhex(vote[0]), unhex(vote[1]), vote[2]) for vote in run_of(client)[3]]
        assert seen == [(vote.voter, vote.subject, vote.add) for vote in tally]
        labels = chain.ascending(tuple(label for label in "abcdefgh" if chain.address(label) in members))
        assert chain.addresses(labels) == list(members)
        if members != tuple(chain.addresses(spec.validators)):
            spec = chain.next_spec(spec, validators=labels)
            members, tally = after_block(configuration, spec.number, members, tally, None)
            client.follow(signed(spec), fresh=False)
            assert client.validators_hash == verifiers.validators_hash(members)
            assert client.height == spec.number
    return client


VOTE = st.tuples(st.integers(0, 6), st.sampled_from("abcdefgh"), st.booleans())


@pytest.mark.parametrize("dialect", [Dialect.BESU, Dialect.GOQUORUM])
@given(votes=st.lists(VOTE, max_size=24), epoch_length=st.sampled_from([1, 4, 7, 30_000]))
@settings(deadline=None, max_examples=25)
def test_votes_lead_where_pythons_count_leads(dialect, votes, epoch_length):
    followed_by_both(dialect, epoch_length, votes)


def test_a_later_vote_takes_the_place_of_the_earlier_one():
    client = followed_by_both(Dialect.BESU, 30_000, [(0, "e", True), (0, "e", False), (1, "e", True), (2, "e", True)])
    assert client.validators_hash == set_hash(LABELS)


def test_a_removed_validators_votes_are_worth_nothing():
    gone = LABELS[0]
    votes = [(0, "e", True), (1, gone, False), (2, gone, False), (3, gone, False), (0, "e", True)]
    client = followed_by_both(Dialect.BESU, 30_000, votes)
    assert client.validators_hash == set_hash(LABELS[1:])


@pytest.mark.parametrize(("dialect", "size"), [(Dialect.BESU, 4), (Dialect.GOQUORUM, 5)])
def test_the_vote_of_an_epoch_block_counts_for_goquorum_only(dialect, size):
    client = followed_by_both(dialect, 10, [(0, "e", True), (1, "e", True), (2, "e", True)])
    assert client.validators_hash == set_hash(LABELS if size == 4 else GROWN)


def test_an_epoch_clears_the_votes():
    client = followed_by_both(Dialect.GOQUORUM, 12, [(0, "e", True), (1, "e", True), (2, "e", True)])
    assert client.validators_hash == set_hash(LABELS)


@pytest.mark.parametrize(("dialect", "open_votes"), [(Dialect.BESU, 1), (Dialect.GOQUORUM, 0)])
def test_a_vote_that_would_change_nothing_is_kept_by_besu_only(dialect, open_votes):
    client = followed_by_both(dialect, 30_000, [(0, LABELS[1], True)])
    assert len(run_of(client)[3]) == open_votes


@pytest.mark.parametrize("dialect", [Dialect.BESU, Dialect.GOQUORUM])
def test_votes_are_counted_anew_after_the_set_has_shrunk(dialect):
    """Two of four are too few for f; when one of the four is gone, a vote against f shows that they are enough."""
    gone = LABELS[3]
    votes = [(0, "f", True), (1, "f", True), (0, gone, False), (1, gone, False), (2, gone, False), (2, "f", False)]
    client = followed_by_both(dialect, 30_000, votes)
    assert client.validators_hash == set_hash((*LABELS[:3], "f"))
