"""The faces of a ledger of FISCO BCOS, 2.x or 3.x, over JSON-RPC. It speaks to one endpoint; the guard chooses among several.

Nothing is judged: headers and proofs leave in the form that the light client takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from adapters.ethereum.gas import action_gas
from adapters.fisco.accounts import address_of
from adapters.fisco.answers import data, record
from adapters.fisco.calls import Calls
from adapters.fisco.evidence import fetch_evidence
from adapters.fisco.headers import read_headers
from adapters.fisco.identity import read_identity
from adapters.fisco.log_notes import fetch_log_note
from adapters.fisco.node import Node
from adapters.fisco.options import FiscoOptions
from adapters.fisco.receipts import height_of, read_events, read_receipt
from adapters.fisco.refusals import asked_wrongly, is_absent, unsent
from adapters.fisco.tls import certificate_state, open_rpc, read_tls
from adapters.fisco.transactions import parse, sign_call
from adapters.jsonrpc import RpcError
from adapters.protocol import (
    Action,
    AdapterOptions,
    BadAnswer,
    Call,
    CertificateState,
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
from adapters.transport import Transport
from schemas.evidence import HeadEvidence
from schemas.primitives import LaneId, hex0x
from schemas.suites import keccak256

MAX_HEADERS = 1_000
PLENTY = 1 << 120
"""What an account that needs no coins is said to have."""
_HEIGHT_KEPT_S = 5.0


class FiscoLedger:
    """An opened ledger at one endpoint. Safe to share between threads."""

    def __init__(self, options: AdapterOptions, *, transport: Transport | None = None) -> None:
        """Prepare to speak to the first endpoint of `options`; nothing is asked yet.

        Args:
            options: the endpoint, limits, and the platform's options under `extra`.
            transport: what carries the requests, if not what the URL says.

        Raises:
            Misconfigured: there is no endpoint, or an option or the URL cannot be.
        """
        if not options.endpoints:
            raise Misconfigured("No endpoint was given; give at least one URL.")
        self.options = FiscoOptions.read(options.extra)
        self.configuration = self.options.configuration
        tls = read_tls(self.options)
        self.node = Node(open_rpc(options.endpoints[0].url, options, tls, transport), self.options)
        self._web3 = open_rpc(self.options.web3, options, tls, None) if self.options.web3 else None
        self.calls = Calls(self.node, self._web3)
        self._lock = threading.Lock()
        self._seen = (0, float("-inf"))

    @property
    def endpoint(self) -> str:
        """The endpoint without credentials."""
        return self.node.rpc.label

    def leave_endpoint(self, reason: str) -> bool:
        """There is no other endpoint here; the guard has them."""
        del reason
        return False

    def close(self) -> None:
        """Release connections."""
        self.node.close()
        if self._web3 is not None:
            self._web3.close()

    # Reader and prover

    def identity(self) -> LedgerIdentity:
        """Ask the node what it is.

        Raises:
            Misconfigured: it is another chain, group, line or suite than the options say, or runs no EVM.
        """
        return read_identity(self.node)

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves."""
        height = self.node.height()
        with self._lock:
            self._seen = (height, time.monotonic())
        return height

    def headers(self, first: int, last: int) -> list[bytes]:
        """Bundles of headers `first` to `last` inclusive, in order; at most 1,000.

        Raises:
            Rejected: the node does not have one of them, or the first block is among them, which nobody signed.
        """
        if last - first >= MAX_HEADERS:
            raise Misconfigured(f"{last - first + 1} headers were asked for; ask for at most {MAX_HEADERS} at once.")
        if first < 1:
            raise Rejected("The first block is signed by nobody; ask for block 1 and above.", endpoint=self.endpoint)
        return read_headers(self.node, self.configuration, first, last)

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order.

        There is no question for events over HTTP, so the receipts of every transaction are read.

        Raises:
            Unreachable: the endpoint has not reached `last`.
        """
        if self.tip() < last:
            raise Unreachable(f"{self.endpoint} has not reached block {last}; ask again later.", endpoint=self.endpoint)
        return read_events(self.node, first, last, gateway)

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that the gateway keeps of a lane, at the newest block.

        Raises:
            Rejected: there is no gateway at the address, or it never opened the lane.
        """
        return self.calls.lane_ends(gateway, lane_id)

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is.

        Raises:
            Rejected: the contract says no kind: it is no verifier.
        """
        return self.calls.verifier_parts(verifier)

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """The proof of each head by its last event in the very block at `height`; None where none there proves it."""
        return fetch_evidence(self.node, self.configuration, gateway, lane_ids, height)

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """The evidence of the last note in the very block at `height`, as `light_clients.fisco.log_notes` takes it.

        Raises:
            Rejected: the account noted nothing there, or not so that it can be proved; or there is no such block (`no_state`).
        """
        return fetch_log_note(self.node, self.configuration, gateway, account, height)

    # Writer

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring, with a gas limit for the worst case within the ledger's."""
        calldata = encode_action(action)
        return Call(gateway, calldata, action_gas(action, len(calldata), self.options.gas_limit))

    def wallet(self, address: bytes) -> Wallet:
        """An account needs neither coins nor a number here; asks for the height that transactions are signed for."""
        self.tip()
        return Wallet(address, 0, 0, PLENTY, 0)

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction that may stand in any of the next blocks, up to the block limit.

        The limit moves in steps of a fifth, so that the same request is the same transaction for a while.
        """
        height, seen_at = self._seen
        if time.monotonic() - seen_at > _HEIGHT_KEPT_S:
            height = self.tip()
        step = self.options.block_limit // 5
        block_limit = height // step * step + self.options.block_limit
        network = self.options.network
        return sign_call(network, private_key, nonce=nonce, call=call, fee=fee, block_limit=block_limit)

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions; None = taken (or known already), else why it was rejected.

        Nodes of line 3 answer when the transaction stands in a block.
        """
        return self.node.send_each(self._send, transactions)

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as the endpoint knows."""
        return self.node.each(self._receipt, transactions)

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns its output.

        The output is empty where nothing can be told: of a deployment, and on line 3 of what fails for want of a sender, which calls
        there do not have; the option `web3` gives them one.

        Raises:
            Rejected: it would revert (`reverted`, with the contract's own error in `reason`).
        """
        return self.calls.simulate(sender, call)

    # Host

    def machine(self) -> MachineTraits:
        """An EVM whose time is in milliseconds; with national cryptography its hash is SM3, and operators sign SM2."""
        suite = self.options.suite
        signatures = "fisco-sm2" if suite == "sm" else "ecrecover"
        return MachineTraits(signatures=signatures, suite=suite, time_divisor=1000, ordered=False)

    def account(self, private_key: bytes) -> bytes:
        """The account of a key of the suite's curve, 20 bytes."""
        return address_of(private_key, self.options.suite)

    def called_by(self, program: bytes) -> bytes:
        """A program's own address."""
        return program

    def new_name(self, program: str) -> bytes:
        """Programs have addresses here."""
        del program
        return b""

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """A transaction that deploys a contract."""
        del name
        return Call(b"", creation, self.options.gas_limit)

    def installed(self, address: bytes) -> Installed:
        """The code at an address and its hash, as the node says: nothing on this ledger proves it.

        Raises:
            Rejected: there is none.
        """
        answer = self.node.demand("getCode", hex0x(address))
        code = data(answer or "0x", "the contract's code")
        if not code:
            raise Rejected(f"There is no contract at {hex0x(address)}; check the address.", endpoint=self.endpoint)
        return Installed(code, keccak256(code))

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """Accounts need nothing to act; says whether the keys are keys of this ledger."""
        for private_key in private_keys:
            self.account(private_key)
        return True

    def certificates(self) -> list[CertificateState]:
        """Our TLS certificate, where one was named."""
        return [certificate_state(self.options.tls_certificate)] if self.options.tls_certificate else []

    # Parts

    def _send(self, raw: bytes) -> Rejected | None:
        try:
            told = self.node.send(raw)
        except RpcError as error:
            refusal = unsent(error, self.node.line)
            if refusal is not None and refusal.code == "expired" and self._receipt(self._hash_of(raw)) is not None:
                return None
            return refusal
        if told != self._hash_of(raw):
            raise BadAnswer(f"{self.endpoint} took a transaction under another hash; leave it.", endpoint=self.endpoint)
        return None

    def _hash_of(self, raw: bytes) -> bytes:
        try:
            return parse(raw, self.options.network).hash
        except ValueError as error:
            raise Misconfigured(f"The bytes are no transaction of this ledger ({error}); sign it again.") from error

    def _receipt(self, transaction: bytes) -> Receipt | None:
        """Line 2 answers null for a transaction that it does not have, line 3 an error or null."""
        try:
            answer: Any = self.node.ask("getTransactionReceipt", hex0x(transaction), *self._plain())
        except RpcError as error:
            sorted_error = asked_wrongly(error)
            if sorted_error is error and is_absent(error):
                return None
            raise sorted_error from error
        if answer is None:
            return None
        receipt = record(answer, "the receipt")
        if data(receipt.get("transactionHash"), "transactionHash of the receipt", 32) != transaction:
            raise BadAnswer("the receipt is of another transaction than was asked for; leave the endpoint.")
        if self.node.line == 3:
            return read_receipt(receipt, transaction, self.node.block_hash(height_of(receipt)), 3)
        block_hash = data(receipt.get("blockHash"), "blockHash of the receipt", 32)
        return read_receipt(receipt, transaction, block_hash, 2)

    def _plain(self) -> list[bool]:
        return [False] if self.node.line == 3 else []
