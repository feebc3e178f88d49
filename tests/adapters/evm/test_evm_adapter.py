"""The evm adapter against answers that a test writes: identity, fees, wallets, receipts, proofs, lanes, gas, refusals."""

import hashlib
from dataclasses import replace

import pytest

from adapters.ethereum.gas import SUFFIX_GAS, action_gas
from adapters.evm import ADAPTER
from adapters.evm.adapter import EvmLedger
from adapters.protocol import (
    AdapterOptions,
    Anchoring,
    BadAnswer,
    Call,
    Delivery,
    Endpoint,
    LaneEnds,
    Misconfigured,
    Receipt,
    Rejected,
    Settlement,
    VerifierParts,
)
from adapters.solidity.calldata import ANCHOR, DELIVER, SETTLE
from adapters.solidity.contracts import contract
from adapters.solidity.storage import head_slot
from light_clients.rlp import decode_integer, decode_list
from schemas.claim import Claim, Direction
from schemas.message import Message
from schemas.outcome import Settled, Status
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import EVM, keccak256
from tests.support.fake_rpc import FakeTransport, RpcFault
from tests.support.shared_vectors import shared_json

BLOCK = shared_json("goquorum_qbft/headers_steady.json")[0]["json"]
HEIGHT = int(BLOCK["number"], 16)
LANE = LaneId(b"\x11" * 32)
GATEWAY = b"\xaa" * 20
KEY = hashlib.sha256(b"relayhub test key").digest()
BASE = {
    "eth_chainId": "0x539",
    "web3_clientVersion": "besu/v24.5.1/linux-x86_64/openjdk-java-21",
    "eth_blockNumber": hex(HEIGHT),
    "eth_getBlockByNumber": BLOCK,
    "eth_gasPrice": "0x0",
    "eth_maxPriorityFeePerGas": RpcFault("no such method", -32601),
    "eth_getTransactionCount": "0x5",
    "eth_getBalance": "0x64",
}


def node(expected_first_block=b"", extra=None, **results):
    """A ledger whose node answers `results` (by method; a function takes the parameters)."""
    script = BASE | results

    def answer(method, params):
        result = script[method]
        return result(params) if callable(result) else result

    options = AdapterOptions((Endpoint("http://node"),), expected_first_block=expected_first_block, extra=extra or {})
    return EvmLedger(options, transport=FakeTransport(answer))


def with_base_fee(fee, **changes):
    return BLOCK | {"baseFeePerGas": hex(fee)} | changes


def asked(ledger, method):
    return [params for name, params in ledger.rpc._transport.calls if name == method]


class TestIdentity:
    def test_it_is_the_chain_number_and_block_0(self):
        identity = node().identity()
        assert identity.chain_id == "eip155:1337"
        assert identity.first_block == BlockHash(bytes.fromhex(BLOCK["hash"][2:]))
        assert identity.software.startswith("besu")
        assert not identity.development

    @pytest.mark.parametrize(
        "software", ["anvil/v1.7.1", "HardhatNetwork/2", "Ganache/v7", "relayhub-devnet/0.1.0 (x)"]
    )
    def test_a_development_node_is_known_by_its_name(self, software):
        assert node(web3_clientVersion=software).identity().development

    @pytest.mark.parametrize("software", [RpcFault("no"), None, "a\nb", 7])
    def test_a_node_without_a_name_is_unknown(self, software):
        assert node(web3_clientVersion=software).identity().software == "unknown"

    def test_what_has_no_chain_id_is_no_evm(self):
        with pytest.raises(Misconfigured, match="no Ethereum JSON-RPC endpoint"):
            node(eth_chainId=RpcFault("the method does not exist", -32601)).identity()

    @pytest.mark.parametrize("block", [None, RpcFault("pruned")])
    def test_a_first_block_that_is_not_served_must_be_stated(self, block):
        with pytest.raises(Misconfigured, match="state the hash of the first block"):
            node(eth_getBlockByNumber=block).identity()
        assert node(b"\x07" * 32, eth_getBlockByNumber=block).identity().first_block == b"\x07" * 32


def test_the_tip_is_the_newest_number():
    assert node().tip() == HEIGHT


