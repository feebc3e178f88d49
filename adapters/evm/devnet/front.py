"""The sealing front: JSON-RPC bodies in, JSON-RPC bodies out; anvil behind, sealed headers before it.

1. A body whose methods know no block hashes goes to anvil unread.
2. The front answers what it holds itself: height, blocks without full transactions, validators, switches.
3. The rest goes to anvil with anvil's hashes in its parameters, and comes back with the sealed ones.
4. An endpoint with faults changes the answers last.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson

from adapters.evm.devnet.anvil import Anvil
from adapters.evm.devnet.chain import SealedChain, View
from adapters.evm.devnet.errors import RpcError
from adapters.evm.devnet.faults import FAILURES, Endpoint, tell_lies
from adapters.evm.devnet.hostile_http import HTTP_FAILURES
from adapters.evm.devnet.producer import Producer
from adapters.evm.devnet.rewrite import is_hash_free, rewrite_answer, rewrite_parameters
from adapters.evm.devnet.switches import Switches

Request = Mapping[str, Any]

_BLOCK_METHODS = frozenset({"eth_getBlockByNumber", "eth_getBlockByHash"})
_FILTER_METHOD = "eth_getFilterChanges"
_SILENCE_CHECK_S = 0.05
_NEWEST = frozenset({"latest", "safe", "finalized"})


class Front:
    """Answers JSON-RPC for one network.

    Args:
        anvil: The node behind.
        producer: The block clock.
        chain: The sealed chain, or None to serve a bare node.
        chain_id: The EIP-155 chain id.
        client_version: What `web3_clientVersion` answers.
    """

    def __init__(
        self, anvil: Anvil, producer: Producer, chain: SealedChain | None, *, chain_id: int, client_version: str
    ) -> None:
        self._anvil = anvil
        self._producer = producer
        self._chain = chain
        self._constants = {"eth_chainId": hex(chain_id), "web3_clientVersion": client_version}
        self._switches = Switches(anvil, producer, chain, chain_id).methods
        self._endpoints: defaultdict[str, Endpoint] = defaultdict(Endpoint)

    async def answer(self, body: bytes, path: str) -> bytes:
        """Answers one HTTP body.

        Args:
            body: A JSON-RPC request or a batch of them.
            path: The path of the URL: which endpoint of the network is asked.

        Returns:
            The JSON-RPC answer, or answers in the order of the requests.
        """
        endpoint = self._endpoints[path]
        try:
            if not endpoint.lies and is_hash_free(body):
                return await self._anvil.post(body)
            requests = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _error(None, RpcError(-32700, "the body is no JSON"))
        except RpcError as error:
            return _error(None, error)
        if isinstance(requests, list):
            if not requests:
                return _error(None, RpcError(-32600, "the batch is empty"))
            return await self._batch(requests, endpoint)
        return (await self._answers([requests], endpoint))[0]

    def http_failure(self, body: bytes, path: str) -> str:
        """How an endpoint fails below JSON-RPC, or empty; its switches always work."""
        lies = self._endpoints[path].lies & HTTP_FAILURES
        return min(lies) if lies and b'"devnet_' not in body else ""

    async def _batch(self, requests: list[Any], endpoint: Endpoint) -> bytes:
        """A batch in one go; one with a switch in it is run request by request, so that order means something."""
        if any(_method(request) in self._switches for request in requests):
            answers = [(await self._answers([request], endpoint))[0] for request in requests]
        else:
            answers = await self._answers(requests, endpoint)
        return b"[" + b",".join(answers) + b"]"

    async def _answers(self, requests: list[Any], endpoint: Endpoint) -> list[bytes]:
        answers: list[bytes] = [b""] * len(requests)
        waiting: list[int] = []
        for index, request in enumerate(requests):
            own = await self._own_answer(request, endpoint)
            if own is None:
                waiting.append(index)
            else:
                answers[index] = own
        if waiting:
            for index, passed in zip(
                waiting, await self._passed([requests[i] for i in waiting], endpoint), strict=True
            ):
                answers[index] = passed
        if endpoint.lies:
            return [self._spoiled(request, answer, endpoint) for request, answer in zip(requests, answers, strict=True)]
        return answers

    async def _own_answer(self, request: Any, endpoint: Endpoint) -> bytes | None:
        """The answer that needs no anvil, or None."""
        method = _method(request)
        if not method:
            return _error(None, RpcError(-32600, "a JSON-RPC request is an object with a method"))
        identity, params = request.get("id"), request.get("params", [])
        try:
            if method in self._switches:
                return _result(identity, await self._switches[method](_listed(params), endpoint))
            await self._fail(endpoint)
            if self._chain is not None:
                if method in self._constants:
                    return _result(identity, self._constants[method])
                if method == "eth_blockNumber":
                    return _result(identity, hex(self._chain.height))
                return self._held(method, identity, _listed(params), self._chain.view(endpoint.fork))
        except RpcError as error:
            return _error(identity, error)
        return None

    def _held(self, method: str, identity: Any, params: list[Any], view: View) -> bytes | None:
        """A block or header from memory, or None where anvil has to be asked."""
        if method == "debug_getRawHeader":
            header = self._header(params, view)
            if header is None:
                raise RpcError(-32000, "there is no header at this height")
            return _result(identity, "0x" + header.rlp().hex())
        if method not in _BLOCK_METHODS or (params and params[0] == "pending"):
            return None
        header = self._header(params, view)
        if header is None:
            return _result(identity, None)
        document = view.chain.blocks[header.number].document
        if document is None or (len(params) > 1 and params[1] is True):
            return None
        return _result(identity, view.block(header, document))

    @staticmethod
    def _header(params: list[Any], view: View) -> Any:
        if not params or not isinstance(params[0], str):
            raise RpcError(-32602, "name the block by a number, a tag or a hash")
        name: str = params[0]
        if len(name) == 66:
            return view.find(name)
        if name == "earliest" or name in _NEWEST:
            return view.header(0 if name == "earliest" else view.chain.height)
        try:
            return view.header(int(name, 16))
        except ValueError:
            raise RpcError(-32602, f"{name!r} is neither a block number nor a tag") from None

    async def _passed(self, requests: list[Request], endpoint: Endpoint) -> list[bytes]:
        """Asks anvil, all in one body, and rewrites its answers."""
        view = None if self._chain is None else self._chain.view(endpoint.fork)
        prepared = list(requests)
        if view is not None:
            prepared = [
                {**request, "params": rewrite_parameters(request["method"], request.get("params", []), view)}
                for request in requests
            ]
        try:
            raw = await self._anvil.post(orjson.dumps(prepared[0] if len(prepared) == 1 else prepared))
        except RpcError as error:
            return [_error(request.get("id"), error) for request in requests]
        await self._producer.settled()
        if len(requests) == 1:
            return [self._rewritten(requests[0], raw, view)]
        parsed = orjson.loads(raw or b"null")
        if not isinstance(parsed, list) or len(parsed) != len(requests):
            return [
                _error(item.get("id"), RpcError(-32600, "give every request of a batch an id")) for item in requests
            ]
        return [self._rewritten(item, orjson.dumps(one), view) for item, one in zip(requests, parsed, strict=True)]

    def _rewritten(self, request: Request, answer: bytes, view: View | None) -> bytes:
        if view is None:
            return answer
        method = request["method"]
        if method in _BLOCK_METHODS:
            parsed = orjson.loads(answer)
            header = self._header(request["params"], view) if request["params"][0] != "pending" else None
            if header is not None and isinstance(parsed.get("result"), dict):
                return _result(request.get("id"), view.block(header, parsed["result"]))
        return rewrite_answer(answer, view, listed=method == _FILTER_METHOD)

    async def _fail(self, endpoint: Endpoint) -> None:
        while "silence" in endpoint.lies:  # noqa: ASYNC110 - one waiting request of a test; no event is worth it
            await asyncio.sleep(_SILENCE_CHECK_S)
        if "errors" in endpoint.lies:
            raise RpcError(-32603, "this endpoint was told to fail (devnet_lie errors)")

    def _spoiled(self, request: Any, answer: bytes, endpoint: Endpoint) -> bytes:
        method = _method(request)
        if method in self._switches:
            return answer
        if "garbage" in endpoint.lies:
            return b"<html>not JSON</html>"
        parsed = orjson.loads(answer)
        if "result" in parsed:
            parsed["result"] = tell_lies(method, parsed["result"], endpoint.lies - FAILURES)
        return orjson.dumps(parsed)


def _method(request: Any) -> str:
    method = request.get("method") if isinstance(request, dict) else None
    return method if isinstance(method, str) else ""


def _listed(params: Any) -> list[Any]:
    if not isinstance(params, list):
        raise RpcError(-32602, "give the parameters as a list")
    return params


def _result(identity: Any, result: Any) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": identity, "result": result})


def _error(identity: Any, error: RpcError) -> bytes:
    told = {"code": error.code, "message": error.message}
    return orjson.dumps({"jsonrpc": "2.0", "id": identity, "error": told})
