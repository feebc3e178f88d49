"""A synthetic CometBFT ledger with real keys made from labels; hashed and encoded by Google's protobuf and not by our codec.

A block is a `Block` with every field open, so that a test changes one with `dataclasses.replace` and signs again. Application
state is a list of entries in IAVL stores (`Store`), whose proofs are made here too.
"""

from dataclasses import dataclass, field, replace
from hashlib import new, sha256

from google.protobuf.internal.encoder import _VarintBytes
from nacl.signing import SigningKey

from light_clients import cometbft
from light_clients.crypto import secp256k1
from schemas.primitives import BlockHash
from tests.support.cometbft_messages import message, read, written

START = 1_800_000_000
CHAIN_ID = "relay-test-1"
ABSENT, FOR_BLOCK, FOR_NIL = 1, 2, 3
ZERO_SECONDS = -62135596800


def _hash(data):
    return sha256(data).digest()


def merkle(leaves):
    """The root by the text of RFC 6962: split at the largest power of two below the length."""
    if not leaves:
        return _hash(b"")
    if len(leaves) == 1:
        return _hash(b"\x00" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return _hash(b"\x01" + merkle(leaves[:split]) + merkle(leaves[split:]))


@dataclass(frozen=True)
class Member:
    """A validator whose key comes from its label."""

    label: str
    power: int = 10
    kind: str = "ed25519"

    @property
    def secret(self):
        return _hash(f"relayhub test validator {self.label}".encode())

    @property
    def key(self):
        if self.kind == "ed25519":
            return bytes(SigningKey(self.secret).verify_key)
        from coincurve import PrivateKey

        return PrivateKey(self.secret).public_key.format()

    @property
    def address(self):
        return _hash(self.key)[:20] if self.kind == "ed25519" else new("ripemd160", _hash(self.key)).digest()

    def sign(self, data):
        if self.kind == "ed25519":
            return SigningKey(self.secret).sign(data).signature
        return secp256k1.sign(self.secret, _hash(data))[:64]

    def proto(self, kind="Validator"):
        key = message("PublicKey", **{self.kind: self.key})
        if kind == "SimpleValidator":
            return message(kind, pub_key=key, voting_power=self.power)
        return message(kind, address=self.address, pub_key=key, voting_power=self.power)


def members(labels, powers=None, kind="ed25519"):
    """Validators in the order of a set: by power, the strongest first, then by address."""
    powers = powers or [10] * len(labels)
    made = [Member(label, power, kind) for label, power in zip(labels, powers, strict=True)]
    return tuple(sorted(made, key=lambda member: (-member.power, member.address)))


def set_hash(validators):
    return merkle([member.proto("SimpleValidator").SerializeToString() for member in validators])


def set_bytes(validators):
    return written("ValidatorSet", validators=[member.proto() for member in validators])


def timestamp(nanoseconds):
    seconds, nanos = divmod(nanoseconds, 10**9)
    return message("Timestamp", seconds=seconds, nanos=nanos)


@dataclass(frozen=True)
class Block:
    """Every field of a header and of its commit, so that a test changes one and signs again."""

    height: int
    time_ns: int
    validators: tuple
    next_validators: tuple
    app_hash: bytes = _hash(b"state")
    chain_id: str = CHAIN_ID
    version: tuple = (11, 0)
    parent: bytes = _hash(b"parent")
    hashes: dict = field(default_factory=dict)
    round: int = 0
    flags: tuple | None = None
    signers: tuple | None = None
    commit_fields: dict = field(default_factory=dict)
    trusted: tuple | None = None
    trusted_height: int = 0

    def header(self):
        fields = {
            "last_commit_hash": _hash(b"last commit"),
            "data_hash": _hash(b"data"),
            "validators_hash": set_hash(self.validators),
            "next_validators_hash": set_hash(self.next_validators),
            "consensus_hash": _hash(b"consensus"),
            "app_hash": self.app_hash,
            "last_results_hash": _hash(b"results"),
            "evidence_hash": _hash(b""),
            "proposer_address": self.validators[0].address if self.validators else bytes(20),
            **self.hashes,
        }
        return message(
            "Header",
            version=message("Consensus", block=self.version[0], app=self.version[1]),
            chain_id=self.chain_id,
            height=self.height,
            time=timestamp(self.time_ns),
            last_block_id=block_id(self.parent),
            **fields,
        )

    @property
    def block_hash(self):
        return BlockHash(hash_of_header(self.header()))

    def votes(self):
        """Signed by each validator, or by those who stand in `signers` at their places."""
        flags = self.flags or (FOR_BLOCK,) * len(self.validators)
        signers = self.signers or self.validators
        for place, (flag, member, signer) in enumerate(zip(flags, self.validators, signers, strict=True)):
            if flag == ABSENT:
                yield message("CommitSig", block_id_flag=ABSENT, timestamp=message("Timestamp", seconds=ZERO_SECONDS))
                continue
            time_ns = self.time_ns + 10**9 + place
            named = block_id(self.block_hash) if flag == FOR_BLOCK else None
            signature = signer.sign(sign_bytes(self.chain_id, self.height, self.round, named, time_ns))
            yield message(
                "CommitSig",
                block_id_flag=flag,
                validator_address=member.address,
                timestamp=timestamp(time_ns),
                signature=signature,
            )

    def commit(self):
        fields = {
            "height": self.height,
            "round": self.round,
            "block_id": block_id(self.block_hash),
            "signatures": list(self.votes()),
            **self.commit_fields,
        }
        return message("Commit", **fields)

    def bundle(self):
        signed = message("SignedHeader", header=self.header(), commit=self.commit())
        own = read("ValidatorSet", set_bytes(self.validators))
        made = {"signed_header": signed, "validator_set": own}
        if self.trusted_height:
            made["trusted_height"] = message("Height", revision_height=self.trusted_height)
        if self.trusted is not None:
            made["trusted_validators"] = read("ValidatorSet", set_bytes(self.trusted))
        return written("Bundle", **made)


def block_id(block_hash):
    parts = message("PartSetHeader", total=1, hash=_hash(b"parts")) if block_hash else message("PartSetHeader")
    return message("BlockID", hash=bytes(block_hash), part_set_header=parts)


def sign_bytes(chain_id, height, round_, named, time_ns, vote_type=2):
    vote = written(
        "CanonicalVote",
        type=vote_type,
        height=height,
        round=round_,
        block_id=named,
        timestamp=timestamp(time_ns),
        chain_id=chain_id,
    )
    return _VarintBytes(len(vote)) + vote


def hash_of_header(header):
    """The hash of a header's message, each field wrapped as Go's `cdcEncode` wraps it."""
    octets = [
        header.last_commit_hash,
        header.data_hash,
        header.validators_hash,
        header.next_validators_hash,
        header.consensus_hash,
        header.app_hash,
        header.last_results_hash,
        header.evidence_hash,
        header.proposer_address,
    ]
    return merkle(
        [
            header.version.SerializeToString(),
            written("Text", value=header.chain_id),
            written("Number", value=header.height),
            header.time.SerializeToString(),
            header.last_block_id.SerializeToString(),
            *(written("Octets", value=value) for value in octets),
        ]
    )


@dataclass
class Chain:
    """Blocks one after another; each block's set is what the one before named as next."""

    validators: tuple = members(["ada", "bob", "cid", "dot"])
    blocks: list = field(default_factory=list)

    def __post_init__(self):
        if not self.blocks:
            self.blocks.append(Block(1, START * 10**9, self.validators, self.validators))

    @property
    def newest(self):
        return self.blocks[-1]

    def grow(self, count=1, next_validators=None, **fields):
        """Adds blocks, a second apart, and returns the last one."""
        for _ in range(count):
            last = self.newest
            following = next_validators or last.next_validators
            self.blocks.append(
                Block(
                    last.height + 1,
                    last.time_ns + 10**9,
                    last.next_validators,
                    following,
                    parent=last.block_hash,
                    **fields,
                )
            )
        return self.newest

    def at(self, height):
        return next(block for block in self.blocks if block.height == height)

    def provider(self, height, trusted_height):
        """Answers as a node that has every block."""
        trusted = self.at(trusted_height)
        return replace(self.at(height), trusted=trusted.next_validators, trusted_height=trusted_height).bundle()

    def bootstrap(self, configuration=None, height=1):
        block = self.at(height)
        configuration = configuration or cometbft.CometbftConfiguration()
        return cometbft.bootstrap(block.bundle(), block.block_hash, configuration)


def zigzag(value):
    return _VarintBytes(value << 1)


class Store:
    """An IAVL store as a tree over its sorted entries, and the tree of stores above it."""

    def __init__(self, entries, version=7, others=(b"acc", b"bank", b"gov")):
        self.entries = dict(sorted(entries.items()))
        self.version = version
        self.others = others
        self.paths = {}
        self.root = self._build(list(self.entries), [])[0]

    def _leaf(self, key):
        value = _hash(self.entries[key])
        return _hash(b"\x00\x02" + zigzag(self.version) + _VarintBytes(len(key)) + key + b"\x20" + value)

    def _build(self, keys, above):
        """Hash and height of a tree over keys; remembers the way from each leaf up."""
        if len(keys) == 1:
            self.paths[keys[0]] = []
            return self._leaf(keys[0]), 0
        middle = (len(keys) + 1) // 2
        (left, left_height), (right, right_height) = (
            self._build(keys[:middle], above),
            self._build(keys[middle:], above),
        )
        height = max(left_height, right_height) + 1
        head = zigzag(height) + zigzag(len(keys)) + zigzag(self.version)
        for key in keys[:middle]:
            self.paths[key].append((head + b"\x20", b"\x20" + right))
        for key in keys[middle:]:
            self.paths[key].append((head + b"\x20" + left + b"\x20", b""))
        return _hash(head + b"\x20" + left + b"\x20" + right), height

    def existence(self, key):
        leaf = message("LeafOp", hash=1, prehash_value=1, length=1, prefix=b"\x00\x02" + zigzag(self.version))
        path = [message("InnerOp", hash=1, prefix=prefix, suffix=suffix) for prefix, suffix in self.paths[key]]
        return message("ExistenceProof", key=key, value=self.entries[key], leaf=leaf, path=path)

    def proof(self, key):
        """Of existence or of absence, as the store has it."""
        if key in self.entries:
            return written("CommitmentProof", exist=self.existence(key))
        left = max((known for known in self.entries if known < key), default=None)
        right = min((known for known in self.entries if known > key), default=None)
        sides = {"left": left, "right": right}
        shown = {side: self.existence(known) for side, known in sides.items() if known is not None}
        return written("CommitmentProof", nonexist=message("NonExistenceProof", key=key, **shown))

    def app_hash(self, name):
        return self._stores(name)[0]

    def store_proof(self, name):
        """From the app hash to this store's root, among three other stores."""
        return self._stores(name)[1]

    def _stores(self, name):
        roots = {other: _hash(other) for other in self.others} | {name: self.root}
        names = sorted(roots)
        leaves = [_VarintBytes(len(key)) + key + b"\x20" + _hash(roots[key]) for key in names]
        path, place, level = [], names.index(name), [_hash(b"\x00" + leaf) for leaf in leaves]
        while len(level) > 1:
            if place % 2:
                path.append(message("InnerOp", hash=1, prefix=b"\x01" + level[place - 1]))
            elif place + 1 < len(level):
                path.append(message("InnerOp", hash=1, prefix=b"\x01", suffix=level[place + 1]))
            paired = [_hash(b"\x01" + level[at] + level[at + 1]) for at in range(0, len(level) - 1, 2)]
            level, place = [*paired, level[-1]] if len(level) % 2 else paired, place // 2
        leaf = message("LeafOp", hash=1, prehash_value=1, length=1, prefix=b"\x00")
        proof = message("ExistenceProof", key=name, value=self.root, leaf=leaf, path=path)
        return level[0], written("CommitmentProof", exist=proof)
