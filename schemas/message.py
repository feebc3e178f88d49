"""A message: what the source gateway took from a sender for a receiver on the other ledger.

Sources: the hub's protocol (docs/protocol.md, section Words and tags) and docs/encodings.md (struct Message).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import ConfigDict

from schemas.primitives import Account, Bytes32, HexBytes, LaneId, MessageId, SchemaError, Uint64, account_bytes, uint64
from schemas.suites import Suite, integer_word


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a lane.

    Attributes:
        nonce: position in the lane, from 1 without gaps.
        sender: native account on the source, 1 to 64 bytes (20 on an EVM).
        receiver: native account on the destination, 1 to 64 bytes.
        expires_at: Unix seconds by the destination's clock, 0 = never.
        gas_limit: gas of the receiver's call.
        callback_gas: gas of the sender's callback when settled, 0 = no callback.
        payload_length: bytes of the payload.
        payload_hash: H(payload) in the lane's suite.
        payload: the bytes, or empty with a non-zero length where only the hash travels.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    nonce: Uint64
    sender: Account
    receiver: Account
    expires_at: Uint64
    gas_limit: Uint64
    callback_gas: Uint64
    payload_length: Uint64
    payload_hash: Bytes32
    payload: HexBytes

    @classmethod
    def create(
        cls,
        suite: Suite,
        *,
        nonce: int,
        sender: bytes,
        receiver: bytes,
        payload: bytes,
        gas_limit: int,
        callback_gas: int = 0,
        expires_at: int = 0,
    ) -> Message:
        """Build a message with its payload; the length and hash are computed.

        Raises:
            SchemaError: a size or a number is out of the protocol's range.
        """
        message = cls(
            nonce,
            sender,
            receiver,
            expires_at,
            gas_limit,
            callback_gas,
            len(payload),
            Bytes32(suite.hash(payload)),
            payload,
        )
        message.check(suite)
        return message

    def check(self, suite: Suite) -> None:
        """Check sizes, numbers, and that the payload (where present) matches its length and hash.

        Raises:
            SchemaError: something does not fit.
        """
        if uint64(self.nonce, "nonce") == 0:
            raise SchemaError("nonce must not be 0; a lane counts from 1")
        account_bytes(self.sender, "sender")
        account_bytes(self.receiver, "receiver")
        for name in ("expires_at", "gas_limit", "callback_gas", "payload_length"):
            uint64(getattr(self, name), name)
        Bytes32(self.payload_hash)
        if self.hash_only:
            return
        if len(self.payload) != self.payload_length:
            raise SchemaError(f"payload has {len(self.payload)} bytes where payload_length says {self.payload_length}")
        if suite.hash(self.payload) != self.payload_hash:
            raise SchemaError("payload does not match payload_hash")

    @property
    def hash_only(self) -> bool:
        """Whether the payload is left out and only its hash travels."""
        return not self.payload and self.payload_length > 0

    def without_payload(self) -> Message:
        """Return the form that settle and refused deliveries carry: the payload by hash."""
        return replace(self, payload=b"")

    def message_id(self, suite: Suite, lane_id: LaneId) -> MessageId:
        """H(TAG("message"), lane_id, nonce, H(sender), H(receiver), expires_at, gas_limit, callback_gas, length, H(payload))."""
        return MessageId(
            suite.hash(
                suite.tag("message")
                + lane_id
                + integer_word(self.nonce)
                + suite.hash_account(self.sender)
                + suite.hash_account(self.receiver)
                + integer_word(self.expires_at)
                + integer_word(self.gas_limit)
                + integer_word(self.callback_gas)
                + integer_word(self.payload_length)
                + self.payload_hash
            )
        )
