"""What a simulated node does wrong on demand: it fails, falls behind, shows a fork, or lies about what it is asked.

Each node has its own faults, so that a test has honest and lying endpoints of one chain. Lies are told in answers only; the
chain behind is honest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.chainmaker.simulator.blocks import Entry, assemble, decide
from adapters.chainmaker.simulator.chain import Chain
from adapters.chainmaker.simulator.material import Organisation
from adapters.chainmaker.stubs import chainmaker_pb2 as pb

FAILURES = ("unavailable", "exhausted", "internal", "silence", "slow", "cut", "garbage", "huge")
"""Ways to fail: three of gRPC's statuses, no answer, a late one, one that breaks off, one that is no message, an endless one."""

SLOW_S = 1.0
SILENCE_S = 30.0
HUGE_BYTES = 12 * 1024 * 1024


@dataclass
class Faults:
    """What one node does wrong.

    Attributes:
        failure: one of `FAILURES`, or empty.
        lag: blocks that the node is behind.
        fork: the first height at which it shows blocks of its own, or -1.
        lies: names from `LIES`.
    """

    failure: str = ""
    lag: int = 0
    fork: int = -1
    lies: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Do nothing wrong any more."""
        self.failure, self.lag, self.fork, self.lies = "", 0, -1, set()


def forked(chain: Chain, height: int, fork: int, forger: Organisation) -> pb.BlockInfo:
    """A block as a node on a fork shows it: with the vote of nobody but itself.

    Args:
        chain: the honest chain.
        height: of the block.
        fork: the first height that differs.
        forger: whose node it is.
    """
    info = chain.block(height)
    if height < fork:
        return info
    header = info.block.header
    parent = forked(chain, height - 1, fork, forger).block.header if height > fork else chain.header(height - 1)
    entries = [Entry(one, write_set) for one, write_set in zip(info.block.txs, info.rwset_list, strict=True)]
    other = assemble(
        entries,
        hash_name=chain.hash_name,
        chain=chain.name,
        height=height,
        parent=parent.block_hash,
        configuration_height=header.pre_conf_height,
        timestamp=header.block_timestamp + 1,
        proposer=forger,
        is_configuration=bool(header.block_type & 1),
    )
    decide(other, [forger])
    return other


def lie_about_block(info: pb.BlockInfo, lies: set[str]) -> pb.BlockInfo:
    """A block as a liar shows it."""
    for name, lie in LIES.items():
        if name in lies:
            lie(info)
    return info


def lie_about_transaction(found: pb.TransactionInfo, lies: set[str]) -> pb.TransactionInfo:
    """A transaction's fate as a liar tells it."""
    if "receipts" in lies:
        found.transaction.result.code = 0 if found.transaction.result.code else 4
    return found


def lie_about_output(output: bytes, lies: set[str]) -> bytes:
    """What a contract answered, as a liar tells it."""
    if "heads" in lies and output:
        return output[:-1] + bytes((output[-1] ^ 1,))
    return output


def _events(info: pb.BlockInfo) -> list[pb.ContractEvent]:
    return [event for one in info.block.txs for event in one.result.contract_result.contract_event]


def _false_events(info: pb.BlockInfo) -> None:
    for event in _events(info):
        last = event.event_data[-1]
        event.event_data[-1] = last[:-1] + ("1" if last[-1:] != "1" else "2")


def _missing_events(info: pb.BlockInfo) -> None:
    for one in info.block.txs:
        del one.result.contract_result.contract_event[-1:]


def _repeated_events(info: pb.BlockInfo) -> None:
    for one in info.block.txs:
        events = list(one.result.contract_result.contract_event)
        one.result.contract_result.contract_event.extend(events[-1:])


def _reordered_events(info: pb.BlockInfo) -> None:
    for one in info.block.txs:
        events = list(one.result.contract_result.contract_event)
        del one.result.contract_result.contract_event[:]
        one.result.contract_result.contract_event.extend(reversed(events))


def _missing_transactions(info: pb.BlockInfo) -> None:
    del info.block.txs[-1:], info.rwset_list[-1:]


def _false_header(info: pb.BlockInfo) -> None:
    header = info.block.header
    header.tx_root = bytes(byte ^ 1 for byte in header.tx_root)


def _false_votes(info: pb.BlockInfo) -> None:
    for entry in info.block.additional_data.extra_data:
        votes = pb.VoteSet.FromString(entry.value)
        del votes.votes[1:]
        entry.value = votes.SerializeToString()


LIES: dict[str, Callable[[pb.BlockInfo], None]] = {
    "events": _false_events,
    "missing_events": _missing_events,
    "repeated_events": _repeated_events,
    "reordered_events": _reordered_events,
    "missing_transactions": _missing_transactions,
    "headers": _false_header,
    "votes": _false_votes,
}
"""Lies about blocks by name; `height`, `receipts` and `heads` are told of other answers."""
