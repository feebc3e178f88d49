"""Votes, proposers and quorums of the local validators."""

from dataclasses import replace

import pytest

from adapters.evm.devnet.errors import RpcError
from adapters.evm.devnet.header import Extra, Vote, header_items, seal_header
from adapters.evm.devnet.validators import Keyring, Validators, VoteTally, quorum
from tests.adapters.evm.devnet.devnet_samples import anvil_block

SET = tuple(bytes([value]) * 20 for value in (2, 4, 6, 8))
NEW = bytes([5]) * 20


def header(number, proposer, vote=None):
    document = anvil_block(number) | {"miner": "0x" + proposer.hex()}
    return seal_header(header_items(document), Extra(SET, vote), ())


def test_quorum_is_two_thirds_rounded_up():
    assert [quorum(count) for count in range(1, 8)] == [1, 2, 2, 3, 4, 4, 5]


def test_a_validator_is_added_by_more_than_half():
    tally = VoteTally(SET)
    for number, voter in enumerate(SET[:2], 1):
        tally.follow(header(number, voter, Vote(NEW, add=True)))
        assert tally.validators == SET
    tally.follow(header(3, SET[2], Vote(NEW, add=True)))
    assert tally.validators == tuple(sorted((*SET, NEW)))


def test_a_voter_counts_once():
    tally = VoteTally(SET)
    for number in range(1, 6):
        tally.follow(header(number, SET[0], Vote(NEW, add=True)))
    assert tally.validators == SET


def test_a_voter_may_change_his_mind():
    tally = VoteTally(SET)
    for number, (voter, add) in enumerate([(0, True), (1, True), (1, False), (2, True)], 1):
        tally.follow(header(number, SET[voter], Vote(NEW, add=add)))
    assert tally.validators == SET


def test_the_votes_of_a_removed_validator_go_with_it():
    tally = VoteTally(SET)
    tally.follow(header(1, SET[0], Vote(NEW, add=True)))
    for number, voter in enumerate(SET[1:], 2):
        tally.follow(header(number, voter, Vote(SET[0], add=False)))
    assert tally.validators == SET[1:]
    tally.follow(header(5, SET[1], Vote(NEW, add=True)))
    assert tally.validators == SET[1:]
    tally.follow(header(6, SET[2], Vote(NEW, add=True)))
    assert NEW in tally.validators


def test_an_epoch_block_clears_votes_and_counts_none():
    tally = VoteTally(SET, epoch_length=4)
    for number, voter in ((1, 0), (2, 1), (4, 2), (5, 3)):
        tally.follow(header(number, SET[voter], Vote(NEW, add=True)))
    assert tally.validators == SET


@pytest.fixture
def validators():
    return Validators(Keyring(b"seed of a test", 4), epoch_length=100)


def test_keys_depend_on_the_seed():
    assert Keyring(b"seed of a test", 4).founders == Keyring(b"seed of a test", 4).founders
    assert not set(Keyring(b"seed of a test", 4).founders) & set(Keyring(b"another seed", 4).founders)


def test_proposers_take_turns_in_ascending_order(validators):
    founders = validators.tally.validators
    assert list(founders) == sorted(founders)
    proposer, turns = bytes(20), []
    for _ in range(8):
        proposer = validators.proposer_after(proposer)
        turns.append(proposer)
    assert turns == [*founders, *founders]


def test_a_proposer_votes_until_it_is_done_but_not_in_an_epoch_block(validators):
    subject = validators.keyring.new_address(validators.tally.validators)
    validators.propose(subject, add=True)
    voter = validators.tally.validators[0]
    assert validators.vote_of(voter, 100) is None
    vote = validators.vote_of(voter, 101)
    assert vote == Vote(subject, add=True)
    validators.tally.follow(header(101, voter, vote))
    assert validators.vote_of(voter, 102) is None
    assert validators.vote_of(validators.tally.validators[1], 102) == vote
    assert validators.discard(subject)
    assert validators.vote_of(validators.tally.validators[1], 102) is None
    assert not validators.discard(subject)


def test_no_vote_for_what_is_so_already(validators):
    member = validators.tally.validators[0]
    validators.propose(member, add=True)
    assert validators.vote_of(validators.tally.validators[1], 1) is None


def test_a_vote_that_would_stop_the_network_is_refused(validators):
    strangers = [bytes([value]) * 20 for value in range(1, 4)]
    validators.propose(strangers[0], add=True)
    validators.tally.validators = tuple(sorted((*validators.tally.validators, *strangers[:2])))
    with pytest.raises(RpcError, match="could not seal"):
        validators.propose(strangers[2], add=True)


def test_the_last_validator_stays():
    alone = Validators(Keyring(b"seed of a test", 1))
    with pytest.raises(RpcError, match="could not seal"):
        alone.propose(alone.tally.validators[0], add=False)


def test_one_silent_validator_of_four_is_passed_over_and_two_are_too_many(validators):
    first, second, *_ = validators.tally.validators
    validators.silence(first, on=True)
    assert len(validators.sealing_keys()) == 3
    assert validators.proposer_after(bytes(20)) == second
    validators.silence(second, on=True)
    with pytest.raises(RpcError, match="2 of 4 validators are awake"):
        validators.sealing_keys()
    validators.silence(second, on=False)
    assert len(validators.sealing_keys()) == 3
    with pytest.raises(RpcError, match="no validator"):
        validators.silence(NEW, on=True)


def test_spare_keys_are_never_given_out_twice_and_end(validators):
    given = [validators.keyring.new_address(()) for _ in range(63)]
    assert len(set(given)) == 63
    with pytest.raises(RpcError, match="given out"):
        validators.keyring.new_address((validators.keyring._spare[0],))


def test_seal_count_does_not_change_a_hash():
    bare = header(7, SET[0])
    sealed = replace(bare.extra, seals=(bytes(65),))
    assert seal_header(bare.items, sealed, ()).hash == bare.hash
