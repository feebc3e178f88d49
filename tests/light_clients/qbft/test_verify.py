"""Following a ledger: the pin, the window, the sets that are remembered, time, and claims at accepted headers."""

from dataclasses import replace

import pytest

from light_clients import qbft
from light_clients.bft.checks import quorum
from light_clients.bft.types import MAXIMUM_SETS, WINDOW
from light_clients.errors import (
    ClientFrozen,
    ConfigurationInvalid,
    HeadMismatch,
    HeightNotRetained,
    MixHashInvalid,
    PinMismatch,
    SealForeign,
    SealsTooFew,
    TimestampAhead,
    TimestampNotIncreasing,
    VanityInvalid,
)
from light_clients.proofs.gateway import head_slot
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import keccak256
from tests.support import qbft_chain as chain

LANE = LaneId(keccak256(b"lane"))
GENESIS = chain.first_spec()


def pinned(spec=GENESIS, **options):
    return qbft.bootstrap(spec.sealed(), BlockHash(spec.hash()), qbft.QbftConfiguration(**options))


def follow(state, spec, now=None):
    return qbft.apply(state, qbft.verify_header(state, spec.sealed(), now or spec.timestamp))


def grow(state, spec, count):
    for _ in range(count):
        spec = chain.next_spec(spec)
        state = follow(state, spec)
    return state, spec


@pytest.mark.parametrize(("size", "least"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7), (22, 15)])
def test_quorum_is_two_thirds_rounded_up(size, least):
    assert quorum(size) == least
    labels = tuple(f"v{number}" for number in range(size))
    genesis = chain.first_spec(labels)
    state = pinned(genesis)
    spec = chain.next_spec(genesis)
    enough = replace(spec, sealers=spec.validators[-least:])
    assert follow(state, enough).height == 1
    if least > 1:
        with pytest.raises(SealsTooFew):
            follow(state, replace(spec, sealers=spec.validators[-least + 1 :]))
    assert follow(state, replace(spec, sealers=spec.validators)).height == 1


# The pin


def test_the_first_block_needs_no_seals():
    state = pinned()
    assert (state.height, state.block_hash, state.oldest_height) == (0, GENESIS.hash(), 0)
    assert state.validators == tuple(chain.addresses("abcd"))
    assert state.confirmations == 0


def test_a_later_pin_needs_its_seals():
    spec = chain.first_spec(number=90)
    assert pinned(spec).height == 90
    with pytest.raises(SealsTooFew):
        pinned(replace(spec, sealers=spec.sealers[:2]))
    with pytest.raises(SealForeign):
        pinned(replace(spec, sealers=(*spec.sealers[:2], "stranger")))


def test_the_vote_of_the_pin_counts():
    lone = chain.first_spec(("a",), number=7, vote=(chain.address("b"), True))
    assert pinned(lone).validators == tuple(chain.addresses("ab"))


def test_another_header_than_the_pinned_one():
    with pytest.raises(PinMismatch):
        qbft.bootstrap(GENESIS.sealed(), BlockHash(keccak256(b"other")), qbft.QbftConfiguration())


@pytest.mark.parametrize("listed", [(), (chain.address("a"), chain.address("a")), tuple(chain.addresses("ab"))[::-1]])
def test_a_pin_without_a_set(listed):
    with pytest.raises(ConfigurationInvalid):
        pinned(replace(GENESIS, listed=listed))


@pytest.mark.parametrize(
    ("error", "changes"), [(VanityInvalid, {"vanity": b""}), (MixHashInvalid, {"mix_hash": bytes(32)})]
)
def test_a_pin_of_another_form(error, changes):
    with pytest.raises(error):
        pinned(replace(GENESIS, **changes))


def test_an_override_replaces_the_set_after_the_pin():
    others = chain.ascending("wxyz")
    override = qbft.ValidatorOverride(1, tuple(chain.addresses(others)))
    state = pinned(overrides=(override,))
    spec = chain.next_spec(GENESIS, validators=others)
    assert follow(state, spec).validators == tuple(chain.addresses(others))


# Time


def test_drift_and_standing_still():
    state, spec = pinned(), chain.next_spec(GENESIS)
    assert follow(state, spec, spec.timestamp - 15).height == 1
    with pytest.raises(TimestampAhead):
        follow(state, spec, spec.timestamp - 16)
    still = replace(spec, timestamp=GENESIS.timestamp)
    with pytest.raises(TimestampNotIncreasing):
        follow(state, still)
    assert follow(pinned(sub_second_blocks=True), still).height == 1
    with pytest.raises(TimestampNotIncreasing):
        follow(pinned(sub_second_blocks=True), replace(still, timestamp=GENESIS.timestamp - 1))


def test_the_trusting_period_runs_from_the_newest_header():
    state = pinned(trusting_period_s=100)
    assert state.expires_at == GENESIS.timestamp + 100
    spec = chain.next_spec(GENESIS)
    assert follow(state, spec, state.expires_at - 1).expires_at == spec.timestamp + 100


# The window


