from collections.abc import Iterable as _Iterable
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar

from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from google.protobuf.internal import containers as _containers

DESCRIPTOR: _descriptor.FileDescriptor

class Member(_message.Message):
    __slots__ = ("member_info", "member_type", "org_id")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBER_TYPE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_INFO_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    member_type: int
    member_info: bytes
    def __init__(self, org_id: str | None = ..., member_type: int | None = ..., member_info: bytes | None = ...) -> None: ...

class EndorsementEntry(_message.Message):
    __slots__ = ("signature", "signer")
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    signer: Member
    signature: bytes
    def __init__(self, signer: Member | _Mapping | None = ..., signature: bytes | None = ...) -> None: ...

class KeyValuePair(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: str | None = ..., value: bytes | None = ...) -> None: ...

class Limit(_message.Message):
    __slots__ = ("gas_limit", "gas_price")
    GAS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    GAS_PRICE_FIELD_NUMBER: _ClassVar[int]
    gas_limit: int
    gas_price: int
    def __init__(self, gas_limit: int | None = ..., gas_price: int | None = ...) -> None: ...

class Payload(_message.Message):
    __slots__ = ("chain_id", "contract_name", "expiration_time", "limit", "method", "parameters", "sequence", "timestamp", "tx_id", "tx_type")
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
    def __init__(self, chain_id: str | None = ..., tx_type: int | None = ..., tx_id: str | None = ..., timestamp: int | None = ..., expiration_time: int | None = ..., contract_name: str | None = ..., method: str | None = ..., parameters: _Iterable[KeyValuePair | _Mapping] | None = ..., sequence: int | None = ..., limit: Limit | _Mapping | None = ...) -> None: ...

class TxRequest(_message.Message):
    __slots__ = ("endorsers", "payer", "payload", "sender")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    ENDORSERS_FIELD_NUMBER: _ClassVar[int]
    PAYER_FIELD_NUMBER: _ClassVar[int]
    payload: Payload
    sender: EndorsementEntry
    endorsers: _containers.RepeatedCompositeFieldContainer[EndorsementEntry]
    payer: EndorsementEntry
    def __init__(self, payload: Payload | _Mapping | None = ..., sender: EndorsementEntry | _Mapping | None = ..., endorsers: _Iterable[EndorsementEntry | _Mapping] | None = ..., payer: EndorsementEntry | _Mapping | None = ...) -> None: ...

class ContractEvent(_message.Message):
    __slots__ = ("contract_name", "contract_version", "event_data", "topic", "tx_id")
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
    def __init__(self, topic: str | None = ..., tx_id: str | None = ..., contract_name: str | None = ..., contract_version: str | None = ..., event_data: _Iterable[str] | None = ...) -> None: ...

class ContractResult(_message.Message):
    __slots__ = ("code", "contract_event", "gas_used", "message", "result")
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
    def __init__(self, code: int | None = ..., result: bytes | None = ..., message: str | None = ..., gas_used: int | None = ..., contract_event: _Iterable[ContractEvent | _Mapping] | None = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("code", "contract_result", "message", "rw_set_hash")
    CODE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_RESULT_FIELD_NUMBER: _ClassVar[int]
    RW_SET_HASH_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    contract_result: ContractResult
    rw_set_hash: bytes
    message: str
    def __init__(self, code: int | None = ..., contract_result: ContractResult | _Mapping | None = ..., rw_set_hash: bytes | None = ..., message: str | None = ...) -> None: ...

class TxResponse(_message.Message):
    __slots__ = ("code", "contract_result", "message", "tx_block_height", "tx_id", "tx_timestamp")
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
    def __init__(self, code: int | None = ..., message: str | None = ..., contract_result: ContractResult | _Mapping | None = ..., tx_id: str | None = ..., tx_timestamp: int | None = ..., tx_block_height: int | None = ...) -> None: ...

class SubscribeResult(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: bytes | None = ...) -> None: ...

class Transaction(_message.Message):
    __slots__ = ("endorsers", "payer", "payload", "result", "sender")
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
    def __init__(self, payload: Payload | _Mapping | None = ..., sender: EndorsementEntry | _Mapping | None = ..., endorsers: _Iterable[EndorsementEntry | _Mapping] | None = ..., result: Result | _Mapping | None = ..., payer: EndorsementEntry | _Mapping | None = ...) -> None: ...

class TransactionInfo(_message.Message):
    __slots__ = ("block_hash", "block_height", "block_timestamp", "transaction", "tx_index")
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
    def __init__(self, transaction: Transaction | _Mapping | None = ..., block_height: int | None = ..., block_hash: bytes | None = ..., tx_index: int | None = ..., block_timestamp: int | None = ...) -> None: ...

class BlockHeader(_message.Message):
    __slots__ = ("block_hash", "block_height", "block_timestamp", "block_type", "block_version", "chain_id", "consensus_args", "dag_hash", "pre_block_hash", "pre_conf_height", "proposer", "rw_set_root", "signature", "tx_count", "tx_root")
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
    def __init__(self, block_version: int | None = ..., block_type: int | None = ..., chain_id: str | None = ..., block_height: int | None = ..., block_hash: bytes | None = ..., pre_block_hash: bytes | None = ..., pre_conf_height: int | None = ..., tx_count: int | None = ..., tx_root: bytes | None = ..., dag_hash: bytes | None = ..., rw_set_root: bytes | None = ..., block_timestamp: int | None = ..., consensus_args: bytes | None = ..., proposer: Member | _Mapping | None = ..., signature: bytes | None = ...) -> None: ...

class Neighbor(_message.Message):
    __slots__ = ("neighbors",)
    NEIGHBORS_FIELD_NUMBER: _ClassVar[int]
    neighbors: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, neighbors: _Iterable[int] | None = ...) -> None: ...

