"""Signed notes and checkpoints: a published one, ones of our own keys, and every way in which one is not quite a note."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from light_clients.crypto import sm2
from light_clients.errors import ConfigurationInvalid, LightClientError, SignatureInvalid
from light_clients.proofs.notes import (
    MAXIMUM_NOTE_SIZE,
    MAXIMUM_SIGNATURES,
    SM2,
    Checkpoint,
    NoteKey,
    NoteMalformed,
    NoteUnsigned,
    checkpoint_text,
    is_key_name,
    open_note,
    read_checkpoint,
    signature_line,
)
from tests.support.shared_vectors import shared_json

PUBLISHED = shared_json("tlog/notes_checkpoints.json")
TEXT = "log.example/one\n12\n" + base64.b64encode(b"\x07" * 32).decode() + "\n"


class Signer:
    """A key from a label, and what it signs."""

    def __init__(self, label):
        self.name = f"log.example/{label}"
        self.key = SigningKey(hashlib.sha256(f"relayhub test note {label}".encode()).digest())
        self.encoded = b"\x01" + bytes(self.key.verify_key)
        self.key_id = hashlib.sha256(self.name.encode() + b"\n" + self.encoded).digest()[:4]
        self.vkey = f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.encoded).decode()}"

    def line(self, text=TEXT, key_id=None):
        signature = (key_id or self.key_id) + self.key.sign(text.encode()).signature
        return f"\N{EM DASH} {self.name} {base64.b64encode(signature).decode()}\n"


ONE, TWO = Signer("one"), Signer("two")
KEYS = [NoteKey.parse(ONE.vkey), NoteKey.parse(TWO.vkey)]


def note(*lines, text=TEXT):
    return (text + "\n" + "".join(lines)).encode()


@pytest.mark.parametrize("vector", PUBLISHED["signed_notes"])
def test_a_published_note(vector):
    key = NoteKey.parse(vector["vkey"])
    opened = open_note(vector["note"].encode(), [key])
    assert opened.signers == (key.name,)
    assert vector["note"].startswith(opened.text + "\n")
    with pytest.raises(SignatureInvalid):
        open_note(vector["note"].replace("cryptography", "Cryptography", 1).encode(), [key])


def test_the_published_checkpoint_is_read_and_unsigned_without_its_key():
    data = PUBLISHED["checkpoint_example_unverifiable_key_not_given"]
    found = read_checkpoint(data.partition("\n\n")[0] + "\n")
    assert (found.origin, found.size, len(found.root)) == ("example.com/behind-the-sofa", 20_852_163, 32)
    with pytest.raises(NoteUnsigned):
        open_note(data.encode(), KEYS)


def test_two_keys_one_key_and_a_stranger():
    assert open_note(note(ONE.line(), TWO.line()), KEYS).signers == (ONE.name, TWO.name)
    assert open_note(note(TWO.line()), KEYS).signers == (TWO.name,)
    assert open_note(note(Signer("stranger").line(), TWO.line()), KEYS).signers == (TWO.name,)
    with pytest.raises(NoteUnsigned, match="No trusted key"):
        open_note(note(Signer("stranger").line()), KEYS)


def test_one_false_signature_of_a_trusted_key_spoils_the_note():
    with pytest.raises(SignatureInvalid):
        open_note(note(ONE.line(), TWO.line(text="another\n")), KEYS)


def test_a_key_of_the_same_name_is_told_apart_by_its_id():
    assert open_note(note(ONE.line(key_id=b"\x00\x01\x02\x03"), TWO.line()), KEYS).signers == (TWO.name,)


def test_the_last_empty_line_ends_the_text():
    text = "a\n\nb\n"
    assert open_note(note(ONE.line(text=text), text=text), KEYS).text == text


LONG = base64.b64encode(ONE.key_id + bytes(64)).decode()
MALFORMED = {
    "not UTF-8": b"\xff\n\n",
    "a control character": note(ONE.line(), text="a\tb\n"),
    "no empty line": TEXT.encode() + ONE.line().encode(),
    "no last newline": note(ONE.line())[:-1],
    "no signature line": note(),
    "twice": note(ONE.line(), ONE.line()),
    "too large": note(ONE.line(), text="a" * MAXIMUM_NOTE_SIZE + "\n"),
    "too many": note(*(Signer(str(number)).line() for number in range(MAXIMUM_SIGNATURES + 1))),
    "a hyphen for a dash": note(ONE.line().replace("\N{EM DASH}", "-")),
    "a plus in the name": note(f"\N{EM DASH} a+b {LONG}\n"),
    "no name": note(f"\N{EM DASH}  {LONG}\n"),
    "no base64": note("\N{EM DASH} name !!!!\n"),
    "base64 with spare bits": note("\N{EM DASH} name AAAAAB==\n"),
    "base64 beyond ASCII": note("\N{EM DASH} name äöü\n"),
    "no signature": note("\N{EM DASH} name AAAAAA==\n"),
    "no second part": note("\N{EM DASH} name\n"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_note(name):
    with pytest.raises(NoteMalformed):
        open_note(MALFORMED[name], KEYS)


@given(st.binary(max_size=200))
def test_nothing_else_is_raised(data):
    with pytest.raises(LightClientError):
        open_note(data, KEYS)


@given(st.integers(0, 8 * len(note(ONE.line())) - 1))
def test_a_changed_bit_never_passes(bit):
    data = bytearray(note(ONE.line()))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LightClientError):
        open_note(bytes(data), KEYS)


# Checkpoints


def test_a_checkpoint_with_extensions():
    assert read_checkpoint(TEXT + "more\nlines\n") == Checkpoint("log.example/one", 12, b"\x07" * 32, ("more", "lines"))


ROOT = base64.b64encode(bytes(32)).decode()
NO_CHECKPOINTS = {
    "two lines": "origin\n1\n",
    "an empty line": f"origin\n1\n{ROOT}\n\n",
    "no last newline": f"origin\n1\n{ROOT}\nx",
    "a leading zero": f"origin\n01\n{ROOT}\n",
    "a sign": f"origin\n+1\n{ROOT}\n",
    "other digits": f"origin\n\N{ARABIC-INDIC DIGIT ONE}\n{ROOT}\n",
    "too large": f"origin\n{2**63}\n{ROOT}\n",
    "no base64": "origin\n1\nroot\n",
    "a short root": f"origin\n1\n{base64.b64encode(bytes(31)).decode()}\n",
}


@pytest.mark.parametrize("name", NO_CHECKPOINTS)
def test_what_is_no_checkpoint(name):
    with pytest.raises(NoteMalformed):
        read_checkpoint(NO_CHECKPOINTS[name])


# Keys


def vkey(data, name="name", key_id=None):
    found = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    return f"{name}+{(key_id or found).hex()}+{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+",
        "name+0000+AAAA",
        vkey(b"\x02" + bytes(32)),
        vkey(b"\x01" + bytes(31)),
        vkey(ONE.encoded, key_id=bytes(4)),
    ],
)
def test_what_is_no_key(text):
    with pytest.raises(ConfigurationInvalid):
        NoteKey.parse(text)


def test_a_key_is_read():
    assert NoteKey.parse(vkey(ONE.encoded)).public_key == bytes(ONE.key.verify_key)


def test_a_key_is_printed_as_it_is_read():
    for signer in (ONE, TWO):
        assert NoteKey.parse(signer.vkey).text == signer.vkey
        assert NoteKey.create(signer.name, bytes(signer.key.verify_key)) == NoteKey.parse(signer.vkey)


# SM2, by a type of our own

SM2_PRIVATE = hashlib.sha256(b"relayhub test note sm2").digest()
SM2_KEY = NoteKey.create("log.example/国", sm2.public_key_of(SM2_PRIVATE), SM2)


def sm2_line(text=TEXT, private=SM2_PRIVATE):
    return signature_line(SM2_KEY.name, SM2_KEY.key_id, sm2.sign(private, text.encode()))


def test_the_id_of_an_sm2_key_is_made_of_its_type():
    encoded = b"\xffrelayhub/sm2-sm3" + SM2_KEY.public_key
    assert SM2_KEY.text == vkey(encoded, "log.example/国")
    assert NoteKey.parse(SM2_KEY.text) == SM2_KEY


def test_a_note_signed_by_both_kinds_of_key():
    both = note(ONE.line(), sm2_line())
    assert open_note(both, [KEYS[0], SM2_KEY]).signers == (ONE.name, SM2_KEY.name)
    assert open_note(both, [SM2_KEY]).signers == (SM2_KEY.name,)
    with pytest.raises(SignatureInvalid):
        open_note(note(ONE.line(), sm2_line(text="another\n")), [KEYS[0], SM2_KEY])
    with pytest.raises(SignatureInvalid):
        open_note(note(sm2_line(private=hashlib.sha256(b"another").digest())), [SM2_KEY])


@pytest.mark.parametrize(
    "data", [b"\xff" + SM2_KEY.public_key, SM2 + SM2_KEY.public_key[1:], SM2, b"\xffrelayhub/sm2" + SM2_KEY.public_key]
)
def test_what_is_no_sm2_key(data):
    with pytest.raises(ConfigurationInvalid):
        NoteKey.parse(vkey(data))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\x01b", "a\N{IDEOGRAPHIC SPACE}b"])
def test_names_that_no_key_may_have(name):
    assert not is_key_name(name)
    with pytest.raises(ConfigurationInvalid):
        NoteKey.create(name, bytes(32))


def test_a_key_of_another_size_is_none():
    with pytest.raises(ConfigurationInvalid):
        NoteKey.create("name", bytes(31))
    with pytest.raises(ConfigurationInvalid):
        NoteKey.create("name", bytes(32), SM2)


def test_a_key_with_half_a_character_is_refused_by_its_id():
    with pytest.raises(ConfigurationInvalid):
        NoteKey.parse("name\udc80+00000000+AQ==")


def test_a_checkpoint_is_written_as_it_is_read():
    checkpoint = Checkpoint("log.example/one", 12, b"\x07" * 32, ("more", "lines"))
    assert read_checkpoint(checkpoint_text(checkpoint)) == checkpoint
    assert checkpoint_text(Checkpoint("log.example/one", 12, b"\x07" * 32)) == TEXT
