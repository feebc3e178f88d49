"""Published vectors of the beacon chain: the sync suites, and real networks as other projects recorded them.

Real data has no verdict of its own: it was accepted by its network, and remerkleable's roots and the arithmetic of slots are the
second opinion. Each folder tells the shape of its files by their names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from light_clients import beacon, rlp
from light_clients.beacon.beacon_json import bundle_from_answer
from light_clients.beacon.codec import is_valid_branch, read_finalized
from light_clients.beacon.containers import committee_type
from light_clients.beacon.types import (
    FORKS,
    ZERO,
    BeaconConfiguration,
    BeaconState,
    FinalizedBlock,
    Fork,
    SyncCommittee,
)
from light_clients.beacon.verify import read_update
from light_clients.errors import HeaderHashMismatch, LightClientError, ProofRefused
from light_clients.proofs.patricia import verify_account, verify_storage
from schemas.primitives import BlockHash, Bytes32
from tests.support import beacon_opinion
from tests.vector_table.beacon_suites import Suite
from tests.vector_table.item import Item, Verdict, judged, unusable
from tests.vector_table.verdicts import verdict_in

FAMILY = "beacon"
YEARS = 10 * 365 * 24 * 3600


def schedule(versions: str, *epochs: int) -> tuple[Fork, ...]:
    """Forks by name from a comma list of versions."""
    names = zip(FORKS, versions.split(","), epochs, strict=False)
    return tuple(Fork(name, epoch, bytes.fromhex(version)) for name, version, epoch in names)


MAINNET = BeaconConfiguration(
    Bytes32.from_hex("4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"),
    1606824023,
    schedule(
        "00000000,01000000,02000000,03000000,04000000,05000000,06000000",
        0,
        74240,
        144896,
        194048,
        269568,
        364032,
        411392,
    ),
    checkpoint_age_limit_s=YEARS,
)
SEPOLIA = BeaconConfiguration(
    Bytes32.from_hex("d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078"),
    1655733600,
    schedule(
        "90000069,90000070,90000071,90000072,90000073,90000074,90000075", 0, 50, 100, 56832, 132608, 222464, 272640
    ),
    checkpoint_age_limit_s=YEARS,
)


def items(folder: Path) -> Iterator[Item]:
    """Every file once at least."""
    suites = {file.parent for file in folder.rglob("steps.yaml")}
    for suite in sorted(suites):
        yield from Suite(FAMILY, suite, suite.relative_to(folder).as_posix()).rows()
        for name in ("meta.yaml", "config.yaml", "steps.yaml"):
            yield unusable(
                FAMILY, f"{suite.relative_to(folder).as_posix()}/{name}", "read as the plan of the suite's steps"
            )
    for place in sorted({file.parent for file in folder.rglob("*") if file.is_file()} - suites):
        files = {file.name: file for file in sorted(place.iterdir()) if file.is_file()}
        yield from _folder(place.relative_to(folder).as_posix(), files)


def _folder(name: str, files: dict[str, Path]) -> Iterator[Item]:
    read = {file: json.loads(path.read_text()) for file, path in files.items() if path.suffix == ".json"}
    for file in files:
        if file not in read:
            yield unusable(FAMILY, f"{name}/{file}", "documentation, no vector")
    if "bootstrap.json" in read:
        yield from _api(name, read)
    elif "initial_state.json" in read:
        yield from _initial_state(name, read)
    elif any(file.startswith("header_") for file in read):
        yield from _committees(name, read)
    else:
        for file, content in read.items():
            if isinstance(content, dict) and "steps" in content:
                yield from _relayed(f"{name}/{file}", content["steps"])
            else:
                yield unusable(FAMILY, f"{name}/{file}", "no shape that is known")


def follow(
    state: BeaconState,
    name: str,
    kind: str,
    answer: Any,
    due: Verdict | None = None,
    family: str = FAMILY,
    late: int = 0,
) -> tuple[Item, BeaconState]:
    """Judges one answer of a node at the time of its signature; expects what the slots allow."""
    configuration = state.configuration
    reached = state
    told = due or verdict_in(answer)
    expected, why = expectation(state, kind, answer) if told is None else (told, "the verdict of the file")

    def judge() -> None:
        nonlocal reached
        bundle = bundle_from_answer(kind, answer, configuration.preset)
        now = configuration.timestamp_of(int(answer["data"]["signature_slot"])) + late
        verified = beacon.verify_header(state, bundle, now)
        view = beacon_opinion.read(kind, answer["version"], configuration.preset, _ssz(bundle))
        if beacon_opinion.root(view.finalized_header.beacon) != verified.finalized.root:
            raise HeaderHashMismatch("remerkleable finds another root.")
        reached = beacon.apply(state, verified)

    return judged(family, name, expected, judge, why), reached


def expectation(state: BeaconState, kind: str, answer: Any) -> tuple[Verdict, str]:
    """What the slots and bits of an answer allow, by arithmetic."""
    data, configuration = answer["data"], state.configuration
    if kind == "optimistic_update" or not any(int(node, 16) for node in data["finality_branch"]):
        return "refused", "it shows no finalized header"
    final, attested, signed = (
        int(slot)
        for slot in (
            data["finalized_header"]["beacon"]["slot"],
            data["attested_header"]["beacon"]["slot"],
            data["signature_slot"],
        )
    )
    ours, period_of = state.period, configuration.period_of
    count = int(data["sync_aggregate"]["sync_committee_bits"], 16).bit_count()
    if count * 3 < 2 * configuration.preset.committee_size:
        return "refused", f"{count} signed: less than two thirds"
    if not ours <= period_of(signed) <= ours + (state.following is not None):
        return "refused", f"signed in period {period_of(signed)}, of which no committee is known in period {ours}"
    brings = (
        "next_sync_committee" in data and state.following is None and period_of(final) == period_of(attested) == ours
    )
    if final <= state.newest.slot and not brings:
        return "refused", f"finalizes slot {final}, ours is {state.newest.slot}"
    return "accepted", f"{count} signed; finalized root as by remerkleable"


def start(configuration: BeaconConfiguration, block: FinalizedBlock, *committees: SyncCommittee | None) -> BeaconState:
    """A state as its owners recorded it: they pinned header and committees without a bootstrap."""
    current, following = committees
    assert current is not None
    return BeaconState(configuration, (block,), current, following)


def committee(data: dict[str, Any]) -> SyncCommittee:
    """A committee as JSON has it."""
    keys = [*data["pubkeys"], data["aggregate_pubkey"]]
    return SyncCommittee(bytes.fromhex("".join(key.removeprefix("0x") for key in keys)))


def _ssz(bundle: bytes) -> bytes:
    encoded = rlp.decode_list(bundle)[2]
    assert isinstance(encoded, bytes)
    return encoded


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _api(name: str, read: dict[str, Any]) -> Iterator[Item]:
    """Answers of a mainnet node: bootstrap, updates by period, the newest finality and optimistic update."""
    answer = read["bootstrap.json"]
    states: list[BeaconState] = []

    def begin() -> None:
        bundle = bundle_from_answer("bootstrap", answer, MAINNET.preset)
        view = beacon_opinion.read("bootstrap", answer["version"], MAINNET.preset, _ssz(bundle))
        states.append(beacon.bootstrap(bundle, BlockHash(beacon_opinion.root(view.header.beacon)), MAINNET))

    yield judged(
        FAMILY, f"{name}/bootstrap.json", verdict_in(answer) or "accepted", begin, "pinned by remerkleable's root"
    )
    if not states:
        yield from (
            unusable(FAMILY, f"{name}/{file}", "its bootstrap was refused") for file in read if file != "bootstrap.json"
        )
        return
    (state,) = states
    for number, update in enumerate(read.get("updates.json", [])):
        row, state = follow(state, f"{name}/updates.json {number}", "update", update)
        yield row
    for kind in ("finality", "optimistic"):
        if f"{kind}.json" in read:
            row, state = follow(state, f"{name}/{kind}.json", f"{kind}_update", read[f"{kind}.json"])
            yield row
    for file in set(read) - {"bootstrap.json", "updates.json", "finality.json", "optimistic.json"}:
        yield unusable(FAMILY, f"{name}/{file}", "no answer of the Beacon API that is known")


def _initial_state(name: str, read: dict[str, Any]) -> Iterator[Item]:
    """A development network of the minimal preset before Capella: state and updates as a Rust verifier kept them."""
    first, _, validators_root = read["initial_state.json"]
    configuration = BeaconConfiguration(
        Bytes32.from_hex(validators_root),
        1578009600,
        schedule("00000001,01000001,02000001", 0, 0, 0),
        preset=beacon.MINIMAL,
        checkpoint_age_limit_s=YEARS,
    )
    answer = {
        "version": "bellatrix",
        "data": plain(
            {
                "header": {"beacon": first["beacon_header"]},
                "current_sync_committee": first["current_sync_committee"],
                "current_sync_committee_branch": first["current_sync_committee_branch"],
            }
        ),
    }
    bundle = bundle_from_answer("bootstrap", answer, beacon.MINIMAL)
    view = beacon_opinion.read("bootstrap", "bellatrix", beacon.MINIMAL, _ssz(bundle))
    root = BlockHash(beacon_opinion.root(view.header.beacon))
    yield judged(
        FAMILY,
        f"{name}/initial_state.json",
        "accepted",
        lambda: beacon.bootstrap(bundle, root, configuration),
        "pinned by remerkleable's root",
    )
    state = beacon.bootstrap(bundle, root, configuration)
    updates = sorted(
        ((file, content) for file, content in read.items() if file != "initial_state.json"),
        key=lambda pair: int(pair[1][0]["light_client_update"]["signature_slot"]),
    )
    for file, (consensus, execution) in updates:
        update = _old_update(consensus["light_client_update"])
        kind = "update" if "next_sync_committee" in update["data"] else "finality_update"
        row, state = follow(state, f"{name}/{file}", kind, update)
        yield row
        yield judged(
            FAMILY,
            f"{name}/{file} execution branches",
            "accepted",
            lambda consensus=consensus, execution=execution: _check_execution(consensus, execution),
            "places 25 of the body, 18 and 22 of the execution header, by arithmetic",
        )


def _old_update(data: dict[str, Any]) -> dict[str, Any]:
    """Pairs of (object, branch), as the recorder kept them, in the form of the Beacon API."""
    finalized, finality_branch = data["finalized_header"]
    read = {
        "attested_header": {"beacon": data["attested_header"]},
        "finalized_header": {"beacon": finalized},
        "finality_branch": finality_branch,
        "sync_aggregate": data["sync_aggregate"],
        "signature_slot": data["signature_slot"],
    }
    if data["next_sync_committee"]:
        read["next_sync_committee"], read["next_sync_committee_branch"] = data["next_sync_committee"]
    return {"version": "bellatrix", "data": plain(read)}


def _check_execution(consensus: dict[str, Any], execution: dict[str, Any]) -> None:
    header, _ = consensus["light_client_update"]["finalized_header"]
    root = _hex(consensus["finalized_execution_root"])
    for leaf, branch, place, trusted in (
        (root, consensus["finalized_execution_branch"], 25, _hex(header["body_root"])),
        (_hex(execution["state_root"]), execution["state_root_branch"], 18, root),
        (int(execution["block_number"]).to_bytes(32, "little"), execution["block_number_branch"], 22, root),
    ):
        if not is_valid_branch(leaf, tuple(map(_hex, branch)), place, trusted):
            raise ProofRefused("A branch of the execution header does not hold.", found=leaf)


def _committees(name: str, read: dict[str, Any]) -> Iterator[Item]:
    """Sepolia after Electra: a header and both committees, pinned by their recorder, then updates."""
    (pinned,) = (file for file in read if file.startswith("header_"))
    slot = pinned.removeprefix("header_").removesuffix(".json")
    current = committee(read[f"current_sync_committee_{slot}.json"])
    following = committee(read[f"next_sync_committee_{slot}.json"])
    beacon_header = {
        key: int(value) if key in {"slot", "proposer_index"} else _hex(value) for key, value in read[pinned].items()
    }
    root = Bytes32(beacon_opinion.root(beacon_opinion.BeaconBlockHeader(**beacon_header)))
    block = FinalizedBlock(beacon_header["slot"], root, beacon_header["slot"], BlockHash(root), ZERO, ZERO)
    state = start(SEPOLIA, block, current, following)
    for file in (pinned, f"current_sync_committee_{slot}.json", f"next_sync_committee_{slot}.json"):
        yield unusable(FAMILY, f"{name}/{file}", "pinned by its recorder without a branch: where the updates begin")
    updates = sorted(
        ((file, content) for file, content in read.items() if "signature_slot" in content),
        key=lambda pair: int(pair[1]["signature_slot"]),
    )
    for file, content in updates:
        kind = "update" if "next_sync_committee" in content else "finality_update"
        row, state = follow(state, f"{name}/{file}", kind, {"version": "electra", "data": plain(content)})
        yield row


def plain(value: Any, key: str = "") -> Any:
    """Numbers as the Beacon API writes them: some recorders keep integers, or the base fee in hexadecimal."""
    if isinstance(value, dict):
        return {name: plain(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, int):
        return str(value)
    return str(int(value, 16)) if key == "base_fee_per_gas" and value.startswith("0x") else value


def _relayed(name: str, steps: list[dict[str, Any]]) -> Iterator[Item]:
    """A relayer's transactions: JSON of updates and of storage proofs inside of protobuf messages."""
    initial = steps[0]["data"]
    told = initial["client_state"]
    parameters = told["fork_parameters"]
    forks = [Fork("phase0", 0, _hex(parameters["genesis_fork_version"]))]
    forks += [
        Fork(fork, parameters[fork]["epoch"], _hex(parameters[fork]["version"]))
        for fork in FORKS[1:]
        if fork in parameters
    ]
    configuration = BeaconConfiguration(
        Bytes32.from_hex(told["genesis_validators_root"]),
        told["genesis_time"],
        tuple(forks),
        told["seconds_per_slot"],
        beacon.MINIMAL,
        YEARS,
    )
    known = {
        initial["consensus_state"][which]["pubkeys_hash"] for which in ("current_sync_committee", "next_sync_committee")
    }
    yield unusable(FAMILY, f"{name} {steps[0]['name']}", "pinned by its recorder: where the updates begin")
    roots: list[bytes] = []
    for step in steps[1:]:
        for number, message in enumerate(_objects(_hex(step["data"]["relayer_tx_body"]))):
            place = f"{name} {step['name']} {number}"
            if "consensus_update" in message:
                yield _relayed_update(place, configuration, message, known, roots)
            elif "account_proof" in message:
                yield judged(
                    FAMILY,
                    place,
                    "accepted",
                    lambda message=message, roots=tuple(roots): _check_slot(
                        told["ibc_contract_address"], message, roots
                    ),
                    "a slot under the state root of an update before it",
                )
            else:
                yield unusable(FAMILY, place, "neither an update nor a storage proof")


