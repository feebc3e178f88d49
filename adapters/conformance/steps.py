"""The steps of a message along a lane, through the faces of `adapters.protocol` alone; and what a world has to have.

A world is two ledgers of one kind with gateways and a lane from the first to the second. Whoever makes one either takes
`LaneWorld`, which deploys everything, or `LaneSteps`, and sets the attributes of `World` itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from adapters.conformance.findings import Broken
from adapters.protocol import (
    AdapterOptions,
    Call,
    Delivery,
    GatewayEvent,
    HeadMoved,
    Ledger,
    MessageDelivered,
    MessageSent,
    Receipt,
    Settlement,
    Signed,
)
from adapters.solidity.calldata import committee_proof, encode_send
from light_clients.crypto.secp256k1 import sign
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.lane import Lane
from schemas.outcome import Settled
from schemas.primitives import BlockHash, ChainWord, Head
from schemas.suites import keccak256

Event = TypeVar("Event", bound=GatewayEvent)
SEND_GAS = 500_000
POLL_S = 0.05


def key(label: str) -> bytes:
    """A private key for conformance, made from a label."""
    return keccak256(f"relayhub test key {label}".encode())


OPERATORS: list[bytes] = [key(f"operator {index}") for index in range(3)]
"""Keys of the committee of three that judges at both ends; two have to sign."""


class World(Protocol):
    """Two ledgers of one kind, and a lane from the first (0, the source) to the second (1, the destination).

    Attributes:
        ledgers: opened.
        words: their chain words.
        gateways: address, or name where programs have names.
        verifiers: the committee that judges at each end; its members are `OPERATORS`, two of three.
        lane: open at both ends; the sender's account may send.
        receiver: an application at the destination that takes every message; allowed.
        reverting: one that refuses every message; allowed.
        stranger: a receiver that is not allowed.
        nobody: an address, or name, where no program stands.
        sender: private key of who sends.
        relayer: private key of who delivers.
        development: whether the software of these ledgers is for development only.
        ordered: whether accounts have nonces.
        proofs: `slot` where the state of any header proves a head, `event` where only the event that moved it does.
        proof_delay: blocks from a transaction's block to the header that proves its events.
        mines_when_told: whether blocks come by `mine` alone.
        consensus: the light client's name, as `light_clients.families` has it; empty where nothing can be verified.
        first_height: of the first block.
        names_errors: whether a refusal names the contract's error; false where the platform gives text of its own.
    """

    ledgers: list[Ledger]
    words: list[ChainWord]
    gateways: list[bytes]
    verifiers: list[bytes]
    lane: Lane
    receiver: bytes
    reverting: bytes
    stranger: bytes
    nobody: bytes
    sender: bytes
    relayer: bytes
    development: bool
    ordered: bool
    proofs: str
    proof_delay: int
    mines_when_told: bool
    consensus: str
    first_height: int
    names_errors: bool

    def options(self, end: int) -> AdapterOptions:
        """What opens a ledger once more."""
        ...

    def consensus_options(self, end: int) -> Mapping[str, Any]:
        """Options of the light client that no header says."""
        ...

    def account(self, end: int, private_key: bytes) -> bytes:
        """The account of a key at one end."""
        ...

    def mine(self, end: int) -> None:
        """Make a block of what waits, where blocks come when told."""
        ...

    def block_hash(self, end: int) -> BlockHash:
        """Hash of the newest block, as its ledger computes it."""
        ...

    def code_hash(self, end: int) -> bytes:
        """What a lane pins of the gateway's code, 32 bytes."""
        ...

    def transact(self, end: int, private_key: bytes, call: Call) -> Receipt:
        """Sign a call, send it, and wait for its receipt."""
        ...

    def send_call(
        self, payload: bytes, *, receiver: bytes | None = None, gas_limit: int = 100_000, expires_at: int = 0
    ) -> Call:
        """A call that sends a message."""
        ...

    def send(
        self, payload: bytes = b"hello", *, receiver: bytes | None = None, gas_limit: int = 100_000, expires_at: int = 0
    ) -> Receipt:
        """Send a message."""
        ...

    def events(self, end: int, kind: type[Event]) -> list[Event]:
        """Every event of a kind that one end's gateway emitted."""
        ...

    def claim(self, direction: int, nonce: int, head: Head) -> Claim:
        """A claim about a head at the newest block."""
        ...

    def proof(self, claim: Claim, operators: Iterable[int] = (0, 1)) -> bytes:
        """The committee's signatures over a claim, for the end that consumes it."""
        ...

    def delivery(self, sent: Sequence[MessageSent], *, suffix_ids: Sequence[bytes] = ()) -> Delivery:
        """A delivery of messages whose claim is the last one's head."""
        ...

    def settlement(self, sent: Sequence[MessageSent], delivered: Sequence[MessageDelivered], head: Head) -> Settlement:
        """A settlement of outcomes up to a head."""
        ...

    def deliver(self, action: Delivery) -> Receipt:
        """Deliver at the destination."""
        ...

    def settle(self, action: Settlement) -> Receipt:
        """Settle at the source."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class LaneSteps:
    """The steps; who inherits sets the attributes of `World` that have no default here, and `mine`, `block_hash`, `close`."""

    ledgers: list[Ledger]
    words: list[ChainWord]
    gateways: list[bytes]
    verifiers: list[bytes]
    lane: Lane
    receiver: bytes
    reverting: bytes
    stranger: bytes = b"\x01" * 20
    nobody: bytes = b"\x05" * 20
    sender: bytes = key("sender")
    relayer: bytes = key("relayer")
    development: bool = True
    ordered: bool = True
    proofs: str = "slot"
    proof_delay: int = 0
    mines_when_told: bool = True
    consensus: str = ""
    first_height: int = 0
    names_errors: bool = True
    patience_s: float = 60.0

    def consensus_options(self, end: int) -> Mapping[str, Any]:
        """None are needed."""
        del end
        return {}

    def account(self, end: int, private_key: bytes) -> bytes:
        """The account of a key at one end, as the ledger says it."""
        return self.ledgers[end].account(private_key)

    def code_hash(self, end: int) -> bytes:
        """What a lane pins of the gateway's code."""
        return self.ledgers[end].installed(self.gateways[end]).code_hash

    def mine(self, end: int) -> None:
        """Blocks come by themselves, unless a world says otherwise."""

    def block_hash(self, end: int) -> BlockHash:
        """A mark of the newest block: only this world's own committee signs it, and nobody holds it against the ledger."""
        tip = self.ledgers[end].tip()
        return BlockHash(keccak256(b"".join(self.ledgers[end].headers(tip, tip))))

    def signed(self, end: int, private_key: bytes, call: Call) -> Signed:
        """A transaction with the account's next nonce."""
        ledger = self.ledgers[end]
        wallet = ledger.wallet(self.account(end, private_key))
        return ledger.sign(private_key, wallet.pending_nonce, call, wallet.fee)

    def transact(self, end: int, private_key: bytes, call: Call) -> Receipt:
        """Sign a call, send it, and wait for its receipt."""
        signed = self.post(end, private_key, call)
        self.mine(end)
        return self.receipt(end, signed.transaction)

    def post(self, end: int, private_key: bytes, call: Call) -> Signed:
        """Sign a call and send it; it is not waited for."""
        signed = self.signed(end, private_key, call)
        (refusal,) = self.ledgers[end].broadcast([signed.raw])
        if refusal is not None:
            raise refusal
        return signed

    def receipt(self, end: int, transaction: bytes) -> Receipt:
        """The receipt of a transaction that was sent.

        Raises:
            Broken: it does not come in time.
        """
        deadline = time.monotonic() + self.patience_s
        while True:
            (found,) = self.ledgers[end].receipts([transaction])
            if found is not None:
                self._reach(end, found.height + self.proof_delay, deadline)
                return found
            if time.monotonic() > deadline:
                raise Broken(f"a transaction that was taken has no receipt after {self.patience_s:g} s")
            time.sleep(POLL_S)

    def _reach(self, end: int, height: int, deadline: float) -> None:
        """Wait until the ledger has the block that proves what a transaction did."""
        while self.ledgers[end].tip() < height and time.monotonic() < deadline:
            time.sleep(POLL_S)

    def send_call(
        self, payload: bytes, *, receiver: bytes | None = None, gas_limit: int = 100_000, expires_at: int = 0
    ) -> Call:
        """A call that sends a message."""
        data = encode_send(self.lane.lane_id, receiver or self.receiver, payload, gas_limit, 0, expires_at)
        return Call(self.gateways[0], data, SEND_GAS)

    def send(
        self, payload: bytes = b"hello", *, receiver: bytes | None = None, gas_limit: int = 100_000, expires_at: int = 0
    ) -> Receipt:
        """Send a message."""
        call = self.send_call(payload, receiver=receiver, gas_limit=gas_limit, expires_at=expires_at)
        return self.transact(0, self.sender, call)

    def events(self, end: int, kind: type[Event]) -> list[Event]:
        """Every event of a kind that one end's gateway emitted."""
        ledger = self.ledgers[end]
        return [event for event in ledger.events(0, ledger.tip(), self.gateways[end]) if isinstance(event, kind)]

    def claim(self, direction: int, nonce: int, head: Head) -> Claim:
        """A claim about a head at the newest block."""
        height = self.ledgers[direction].tip()
        return Claim(self.lane.lane_id, Direction(direction), nonce, head, height, self.block_hash(direction))

    def signature(self, private_key: bytes, digest: bytes) -> bytes:
        """An operator's signature; secp256k1, 65 bytes, unless a world says otherwise."""
        return sign(private_key, digest)

    def proof(self, claim: Claim, operators: Iterable[int] = (0, 1)) -> bytes:
        """The committee's signatures over a claim, for the end that consumes it."""
        end = 1 - claim.direction
        place = Place(self.words[end], self.gateways[end], self.verifiers[end], 1)
        digest = attestation_digest(self.lane.suite, place, claim)
        return committee_proof(1, [(index, self.signature(OPERATORS[index], digest)) for index in operators])

    def delivery(self, sent: Sequence[MessageSent], *, suffix_ids: Sequence[bytes] = ()) -> Delivery:
        """A delivery of messages whose claim is the last one's head (or what the suffix folds to)."""
        claim = self.claim(0, sent[-1].message.nonce, sent[-1].head)
        messages = tuple(event.message for event in sent[: len(sent) - len(suffix_ids)])
        return Delivery(self.lane.lane_id, messages, tuple(suffix_ids), claim, self.proof(claim))

    def settlement(self, sent: Sequence[MessageSent], delivered: Sequence[MessageDelivered], head: Head) -> Settlement:
        """A settlement of outcomes up to a head."""
        claim = self.claim(1, delivered[-1].nonce, head)
        entries = tuple(
            Settled(event.message.without_payload(), outcome.status, outcome.result)
            for event, outcome in zip(sent, delivered, strict=True)
        )
        return Settlement(self.lane.lane_id, entries, (), claim, self.proof(claim))

    def deliver(self, action: Delivery) -> Receipt:
        """Deliver at the destination."""
        return self.transact(1, self.relayer, self.ledgers[1].call_for(self.gateways[1], action))

    def settle(self, action: Settlement) -> Receipt:
        """Settle at the source."""
        return self.transact(0, self.relayer, self.ledgers[0].call_for(self.gateways[0], action))


def last_head(moved: Sequence[HeadMoved], direction: int) -> HeadMoved:
    """The last event that moved a lane's head in one direction.

    Raises:
        Broken: none did.
    """
    found = [event for event in moved if event.direction == direction]
    if not found:
        raise Broken(f"no event says that the head of direction {direction} moved")
    return found[-1]
