"""Merkle-Patricia proofs: real ones, the official tries, the `trie` library as oracle, mutations, and each edge case."""

import pytest
import rlp
from hypothesis import assume, given
from hypothesis import strategies as st
from trie import HexaryTrie
from trie.exceptions import BadTrieProof

from light_clients.errors import (
    LightClientError,
    ProofIncomplete,
    ProofNodeHashMismatch,
    ProofNodeInlining,
    ProofNodeInvalid,
    ProofNodesUnused,
    ProofPathInvalid,
    ProofRefused,
    ProofValueInvalid,
    RlpNotCanonical,
)
from light_clients.proofs.patricia import (
    EMPTY_ROOT,
    slot_from_hex,
    verify_account,
    verify_proof,
    verify_storage,
)
from schemas.primitives import Bytes32
from schemas.suites import keccak256
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex, unhex_all

EMPTY_CODE = keccak256(b"")


def proof_of(trie, key):
    """Nodes that stand by hash."""
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return [node for index, node in enumerate(nodes) if index == 0 or len(node) >= 32]


# Real proofs


def check_eip1186(state_root, answer):
    account = verify_account(state_root, unhex(answer["address"]), unhex_all(answer["accountProof"]))
    storage_root = EMPTY_ROOT if account is None else account.storage_root
    if account is not None:
        assert account.nonce == int(answer["nonce"], 16)
        assert account.balance == int(answer["balance"], 16)
        assert account.code_hash.hex0x() == answer["codeHash"]
        assert account.storage_root.hex0x() == answer["storageHash"]
    for entry in answer["storageProof"]:
        word = verify_storage(storage_root, slot_from_hex(entry["key"]), unhex_all(entry["proof"]))
        assert int.from_bytes(word or b"", "big") == int(entry["value"], 16)
    return account


@pytest.mark.parametrize("name", ["eth_getProof", "eth_getProof_absent", "account_absent"])
def test_goquorum_proofs(name):
    sample = shared_json("goquorum_qbft/proof_sample.json")
    account = check_eip1186(unhex(sample["block"]["stateRoot"]), sample[name])
    assert (account is None) == (name == "account_absent")


@pytest.mark.parametrize("name", ["proof", "block_miner_proof"])
def test_mainnet_proofs(name):
    block = shared_json("mpt/helios_rpc/block.json")
    assert check_eip1186(unhex(block["stateRoot"]), shared_json(f"mpt/helios_rpc/{name}.json")) is not None


@pytest.mark.parametrize(
    "name", ["blockHash", "blockHashObject", "blockHashObjectCanonical", "blockHashObjectCanonicalFalse"]
)
def test_besu_proofs(name):
    answer = shared_json(f"mpt/besu_eth_getProof/eth_getProof_{name}.json")["response"]["result"]
    state_root = keccak256(unhex(answer["accountProof"][0]))
    account = check_eip1186(state_root, answer)
    assert account.storage_root == EMPTY_ROOT


def test_py_trie_sample_proof():
    sample = shared_json("mpt/py_trie_sample_proof_key_exists.json")
    nodes = [rlp.encode([unhex(item) for item in node]) for node in sample["proof"]]
    value = verify_proof(unhex(sample["state_root"]), unhex(sample["key"]), nodes)
    assert value == unhex(sample["proof"][-1][1])


# The official tries


def text_bytes(text):
    return unhex(text) if text.startswith("0x") else text.encode()


def official_tries():
    for name, case in shared_json("mpt/TrieTests/trieanyorder.json").items():
        yield name, list(case["in"].items()), case["root"]
    for name, case in shared_json("mpt/TrieTests/trietest.json").items():
        yield name, case["in"], case["root"]


@pytest.mark.parametrize(("name", "writes", "root"), list(official_tries()))
def test_official_tries_prove_every_key(name, writes, root):
    trie, held = HexaryTrie({}), {}
    for key, value in writes:
        if value is None:
            trie.delete(text_bytes(key))
            held[text_bytes(key)] = None
        else:
            trie[text_bytes(key)] = held[text_bytes(key)] = text_bytes(value)
    assert trie.root_hash == unhex(root)
    for key, value in held.items():
        assert verify_proof(unhex(root), key, proof_of(trie, key)) == value


def test_official_trie_proves_the_absence_of_neighbours():
    case = shared_json("mpt/TrieTests/trietestnextprev.json")["basic"]
    trie = HexaryTrie({})
    for key in case["in"]:
        trie[key.encode()] = key.encode()
    for key, _, _ in case["tests"]:
        expected = key.encode() if key in case["in"] else None
        assert verify_proof(trie.root_hash, key.encode(), proof_of(trie, key.encode())) == expected


# The oracle

ENTRIES = st.dictionaries(
    st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=40), min_size=1, max_size=24
)


