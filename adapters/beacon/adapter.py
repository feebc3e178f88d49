"""Ethereum proof of stake: `adapters.ethereum` for contracts and proofs, the Beacon API for what light clients follow.

Heights are those of the execution chain. Only what is final is told as the tip, and a light client moves from one finalized
block to a later one, so `headers` is not one for each height:

1. `headers(h, h)` is the bundle from which a client begins, of kind `bootstrap`, of the beacon block whose execution block is h.
   Nodes have it where that block is the first of an epoch that became final.
2. `headers(first, last)` of a longer range is what leads a client that trusts `first - 1` to the newest final block up to `last`:
   one `update` for each sync-committee period on the way, then the newest `finality_update`. There may be none. Where the client
   is about to leave its period, that period's update comes even if its block is not newer than `first - 1`, for it alone shows the
   next committee; a client that knows the committee already answers HeaderBehind, and goes on with the next bundle.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from adapters.beacon.api import BeaconApi, Fetcher, Step
from adapters.beacon.options import BEACON_PORT, BeaconOptions
from adapters.ethereum.answers import data, quantity, record
from adapters.ethereum.ledger import EthereumLedger
from adapters.ethereum.paired import read_pair
from adapters.ethereum.proofs import fetch_evidence
from adapters.jsonrpc import RpcError
from adapters.protocol import AdapterOptions, BadAnswer, LedgerIdentity, Misconfigured, Rejected, Unreachable
from adapters.solidity.storage import head_slot
from adapters.transport import HttpTransport, Transport, endpoint_label
from light_clients.proofs.log_notes import NoteEvidence, note_slots
from schemas.evidence import HeadEvidence
from schemas.primitives import BlockHash, ChainId, LaneId, hex0x

MAX_BUNDLES = 1_000
STEPS_KEPT = 8


class BeaconLedger(EthereumLedger):
    """An opened ledger at one node pair. Safe to share between threads."""

    def __init__(
        self, options: AdapterOptions, *, transport: Transport | None = None, fetcher: Fetcher | None = None
    ) -> None:
        """Prepare to speak to the first endpoint of `options`; nothing is asked yet.

        Args:
            options: the endpoint (see `adapters.ethereum.paired`), limits, and the platform's options under `extra`.
            transport: what carries the requests to the execution client, if not what the URL says.
            fetcher: the same for the beacon node.

        Raises:
            Misconfigured: there is no endpoint, or an option or the URL cannot be.
        """
        if not options.endpoints:
            raise Misconfigured("A ledger needs an endpoint; give its URL.")
        self.options = BeaconOptions.read(options.extra)
        urls = read_pair(options.endpoints[0].url, BEACON_PORT)
        super().__init__(options, self.options, urls.evm, transport=transport)
        carried = fetcher or HttpTransport(
            urls.consensus, timeout_s=options.timeout_s, max_answer_bytes=options.max_answer_bytes
        )
        self.beacon = BeaconApi(carried, endpoint_label(urls.consensus))
        self._first_block = options.expected_first_block
        self._steps: dict[int, Step] = {}
        self._steps_lock = threading.Lock()

    def close(self) -> None:
        """Release connections."""
        super().close()
        self.beacon.close()

    def identity(self) -> LedgerIdentity:
        """Ask for the chain's number and first block, and make sure that both interfaces show one ledger.

        Raises:
            Misconfigured: one of the interfaces is another one or of another ledger, or block 0 is not served and was not stated.
        """
        number, block, software = self.rpc.batch(
            [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False]), ("web3_clientVersion", [])]
        )
        if isinstance(number, RpcError):
            raise Misconfigured(
                f"{self.endpoint} is no Ethereum JSON-RPC endpoint ({number}); give the execution client's.",
                endpoint=self.endpoint,
            )
        self._chain_number = quantity(number, "chain id")
        version = self._beacon_version()
        self._compare()
        name = software[:100] if isinstance(software, str) and software.isprintable() else "unknown"
        return LedgerIdentity(
            ChainId.of("eip155", str(self._chain_number)),
            BlockHash(self._first_hash(block)),
            f"{name}, {version}",
            development=False,
        )

    def tip(self) -> int:
        """Number of the newest finalized execution block, as the beacon node says."""
        return self._newest().height

    def headers(self, first: int, last: int) -> list[bytes]:
        """What leads a light client from the block before `first` to `last`; the module says which bundles these are.

        Raises:
            Rejected: `last` is not final yet, or the node does not have what is asked for (`no_state`).
            BadAnswer: an answer is not of its form.
        """
        if first == last:
            return [self.beacon.bootstrap(self._slot_of(first))]
        if first > last:
            return []
        newest = self._final_until(last)
        period_of = self.beacon.configuration().period_of
        slot = self._slot_of(first - 1)
        start, end = period_of(slot), period_of(newest.signature_slot)
        if end - start >= MAX_BUNDLES:
            raise Misconfigured(f"The trusted block is {end - start} periods old; pin a newer one.")
        bundles: list[bytes] = []
        for step in self.beacon.updates(start, end):
            shows_committee = period_of(step.attested_slot) == start < end
            if 0 <= step.height <= last and (step.slot > slot or shows_committee):
                bundles.append(step.bundle)
                slot = max(slot, step.slot)
        if slot < newest.slot and newest.height <= last:
            bundles.append(newest.bundle)
        return bundles

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[HeadEvidence | None]:
        """The proof of each head in the state of the execution block at `height`; no header, for the client knows the roots."""
        if not lane_ids:
            return []
        slots = [head_slot(lane_id, direction) for lane_id, direction in lane_ids]
        return [replace(item, header=b"") for item in fetch_evidence(self.rpc, gateway, slots, height)]

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """The proofs of an account's note in the state of the execution block at `height`, with that block's header.

        Raises:
            Rejected: nothing is noted in that state (`other`), or the node does not have it (`no_state`).
        """
        slots = note_slots(account)
        size, root = fetch_evidence(self.rpc, gateway, slots, height)
        words = [hex0x(gateway), hex0x(slots[0]), hex(height)]
        if not any(data(self.rpc.call("eth_getStorageAt", words), "a slot", 32)):
            raise Rejected(
                f"0x{account.hex()} has noted nothing in the state of block {height}.",
                endpoint=self.endpoint,
            )
        return NoteEvidence(size.header, size.account_proof, size.storage_proof, root.storage_proof).to_bytes()

    def _newest(self) -> Step:
        """Ask for the newest finalized block, and remember it: what `tip` told is what `headers` leads to."""
        step = self.beacon.finality_update()
        with self._steps_lock:
            self._steps[step.height] = step
            while len(self._steps) > STEPS_KEPT:
                del self._steps[min(self._steps)]
        return step

    def _final_until(self, last: int) -> Step:
        """The newest finality update that leads no further than `last`, else the newest of all."""
        with self._steps_lock:
            known = self._steps.get(last)
        if known is not None:
            return known
        newest = self._newest()
        if newest.height < last:
            raise Rejected(
                f"{self.endpoint} has block {newest.height} as its newest final one, not {last}.",
                code="no_state",
                endpoint=self.endpoint,
            )
        with self._steps_lock:
            return max((step for step in self._steps.values() if step.height <= last), default=newest, key=_height)

    def _slot_of(self, height: int) -> int:
        """The slot of an execution block, by its time: a block's time is its slot's."""
        block = self.rpc.call("eth_getBlockByNumber", [hex(height), False])
        if block is None:
            raise Rejected(f"{self.endpoint} does not have block {height}.", code="no_state", endpoint=self.endpoint)
        time = quantity(record(block, "the block").get("timestamp"), "timestamp")
        configuration = self.beacon.configuration()
        since = time - configuration.genesis_time
        if since % configuration.seconds_per_slot and height:
            raise BadAnswer(f"block {height} stands at no slot's time; leave the endpoint.", endpoint=self.endpoint)
        return max(0, since // configuration.seconds_per_slot)

    def _beacon_version(self) -> str:
        try:
            self.beacon.configuration()
            return self.beacon.version()
        except Rejected as refusal:
            raise Misconfigured(
                f"{self.beacon.label} is no beacon node ({refusal}); give the place of its Beacon API after '#'.",
                endpoint=self.endpoint,
            ) from refusal

    def _compare(self) -> None:
        """The finalized execution block stands in the execution client's chain."""
        step = self._newest()
        if not step.block_hash:
            return
        block = self.rpc.call("eth_getBlockByNumber", [hex(step.height), False])
        if block is None:
            raise Unreachable(f"{self.endpoint} has not reached the final block {step.height}; ask again later.")
        if data(record(block, "the block").get("hash"), "hash of the block", 32) != step.block_hash:
            raise Misconfigured(
                f"{self.endpoint} and {self.beacon.label} show different blocks at height {step.height}: they are of "
                "different ledgers; correct the endpoint.",
                endpoint=self.endpoint,
            )

    def _first_hash(self, block: object) -> bytes:
        if block is None or isinstance(block, RpcError):
            if not self._first_block:
                raise Misconfigured(
                    f"{self.endpoint} does not serve block 0; state the hash of the first block.",
                    endpoint=self.endpoint,
                )
            return self._first_block
        return data(record(block, "block 0").get("hash"), "hash of block 0", 32)


def _height(step: Step) -> int:
    return step.height
