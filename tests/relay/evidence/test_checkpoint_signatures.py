"""Who signs a log's checkpoints and who believes them."""

import pytest

from light_clients.errors import SignatureInvalid
from light_clients.proofs.notes import Checkpoint, NoteUnsigned
from relay.errors import BadInput, NotFound
from relay.evidence.checkpoints import (
    Ed25519Signer,
    log_keys,
    log_signers,
    open_checkpoint,
    origin_of,
    parse_log_key,
    parse_witness_key,
    sign_checkpoint,
)
from relay.evidence.cosignatures import Cosignature, CosignatureKey, read_cosignatures
from relay.keys import ED25519, KeyStore
from tests.support.evidence_log import KEYS, ORIGIN, SIGNER, SM2_SIGNER, private

CHECKPOINT = Checkpoint(ORIGIN, 7, b"\x07" * 32)
NOTE = sign_checkpoint(CHECKPOINT, [SIGNER, SM2_SIGNER], 1_700_000_000.9)


def test_both_keys_are_believed_alone_and_together():
    keys = [SIGNER.note_key, SM2_SIGNER.note_key]
    for trusted in (keys[:1], keys[1:], keys):
        assert open_checkpoint(NOTE, trusted, ORIGIN) == CHECKPOINT


def test_the_log_says_the_time_by_a_cosignature_of_its_own():
    own = CosignatureKey.create(ORIGIN, SIGNER.note_key.public_key)
    assert read_cosignatures(NOTE, [own]) == [Cosignature(ORIGIN, 1_700_000_000)]
    silent = sign_checkpoint(CHECKPOINT, [SIGNER], None)
    assert read_cosignatures(silent, [own]) == []
    assert open_checkpoint(silent, KEYS) == CHECKPOINT


def test_another_key_another_log_another_text():
    with pytest.raises(NoteUnsigned):
        open_checkpoint(NOTE, [Ed25519Signer(ORIGIN, private("other")).note_key])
    with pytest.raises(BadInput, match="not of relayhub/other"):
        open_checkpoint(NOTE, KEYS, "relayhub/other")
    with pytest.raises(SignatureInvalid):
        open_checkpoint(NOTE.replace(b"\n7\n", b"\n8\n"), KEYS)


def test_the_keys_of_a_hub(tmp_path):
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(NotFound):
        log_keys(store, ORIGIN)
    (ordinary,) = log_signers(store, ORIGIN)
    assert [key.text for key in log_keys(store, ORIGIN)] == [ordinary.note_key.text]
    assert store.load("evidence-log").kind == ED25519
    assert (store.path("evidence-log").stat().st_mode & 0o777) == 0o600
    national = log_signers(store, ORIGIN, national=True)
    assert [key.text for key in log_keys(store, ORIGIN)] == [signer.note_key.text for signer in national]
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, national, 1.0), log_keys(store, ORIGIN)[1:]) == CHECKPOINT


def test_an_ed25519_key_of_another_size_is_refused(tmp_path):
    with pytest.raises(BadInput):
        KeyStore(tmp_path).new("short", bytes(31), kind=ED25519)


def test_private_keys_are_not_shown():
    assert SIGNER.private.hex() not in repr(SIGNER) + repr(SM2_SIGNER)
    assert repr(SIGNER.private) not in repr(SIGNER)


@pytest.mark.parametrize(
    ("hub", "origin"),
    [
        ("north", "relayhub/north"),
        ("北京", "relayhub/北京"),
        ("a b+c%", "relayhub/a%20b%2Bc%25"),
        ("\u3000", "relayhub/%E3%80%80"),
    ],
)
def test_origins(hub, origin):
    assert origin_of(hub) == origin
    Ed25519Signer(origin, private("log")).note_key  # noqa: B018 - the name is checked when the key is made


def test_keys_as_a_person_types_them():
    assert parse_log_key(f" {SIGNER.note_key.text}\n") == SIGNER.note_key
    for parse in (parse_log_key, parse_witness_key):
        with pytest.raises(BadInput, match="looks like"):
            parse("nonsense")
    with pytest.raises(BadInput):
        parse_witness_key(SIGNER.note_key.text)
