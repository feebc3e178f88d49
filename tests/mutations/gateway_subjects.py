"""Deliveries and settlements at a committee's lane: messages, outcomes, suffix ids, claims and attestations are spoilt.

The Python judge is the in-process ledger's gateway and committee (`adapters.memory`), given the lane of the Solidity one.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from itertools import dropwhile
from typing import Any

from eth_abi.abi import encode

from adapters.memory.calls import run_call
from adapters.memory.committee import Committee
from adapters.memory.gateway import Frame, Gateway, Reverted
from adapters.protocol import HeadMoved, MessageDelivered
from adapters.solidity.calldata import CLAIM_TYPE, DELIVER, MESSAGE_TYPE, SETTLE, SETTLED_TYPE
from tests.mutations.judges import Mutation, Subject, Verdict
from tests.mutations.mutators import spoil_at, spoil_bytes
from tests.support.evm_world import GAS, RELAYER, SIGNERS, EvmWorld, Refused, address_of, attest

MESSAGE = ("uint64", "bytes", "bytes", "uint64", "uint64", "uint64", "uint64", "bytes32", "bytes")
CLAIM = ("bytes32", "uint8", "uint64", "bytes32", "uint64", "bytes32")
DELIVERY = ("bytes32", [MESSAGE], ["bytes32"], CLAIM, "bytes")
SETTLEMENT = ("bytes32", [(MESSAGE, "uint8", "bytes")], ["bytes32"], CLAIM, "bytes")
DELIVERY_TYPES = ["bytes32", f"{MESSAGE_TYPE}[]", "bytes32[]", CLAIM_TYPE, "bytes"]
SETTLEMENT_TYPES = ["bytes32", f"{SETTLED_TYPE}[]", "bytes32[]", CLAIM_TYPE, "bytes"]
PARTS = {"messages": 1, "suffix ids": 2, "claim": 3, "attestations": 4}
CONSUMED, NEW, BEHIND = 2, 4, 2
"""Messages that were consumed before, that are new in the call, and that stand behind it as suffix ids."""


def message_fields(message: Any) -> tuple[Any, ...]:
    return (
        message.nonce,
        bytes(message.sender),
        bytes(message.receiver),
        message.expires_at,
        message.gas_limit,
        message.callback_gas,
        message.payload_length,
        bytes(message.payload_hash),
        bytes(message.payload),
    )


def claim_fields(claim: Any) -> tuple[Any, ...]:
    return (
        bytes(claim.lane_id),
        int(claim.direction),
        claim.nonce,
        bytes(claim.head),
        claim.height,
        bytes(claim.block_hash),
    )


def lane_in_use() -> EvmWorld:
    """A lane with messages of every kind; a first part is consumed and settled."""
    world = EvmWorld.create(receiver="Idle")
    nobody = bytes(19) + b"\x09"
    now = world.source.chain.now
    for number in range(CONSUMED + NEW + BEHIND):
        world.send(payload=bytes([number]) * (1 + 40 * (number % 3)), expires_at=now + 100 if number == 3 else 0)
    world.send(payload=b"to nobody", receiver=nobody)
    world.destination.chain.now += 200  # the one that expires has expired
    world.deliver(1, CONSUMED)
    return world


class _AtAGateway(ABC):
    """What delivery and settlement share."""

    types: list[str]
    shape: tuple[Any, ...]
    selector: bytes
    done: int
    nonce_of: Callable[[Any], int]

    def __init__(self, world: EvmWorld, end: Any, good: tuple[Any, ...], gateway: Gateway) -> None:
        self.world, self.end, self.good, self.gateway = world, end, good, gateway
        self.state = gateway.lanes[world.lane_id]
        self.meaning = self.solidity(good)
        assert self.meaning is not None
        assert self.python(good) == self.meaning

    def mutate(self, chance: random.Random) -> Mutation:
        of = chance.choice(list(PARTS))
        place = PARTS[of]
        if of == "attestations":
            return Mutation(of, (*self.good[:place], self._proof(chance)))
        return Mutation(of, spoil_at(chance, self.good, self.shape, (place,)))

    def _proof(self, chance: random.Random) -> bytes:
        """Spoilt bytes, or well-formed proofs by others, of others' places, of other epochs."""
        way = chance.randrange(4)
        if way:
            return spoil_bytes(chance, self.good[4])
        claim = replace(self.honest, nonce=self.honest.nonce + chance.randrange(2))
        place = self.end.place(1)
        if chance.random() < 0.5:
            place = replace(place, gateway=chance.randbytes(20))
        signers = chance.sample(range(len(SIGNERS)), chance.randint(1, 3))
        return attest(self.end, claim, chance.choice((1, 1, 2)), sorted(signers), place=place)

    def calldata(self, value: tuple[Any, ...]) -> bytes:
        return self.selector + encode(self.types, value)

    def python(self, value: tuple[Any, ...]) -> Verdict:
        frame = Frame(RELAYER, self.end.chain.now, [])
        new = list(dropwhile(lambda entry: self.nonce_of(entry) <= self.done, value[1]))  # the rest is not looked at
        try:
            run_call(self.gateway, frame, self.calldata((value[0], new, *value[2:])))
        except Reverted:
            return None
        finally:
            self.gateway.lanes[self.world.lane_id] = self.state
        return self._seen(frame.events)

    def solidity(self, value: tuple[Any, ...]) -> Verdict:
        evm = self.end.chain.evm
        point = evm.snapshot()
        try:
            done = self.end.chain.transact(RELAYER, self.end.gateway, self.calldata(value), gas=GAS)
        except Refused:
            return None
        finally:
            evm.revert(point)
        return self._seen(done.events_of(self.end.gateway))

    @abstractmethod
    def _seen(self, events: list[Any]) -> Verdict:
        """What the events of an accepted call say, in a form that both judges share."""

    def same_meaning(self, verdict: Verdict) -> bool:
        return verdict == self.meaning[: len(verdict)]


