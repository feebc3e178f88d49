"""Key files: modes, names in any script, nothing overwritten, nothing shown."""

import json
import stat

import pytest

from light_clients.crypto.secp256k1 import address_of
from relay.errors import BadInput, Duplicate, NotFound
from relay.keys import KeyStore, read_key
from schemas.suites import keccak256

PRIVATE = keccak256(b"a key of the tests")


@pytest.fixture
def store(tmp_path):
    return KeyStore(tmp_path / "keys")


def test_a_new_key_has_a_file_of_mode_600_in_a_folder_of_mode_700(store):
    key = store.new("relayer")
    assert stat.S_IMODE(store.path("relayer").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert store.load("relayer") == key
    assert key.address == address_of(key.private)
    assert sorted(json.loads(store.path("relayer").read_text())) == ["address", "kind", "private"]


def test_two_new_keys_differ(store):
    assert store.new("a").private != store.new("b").private


def test_nothing_is_left_beside_the_key(store):
    store.new("a")
    assert [path.name for path in store.folder.iterdir()] == ["a.json"]


def test_a_given_key_is_kept(store):
    assert store.new("given", PRIVATE).address == address_of(PRIVATE)


def test_a_key_is_never_overwritten(store):
    before = store.new("a", PRIVATE)
    with pytest.raises(Duplicate, match="exists already"):
        store.new("a")
    assert store.load("a") == before


def test_load_or_new_makes_once(store):
    assert store.load_or_new("a") == store.load_or_new("a")


@pytest.mark.parametrize("name", ["北京", "Ключ", "مفتاح", "clé", "key of two words"])
def test_names_in_any_script(store, name):
    store.new(name)
    assert store.names() == [name]
    assert store.load(name).name == name


@pytest.mark.parametrize(
    "name", ["", ".hidden", "a/b", "..", "-option", "a\\b", "tab\there", "nul\x00", "cle\u0301", "x" * 65, " space"]
)
def test_names_that_are_refused(store, name):
    with pytest.raises(BadInput):
        store.new(name)
    assert not store.folder.exists()


def test_repr_and_errors_hide_the_private_key(store):
    key = store.new("a", PRIVATE)
    assert PRIVATE.hex() not in repr(key)
    assert str(PRIVATE) not in repr(key)
    path = store.path("a")
    path.write_text(path.read_text().replace(key.address.hex(), "00" * 20))
    with pytest.raises(BadInput) as caught:
        store.load("a")
    assert PRIVATE.hex() not in str(caught.value)


def test_a_key_that_is_not_there(store):
    store.new("known")
    with pytest.raises(NotFound, match="known: known"):
        store.load("other")


def test_a_file_that_others_may_read_is_refused(store):
    store.new("a")
    store.path("a").chmod(0o640)
    with pytest.raises(BadInput, match="mode 640"):
        store.load("a")


def test_a_file_that_cannot_be_read_is_refused(store):
    store.folder.mkdir()
    store.path("a").mkdir(mode=0o700)
    with pytest.raises(BadInput, match="cannot be read"):
        store.load("a")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:20],
        lambda _text: "",
        lambda _text: "[]",
        lambda text: text.replace("secp256k1", "ed25519"),
        lambda text: text.replace('"private": "0x', '"private": "0xzz'),
        lambda text: text.replace(PRIVATE.hex(), keccak256(b"another").hex()),
        lambda text: text.replace(PRIVATE.hex(), "00" * 32),
        lambda text: text.replace(PRIVATE.hex(), "11" * 31),
    ],
)
def test_a_damaged_file_is_refused(store, change):
    store.new("a", PRIVATE)
    path = store.path("a")
    path.write_text(change(path.read_text()))
    with pytest.raises(BadInput):
        store.load("a")


def test_a_key_file_elsewhere(tmp_path, store):
    store.new("a", PRIVATE)
    assert read_key(store.path("a")).name == "a"
    with pytest.raises(NotFound, match="no key file"):
        read_key(tmp_path / "none.json")


def test_a_folder_that_cannot_be_written(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        KeyStore(blocker / "keys").new("a")


def test_a_folder_that_is_not_there_has_no_names(store):
    assert store.names() == []
    assert not store.exists("a")
