"""A peer's end of a chaincode that runs as a service: `protos.Chaincode/Connect` (Fabric 3.1 `core/chaincode/handler.go`).

The peer connects to the chaincode's server. The chaincode registers; from then on each transaction is a TRANSACTION message,
answered by COMPLETED, and between the two the chaincode asks for state by the transaction's id.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import grpc

from adapters.fabric.stubs import relayhub_fabric_pb2 as messages

REGISTER, REGISTERED, READY, TRANSACTION, COMPLETED, ERROR = 1, 2, 4, 5, 6, 7
GET_STATE, PUT_STATE, DEL_STATE, INVOKE_CHAINCODE, RESPONSE = 8, 9, 10, 11, 13
"""Types of a message (`peer.ChaincodeMessage.Type`)."""

CONNECT = "/protos.Chaincode/Connect"

PATIENCE_S = 30.0
"""Seconds that a transaction may take (`chaincode.executetimeout`)."""

Handler = Callable[[messages.ChaincodeMessage], tuple[int, bytes]]
"""Answers a question of the chaincode: type and payload of the answer."""


class ChaincodeFailed(Exception):
    """The chaincode did not answer as it must."""


class ChaincodeService:
    """A connection to one chaincode's server."""

    def __init__(self, name: str, address: str) -> None:
        """Connect when the first transaction comes.

        Args:
            name: of the chaincode.
            address: of its server, HOST:PORT.
        """
        self.name = name
        self._address = address
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting: dict[str, queue.SimpleQueue[messages.ChaincodeMessage | None]] = {}
        self._channel: grpc.Channel | None = None

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._outgoing.put(None)
            if self._channel is not None:
                self._channel.close()
                self._channel = None
            self._ready.clear()

    def execute(self, request: messages.ChaincodeMessage, answer: Handler) -> messages.ChaincodeMessage:
        """Run a transaction.

        Args:
            request: TRANSACTION with its input, ids and proposal.
            answer: gives what the chaincode asks for.

        Returns:
            COMPLETED, with the response and the event.

        Raises:
            ChaincodeFailed: it cannot be reached, does not end, or says ERROR.
        """
        self._connect()
        mailbox: queue.SimpleQueue[messages.ChaincodeMessage | None] = queue.SimpleQueue()
        with self._lock:
            if request.txid in self._waiting:
                raise ChaincodeFailed(f"txid: {request.txid}({request.channel_id}) exists")
            self._waiting[request.txid] = mailbox
        try:
            self._outgoing.put(request.SerializeToString())
            return self._converse(request, mailbox, answer)
        finally:
            with self._lock:
                self._waiting.pop(request.txid, None)

    def _converse(
        self,
        request: messages.ChaincodeMessage,
        mailbox: queue.SimpleQueue[messages.ChaincodeMessage | None],
        answer: Handler,
    ) -> messages.ChaincodeMessage:
        while True:
            try:
                said = mailbox.get(timeout=PATIENCE_S)
            except queue.Empty as error:
                raise ChaincodeFailed("timeout expired while executing transaction") from error
            if said is None:
                raise ChaincodeFailed("chaincode stream terminated")
            if said.type == COMPLETED:
                return said
            if said.type == ERROR:
                raise ChaincodeFailed(f"transaction returned with failure: {said.payload.decode(errors='replace')}")
            kind, payload = answer(said)
            self._outgoing.put(
                messages.ChaincodeMessage(
                    type=kind, payload=payload, txid=request.txid, channel_id=request.channel_id
                ).SerializeToString()
            )

    def _connect(self) -> None:
        with self._lock:
            if self._channel is None:
                self._outgoing = queue.SimpleQueue()
                options = [("grpc.max_receive_message_length", 100 << 20), ("grpc.max_send_message_length", 100 << 20)]
                self._channel = grpc.insecure_channel(self._address, options)
                call: grpc.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(CONNECT)
                outgoing = self._outgoing
                stream = call(iter(outgoing.get, None), wait_for_ready=True)
                threading.Thread(target=self._listen, args=(stream,), daemon=True).start()
        if not self._ready.wait(PATIENCE_S):
            self.close()
            raise ChaincodeFailed(f"chaincode {self.name} at {self._address} did not register")

    def _listen(self, stream: Iterator[bytes]) -> None:
        try:
            for data in stream:
                self._take(messages.ChaincodeMessage.FromString(data))
        except (grpc.RpcError, ValueError):
            pass
        finally:
            self._ready.clear()
            with self._lock:
                self._channel = None
                for mailbox in self._waiting.values():
                    mailbox.put(None)

    def _take(self, said: messages.ChaincodeMessage) -> None:
        if said.type == REGISTER:
            for kind in (REGISTERED, READY):
                self._outgoing.put(messages.ChaincodeMessage(type=kind).SerializeToString())
            self._ready.set()
            return
        with self._lock:
            mailbox = self._waiting.get(said.txid)
        if mailbox is not None:
            mailbox.put(said)
