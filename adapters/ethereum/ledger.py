"""What every ledger with an Ethereum JSON-RPC has in common: events, the gateway's views, transactions and contracts.

What differs is who the ledger is, what its headers are and what proves its state; that is in the adapter. It speaks to one
endpoint; the guard chooses among several. Each method is one batch where that can be, and nothing is judged.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

from adapters.ethereum.answers import data, quantity
from adapters.ethereum.faucet import COINS, hand_out, read_key
from adapters.ethereum.fees import FEE_CALLS, Fees, read_fees
from adapters.ethereum.gas import action_gas
from adapters.ethereum.logs import LogReader
from adapters.ethereum.receipts import read_receipt
from adapters.ethereum.refusals import broadcast_refusal, call_refusal
from adapters.ethereum.transactions import sign_legacy, sign_with_base_fee
from adapters.ethereum.views import PAUSED, VERIFIER_CALLS, lane_call, read_lane_ends, read_verifier_parts
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import (
    Action,
    AdapterError,
    AdapterOptions,
    BadAnswer,
    Call,
    CertificateState,
    GatewayEvent,
    Installed,
    LaneEnds,
    MachineTraits,
    Receipt,
    Rejected,
    Signed,
    VerifierParts,
    Wallet,
)
from adapters.solidity.calldata import encode_action
from adapters.solidity.events import SIGNATURES, decode_event
from adapters.solidity.refusals import explain
from adapters.transport import Transport
from light_clients.crypto.secp256k1 import address_of
from schemas.primitives import LaneId, hex0x
from schemas.suites import keccak256

DEPLOYMENT_GAS = 12_000_000


class EthereumOptions(Protocol):
    """What can be said of a ledger with an Ethereum JSON-RPC; see `adapters.evm.options`."""

    @property
    def transactions(self) -> str:
        """`auto` or `legacy`."""

    @property
    def log_range(self) -> int:
        """Blocks that one question for events may span."""

    @property
    def transaction_gas_cap(self) -> int:
        """The most gas that one transaction may have, 0 = the block's limit."""

    @property
    def fee_floor(self) -> int:
        """The least fee per gas that is offered."""

    @property
    def fee_ceiling(self) -> int:
        """The most that is offered, 0 = no limit."""


class EthereumLedger:
    """What the adapters of such ledgers build on: one endpoint. Safe to share between threads."""

    def __init__(
        self,
        options: AdapterOptions,
        spoken: EthereumOptions,
        url: str,
        *,
        transport: Transport | None = None,
        faucet_key_file: str = "",
    ) -> None:
        """Prepare to speak to an endpoint; nothing is asked yet.

        Args:
            options: limits.
            spoken: the platform's options.
            url: the endpoint's URL or local socket.
            transport: what carries the requests, if not what the URL says.
            faucet_key_file: of a development network, the file with the key of its bank; see `adapters.ethereum.faucet`.

        Raises:
            Misconfigured: an option or the URL cannot be.
        """
        self.spoken = spoken
        self.rpc = JsonRpc(
            url, timeout_s=options.timeout_s, max_answer_bytes=options.max_answer_bytes, transport=transport
        )
        self._logs = LogReader(self.rpc, span=spoken.log_range)
        self._faucet_key_file = faucet_key_file
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

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves."""
        return quantity(self.rpc.call("eth_blockNumber", []), "the newest block's number")

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
        return Wallet(address, nonce, pending_nonce, coins, fees.fee, fees.least_fee, self.spoken.fee_ceiling)

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

    def machine(self) -> MachineTraits:
        """An Ethereum machine: ecrecover, keccak256, block time in seconds."""
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
        """A transaction that deploys a contract."""
        del name
        return Call(b"", creation, DEPLOYMENT_GAS)

    def installed(self, address: bytes) -> Installed:
        """The code at an address and its hash.

        Raises:
            Rejected: there is none.
        """
        code = data(self.rpc.call("eth_getCode", [hex0x(address), "latest"]), "the contract's code")
        if not code:
            raise Rejected(f"There is no contract at {hex0x(address)}; check the address.", endpoint=self.endpoint)
        return Installed(code, keccak256(code))

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """Give development coins to accounts that have few: out of the network's bank where its key was named, else as anvil can.

        Raises:
            Misconfigured: the named file holds no key.
            AdapterError: the bank cannot pay.
        """
        accounts = [address_of(private_key) for private_key in private_keys]
        if self._faucet_key_file:
            hand_out(self.rpc, read_key(self._faucet_key_file), self._chain_id(), accounts)
            return True
        try:
            for account in map(hex0x, accounts):
                held = quantity(self.rpc.call("eth_getBalance", [account, "latest"]), "balance")
                if held < COINS // 2:
                    self.rpc.call("anvil_setBalance", [account, hex(COINS)])
        except AdapterError:
            return False
        return True

    def certificates(self) -> list[CertificateState]:
        """None is used here."""
        return []

    def _chain_id(self) -> int:
        if not self._chain_number:
            self._chain_number = quantity(self.rpc.call("eth_chainId", []), "chain id")
        return self._chain_number

    def _gas_cap(self) -> int:
        block_gas = (self._fees or self._ask_fees()).block_gas
        return min(block_gas, self.spoken.transaction_gas_cap or block_gas)

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
            legacy=self.spoken.transactions == "legacy",
            floor=self.spoken.fee_floor,
            ceiling=self.spoken.fee_ceiling,
        )
        with self._lock:
            self._fees = fees
        return fees
