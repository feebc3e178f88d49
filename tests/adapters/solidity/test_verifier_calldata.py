"""Calls and proof bytes of the verifiers, by hand, against eth_abi; creation code; what the forms of a header are."""

from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from adapters.solidity import verifiers
from adapters.solidity.calldata import selector
from adapters.solidity.contracts import contract
from adapters.solidity.verifiers import ClientConfiguration, ClientDialect, both_proof, qbft_proof
from schemas.suites import keccak256
from tests.support import qbft_chain as chain
from tests.support.evm_world import GUARDIAN, OFFICERS

SPEC = chain.next_spec(chain.first_spec(), round=3)
STRINGS = st.lists(st.binary(max_size=70), max_size=5)


@given(st.binary(max_size=700), STRINGS, STRINGS, STRINGS)
def test_a_light_clients_proof_is_canonical(header, seals, account, storage):
    types = ["bytes", "bytes[]", "bytes[]", "bytes[]"]
    assert qbft_proof((header, seals), account, storage) == encode(types, [header, seals, account, storage])


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_both_proofs_are_canonical(committee, light_client):
    assert both_proof(committee, light_client) == encode(["bytes", "bytes"], [committee, light_client])


def test_calls_are_named_and_encoded_as_the_interface_says():
    first, second = (b"first", [b"a", b"b"]), (b"second", [])
    assert verifiers.encode_update(first) == selector("update(bytes,bytes[])") + encode(
        ["bytes", "bytes[]"], [b"first", [b"a", b"b"]]
    )
    assert verifiers.encode_follow_run([first, second], fresh=True) == selector(
        "followRun(bool,(bytes,bytes[])[])"
    ) + encode(["bool", "(bytes,bytes[])[]"], [True, [first, second]])
    assert verifiers.encode_freeze(first, second) == selector("freeze(bytes,bytes[],bytes,bytes[])") + encode(
        ["bytes", "bytes[]", "bytes", "bytes[]"], [b"first", [b"a", b"b"], b"second", []]
    )
    assert verifiers.set_validators(b"header", bytes(32)) == selector("setValidators(bytes,bytes32)") + encode(
        ["bytes", "bytes32"], [b"header", bytes(32)]
    )


def test_creation_code_ends_in_the_constructors_arguments():
    configuration = ClientConfiguration(keccak256(b"peer"), ClientDialect.GOQUORUM, 1_000, 86_400, 9)
    made = verifiers.qbft_creation(
        chain_word=keccak256(b"ours"),
        officers=OFFICERS,
        guardian=GUARDIAN,
        delay_s=7,
        configuration=configuration,
        header=b"header",
        pinned_hash=keccak256(b"pin"),
        development=True,
        time_divisor=1000,
    )
    code = contract("QbftVerifier").creation
    assert made.startswith(code)
    types = [
        "bytes32", "address[]", "address", "uint64", "uint64", "bool",
        "(bytes32,uint8,uint64,uint64,uint64)", "bytes", "bytes32",
    ]  # fmt: skip
    assert decode(types, made[len(code) :]) == (
        keccak256(b"ours"),
        tuple("0x" + officer.hex() for officer in OFFICERS),
        "0x" + GUARDIAN.hex(),
        7,
        1000,
        True,
        (keccak256(b"peer"), 1, 1_000, 86_400, 9),
        b"header",
        keccak256(b"pin"),
    )
    both = verifiers.both_creation(committee=OFFICERS[0], light_client=OFFICERS[1])
    assert both == contract("BothVerifier").creation + encode(
        ["address", "address"], ["0x" + account.hex() for account in OFFICERS[:2]]
    )


def test_the_configurations_fields_stand_in_the_order_of_the_struct():
    (view,) = (item for item in contract("QbftVerifier").abi if item.get("name") == "configuration")
    names = [component["name"] for component in view["outputs"][0]["components"]]
    assert names == ["peerChainWord", "dialect", "epochLength", "trustingPeriod", "maximumDrift"]
    assert list(ClientConfiguration.__slots__) == [
        "peer_chain_word",
        "dialect",
        "epoch_length",
        "trusting_period_s",
        "maximum_drift_s",
    ]


def test_the_hash_of_a_set_is_over_words():
    listed = chain.addresses(SPEC.validators)
    assert verifiers.validators_hash(listed) == keccak256(
        encode(["address"] * 4, ["0x" + member.hex() for member in listed])
    )
