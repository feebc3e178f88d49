"""Ledgers of the tests on the machine of the simulators, with the face of `EvmChain`, so that `EvmWorld` runs on them.

`MachineChain` is one ledger; where contracts have names (ChainMaker) a gateway or committee is spoken of by its name and its
address is made from that. `machine_end` and `machine_world` deploy and open a lane as `EvmWorld` does.
"""

from coincurve import PrivateKey

from adapters.solidity import administration
from adapters.solidity.contracts import back_ends, committee_creation, contract, gateway_creation
from adapters.solidity.machine import Machine, platforms
from light_clients.crypto.secp256k1 import address_of
from schemas.lane import Lane
from schemas.primitives import ChainWord
from schemas.suites import EVM, keccak256
from tests.support.evm_world import (
    DEPLOYER,
    GAS,
    GUARDIAN,
    OFFICERS,
    RELAYER,
    SENDER,
    SIGNERS,
    START,
    Done,
    End,
    EvmChain,
    EvmWorld,
    Refused,
)


class MachineChain(EvmChain):
    """One ledger on a machine with a platform's traits.

    `unit` is 1000 where its clock counts milliseconds; `named` where contracts have names; `signatures` is how committees
    check signatures there.
    """

    now = None  # a plain attribute here

    def __init__(self, name, traits, *, unit=1, named=False, signatures="ecrecover"):
        self.name, self.unit, self.named, self.signatures = name, unit, named, signatures
        self.word = ChainWord(keccak256(f"chain word {name}".encode()))
        self.machine = Machine(traits)
        self.now, self.deployed, self.names = START, 0, {}

    def _surroundings(self):
        return {"height": 1, "timestamp": self.now * self.unit}

    def address(self, contract_):
        """The address of a contract that is spoken of by its name or its address."""
        return contract_ if len(contract_) == 20 else keccak256(keccak256(contract_))[12:]

    def new_name(self):
        self.deployed += 1
        return f"relayhub_{self.name}_{self.deployed}".encode()

    def deploy(self, creation, name=None):
        """Deploy at the address of a name; returns the address."""
        address = self.address(name or self.new_name())
        if name:
            self.names[address] = name
        done = self.machine.execute(DEPLOYER, b"", creation, gas=GAS, create_at=address, **self._surroundings())
        return self._checked(done).created

    def code_hash(self, address):
        return keccak256(self.machine.code(self.address(address)))

    def execute(self, sender, to, data, gas=GAS):
        """The machine's own answer, also for what failed."""
        return self.machine.execute(sender, self.address(to), data, gas=gas, **self._surroundings())

    def transact(self, sender, to, data, gas=GAS):
        done = self._checked(self.execute(sender, to, data, gas))
        logs = [(self.names.get(log.address, log.address), list(log.topics), log.data) for log in done.logs]
        return Done(done.gas_used, done.output, logs)

    def view(self, to, name, function, *arguments):
        data = contract(name).encode(function, *arguments)
        done = self._checked(self.machine.call(RELAYER, self.address(to), data, gas=GAS, **self._surroundings()))
        values = contract(name).decode(function, done.output)
        return values[0] if len(values) == 1 else values

    def slot(self, address, slot):
        return self.machine.slot(self.address(address), slot)

    @staticmethod
    def _checked(done):
        if not done.success:
            raise Refused(done.output, done.failure)
        return done


def public_key(private):
    """X and Y of a secp256k1 key, 64 bytes."""
    return PrivateKey(private).public_key.format(compressed=False)[1:]


def machine_end(chain):
    """Deploy a gateway and a committee of three in the way that suits the chain."""
    names = [chain.new_name() if chain.named else b"" for _ in range(2)]
    common = {"chain_word": chain.word, "officers": OFFICERS, "guardian": GUARDIAN, "delay_s": 0}
    common["time_divisor"] = chain.unit
    gateway = chain.deploy(gateway_creation(**common, self_name=names[0]), names[0])
    libraries = {name: chain.deploy(creation) for name, creation in back_ends(chain.signatures)}
    committee = chain.deploy(
        committee_creation(
            **common,
            self_name=names[1],
            signers=[(address_of(private), organisation) for private, organisation in SIGNERS],
            threshold=2,
            signatures=chain.signatures,
            keys=[public_key(private) for private, _ in SIGNERS] if libraries else [],
            libraries=libraries,
        ),
        names[1],
    )
    return End(chain, names[0] or gateway, names[1] or committee)


def machine_world(source, destination, receiver="Mailbox", channel="main"):
    """Open a lane between two ends and allow one sender and one receiver."""
    lane = Lane("hub", EVM, source.chain.word, source.gateway, destination.chain.word, destination.gateway, channel)
    chain = destination.chain
    takes_gateway = any(item["type"] == "constructor" and item["inputs"] for item in contract(receiver).abi)
    arguments = [chain.address(destination.gateway)] if takes_gateway else []
    world = EvmWorld(source, destination, lane, chain.create(receiver, *arguments))
    for number, (end, peer) in enumerate(((source, destination), (destination, source))):
        verifier, code_hash = end.chain.address(end.committee), peer.chain.code_hash(peer.gateway)
        opening = administration.open_lane(lane, number, verifier, code_hash, administration.Caps())
        end.chain.administer(end.gateway, opening)
    world.allow_sender(SENDER)
    world.allow_receiver(world.receiver)
    return world


PLATFORMS = {
    "chainmaker 2.3.2": (platforms.CHAINMAKER_2_3_2, {"named": True, "signatures": "secp256k1"}),
    "fisco 2.9": (platforms.FISCO_2_9, {"unit": 1000}),
    "fisco 3.16": (platforms.FISCO_3_16, {"unit": 1000}),
}


def platform_chain(platform, name):
    """A chain with a platform's profile."""
    traits, options = PLATFORMS[platform]
    return MachineChain(name, traits, **options)


def platform_world(platform, receiver="Mailbox"):
    """A lane between two chains of one platform."""
    ends = [machine_end(platform_chain(platform, name)) for name in ("alpha", "beta")]
    return machine_world(*ends, receiver=receiver)