@pytest.mark.parametrize("value", ["", "0x", "0xzz", 5, None, "12", "0x" + "f" * 65, "0x1_0", "0x-1", "0x²"])
def test_a_number_that_is_no_quantity_is_refused(value):
    with pytest.raises(BadAnswer, match="no quantity"):
        node(eth_blockNumber=value).tip()


class TestHeaders:
    def test_a_range_is_one_batch_in_order(self):
        ledger = node(eth_getBlockByNumber=lambda params: BLOCK | {"number": params[0]})
        found = ledger.headers(3, 6)
        assert [decode_integer(decode_list(header)[8]) for header in found] == [3, 4, 5, 6]

    def test_a_missing_block_is_named(self):
        ledger = node(eth_getBlockByNumber=lambda params: None if params[0] == "0x4" else BLOCK | {"number": params[0]})
        with pytest.raises(Rejected, match="does not have block 4") as caught:
            ledger.headers(3, 6)
        assert caught.value.code == "no_state"

    def test_too_many_are_not_asked_for(self):
        with pytest.raises(Misconfigured, match="at most 1000"):
            node().headers(1, 1001)


class TestFees:
    def test_a_ledger_without_fees_works(self):
        ledger = node()
        wallet = ledger.wallet(GATEWAY)
        assert (wallet.nonce, wallet.pending_nonce, wallet.balance, wallet.fee) == (5, 5, 100, 0)
        signed = ledger.sign(KEY, 5, Call(GATEWAY, b"\x01", 50_000), wallet.fee)
        assert signed.raw[0] >= 0xC0  # legacy
        assert signed.fee == 0

    def test_a_base_fee_is_doubled_under_the_tip(self):
        ledger = node(eth_getBlockByNumber=with_base_fee(100), eth_maxPriorityFeePerGas="0x7", eth_gasPrice="0x6b")
        assert ledger.wallet(GATEWAY).fee == 207
        assert ledger.sign(KEY, 0, Call(GATEWAY, b"", 50_000), 207).raw[0] == 2

    def test_a_node_without_tips_gives_its_price_above_the_base_fee(self):
        assert node(eth_getBlockByNumber=with_base_fee(100), eth_gasPrice="0x6a").wallet(GATEWAY).fee == 206

    def test_a_raised_fee_raises_the_tip_as_much(self):
        ledger = node(eth_getBlockByNumber=with_base_fee(1000), eth_maxPriorityFeePerGas=hex(100))
        fields = [decode_list(ledger.sign(KEY, 0, Call(GATEWAY, b"", 50_000), fee).raw[1:]) for fee in (2100, 2310)]
        assert [(decode_integer(item[2]), decode_integer(item[3])) for item in fields] == [(100, 2100), (110, 2310)]

    def test_a_zero_base_fee_is_a_base_fee(self):
        ledger = node(eth_getBlockByNumber=with_base_fee(0))
        assert ledger.wallet(GATEWAY).fee == 0
        signed = ledger.sign(KEY, 0, Call(GATEWAY, b"", 50_000), 11)
        assert signed.raw[0] == 2
        assert decode_integer(decode_list(signed.raw[1:])[2]) == 11

    def test_the_option_legacy_offers_no_base_fee(self):
        ledger = node(extra={"transactions": "legacy"}, eth_getBlockByNumber=with_base_fee(100), eth_gasPrice="0x6a")
        assert ledger.wallet(GATEWAY).fee == 106
        assert ledger.sign(KEY, 0, Call(GATEWAY, b"", 50_000), 106).raw[0] >= 0xC0

    def test_a_floor_is_never_undercut(self):
        assert node(extra={"fee_floor": "9"}).wallet(GATEWAY).fee == 9

    def test_what_a_block_takes_least_is_its_base_fee_and_the_tip(self):
        ledger = node(eth_getBlockByNumber=with_base_fee(100), eth_maxPriorityFeePerGas="0x7", eth_gasPrice="0x6b")
        assert ledger.wallet(GATEWAY).least_fee == 107

    def test_without_a_base_fee_a_block_takes_the_gas_price(self):
        assert node(eth_gasPrice="0x6a").wallet(GATEWAY).least_fee == 106

    @pytest.mark.parametrize(("ceiling", "fee"), [(0, 207), (206, 206), (207, 207), (300, 207)])
    def test_a_ceiling_is_never_exceeded(self, ceiling, fee):
        answers = {
            "eth_getBlockByNumber": with_base_fee(100),
            "eth_maxPriorityFeePerGas": "0x7",
            "eth_gasPrice": "0x6b",
        }
        wallet = node(extra={"fee_ceiling": str(ceiling)}, **answers).wallet(GATEWAY)
        assert (wallet.fee, wallet.least_fee, wallet.ceiling) == (fee, 107, ceiling)

    def test_where_tips_are_zero_what_is_raised_goes_to_the_producer(self):
        ledger = node(eth_getBlockByNumber=with_base_fee(100), eth_maxPriorityFeePerGas="0x0", eth_gasPrice="0x64")
        raised = [decode_list(ledger.sign(KEY, 0, Call(GATEWAY, b"", 50_000), fee).raw[1:]) for fee in (150, 200, 251)]
        assert [decode_integer(item[2]) for item in raised] == [0, 0, 51]  # pools replace for a higher tip only

    def test_the_chain_id_is_asked_once(self):
        ledger = node()
        for nonce in range(3):
            ledger.sign(KEY, nonce, Call(GATEWAY, b"", 50_000), 0)
        assert len(asked(ledger, "eth_chainId")) == 1
        assert len(asked(ledger, "eth_gasPrice")) == 1

    @pytest.mark.parametrize(
        "method", ["eth_getTransactionCount", "eth_getBalance", "eth_gasPrice", "eth_getBlockByNumber"]
    )
    def test_what_a_wallet_needs_must_be_answered(self, method):
        with pytest.raises(Rejected, match="not today"):
            node(**{method: RpcFault("not today")}).wallet(GATEWAY)

    def test_pending_transactions_count(self):
        ledger = node(eth_getTransactionCount=lambda params: "0x9" if params[1] == "pending" else "0x5")
        assert (ledger.wallet(GATEWAY).nonce, ledger.wallet(GATEWAY).pending_nonce) == (5, 9)

    def test_a_node_without_pending_state_still_has_a_nonce(self):
        ledger = node(eth_getTransactionCount=lambda params: RpcFault("no") if params[1] == "pending" else "0x5")
        assert ledger.wallet(GATEWAY).pending_nonce == 5


