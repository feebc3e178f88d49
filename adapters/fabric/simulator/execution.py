"""Running a chaincode on a peer: what it reads and writes becomes the read and write set (Fabric 3.1 `core/chaincode`, `kvledger/txmgmt`).

A chaincode does not see its own writes. Reads keep the version that they found. With each call of a chaincode the peer itself
reads the sequence of its definition, and that read stands in the set too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.fabric.simulator.chaincodes import (
    COMPLETED,
    DEL_STATE,
    ERROR,
    GET_STATE,
    INVOKE_CHAINCODE,
    PUT_STATE,
    RESPONSE,
    TRANSACTION,
    ChaincodeFailed,
    ChaincodeService,
)
from adapters.fabric.simulator.state import Definition, PeerState, Version
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from light_clients.fabric.executions import LIFECYCLE


@dataclass
class Execution:
    """One simulation.

    Attributes:
        state: the peer's.
        services: chaincodes by name.
        identifier: id of the transaction.
        proposal: as it was signed.
        height: blocks that it sees.
        reads: versions by namespace and key.
        writes: values by namespace and key.
    """

    state: PeerState
    services: Mapping[str, ChaincodeService]
    identifier: str
    proposal: messages.SignedProposal
    height: int
    reads: dict[tuple[str, str], Version | None] = field(default_factory=dict)
    writes: dict[tuple[str, str], bytes | None] = field(default_factory=dict)

    def get(self, namespace: str, key: str) -> bytes | None:
        """Read a key as of the simulation's beginning."""
        value, version = self.state.read(namespace, key, self.height)
        self.reads[namespace, key] = version
        return value

    def put(self, namespace: str, key: str, value: bytes | None) -> None:
        """Write a key; None deletes it."""
        self.writes[namespace, key] = value

    def call(self, name: str, given: bytes) -> tuple[messages.ChaincodeMessage, Definition]:
        """Run a chaincode.

        Args:
            name: its name.
            given: `ChaincodeInput`.

        Raises:
            ChaincodeFailed: it is not defined, or does not answer as it must.
        """
        self.get(LIFECYCLE, f"namespaces/fields/{name}/Sequence")
        definition = self.state.definition(name, self.height)
        if definition is None:
            raise ChaincodeFailed(
                f"make sure the chaincode {name} has been successfully defined on channel "
                f"{self.state.channel} and try again: chaincode {name} not found"
            )
        service = self.services.get(name)
        if service is None:
            raise ChaincodeFailed(f"chaincode {name} is not installed on this peer")
        request = messages.ChaincodeMessage(
            type=TRANSACTION,
            payload=given,
            txid=self.identifier,
            channel_id=self.state.channel,
            proposal=self.proposal,
        )
        return service.execute(request, lambda said: self._answer(name, said)), definition

    def results(self) -> bytes:
        """`TxReadWriteSet`, sorted by namespace and key."""
        spaces = sorted({namespace for namespace, _ in (*self.reads, *self.writes)})
        return messages.TxReadWriteSet(
            ns_rwset=[
                messages.NsReadWriteSet(namespace=space, rwset=self._space(space).SerializeToString())
                for space in spaces
            ]
        ).SerializeToString()

    def _space(self, namespace: str) -> messages.KVRWSet:
        reads = [(key, version) for (space, key), version in sorted(self.reads.items()) if space == namespace]
        writes = [(key, value) for (space, key), value in sorted(self.writes.items()) if space == namespace]
        return messages.KVRWSet(
            reads=[
                messages.KVRead(
                    key=key,
                    version=None if place is None else messages.KVVersion(block_num=place[0], tx_num=place[1]),
                )
                for key, place in reads
            ],
            writes=[messages.KVWrite(key=key, is_delete=value is None, value=value or b"") for key, value in writes],
        )

    def _answer(self, namespace: str, said: messages.ChaincodeMessage) -> tuple[int, bytes]:
        if said.type == GET_STATE:
            return RESPONSE, self.get(namespace, messages.GetState.FromString(said.payload).key) or b""
        if said.type == PUT_STATE:
            written = messages.PutState.FromString(said.payload)
            self.put(namespace, written.key, written.value)
            return RESPONSE, b""
        if said.type == DEL_STATE:
            self.put(namespace, messages.DelState.FromString(said.payload).key, None)
            return RESPONSE, b""
        if said.type == INVOKE_CHAINCODE:
            specification = messages.ChaincodeSpec.FromString(said.payload)
            try:
                completed, _ = self.call(
                    specification.chaincode_id.name.partition("/")[0], specification.input.SerializeToString()
                )
            except ChaincodeFailed as error:
                return ERROR, str(error).encode()
            return RESPONSE, messages.ChaincodeMessage(type=COMPLETED, payload=completed.payload).SerializeToString()
        return ERROR, f"the simulator offers no message of type {said.type}".encode()
