"""The light client on the ledger: what it trusts at first, newer headers, seals; each thing that it refuses, alone."""

from dataclasses import replace

import pytest

from adapters.solidity import verifiers
from light_clients.crypto.secp256k1 import sign_seal
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.evm_world import STRANGER, EvmChain, refuses
from tests.support.light_client_world import PEER_WORD, LightClient, chain_of, signed

PERIOD_S = 14 * 24 * 3600
FIRST = chain.first_spec(number=9)
NEXT = chain.next_spec(FIRST)
LABELS = FIRST.validators
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def client():
    return LightClient(FIRST).at(NEXT.timestamp)


# What is trusted at first


def test_what_it_was_told_and_what_it_trusts_can_be_read(client):
    listed = chain.addresses(LABELS)
    assert client.view("client") == (
        9,
        FIRST.hash(),
        FIRST.timestamp,
        verifiers.validators_hash(listed),
        9,
        FIRST.timestamp + PERIOD_S,
        False,
    )
    assert client.view("configuration") == (PEER_WORD, 0, 30_000, PERIOD_S, 15)
    assert client.view("kind") == verifiers.VerifierKind.LIGHT_CLIENT
    assert client.view("development") is False
    assert client.view("generation") == bytes(32)
    assert client.view("runOf", "0x" + STRANGER.hex()) == (0, bytes(32), 0, ())


def test_a_pin_of_another_hash_is_refused():
    with refuses("PinMismatch", pinned=bytes(32), found=FIRST.hash()):
        LightClient(FIRST.signed(), None, bytes(32), FIRST.timestamp)


def test_a_pin_that_lists_too_few_is_for_development_only():
    alone = chain.first_spec(("a",), number=9)
    with refuses("ValidatorsUnfit", validators=1):
        LightClient(alone)
    assert LightClient(alone, development=True).height == 9
    assert LightClient(chain.first_spec(("a", "b"), number=9)).height == 9


def test_a_pin_beyond_the_trusting_period_or_ahead_of_the_clock_is_refused():
    for offset, name in ((PERIOD_S, "ClientExpired"), (-16, "HeaderAhead")):
        with refuses(name):
            LightClient(FIRST.signed(), None, FIRST.hash(), FIRST.timestamp + offset - 1)
    for offset in (PERIOD_S - 1, -15):
        assert LightClient(FIRST.signed(), None, FIRST.hash(), FIRST.timestamp + offset - 1).height == 9


