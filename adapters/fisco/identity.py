"""What a node says it is, held against the options: the group, the chain, the cryptography, the machine.

Sources: FISCO BCOS 2.x, JSON-RPC API, getClientVersion; 3.x, getGroupInfo, whose nodes carry their configuration as JSON in a text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from adapters.fisco.answers import Json, listed, record
from adapters.fisco.node import Node
from adapters.jsonrpc import RpcError
from adapters.protocol import LedgerIdentity, Misconfigured
from schemas.primitives import BlockHash, ChainId, SchemaError

_DEVELOPMENT = re.compile(r"simulator", re.IGNORECASE)
_LARGEST_TEXT = 100_000


def read_identity(node: Node) -> LedgerIdentity:
    """Ask a node what it is.

    Raises:
        Misconfigured: it is something else than the options say.
        AdapterError: it does not answer, or not in its form.
    """
    first_block = node.block_hash(0)
    software = _software_2(node) if node.line == 2 else _software_3(node)
    try:
        chain_id = ChainId.of("fisco", node.network.group)
    except SchemaError as error:
        raise Misconfigured(f"The group {node.network.group!r} cannot be part of a chain's name ({error}).") from error
    return LedgerIdentity(chain_id, BlockHash(first_block), software, _DEVELOPMENT.search(software) is not None)


def _software_2(node: Node) -> str:
    try:
        answer = record(node.rpc.call("getClientVersion", []), "the version")
    except RpcError as error:
        raise Misconfigured(
            f"{error.endpoint} is no FISCO BCOS 2.x endpoint ({error}); correct the option line or the endpoint.",
            endpoint=error.endpoint,
        ) from error
    _compare("chain", node.network.chain, answer.get("Chain Id"))
    version = _text(answer.get("FISCO-BCOS Version"))
    national = "gm" in version.lower()
    if version and national != (node.network.suite == "sm"):
        raise Misconfigured(_wrong_suite(node, national=national))
    return f"FISCO BCOS {version}"


def _software_3(node: Node) -> str:
    try:
        info = record(node.rpc.call("getGroupInfo", [node.network.group]), "the group")
    except RpcError as error:
        raise Misconfigured(
            f"{error.endpoint} does not serve group {node.network.group} as FISCO BCOS 3.x does ({error}); correct the options.",
            endpoint=error.endpoint,
        ) from error
    _compare("chain", node.network.chain, info.get("chainID"))
    _compare("group", node.network.group, info.get("groupID"))
    nodes = listed(info.get("nodeList", []), "nodeList", 1_000)
    settings = _settings(nodes[0]) if nodes else {}
    if settings.get("isWasm") is True or info.get("wasm") is True:
        raise Misconfigured(f"Group {node.network.group} runs WebAssembly; the gateway needs an EVM.")
    national = settings.get("smCryptoType", info.get("smCryptoType"))
    if isinstance(national, bool) and national != (node.network.suite == "sm"):
        raise Misconfigured(_wrong_suite(node, national=national))
    binary = settings.get("binaryInfo")
    version = _text(binary.get("version")) if isinstance(binary, dict) else ""
    return f"FISCO BCOS {version or '3.x'}"


def _settings(node_info: Any) -> Json:
    text = record(node_info, "a node of the group").get("iniConfig")
    if not isinstance(text, str) or not 0 < len(text) <= _LARGEST_TEXT:
        return {}
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _compare(name: str, expected: str, found: Any) -> None:
    if isinstance(found, str | int) and str(found) != expected:
        raise Misconfigured(f"The node is of {name} {str(found)[:64]!r}, not {expected!r}; correct the option {name}.")


def _wrong_suite(node: Node, *, national: bool) -> str:
    found, option = ("national", "sm") if national else ("no national", "evm")
    return f"The node uses {found} cryptography; set the option suite of {node.rpc.label} to {option}."


def _text(value: Any) -> str:
    return value[:100] if isinstance(value, str) and value.isprintable() else ""
