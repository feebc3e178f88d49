"""The cosmos adapter on a recorded block of a real evmd, and against answers that a test writes."""

import base64
import copy
import json
import random

import pytest

from adapters.cosmos import ADAPTER
from adapters.cosmos.adapter import CosmosLedger
from adapters.cosmos.options import CONSENSUS_PORT, CosmosOptions
from adapters.ethereum.paired import read_pair
from adapters.protocol import (
    AdapterError,
    AdapterOptions,
    BadAnswer,
    Endpoint,
    MachineTraits,
    Misconfigured,
    Rejected,
    Unreachable,
)
from adapters.solidity.storage import head_slot
from light_clients import cometbft
from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.types import CometbftConfiguration, CometbftEvidence
from light_clients.proofs.ics23 import IAVL, TENDERMINT, prove_value
from schemas.primitives import LaneId
from tests.support.fake_rpc import FakeTransport, RpcFault
from tests.support.shared_vectors import shared_json

SAMPLE = shared_json("evmd/sample.json")
COMMITS = {int(item["signed_header"]["header"]["height"]): item for item in SAMPLE["commits"]}
FIRST, LAST = min(COMMITS), max(COMMITS)
CONTRACT = bytes.fromhex(SAMPLE["receipt"]["contractAddress"][2:])
BLOCK = SAMPLE["eth_block"]
HEIGHT = int(BLOCK["number"], 16)
STATUS = {
    "node_info": {"network": "9001", "version": "0.38.17"},
    "sync_info": {"latest_block_height": str(LAST)},
}


class Internal(RpcFault):
    """CometBFT's refusals: the reason stands beside the message."""

    def __init__(self, reason):
        super().__init__("Internal error", -32603, reason)


def commit(params):
    height = int(params[0])
    return COMMITS.get(height) or Internal(
        f"height {height} must be less than or equal to the current blockchain height"
    )


def query(params):
    path, key, height, prove = params
    assert (path, prove) == ("/store/evm/key", True)
    for name in ("abci_evm_slot0", "abci_evm_slot_absent"):
        response = SAMPLE[name]["response"]
        if base64.b64decode(response["key"]).hex() == key and response["height"] == height:
            return SAMPLE[name]
    code = copy.deepcopy(SAMPLE["abci_evm_slot0"])
    code["response"] |= {"key": base64.b64encode(bytes.fromhex(key)).decode(), "height": height}
    return code


def validators(params):
    return SAMPLE["validators"] | {"block_height": params[0]}


CONSENSUS = {
    "status": STATUS,
    "commit": commit,
    "validators": validators,
    "abci_query": query,
    "genesis": Internal("genesis response is large, please use the genesis_chunked API instead"),
}
EVM = {
    "eth_chainId": "0x40000",
    "eth_getBlockByNumber": BLOCK,
    "web3_clientVersion": "Version dev ()\nCompiled at  using Go go1.26.8 (amd64)",
    "eth_blockNumber": hex(LAST),
    "eth_gasPrice": "0x5",
    "eth_maxPriorityFeePerGas": "0x0",
}


def node(*, first_block=b"\x07" * 32, extra=None, evm=None, consensus=None):
    """A ledger whose node answers by method what is written above, or what a test gives."""

    def transport(script):
        def answer(method, params):
            result = script[method]
            return result(params) if callable(result) else result

        return FakeTransport(answer)

    options = AdapterOptions((Endpoint("http://node#26657"),), expected_first_block=first_block, extra=extra or {})
    return CosmosLedger(
        options, transport=transport(EVM | (evm or {})), consensus_transport=transport(CONSENSUS | (consensus or {}))
    )


def asked(ledger, method):
    return [params for name, params in ledger.consensus.rpc._transport.calls if name == method]


