"""An attestation's digest: good for one claim in one place only."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.attestation import Attestation, Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.json_schemas import ADAPTERS
from schemas.primitives import UINT64_MAX, BlockHash, ChainWord, Digest, Head, LaneId, SchemaError
from schemas.suites import EVM, SM

PLACE_CHANGES = {"chain": ChainWord(b"\x31" * 32), "gateway": b"\x32" * 20, "verifier": b"\x33" * 20, "epoch": 4}
CLAIM_CHANGES = {
    "lane_id": LaneId(b"\x34" * 32),
    "direction": Direction.OUTCOMES,
    "nonce": 8,
    "head": Head(b"\x35" * 32),
    "height": 42,
    "block_hash": BlockHash(b"\x36" * 32),
}
words = st.binary(min_size=32, max_size=32).filter(any)
accounts = st.binary(min_size=1, max_size=64)
counters = st.integers(1, UINT64_MAX)


@pytest.mark.parametrize("field", PLACE_CHANGES)
def test_every_field_of_the_place_changes_the_digest(suite, place, claim, field):
    elsewhere = replace(place, **{field: PLACE_CHANGES[field]})
    assert attestation_digest(suite, elsewhere, claim) != attestation_digest(suite, place, claim)


@pytest.mark.parametrize("field", CLAIM_CHANGES)
def test_every_field_of_the_claim_changes_the_digest(suite, place, claim, field):
    other = replace(claim, **{field: CLAIM_CHANGES[field]})
    assert attestation_digest(suite, place, other) != attestation_digest(suite, place, claim)


def test_the_suite_changes_the_digest(place, claim):
    assert attestation_digest(EVM, place, claim) != attestation_digest(SM, place, claim)


@given(
    words, accounts, accounts, counters, words, st.sampled_from(Direction), counters, words, counters, words, st.data()
)
def test_one_flipped_bit_of_any_field_changes_the_digest(
    chain, gateway, verifier, epoch, lane, direction, nonce, head, height, block, data
):
    place = Place(ChainWord(chain), gateway, verifier, epoch)
    claim = Claim(LaneId(lane), direction, nonce, Head(head), height, BlockHash(block))
    part, field = data.draw(
        st.sampled_from(
            [("place", f) for f in PLACE_CHANGES] + [("claim", f) for f in CLAIM_CHANGES if f != "direction"]
        )
    )
    holder = place if part == "place" else claim
    value = getattr(holder, field)
    bit = data.draw(st.integers(0, 63 if isinstance(value, int) else 8 * len(value) - 1))
    if isinstance(value, int):
        changed = value ^ (1 << bit)
        if changed == 0:
            return
    else:
        raw = (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")
        if len(value) == 32 and not any(raw):
            return
        changed = type(value)(raw)
    other = replace(holder, **{field: changed})
    pair = (other, claim) if part == "place" else (place, other)
    assert attestation_digest(EVM, *pair) != attestation_digest(EVM, place, claim)


def test_gateway_and_verifier_do_not_change_places(suite, place, claim):
    turned = replace(place, gateway=place.verifier, verifier=place.gateway)
    assert attestation_digest(suite, turned, claim) != attestation_digest(suite, place, claim)


def test_the_digest_is_a_digest(suite, place, claim):
    assert type(attestation_digest(suite, place, claim)) is Digest


def test_epoch_0_is_refused(suite, place, claim):
    with pytest.raises(SchemaError, match="epoch must not be 0"):
        attestation_digest(suite, replace(place, epoch=0), claim)


@pytest.mark.parametrize("epoch", [-1, UINT64_MAX + 1, True, 1.0])
def test_what_is_no_epoch_is_refused(suite, place, claim, epoch):
    with pytest.raises(SchemaError, match="epoch must be an integer from 0"):
        attestation_digest(suite, replace(place, epoch=epoch), claim)


@pytest.mark.parametrize(("field", "shown"), [("gateway", "verifying gateway"), ("verifier", "verifier")])
@pytest.mark.parametrize("value", [b"", b"a" * 65])
def test_what_is_no_account_is_refused(suite, place, claim, field, shown, value):
    with pytest.raises(SchemaError, match=f"^{shown} must be 1 to 64 bytes"):
        attestation_digest(suite, replace(place, **{field: value}), claim)


@pytest.mark.parametrize(("value", "reason"), [(bytes(32), "zero"), (b"\x01" * 31, "32 bytes")])
def test_what_is_no_chain_word_is_refused(suite, place, claim, value, reason):
    with pytest.raises(SchemaError, match=f"ChainWord must.*{reason}"):
        attestation_digest(suite, replace(place, chain=value), claim)


def test_a_claim_that_fails_its_check_is_not_signed(suite, place, claim):
    with pytest.raises(SchemaError, match="nonce must not be 0"):
        attestation_digest(suite, place, replace(claim, nonce=0))


def test_an_attestation_round_trips_in_json(claim):
    attestation = Attestation(claim, 3, b"\x37" * 20, b"\x38" * 65)
    adapter = ADAPTERS["attestation"]
    assert adapter.validate_json(adapter.dump_json(attestation)) == attestation


def test_a_place_round_trips_in_json(place):
    adapter = ADAPTERS["place"]
    assert adapter.validate_json(adapter.dump_json(place)) == place
