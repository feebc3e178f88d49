"""Synthetic ledgers of IBFT2, of legacy IBFT and of QBFT with a contract, encoded by the `rlp` library and not by our codecs."""

from dataclasses import dataclass, replace

import rlp

from light_clients.bft.bundle import SetProof, bundle
from light_clients.crypto.secp256k1 import sign_seal
from schemas.suites import keccak256
from tests.support.qbft_chain import (
    CODE_HASH,
    START,
    Spec,
    Storage,
    address,
    addresses,
    ascending,
    private_key,
)

CONTRACT = keccak256(b"validator contract")[:20]
SLOT = 3


@dataclass(frozen=True)
class Ibft2Spec(Spec):
    """A header of Besu's IBFT2."""

    round_item: bytes | None = None

    def parts(self, *more):
        vote = self.vote
        if vote is None:
            vote = b""
        elif not isinstance(vote, (list, bytes)):
            vote = [vote[0], b"\xff" if vote[1] else b"\x00"]
        listed = addresses(self.validators) if self.listed is None else list(self.listed)
        return rlp.encode([self.vanity, listed, vote, *more])

    def round_bytes(self):
        return self.round.to_bytes(4, "big") if self.round_item is None else self.round_item

    def extra(self, _round, seals):
        return self.parts(self.round_bytes(), list(seals), *self.extra_more)

    def hash(self):
        return keccak256(self.encoded(self.parts()))

    def seal_digest(self):
        return keccak256(self.encoded(self.parts(self.round_bytes())))


@dataclass(frozen=True)
class IbftSpec(Spec):
    """A header of GoQuorum's legacy IBFT; `proposer` is a label, the coinbase and the nonce are the vote."""

    proposer_seal: bytes | None = None

    def encoded(self, extra):
        subject, add = self.vote or (bytes(20), False)
        items = {2: subject, 14: b"\xff" * 8 if add else bytes(8), **self.items}
        return super(IbftSpec, replace(self, items=items)).encoded(extra)

    def with_parts(self, proposer_seal, seals):
        listed = addresses(self.validators) if self.listed is None else list(self.listed)
        return self.vanity + rlp.encode([listed, proposer_seal, list(seals), *self.extra_more])

    def own_seal(self):
        if self.proposer_seal is not None:
            return self.proposer_seal
        if not self.number:
            return b""
        digest = keccak256(keccak256(self.encoded(self.with_parts(b"", []))))
        return sign_seal(private_key(self.proposer), digest)

    def extra(self, _round, seals):
        return self.with_parts(self.own_seal(), seals)

    def hash(self):
        return keccak256(self.encoded(self.extra(0, [])))

    def seal_digest(self):
        return keccak256(self.hash() + b"\x02")


def proposer_of(kind, label):
    return label if kind is IbftSpec else address(label)


def first_of(kind, labels=("a", "b", "c", "d"), number=0, **changes):
    """The first block of a ledger, or one at a height of its own."""
    labels = ascending(labels)
    sealers = labels[: (2 * len(labels) + 2) // 3] if number else ()
    proposer = proposer_of(kind, labels[0]) if number else bytes(20)
    return replace(kind(bytes(32), number, START, labels, sealers, proposer), **changes)


def next_of(parent, **changes):
    """The block after one, sealed by the least quorum."""
    kind = type(parent)
    labels = ascending(changes.get("validators", parent.validators))
    spec = kind(
        parent_hash=parent.hash(),
        number=parent.number + 1,
        timestamp=parent.timestamp + 1,
        validators=labels,
        sealers=labels[: (2 * len(labels) + 2) // 3],
        proposer=proposer_of(kind, labels[(parent.number + 1) % len(labels)]),
        state_root=parent.state_root,
    )
    return replace(spec, **{**changes, "validators": labels})


class ValidatorState:
    """The state of a ledger whose contract holds a list of validators in the order in which they were added."""

    def __init__(self, labels, slot=SLOT, words=None, code_hash=CODE_HASH):
        elements = [bytes(12) + address(label) for label in labels] if words is None else list(words)
        start = int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big")
        self.slots = [slot.to_bytes(32, "big")]
        self.slots += [((start + index) % 2**256).to_bytes(32, "big") for index in range(len(elements))]
        length = len(elements).to_bytes(32, "big")
        filled = {key: word for key, word in zip(self.slots, (length, *elements), strict=True) if any(word)}
        self.storage = Storage(filled, code_hash, CONTRACT)

    @property
    def root(self):
        return self.storage.root

    def proof(self):
        return SetProof(self.storage.account_proof(), tuple(map(self.storage.storage_proof, self.slots)))

    def bundled(self, header):
        return bundle(header, self.proof())
