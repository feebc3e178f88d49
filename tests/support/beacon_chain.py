"""A synthetic beacon chain of the minimal preset: committees with real BLS keys from labels, states as sparse Merkle trees.

A header is a function of its slot, the finalized slot that its state names, and a salt; so two salts are two branches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import rlp as second
from trie import HexaryTrie

from light_clients import beacon
from light_clients.beacon.codec import signing_root, write_bundle
from light_clients.beacon.containers import (
    BEACON_HEADER,
    CAPELLA_EXECUTION,
    DENEB_EXECUTION,
    Places,
    committee_type,
    container_of,
    depth_of,
    is_since,
    places_of,
)
from light_clients.beacon.types import FORKS, BeaconConfiguration, BeaconState, Fork
from light_clients.crypto import bls
from light_clients.proofs.gateway import GatewayPin, SlotEvidence, head_slot
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Bytes32, Head, LaneId
from schemas.suites import keccak256

SIZE = beacon.MINIMAL.committee_size
PERIOD = 64
"""Slots of a period."""
GENESIS = 1_700_000_000
LANE = LaneId(keccak256(b"beacon lane"))
HEAD = Head(keccak256(b"beacon head"))
CODE_HASH = keccak256(b"gateway code")
PIN = GatewayPin(keccak256(b"beacon gateway")[:20], Bytes32(CODE_HASH))
ALL = tuple(range(SIZE))
TWIN = 99
"""The salt of a branch whose next committees are others."""


def private_key(label: str, number: int) -> bytes:
    """A key below the group order."""
    return b"\x00" + sha256(f"{label} {number}".encode()).digest()[1:]


@lru_cache(maxsize=64)
def public_key(label: str, number: int) -> bytes:
    return bls.public_key_of(private_key(label, number)).encoded


@dataclass
class Tree:
    """A Merkle tree of which some nodes are known; every other one is zero."""

    nodes: dict[int, bytes]

    def node(self, place: int) -> bytes:
        if place in self.nodes:
            return self.nodes[place]
        if not any(_is_below(known, place) for known in self.nodes):
            return bytes(32)
        return sha256(self.node(2 * place) + self.node(2 * place + 1)).digest()

    def branch(self, place: int, depth: int | None = None) -> tuple[bytes, ...]:
        """From a node to the root; with zeros in front where a later fork's branch is longer."""
        steps = []
        extra = 0 if depth is None else depth - depth_of(place)
        while place > 1:
            steps.append(self.node(place ^ 1))
            place //= 2
        return (bytes(32),) * extra + tuple(steps)


def _is_below(known: int, place: int) -> bool:
    while known > place:
        known //= 2
    return known == place


class GatewayWorld:
    """State tries with the gateway in them: the claim's slot holds the head."""

    def __init__(self) -> None:
        storage = HexaryTrie({})
        storage[keccak256(head_slot(LANE, 0))] = second.encode(int.from_bytes(HEAD, "big"))
        accounts = HexaryTrie({})
        accounts[keccak256(PIN.address)] = second.encode([1, 0, storage.root_hash, CODE_HASH])
        self.state_root = accounts.root_hash
        self.account_proof = tuple(second.encode(node) for node in accounts.get_proof(keccak256(PIN.address)))
        self.storage_proof = tuple(second.encode(node) for node in storage.get_proof(keccak256(head_slot(LANE, 0))))

    def evidence(self, header: bytes = b"") -> SlotEvidence:
        return SlotEvidence(header, self.account_proof, self.storage_proof)


