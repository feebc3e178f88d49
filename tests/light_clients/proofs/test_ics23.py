"""Proofs of existence and absence in the three trees: published ones, synthetic ones, and every check failing alone."""

import random
from hashlib import sha256

import pytest

from light_clients.errors import LightClientError, ProofRefused, ProtobufRefused
from light_clients.proofs.ics23 import (
    IAVL,
    MAXIMUM_PROOF_SIZE,
    SMT,
    SPECIFICATIONS,
    TENDERMINT,
    prove_value,
    root_of_existence,
    verify_absence,
    verify_chain,
    verify_existence,
)
from light_clients.proofs.ics23_ops import (
    ProofKeyMismatch,
    ProofKindUnsupported,
    ProofNeighboursInvalid,
    ProofOperationInvalid,
    ProofRootMismatch,
    ProofTooDeep,
)
from tests.support.cometbft_chain import Store, zigzag
from tests.support.cometbft_messages import message, read, written
from tests.support.shared_vectors import shared_json

KEYS = [b"k%02d" % number for number in range(1, 24, 2)]
STORE = Store({key: b"value of " + key for key in KEYS})
PUBLISHED = [(tree, name) for tree in SPECIFICATIONS for name in ("exist_left", "nonexist_middle")]


def published(tree, name):
    content = shared_json(f"ics23/{tree}/{name}.json")
    return [bytes.fromhex(content[field]) for field in ("root", "key", "value", "proof")]


def hashed(data):
    return sha256(data).digest()


@pytest.mark.parametrize(("tree", "name"), PUBLISHED)
def test_a_published_proof_holds_and_nothing_else_under_it(tree, name):
    root, key, value, proof = published(tree, name)
    specification = SPECIFICATIONS[tree]
    if value:
        verify_existence(specification, root, key, value, proof)
        for other in ((hashed(root), key, value), (root, key + b"0", value), (root, key, value + b"0")):
            with pytest.raises(ProofRefused):
                verify_existence(specification, *other, proof)
        with pytest.raises(ProofKindUnsupported):
            verify_absence(specification, root, key, proof)
    else:
        verify_absence(specification, root, key, proof)
        with pytest.raises(ProofRootMismatch):
            verify_absence(specification, hashed(root), key, proof)
        with pytest.raises(ProofKeyMismatch):
            verify_absence(specification, root, key + b"0", proof)
        with pytest.raises(ProofKindUnsupported):
            verify_existence(specification, root, key, b"1", proof)


@pytest.mark.parametrize(("tree", "name"), PUBLISHED)
def test_a_published_proof_is_of_its_tree_alone(tree, name):
    root, key, value, proof = published(tree, name)
    for other in set(SPECIFICATIONS) - {tree}:
        with pytest.raises(LightClientError):
            verify_chain(root, ((SPECIFICATIONS[other], key),), value or None, (proof,))


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_a_store_is_proved(key):
    verify_existence(IAVL, STORE.root, key, STORE.entries[key], STORE.proof(key))


@pytest.mark.parametrize("number", range(0, 26, 2))
def test_every_gap_of_a_store_is_proved(number):
    key = b"k%02d" % number
    verify_absence(IAVL, STORE.root, key, STORE.proof(key))


@pytest.mark.parametrize("size", range(1, 18))
def test_stores_of_every_size(size):
    store = Store(dict.fromkeys(KEYS[:size], b"v") if size <= len(KEYS) else {b"%d" % n: b"v" for n in range(size)})
    for key in (*store.entries, b"", b"k06", b"z"):
        if key:
            expected = store.entries.get(key)
            found = prove_value(store.app_hash(b"evm"), ((IAVL, key), (TENDERMINT, b"evm")),
                                (store.proof(key), store.store_proof(b"evm")))  # fmt: skip
            assert found == expected


def test_a_chain_of_trees():
    key, trees = KEYS[4], ((IAVL, KEYS[4]), (TENDERMINT, b"evm"))
    proofs, root = (STORE.proof(key), STORE.store_proof(b"evm")), STORE.app_hash(b"evm")
    verify_chain(root, trees, STORE.entries[key], proofs)
    with pytest.raises(ProofKeyMismatch):
        verify_chain(root, trees, b"other", proofs)
    with pytest.raises(ProofKeyMismatch):
        verify_chain(root, trees, None, proofs)
    with pytest.raises(ProofRootMismatch):
        verify_chain(hashed(root), trees, STORE.entries[key], proofs)
    with pytest.raises(ProofKeyMismatch):
        verify_chain(root, (trees[0], (TENDERMINT, b"bank")), STORE.entries[key], proofs)
    with pytest.raises(ProofKeyMismatch):
        prove_value(root, ((IAVL, KEYS[5]), trees[1]), proofs)
    with pytest.raises(ProofOperationInvalid):
        prove_value(root, trees, proofs[:1])
    absent = (STORE.proof(b"k06"), STORE.store_proof(b"evm"))
    verify_chain(root, ((IAVL, b"k06"), trees[1]), None, absent)
    with pytest.raises(ProofKindUnsupported):
        prove_value(root, ((IAVL, key), (IAVL, b"k06"), trees[1]), (proofs[0], *absent))


