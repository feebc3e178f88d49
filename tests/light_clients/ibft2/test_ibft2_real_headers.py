"""Real headers of Besu's IBFT2: their hashes, their seals, and that no other family takes them."""

import pytest

from light_clients import ibft, ibft2, qbft
from light_clients.bft.block_json import header_from_json
from light_clients.bft.checks import check_seals
from light_clients.errors import LightClientError, PinMismatch, Refused
from light_clients.ibft2.codec import encode_extra, parse_header
from light_clients.ibft2.verify import check_form
from schemas.primitives import BlockHash
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex

BLOCK = shared_json("besu_bft/ibft2_block_2074747.json")
FOUR = header_from_json(BLOCK, parse_header)
ONE = unhex(shared_json("besu_bft/ibft2_header_1val.json")["header_rlp_with_seals"])
BOTH = pytest.mark.parametrize(("header", "validators"), [(FOUR, 4), (ONE, 1)], ids=["four", "one"])


def test_the_hash_is_the_one_that_the_node_says():
    parsed = parse_header(FOUR)
    assert parsed.block_hash.hex0x() == BLOCK["hash"]
    assert (parsed.height, parsed.proposer) == (2_074_747, unhex(BLOCK["miner"]))


@BOTH
def test_the_validators_that_are_listed_sealed_it(header, validators):
    parsed = parse_header(header)
    check_form(parsed)
    sealers = check_seals(parsed, parsed.extra.validators)
    assert len(parsed.extra.validators) == validators
    assert set(sealers) <= set(parsed.extra.validators)
    assert parsed.proposer in parsed.extra.validators
    assert encode_extra(parsed.extra) in header


@BOTH
def test_a_client_starts_at_it(header, validators):
    state = ibft2.bootstrap(header, parse_header(header).block_hash, ibft2.Ibft2Configuration())
    assert len(state.validators) == validators
    assert ibft2.state_from_bytes(state.to_bytes()) == state


@BOTH
@pytest.mark.parametrize(
    ("family", "configuration"), [(qbft, qbft.QbftConfiguration()), (ibft, ibft.IbftConfiguration())]
)
def test_no_other_family_takes_it(header, validators, family, configuration):
    with pytest.raises((Refused, PinMismatch)):
        family.bootstrap(header, parse_header(header).block_hash, configuration)
    assert validators


def test_another_block_is_not_the_pinned_one():
    with pytest.raises(LightClientError, match="not the pinned one"):
        ibft2.bootstrap(FOUR, BlockHash(b"\x01" * 32), ibft2.Ibft2Configuration())