class DeliverySubject(_AtAGateway):
    """A call of `deliver` with new messages, old ones, one expired, one to nobody, and suffix ids."""

    types, shape, selector = DELIVERY_TYPES, DELIVERY, DELIVER
    done, nonce_of = CONSUMED, staticmethod(lambda entry: entry[0])

    def __init__(self, world: EvmWorld) -> None:
        last = CONSUMED + NEW
        self.honest = world.claim(0, len(world.sent))
        suffix = [bytes(message.message_id(_suite(world), world.lane_id)) for message in world.sent[last:]]
        good = (
            bytes(world.lane_id),
            [message_fields(message) for message in world.sent[CONSUMED - 1 : last]],
            suffix,
            claim_fields(self.honest),
            attest(world.destination, self.honest),
        )
        super().__init__(world, world.destination, good, _python_gateway(world, 1))

    def _seen(self, events: list[Any]) -> Verdict:
        return [
            (event.nonce, event.message_id, int(event.status), event.result)
            for event in events
            if isinstance(event, MessageDelivered)
        ]


class SettlementSubject(_AtAGateway):
    """A call of `settle` with entries, and suffix ids."""

    types, shape, selector = SETTLEMENT_TYPES, SETTLEMENT, SETTLE
    done, nonce_of = CONSUMED, staticmethod(lambda entry: entry[0][0])

    def __init__(self, world: EvmWorld) -> None:
        self.honest = world.claim(1, len(world.outcomes))
        entries = world.outcomes[: CONSUMED + NEW]
        suffix = [bytes(entry.outcome_id(_suite(world), world.lane_id)) for entry in world.outcomes[CONSUMED + NEW :]]
        good = (
            bytes(world.lane_id),
            [(message_fields(entry.message), int(entry.status), entry.result) for entry in entries],
            suffix,
            claim_fields(self.honest),
            attest(world.source, self.honest),
        )
        super().__init__(world, world.source, good, _python_gateway(world, 0))
        self.heads = _heads(world)

    def _seen(self, events: list[Any]) -> Verdict:
        return [(event.direction, event.nonce, bytes(event.head)) for event in events if isinstance(event, HeadMoved)]

    def same_meaning(self, verdict: Verdict) -> bool:
        return all(head == self.heads[nonce] for _, nonce, head in verdict)


def _suite(world: EvmWorld) -> Any:
    return world.lane.suite


def _heads(world: EvmWorld) -> list[bytes]:
    return [bytes(world.head(1, nonce)) for nonce in range(len(world.outcomes) + 1)]


def _python_gateway(world: EvmWorld, end: int) -> Gateway:
    """The in-process gateway at the same point of the same lane."""
    here = (world.source, world.destination)[end]
    gateway = Gateway(here.chain.word, here.gateway, minimum_expiry_s=60)
    committee = Committee(
        here.committee,
        1,
        tuple(address_of(private) for private, _ in SIGNERS),
        tuple(bytes(organisation) for _, organisation in SIGNERS),
        2,
    )
    gateway.open_lane(Frame(RELAYER, here.chain.now, []), world.lane, end, committee, bytes(32))
    done = len(world.outcomes)
    view = world.source_view()
    outcomes = world.head(1, done)
    settled = view.settled
    gateway.lanes[world.lane_id] = replace(
        gateway.lanes[world.lane_id],
        sent=len(world.sent),
        delivered=done,
        settled=settled,
        outbox_head=world.head(0, len(world.sent)),
        inbox_head=world.head(0, done),
        outcomes_head=outcomes,
        settled_head=world.head(1, settled),
    )
    gateway.receivers[world.receiver] = lambda *_: world.outcomes[0].result  # it says the same every time
    return gateway


def gateway_subjects() -> list[Subject]:
    """A delivery, and on a lane where everything is delivered a settlement."""
    delivering, settling = lane_in_use(), lane_in_use()
    settling.settle(1, CONSUMED)
    settling.deliver()
    return [DeliverySubject(delivering), SettlementSubject(settling)]