def existence(**fields):
    made = STORE.existence(KEYS[0])
    for name, value in fields.items():
        part, _, field = name.partition("__")
        if field:
            setattr(getattr(made, part), field, value)
        else:
            setattr(made, part, value)
    return made


def wrapped(proof):
    return written("CommitmentProof", exist=proof)


@pytest.mark.parametrize(
    "proof",
    [
        existence(key=b""),
        existence(value=b""),
        existence(leaf__hash=2),
        existence(leaf__prehash_key=1),
        existence(leaf__prehash_value=0),
        existence(leaf__length=0),
        existence(leaf__prefix=b"\x01\x02\x0e"),
        existence(leaf__prefix=b"\x00\x02"),
        existence(leaf__prefix=b"\x00\x02\x0e\x00"),
        existence(leaf__prefix=b"\x00\x02\x0d"),
        existence(leaf__prefix=b"\x00\x02\x8e\x00"),
        existence(leaf__prefix=b"\x00\x04\x0e"),
    ],
)
def test_a_leaf_of_another_form_is_refused(proof):
    with pytest.raises(ProofOperationInvalid):
        root_of_existence(IAVL, proof.key, proof.value, wrapped(proof))


def step(prefix=None, suffix=None, hash_=1):
    made = STORE.existence(KEYS[0])
    first = made.path[0]
    first.prefix = first.prefix if prefix is None else prefix
    first.suffix = first.suffix if suffix is None else suffix
    first.hash = hash_
    return made


HEAD = zigzag(1) + zigzag(2) + zigzag(7)
SIBLING = b"\x20" + b"\x09" * 32


@pytest.mark.parametrize(
    "proof",
    [
        step(hash_=2),
        step(prefix=b""),
        step(suffix=b""),
        step(suffix=b"\x20" * 34),
        step(suffix=SIBLING * 2),
        step(suffix=b"\x21" + b"\x09" * 32),
        step(prefix=HEAD),
        step(prefix=HEAD + b"\x21"),
        step(prefix=HEAD + SIBLING + b"\x20"),
        step(prefix=b"\x00\x02\x0e\x20"),
        step(prefix=b"\x01\x04\x0e\x20"),
        step(prefix=b"\x02\x05\x0e\x20"),
        step(prefix=b"\x02\x84\x00\x0e\x20"),
        step(prefix=b"\x02\x04\x0e\x0e\x20"),
        step(prefix=b"\x02\x04" + b"\x80" * 9 + b"\x01\x20"),
    ],
)
def test_a_step_of_another_form_is_refused(proof):
    with pytest.raises(ProofOperationInvalid):
        root_of_existence(IAVL, proof.key, proof.value, wrapped(proof))


def test_a_step_below_its_place_is_refused():
    proof = STORE.existence(KEYS[0])
    second = proof.path[1]
    second.prefix = b"\x02" + second.prefix[1:]
    with pytest.raises(ProofOperationInvalid):
        root_of_existence(IAVL, proof.key, proof.value, wrapped(proof))


def raw(path):
    base = existence()
    del base.path[:]
    body = base.SerializeToString() + path
    from light_clients.protobuf import message_field

    return message_field(1, body), base


LEFT = b"\x08\x01\x12\x04\x02\x04\x0e\x20\x1a\x21" + SIBLING
RIGHT = b"\x08\x01\x12\x25\x02\x04\x0e" + SIBLING + b"\x20"


