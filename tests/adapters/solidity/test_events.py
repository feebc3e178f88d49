"""The gateway's events from raw logs: what the contract emits is read, anything else is refused."""

import pytest

from adapters.protocol import BadAnswer, HeadMoved, LaneOpened, MessageDelivered, MessageSent, Position
from adapters.solidity import administration, events
from adapters.solidity.administration import Caps
from adapters.solidity.contracts import contract
from schemas.suites import keccak256
from tests.support.evm_world import NOWHERE, EvmWorld

HERE = Position(7, b"\x01" * 32, b"\x02" * 32, 3, 1_700_000_000)


def logs_of_a_life():
    world = EvmWorld.create(receiver="Reverting")
    sent = world.send("文字 🙂 and more than one word of text".encode(), expires_at=world.source.chain.now + 60)
    delivered = world.deliver()
    settled = world.settle()
    other = EvmWorld.create()
    lane = administration.open_lane(
        type(other.lane)("枢纽", *[getattr(other.lane, name) for name in list(other.lane.__slots__)[1:]]),
        0,
        other.source.committee,
        b"\x01" * 32,
        Caps(),
    )
    opened = other.source.chain.administer(other.source.gateway, lane)
    logs = [*sent.logs, *delivered.logs, *settled.logs, *opened.logs]
    return world, [(topics, data) for _, topics, data in logs if topics[0] in events.SIGNATURES]


WORLD, LOGS = logs_of_a_life()


def test_every_kind_is_read_with_its_position():
    decoded = [events.decode_event(topics, data, HERE) for topics, data in LOGS]
    assert [type(event) for event in decoded] == [
        MessageSent,
        HeadMoved,
        MessageDelivered,
        HeadMoved,
        HeadMoved,
        LaneOpened,
    ]
    assert all(event.position == HERE for event in decoded)
    assert decoded[0].message == WORLD.sent[0]
    assert (decoded[2].status, decoded[2].result) == (2, WORLD.outcomes[0].result)
    assert [(event.direction, event.nonce) for event in decoded if isinstance(event, HeadMoved)] == [
        (2, 1),
        (1, 1),
        (3, 1),
    ]
    assert decoded[-1].hub == "枢纽"


def test_the_topics_are_those_of_the_compiled_contract():
    declared = {}
    for item in contract("Gateway").abi:
        if item["type"] == "event":
            types = ",".join(parameter["type"] for parameter in item["inputs"])
            declared[item["name"]] = keccak256(f"{item['name']}({types})".encode())
    assert declared["MessageSent"] == events.MESSAGE_SENT
    assert declared["MessageDelivered"] == events.MESSAGE_DELIVERED
    assert declared["HeadMoved"] == events.HEAD_MOVED
    assert declared["LaneOpened"] == events.LANE_OPENED


def kinds():
    found = {}
    for topics, data in LOGS:
        found.setdefault(topics[0], (topics, data))
    return list(found.values())


NAMES = ["MessageSent", "HeadMoved", "MessageDelivered", "LaneOpened"]


@pytest.mark.parametrize("log", kinds(), ids=NAMES)
def test_truncated_and_extended_data_is_refused(log):
    topics, data = log
    for length in range(len(data)):
        with pytest.raises(BadAnswer):
            events.decode_event(topics, data[:length], NOWHERE)
    for more in (b"\x00", bytes(32)):
        with pytest.raises(BadAnswer):
            events.decode_event(topics, data + more, NOWHERE)


@pytest.mark.parametrize("log", kinds(), ids=NAMES)
def test_missing_and_further_topics_are_refused(log):
    topics, data = log
    for altered in (topics[:-1], [*topics, bytes(32)], []):
        with pytest.raises(BadAnswer):
            events.decode_event(altered, data, NOWHERE)


