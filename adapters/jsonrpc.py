"""JSON-RPC 2.0 over HTTP or a local socket, in batches, held to limits of time and size.

1. A request body stays below 900 KB and a batch below 500 calls (anvil and proxies refuse 1 MB).
2. An answer is read as a stream and left as soon as it is larger than agreed, or later than agreed.
3. A batch's answers may come in any order; one that is missing, double or not asked for makes the whole answer bad.
4. Busy (HTTP 429, 502, 503, 504) is `Unreachable`, with the seconds that Retry-After asks for.
5. An error object is `RpcError`, a `Rejected` with the server's number and data.
6. Credentials in a URL (user, password, query, long path tokens) are in no error and no log.

Sources: the JSON-RPC 2.0 specification, sections 4 to 6; RFC 9110, section 10.2.3 (Retry-After).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import orjson

from adapters.protocol import BadAnswer, Rejected, Unreachable
from adapters.transport import Transport, endpoint_label, open_transport

MAX_BODY_BYTES = 900_000
MAX_BATCH_CALLS = 499
METHOD_NOT_FOUND = -32601
_HEAD_BYTES = 48

RpcCall = tuple[str, list[Any]]
"""A method and its positional parameters."""


class RpcError(Rejected):
    """The server answered one call with an error object.

    Attributes:
        rpc_code: the server's number, 0 if it gave none.
        data: what the server added, None if nothing.
    """

    def __init__(self, message: str, *, rpc_code: int, data: Any, endpoint: str) -> None:
        code = "no_method" if rpc_code == METHOD_NOT_FOUND else "other"
        super().__init__(message, code=code, reason=message, endpoint=endpoint)
        self.rpc_code = rpc_code
        self.data = data


class JsonRpc:
    """One endpoint, spoken to in batches. Safe to share between threads.

    Attributes:
        label: the endpoint without credentials, for errors and logs.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 10.0,
        max_answer_bytes: int = 64 * 1024 * 1024,
        transport: Transport | None = None,
    ) -> None:
        """Prepare to speak to an endpoint; nothing is asked yet.

        Args:
            url: `http(s)://…`, or the path of a local socket (`/…`, `ipc:/…`, `unix:/…`).
            timeout_s: seconds that one request may take, from its first byte to the last byte of its answer.
            max_answer_bytes: the largest answer that is read.
            transport: what carries the bytes, if not what the URL says.

        Raises:
            Misconfigured: the URL is of no kind that is known.
        """
        self.label = endpoint_label(url)
        self._transport = transport or open_transport(url, timeout_s=timeout_s, max_answer_bytes=max_answer_bytes)
        self._exchanges = itertools.count(1)

    def call(self, method: str, params: list[Any]) -> Any:
        """Ask one thing.

        Raises:
            RpcError: the server answered with an error object.
            Unreachable: it did not answer, or is busy.
            BadAnswer: the answer is no JSON-RPC.
        """
        answer = self.batch([(method, params)])[0]
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[RpcCall]) -> list[Any]:
        """Ask many things; the answers come in the order of the calls, an error object as an `RpcError` in its place.

        Raises:
            Unreachable: the endpoint did not answer, or is busy.
            BadAnswer: an answer is no JSON-RPC, missing, double, or to a question that was not asked.
        """
        answers: list[Any] = []
        chunk: list[bytes] = []
        size = 0
        for method, params in calls:
            tail = orjson.dumps({"method": method, "params": params})[1:]
            if chunk and (size + len(tail) + _HEAD_BYTES > MAX_BODY_BYTES or len(chunk) >= MAX_BATCH_CALLS):
                answers += self._exchange(chunk)
                chunk, size = [], 0
            chunk.append(tail)
            size += len(tail) + _HEAD_BYTES
        if chunk:
            answers += self._exchange(chunk)
        return answers

    def demand(self, calls: Sequence[RpcCall]) -> list[Any]:
        """Ask many things and refuse the whole if one of them was answered with an error object.

        Raises:
            RpcError: the first error object.
            Unreachable: the endpoint did not answer, or is busy.
            BadAnswer: an answer is no JSON-RPC.
        """
        answers = self.batch(calls)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers

    def close(self) -> None:
        """Release connections."""
        self._transport.close()

    def _exchange(self, tails: list[bytes]) -> list[Any]:
        """Send one batch under numbers that no other request of this object uses, and read its answers in order."""
        first = next(self._exchanges) * (MAX_BATCH_CALLS + 1)
        encoded = [b'{"jsonrpc":"2.0","id":%d,' % number + tail for number, tail in enumerate(tails, first)]
        single = len(encoded) == 1
        answer = self._transport.exchange(encoded[0] if single else b"[" + b",".join(encoded) + b"]")
        if answer.status in (401, 403):
            raise Unreachable(
                f"{self.label} refuses our credentials (HTTP {answer.status}); correct the endpoint's URL.",
                endpoint=self.label,
            )
        try:
            decoded = orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            if answer.status >= 300:
                raise BadAnswer(
                    f"{self.label} answered HTTP {answer.status}; check the endpoint's URL.", endpoint=self.label
                ) from error
            raise BadAnswer(
                f"{self.label} did not answer in JSON; check that the endpoint speaks JSON-RPC.", endpoint=self.label
            ) from error
        if single:
            return [self._read_one(decoded, first)]
        if not isinstance(decoded, list):
            raise self._whole_refusal(decoded)
        return self._in_order(decoded, first, len(encoded))

    def _in_order(self, decoded: list[Any], first: int, count: int) -> list[Any]:
        if len(decoded) != count:
            raise BadAnswer(f"{self.label} gave {len(decoded)} answers to {count} calls.", endpoint=self.label)
        answers: list[Any] = [None] * count
        seen = [False] * count
        for item in decoded:
            number = item.get("id") if isinstance(item, dict) else None
            if type(number) is not int or not first <= number < first + count or seen[number - first]:
                raise BadAnswer(f"{self.label} answered twice, or a question that was not asked.", endpoint=self.label)
            seen[number - first] = True
            answers[number - first] = self._read_one(item, number)
        return answers

    def _read_one(self, item: Any, number: int) -> Any:
        if not isinstance(item, dict):
            raise BadAnswer(f"{self.label} answered something that is no JSON-RPC object.", endpoint=self.label)
        error = item.get("error")
        if error is not None:
            if item.get("id") not in (number, None):
                raise BadAnswer(f"{self.label} answered a question that was not asked.", endpoint=self.label)
            return self._rpc_error(error)
        if type(item.get("id")) is not int or item["id"] != number:
            raise BadAnswer(f"{self.label} answered a question that was not asked.", endpoint=self.label)
        if "result" not in item:
            raise BadAnswer(f"{self.label} answered with neither a result nor an error.", endpoint=self.label)
        return item["result"]

    def _whole_refusal(self, decoded: Any) -> Rejected | BadAnswer:
        if isinstance(decoded, dict) and decoded.get("error") is not None:
            return self._rpc_error(decoded["error"])
        return BadAnswer(f"{self.label} answered a batch with something that is no list.", endpoint=self.label)

    def _rpc_error(self, error: Any) -> RpcError:
        if not isinstance(error, dict):
            error = {"message": str(error)}
        code = error.get("code")
        message = str(error.get("message", "no reason given"))[:500]
        return RpcError(message, rpc_code=code if type(code) is int else 0, data=error.get("data"), endpoint=self.label)