class TestEndpoint:
    @pytest.mark.parametrize(
        ("url", "evm", "consensus"),
        [
            ("http://node:8545", "http://node:8545", "http://node:26657"),
            ("http://node:8545#31000", "http://node:8545", "http://node:31000"),
            ("https://a/evm#https://b:443/rpc", "https://a/evm", "https://b:443/rpc"),
            ("http://me:secret@[::1]:8545#7", "http://me:secret@[::1]:8545", "http://me:secret@[::1]:7"),
        ],
    )
    def test_one_endpoint_is_both_interfaces_of_a_node(self, url, evm, consensus):
        assert read_pair(url, CONSENSUS_PORT) == (evm, consensus)

    @pytest.mark.parametrize(
        "url", ["node:8545", "", "/ipc", "http://node#x", "http://node#0", "http://node#65536", "http://:1"]
    )
    def test_what_is_no_such_endpoint_is_refused(self, url):
        with pytest.raises(Misconfigured):
            read_pair(url, CONSENSUS_PORT)

    def test_no_credentials_stand_in_the_endpoints_name(self):
        ledger = ADAPTER.open(AdapterOptions((Endpoint("http://me:secret@node:8545#http://you:hidden@node:1"),)))
        assert ledger.endpoint == "http://node:8545"
        assert ledger.consensus.rpc.label == "http://node:1"

    def test_a_ledger_needs_an_endpoint(self):
        with pytest.raises(Misconfigured, match="needs an endpoint"):
            ADAPTER.open(AdapterOptions(()))


class TestOptions:
    @pytest.mark.parametrize(
        "extra",
        [{"batch": "0"}, {"store": "a/b"}, {"nix": "1"}, {"fee_floor": "5", "fee_ceiling": "4"}, {"log_range": "x"}],
    )
    def test_what_cannot_be_is_named(self, extra):
        with pytest.raises(Misconfigured, match="of the cosmos adapter"):
            CosmosOptions.read(extra)

    def test_text_is_read(self):
        assert CosmosOptions.read({"batch": "3", "initial_height": "77"}).initial_height == 77


class TestIdentity:
    def test_it_is_the_cosmos_chain_and_the_stated_first_block_where_none_is_served(self):
        identity = node().identity()
        assert identity.chain_id == "cosmos:9001"
        assert identity.first_block == b"\x07" * 32
        assert identity.software == "CometBFT 0.38.17, EVM 262144, Version dev ()"
        assert not identity.development

    def test_a_name_that_caip_2_cannot_hold_is_hashed(self):
        name = STATUS | {"node_info": {"network": "a.chain", "version": "1"}}
        assert node(consensus={"status": name}).identity().chain_id.startswith("cosmos:hashed-")

    @pytest.mark.parametrize("way", ["option", "genesis", "block 1"])
    def test_the_first_block_is_that_of_the_initial_height(self, way):
        extra, consensus = {}, {}
        if way == "option":
            extra = {"initial_height": str(FIRST)}
        elif way == "genesis":
            consensus["genesis"] = {"genesis": {"initial_height": str(FIRST)}}
        else:
            header = COMMITS[FIRST]["signed_header"]["header"] | {"height": "1"}
            first = {"signed_header": COMMITS[FIRST]["signed_header"] | {"header": header}}
            consensus["commit"] = lambda params: first if params[0] == "1" else commit(params)
        found = node(first_block=b"", extra=extra, consensus=consensus).identity().first_block
        if way == "block 1":
            assert found not in (b"", b"\x07" * 32)
        else:
            assert found.hex().upper() == COMMITS[FIRST]["signed_header"]["commit"]["block_id"]["hash"]

    def test_a_first_block_that_nobody_serves_must_be_stated(self):
        with pytest.raises(Misconfigured, match="initial_height"):
            node(first_block=b"").identity()

    def test_two_ledgers_are_no_endpoint(self):
        with pytest.raises(Misconfigured, match="different ledgers"):
            node(evm={"eth_getBlockByNumber": BLOCK | {"hash": "0x" + "11" * 32}}).identity()

    def test_a_consensus_interface_that_is_behind_is_asked_later(self):
        with pytest.raises(Unreachable, match="has not reached"):
            node(evm={"eth_getBlockByNumber": BLOCK | {"number": hex(LAST + 1)}}).identity()

    def test_what_is_no_cometbft_is_said_to_be_none(self):
        with pytest.raises(Misconfigured, match="no CometBFT RPC"):
            node(consensus={"status": RpcFault("the method does not exist", -32601)}).identity()
        with pytest.raises(Misconfigured, match="no Ethereum JSON-RPC"):
            node(evm={"eth_chainId": RpcFault("the method does not exist", -32601)}).identity()


