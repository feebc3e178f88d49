"""System contracts of a simulated chain: the configuration and the certificates (ChainMaker `vm-native`).

Each change of the configuration is a transaction of its own block; its result is the whole `ChainConfig` with the next number.
"""

from __future__ import annotations

from collections.abc import Callable

from adapters.chainmaker.simulator.access import AccessControl
from adapters.chainmaker.simulator.contracts import CallFailed
from adapters.chainmaker.simulator.material import Organisation
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from light_clients.errors import LightClientError

CHAIN_CONFIG, CERT_MANAGE, CONTRACT_MANAGE, CHAIN_QUERY = (
    "CHAIN_CONFIG",
    "CERT_MANAGE",
    "CONTRACT_MANAGE",
    "CHAIN_QUERY",
)
TBFT = 1

Parameters = dict[str, bytes]


def first_configuration(chain: str, hash_name: str, version: int, organisations: list[Organisation]) -> pb.ChainConfig:
    """The configuration of the first block."""
    config = pb.ChainConfig(chain_id=chain, version=str(version), auth_type="permissionedWithCert")
    config.crypto.hash, config.consensus.type = hash_name, TBFT
    config.block.tx_timestamp_verify, config.block.tx_timeout = True, 600
    config.block.block_tx_capacity, config.block.block_size, config.block.block_interval = 100, 10, 10
    for organisation in organisations:
        config.consensus.nodes.add(org_id=organisation.name, node_id=[organisation.node_id])
        config.trust_roots.add(org_id=organisation.name, root=[organisation.root.pem.decode()])
    return config


def change_configuration(config: pb.ChainConfig, payload: pb.Payload) -> pb.ChainConfig:
    """The configuration that follows a call of CHAIN_CONFIG.

    Raises:
        CallFailed: the number is not the next one, there is no such method, or it cannot be done.
    """
    if payload.sequence != config.sequence + 1:
        raise CallFailed(f"the sequence is {payload.sequence}, the next one is {config.sequence + 1}")
    change = _CHANGES.get(payload.method)
    if change is None:
        raise CallFailed(f"method not found: {payload.method}")
    following = pb.ChainConfig()
    following.CopyFrom(config)
    change(following, {pair.key: pair.value for pair in payload.parameters})
    following.sequence += 1
    return following


def manage_certificates(access: AccessControl, payload: pb.Payload) -> None:
    """A call of CERT_MANAGE: freeze, take back into use, or revoke.

    Raises:
        CallFailed: there is no such method, or what it is given cannot be read.
    """
    parameters = {pair.key: pair.value for pair in payload.parameters}
    try:
        if payload.method == "CERTS_REVOKE":
            access.revoke(parameters.get("cert_crl", b""))
            return
        certificates = [part for part in parameters.get("certs", b"").split(b",") if part]
        change = {"CERTS_FREEZE": access.freeze, "CERTS_UNFREEZE": access.unfreeze}.get(payload.method)
        if change is None or not certificates:
            raise CallFailed(f"method not found or without certificates: {payload.method}")
        for certificate in certificates:
            change(certificate)
    except LightClientError as error:
        raise CallFailed(f"what was given cannot be read: {error}") from error


def _add_nodes(config: pb.ChainConfig, parameters: Parameters) -> None:
    name = parameters.get("org_id", b"").decode()
    if any(nodes.org_id == name for nodes in config.consensus.nodes):
        raise CallFailed(f"org_id exists: {name}")
    if all(root.org_id != name for root in config.trust_roots):
        raise CallFailed(f"org_id has no trust root: {name}")
    config.consensus.nodes.add(org_id=name, node_id=parameters.get("node_ids", b"").decode().split(","))


def _remove_nodes(config: pb.ChainConfig, parameters: Parameters) -> None:
    name = parameters.get("org_id", b"").decode()
    kept = [nodes for nodes in config.consensus.nodes if nodes.org_id != name]
    if len(kept) == len(config.consensus.nodes) or not kept:
        raise CallFailed(f"org_id cannot be removed: {name}")
    del config.consensus.nodes[:]
    config.consensus.nodes.extend(kept)


def _add_root(config: pb.ChainConfig, parameters: Parameters) -> None:
    name = parameters.get("org_id", b"").decode()
    if any(root.org_id == name for root in config.trust_roots):
        raise CallFailed(f"org_id exists: {name}")
    config.trust_roots.add(org_id=name, root=[parameters.get("root", b"").decode()])


def _remove_root(config: pb.ChainConfig, parameters: Parameters) -> None:
    name = parameters.get("org_id", b"").decode()
    if any(nodes.org_id == name for nodes in config.consensus.nodes):
        raise CallFailed(f"the consensus nodes of {name} are still there")
    kept = [root for root in config.trust_roots if root.org_id != name]
    del config.trust_roots[:]
    config.trust_roots.extend(kept)


def _set_block(config: pb.ChainConfig, parameters: Parameters) -> None:
    for name, value in parameters.items():
        if name not in {"tx_timeout", "block_tx_capacity", "block_interval"}:
            raise CallFailed(f"unknown parameter: {name}")
        setattr(config.block, name, int(value))


_CHANGES: dict[str, Callable[[pb.ChainConfig, Parameters], None]] = {
    "NODE_ORG_ADD": _add_nodes,
    "NODE_ORG_DELETE": _remove_nodes,
    "TRUST_ROOT_ADD": _add_root,
    "TRUST_ROOT_DELETE": _remove_root,
    "BLOCK_UPDATE": _set_block,
}
