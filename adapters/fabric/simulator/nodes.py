"""Peers and orderers as gRPC servers with TLS, each with faults of its own (Fabric 3.1 `common/deliver`, `orderer/common/broadcast`)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from adapters.fabric.proposals import CONFIG_UPDATE, SEEK_INFO
from adapters.fabric.simulator.endorser import Endorser, Refusal
from adapters.fabric.simulator.faults import Faults
from adapters.fabric.simulator.ordering import OrderingService
from adapters.fabric.simulator.state import PeerState
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from light_clients.errors import LightClientError
from light_clients.fabric.config_block import ChannelConfig

SUCCESS, BAD_REQUEST, FORBIDDEN, NOT_FOUND, SERVICE_UNAVAILABLE = 200, 400, 403, 404, 503
"""Statuses of ordering and delivery (`common.Status`)."""

CLOCK_WINDOW_S = 900
"""Seconds that a request to deliver may be off the clock (`peer.authentication.timewindow`)."""

MESSAGE_LIMIT = 100 << 20
Method = Callable[[bytes, grpc.ServicerContext], bytes]
Stream = Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]


@dataclass(frozen=True)
class TlsMaterial:
    """What a server shows and asks: key and certificate in PEM, and roots of clients where TLS is mutual."""

    key: bytes
    certificate: bytes
    client_roots: bytes = b""


@dataclass
class Node:
    """A server at one port.

    Attributes:
        name: its host name, as in its TLS certificate.
        port: of 127.0.0.1.
        tls: what it shows now.
        faults: what it does wrong.
    """

    name: str
    port: int
    tls: TlsMaterial
    faults: Faults = field(default_factory=Faults)
    _server: grpc.Server | None = None
    _services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"grpcs://127.0.0.1:{self.port}"

    @property
    def up(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def unary(self, service: str, method: str, answer: Method, *, whatever_faults: bool = False) -> None:
        """Offer a method; the one that flips switches works whatever faults are on."""

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.faults.before(context)
            return self.faults.after(answer(request, context))

        handler = answer if whatever_faults else handle
        self._services.setdefault(service, {})[method] = grpc.unary_unary_rpc_method_handler(handler)

    def stream(self, service: str, method: str, answer: Stream) -> None:
        """Offer a method of two streams."""

        def handle(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            self.faults.before(context)
            for item in answer(requests, context):
                yield self.faults.after(item)

        self._services.setdefault(service, {})[method] = grpc.stream_stream_rpc_method_handler(handle)

    def start(self) -> None:
        """Listen.

        Raises:
            RuntimeError: the port is taken.
        """
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", MESSAGE_LIMIT),
            ("grpc.max_send_message_length", MESSAGE_LIMIT),
        ]
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
        for service, methods in self._services.items():
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        credentials = grpc.ssl_server_credentials(
            [(self.tls.key, self.tls.certificate)],
            root_certificates=self.tls.client_roots or None,
            require_client_auth=bool(self.tls.client_roots),
        )
        server.add_secure_port(f"127.0.0.1:{self.port}", credentials)
        server.start()
        self._server = server

    def stop(self) -> None:
        """Listen no more; what it keeps stays."""
        if self._server is not None:
            self._server.stop(grace=None).wait()
            self._server = None

    def show(self, tls: TlsMaterial) -> None:
        """Listen again with another certificate."""
        self.tls = tls
        self.stop()
        self.start()


class Peer:
    """A peer of an organisation: keeps the channel's ledger, endorses, delivers blocks."""

    def __init__(
        self, node: Node, msp_id: str, state: PeerState, endorser: Endorser, ordering: OrderingService
    ) -> None:
        """Offer its services at a node, and follow the orderers."""
        self.node = node
        self.msp_id = msp_id
        self.state = state
        self.endorser = endorser
        self._ordering = ordering
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=node.name, daemon=True)
        node.unary("protos.Endorser", "ProcessProposal", self._endorse)
        node.stream("protos.Deliver", "Deliver", self._deliver)

    def start(self) -> None:
        """Listen and follow."""
        self._thread.start()
        self.node.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self.node.stop()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.is_set():
            number = self.state.height
            self._ordering.wait(number + self.node.faults.lag, 0.2)
            if len(self._ordering.blocks) > number + self.node.faults.lag:
                self.state.commit(self._ordering.blocks[number])

    def _endorse(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            answer = self.endorser.process(request)
        except Refusal as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return self.node.faults.endorsed(answer, self.endorser.identity).SerializeToString()

    def _deliver(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield from deliver(request, self.state.config, list(self.state.blocks), self.node.faults)


class Orderer:
    """An orderer: takes envelopes, delivers blocks."""

    def __init__(self, node: Node, service: OrderingService, config: Callable[[], ChannelConfig | None]) -> None:
        """Offer its services at a node.

        Args:
            node: where.
            service: the ordering service that it is a part of.
            config: gives the configuration in force.
        """
        self.node = node
        self._service = service
        self._config = config
        node.stream("orderer.AtomicBroadcast", "Broadcast", self._broadcast)
        node.stream("orderer.AtomicBroadcast", "Deliver", self._deliver)

    def _broadcast(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            status, info = self._take(request)
            yield messages.BroadcastResponse(status=status, info=info).SerializeToString()

    def _take(self, request: bytes) -> tuple[int, str]:
        try:
            envelope = messages.Envelope.FromString(request)
            payload = messages.Payload.FromString(envelope.payload)
            header = messages.ChannelHeader.FromString(payload.header.channel_header)
            creator = messages.SignatureHeader.FromString(payload.header.signature_header).creator
        except DecodeError:
            return BAD_REQUEST, "malformed envelope"
        if header.channel_id != self._service.channel:
            return NOT_FOUND, f"channel does not exist: {header.channel_id}"
        if header.type == CONFIG_UPDATE:
            return BAD_REQUEST, "the simulator takes configurations from its own process"
        if not _is_signed(self._config(), creator, envelope):
            return (
                FORBIDDEN,
                "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 ",
            )
        if not self._service.has_quorum():
            return SERVICE_UNAVAILABLE, "no Raft leader"
        self._service.submit(request)
        return SUCCESS, ""

    def _deliver(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield from deliver(request, self._config(), list(self._service.blocks), self.node.faults)


def deliver(request: bytes, config: ChannelConfig | None, blocks: list[bytes], faults: Faults) -> Iterator[bytes]:
    """Answer an `Envelope` with a `SeekInfo`: the blocks, then the status."""
    try:
        envelope = messages.Envelope.FromString(request)
        payload = messages.Payload.FromString(envelope.payload)
        header = messages.ChannelHeader.FromString(payload.header.channel_header)
        creator = messages.SignatureHeader.FromString(payload.header.signature_header).creator
        seek = messages.SeekInfo.FromString(payload.data)
    except DecodeError:
        yield _status(BAD_REQUEST)
        return
    if header.type != SEEK_INFO or abs(header.timestamp.seconds - time.time()) > CLOCK_WINDOW_S:
        yield _status(BAD_REQUEST)
        return
    if not _is_signed(config, creator, envelope):
        yield _status(FORBIDDEN)
        return
    first, last = (_number(position, len(blocks)) for position in (seek.start, seek.stop))
    for number in range(first, last + 1):
        if number >= len(blocks):
            yield _status(NOT_FOUND)
            return
        for block in faults.delivered(blocks[number]):
            yield messages.DeliverResponse(block=block).SerializeToString()
    yield _status(SUCCESS)


def switch_handler(act: Callable[[dict[str, Any]], Any]) -> Method:
    """A development-only method that takes and gives JSON."""

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return json.dumps(act(json.loads(request))).encode()
        except (ValueError, KeyError, TypeError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{type(error).__name__}: {error}")

    return answer


def _number(position: messages.SeekPosition, height: int) -> int:
    kind = position.WhichOneof("type")
    if kind == "specified":
        return position.specified.number
    return 0 if kind == "oldest" else height - 1


def _is_signed(config: ChannelConfig | None, creator: bytes, envelope: messages.Envelope) -> bool:
    if config is None:
        return False
    try:
        identity = config.identity(creator)
    except LightClientError:
        return False
    return identity.signed(envelope.payload, envelope.signature) and identity.expires_at > time.time()


def _status(status: int) -> bytes:
    return messages.DeliverResponse(status=status).SerializeToString()
