"""The Beacon API of one node: what a light client needs of it. Nothing is judged.

Source: Ethereum Beacon APIs, paths /eth/v1/beacon/light_client/*, /eth/v1/beacon/genesis, /eth/v1/beacon/blocks/{block_id}/root,
/eth/v1/config/spec, /eth/v1/node/version. Answers are asked for in JSON, which every node speaks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from adapters.ethereum.answers import data, record
from adapters.protocol import BadAnswer, Misconfigured, Rejected, Unreachable
from adapters.transport import Answer
from light_clients.beacon.beacon_json import bundle_from_answer, configuration_from_answers
from light_clients.beacon.codec import Update, parse_bundle
from light_clients.beacon.containers import DENEB_EXECUTION
from light_clients.beacon.types import BeaconConfiguration
from light_clients.errors import LightClientError

UPDATES_A_REQUEST = 8
"""Periods; a node serves at most 128, and one update of mainnet takes 60 KB of JSON."""
_FIELDS = [name for name, _ in DENEB_EXECUTION.fields]
_NUMBER, _HASH = _FIELDS.index("block_number"), _FIELDS.index("block_hash")


class Fetcher(Protocol):
    """Gets what stands under a path."""

    def fetch(self, path: str) -> Answer:
        """Get it."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """An update as a node gave it, and what it leads to.

    Attributes:
        bundle: what the light client takes.
        height: number of the finalized execution block (of the slot before Capella), -1 where the update shows no finalized header.
        block_hash: hash of that block, or empty.
        slot: slot of the finalized header, -1 where there is none.
        attested_slot: slot of the header that was signed.
        signature_slot: slot of the block that has the signature.
    """

    bundle: bytes
    height: int
    block_hash: bytes
    slot: int
    attested_slot: int
    signature_slot: int


class BeaconApi:
    """One node's Beacon API. Safe to share between threads."""

    def __init__(self, fetcher: Fetcher, label: str) -> None:
        """Args: fetcher: what carries the questions; label: the endpoint without credentials."""
        self._fetcher = fetcher
        self.label = label
        self._lock = threading.Lock()
        self._configuration: BeaconConfiguration | None = None

    def close(self) -> None:
        """Release connections."""
        self._fetcher.close()

    def configuration(self) -> BeaconConfiguration:
        """What the node says of its ledger (times, forks, sizes); remembered.

        Raises:
            Misconfigured: the ledger is of a preset that is not known.
            BadAnswer: the answers are not of their form.
        """
        with self._lock:
            known = self._configuration
        if known is None:
            genesis, specification = self._get("/eth/v1/beacon/genesis"), self._get("/eth/v1/config/spec")
            try:
                known = configuration_from_answers(genesis, specification, checkpoint_age_limit_s=1)
            except LightClientError as error:
                raise Misconfigured(
                    f"{self.label} serves a beacon chain that cannot be followed: {error.message}", endpoint=self.label
                ) from error
            with self._lock:
                self._configuration = known
        return known

    def version(self) -> str:
        """The node's software."""
        answer = record(self._get("/eth/v1/node/version").get("data"), "the version")
        name = answer.get("version")
        return name[:100] if isinstance(name, str) and name.isascii() and name.isprintable() else "unknown"

    def finality_update(self) -> Step:
        """The newest finalized header with its proof.

        Raises:
            Unreachable: nothing is final yet, or the node serves no light clients.
            BadAnswer: the answer is not of its form.
        """
        try:
            answer = self._get("/eth/v1/beacon/light_client/finality_update")
        except Rejected as refusal:
            raise Unreachable(
                f"{self.label} has no finality update; wait for finality, and let the node serve light clients.",
                endpoint=self.label,
            ) from refusal
        step = self._step("finality_update", answer)
        if step.slot < 1:
            raise Unreachable(f"{self.label} shows nothing final yet; ask again later.", endpoint=self.label)
        return step

    def updates(self, first: int, last: int) -> list[Step]:
        """The best update of each sync-committee period from `first` to `last`, as far as the node has them, in order.

        Raises:
            BadAnswer: the answer is not of its form.
        """
        steps: list[Step] = []
        for start in range(first, last + 1, UPDATES_A_REQUEST):
            count = min(UPDATES_A_REQUEST, last + 1 - start)
            path = f"/eth/v1/beacon/light_client/updates?start_period={start}&count={count}"
            answers = self._read(path)
            if not isinstance(answers, list) or len(answers) > count:
                raise BadAnswer("the updates are no list, or more than were asked for.", endpoint=self.label)
            steps += [self._step("update", answer) for answer in answers]
        return steps

    def bootstrap(self, slot: int) -> bytes:
        """The bundle from which a client begins, of the block in a slot; nodes keep those of finalized epochs' first blocks.

        Raises:
            Rejected: the node does not have it (`no_state`).
            BadAnswer: the answer is not of its form.
        """
        said = record(self._get(f"/eth/v1/beacon/blocks/{slot}/root").get("data"), "root of the block")
        root = data(said.get("root"), "root of the block", 32)
        return self._bundle("bootstrap", self._get(f"/eth/v1/beacon/light_client/bootstrap/0x{root.hex()}"))

    def _step(self, kind: str, answer: Any) -> Step:
        bundle = self._bundle(kind, answer)
        try:
            parsed = parse_bundle(bundle, self.configuration().preset)
        except LightClientError as error:
            raise BadAnswer(f"{self.label} gave an update that cannot be read: {error.message}") from error
        if not isinstance(parsed, Update):
            raise BadAnswer(f"{self.label} gave no {kind}; leave the endpoint.", endpoint=self.label)
        attested, final = parsed.attested.slot, parsed.finalized
        if final is None:
            return Step(bundle, -1, b"", -1, attested, parsed.signature_slot)
        if not final.execution:
            return Step(bundle, final.slot, b"", final.slot, attested, parsed.signature_slot)
        number, block_hash = int(final.execution[_NUMBER]), bytes(final.execution[_HASH])
        return Step(bundle, number, block_hash, final.slot, attested, parsed.signature_slot)

    def _bundle(self, kind: str, answer: Any) -> bytes:
        try:
            return bundle_from_answer(kind, answer, self.configuration().preset)
        except LightClientError as error:
            raise BadAnswer(f"{self.label} gave no {kind}: {error.message}", endpoint=self.label) from error

    def _get(self, path: str) -> dict[str, Any]:
        return record(self._read(path), "the answer of the beacon node")

    def _read(self, path: str) -> Any:
        answer = self._fetcher.fetch(path)
        name = path.partition("?")[0]
        if answer.status in (401, 403):
            raise Unreachable(
                f"{self.label} refuses our credentials (HTTP {answer.status}); correct the endpoint's URL.",
                endpoint=self.label,
            )
        if answer.status >= 500 and answer.status != 501:
            raise Unreachable(f"{self.label} failed (HTTP {answer.status}); try again later.", endpoint=self.label)
        if answer.status >= 300:
            code = "no_state" if answer.status == 404 else "other"
            raise Rejected(
                f"{self.label} does not serve {name} (HTTP {answer.status}).", code=code, endpoint=self.label
            )
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            raise BadAnswer(
                f"{self.label} did not answer {name} in JSON; check that it is a beacon node.", endpoint=self.label
            ) from error
