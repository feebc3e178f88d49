"""Headers of IBFT2 and legacy IBFT read and written; the `rlp` library is the oracle of every hash."""

from dataclasses import replace

import pytest
import rlp as oracle
from hypothesis import given
from hypothesis import strategies as st

from light_clients import ibft, ibft2, qbft
from light_clients.errors import HeaderTooLarge, LightClientError, SealsTooMany, ValidatorsTooMany
from schemas.suites import keccak256
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain

SPECS = {
    ibft2: family.next_of(family.first_of(family.Ibft2Spec)),
    ibft: family.next_of(family.first_of(family.IbftSpec)),
    qbft: chain.next_spec(chain.first_spec()),
}
LATER = (7, keccak256(b"withdrawals"), 131072, 0, keccak256(b"beacon"), keccak256(b"requests"))
VOTES = [None, (chain.address("e"), True), (chain.address("e"), False)]
ALL = pytest.mark.parametrize("client", SPECS, ids=lambda client: client.__name__)


def read(client, header):
    return client.verify.CLIENT.parse_header(header)


@ALL
@pytest.mark.parametrize("vote", VOTES)
@pytest.mark.parametrize("round_number", [0, 1, 200, 2**31 - 1])
@pytest.mark.parametrize("later", range(7))
def test_hashes_agree_with_the_oracle(client, vote, round_number, later):
    spec = replace(SPECS[client], vote=vote, round=round_number, later=LATER[:later])
    parsed = read(client, spec.sealed())
    assert parsed.block_hash == spec.hash()
    assert parsed.seal_digest == spec.seal_digest()
    assert parsed.extra.seals == tuple(spec.seals())
    assert client.codec.with_extra(oracle.decode(spec.sealed()), parsed.extra) == spec.sealed()


@ALL
def test_too_many_are_refused_before_they_are_judged(client):
    spec = SPECS[client]
    with pytest.raises(ValidatorsTooMany):
        read(client, replace(spec, listed=[number.to_bytes(20, "big") for number in range(257)]).sealed())
    with pytest.raises(SealsTooMany):
        read(client, spec.with_seals([bytes(65)] * 257))
    with pytest.raises(HeaderTooLarge):
        read(client, bytes(64 * 1024 + 1))


@ALL
@given(position=st.integers(0, 10**6), value=st.integers(1, 255))
def test_a_changed_byte_never_keeps_the_meaning(client, position, value):
    header = bytearray(SPECS[client].sealed())
    header[position % len(header)] ^= value
    try:
        parsed = read(client, bytes(header))
    except LightClientError:
        return
    original = read(client, SPECS[client].sealed())
    assert (parsed.block_hash, parsed.extra) != (original.block_hash, original.extra)


@ALL
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_name(client, data):
    for header in (data, SPECS[client].encoded(data)):
        try:
            read(client, header)
        except LightClientError:
            continue


def test_the_first_block_of_legacy_ibft_has_no_proposer():
    assert read(ibft, family.first_of(family.IbftSpec).sealed()).proposer == bytes(20)
