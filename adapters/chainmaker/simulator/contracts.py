"""Solidity contracts on a simulated chain: calls, deployments, events, and read-write sets in ChainMaker's key form.

Keys are the slot in hexadecimal without its leading zero bytes, values the word without its leading zero bytes, both under the
contract's name; what was read stands among the writes too, under the contract's address of 40 digits, now with the value that
was read, now with the new one. So it is in the blocks of version 2.3.2.
"""

from __future__ import annotations

from adapters.chainmaker.names import account_address, contract_address, is_contract_name
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.solidity.machine import Execution, Machine
from light_clients.crypto.certificates import Certificate

GAS_LIMIT = 10_000_000_000
EVENT_MAX_DIGITS = 65_535
EVM_RUNTIME = 5
NORMAL, FROZEN = 0, 1
CONTRACT_FAIL = 4


class CallFailed(Exception):
    """A contract or system contract fails; the text becomes the message of its result."""


class Contracts:
    """The contracts of a chain and the machine on which they run.

    Attributes:
        by_name: what the chain says of each.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.by_name: dict[str, pb.Contract] = {}
        self._names: dict[bytes, str] = {}

    def find(self, name: str) -> pb.Contract:
        """A contract by its name or by its address in hexadecimal.

        Raises:
            CallFailed: there is none, or it is frozen.
        """
        by_address = self._names.get(bytes.fromhex(name), "") if _is_address(name) else name
        contract = self.by_name.get(by_address)
        if contract is None:
            raise CallFailed(f"contract not exist, contract name: {name}")
        return contract

    def account_of(self, certificate: Certificate) -> bytes:
        """The account of a member, 20 bytes."""
        return account_address(certificate.public_key[-64:])

    def install(
        self, parameters: dict[str, bytes], creator: pb.MemberFull, caller: bytes, height: int, timestamp: int
    ) -> tuple[pb.ContractResult, list[pb.TxRead], list[pb.TxWrite], Execution]:
        """Deploy a contract.

        Raises:
            CallFailed: the name is taken or cannot be, the runtime is another one, or the constructor fails.
        """
        name, version = parameters.get("CONTRACT_NAME", b""), parameters.get("CONTRACT_VERSION", b"").decode()
        code = parameters.get("CONTRACT_BYTECODE", b"")
        if not is_contract_name(name) or not version:
            raise CallFailed("invalid contract name or version")
        if parameters.get("CONTRACT_RUNTIME_TYPE") != b"EVM":
            raise CallFailed("the simulator runs contracts of the runtime type EVM only")
        if name.decode() in self.by_name:
            raise CallFailed(f"contract exist, contract name: {name.decode()}")
        address = contract_address(name)
        creation = code + _calldata(parameters)
        done = self.machine.execute(
            caller, b"", creation, gas=GAS_LIMIT, height=height, timestamp=timestamp, create_at=address
        )
        if not done.success:
            raise CallFailed(_failure("contract init failed", done))
        contract = pb.Contract(
            name=name.decode(), version=version, runtime_type=EVM_RUNTIME, creator=creator, address=address.hex()
        )
        self.by_name[contract.name] = contract
        self._names[address] = contract.name
        stored = contract.SerializeToString()
        reads = [pb.TxRead(key=b"Contract:" + name, contract_name="CONTRACT_MANAGE")]
        writes = [
            pb.TxWrite(key=b"Contract:" + contract.address.encode(), value=stored, contract_name="CONTRACT_MANAGE"),
            pb.TxWrite(key=b"Contract:" + name, value=stored, contract_name="CONTRACT_MANAGE"),
            pb.TxWrite(key=b"ContractByteCode:" + name, value=code, contract_name="CONTRACT_MANAGE"),
        ]
        return pb.ContractResult(result=stored, gas_used=done.gas_used), reads, writes, done

    def call(self, payload: pb.Payload, sender: Certificate, height: int, timestamp: int, *, query: bool) -> Execution:
        """Run a call of a contract.

        Args:
            payload: method and `data` as the adapter sends them.
            sender: whose account calls.
            height: of the block.
            timestamp: of the block, Unix seconds.
            query: whether nothing is kept.

        Raises:
            CallFailed: there is no such contract, or it is frozen.
        """
        contract = self.find(payload.contract_name)
        if contract.status == FROZEN:
            raise CallFailed(f"failed to run user contract, {contract.name} has been frozen.")
        data = _calldata({pair.key: pair.value for pair in payload.parameters})
        caller, target = self.account_of(sender), bytes.fromhex(contract.address)
        run = self.machine.call if query else self.machine.execute
        return run(caller, target, data, gas=GAS_LIMIT, height=height, timestamp=timestamp)

    def events(self, done: Execution, tx_id: str) -> list[pb.ContractEvent]:
        """The events of an execution; the topic and all else in hexadecimal, the data last.

        Raises:
            CallFailed: an event is larger than the ledger takes.
        """
        found = []
        for log in done.logs:
            contract = self.by_name[self._names[log.address]]
            topics = [topic.hex() for topic in log.topics] or [""]
            if len(log.data) * 2 > EVENT_MAX_DIGITS:
                raise CallFailed("the event data is too long")
            found.append(
                pb.ContractEvent(
                    topic=topics[0],
                    tx_id=tx_id,
                    contract_name=contract.name,
                    contract_version=contract.version,
                    event_data=[*topics[1:], log.data.hex()],
                )
            )
        return found

    def access(self, done: Execution) -> tuple[list[pb.TxRead], list[pb.TxWrite]]:
        """What an execution read and wrote, as it stands in a read-write set."""
        written = {(write.address, write.slot): write.value for write in done.writes}
        seen = {(read.address, read.slot): read.value for read in done.reads}
        reads = [
            pb.TxRead(key=_key(slot), value=value.lstrip(b"\0"), contract_name=self._names[address])
            for (address, slot), value in seen.items()
        ]
        writes = [
            pb.TxWrite(key=_key(slot), value=value.lstrip(b"\0"), contract_name=self._names[address])
            for (address, slot), value in written.items()
        ]
        for (address, slot), value in seen.items():
            shown = value if slot[0] else written.get((address, slot), value)
            writes.append(pb.TxWrite(key=_key(slot), value=shown.lstrip(b"\0"), contract_name=address.hex()))
        reads.sort(key=lambda read: (read.contract_name, read.key))
        writes.sort(key=lambda write: (write.contract_name, write.key))
        return reads, writes


def failure_of(done: Execution) -> str:
    """The words of a failed call: text, and no revert data."""
    return _failure("contract invoke failed", done)


def _failure(what: str, done: Execution) -> str:
    return f"{what}, evm: {'execution reverted' if done.failure == 'revert' else done.failure}"


def _calldata(parameters: dict[str, bytes]) -> bytes:
    try:
        return bytes.fromhex(parameters.get("data", b"").decode())
    except ValueError as error:
        raise CallFailed("the parameter data is no hexadecimal") from error


def _key(slot: bytes) -> bytes:
    return slot.lstrip(b"\0").hex().encode()


def _is_address(name: str) -> bool:
    return len(name) == 40 and all(digit in "0123456789abcdef" for digit in name)
