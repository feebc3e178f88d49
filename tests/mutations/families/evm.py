"""QBFT, IBFT2, legacy IBFT, QBFT by a contract, and Clique: headers item by item, runs, claims, accusations and stored states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import Any

import rlp

from light_clients import clique, ibft, ibft2, qbft
from light_clients.bft.types import SelectionMode, ValidatorSelection
from light_clients.errors import ClaimMalformed, HeaderFieldInvalid
from light_clients.proofs.gateway import SlotEvidence
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, SchemaError
from schemas.suites import keccak256
from tests.mutations.families.engine import FamilySubject, Value
from tests.support import bft_chain, clique_chain, qbft_chain

EXTRA, VANITY = 12, 32
LATER = 60
LANE, HEAD = keccak256(b"lane"), keccak256(b"head")
SLOT = keccak256(LANE + bytes(32))
CHAINS: dict[str, Any] = {"qbft": qbft_chain.Spec, "ibft2": bft_chain.Ibft2Spec, "ibft": bft_chain.IbftSpec}
CLIENTS: dict[str, Any] = {"qbft": qbft, "ibft2": ibft2, "ibft": ibft, "clique": clique}
CONFIGURATIONS: dict[str, Any] = {
    "qbft": qbft.QbftConfiguration,
    "ibft2": ibft2.Ibft2Configuration,
    "ibft": ibft.IbftConfiguration,
    "clique": clique.CliqueConfiguration,
}


def subjects() -> list[FamilySubject]:
    """Subjects of all four families."""
    return [subject for family in CHAINS for subject in _bft(family)] + _by_contract() + _clique()


# Headers as nested values


def taken_apart(family: str, header: bytes) -> Value:
    """A header's items, with the extra data opened; the size of a tuple is kept by the engine, that of a list is not."""
    items = rlp.decode(header)
    extra = items[EXTRA]
    if family == "clique":
        opened: Value = (extra[:VANITY], extra[VANITY:-65], extra[-65:])
    elif family == "ibft":
        opened = (extra[:VANITY], *rlp.decode(extra[VANITY:]))
    else:
        opened = tuple(rlp.decode(extra))
    return (tuple(items[:EXTRA]), opened, items[EXTRA + 1 :])


def put_together(family: str, value: Value) -> bytes:
    """The header of such a value."""
    before, opened, after = value
    if family == "clique":
        extra = b"".join(opened)
    elif family == "ibft":
        extra = opened[0] + rlp.encode(list(opened[1:]))
    else:
        extra = rlp.encode(list(opened))
    return bytes(rlp.encode([*before, extra, *after]))


# BFT families


def _bft(family: str) -> list[FamilySubject]:
    lanes = qbft_chain.Storage({SLOT: HEAD})
    first = bft_chain.first_of(CHAINS[family], state_root=lanes.root)
    voting = (qbft_chain.address("e"), True)
    second = bft_chain.next_of(first, vote=voting, round=0 if family == "ibft" else 1)
    third = bft_chain.next_of(second)
    elsewhere = bft_chain.next_of(bft_chain.first_of(CHAINS[family], vanity=bytes(31) + b"\x01", state_root=lanes.root))
    rival = bft_chain.next_of(first, state_root=keccak256(b"rival"))
    client, configuration = CLIENTS[family], CONFIGURATIONS[family]()
    begun = client.bootstrap(first.sealed(), BlockHash(first.hash()), configuration)
    followed = client.apply(begun, client.verify_header(begun, second.sealed(), second.timestamp))
    header = partial(taken_apart, family)
    others = [header(spec.sealed()) for spec in (first, third, elsewhere, rival)]
    return [
        FamilySubject(
            family,
            "header",
            header(second.sealed()),
            lambda value: _header(client, begun, put_together(family, value)),
            others[:3],
        ),
        FamilySubject(
            family,
            "pinned header",
            header(second.sealed()),
            lambda value: _pinned(client, configuration, put_together(family, value), second.hash()),
            others,
        ),
        _claim_subject(family, followed, second, lanes, [third.sealed(), first.sealed(), rival.sealed()]),
        FamilySubject(
            family,
            "accusation",
            (header(second.sealed()), header(rival.sealed())),
            lambda value: _accused(client, begun, [put_together(family, part) for part in value]),
            [(others[1], others[2])],
        ),
        _state_subject(family, followed),
    ]


def _header(client: Any, state: Any, header: bytes) -> object:
    """What was believed of a header: everything that `apply` keeps, but who of the set sealed it."""
    verified = client.verify_header(state, header, state.timestamp + LATER)
    after = client.apply(state, verified)
    return after.to_bytes(), bytes(verified.state_root)


def _pinned(client: Any, configuration: Any, header: bytes, block_hash: bytes) -> object:
    return client.bootstrap(header, BlockHash(block_hash), configuration).to_bytes()


def _accused(client: Any, state: Any, headers: list[bytes]) -> object:
    found = client.find_misbehaviour(state, *headers)
    if found is None:
        raise HeaderFieldInvalid("These two accuse nobody.")
    return found.height


# A contract selects the validators


