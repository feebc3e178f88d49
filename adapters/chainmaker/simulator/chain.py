"""The chain that all nodes of a simulated network hold: pool, blocks, configuration, contracts.

State is in memory. Blocks come out of `produce`: one transaction that changes the configuration, or up to a hundred others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from adapters.chainmaker.simulator.access import QUERY, AccessControl, Refused
from adapters.chainmaker.simulator.blocks import GENESIS_TIME, VERSION, Entry, assemble, decide, quorum_of
from adapters.chainmaker.simulator.contracts import CONTRACT_FAIL, CallFailed, Contracts, failure_of
from adapters.chainmaker.simulator.material import Organisation
from adapters.chainmaker.simulator.system import (
    CERT_MANAGE,
    CHAIN_CONFIG,
    CONTRACT_MANAGE,
    change_configuration,
    first_configuration,
    manage_certificates,
)
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.solidity.machine import Execution, Machine
from light_clients.chainmaker.merkle import HASHES
from light_clients.crypto.certificates import Certificate, read_certificate

POOL_LIMIT = 50_000


class Chain:
    """One chain. Safe to share between threads.

    Attributes:
        name: its chain id.
        hash_name: ``SHA256`` or ``SM3``.
        organisations: everybody who ever had a node, by name.
        config: the configuration in force.
        access: who may do what.
        contracts: the contracts.
        absent: names of organisations whose nodes do not vote.
        blocks: every block with its read-write sets, in protobuf.
    """

    def __init__(self, name: str, hash_name: str, organisations: Sequence[Organisation], machine: Machine) -> None:
        self.name, self.hash_name = name, hash_name
        self.organisations = {organisation.name: organisation for organisation in organisations}
        self.access, self.contracts = AccessControl(name), Contracts(machine)
        self.absent: set[str] = set()
        self.config = first_configuration(name, hash_name, VERSION, list(organisations))
        self.access.use(self.config)
        self.blocks: list[bytes] = []
        self.grown = threading.Condition(threading.RLock())
        self._headers: list[pb.BlockHeader] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._pool: dict[str, pb.TxRequest] = {}
        self._configuration_height = 0
        self._add(self._first_block())

    @property
    def height(self) -> int:
        """Of the newest block."""
        return len(self.blocks) - 1

    def header(self, height: int) -> pb.BlockHeader:
        """The header of a block."""
        return self._headers[height]

    def block(self, height: int) -> pb.BlockInfo:
        """A block with its read-write sets."""
        return pb.BlockInfo.FromString(self.blocks[height])

    def place(self, tx_id: str) -> tuple[int, int] | None:
        """Height and index of a transaction in the chain."""
        return self._places.get(tx_id)

    def take(self, request: pb.TxRequest) -> None:
        """Put a transaction in the pool.

        Raises:
            Refused: it is not allowed, known already, out of time, or the pool is full.
        """
        with self.grown:
            self.access.check(request)
            payload = request.payload
            if abs(time.time() - payload.timestamp) > self.config.block.tx_timeout:
                raise self._not_added("TxTimestamp error", payload)
            if payload.tx_id in self._places:
                raise self._not_added("TxId exist in DB", payload)
            if payload.tx_id in self._pool:
                raise self._not_added("TxId exist", payload)
            if len(self._pool) >= POOL_LIMIT:
                raise self._not_added("TxPool is full", payload)
            self._pool[payload.tx_id] = request

    def waiting(self) -> int:
        """Transactions in the pool."""
        with self.grown:
            return len(self._pool)

    def forget_pool(self) -> None:
        """Lose the pool, as a node does that restarts."""
        with self.grown:
            self._pool.clear()

    def call(self, payload: pb.Payload, sender: Certificate) -> Execution:
        """Run a query of a contract on the newest state.

        Raises:
            CallFailed: there is no such contract.
        """
        with self.grown:
            header = self._headers[-1]
            return self.contracts.call(
                payload, sender, header.block_height, header.block_timestamp, query=payload.tx_type == QUERY
            )

    def produce(self, *, empty: bool = False) -> bool:
        """Make the next block of what waits; False if nothing does, or too few nodes vote.

        Args:
            empty: whether a block is made of nothing too.
        """
        with self.grown:
            nodes = self.nodes()
            voters = [node for node in nodes if node.name not in self.absent]
            if not (self._pool or empty) or len(voters) < quorum_of(len(nodes)):
                return False
            requests, is_configuration = self._next_requests()
            height, parent = self.height + 1, self._headers[-1]
            timestamp = max(int(time.time()), parent.block_timestamp)
            entries = [self._run(request, height, timestamp) for request in requests]
            info = assemble(
                entries,
                hash_name=self.hash_name,
                chain=self.name,
                height=height,
                parent=parent.block_hash,
                configuration_height=self._configuration_height,
                timestamp=timestamp,
                proposer=voters[height % len(voters)],
                is_configuration=is_configuration,
            )
            first = height % len(voters)
            decide(info, (voters[first:] + voters[:first])[: quorum_of(len(nodes))])
            self._add(info)
            if is_configuration and not entries[0].transaction.result.code:
                self.config.ParseFromString(entries[0].transaction.result.contract_result.result)
                self.access.use(self.config)
                self._configuration_height = height
            return True

    def nodes(self) -> list[Organisation]:
        """The organisations whose nodes decide the next block."""
        return [self.organisations[nodes.org_id] for nodes in self.config.consensus.nodes]

    def _not_added(self, why: str, payload: pb.Payload) -> Refused:
        return Refused(f"Add tx failed, {why}, chainId:{self.name}, txId:{payload.tx_id}")

    def _next_requests(self) -> tuple[list[pb.TxRequest], bool]:
        """The transactions of the next block: one of the configuration alone, else the others in order."""
        requests: list[pb.TxRequest] = []
        for request in self._pool.values():
            if request.payload.contract_name == CHAIN_CONFIG:
                if not requests:
                    requests = [request]
                break
            requests.append(request)
            if len(requests) == self.config.block.block_tx_capacity:
                break
        for request in requests:
            del self._pool[request.payload.tx_id]
        return requests, bool(requests) and requests[0].payload.contract_name == CHAIN_CONFIG

    def _add(self, info: pb.BlockInfo) -> None:
        with self.grown:
            height = info.block.header.block_height
            for index, transaction in enumerate(info.block.txs):
                self._places[transaction.payload.tx_id] = (height, index)
            self._headers.append(info.block.header)
            self.blocks.append(info.SerializeToString())
            self.grown.notify_all()

    def _run(self, request: pb.TxRequest, height: int, timestamp: int) -> Entry:
        payload = request.payload
        entry = Entry(pb.Transaction(payload=payload, sender=request.sender), pb.TxRWSet(tx_id=payload.tx_id))
        entry.transaction.endorsers.extend(request.endorsers)
        machine = self.contracts.machine
        mark = machine.snapshot()
        try:
            self._execute(entry, read_certificate(request.sender.signer.member_info), height, timestamp)
            machine.release(mark)
        except CallFailed as failure:
            machine.revert(mark)
            del entry.write_set.tx_reads[:], entry.write_set.tx_writes[:]
            entry.transaction.result.Clear()
            entry.transaction.result.code = CONTRACT_FAIL
            entry.transaction.result.contract_result.code = 1
            entry.transaction.result.contract_result.message = str(failure)
        return entry

    def _execute(self, entry: Entry, sender: Certificate, height: int, timestamp: int) -> None:
        payload, result = entry.transaction.payload, entry.transaction.result.contract_result
        result.SetInParent()
        contract, write_set = payload.contract_name, entry.write_set
        if payload.expiration_time and payload.expiration_time < timestamp:
            raise CallFailed("the transaction is expired")
        if contract == CHAIN_CONFIG:
            result.result = change_configuration(self.config, payload).SerializeToString()
            result.message = "OK"
            write_set.tx_writes.add(key=b"CHAIN_CONFIG", value=result.result, contract_name=CHAIN_CONFIG)
            return
        if contract == CERT_MANAGE:
            manage_certificates(self.access, payload)
            for pair in payload.parameters:
                write_set.tx_writes.add(key=pair.key.encode(), value=pair.value, contract_name=CERT_MANAGE)
            return
        if contract == CONTRACT_MANAGE:
            done = self._install(entry, sender, height, timestamp)
        else:
            done = self.contracts.call(payload, sender, height, timestamp, query=False)
            if not done.success:
                raise CallFailed(failure_of(done))
            result.result, result.gas_used = done.output, done.gas_used
        result.contract_event.extend(self.contracts.events(done, payload.tx_id))
        reads, writes = self.contracts.access(done)
        write_set.tx_reads.extend(reads)
        write_set.tx_writes.extend(writes)

    def _install(self, entry: Entry, sender: Certificate, height: int, timestamp: int) -> Execution:
        payload, signer = entry.transaction.payload, entry.transaction.sender.signer
        if payload.method != "INIT_CONTRACT":
            raise CallFailed(f"method not found: {payload.method}")
        creator = pb.MemberFull(
            org_id=signer.org_id,
            member_info=signer.member_info,
            member_id=sender.common_name or "",
            role=(sender.organisational_units or ("",))[0].upper(),
            uid=HASHES[self.hash_name](sender.der).hex(),
        )
        parameters = {pair.key: pair.value for pair in payload.parameters}
        caller = self.contracts.account_of(sender)
        result, reads, writes, done = self.contracts.install(parameters, creator, caller, height, timestamp)
        entry.transaction.result.contract_result.CopyFrom(result)
        entry.write_set.tx_reads.extend(reads)
        entry.write_set.tx_writes.extend(writes)
        return done

    def _first_block(self) -> pb.BlockInfo:
        transaction = pb.Transaction()
        payload = transaction.payload
        payload.chain_id, payload.contract_name, payload.method = self.name, CHAIN_CONFIG, "Genesis"
        payload.tx_id = HASHES[self.hash_name](self.config.SerializeToString()).hex()
        payload.timestamp = GENESIS_TIME
        payload.parameters.add(key=CHAIN_CONFIG, value=str(self.config).encode())
        transaction.sender.signer.SetInParent()
        transaction.result.contract_result.result = self.config.SerializeToString()
        write_set = pb.TxRWSet(tx_id=payload.tx_id)
        write_set.tx_writes.add(key=b"CHAIN_CONFIG", value=self.config.SerializeToString(), contract_name=CHAIN_CONFIG)
        return assemble(
            [Entry(transaction, write_set)],
            hash_name=self.hash_name,
            chain=self.name,
            height=0,
            parent=b"",
            configuration_height=0,
            timestamp=GENESIS_TIME,
            proposer=None,
            is_configuration=True,
        )
