"""The three faces of an in-process ledger at one endpoint, which fails as its switches say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adapters.memory.chain import BLOCK_GAS, CODE_HASH, MemoryChain
from adapters.memory.faults import Faults
from adapters.memory.gateway import Reverted
from adapters.memory.transactions import sign_transaction
from adapters.protocol import (
    Action,
    Anchoring,
    Call,
    CertificateState,
    Delivery,
    GatewayEvent,
    Installed,
    LaneEnds,
    LedgerIdentity,
    MachineTraits,
    Misconfigured,
    Receipt,
    Rejected,
    Signed,
    Unreachable,
    VerifierParts,
    Wallet,
)
from adapters.solidity.calldata import encode_action
from light_clients.crypto.secp256k1 import address_of
from schemas.evidence import HeadEvidence, StateEvidence
from schemas.primitives import LaneId

MAX_HEADERS = 1_000
ENTRY_GAS = 100_000


class MemoryLedger:
    """An opened in-process ledger."""

    def __init__(self, chain: MemoryChain, faults: Faults, endpoint: str, *, timeout_s: float) -> None:
        self._chain = chain
        self.faults = faults
        self._endpoint = endpoint
        self._timeout_s = timeout_s

    @property
    def chain(self) -> MemoryChain:
        """The history that this endpoint serves."""
        return self.faults.fork or self._chain

    @property
    def endpoint(self) -> str:
        """The endpoint's URL; it has no credentials."""
        return self._endpoint

    def leave_endpoint(self, reason: str) -> bool:
        """There is no other endpoint here; the guard has them."""
        del reason
        return False

    def close(self) -> None:
        """Nothing is held."""

    def identity(self) -> LedgerIdentity:
        """Say what the ledger is."""
        self._check()
        return LedgerIdentity(self.chain.chain_id, self.chain.first_block, "relayhub memory ledger", development=True)

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves."""
        self._check()
        return self.faults.tip(self.chain.height)

    def headers(self, first: int, last: int) -> list[bytes]:
        """Headers of heights `first` to `last` inclusive, in order; at most 1,000."""
        if last - first >= MAX_HEADERS:
            raise Misconfigured(f"{last - first + 1} headers were asked for; ask for at most {MAX_HEADERS} at once.")
        with self.chain.lock:
            self._reach(last)
            chain = self.chain if self.faults.fork_headers else self._chain
            return [block.header.encoded for block in chain.blocks[first : last + 1]]

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order."""
        with self.chain.lock:
            if self._served() < last:
                raise Unreachable(f"{self._endpoint} has not reached block {last}.", endpoint=self._endpoint)
            if gateway != self.chain.gateway.address:
                return []
            found = [event for block in self.chain.blocks[first : last + 1] for event in block.events]
            return self.faults.spoil(found)

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that the gateway keeps of a lane, at the newest block."""
        with self.chain.lock:
            state = self.chain.blocks[self.tip()].lanes.get(lane_id)
            if gateway != self.chain.gateway.address or state is None:
                text = f"The gateway never opened lane {lane_id.hex0x()}."
                raise Rejected(text, reason="UnknownLane", endpoint=self._endpoint)
            return LaneEnds(
                state.sent,
                state.settled,
                state.delivered,
                state.paused,
                state.closed,
                state.verifier.address,
                state.generation,
            )

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is."""
        with self.chain.lock:
            self._check()
            found = self.chain.verifiers.get(verifier)
            if found is None:
                raise Rejected(f"The contract at 0x{verifier.hex()} is no verifier.", endpoint=self._endpoint)
            return found.parts

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """The proof of each head in the state of the block at `height`."""
        with self.chain.lock:
            self._reach(height)
            shown = height - 1 if self.faults.states_old else height
            found = [self.chain.evidence(shown, gateway, lane_id, direction) for lane_id, direction in lane_ids]
        return [_false_proof(evidence) if self.faults.heads_lie else evidence for evidence in found]

    def storage(self, program: bytes, slots: Sequence[bytes], height: int) -> list[StateEvidence]:
        """The proof of each slot in the state of the block at `height`."""
        with self.chain.lock:
            self._reach(height)
            return self.chain.slots(height, program, slots)

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode an action as the Solidity gateway takes it."""
        calldata = encode_action(action)
        if isinstance(action, Anchoring):
            entries = [0]
        elif isinstance(action, Delivery):
            entries = [message.gas_limit for message in action.messages]
        else:
            entries = [entry.message.callback_gas for entry in action.settled]
        gas = 21_000 + 16 * len(calldata) + sum(entries) + ENTRY_GAS * len(entries)
        return Call(gateway, calldata, min(gas, BLOCK_GAS))

    def wallet(self, address: bytes) -> Wallet:
        """Read an account, and what the ledger asks."""
        with self.chain.lock:
            self._check()
            nonce = self.chain.nonce(address)
            waiting = sum(1 for transaction in self.chain.pool if transaction.sender == address)
            asked, ceiling = self.chain.base_fee, self.chain.fee_ceiling
            fee = min(asked, ceiling) if ceiling else asked
            balance = self.chain.balance(address)
            return self.faults.wallet(Wallet(address, nonce, nonce + waiting, balance, fee, asked, ceiling))

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction offering `fee` per gas; asks nothing."""
        return sign_transaction(self.chain.word, private_key, nonce, call, fee)

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected."""
        with self.chain.lock:
            self._check()
            if self.faults.loses_transactions:
                return [None] * len(transactions)
            if code := self.faults.refuses_transactions:
                return [Rejected(f"refused: {code}", code=code, endpoint=self._endpoint) for _ in transactions]
            return [self._submit(raw) for raw in transactions]

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as the endpoint knows."""
        with self.chain.lock:
            tip = self.tip()
            found = [self.chain.receipt(transaction) for transaction in transactions]
            shown = [receipt if receipt is not None and receipt.height <= tip else None for receipt in found]
            return self.faults.receipts(shown, transactions, tip)

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state.

        Raises:
            Rejected: it would revert.
        """
        self._check()
        if reason := self.faults.reverts:
            raise Rejected(f"The call would revert: {reason}", code="reverted", reason=reason, endpoint=self._endpoint)
        if verifier := self.chain.verifiers.get(call.target):
            return verifier.view(call.data[:4])
        if answered := self.chain.ask(call):
            return answered
        try:
            self.chain.simulate(sender, call)
        except Reverted as error:
            reason = str(error)
            raise Rejected(
                f"The call would revert: {reason}", code="reverted", reason=reason, endpoint=self._endpoint
            ) from error
        return b""

    def machine(self) -> MachineTraits:
        """It behaves as an Ethereum machine does."""
        return MachineTraits()

    def account(self, private_key: bytes) -> bytes:
        """The account of a secp256k1 key, 20 bytes."""
        return address_of(private_key)

    def called_by(self, program: bytes) -> bytes:
        """Programs have addresses here."""
        return program

    def new_name(self, program: str) -> bytes:
        """Programs have addresses here."""
        del program
        return b""

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """Its gateway is there from the beginning.

        Raises:
            Misconfigured: always.
        """
        raise Misconfigured("Nothing can be deployed on an in-process ledger; it has its gateway.")

    def installed(self, address: bytes) -> Installed:
        """The gateway, which is no code here.

        Raises:
            Rejected: it is another address.
        """
        if address != self.chain.gateway.address:
            raise Rejected(f"There is no contract at 0x{address.hex()}.", endpoint=self._endpoint)
        return Installed(b"", CODE_HASH)

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """Accounts have what they need."""
        del private_keys
        return False

    def certificates(self) -> list[CertificateState]:
        """None is used here."""
        return []

    def _submit(self, raw: bytes) -> Rejected | None:
        try:
            self.chain.submit(raw)
        except Rejected as refusal:
            refusal.endpoint = self._endpoint
            return None if refusal.code == "known" else refusal
        return None

    def _check(self) -> None:
        self.faults.check(self._endpoint, self._timeout_s)

    def _served(self) -> int:
        """Height of the newest block that is there, whatever the endpoint says."""
        return min(self.tip(), self.chain.height)

    def _reach(self, height: int) -> None:
        if self._served() < height:
            raise Rejected(f"{self._endpoint} does not have block {height}.", code="no_state", endpoint=self._endpoint)


def _false_proof(evidence: StateEvidence) -> StateEvidence:
    """The same proof with the last byte of its last node, the end of the head, changed."""
    *nodes, last = evidence.storage_proof
    return replace(evidence, storage_proof=(*nodes, last[:-1] + bytes([last[-1] ^ 1])))
