"""A synthetic Clique ledger whose keys come from labels, hashed and encoded by the `rlp` library and not by our codec."""

from dataclasses import dataclass, field, replace

import rlp

from light_clients import clique
from light_clients.crypto.secp256k1 import address_of, sign_seal
from light_clients.proofs.patricia import EMPTY_ROOT
from schemas.primitives import BlockHash
from schemas.suites import keccak256

START = 1_800_000_000
ADD, DROP = b"\xff" * 8, bytes(8)


def private_key(label):
    return keccak256(f"relayhub test signer {label}".encode())


def address(label):
    return address_of(private_key(label))


def ascending(labels):
    """Labels in the order of their addresses."""
    return tuple(sorted(labels, key=address))


@dataclass(frozen=True)
class Spec:
    """Every field of a header, so that a test changes one and seals again."""

    parent_hash: bytes
    number: int
    timestamp: int
    sealer: str
    difficulty: int
    subject: bytes = bytes(20)
    nonce: bytes = DROP
    listed: bytes = b""
    state_root: bytes = keccak256(b"state")
    vanity: bytes = bytes(32)
    mix_hash: bytes = bytes(32)
    items: dict = field(default_factory=dict)
    later: tuple = (7,)
    seal: bytes | None = None

    def encoded(self, seal):
        items = [
            self.parent_hash,
            keccak256(rlp.encode([])),
            self.subject,
            self.state_root,
            bytes(EMPTY_ROOT),
            bytes(EMPTY_ROOT),
            bytes(256),
            self.difficulty,
            self.number,
            30_000_000,
            21_000,
            self.timestamp,
            self.vanity + self.listed + seal,
            self.mix_hash,
            self.nonce,
            *self.later,
        ]
        for index, item in self.items.items():
            items[index] = item
        return rlp.encode(items)

    def sealed(self):
        if self.seal is not None:
            return self.encoded(self.seal)
        return self.encoded(sign_seal(private_key(self.sealer), keccak256(self.encoded(b""))))

    def hash(self):
        return keccak256(self.sealed())


def first_spec(labels=("a", "b", "c"), number=0, **changes):
    """The first block, or an epoch block; it lists the signers."""
    labels = ascending(labels)
    listed = b"".join(map(address, labels))
    seal = None if number else bytes(65)
    difficulty = 2 if number else 1
    spec = Spec(bytes(32), number, START, labels[number % len(labels)], difficulty, listed=listed, seal=seal)
    return replace(spec, **changes)


def next_spec(parent, labels=("a", "b", "c"), sealer=None, **changes):
    """The block after one, by the signer whose turn it is, or by another."""
    labels, number = ascending(labels), parent.number + 1
    turn = labels[number % len(labels)]
    sealer = sealer or turn
    spec = Spec(parent.hash(), number, parent.timestamp + 1, sealer, 2 if sealer == turn else 1)
    return replace(spec, **changes)


def chain_of(parent, length, labels=("a", "b", "c"), **changes):
    """Blocks in turn after one."""
    specs = []
    for _ in range(length):
        parent = next_spec(parent, labels, **changes)
        specs.append(parent)
    return specs


def run(*specs):
    """A header and those after it, as the light client takes them."""
    return b"".join(spec.sealed() for spec in specs)


def begun(spec, **configuration):
    """The state at the first block or an epoch block."""
    return clique.bootstrap(spec.sealed(), BlockHash(spec.hash()), clique.CliqueConfiguration(**configuration))


def followed(state, specs):
    """The state after as many of these headers as are final."""
    index = 0
    while index + state.confirmations < len(specs):
        unit = run(*specs[index : index + state.confirmations + 1])
        state = clique.apply(state, clique.verify_header(state, unit, specs[-1].timestamp))
        index += 1
    return state
