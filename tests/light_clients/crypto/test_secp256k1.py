"""secp256k1: signatures both ways, eth-keys' own library as oracle, and every form that is refused."""

import pytest
from eth_keys import KeyAPI
from hypothesis import given
from hypothesis import strategies as st

from light_clients.crypto.secp256k1 import (
    HALF_ORDER,
    address_of,
    recover_address,
    recover_sealer,
    sign,
    sign_seal,
)
from light_clients.errors import (
    SignatureHighS,
    SignatureInvalid,
    SignatureLength,
    SignatureRecoveryId,
)
from schemas.suites import keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = keccak256(b"relayhub test key")
DIGEST = keccak256(b"digest")
KEYS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
DIGESTS = st.binary(min_size=32, max_size=32)


def with_high_s(signature):
    """The other signature of the same key over the same digest."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    other = {0: 1, 1: 0, 27: 28, 28: 27}[signature[64]]
    return signature[:32] + s.to_bytes(32, "big") + bytes((other,))


@given(KEYS, DIGESTS)
def test_signer_is_recovered_in_both_forms(key, digest):
    signature, seal = sign(key, digest), sign_seal(key, digest)
    assert signature == seal[:64] + bytes((seal[64] + 27,))
    assert len(signature) == 65
    assert signature[32:64] <= HALF_ORDER
    assert recover_address(digest, signature) == recover_sealer(digest, seal) == address_of(key)


def test_agrees_with_eth_keys():
    theirs = KeyAPI().PrivateKey(KEY)
    assert address_of(KEY) == theirs.public_key.to_canonical_address()
    assert sign_seal(KEY, DIGEST) == theirs.sign_msg_hash(DIGEST).to_bytes()


def test_another_digest_is_another_signer():
    assert recover_address(keccak256(b"other"), sign(KEY, DIGEST)) != address_of(KEY)


def test_half_order_is_half_of_the_order():
    assert int.from_bytes(HALF_ORDER, "big") == ORDER // 2


def test_high_s_is_refused_in_attestations_and_accepted_in_seals():
    with pytest.raises(SignatureHighS):
        recover_address(DIGEST, with_high_s(sign(KEY, DIGEST)))
    assert recover_sealer(DIGEST, with_high_s(sign_seal(KEY, DIGEST))) == address_of(KEY)


def test_the_largest_low_s_is_accepted_and_the_next_is_not():
    r = sign(KEY, DIGEST)[:32]
    assert len(recover_address(DIGEST, r + HALF_ORDER + b"\x1b")) == 20
    with pytest.raises(SignatureHighS):
        recover_address(DIGEST, r + (ORDER // 2 + 1).to_bytes(32, "big") + b"\x1b")


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_attestation_ends_in_27_or_28(v):
    with pytest.raises(SignatureRecoveryId):
        recover_address(DIGEST, sign(KEY, DIGEST)[:64] + bytes((v,)))


@pytest.mark.parametrize("v", [2, 3, 27, 28, 255])
def test_seal_ends_in_0_or_1(v):
    with pytest.raises(SignatureRecoveryId):
        recover_sealer(DIGEST, sign_seal(KEY, DIGEST)[:64] + bytes((v,)))


@pytest.mark.parametrize("recover", [recover_address, recover_sealer])
@pytest.mark.parametrize("size", [0, 64, 66])
def test_signature_has_65_bytes(recover, size):
    with pytest.raises(SignatureLength):
        recover(DIGEST, bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_digest_has_32_bytes(size):
    with pytest.raises(SignatureLength):
        sign(KEY, bytes(size))
    with pytest.raises(SignatureLength):
        recover_address(bytes(size), sign(KEY, DIGEST))


@pytest.mark.parametrize("r", [0, ORDER, 2**256 - 1])
def test_r_out_of_range_recovers_nobody(r):
    signature = sign(KEY, DIGEST)
    with pytest.raises(SignatureInvalid):
        recover_address(DIGEST, r.to_bytes(32, "big") + signature[32:])


def test_s_of_zero_recovers_nobody():
    signature = sign(KEY, DIGEST)
    with pytest.raises(SignatureInvalid):
        recover_address(DIGEST, signature[:32] + bytes(32) + signature[64:])


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_key_out_of_range(number):
    with pytest.raises(SignatureInvalid):
        address_of(number.to_bytes(32, "big"))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_key_has_32_bytes(size):
    with pytest.raises(SignatureLength):
        sign(b"\x01" * size, DIGEST)
