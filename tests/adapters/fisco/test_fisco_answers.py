"""The adapter against what a node may answer: who it is, refusals by code and text, and answers with changed bytes."""

import json
import random

import orjson
import pytest

from adapters.fisco.adapter import FiscoLedger
from adapters.fisco.options import FiscoOptions
from adapters.fisco.refusals import asked_wrongly, depends_on_sender, is_absent, no_such_block, uncalled, unsent
from adapters.jsonrpc import RpcError
from adapters.protocol import (
    AdapterError,
    AdapterOptions,
    Call,
    Endpoint,
    HeadMoved,
    MessageSent,
    Misconfigured,
    Rejected,
    Unreachable,
)
from adapters.solidity.contracts import contract
from adapters.transport import Answer
from tests.support.fisco_lane import FiscoLane, fisco_options, open_fisco

CHANGED_ANSWERS = 2_000


@pytest.fixture(scope="module", params=[2, 3], ids=["line 2", "line 3"])
def lane(request):
    made = FiscoLane(request.param)
    for payload in (b"one", b"two"):
        assert made.send(payload).success
    assert made.deliver(made.delivery(made.events(0, MessageSent))).success
    yield made
    made.close()


class OwnTransport:
    """Carries requests to a simulated node in this process, and changes its answers."""

    def __init__(self, network, change):
        self._server, self._change = network.servers[0], change

    def exchange(self, body):
        return Answer(200, self._change(self._server.answer(body, set())))

    def close(self):
        pass


def ledger_of(lane, end, change):
    options = fisco_options(lane.networks[end], parallel="1")
    return FiscoLedger(options, transport=OwnTransport(lane.networks[end], change))


def changes(source):
    """Ways to change the bytes or the values of an answer."""

    def bytes_changed(answer):
        changed = bytearray(answer)
        for _ in range(source.randint(1, 3)):
            changed[source.randrange(len(changed))] = source.randrange(256)
        return bytes(changed)

    def value_changed(answer):
        decoded = orjson.loads(answer)
        places = []

        def walk(value):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for name, item in items:
                places.append((value, name))
                if isinstance(item, dict | list):
                    walk(item)

        walk(decoded)
        holder, name = source.choice(places)
        if name != "id":
            holder[name] = source.choice(
                [None, [], {}, "", "0x", "0x0", "zz", -1, 0, 1 << 62, 1.5, True, "0x" + "f" * 70, [[]], {"a": {}}]
            )
        return orjson.dumps(decoded)

    def cut(answer):
        return answer[: source.randrange(len(answer))]

    def change(answer):
        way = source.choice([bytes_changed, value_changed, value_changed, cut])
        return way(answer)

    return change


def test_whatever_an_endpoint_answers_only_adapter_errors_leave(lane):
    source = random.Random(20)
    change = changes(source)
    counted = 0

    def changed(answer):
        nonlocal counted
        counted += 1
        return change(answer) if source.random() < 0.6 else answer

    lane_id = lane.lane.lane_id
    ledgers = [ledger_of(lane, end, changed) for end in (0, 1)]
    sent = lane.events(0, MessageSent)[-1].position
    moved = lane.events(1, HeadMoved)[-1].position
    heights = (sent.height, moved.height)
    questions = [
        lambda ledger, _: ledger.identity(),
        lambda ledger, _: ledger.tip(),
        lambda ledger, end: ledger.headers(heights[end] - 1, heights[end]),
        lambda ledger, end: ledger.events(heights[end], heights[end], lane.gateways[end]),
        lambda ledger, end: ledger.lane_ends(lane.gateways[end], lane_id),
        lambda ledger, end: ledger.verifier_parts(lane.verifiers[end]),
        lambda ledger, end: ledger.evidence(lane.gateways[end], [(lane_id, end)], heights[end]),
        lambda ledger, _: ledger.receipts([sent.transaction, moved.transaction]),
        lambda ledger, _: ledger.wallet(b"\x01" * 20),
        lambda ledger, end: ledger.installed(lane.gateways[end]),
        lambda ledger, end: ledger.simulate(b"\x01" * 20, Call(lane.gateways[end], b"\x01\x02\x03\x04", 0)),
    ]
    failures = successes = 0
    while counted < CHANGED_ANSWERS:
        end = source.randrange(2)
        try:
            source.choice(questions)(ledgers[end], end)
            successes += 1
        except AdapterError:
            failures += 1
    assert min(failures, successes) > 50


