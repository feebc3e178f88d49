"""The four faces of a ledger: Reader, Prover, Writer, Host. An adapter fetches and delivers; it never judges.

Every method may raise only `AdapterError` and its kinds (the guard holds an adapter to that). Bytes of headers and
proofs leave an adapter unjudged: `light_clients` decides what may be believed. Events are what an endpoint *says*;
the hub believes them only when they fold to a proved head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from adapters.gateway import (
    Action,
    Anchoring,
    Delivery,
    GatewayEvent,
    HeadMoved,
    LaneEnds,
    LaneOpened,
    MessageDelivered,
    MessageSent,
    MessageTicketed,
    Position,
    Settlement,
    VerifierChanged,
    VerifierParts,
)
from schemas.evidence import HeadEvidence, StateEvidence
from schemas.primitives import BlockHash, ChainId, ChainWord, LaneId
from schemas.suites import keccak256, sm3

__all__ = [
    "Action",
    "AdapterError",
    "AdapterFactory",
    "AdapterOptions",
    "Anchoring",
    "AnswerTooLarge",
    "BadAnswer",
    "Call",
    "CertificateState",
    "Delivery",
    "Endpoint",
    "GatewayEvent",
    "HeadMoved",
    "Host",
    "Installed",
    "LaneEnds",
    "LaneOpened",
    "Ledger",
    "LedgerIdentity",
    "MachineTraits",
    "MemberRefused",
    "MessageDelivered",
    "MessageSent",
    "MessageTicketed",
    "Misconfigured",
    "NoteProver",
    "Position",
    "Prover",
    "Reader",
    "Receipt",
    "Rejected",
    "Settlement",
    "Signed",
    "StorageProver",
    "Unreachable",
    "VerifierChanged",
    "VerifierParts",
    "Wallet",
    "Writer",
]


class AdapterError(Exception):
    """The base of everything an adapter raises on purpose.

    Attributes:
        endpoint: the endpoint that it concerns, without credentials, or empty.
    """

    def __init__(self, message: str, *, endpoint: str = "") -> None:
        super().__init__(message)
        self.endpoint = endpoint


class Unreachable(AdapterError):
    """The endpoint does not answer, answers too late, or says that it is busy: try again, or another one.

    Attributes:
        retry_after_s: seconds that the endpoint asks to be left alone, 0 if it does not say.
    """

    def __init__(self, message: str, *, endpoint: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message, endpoint=endpoint)
        self.retry_after_s = retry_after_s


class BadAnswer(AdapterError):
    """The endpoint answered something that is not of the platform's form: leave it for another one."""


class AnswerTooLarge(BadAnswer):
    """The answer is larger than agreed: ask for less at once."""


class Rejected(AdapterError):
    """The ledger refused the request for a reason of its own (a revert, a bad nonce, no funds).

    Attributes:
        code: a short name of the cause: `reverted`, `nonce_too_low`, `nonce_too_high`, `underpriced`, `no_funds`, `known`,
            `pool_full`, `too_much_gas`, `too_large`, `too_dear` (the node's own limit of what one transaction may cost),
            `not_ready` (the node takes no transactions yet), `no_state` (the node has pruned it), `no_method`,
            `too_much` (narrow the question), `expired` (the transaction's time is over; a new one has to be made), `other`.
        reason: the custom error of the contract in words, where there is one.
    """

    def __init__(self, message: str, *, code: str = "other", reason: str = "", endpoint: str = "") -> None:
        super().__init__(message, endpoint=endpoint)
        self.code = code
        self.reason = reason


class Misconfigured(AdapterError):
    """The configuration cannot work (wrong chain, no EVM, missing method): a person has to change it."""


class MemberRefused(Misconfigured):
    """A certificate does not serve: over, revoked, of another authority or name, or not of its key; a new file is read by itself."""


@dataclass(frozen=True, slots=True)
class LedgerIdentity:
    """What a node says it is: CAIP-2 name, hash of the first block, software, and whether that is a development node."""

    chain_id: ChainId
    first_block: BlockHash
    software: str
    development: bool

    @property
    def word(self) -> ChainWord:
        """The ledger's chain word."""
        return self.chain_id.word(self.first_block)


class Reader(Protocol):
    """Reads what a ledger says."""

    def identity(self) -> LedgerIdentity:
        """Ask the node what it is."""
        ...

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves."""
        ...

    def headers(self, first: int, last: int) -> list[bytes]:
        """Headers of heights `first` to `last` inclusive, as their validators sealed them, in order; at most 1,000."""
        ...

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order."""
        ...

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that a gateway keeps of a lane, at the newest block."""
        ...

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is.

        Raises:
            Rejected: the contract says no kind: it is no verifier.
        """
        ...


