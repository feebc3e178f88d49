"""An outcome: what the destination gateway did with a message, and the entry that settles it.

Sources: the hub's protocol (docs/protocol.md, section Words and tags) and docs/encodings.md (struct Settled).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict

from schemas.message import Message
from schemas.primitives import RESULT_MAX_BYTES, LaneId, MessageId, OutcomeId, Result, SchemaError, exact_integer
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
        SchemaError: the message_id is not 32 bytes, the status not 1 to 4, or the result has more than 256 bytes.
    """
    if exact_integer(status) not in (1, 2, 3, 4):
        raise SchemaError(f"status must be 1 to 4, not {status}")
    if len(message_id) != 32:
        raise SchemaError(f"message_id must be 32 bytes, not {len(message_id)}")
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
    status: Annotated[Status, BeforeValidator(exact_integer)]
    result: Result

    def outcome_id(self, suite: Suite) -> OutcomeId:
        """Compute the outcome's id in the lane's suite."""
        return outcome_id(suite, self.message_id, self.status, self.result)


@dataclass(frozen=True, slots=True)
class Settled:
    """An entry of `settle` and `retry`: the message with its payload by hash, its status and result."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    message: Message
    status: Annotated[Status, BeforeValidator(exact_integer)]
    result: Result

    def outcome_id(self, suite: Suite, lane_id: LaneId) -> OutcomeId:
        """Recompute message_id and outcome_id as the source gateway does."""
        return outcome_id(suite, self.message.message_id(suite, lane_id), self.status, self.result)
