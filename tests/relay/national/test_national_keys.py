"""SM2 keys of operators: in files, in the operator's configuration, in the register, and as accounts of committees."""

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from adapters.protocol import MachineTraits
from light_clients.crypto import sm2
from relay.config import HubConfig
from relay.errors import BadInput, Duplicate, NotNow
from relay.home import Home
from relay.keys import SM2, KeyStore, read_key
from relay.operator.configuration import load_config
from relay.operator.signer import FileSigner
from relay.registry.hub import prepare
from relay.registry.operators import (
    DEVELOPMENT_OPERATORS,
    accounts_on,
    add_operator,
    all_operators,
    development_operators,
    keys_of,
)
from relay.signers import accounts_of, scheme_of
from relay.store.tables import operators
from schemas.suites import keccak256, sm3

PRIVATE = b"\x07" * 32
PUBLIC = sm2.public_key_of(PRIVATE)
SIGNER = b"\x21" * 20

EVM_TRAITS = MachineTraits()
FISCO = MachineTraits(signatures="fisco-sm2", suite="sm", time_divisor=1000, ordered=False)
CHAINMAKER = MachineTraits(signatures="chainmaker-sm2", suite="sm", hashing="solidity", named=True, ordered=False)
CHAINCODE = MachineTraits(signatures="chaincode", suite="any", hashing="chaincode")


@pytest.fixture
def hub(tmp_path):
    home = Home(tmp_path / "hub")
    config = HubConfig(name="hub", development=True)
    home.save(config)
    store = prepare(home, config)
    yield SimpleNamespace(home=home, config=config, store=store)
    store.close()


def test_a_key_of_kind_sm2_is_kept_like_any_other_and_read_again(tmp_path):
    key = KeyStore(tmp_path).new("second", PRIVATE, kind=SM2)
    file = tmp_path / "second.json"
    assert json.loads(file.read_text())["kind"] == "sm2"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (key.public_key, key.address, key.kind) == (PUBLIC, keccak256(PUBLIC)[12:], SM2)
    assert read_key(file) == key
    assert PRIVATE.hex() not in repr(key)


def test_a_key_whose_file_says_another_kind_is_damaged(tmp_path):
    KeyStore(tmp_path).new("second", PRIVATE, kind=SM2)
    file = tmp_path / "second.json"
    file.write_text(file.read_text().replace("sm2", "secp256k1"))
    with pytest.raises(BadInput, match="damaged"):
        read_key(file)


def test_a_number_above_the_order_is_no_sm2_key(tmp_path):
    with pytest.raises(BadInput, match="no sm2 key"):
        KeyStore(tmp_path).new("second", b"\xff" * 32, kind=SM2)


def test_a_signer_signs_by_each_scheme_with_its_key(tmp_path):
    keys = KeyStore(tmp_path)
    first = keys.new("first")
    keys.new("second", PRIVATE, kind=SM2)
    signer = FileSigner.load(tmp_path / "first.json", tmp_path / "second.json")
    digest = keccak256(b"digest")
    assert sm2.verify(PUBLIC, digest, signer.sign(digest, SM2))
    assert len(signer.sign(digest)) == 65
    assert (signer.address, signer.schemes()) == (first.address, {"secp256k1", "sm2"})
    alone = FileSigner.load(tmp_path / "first.json")
    assert alone.schemes() == {"secp256k1"}
    with pytest.raises(BadInput, match="no sm2 key"):
        alone.sign(digest, SM2)


def test_a_signer_refuses_a_key_in_the_place_of_the_other_kind(tmp_path):
    keys = KeyStore(tmp_path)
    keys.new("first")
    keys.new("second", PRIVATE, kind=SM2)
    with pytest.raises(BadInput, match="kind sm2"):
        FileSigner.load(tmp_path / "second.json")
    with pytest.raises(BadInput, match="kind secp256k1"):
        FileSigner.load(tmp_path / "first.json", tmp_path / "first.json")