@pytest.mark.parametrize("log", kinds(), ids=NAMES)
def test_no_byte_can_change_unseen(log):
    """A flipped bit is refused, or it changes the event: nothing in a log is ignored."""
    topics, data = log
    original = events.decode_event(topics, data, NOWHERE)
    for place in range(len(data)):
        flipped = data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :]
        try:
            decoded = events.decode_event(topics, flipped, NOWHERE)
        except BadAnswer:
            continue
        assert decoded != original, place


@pytest.mark.parametrize("log", [log for log in kinds() if len(log[0]) == 3], ids=NAMES[:3])
def test_an_indexed_number_is_an_unsigned_64_bit_word(log):
    (signature, lane, number), data = log
    with pytest.raises(BadAnswer):
        events.decode_event([signature, lane, b"\x01" + number[1:]], data, NOWHERE)
    with pytest.raises(BadAnswer):
        events.decode_event([signature, lane, number[1:]], data, NOWHERE)
    with pytest.raises(BadAnswer):
        events.decode_event([signature, lane, bytes(32)], data, NOWHERE)


def test_a_zero_lane_is_refused():
    for topics, data in kinds():
        with pytest.raises(BadAnswer):
            events.decode_event([topics[0], bytes(32), *topics[2:]], data, NOWHERE)


def test_another_event_is_refused():
    with pytest.raises(BadAnswer, match="none of the gateway's events"):
        events.decode_event([keccak256(b"Transfer(address,address,uint256)")], b"", NOWHERE)


def at(data, word, value):
    return data[: 32 * word] + value.to_bytes(32, "big") + data[32 * word + 32 :]


def delivered():
    return next((topics, data) for topics, data in LOGS if topics[0] == events.MESSAGE_DELIVERED)


@pytest.mark.parametrize("status", [0, 5])
def test_an_unknown_status_is_refused(status):
    topics, data = delivered()
    with pytest.raises(BadAnswer):
        events.decode_event(topics, at(data, 1, status), NOWHERE)


def test_a_result_over_256_bytes_is_refused():
    topics, data = delivered()
    longer = at(data[:96] + bytes(32 + 288), 3, 257)
    with pytest.raises(BadAnswer):
        events.decode_event(topics, longer, NOWHERE)
    longest = at(data[:96] + bytes(32 + 256), 3, 256)
    assert len(events.decode_event(topics, longest, NOWHERE).result) == 256


@pytest.mark.parametrize("direction", [4, 0])
def test_an_unknown_direction_is_refused(direction):
    topics, data = next(log for log in LOGS if log[0][0] == events.HEAD_MOVED)
    with pytest.raises(BadAnswer):
        events.decode_event([*topics[:2], direction.to_bytes(32, "big")], data, NOWHERE)


def test_a_lane_with_a_name_that_is_no_utf8_or_an_unknown_end_is_refused():
    topics, data = LOGS[-1]
    hub = data.index("枢纽".encode())
    with pytest.raises(BadAnswer, match="UTF-8"):
        events.decode_event(topics, data[:hub] + b"\xff" + data[hub + 1 :], NOWHERE)
    with pytest.raises(BadAnswer):
        events.decode_event(topics, at(data, 0, 2), NOWHERE)


@pytest.mark.parametrize(
    ("word", "length"), [(8, 19), (10, 0), (10, 65)], ids=["a sender of 19", "no receiver", "a receiver of 65"]
)
def test_accounts_have_their_sizes(word, length):
    topics, data = LOGS[0]
    tails = [data[32 * 9 : 32 * 9 + 20], data[32 * 11 : 32 * 11 + 20], WORLD.sent[0].payload]
    tails[0 if word == 8 else 1] = b"\x01" * length
    head, place, encoded = data[: 32 * 8], 32 * 8, b""
    for offset_word, tail in zip((2, 3, 7), tails, strict=True):
        head = at(head, offset_word, place + len(encoded))
        encoded += len(tail).to_bytes(32, "big") + tail + bytes(-len(tail) % 32)
    with pytest.raises(BadAnswer):
        events.decode_event(topics, head + encoded, NOWHERE)