@pytest.mark.parametrize(
    ("path", "good"),
    [
        (b"\x22" + bytes([len(LEFT)]) + LEFT, True),
        (b"\x22" + bytes([len(RIGHT)]) + RIGHT, True),
        (b"\x22" + bytes([len(LEFT) - 1]) + LEFT, False),
        (b"\x22" + bytes([len(LEFT) + 1]) + LEFT, False),
        (b"\x22" + bytes([len(LEFT)]) + LEFT.replace(b"\x12\x04", b"\x12\x05"), False),
        (b"\x22" + bytes([len(RIGHT)]) + RIGHT.replace(b"\x12\x25", b"\x12\x26"), False),
        (b"\x22" + bytes([len(LEFT)]) + LEFT[:-1], False),
        (b"\x22\x80\x01" + LEFT, False),
        (b"\x2a" + bytes([len(LEFT)]) + LEFT, False),
        (b"\x22", False),
        (b"\x22\x00", False),
        (b"\x22\x04\x08\x01\x12", False),
    ],
)
def test_the_lengths_of_a_step_are_its_own(path, good):
    proof, base = raw(path)
    if good:
        assert len(root_of_existence(IAVL, base.key, base.value, proof)) == 32
    else:
        with pytest.raises(ProofOperationInvalid):
            root_of_existence(IAVL, base.key, base.value, proof)


@pytest.mark.parametrize(
    "proof",
    [
        b"",
        b"\x0a",
        b"\x0a\x05\x0a\x01k",
        b"\x0a\x02\x0a\x05",
        b"\x1a\x00",
        b"\x0a\x00",
        b"\x0a\x03\x0a\x01k",
        b"\x0a\x06\x0a\x01k\x12\x01v",
        STORE.proof(KEYS[0]) + b"\x00",
        bytes(MAXIMUM_PROOF_SIZE + 1),
    ],
)
def test_what_is_no_proof_is_refused(proof):
    with pytest.raises((ProofRefused, ProtobufRefused)):
        root_of_existence(IAVL, b"k", b"v", proof)
    with pytest.raises((ProofRefused, ProtobufRefused)):
        verify_absence(IAVL, STORE.root, b"k", proof)


def test_a_proof_that_is_too_deep_is_refused():
    proof = message(
        "ExistenceProof",
        key=b"k",
        value=b"v",
        leaf=message("LeafOp", hash=1, prehash_value=1, length=1, prefix=b"\x00"),
    )
    steps = [message("InnerOp", hash=1, prefix=b"\x01", suffix=bytes(32))] * 128
    proof.path.extend(steps)
    assert len(root_of_existence(TENDERMINT, b"k", b"v", wrapped(proof))) == 32
    proof.path.extend(steps[:1])
    with pytest.raises(ProofTooDeep):
        root_of_existence(TENDERMINT, b"k", b"v", wrapped(proof))


def absence(key, left=None, right=None, store=STORE):
    shown = {"left": left, "right": right}
    sides = {side: store.existence(known) for side, known in shown.items() if known is not None}
    return written("CommitmentProof", nonexist=message("NonExistenceProof", key=key, **sides))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (None, None),
        (KEYS[0], None),
        (None, KEYS[1]),
        (KEYS[0], KEYS[2]),
        (KEYS[1], KEYS[3]),
        (KEYS[4], KEYS[7]),
        (KEYS[3], KEYS[2]),
        (KEYS[2], KEYS[2]),
        (KEYS[3], KEYS[4]),
        (KEYS[0], KEYS[1]),
    ],
)
def test_neighbours_that_do_not_enclose_the_key_alone_are_refused(left, right):
    key = b"k06"
    assert KEYS[2] < key < KEYS[3]
    verify_absence(IAVL, STORE.root, key, absence(key, KEYS[2], KEYS[3]))
    with pytest.raises(ProofNeighboursInvalid):
        verify_absence(IAVL, STORE.root, key, absence(key, left, right))


def test_a_key_that_is_there_is_not_absent():
    for place, key in enumerate(KEYS):
        for left, right in (
            (place, None),
            (None, place),
            (place - 1, place),
            (place, place + 1),
            (place - 1, place + 1),
        ):
            sides = [KEYS[at] if at is not None and 0 <= at < len(KEYS) else None for at in (left, right)]
            with pytest.raises(ProofNeighboursInvalid):
                verify_absence(IAVL, STORE.root, key, absence(key, *sides))


def test_an_empty_key_is_neither_there_nor_absent():
    with pytest.raises(ProofKeyMismatch):
        verify_absence(IAVL, STORE.root, b"", absence(b"", None, KEYS[0]))


def test_neighbours_of_two_trees_are_refused():
    other = Store(dict.fromkeys(KEYS, b"other"))
    sides = {"left": STORE.existence(KEYS[2]), "right": other.existence(KEYS[3])}
    proof = written("CommitmentProof", nonexist=message("NonExistenceProof", key=b"k06", **sides))
    for root in (STORE.root, other.root):
        with pytest.raises(ProofRootMismatch):
            verify_absence(IAVL, root, b"k06", proof)


