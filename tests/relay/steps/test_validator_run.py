"""The run that leads a light client from one set to the next: as short as it can be, in pieces, and taken by the contract."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.solidity.verifiers import validators_hash
from light_clients.bft.types import Dialect, Vote
from light_clients.bft.votes import after_block
from light_clients.qbft import QbftConfiguration
from light_clients.qbft.codec import parse_header
from relay.steps import validator_run
from relay.steps.validator_run import NoRun, Standing, next_piece
from tests.support.evm_world import RELAYER
from tests.support.light_client_world import LightClient
from tests.support.qbft_chain import address, addresses, first_spec, next_spec

LABELS = ("a", "b", "c", "d", "e", "f")
NAMES = {address(label): label for label in LABELS}
NOWHERE = Standing(0, bytes(32), ())
BESU = QbftConfiguration()


class Peer:
    """A ledger whose blocks carry votes; its sets follow from them. Block 0 is its first."""

    def __init__(self, labels=("a", "b", "c", "d"), configuration=BESU):
        self.configuration = configuration
        self.specs = [first_spec(labels)]
        self.votes = ()
        self.following = labels
        self.asked = []

    def seal(self, label="", add=True, proposer=None):
        """The next block, with a vote about a label if one is named."""
        changes = {"validators": self.following, "vote": (address(label), add) if label else None}
        if proposer is not None:
            changes["proposer"] = address(proposer)
        spec = next_spec(self.specs[-1], **changes)
        self.specs.append(spec)
        cast = Vote(spec.proposer, address(label), add) if label else None
        members = tuple(addresses(self.following))
        members, self.votes = after_block(self.configuration, spec.number, members, self.votes, cast)
        self.following = tuple(NAMES[member] for member in members)
        return self

    def vote_in(self, label, *voters):
        """One block for each voter."""
        for voter in voters:
            self.seal(label, add=True, proposer=voter)
        return self

    def idle(self, blocks):
        for _ in range(blocks):
            self.seal()
        return self

    def headers(self, first, last):
        self.asked.append((first, last))
        return [spec.sealed() for spec in self.specs[first : last + 1]]

    @property
    def height(self):
        return self.specs[-1].number

    def listed(self, height):
        return validators_hash(addresses(self.specs[height].validators))


def piece_of(peer, low=0, standing=NOWHERE):
    return next_piece(peer.headers, peer.listed(low), low, peer.height, standing, peer.configuration)


def numbers(piece):
    return [parse_header(header).height for header, _seals in piece.headers]


def test_a_run_begins_with_the_first_vote_that_counts_and_ends_in_the_next_set():
    peer = Peer().idle(70).vote_in("e", "a").idle(2).vote_in("e", "b", "c").idle(9)
    piece = piece_of(peer)
    assert numbers(piece) == [71, 72, 73, 74, 75, 76]
    assert piece.fresh
    assert [bool(seals) for _header, seals in piece.headers] == [False] * 4 + [True] * 2


def test_seals_stand_at_the_last_of_the_old_set_and_the_first_of_the_new():
    peer = Peer().vote_in("e", "a", "b", "c").idle(1)
    (_, (_, last_seals), (_, first_seals)) = piece_of(peer).headers[-3:]
    assert list(last_seals) == peer.specs[3].seals()
    assert list(first_seals) == peer.specs[4].seals()


def test_what_is_asked_grows_with_the_logarithm_of_the_way():
    peer = Peer().idle(300).vote_in("e", "a", "b", "c").idle(300)
    piece_of(peer)
    assert len(peer.asked) <= 12
    assert sum(last - first + 1 for first, last in peer.asked) <= 12 + validator_run.CHUNK


def test_a_run_in_pieces_goes_on_where_the_contract_stands(monkeypatch):
    monkeypatch.setattr(validator_run, "PIECE_HEADERS", 3)
    peer = Peer().vote_in("e", "a").idle(4).vote_in("e", "b", "c").idle(5)
    first = piece_of(peer)
    assert (numbers(first), first.fresh) == ([1, 2, 3], True)
    standing = Standing(3, peer.specs[3].hash(), ())
    second = piece_of(peer, standing=standing)
    assert (numbers(second), second.fresh) == ([4, 5, 6], False)


@pytest.mark.parametrize(
    "standing", [Standing(2, b"\x01" * 32, ()), Standing(0, bytes(32), ()), Standing(40, bytes(32), ())]
)
def test_a_run_that_stands_elsewhere_is_begun_anew(standing):
    peer = Peer().vote_in("e", "a", "b", "c").idle(1)
    assert (piece_of(peer, standing=standing).fresh, numbers(piece_of(peer, standing=standing))) == (True, [1, 2, 3, 4])


def test_a_run_that_is_complete_but_for_its_end():
    """The caller's run stands at the deciding vote: one header is left."""
    peer = Peer().vote_in("e", "a", "b", "c").idle(1)
    piece = piece_of(peer, standing=Standing(3, peer.specs[3].hash(), ()))
    assert (numbers(piece), piece.fresh) == ([4], False)


