"""A light client on a ledger in this process (pyrevm), the synthetic QBFT ledger that it judges, and lanes over both."""

from dataclasses import replace

from adapters.solidity import verifiers
from adapters.solidity.verifiers import ClientConfiguration
from light_clients.proofs.gateway import head_slot
from light_clients.qbft.signed import signed_form
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head
from schemas.suites import keccak256
from tests.support import qbft_chain
from tests.support.evm_world import (
    GUARDIAN,
    OFFICERS,
    RELAYER,
    STRANGER,
    End,
    EvmChain,
    EvmWorld,
    make_committee,
    make_gateway,
)

NAME = "QbftVerifier"
PEER_WORD = keccak256(b"chain word of the peer")


def signed(spec):
    """A synthetic header as its validators signed it, and its seals."""
    return spec.signed(), spec.seals()


def unsealed(spec):
    """A header that stands by its child."""
    return spec.signed(), []


def taken_apart(header):
    """A sealed header, real for instance, as its validators signed it, and its seals."""
    form = signed_form(header)
    return form.header, list(form.seals)


class LightClient:
    """A light client that trusts a pinned header, on a ledger whose clock stands a second after it."""

    def __init__(
        self, pinned, chain=None, block_hash=None, timestamp=None, development=False, delay_s=0, divisor=1, **options
    ):
        if isinstance(pinned, qbft_chain.Spec):
            pinned, block_hash, timestamp = pinned.signed(), pinned.hash(), pinned.timestamp
        self.chain = chain or EvmChain("alpha")
        if timestamp is not None:
            self.chain.now = (timestamp + 1) * divisor
        self.address = self.chain.deploy(
            verifiers.qbft_creation(
                chain_word=self.chain.word,
                officers=OFFICERS,
                guardian=GUARDIAN,
                delay_s=delay_s,
                configuration=ClientConfiguration(**{"peer_chain_word": PEER_WORD, **options}),
                header=pinned,
                pinned_hash=block_hash,
                development=development,
                time_divisor=divisor,
            )
        )

    def at(self, timestamp):
        """Set the ledger's clock, in seconds."""
        self.chain.now = timestamp
        return self

    def transact(self, data, sender=RELAYER):
        return self.chain.transact(sender, self.address, data)

    def update(self, header, sender=STRANGER):
        return self.transact(verifiers.encode_update(header), sender)

    def follow(self, *headers, fresh=True, sender=STRANGER):
        return self.transact(verifiers.encode_follow_run(headers, fresh=fresh), sender)

    def freeze(self, first, second, sender=STRANGER):
        return self.transact(verifiers.encode_freeze(first, second), sender)

    def set_validators(self, spec):
        return self.chain.administer(self.address, verifiers.set_validators(spec.signed(), spec.hash()))

    def view(self, name, *arguments):
        return self.chain.view(self.address, NAME, name, *arguments)

    @property
    def height(self):
        return self.view("client")[0]

    @property
    def validators_hash(self):
        return self.view("client")[3]

    def verify(self, claim, proof, gateway=qbft_chain.GATEWAY, code_hash=qbft_chain.CODE_HASH):
        spoken = (claim.lane_id, int(claim.direction), claim.nonce, claim.head, claim.height, claim.block_hash)
        return self.view("verify", keccak256(b"our gateway"), gateway, bytes(code_hash), spoken, proof)


def claim_at(spec, lane_id, direction, nonce, head):
    """A claim at a synthetic block."""
    return Claim(lane_id, Direction(direction), nonce, Head(head), spec.number, BlockHash(spec.hash()))


def proof_at(spec, storage, lane_id, direction, header=None):
    """The proof bytes of a lane's head at a synthetic block."""
    slot = head_slot(lane_id, direction)
    return verifiers.qbft_proof(header or signed(spec), storage.account_proof(), storage.storage_proof(slot))


def chain_of(first, *changes):
    """Headers one after the other: the first, and one for each dictionary of changes."""
    specs = [first]
    for change in changes:
        specs.append(qbft_chain.next_spec(specs[-1], **change))
    return specs


