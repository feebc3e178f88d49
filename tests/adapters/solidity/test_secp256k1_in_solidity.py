"""secp256k1 in Solidity judges as ecrecover does: Wycheproof, random signatures, bent ones, edge cases, and a committee of it."""

import hashlib
import random

import pytest
from coincurve import PrivateKey, PublicKey

from adapters.solidity.contracts import back_ends
from light_clients.crypto.secp256k1 import address_of, sign
from schemas.suites import keccak256
from tests.support.evm_world import EvmChain, Refused, key, refuses
from tests.support.shared_vectors import shared_json

NAME = "Secp256k1"
P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BITCOIN = "wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json"


@pytest.fixture(scope="module")
def back_end():
    chain = EvmChain("curve")
    ((name, creation),) = back_ends("secp256k1")
    assert name == NAME
    return chain, chain.deploy(creation)


def public(private):
    return PrivateKey(private).public_key.format(compressed=False)[1:]


def judged(back_end, public_key, digest, signature):
    """What the contract says; a signature whose form it refuses is False."""
    chain, address = back_end
    kept = chain.view(address, NAME, "prepare", public_key)
    assert kept[:64] == public_key
    try:
        return chain.view(address, NAME, "verify", digest, signature, kept)
    except Refused as error:
        if error.name != "SignatureMalformed":
            raise
        return False


def recovered(public_key, digest, signature):
    """What ecrecover and the committee's rules say (libsecp256k1 recovers)."""
    r, s, v = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64], signature[64:]))
    if v not in (27, 28) or s > N // 2 or not (0 < r < N and s):
        return False
    try:
        found = PublicKey.from_signature_and_message(signature[:64] + bytes([v - 27]), digest, hasher=None)
    except ValueError:
        return False
    return found.format(compressed=False)[1:] == public_key


def plain(der):
    """r and s of a DER signature in 64 bytes, or None where they do not fit."""
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2 or der[2] != 2:
        return None
    first, rest = der[4 : 4 + der[3]], der[4 + der[3] :]
    if len(rest) < 2 or rest[0] != 2 or rest[1] != len(rest) - 2 or not first:
        return None
    numbers = [int.from_bytes(part, "big", signed=True) for part in (first, rest[2:])]
    return b"".join(n.to_bytes(32, "big") for n in numbers) if all(0 <= n < 2**256 for n in numbers) else None


def cases(path):
    """(group's key of 64 bytes, digest, r and s, expected) of a Wycheproof file whose signatures fit into 64 bytes."""
    for group in shared_json(path)["testGroups"]:
        public_key = bytes.fromhex(group["publicKey"]["uncompressed"])[1:]
        for case in group["tests"]:
            signature = plain(bytes.fromhex(case["sig"]))
            if signature is not None:
                digest = hashlib.sha256(bytes.fromhex(case["msg"])).digest()
                yield public_key, digest, signature, case["result"]


def test_wycheproof(back_end):
    """All but one: an r that was reduced modulo the order needs a v of 29 or 30, which no committee takes."""
    seen = {"valid": 0, "invalid": 0, "beyond v": 0}
    for public_key, digest, signature, result in cases(BITCOIN):
        found = [judged(back_end, public_key, digest, signature + bytes([v])) for v in (27, 28)]
        assert found == [recovered(public_key, digest, signature + bytes([v])) for v in (27, 28)]
        seen[result if any(found) == (result == "valid") else "beyond v"] += 1
    assert min(seen["valid"], seen["invalid"]) > 20
    assert seen["beyond v"] == 1


def test_random_signatures_and_what_is_bent_of_them(back_end):
    source = random.Random(20_261_123)
    for number in range(30):
        private = key(f"curve {number}")
        public_key, digest = public(private), source.randbytes(32)
        signature = sign(private, digest)
        assert judged(back_end, public_key, digest, signature)
        place = source.randrange(65)
        bent = signature[:place] + bytes([signature[place] ^ 1 << source.randrange(8)]) + signature[place + 1 :]
        assert not judged(back_end, public_key, digest, bent)
        assert not judged(back_end, public(key("another")), digest, signature)
        high = (N - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
        assert not judged(back_end, public_key, digest, signature[:32] + high + bytes([55 - signature[64]]))


@pytest.mark.parametrize("private", [1, 2, 3, N - 3, N - 2, N - 1])
def test_keys_beside_the_generator(back_end, private):
    """Sums that meet the point at infinity, and doublings in place of additions, on the way."""
    secret = private.to_bytes(32, "big")
    for number in range(1, 6):
        digest = number.to_bytes(32, "big") if number < 4 else keccak256(bytes([number]))
        signature = sign(secret, digest)
        assert judged(back_end, public(secret), digest, signature)
        assert not judged(back_end, public(secret), keccak256(digest), signature)


@pytest.mark.parametrize("digest", [0, 1, N - 1, N, N + 1, 2**256 - 1])
def test_digests_at_the_order(back_end, digest):
    digest = digest.to_bytes(32, "big")
    signature = sign(key("order"), digest)
    assert judged(back_end, public(key("order")), digest, signature)


@pytest.mark.parametrize("part", ["r", "s"])
@pytest.mark.parametrize("value", [0, N, N + 1, P, 2**256 - 1])
def test_numbers_out_of_range_are_nobodys(back_end, part, value):
    digest = keccak256(b"range")
    signature = sign(key("range"), digest)
    word = value.to_bytes(32, "big")
    bent = word + signature[32:] if part == "r" else signature[:32] + word + signature[64:]
    assert not judged(back_end, public(key("range")), digest, bent)


@pytest.mark.parametrize("length", [0, 64, 66])
def test_a_signature_of_another_length_is_malformed(back_end, length):
    chain, address = back_end
    kept = chain.view(address, NAME, "prepare", public(key("length")))
    with refuses("SignatureMalformed"):
        chain.view(address, NAME, "verify", bytes(32), bytes(length), kept)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        bytes(64),
        bytes(63) + b"\x07",
        P.to_bytes(32, "big") + bytes(32),
        public(key("unfit"))[:63] + b"\x00",
        b"\x04" + public(key("unfit")),
        public(key("unfit"))[:63],
    ],
)
def test_a_key_that_is_no_point_is_unfit(back_end, bad):
    chain, address = back_end
    with refuses("KeyUnfit"):
        chain.view(address, NAME, "prepare", bad)


def test_a_machine_that_computes_otherwise_refuses_the_deployment():
    ((_, creation),) = back_ends("secp256k1")
    known = bytes.fromhex("4ebc1a35bb85bf27bee6bd8eeb4c1e54dad3d522fe446666efef1dec7398c1ca")
    assert creation.count(known) >= 1
    with refuses("SignatureBackendFails"):
        EvmChain("other").deploy(creation.replace(known, known[:-1] + b"\xcb"))


def test_the_account_of_a_key_is_the_one_that_ecrecover_finds():
    assert keccak256(public(key("account")))[12:] == address_of(key("account"))
