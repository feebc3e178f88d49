"""Reverts as sentences; and that every custom error has a test which provokes it."""

import re
from pathlib import Path

import pytest
from eth_abi.abi import encode

from adapters.solidity.administration import Caps, open_lane
from adapters.solidity.compile import CONTRACTS
from adapters.solidity.contracts import contract, gateway_creation
from adapters.solidity.refusals import DEPLOYED as REFUSING
from adapters.solidity.refusals import decode_refusal, explain
from schemas.suites import keccak256

HERE = Path(__file__).parent


def error_data(signature, *values):
    types = signature[signature.index("(") + 1 : -1]
    return keccak256(signature.encode())[:4] + encode(types.split(",") if types else [], values)


def test_a_custom_error_becomes_a_sentence_with_its_arguments_and_advice():
    data = error_data("SenderNotAllowed(bytes32,address)", b"\x01" * 32, "0x" + "22" * 20)
    refusal = decode_refusal(data)
    assert refusal.name == "SenderNotAllowed"
    assert refusal.arguments == {"laneId": b"\x01" * 32, "sender": "0x" + "22" * 20}
    assert explain(data) == (
        f"SenderNotAllowed(laneId=0x{'01' * 32}, sender=0x{'22' * 20}): "
        "The sender is not on the lane's list; ask the officers to allow it."
    )


def test_an_error_without_arguments():
    assert explain(error_data("GatewayPaused()")).startswith("GatewayPaused(): The gateway is paused;")


def test_what_a_called_program_says_and_what_the_language_says():
    assert explain(error_data("Error(string)", "no")).startswith("Error(text=no): ")
    assert explain(error_data("Panic(uint256)", 17)).startswith("Panic(code=17): ")


def test_data_that_nobody_knows_is_shown_and_none_is_said_to_be_none():
    assert "0x01020304" in explain(b"\x01\x02\x03\x04")
    assert "without a reason" in explain(b"")
    assert decode_refusal(b"") is None
    assert decode_refusal(error_data("SenderNotAllowed(bytes32,address)", bytes(32), "0x" + "22" * 20)[:-1]) is None


def test_every_custom_error_has_a_test_that_provokes_it():
    written = "".join(path.read_text() for path in sorted(HERE.glob("test_*.py")) if path != Path(__file__))
    provoked = set(re.findall(r'refuses\(\s*"(\w+)"', written)) | set(re.findall(r'"([A-Z]\w+)"', written))
    declared = {error.name for name in REFUSING for error, _ in contract(name).errors.values()}
    assert declared - provoked == set()


def test_errors_that_are_declared_are_used():
    source = (CONTRACTS / "Errors.sol").read_text()
    declared = set(re.findall(r"^error (\w+)\(", source, re.MULTILINE))
    compiled = {error.name for name in REFUSING for error, _ in contract(name).errors.values()}
    assert declared == compiled


def test_contracts_and_functions_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match="no compiled contract Nothing"):
        contract("Nothing")
    with pytest.raises(ValueError, match="Gateway has no function fly"):
        contract("Gateway").encode("fly")


def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="do not fit"):
        contract("Gateway").encode("approve", -1)
    with pytest.raises(ValueError, match="do not fit"):
        gateway_creation(chain_word=bytes(31) + b"\x01" * 2, officers=[], guardian=bytes(20), delay_s=0)
    with pytest.raises(ValueError, match="do not fit"):
        contract("IGatewayActions").encode("setCaps", bytes(32))


def test_an_answer_of_another_contract_is_refused():
    with pytest.raises(ValueError, match="answered something else"):
        contract("Gateway").decode("heads", b"\x01")


def test_caps_stand_in_the_order_of_the_struct():
    (setter,) = (item for item in contract("IGatewayActions").abi if item.get("name") == "setCaps")
    names = [component["name"] for component in setter["inputs"][1]["components"]]
    assert names == ["maxPayload", "maxGas", "maxCallbackGas", "receiverLength", "windowSeconds", "windowLimit"]
    assert list(Caps.__slots__) == [
        "max_payload",
        "max_gas",
        "max_callback_gas",
        "receiver_length",
        "window_s",
        "window_limit",
    ]
    assert open_lane.__doc__
