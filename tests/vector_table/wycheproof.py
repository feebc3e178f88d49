"""Wycheproof: every test of every file, each with its verdict, at the door of its scheme.

A result of ``acceptable`` (a legacy form that a library may take) is due to be refused: one signature has one encoding here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from light_clients.crypto import bls, ed25519, p256, secp256k1
from light_clients.crypto.der import signature_from_der, signature_to_der
from light_clients.crypto.sm2_fallback import hmac_sm3
from light_clients.errors import SignatureInvalid
from tests.vector_table.item import Item, judged, unusable

FAMILY = "wycheproof"
SUITES = {suite.decode() for suite in (bls.BASIC, bls.PROOF_OF_POSSESSION)}
HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
Judge = Callable[[dict[str, Any], dict[str, Any]], bool]


def items(folder: Path) -> Iterator[Item]:
    """One row for each test; for a file or group without a door the reason."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if file.suffix != ".json":
            yield unusable(FAMILY, name, "documentation, no vector")
            continue
        content = json.loads(file.read_text())
        for number, group in enumerate(content["testGroups"]):
            judge = _judge(content.get("algorithm", ""), group)
            if judge is None:
                yield unusable(FAMILY, f"{name} group {number}", "no ledger here uses this scheme")
                continue
            for test in group["tests"]:
                yield _row(f"{name} {test['tcId']}", judge, group, test)


def _row(name: str, judge: Judge, group: dict[str, Any], test: dict[str, Any]) -> Item:
    expected = "accepted" if test["result"] == "valid" else "refused"
    why = "acceptable: a legacy form, refused on purpose" if test["result"] == "acceptable" else test.get("comment", "")

    def verify() -> None:
        if not judge(group, test):
            raise SignatureInvalid("The door answers no.")

    return judged(FAMILY, name, expected, verify, why)


def _judge(algorithm: str, group: dict[str, Any]) -> Judge | None:
    """The door for a group of tests."""
    kind, key = group["type"], group.get("publicKey", {})
    if kind == "EddsaVerify" and key["curve"] == "edwards25519":
        return _ed25519
    if kind in {"EcdsaVerify", "EcdsaP1363Verify"} and key["curve"] == "secp256r1" and group["sha"] == "SHA-256":
        return _p256 if kind == "EcdsaVerify" else _p256_plain
    if kind in {"EcdsaVerify", "EcdsaP1363Verify", "EcdsaBitcoinVerify"} and key["curve"] == "secp256k1":
        return _secp256k1 if group["sha"] in HASHES else None
    if kind == "MacTest" and algorithm == "HMACSM3":
        return _hmac_sm3
    if kind == "BlsSigVerify" and group["ciphersuite"] in SUITES:
        return _bls
    if kind == "BlsAggregateVerify" and group["ciphersuite"] in SUITES:
        return _bls_aggregate
    return _hash_to_g2 if kind == "BlsHashToG2" else None


def _ed25519(group: dict[str, Any], test: dict[str, Any]) -> bool:
    return ed25519.verify(_hex(group["publicKey"]["pk"]), _hex(test["msg"]), _hex(test["sig"]))


def _p256(group: dict[str, Any], test: dict[str, Any]) -> bool:
    return p256.verify(_hex(group["publicKey"]["uncompressed"]), _hex(test["msg"]), _hex(test["sig"]))


def _p256_plain(group: dict[str, Any], test: dict[str, Any]) -> bool:
    signature = signature_to_der(_hex(test["sig"]))
    return p256.verify(_hex(group["publicKey"]["uncompressed"]), _hex(test["msg"]), signature)


def _secp256k1(group: dict[str, Any], test: dict[str, Any]) -> bool:
    plain = group["type"] == "EcdsaP1363Verify"
    signature = _hex(test["sig"]) if plain else signature_from_der(_hex(test["sig"]))
    digest = hashlib.new(HASHES[group["sha"]], _hex(test["msg"])).digest()[:32]
    key = _hex(group["publicKey"]["uncompressed"])
    return secp256k1.verify(key, digest, signature, allow_high_s=group["type"] != "EcdsaBitcoinVerify")


def _hmac_sm3(group: dict[str, Any], test: dict[str, Any]) -> bool:
    return hmac_sm3(_hex(test["key"]), _hex(test["msg"]))[: group["tagSize"] // 8] == _hex(test["tag"])


def _bls(group: dict[str, Any], test: dict[str, Any]) -> bool:
    key = bls.decode_public_key(_hex(group["publicKey"]["pk"]))
    return bls.verify(key, _hex(test["msg"]), _hex(test["sig"]), suite=group["ciphersuite"].encode())


def _bls_aggregate(group: dict[str, Any], test: dict[str, Any]) -> bool:
    keys = bls.decode_public_keys([_hex(key) for key in test["pubkeys"]])
    messages = [_hex(message) for message in test["messages"]]
    return bls.aggregate_verify(keys, messages, _hex(test["sig"]), suite=group["ciphersuite"].encode())


def _hash_to_g2(group: dict[str, Any], test: dict[str, Any]) -> bool:
    return bls.hash_to_g2(_hex(test["msg"]), group["dst"].encode()) == _hex(test["expected"])


def _hex(text: str) -> bytes:
    return bytes.fromhex(text)