class Peer:
    """The sealed blocks of a ledger in this process: each holds the heads of one lane as the gateway has them now."""

    def __init__(self, chain, labels=("a", "b", "c", "d"), neighbours=24):
        self.chain = chain
        self.neighbours = neighbours
        self.spec = qbft_chain.first_spec(labels, number=1, timestamp=chain.now)
        self.storage = None

    def seal(self, gateway, lane_id, **changes):
        """Seal a block over the gateway's present state."""
        slots = {head_slot(lane_id, direction): bytes(32) for direction in (0, 1)}
        words = {slot: self.chain.slot(gateway, slot) for slot in slots}
        held = {slot: word for slot, word in words.items() if any(word)}
        self.storage = qbft_chain.Storage(held, self.chain.code_hash(gateway), gateway, self.neighbours)
        changes = {"timestamp": max(self.spec.timestamp + 1, self.chain.now), **changes}
        self.spec = qbft_chain.next_spec(self.spec, state_root=self.storage.root, **changes)
        return self.spec

    def proof(self, lane_id, direction, header=None):
        return proof_at(self.spec, self.storage, lane_id, direction, header)


class LightLane:
    """A lane whose ends are judged by light clients (of four validators each), or by both together."""

    def __init__(self, with_committees=False, receiver="Mailbox", neighbours=24, channel="main"):
        source_chain, destination_chain = EvmChain("alpha"), EvmChain("beta")
        self.peers = {0: Peer(source_chain, "abcd", neighbours), 1: Peer(destination_chain, "efgh", neighbours)}
        self.clients = {
            0: LightClient(self.peers[0].spec, destination_chain, peer_chain_word=source_chain.word),
            1: LightClient(self.peers[1].spec, source_chain, peer_chain_word=destination_chain.word),
        }
        self.committees = (
            {0: make_committee(destination_chain), 1: make_committee(source_chain)} if with_committees else {}
        )
        source = End(source_chain, make_gateway(source_chain), self._verifier(1))
        destination = End(destination_chain, make_gateway(destination_chain), self._verifier(0))
        self.world = EvmWorld.between(source, destination, receiver, channel)

    def _verifier(self, direction):
        """The verifier of the claims of a direction: it stands at the end that consumes them."""
        client = self.clients[direction]
        if not self.committees:
            return client.address
        data = verifiers.both_creation(committee=self.committees[direction], light_client=client.address)
        return client.chain.deploy(data)

    @property
    def lane_id(self):
        return self.world.lane_id

    def end(self, direction):
        """The end whose heads are claimed: the source's for messages, the destination's for outcomes."""
        return self.world.destination if direction else self.world.source

    def seal(self, direction, **changes):
        """Seal a block of the end that a direction's heads stand at; the other ledger's clock goes along."""
        spec = self.peers[direction].seal(self.end(direction).gateway, self.lane_id, **changes)
        for peer in self.peers.values():
            peer.chain.now = max(peer.chain.now, spec.timestamp)
        return spec

    def claim(self, direction):
        """The claim of everything that stands at one end, at a block sealed over it now."""
        spec = self.seal(direction)
        entries = self.world.outcomes if direction else self.world.sent
        nonce = len(entries)
        return claim_at(spec, self.lane_id, direction, nonce, self.world.head(direction, nonce))

    def proof(self, direction):
        """The light client's proof at the newest block of that end."""
        return self.peers[direction].proof(self.lane_id, direction)

    def deliver(self, **options):
        claim = self.claim(0)
        return self.world.deliver(claim=claim, proof=self.proof(0), **options)

    def settle(self, **options):
        claim = self.claim(1)
        return self.world.settle(claim=claim, proof=self.proof(1), **options)


def rival_of(spec):
    """Another block of the same height, sealed by others of the same set."""
    return replace(spec, state_root=keccak256(b"rival"), sealers=spec.validators[1:])