class DAG(_message.Message):
    __slots__ = ("vertexes",)
    VERTEXES_FIELD_NUMBER: _ClassVar[int]
    vertexes: _containers.RepeatedCompositeFieldContainer[Neighbor]
    def __init__(self, vertexes: _Iterable[Neighbor | _Mapping] | None = ...) -> None: ...

class ExtraData(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: str | None = ..., value: bytes | None = ...) -> None: ...

class AdditionalData(_message.Message):
    __slots__ = ("extra_data",)
    EXTRA_DATA_FIELD_NUMBER: _ClassVar[int]
    extra_data: _containers.RepeatedCompositeFieldContainer[ExtraData]
    def __init__(self, extra_data: _Iterable[ExtraData | _Mapping] | None = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("additional_data", "dag", "header", "txs")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DAG_FIELD_NUMBER: _ClassVar[int]
    TXS_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_DATA_FIELD_NUMBER: _ClassVar[int]
    header: BlockHeader
    dag: DAG
    txs: _containers.RepeatedCompositeFieldContainer[Transaction]
    additional_data: AdditionalData
    def __init__(self, header: BlockHeader | _Mapping | None = ..., dag: DAG | _Mapping | None = ..., txs: _Iterable[Transaction | _Mapping] | None = ..., additional_data: AdditionalData | _Mapping | None = ...) -> None: ...

class TxRead(_message.Message):
    __slots__ = ("contract_name", "key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    contract_name: str
    def __init__(self, key: bytes | None = ..., value: bytes | None = ..., contract_name: str | None = ...) -> None: ...

class TxWrite(_message.Message):
    __slots__ = ("contract_name", "key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    value: bytes
    contract_name: str
    def __init__(self, key: bytes | None = ..., value: bytes | None = ..., contract_name: str | None = ...) -> None: ...

class TxRWSet(_message.Message):
    __slots__ = ("tx_id", "tx_reads", "tx_writes")
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    TX_READS_FIELD_NUMBER: _ClassVar[int]
    TX_WRITES_FIELD_NUMBER: _ClassVar[int]
    tx_id: str
    tx_reads: _containers.RepeatedCompositeFieldContainer[TxRead]
    tx_writes: _containers.RepeatedCompositeFieldContainer[TxWrite]
    def __init__(self, tx_id: str | None = ..., tx_reads: _Iterable[TxRead | _Mapping] | None = ..., tx_writes: _Iterable[TxWrite | _Mapping] | None = ...) -> None: ...

class BlockInfo(_message.Message):
    __slots__ = ("block", "rwset_list")
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    RWSET_LIST_FIELD_NUMBER: _ClassVar[int]
    block: Block
    rwset_list: _containers.RepeatedCompositeFieldContainer[TxRWSet]
    def __init__(self, block: Block | _Mapping | None = ..., rwset_list: _Iterable[TxRWSet | _Mapping] | None = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("endorsement", "hash", "height", "invalid_txs", "round", "type", "voter")
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
    def __init__(self, type: int | None = ..., voter: str | None = ..., height: int | None = ..., round: int | None = ..., hash: bytes | None = ..., endorsement: EndorsementEntry | _Mapping | None = ..., invalid_txs: _Iterable[str] | None = ...) -> None: ...

class NamedVote(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: Vote
    def __init__(self, key: str | None = ..., value: Vote | _Mapping | None = ...) -> None: ...

class BlockVotes(_message.Message):
    __slots__ = ("sum", "votes")
    VOTES_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    votes: _containers.RepeatedCompositeFieldContainer[NamedVote]
    sum: int
    def __init__(self, votes: _Iterable[NamedVote | _Mapping] | None = ..., sum: int | None = ...) -> None: ...

class NamedBlockVotes(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: BlockVotes
    def __init__(self, key: str | None = ..., value: BlockVotes | _Mapping | None = ...) -> None: ...

class VoteSet(_message.Message):
    __slots__ = ("height", "maj23", "round", "sum", "type", "votes", "votes_by_block")
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
    def __init__(self, type: int | None = ..., height: int | None = ..., round: int | None = ..., sum: int | None = ..., maj23: bytes | None = ..., votes: _Iterable[NamedVote | _Mapping] | None = ..., votes_by_block: _Iterable[NamedBlockVotes | _Mapping] | None = ...) -> None: ...

class CryptoConfig(_message.Message):
    __slots__ = ("hash",)
    HASH_FIELD_NUMBER: _ClassVar[int]
    hash: str
    def __init__(self, hash: str | None = ...) -> None: ...

class BlockConfig(_message.Message):
    __slots__ = ("block_interval", "block_size", "block_tx_capacity", "tx_timeout", "tx_timestamp_verify")
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
    def __init__(self, tx_timestamp_verify: bool | None = ..., tx_timeout: int | None = ..., block_tx_capacity: int | None = ..., block_size: int | None = ..., block_interval: int | None = ...) -> None: ...

class OrgConfig(_message.Message):
    __slots__ = ("address", "node_id", "org_id")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    address: _containers.RepeatedScalarFieldContainer[str]
    node_id: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, org_id: str | None = ..., address: _Iterable[str] | None = ..., node_id: _Iterable[str] | None = ...) -> None: ...

class ConsensusConfig(_message.Message):
    __slots__ = ("nodes", "type")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    type: int
    nodes: _containers.RepeatedCompositeFieldContainer[OrgConfig]
    def __init__(self, type: int | None = ..., nodes: _Iterable[OrgConfig | _Mapping] | None = ...) -> None: ...

class TrustRootConfig(_message.Message):
    __slots__ = ("org_id", "root")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    root: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, org_id: str | None = ..., root: _Iterable[str] | None = ...) -> None: ...

class ChainConfig(_message.Message):
    __slots__ = ("auth_type", "block", "chain_id", "consensus", "crypto", "sequence", "trust_roots", "version")
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
    def __init__(self, chain_id: str | None = ..., version: str | None = ..., auth_type: str | None = ..., sequence: int | None = ..., crypto: CryptoConfig | _Mapping | None = ..., block: BlockConfig | _Mapping | None = ..., consensus: ConsensusConfig | _Mapping | None = ..., trust_roots: _Iterable[TrustRootConfig | _Mapping] | None = ...) -> None: ...

class MemberFull(_message.Message):
    __slots__ = ("member_id", "member_info", "member_type", "org_id", "role", "uid")
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
    def __init__(self, org_id: str | None = ..., member_type: int | None = ..., member_info: bytes | None = ..., member_id: str | None = ..., role: str | None = ..., uid: str | None = ...) -> None: ...

class Contract(_message.Message):
    __slots__ = ("address", "creator", "name", "runtime_type", "status", "version")
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
    def __init__(self, name: str | None = ..., version: str | None = ..., runtime_type: int | None = ..., status: int | None = ..., creator: MemberFull | _Mapping | None = ..., address: str | None = ...) -> None: ...

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
    def __init__(self, code: int | None = ..., message: str | None = ..., version: str | None = ...) -> None: ...

class CertifyRequest(_message.Message):
    __slots__ = ("name", "public_key")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    name: str
    def __init__(self, public_key: bytes | None = ..., name: str | None = ...) -> None: ...

class CertifyResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: bytes
    def __init__(self, certificate: bytes | None = ...) -> None: ...

class SwitchRequest(_message.Message):
    __slots__ = ("switches",)
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    switches: str
    def __init__(self, switches: str | None = ...) -> None: ...

class SwitchResponse(_message.Message):
    __slots__ = ("switches",)
    SWITCHES_FIELD_NUMBER: _ClassVar[int]
    switches: str
    def __init__(self, switches: str | None = ...) -> None: ...