@given(ENTRIES, st.binary(min_size=1, max_size=5))
def test_presence_and_absence_agree_with_the_oracle(entries, absent):
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    for key in [*entries, absent]:
        assert verify_proof(trie.root_hash, key, proof_of(trie, key)) == entries.get(key)


@given(ENTRIES, st.data())
def test_a_mutated_proof_never_proves_another_value(entries, data):
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    key = data.draw(st.sampled_from([*entries, b"absent"]))
    nodes = proof_of(trie, key)
    index = data.draw(st.integers(0, len(nodes) - 1))
    kind = data.draw(st.sampled_from(["flip", "drop", "repeat", "swap", "extend"]))
    mutated = list(nodes)
    if kind == "flip":
        position = data.draw(st.integers(0, len(nodes[index]) - 1))
        changed = bytearray(nodes[index])
        changed[position] ^= data.draw(st.integers(1, 255))
        mutated[index] = bytes(changed)
    elif kind == "drop":
        del mutated[index]
    elif kind == "repeat":
        mutated.insert(index, nodes[index])
    elif kind == "swap":
        mutated.reverse()
    else:
        mutated.append(data.draw(st.binary(max_size=40)))
    assume(mutated != nodes)
    with pytest.raises(ProofRefused):
        verify_proof(trie.root_hash, key, mutated)


def test_an_unused_node_is_refused_where_the_oracle_accepts_it():
    trie = HexaryTrie({})
    for number in range(40):
        trie[keccak256(b"%d" % number)] = b"value %d" % number
    key = keccak256(b"7")
    unused = rlp.encode([b"\x20", b"unused"])
    nodes = [*proof_of(trie, key), unused]
    assert HexaryTrie.get_from_proof(trie.root_hash, key, [rlp.decode(node) for node in nodes]) == b"value 7"
    with pytest.raises(ProofNodesUnused):
        verify_proof(trie.root_hash, key, nodes)
    with pytest.raises(BadTrieProof):
        HexaryTrie.get_from_proof(trie.root_hash, key, [rlp.decode(node) for node in nodes[1:]])


# Edge cases, one by one


def leaf(path, value=b"value of a leaf that is long enough to be hashed"):
    return rlp.encode([path, value])


def branch(children=None, value=b""):
    items = [b""] * 16 + [value]
    for index, child in (children or {}).items():
        items[index] = child
    return rlp.encode(items)


def check(error, key, *nodes, root=None):
    with pytest.raises(error):
        verify_proof(root or keccak256(nodes[0]), key, list(nodes))


@pytest.mark.parametrize("proof", [[], [b"\x80"]])
def test_the_empty_trie_proves_absence(proof):
    assert verify_proof(EMPTY_ROOT, b"key", proof) is None


def test_the_empty_trie_with_more_is_refused():
    check(ProofNodeInvalid, b"key", b"\x80", b"\x80", root=EMPTY_ROOT)


def test_a_proof_without_nodes_proves_nothing():
    with pytest.raises(ProofIncomplete):
        verify_proof(keccak256(b"root"), b"key", [])


def test_the_root_is_compared_however_short_its_node_is():
    node = leaf(b"\x20\x12", b"v")
    assert len(node) < 32
    assert verify_proof(keccak256(node), b"\x12", [node]) == b"v"
    check(ProofNodeHashMismatch, b"\x12", node, root=keccak256(b"another root"))


def test_an_inlined_child_has_no_proof_element_of_its_own():
    child = [b"\x32", b"v"]  # odd leaf, nibble 2
    node = branch({1: child})
    assert verify_proof(keccak256(node), b"\x12", [node]) == b"v"
    check(ProofNodesUnused, b"\x12", node, rlp.encode(child))


def test_a_short_node_by_hash_is_refused():
    child = rlp.encode([b"\x32", b"v"])
    check(ProofNodeInlining, b"\x12", branch({1: keccak256(child)}), child)


def test_a_long_node_inlined_is_refused():
    check(ProofNodeInlining, b"\x12", branch({1: [b"\x32", b"v" * 40]}))


def test_a_node_stands_by_hash_from_32_bytes_on():
    short, long = [b"\x32", b"v" * 28], [b"\x32", b"v" * 29]
    assert (len(rlp.encode(short)), len(rlp.encode(long))) == (31, 32)
    inlined, hashed = branch({1: short}), branch({1: keccak256(rlp.encode(long))})
    assert verify_proof(keccak256(inlined), b"\x12", [inlined]) == b"v" * 28
    assert verify_proof(keccak256(hashed), b"\x12", [hashed, rlp.encode(long)]) == b"v" * 29
    check(ProofNodeInlining, b"\x12", branch({1: long}))
    check(ProofNodeInlining, b"\x12", branch({1: keccak256(rlp.encode(short))}), rlp.encode(short))


