"""A lane between two in-process ledgers with a committee of three."""

import itertools

from adapters.memory import forget_memory_chain, memory_chain
from adapters.memory.chain import CODE_HASH
from adapters.memory.committee import Committee
from adapters.memory.gateway import Reverted
from adapters.protocol import AdapterOptions, Endpoint
from adapters.registry import open_ledger
from light_clients.crypto.secp256k1 import address_of
from schemas.lane import Lane
from schemas.primitives import BlockHash
from schemas.suites import EVM, keccak256
from tests.support.lane_world import OPERATORS, LaneWorld

RECEIVER = b"\x71" * 20
REVERTING = b"\x72" * 20
_numbers = itertools.count(1)


class MemoryLane(LaneWorld):
    """Ledgers `source` and `destination`, opened behind the guard, and one lane between them."""

    receiver, reverting = RECEIVER, REVERTING

    consensus = "qbft"

    def __init__(
        self, *, suite=EVM, endpoints=("",), validators=4, open_one=lambda options: open_ledger("memory", options)
    ):
        number = next(_numbers)
        self.names = [f"test-{number}-{end}" for end in ("source", "destination")]
        self.chains = [memory_chain(name, validators=validators) for name in self.names]
        self.source, self.destination = self.chains
        self._options = [self.named(name, endpoints) for name in self.names]
        self.ledgers = [open_one(options) for options in self._options]
        self.words = [chain.word for chain in self.chains]
        self.gateways = [chain.gateway.address for chain in self.chains]
        self.lane = Lane("tests", suite, self.words[0], self.gateways[0], self.words[1], self.gateways[1], "main")
        self.verifiers = [keccak256(b"verifier %d" % end)[12:] for end in (0, 1)]
        signers = tuple(address_of(operator) for operator in OPERATORS)
        self.committees = [Committee(verifier, 1, signers, (b"a", b"b", b"c"), 2) for verifier in self.verifiers]
        for end, chain in enumerate(self.chains):
            chain.open_lane(self.lane, end, self.committees[end], CODE_HASH)
        self.received = []
        self.destination.gateway.receivers[RECEIVER] = self.receive
        self.destination.gateway.receivers[REVERTING] = self.refuse

    def options(self, end):
        return self._options[end]

    @staticmethod
    def named(name, endpoints):
        return AdapterOptions(tuple(Endpoint(f"memory://{name}/{endpoint}".rstrip("/")) for endpoint in endpoints))

    def receive(self, lane_id, message_id, sender, payload):
        self.received.append((message_id, sender, payload))
        return b"got " + payload[:8]

    @staticmethod
    def refuse(*_):
        raise Reverted("NotToday")

    def mine(self, end):
        self.chains[end].mine()

    def block_hash(self, end):
        return BlockHash(self.chains[end].blocks[-1].header.block_hash)

    def code_hash(self, _end):
        return CODE_HASH

    def close(self):
        for ledger, name in zip(self.ledgers, self.names, strict=True):
            ledger.close()
            forget_memory_chain(name)
