"""A lane between two in-process ledgers with a committee of three, and the steps of a message along it."""

import itertools

from adapters.memory import forget_memory_chain, memory_chain
from adapters.memory.chain import CODE_HASH
from adapters.memory.committee import Committee
from adapters.memory.gateway import Reverted
from adapters.protocol import AdapterOptions, Call, Delivery, Endpoint, Settlement
from adapters.registry import open_ledger
from adapters.solidity.calldata import committee_proof, encode_send
from light_clients.crypto.secp256k1 import address_of, sign
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.lane import Lane
from schemas.outcome import Settled
from schemas.primitives import BlockHash
from schemas.suites import EVM, keccak256

RECEIVER = b"\x71" * 20
REVERTING = b"\x72" * 20
_numbers = itertools.count(1)


def key(label):
    """A private key of the tests, made from a label."""
    return keccak256(f"relayhub test key {label}".encode())


OPERATORS = [key(f"operator {index}") for index in range(3)]


class MemoryLane:
    """Ledgers `source` and `destination`, opened behind the guard, and one lane between them."""

    def __init__(self, *, suite=EVM, endpoints=("",), validators=4):
        number = next(_numbers)
        self.names = [f"test-{number}-{end}" for end in ("source", "destination")]
        chains = [memory_chain(name, validators=validators) for name in self.names]
        self.source, self.destination = chains
        self.ledgers = [open_ledger("memory", self.options(name, endpoints)) for name in self.names]
        self.lane = Lane(
            "tests",
            suite,
            self.source.word,
            self.source.gateway.address,
            self.destination.word,
            self.destination.gateway.address,
            "main",
        )
        signers = tuple(address_of(operator) for operator in OPERATORS)
        self.committees = [
            Committee(keccak256(b"verifier %d" % end)[12:], 1, signers, (b"a", b"b", b"c"), 2) for end in (0, 1)
        ]
        for end, chain in enumerate(chains):
            chain.open_lane(self.lane, end, self.committees[end], CODE_HASH)
        self.received = []
        self.destination.gateway.receivers[RECEIVER] = self.receive
        self.destination.gateway.receivers[REVERTING] = self.refuse
        self.sender, self.relayer = key("sender"), key("relayer")

    @staticmethod
    def options(name, endpoints):
        return AdapterOptions(tuple(Endpoint(f"memory://{name}/{endpoint}".rstrip("/")) for endpoint in endpoints))

    def receive(self, lane_id, message_id, sender, payload):
        self.received.append((message_id, sender, payload))
        return b"got " + payload[:8]

    @staticmethod
    def refuse(*_):
        raise Reverted("NotToday")

    def close(self):
        for ledger, name in zip(self.ledgers, self.names, strict=True):
            ledger.close()
            forget_memory_chain(name)

    def transact(self, end, private_key, call, *, mine=True):
        """Sign and send a call at one end; returns its receipt once mined."""
        chain, ledger = (self.source, self.destination)[end], self.ledgers[end]
        wallet = ledger.wallet(address_of(private_key))
        signed = ledger.sign(private_key, wallet.pending_nonce, call, wallet.fee)
        (refusal,) = ledger.broadcast([signed.raw])
        if refusal is not None:
            raise refusal
        if not mine:
            return signed
        chain.mine()
        return ledger.receipts([signed.transaction])[0]

    def send_call(self, payload, *, receiver=RECEIVER, gas_limit=50_000, expires_at=0):
        data = encode_send(self.lane.lane_id, receiver, payload, gas_limit, 0, expires_at)
        return Call(self.source.gateway.address, data, 200_000)

    def send(self, payload=b"hello", **options):
        return self.transact(0, self.sender, self.send_call(payload, **options))

    def events(self, end, kind):
        ledger, chain = self.ledgers[end], (self.source, self.destination)[end]
        found = ledger.events(0, chain.height, chain.gateway.address)
        return [event for event in found if isinstance(event, kind)]

    def claim(self, direction, nonce, head):
        chain = (self.source, self.destination)[direction]
        block_hash = BlockHash(chain.blocks[-1].header.block_hash)
        return Claim(self.lane.lane_id, Direction(direction), nonce, head, chain.height, block_hash)

    def proof(self, claim, operators=(0, 1)):
        """Signatures of operators over a claim, for the end that consumes it."""
        end = 1 - claim.direction
        chain = (self.source, self.destination)[end]
        place = Place(chain.word, chain.gateway.address, self.committees[end].address, 1)
        digest = attestation_digest(self.lane.suite, place, claim)
        return committee_proof(1, [(index, sign(OPERATORS[index], digest)) for index in operators])

    def delivery(self, sent, *, suffix_ids=()):
        """A delivery of MessageSent events, whose claim is the last one's head (or what the suffix folds to)."""
        claim = self.claim(0, sent[-1].message.nonce, sent[-1].head)
        messages = tuple(event.message for event in sent[: len(sent) - len(suffix_ids)])
        return Delivery(self.lane.lane_id, messages, tuple(suffix_ids), claim, self.proof(claim))

    def settlement(self, sent, delivered, head):
        claim = self.claim(1, delivered[-1].nonce, head)
        entries = tuple(
            Settled(event.message.without_payload(), outcome.status, outcome.result)
            for event, outcome in zip(sent, delivered, strict=True)
        )
        return Settlement(self.lane.lane_id, entries, (), claim, self.proof(claim))

    def deliver(self, action):
        return self.transact(1, self.relayer, self.ledgers[1].call_for(self.destination.gateway.address, action))

    def settle(self, action):
        return self.transact(0, self.relayer, self.ledgers[0].call_for(self.source.gateway.address, action))