def test_the_window_is_bounded_and_the_state_with_it():
    state, spec = grow(pinned(), GENESIS, WINDOW + 5)
    assert len(state.recent) == WINDOW
    assert (state.height, state.oldest_height) == (WINDOW + 5, 6)
    assert state.hash_at(state.height) == state.block_hash == spec.hash()
    assert state.hash_at(5) is None
    assert state.hash_at(state.height + 1) is None
    assert len(state.to_bytes()) < 10_000
    assert qbft.state_from_bytes(state.to_bytes()) == state


def vote_in(spec, state, label):
    """Blocks that vote one validator in."""
    needed = len(state.validators) // 2 + 1
    labels = spec.validators
    for voter in labels[:needed]:
        spec = chain.next_spec(
            spec, vote=(chain.address(label), True), proposer=chain.address(voter), validators=labels
        )
        state = follow(state, spec)
    return replace(spec, validators=chain.ascending((*labels, label))), state


def parent_of(spec, state):
    """The same parent for `next_spec`, whose set is the next one already."""
    return _Parent(spec, state)


class _Parent:
    def __init__(self, spec, state):
        self.spec, self.state = spec, state

    def __getattr__(self, name):
        return getattr(self.spec, name)

    def hash(self):
        return bytes(self.state.block_hash)


def test_sets_are_remembered_within_the_window():
    state, spec = pinned(), GENESIS
    spec, state = vote_in(spec, state, "e")
    assert state.set_at(3) == tuple(chain.addresses("abcd"))
    assert state.set_at(4) == tuple(chain.addresses("abcde")) == state.validators
    assert state.set_at(5) is None
    after = chain.next_spec(parent_of(spec, state))
    state = follow(state, after)
    state, _ = grow(state, after, WINDOW + 2)
    assert state.sets[0].members == tuple(chain.addresses("abcde"))
    assert state.set_at(3) is None


def test_the_number_of_sets_is_bounded():
    state, spec = pinned(chain.first_spec(("a",))), chain.first_spec(("a",))
    for number in range(MAXIMUM_SETS + 2):
        spec, state = vote_in(spec, state, f"new {number}")
        spec = chain.next_spec(parent_of(spec, state))
        state = follow(state, spec)
    assert len(state.sets) == MAXIMUM_SETS
    assert state.set_at(1) is None
    assert len(state.validators) == MAXIMUM_SETS + 3


# Claims


@pytest.fixture(scope="module")
def proven():
    """A state with a claim ten blocks below its newest, and what proves it."""
    head = Head(keccak256(b"head"))
    slot = head_slot(LANE, 0)
    storage = chain.Storage({slot: head})
    spec = chain.next_spec(GENESIS, state_root=storage.root)
    state = follow(pinned(), spec)
    claim = Claim(LANE, Direction.OUTBOX, 9, head, 1, BlockHash(spec.hash()))
    evidence = storage.evidence(spec.sealed(), slot)
    state, last = grow(state, spec, 10)
    return state, last, claim, evidence


def test_a_claim_below_the_newest_header(proven):
    state, _, claim, evidence = proven
    qbft.verify_claim(state, claim, evidence, chain.PIN)


def test_a_claim_stays_true_while_its_height_is_kept(proven):
    state, last, claim, evidence = proven
    state, last = grow(state, last, WINDOW - 11)
    qbft.verify_claim(state, claim, evidence, chain.PIN)
    state, _ = grow(state, last, 1)
    with pytest.raises(HeightNotRetained):
        qbft.verify_claim(state, claim, evidence, chain.PIN)


def test_a_prefix_is_proved_by_the_head_of_the_slot(proven):
    state, _, claim, evidence = proven
    prefix = replace(claim, head=Head(keccak256(b"earlier head")), nonce=4)
    qbft.verify_claim(state, prefix, evidence, chain.PIN, claim.head)
    with pytest.raises(HeadMismatch):
        qbft.verify_claim(state, prefix, evidence, chain.PIN)
    with pytest.raises(HeadMismatch):
        qbft.verify_claim(state, claim, evidence, chain.PIN, prefix.head)


def test_the_header_of_another_round_proves_the_same(proven):
    state, _, claim, evidence = proven
    storage = chain.Storage({head_slot(LANE, 0): claim.head})
    again = chain.next_spec(GENESIS, state_root=storage.root, round=4)
    qbft.verify_claim(state, claim, replace(evidence, header=again.sealed()), chain.PIN)


def test_a_frozen_client_judges_nothing_and_stays_frozen(proven):
    state, last, claim, evidence = proven
    frozen = state.freeze()
    assert frozen.frozen
    assert qbft.state_from_bytes(frozen.to_bytes()) == frozen
    with pytest.raises(ClientFrozen):
        qbft.verify_claim(frozen, claim, evidence, chain.PIN)
    with pytest.raises(ClientFrozen):
        follow(frozen, chain.next_spec(last))
    verified = qbft.verify_header(state, chain.next_spec(last).sealed(), last.timestamp)
    assert qbft.apply(frozen, verified).frozen