def test_votes_of_an_earlier_sets_time_need_the_run_that_saw_them():
    """Two of the votes for f were cast before e joined: only a run that went through them leads on."""
    peer = Peer().vote_in("f", "a", "b").vote_in("e", "a", "b", "c").vote_in("f", "c").idle(1)
    assert set(peer.following) == set("abcdef")
    with pytest.raises(NoRun, match="pin-validators"):
        piece_of(peer, low=6)
    votes = tuple(Vote(address(voter), address("f"), True) for voter in "ab")
    piece = piece_of(peer, low=6, standing=Standing(5, peer.specs[5].hash(), votes))
    assert (numbers(piece), piece.fresh) == ([6, 7], False)


@pytest.mark.parametrize(
    "standing",
    [
        Standing(5, b"\x07" * 32, (Vote(address("a"), address("f"), True), Vote(address("b"), address("f"), True))),
        Standing(5, None, (Vote(address("a"), address("f"), True),)),
    ],
)
def test_a_run_of_another_branch_or_with_other_votes_does_not_lead_on(standing):
    peer = Peer().vote_in("f", "a", "b").vote_in("e", "a", "b", "c").vote_in("f", "c").idle(1)
    standing = Standing(5, standing.block_hash or peer.specs[5].hash(), standing.votes)
    with pytest.raises(NoRun):
        piece_of(peer, low=6, standing=standing)


def test_a_set_that_changed_without_votes_has_no_run():
    peer = Peer().idle(5)
    peer.following = ("a", "b", "c", "e")
    peer.idle(1)
    with pytest.raises(NoRun, match="No votes before block 6"):
        piece_of(peer)


def test_a_run_is_looked_for_no_further_than_the_longest(monkeypatch):
    monkeypatch.setattr(validator_run, "LONGEST_RUN", 32)
    peer = Peer().vote_in("e", "a").idle(60).vote_in("e", "b", "c").idle(1)
    with pytest.raises(NoRun):
        piece_of(peer)


def test_goquorum_counts_the_vote_of_an_epoch_block_and_besu_does_not():
    found = {}
    for dialect in (Dialect.BESU, Dialect.GOQUORUM):
        peer = Peer(configuration=QbftConfiguration(dialect=dialect, epoch_length=4))
        peer.idle(3).vote_in("e", "a", "b", "c").idle(1)
        found[dialect] = set(peer.following) if "e" in peer.following else None
    assert found == {Dialect.BESU: None, Dialect.GOQUORUM: set("abcde")}
    assert numbers(piece_of(peer)) == [4, 5, 6, 7]


BLOCKS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.booleans(), st.integers(0, 5)) | st.just(("", True, 0)), max_size=60
)


@settings(deadline=None, max_examples=25)
@given(blocks=BLOCKS, size=st.integers(2, 9), looks=st.integers(1, 20))
def test_the_contract_takes_every_piece_and_ends_in_the_set_that_seals_now(blocks, size, looks):
    """Random votes; the keeper looks every few blocks, and what it brings is never refused."""
    peer = Peer()
    client = LightClient(peer.specs[0], development=True)
    for number, (label, add, seat) in enumerate(blocks, 1):
        kept = label if add or len(peer.following) > 3 else ""
        peer.seal(kept, add=add, proposer=sorted(peer.following)[seat % len(peer.following)])
        client.at(peer.specs[-1].timestamp + 1)
        if number % looks == 0:
            bring(peer, client, size)
    bring(peer.idle(1), client.at(peer.specs[-1].timestamp + 1), size)
    assert client.validators_hash == peer.listed(peer.height)


def bring(peer, client, size):
    before = validator_run.PIECE_HEADERS
    validator_run.PIECE_HEADERS = size
    try:
        while client.validators_hash != peer.listed(peer.height) and client.height < peer.height:
            height, block_hash, _time, votes = client.view("runOf", RELAYER)
            cast = tuple(Vote(bytes.fromhex(a[2:]), bytes.fromhex(b[2:]), add) for a, b, add in votes)
            low, stored = client.height, client.validators_hash
            standing = Standing(height, block_hash, cast)
            piece = next_piece(peer.headers, stored, low, peer.height, standing, peer.configuration)
            client.follow(*piece.headers, fresh=piece.fresh, sender=RELAYER)
    finally:
        validator_run.PIECE_HEADERS = before
