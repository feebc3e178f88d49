"""Headers: every check of `verify`, each failing alone, on both lines and with both suites."""

from __future__ import annotations

from dataclasses import replace

import pytest

from light_clients import fisco
from light_clients.errors import (
    ClientExpired,
    ClientFrozen,
    ConfigurationInvalid,
    HeaderBehind,
    HeaderGap,
    LightClientError,
    ParentMismatch,
    PinMismatch,
    SealDuplicate,
    SealForeign,
    SealsTooFew,
    SealsTooMany,
    TimestampAhead,
)
from light_clients.fisco.codec import encode_bundle
from light_clients.fisco.errors import SealerIndexInvalid
from light_clients.fisco.evidence import integer_bytes
from light_clients.fisco.types import (
    Sealer,
    quorum,
)
from schemas.primitives import BlockHash
from tests.support.fisco_chain import FiscoChain, sealer_key, send

KINDS = [(2, "evm"), (2, "sm"), (3, "evm"), (3, "sm")]
KIND_NAMES = [f"{line}-{suite}" for line, suite in KINDS]


@pytest.fixture(params=KINDS, ids=KIND_NAMES)
def chain(request: pytest.FixtureRequest) -> FiscoChain:
    return FiscoChain(*request.param)


def refused(name: type[LightClientError], chain: FiscoChain, bundle: bytes, now: int | None = None) -> LightClientError:
    with pytest.raises(name) as caught:
        fisco.verify_header(chain.state(), bundle, chain.now if now is None else now)
    assert type(caught.value) is name
    return caught.value


def test_a_ledger_is_followed(chain: FiscoChain) -> None:
    state = chain.state()
    for number in range(3):
        block = chain.mine(*[send(entry) for entry in range(1, number + 1)])  # the first one has no transactions
        verified = fisco.verify_header(state, block.bundle(), chain.now)
        assert (verified.height, verified.block_hash) == (block.height, block.hash)
        assert verified.timestamp == block.timestamp
        assert verified.signers == (0, 1, 2)
        state = fisco.apply(state, verified)
    assert (state.height, state.block_hash, state.timestamp) == (4, block.hash, block.timestamp)
    assert state.confirmations == 0
    assert not state.frozen
    assert state.set_at(2) == state.sealers
    assert state.set_at(5) is None
    assert state.hash_at(1) == chain.blocks[0].hash
    assert state.hash_at(0) is None


def test_a_pin_is_compared(chain: FiscoChain) -> None:
    block = chain.newest
    with pytest.raises(PinMismatch):
        fisco.bootstrap(block.bundle(), BlockHash(bytes(31) + b"\x01"), chain.configuration)


def test_the_first_block_of_line_2_is_no_pin() -> None:
    block = FiscoChain(2).newest.with_item(6, b"")
    with pytest.raises(ConfigurationInvalid, match="pin one above"):
        fisco.bootstrap(block.bundle(), block.hash, block.configuration)


def test_a_frozen_client_refuses(chain: FiscoChain) -> None:
    bundle = chain.mine().bundle()
    with pytest.raises(ClientFrozen):
        fisco.verify_header(chain.state().freeze(), bundle, chain.now)


def test_an_expired_client_refuses(chain: FiscoChain) -> None:
    bundle = chain.mine().bundle()
    state = chain.state()
    with pytest.raises(ClientExpired):
        fisco.verify_header(state, bundle, state.expires_at)
    assert fisco.verify_header(state, bundle, state.expires_at - 1).height == 2


def test_a_header_of_the_future_waits(chain: FiscoChain) -> None:
    block = chain.mine()
    refused(TimestampAhead, chain, block.bundle(), block.timestamp - 16)
    assert fisco.verify_header(chain.state(), block.bundle(), block.timestamp - 15).height == 2


def test_headers_come_in_order(chain: FiscoChain) -> None:
    chain.mine()
    refused(HeaderGap, chain, chain.mine().bundle())
    refused(HeaderBehind, chain, chain.blocks[0].bundle())


def test_the_parent_is_the_newest_block(chain: FiscoChain) -> None:
    block = chain.mine()
    foreign = b"\x11" * 32
    place, item = (0, foreign) if chain.line == 2 else (1, [[b"\x01", foreign]])
    refused(ParentMismatch, chain, block.with_item(place, item).bundle())


def test_time_that_goes_back_is_accepted_and_forgotten(chain: FiscoChain) -> None:
    block = chain.propose(extra_ms=-10_000)
    state = chain.state()
    after = fisco.apply(state, fisco.verify_header(state, block.bundle(), chain.now))
    assert after.timestamp == state.timestamp > block.timestamp


def test_too_few_signatures(chain: FiscoChain) -> None:
    error = refused(SealsTooFew, chain, chain.mine().bundle([0, 2]))
    assert (error.expected, error.found) == (3, 2)


def test_a_block_without_transactions_needs_signatures_too(chain: FiscoChain) -> None:
    refused(SealsTooFew, chain, chain.mine().bundle([]))


def test_a_sealer_counts_once(chain: FiscoChain) -> None:
    refused(SealDuplicate, chain, chain.mine().bundle([0, 1, 1]))


def test_an_index_is_one_of_the_list(chain: FiscoChain) -> None:
    block = chain.mine()
    seals = [*block.seals([0, 1]), (4, block.seals([2])[0][1])]
    refused(SealerIndexInvalid, chain, encode_bundle(block.header, seals))


def test_more_signatures_than_sealers(chain: FiscoChain) -> None:
    refused(SealsTooMany, chain, chain.mine().bundle([0, 1, 2, 3, 0]))


