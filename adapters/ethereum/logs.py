"""A gateway's logs by `eth_getLogs`, in ranges of blocks that adapt to what the node takes, and held to their form.

What is checked here is form alone (an event is what an endpoint *says*):
1. The log is of the contract, the topics and the blocks that were asked for.
2. It is not marked as removed, and has one to four topics of 32 bytes.
3. All logs of one height stand in one block.
4. No two logs have the same place.

Source: the Ethereum JSON-RPC specification (execution-apis), method eth_getLogs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from adapters.ethereum.answers import data, quantity, records, word
from adapters.ethereum.refusals import asks_for_less
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import AnswerTooLarge, BadAnswer, Position, Unreachable
from schemas.primitives import hex0x


class Log(NamedTuple):
    """A log as a node gave it: topics of 32 bytes, data, and its place."""

    topics: tuple[bytes, ...]
    data: bytes
    position: Position


class LogReader:
    """Asks for logs, and remembers how many blocks the endpoint takes in one question."""

    def __init__(self, rpc: JsonRpc, *, span: int) -> None:
        self._rpc = rpc
        self._largest_span = span
        self._span = span

    def read(self, first: int, last: int, address: bytes, signatures: Sequence[bytes]) -> list[Log]:
        """Read the logs of blocks `first` to `last` inclusive whose first topic is one of `signatures`, in ledger order.

        Raises:
            Unreachable: the endpoint does not answer, or has not reached `last`.
            BadAnswer: the answer is not of its form, or one block's logs alone are too large.
            RpcError: the endpoint refuses one block's logs.
        """
        wanted = frozenset(signatures)
        topics = [[hex0x(signature) for signature in signatures]]
        logs: list[Log] = []
        start = first
        while start <= last:
            end = min(last, start + self._span - 1)
            question = {"address": hex0x(address), "fromBlock": hex(start), "toBlock": hex(end), "topics": topics}
            try:
                answer = self._ask(question, end)
            except (RpcError, AnswerTooLarge) as error:
                if start == end or (isinstance(error, RpcError) and not asks_for_less(error)):
                    raise
                self._span = (end - start + 1) // 2
                continue
            logs += _read_logs(answer, start, end, address, wanted)
            start = end + 1
            self._span = min(self._largest_span, self._span + self._span // 4 + 1)
        return self._with_times(logs)

    def _ask(self, question: dict[str, Any], end: int) -> Any:
        tip, answer = self._rpc.batch([("eth_blockNumber", []), ("eth_getLogs", [question])])
        for item in (tip, answer):
            if isinstance(item, RpcError):
                raise item
        if quantity(tip, "the newest block's number") < end:
            raise Unreachable(
                f"{self._rpc.label} has not reached block {end}; ask again later.", endpoint=self._rpc.label
            )
        return answer

    def _with_times(self, logs: list[Log]) -> list[Log]:
        """Give logs without a time the time of their block, where the block is still the same one."""
        heights = sorted({log.position.height for log in logs if not log.position.timestamp})
        if not heights:
            return logs
        blocks = self._rpc.demand([("eth_getBlockByNumber", [hex(height), False]) for height in heights])
        times: dict[bytes, int] = {}
        for block in blocks:
            if isinstance(block, dict):
                times[data(block.get("hash"), "hash of the block", 32)] = quantity(block.get("timestamp"), "timestamp")
        return [log if log.position.timestamp else _timed(log, times.get(log.position.block_hash, 0)) for log in logs]


def _timed(log: Log, timestamp: int) -> Log:
    place = log.position
    return Log(
        log.topics, log.data, Position(place.height, place.block_hash, place.transaction, place.index, timestamp)
    )


def _read_logs(answer: Any, first: int, last: int, address: bytes, signatures: frozenset[bytes]) -> list[Log]:
    logs: list[Log] = []
    hashes: dict[int, bytes] = {}
    places: set[tuple[int, int]] = set()
    expected_address = hex0x(address)
    for item in records(answer, "the list of logs"):
        log = _read_log(item, expected_address, signatures)
        place = log.position
        if not first <= place.height <= last:
            raise BadAnswer(f"a log of block {place.height} came where blocks {first} to {last} were asked for.")
        if hashes.setdefault(place.height, place.block_hash) != place.block_hash:
            raise BadAnswer(f"logs of block {place.height} name two blocks; leave the endpoint.")
        if (place.height, place.index) in places:
            raise BadAnswer(f"two logs stand at place {place.index} of block {place.height}; leave the endpoint.")
        places.add((place.height, place.index))
        logs.append(log)
    logs.sort(key=lambda log: (log.position.height, log.position.index))
    return logs


def _read_log(item: dict[str, Any], address: str, signatures: frozenset[bytes]) -> Log:
    spoken = item.get("address")
    if not isinstance(spoken, str) or spoken.lower() != address:
        raise BadAnswer("a log is of another contract than was asked for; leave the endpoint.")
    if item.get("removed", False) is not False:
        raise BadAnswer("a log is marked as removed; leave the endpoint.")
    raw_topics = item.get("topics")
    if not isinstance(raw_topics, list) or not 1 <= len(raw_topics) <= 4:
        raise BadAnswer("a log has no topics, or more than four; leave the endpoint.")
    topics = tuple([word(topic, "topic of a log") for topic in raw_topics])
    if topics[0] not in signatures:
        raise BadAnswer("a log is of another event than was asked for; leave the endpoint.")
    position = Position(
        height=quantity(item.get("blockNumber"), "blockNumber of a log"),
        block_hash=word(item.get("blockHash"), "blockHash of a log"),
        transaction=word(item.get("transactionHash"), "transactionHash of a log"),
        index=quantity(item.get("logIndex"), "logIndex of a log"),
        timestamp=quantity(item.get("blockTimestamp") or "0x0", "blockTimestamp of a log"),
    )
    return Log(topics, data(item.get("data"), "data of a log"), position)
