"""Beacon chain: bootstraps, updates of both kinds, accusations, claims, states and proofs of logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rlp as second
from trie import HexaryTrie

from light_clients import beacon, rlp
from light_clients.beacon.codec import write_bundle
from light_clients.beacon.containers import container_of
from light_clients.beacon.types import BeaconState
from light_clients.errors import ClaimMalformed, LightClientError
from light_clients.proofs.bloom import bloom_mask
from light_clients.proofs.gateway import SlotEvidence
from light_clients.proofs.receipts import Log, Receipt, encode_receipt, verify_log
from light_clients.ssz import SszRefused
from schemas.primitives import BlockHash
from tests.mutations.families.engine import FamilySubject, Value
from tests.support.beacon_chain import PIN, BeaconChain

KINDS = (("deneb", (0, 0, 0, 0, 0)), ("electra", (0, 0, 0, 0, 0, 0)))


def subjects() -> list[FamilySubject]:
    """Subjects before and after Electra."""
    return [subject for name, epochs in KINDS for subject in _subjects(name, epochs)] + [_log_subject()]


def _subjects(fork: str, epochs: tuple[int, ...]) -> list[FamilySubject]:
    chain = BeaconChain(epochs, label=f"mutations {fork}")
    name, start = f"beacon {fork}", chain.trusted(16)
    updates = [chain.update_value(40, 24), chain.update_value(41, 32), chain.update_value(40, 24, salt=1)]
    state = chain.advance(start, chain.update(40, 24), 41)
    finality = [_without_committee(value) for value in (chain.update_value(90, 72), chain.update_value(90, 72, salt=1))]
    known = chain.bootstrap_value(16)
    evidence = chain.world.evidence()
    claim = [list(evidence.account_proof), list(evidence.storage_proof)]
    return [
        FamilySubject(name, "bootstrap", known, _judge_bootstrap(chain, fork), [chain.bootstrap_value(80)]),
        FamilySubject(name, "update", updates[0], _judge_update(chain, fork, "update", start, 41), updates[1:]),
        FamilySubject(
            name, "finality update", finality[0], _judge_update(chain, fork, "finality_update", state, 91), finality[1:]
        ),
        FamilySubject(name, "accusation", finality[1], _judge_accusation(chain, fork, state, finality[0]), updates[:1]),
        FamilySubject(name, "bundle", chain.update(40, 24), _judge_bundle(chain, start), [chain.bootstrap(16)]),
        FamilySubject(name, "claim", claim, _judge_claim(chain, state), [claim[::-1]]),
    ]


def _without_committee(value: Value) -> Value:
    return (value[0], *value[3:])


def encoded(kind: str, fork: str, value: Value) -> bytes:
    """The bundle of a value, whatever became of it; what no container can hold is refused as the reader would."""
    try:
        return write_bundle(kind, fork, container_of(kind, fork, beacon.MINIMAL).encode(value))
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise SszRefused("The value is not of the container's form.") from error


def _meaning(state: BeaconState) -> object:
    return state.to_bytes()


def _judge_bootstrap(chain: BeaconChain, fork: str) -> Callable[[Value], object]:
    root = chain.root(16)
    return lambda value: _meaning(beacon.bootstrap(encoded("bootstrap", fork, value), root, chain.configuration))


def _judge_update(chain: BeaconChain, fork: str, kind: str, state: BeaconState, slot: int) -> Callable[[Value], object]:
    return lambda value: _meaning(chain.advance(state, encoded(kind, fork, value), slot))


def _judge_bundle(chain: BeaconChain, state: BeaconState) -> Callable[[Value], object]:
    return lambda value: _meaning(chain.advance(state, value, 41))


def _judge_accusation(chain: BeaconChain, fork: str, state: BeaconState, honest: Value) -> Callable[[Value], object]:
    first = encoded("finality_update", fork, honest)

    def judge(value: Value) -> object:
        found = beacon.find_misbehaviour(state, first, encoded("finality_update", fork, value))
        if found is None:
            raise ClaimMalformed("They do not contradict each other.")
        return found.height

    return judge


def _judge_claim(chain: BeaconChain, state: BeaconState) -> Callable[[Value], object]:
    def judge(value: Value) -> object:
        account, storage = value
        beacon.verify_claim(state, chain.claim(24), SlotEvidence(b"", tuple(account), tuple(storage)), PIN)
        return True

    def guarded(value: Value) -> object:
        try:
            return judge(value)
        except (LightClientError, AssertionError):
            raise
        except (TypeError, ValueError) as error:
            raise ClaimMalformed("There are not two proofs.") from error

    return guarded


def _log_subject() -> FamilySubject:
    logs = [Log(bytes((number,)) * 20, (bytes((number + 1,)) * 32,), b"log %d" % number) for number in range(30)]
    package = HexaryTrie({})
    for index, log in enumerate(logs):
        bloom = bloom_mask(log.address) | bloom_mask(log.topics[0])
        receipt = Receipt(2, b"\x01", index + 1, bloom.to_bytes(256, "big"), (log,))
        package[second.encode(index)] = encode_receipt(receipt)
    proofs = [[rlp.encode(node) for node in package.get_proof(second.encode(index))] for index in (7, 8, 20)]

    def judge(value: Any) -> object:
        return verify_log(BlockHash(package.root_hash), 7, 0, value)

    return FamilySubject("beacon", "log", proofs[0], judge, proofs[1:])
