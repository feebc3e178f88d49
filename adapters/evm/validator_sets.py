"""Headers of ledgers whose validators a contract selects: each comes with the proof of its child's set.

The option is `ADDRESS:SLOT:FIRST[:LAST]`, several with commas between: the contract, the slot that holds the length of its
`address[]`, and the heights whose headers need the proof. Sources: EIP-1186 (eth_getProof); Solidity documentation, Layout of
State Variables in Storage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.ethereum.answers import quantity, record, records
from adapters.ethereum.proofs import read_nodes
from adapters.ethereum.refusals import proof_refusal
from adapters.jsonrpc import JsonRpc, RpcError
from adapters.protocol import BadAnswer, Misconfigured, Rejected
from light_clients.bft.bundle import SetProof, bundle, element_slots, length_slot
from schemas.primitives import hex0x

MAXIMUM_MEMBERS = 256
"""Members of a set that are fetched; no light client keeps more."""

_SPAN = re.compile(r"0x([0-9a-fA-F]{40}):([0-9]{1,78}):([0-9]{1,19})(?::([0-9]{1,19}))?")
_NO_END = 2**63


@dataclass(frozen=True, slots=True)
class ContractSpan:
    """A contract that selects validators: its address (20 bytes), the slot of the list, and which headers need the proof."""

    address: bytes
    slot: int
    first: int
    last: int


def read_spans(text: str) -> tuple[ContractSpan, ...]:
    """Read the option.

    Raises:
        Misconfigured: it is of another form.
    """
    spans = []
    for part in filter(None, text.split(",")):
        match = _SPAN.fullmatch(part)
        if match is None or int(match.group(2)) >= 2**256:
            raise Misconfigured(f"{part[:100]!r} names no contract of validators; give ADDRESS:SLOT:FIRST[:LAST].")
        address, slot, first, last = match.groups()
        spans.append(ContractSpan(bytes.fromhex(address), int(slot), int(first), int(last) if last else _NO_END))
    return tuple(spans)


def with_set_proofs(
    rpc: JsonRpc, spans: Sequence[ContractSpan], first_height: int, headers: Sequence[bytes]
) -> list[bytes]:
    """Put each header that needs it together with the proof of its child's set.

    Args:
        rpc: the endpoint.
        spans: the contracts, and which heights need them.
        first_height: height of the first header.
        headers: consecutive headers in RLP.

    Raises:
        Rejected: the node does not have that state any more (`no_state`).
        BadAnswer: an answer is not of its form.
    """
    wanted = [
        (index, span)
        for index in range(len(headers))
        for span in spans
        if span.first <= first_height + index <= span.last
    ]
    asked = [(span, first_height + index) for index, span in wanted]
    lengths = [_length(answer) for answer in _proofs(rpc, [(*item, 0) for item in asked])]
    answers = _proofs(rpc, [(*item, length) for item, length in zip(asked, lengths, strict=True)])
    whole = list(headers)
    for (index, _), answer in zip(wanted, answers, strict=True):
        account = read_nodes(answer.get("accountProof"), "accountProof")
        paths = records(answer.get("storageProof"), "storageProof")
        storage = tuple(read_nodes(path.get("proof"), "storage proof") for path in paths)
        whole[index] = bundle(headers[index], SetProof(account, storage))
    return whole


def _proofs(rpc: JsonRpc, wanted: Sequence[tuple[ContractSpan, int, int]]) -> list[dict[str, Any]]:
    """The proofs of the list's length and of so many elements, each in the state of a height."""
    calls = []
    for span, height, length in wanted:
        slots = [length_slot(span.slot), *element_slots(span.slot, length)]
        calls.append(("eth_getProof", [hex0x(span.address), [hex0x(slot) for slot in slots], hex(height)]))
    answers = rpc.batch(calls) if calls else []
    for answer in answers:
        if isinstance(answer, RpcError):
            raise proof_refusal(answer)
        if answer is None:
            raise Rejected(f"{rpc.label} does not have the state of a header.", code="no_state", endpoint=rpc.label)
    return [record(answer, "the proof") for answer in answers]


def _length(answer: dict[str, Any]) -> int:
    paths = records(answer.get("storageProof"), "storageProof")
    if len(paths) != 1:
        raise BadAnswer("the proof is of other slots than were asked for; leave the endpoint.")
    return min(quantity(paths[0].get("value"), "value of a storage proof"), MAXIMUM_MEMBERS)