class TestHeaders:
    def test_the_light_client_follows_them(self):
        headers = node().headers(FIRST, LAST)
        pinned = read_bundle(headers[0]).header
        state = cometbft.bootstrap(headers[0], pinned.block_hash, CometbftConfiguration())
        for header in headers[1:]:
            state = cometbft.apply(state, cometbft.verify_header(state, header, state.timestamp + 60))
        assert state.height == LAST

    def test_questions_come_in_requests_that_the_node_takes_and_a_set_is_asked_once(self):
        ledger = node(extra={"batch": "2"})
        ledger.headers(FIRST, LAST)
        ledger.headers(FIRST, LAST)
        assert len(asked(ledger, "commit")) == 2 * len(COMMITS)
        assert asked(ledger, "validators") == [[str(FIRST), "1", "100"]]

    def test_validators_that_do_not_fit_are_not_remembered(self):
        wrong = copy.deepcopy(SAMPLE["validators"])
        wrong["validators"][0]["voting_power"] = "7"
        ledger = node(consensus={"validators": wrong})
        (header,) = ledger.headers(FIRST, FIRST)
        parsed = read_bundle(header)
        assert parsed.validators.set_hash != parsed.header.validators_hash
        ledger.headers(FIRST, FIRST)
        assert len(asked(ledger, "validators")) == 2

    def test_a_vote_that_cannot_be_read_is_absent(self):
        def with_a_bad_vote(params):
            found = copy.deepcopy(commit(params))
            votes = found["signed_header"]["commit"]["signatures"]
            votes.append(votes[0] | {"block_id_flag": 3, "timestamp": "0000-00-00T00:00:00Z"})
            return found

        (header,) = node(consensus={"commit": with_a_bad_vote}).headers(FIRST, FIRST)
        flags = [vote.flag for vote in read_bundle(header).commit.votes]
        assert flags == [2, 1]

    def test_pages_of_validators_are_put_together(self):
        members = [
            {"address": "00", "pub_key": {"type": "tendermint/PubKeyEd25519", "value": ""}, "voting_power": "1"}
        ] * 150

        def paged(params):
            start = (int(params[1]) - 1) * 100
            return {"validators": members[start : start + 100], "total": "150"}

        ledger = node(consensus={"validators": paged})
        assert len(ledger.consensus._ask_set(FIRST)) == 150

    @pytest.mark.parametrize(
        "answer",
        [
            {"validators": [], "total": "1"},
            {"validators": [{}], "total": "99999"},
            {"validators": [{}, {}], "total": "1"},
        ],
    )
    def test_pages_that_do_not_add_up_are_refused(self, answer):
        with pytest.raises(BadAnswer):
            node(consensus={"validators": answer}).headers(FIRST, FIRST)

    def test_a_block_that_is_not_there_and_another_block_are_told_apart(self):
        with pytest.raises(Rejected) as caught:
            node().headers(LAST, LAST + 1)
        assert caught.value.code == "no_state"
        with pytest.raises(BadAnswer, match="where block"):
            node(consensus={"commit": COMMITS[FIRST]}).headers(FIRST, FIRST + 1)

    def test_more_than_a_thousand_are_not_asked_for(self):
        with pytest.raises(Misconfigured, match="at most 1000"):
            node().headers(1, 1001)


