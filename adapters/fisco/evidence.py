"""Evidence of heads: the last event of each lane and direction in a block, by its receipt.

There is no proof of state on FISCO BCOS. `MessageSent` tells the head of the outbox, `HeadMoved` with direction 1 that of the
outcomes. On line 3 only direct calls of the gateway's `send` and `deliver` are proof; where the last event of a lane in the block is
of another transaction, or of one that can be read in several ways, there is none: the next direct call proves it too, as heads run.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.fisco.executions import execution_of
from adapters.fisco.headers import header_of, read_headers, unsigned_bundle
from adapters.fisco.node import Node, transaction_hashes
from adapters.fisco.receipts import Log, last_move, read_logs
from light_clients.errors import LightClientError
from light_clients.fisco.claims import HEAD_MOVED, MESSAGE_SENT
from light_clients.fisco.evidence import DELIVER_SELECTOR, SEND_SELECTOR, Execution, FiscoEvidence
from light_clients.fisco.executions import read_call
from light_clients.fisco.types import FiscoConfiguration
from schemas.evidence import FamilyEvidence, HeadEvidence
from schemas.primitives import HexBytes, LaneId

_SIGNATURES = (MESSAGE_SENT, HEAD_MOVED)


def fetch_evidence(
    node: Node, configuration: FiscoConfiguration, gateway: bytes, lanes: Sequence[tuple[LaneId, int]], height: int
) -> list[HeadEvidence | None]:
    """The evidence of each lane and direction in the block at a height, in order; None where nothing there proves a head.

    Raises:
        AdapterError: the node does not have the block, or does not answer in its form.
    """
    block = node.block(height)
    hashes = transaction_hashes(block)
    receipts = node.receipts(hashes)
    logs = [read_logs(receipt, node.line) for receipt in receipts]
    places = [_last(logs, gateway, lane_id, direction) for lane_id, direction in lanes]
    if all(place is None for place in places):
        return [None] * len(places)
    bare = unsigned_bundle(header_of(node, block), configuration)
    bundle = read_headers(node, configuration, height, height)[0]
    executions: dict[int, Execution | None] = {}
    found: list[HeadEvidence | None] = []
    for place, (_, direction) in zip(places, lanes, strict=True):
        if place is None:
            found.append(None)
            continue
        if place not in executions:
            executions[place] = execution_of(node, configuration, block, hashes[place], place, len(hashes))
        execution = executions[place]
        if execution is None or not _is_direct(execution, configuration, gateway, direction, logs[place]):
            found.append(None)
            continue
        proof = FiscoEvidence(bare, execution).to_bytes()
        found.append(FamilyEvidence(height, HexBytes(bundle), HexBytes(proof)))
    return found


def _last(logs: Sequence[Sequence[Log]], gateway: bytes, lane_id: bytes, direction: int) -> int | None:
    """Position of the last transaction that moved a head."""
    for place in reversed(range(len(logs))):
        if last_move(logs[place], gateway, lane_id, direction, _SIGNATURES):
            return place
    return None


def _is_direct(
    execution: Execution, configuration: FiscoConfiguration, gateway: bytes, direction: int, logs: Sequence[Log]
) -> bool:
    """Whether a line-3 transaction is a direct call of the function that moves such heads; on line 2 any will do."""
    if configuration.line == 2:
        return True
    try:
        call = read_call(execution, configuration)
    except LightClientError:
        return False
    selector = DELIVER_SELECTOR if direction else SEND_SELECTOR
    return call.to == gateway and call.data[:4] == selector and bool(logs) and logs[-1].address == gateway
