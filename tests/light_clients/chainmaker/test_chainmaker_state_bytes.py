"""A state survives its stored form and does not grow; two decided blocks of one height accuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from light_clients import rlp
from light_clients.chainmaker import (
    ChainMakerConfiguration,
    ChainMakerState,
    NodePin,
    VerifiedChainMakerHeader,
    apply,
    find_misbehaviour,
    state_from_bytes,
)
from light_clients.chainmaker.state_bytes import MAXIMUM_STATE_SIZE
from light_clients.errors import LightClientError, Misbehaviour
from schemas.primitives import BlockHash, Bytes32
from schemas.suites import integer_word
from tests.support.chainmaker_chain import BEGAN, ChainMakerChain, transaction


def grown() -> ChainMakerChain:
    built = ChainMakerChain()
    built.grow()
    built.change([*built.nodes, built.new_node("org5")])
    built.grow()
    return built


CHAIN = grown()
STATE = CHAIN.state(3)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_state_survives_its_stored_form(*, frozen: bool) -> None:
    configuration = ChainMakerConfiguration(
        CHAIN.config.SerializeToString(), (NodePin("Qm", b"pem"), NodePin("Qn", b"")), (Bytes32(bytes(32)),), 77, 0
    )
    for state in (STATE, replace(STATE, configuration=configuration)):
        kept = state.freeze() if frozen else state
        assert state_from_bytes(kept.to_bytes()) == kept


def test_ten_thousand_headers_leave_the_same_size() -> None:
    state, sizes = STATE, []
    for height in range(4, 10_004):
        verified = VerifiedChainMakerHeader(
            height, BlockHash(integer_word(height)), BEGAN + height, (), state.configuration_height, None
        )
        state = apply(state, verified)
        if height % 1000 == 259:
            sizes.append(len(state.to_bytes()))
    assert max(sizes) - min(sizes) <= 4
    assert len(state.recent) == 256
    assert len(state.memberships) == 1
    assert state_from_bytes(state.to_bytes()) == state


def test_a_membership_is_kept_as_long_as_the_window_has_a_block_of_it() -> None:
    state, kept = STATE, []
    for height in range(4, 260):
        state = apply(state, VerifiedChainMakerHeader(height, BlockHash(integer_word(height)), BEGAN, (), 2, None))
        kept.append((height, state.oldest_height, len(state.memberships)))
    assert kept[-3:] == [(257, 2, 2), (258, 3, 1), (259, 4, 1)]
    assert state.membership.first_height == 3


def test_the_largest_state_fits() -> None:
    membership = STATE.membership
    wide = replace(
        membership,
        nodes=tuple(
            replace(membership.nodes[0], node_id=str(number), organisation=str(number)) for number in range(256)
        ),
        trust_roots=tuple(
            replace(membership.trust_roots[0], organisation=str(number), certificates=(bytes(1100),))
            for number in range(256)
        ),
    )
    pins = tuple(NodePin(str(number), bytes(1000)) for number in range(256))
    state = replace(STATE, configuration=ChainMakerConfiguration(pins=pins), memberships=(wide,))
    assert len(state.to_bytes()) * 4 < MAXIMUM_STATE_SIZE


def _items(state: ChainMakerState = STATE) -> list[Any]:
    return rlp.decode_list(state.to_bytes())


def _with(place: int, value: Any) -> bytes:
    items = _items()
    items[place] = value
    return rlp.encode(items)


def _membership(place: int, value: Any) -> bytes:
    membership = list(_items()[6][-1])
    membership[place] = value
    return _with(6, [membership])


DAMAGED = [
    b"",
    b"\xc0",
    STATE.to_bytes()[:-1],
    bytes(MAXIMUM_STATE_SIZE + 1),
    _with(0, b"\2"),
    _with(1, []),
    _with(1, b""),
    _with(1, [b"", [], [], b"", b"\x0f"]),
    _with(1, [b"", [[b"\xff", b""]], [], b"\1", b"\x0f"]),
    _with(1, [b"", [[b"", b"", b""]], [], b"\1", b"\x0f"]),
    _with(1, [b"", [], [b"short"], b"\1", b"\x0f"]),
    _with(1, [[], [], [], b"\1", b"\x0f"]),
    _with(2, []),
    _with(2, b"\1"),
    _with(4, b"\x09"),
    _with(5, []),
    _with(5, [integer_word(number) for number in range(1, 6)]),
    _with(5, [integer_word(1)] * 257),
    _with(6, []),
    _with(6, [_items()[6][0]] * 2),
    _with(6, list(reversed(_items()[6]))),
    _with(6, [*_items()[6], *_items()[6], *_items()[6]]),
    _with(7, b"\2"),
    _membership(0, b"\x09"),
    _membership(3, b"MD5"),
    _membership(4, []),
    _membership(2, b"\xff"),
    _membership(5, [[b"\xff", []]]),
    rlp.encode([*_items(), b""]),
]


@pytest.mark.parametrize("data", DAMAGED)
def test_a_damaged_state_is_refused(data: bytes) -> None:
    with pytest.raises(LightClientError) as caught:
        state_from_bytes(data)
    assert caught.value.name == "StateUnreadable"


# --- misbehaviour --------------------------------------------------------------------------------------------------------


def _twins(height: int = 4) -> tuple[ChainMakerState, bytes, bytes]:
    built = grown()
    while built.height < height - 1:
        built.grow()
    first, second = (built.make([transaction(name)]).block.SerializeToString() for name in ("this", "that"))
    return built.state(built.height), first, second


def test_two_decided_blocks_of_one_height_accuse() -> None:
    state, first, second = _twins()
    found = find_misbehaviour(state, first, second)
    assert isinstance(found, Misbehaviour)
    assert (found.height, found.evidence) == (4, (first, second))
    assert state.freeze().frozen


def test_the_nodes_of_that_height_count() -> None:
    built = ChainMakerChain()
    built.grow()
    twins = [built.make([transaction(name)]).block.SerializeToString() for name in ("this", "that")]
    built.grow()
    built.change([built.new_node(f"new{number}") for number in range(4)])
    built.grow()
    assert find_misbehaviour(built.state(4), *twins) is not None


def test_blocks_that_do_not_contradict_each_other_accuse_nobody() -> None:
    state, first, _ = _twins()
    assert find_misbehaviour(state, first, first) is None
    assert find_misbehaviour(state, first, CHAIN.block(3)) is None


def test_one_block_with_other_votes_accuses_nobody() -> None:
    built = grown()
    first = built.make([transaction("same")], voters=built.nodes[:4]).block.SerializeToString()
    second = built.make([transaction("same")], voters=built.nodes[1:]).block.SerializeToString()
    assert first != second
    assert find_misbehaviour(built.state(3), first, second) is None


def test_an_undecided_block_accuses_nobody() -> None:
    state, first, _ = _twins()
    weak = grown().make([transaction("that")], voters=[]).block.SerializeToString()
    for pair in ((first, weak), (weak, first)):
        with pytest.raises(LightClientError) as caught:
            find_misbehaviour(state, *pair)
        assert caught.value.name == "VotesTooFew"


def test_heights_of_unknown_nodes_wait() -> None:
    _, first, second = _twins(6)
    with pytest.raises(LightClientError) as caught:
        find_misbehaviour(STATE, first, second)
    assert caught.value.name == "HeaderGap"
    built = ChainMakerChain()
    twins = [built.make([transaction(name)]).block.SerializeToString() for name in ("this", "that")]
    built.grow()
    late = built.state_stated(1)
    with pytest.raises(LightClientError) as caught:
        find_misbehaviour(late, *twins)
    assert caught.value.name == "HeightNotRetained"