class TestEvidence:
    def evidence(self, **changes):
        return node(**changes).evidence(CONTRACT, [(LaneId(b"\x11" * 32), 0), (LaneId(b"\x12" * 32), 1)], HEIGHT + 1)

    def test_it_is_asked_at_the_block_before_for_the_codes_hash_and_each_head(self):
        ledger = node()
        lanes = [(LaneId(b"\x11" * 32), 0), (LaneId(b"\x12" * 32), 1)]
        found = ledger.evidence(CONTRACT, lanes, HEIGHT + 1)
        assert [item.height for item in found] == [HEIGHT + 1] * 2
        assert found[0].header == ledger.headers(HEIGHT + 1, HEIGHT + 1)[0]
        keys = [b"\x04" + CONTRACT, *(b"\x02" + CONTRACT + head_slot(lane, direction) for lane, direction in lanes)]
        assert asked(ledger, "abci_query") == [["/store/evm/key", key.hex(), str(HEIGHT), True] for key in keys]
        assert ledger.evidence(CONTRACT, [], HEIGHT) == []

    def test_recorded_proofs_open_the_next_headers_state(self):
        for name, expected in [("abci_evm_slot0", (0x2A).to_bytes(32, "big")), ("abci_evm_slot_absent", None)]:
            key = base64.b64decode(SAMPLE[name]["response"]["key"])
            ((head, store),) = node().consensus.proofs("evm", [key], HEIGHT)
            proofs = CometbftEvidence.from_bytes(CometbftEvidence(head, store, b"\x00").to_bytes())
            app_hash = read_bundle(node().headers(HEIGHT + 1, HEIGHT + 1)[0]).header.app_hash
            found = prove_value(app_hash, ((IAVL, key), (TENDERMINT, b"evm")), (proofs.head_proof, proofs.store_proof))
            assert found == expected

    @pytest.mark.parametrize(
        ("log", "code"),
        [
            ("proof is unexpectedly empty; ensure height has not been pruned: invalid request", "no_state"),
            ("failed to load state at height 5; version does not exist (latest height: 9)", "no_state"),
            ("no such store: nix: unknown request", "other"),
        ],
    )
    def test_a_refused_proof_says_why(self, log, code):
        with pytest.raises(Rejected) as caught:
            self.evidence(consensus={"abci_query": {"response": {"code": 7, "log": log}}})
        assert caught.value.code == code

    def test_the_first_states_are_proved_by_nobody(self):
        with pytest.raises(Rejected) as caught:
            node().consensus.proofs("evm", [b"k"], 1)
        assert caught.value.code == "no_state"

    @pytest.mark.parametrize("change", [{"key": "AAAA"}, {"height": "5"}, {"proofOps": None}, {"key": "?"}])
    def test_a_proof_of_something_else_is_no_answer(self, change):
        def other(params):
            return {"response": query(params)["response"] | change}

        with pytest.raises(BadAnswer):
            self.evidence(consensus={"abci_query": other})


class TestEvents:
    def test_they_are_those_of_the_blocks_before(self):
        ledger = node(evm={"eth_getLogs": []})
        assert ledger.events(0, 1, CONTRACT) == []
        ledger.events(0, 5, CONTRACT)
        ledger.events(7, 8, CONTRACT)
        spans = [
            (question[0]["fromBlock"], question[0]["toBlock"])
            for method, question in ledger.rpc._transport.calls
            if method == "eth_getLogs"
        ]
        assert spans == [("0x1", "0x4"), ("0x6", "0x7")]

    def test_a_range_beyond_the_evm_is_asked_later(self):
        with pytest.raises(Unreachable):
            node(evm={"eth_getLogs": []}).events(LAST, LAST + 2, CONTRACT)


