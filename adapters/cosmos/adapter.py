"""A ledger with an EVM on CometBFT: `adapters.ethereum` for contracts, CometBFT's RPC for headers and proofs.

The header of a block commits to the state *before* it. So what a block did is proved by the next header, and an event's height
here is that of the header which proves it: its own block's plus one.

Sources: cosmos/evm 0.3 (`rpc/backend`, `x/vm/types/key.go`), CometBFT RPC 0.38.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from adapters.cosmos.consensus import ConsensusRpc, Status
from adapters.cosmos.options import CONSENSUS_PORT, CosmosOptions
from adapters.ethereum.answers import data, quantity, record
from adapters.ethereum.ledger import EthereumLedger
from adapters.ethereum.paired import read_pair
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import (
    AdapterOptions,
    Call,
    GatewayEvent,
    Installed,
    LedgerIdentity,
    MachineTraits,
    Misconfigured,
    Receipt,
    Rejected,
    Unreachable,
)
from adapters.solidity.storage import head_slot
from adapters.transport import Transport
from light_clients.cometbft.note_evidence import CometbftNoteEvidence
from light_clients.cometbft.stores import code_key, slot_key
from light_clients.cometbft.types import CometbftEvidence
from light_clients.proofs.log_notes import note_slots
from schemas.evidence import FamilyEvidence, HeadEvidence
from schemas.primitives import BlockHash, ChainId, LaneId

MAX_HEADERS = 1_000
ABSENCE = b"\x12"
"""The first byte of a CommitmentProof of absence (cosmos/ics23, `proofs.proto`: field 2)."""
_NONCES = re.compile(r"got (\d{1,20}), expected (\d{1,20})")
_TOO_EARLY = re.compile(
    r"not found|could not find|is not available|must be less than or equal|not ready", re.IGNORECASE
)


class CosmosLedger(EthereumLedger):
    """An opened ledger at one node. Safe to share between threads."""

    def __init__(
        self,
        options: AdapterOptions,
        *,
        transport: Transport | None = None,
        consensus_transport: Transport | None = None,
    ) -> None:
        """Prepare to speak to the first endpoint of `options`; nothing is asked yet.

        Args:
            options: the endpoint (see `adapters.ethereum.paired`), limits, and the platform's options under `extra`.
            transport: what carries the requests to the EVM, if not what the URL says.
            consensus_transport: the same for CometBFT.

        Raises:
            Misconfigured: there is no endpoint, or an option or the URL cannot be.
        """
        if not options.endpoints:
            raise Misconfigured("A ledger needs an endpoint; give its URL.")
        self.options = CosmosOptions.read(options.extra)
        urls = read_pair(options.endpoints[0].url, CONSENSUS_PORT)
        bank = self.options.faucet_key_file
        super().__init__(options, self.options, urls.evm, transport=transport, faucet_key_file=bank)
        limits = {"timeout_s": options.timeout_s, "max_answer_bytes": options.max_answer_bytes}
        spoken = JsonRpc(urls.consensus, transport=consensus_transport, **limits)  # type: ignore[arg-type]
        self.consensus = ConsensusRpc(spoken, batch=self.options.batch)
        self._first_block = options.expected_first_block

    def close(self) -> None:
        """Release connections."""
        super().close()
        self.consensus.rpc.close()

    def identity(self) -> LedgerIdentity:
        """Ask for the chain's name and its first block, and make sure that both interfaces show one ledger.

        Raises:
            Misconfigured: one of the interfaces is another one or of another ledger, or the first block is served nowhere.
        """
        status = self._status()
        number, newest, software = self.rpc.batch(
            [("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False]), ("web3_clientVersion", [])]
        )
        if isinstance(number, RpcError) or isinstance(newest, RpcError):
            raise Misconfigured(
                f"{self.endpoint} is no Ethereum JSON-RPC endpoint ({number}); give another, and after '#' where CometBFT's is.",
                endpoint=self.endpoint,
            )
        self._chain_number = quantity(number, "chain id")
        block = record(newest, "the newest block")
        self._compare(quantity(block.get("number"), "number of the block"), data(block.get("hash"), "its hash", 32))
        name = software.splitlines()[0][:100] if isinstance(software, str) and software.strip() else "unknown"
        spoken = name if name.isprintable() else "unknown"
        return LedgerIdentity(
            ChainId.of("cosmos", status.chain_id),
            BlockHash(self._ask_first_block()),
            f"CometBFT {status.version}, EVM {self._chain_number}, {spoken}",
            development=bool(self.options.faucet_key_file),
        )

    def tip(self) -> int:
        """Height of the newest block that the node serves, by CometBFT."""
        return self.consensus.status().height

    def headers(self, first: int, last: int) -> list[bytes]:
        """Bundles of header, commit and validators of heights `first` to `last` inclusive, in order; at most 1,000.

        Raises:
            Rejected: the node does not have one of them (`no_state`).
        """
        if last - first >= MAX_HEADERS:
            raise Misconfigured(f"{last - first + 1} headers were asked for; ask for at most {MAX_HEADERS} at once.")
        return self.consensus.bundles(first, last)

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events that the headers `first` to `last` prove: those of the blocks before each of them."""
        if last < 2:
            return []
        found = super().events(max(first - 1, 1), last - 1, gateway)
        return [replace(event, position=replace(event.position, height=event.position.height + 1)) for event in found]

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """The proof of each head in the state that the header at `height` commits to: the one after the block before it."""
        if not lane_ids:
            return []
        keys = [slot_key(gateway, head_slot(lane_id, direction)) for lane_id, direction in lane_ids]
        (header,) = self.consensus.bundles(height, height)
        (code, _), *heads = self.consensus.proofs(self.options.store, [code_key(gateway), *keys], height - 1)
        return [FamilyEvidence(height, header, CometbftEvidence(head, store, code).to_bytes()) for head, store in heads]

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """The proofs of an account's note in the state that the header at `height` commits to, with who made that header.

        Raises:
            Rejected: nothing is noted in that state (`other`), or the node does not have it (`no_state`).
        """
        keys = [code_key(gateway), *(slot_key(gateway, slot) for slot in note_slots(account))]
        bundle = self.consensus.bundle_with_next(height)
        (code, store), (size, _), (root, _) = self.consensus.proofs(self.options.store, keys, height - 1)
        if size.startswith(ABSENCE):
            raise Rejected(
                f"0x{account.hex()} has noted nothing in the state of block {height - 1}.",
                endpoint=self.endpoint,
            )
        return CometbftNoteEvidence(bundle, code, size, root, store).to_bytes()

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected."""
        return [refusal and _nonce_refusal(refusal) for refusal in super().broadcast(transactions)]

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; a node that has the block and not yet its results says an error, which is None."""
        try:
            return super().receipts(transactions)
        except RpcError as error:
            if not _TOO_EARLY.search(error.reason):
                raise
        return [self._receipt(transaction) for transaction in transactions]

    def machine(self) -> MachineTraits:
        """An Ethereum machine, whose blocks are proved by the next one's header."""
        return replace(super().machine(), proof_delay=1)

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """A transaction that deploys a contract, within a block's gas."""
        call = super().deployment(name, creation)
        return replace(call, gas=min(call.gas, self._gas_cap()))

    def installed(self, address: bytes) -> Installed:
        """The code at an address, its hash, and the store in which the EVM keeps it.

        Raises:
            Rejected: there is none.
        """
        return replace(super().installed(address), pin={"store": self.options.store})

    def _receipt(self, transaction: bytes) -> Receipt | None:
        try:
            return super().receipts([transaction])[0]
        except RpcError as error:
            if not _TOO_EARLY.search(error.reason):
                raise
            return None

    def _status(self) -> Status:
        try:
            return self.consensus.status()
        except Rejected as refusal:
            raise Misconfigured(
                f"{self.consensus.rpc.label} is no CometBFT RPC ({refusal}); give its port after '#'.",
                endpoint=self.endpoint,
            ) from refusal

    def _compare(self, height: int, block_hash: bytes) -> None:
        """The EVM's newest block is CometBFT's of that height."""
        if height == 0:
            return
        try:
            header = self.consensus.header(height)
        except Rejected as refusal:
            raise Unreachable(
                f"{self.consensus.rpc.label} has not reached block {height} that {self.endpoint} shows; ask again later.",
                endpoint=self.endpoint,
            ) from refusal
        if header.block_hash != block_hash:
            raise Misconfigured(
                f"{self.endpoint} and {self.consensus.rpc.label} show different blocks at height {height}: they are of "
                "different ledgers; correct the endpoint.",
                endpoint=self.endpoint,
            )

    def _ask_first_block(self) -> bytes:
        """The hash of the block at the initial height; a node that has dropped it must be told."""
        try:
            return self.consensus.header(self.options.initial_height or 1).block_hash
        except Rejected as refusal:
            missing = refusal
        if not self.options.initial_height:
            try:
                initial = self.consensus.initial_height()
                if initial > 1:
                    return self.consensus.header(initial).block_hash
            except Rejected as refusal:
                missing = refusal
        if self._first_block:
            return self._first_block
        raise Misconfigured(
            f"{self.endpoint} does not serve the first block ({missing}); give an archive node, the option initial_height, "
            "or the hash of the first block.",
            endpoint=self.endpoint,
        )


def _nonce_refusal(refusal: Rejected) -> Rejected:
    """The SDK says one thing of nonces that are too low and too high; the numbers tell."""
    read = _NONCES.search(refusal.reason)
    if refusal.code == "nonce_too_low" and read and int(read[1]) > int(read[2]):
        return Rejected(str(refusal), code="nonce_too_high", reason=refusal.reason, endpoint=refusal.endpoint)
    return refusal
