"""The bloom filter of a header: no false absence, and real absence is seen."""

import pytest
from eth_utils import keccak

from light_clients import rlp
from light_clients.bft.block_json import header_from_json
from light_clients.errors import RlpRefused
from light_clients.proofs.bloom import bloom_mask, may_contain
from light_clients.qbft.codec import parse_header
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex

SAMPLE = shared_json("goquorum_qbft/proof_sample.json")
HEADER = header_from_json(SAMPLE["block"], parse_header)
LOG = SAMPLE["receipt"]["logs"][0]


def test_a_real_block_holds_its_event():
    assert may_contain(HEADER, unhex(LOG["address"]))
    assert may_contain(HEADER, unhex(LOG["topics"][0]))


def test_a_real_block_holds_nothing_of_others():
    others = [keccak(b"gateway %d" % number)[:20] for number in range(50)]
    assert not any(may_contain(HEADER, other) for other in others)


def test_the_filter_of_the_event_is_the_one_of_the_header():
    both = bloom_mask(unhex(LOG["address"])) | bloom_mask(unhex(LOG["topics"][0]))
    assert both == int(SAMPLE["block"]["logsBloom"], 16)


def test_a_header_that_is_cut():
    with pytest.raises(RlpRefused):
        may_contain(HEADER[:-1], b"\x01" * 20)


def test_a_header_with_the_proof_of_its_childs_validators_is_read_too():
    bundle = rlp.encode([HEADER, b"proof"])
    assert may_contain(bundle, unhex(LOG["address"]))
    assert not may_contain(bundle, keccak(b"nobody")[:20])
