"""ChainMaker's messages for Google's protobuf: the second opinion on every byte that is hashed or signed.

Field numbers and types after pb-go `common`, `accesscontrol`, `config` and `tbft`; what is not read here is left out, except
in messages that are written again.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

_TYPES = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "u32": _TYPES.TYPE_UINT32,
    "u64": _TYPES.TYPE_UINT64,
    "i32": _TYPES.TYPE_INT32,
    "i64": _TYPES.TYPE_INT64,
    "text": _TYPES.TYPE_STRING,
    "data": _TYPES.TYPE_BYTES,
}
_MESSAGES = {
    "Member": "1 text org_id, 2 u32 member_type, 3 data member_info",
    "EndorsementEntry": "1 Member signer, 2 data signature",
    "BlockHeader": "1 u32 block_version, 2 u32 block_type, 3 text chain_id, 4 u64 block_height, 5 data block_hash, "
    "6 data pre_block_hash, 7 u64 pre_conf_height, 8 u32 tx_count, 9 data tx_root, 10 data dag_hash, 11 data rw_set_root, "
    "12 i64 block_timestamp, 13 data consensus_args, 14 Member proposer, 15 data signature",
    "Neighbor": "1 u32* neighbors",
    "DAG": "2 Neighbor* vertexes",
    "Limit": "1 u64 gas_limit, 2 u64 gas_price",
    "KeyValuePair": "1 text key, 2 data value",
    "Payload": "1 text chain_id, 2 u32 tx_type, 3 text tx_id, 4 i64 timestamp, 5 i64 expiration_time, 6 text contract_name, "
    "7 text method, 8 KeyValuePair* parameters, 9 u64 sequence, 10 Limit limit",
    "ContractEvent": "1 text topic, 2 text tx_id, 3 text contract_name, 4 text contract_version, 5 text* event_data",
    "ContractResult": "1 u32 code, 2 data result, 3 text message, 4 u64 gas_used, 5 ContractEvent* contract_event",
    "Result": "1 u32 code, 2 ContractResult contract_result, 3 data rw_set_hash, 4 text message",
    "Transaction": "1 Payload payload, 2 EndorsementEntry sender, 3 EndorsementEntry* endorsers, 4 Result result, "
    "5 EndorsementEntry payer",
    "ExtraData": "1 text key, 2 data value",
    "AdditionalData": "1 ExtraData* extra_data",
    "Block": "1 BlockHeader header, 2 DAG dag, 3 Transaction* txs, 4 AdditionalData additional_data",
    "Version": "1 text ref_tx_id, 2 u32 ref_offset",
    "TxRead": "1 data key, 2 data value, 3 text contract_name, 4 Version version",
    "TxWrite": "1 data key, 2 data value, 3 text contract_name",
    "TxRWSet": "1 text tx_id, 2 TxRead* tx_reads, 3 TxWrite* tx_writes",
    "BlockInfo": "1 Block block, 2 TxRWSet* rwset_list",
    "Vote": "1 u32 type, 2 text voter, 3 u64 height, 4 i32 round, 5 data hash, 6 EndorsementEntry endorsement, "
    "7 text* invalid_txs",
    "NamedVote": "1 text key, 2 Vote value",
    "BlockVotes": "1 NamedVote* votes, 2 u64 sum",
    "NamedBlockVotes": "1 text key, 2 BlockVotes value",
    "VoteSet": "1 u32 type, 2 u64 height, 3 i32 round, 4 u64 sum, 5 data maj23, 6 NamedVote* votes, "
    "7 NamedBlockVotes* votes_by_block",
    "CountedVotes": "1 u32 type, 2 u64 height, 3 i32 round, 6 NamedVote* votes",
    "CryptoConfig": "1 text hash",
    "OrgConfig": "1 text org_id, 2 text* address, 3 text* node_id",
    "ConsensusConfig": "1 u32 type, 2 OrgConfig* nodes",
    "TrustRootConfig": "1 text org_id, 2 text* root",
    "ChainConfig": "1 text chain_id, 2 text version, 3 text auth_type, 4 u64 sequence, 5 CryptoConfig crypto, "
    "8 ConsensusConfig consensus, 9 TrustRootConfig* trust_roots",
}


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="chainmaker.proto", package="cm", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, kind, field_name in re.findall(r"(\d+) ([\w*]+) (\w+)", fields):
            field = message.field.add(name=field_name, number=int(number), label=_TYPES.LABEL_OPTIONAL)
            if kind.endswith("*"):
                field.label = _TYPES.LABEL_REPEATED
            plain = kind.rstrip("*")
            if plain in _KINDS:
                field.type = _KINDS[plain]
            else:
                field.type, field.type_name = _TYPES.TYPE_MESSAGE, f".cm.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_CLASSES = message_factory.GetMessageClassesForFiles(["chainmaker.proto"], _pool())


def message(name: str, data: bytes = b"") -> Any:
    """A message of Google's library, read from bytes."""
    found = _CLASSES[f"cm.{name}"]()
    found.ParseFromString(data)
    return found


def block_info_of_json(told: dict[str, Any]) -> Any:
    """A BlockInfo out of the JSON of a node, of the explorer or of its test data.

    Bytes are base64, but the hash of the block may be hexadecimal; the maps of the additional data are objects.
    """
    block = json_format.ParseDict({**told["block"], "header": {}, "additional_data": {}}, message("Block"))
    header = dict(told["block"]["header"])
    shown_hash = header.pop("block_hash", "")
    json_format.ParseDict(header, block.header)
    is_hexadecimal = re.fullmatch(r"[0-9a-f]{64}", shown_hash) is not None
    block.header.block_hash = bytes.fromhex(shown_hash) if is_hexadecimal else base64.b64decode(shown_hash)
    block.ClearField("additional_data")
    for key, value in told["block"].get("additional_data", {}).get("extra_data", {}).items():
        block.additional_data.extra_data.add(key=key, value=base64.b64decode(value))
    info = message("BlockInfo")
    info.block.CopyFrom(block)
    for name in ("rwset_list", "txRWSets"):
        for item in told.get(name, ()):
            json_format.ParseDict(item, info.rwset_list.add())
    return info
