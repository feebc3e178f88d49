"""The stored form of a state, and two blocks of one height."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from light_clients import fisco, rlp
from light_clients.errors import HeaderGap, HeightNotRetained, LightClientError, SealsTooFew, StateUnreadable
from light_clients.fisco.errors import SealersUnexpected
from light_clients.fisco.state_bytes import MAXIMUM_STATE_SIZE
from light_clients.fisco.types import (
    Sealer,
    SealerSet,
)
from tests.mutations.mutators import spoil_bytes
from tests.support.fisco_chain import PIN, Block, FiscoChain, change_sealers, sealer_key, send

KINDS = [(2, "evm"), (2, "sm"), (3, "evm"), (3, "sm")]


@pytest.fixture(params=KINDS, ids=[f"{line}-{suite}" for line, suite in KINDS])
def chain(request: pytest.FixtureRequest) -> FiscoChain:
    return FiscoChain(*request.param)


def after(chain: FiscoChain, state: fisco.FiscoState, block: Block) -> fisco.FiscoState:
    return fisco.apply(state, fisco.verify_header(state, block.bundle(range(len(block.sealers))), chain.now))


def test_a_state_survives_its_bytes(chain: FiscoChain) -> None:
    state = after(chain, chain.state(), chain.mine(send(1)))
    for known in (state, state.freeze()):
        assert fisco.state_from_bytes(known.to_bytes()) == known


def test_the_largest_state_fits() -> None:
    sealers = tuple(Sealer(number.to_bytes(64, "big"), 2**47) for number in range(256))
    state = FiscoChain(2).state()
    full = replace(
        state,
        height=2**60,
        recent=(state.block_hash,) * 256,
        sets=tuple(SealerSet(2**60 - 15 + number, sealers) for number in range(16)),
    )
    assert fisco.state_from_bytes(full.to_bytes()) == full
    assert len(full.to_bytes()) < MAXIMUM_STATE_SIZE


def damaged(data: bytes) -> None:
    with pytest.raises(StateUnreadable):
        fisco.state_from_bytes(data)


def with_item(state: fisco.FiscoState, place: int, item: rlp.RlpItem) -> bytes:
    items = rlp.decode_list(state.to_bytes())
    assert items[place] != item
    return rlp.encode([*items[:place], item, *items[place + 1 :]])


KEY = (1).to_bytes(64, "big")


@pytest.mark.parametrize(
    ("place", "item"),
    [
        (0, b"\x02"),
        (0, b""),
        (1, b""),
        (1, [b"\x02"]),
        (1, [b"\x04", b"", b"\x01", b"\x01", b"evm", b"", b""]),
        (1, [b"\x02", b"", b"\x01", b"\x01", b"\xff", b"", b""]),
        (1, [b"\x02", b"", b"\x01", b"\x01", [], b"", b""]),
        (2, b""),
        (2, b"\x01" * 9),
        (4, bytes(31)),
        (4, []),
        (6, []),
        (6, [bytes(32)]),
        (6, [b"\x01" * 32] * 257),
        (7, []),
        (7, [b"set"]),
        (7, [[b"\x01", []]]),
        (7, [[b"\x02", [[KEY, b"\x01"]]]]),
        (7, [[b"\x01", [[KEY, b""]]]]),
        (7, [[b"\x01", [[KEY[1:], b"\x01"]]]]),
        (7, [[b"\x01", [[KEY, b"\x01"], [KEY, b"\x02"]]]]),
        (7, [[b"\x01", [[KEY, b"\x01"]]], [b"\x01", [[KEY, b"\x01"]]]]),
        (7, [[b"\x01", [[KEY]]]]),
        (8, b"\x02"),
        (8, []),
    ],
)
def test_damaged_states(place: int, item: rlp.RlpItem) -> None:
    damaged(with_item(FiscoChain(2).state(), place, item))


def test_states_of_another_size() -> None:
    data = FiscoChain(2).state().to_bytes()
    for spoilt in (b"", b"\xc0", data[:-1], data + b"\x00", bytes(MAXIMUM_STATE_SIZE + 1)):
        damaged(spoilt)
    damaged(rlp.encode(rlp.decode_list(data)[:-1]))


def test_only_our_own_errors_leave() -> None:
    """Any bytes whatever, for every reader that takes bytes from outside."""
    chain, chance = FiscoChain(3), random.Random(5)
    state = chain.state()
    block = chain.mine(send(1))
    bundle, stored, evidence = block.bundle(), state.to_bytes(), block.evidence(0).to_bytes()
    newest, claim = after(chain, state, block), block.claim(1)
    for _ in range(1500):
        for act in (
            lambda: fisco.verify_header(state, spoil_bytes(chance, bundle), chain.now),
            lambda: fisco.state_from_bytes(spoil_bytes(chance, stored)),
            lambda: fisco.verify_claim(
                newest, claim, fisco.FiscoEvidence.from_bytes(spoil_bytes(chance, evidence)), PIN
            ),
            lambda: fisco.find_misbehaviour(state, bundle, spoil_bytes(chance, bundle)),
        ):
            try:
                act()
            except LightClientError:
                continue


def test_two_blocks_of_the_next_height(chain: FiscoChain) -> None:
    state = chain.state()
    first, second = chain.propose(send(1)), chain.propose(send(2))
    found = fisco.find_misbehaviour(state, first.bundle(), second.bundle())
    assert found is not None
    assert (found.height, found.evidence) == (2, (first.bundle(), second.bundle()))


def test_two_blocks_of_an_accepted_height(chain: FiscoChain) -> None:
    twin, block = chain.propose(send(2)), chain.mine(send(1))
    state = after(chain, chain.state(), block)
    state = after(chain, state, chain.mine())
    assert fisco.find_misbehaviour(state, block.bundle(), twin.bundle()) is not None


def test_no_contradiction(chain: FiscoChain) -> None:
    state, first = chain.state(), chain.mine(send(1))
    second = chain.mine(send(2))
    assert fisco.find_misbehaviour(state, first.bundle(), second.bundle()) is None
    assert fisco.find_misbehaviour(state, first.bundle([0, 1, 2]), first.bundle([1, 2, 3])) is None


def test_a_block_without_a_quorum_accuses_nobody(chain: FiscoChain) -> None:
    first, second = chain.propose(send(1)), chain.propose(send(2))
    with pytest.raises(SealsTooFew):
        fisco.find_misbehaviour(chain.state(), first.bundle(), second.bundle([0, 1]))


def test_sealers_of_their_own_accuse_nobody(chain: FiscoChain) -> None:
    honest, stranger = chain.propose(), FiscoChain(chain.line, chain.suite, (sealer_key("own", chain.suite),))
    lie = stranger.mine()
    with pytest.raises(SealersUnexpected):
        fisco.find_misbehaviour(chain.state(), honest.bundle(), lie.bundle())
    state = after(chain, chain.state(), chain.mine())
    with pytest.raises(SealersUnexpected):
        fisco.find_misbehaviour(state, chain.newest.bundle(), lie.bundle())


def test_heights_that_are_not_known(chain: FiscoChain) -> None:
    state = chain.state()
    chain.mine()
    twin, block = chain.propose(send(1)), chain.mine()
    with pytest.raises(HeaderGap):
        fisco.find_misbehaviour(state, block.bundle(), twin.bundle())
    chain.mine()
    with pytest.raises(HeightNotRetained):
        fisco.find_misbehaviour(chain.state(-1), block.bundle(), twin.bundle())


def test_a_change_of_sealers_at_the_next_height() -> None:
    chain = FiscoChain(2)
    gone, *left = chain.sealers
    block = chain.mine(change_sealers(chain.configuration, "remove(string)", gone.public))
    state = after(chain, chain.state(), block)
    steps = [block.execution(0, with_transaction=True)]
    chain.sealers = tuple(left)
    first, second = chain.propose(send(1), steps=steps), chain.propose(send(2), steps=steps)
    assert fisco.find_misbehaviour(state, first.bundle(), second.bundle()) is not None