@pytest.mark.parametrize("name", ["group", "chain", "suite", "line"])
def test_a_node_of_another_chain_group_or_suite_is_the_configurations_fault(lane, name):
    true = lane.networks[0].options
    false = {"group": "9", "chain": "9", "suite": "sm", "line": "3" if true["line"] == "2" else "2"}[name]
    if name == "line":
        true = {}
    options = AdapterOptions((Endpoint(lane.networks[0].endpoints[0]),), extra=true | {name: false})
    ledger = FiscoLedger(options)
    with pytest.raises(AdapterError) as caught:
        ledger.identity()
    ledger.close()
    if name != "line":
        assert isinstance(caught.value, Misconfigured)
        assert name in str(caught.value)


def test_a_group_that_runs_webassembly_is_refused(lane):
    if lane.networks[0].network.line == 2:
        return

    def webassembly(answer):
        decoded = orjson.loads(answer)
        result = decoded.get("result")
        if isinstance(result, dict) and "nodeList" in result:
            settings = json.loads(result["nodeList"][0]["iniConfig"]) | {"isWasm": True}
            result["nodeList"][0]["iniConfig"] = json.dumps(settings)
        return orjson.dumps(decoded)

    with pytest.raises(Misconfigured, match="EVM"):
        ledger_of(lane, 0, webassembly).identity()


@pytest.mark.parametrize("written", ["text", "hexadecimal"])
def test_line_3_writes_nonces_in_two_ways_and_both_are_read(lane, written):
    if lane.networks[0].network.line == 2:
        return

    def change(answer):
        decoded = orjson.loads(answer)
        result = decoded.get("result")
        if written == "text" and isinstance(result, dict) and "nonce" in result:
            result["nonce"] = bytes.fromhex(result["nonce"]).decode()
        return orjson.dumps(decoded)

    height = lane.events(0, MessageSent)[-1].position.height
    asked = [(lane.lane.lane_id, 0)]
    found = ledger_of(lane, 0, change).evidence(lane.gateways[0], asked, height)
    assert found == lane.ledgers[0].evidence(lane.gateways[0], asked, height)
    assert found[0] is not None


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({}, "line"),
        ({"line": "4"}, "line"),
        ({"line": "2", "group": "group0"}, "numbers"),
        ({"line": "2", "node": "node0"}, "line 3"),
        ({"line": "3", "suite": "other"}, "suite"),
        ({"line": "3", "block_limit": "5"}, "block_limit"),
        ({"line": "3", "something": "1"}, "something"),
    ],
)
def test_an_option_that_cannot_be_is_named(extra, text):
    with pytest.raises(Misconfigured, match=text):
        FiscoOptions.read(extra)


def refused(code, text):
    return RpcError(text, rpc_code=code, data=None, endpoint="http://node")


@pytest.mark.parametrize(
    ("line", "code", "text", "expected"),
    [
        (2, -32603, "TransactionRefused: BlockLimitCheckFailed, txBlockLimit=5", "expired"),
        (2, -32603, "TransactionAlreadyKown, txHash=…", None),
        (2, -32603, "TransactionAlreadyInChain, txHash=…", None),
        (2, -32603, "TransactionNonceCheckFail, txHash=…", None),
        (2, -32603, "TxPoolNonceCheckFail, txHash=…", None),
        (2, -32603, "TransactionPoolIsFull, txHash=…", "pool_full"),
        (2, -32603, "TransactionRefused: the node is syncing", "not_ready"),
        (2, -32603, "InvalidChainIdOrGroupId, txHash=…", "other"),
        (2, 16, "", "expired"),
        (2, 10_000, "", None),
        (3, 10_000, "NonceCheckFail", None),
        (3, 10_001, "BlockLimitCheckFail", "expired"),
        (3, 10_002, "TxPoolIsFull", "pool_full"),
        (3, 10_004, "AlreadyInTxPool", None),
        (3, 10_005, "TxAlreadyInChain", None),
        (3, 10_008, "InvalidSignature", "other"),
        (3, -32601, "no such method", "no_method"),
    ],
)
def test_refusals_of_transactions_are_sorted_by_code_and_text(line, code, text, expected):
    found = unsent(refused(code, text), line)
    assert (found.code if found else None) == expected


