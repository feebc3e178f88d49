"""An outcome: what the destination gateway did with a message, and the entry that settles it.

Sources: the hub's protocol (docs/protocol.md, section Words and tags) and docs/encodings.md (struct Settled).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from pydantic import ConfigDict

from schemas.message import Message
from schemas.primitives import RESULT_MAX_BYTES, HexBytes, LaneId, MessageId, OutcomeId, SchemaError
from schemas.suites import Suite, integer_word


class Status(IntEnum):
    """What became of a message at its destination."""

    EXECUTED = 1
    FAILED = 2
    EXPIRED = 3
    REFUSED = 4


def outcome_id(suite: Suite, message_id: bytes, status: int, result: bytes) -> OutcomeId:
    """H(TAG("outcome"), message_id, status, H(result)).

    Raises:
        SchemaError: the status is not 1 to 4, or the result has more than 256 bytes.
    """
    if status not in (1, 2, 3, 4):
        raise SchemaError(f"status must be 1 to 4, not {status}")
    if len(result) > RESULT_MAX_BYTES:
        raise SchemaError(f"result has {len(result)} bytes; at most {RESULT_MAX_BYTES}")
    return OutcomeId(suite.hash(suite.tag("outcome") + message_id + integer_word(status) + suite.hash_account(result)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One entry of a lane's outcomes.

    Attributes:
        message_id: the message that it speaks of.
        status: executed, failed, expired or refused.
        result: at most 256 bytes that the receiver returned or reverted with.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    message_id: MessageId
    status: Status
    result: HexBytes

    def outcome_id(self, suite: Suite) -> OutcomeId:
        """Compute the outcome's id in the lane's suite."""
        return outcome_id(suite, self.message_id, self.status, self.result)


@dataclass(frozen=True, slots=True)
class Settled:
    """An entry of `settle` and `retry`: the message with its payload by hash, its status and result."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    message: Message
    status: Status
    result: HexBytes

    def outcome_id(self, suite: Suite, lane_id: LaneId) -> OutcomeId:
        """Recompute message_id and outcome_id as the source gateway does."""
        return outcome_id(suite, self.message.message_id(suite, lane_id), self.status, self.result)
