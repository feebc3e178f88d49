"""What a chain configuration says of consensus (pb-go `config.ChainConfig`), and which block changes it.

    ChainConfig {1 chain id, 2 version, 3 membership mode, 4 sequence, 5 crypto {1 hash}, 8 consensus {1 type, 2 nodes
                 {1 organisation, 3 node ids}}, 9 trust roots {1 organisation, 2 certificates}, …}

1. The membership mode is permissionedWithCert, the consensus TBFT, the hash SHA256 or SM3; anything else is refused by name.
2. There is a validator, none stands twice, and there are at most 256.
3. A configuration block (bit 0 of its type) shows all of its transactions, and they have its root.
4. Its first transaction calls CHAIN_CONFIG; where it failed nothing changes, and the block is none of the configuration.
5. Its result is the whole ChainConfig: in the first block any, later one of the same chain and hash whose sequence is one
   more. A method that only reads changes nothing.
"""

from __future__ import annotations

from light_clients.chainmaker.codec import ChainMakerBlock
from light_clients.chainmaker.errors import (
    ConfigurationChangeInvalid,
    ConsensusUnsupported,
    TransactionRootMismatch,
    TransactionsMissing,
)
from light_clients.chainmaker.merkle import HASHES, merkle_root
from light_clients.chainmaker.transactions import INVOKE_CONTRACT, Transaction, leaf_of, read_transaction
from light_clients.chainmaker.types import MAXIMUM_NODES, ConsensusNode, Membership, TrustRoot
from light_clients.errors import ProtobufRefused
from light_clients.protobuf import Message, as_text

CHAIN_CONFIG = "CHAIN_CONFIG"
"""The system contract that holds the configuration, and the first block's parameter of that name."""

CONSENSUS_NAMES = {0: "SOLO", 1: "TBFT", 2: "MBFT", 3: "MaxBFT", 4: "RAFT", 5: "DPoS", 6: "ABFT"}
"""By their number in `consensus.ConsensusType`."""

TBFT = 1

_READ_ONLY = ("GET_", "PERMISSION_LIST")


def read_membership(data: bytes, first_height: int) -> Membership:
    """Reads who decides out of a chain configuration.

    Args:
        data: Protobuf of a `config.ChainConfig`.
        first_height: The first height that its nodes decide.

    Raises:
        ConsensusUnsupported: Mode, consensus or hash are none that can be verified.
        ConfigurationChangeInvalid: There is no validator, one stands twice, or there are too many.
        ProtobufRefused: It is no such message.
    """
    message = Message.read(data)
    # 1. What can be verified.
    mode, consensus = message.text(3), Message.read(message.octets(8))
    hash_name = Message.read(message.octets(5)).text(1)
    if mode.casefold() != "permissionedwithcert":
        raise ConsensusUnsupported(
            f"The membership mode {mode[:40]!r} is not verified.", expected="permissionedWithCert"
        )
    if consensus.integer(1) != TBFT:
        name = CONSENSUS_NAMES.get(consensus.integer(1), str(consensus.integer(1)))
        raise ConsensusUnsupported(f"The consensus {name} is not verified.", expected="TBFT")
    if hash_name not in HASHES:
        raise ConsensusUnsupported(f"The hash {hash_name[:40]!r} is not known.", expected=", ".join(HASHES))
    # 2. The validators.
    nodes: list[ConsensusNode] = []
    for item in consensus.repeated(2):
        organisation = Message.read(item)
        name = organisation.text(1)
        nodes.extend(ConsensusNode(name, as_text(node_id, 3)) for node_id in organisation.repeated(3))
    names = {node.node_id for node in nodes}
    if not 0 < len(names) == len(nodes) <= MAXIMUM_NODES:
        raise ConfigurationChangeInvalid("There are no validators, too many, or one stands twice.", found=len(nodes))
    organisations = {node.organisation for node in nodes}
    roots: dict[str, tuple[bytes, ...]] = {}
    for item in message.repeated(9):
        root = Message.read(item)
        if root.text(1) in organisations:
            roots[root.text(1)] = roots.get(root.text(1), ()) + root.repeated(2)
    return Membership(
        first_height,
        message.integer(4),
        message.text(1),
        hash_name,
        tuple(nodes),
        tuple(TrustRoot(organisation, certificates) for organisation, certificates in roots.items()),
    )


