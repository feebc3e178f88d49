"""Logs: ranges that adapt, ledger order, times, and every refusal of a log that is not of its form."""

import pytest

from adapters.ethereum.logs import LogReader
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import AnswerTooLarge, BadAnswer, Unreachable
from tests.support.fake_rpc import FakeTransport, RpcFault

GATEWAY = b"\xaa" * 20
SIGNATURES = (b"\x01" * 32, b"\x02" * 32)


def word(number):
    return "0x" + number.to_bytes(32, "big").hex()


def log(height, index, **changes):
    fields = {
        "address": "0x" + GATEWAY.hex().upper(),
        "topics": ["0x" + SIGNATURES[0].hex()],
        "data": "0x1234",
        "blockNumber": hex(height),
        "blockHash": word(1000 + height),
        "transactionHash": word(7),
        "logIndex": hex(index),
        "removed": False,
        "blockTimestamp": hex(5000 + height),
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


class Node:
    """A node with logs by height; `refuse(first, last)` may answer something else."""

    def __init__(self, logs, *, tip=10_000, refuse=lambda *_: None, span=100):
        self.logs, self.tip, self.refuse = logs, tip, refuse
        self.ranges = []
        self.transport = FakeTransport(self.answer)
        self.reader = LogReader(JsonRpc("http://node", transport=self.transport), span=span)

    def answer(self, method, params):
        if method == "eth_blockNumber":
            return hex(self.tip)
        if method == "eth_getBlockByNumber":
            height = int(params[0], 16)
            return {"hash": word(1000 + height), "timestamp": hex(5000 + height)}
        first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
        assert first <= last
        self.ranges.append((first, last))
        refusal = self.refuse(first, last)
        if refusal is not None:
            return refusal
        return [item for item in self.logs if first <= int(item["blockNumber"], 16) <= last]

    def read(self, first, last):
        return self.reader.read(first, last, GATEWAY, SIGNATURES)


def test_logs_come_in_ledger_order_with_their_places():
    node = Node([log(9, 1), log(9, 0), log(3, 4, topics=["0x" + SIGNATURES[1].hex(), word(5)])])
    found = node.read(1, 10)
    assert [(item.position.height, item.position.index) for item in found] == [(3, 4), (9, 0), (9, 1)]
    assert found[0].topics == (SIGNATURES[1], (5).to_bytes(32, "big"))
    assert (found[0].data, found[0].position.timestamp, found[0].position.transaction[-1]) == (b"\x12\x34", 5003, 7)
    question = node.transport.calls[1][1][0]
    assert question["topics"] == [["0x" + signature.hex() for signature in SIGNATURES]]
    assert question["address"] == "0x" + GATEWAY.hex()


def test_nothing_is_asked_for_an_empty_range():
    node = Node([])
    assert node.read(5, 4) == []
    assert node.transport.calls == []


REFUSALS = [
    RpcFault("query returned more than 10000 results", -32005),
    RpcFault("Log response size exceeded", -32602),
    RpcFault("block range is too wide", -32000),
    RpcFault("Requested range exceeds maximum RPC range limit", -32000),
    RpcFault("whatever", -32005),
]


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.error["message"][:12])
def test_a_range_that_is_too_wide_is_halved_and_grows_again(fault):
    node = Node(
        [log(height, 0) for height in range(64)], refuse=lambda first, last: fault if last - first >= 20 else None
    )
    assert [item.position.height for item in node.read(0, 63)] == list(range(64))
    assert node.ranges[:3] == [(0, 63), (0, 31), (0, 15)]
    assert node.ranges[3][1] > 16 + 15
    node.ranges.clear()
    node.read(0, 63)
    assert node.ranges[0][1] < 30  # it remembers what the node takes


def test_a_range_never_grows_beyond_the_option():
    node = Node([], span=10)
    node.read(0, 99)
    assert {last - first + 1 for first, last in node.ranges} == {10}


def test_an_answer_that_is_too_large_is_halved_too():
    class Heavy(Node):
        def exchange(self, body):
            if b'"toBlock":"0x1"' not in body and b'"toBlock":"0x0"' not in body:
                raise AnswerTooLarge("too large")
            return self.transport.exchange(body)

    node = Heavy([log(0, 0), log(1, 0)])
    node.reader._rpc._transport, node.close = node, lambda: None
    assert len(node.read(0, 1)) == 2
    with pytest.raises(AnswerTooLarge):
        node.read(2, 3)


