"""Every check of the beacon chain's verifier, alone, on a synthetic chain with real signatures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from light_clients import beacon, errors, rlp
from light_clients.beacon import errors as own
from light_clients.beacon.codec import committee_root, write_bundle
from light_clients.beacon.types import SyncCommittee
from light_clients.crypto.errors import PublicKeyInvalid
from light_clients.proofs.bloom import bloom_mask
from light_clients.proofs.receipts import Log, Receipt, encode_receipt, receipts_root
from schemas.primitives import BlockHash, Head
from tests.support.beacon_chain import ALL, HEAD, PIN, SIZE, BeaconChain

CHAIN = BeaconChain()
START = CHAIN.trusted(16)


def refused(name, state, header, slot=200):
    with pytest.raises(errors.LightClientError) as caught:
        beacon.verify_header(state, header, CHAIN.now(slot))
    assert type(caught.value) is name, caught.value


def changed(place, value, attested=40, finalized=24, **options):
    """An update with one field replaced after it was signed."""
    parts = list(CHAIN.update_value(attested, finalized, **options))
    parts[place] = value
    return CHAIN.bundle("update", tuple(parts))


def flipped(data, place=0):
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


def test_a_bootstrap_gives_height_hash_and_time_of_the_execution_block():
    assert (START.height, START.timestamp) == (16, CHAIN.now(16))
    assert START.block_hash == CHAIN.execution(16)[12]
    assert (START.confirmations, START.frozen) == (0, False)
    assert START.expires_at == CHAIN.now(16) + CHAIN.age_limit
    assert START.current.keys == CHAIN.committee(0)[0]


def test_bootstrap_refuses_another_kind_another_pin_and_another_committee():
    with pytest.raises(own.BundleInvalid):
        beacon.bootstrap(CHAIN.update(40, 24), CHAIN.root(16), CHAIN.configuration)
    with pytest.raises(errors.PinMismatch):
        beacon.bootstrap(CHAIN.bootstrap(16), CHAIN.root(24), CHAIN.configuration)
    header, _, branch = CHAIN.bootstrap_value(16)
    with pytest.raises(own.CommitteeBranchInvalid):
        beacon.bootstrap(
            CHAIN.bundle("bootstrap", (header, CHAIN.committee(1), branch)), CHAIN.root(16), CHAIN.configuration
        )
    bad = (flipped(branch[0]), *branch[1:])
    with pytest.raises(own.CommitteeBranchInvalid):
        beacon.bootstrap(
            CHAIN.bundle("bootstrap", (header, CHAIN.committee(0), bad)), CHAIN.root(16), CHAIN.configuration
        )


def test_the_chain_is_followed_over_three_periods():
    state = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    assert state.height == 24
    assert state.following is not None
    state = CHAIN.advance(state, CHAIN.update(90, 72), 91)
    assert state.current.keys == CHAIN.committee(1)[0]
    assert state.following.keys == CHAIN.committee(2)[0]
    state = CHAIN.advance(state, CHAIN.finality_update(100, 80), 101)
    state = CHAIN.advance(state, CHAIN.update(128, 112), 129)
    assert state.height == 112
    assert state.period == 1
    state = CHAIN.advance(state, CHAIN.finality_update(160, 136), 161)
    assert state.period == 2
    assert state.following is None
    state = CHAIN.advance(state, CHAIN.update(150, 128), 161)
    assert state.height == 136
    assert state.following.keys == CHAIN.committee(3)[0]


def test_check_1_a_frozen_or_expired_client_accepts_nothing():
    refused(errors.ClientFrozen, START.freeze(), CHAIN.update(40, 24))
    with pytest.raises(errors.ClientExpired):
        beacon.verify_header(START, CHAIN.update(40, 24), START.expires_at)
    assert beacon.verify_header(START, CHAIN.update(40, 24), START.expires_at - 1).height == 24


def test_check_2_only_updates_with_finality_are_read():
    refused(own.BundleInvalid, START, CHAIN.bootstrap(16))
    refused(errors.HeaderUnconfirmed, START, CHAIN.update(40, None))
    refused(errors.HeaderUnconfirmed, START, CHAIN.finality_update(40, None))
    refused(errors.HeaderUnconfirmed, START, CHAIN.optimistic_update(40))


def test_check_3_slots_are_in_order_and_not_ahead_of_our_clock():
    refused(own.SlotOrderInvalid, START, CHAIN.update(40, 24, 40))
    refused(own.SlotOrderInvalid, START, CHAIN.update(40, 41, 42))
    refused(errors.TimestampAhead, START, CHAIN.update(40, 24), slot=40)
    drifting = replace(CHAIN.configuration, maximum_drift_s=6)
    assert (
        beacon.verify_header(replace(START, configuration=drifting), CHAIN.update(40, 24), CHAIN.now(40)).height == 24
    )


def test_check_4_the_committee_that_signed_is_known():
    refused(errors.HeaderGap, START, CHAIN.update(64, 48))
    knows_next = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    refused(errors.HeaderGap, knows_next, CHAIN.update(128, 112))
    later = CHAIN.advance(knows_next, CHAIN.update(90, 72), 91)
    refused(errors.HeaderBehind, later, CHAIN.update(56, 40))


def test_check_5_an_update_brings_something_new():
    knows_next = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    refused(errors.HeaderBehind, knows_next, CHAIN.update(41, 24))
    refused(errors.HeaderBehind, START, CHAIN.finality_update(41, 16))
    assert CHAIN.advance(START, CHAIN.update(41, 16), 42).following is not None
    assert CHAIN.advance(START, CHAIN.update(12, 0), 42).following is not None
    in_second = CHAIN.trusted(80)
    refused(errors.HeaderBehind, in_second, CHAIN.update(66, 56))


@pytest.mark.parametrize(("count", "accepted"), [(SIZE, True), (22, True), (21, False), (1, False), (0, False)])
def test_check_6_two_thirds_of_the_committee_signed(count, accepted):
    header = CHAIN.update(40, 24, signers=ALL[-count:] if count else ())
    if accepted:
        assert beacon.verify_header(START, header, CHAIN.now(41)).participants == count
    else:
        refused(errors.SealsTooFew, START, header)


def test_check_7_the_attested_header_has_the_form_of_its_fork():
    header = CHAIN.header(40, 24)
    for execution, branch in (
        ((*header[1][:6], 41, *header[1][7:]), header[2]),
        (header[1], (flipped(header[2][0]), *header[2][1:])),
    ):
        refused(own.ExecutionBranchInvalid, START, changed(0, (header[0], execution, branch)))


def test_check_8_the_finalized_header_is_the_one_of_the_attested_state():
    refused(own.FinalityBranchInvalid, START, changed(3, CHAIN.header(32)))
    _, _, _, _, branch, *_ = CHAIN.update_value(40, 24)
    refused(own.FinalityBranchInvalid, START, changed(4, (*branch[:-1], flipped(branch[-1]))))
    header = CHAIN.header(24)
    refused(own.ExecutionBranchInvalid, START, changed(3, (header[0], (*header[1][:6], 25, *header[1][7:]), header[2])))
    not_empty = list(CHAIN.empty())
    not_empty[0] = (0, 1, *not_empty[0][2:])
    refused(own.FinalityBranchInvalid, START, changed(3, tuple(not_empty), finalized=0))
    refused(own.FinalizedConflict, START, CHAIN.update(40, 16, salt=1))


def test_check_9_the_next_committee_is_in_the_attested_state_and_does_not_change():
    refused(own.CommitteeBranchInvalid, START, changed(1, CHAIN.committee(2)))
    _, _, branch, *_ = CHAIN.update_value(40, 24)
    refused(own.CommitteeBranchInvalid, START, changed(2, (flipped(branch[0]), *branch[1:])))
    knows_next = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    assert CHAIN.advance(knows_next, CHAIN.update(50, 32), 51).height == 32
    other = replace(knows_next, following=SyncCommittee(flipped(knows_next.following.encoded, 9)))
    refused(own.CommitteeMismatch, other, CHAIN.update(50, 32))


def test_check_10_the_members_that_the_bits_name_signed_this_header_in_this_domain():
    bits, signature = CHAIN.update_value(40, 24)[5]
    refused(own.SyncSignatureInvalid, START, changed(5, (flipped(bits), signature)))
    refused(own.SyncSignatureInvalid, START, changed(5, (bits, flipped(signature, 90))))
    refused(own.SyncSignatureInvalid, START, changed(5, CHAIN.update_value(48, 24)[5]))
    refused(own.SyncSignatureInvalid, START, changed(5, BeaconChain(label="other").update_value(40, 24)[5]))
    other_version = replace(CHAIN.configuration.forks[-1], version=b"\x09\x00\x00\x01")
    elsewhere = replace(CHAIN.configuration, forks=(*CHAIN.configuration.forks[:-1], other_version))
    refused(own.SyncSignatureInvalid, replace(START, configuration=elsewhere), CHAIN.update(40, 24))
    broken = replace(START, current=SyncCommittee(flipped(START.current.encoded, 20)))
    refused(PublicKeyInvalid, broken, CHAIN.update(40, 24))


def test_the_fork_version_is_the_one_of_the_slot_before_the_signature():
    chain = BeaconChain((0, 0, 0, 0, 5), label="fork")
    state = chain.trusted(16)
    assert chain.advance(state, chain.update(39, 24, 40), 41).height == 24
    assert chain.advance(state, chain.update(39, 24, 41), 41).height == 24


@pytest.mark.parametrize("form", ["altair", "bellatrix", "capella", "deneb", "electra", "fulu"])
def test_objects_of_each_fork_stand_in_their_own_and_in_later_containers(form):
    from light_clients.beacon.types import FORKS

    for last in range(1, FORKS.index(form) + 1):
        chain = BeaconChain((0,) * (last + 1), form=form)
        state = chain.advance(chain.trusted(16), chain.update(40, 24), 41)
        assert state.newest.slot == 24
        assert (state.newest.state_root == bytes(32)) == (FORKS[last] in ("altair", "bellatrix"))


def test_a_committee_of_before_a_fork_follows_into_it():
    chain = BeaconChain((0, 0, 0, 0, 0, 8), label="electra soon")
    state = chain.advance(chain.trusted(16), chain.update(40, 24), 41)
    state = chain.advance(state, chain.update(90, 72), 91)
    assert state.height == 72
    state = chain.advance(chain.advance(chain.trusted(16), chain.update(40, 24), 41), chain.update(66, 48), 67)
    assert state.height == 48


def test_forms_that_a_slot_cannot_have_are_refused():
    old = BeaconChain((0, 0, 0, 0), label="beacon")
    with pytest.raises(own.ForkUnexpected):
        beacon.bootstrap(old.bootstrap(16), old.root(16), CHAIN.configuration)
    late = BeaconChain((0, 9), form="altair")
    with pytest.raises(own.ForkUnexpected):
        late.trusted(16)
    header, committee, branch = BeaconChain((0, 0, 0, 0), form="deneb").bootstrap_value(16)
    blobs = (header[0], (*header[1][:15], 1, 0), header[2])
    chain = BeaconChain((0, 0, 0, 0), form="deneb")
    with pytest.raises(errors.HeaderFieldInvalid, match="blobs"):
        beacon.bootstrap(chain.bundle("bootstrap", (blobs, committee, branch)), chain.root(16), chain.configuration)
    early = BeaconChain((0, 0), form="capella")
    header, committee, branch = early.bootstrap_value(16)
    shown = (header[0], (*header[1][:6], 3, *header[1][7:]), header[2])
    with pytest.raises(errors.HeaderFieldInvalid, match="before Capella"):
        beacon.bootstrap(early.bundle("bootstrap", (shown, committee, branch)), early.root(16), early.configuration)


def test_an_execution_block_has_a_hash():
    class Hashless(BeaconChain):
        def execution(self, slot, salt=0):
            fields = super().execution(slot, salt)
            return (*fields[:12], bytes(32), *fields[13:])

    with pytest.raises(errors.HeaderFieldInvalid, match="zero"):
        Hashless().trusted(16)


def test_a_claim_is_judged_at_any_finalized_header_of_the_window():
    state = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    for slot in (16, 24):
        beacon.verify_claim(state, CHAIN.claim(slot), CHAIN.world.evidence(), PIN)
    longer = replace(CHAIN.claim(24), nonce=2, head=Head(b"\x05" * 32))
    beacon.verify_claim(state, longer, CHAIN.world.evidence(), PIN, proved_head=HEAD)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (errors.ClaimMalformed, {"nonce": 0}),
        (errors.HeightNotReached, {"height": 25}),
        (errors.HeightNotRetained, {"height": 20}),
        (errors.ClaimBlockMismatch, {"block_hash": BlockHash(b"\x01" * 32)}),
        (errors.HeadMismatch, {"head": Head(b"\x01" * 32)}),
    ],
)
def test_a_false_claim_is_refused_by_name(name, change):
    state = CHAIN.advance(START, CHAIN.update(40, 24), 41)
    with pytest.raises(name):
        beacon.verify_claim(state, replace(CHAIN.claim(24), **change), CHAIN.world.evidence(), PIN)


def test_a_claim_needs_a_live_client_an_execution_block_and_an_empty_header():
    with pytest.raises(errors.ClientFrozen):
        beacon.verify_claim(START.freeze(), CHAIN.claim(16), CHAIN.world.evidence(), PIN)
    with pytest.raises(errors.ClaimMalformed):
        beacon.verify_claim(START, CHAIN.claim(16), CHAIN.world.evidence(b"\x01"), PIN)
    old = BeaconChain((0, 0, 0))
    claim = replace(old.claim(16), block_hash=old.root(16))
    with pytest.raises(own.ExecutionAbsent):
        beacon.verify_claim(old.trusted(16), claim, old.world.evidence(), PIN)


def test_the_window_and_the_stored_state_stay_of_one_size():
    state, sizes = CHAIN.trusted(0), set()
    verified = beacon.verify_header(START, CHAIN.update(40, 24), CHAIN.now(41))
    block = verified.finalized
    for number in range(1, 10_001):
        state = beacon.apply(state, replace(verified, finalized=replace(block, slot=number * 8, height=number * 8)))
        if number >= 300 and number % 97 == 0:
            sizes.add(len(state.to_bytes()))
    assert len(sizes) == 1
    assert len(state.recent) == 256
    assert state.block_at(state.height).slot == 80_000
    assert state.block_at(8) is None


def test_a_verified_header_tells_what_it_proved():
    verified = beacon.verify_header(START, CHAIN.update(40, 24), CHAIN.now(41))
    assert (verified.height, verified.timestamp) == (24, CHAIN.now(24))
    assert verified.block_hash == CHAIN.claim(24).block_hash
    assert committee_root(verified.following, beacon.MINIMAL) == CHAIN.state(40, 24).node(CHAIN.places(40).following)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", errors.RlpTruncated),
        (rlp.encode([b"update", b"deneb"]), own.BundleInvalid),
        (rlp.encode([b"update", [b"deneb"], b""]), own.BundleInvalid),
        (write_bundle("update", "phase0", b""), own.BundleInvalid),
        (write_bundle("block", "deneb", b""), own.BundleInvalid),
        (rlp.encode([b"\xff\xfe", b"deneb", b""]), own.BundleInvalid),
        (write_bundle("update", "deneb", bytes(65536)), errors.HeaderTooLarge),
    ],
)
def test_what_is_no_bundle_is_refused(data, name):
    refused(name, START, data)


def test_an_update_may_come_without_the_next_committee():
    state = CHAIN.advance(START, CHAIN.update(40, 24, committee=False), 41)
    assert (state.height, state.following) == (24, None)


def test_what_has_no_branch_is_empty():
    zeros = (bytes(32),) * 6
    refused(errors.HeaderFieldInvalid, START, changed(4, zeros))
    refused(errors.HeaderFieldInvalid, START, changed(2, zeros[:5]))
    early = BeaconChain((0, 0))
    parts = list(early.update_value(40, 24))
    parts[4] = zeros
    with pytest.raises(errors.HeaderFieldInvalid):
        beacon.verify_header(early.trusted(16), early.bundle("update", tuple(parts)), early.now(41))


def test_a_log_is_proved_at_a_finalized_block():
    told = Log(b"\x09" * 20, (b"\x08" * 32,), b"told")
    bloom = (bloom_mask(told.address) | bloom_mask(told.topics[0])).to_bytes(256, "big")
    encoded = encode_receipt(Receipt(2, b"\x01", 21_000, bloom, (told,)))
    chain = BeaconChain(receipts_root=receipts_root([encoded]))
    state = chain.trusted(16)
    proof = (rlp.encode([b"\x20\x80", encoded]),)
    assert beacon.prove_log(state, 16, state.block_hash, 0, 0, proof) == told
    with pytest.raises(errors.ClaimBlockMismatch):
        beacon.prove_log(state, 16, BlockHash(b"\x01" * 32), 0, 0, proof)
    with pytest.raises(errors.ProofRefused):
        beacon.prove_log(START, 16, START.block_hash, 0, 0, proof)
