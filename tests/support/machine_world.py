"""Ledgers whose machine is not Ethereum's, for the worlds of `evm_world`: the same contracts in the machine of the simulators.

`MachineChain` deploys, transacts and looks as `EvmChain` does; `PLATFORMS` says what each platform's gateway is given, and
`make_end` deploys all that it needs.
"""

from dataclasses import dataclass

from coincurve import PrivateKey

from adapters.solidity.contracts import back_ends, committee_creation, contract, gateway_creation, organisation_word
from adapters.solidity.machine import Machine, platforms
from light_clients.crypto import secp256k1, sm2
from schemas.primitives import ChainWord
from schemas.suites import EVM, SM, keccak256, sm3
from tests.support.evm_world import (
    DEPLOYER,
    GAS,
    GUARDIAN,
    OFFICERS,
    RELAYER,
    START,
    Done,
    End,
    EvmChain,
    Refused,
    key,
)

PRIVATE_KEYS = [key(f"signer {number}") for number in range(3)]
ORGANISATIONS = [organisation_word(f"organisation {number}") for number in range(3)]


class MachineChain(EvmChain):
    """A ledger in this process with the traits of a platform."""

    def __init__(self, name, traits, units=1):
        self.name = name
        self.word = ChainWord(keccak256(f"chain word {name}".encode()))
        self.machine = Machine(traits)
        self.units = units
        self.now = START
        self.count = 0

    @property
    def now(self):
        return self._now

    @now.setter
    def now(self, timestamp):
        self._now = timestamp

    @property
    def _moment(self):
        return {"height": 1, "timestamp": self.now * self.units, "gas": GAS}

    def new_name(self):
        """A name for the next contract."""
        self.count += 1
        return f"relayhub_{self.name}_{self.count}".encode()

    def deploy(self, creation, name=None):
        """Deploy at the address that ChainMaker gives the name; elsewhere one address is as good as another."""
        name = name or self.new_name()
        done = self.machine.execute(DEPLOYER, b"", creation, create_at=keccak256(keccak256(name))[12:], **self._moment)
        if not done.success:
            raise Refused(done.output, str(done))
        return done.created

    def code_hash(self, address):
        return keccak256(self.machine.code(address))

    def execute(self, sender, to, data, gas=GAS):
        """The machine's own answer, also for what failed."""
        return self.machine.execute(sender, to, data, **{**self._moment, "gas": gas})

    def transact(self, sender, to, data, gas=GAS):
        done = self.execute(sender, to, data, gas)
        if not done.success:
            raise Refused(done.output, str(done))
        return Done(done.gas_used, done.output, [(log.address, list(log.topics), log.data) for log in done.logs])

    def view(self, to, name, function, *arguments):
        done = self.machine.call(RELAYER, to, contract(name).encode(function, *arguments), **self._moment)
        if not done.success:
            raise Refused(done.output, str(done))
        values = contract(name).decode(function, done.output)
        return values[0] if len(values) == 1 else values

    def slot(self, address, slot):
        return self.machine.slot(address, slot)


@dataclass(frozen=True)
class Platform:
    """What a gateway and a committee are given on a platform, and how its accounts come from keys."""

    traits: object
    suite: object
    signatures: str
    hashing: str = "opcode"
    named: bool = False
    units: int = 1

    @property
    def sm2(self):
        return self.signatures.endswith("sm2")

    def public_key(self, private):
        if self.sm2:
            return sm2.public_key_of(private)
        return PrivateKey(private).public_key.format(compressed=False)[1:]

    def account(self, private):
        """The account of a key: by the machine's own hash of the public key where that is an SM2 key."""
        hashing = sm3 if self.sm2 and self.traits.hash_opcode == "sm3" else keccak256
        return hashing(self.public_key(private))[12:]

    def sign(self, private, digest):
        return sm2.sign(private, digest) if self.sm2 else secp256k1.sign(private, digest)


PLATFORMS = {
    "chainmaker": Platform(platforms.CHAINMAKER_2_3_2, EVM, "secp256k1", named=True),
    "chainmaker-sm": Platform(platforms.CHAINMAKER_2_3_2_SM, SM, "chainmaker-sm2", "solidity", named=True),
    "fisco2": Platform(platforms.FISCO_2_9, EVM, "ecrecover", units=1000),
    "fisco3": Platform(platforms.FISCO_3_16, EVM, "ecrecover", units=1000),
    "fisco2-lane-sm": Platform(platforms.FISCO_2_9, SM, "ecrecover", "fisco2", units=1000),
    "fisco3-lane-sm": Platform(platforms.FISCO_3_16, SM, "ecrecover", "fisco3", units=1000),
    "fisco2-sm": Platform(platforms.FISCO_2_9_SM, SM, "fisco-sm2", units=1000),
    "fisco3-sm": Platform(platforms.FISCO_3_16_SM, SM, "fisco-sm2", units=1000),
}


def chain_of(name, platform):
    return MachineChain(name, platform.traits, platform.units)


def make_end(chain, platform):
    """Deploy the back-ends, a gateway and a committee of three on a chain of the platform."""
    libraries = {name: chain.deploy(code) for name, code in back_ends(platform.signatures, platform.hashing)}
    people = {"chain_word": chain.word, "officers": OFFICERS, "guardian": GUARDIAN, "delay_s": 0}
    choices = {
        "suite": platform.suite.name,
        "hashing": platform.hashing,
        "libraries": libraries,
        "time_divisor": platform.units,
    }
    names = [chain.new_name() for _ in range(2)] if platform.named else [b"", b""]
    gateway = gateway_creation(**people, **choices, self_name=names[0])
    committee = committee_creation(
        **people,
        **choices,
        self_name=names[1],
        signers=list(zip(map(platform.account, PRIVATE_KEYS), ORGANISATIONS, strict=True)),
        threshold=2,
        signatures=platform.signatures,
        keys=() if platform.signatures == "ecrecover" else [platform.public_key(one) for one in PRIVATE_KEYS],
    )
    put = chain.deploy if platform.named else lambda creation, _: chain.deploy(creation)
    addresses = [put(creation, name) for creation, name in zip((gateway, committee), names, strict=True)]
    return End(chain, *addresses, platform.suite, tuple(names) if platform.named else (), platform.sign)
