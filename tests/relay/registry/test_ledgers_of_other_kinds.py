"""What registration says and reads where a ledger is no EVM: names, accounts, options, keys, a chaincode's configuration."""

import hashlib
from types import SimpleNamespace

import pytest
from eth_abi.abi import decode

from adapters.protocol import MachineTraits
from adapters.solidity.contracts import organisation_word
from relay.errors import BadInput, NotNow
from relay.registry.chaincode import SIGNATURE, Configuration, application_account, configuration_call
from relay.registry.gateways import Committee, Officers, account_value, label_of
from relay.registry.operators import account_named, keys_of
from relay.registry.registration import options_of
from schemas.primitives import ChainWord
from schemas.suites import keccak256

ACCOUNT = "0x" + "1f" * 20


def test_options_of_an_adapter_are_names_and_values():
    assert options_of(["line=3", "network=/a/b=c.json", "empty="]) == {
        "line": "3",
        "network": "/a/b=c.json",
        "empty": "",
    }


@pytest.mark.parametrize("items", [["line"], ["=3"], ["line=2", "line=3"]])
def test_options_that_say_nothing_or_twice_are_refused(items):
    with pytest.raises(BadInput, match="is no option, or stands twice"):
        options_of(items)


@pytest.mark.parametrize(
    ("text", "account"),
    [
        (ACCOUNT, b"\x1f" * 20),
        ("0x" + "00" * 33, bytes(33)),
        ("gateway", b"gateway"),
        ("relayhub_gateway_1a", b"relayhub_gateway_1a"),
    ],
)
def test_an_account_is_hexadecimal_or_a_name(text, account):
    assert account_named(text) == account


@pytest.mark.parametrize("text", ["0x12", "0x", "0x" + "11" * 65, "0xzz", "", "名" * 30])
def test_what_is_no_account_is_refused(text):
    with pytest.raises(BadInput):
        account_named(text)


def test_a_program_is_shown_by_its_name_where_it_has_one():
    assert label_of(b"relayhub_gateway_1a") == "relayhub_gateway_1a"
    assert label_of(b"\x1f" * 20) == ACCOUNT
    assert label_of(b"abcdefghijklmnopqrst") == "0x" + b"abcdefghijklmnopqrst".hex(), "20 bytes are an address"
    assert label_of(b"\x01" + bytes(32)) == "0x01" + "00" * 32


def test_an_account_in_an_answer_is_text_or_bytes():
    assert account_value(ACCOUNT) == account_value(b"\x1f" * 20) == b"\x1f" * 20


def test_a_machine_that_recovers_nobody_needs_public_keys():
    rows = [SimpleNamespace(name="org-1", public_key=b"\x01" * 64), SimpleNamespace(name="org-2", public_key=None)]
    assert keys_of(rows[:1], MachineTraits(signatures="secp256k1")) == [b"\x01" * 64]
    with pytest.raises(NotNow, match="public key of org-2 is not known"):
        keys_of(rows, MachineTraits(signatures="secp256k1"))


def test_an_application_of_the_chaincode_has_an_account():
    assert application_account("mailbox") == b"\x01" + hashlib.sha256(b"mailbox").digest()


def test_a_chaincode_is_told_what_a_constructor_would_be():
    members = [SimpleNamespace(signer=bytes([number]) * 20, organisation=f"org-{number}") for number in (1, 2, 3)]
    said = Configuration(
        ChainWord(b"\x09" * 32),
        Officers((b"\x00" * 32 + b"a", b"\x00" * 32 + b"b", b"\x00" * 32 + b"c"), b"\x00" * 32 + b"g", 5),
        Committee(members, 2, development=True),
        60,
    )
    data = configuration_call(b"gateway", said)
    assert data[:4] == keccak256(SIGNATURE.encode())[:4]
    told = decode(SIGNATURE[SIGNATURE.index("(") + 1 : -1].split(","), data[4:])
    assert told[:3] == (b"\x09" * 32, said.officers.addresses, said.officers.guardian)
    assert told[3:8] == (5, 60, "gateway", "secp256k1", True)
    assert told[8:] == (
        tuple(row.signer for row in members),
        tuple(organisation_word(row.organisation) for row in members),
        2,
    )