def _by_contract() -> list[FamilySubject]:
    members = bft_chain.ValidatorState("abcd")
    changed = bft_chain.ValidatorState("abce")
    selection = ValidatorSelection(0, SelectionMode.CONTRACT, bft_chain.CONTRACT, bft_chain.SLOT)
    configuration = qbft.QbftConfiguration(selections=(selection,))
    first = bft_chain.first_of(qbft_chain.Spec, listed=(), state_root=members.root)
    second = bft_chain.next_of(first, listed=(), state_root=changed.root)
    begun = qbft.bootstrap(members.bundled(first.sealed()), BlockHash(first.hash()), configuration)
    value = _bundle_value(second, changed)
    return [
        FamilySubject(
            "qbft",
            "header with its set",
            value,
            lambda value: _header(qbft, begun, _bundled(value)),
            [_bundle_value(first, members)],
        )
    ]


def _bundle_value(spec: Any, state: Any) -> Value:
    proof = state.proof()
    return (
        taken_apart("qbft", spec.sealed()),
        list(proof.account),
        [list(nodes) for nodes in proof.storage],
    )


def _bundled(value: Value) -> bytes:
    header, account, storage = value
    return bytes(rlp.encode([put_together("qbft", header), account, storage]))


# Clique


def _clique() -> list[FamilySubject]:
    lanes = qbft_chain.Storage({SLOT: HEAD})
    first = clique_chain.first_spec()
    chain = clique_chain.chain_of(first, 5, state_root=lanes.root)
    other = clique_chain.chain_of(clique_chain.first_spec(vanity=bytes(31) + b"\x01"), 5)
    rivals = clique_chain.chain_of(first, 3, state_root=keccak256(b"rival"))
    begun = clique_chain.begun(first)
    size = begun.confirmations + 1
    followed = clique_chain.followed(begun, chain)
    run = [taken_apart("clique", spec.sealed()) for spec in chain[:size]]
    rival_run = [taken_apart("clique", spec.sealed()) for spec in rivals[:size]]
    others = [
        [taken_apart("clique", spec.sealed()) for spec in specs]
        for specs in (chain[1 : size + 1], other[:size], rivals)
    ]
    return [
        FamilySubject("clique", "run", run, lambda value: _header(clique, begun, _run(value)), others[:2]),
        FamilySubject(
            "clique",
            "pinned run",
            [taken_apart("clique", spec.sealed()) for spec in (first, *chain[:3])],
            lambda value: _pinned(clique, begun.configuration, _run(value), chain[2].hash()),
            others,
        ),
        _claim_subject("clique", followed, chain[1], lanes, [chain[0].sealed(), chain[2].sealed(), rivals[1].sealed()]),
        FamilySubject(
            "clique",
            "accusation",
            (run, rival_run),
            lambda value: _accused(clique, begun, [_run(part) for part in value]),
            [(others[1], others[0])],
        ),
        _state_subject("clique", followed),
    ]


def _run(values: Value) -> bytes:
    return b"".join(put_together("clique", value) for value in values)


# Claims and states


def _claim_subject(family: str, state: Any, spec: Any, lanes: Any, headers: list[bytes]) -> FamilySubject:
    """A claim at an accepted header, its header and its proofs; the pin of the gateway is trusted."""
    claim = (LANE, 0, 3, HEAD, spec.number, spec.hash())
    account, storage = list(lanes.account_proof()), list(lanes.storage_proof(SLOT))
    rest = (list(lanes.account_proof(keccak256(b"account 3")[:20])), list(lanes.storage_proof(keccak256(b"slot 3"))))

    def judge(value: Value) -> object:
        claimed = _claim(value[0])
        evidence = SlotEvidence(value[1], tuple(value[2]), tuple(value[3]))
        CLIENTS[family].verify_claim(state, claimed, evidence, qbft_chain.PIN)
        return _shown(claimed)

    others = [((LANE, 1, 3, HEAD, spec.number + 1, keccak256(header)), header, *rest) for header in headers]
    return FamilySubject(family, "claim", (claim, spec.sealed(), account, storage), judge, others)


def _shown(claim: Claim) -> tuple[Any, ...]:
    """What a claim says; the number of entries is part of the head, which the hub folds."""
    lane_id, direction, _, head, height, block_hash = astuple(claim)
    return bytes(lane_id), int(direction), bytes(head), height, bytes(block_hash)


def _claim(fields: tuple[Any, ...]) -> Claim:
    lane_id, direction, nonce, head, height, block_hash = fields
    try:
        claim = Claim(LaneId(lane_id), Direction(direction), nonce, Head(head), height, BlockHash(block_hash))
        claim.check()
    except (SchemaError, ValueError) as error:
        raise ClaimMalformed(str(error)) from error
    return claim


def _state_subject(family: str, state: Any) -> FamilySubject:
    """Stored bytes: what is read back is written again as the same bytes, so that no two of them are one state."""

    def judge(value: bytes) -> bool:
        return bool(_reader(family)(value).to_bytes() == value)

    return FamilySubject(family, "state bytes", state.to_bytes(), judge)


def _reader(family: str) -> Callable[[bytes], Any]:
    read: Callable[[bytes], Any] = CLIENTS[family].state_from_bytes
    return read
