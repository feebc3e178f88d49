"""Headers taken apart: as their validators signed them, and the seals beside."""

import pytest

from light_clients.errors import LightClientError
from light_clients.qbft.codec import parse_header
from light_clients.qbft.signed import signed_form
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex


@pytest.mark.parametrize("vote", [None, (chain.address("e"), True), (chain.address("e"), False)])
def test_the_signed_form_hashes_to_what_the_validators_signed(vote):
    spec = chain.next_spec(chain.first_spec(), round=3, vote=vote, later=(7,))
    form = signed_form(spec.sealed())
    assert (form.header, form.seals) == (spec.signed(), tuple(spec.seals()))
    assert keccak256(form.header) == spec.seal_digest()
    assert parse_header(form.header).block_hash == spec.hash()
    assert signed_form(form.header).header == form.header


def test_a_drop_vote_of_one_zero_byte_takes_the_form_that_was_signed():
    zero = chain.next_spec(chain.first_spec(), vote=[chain.address("e"), b"\x00"])
    empty = chain.next_spec(chain.first_spec(), vote=(chain.address("e"), False))
    assert signed_form(zero.sealed()).header == empty.signed()


def test_a_real_header_sealed_in_round_1():
    raw = unhex(shared_json("besu_bft/qbft_header_4val_round1.json")["header_rlp_with_seals"])
    parsed, form = parse_header(raw), signed_form(raw)
    assert keccak256(form.header) == parsed.seal_digest != parsed.block_hash
    assert form.seals == parsed.extra.seals


def test_what_is_no_header_is_refused():
    with pytest.raises(LightClientError):
        signed_form(b"\xc0")
