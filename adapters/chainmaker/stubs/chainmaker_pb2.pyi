from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Member(_message.Message):
    __slots__ = ("org_id", "member_type", "member_info")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_TYPE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_INFO_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    member_type: int
    member_info: bytes
    def __init__(self, org_id: _Optional[str] = ..., member_type: _Optional[int] = ..., member_info: _Optional[bytes] = ...) -> None: ...

class EndorsementEntry(_message.Message):
    __slots__ = ("signer", "signature")
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    signer: Member
    signature: bytes
    def __init__(self, signer: _Optional[_Union[Member, _Mapping]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class KeyValuePair(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("gas_limit", "gas_price")
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    GAS_PRICE_FIELD_NUMBER: _ClassVar[int]
    gas_limit: int
    gas_price: int
    def __init__(self, gas_limit: _Optional[int] = ..., gas_price: _Optional[int] = ...) -> None: ...

class Payload(_message.Message):
    __slots__ = ("chain_id", "tx_type", "tx_id", "timestamp", "expiration_time", "contract_name", "method", "parameters", "sequence", "limit")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    TX_TYPE_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    EXPIRATION_TIME_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    chain_id: str
    tx_type: int
    tx_id: str
    timestamp: int
    expiration_time: int
    contract_name: str
    method: str
    parameters: _containers.RepeatedCompositeFieldContainer[KeyValuePair]
    sequence: int
    limit: Limit
    def __init__(self, chain_id: _Optional[str] = ..., tx_type: _Optional[int] = ..., tx_id: _Optional[str] = ..., timestamp: _Optional[int] = ..., expiration_time: _Optional[int] = ..., contract_name: _Optional[str] = ..., method: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[KeyValuePair, _Mapping]]] = ..., sequence: _Optional[int] = ..., limit: _Optional[_Union[Limit, _Mapping]] = ...) -> None: ...

class TxRequest(_message.Message):
    __slots__ = ("payload", "sender", "endorsers", "payer")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ENDORSERS_FIELD_NUMBER: _ClassVar[int]
    PAYER_FIELD_NUMBER: _ClassVar[int]
    payload: Payload
    sender: EndorsementEntry
    endorsers: _containers.RepeatedCompositeFieldContainer[EndorsementEntry]
    payer: EndorsementEntry
    def __init__(self, payload: _Optional[_Union[Payload, _Mapping]] = ..., sender: _Optional[_Union[EndorsementEntry, _Mapping]] = ..., endorsers: _Optional[_Iterable[_Union[EndorsementEntry, _Mapping]]] = ..., payer: _Optional[_Union[EndorsementEntry, _Mapping]] = ...) -> None: ...

class ContractEvent(_message.Message):
    __slots__ = ("topic", "tx_id", "contract_name", "contract_version", "event_data")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_DATA_FIELD_NUMBER: _ClassVar[int]
    topic: str
    tx_id: str
    contract_name: str
    contract_version: str
    event_data: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, topic: _Optional[str] = ..., tx_id: _Optional[str] = ..., contract_name: _Optional[str] = ..., contract_version: _Optional[str] = ..., event_data: _Optional[_Iterable[str]] = ...) -> None: ...