def transactions_of(block: ChainMakerBlock, hash_name: str) -> tuple[Transaction, ...]:
    """Reads all transactions of a block under its root.

    Args:
        block: A block with its transactions.
        hash_name: The chain's hash.

    Raises:
        TransactionsMissing: There are more or fewer than the header says.
        TransactionRootMismatch: They have another root.
        ProtobufRefused: One cannot be read.
    """
    header, digest = block.header, HASHES[hash_name]
    if len(block.transactions) != header.transaction_count:
        raise TransactionsMissing(
            "Not all transactions of the block came with it.",
            expected=header.transaction_count,
            found=len(block.transactions),
        )
    transactions = tuple(read_transaction(data) for data in block.transactions)
    root = merkle_root(digest, [leaf_of(digest, transaction, header.version) for transaction in transactions])
    if root != header.transaction_root:
        raise TransactionRootMismatch("The transactions are others.", expected=header.transaction_root, found=root)
    return transactions


def first_membership(block: ChainMakerBlock) -> Membership:
    """The membership that a pinned configuration block puts in place.

    Args:
        block: A configuration block with its transactions, whose hash is pinned.

    Raises:
        ConfigurationChangeInvalid: It shows no configuration.
        ConsensusUnsupported: The configuration is none that can be verified.
        HeaderRefused: The transactions are missing, or others.
    """
    # The configuration names the hash that proves it: it is read first and believed after.
    if not block.transactions:
        raise TransactionsMissing("A configuration block comes with its transactions.")
    change = read_transaction(block.transactions[0])
    shown = _shown_configuration(change)
    if not shown or not change.succeeded or change.method.startswith(_READ_ONLY):
        raise ConfigurationChangeInvalid("The pinned block shows no configuration; state chain_config, or pin another.")
    membership = read_membership(shown, block.header.height + 1)
    transactions_of(block, membership.hash_name)
    return membership


def next_membership(block: ChainMakerBlock, current: Membership) -> tuple[Membership | None, bool]:
    """What a configuration block changes.

    Args:
        block: A configuration block that its quorum decided.
        current: Who decided it.

    Returns:
        The next membership, ``None`` where it stays; and whether later headers name this block as the configuration's.

    Raises:
        TransactionsMissing: The transactions did not come with it.
        TransactionRootMismatch: They are others.
        ConfigurationChangeInvalid: The next configuration is not shown, or does not follow the current one.
        ConsensusUnsupported: The next configuration is none that can be verified.
    """
    # 3. The transactions.
    transactions = transactions_of(block, current.hash_name)
    # 4. The call.
    if not transactions or transactions[0].contract != CHAIN_CONFIG:
        raise ConfigurationChangeInvalid("A configuration block calls another contract; pin a block after it.")
    change = transactions[0]
    shown = _shown_configuration(change)
    if not change.succeeded or not shown:
        return None, False
    if change.method.startswith(_READ_ONLY):
        return None, True
    # 5. The next configuration.
    try:
        following = read_membership(shown, block.header.height + 1)
    except ProtobufRefused as error:
        raise ConfigurationChangeInvalid(f"The next configuration cannot be read: {error}") from error
    if following.sequence != current.sequence + 1:
        raise ConfigurationChangeInvalid(
            "The next configuration does not follow.", expected=current.sequence + 1, found=following.sequence
        )
    if (following.chain_id, following.hash_name) != (current.chain_id, current.hash_name):
        raise ConfigurationChangeInvalid(
            "The next configuration is of another chain or hash.", found=following.chain_id
        )
    return following, True


def _shown_configuration(transaction: Transaction) -> bytes:
    """The configuration that a transaction returned, or in a first block stated; nothing where it shows none."""
    if (transaction.transaction_type, transaction.contract) != (INVOKE_CONTRACT, CHAIN_CONFIG):
        return b""
    stated = dict(transaction.parameters).get(CHAIN_CONFIG, b"") if transaction.method == "Genesis" else b""
    return transaction.result or stated