def test_paths_of_which_one_ends_in_the_other_are_refused():
    """Two leaves cannot be on one path; a proof that says so has no node at which they part."""
    left = STORE.existence(KEYS[2])
    right = message("ExistenceProof", key=KEYS[3], value=left.value, leaf=left.leaf, path=list(left.path))
    proof = written("CommitmentProof", nonexist=message("NonExistenceProof", key=b"k06", left=left, right=right))
    with pytest.raises(ProofRefused):
        verify_absence(IAVL, STORE.root, b"k06", proof)


class SparseTree:
    """A sparse Merkle tree over eight bits of the hashed key, empty siblings being 32 zero bytes."""

    BITS = 8

    def __init__(self, keys):
        self.keys = keys
        self.root = self._node(self._leaves(), 0)

    def _leaves(self):
        return {hashed(key)[0]: key for key in self.keys}

    def leaf(self, key):
        return hashed(b"\x00" + hashed(key) + hashed(b"v" + key))

    def _node(self, leaves, bit):
        if not leaves:
            return bytes(32)
        if bit == self.BITS:
            return self.leaf(next(iter(leaves.values())))
        return hashed(b"\x01" + self._node(*self._half(leaves, bit, 0)) + self._node(*self._half(leaves, bit, 1)))

    def _half(self, leaves, bit, side):
        return {place: key for place, key in leaves.items() if place >> (self.BITS - 1 - bit) & 1 == side}, bit + 1

    def existence(self, key):
        steps, leaves = [], self._leaves()
        for bit in range(self.BITS):
            side = hashed(key)[0] >> (self.BITS - 1 - bit) & 1
            sibling = self._node(*self._half(leaves, bit, 1 - side))
            prefix, suffix = (b"\x01", sibling) if side == 0 else (b"\x01" + sibling, b"")
            steps.insert(0, message("InnerOp", hash=1, prefix=prefix, suffix=suffix))
            leaves = self._half(leaves, bit, side)[0]
        leaf = message("LeafOp", hash=1, prehash_key=1, prehash_value=1, prefix=b"\x00")
        return message("ExistenceProof", key=key, value=b"v" + key, leaf=leaf, path=steps)


def sparse():
    keys = {}
    for number in range(40):
        keys.setdefault(hashed(b"s%d" % number)[0], b"s%d" % number)
    ordered = [keys[place] for place in sorted(keys)]
    return SparseTree(ordered[:1] + ordered[2:10] + ordered[11:]), ordered


def test_a_sparse_tree_proves_presence_and_absence():
    tree, ordered = sparse()
    for key in tree.keys:
        verify_existence(SMT, tree.root, key, b"v" + key, wrapped(tree.existence(key)))
    first, second, third = ordered[:3]
    proof = absence(second, first, third, tree)
    verify_absence(SMT, tree.root, second, proof)
    with pytest.raises(ProofNeighboursInvalid):
        verify_absence(SMT, tree.root, second, absence(second, first, ordered[3], tree))
    with pytest.raises(ProofNeighboursInvalid):
        verify_absence(SMT, tree.root, ordered[10], absence(ordered[10], ordered[9], None, tree))


def test_the_edges_of_a_sparse_tree_may_pass_empty_siblings():
    tree, ordered = sparse()
    alone = SparseTree(ordered[5:7])
    verify_absence(SMT, alone.root, ordered[0], absence(ordered[0], None, ordered[5], alone))
    verify_absence(SMT, alone.root, ordered[-1], absence(ordered[-1], ordered[6], None, alone))
    with pytest.raises(ProofNeighboursInvalid):
        verify_absence(SMT, tree.root, ordered[1], absence(ordered[1], None, ordered[2], tree))


def test_any_bytes_are_refused_by_name():
    chance = random.Random(3)
    for key, verify in ((KEYS[3], True), (b"k06", False)):
        good = STORE.proof(key)
        for _ in range(4000):
            data = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            data = bytes(data[: chance.randrange(len(data))]) if chance.random() < 0.1 else bytes(data)
            try:
                if verify:
                    verify_existence(IAVL, STORE.root, key, STORE.entries[key], data)
                else:
                    verify_absence(IAVL, STORE.root, key, data)
            except LightClientError:
                continue
            if verify:
                assert data == good
            else:
                assert read("CommitmentProof", data).nonexist.key == key