class Prover(Protocol):
    """Fetches evidence of a lane's head."""

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """Fetch, for each (lane, direction), the proof of its head under the header at `height`.

        Where a ledger proves its state, that is the head after everything up to that header. Where it proves transactions or
        receipts, it is the head after the last entry that stands in that very block, and None where none does.
        """
        ...


@runtime_checkable
class StorageProver(Protocol):
    """What a ledger with an Ethereum state may offer beside its faces: proofs of any slots of a program."""

    def storage(self, program: bytes, slots: Sequence[bytes], height: int) -> list[StateEvidence]:
        """Fetch the header at `height` and, for each slot (32 bytes) of a program, the proof of what it holds in that block's state."""
        ...


@runtime_checkable
class NoteProver(Protocol):
    """What a ledger whose notes of an evidence log have a form of their own offers beside its faces."""

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """Fetch what shows what an account noted of its log, in the form of `light_clients`' module `log_notes` of the family.

        Args:
            gateway: that keeps notes.
            account: that notes.
            height: where the ledger proves its state, any final block; else the block in which the note was written.

        Raises:
            Rejected: nothing is noted there, or the node does not have the block (`no_state`, which the guard holds against it).
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to be.

    Attributes:
        target: the program, or empty for a deployment at an address that the ledger chooses.
        data: calldata in the form of the gateway's Solidity interface, or a program's creation code.
        gas: what it may use; ledgers without gas ignore it.
        creates: whether it deploys a program under the name in `target`.
    """

    target: bytes
    data: bytes
    gas: int
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction: its hash, raw bytes, and the fee that it offers (base units per gas)."""

    transaction: bytes
    raw: bytes
    fee: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction: mined at a height, succeeded or reverted, gas used, deployed contract if any.

    `reason` is why it failed, where that was decided after it ran and no simulation would show it; else empty.
    """

    transaction: bytes
    height: int
    block_hash: bytes
    success: bool
    gas_used: int
    contract: bytes = b""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wallet:
    """An account that pays, and what paying costs now; fees are in base units per gas.

    Attributes:
        address: the account.
        nonce: its next nonce by the newest block.
        pending_nonce: the same with the transactions that wait in the pool.
        balance: base units.
        fee: what to offer now; never above `ceiling`.
        least_fee: what a block takes at least now, as far as the ledger says.
        ceiling: the most that the owner of the account lets it offer, 0 = no limit.
    """

    address: bytes
    nonce: int
    pending_nonce: int
    balance: int
    fee: int
    least_fee: int = 0
    ceiling: int = 0