def test_one_block_that_is_refused_is_the_end():
    node = Node([], refuse=lambda *_: REFUSALS[0])
    with pytest.raises(RpcError, match="10000 results"):
        node.read(0, 7)
    assert node.ranges[-1] == (0, 0)


def test_another_refusal_is_not_tried_again():
    node = Node([], refuse=lambda *_: RpcFault("internal error", -32603))
    with pytest.raises(RpcError, match="internal error"):
        node.read(0, 7)
    assert node.ranges == [(0, 7)]


def test_a_node_that_has_not_reached_the_last_block_is_asked_later():
    with pytest.raises(Unreachable, match="has not reached block 11"):
        Node([], tip=10).read(5, 11)


def test_times_that_logs_lack_come_from_their_blocks():
    node = Node([log(3, 0, blockTimestamp=...), log(4, 0, blockTimestamp=None, blockHash=word(9)), log(5, 0)])
    assert [item.position.timestamp for item in node.read(0, 9)] == [5003, 0, 5005]
    assert [params[0] for method, params in node.transport.calls if method == "eth_getBlockByNumber"] == ["0x3", "0x4"]


BAD_LOGS = {
    "address": (log(3, 0, address="0x" + "bb" * 20), "another contract"),
    "no_address": (log(3, 0, address=None), "another contract"),
    "removed": (log(3, 0, removed=True), "removed"),
    "no_topics": (log(3, 0, topics=[]), "no topics"),
    "five_topics": (log(3, 0, topics=["0x" + SIGNATURES[0].hex()] * 5), "more than four"),
    "topics_text": (log(3, 0, topics="0x"), "no topics"),
    "short_topic": (log(3, 0, topics=["0x01"]), "topic of a log"),
    "foreign_topic": (log(3, 0, topics=[word(9)]), "another event"),
    "data": (log(3, 0, data="0x123"), "data of a log"),
    "data_with_spaces": (log(3, 0, data="0x12 34 "), "data of a log"),
    "data_missing": (log(3, 0, data=None), "data of a log"),
    "block_hash": (log(3, 0, blockHash="0x12"), "blockHash"),
    "transaction_hash": (log(3, 0, transactionHash=None), "transactionHash"),
    "index": (log(3, 0, logIndex="1"), "logIndex"),
    "time": (log(3, 0, blockTimestamp="soon"), "blockTimestamp"),
}


@pytest.mark.parametrize("name", BAD_LOGS)
def test_a_log_that_is_not_of_its_form_is_refused(name):
    item, text = BAD_LOGS[name]
    with pytest.raises(BadAnswer, match=text):
        Node([item]).read(0, 9)


def test_a_log_outside_the_range_is_refused():
    node = Node([], refuse=lambda *_: [log(10, 0)])
    with pytest.raises(BadAnswer, match="block 10 came where blocks 0 to 9"):
        node.read(0, 9)


def test_a_pending_log_is_refused():
    node = Node([], refuse=lambda *_: [log(3, 0, blockNumber=None)])
    with pytest.raises(BadAnswer, match="blockNumber"):
        node.read(0, 9)


def test_two_logs_at_one_place_are_refused():
    with pytest.raises(BadAnswer, match="two logs stand at place 2"):
        Node([log(3, 2), log(3, 2, data="0x")]).read(0, 9)


def test_two_blocks_of_one_height_are_refused():
    with pytest.raises(BadAnswer, match="name two blocks"):
        Node([log(3, 0), log(3, 1, blockHash=word(9))]).read(0, 9)


@pytest.mark.parametrize("answer", [{}, "logs", [1], None])
def test_an_answer_that_is_no_list_of_logs_is_refused(answer):
    node = Node([], refuse=lambda *_: answer)
    if answer is None:
        node.transport.results = lambda method, _: hex(99) if method == "eth_blockNumber" else None
    with pytest.raises(BadAnswer, match="list of logs"):
        node.read(0, 9)