class TestWriter:
    HASH = bytes.fromhex(SAMPLE["receipt"]["transactionHash"][2:])

    def test_a_recorded_receipt_is_read(self):
        (receipt,) = node(evm={"eth_getTransactionReceipt": SAMPLE["receipt"]}).receipts([self.HASH])
        assert (receipt.success, receipt.height, receipt.gas_used) == (True, HEIGHT, 150_000)
        assert receipt.contract == CONTRACT

    def test_a_receipt_that_is_asked_too_early_is_none(self):
        other = b"\x01" * 32

        def early(params):
            if params[0] == "0x" + other.hex():
                return RpcFault("failed to get block result: could not find results for height #10")
            return SAMPLE["receipt"]

        ledger = node(evm={"eth_getTransactionReceipt": early})
        receipt, missing = ledger.receipts([self.HASH, other])
        assert receipt is not None
        assert missing is None
        assert node(evm={"eth_getTransactionReceipt": RpcFault("GetTxByEthHash 0x: ethereum tx not found")}).receipts(
            [other]
        ) == [None]

    def test_another_refusal_of_a_receipt_is_told(self):
        with pytest.raises(Rejected):
            node(evm={"eth_getTransactionReceipt": RpcFault("no")}).receipts([self.HASH])

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ("invalid nonce; got 3, expected 0: invalid sequence: invalid sequence", "nonce_too_high"),
            ("invalid nonce; got 0, expected 1: invalid sequence: invalid sequence", "nonce_too_low"),
            ("max fee per gas less than block base fee (1 < 670500950): insufficient fee", "underpriced"),
            ("tx gas (1000000000) exceeds block gas limit (40000000): out of gas", "too_much_gas"),
            ("failed to check sender balance: sender balance < tx cost (0 < 7): insufficient funds", "no_funds"),
        ],
    )
    def test_what_a_real_node_refuses_has_its_code(self, said, code):
        (refusal,) = node(evm={"eth_sendRawTransaction": RpcFault(said)}).broadcast([b"\x01"])
        assert refusal.code == code

    def test_a_transaction_that_waits_already_is_taken(self):
        assert node(evm={"eth_sendRawTransaction": RpcFault(": tx already in mempool")}).broadcast([b"\x01"]) == [None]

    def test_what_a_block_does_is_proved_by_the_next_header(self):
        assert node().machine() == MachineTraits(proof_delay=1)

    def test_a_deployment_fits_into_a_block(self):
        assert node().deployment(b"", b"\x00").gas == int(BLOCK["gasLimit"], 16)

    def test_a_lane_pins_the_store_too(self):
        installed = node(evm={"eth_getCode": "0x6001"}).installed(CONTRACT)
        assert (installed.code, installed.pin) == (b"\x60\x01", {"store": "evm"})


def test_a_ledger_whose_bank_is_named_is_a_development_network():
    assert node(extra={"faucet_key_file": "bank"}).identity().development
    assert not node().identity().development


JUNK = [None, 0, -1, "", "0x", "zz", [], [None], {}, {"a": 1}, True, 1e300, "9" * 30, "\x00", {"header": None}]


def spoil(value, chance):
    """The same JSON with some value replaced, dropped or doubled at random."""
    if chance.random() < 0.04:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {key: spoil(item, chance) for key, item in value.items() if chance.random() > 0.01}
    if isinstance(value, list):
        items = [spoil(item, chance) for item in value]
        return items + items[:1] if chance.random() < 0.03 else items
    return value


@pytest.mark.parametrize("seed", range(150))
def test_only_the_adapters_errors_leave_whatever_a_node_says(seed):
    chance = random.Random(seed)

    def spoilt(script):
        def make(result):
            return lambda params: (
                spoil(json.loads(json.dumps(answer)), chance)
                if not isinstance(answer := (result(params) if callable(result) else result), RpcFault)
                else answer
            )

        return {method: make(result) for method, result in script.items()}

    evm = spoilt(EVM | {"eth_getLogs": SAMPLE["receipt"]["logs"], "eth_getTransactionReceipt": SAMPLE["receipt"]})
    ledger = node(evm=evm, consensus=spoilt(CONSENSUS))
    questions = [
        ledger.identity,
        ledger.tip,
        lambda: ledger.headers(FIRST, LAST),
        lambda: ledger.evidence(CONTRACT, [(LaneId(b"\x11" * 32), 0)], HEIGHT + 1),
        lambda: ledger.log_note(CONTRACT, bytes(20), HEIGHT + 1),
        lambda: ledger.events(HEIGHT, HEIGHT + 1, CONTRACT),
        lambda: ledger.receipts([TestWriter.HASH]),
        ledger.consensus.initial_height,
    ]
    for question in questions:
        try:
            question()
        except AdapterError as error:
            assert str(error)  # noqa: PT017 - only this kind may leave