def test_an_empty_slot_of_a_branch_proves_absence():
    node = branch({2: keccak256(b"child")})
    assert verify_proof(keccak256(node), b"\x12", [node]) is None


def test_a_leaf_with_another_remainder_proves_absence():
    for path in (b"\x20\x13", b"\x31", b"\x20\x12\x34"):
        node = leaf(path)
        assert verify_proof(keccak256(node), b"\x12", [node]) is None


def test_a_leaf_that_is_too_short_proves_absence():
    node = leaf(b"\x20\x12")
    assert verify_proof(keccak256(node), b"\x12\x34", [node]) is None


def test_an_extension_that_diverges_proves_absence():
    for path in (b"\x13", b"\x00\x13", b"\x00\x12\x34"):
        node = rlp.encode([path, keccak256(b"child")])
        assert verify_proof(keccak256(node), b"\x12", [node]) is None


def test_a_key_that_ends_at_a_branch():
    empty, full = branch({1: keccak256(b"child")}), branch({1: keccak256(b"child")}, b"value")
    assert verify_proof(keccak256(empty), b"", [empty]) is None
    assert verify_proof(keccak256(full), b"", [full]) == b"value"


def test_an_extension_leads_on():
    child = branch({3: [b"\x34", b"v"]}, b"value to make the branch long")
    node = rlp.encode([b"\x00\x12", keccak256(child)])
    assert verify_proof(keccak256(node), b"\x12\x34", [node, child]) == b"v"
    assert verify_proof(keccak256(node), b"\x12", [node, child]) == b"value to make the branch long"


@pytest.mark.parametrize("path", [b"\x40\x12", b"\xff", b"\x21\x12", b"\x0f\x12", b""])
def test_flags_and_padding_of_a_path(path):
    check(ProofPathInvalid, b"\x12", leaf(path))


def test_a_path_that_is_a_list():
    check(ProofPathInvalid, b"\x12", rlp.encode([[b"\x20"], b"value"]))


def test_an_extension_with_an_empty_path():
    check(ProofPathInvalid, b"\x12", rlp.encode([b"\x00", keccak256(b"child")]))


@pytest.mark.parametrize("items", [[], [b"\x20"], [b"\x20", b"v", b"w"], [b""] * 16, [b""] * 18])
def test_a_node_of_another_size(items):
    check(ProofNodeInvalid, b"\x12", rlp.encode(items))


def test_a_node_that_is_a_string():
    check(ProofNodeInvalid, b"\x12", rlp.encode(b"no node"))


def test_a_node_that_is_not_canonical():
    check(ProofNodeInvalid, b"\x12", b"\xc3\x81\x20\x61")


def test_a_leaf_without_value():
    check(ProofNodeInvalid, b"\x12", leaf(b"\x20\x12", b""))


def test_a_leaf_whose_value_is_a_list():
    check(ProofValueInvalid, b"\x12", rlp.encode([b"\x20\x12", [b"value"]]))


def test_a_reference_of_31_bytes():
    check(ProofNodeInvalid, b"\x12", branch({1: bytes(31)}))


def test_nodes_after_a_proof_of_absence():
    node = branch({2: keccak256(b"child")})
    check(ProofNodesUnused, b"\x12", node, node)


# Accounts and words

ADDRESS = keccak256(b"address")[:20]


def one_account(fields):
    trie = HexaryTrie({})
    trie[keccak256(ADDRESS)] = rlp.encode(fields)
    return trie.root_hash, proof_of(trie, keccak256(ADDRESS))


GOOD_ACCOUNT = [1, 10**18, bytes(EMPTY_ROOT), EMPTY_CODE]


def test_an_account_is_read():
    account = verify_account(*_with_address(one_account(GOOD_ACCOUNT)))
    assert (account.nonce, account.balance) == (1, 10**18)
    assert (account.storage_root, account.code_hash) == (EMPTY_ROOT, EMPTY_CODE)


def _with_address(root_and_proof):
    root, proof = root_and_proof
    return root, ADDRESS, proof


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (ProofValueInvalid, GOOD_ACCOUNT[:3]),
        (ProofValueInvalid, [*GOOD_ACCOUNT, b""]),
        (ProofValueInvalid, [1, 1, bytes(31), EMPTY_CODE]),
        (ProofValueInvalid, [1, 1, bytes(EMPTY_ROOT), EMPTY_CODE + b"\x00"]),
        (ProofValueInvalid, [1, 1, [b""] * 32, EMPTY_CODE]),
        (ProofValueInvalid, [1, 1, bytes(EMPTY_ROOT), [b""] * 32]),
        (RlpNotCanonical, [2**64, 1, bytes(EMPTY_ROOT), EMPTY_CODE]),
        (RlpNotCanonical, [1, b"\x00", bytes(EMPTY_ROOT), EMPTY_CODE]),
    ],
)
def test_an_account_of_another_form(error, fields):
    with pytest.raises(error):
        verify_account(*_with_address(one_account(fields)))