HASH = b"\x77" * 32
GOOD = {
    "transactionHash": "0x" + HASH.hex(),
    "blockNumber": "0x9",
    "blockHash": "0x" + "08" * 32,
    "status": "0x1",
    "gasUsed": "0x5208",
    "contractAddress": None,
}


class TestReceipts:
    def read(self, answer):
        return node(eth_getTransactionReceipt=answer).receipts([HASH])[0]

    def test_a_receipt_is_read(self):
        assert self.read(GOOD) == Receipt(HASH, 9, b"\x08" * 32, success=True, gas_used=21_000)
        assert not self.read(GOOD | {"status": "0x0"}).success
        assert self.read(GOOD | {"contractAddress": "0x" + "0a" * 20}).contract == b"\x0a" * 20

    @pytest.mark.parametrize(
        "answer",
        [None, GOOD | {"blockNumber": None}, RpcFault("transaction not found"), RpcFault("Unknown transaction")],
    )
    def test_what_is_not_mined_has_none(self, answer):
        assert self.read(answer) is None

    def test_another_refusal_is_raised(self):
        with pytest.raises(Rejected, match="indexing"):
            self.read(RpcFault("transaction indexing is in progress"))

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"transactionHash": "0x" + "78" * 32}, "another transaction"),
            ({"status": "0x2"}, "neither 0 nor 1"),
            ({"status": None}, "status"),
            ({"blockHash": None}, "blockHash"),
            ({"gasUsed": None}, "gasUsed"),
            ({"contractAddress": "0x01"}, "contractAddress"),
        ],
    )
    def test_a_receipt_that_is_not_of_its_form_is_refused(self, change, text):
        with pytest.raises(BadAnswer, match=text):
            self.read(GOOD | change)


