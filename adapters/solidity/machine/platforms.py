"""The virtual machines of ChainMaker and FISCO BCOS as traits, with the cryptographic contracts that their nodes bring.

Sources: the portability reference of the gateway for what was measured (ChainMaker 2.3.2) and read (FISCO BCOS 2.9.1 and
3.16.4); FISCO BCOS, `CryptoPrecompiled` of both versions and `Crypto.sol` of the console for methods and answers. What was
not measured on a real node: the form of the answer of ChainMaker's 0x03EF, the limits on code, and the gas of either.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from adapters.solidity.machine.types import Panic, Precompile, Traits
from light_clients.crypto import sm2
from light_clients.errors import Refused
from schemas.suites import keccak256, sm3

CHAINMAKER_VERIFY = (0x03EF).to_bytes(20, "big")
FISCO_2_CRYPTO = (0x5006).to_bytes(20, "big")
FISCO_3_CRYPTO = (0x100A).to_bytes(20, "big")
_POINT_BYTES = 65
_KEY_FORMS = {
    bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200"): "sm2",
    bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"): "p256",
    bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200"): "secp256k1",
}
_UNKNOWN_FUNCTION = (2**256 - 50_100).to_bytes(32, "big")
_YES, _NO = (1).to_bytes(32, "big"), bytes(32)


def chainmaker_chain_number(chain_id: str) -> int:
    """What CHAINID answers on ChainMaker: the ASCII bytes of the chain's id as a number."""
    return int.from_bytes(chain_id.encode("ascii"), "big")


def chainmaker_verify(data: bytes) -> bytes | None:
    """ChainMaker's 0x03EF: whether a key signed a message; a word 1, or None (the call fails).

    Args:
        data: key (DER SubjectPublicKeyInfo), message and signature (DER), each behind its length in 32 bytes.

    Raises:
        Panic: the key is on secp256k1.
    """
    parts = _length_prefixed(data)
    if parts is None:
        return None
    key, message, signature = parts
    form = next((form for prefix, form in _KEY_FORMS.items() if key.startswith(prefix)), "")
    point = key[-_POINT_BYTES:]
    if form == "secp256k1":
        raise Panic("0x03EF met a secp256k1 key; check the types of keys when they are registered")
    if form == "sm2":
        return _YES if _sm2_der(point[1:], message, signature) else None
    return _YES if form == "p256" and _p256_over_sm3(point, message, signature) else None


def _length_prefixed(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    parts, position = [], 0
    for _ in range(3):
        size = int.from_bytes(data[position : position + 32], "big")
        if position + 32 + size > len(data):
            return None
        parts.append(data[position + 32 : position + 32 + size])
        position += 32 + size
    return parts[0], parts[1], parts[2]


def _sm2_der(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return sm2.verify(public_key, message, sm2.signature_from_der(signature))
    except Refused:
        return False


def _p256_over_sm3(point: bytes, message: bytes, signature: bytes) -> bool:
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        key.verify(signature, sm3(message), ECDSA(Prehashed(SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True


def fisco_crypto(hashing: Callable[[bytes], bytes], *, version: int) -> Precompile:
    """FISCO BCOS's contract of hashes and SM2: 0x5006 in version 2, 0x100a in version 3.

    Args:
        hashing: the chain's hash, from which the selectors are made.
        version: 2 or 3: the name of the keccak function, and what an unknown selector answers.
    """
    keccak_name = "keccak256(bytes)" if version == 2 else "keccak256Hash(bytes)"
    methods: dict[bytes, Precompile] = {
        hashing(b"sm3(bytes)")[:4]: lambda data: _hash_bytes(sm3, data),
        hashing(keccak_name.encode())[:4]: lambda data: _hash_bytes(keccak256, data),
        hashing(b"sm2Verify(bytes32,bytes,bytes32,bytes32)")[:4]: _sm2_verify,
    }
    unknown = _UNKNOWN_FUNCTION if version == 2 else None

    def run(data: bytes) -> bytes | None:
        method = methods.get(data[:4])
        return method(data[4:]) if method else unknown

    return run


def _hash_bytes(hashing: Callable[[bytes], bytes], data: bytes) -> bytes | None:
    message = _bytes_argument(data, 0)
    return None if message is None else hashing(message)


def _sm2_verify(data: bytes) -> bytes:
    """(bytes32 message, bytes publicKey, bytes32 r, bytes32 s) → (bool, address): the account of the key, or zeros."""
    public_key = _bytes_argument(data, 1)
    if public_key is not None and sm2.verify(public_key, data[:32], data[64:128]):
        return _YES + bytes(12) + sm3(public_key)[12:]
    return _NO + bytes(32)


def _bytes_argument(data: bytes, place: int) -> bytes | None:
    """The `bytes` argument at this place of ABI-encoded arguments; None where they end too early."""
    start = int.from_bytes(data[32 * place : 32 * place + 32], "big") + 32
    size = int.from_bytes(data[start - 32 : start], "big")
    value = data[start : start + size]
    return value if start <= len(data) and len(value) == size else None


CHAINMAKER_2_3_2 = Traits(
    fork="shanghai",
    ecrecover=False,
    chain_number=chainmaker_chain_number("chain1"),
    precompiles={CHAINMAKER_VERIFY: chainmaker_verify},
    code_max=1 << 20,
    call_depth=5,
    nested_gas_uncapped=True,
    nested_writes_persist=True,
    frames_buffer_writes=True,
    static_can_write=True,
    callee_logs_first=True,
    work_max=50_000_000,
)
"""ChainMaker 2.3.2; `dataclasses.replace` sets `chain_number` from the chain's id."""

CHAINMAKER_2_3_2_SM = CHAINMAKER_2_3_2
"""ChainMaker 2.3.2 with SM2 members: the machine is the same, its hash opcode is keccak there too."""

FISCO_2_9 = Traits(
    fork="istanbul",
    chain_number=0,
    precompiles={FISCO_2_CRYPTO: fisco_crypto(keccak256, version=2)},
    code_max=0x40000,
    work_max=300_000_000,
)
"""FISCO BCOS 2.9.1; its clock counts milliseconds."""

FISCO_2_9_SM = Traits(
    fork="istanbul",
    hash_opcode="sm3",
    chain_number=0,
    precompiles={FISCO_2_CRYPTO: fisco_crypto(sm3, version=2)},
    code_max=0x40000,
    work_max=300_000_000,
)
"""FISCO BCOS 2.9.1 with national cryptography."""

FISCO_3_16 = Traits(
    fork="paris",
    chain_number=0,
    precompiles={FISCO_3_CRYPTO: fisco_crypto(keccak256, version=3)},
    code_max=0x40000,
    work_max=300_000_000,
)
"""FISCO BCOS 3.16.4, data version 3.2 or later; `chain_number` is `web3_chain_id` where that is set."""

FISCO_3_16_SM = Traits(
    fork="paris",
    hash_opcode="sm3",
    chain_number=0,
    precompiles={FISCO_3_CRYPTO: fisco_crypto(sm3, version=3)},
    code_max=0x40000,
    work_max=300_000_000,
)
"""FISCO BCOS 3.16.4 with national cryptography."""
