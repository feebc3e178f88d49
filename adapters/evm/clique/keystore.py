"""A signer's key in the file that geth unlocks: Web3 Secret Storage, version 3."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from light_clients.crypto.secp256k1 import address_of
from schemas.suites import keccak256

ROUNDS = 1
"""Of PBKDF2: a development network's password stands beside the file, so that more would protect nothing."""


def keystore(private_key: bytes, password: str) -> dict[str, Any]:
    """The file's JSON for a key of 32 bytes: PBKDF2 with HMAC-SHA-256, AES-128 in counter mode, Keccak-256 over the ciphertext."""
    salt, counter = secrets.token_bytes(32), secrets.token_bytes(16)
    derived = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS, 32)
    encryptor = Cipher(AES(derived[:16]), CTR(counter)).encryptor()
    hidden = encryptor.update(private_key) + encryptor.finalize()
    return {
        "version": 3,
        "id": str(uuid.uuid4()),
        "address": address_of(private_key).hex(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": counter.hex()},
            "ciphertext": hidden.hex(),
            "kdf": "pbkdf2",
            "kdfparams": {"c": ROUNDS, "dklen": 32, "prf": "hmac-sha256", "salt": salt.hex()},
            "mac": keccak256(derived[16:] + hidden).hex(),
        },
    }
