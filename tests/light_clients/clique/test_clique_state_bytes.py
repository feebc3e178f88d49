"""The state as bytes: both ways, bounded, and everything damaged is refused by one name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from light_clients import clique, rlp
from light_clients.bft.types import MAXIMUM_SETS, MAXIMUM_VOTES, WINDOW, ValidatorSet, Vote
from light_clients.clique.state_bytes import MAXIMUM_STATE_SIZE
from light_clients.clique.types import SEALERS_KEPT
from light_clients.errors import StateUnreadable
from tests.support import clique_chain as chain

GENESIS = chain.first_spec()
ASKED = chain.next_spec(GENESIS, subject=chain.address("d"), nonce=chain.ADD)
CONFIGURATION = {
    "epoch_length": 100,
    "confirmations": 5,
    "period_s": 1,
    "trusting_period_s": 3600,
    "maximum_drift_s": 3,
    "counts_idle_votes": True,
}
STATE = chain.followed(chain.begun(GENESIS, **CONFIGURATION), [ASKED, *chain.chain_of(ASKED, 9)])
ITEMS = rlp.decode_list(STATE.to_bytes())
A = chain.address("a")


def test_both_ways():
    assert clique.state_from_bytes(STATE.to_bytes()) == STATE
    assert STATE.newest.votes == (Vote(chain.address(ASKED.sealer), chain.address("d"), add=True),)
    assert clique.state_from_bytes(STATE.freeze().to_bytes()).frozen


def test_the_largest_state_fits():
    members = tuple(sorted(chain.address(f"member {number}") for number in range(256)))
    vote = Vote(members[0], members[1], add=True)
    newest = replace(
        STATE.newest, height=2**40, signers=members, votes=(vote,) * MAXIMUM_VOTES, sealers=members[:SEALERS_KEPT]
    )
    sets = tuple(ValidatorSet(2**40 - 20 + number, members) for number in range(MAXIMUM_SETS))
    state = replace(STATE, newest=newest, recent=(STATE.block_hash,) * WINDOW, sets=sets)
    assert len(state.to_bytes()) <= MAXIMUM_STATE_SIZE
    assert clique.state_from_bytes(state.to_bytes()) == state


def changed(index, value):
    items = list(ITEMS)
    items[index] = value
    return rlp.encode(items)


def broken():
    hashes = ITEMS[6]
    numbers = list(ITEMS[1])
    yield "empty", b""
    yield "no items", b"\xc0"
    yield "another version", changed(0, b"\x02")
    yield "too few items", rlp.encode(ITEMS[:-1])
    yield "too large", bytes(MAXIMUM_STATE_SIZE + 1)
    yield "configuration out of range", changed(1, [b"", *numbers[1:]])
    yield "configuration too short", changed(1, numbers[:-1])
    yield "configuration with another flag", changed(1, [*numbers[:-1], b"\x02"])
    yield "height is a list", changed(2, [])
    yield "votes are a string", changed(4, b"x")
    yield "vote of two", changed(4, [[A, A]])
    yield "voter of 19 bytes", changed(4, [[A[:19], A, b""]])
    yield "too many votes", changed(4, [[A, A, b""]] * (MAXIMUM_VOTES + 1))
    yield "too many sealers", changed(5, [A] * (SEALERS_KEPT + 1))
    yield "hash of 31 bytes", changed(6, [hashes[0][:31]])
    yield "hash is a list", changed(6, [[]])
    yield "no hashes", changed(6, [])
    yield "too many hashes", rlp.encode([*ITEMS[:2], b"\x04\x00", ITEMS[3], *ITEMS[4:6], hashes[:1] * 257, *ITEMS[7:]])
    yield "hashes below the first block", changed(2, b"\x01")
    yield "no sets", changed(7, [])
    yield "set of nobody", changed(7, [[b"", []]])
    yield "set in another order", changed(7, [[b"", ITEMS[7][0][1][::-1]]])
    yield "set of the far future", changed(7, [[b"\x7f", ITEMS[7][0][1]]])
    yield "too many sets", changed(7, ITEMS[7] * (MAXIMUM_SETS + 1))
    yield "frozen with 2", changed(8, b"\x02")


@pytest.mark.parametrize(("data"), [pytest.param(data, id=name) for name, data in broken()])
def test_damage_is_refused(data):
    with pytest.raises(StateUnreadable):
        clique.state_from_bytes(data)


@given(st.integers(0, len(STATE.to_bytes()) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_reads_as_another_state(position, change):
    data = bytearray(STATE.to_bytes())
    data[position] ^= change
    try:
        state = clique.state_from_bytes(bytes(data))
    except StateUnreadable:
        return
    assert state != STATE
    assert state.to_bytes() == bytes(data)
