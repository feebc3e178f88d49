"""A ledger over Ethereum JSON-RPC whose consensus seals Ethereum headers: `adapters.ethereum` and headers, proofs, identity.

Nothing is judged: headers and proofs leave as they came, in their form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.ethereum.answers import data, quantity, record
from adapters.ethereum.headers import header_rlp
from adapters.ethereum.ledger import EthereumLedger
from adapters.ethereum.proofs import fetch_evidence
from adapters.evm.options import EvmOptions
from adapters.evm.validator_sets import read_spans, with_set_proofs
from adapters.jsonrpc import RpcError
from adapters.protocol import AdapterOptions, LedgerIdentity, Misconfigured, Rejected
from adapters.solidity.storage import head_slot
from adapters.transport import Transport
from schemas.evidence import HeadEvidence, StateEvidence
from schemas.primitives import BlockHash, ChainId, LaneId

MAX_HEADERS = 1_000
_DEVELOPMENT = re.compile(r"anvil|hardhat|ganache|relayhub-devnet", re.IGNORECASE)


class EvmLedger(EthereumLedger):
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
        super().__init__(
            options,
            self.options,
            options.endpoints[0].url,
            transport=transport,
            faucet_key_file=self.options.faucet_key_file,
        )
        self._first_block = options.expected_first_block
        self._spans = read_spans(self.options.validator_contracts)

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
            development=bool(self.options.faucet_key_file) or _DEVELOPMENT.search(name) is not None,
        )

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

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """The proof of each head in the state of the block at `height`, by eth_getProof."""
        if not lane_ids:
            return []
        slots = [head_slot(lane_id, direction) for lane_id, direction in lane_ids]
        return [*self.storage(gateway, slots, height)]

    def storage(self, program: bytes, slots: Sequence[bytes], height: int) -> list[StateEvidence]:
        """The proof of each slot of a contract in the state of the block at `height`, by eth_getProof."""
        return fetch_evidence(self.rpc, program, slots, height)
