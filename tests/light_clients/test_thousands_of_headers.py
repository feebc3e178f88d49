"""Thousands of headers through each EVM client, with sets that change on the way; a state never grows with its height."""

from itertools import count

import pytest

from light_clients import clique, ibft, ibft2, qbft
from light_clients.bft.types import MAXIMUM_SETS, WINDOW
from schemas.primitives import BlockHash
from tests.support import bft_chain, clique_chain, qbft_chain

FAMILIES = {
    "qbft": (qbft, qbft_chain.Spec, qbft.QbftConfiguration),
    "ibft2": (ibft2, bft_chain.Ibft2Spec, ibft2.Ibft2Configuration),
    "ibft": (ibft, bft_chain.IbftSpec, ibft.IbftConfiguration),
}
MEMBERS = ("a", "b", "c", "d")
HEADERS = 3_000
TURN = 100
"""Blocks after which the set changes: e is voted in, and out again."""


def voted(kind, parent, members, subject, add):
    """Blocks with enough votes in a row: the next set, and the last of them."""
    labels = bft_chain.ascending(members)
    for voter in labels[: len(labels) // 2 + 1]:
        proposer = bft_chain.proposer_of(kind, voter)
        parent = bft_chain.next_of(
            parent, validators=members, vote=(qbft_chain.address(subject), add), proposer=proposer
        )
        yield parent


def changing_chain(kind):
    """Headers without end: the set is a to d, then with e, then again without, and so on."""
    members, parent = MEMBERS, bft_chain.first_of(kind)
    yield parent
    for turn in count():
        adding = turn % 2 == 0
        *earlier, parent = voted(kind, parent, members, "e", adding)
        yield from (*earlier, parent)
        members = (*MEMBERS, "e") if adding else MEMBERS
        for _ in range(TURN):
            parent = bft_chain.next_of(parent, validators=members)
            yield parent


@pytest.mark.parametrize("family", FAMILIES)
def test_thousands_of_headers_with_changing_sets(family):
    client, kind, configuration = FAMILIES[family]
    chain = changing_chain(kind)
    first = next(chain)
    state = client.bootstrap(first.sealed(), BlockHash(first.hash()), configuration())
    sizes, changes = {}, 0
    for spec in chain:
        before = state.validators
        state = client.apply(state, client.verify_header(state, spec.sealed(), spec.timestamp))
        changes += state.validators != before
        assert (state.height, state.block_hash) == (spec.number, spec.hash())
        if spec.number % 1_000 == 0:
            sizes[spec.number] = len(state.to_bytes())
            assert client.state_from_bytes(state.to_bytes()) == state
        if spec.number == HEADERS:
            break
    assert changes > HEADERS // (TURN + 10)
    assert len(state.recent) == WINDOW
    assert len(state.sets) <= 4
    assert max(sizes.values()) - min(sizes.values()) < 600  # a set more or less is in the window


@pytest.mark.parametrize("family", [*FAMILIES, "clique"])
def test_ten_thousand_headers_leave_a_state_of_the_same_size(family):
    """`apply` alone: what a state keeps does not depend on seals."""
    client, state, verified = after_one(family)
    sizes = {}
    for height in range(state.height + 1, state.height + 10_001):
        state = client.apply(state, verified(state, height))
        if height % 1_000 == 999:
            sizes[height] = len(state.to_bytes())
    assert state.height >= 10_000
    assert len(state.recent) == WINDOW
    assert len(state.sets) <= MAXIMUM_SETS
    first, *later = sizes.values()
    assert all(abs(size - first) <= 2 for size in later)  # a height may take a byte more
    assert client.state_from_bytes(state.to_bytes()) == state


def after_one(family):
    """A state, and a way to make what `verify_header` would have returned for any height."""
    if family == "clique":
        first = clique_chain.first_spec()
        state = clique_chain.begun(first)
        chain = clique_chain.chain_of(first, 4)
        seen = clique.verify_header(state, clique_chain.run(*chain), chain[-1].timestamp)

        def of_height(state, height):
            newest = state.newest
            snapshot = clique.types.Snapshot(
                height,
                BlockHash(height.to_bytes(32, "big")),
                newest.timestamp + 1,
                newest.signers,
                newest.votes,
                (*newest.sealers[-127:], newest.signers[height % 3]),
            )
            return clique.VerifiedCliqueHeader(seen.sealer, seen.state_root, snapshot)

        return clique, state, of_height
    client, kind, configuration = FAMILIES[family]
    first = bft_chain.first_of(kind)
    state = client.bootstrap(first.sealed(), BlockHash(first.hash()), configuration())
    second = bft_chain.next_of(first)
    seen = client.verify_header(state, second.sealed(), second.timestamp)

    def of_height(state, height):
        return type(seen)(
            height,
            BlockHash(height.to_bytes(32, "big")),
            seen.state_root,
            state.timestamp + 1,
            seen.sealers,
            seen.next_validators,
            seen.next_votes,
        )

    return client, state, of_height


def test_thousands_of_clique_headers_with_epochs_and_changing_signers():
    length = 200
    state = clique_chain.begun(clique_chain.first_spec(), epoch_length=length)
    labels = {3: ("a", "b", "c"), 4: ("a", "b", "c", "d")}
    chain = [clique_chain.first_spec()]
    members = labels[3]
    for number in range(1, 3_001):
        changes = {}
        if number % length == 0:
            changes["listed"] = b"".join(map(clique_chain.address, clique_chain.ascending(members)))
        elif number % length in (11, 12, 61, 62, 63):
            adding = number % length < 50
            changes["subject"] = clique_chain.address("d")
            changes["nonce"] = clique_chain.ADD if adding else clique_chain.DROP
        ready = [label for label in members if label not in [spec.sealer for spec in chain[-(len(members) // 2) :]]]
        turn = clique_chain.ascending(members)[number % len(members)]
        sealer = turn if turn in ready else ready[0]  # after a change the one whose turn it is may have to wait
        chain.append(clique_chain.next_spec(chain[-1], members, sealer, **changes))
        if number % length == 12:
            members = labels[4]
        elif number % length == 63:
            members = labels[3]
    sizes, changes, sealed = [], 0, [spec.sealed() for spec in chain]
    index = 1
    while index + state.confirmations < len(chain):
        run = b"".join(sealed[index : index + state.confirmations + 1])
        before = state.signers
        state = clique.apply(state, clique.verify_header(state, run, chain[index].timestamp))
        changes += state.signers != before
        if index % length == 5 and index > 400:
            sizes.append(len(state.to_bytes()))
        index += 1
    assert state.height > 2_990
    assert changes == 30
    assert max(sizes) - min(sizes) <= 4  # heights of two bytes take one more than those of one
    assert clique.state_from_bytes(state.to_bytes()) == state