class ContractResult(_message.Message):
    __slots__ = ("code", "result", "message", "gas_used", "contract_event")
    CODE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    GAS_USED_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_EVENT_FIELD_NUMBER: _ClassVar[int]
    code: int
    result: bytes
    message: str
    gas_used: int
    contract_event: _containers.RepeatedCompositeFieldContainer[ContractEvent]
    def __init__(self, code: _Optional[int] = ..., result: _Optional[bytes] = ..., message: _Optional[str] = ..., gas_used: _Optional[int] = ..., contract_event: _Optional[_Iterable[_Union[ContractEvent, _Mapping]]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("code", "contract_result", "rw_set_hash", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_RESULT_FIELD_NUMBER: _ClassVar[int]
    RW_SET_HASH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    contract_result: ContractResult
    rw_set_hash: bytes
    message: str
    def __init__(self, code: _Optional[int] = ..., contract_result: _Optional[_Union[ContractResult, _Mapping]] = ..., rw_set_hash: _Optional[bytes] = ..., message: _Optional[str] = ...) -> None: ...

class TxResponse(_message.Message):
    __slots__ = ("code", "message", "contract_result", "tx_id", "tx_timestamp", "tx_block_height")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_RESULT_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    TX_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TX_BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    contract_result: ContractResult
    tx_id: str
    tx_timestamp: int
    tx_block_height: int
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., contract_result: _Optional[_Union[ContractResult, _Mapping]] = ..., tx_id: _Optional[str] = ..., tx_timestamp: _Optional[int] = ..., tx_block_height: _Optional[int] = ...) -> None: ...

class SubscribeResult(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class Transaction(_message.Message):
    __slots__ = ("payload", "sender", "endorsers", "result", "payer")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ENDORSERS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    PAYER_FIELD_NUMBER: _ClassVar[int]
    payload: Payload
    sender: EndorsementEntry
    endorsers: _containers.RepeatedCompositeFieldContainer[EndorsementEntry]
    result: Result
    payer: EndorsementEntry
    def __init__(self, payload: _Optional[_Union[Payload, _Mapping]] = ..., sender: _Optional[_Union[EndorsementEntry, _Mapping]] = ..., endorsers: _Optional[_Iterable[_Union[EndorsementEntry, _Mapping]]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., payer: _Optional[_Union[EndorsementEntry, _Mapping]] = ...) -> None: ...

class TransactionInfo(_message.Message):
    __slots__ = ("transaction", "block_height", "block_hash", "tx_index", "block_timestamp")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
    TX_INDEX_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    transaction: Transaction
    block_height: int
    block_hash: bytes
    tx_index: int
    block_timestamp: int
    def __init__(self, transaction: _Optional[_Union[Transaction, _Mapping]] = ..., block_height: _Optional[int] = ..., block_hash: _Optional[bytes] = ..., tx_index: _Optional[int] = ..., block_timestamp: _Optional[int] = ...) -> None: ...

class BlockHeader(_message.Message):
    __slots__ = ("block_version", "block_type", "chain_id", "block_height", "block_hash", "pre_block_hash", "pre_conf_height", "tx_count", "tx_root", "dag_hash", "rw_set_root", "block_timestamp", "consensus_args", "proposer", "signature")
    BLOCK_VERSION_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
    PRE_BLOCK_HASH_FIELD_NUMBER: _ClassVar[int]
    PRE_CONF_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TX_COUNT_FIELD_NUMBER: _ClassVar[int]
    TX_ROOT_FIELD_NUMBER: _ClassVar[int]
    DAG_HASH_FIELD_NUMBER: _ClassVar[int]
    RW_SET_ROOT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_ARGS_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    block_version: int
    block_type: int
    chain_id: str
    block_height: int
    block_hash: bytes
    pre_block_hash: bytes
    pre_conf_height: int
    tx_count: int
    tx_root: bytes
    dag_hash: bytes
    rw_set_root: bytes
    block_timestamp: int
    consensus_args: bytes
    proposer: Member
    signature: bytes
    def __init__(self, block_version: _Optional[int] = ..., block_type: _Optional[int] = ..., chain_id: _Optional[str] = ..., block_height: _Optional[int] = ..., block_hash: _Optional[bytes] = ..., pre_block_hash: _Optional[bytes] = ..., pre_conf_height: _Optional[int] = ..., tx_count: _Optional[int] = ..., tx_root: _Optional[bytes] = ..., dag_hash: _Optional[bytes] = ..., rw_set_root: _Optional[bytes] = ..., block_timestamp: _Optional[int] = ..., consensus_args: _Optional[bytes] = ..., proposer: _Optional[_Union[Member, _Mapping]] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Neighbor(_message.Message):
    __slots__ = ("neighbors",)
    NEIGHBORS_FIELD_NUMBER: _ClassVar[int]
    neighbors: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, neighbors: _Optional[_Iterable[int]] = ...) -> None: ...

class DAG(_message.Message):
    __slots__ = ("vertexes",)
    VERTEXES_FIELD_NUMBER: _ClassVar[int]
    vertexes: _containers.RepeatedCompositeFieldContainer[Neighbor]
    def __init__(self, vertexes: _Optional[_Iterable[_Union[Neighbor, _Mapping]]] = ...) -> None: ...

class ExtraData(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class AdditionalData(_message.Message):
    __slots__ = ("extra_data",)
    EXTRA_DATA_FIELD_NUMBER: _ClassVar[int]
    extra_data: _containers.RepeatedCompositeFieldContainer[ExtraData]
    def __init__(self, extra_data: _Optional[_Iterable[_Union[ExtraData, _Mapping]]] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("header", "dag", "txs", "additional_data")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DAG_FIELD_NUMBER: _ClassVar[int]
    TXS_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_DATA_FIELD_NUMBER: _ClassVar[int]
    header: BlockHeader
    dag: DAG
    txs: _containers.RepeatedCompositeFieldContainer[Transaction]
    additional_data: AdditionalData
    def __init__(self, header: _Optional[_Union[BlockHeader, _Mapping]] = ..., dag: _Optional[_Union[DAG, _Mapping]] = ..., txs: _Optional[_Iterable[_Union[Transaction, _Mapping]]] = ..., additional_data: _Optional[_Union[AdditionalData, _Mapping]] = ...) -> None: ...

class TxRead(_message.Message):
    __slots__ = ("key", "value", "contract_name")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    contract_name: str
    def __init__(self, key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., contract_name: _Optional[str] = ...) -> None: ...

class TxWrite(_message.Message):
    __slots__ = ("key", "value", "contract_name")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    contract_name: str
    def __init__(self, key: _Optional[bytes] = ..., value: _Optional[bytes] = ..., contract_name: _Optional[str] = ...) -> None: ...

class TxRWSet(_message.Message):
    __slots__ = ("tx_id", "tx_reads", "tx_writes")
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    TX_READS_FIELD_NUMBER: _ClassVar[int]
    TX_WRITES_FIELD_NUMBER: _ClassVar[int]
    tx_id: str
    tx_reads: _containers.RepeatedCompositeFieldContainer[TxRead]
    tx_writes: _containers.RepeatedCompositeFieldContainer[TxWrite]
    def __init__(self, tx_id: _Optional[str] = ..., tx_reads: _Optional[_Iterable[_Union[TxRead, _Mapping]]] = ..., tx_writes: _Optional[_Iterable[_Union[TxWrite, _Mapping]]] = ...) -> None: ...

class BlockInfo(_message.Message):
    __slots__ = ("block", "rwset_list")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    RWSET_LIST_FIELD_NUMBER: _ClassVar[int]
    block: Block
    rwset_list: _containers.RepeatedCompositeFieldContainer[TxRWSet]
    def __init__(self, block: _Optional[_Union[Block, _Mapping]] = ..., rwset_list: _Optional[_Iterable[_Union[TxRWSet, _Mapping]]] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("type", "voter", "height", "round", "hash", "endorsement", "invalid_txs")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VOTER_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    ENDORSEMENT_FIELD_NUMBER: _ClassVar[int]
    INVALID_TXS_FIELD_NUMBER: _ClassVar[int]
    type: int
    voter: str
    height: int
    round: int
    hash: bytes
    endorsement: EndorsementEntry
    invalid_txs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, type: _Optional[int] = ..., voter: _Optional[str] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., hash: _Optional[bytes] = ..., endorsement: _Optional[_Union[EndorsementEntry, _Mapping]] = ..., invalid_txs: _Optional[_Iterable[str]] = ...) -> None: ...

class NamedVote(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: Vote
    def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Vote, _Mapping]] = ...) -> None: ...

class BlockVotes(_message.Message):
    __slots__ = ("votes", "sum")
    VOTES_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    votes: _containers.RepeatedCompositeFieldContainer[NamedVote]
    sum: int
    def __init__(self, votes: _Optional[_Iterable[_Union[NamedVote, _Mapping]]] = ..., sum: _Optional[int] = ...) -> None: ...

class NamedBlockVotes(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: BlockVotes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[BlockVotes, _Mapping]] = ...) -> None: ...

class VoteSet(_message.Message):
    __slots__ = ("type", "height", "round", "sum", "maj23", "votes", "votes_by_block")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    MAJ23_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    VOTES_BY_BLOCK_FIELD_NUMBER: _ClassVar[int]
    type: int
    height: int
    round: int
    sum: int
    maj23: bytes
    votes: _containers.RepeatedCompositeFieldContainer[NamedVote]
    votes_by_block: _containers.RepeatedCompositeFieldContainer[NamedBlockVotes]
    def __init__(self, type: _Optional[int] = ..., height: _Optional[int] = ..., round: _Optional[int] = ..., sum: _Optional[int] = ..., maj23: _Optional[bytes] = ..., votes: _Optional[_Iterable[_Union[NamedVote, _Mapping]]] = ..., votes_by_block: _Optional[_Iterable[_Union[NamedBlockVotes, _Mapping]]] = ...) -> None: ...

class CryptoConfig(_message.Message):
    __slots__ = ("hash",)
    HASH_FIELD_NUMBER: _ClassVar[int]
    hash: str
    def __init__(self, hash: _Optional[str] = ...) -> None: ...

class BlockConfig(_message.Message):
    __slots__ = ("tx_timestamp_verify", "tx_timeout", "block_tx_capacity", "block_size", "block_interval")
    TX_TIMESTAMP_VERIFY_FIELD_NUMBER: _ClassVar[int]
    TX_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TX_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    BLOCK_SIZE_FIELD_NUMBER: _ClassVar[int]
    BLOCK_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    tx_timestamp_verify: bool
    tx_timeout: int
    block_tx_capacity: int
    block_size: int
    block_interval: int
    def __init__(self, tx_timestamp_verify: _Optional[bool] = ..., tx_timeout: _Optional[int] = ..., block_tx_capacity: _Optional[int] = ..., block_size: _Optional[int] = ..., block_interval: _Optional[int] = ...) -> None: ...

class OrgConfig(_message.Message):
    __slots__ = ("org_id", "address", "node_id")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    address: _containers.RepeatedScalarFieldContainer[str]
    node_id: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, org_id: _Optional[str] = ..., address: _Optional[_Iterable[str]] = ..., node_id: _Optional[_Iterable[str]] = ...) -> None: ...

class ConsensusConfig(_message.Message):
    __slots__ = ("type", "nodes")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    type: int
    nodes: _containers.RepeatedCompositeFieldContainer[OrgConfig]
    def __init__(self, type: _Optional[int] = ..., nodes: _Optional[_Iterable[_Union[OrgConfig, _Mapping]]] = ...) -> None: ...

class TrustRootConfig(_message.Message):
    __slots__ = ("org_id", "root")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    root: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, org_id: _Optional[str] = ..., root: _Optional[_Iterable[str]] = ...) -> None: ...

class ChainConfig(_message.Message):
    __slots__ = ("chain_id", "version", "auth_type", "sequence", "crypto", "block", "consensus", "trust_roots")
    CHAIN_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CRYPTO_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    TRUST_ROOTS_FIELD_NUMBER: _ClassVar[int]
    chain_id: str
    version: str
    auth_type: str
    sequence: int
    crypto: CryptoConfig
    block: BlockConfig
    consensus: ConsensusConfig
    trust_roots: _containers.RepeatedCompositeFieldContainer[TrustRootConfig]
    def __init__(self, chain_id: _Optional[str] = ..., version: _Optional[str] = ..., auth_type: _Optional[str] = ..., sequence: _Optional[int] = ..., crypto: _Optional[_Union[CryptoConfig, _Mapping]] = ..., block: _Optional[_Union[BlockConfig, _Mapping]] = ..., consensus: _Optional[_Union[ConsensusConfig, _Mapping]] = ..., trust_roots: _Optional[_Iterable[_Union[TrustRootConfig, _Mapping]]] = ...) -> None: ...

class MemberFull(_message.Message):
    __slots__ = ("org_id", "member_type", "member_info", "member_id", "role", "uid")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_TYPE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_INFO_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    member_type: int
    member_info: bytes
    member_id: str
    role: str
    uid: str
    def __init__(self, org_id: _Optional[str] = ..., member_type: _Optional[int] = ..., member_info: _Optional[bytes] = ..., member_id: _Optional[str] = ..., role: _Optional[str] = ..., uid: _Optional[str] = ...) -> None: ...

class Contract(_message.Message):
    __slots__ = ("name", "version", "runtime_type", "status", "creator", "address")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    runtime_type: int
    status: int
    creator: MemberFull
    address: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., runtime_type: _Optional[int] = ..., status: _Optional[int] = ..., creator: _Optional[_Union[MemberFull, _Mapping]] = ..., address: _Optional[str] = ...) -> None: ...

class ChainMakerVersionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ChainMakerVersionResponse(_message.Message):
    __slots__ = ("code", "message", "version")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    version: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class CertifyRequest(_message.Message):
    __slots__ = ("public_key", "name")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    name: str
    def __init__(self, public_key: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class CertifyResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: bytes
    def __init__(self, certificate: _Optional[bytes] = ...) -> None: ...

class SwitchRequest(_message.Message):
    __slots__ = ("switches",)
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    switches: str
    def __init__(self, switches: _Optional[str] = ...) -> None: ...

class SwitchResponse(_message.Message):
    __slots__ = ("switches",)
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    switches: str
    def __init__(self, switches: _Optional[str] = ...) -> None: ...
