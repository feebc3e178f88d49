"""The profiles of ChainMaker and FISCO BCOS: their precompiles with known vectors, their hash, clock and chain number."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256K1, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_abi.abi import encode

from adapters.solidity.machine import Machine, Panic, platforms
from light_clients.crypto import sm2
from light_clients.crypto.der import signature_to_der
from schemas.suites import keccak256, sm3
from tests.support.assembly import answer, assemble, creation_of

CALLER, FIRST = b"\x01" * 20, b"\xaa" * 20
ROOM = {"gas": 10_000_000, "height": 7, "timestamp": 1_700_000_000_123}
SM2_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
PRIVATE = bytes(31) + b"\x07"
MESSAGE = b"what the committee attests"
CHAINMAKER, FISCO = (
    [platforms.CHAINMAKER_2_3_2, platforms.CHAINMAKER_2_3_2_SM],
    {
        "2.9": (platforms.FISCO_2_9, platforms.FISCO_2_CRYPTO, keccak256),
        "2.9 sm": (platforms.FISCO_2_9_SM, platforms.FISCO_2_CRYPTO, sm3),
        "3.16": (platforms.FISCO_3_16, platforms.FISCO_3_CRYPTO, keccak256),
        "3.16 sm": (platforms.FISCO_3_16_SM, platforms.FISCO_3_CRYPTO, sm3),
    },
)


def prefixed(*parts):
    return b"".join(len(part).to_bytes(32, "big") + part for part in parts)


def ec_key(curve):
    return derive_private_key(7, curve)


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sm2_case():
    return SM2_PREFIX + sm2.public_key_of(PRIVATE), signature_to_der(sm2.sign(PRIVATE, MESSAGE))


def p256_case():
    key = ec_key(SECP256R1())
    return spki(key), key.sign(sm3(MESSAGE), ECDSA(Prehashed(SHA256())))


def ask(traits, address, data):
    """(success of the call, its output) of a precompile that a contract calls; fails where the transaction does."""
    listing = f"CALLDATASIZE 0 0 CALLDATACOPY 0 0 CALLDATASIZE 0 0x{address.hex()} GAS STATICCALL"
    listing += " 0 MSTORE RETURNDATASIZE 0 32 RETURNDATACOPY RETURNDATASIZE 32 ADD 0 RETURN"
    machine = Machine(traits)
    assert machine.execute(CALLER, b"", creation_of(assemble(listing)), create_at=FIRST, **ROOM).success
    done = machine.execute(CALLER, FIRST, data, **ROOM)
    assert done.success, done.failure
    return bool(done.output[31]), done.output[32:]


# ChainMaker


@pytest.mark.parametrize("case", [sm2_case, p256_case])
@pytest.mark.parametrize("traits", CHAINMAKER)
def test_chainmaker_verifies_sm2_and_p256(traits, case):
    key, signature = case()
    good = prefixed(key, MESSAGE, signature)
    assert ask(traits, platforms.CHAINMAKER_VERIFY, good) == (True, (1).to_bytes(32, "big"))
    bad = [
        prefixed(key, MESSAGE + b"!", signature),
        prefixed(key, MESSAGE, signature[:-1] + bytes([signature[-1] ^ 1])),
        prefixed(key, MESSAGE, b""),
        prefixed(key[:-1] + bytes([key[-1] ^ 1]), MESSAGE, signature),
        prefixed(b"no key", MESSAGE, signature),
        good[:-1],
        b"",
        (2**256 - 1).to_bytes(32, "big"),
    ]
    assert [ask(traits, platforms.CHAINMAKER_VERIFY, data) for data in bad] == [(False, b"")] * len(bad)


def test_a_p256_signature_over_sha256_is_not_taken():
    key = ec_key(SECP256R1())
    signature = key.sign(MESSAGE, ECDSA(SHA256()))
    assert platforms.chainmaker_verify(prefixed(spki(key), MESSAGE, signature)) is None


def test_a_secp256k1_key_brings_the_transaction_down():
    key = ec_key(SECP256K1())
    data = prefixed(spki(key), MESSAGE, key.sign(sm3(MESSAGE), ECDSA(Prehashed(SHA256()))))
    with pytest.raises(Panic, match="secp256k1"):
        platforms.chainmaker_verify(data)
    with pytest.raises(AssertionError, match="panic"):
        ask(platforms.CHAINMAKER_2_3_2, platforms.CHAINMAKER_VERIFY, data)


def test_chainmakers_chain_number_is_its_id_in_ascii():
    traits = replace(platforms.CHAINMAKER_2_3_2, chain_number=platforms.chainmaker_chain_number("chain1"))
    machine = Machine(traits)
    machine.execute(CALLER, b"", creation_of(assemble(answer("CHAINID"))), create_at=FIRST, **ROOM)
    assert machine.call(CALLER, FIRST, b"", **ROOM).output.lstrip(b"\0") == b"chain1"


def test_chainmaker_hashes_with_keccak_also_where_members_sign_with_sm2():
    machine = Machine(platforms.CHAINMAKER_2_3_2_SM)
    machine.execute(CALLER, b"", creation_of(assemble(answer("0 0 KECCAK256"))), create_at=FIRST, **ROOM)
    assert machine.call(CALLER, FIRST, b"", **ROOM).output == keccak256(b"")


# FISCO BCOS


def sm2_verify(hashing, public_key, message, signature):
    types = ["bytes32", "bytes", "bytes32", "bytes32"]
    selector = hashing(b"sm2Verify(bytes32,bytes,bytes32,bytes32)")[:4]
    return selector + encode(types, [message, public_key, signature[:32], signature[32:]])


@pytest.mark.parametrize("version", FISCO)
def test_fisco_verifies_sm2(version):
    traits, address, hashing = FISCO[version]
    public_key, message = sm2.public_key_of(PRIVATE), sm3(MESSAGE)
    signature = sm2.sign(PRIVATE, message)
    account = sm3(public_key)[12:]
    good = sm2_verify(hashing, public_key, message, signature)
    assert ask(traits, address, good) == (True, (1).to_bytes(32, "big") + bytes(12) + account)
    for bad in (
        sm2_verify(hashing, public_key, sm3(message), signature),
        sm2_verify(hashing, sm2.public_key_of(bytes(31) + b"\x08"), message, signature),
        sm2_verify(hashing, public_key, message, signature[::-1]),
        sm2_verify(hashing, b"short", message, signature),
        good[:100],
    ):
        assert ask(traits, address, bad) == (True, bytes(64))


@pytest.mark.parametrize("version", FISCO)
def test_fiscos_hashes_and_selectors(version):
    traits, address, hashing = FISCO[version]
    keccak_name = b"keccak256(bytes)" if version.startswith("2") else b"keccak256Hash(bytes)"
    for name, function in ((b"sm3(bytes)", sm3), (keccak_name, keccak256)):
        data = hashing(name)[:4] + encode(["bytes"], [MESSAGE])
        assert ask(traits, address, data) == (True, function(MESSAGE))
    assert ask(traits, address, hashing(b"sm3(bytes)")[:4] + b"\xff" * 32) == (False, b"")
    other = keccak256 if hashing is sm3 else sm3
    unknown = ask(traits, address, other(b"sm3(bytes)")[:4] + encode(["bytes"], [MESSAGE]))
    if version.startswith("2"):
        assert unknown == (True, (2**256 - 50_100).to_bytes(32, "big"))
    else:
        assert unknown == (False, b"")


@pytest.mark.parametrize("version", FISCO)
def test_fiscos_hash_opcode_chain_number_and_clock(version):
    traits, _, hashing = FISCO[version]
    for expression, expected in (
        ("0 0 KECCAK256", hashing(b"")),
        ("CHAINID", bytes(32)),
        ("TIMESTAMP", (1_700_000_000_123).to_bytes(32, "big")),
    ):
        machine = Machine(traits)
        machine.execute(CALLER, b"", creation_of(assemble(answer(expression))), create_at=FIRST, **ROOM)
        assert machine.call(CALLER, FIRST, b"", **ROOM).output == expected


@pytest.mark.parametrize(("version", "known"), [("2.9", False), ("3.16", True)])
def test_fiscos_rules(version, known):
    """London's BASEFEE tells the two versions apart."""
    machine = Machine(FISCO[version][0])
    machine.execute(CALLER, b"", creation_of(assemble(answer("BASEFEE"))), create_at=FIRST, **ROOM)
    assert machine.call(CALLER, FIRST, b"", **ROOM).success is known