def test_the_file_of_the_sm2_key_is_named_beside_the_configuration(tmp_path):
    file = tmp_path / "operator.toml"
    said = 'name = "a"\norganisation = "a"\nhub_url = "http://127.0.0.1:1"\nkey_file = "a.json"\ndatabase = "a.db"\n'
    file.write_text(said)
    assert load_config(file).sm2_key_file is None
    file.write_text(said + 'sm2_key_file = "b.json"\n')
    assert load_config(file).sm2_key_file == tmp_path / "b.json"


def test_development_operators_get_sm2_keys_also_where_the_hub_is_of_before(hub):
    rows = all_operators(hub.store)
    assert [row.name for row in rows] == list(DEVELOPMENT_OPERATORS)
    key = KeyStore(hub.home.operators / "org-1").load("signer-sm2")
    assert bytes(rows[0].sm2_key) == key.public_key
    config = load_config(hub.home.operators / "org-1" / "operator.toml")
    assert config.sm2_key_file == hub.home.operators / "org-1" / "signer-sm2.json"
    with hub.store.write() as connection:
        connection.execute(update(operators).values(sm2_key=None))
    development_operators(hub.home, hub.config, hub.store)
    assert bytes(all_operators(hub.store)[0].sm2_key) == key.public_key


def test_an_sm2_key_is_registered_with_an_operator_or_after_it(hub):
    add_operator(hub.store, "bank", SIGNER, "house")
    add_operator(hub.store, "bank", SIGNER, "house", b"\x04" + PUBLIC)
    assert [bytes(row.sm2_key) for row in all_operators(hub.store) if row.name == "bank"] == [PUBLIC]
    with pytest.raises(Duplicate, match="that of bank"):
        add_operator(hub.store, "court", b"\x22" * 20, "house", PUBLIC)
    with pytest.raises(Duplicate, match="named bank"):
        add_operator(hub.store, "bank", SIGNER, "house", sm2.public_key_of(b"\x08" * 32))
    with pytest.raises(BadInput, match="no public key"):
        add_operator(hub.store, "land", b"\x23" * 20, "house", b"\x01" * 64)


def test_the_sm2_key_of_somebody_else_is_not_added_to_an_operator(hub):
    add_operator(hub.store, "bank", SIGNER, "house")
    with pytest.raises(Duplicate):
        add_operator(hub.store, "bank", b"\x22" * 20, "house", PUBLIC)
    with pytest.raises(Duplicate):
        add_operator(hub.store, "bank", SIGNER, "another house", PUBLIC)


def test_committees_know_an_operator_by_the_account_of_the_machines_own_hash(hub):
    add_operator(hub.store, "bank", SIGNER, "house", PUBLIC)
    with hub.store.read() as connection:
        rows = connection.execute(select(operators).where(operators.c.name == "bank")).all()
    assert [scheme_of(traits) for traits in (EVM_TRAITS, FISCO, CHAINMAKER, CHAINCODE)] == [
        "secp256k1",
        "sm2",
        "sm2",
        "secp256k1",
    ]
    assert accounts_on(rows, EVM_TRAITS) == accounts_on(rows, CHAINCODE) == [SIGNER]
    assert accounts_on(rows, FISCO) == [sm3(PUBLIC)[12:]]
    assert accounts_on(rows, CHAINMAKER) == [keccak256(PUBLIC)[12:]]
    assert accounts_of(rows[0]) == {SIGNER: "secp256k1", sm3(PUBLIC)[12:]: "sm2", keccak256(PUBLIC)[12:]: "sm2"}
    assert keys_of(rows, FISCO) == keys_of(rows, CHAINMAKER) == [PUBLIC]
    assert keys_of(rows, EVM_TRAITS) == keys_of(rows, CHAINCODE) == []


def test_an_operator_without_an_sm2_key_is_named_before_a_committee_is_made(hub):
    add_operator(hub.store, "bank", SIGNER, "house")
    rows = [row for row in all_operators(hub.store) if row.name == "bank"]
    for traits in (FISCO, CHAINMAKER):
        with pytest.raises(NotNow, match="SM2 key of bank") as refusal:
            accounts_on(rows, traits)
        assert "--sm2-key" in str(refusal.value)