class TestBroadcast:
    def test_each_transaction_has_its_own_answer(self):
        def send(params):
            if params[0] == "0x02":
                return RpcFault("nonce too low")
            return (
                RpcFault("already known")
                if params[0] == "0x03"
                else "0x" + keccak256(bytes.fromhex(params[0][2:])).hex()
            )

        first, second, third = node(eth_sendRawTransaction=send).broadcast([b"\x01", b"\x02", b"\x03"])
        assert (first, second.code, third) == (None, "nonce_too_low", None)

    def test_another_hash_than_ours_is_refused(self):
        with pytest.raises(BadAnswer, match="another hash"):
            node(eth_sendRawTransaction="0x" + "01" * 32).broadcast([b"\x01"])


class TestEvidence:
    SLOT = head_slot(LANE, 0)

    def proof(self, **changes):
        return {
            "accountProof": ["0xc0", "0xc1"],
            "storageProof": [{"key": "0x" + self.SLOT.hex(), "value": "0x1", "proof": ["0xc2"]}],
        } | changes

    def test_header_and_paths_come_together(self):
        ledger = node(eth_getProof=self.proof())
        (found,) = ledger.evidence(GATEWAY, [(LANE, 0)], HEIGHT)
        assert (found.height, found.account_proof, found.storage_proof) == (HEIGHT, (b"\xc0", b"\xc1"), (b"\xc2",))
        assert keccak256(found.header) == keccak256(ledger.headers(HEIGHT, HEIGHT)[0])
        assert asked(ledger, "eth_getProof") == [["0x" + GATEWAY.hex(), ["0x" + self.SLOT.hex()], hex(HEIGHT)]]

    def test_nothing_is_asked_for_no_lanes(self):
        ledger = node()
        assert ledger.evidence(GATEWAY, [], HEIGHT) == []
        assert ledger.rpc._transport.calls == []

    @pytest.mark.parametrize(
        "fault",
        [{"eth_getProof": RpcFault("missing trie node")}, {"eth_getProof": None}, {"eth_getBlockByNumber": None}],
    )
    def test_a_state_that_is_gone_is_said_so(self, fault):
        with pytest.raises(Rejected) as caught:
            node(**({"eth_getProof": self.proof()} | fault)).evidence(GATEWAY, [(LANE, 0)], HEIGHT)
        assert caught.value.code == "no_state"

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"storageProof": []}, "other slots"),
            ({"storageProof": [{"key": "0x1", "proof": []}]}, "other slots"),
            ({"storageProof": None}, "storageProof"),
            ({"accountProof": "0x"}, "accountProof"),
            ({"accountProof": ["0xc0"] * 129}, "accountProof"),
            ({"accountProof": ["c0"]}, "accountProof"),
        ],
    )
    def test_a_proof_that_is_not_of_its_form_is_refused(self, change, text):
        with pytest.raises(BadAnswer, match=text):
            node(eth_getProof=self.proof(**change)).evidence(GATEWAY, [(LANE, 0)], HEIGHT)


def lane_view(**changes):
    """What the gateway's `lane` returns, by the contract's own interface."""
    from eth_abi.abi import encode

    function = contract("Gateway").functions["lane"]
    values = {"opened": True, "closed": False, "paused": False, "sent": 7, "settled": 5, "delivered": 0} | changes
    struct = (
        values["opened"], 0, values["closed"], values["paused"], False, b"\x01" * 20, b"\x02" * 32, b"\x03" * 20,
        (1, 2, 3, 4, 5, 6), values["sent"], values["settled"], values["delivered"], 1, b"\x04" * 32,
    )  # fmt: skip
    return "0x" + encode(function.outputs, [struct]).hex()


