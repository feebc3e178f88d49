"""The messages of CometBFT for Google's protobuf: a second writer, which shares nothing with ours.

Numbers of fields: CometBFT `proto/tendermint/types`, ibc-go `ibc/lightclients/tendermint/v1`, cosmos/ics23 `proofs.proto`.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = {"varint": 3, "text": 9, "octets": 12, "fixed": 16}

_MESSAGES = {
    "Timestamp": {"seconds": (1, "varint"), "nanos": (2, "varint")},
    "Consensus": {"block": (1, "varint"), "app": (2, "varint")},
    "PartSetHeader": {"total": (1, "varint"), "hash": (2, "octets")},
    "BlockID": {"hash": (1, "octets"), "part_set_header": (2, "PartSetHeader")},
    "Header": {
        "version": (1, "Consensus"),
        "chain_id": (2, "text"),
        "height": (3, "varint"),
        "time": (4, "Timestamp"),
        "last_block_id": (5, "BlockID"),
        "last_commit_hash": (6, "octets"),
        "data_hash": (7, "octets"),
        "validators_hash": (8, "octets"),
        "next_validators_hash": (9, "octets"),
        "consensus_hash": (10, "octets"),
        "app_hash": (11, "octets"),
        "last_results_hash": (12, "octets"),
        "evidence_hash": (13, "octets"),
        "proposer_address": (14, "octets"),
    },
    "CommitSig": {
        "block_id_flag": (1, "varint"),
        "validator_address": (2, "octets"),
        "timestamp": (3, "Timestamp"),
        "signature": (4, "octets"),
    },
    "Commit": {
        "height": (1, "varint"),
        "round": (2, "varint"),
        "block_id": (3, "BlockID"),
        "signatures": (4, "CommitSig*"),
    },
    "PublicKey": {"ed25519": (1, "octets"), "secp256k1": (2, "octets"), "bls12381": (3, "octets")},
    "Validator": {
        "address": (1, "octets"),
        "pub_key": (2, "PublicKey"),
        "voting_power": (3, "varint"),
        "proposer_priority": (4, "varint"),
    },
    "SimpleValidator": {"pub_key": (1, "PublicKey"), "voting_power": (2, "varint")},
    "ValidatorSet": {
        "validators": (1, "Validator*"),
        "proposer": (2, "Validator"),
        "total_voting_power": (3, "varint"),
    },
    "SignedHeader": {"header": (1, "Header"), "commit": (2, "Commit")},
    "Height": {"revision_number": (1, "varint"), "revision_height": (2, "varint")},
    "Bundle": {
        "signed_header": (1, "SignedHeader"),
        "validator_set": (2, "ValidatorSet"),
        "trusted_height": (3, "Height"),
        "trusted_validators": (4, "ValidatorSet"),
    },
    "CanonicalVote": {
        "type": (1, "varint"),
        "height": (2, "fixed"),
        "round": (3, "fixed"),
        "block_id": (4, "BlockID"),
        "timestamp": (5, "Timestamp"),
        "chain_id": (6, "text"),
    },
    "Text": {"value": (1, "text")},
    "Number": {"value": (1, "varint")},
    "Octets": {"value": (1, "octets")},
    "LeafOp": {
        "hash": (1, "varint"),
        "prehash_key": (2, "varint"),
        "prehash_value": (3, "varint"),
        "length": (4, "varint"),
        "prefix": (5, "octets"),
    },
    "InnerOp": {"hash": (1, "varint"), "prefix": (2, "octets"), "suffix": (3, "octets")},
    "ExistenceProof": {
        "key": (1, "octets"),
        "value": (2, "octets"),
        "leaf": (3, "LeafOp"),
        "path": (4, "InnerOp*"),
    },
    "NonExistenceProof": {"key": (1, "octets"), "left": (2, "ExistenceProof"), "right": (3, "ExistenceProof")},
    "CommitmentProof": {"exist": (1, "ExistenceProof"), "nonexist": (2, "NonExistenceProof")},
}


def _pool():
    file = descriptor_pb2.FileDescriptorProto(
        name="relayhub_test_cometbft.proto", package="cometbft_test", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            repeated = kind.endswith("*")
            entry = message.field.add(name=field, number=number, label=3 if repeated else 1)
            known = _TYPES.get(kind)
            if known:
                entry.type = known
            else:
                entry.type, entry.type_name = 11, f".cometbft_test.{kind.rstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_POOL = _pool()
_CLASSES = {
    name: message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"cometbft_test.{name}")) for name in _MESSAGES
}

_ALWAYS = {
    "BlockID": ("part_set_header",),
    "Header": ("version", "time", "last_block_id"),
    "CommitSig": ("timestamp",),
    "Commit": ("block_id",),
    "CanonicalVote": ("timestamp",),
}
"""What Go writes even where it is empty, because it is no pointer there."""


def message(kind, **fields):
    """A message of Google's protobuf; nested ones are given as messages."""
    made = _CLASSES[kind]()
    for name, value in fields.items():
        if isinstance(value, list):
            getattr(made, name).extend(value)
        elif hasattr(value, "SerializeToString"):
            getattr(made, name).CopyFrom(value)
            getattr(made, name).SetInParent()
        elif value is not None:
            setattr(made, name, value)
    for name in _ALWAYS.get(kind, ()):
        getattr(made, name).SetInParent()
    return made


def written(kind, **fields):
    """The bytes of a message, fields in order."""
    return message(kind, **fields).SerializeToString(deterministic=True)


def read(kind, data):
    """A message out of its bytes."""
    return _CLASSES[kind].FromString(data)
