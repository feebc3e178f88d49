"""What CometBFT's RPC says: who the chain is, its commits with their validators, and proofs of the application's state.

Answers keep their form and are not judged; what could not be the answer to the question is refused.

Source: CometBFT RPC 0.38 (`rpc/openapi/openapi.yaml`): /status, /genesis, /commit, /validators, /abci_query.
"""

from __future__ import annotations

import re
import threading
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.cosmos.bundles import bundle, read_chain_header, set_hash
from adapters.ethereum.answers import record, records
from adapters.jsonrpc import JsonRpc, RpcCall, RpcError
from adapters.protocol import BadAnswer, Rejected, Unreachable
from light_clients.cometbft.block_json import proofs_from_json
from light_clients.cometbft.types import MAXIMUM_VALIDATORS, CometbftHeader
from light_clients.errors import HeaderJsonInvalid

VALIDATORS_A_PAGE = 100
SETS_KEPT = 8
LEAST_PROVED_HEIGHT = 2
"""The first height whose state a node proves (Cosmos SDK, `baseapp/abci.go`, handleQueryStore)."""
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_NOT_THERE = re.compile(r"height|version|not found|prun|no commit|unavailable", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Status:
    """What a node says of itself: the chain's name, its newest height, and its software's version."""

    chain_id: str
    height: int
    version: str


class ConsensusRpc:
    """One node's CometBFT RPC. Safe to share between threads."""

    def __init__(self, rpc: JsonRpc, *, batch: int) -> None:
        """Args: rpc: what carries the questions; batch: how many the node takes in one request."""
        self.rpc = rpc
        self._batch = batch
        self._sets: dict[str, tuple[Any, ...]] = {}
        self._lock = threading.Lock()

    def status(self) -> Status:
        """Ask the node who it is and how far it is.

        Raises:
            RpcError: it refuses.
            BadAnswer: the answer is not of its form.
        """
        answer = record(self._ask([("status", [])])[0], "the status")
        info, sync = (record(answer.get(name), name) for name in ("node_info", "sync_info"))
        chain_id, version = info.get("network"), info.get("version")
        if not isinstance(chain_id, str) or not chain_id.isascii() or not chain_id.isprintable() or not chain_id:
            raise BadAnswer("the node's network is no name of a chain; leave the endpoint.", endpoint=self.rpc.label)
        name = version if isinstance(version, str) and version.isascii() and version.isprintable() else "unknown"
        return Status(chain_id, decimal(sync.get("latest_block_height"), "latest_block_height"), name[:64])

    def header(self, height: int) -> CometbftHeader:
        """The header of one height, with the hash of what was answered.

        Raises:
            Rejected: the node does not have it (`no_state`).
            BadAnswer: the answer is no header of that height.
        """
        answer = self._ask([("commit", [str(height)])])[0]
        return read_chain_header(record(answer, "the commit").get("signed_header"), height)

    def initial_height(self) -> int:
        """The height of the first block, as the genesis says; nodes refuse a genesis above 16 MB.

        Raises:
            Rejected: the node refuses.
            BadAnswer: the answer is no genesis.
        """
        genesis = record(record(self._ask([("genesis", [])])[0], "the answer").get("genesis"), "the genesis")
        return max(1, decimal(genesis.get("initial_height", "1"), "initial_height"))

    def bundles(self, first: int, last: int) -> list[bytes]:
        """Header, commit and validators of heights `first` to `last`, in the form of `light_clients.cometbft.codec`.

        Raises:
            Rejected: the node does not have one of them (`no_state`).
            BadAnswer: an answer is not of its form.
        """
        found = self._signed(first, last)
        sets = self._validators({header.validators_hash.hex(): header.height for _, header in reversed(found)})
        return [bundle(item, sets[header.validators_hash.hex()]) for item, header in found]

    def bundle_with_next(self, height: int) -> bytes:
        """The same of one height, and where they are others the validators that its header names as next, as trusted ones.

        Raises:
            Rejected: the node does not have it (`no_state`).
            BadAnswer: an answer is not of its form.
        """
        ((item, header),) = self._signed(height, height)
        own, following = header.validators_hash.hex(), header.next_validators_hash.hex()
        sets = self._validators({following: height + 1, own: height})
        return bundle(item, sets[own]) if own == following else bundle(item, sets[own], sets[following], height)

    def proofs(self, store: str, keys: Sequence[bytes], height: int) -> list[tuple[bytes, bytes]]:
        """For each key the proofs in the store and of the store, in the state after the block at `height`.

        Raises:
            Rejected: the node does not have that state (`no_state`), or proves none.
            BadAnswer: an answer is of another key or height, or has no proofs.
        """
        if height < LEAST_PROVED_HEIGHT:
            raise self._missing(f"{self.rpc.label} proves no state before that of block {LEAST_PROVED_HEIGHT}.")
        path = f"/store/{store}/key"
        answers = self._ask([("abci_query", [path, key.hex(), str(height), True]) for key in keys])
        return [self._proof(answer, key, height) for answer, key in zip(answers, keys, strict=True)]

    def _signed(self, first: int, last: int) -> list[tuple[dict[str, Any], CometbftHeader]]:
        """The signed headers of heights `first` to `last` as they were answered, and read."""
        heights = range(first, last + 1)
        answers = self._ask([("commit", [str(height)]) for height in heights])
        signed = [record(record(answer, "the commit").get("signed_header"), "signed_header") for answer in answers]
        return [(item, read_chain_header(item, height)) for item, height in zip(signed, heights, strict=True)]

    def _proof(self, answer: Any, key: bytes, height: int) -> tuple[bytes, bytes]:
        response = record(record(answer, "the answer").get("response"), "response of abci_query")
        code = response.get("code", 0)
        if type(code) is not int or code != 0:
            log = str(response.get("log", ""))[:300]
            if _NOT_THERE.search(log):
                raise self._missing(f"{self.rpc.label} does not have the state of block {height} ({log}).")
            raise Rejected(f"{self.rpc.label} proves nothing: {log}", reason=log, endpoint=self.rpc.label)
        if decimal(response.get("height"), "height of the proof") != height or _base64(response.get("key")) != key:
            raise BadAnswer("the proof is of another key or height than was asked for.", endpoint=self.rpc.label)
        try:
            return proofs_from_json(response)
        except HeaderJsonInvalid as error:
            raise BadAnswer(f"{self.rpc.label}: {error.message}", endpoint=self.rpc.label) from error

    def _validators(self, heights: Mapping[str, int]) -> dict[str, tuple[Any, ...]]:
        """Sets by their hash, each asked at one height whose header names it; those that fit their hash are remembered."""
        with self._lock:
            found = {name: self._sets[name] for name in heights if name in self._sets}
        for name, height in heights.items():
            if name in found:
                continue
            found[name] = self._ask_set(height)
            if set_hash(found[name]).hex() == name:
                with self._lock:
                    self._sets[name] = found[name]
                    while len(self._sets) > SETS_KEPT:
                        self._sets.pop(next(iter(self._sets)))
        return found

    def _ask_set(self, height: int) -> tuple[Any, ...]:
        members: list[Any] = []
        total, page = 1, 0
        while len(members) < total:
            page += 1
            answer = record(
                self._ask([("validators", [str(height), str(page), str(VALIDATORS_A_PAGE)])])[0], "the validators"
            )
            listed = records(answer.get("validators"), "the list of validators")
            total = decimal(answer.get("total", str(len(listed))), "total of the validators")
            members += listed
            if not listed or total > MAXIMUM_VALIDATORS or len(members) > total:
                raise BadAnswer("the pages of validators do not add up; leave the endpoint.", endpoint=self.rpc.label)
        return tuple(members)

    def _ask(self, calls: Sequence[RpcCall]) -> list[Any]:
        """Ask in requests of the size that the node takes; the first refusal is raised."""
        answers: list[Any] = []
        for start in range(0, len(calls), self._batch):
            for answer in self.rpc.batch(calls[start : start + self._batch]):
                if isinstance(answer, RpcError):
                    raise self._refusal(answer)
                answers.append(answer)
        return answers

    def _refusal(self, error: RpcError) -> Rejected | Unreachable:
        """CometBFT says «Internal error» and the reason beside it."""
        reason = error.data if isinstance(error.data, str) else error.reason
        if "timed out" in reason or "busy" in reason:
            return Unreachable(f"{self.rpc.label} is busy ({reason[:200]}); try again later.", endpoint=self.rpc.label)
        if error.code == "no_method":
            return error
        if _NOT_THERE.search(reason):
            return self._missing(f"{self.rpc.label} does not have it: {reason[:300]}")
        return Rejected(f"{self.rpc.label} refuses: {reason[:300]}", reason=reason[:300], endpoint=self.rpc.label)

    def _missing(self, text: str) -> Rejected:
        return Rejected(text, code="no_state", reason=text, endpoint=self.rpc.label)


def decimal(value: Any, name: str) -> int:
    """Read a number that CometBFT writes as a text of decimal digits.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise BadAnswer(f"{name} is no number in decimal digits; leave the endpoint.")
    return int(value)


def _base64(value: Any) -> bytes:
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        return b""
