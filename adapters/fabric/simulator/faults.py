"""What a node of the simulator does wrong, by switches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import grpc

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages

HUGE = 90 << 20
"""Bytes of a huge answer."""


@dataclass
class Faults:
    """Switches of one node; all off at first.

    Attributes:
        unavailable: it answers UNAVAILABLE.
        exhausted: it answers RESOURCE_EXHAUSTED.
        slow_s: seconds that it waits before each answer.
        lag: blocks that it commits later than others.
        cut: it cuts each answer in the middle.
        huge: it answers 90 MiB.
        garbage: it answers bytes that are no message.
        all_valid: it says of every transaction in its blocks that it is valid.
        none_valid: it says of every transaction that it is not.
        wrong_answer: it endorses another answer than the chaincode's.
        forged_block: it changes an envelope of each block.
        twice: it delivers each block twice.
    """

    unavailable: bool = False
    exhausted: bool = False
    slow_s: float = 0.0
    lag: int = 0
    cut: bool = False
    huge: bool = False
    garbage: bool = False
    all_valid: bool = False
    none_valid: bool = False
    wrong_answer: bool = False
    forged_block: bool = False
    twice: bool = False

    def set(self, **switches: bool | float) -> None:
        """Flip switches by name.

        Raises:
            KeyError: there is no such switch.
        """
        for name, value in switches.items():
            if name not in self.__dataclass_fields__:
                raise KeyError(name)
            setattr(self, name, value)

    def heal(self) -> None:
        """All off."""
        self.__init__()  # type: ignore[misc]

    def before(self, context: grpc.ServicerContext) -> None:
        """What happens before an answer is made."""
        if self.slow_s:
            time.sleep(self.slow_s)
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the server is not available")
        if self.exhausted:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests for /protos.Endorser, exceeding limit")

    def after(self, answer: bytes) -> bytes:
        """What becomes of an answer."""
        if self.cut:
            return answer[: len(answer) // 2]
        if self.huge:
            return bytes(HUGE)
        return b"\xff\xff no message" if self.garbage else answer

    def endorsed(self, answer: messages.ProposalResponse, identity: SigningIdentity) -> messages.ProposalResponse:
        """What becomes of an endorsement: with `wrong_answer`, well signed all the same."""
        if not self.wrong_answer or not answer.payload:
            return answer
        payload = messages.ProposalResponsePayload.FromString(answer.payload)
        action = messages.ChaincodeAction.FromString(payload.extension)
        action.response.payload = bytes(byte ^ 1 for byte in action.response.payload) or b"lie"
        payload.extension = action.SerializeToString()
        answer.payload = payload.SerializeToString()
        answer.response.payload = action.response.payload
        answer.endorsement.signature = identity.sign(answer.payload + identity.serialized)
        return answer

    def delivered(self, data: bytes) -> Iterator[bytes]:
        """What becomes of a block."""
        if self.all_valid or self.none_valid or self.forged_block:
            block = messages.Block.FromString(data)
            codes = block.metadata.metadata[2]
            if self.all_valid or self.none_valid:
                block.metadata.metadata[2] = (b"\0" if self.all_valid else b"\x0a") * len(codes)
            if self.forged_block:
                block.data.data[0] = block.data.data[0][:-1] + bytes((block.data.data[0][-1] ^ 1,))
            data = block.SerializeToString()
        yield data
        if self.twice:
            yield data
