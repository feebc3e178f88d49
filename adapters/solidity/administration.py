"""What officers do: actions that they propose, approve and execute, and narrowing that one officer does at once.

An *action* is calldata for `propose` and `execute`; a *call* is calldata that is sent as it is. Who may do what is the
table in adapters/solidity/README.md. `accounts` says how a gateway's interface writes an account: `address`, or `bytes` as a
chaincode does. Source: the hub's protocol (docs/protocol.md, What a gateway does, 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from adapters.solidity.contracts import contract
from schemas.lane import Lane
from schemas.primitives import LaneId

SOURCE = 0
DESTINATION = 1


@dataclass(frozen=True, slots=True)
class Caps:
    """What a lane carries at most, at one end; the order of the fields is that of the struct `LaneCaps`.

    Attributes:
        max_payload: bytes.
        max_gas: gas of a receiver's call.
        max_callback_gas: gas of a sender's callback (counts at the source).
        receiver_length: bytes of a receiver on the other ledger, 0 = any from 1 to 64 (counts at the source).
        window_s: seconds of a window, for senders at the source and the lane at the destination.
        window_limit: executions that fit into a window (counts at the destination; no lower than the source's sum).
    """

    max_payload: int = 16_384
    max_gas: int = 2_000_000
    max_callback_gas: int = 500_000
    receiver_length: int = 20
    window_s: int = 60
    window_limit: int = 100_000


def open_lane(
    lane: Lane, end: int, verifier: bytes, peer_code_hash: bytes, caps: Caps, *, accounts: str = "address"
) -> bytes:
    """Action: open one end of a lane (two officers, delay).

    Args:
        lane: every preimage of the lane's id.
        end: 0 at the source's gateway, 1 at the destination's.
        verifier: 20 bytes, the contract that judges the peer: outcomes at the source, messages at the destination.
        peer_code_hash: 32 bytes, the hash of the other gateway's code.
        caps: what the lane carries at most.
        accounts: how the interface writes an account, `address` or `bytes`.
    """
    opening = (
        end,
        lane.hub,
        lane.suite.name,
        lane.source,
        lane.source_gateway,
        lane.destination,
        lane.destination_gateway,
        lane.channel,
        verifier,
        peer_code_hash,
    )
    return contract("IGatewayActions", accounts).encode("openLane", opening, astuple(caps))


def set_caps(lane_id: LaneId, caps: Caps, *, accounts: str = "address") -> bytes:
    """Action: change what a lane carries (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("setCaps", lane_id, astuple(caps))


def allow_sender(lane_id: LaneId, account: bytes, limit: int, *, accounts: str = "address") -> bytes:
    """Action at the source: let an account send `limit` messages a window, 1 to 65,535 (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("allowSender", lane_id, account, limit)


def allow_receiver(lane_id: LaneId, account: bytes, *, accounts: str = "address") -> bytes:
    """Action at the destination: let an application receive (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("allowReceiver", lane_id, account)


def set_verifier(lane_id: LaneId, verifier: bytes, *, accounts: str = "address") -> bytes:
    """Action: another verifier judges the peer; old anchors are void (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("setVerifier", lane_id, verifier)


def unpause(*, accounts: str = "address") -> bytes:
    """Action: the gateway works again (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("unpause")


def unpause_lane(lane_id: LaneId, *, accounts: str = "address") -> bytes:
    """Action: a lane works again (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("unpauseLane", lane_id)


def close_lane(lane_id: LaneId, *, accounts: str = "address") -> bytes:
    """Action: a lane takes nothing new (two officers, no delay)."""
    return contract("IGatewayActions", accounts).encode("closeLane", lane_id)


def abandon_lane(lane_id: LaneId, *, accounts: str = "address") -> bytes:
    """Action: say that a closed lane will not settle what is open (two officers, delay)."""
    return contract("IGatewayActions", accounts).encode("abandonLane", lane_id)


def replace_officer(previous: bytes, following: bytes, *, accounts: str = "address") -> bytes:
    """Action on a gateway or a committee: another officer (two others, delay)."""
    return contract("IGatewayActions", accounts).encode("replaceOfficer", previous, following)


def replace_guardian(following: bytes, *, accounts: str = "address") -> bytes:
    """Action on a gateway or a committee: another guardian (two officers, no delay)."""
    return contract("IGatewayActions", accounts).encode("replaceGuardian", following)


def add_epoch(
    epoch: int,
    signers: Sequence[tuple[bytes, bytes]],
    threshold: int,
    previous_ends_at: int,
    *,
    keys: Sequence[bytes] = (),
    accounts: str = "address",
) -> bytes:
    """Action on a committee: the next epoch (two officers, delay).

    Args:
        epoch: the number after the present one.
        signers: (account of 20 bytes, organisation as 32 bytes) in the order of the bitmap.
        threshold: organisations that must sign.
        previous_ends_at: Unix seconds until which the epoch before is believed.
        keys: 64 bytes (X, Y) for each signer, in their order, where a back-end checks signatures; else none.
        accounts: how the interface writes an account, `address` or `bytes`.
    """
    members, organisations = [signer for signer, _ in signers], [organisation for _, organisation in signers]
    return contract("ICommitteeActions", accounts).encode(
        "addEpoch", epoch, members, organisations, threshold, previous_ends_at, list(keys)
    )


def propose(action: bytes, *, accounts: str = "address") -> bytes:
    """Call by one officer; the id is in the event Proposed, and `proposals()` counts them."""
    return contract("Gateway", accounts).encode("propose", action)


def approve(proposal: int, *, accounts: str = "address") -> bytes:
    """Call by another officer; the delay begins."""
    return contract("Gateway", accounts).encode("approve", proposal)


def execute(proposal: int, action: bytes, *, accounts: str = "address") -> bytes:
    """Call by any officer after the delay, with the same action."""
    return contract("Gateway", accounts).encode("execute", proposal, action)


def cancel(proposal: int, *, accounts: str = "address") -> bytes:
    """Call by the guardian or one officer."""
    return contract("Gateway", accounts).encode("cancel", proposal)


def pause(*, accounts: str = "address") -> bytes:
    """Call by the guardian or one officer: the whole gateway stops."""
    return contract("Gateway", accounts).encode("pause")


def pause_lane(lane_id: LaneId, *, accounts: str = "address") -> bytes:
    """Call by the guardian or one officer: one lane stops."""
    return contract("Gateway", accounts).encode("pauseLane", lane_id)


def lower_caps(lane_id: LaneId, caps: Caps, *, accounts: str = "address") -> bytes:
    """Call by one officer: caps that are nowhere higher."""
    return contract("Gateway", accounts).encode("lowerCaps", lane_id, astuple(caps))


def lower_sender_limit(lane_id: LaneId, account: bytes, limit: int = 0, *, accounts: str = "address") -> bytes:
    """Call by one officer: fewer messages a window, 0 denies."""
    return contract("Gateway", accounts).encode("lowerSenderLimit", lane_id, account, limit)


def deny_receiver(lane_id: LaneId, account: bytes, *, accounts: str = "address") -> bytes:
    """Call by one officer: an application receives no more."""
    return contract("Gateway", accounts).encode("denyReceiver", lane_id, account)


def strike(signer: bytes, *, accounts: str = "address") -> bytes:
    """Call on a committee by the guardian or one officer: a signer is out of every epoch, and a new generation begins."""
    return contract("CommitteeVerifier", accounts).encode("strike", signer)