def test_a_node_that_takes_nothing_now_is_asked_later():
    with pytest.raises(Unreachable):
        unsent(refused(-40_011, "over QPS limit"), 2)
    with pytest.raises(Misconfigured):
        unsent(refused(-40_001, "GroupID does not exist"), 2)


def test_refusals_of_questions_are_sorted():
    assert isinstance(asked_wrongly(refused(-40_001, "GroupID does not exist")), Misconfigured)
    assert isinstance(asked_wrongly(refused(-32_004, "The group group9 does not exist!")), Misconfigured)
    assert isinstance(asked_wrongly(refused(-40_010, "")), Unreachable)
    assert isinstance(asked_wrongly(refused(-32_002, "the node is not started")), Unreachable)
    missing = no_such_block(refused(3008, "GetStorageError"), 7)
    assert isinstance(missing, Rejected)
    assert missing.code == "no_state"


def test_a_transaction_that_is_not_there_is_told_by_code_or_text():
    assert is_absent(refused(3008, "GetStorageError"))
    assert is_absent(refused(-32_600, "the receipt could not be found"))
    assert not is_absent(refused(-32_603, "the disk is full"))


def test_failures_of_calls_are_told_in_the_contracts_words():
    named = contract("Gateway").errors
    selector = next(selector for selector, (error, _) in named.items() if error.name == "NotOfficer")
    data = selector + bytes(32)
    assert uncalled(0x16, data, 2, "node").reason.startswith("NotOfficer")
    assert uncalled(16, data, 3, "node").reason.startswith("NotOfficer")
    assert uncalled(12, b"", 2, "node").reason == "out of gas"
    assert uncalled(99, b"", 3, "node").reason == "status 99"
    assert depends_on_sender(16, data)
    assert not depends_on_sender(16, b"")
    assert not depends_on_sender(12, data)


def test_without_a_sender_line_3_does_not_say_what_an_officer_may_do(lane):
    ledger, officer = lane.ledgers[0], b"\x01" * 20
    call = Call(lane.gateways[0], contract("Gateway").encode("approve", 1), 1_000_000)
    if lane.networks[0].network.line == 3:
        assert ledger.simulate(officer, call) == b""
    else:
        with pytest.raises(Rejected, match="NotOfficer"):
            ledger.simulate(officer, call)


def test_with_the_eth_port_line_3_simulates_with_the_sender(lane):
    network = lane.networks[0]
    if network.network.line == 2:
        return
    ledger = open_fisco(network, web3=network.web3)
    officer, call = b"\x01" * 20, Call(lane.gateways[0], contract("Gateway").encode("approve", 1), 1_000_000)
    with pytest.raises(Rejected, match="NotOfficer") as caught:
        ledger.simulate(officer, call)
    assert caught.value.code == "reverted"
    sent = ledger.simulate(lane.account(0, lane.sender), lane.send_call(b"simulated"))
    assert len(sent) == 32
    ledger.close()


def test_a_pool_that_refuses_in_a_receipts_status_refuses(lane):
    if lane.networks[0].network.line == 2:
        return

    def refuses(answer):
        decoded = orjson.loads(answer)
        if isinstance(decoded.get("result"), dict) and "logEntries" in decoded["result"]:
            decoded["result"]["status"] = 10_002
        return orjson.dumps(decoded)

    ledger = ledger_of(lane, 0, refuses)
    signed = ledger.sign(lane.sender, 123, Call(b"\x77" * 20, b"", 100_000), 0)
    (refusal,) = ledger.broadcast([signed.raw])
    assert refusal.code == "pool_full"
