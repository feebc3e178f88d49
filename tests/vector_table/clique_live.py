"""Headers of a live geth network on Clique, one after another, judged in the runs that confirm them; its genesis."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from light_clients import clique
from light_clients.bft.types import ValidatorSet
from light_clients.clique.chain import follow
from light_clients.clique.codec import parse_header, sealer_of
from light_clients.clique.types import CliqueState, Snapshot
from light_clients.errors import HeaderHashMismatch, LightClientError, ValidatorsUnexpected
from tests.support.evm_opinion import HeaderOpinion, opinion
from tests.support.vectors import unhex, unhex_all
from tests.vector_table.clique import rebuilt
from tests.vector_table.evm_ledgers import as_verdict, files_of
from tests.vector_table.item import Item, judged, unusable
from tests.vector_table.verdicts import verdict_in

FOLDER = "clique_live"


@dataclass(frozen=True)
class Recorded:
    """A block as the node told it, and what rlp and eth_keys make of it."""

    block: dict[str, Any]
    raw: bytes
    seen: HeaderOpinion | None

    @property
    def signers(self) -> list[bytes]:
        """Who may seal the next block, as the node says."""
        return sorted(unhex_all(self.block["signers"]))


def items(folder: Path) -> Iterator[Item]:
    """Rows for every file: blocks of a network with its genesis."""
    for file, name in files_of(folder):
        if file.suffix != ".json":
            yield unusable(FOLDER, name, "documentation, no vector")
            continue
        content = json.loads(file.read_text())
        blocks = [
            Recorded(block, unhex(block["raw"]), opinion("clique", unhex(block["raw"]))) for block in content["blocks"]
        ]
        yield judged(
            FOLDER,
            f"{name} genesis",
            verdict_in(content["genesis"]) or "accepted",
            lambda content=content, first=blocks[0]: _must_list(unhex(content["genesis"]["extraData"]), first),
            "the signers that its node told at the first recorded block",
        )
        yield from _followed(name, blocks)


def _followed(name: str, blocks: Sequence[Recorded]) -> Iterator[Item]:
    """Each header by the rules of the client, in the run that makes it final; the last ones have none."""
    configuration = clique.CliqueConfiguration()
    for place, recorded in enumerate(blocks):
        row = f"{name} block {recorded.block['number']}"
        told = verdict_in(recorded.block)
        yield judged(
            FOLDER,
            f"{row} from JSON",
            told
            or as_verdict(
                recorded.seen is not None and recorded.seen.block_hash == unhex(recorded.block["json"]["hash"])
            ),
            lambda recorded=recorded: _must_rebuild(recorded),
            "the node's hash, and rlp's",
        )
        if not place:
            continue
        try:
            state = _state_at(configuration, blocks[:place])
        except LightClientError:
            missing = partial(_state_at, configuration, blocks[:place])
            yield judged(FOLDER, f"{row} follows", "refused", missing, "a block before it was refused")
            continue
        run = blocks[place : place + state.confirmations + 1]
        enough = len(run) > state.confirmations
        expected = told or as_verdict(
            enough and all(_links(pair) for pair in pairwise(blocks[place - 1 : place + len(run)]))
        )
        yield judged(
            FOLDER,
            f"{row} follows",
            expected,
            lambda state=state, run=run: _must_follow(state, run),
            "the node's own signers; rlp and eth_keys" if enough else "the recording ends before it is final",
        )
        spoilt = recorded.raw.replace(recorded.seen.state_root, bytes(32), 1) if recorded.seen else b""
        yield judged(
            FOLDER,
            f"{row} spoilt",
            "refused",
            lambda state=state, spoilt=spoilt, run=run: clique.verify_header(
                state, spoilt + b"".join(item.raw for item in run[1:]), state.timestamp + 60
            ),
            "its state root zeroed: the seal is over other content",
        )


def _links(pair: tuple[Recorded, Recorded]) -> bool:
    """Whether a block names the one before it, and one of the signers after that one sealed it."""
    parent, child = pair
    if parent.seen is None or child.seen is None:
        return False
    return child.seen.parent_hash == parent.seen.block_hash and child.seen.sealers[0] in parent.signers


def _state_at(configuration: clique.CliqueConfiguration, before: Sequence[Recorded]) -> CliqueState:
    """The state at the last of these blocks, by following them all from the node's signers at the first one."""
    first = parse_header(before[0].raw)
    signers = tuple(before[0].signers)
    newest = Snapshot(
        first.height, first.block_hash, first.timestamp, signers, (), (sealer_of(first.seal_digest, first.seal),)
    )
    for recorded in before[1:]:
        newest = follow(configuration, newest, parse_header(recorded.raw))
    return CliqueState(configuration, newest, (newest.block_hash,), (ValidatorSet(newest.height, newest.signers),))


def _must_follow(state: CliqueState, run: Sequence[Recorded]) -> None:
    verified = clique.verify_header(state, b"".join(item.raw for item in run), state.timestamp + 60)
    if sorted(clique.apply(state, verified).signers) != run[0].signers:
        raise ValidatorsUnexpected("The node names other signers.")


def _must_list(extra: bytes, first: Recorded) -> None:
    if extra[32:-65] != b"".join(first.signers):
        raise ValidatorsUnexpected("The genesis lists other signers.")


def _must_rebuild(recorded: Recorded) -> None:
    if rebuilt(recorded.block["json"]) != recorded.raw:
        raise HeaderHashMismatch("The header of the JSON is another.")