@pytest.mark.parametrize(
    "options",
    [
        {"peer_chain_word": bytes(32)},
        {"dialect": 2},
        {"epoch_length": 0},
        {"trusting_period_s": 0},
        {"trusting_period_s": 2**32},
        {"maximum_drift_s": 3601},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_configuration_that_cannot_be_is_refused(options):
    with refuses("ConfigurationUnfit"):
        LightClient(FIRST, **options)


def test_the_widest_configuration_is_accepted():
    client = LightClient(FIRST, dialect=1, epoch_length=1, trusting_period_s=2**32 - 1, maximum_drift_s=3600)
    assert client.view("configuration") == (PEER_WORD, 1, 1, 2**32 - 1, 3600)
    assert client.view("client")[5] == FIRST.timestamp + 2**32 - 1


# Newer headers of the trusted set


def test_a_newer_header_moves_height_hash_and_time_on(client):
    done = client.update(signed(NEXT))
    assert client.view("client")[:3] == (10, NEXT.hash(), NEXT.timestamp)
    assert client.view("client")[5] == NEXT.timestamp + PERIOD_S
    assert client.view("generation") == bytes(32)
    ((topics, data),) = done.named("QbftVerifier", "ClientUpdated")
    assert (int.from_bytes(topics[1], "big"), data[:32]) == (10, NEXT.hash())


def test_headers_between_are_left_out_when_the_set_is_the_same(client):
    far = chain.next_spec(replace(NEXT, number=5_000, timestamp=NEXT.timestamp + 5_000))
    client.at(far.timestamp).update(signed(far))
    assert client.height == 5_001


@pytest.mark.parametrize("round_number", [1, 127, 128, 2**31 - 1])
def test_a_header_sealed_in_a_later_round_has_the_hash_of_round_0(client, round_number):
    client.update(signed(replace(NEXT, round=round_number)))
    assert client.view("client")[1] == NEXT.hash()


@pytest.mark.parametrize("number", [9, 8])
def test_a_header_that_is_not_newer_is_refused(client, number):
    with refuses("HeaderBehind", height=number, trusted=9):
        client.update(signed(replace(NEXT, number=number)))


def test_time_does_not_go_backwards(client):
    client.update(signed(replace(NEXT, timestamp=FIRST.timestamp)))
    with refuses("TimeBackwards", earlier=FIRST.timestamp, timestamp=FIRST.timestamp - 1):
        client.update(signed(replace(NEXT, number=11, timestamp=FIRST.timestamp - 1)))


def test_a_header_ahead_of_the_clock_waits(client):
    with refuses("HeaderAhead", timestamp=NEXT.timestamp, latest=NEXT.timestamp - 1):
        client.at(NEXT.timestamp - 16).update(signed(NEXT))
    client.at(NEXT.timestamp - 15).update(signed(NEXT))


def test_a_ledger_that_counts_milliseconds_reads_the_same_clock():
    client = LightClient(FIRST, divisor=1000)
    with refuses("HeaderAhead"):
        client.at((NEXT.timestamp - 15) * 1000 - 1).update(signed(NEXT))
    client.at((NEXT.timestamp - 15) * 1000).update(signed(NEXT))


def test_retired_keys_find_no_trust_in_a_stale_client(client):
    late = replace(NEXT, number=900_000, timestamp=FIRST.timestamp + PERIOD_S)
    with refuses("ClientExpired", expiresAt=FIRST.timestamp + PERIOD_S):
        client.at(late.timestamp).update(signed(late))
    with refuses("ClientExpired"):
        client.follow(signed(FIRST))
    client.at(late.timestamp - 1).update(signed(replace(late, timestamp=late.timestamp - 1)))


@pytest.mark.parametrize(
    "labels", [(*LABELS, "e"), LABELS[:3], ("w", "x", "y", "z")], ids=["grown", "shrunk", "another"]
)
def test_another_set_is_not_believed_without_its_votes(client, labels):
    other = chain.next_spec(FIRST, validators=labels)
    with refuses("ValidatorsUnexpected"):
        client.update(signed(other))


def test_the_proposer_is_one_of_the_set(client):
    with refuses("ProposerUnfit", proposer="0x" + chain.address("stranger").hex()):
        client.update(signed(replace(NEXT, proposer=chain.address("stranger"))))


# Seals


def sealed_by(*labels):
    return signed(replace(NEXT, sealers=labels))


def test_all_may_seal(client):
    client.update(sealed_by(*LABELS))


@pytest.mark.parametrize("size", range(1, 23))
def test_the_quorum_is_two_thirds_rounded_up(size):
    labels = chain.ascending(tuple(f"v{number}" for number in range(size)))
    first = chain.first_spec(labels, number=9)
    spec = chain.next_spec(first)
    needed = -(-2 * size // 3)
    client = LightClient(first, development=True)
    with refuses("SealsTooFew", seals=needed - 1, needed=needed):
        client.update(signed(replace(spec, sealers=labels[: needed - 1])))
    client.update(signed(replace(spec, sealers=labels[-needed:])))


def test_a_large_set_is_judged():
    labels = chain.ascending(tuple(f"v{number}" for number in range(100)))
    first = chain.first_spec(labels, number=9)
    client = LightClient(first)
    client.update(signed(chain.next_spec(first)))
    assert client.height == 10


def test_a_foreign_seal_is_refused_even_beside_a_quorum(client):
    for sealers in ((*LABELS[:2], "stranger"), (*LABELS, "stranger")):
        with refuses("SealForeign", sealer="0x" + chain.address("stranger").hex()):
            client.update(sealed_by(*sealers))


def test_a_repeated_seal_is_refused_even_beside_a_quorum(client):
    for sealers in ((*LABELS[:2], LABELS[0]), (*LABELS[:3], LABELS[1])):
        with refuses("SealRepeated"):
            client.update(sealed_by(*sealers))


def test_seals_over_other_content_or_another_round_are_foreign(client):
    for changed in (replace(NEXT, state_root=keccak256(b"other")), replace(NEXT, round=1)):
        with refuses("SealForeign"):
            client.update((changed.signed(), NEXT.seals()))


def with_last(change):
    header, seals = signed(NEXT)
    return header, [*seals[:2], change(seals[2])]


@pytest.mark.parametrize(
    "change",
    [
        lambda seal: seal[:64],
        lambda seal: seal + b"\x00",
        lambda seal: seal[:64] + b"\x1b",
        lambda seal: seal[:64] + b"\x02",
    ],
    ids=["64 bytes", "66 bytes", "v 27", "v 2"],
)
def test_a_seal_of_another_form_is_refused(client, change):
    with refuses("SealMalformed"):
        client.update(with_last(change))


@pytest.mark.parametrize(
    "change",
    [lambda seal: bytes(32) + seal[32:], lambda seal: seal[:32] + bytes(32) + seal[64:]],
    ids=["zero r", "zero s"],
)
def test_a_seal_that_nobody_can_have_made_is_refused(change):
    first = replace(FIRST, listed=(bytes(20), *chain.addresses(LABELS[1:])))
    client = LightClient(first).at(NEXT.timestamp)
    changed = replace(NEXT, listed=first.listed, sealers=LABELS[1:], proposer=chain.address(LABELS[1]))
    header, seals = signed(changed)
    with refuses("SealForeign", sealer="0x" + "00" * 20):
        client.update((header, [*seals[:2], change(seals[2])]))


def test_a_seal_with_a_high_s_counts_for_its_signer_once(client):
    def mirrored(seal):
        s = ORDER - int.from_bytes(seal[32:64], "big")
        return seal[:32] + s.to_bytes(32, "big") + bytes([1 - seal[64]])

    header, seals = signed(NEXT)
    with refuses("SealRepeated"):
        client.update((header, [*seals, mirrored(seals[0])]))
    client.update(with_last(mirrored))


def test_a_seal_of_another_digest_scheme_is_foreign(client):
    header = NEXT.signed()
    digest = keccak256(b"\x19Ethereum Signed Message:\n32" + keccak256(header))
    seals = [sign_seal(chain.private_key(label), digest) for label in NEXT.sealers]
    with refuses("SealForeign"):
        client.update((header, seals))


def test_two_clients_of_one_ledger_are_independent():
    ledger = EvmChain("alpha")
    first, second = LightClient(FIRST, ledger), LightClient(FIRST, ledger)
    first.at(NEXT.timestamp).update(signed(NEXT))
    assert (first.height, second.height) == (10, 9)


def test_a_chain_of_headers_keeps_the_set(client):
    for spec in chain_of(FIRST, {}, {}, {})[1:]:
        client.at(spec.timestamp).update(signed(spec))
    assert client.height == 12