class Writer(Protocol):
    """Builds, signs and sends transactions.

    On a ledger without account nonces (its machine says `ordered=False`) a wallet has nonce 0, and the nonce given to `sign` only
    makes a transaction unique. What such a ledger does with two transactions of one lane that wait at once is not said, so the hub
    sends one after the other.
    """

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring for the gateway, with its gas limit."""
        ...

    def wallet(self, address: bytes) -> Wallet:
        """Read an account and the fee that the ledger asks now."""
        ...

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction offering `fee` per gas.

        It touches no network but for the chain id, remembered; where a ledger wants a transaction endorsed, its endorsers are asked.

        Args:
            private_key: 32 bytes, of the curve that the ledger uses.
            nonce: the account's, or any number that makes the transaction unique.
            call: what is called.
            fee: base units per gas.

        Raises:
            Misconfigured: the ledger knows nobody with this key.
            Rejected: endorsers refuse.
        """
        ...

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected."""
        ...

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as the endpoint knows."""
        ...

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns its output.

        Raises:
            Rejected: it would revert; `reason` says why in the contract's words.
        """
        ...


@dataclass(frozen=True, slots=True)
class MachineTraits:
    """What a ledger's machine can do for a gateway, which is chosen at the gateway's deployment.

    Attributes:
        signatures: how a committee's signatures are checked there: `ecrecover`, `secp256k1` (in Solidity), `chainmaker-sm2`,
            `fisco-sm2`, or `chaincode`.
        suite: the hash suite of gateways that are deployed there, `evm` or `sm`; `any` where one gateway has both.
        hashing: how a gateway of that suite computes its hash: `opcode`, `solidity`, `fisco2`, `fisco3`, or `chaincode`.
        time_divisor: units of the machine's block time in a second, 1 or 1000.
        named: whether programs have names, which are chosen at deployment, instead of addresses.
        accounts: how the interface writes an account: `address` (20 bytes) or `bytes`.
        ordered: whether accounts have nonces, which keep their transactions in order (see `Writer`).
        optimistic: whether of two transactions in one block that touch one counter only the first holds (Fabric's MVCC).
        tickets: whether `send` gives a ticket, which somebody has to seal (see `MessageTicketed`).
        proof_delay: blocks between a transaction's own and the one whose header proves what it did (1 on CometBFT).
    """

    signatures: str = "ecrecover"
    suite: str = "evm"
    hashing: str = "opcode"
    time_divisor: int = 1
    named: bool = False
    accounts: str = "address"
    ordered: bool = True
    proof_delay: int = 0
    optimistic: bool = False
    tickets: bool = False

    def own_hash(self, data: bytes) -> bytes:
        """What Solidity's `keccak256` gives on that machine, 32 bytes: SM3 where the opcode itself is SM3."""
        return sm3(data) if (self.suite, self.hashing) == ("sm", "opcode") else keccak256(data)


@dataclass(frozen=True, slots=True)
class Installed:
    """What a node says of the program at an address.

    Attributes:
        code: its code, or empty where a ledger shows none.
        code_hash: 32 bytes by which lanes pin it.
        pin: what else a light client has to know of it, by name.
        options: of the adapter, without which it might fetch what the light client does not take as the pin has it; the ledger is
            registered with them.
    """

    code: bytes
    code_hash: bytes
    pin: dict[str, Any] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CertificateState:
    """A certificate that an adapter uses: whose it is, and until when (Unix seconds)."""

    name: str
    not_after: int


class Host(Protocol):
    """Puts programs on a ledger, and says what stands there and who may act."""

    def machine(self) -> MachineTraits:
        """What the ledger's machine can do; asks nothing that changes."""
        ...

    def account(self, private_key: bytes) -> bytes:
        """The account of a key on this ledger: 20 bytes on an EVM.

        Raises:
            Misconfigured: the ledger knows nobody with this key.
        """
        ...

    def called_by(self, program: bytes) -> bytes:
        """What other programs call a program by: its address of 20 bytes on an EVM, also where it has a name."""
        ...

    def new_name(self, program: str) -> bytes:
        """A fresh name for a program, or empty where the ledger chooses addresses."""
        ...

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """A transaction that deploys a program; its receipt names the program.

        Raises:
            Misconfigured: programs are put on this ledger by other means; the text says how.
        """
        ...

    def installed(self, address: bytes) -> Installed:
        """What stands at an address.

        Raises:
            Rejected: nothing does.
        """
        ...

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """On a development network: make the accounts of these keys able to act; False where the node does not offer it."""
        ...

    def certificates(self) -> list[CertificateState]:
        """The certificates that are used to speak to the ledger, for alarms before they end."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of a ledger: its URL (or IPC path) and who operates it (endpoints count by operator)."""

    url: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """What an adapter needs to open a ledger.

    Attributes:
        endpoints: at least one, the preferred first.
        expected_chain: the CAIP-2 name that the endpoint must have, or empty at registration.
        expected_first_block: the hash of the first block that it must have (32 bytes), or empty at registration.
        timeout_s: seconds that one request may take.
        max_answer_bytes: the largest answer that is read.
        extra: options of the platform, by name.
    """

    endpoints: tuple[Endpoint, ...]
    expected_chain: str = ""
    expected_first_block: bytes = b""
    timeout_s: float = 10.0
    max_answer_bytes: int = 64 * 1024 * 1024
    extra: dict[str, str] = field(default_factory=dict)


class Ledger(Reader, Prover, Writer, Host, Protocol):
    """An opened ledger: all four faces, the endpoint in use, and a way to leave it."""

    @property
    def endpoint(self) -> str:
        """The endpoint in use now, without credentials."""
        ...

    def leave_endpoint(self, reason: str) -> bool:
        """Accuse the endpoint in use and move to another; False if there is no other."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class AdapterFactory(Protocol):
    """What a package registers under the entry-point group `relayhub.adapters`.

    A factory may also have `skips_heights = True`: `headers(first, last)` of its ledgers is not one for each height, but what leads
    a light client that trusts `first - 1` to a block up to `last`, possibly nothing, and `headers(h, h)` is where a client begins;
    `keeps_time = True`: each request of its ledgers ends within `timeout_s`, so that the guard need not watch its calls from
    outside; and `verdicts_unsigned = True`: which transactions of a block are valid is a node's word, so that the guard asks most
    of them for events.
    """

    name: str

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger; opening asks the network nothing."""
        ...
