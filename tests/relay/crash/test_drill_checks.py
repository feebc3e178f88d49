"""The drills' own judge: a sound lane passes, and each thing that must not be is called by its name."""

import copy

import pytest

from adapters.protocol import HeadMoved, MessageDelivered
from schemas.heads import fold_all, outbox_genesis, outcomes_genesis
from schemas.outcome import Status, outcome_id
from schemas.primitives import Head, LaneId, MessageId
from schemas.suites import EVM, keccak256
from tests.support.drill import NOWHERE, LedgerTruth, check_lane

LANE = LaneId(keccak256(b"a lane of the drills"))
IDS = [MessageId(keccak256(bytes([number]))) for number in range(3)]
STATUSES = [Status.EXECUTED, Status.FAILED, Status.EXECUTED]


def sound():
    truth = LedgerTruth()
    truth.sent[LANE] = dict(enumerate(IDS, 1))
    for nonce, (message_id, status) in enumerate(zip(IDS, STATUSES, strict=True), 1):
        truth._add(MessageDelivered(LANE, nonce, message_id, status, b"", NOWHERE))
        if status is Status.EXECUTED:
            truth.executions[LANE, message_id] += 1
    for nonce in (2, 3):
        truth._add(HeadMoved(LANE, 3, nonce, Head(IDS[0]), NOWHERE))
    outcomes = [outcome_id(EVM, message_id, status, b"") for message_id, status in zip(IDS, STATUSES, strict=True)]
    heads = (
        fold_all(EVM, outbox_genesis(LANE), IDS),
        fold_all(EVM, outcomes_genesis(EVM, LANE), outcomes),
    )
    return truth, heads, (2, 1, 0, 0, 0)


def test_a_sound_lane_passes():
    truth, heads, shown = sound()
    check_lane(truth, "a → b", LANE, EVM, heads, shown)


def forget_a_sent(truth):
    del truth.sent[LANE][2]


def lose_a_delivery(truth):
    del truth.delivered[LANE][3]


def deliver_twice(truth):
    truth.deliveries[LANE, IDS[0]] += 1


def execute_twice(truth):
    truth.executions[LANE, IDS[0]] += 1


def execute_never(truth):
    truth.executions[LANE, IDS[2]] = 0


def execute_a_failed_one(truth):
    truth.executions[LANE, IDS[1]] = 1


def settle_twice(truth):
    truth.settled[LANE] = [2, 2, 3]


def settle_too_little(truth):
    truth.settled[LANE] = [2]


DEFECTS = [
    (forget_a_sent, "gaps"),
    (lose_a_delivery, "lost or altered"),
    (deliver_twice, "more than once"),
    (execute_twice, "otherwise than once"),
    (execute_never, "otherwise than once"),
    (execute_a_failed_one, "otherwise than once"),
    (settle_twice, "settled twice"),
    (settle_too_little, "not settled"),
]


@pytest.mark.parametrize(("spoil", "text"), DEFECTS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_must_not_be_is_seen(spoil, text):
    truth, heads, shown = sound()
    spoilt = copy.deepcopy(truth)
    spoil(spoilt)
    with pytest.raises(AssertionError, match=text):
        check_lane(spoilt, "a → b", LANE, EVM, heads, shown)


def test_other_heads_are_seen():
    truth, (outbox, outcomes), shown = sound()
    with pytest.raises(AssertionError, match="outbox head"):
        check_lane(truth, "a → b", LANE, EVM, (outcomes, outcomes), shown)
    with pytest.raises(AssertionError, match="outcome head"):
        check_lane(truth, "a → b", LANE, EVM, (outbox, outbox), shown)


@pytest.mark.parametrize("shown", [(3, 0, 0, 0, 0), (2, 1, 0, 0, 1), (2, 1, 1, 0, 0)])
def test_other_counts_of_the_hub_are_seen(shown):
    truth, heads, _ = sound()
    with pytest.raises(AssertionError, match="the hub shows"):
        check_lane(truth, "a → b", LANE, EVM, heads, shown)
