"""The light_client/sync suites of ethereum/consensus-spec-tests, as far as a store without a force update goes.

A step's own checks are those of a store that believes unfinalized headers too. What ours must answer is derived here by
arithmetic, from the slots and bits that remerkleable reads; where the two stores agree, slot, beacon root and execution root
are compared with the checks. A forced step is none of ours; the steps after it are judged twice: from our own store, and from
the store that officers would have after pinning the forced header.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import cramjam
import yaml

from light_clients import beacon
from light_clients.beacon.codec import read_finalized, write_bundle
from light_clients.beacon.containers import DENEB_EXECUTION
from light_clients.beacon.types import FORKS, BeaconConfiguration, BeaconState, Fork, VerifiedBeaconHeader
from light_clients.beacon.verify import read_update
from light_clients.errors import HeaderHashMismatch, LightClientError
from schemas.primitives import BlockHash, Bytes32
from tests.support import beacon_opinion
from tests.vector_table.item import Item, Verdict, judged, unusable

PRESETS = {"minimal": beacon.MINIMAL, "mainnet": beacon.MAINNET}


class Suite:
    """One folder with steps.yaml."""

    def __init__(self, family: str, folder: Path, name: str) -> None:
        self.family, self.folder, self.name = family, folder, name
        self.meta = yaml.safe_load((folder / "meta.yaml").read_text())
        self.configuration = _configuration(folder, self.meta)
        self.used = {"meta.yaml", "config.yaml", "steps.yaml", "bootstrap.ssz_snappy"}

    def rows(self) -> Iterator[Item]:
        bootstrap = self._bundle("bootstrap", "bootstrap", self.meta["bootstrap_fork_digest"])
        root = BlockHash(_hex(self.meta["trusted_block_root"]))
        yield judged(
            self.family,
            f"{self.name}/bootstrap.ssz_snappy",
            "accepted",
            lambda: beacon.bootstrap(bootstrap, root, self.configuration),
        )
        try:
            state = beacon.bootstrap(bootstrap, root, self.configuration)
        except LightClientError:
            for file in sorted(self.folder.iterdir()):
                if file.name not in self.used:
                    yield unusable(self.family, f"{self.name}/{file.name}", "its bootstrap was refused")
            return
        forced: BeaconState | None = None
        spec_state = state
        for number, step in enumerate(yaml.safe_load((self.folder / "steps.yaml").read_text()), 1):
            name = f"{self.name}/step {number}"
            ((kind, given),) = step.items()
            if kind == "force_update":
                forced = self._forced(spec_state, given)
                spec_state = forced
                slot = given["checks"]["finalized_header"]["slot"]
                yield unusable(
                    self.family,
                    f"{name} force_update",
                    f"forces unfinalized slot {slot}; our store has no such step and stays at slot {state.newest.slot}",
                )
                continue
            if kind != "process_update":
                yield unusable(self.family, f"{name} {kind}", "no step of the sync protocol that we read")
                continue
            name = f"{self.name}/{given['update']}.ssz_snappy step {number}"
            if not (self.folder / f"{given['update']}.ssz_snappy").exists():
                yield unusable(self.family, name, f"its file {given['update']} is not there")
                continue
            row, state = self._row(name, state, given, spec_checks=forced is None)
            yield row
            if forced is None:
                spec_state = state
            else:
                row, spec_state = self._row(
                    f"{name}, officers having pinned the forced header", spec_state, given, spec_checks=True
                )
                yield row
        for file in sorted(self.folder.iterdir()):
            if file.name not in self.used:
                yield unusable(self.family, f"{self.name}/{file.name}", "no step of the suite uses it")

    def _row(
        self, name: str, state: BeaconState, given: dict[str, Any], *, spec_checks: bool
    ) -> tuple[Item, BeaconState]:
        bundle = self._bundle("update", given["update"], given["update_fork_digest"])
        expected, why = self._expected(state, given)
        checked_slot = given["checks"]["finalized_header"]["slot"]
        if spec_checks and expected == "refused" and checked_slot != state.newest.slot:
            expected, why = "accepted", f"the suite finalizes slot {checked_slot}"
        reached = state
        now = self.configuration.timestamp_of(given["current_slot"])

        def judge() -> None:
            nonlocal reached
            reached = beacon.apply(state, beacon.verify_header(state, bundle, now))
            update = read_update(bundle, self.configuration.preset)
            checks = given["checks"]["finalized_header"]
            if spec_checks and reached.newest != state.newest:
                assert update.finalized is not None
                found = (reached.newest.slot, reached.newest.root, DENEB_EXECUTION.root(update.finalized.execution))
                due = (checks["slot"], _hex(checks["beacon_root"]), _hex(checks["execution_root"]))
                if found != due:
                    raise HeaderHashMismatch("The suite finalized another block.", expected=due[1], found=found[1])

        return judged(self.family, name, expected, judge, why), reached

    def _expected(self, state: BeaconState, given: dict[str, Any]) -> tuple[Verdict, str]:
        """Our store's answer, by arithmetic on what remerkleable reads."""
        fork = self._fork(given["update_fork_digest"])
        try:
            view = beacon_opinion.read("update", fork, self.configuration.preset, self._file(given["update"]))
        except Exception as error:  # noqa: BLE001 - remerkleable has no exception of its own
            return "refused", f"remerkleable cannot read it: {type(error).__name__}"
        configuration = self.configuration
        period = configuration.period_of(int(view.signature_slot))
        ours = configuration.period_of(state.newest.slot)
        known = ours + (state.following is not None)
        signed = sum(map(bool, view.sync_aggregate.sync_committee_bits))
        final = int(view.finalized_header.beacon.slot)
        has_finality = any(any(node) for node in view.finality_branch)
        has_committee = any(any(node) for node in view.next_sync_committee_branch)
        attested = configuration.period_of(int(view.attested_header.beacon.slot))
        if not has_finality:
            return "refused", "no finality branch: a header that is not final is not believed"
        if not ours <= period <= known:
            return (
                "refused",
                f"signed in period {period}, committees known of {ours} to {known}: no force update filled the gap",
            )
        if signed * 3 < configuration.preset.committee_size * 2:
            return "refused", f"{signed} of {configuration.preset.committee_size} signed: less than two thirds"
        brings = has_committee and state.following is None and configuration.period_of(final) == attested == ours
        if final <= state.newest.slot and not brings:
            return "refused", f"finalizes slot {final}, ours is {state.newest.slot}"
        return "accepted", f"finalizes slot {final} by {signed} signatures"

    def _forced(self, state: BeaconState, given: dict[str, Any]) -> BeaconState:
        """The store after a forced step: the attested header of the best update, as if it were final."""
        wanted = _hex(given["checks"]["finalized_header"]["beacon_root"])
        for step in yaml.safe_load((self.folder / "steps.yaml").read_text()):
            update_given = step.get("process_update")
            if update_given and (self.folder / f"{update_given['update']}.ssz_snappy").exists():
                bundle = self._bundle("update", update_given["update"], update_given["update_fork_digest"])
                update = read_update(bundle, self.configuration.preset)
                if update.attested.root() == wanted:
                    block = read_finalized(self.configuration, update.attested)
                    return beacon.apply(state, VerifiedBeaconHeader(self.configuration, block, update.following, 0))
        return state

    def _bundle(self, kind: str, name: str, digest: str) -> bytes:
        return write_bundle(kind, self._fork(digest), self._file(name))

    def _file(self, name: str) -> bytes:
        file = self.folder / f"{name}.ssz_snappy"
        self.used.add(file.name)
        try:
            return bytes(cramjam.snappy.decompress_raw(file.read_bytes()))
        except cramjam.DecompressionError:
            return b""

    def _fork(self, digest: str) -> str:
        for fork in self.configuration.forks:
            data = sha256(fork.version.ljust(32, b"\x00") + self.configuration.genesis_validators_root).digest()
            if data[:4] == _hex(digest):
                return fork.name
        raise AssertionError(f"{digest} is no fork of {self.folder}")


def _configuration(folder: Path, meta: dict[str, str]) -> BeaconConfiguration:
    options = yaml.load((folder / "config.yaml").read_text(), yaml.BaseLoader)
    forks = [Fork("phase0", 0, _hex(options["GENESIS_FORK_VERSION"]))]
    for name in FORKS[1:]:
        epoch = int(options.get(f"{name.upper()}_FORK_EPOCH", 2**64 - 1))
        if epoch == 2**64 - 1:
            break
        forks.append(Fork(name, epoch, _hex(options[f"{name.upper()}_FORK_VERSION"])))
    return BeaconConfiguration(
        genesis_validators_root=Bytes32(_hex(meta["genesis_validators_root"])),
        genesis_time=int(options["MIN_GENESIS_TIME"]),
        forks=tuple(forks),
        seconds_per_slot=int(options["SECONDS_PER_SLOT"]),
        preset=PRESETS[options["PRESET_BASE"]],
        maximum_drift_s=0,
    )


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
