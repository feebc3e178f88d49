"""A witness: it cosigns what continues, and nothing else; its line in a note (C2SP tlog-cosignature)."""

import base64

import pytest
from nacl.signing import SigningKey

from light_clients.errors import ConfigurationInvalid
from light_clients.proofs.notes import NoteUnsigned, split_note
from light_clients.proofs.rfc6962 import TreeRootMismatch
from relay.errors import BadInput
from relay.evidence.cosignatures import Cosignature, CosignatureKey, add_cosignature, read_cosignatures
from relay.evidence.log import EvidenceLog
from relay.witness.memory import Memory
from relay.witness.witness import Forked, OldSizeWrong, Witness
from tests.support.evidence_log import KEYS, ORIGIN, SIGNER, make_log, private, records

NOW = 1_679_315_147.5


@pytest.fixture
def witness(tmp_path):
    return Witness("witness.example/w1", private("witness"), KEYS, tmp_path / "witness.json")


def cosigned(log, witness, now=NOW):
    seen = witness.seen(ORIGIN)
    return log.cosign(
        witness.cosign(log.checkpoint(), log.consistency(seen[0] if seen else 0, log.size), now), [witness.key]
    )


def test_the_bytes_are_those_of_the_specification(tmp_path, witness):
    log = make_log(tmp_path / "log", 7)
    line = witness.cosign(log.checkpoint(), [], NOW)
    data = base64.b64decode(line.split()[-1])
    assert (len(data), data[:4]) == (4 + 8 + 64, witness.key.key_id)
    assert int.from_bytes(data[4:12], "big") == 1_679_315_147
    text = split_note(log.checkpoint())[0]
    message = f"cosignature/v1\ntime 1679315147\n{text}".encode()
    SigningKey(private("witness")).verify_key.verify(message, data[12:])


def test_a_log_that_grows_is_cosigned_again_and_again(tmp_path, witness):
    log = make_log(tmp_path / "log", 7)
    for size in (7, 7, 300, 301):
        log.append(records(log.size, size))
        log.publish(float(size))
        note = cosigned(log, witness, NOW + size)
        assert read_cosignatures(note, [witness.key]) == [Cosignature("witness.example/w1", int(NOW + size))]
        assert read_cosignatures(log.checkpoint(), [witness.key])
    assert EvidenceLog.open(tmp_path / "log", write=False).checkpoint() == note


def test_the_first_time_it_believes_the_signature(tmp_path, witness):
    log = make_log(tmp_path / "log", 300)
    assert witness.seen(ORIGIN) is None
    witness.cosign(log.checkpoint(), [], NOW)
    assert witness.seen(ORIGIN) == (300, log.root(300))


def test_a_fork_is_not_cosigned(tmp_path, witness):
    log, other = make_log(tmp_path / "log", 300), EvidenceLog.create(tmp_path / "other", ORIGIN, [SIGNER])
    cosigned(log, witness)
    other.append([b"another beginning", *records(1, 400)])
    other.publish(NOW)
    with pytest.raises(TreeRootMismatch):
        witness.cosign(other.checkpoint(), other.consistency(300, 400), NOW)
    assert witness.seen(ORIGIN) == (300, log.root(300))
    other.close()


def test_a_checkpoint_of_the_same_size_and_another_root_is_not_cosigned(tmp_path, witness):
    log, other = make_log(tmp_path / "log", 3), EvidenceLog.create(tmp_path / "other", ORIGIN, [SIGNER])
    cosigned(log, witness)
    other.append([b"a", b"b", b"c"])
    with pytest.raises(Forked, match="two checkpoints of 3 leaves"):
        witness.cosign(other.publish(NOW), [], NOW)


def test_an_older_checkpoint_is_not_cosigned(tmp_path, witness):
    log = make_log(tmp_path / "log", 7)
    older = log.checkpoint()
    log.append([b"more"])
    log.publish(NOW)
    cosigned(log, witness)
    with pytest.raises(OldSizeWrong, match="one of 8 is cosigned"):
        witness.cosign(older, [], NOW)


def test_a_stranger_s_checkpoint_is_not_cosigned(tmp_path, witness):
    stranger = type(SIGNER)(ORIGIN, private("stranger"))
    log = EvidenceLog.create(tmp_path / "log", ORIGIN, [stranger])
    with pytest.raises(NoteUnsigned):
        witness.cosign(log.checkpoint(), [], NOW)
    assert witness.seen(ORIGIN) is None


def test_what_is_kept_is_kept_before_it_is_signed(tmp_path, witness, monkeypatch):
    log = make_log(tmp_path / "log", 7)
    monkeypatch.setattr(CosignatureKey, "line", lambda *_: pytest.fail("signed"))
    monkeypatch.setattr(Memory, "keep", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        witness.cosign(log.checkpoint(), [], NOW)


def test_lines_that_do_not_belong_there(tmp_path, witness):
    log = make_log(tmp_path / "log", 7)
    line = witness.cosign(log.checkpoint(), [], NOW)
    other = Witness("witness.example/w2", private("w2"), KEYS, tmp_path / "w2.json")
    with pytest.raises(BadInput, match="No known witness"):
        log.cosign(line, [other.key])
    with pytest.raises(BadInput, match="malformed"):
        log.cosign("nonsense", [witness.key])
    with pytest.raises(BadInput, match="No known witness"):
        log.cosign("\N{EM DASH} " + SIGNER.note_key.name + " AAAAAAAA\n", [witness.key])
    log.append([b"more"])
    log.publish(NOW)
    with pytest.raises(BadInput, match="No known witness"):
        log.cosign(line, [witness.key])


@pytest.mark.parametrize("signature", [b"", bytes(71), bytes(72), b"\x80" + bytes(71)])
def test_signatures_that_are_none(witness, signature):
    assert witness.key.verify("text\n", signature) is None


def test_two_witnesses_stand_beside_each_other(tmp_path, witness):
    log = make_log(tmp_path / "log", 7)
    second = Witness("witness.example/见证", private("w2"), KEYS, tmp_path / "w2.json")
    note = log.checkpoint()
    for each in (witness, second, witness):
        note = add_cosignature(note, each.cosign(note, [], NOW), [witness.key, second.key])
    assert {each.name for each in read_cosignatures(note, [witness.key, second.key])} == {
        witness.key.name,
        second.key.name,
    }
    assert len(split_note(note)[1]) == 2 + 2
    assert note.startswith(log.checkpoint())


def test_keys_of_witnesses(witness):
    assert CosignatureKey.parse(witness.key.text) == witness.key
    for text in (SIGNER.note_key.text, "x", "x+00000000+BA=="):
        with pytest.raises(ConfigurationInvalid):
            CosignatureKey.parse(text)
    for name, key in (("a b", bytes(32)), ("a", bytes(31))):
        with pytest.raises(ConfigurationInvalid):
            CosignatureKey.create(name, key)
