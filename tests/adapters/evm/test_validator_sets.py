"""Headers with the proof of their child's validators, against a node that a test writes."""

import pytest

from adapters.ethereum.headers import header_rlp
from adapters.evm.adapter import EvmLedger
from adapters.evm.validator_sets import MAXIMUM_MEMBERS, ContractSpan, read_spans
from adapters.protocol import AdapterOptions, BadAnswer, Endpoint, Misconfigured, Rejected
from light_clients.bft.bundle import SetProof, unbundle
from tests.support import bft_chain as family
from tests.support.fake_rpc import FakeTransport, RpcFault
from tests.support.shared_vectors import shared_json

BLOCKS = {int(entry["json"]["number"], 16): entry["json"] for entry in shared_json("goquorum_qbft/headers_steady.json")}
FIRST = min(BLOCKS)
STATE = family.ValidatorState("cadb")
ADDRESS = "0x" + family.CONTRACT.hex()


def proof_of(params):
    """What a node answers to eth_getProof: the words and paths that were asked for."""
    address, slots, _ = params
    assert address == ADDRESS
    held = {"0x" + slot.hex(): slot for slot in STATE.slots}
    return {
        "accountProof": ["0x" + node.hex() for node in STATE.storage.account_proof()],
        "storageProof": [
            {
                "key": slot,
                "value": "0x4" if held[slot] == STATE.slots[0] else "0x1",
                "proof": ["0x" + node.hex() for node in STATE.storage.storage_proof(held[slot])],
            }
            for slot in slots
        ],
    }


def node(spans, proof=proof_of):
    def answer(method, params):
        if method == "eth_getBlockByNumber":
            return BLOCKS[int(params[0], 16)]
        return proof(params) if callable(proof) else proof

    options = AdapterOptions((Endpoint("http://node"),), extra={"validator_contracts": spans} if spans else {})
    return EvmLedger(options, transport=FakeTransport(answer))


def heights_asked(ledger):
    return [
        (int(params[2], 16), len(params[1])) for name, params in ledger.rpc._transport.calls if name == "eth_getProof"
    ]


def test_each_header_that_needs_it_comes_with_its_proof():
    ledger = node(f"{ADDRESS}:{family.SLOT}:{FIRST + 1}:{FIRST + 2}")
    headers = ledger.headers(FIRST, FIRST + 3)
    plain = [header_rlp(BLOCKS[FIRST + index]) for index in range(4)]
    assert [unbundle(header)[0] for header in headers] == plain
    assert [unbundle(header)[1] for header in headers] == [None, STATE.proof(), STATE.proof(), None]
    assert heights_asked(ledger) == [(FIRST + 1, 1), (FIRST + 2, 1), (FIRST + 1, 5), (FIRST + 2, 5)]


def test_without_the_option_headers_come_alone():
    ledger = node("")
    assert ledger.headers(FIRST, FIRST) == [header_rlp(BLOCKS[FIRST])]
    assert heights_asked(ledger) == []


def test_before_the_contract_nothing_is_asked():
    ledger = node(f"{ADDRESS}:0:{FIRST + 9}")
    assert ledger.headers(FIRST, FIRST + 1) == [header_rlp(BLOCKS[FIRST]), header_rlp(BLOCKS[FIRST + 1])]
    assert heights_asked(ledger) == []


def test_a_length_that_no_client_keeps_is_not_followed():
    def huge(params):
        return {
            "accountProof": [],
            "storageProof": [{"key": slot, "value": "0xffffff", "proof": []} for slot in params[1]],
        }

    ledger = node(f"{ADDRESS}:0:0", huge)
    _, proof = unbundle(ledger.headers(FIRST, FIRST)[0])
    assert proof == SetProof((), ((),) * (MAXIMUM_MEMBERS + 1))


BAD = {
    "pruned": (Rejected, "missing trie node", RpcFault("missing trie node", -32000)),
    "no such block": (Rejected, "does not have the state", None),
    "no object": (BadAnswer, "the proof is no JSON object", 7),
    "no length": (BadAnswer, "of other slots", {"accountProof": [], "storageProof": []}),
    "no number": (
        BadAnswer,
        "no quantity",
        {"accountProof": [], "storageProof": [{"key": "0x0", "value": "many", "proof": []}]},
    ),
    "no nodes": (
        BadAnswer,
        "accountProof is no list",
        {"accountProof": 7, "storageProof": [{"key": "0x0", "value": "0x0", "proof": []}]},
    ),
    "no path": (
        BadAnswer,
        "storage proof is no list",
        {"accountProof": [], "storageProof": [{"key": "0x0", "value": "0x0", "proof": None}]},
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_answers_of_another_form(name):
    error, match, answer = BAD[name]
    with pytest.raises(error, match=match):
        node(f"{ADDRESS}:0:0", answer).headers(FIRST, FIRST)


def test_the_option_as_text():
    spans = read_spans(f"{ADDRESS}:7:5:9,{ADDRESS}:0:12")
    assert spans == (
        ContractSpan(family.CONTRACT, 7, 5, 9),
        ContractSpan(family.CONTRACT, 0, 12, 2**63),
    )
    assert read_spans("") == ()


@pytest.mark.parametrize(
    "text", ["7", "0x77:0:0", f"{ADDRESS}:0", f"{ADDRESS}:0:x", f"{ADDRESS}:{2**256}:0", f"{ADDRESS}:0:1:2:3"]
)
def test_the_option_of_another_form(text):
    with pytest.raises(Misconfigured, match="ADDRESS:SLOT:FIRST"):
        node(text)