def test_a_signature_is_by_the_sealer_of_its_index(chain: FiscoChain) -> None:
    block = chain.mine()
    (_, first), (_, second), third = block.seals([0, 1, 2])
    refused(SealForeign, chain, encode_bundle(block.header, [(0, second), (1, first), third]))


def test_a_signature_is_over_this_block(chain: FiscoChain) -> None:
    other, block = chain.propose(extra_ms=1), chain.mine()
    refused(SealForeign, chain, encode_bundle(block.header, other.seals()))


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_signature_has_its_size(kind: tuple[int, str]) -> None:
    chain = FiscoChain(*kind)
    block = chain.mine()
    (index, signature), *others = block.seals()
    for spoilt in (signature[:63], signature + b"\x00", signature[:64] + bytes(len(signature) - 64 or 1), b""):
        if spoilt[64:] != b"\x00" or kind[1] == "sm":
            refused(SealForeign, chain, encode_bundle(block.header, [(index, spoilt), *others]))


def test_the_recovery_byte_is_0_or_1() -> None:
    chain = FiscoChain(2)
    block = chain.mine()
    (index, signature), *others = block.seals()
    refused(SealForeign, chain, encode_bundle(block.header, [(index, signature[:64] + b"\x02"), *others]))


def test_an_sm2_signature_may_leave_its_key_out() -> None:
    chain = FiscoChain(3, "sm")
    block = chain.mine()
    short = [(index, signature[:64]) for index, signature in block.seals()]
    assert fisco.verify_header(chain.state(), encode_bundle(block.header, short), chain.now).signers == (0, 1, 2)


def test_weights_of_line_3_decide() -> None:
    keys = [sealer_key(str(number), "evm", weight) for number, weight in enumerate((1, 1, 1, 6))]
    chain = FiscoChain(3, "evm", tuple(keys))
    heavy = next(index for index, sealer in enumerate(chain.sealers) if sealer.weight == 6)
    light = [index for index in range(4) if index != heavy]
    block = chain.mine()
    refused(SealsTooFew, chain, block.bundle(light))  # three of four sealers, three of nine votes
    refused(SealsTooFew, chain, block.bundle([heavy]))  # six votes; nine need seven
    assert fisco.verify_header(chain.state(), block.bundle([heavy, light[0]]), chain.now).height == 2


@pytest.mark.parametrize(
    ("weights", "wanted"),
    [([1], 1), ([1, 1], 2), ([1] * 3, 3), ([1] * 4, 3), ([1] * 7, 5), ([1] * 10, 7), ([3, 1], 3), ([100] * 4, 267)],
)
def test_the_quorum(weights: list[int], wanted: int) -> None:
    sealers = tuple(Sealer(bytes(64), weight) for weight in weights)
    assert quorum(sealers) == wanted


def test_ten_thousand_headers_leave_the_same_size(chain: FiscoChain) -> None:
    """Signatures are judged elsewhere: 10,000 states are made of verified headers."""
    state = replace(chain.state(), height=1_000_000)
    verified = fisco.verify_header(chain.state(), chain.mine().bundle(), chain.now)
    sizes = set()
    for number in range(10_000):
        height = state.height + 1
        block_hash = BlockHash(height.to_bytes(32, "big"))
        header = replace(verified.header, height=height, block_hash=block_hash)
        state = fisco.apply(state, replace(verified, header=header))
        if number >= 300 and number % 97 == 0:
            sizes.add(len(state.to_bytes()))
    assert len(sizes) == 1
    assert len(state.recent) == 256
    assert len(state.sets) == 1


def test_sets_that_no_claim_needs_are_forgotten() -> None:
    chain = FiscoChain(2)
    state = chain.state()
    verified = fisco.verify_header(state, chain.mine().bundle(), chain.now)
    for number in range(2, 50):
        sealers = tuple(Sealer(integer_bytes(number).rjust(64, b"\x01")) for _ in range(1))
        header = replace(verified.header, height=number, sealers=sealers)
        state = fisco.apply(state, replace(verified, header=header))
    assert len(state.sets) == 16
    assert state.set_at(33) is None
    assert state.set_at(49) == state.sealers
    for number in range(50, 306):
        state = fisco.apply(state, replace(verified, header=replace(header, height=number)))
    assert [known.first_height for known in state.sets] == [49]


def test_a_set_is_kept_as_long_as_a_height_of_it_is() -> None:
    chain = FiscoChain(2)
    first = chain.state()
    verified = fisco.verify_header(first, chain.mine().bundle(), chain.now)
    header = replace(verified.header, sealers=(Sealer(b"\x01" * 64),))
    state = fisco.apply(first, replace(verified, header=header))
    assert state.set_at(1) == first.sealers
    for number in range(3, 257):
        state = fisco.apply(state, replace(verified, header=replace(header, height=number)))
    assert (state.oldest_height, state.set_at(1)) == (1, first.sealers)
    state = fisco.apply(state, replace(verified, header=replace(header, height=257)))
    assert (state.oldest_height, state.set_at(1), len(state.recent)) == (2, None, 256)
    assert state.set_at(2) == header.sealers


def test_parts_of_a_second_do_not_count(chain: FiscoChain) -> None:
    block = chain.propose(extra_ms=999)
    state = chain.state()
    verified = fisco.verify_header(state, block.bundle(), block.timestamp - 15)
    assert verified.timestamp == block.timestamp
    error = refused(TimestampAhead, chain, block.bundle(), block.timestamp - 16)
    assert error.diagnostics()["found"] == block.timestamp
    assert type(error.found) is int
