"""Questions to a node: signed requests whose answers are read, sorted and held to their form."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import NamedTuple

from adapters.chainmaker.blocks import WholeBlock, check_hash, check_whole, parse, read_block_info
from adapters.chainmaker.channel import SERVICE, NodeChannel
from adapters.chainmaker.credentials import Credential
from adapters.chainmaker.members import Members
from adapters.chainmaker.names import called_name
from adapters.chainmaker.refusals import SUCCESS, refusal
from adapters.chainmaker.requests import Parameters, query, subscription
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import AdapterError, BadAnswer, Misconfigured, Rejected
from adapters.ranges import in_ranges
from light_clients.chainmaker.merkle import HASHES

CHAIN_QUERY, CHAIN_CONFIG = "CHAIN_QUERY", "CHAIN_CONFIG"
SINGLE_BLOCKS = 4
"""So many blocks are asked for one by one; of more a stream is read."""
STREAMED_BLOCKS = 32
"""Of one stream at most: a block of deliveries has some 300 KB, and a stream one request's time and size."""
_BLOCK_NUMBER = struct.Struct("<q")


class Question(NamedTuple):
    """What is asked of whom: a contract, its method, its parameters, and which member asks (None: the usual one)."""

    contract: str
    method: str
    parameters: Parameters
    member: Credential | None = None


def contract_call(target: bytes, calldata: bytes, member: Credential | None = None) -> Question:
    """A call of a Solidity contract."""
    return Question(called_name(target), calldata[:4].hex(), {"data": calldata.hex().encode()}, member)


class Questions:
    """What can be asked of a node. Safe to share between threads."""

    def __init__(self, channel: NodeChannel, members: Members, chain: str) -> None:
        self._channel, self._members, self._chain = channel, members, chain
        self._hash_name = ""

    @property
    def label(self) -> str:
        """The endpoint without credentials."""
        return self._channel.label

    def ask(self, question: Question) -> bytes:
        """Ask one question; returns the result of the contract.

        Raises:
            AdapterError: by kind.
        """
        (answer,) = self.ask_all([question])
        if isinstance(answer, AdapterError):
            raise answer
        return answer

    def ask_all(self, questions: Sequence[Question]) -> list[bytes | AdapterError]:
        """Ask questions at once; a refusal stands in the place of its answer.

        Raises:
            AdapterError: the node does not answer one of them, or in no form.
        """
        now, reader = int(time.time()), self._members.reader()
        asked = [
            query(self._chain, question.member or reader, question.contract, question.method, question.parameters, now)
            for question in questions
        ]
        answers: list[bytes | AdapterError] = []
        for question, data in zip(questions, self._channel.ask_all(SERVICE + "SendRequest", asked), strict=True):
            if isinstance(data, AdapterError):
                raise data
            response = parse(pb.TxResponse, data, f"an answer of {self.label}")
            if response.code == SUCCESS and not response.contract_result.code:
                answers.append(bytes(response.contract_result.result))
            else:
                answers.append(refusal(response, self.label, (question.member or reader).name))
        return answers

    def software(self) -> str:
        """What the node says it runs."""
        answer = self._channel.ask(SERVICE + "GetChainMakerVersion", b"")
        version = parse(pb.ChainMakerVersionResponse, answer, f"the version of {self.label}").version
        return version[:200] if version and version.isprintable() else "unknown"

    def configuration(self) -> pb.ChainConfig:
        """The chain's configuration.

        Raises:
            Misconfigured: the chain is another one.
            AdapterError: by kind.
        """
        data = self.ask(Question(CHAIN_CONFIG, "GET_CHAIN_CONFIG", {}))
        config: pb.ChainConfig = parse(pb.ChainConfig, data, f"the configuration of {self.label}")
        if config.chain_id != self._chain:
            raise Misconfigured(
                f"{self.label} serves the chain {config.chain_id[:40]!r}, not {self._chain!r}; correct the option chain.",
                endpoint=self.label,
            )
        return config

    def hash_name(self) -> str:
        """``SHA256`` or ``SM3``, as the chain's configuration says; it never changes, so it is asked once.

        Raises:
            Misconfigured: the chain uses another hash.
            AdapterError: by kind.
        """
        if not self._hash_name:
            name = self.configuration().crypto.hash
            if name not in HASHES:
                raise Misconfigured(
                    f"{self.label} hashes with {name[:20]!r}; only {', '.join(HASHES)} can be judged.",
                    endpoint=self.label,
                )
            self._hash_name = name
        return self._hash_name

    def newest_block(self) -> WholeBlock:
        """The newest block, without read-write sets."""
        data = self.ask(Question(CHAIN_QUERY, "GET_LAST_BLOCK", {"withRWSet": b"false"}))
        block = read_block_info(data, None)
        check_hash(block, self.hash_name())
        return block

    def blocks(self, first: int, last: int, *, whole: bool) -> list[WholeBlock]:
        """Blocks of heights `first` to `last` inclusive, in order.

        Args:
            first: the lowest height.
            last: the highest.
            whole: whether they come with their read-write sets and are held against their headers.

        Raises:
            Rejected: the node does not have one of them (`no_state`).
            AdapterError: by kind.
        """
        if last < first:
            return []
        if last - first < SINGLE_BLOCKS:
            found = self._single(first, last, whole)
        else:
            found = list(in_ranges(first, last, STREAMED_BLOCKS, lambda start, end: self._streamed(start, end, whole)))
        name = self.hash_name()
        for block in found:
            check_hash(block, name)
            if whole:
                check_whole(block, name)
        return found

    def _single(self, first: int, last: int, whole: bool) -> list[WholeBlock]:
        flag = b"true" if whole else b"false"
        heights = range(first, last + 1)
        questions = [
            Question(CHAIN_QUERY, "GET_BLOCK_BY_HEIGHT", {"blockHeight": str(height).encode(), "withRWSet": flag})
            for height in heights
        ]
        blocks = []
        for height, answer in zip(heights, self.ask_all(questions), strict=True):
            if isinstance(answer, Rejected) and answer.code == "reverted":
                raise self._absent(height)
            if isinstance(answer, AdapterError):
                raise answer
            blocks.append(read_block_info(answer, height))
        return blocks

    def _streamed(self, first: int, last: int, whole: bool) -> list[WholeBlock]:
        """Read blocks from a subscription that ends with the last one."""
        if self.newest_block().header.height < last:
            raise self._absent(last)
        parameters = {
            "START_BLOCK": _BLOCK_NUMBER.pack(first),
            "END_BLOCK": _BLOCK_NUMBER.pack(last),
            "WITH_RWSET": b"true" if whole else b"false",
            "ONLY_HEADER": b"false",
        }
        request = subscription(self._chain, self._members.reader(), "SUBSCRIBE_BLOCK", parameters, int(time.time()))
        blocks: list[WholeBlock] = []
        for message in self._channel.follow(SERVICE + "Subscribe", request, last - first + 1):
            told = parse(pb.SubscribeResult, message, f"a block of {self.label}")
            blocks.append(read_block_info(bytes(told.data), first + len(blocks)))
        if len(blocks) != last - first + 1:
            raise BadAnswer(
                f"{self.label} sent {len(blocks)} blocks where {last - first + 1} were asked for; leave it.",
                endpoint=self.label,
            )
        return blocks

    def _absent(self, height: int) -> Rejected:
        return Rejected(f"{self.label} does not have block {height}.", code="no_state", endpoint=self.label)