@dataclass
class BeaconChain:
    """One ledger.

    Attributes:
        epochs: When the forks from phase0 on begin.
        form: The fork whose containers the bundles have; the last fork where it is not told.
        label: Names the keys of the committees.
    """

    epochs: tuple[int, ...] = (0, 0, 0, 0, 0)
    form: str = ""
    label: str = "beacon"
    receipts_root: bytes = keccak256(b"receipts")
    age_limit: int = 10 * 24 * 3600
    world: GatewayWorld = field(default_factory=GatewayWorld)

    def __post_init__(self) -> None:
        forks = tuple(
            Fork(name, epoch, bytes((number, 0, 0, 1)))
            for number, (name, epoch) in enumerate(zip(FORKS, self.epochs, strict=False))
        )
        self.configuration = BeaconConfiguration(
            Bytes32(sha256(self.label.encode()).digest()),
            GENESIS,
            forks,
            seconds_per_slot=6,
            preset=beacon.MINIMAL,
            checkpoint_age_limit_s=self.age_limit,
            maximum_drift_s=0,
        )
        self.form = self.form or forks[-1].name

    def now(self, slot: int) -> int:
        return self.configuration.timestamp_of(slot)

    def members(self, period: int) -> str:
        """The label of a period's keys: they change with every period, between two sets."""
        return f"{self.label} {period % 2}"

    def committee(self, period: int, salt: int = 0) -> tuple[Any, ...]:
        """The same keys on every branch; the salt 99 makes a branch with its own next committees."""
        label = f"{self.members(period)} twin" if salt == TWIN else self.members(period)
        keys = tuple(public_key(label, number) for number in ALL)
        return keys, keys[0]

    def places(self, slot: int) -> Places:
        return places_of(self.configuration.fork_at(slot).name)

    def state(self, slot: int, finalized: int | None, salt: int = 0) -> Tree:
        places, period = self.places(slot), self.configuration.period_of(slot)
        committee = committee_type(beacon.MINIMAL)
        root = bytes(32) if not finalized else BEACON_HEADER.root(self.header(finalized, salt=salt)[0])
        epoch = (finalized or 0) // beacon.MINIMAL.slots_per_epoch
        return Tree(
            {
                places.finalized: root,
                places.finalized ^ 1: epoch.to_bytes(32, "little"),
                places.current: committee.root(self.committee(period)),
                places.following: committee.root(self.committee(period + 1, salt)),
                32: sha256(b"%d %d" % (slot, salt)).digest(),
            }
        )

    def header(self, slot: int, finalized: int | None = None, salt: int = 0) -> tuple[Any, ...]:
        """LightClientHeader in the containers' form."""
        fork = self.configuration.fork_at(slot).name
        execution = self.execution(slot, salt)
        body = Tree({32: sha256(b"body %d" % salt).digest()})
        if is_since(fork, "deneb"):
            body.nodes[25] = DENEB_EXECUTION.root(execution)
        elif is_since(fork, "capella"):
            body.nodes[25] = CAPELLA_EXECUTION.root(execution[:15])
        beacon_header = (slot, 7, bytes(32), self.state(slot, finalized, salt).node(1), body.node(1))
        if not is_since(self.form, "capella"):
            return (beacon_header,)
        if not is_since(fork, "capella"):
            return (beacon_header, *self.empty()[1:])
        return (beacon_header, execution if is_since(self.form, "deneb") else execution[:15], body.branch(25))

    def execution(self, slot: int, salt: int = 0) -> tuple[Any, ...]:
        block_hash = keccak256(b"execution %d %d" % (slot, salt))
        head = (bytes(32), bytes(20), self.world.state_root, self.receipts_root, bytes(256), bytes(32))
        tail = (slot, 30_000_000, 0, self.now(slot), b"", 7, block_hash, bytes(32), bytes(32))
        return (*head, *tail, 0, 0)

    def empty(self) -> tuple[Any, ...]:
        beacon_header = (0, 0, bytes(32), bytes(32), bytes(32))
        blank = (
            bytes(32),
            bytes(20),
            bytes(32),
            bytes(32),
            bytes(256),
            bytes(32),
            0,
            0,
            0,
            0,
            b"",
            0,
            *(bytes(32),) * 3,
        )
        if not is_since(self.form, "capella"):
            return (beacon_header,)
        return (beacon_header, (*blank, 0, 0) if is_since(self.form, "deneb") else blank, (bytes(32),) * 4)

    def root(self, slot: int, finalized: int | None = None, salt: int = 0) -> BlockHash:
        return BlockHash(BEACON_HEADER.root(self.header(slot, finalized, salt)[0]))

    def bootstrap_value(self, slot: int) -> tuple[Any, ...]:
        branch = self.state(slot, None).branch(self.places(slot).current, depth_of(places_of(self.form).current))
        return (self.header(slot), self.committee(self.configuration.period_of(slot)), branch)

    def bootstrap(self, slot: int) -> bytes:
        return self.bundle("bootstrap", self.bootstrap_value(slot))

    def trusted(self, slot: int = 16) -> BeaconState:
        return beacon.bootstrap(self.bootstrap(slot), self.root(slot), self.configuration)

    def update_value(
        self,
        attested: int,
        finalized: int | None,
        signature: int | None = None,
        *,
        committee: bool = True,
        signers: Iterable[int] = ALL,
        salt: int = 0,
    ) -> tuple[Any, ...]:
        """LightClientUpdate; without finality where `finalized` is None, and with the empty header where it is 0."""
        signed = attested + 1 if signature is None else signature
        tree, places, form = self.state(attested, finalized, salt), self.places(attested), places_of(self.form)
        header = self.header(attested, finalized, salt)
        following: tuple[Any, ...] = ((bytes(48),) * SIZE, bytes(48))
        branch: tuple[bytes, ...] = (bytes(32),) * depth_of(form.following)
        if committee:
            following = self.committee(self.configuration.period_of(attested) + 1, salt)
            branch = tree.branch(places.following, depth_of(form.following))
        final, final_branch = self.empty(), (bytes(32),) * depth_of(form.finalized)
        if finalized is not None:
            final = self.header(finalized, salt=salt) if finalized else self.empty()
            final_branch = tree.branch(places.finalized, depth_of(form.finalized))
        aggregate = self.sign(header, signed, signers)
        return (header, following, branch, final, final_branch, aggregate, signed)

    def sign(self, header: tuple[Any, ...], slot: int, signers: Iterable[int]) -> tuple[bytes, bytes]:
        """Bits and signature of the committee of a slot."""
        chosen = tuple(signers)
        label = self.members(self.configuration.period_of(slot))
        message = signing_root(self.configuration, BEACON_HEADER.root(header[0]), slot)
        bits = sum(1 << number for number in chosen).to_bytes(SIZE // 8, "little")
        if not chosen:
            return bits, bls.INFINITY_SIGNATURE
        total = sum(int.from_bytes(private_key(label, number), "big") for number in chosen) % bls.ORDER
        return bits, bls.sign(total.to_bytes(32, "big"), message)

    def update(self, attested: int, finalized: int | None, signature: int | None = None, **options: Any) -> bytes:
        return self.bundle("update", self.update_value(attested, finalized, signature, **options))

    def finality_update(
        self, attested: int, finalized: int | None, signature: int | None = None, **options: Any
    ) -> bytes:
        value = self.update_value(attested, finalized, signature, committee=False, **options)
        return self.bundle("finality_update", (value[0], *value[3:]))

    def optimistic_update(self, attested: int, signature: int | None = None, **options: Any) -> bytes:
        value = self.update_value(attested, None, signature, committee=False, **options)
        return self.bundle("optimistic_update", (value[0], *value[5:]))

    def bundle(self, kind: str, value: tuple[Any, ...]) -> bytes:
        return write_bundle(kind, self.form, container_of(kind, self.form, beacon.MINIMAL).encode(value))

    def advance(self, state: BeaconState, header: bytes, slot: int) -> BeaconState:
        """Verifies at the time of a slot, and applies."""
        return beacon.apply(state, beacon.verify_header(state, header, self.now(slot)))

    def claim(self, slot: int, salt: int = 0) -> Claim:
        return Claim(LANE, Direction.OUTBOX, 1, HEAD, slot, BlockHash(self.execution(slot, salt)[12]))
