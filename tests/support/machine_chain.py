"""A ledger of the tests on the machine of the simulators, with the face of `EvmChain`, so that `EvmWorld` runs on it."""

from adapters.solidity.contracts import contract
from adapters.solidity.machine import Machine
from schemas.primitives import ChainWord
from schemas.suites import keccak256
from tests.support.evm_world import DEPLOYER, GAS, RELAYER, START, Done, EvmChain, Refused


class MachineChain(EvmChain):
    """One ledger on a machine with a platform's traits; `unit` is 1000 where its clock counts milliseconds."""

    def __init__(self, name, traits, unit=1):
        self.name = name
        self.word = ChainWord(keccak256(f"chain word {name}".encode()))
        self.machine = Machine(traits)
        self.now, self.unit, self.deployed = START, unit, 0

    now = None  # a plain attribute here

    def _surroundings(self):
        return {"height": 1, "timestamp": self.now * self.unit}

    def deploy(self, creation):
        self.deployed += 1
        address = keccak256(f"{self.name} contract {self.deployed}".encode())[12:]
        done = self.machine.execute(DEPLOYER, b"", creation, gas=GAS, create_at=address, **self._surroundings())
        return self._checked(done).created

    def code_hash(self, address):
        return keccak256(self.machine.code(address))

    def execute(self, sender, to, data, gas=GAS):
        """The machine's own answer, also for what failed."""
        return self.machine.execute(sender, to, data, gas=gas, **self._surroundings())

    def transact(self, sender, to, data, gas=GAS):
        done = self._checked(self.execute(sender, to, data, gas))
        return Done(done.gas_used, done.output, [(log.address, list(log.topics), log.data) for log in done.logs])

    def view(self, to, name, function, *arguments):
        data = contract(name).encode(function, *arguments)
        done = self._checked(self.machine.call(RELAYER, to, data, gas=GAS, **self._surroundings()))
        values = contract(name).decode(function, done.output)
        return values[0] if len(values) == 1 else values

    def slot(self, address, slot):
        return self.machine.slot(address, slot)

    @staticmethod
    def _checked(done):
        if not done.success:
            raise Refused(done.output, done.failure)
        return done