def one_word(value):
    trie, slot = HexaryTrie({}), bytes(32)
    trie[keccak256(slot)] = value
    return trie.root_hash, slot, proof_of(trie, keccak256(slot))


def test_a_word_is_padded_to_32_bytes():
    assert verify_storage(*one_word(rlp.encode(0x1234))) == Bytes32(bytes(30) + b"\x12\x34")
    assert verify_storage(*one_word(rlp.encode(2**256 - 1))) == Bytes32(b"\xff" * 32)


@pytest.mark.parametrize(
    ("error", "value"),
    [
        (ProofValueInvalid, b"\x80"),
        (RlpNotCanonical, rlp.encode(b"\x00\x01")),
        (RlpNotCanonical, rlp.encode(b"\x01" * 33)),
        (RlpNotCanonical, rlp.encode([b"\x01"])),
    ],
)
def test_a_word_of_another_form(error, value):
    with pytest.raises(error):
        verify_storage(*one_word(value))


def test_an_absent_account_has_empty_storage():
    assert verify_storage(EMPTY_ROOT, bytes(32), []) is None


@pytest.mark.parametrize("text", ["0x0", "0x00", "0x" + "0" * 64])
def test_a_slot_is_padded_on_the_left(text):
    assert slot_from_hex(text) == bytes(32)
    assert slot_from_hex(text[:-1] + "a") == bytes(31) + b"\x0a"


def test_a_slot_is_read_in_hexadecimal():
    assert slot_from_hex("0x0347") == slot_from_hex("0x347") == bytes(30) + b"\x03\x47"


@pytest.mark.parametrize("text", ["", "0x", "0xg", "0x1_0", "0x" + "0" * 65, "-1"])
def test_a_slot_that_is_no_number(text):
    with pytest.raises(ProofValueInvalid):
        slot_from_hex(text)


@given(st.lists(st.binary(max_size=60), max_size=3), st.binary(max_size=4))
def test_arbitrary_nodes_are_refused_by_the_family_only(nodes, key):
    root = keccak256(nodes[0]) if nodes else bytes(32)
    try:
        verify_proof(root, key, nodes)
    except LightClientError:
        return
    assert len(nodes) == 1


# Full branches, which are followed without being decoded


def full_branch(children, value=b""):
    return rlp.encode([*children, value])


CHILDREN = [keccak256(b"child %d" % number) for number in range(16)]
LEAF = rlp.encode([bytes.fromhex("3" + "1" * 63), rlp.encode(b"value".ljust(32, b"."))])


@pytest.mark.parametrize("nibble", range(16))
def test_a_full_branch_leads_to_each_of_its_children(nibble):
    children = [*CHILDREN[:nibble], keccak256(LEAF), *CHILDREN[nibble + 1 :]]
    branch = full_branch(children)
    assert len(branch) == 532
    key = bytes.fromhex(f"{nibble:x}" + "1" * 63)
    assert verify_proof(keccak256(branch), key, [branch, LEAF]) == rlp.encode(b"value".ljust(32, b"."))
    with pytest.raises(ProofNodeHashMismatch):
        verify_proof(keccak256(branch), bytes.fromhex(f"{(nibble + 1) % 16:x}" + "1" * 63), [branch, LEAF])
    with pytest.raises(ProofIncomplete):
        verify_proof(keccak256(branch), key, [branch])


def test_what_only_resembles_a_full_branch_is_decoded_and_refused():
    branch = full_branch([keccak256(LEAF), *CHILDREN[1:]])
    key = bytes.fromhex("0" + "1" * 63)
    longer = [
        branch + b"\x00",
        branch + bytes(31),
        b"\xf9\x02\x12" + branch[3:],
        b"\xf9\x02\x10" + branch[3:],
        branch[:-1],
    ]
    prefixes = [
        bytes([*branch[:at], byte, *branch[at + 1 :]]) for at, byte in ((3, 0xA1), (36, 0x9F), (531, 0x81), (0, 0xF8))
    ]
    for node in (*longer, *prefixes):
        with pytest.raises(ProofNodeInvalid):
            verify_proof(keccak256(node), key, [node, LEAF])


def test_a_key_that_ends_at_a_full_branch_has_no_value():
    branch = full_branch(CHILDREN)
    assert verify_proof(keccak256(branch), b"", [branch]) is None
    assert verify_proof(keccak256(full_branch(CHILDREN, b"here")), b"", [full_branch(CHILDREN, b"here")]) == b"here"
