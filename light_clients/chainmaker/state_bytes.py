"""The trusted state as bytes: RLP with the version of its form first, at most 4 MiB.

[version, configuration, height, timestamp, configuration height, hashes of recent blocks, memberships, frozen]
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.chainmaker.merkle import HASHES
from light_clients.chainmaker.types import (
    MAXIMUM_MEMBERSHIPS,
    MAXIMUM_NODES,
    WINDOW,
    ChainMakerConfiguration,
    ChainMakerState,
    ConsensusNode,
    Membership,
    NodePin,
    TrustRoot,
)
from light_clients.errors import ConfigurationInvalid, RlpRefused, StateUnreadable
from schemas.primitives import BlockHash, Bytes32, SchemaError

STATE_VERSION = 1
"""Grows with every change of the form."""

MAXIMUM_STATE_SIZE = 4 * 1024 * 1024
"""Bytes; 4 memberships of 256 organisations with a root each, and as many pins, take about 1.5 MiB."""


def write_state(state: ChainMakerState) -> bytes:
    """Writes a state.

    Args:
        state: Any state.

    Returns:
        RLP with the version first.
    """
    configuration = state.configuration
    return rlp.encode(
        [
            _integer(STATE_VERSION),
            [
                configuration.chain_config,
                [[pin.node_id.encode(), pin.certificate] for pin in configuration.pins],
                list(configuration.refused_certificates),
                _integer(configuration.trusting_period_s),
                _integer(configuration.maximum_drift_s),
            ],
            _integer(state.height),
            _integer(state.timestamp),
            _integer(state.configuration_height),
            list(state.recent),
            [_membership_items(membership) for membership in state.memberships],
            _integer(state.frozen),
        ]
    )


def state_from_bytes(data: bytes) -> ChainMakerState:
    """Reads what `write_state` wrote.

    Args:
        data: At most 4 MiB.

    Returns:
        The state.

    Raises:
        StateUnreadable: It is damaged, too large, or of another version.
    """
    if len(data) > MAXIMUM_STATE_SIZE:
        raise StateUnreadable("The state is too large.", expected=MAXIMUM_STATE_SIZE, found=len(data))
    try:
        state = _read_state(rlp.decode_list(data))
    except (RlpRefused, SchemaError, ConfigurationInvalid, ValueError) as error:
        raise StateUnreadable(f"The state is damaged: {error}") from error
    if not 1 <= len(state.recent) <= WINDOW or state.oldest_height < 0:
        raise StateUnreadable("The window of the state is damaged.", found=len(state.recent))
    if not 1 <= len(state.memberships) <= MAXIMUM_MEMBERSHIPS or not all(map(_is_sound, state.memberships)):
        raise StateUnreadable("A membership of the state is damaged.", found=len(state.memberships))
    heights = [known.first_height for known in state.memberships]
    if heights != sorted(set(heights)) or max(heights[-1] - 1, state.configuration_height) > state.height:
        raise StateUnreadable("The heights of the state contradict each other.", found=state.height)
    return state


def _read_state(items: list[rlp.RlpItem]) -> ChainMakerState:
    if not items or items[0] != _integer(STATE_VERSION):
        raise StateUnreadable("The state is of another version.", expected=STATE_VERSION)
    _, configuration, height, timestamp, configuration_height, recent, memberships, frozen = items
    return ChainMakerState(
        configuration=_read_configuration(_list(configuration)),
        height=rlp.decode_integer(height, 8),
        timestamp=rlp.decode_integer(timestamp, 8),
        configuration_height=rlp.decode_integer(configuration_height, 8),
        recent=tuple(BlockHash(_bytes(item)) for item in _list(recent)),
        memberships=tuple(_read_membership(_list(item)) for item in _list(memberships)),
        frozen=_boolean(frozen),
    )


def _read_configuration(items: list[rlp.RlpItem]) -> ChainMakerConfiguration:
    chain_config, pins, refused, trusting_period, drift = items
    return ChainMakerConfiguration(
        _bytes(chain_config),
        tuple(NodePin(name, certificate) for name, certificate in map(_pair, _list(pins))),
        tuple(Bytes32(_bytes(item)) for item in _list(refused)),
        rlp.decode_integer(trusting_period, 8),
        rlp.decode_integer(drift, 8),
    )


def _membership_items(membership: Membership) -> list[rlp.RlpItem]:
    return [
        _integer(membership.first_height),
        _integer(membership.sequence),
        membership.chain_id.encode(),
        membership.hash_name.encode(),
        [[node.organisation.encode(), node.node_id.encode()] for node in membership.nodes],
        [[root.organisation.encode(), list(root.certificates)] for root in membership.trust_roots],
    ]


def _read_membership(items: list[rlp.RlpItem]) -> Membership:
    first_height, sequence, chain_id, hash_name, nodes, roots = items
    return Membership(
        rlp.decode_integer(first_height, 8),
        rlp.decode_integer(sequence, 8),
        _bytes(chain_id).decode(),
        _bytes(hash_name).decode(),
        tuple(ConsensusNode(name, node_id.decode()) for name, node_id in map(_pair, _list(nodes))),
        tuple(_read_root(_list(item)) for item in _list(roots)),
    )


def _read_root(items: list[rlp.RlpItem]) -> TrustRoot:
    organisation, certificates = items
    return TrustRoot(_bytes(organisation).decode(), tuple(_bytes(item) for item in _list(certificates)))


def _is_sound(membership: Membership) -> bool:
    return membership.hash_name in HASHES and 1 <= len(membership.nodes) <= MAXIMUM_NODES


def _pair(item: rlp.RlpItem) -> tuple[str, bytes]:
    name, value = _list(item)
    return _bytes(name).decode(), _bytes(value)


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _boolean(item: rlp.RlpItem) -> bool:
    if item not in (b"", b"\x01"):
        raise StateUnreadable("A flag of the state is neither 0 nor 1.")
    return item == b"\x01"


def _bytes(item: rlp.RlpItem) -> bytes:
    if not isinstance(item, bytes):
        raise StateUnreadable("The state has a list where a string stands.")
    return item


def _list(item: rlp.RlpItem) -> list[rlp.RlpItem]:
    if not isinstance(item, list):
        raise StateUnreadable("The state has a string where a list stands.")
    return item
