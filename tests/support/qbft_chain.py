"""A synthetic QBFT ledger whose keys come from labels, hashed and encoded by the `rlp` library and not by our codec."""

from dataclasses import dataclass, field, replace

import rlp
from trie import HexaryTrie

from light_clients.crypto.secp256k1 import address_of, sign_seal
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from light_clients.proofs.patricia import EMPTY_ROOT
from schemas.primitives import Bytes32
from schemas.suites import keccak256

MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
START = 1_800_000_000


def private_key(label):
    return keccak256(f"relayhub test validator {label}".encode())


def address(label):
    return address_of(private_key(label))


def ascending(labels):
    """Labels in the order of their addresses."""
    return tuple(sorted(labels, key=address))


def addresses(labels):
    return [address(label) for label in ascending(labels)]


def vote_item(vote):
    """The vote of the extra data: nothing, or (subject, True to add | False to drop)."""
    if vote is None:
        return []
    subject, add = vote
    return [subject, b"\xff" if add else b""]


@dataclass(frozen=True)
class Spec:
    """Every field of a header, so that a test changes one and seals again."""

    parent_hash: bytes
    number: int
    timestamp: int
    validators: tuple
    sealers: tuple
    proposer: bytes
    state_root: bytes = keccak256(b"state")
    vote: object = None
    round: int = 0
    vanity: bytes = bytes(32)
    mix_hash: bytes = MIX_HASH
    difficulty: int = 1
    later: tuple = ()
    listed: tuple | None = None
    items: dict = field(default_factory=dict)
    extra_more: tuple = ()

    def extra(self, round_number, seals):
        vote = self.vote if isinstance(self.vote, list) else vote_item(self.vote)
        listed = addresses(self.validators) if self.listed is None else list(self.listed)
        return rlp.encode([self.vanity, listed, vote, round_number, list(seals), *self.extra_more])

    def encoded(self, extra):
        items = [
            self.parent_hash,
            keccak256(rlp.encode([])),
            self.proposer,
            self.state_root,
            bytes(EMPTY_ROOT),
            bytes(EMPTY_ROOT),
            bytes(256),
            self.difficulty,
            self.number,
            30_000_000,
            21_000,
            self.timestamp,
            extra,
            self.mix_hash,
            bytes(8),
            *self.later,
        ]
        for index, item in self.items.items():
            items[index] = item
        return rlp.encode(items)

    def hash(self):
        return keccak256(self.encoded(self.extra(0, [])))

    def seal_digest(self):
        return keccak256(self.signed())

    def signed(self):
        """The header as its validators signed it."""
        return self.encoded(self.extra(self.round, []))

    def seals(self):
        digest = self.seal_digest()
        return [sign_seal(private_key(label), digest) for label in self.sealers]

    def sealed(self):
        return self.encoded(self.extra(self.round, self.seals()))

    def with_seals(self, seals):
        return self.encoded(self.extra(self.round, seals))


def first_spec(labels=("a", "b", "c", "d"), number=0, **changes):
    """The first block, or one at a height of its own."""
    labels = ascending(labels)
    sealers = labels[: (2 * len(labels) + 2) // 3] if number else ()
    spec = Spec(bytes(32), number, START, labels, sealers, bytes(20) if not number else address(labels[0]))
    return replace(spec, **changes)


def next_spec(parent, **changes):
    """The block after one, sealed by the least quorum."""
    labels = changes.get("validators", parent.validators)
    labels = ascending(labels)
    spec = Spec(
        parent_hash=parent.hash(),
        number=parent.number + 1,
        timestamp=parent.timestamp + 1,
        validators=labels,
        sealers=labels[: (2 * len(labels) + 2) // 3],
        proposer=address(labels[(parent.number + 1) % len(labels)]),
        state_root=parent.state_root,
    )
    return replace(spec, **{**changes, "validators": labels})


GATEWAY = keccak256(b"gateway")[:20]
CODE_HASH = keccak256(b"code of the gateway")


def trie_of(entries):
    """A trie of the oracle library over keys that are hashed here."""
    built = HexaryTrie({})
    for key, value in entries.items():
        built[keccak256(key)] = value
    return built


def proof_of(built, key):
    """The nodes that stand by hash, as eth_getProof gives them."""
    nodes = [rlp.encode(node) for node in built.get_proof(keccak256(key))]
    return tuple(node for index, node in enumerate(nodes) if index == 0 or len(node) >= 32)


class Storage:
    """The state of a ledger with one gateway: slot (32 bytes) to word (32 bytes)."""

    def __init__(self, slots, code_hash=CODE_HASH, gateway=GATEWAY, neighbours=24):
        filler = {keccak256(b"slot %d" % index): rlp.encode(index + 1) for index in range(neighbours)}
        words = {slot: rlp.encode(word.lstrip(b"\x00")) for slot, word in slots.items()}
        self.storage = trie_of({**filler, **words})
        account = rlp.encode([1, 0, self.storage.root_hash, code_hash])
        others = {
            keccak256(b"account %d" % index)[:20]: rlp.encode([index, 7, bytes(EMPTY_ROOT), keccak256(b"")])
            for index in range(neighbours)
        }
        self.accounts = trie_of({**others, gateway: account})
        self.gateway = gateway

    @property
    def root(self):
        return self.accounts.root_hash

    def account_proof(self, account=None):
        return proof_of(self.accounts, account or self.gateway)

    def storage_proof(self, slot):
        return proof_of(self.storage, slot)

    def evidence(self, header, slot):
        return SlotEvidence(header, self.account_proof(), self.storage_proof(slot))


PIN = GatewayPin(GATEWAY, Bytes32(CODE_HASH))