class TestLaneEnds:
    def read(self, view, paused="0x" + "00" * 32):
        selectors = {"0x" + contract("Gateway").functions[name].selector.hex(): name for name in ("lane", "paused")}
        ledger = node(eth_call=lambda params: view if selectors[params[0]["data"][:10]] == "lane" else paused)
        return ledger.lane_ends(GATEWAY, LANE)

    def test_counters_are_those_of_the_contracts_interface(self):
        kept = {"verifier": b"\x01" * 20, "generation": b"\x04" * 32}
        assert self.read(lane_view()) == LaneEnds(7, 5, 0, paused=False, closed=False, **kept)
        assert self.read(lane_view(sent=0, settled=0, delivered=9, closed=True)) == LaneEnds(
            0, 0, 9, paused=False, closed=True, **kept
        )

    def test_a_paused_lane_or_gateway_is_paused(self):
        assert self.read(lane_view(paused=True)).paused
        assert self.read(lane_view(), "0x" + "00" * 31 + "01").paused

    def test_a_lane_that_was_never_opened_is_said_so(self):
        with pytest.raises(Rejected, match="never opened lane 0x1111"):
            self.read(lane_view(opened=False))

    def test_no_contract_is_said_so(self):
        with pytest.raises(Rejected, match="no contract at 0xaaaa"):
            self.read("0x")

    @pytest.mark.parametrize(
        "view", ["0x" + "00" * 32, "0x" + "00" * 640, "0x" + (b"\x00" * 31 + b"\x20" + b"\x02" * 608).hex()]
    )
    def test_another_contract_is_said_so(self, view):
        with pytest.raises(BadAnswer, match="does not answer as a gateway"):
            self.read(view)

    def test_a_refused_call_is_a_rejection(self):
        with pytest.raises(Rejected, match="would revert"):
            self.read(RpcFault("execution reverted", 3))


def answer(kind, value):
    """What a view returns, by the contracts' own types."""
    from eth_abi.abi import encode

    return "0x" + encode([kind], [value]).hex()


class TestVerifierParts:
    VERIFIER = b"\x0f" * 20

    def read(self, kind, *parts):
        reverted = RpcFault("execution reverted", 3)
        both = contract("BothVerifier").functions
        script = {"0x" + both[name].selector.hex(): reverted for name in ("kind", "committee", "lightClient")}
        script |= dict(zip(script, (kind, *parts), strict=False))
        return node(eth_call=lambda params: script[params[0]["data"]]).verifier_parts(self.VERIFIER)

    def test_a_committee_and_a_light_client_are_their_only_part(self):
        assert self.read(answer("string", "committee")) == VerifierParts("committee", self.VERIFIER, b"")
        assert self.read(answer("string", "light-client")) == VerifierParts("light-client", b"", self.VERIFIER)

    def test_both_name_their_parts(self):
        parts = (answer("address", b"\x0a" * 20), answer("address", b"\x0b" * 20))
        assert self.read(answer("string", "both"), *parts) == VerifierParts("both", b"\x0a" * 20, b"\x0b" * 20)

    @pytest.mark.parametrize(
        "answers",
        [
            (RpcFault("execution reverted", 3),),
            ("0x",),
            (answer("string", "oracle"),),
            (answer("string", "both"), answer("address", b"\x0a" * 20)),
        ],
    )
    def test_another_contract_is_no_verifier(self, answers):
        with pytest.raises(Rejected, match="is no verifier"):
            self.read(*answers)


def message(nonce, payload=b"x" * 200, gas_limit=100_000):
    return Message.create(
        EVM, nonce=nonce, sender=b"\x01" * 20, receiver=b"\x02" * 20, payload=payload, gas_limit=gas_limit
    )


CLAIM = Claim(LANE, Direction.OUTBOX, 2, Head(b"\x05" * 32), 9, BlockHash(b"\x06" * 32))
DELIVERY = Delivery(LANE, (message(1), message(2)), (b"\x07" * 32,), CLAIM, b"proof")
SETTLEMENT = Settlement(LANE, (Settled(message(1).without_payload(), Status.EXECUTED, b"ok"),), (), CLAIM, b"proof")
ANCHORING = Anchoring(LANE, Head(b"\x08" * 32), (b"\x07" * 32,) * 3, CLAIM, b"proof")


