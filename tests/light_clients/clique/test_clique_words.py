"""What a refused pin says, word for word, and which sets a final block leaves in the state, height by height."""

import pytest

from light_clients import clique
from light_clients.bft.types import ValidatorSet
from light_clients.clique.types import CliqueState, Snapshot
from light_clients.errors import ConfigurationInvalid, PinMismatch, SealForeign
from schemas.primitives import BlockHash, Bytes32
from tests.support import clique_chain as chain

CONFIGURATION = clique.CliqueConfiguration(epoch_length=10)


def test_another_block_than_the_pinned_one():
    first = chain.first_spec()
    with pytest.raises(PinMismatch) as caught:
        clique.bootstrap(first.sealed(), BlockHash(b"\x01" * 32), CONFIGURATION)
    assert caught.value.message == "The header is not the pinned one."
    assert (caught.value.expected, caught.value.found) == (b"\x01" * 32, first.hash())


def test_a_first_header_that_lists_nobody():
    spec = chain.next_spec(chain.first_spec())
    with pytest.raises(ConfigurationInvalid) as caught:
        clique.bootstrap(spec.sealed(), BlockHash(spec.hash()), CONFIGURATION)
    assert caught.value.message == (
        "The first header lists no signers; send the headers from the last epoch block on, and check epoch_length."
    )
    assert caught.value.found == 1


def test_an_epoch_block_by_a_stranger():
    spec = chain.first_spec(number=10, sealer="z")
    with pytest.raises(SealForeign) as caught:
        clique.bootstrap(spec.sealed(), BlockHash(spec.hash()), CONFIGURATION)
    assert caught.value.message == "The epoch block is sealed by none of the signers that it lists."
    assert caught.value.found == chain.address("z")


def test_what_a_pinned_epoch_block_leaves():
    spec = chain.first_spec(number=10)
    state = clique.bootstrap(spec.sealed(), BlockHash(spec.hash()), CONFIGURATION)
    signers = tuple(map(chain.address, chain.ascending("abc")))
    sealer = chain.address(spec.sealer)
    assert state.newest == Snapshot(10, BlockHash(spec.hash()), spec.timestamp, signers, (), (sealer,))
    assert state.sets == (ValidatorSet(10, signers),)
    assert (state.recent, state.frozen) == ((spec.hash(),), False)


@pytest.mark.parametrize(
    ("first_heights", "kept"),
    [
        ((0, 45, 100, 200), (45, 100, 200)),
        ((0, 44, 46, 200), (44, 46, 200)),
        ((0, 30, 45, 200), (45, 200)),
        ((0, 30, 40, 45), (45,)),
        ((0, 46, 100, 200), (0, 46, 100, 200)),
        ((0, 45), (45,)),
    ],
)
def test_sets_before_the_window_are_forgotten_and_no_others(first_heights, kept):
    members = [tuple(map(chain.address, chain.ascending(labels))) for labels in ("ab", "abc")]
    sets = tuple(ValidatorSet(height, members[place % 2]) for place, height in enumerate(first_heights))
    recent = tuple(BlockHash(height.to_bytes(32, "big")) for height in range(44, 300))
    newest = Snapshot(299, recent[-1], 1_000, sets[-1].members, (), ())
    state = CliqueState(CONFIGURATION, newest, recent, sets)
    following = Snapshot(300, BlockHash(b"\x01" * 32), 1_001, sets[-1].members, (), ())
    after = clique.apply(state, clique.VerifiedCliqueHeader(members[0][0], Bytes32(bytes(32)), following))
    assert (after.height, after.oldest_height, len(after.recent)) == (300, 45, 256)
    assert tuple(known.first_height for known in after.sets) == kept


def test_a_changed_set_seals_from_the_next_height_on_and_sixteen_are_kept():
    members = [tuple(map(chain.address, chain.ascending(labels))) for labels in ("ab", "abc")]
    newest = Snapshot(0, BlockHash(b"\x02" * 32), 1_000, members[0], (), ())
    state = CliqueState(CONFIGURATION, newest, (newest.block_hash,), (ValidatorSet(0, members[0]),))
    for height in range(1, 19):
        following = Snapshot(height, BlockHash(bytes([height]) * 32), 1_000 + height, members[height % 2], (), ())
        state = clique.apply(state, clique.VerifiedCliqueHeader(members[0][0], Bytes32(bytes(32)), following))
    assert tuple(known.first_height for known in state.sets) == tuple(range(4, 20))
    assert [known.members for known in state.sets] == [members[(height - 1) % 2] for height in range(4, 20)]
