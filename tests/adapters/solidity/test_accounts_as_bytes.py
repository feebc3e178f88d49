"""The interface of a chaincode: every `address` of the ABI is `bytes`, and selectors follow the changed signatures."""

import pytest

from adapters.solidity import administration
from adapters.solidity.contracts import contract
from schemas.suites import keccak256

ACCOUNT = bytes(range(33))


def selector(signature):
    return keccak256(signature.encode())[:4]


def test_functions_with_accounts_have_other_selectors():
    theirs = contract("IGatewayActions", "bytes")
    assert theirs.functions["allowSender"].selector == selector("allowSender(bytes32,bytes,uint16)")
    assert theirs.functions["unpause"].selector == selector("unpause()")
    committee = contract("ICommitteeActions", "bytes").functions["addEpoch"]
    assert committee.inputs == ("uint64", "bytes[]", "bytes32[]", "uint8", "uint64", "bytes[]")


def test_structs_and_outputs_are_changed_too():
    gateway = contract("Gateway", "bytes")
    assert "address" not in str(gateway.abi)
    opening = "(uint8,string,string,bytes32,bytes,bytes32,bytes,string,bytes,bytes32)"
    assert gateway.functions["laneIdOf"].selector == selector(f"laneIdOf({opening})")
    assert gateway.functions["officers"].outputs == ("bytes[]",)


def test_errors_keep_their_advice():
    ours, theirs = contract("Gateway"), contract("Gateway", "bytes")
    by_name = {error.name: (error.selector, advice) for error, advice in theirs.errors.values()}
    assert by_name["NotOfficer"] == (selector("NotOfficer(bytes)"), ours.errors[selector("NotOfficer(address)")][1])
    assert {advice for _, advice in theirs.errors.values()} == {advice for _, advice in ours.errors.values()}


def test_what_has_no_account_stays_as_it_is():
    ours, theirs = contract("Gateway").functions, contract("Gateway", "bytes").functions
    assert ours["deliver"].selector == theirs["deliver"].selector
    assert ours["send"] == theirs["send"]


def test_officers_calls_take_accounts_of_any_length():
    data = administration.replace_officer(ACCOUNT, ACCOUNT[::-1], accounts="bytes")
    assert data[:4] == selector("replaceOfficer(bytes,bytes)")
    assert ACCOUNT in data
    assert administration.pause(accounts="bytes") == administration.pause()
    with pytest.raises(ValueError, match="address"):
        administration.replace_officer(ACCOUNT, ACCOUNT)


def test_there_is_no_third_way():
    with pytest.raises(ValueError, match="address or bytes"):
        contract("Gateway", "string")