class TestCalls:
    def test_an_anchoring_becomes_the_gateways_call(self):
        ledger = node()
        call = ledger.call_for(GATEWAY, ANCHORING)
        assert (call.target, call.data[:4]) == (GATEWAY, ANCHOR)
        assert call.gas == action_gas(ANCHORING, len(call.data), 10**9)

    def test_gas_of_an_anchoring_grows_with_its_ids(self):
        longer = replace(ANCHORING, ids=ANCHORING.ids * 100)
        assert action_gas(longer, 1_000, 10**9) - action_gas(ANCHORING, 1_000, 10**9) == 297 * SUFFIX_GAS

    def test_actions_become_the_gateways_calls(self):
        ledger = node()
        delivery, settlement = ledger.call_for(GATEWAY, DELIVERY), ledger.call_for(GATEWAY, SETTLEMENT)
        assert (delivery.target, delivery.data[:4], settlement.data[:4]) == (GATEWAY, DELIVER, SETTLE)
        assert delivery.gas == action_gas(DELIVERY, len(delivery.data), 10**9)
        assert settlement.gas == action_gas(SETTLEMENT, len(settlement.data), 10**9)

    def test_gas_covers_what_the_gateway_asks_before_each_call(self):
        needed = sum(item.gas_limit + item.gas_limit // 63 + 10_000 for item in DELIVERY.messages)
        assert action_gas(DELIVERY, 1_000, 10**9) > needed + 21_000 + 16 * 1_000
        bigger = Delivery(LANE, (message(1, gas_limit=200_000), message(2)), (b"\x07" * 32,), CLAIM, b"proof")
        assert action_gas(bigger, 1_000, 10**9) - action_gas(DELIVERY, 1_000, 10**9) >= 100_000 * 64 // 63

    def test_gas_covers_the_floor_of_calldata(self):
        assert action_gas(DELIVERY, 100_000, 10**9) >= 21_000 + 40 * 100_000

    def test_gas_is_capped_by_the_block_and_by_the_option(self):
        small = with_base_fee(0, gasLimit=hex(300_000))
        assert node(eth_getBlockByNumber=small).call_for(GATEWAY, DELIVERY).gas == 300_000
        capped = node(eth_getBlockByNumber=small, extra={"transaction_gas_cap": "250000"})
        assert capped.call_for(GATEWAY, DELIVERY).gas == 250_000

    def test_a_simulation_returns_what_the_call_returns(self):
        ledger = node(eth_call="0x0102")
        assert ledger.simulate(b"\x09" * 20, Call(GATEWAY, b"\x05", 7)) == b"\x01\x02"
        assert asked(ledger, "eth_call")[0][0] == {
            "from": "0x" + "09" * 20,
            "data": "0x05",
            "gas": "0x7",
            "to": "0x" + "aa" * 20,
        }
        ledger.simulate(b"\x09" * 20, Call(b"", b"\x05", 7))
        assert "to" not in asked(ledger, "eth_call")[1][0]

    def test_a_revert_speaks_the_contracts_words(self):
        error = next(error for error, _ in contract("Gateway").errors.values() if error.name == "UnknownLane")
        with pytest.raises(Rejected, match="UnknownLane") as caught:
            node(eth_call=RpcFault("execution reverted", 3, "0x" + (error.selector + LANE).hex())).simulate(
                GATEWAY, Call(GATEWAY, b"", 1)
            )
        assert caught.value.code == "reverted"
        assert caught.value.reason.startswith("UnknownLane(")


class TestOptions:
    @pytest.mark.parametrize(
        "extra",
        [{"colour": "red"}, {"log_range": "0"}, {"transactions": "blob"}, {"fee_floor": "-1"}, {"fee_ceiling": "-1"}],
    )
    def test_an_option_that_cannot_be_is_named(self, extra):
        with pytest.raises(Misconfigured, match=next(iter(extra))):
            node(extra=extra)

    def test_an_endpoint_is_needed_and_the_network_is_not(self):
        with pytest.raises(Misconfigured, match="needs an endpoint"):
            EvmLedger(AdapterOptions(()))
        ledger = ADAPTER.open(AdapterOptions((Endpoint("http://user:secret@127.0.0.1:1"),)))
        assert ledger.endpoint == "http://127.0.0.1:1"
        assert ledger.leave_endpoint("lied") is False
        ledger.close()
