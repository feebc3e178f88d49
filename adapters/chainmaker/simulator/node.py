"""A node of a simulated network: ChainMaker's gRPC service `api.RpcNode` over mutual TLS, with faults on demand.

Requests and answers are those of ChainMaker's `rpcserver`: codes, and messages where their words are known from its source.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc

from adapters.chainmaker.simulator.access import INVOKE, QUERY, SUBSCRIBE, Refused
from adapters.chainmaker.simulator.authority import Issued
from adapters.chainmaker.simulator.chain import Chain
from adapters.chainmaker.simulator.contracts import CONTRACT_FAIL, CallFailed, failure_of
from adapters.chainmaker.simulator.faults import (
    HUGE_BYTES,
    SILENCE_S,
    SLOW_S,
    Faults,
    forked,
    lie_about_block,
    lie_about_output,
    lie_about_transaction,
)
from adapters.chainmaker.simulator.material import Organisation
from adapters.chainmaker.simulator.system import CHAIN_CONFIG, CHAIN_QUERY, CONTRACT_MANAGE
from adapters.chainmaker.stubs import chainmaker_pb2 as pb

SERVICE, DEVELOPMENT_SERVICE = "api.RpcNode", "relayhub.chainmaker.Development"
SOFTWARE = "relayhub-chainmaker-simulator v2.3.2"
INTERNAL_ERROR = 5
MESSAGE_LIMIT = 64 * 1024 * 1024
WORKERS = 16
STOP_S = 0.2

Parameters = dict[str, bytes]


@dataclass(frozen=True)
class DevelopmentDesk:
    """What a development network offers that no real one does.

    Attributes:
        certify: makes a member's certificate (PEM) for a public key (X ‖ Y) and a name.
        switch: takes switches as JSON and returns what is set.
    """

    certify: Callable[[bytes, str], bytes]
    switch: Callable[[dict[str, Any]], dict[str, Any]]


class Node:
    """One node, which listens on one port of 127.0.0.1.

    Attributes:
        faults: what it does wrong.
        tls: its TLS certificate; another one holds from the next start on.
    """

    def __init__(self, chain: Chain, organisation: Organisation, port: int, desk: DevelopmentDesk) -> None:
        self.chain, self.organisation, self.port = chain, organisation, port
        self.faults = Faults()
        self.tls: Issued = organisation.node_tls
        self._desk = desk
        self._server: grpc.Server | None = None
        self._stopping = threading.Event()

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"grpcs://127.0.0.1:{self.port}"

    def start(self, client_roots: bytes) -> None:
        """Listen.

        Args:
            client_roots: PEM of the authorities whose TLS certificates clients may have.

        Raises:
            RuntimeError: the port is taken.
        """
        self._stopping.clear()
        limits = [
            ("grpc.max_receive_message_length", MESSAGE_LIMIT),
            ("grpc.max_send_message_length", MESSAGE_LIMIT),
            ("grpc.so_reuseport", 0),
        ]
        server = grpc.server(ThreadPoolExecutor(WORKERS), options=limits)
        server.add_generic_rpc_handlers((self._handlers(), self._development_handlers()))
        credentials = grpc.ssl_server_credentials(
            [(self.tls.key_pem, self.tls.pem)], root_certificates=client_roots, require_client_auth=True
        )
        if server.add_secure_port(f"127.0.0.1:{self.port}", credentials) == 0:
            raise RuntimeError(f"The port {self.port} of 127.0.0.1 is taken; choose another one.")
        server.start()
        self._server = server

    def stop(self) -> None:
        """Listen no more; what is asked breaks off."""
        self._stopping.set()
        if self._server is not None:
            self._server.stop(STOP_S).wait()
            self._server = None

    # The service

    def _handlers(self) -> grpc.GenericRpcHandler:
        def unary(answer: Callable[[bytes], bytes]) -> grpc.RpcMethodHandler[bytes, bytes]:
            return grpc.unary_unary_rpc_method_handler(lambda data, context: self._answer(answer, data, context))

        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "SendRequest": unary(self._send_request),
                "GetChainMakerVersion": unary(self._version),
                "Subscribe": grpc.unary_stream_rpc_method_handler(self._subscribe),
            },
        )

    def _development_handlers(self) -> grpc.GenericRpcHandler:
        def certify(data: bytes, _: grpc.ServicerContext) -> bytes:
            asked = pb.CertifyRequest.FromString(data)
            return pb.CertifyResponse(certificate=self._desk.certify(asked.public_key, asked.name)).SerializeToString()

        def switch(data: bytes, _: grpc.ServicerContext) -> bytes:
            asked = json.loads(pb.SwitchRequest.FromString(data).switches)
            return pb.SwitchResponse(switches=json.dumps(self._desk.switch(asked))).SerializeToString()

        handlers = {"Certify": certify, "Switch": switch}
        return grpc.method_handlers_generic_handler(
            DEVELOPMENT_SERVICE,
            {name: grpc.unary_unary_rpc_method_handler(handler) for name, handler in handlers.items()},
        )

    def _answer(self, answer: Callable[[bytes], bytes], data: bytes, context: grpc.ServicerContext) -> bytes:
        """Answer a question, or fail as the faults say."""
        match self.faults.failure:
            case "unavailable":
                context.abort(grpc.StatusCode.UNAVAILABLE, "the node is going away")
            case "exhausted":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
            case "internal":
                context.abort(grpc.StatusCode.INTERNAL, "something went wrong")
            case "silence":
                self._stopping.wait(SILENCE_S)
            case "slow":
                time.sleep(SLOW_S)
            case "cut":
                whole = answer(data)
                return whole[: len(whole) * 2 // 3]
            case "garbage":
                return b"\xff\xfe no message"
            case "huge":
                return pb.TxResponse(message="x" * HUGE_BYTES).SerializeToString()
        return answer(data)

    def _version(self, data: bytes) -> bytes:
        pb.ChainMakerVersionRequest.FromString(data)
        return pb.ChainMakerVersionResponse(version=SOFTWARE, message="OK").SerializeToString()

    def _send_request(self, data: bytes) -> bytes:
        request = pb.TxRequest.FromString(data)
        payload, response = request.payload, pb.TxResponse(tx_id=request.payload.tx_id)
        try:
            if payload.tx_type == INVOKE:
                self.chain.take(request)
                response.message = "OK"
            elif payload.tx_type == QUERY:
                self._query(request, response)
            else:
                response.code, response.message = INTERNAL_ERROR, "unknown tx type"
        except Refused as refusal:
            response.code, response.message = INTERNAL_ERROR, str(refusal)
        except CallFailed as failure:
            response.code = CONTRACT_FAIL
            response.message = (
                f"txStatusCode:{CONTRACT_FAIL}, resultCode:1, contractName[{payload.contract_name}] "
                f"method[{payload.method}] txType[QUERY_CONTRACT], {failure}"
            )
            response.contract_result.code, response.contract_result.message = 1, str(failure)
        return response.SerializeToString()

    def _query(self, request: pb.TxRequest, response: pb.TxResponse) -> None:
        payload = request.payload
        sender = self.chain.access.check(request)
        parameters = {pair.key: pair.value for pair in payload.parameters}
        response.message = "SUCCESS"
        result = response.contract_result
        result.SetInParent()
        if payload.contract_name == CHAIN_QUERY:
            result.result = self._chain_query(payload.method, parameters)
        elif (payload.contract_name, payload.method) == (CHAIN_CONFIG, "GET_CHAIN_CONFIG"):
            result.result = self.chain.config.SerializeToString()
        elif (payload.contract_name, payload.method) == (CONTRACT_MANAGE, "GET_CONTRACT_INFO"):
            result.result = self._contract_info(parameters.get("CONTRACT_NAME", b"").decode())
        else:
            done = self.chain.call(payload, sender)
            if not done.success:
                raise CallFailed(failure_of(done))
            result.result, result.gas_used = lie_about_output(done.output, self.faults.lies), done.gas_used

    # Questions about the chain

    def _tip(self) -> int:
        return max(0, self.chain.height - self.faults.lag)

    def _chain_query(self, method: str, parameters: Parameters) -> bytes:
        with_sets = parameters.get("withRWSet", b"").lower() == b"true"
        tx_id = parameters.get("txId", b"").decode()
        if method == "GET_LAST_BLOCK":
            info = self._block(self._tip(), with_sets)
            if "height" in self.faults.lies:
                info.block.header.block_height += 1000
            return info.SerializeToString()
        if method == "GET_BLOCK_BY_HEIGHT":
            text = parameters.get("blockHeight", b"").decode()
            height = int(text) if text.isdecimal() else -1
            if not 0 <= height <= self._tip():
                raise CallFailed(f"block is nil, the height is [{text}]")
            return self._block(height, with_sets).SerializeToString()
        place = self.chain.place(tx_id)
        if place is None or place[0] > self._tip():
            raise CallFailed(f"get tx failed, no such transaction, txId:{tx_id}")
        if method == "GET_BLOCK_BY_TX_ID":
            return self._block(place[0], with_sets).SerializeToString()
        if method == "GET_TX_BY_TX_ID":
            block = self.chain.block(place[0]).block
            found = pb.TransactionInfo(
                transaction=block.txs[place[1]],
                block_height=place[0],
                block_hash=block.header.block_hash,
                tx_index=place[1],
                block_timestamp=block.header.block_timestamp,
            )
            return lie_about_transaction(found, self.faults.lies).SerializeToString()
        raise CallFailed(f"method not found: {method}")

    def _block(self, height: int, with_sets: bool) -> pb.BlockInfo:
        if 0 <= self.faults.fork <= height:
            info = forked(self.chain, height, max(1, self.faults.fork), self.organisation)
        else:
            info = self.chain.block(height)
        info = lie_about_block(info, self.faults.lies)
        if not with_sets:
            del info.rwset_list[:]
        return info

    def _contract_info(self, name: str) -> bytes:
        """A contract as JSON: the names of the fields are those of the message, what is zero is left out."""
        contract = self.chain.contracts.find(name)
        told: dict[str, Any] = {
            "name": contract.name,
            "version": contract.version,
            "runtime_type": contract.runtime_type,
            "status": contract.status,
            "creator": {"org_id": contract.creator.org_id, "role": contract.creator.role},
            "address": contract.address,
        }
        return json.dumps({key: value for key, value in told.items() if value}).encode()

    def _subscribe(self, data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        request = pb.TxRequest.FromString(data)
        payload = request.payload
        parameters = {pair.key: pair.value for pair in payload.parameters}
        try:
            self.chain.access.check(request)
        except Refused as refusal:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, str(refusal))
        if payload.tx_type != SUBSCRIBE or payload.method != "SUBSCRIBE_BLOCK":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "the simulator has subscriptions of blocks only")
        first, last = (
            int.from_bytes(parameters.get(name, b""), "little", signed=True) for name in ("START_BLOCK", "END_BLOCK")
        )
        with_sets = parameters.get("WITH_RWSET") == b"true"
        only_header = parameters.get("ONLY_HEADER") == b"true"
        height = self._tip() if first < 0 else first
        while (last < 0 or height <= last) and context.is_active() and not self._stopping.is_set():
            if height > self._tip():
                with self.chain.grown:
                    self.chain.grown.wait(0.1)
                continue

            def encoded(_: bytes, height: int = height) -> bytes:
                info = self._block(height, with_sets)
                told = info.block.header if only_header else info
                return pb.SubscribeResult(data=told.SerializeToString()).SerializeToString()

            yield self._answer(encoded, b"", context)
            height += 1
