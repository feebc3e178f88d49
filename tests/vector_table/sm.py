"""SM2 and SM3: digests, the standard's signature, certificates; gmssl's pure Python is the second opinion for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gmssl import sm2 as gmssl_sm2
from gmssl import sm3 as gmssl_sm3

from light_clients.crypto import sm2
from light_clients.crypto.certificates import Certificate, read_certificate, verify_chain
from light_clients.errors import LightClientError, SignatureInvalid
from schemas.suites import sm3
from tests.support.gmssl_opinion import gmssl_verifies
from tests.vector_table.item import Item, Verdict, judged, unusable

FAMILY = "sm"


def items(folder: Path) -> Iterator[Item]:
    """Rows for every file: lists are SM3 digests, objects SM2 signatures, the rest certificates by their folder's authorities."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if file.suffix == ".md":
            yield unusable(FAMILY, name, "documentation, no vector")
        elif file.suffix == ".json":
            content = json.loads(file.read_text())
            yield from _digests(name, content) if isinstance(content, list) else _signature(name, content)
        else:
            yield from _certificate(name, file)


def _digests(name: str, entries: list[dict[str, Any]]) -> Iterator[Item]:
    for number, entry in enumerate(entries):
        yield _digest(f"{name} {number}", _given(entry, "in"), entry["sm3"].lower())


def _digest(name: str, data: bytes, digest: str) -> Item:
    theirs = gmssl_sm3.sm3_hash(list(data)) == digest
    return judged(FAMILY, name, _verdict(theirs), lambda: _must(sm3(data).hex() == digest), "gmssl")


def _signature(name: str, vector: dict[str, Any]) -> Iterator[Item]:
    if (
        vector.get("curve", "sm2p256v1") != "sm2p256v1"
        or vector.get("id", sm2.USER_ID.decode()) != sm2.USER_ID.decode()
    ):
        yield unusable(FAMILY, name, "another curve or identity of the user than any ledger here has")
        return
    key = bytes.fromhex(vector["public_x"] + vector["public_y"])
    signature = bytes.fromhex(vector["r"] + vector["s"])
    message = _given(vector, "message")
    theirs = gmssl_verifies(key, message, signature)
    yield judged(
        FAMILY, f"{name} verify", _verdict(theirs), lambda: _must(sm2.verify(key, message, signature)), "gmssl"
    )
    if "private_key" not in vector:
        return
    private = bytes.fromhex(vector["private_key"])
    yield judged(
        FAMILY,
        f"{name} key",
        _verdict(gmssl_sm2.CryptSM2("", "")._kg(int(vector["private_key"], 16), _generator()) == key.hex()),
        lambda: _must(sm2.public_key_of(private) == key),
        "gmssl",
    )
    yield judged(
        FAMILY,
        f"{name} sign",
        "accepted",
        lambda: _must(_theirs_accepts(key, message, sm2.sign(private, message))),
        "gmssl",
    )


def _certificate(name: str, file: Path) -> Iterator[Item]:
    try:
        certificate = read_certificate(file.read_bytes())
    except LightClientError as error:
        yield unusable(FAMILY, name, f"no certificate of P-256 or SM2: {error.name}")
        return
    authorities = [authority for authority in _certificates(file.parent) if authority.is_authority]
    issuer = next((item for item in authorities if item.subject_der == certificate.issuer_der), None)
    expected = _verdict(
        issuer is not None
        and _theirs_accepts(issuer.public_key, certificate.tbs, sm2.signature_from_der(certificate.signature))
    )
    for when, at, due in (
        ("in its time", certificate.not_before, expected),
        ("a second late", certificate.not_after + 1, "refused"),
        ("a second early", certificate.not_before - 1, "refused"),
    ):
        yield judged(
            FAMILY,
            f"{name} {when}",
            due,
            lambda at=at: verify_chain(certificate, authorities, at=at, allow_authority=True),
            "gmssl",
        )


def _certificates(folder: Path) -> Iterator[Certificate]:
    for file in sorted(folder.iterdir()):
        try:
            yield read_certificate(file.read_bytes())
        except LightClientError:
            continue


def _theirs_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    return gmssl_verifies(key, message, signature)


def _generator() -> str:
    return gmssl_sm2.default_ecc_table["g"]


def _given(entry: dict[str, Any], field: str) -> bytes:
    return entry[f"{field}_ascii"].encode() if f"{field}_ascii" in entry else bytes.fromhex(entry[f"{field}_hex"])


def _must(answer: bool) -> None:
    if not answer:
        raise SignatureInvalid("The door answers no.")


def _verdict(accepted: bool) -> Verdict:
    return "accepted" if accepted else "refused"