def _relayed_update(
    place: str, configuration: BeaconConfiguration, message: dict[str, Any], known: set[str], roots: list[bytes]
) -> Item:
    ((role, members),) = message["active_sync_committee"].items()
    signers = committee(members)
    slot = message["trusted_slot"]
    block = FinalizedBlock(slot, ZERO, slot, BlockHash(b"\x01" * 32), ZERO, ZERO)
    unknown = SyncCommittee(bytes(len(signers.encoded)))
    state = start(configuration, block, *((signers, None) if role == "Current" else (unknown, signers)))
    answer = {"version": configuration.fork_at(slot).name, "data": plain(message["consensus_update"])}
    kind = "update" if answer["data"].get("next_sync_committee") else "finality_update"
    if kind == "finality_update":
        answer["data"] = {key: value for key, value in answer["data"].items() if not key.startswith("next_")}
    if keys_root(signers) not in known:
        return unusable(FAMILY, place, "its committee was shown by no message before it")
    row, reached = follow(state, place, kind, answer)
    if row.found == "accepted":
        roots.append(reached.newest.state_root)
        update = read_update(bundle_from_answer(kind, answer, configuration.preset), configuration.preset)
        assert update.finalized is not None
        assert read_finalized(configuration, update.finalized).state_root == reached.newest.state_root
        if update.following is not None:
            known.add(keys_root(update.following))
    return row


def keys_root(members: SyncCommittee) -> str:
    """Root of the keys alone."""
    container = committee_type(beacon.MINIMAL)
    return "0x" + container.types[0].root(container.decode(members.encoded)[0]).hex()


def _check_slot(address: str, message: dict[str, Any], roots: tuple[bytes, ...]) -> None:
    refusal: LightClientError = ProofRefused("No update came before it.")
    stored = message["storage_proof"]
    for root in roots:
        try:
            account = verify_account(root, _hex(address), list(map(_hex, message["account_proof"]["proof"])))
            if account is None or account.storage_root != _hex(message["account_proof"]["storage_root"]):
                raise ProofRefused("The account has another storage root.")
            word = verify_storage(account.storage_root, _hex(stored["key"]), list(map(_hex, stored["proof"])))
            if int(stored["value"], 16) != int.from_bytes(word or b"", "big"):
                raise ProofRefused("The slot has another value.")
        except LightClientError as error:
            refusal = error
        else:
            return
    raise refusal


def _objects(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects inside of a protobuf message, in order."""
    text, place = data.decode("latin-1"), 0
    while (place := text.find('{"', place)) >= 0:
        read, place = json.JSONDecoder().raw_decode(text, place)
        yield read
