"""Checks of the Reader: who the ledger is, what happened on it and in which order, and what is not there."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from adapters.conformance.findings import error_of, refusal_of, require
from adapters.conformance.steps import World
from adapters.protocol import GatewayEvent, LaneOpened, MessageSent
from schemas.heads import fold_all, outbox_genesis
from schemas.primitives import LaneId

PAYLOADS = ("hello", "你好,世界 🌏", "三")
FAR_BLOCKS = 100_000
UNKNOWN_LANE = LaneId(b"\x07" * 32)


def identity_stays(world: World) -> None:
    """A ledger says what it is, and says it again."""
    for ledger, word in zip(world.ledgers, world.words, strict=True):
        first, second = ledger.identity(), ledger.identity()
        require(first == second, f"the ledger was {first.chain_id}, and is {second.chain_id} when asked again")
        require(first.word == word, "the ledger's name and first block are not those that the lane was made with")
        require(
            first.development is world.development,
            f"the ledger says development = {first.development}, and the world {world.development}",
        )
    require(world.words[0] != world.words[1], "both ends of the lane are one ledger")


def lane_has_every_preimage(world: World) -> None:
    """A lane was opened with every preimage of its id."""
    for end in (0, 1):
        found = world.events(end, LaneOpened)
        require(len(found) == 1, f"{len(found)} events say that the lane was opened at end {end}, not 1")
        opened = found[0]
        lane = replace(
            world.lane,
            hub=opened.hub,
            source=opened.source,
            source_gateway=opened.source_gateway,
            destination=opened.destination,
            destination_gateway=opened.destination_gateway,
            channel=opened.channel,
        )
        require(
            (lane.lane_id, opened.lane_id, opened.end) == (world.lane.lane_id, world.lane.lane_id, end),
            f"the fields of LaneOpened at end {end} do not hash to the lane's id",
        )
        called_by = world.ledgers[end].called_by(world.verifiers[end])
        require(opened.verifier == called_by, f"LaneOpened names another verifier at end {end}")
        require(opened.peer_code_hash == world.code_hash(1 - end), f"LaneOpened pins another gateway at end {end}")


def send_three(world: World) -> None:
    """Three messages are sent: one that is taken, one whose receiver reverts, one whose receiver is not allowed."""
    receivers = (world.receiver, world.reverting, world.stranger)
    for payload, receiver in zip(PAYLOADS, receivers, strict=True):
        receipt = world.send(payload.encode(), receiver=receiver)
        require(receipt.success, "a message of an allowed sender has a receipt that says it failed")
        require(receipt.gas_used > 0, "a receipt says that no gas was used")
        tip = world.ledgers[0].tip()
        require(0 <= receipt.height <= tip, f"a receipt is of block {receipt.height}, and the newest is {tip}")


def events_complete(world: World) -> None:
    """Every event is told: the messages' numbers have no gap up to what the gateway counts."""
    nonces = sorted({event.message.nonce for event in world.events(0, MessageSent)})
    sent = world.ledgers[0].lane_ends(world.gateways[0], world.lane.lane_id).sent
    missing = sorted(set(range(1, sent + 1)) - set(nonces))
    require(not missing, f"the gateway counts {sent} messages, and no event tells of {_numbers(missing)}")


def events_once(world: World) -> None:
    """No event is told twice."""
    found = [event.message.nonce for event in world.events(0, MessageSent)]
    doubled = sorted(nonce for nonce, count in Counter(found).items() if count > 1)
    require(not doubled, f"the event of message {_numbers(doubled)} came more than once")


def events_in_order(world: World) -> None:
    """Events stand in ledger order, with place and time."""
    found = _all(world)
    places = [(event.position.height, event.position.index) for event in found]
    require(places == sorted(places), f"events came out of order: {_first_fall(places)}")
    require(len(places) == len(set(places)), "two events are said to stand at one place")
    nonces = [event.message.nonce for event in found if isinstance(event, MessageSent)]
    require(nonces == sorted(nonces), f"messages came out of order: {nonces}")
    require(all(event.position.timestamp > 0 for event in found), "an event has no time")


