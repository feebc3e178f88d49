"""The three faces of a ledger over Ethereum JSON-RPC. It speaks to one endpoint; the guard chooses among several.

Each method is one batch where that can be. Nothing is judged: headers and proofs leave as they came, in their form.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from adapters.evm.answers import data, quantity, record
from adapters.evm.fees import FEE_CALLS, Fees, read_fees
from adapters.evm.gas import action_gas
from adapters.evm.headers import header_rlp
from adapters.evm.logs import LogReader
from adapters.evm.options import EvmOptions
from adapters.evm.proofs import fetch_evidence
from adapters.evm.receipts import read_receipt
from adapters.evm.refusals import broadcast_refusal, call_refusal
from adapters.evm.transactions import sign_legacy, sign_with_base_fee
from adapters.evm.validator_sets import read_spans, with_set_proofs
from adapters.evm.views import PAUSED, VERIFIER_CALLS, lane_call, read_lane_ends, read_verifier_parts
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import (
    Action,
    AdapterOptions,
    BadAnswer,
    Call,
    GatewayEvent,
    LaneEnds,
    LedgerIdentity,
    Misconfigured,
    Receipt,
    Rejected,
    Signed,
    VerifierParts,
    Wallet,
)
from adapters.solidity.calldata import encode_action
from adapters.solidity.events import SIGNATURES, decode_event
from adapters.solidity.refusals import explain
from adapters.solidity.storage import head_slot
from adapters.transport import Transport
from schemas.evidence import StateEvidence
from schemas.primitives import BlockHash, ChainId, LaneId, hex0x
from schemas.suites import keccak256

MAX_HEADERS = 1_000
_DEVELOPMENT = re.compile(r"anvil|hardhat|ganache|relayhub-devnet", re.IGNORECASE)


class EvmLedger:
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
            raise Misconfigured("A ledger needs an endpoint; give its URL.")
        self.options = EvmOptions.read(options.extra)
        self.rpc = JsonRpc(
            options.endpoints[0].url,
            timeout_s=options.timeout_s,
            max_answer_bytes=options.max_answer_bytes,
            transport=transport,
        )
        self._first_block = options.expected_first_block
        self._logs = LogReader(self.rpc, span=self.options.log_range)
        self._spans = read_spans(self.options.validator_contracts)
        self._lock = threading.Lock()
        self._chain_number = 0
        self._fees: Fees | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint without credentials."""
        return self.rpc.label

    def leave_endpoint(self, reason: str) -> bool:
        """There is no other endpoint here; the guard has them."""
        del reason
        return False

    def close(self) -> None:
        """Release connections."""
        self.rpc.close()

    def identity(self) -> LedgerIdentity:
        """Ask for the chain's number, its first block and the node's software.

        Raises:
            Misconfigured: the endpoint is no Ethereum JSON-RPC, or does not serve the first block and none was stated.
        """
        number, block, software = self.rpc.batch(
            [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False]), ("web3_clientVersion", [])]
        )
        if isinstance(number, RpcError):
            raise Misconfigured(
                f"{self.endpoint} is no Ethereum JSON-RPC endpoint ({number}); give another.", endpoint=self.endpoint
            )
        if isinstance(block, RpcError) or block is None:
            if not self._first_block:
                raise Misconfigured(
                    f"{self.endpoint} does not serve block 0; state the hash of the first block.",
                    endpoint=self.endpoint,
                )
            first_block = self._first_block
        else:
            first_block = data(record(block, "block 0").get("hash"), "hash of block 0", 32)
        name = software[:200] if isinstance(software, str) and software.isprintable() else "unknown"
        chain_number = quantity(number, "chain id")
        self._chain_number = chain_number
        return LedgerIdentity(
            ChainId.of("eip155", str(chain_number)),
            BlockHash(first_block),
            name,
            development=_DEVELOPMENT.search(name) is not None,
        )

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves."""
        return quantity(self.rpc.call("eth_blockNumber", []), "the newest block's number")

    def headers(self, first: int, last: int) -> list[bytes]:
        """Headers of heights `first` to `last` inclusive in RLP, in order; at most 1,000.

        Where a contract selects validators, each comes with the proof of its child's set.

        Raises:
            Rejected: the node does not have one of them (`no_state`).
        """
        if last - first >= MAX_HEADERS:
            raise Misconfigured(f"{last - first + 1} headers were asked for; ask for at most {MAX_HEADERS} at once.")
        heights = range(first, last + 1)
        blocks = self.rpc.demand([("eth_getBlockByNumber", [hex(height), False]) for height in heights])
        if None in blocks:
            missing = first + blocks.index(None)
            raise Rejected(f"{self.endpoint} does not have block {missing}.", code="no_state", endpoint=self.endpoint)
        headers = [header_rlp(block, height) for height, block in zip(heights, blocks, strict=True)]
        return with_set_proofs(self.rpc, self._spans, first, headers) if self._spans else headers

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order."""
        logs = self._logs.read(first, last, gateway, SIGNATURES)
        return [decode_event(log.topics, log.data, log.position) for log in logs]

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that the gateway keeps of a lane, at the newest block.

        Raises:
            Rejected: there is no gateway at the address, or it never opened the lane.
        """
        calls = [{"to": hex0x(gateway), "data": hex0x(call)} for call in (lane_call(lane_id), PAUSED)]
        answers = self.rpc.batch([("eth_call", [call, "latest"]) for call in calls])
        for answer in answers:
            if isinstance(answer, RpcError):
                raise call_refusal(answer, explain)
        lane, paused = (data(answer, "answer of the gateway") for answer in answers)
        if not lane:
            raise Rejected(
                f"There is no contract at {hex0x(gateway)}; check the gateway's address.", endpoint=self.endpoint
            )
        ends = read_lane_ends(lane, paused)
        if ends is None:
            raise Rejected(
                f"The gateway {hex0x(gateway)} never opened lane {lane_id.hex0x()}; open it first.",
                reason="UnknownLane",
                endpoint=self.endpoint,
            )
        return ends

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is.

        Raises:
            Rejected: the contract says no kind: it is no verifier.
        """
        asked = [("eth_call", [{"to": hex0x(verifier), "data": hex0x(call)}, "latest"]) for call in VERIFIER_CALLS]
        answers = [
            b"" if isinstance(item, RpcError) else data(item, "answer of the verifier")
            for item in self.rpc.batch(asked)
        ]
        parts = read_verifier_parts(verifier, *answers)
        if parts is None:
            raise Rejected(
                f"The contract at {hex0x(verifier)} is no verifier; check the address.", endpoint=self.endpoint
            )
        return parts

    def evidence(self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int) -> list[StateEvidence]:
        """The proof of each head in the state of the block at `height`, by eth_getProof."""
        if not lane_ids:
            return []
        slots = [head_slot(lane_id, direction) for lane_id, direction in lane_ids]
        return fetch_evidence(self.rpc, gateway, slots, height)

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring, with a gas limit for the worst case within the block's."""
        calldata = encode_action(action)
        return Call(gateway, calldata, action_gas(action, len(calldata), self._gas_cap()))

    def wallet(self, address: bytes) -> Wallet:
        """Read an account and the fee that the ledger asks now."""
        account = hex0x(address)
        latest, pending, balance, *answers = self.rpc.batch(
            [
                ("eth_getTransactionCount", [account, "latest"]),
                ("eth_getTransactionCount", [account, "pending"]),
                ("eth_getBalance", [account, "latest"]),
                *FEE_CALLS,
            ]
        )
        for answer in (latest, balance):
            if isinstance(answer, RpcError):
                raise answer
        fees = self._remember(answers)
        nonce = quantity(latest, "nonce")
        pending_nonce = nonce if isinstance(pending, RpcError) else max(nonce, quantity(pending, "pending nonce"))
        coins = quantity(balance, "balance")
        return Wallet(address, nonce, pending_nonce, coins, fees.fee, fees.least_fee, self.options.fee_ceiling)

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction offering `fee` per gas: type 2 where there is a base fee, else legacy with the chain id."""
        chain_id = self._chain_id()
        fees = self._fees or self._ask_fees()
        if not fees.has_base_fee:
            return sign_legacy(private_key, chain_id=chain_id, nonce=nonce, call=call, gas_price=fee)
        return sign_with_base_fee(
            private_key, chain_id=chain_id, nonce=nonce, call=call, fee=fee, priority_fee=fees.priority_share(fee)
        )

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected."""
        answers = self.rpc.batch([("eth_sendRawTransaction", [hex0x(raw)]) for raw in transactions])
        results: list[Rejected | None] = []
        for raw, answer in zip(transactions, answers, strict=True):
            if isinstance(answer, RpcError):
                results.append(broadcast_refusal(answer))
                continue
            if data(answer, "hash of the transaction", 32) != keccak256(raw):
                raise BadAnswer(
                    f"{self.endpoint} took a transaction under another hash; leave it.", endpoint=self.endpoint
                )
            results.append(None)
        return results

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = not mined as far as the endpoint knows."""
        answers = self.rpc.batch([("eth_getTransactionReceipt", [hex0x(transaction)]) for transaction in transactions])
        return [read_receipt(answer, asked) for answer, asked in zip(answers, transactions, strict=True)]

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns its output.

        Raises:
            Rejected: it would revert (`reverted`, with the contract's own error in `reason`), or cannot be run.
        """
        request = {"from": hex0x(sender), "data": hex0x(call.data), "gas": hex(call.gas)}
        if call.target:
            request["to"] = hex0x(call.target)
        try:
            answer = self.rpc.call("eth_call", [request, "latest"])
        except RpcError as error:
            raise call_refusal(error, explain) from error
        return data(answer, "output of the call")

    def _chain_id(self) -> int:
        if not self._chain_number:
            self._chain_number = quantity(self.rpc.call("eth_chainId", []), "chain id")
        return self._chain_number

    def _gas_cap(self) -> int:
        block_gas = (self._fees or self._ask_fees()).block_gas
        return min(block_gas, self.options.transaction_gas_cap or block_gas)

    def _ask_fees(self) -> Fees:
        return self._remember(self.rpc.batch(FEE_CALLS))

    def _remember(self, answers: list[Any]) -> Fees:
        """Keep the newest fees and block limit for signing and gas limits; each reading of a wallet renews them."""
        price, priority, block = answers
        if isinstance(block, RpcError):
            raise block
        fees = read_fees(
            price,
            priority,
            block,
            legacy=self.options.transactions == "legacy",
            floor=self.options.fee_floor,
            ceiling=self.options.fee_ceiling,
        )
        with self._lock:
            self._fees = fees
        return fees