def events_have_their_heights(world: World) -> None:
    """Events are those of the blocks that were asked for, each at its height."""
    ledger, gateway = world.ledgers[0], world.gateways[0]
    last = _all(world)[-1].position
    again = ledger.events(last.height, last.height, gateway)
    wrong = [event.position.height for event in again if event.position.height != last.height]
    require(not wrong, f"block {last.height} was asked for, and an event came as of block {_numbers(wrong)}")
    expected = [event for event in _all(world) if event.position.height == last.height]
    require(again == expected, f"block {last.height} alone has other events than in a longer range")
    receipt = world.send(b"a height")
    found = world.events(0, MessageSent)[-1].position.height
    due = receipt.height + world.proof_delay
    require(found == due, f"a message of block {receipt.height} came as of block {found}, not {due}")


def events_fold(world: World) -> None:
    """What was sent comes as events that fold to the head, byte for byte."""
    sent = world.events(0, MessageSent)
    payloads = [event.message.payload for event in sent[: len(PAYLOADS)]]
    require(
        payloads == [text.encode() for text in PAYLOADS], f"the payloads are not those that were sent: {payloads!r}"
    )
    suite, lane_id = world.lane.suite, world.lane.lane_id
    ids = [event.message.message_id(suite, lane_id) for event in sent]
    require(ids == [event.message_id for event in sent], "a message's fields do not hash to its id")
    require(
        sent[-1].head == fold_all(suite, outbox_genesis(lane_id), ids),
        "the messages do not fold to the head that moved",
    )
    account = world.account(0, world.sender)
    require(all(event.message.sender == account for event in sent), "a message is said to be another sender's")


def nothing_stands_elsewhere(world: World) -> None:
    """Where no gateway stands nothing happened."""
    tip = world.ledgers[0].tip()
    found = world.ledgers[0].events(0, tip, world.nobody)
    require(found == [], f"{len(found)} events were told of an address where nothing stands")


def headers_come_in_order(world: World) -> None:
    """Headers come for each height, alone as in a range."""
    ledger, tip = world.ledgers[0], world.ledgers[0].tip()
    headers = ledger.headers(tip - 2, tip)
    require(len(headers) == 3, f"{len(headers)} headers came where 3 were asked for")
    alone = [ledger.headers(height, height)[0] for height in range(tip - 2, tip + 1)]
    require(headers == alone, "a header comes otherwise alone than in a range")
    require(len(set(headers)) == 3, "one header came for two heights")


def missing_blocks_are_errors(world: World) -> None:
    """A block that is not there is no answer but an error of the adapter's."""
    ledger, gateway = world.ledgers[0], world.gateways[0]
    far = ledger.tip() + FAR_BLOCKS
    error_of(lambda: ledger.headers(far, far), "the header of a block that is not there")
    error_of(lambda: ledger.events(far - FAR_BLOCKS, far, gateway), "events of blocks that are not there")
    error_of(lambda: ledger.evidence(gateway, [(world.lane.lane_id, 0)], far), "evidence at a block that is not there")


def unknown_lanes_are_refused(world: World) -> None:
    """An unknown lane or gateway is rejected."""
    ledger = world.ledgers[0]
    refusal_of(lambda: ledger.lane_ends(world.gateways[0], UNKNOWN_LANE), "the counters of a lane that is not there")
    refusal_of(
        lambda: ledger.lane_ends(world.nobody, world.lane.lane_id), "the counters of a gateway that is not there"
    )


def _all(world: World) -> list[GatewayEvent]:
    ledger = world.ledgers[0]
    return ledger.events(0, ledger.tip(), world.gateways[0])


def _numbers(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers[:5])


def _first_fall(places: list[tuple[int, int]]) -> str:
    for before, after in pairwise(places):
        if after < before:
            return f"log {after[1]} of block {after[0]} after log {before[1]} of block {before[0]}"
    return "nowhere"
