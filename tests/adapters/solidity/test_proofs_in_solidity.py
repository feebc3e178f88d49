"""RLP and Merkle-Patricia proofs read by the contract as Python reads them: vectors, edge cases, mutations."""

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from adapters.solidity.contracts import contract
from light_clients.errors import LightClientError, ProofRefused, RlpRefused
from light_clients.proofs.patricia import EMPTY_ROOT, verify_proof
from light_clients.rlp import decode
from schemas.suites import keccak256
from tests.support.evm_world import STRANGER, EvmChain, Refused
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex, unhex_all

NAME = "test/ProofHarness"
REFUSALS = {
    "ProofIncomplete": {"ProofIncomplete"},
    "ProofNodeHashMismatch": {"ProofNodeMismatch"},
    "ProofNodesUnused": {"ProofNodesUnused"},
    "ProofNodeInlining": {"ProofNodeMalformed"},
    "ProofNodeInvalid": {"ProofNodeMalformed", "RlpMalformed"},
    "ProofPathInvalid": {"ProofNodeMalformed"},
    "ProofValueInvalid": {"ProofNodeMalformed"},
}


def judged(judge, *arguments):
    """What a judge says, or the name of its refusal."""
    try:
        return judge(*arguments)
    except (LightClientError, Refused) as error:
        return error.name


class Harness:
    def __init__(self):
        self.chain = EvmChain("alpha")
        self.address = self.chain.create(NAME)

    def ask(self, function, *arguments):
        data = contract(NAME).encode(function, *arguments)
        return contract(NAME).decode(function, self.chain.transact(STRANGER, self.address, data).output)[0]

    def find(self, root, key, proof):
        return self.ask("find", root, key, list(proof)) or None

    def agrees(self, root, key, proof):
        """The contract says what Python says: a value, none, or a refusal of that kind."""
        expected = judged(verify_proof, root, key, proof)
        found = judged(self.find, root, key, proof)
        assert found in REFUSALS.get(expected, {expected}), expected
        return expected


@pytest.fixture(scope="module")
def harness():
    return Harness()


def proof_of(trie, key):
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return [node for index, node in enumerate(nodes) if index == 0 or len(node) >= 32]


# Merkle-Patricia


def eip1186(harness, state_root, answer):
    harness.agrees(state_root, keccak256(unhex(answer["address"])), unhex_all(answer["accountProof"]))
    root = unhex(answer["storageHash"])
    for entry in answer["storageProof"]:
        slot = int(entry["key"], 16).to_bytes(32, "big")
        value = harness.agrees(root, keccak256(slot), unhex_all(entry["proof"]))
        assert (value is None) == (int(entry["value"], 16) == 0)


@pytest.mark.parametrize("name", ["eth_getProof", "eth_getProof_absent", "account_absent"])
def test_real_proofs_of_goquorum(harness, name):
    sample = shared_json("goquorum_qbft/proof_sample.json")
    eip1186(harness, unhex(sample["block"]["stateRoot"]), sample[name])


@pytest.mark.parametrize("name", ["proof", "block_miner_proof"])
def test_real_proofs_of_the_main_network(harness, name):
    block = shared_json("mpt/helios_rpc/block.json")
    eip1186(harness, unhex(block["stateRoot"]), shared_json(f"mpt/helios_rpc/{name}.json"))


@pytest.mark.parametrize("name", ["blockHash", "blockHashObject", "blockHashObjectCanonical"])
def test_real_proofs_of_besu(harness, name):
    answer = shared_json(f"mpt/besu_eth_getProof/eth_getProof_{name}.json")["response"]["result"]
    eip1186(harness, keccak256(unhex(answer["accountProof"][0])), answer)


def text_bytes(text):
    return unhex(text) if text.startswith("0x") else text.encode()


def official_tries():
    for name, case in shared_json("mpt/TrieTests/trieanyorder.json").items():
        yield name, list(case["in"].items()), case["root"]
    for name, case in shared_json("mpt/TrieTests/trietest.json").items():
        yield name, case["in"], case["root"]


@pytest.mark.parametrize(("name", "writes", "root"), list(official_tries()))
def test_official_tries(harness, name, writes, root):
    trie, held = HexaryTrie({}), {}
    for key, value in writes:
        if value is None:
            trie.delete(text_bytes(key))
            held[text_bytes(key)] = None
        else:
            trie[text_bytes(key)] = held[text_bytes(key)] = text_bytes(value)
    for key, value in held.items():
        assert harness.agrees(unhex(root), key, proof_of(trie, key)) == value, name


def test_the_empty_trie_holds_nothing(harness):
    for proof in ((), (b"\x80",)):
        assert harness.agrees(EMPTY_ROOT, b"key", proof) is None
    for proof in ((b"\x81",), (b"\x80", b"\x80")):
        assert harness.agrees(EMPTY_ROOT, b"key", proof) in REFUSALS


def node_case(name):
    """A key and nodes whose first is the root: the named edge case."""
    big, small = b"v" * 40, b"v"
    cases = {
        "leaf": (b"\x12", [[b"\x20\x12", big]]),
        "leaf of odd length": (b"\x12", [[b"", b"below", *[b""] * 15], b""]),
        "leaf with another remainder": (b"\x12", [[b"\x20\x13", big]]),
        "leaf shorter than the key": (b"\x12", [[b"\x31", big]]),
        "leaf longer than the key": (b"\x12", [[b"\x20\x12\x34", big]]),
        "extension that diverges": (b"\x12", [[b"\x00\x34", bytes(32)]]),
        "empty slot of a branch": (b"\x12", [[b""] * 16 + [big]]),
        "key that ends at a branch": (b"", [[b""] * 16 + [big]]),
        "key that ends at a branch without value": (b"", [[b"x" * 32] + [b""] * 16]),
        "value is a list": (b"\x12", [[b"\x20\x12", [big]]]),
        "branch's value is a list": (b"", [[b""] * 16 + [[big]]]),
        "flag 4": (b"\x12", [[b"\x40\x12", big]]),
        "padding": (b"\x12", [[b"\x21\x12", big]]),
        "odd path": (b"\x12", [[b"\x11", [b"\x32", small]]]),
        "empty path": (b"\x12", [[b"", big]]),
        "path is a list": (b"\x12", [[[b"\x20\x12"], big]]),
        "empty extension": (b"\x12", [[b"\x00", bytes(32)]]),
        "leaf without value": (b"\x12", [[b"\x20\x12", b""]]),
        "extension without child": (b"\x12", [[b"\x00\x34", b""]]),
        "leaf without value beside the path": (b"\x12", [[b"\x20\x34", b""]]),
        "three items": (b"\x12", [[b"\x20\x12", big, big]]),
        "eighteen items": (b"\x12", [[b""] * 18]),
        "sixteen items": (b"\x12", [[b""] * 16]),
        "no items": (b"\x12", [[]]),
        "child of 31 bytes": (b"\x12", [[b"\x11", b"c" * 31]]),
        "child of 33 bytes in a branch": (b"\x12", [[b"", b"c" * 33, *[b""] * 15]]),
        "inlined leaf": (b"\x12", [[b"", [b"\x32", small], *[b""] * 15]]),
        "inlined branch in an extension": (b"\x12", [[b"\x11", [b"", b"", [b"\x20", small], *[b""] * 14]]]),
        "inlined beyond 31 bytes": (b"\x12", [[b"", [b"\x32", big], *[b""] * 15]]),
        "inlined of 31 bytes": (b"\x12", [[b"", [b"\x32", b"v" * 28], *[b""] * 15]]),
        "inlined of 32 bytes": (b"\x12", [[b"", [b"\x32", b"v" * 29], *[b""] * 15]]),
        "extension across bytes": (b"\x12\x34\x56", [[b"", [b"\x00\x23", [b"\x20", small]], *[b""] * 15]]),
        "even path behind one nibble": (b"\x12\x34", [[b"", [b"\x00\x23", [b"\x34", small]], *[b""] * 15]]),
        "even path behind one nibble, another": (b"\x12\x34", [[b"", [b"\x00\x24", [b"\x34", small]], *[b""] * 15]]),
        "odd path behind one nibble": (b"\x12\x34", [[b"", [b"\x32\x34", small], *[b""] * 15]]),
        "odd path behind one nibble, first nibble": (b"\x12\x34", [[b"", [b"\x33\x34", small], *[b""] * 15]]),
        "odd path behind one nibble, last nibble": (b"\x12\x34", [[b"", [b"\x32\x35", small], *[b""] * 15]]),
        "long key": (bytes(range(40)), [[b"\x20" + bytes(range(40)), big]]),
        "long key, last byte": (bytes(range(40)), [[b"\x20" + bytes(range(39)) + b"\x00", big]]),
        "long key, first byte": (bytes(range(40)), [[b"\x20\x01" + bytes(range(1, 40)), big]]),
        "nodes left over": (b"\x12", [[b"\x20\x12", big], [b"\x20\x12", big]]),
        "nodes left over at absence": (b"\x12", [[b"\x20\x13", big], [b"\x20\x12", big]]),
    }
    key, nodes = cases[name] if name else (b"", sorted(cases))
    return key, nodes


@pytest.mark.parametrize("name", node_case("")[1])
def test_edge_cases_of_nodes(harness, name):
    key, nodes = node_case(name)
    encoded = [rlp.encode(node) for node in nodes]
    harness.agrees(keccak256(encoded[0]), key, encoded)


def linked(*nodes):
    """Nodes from the last up: `None` in a node stands for the hash of the next."""
    encoded, below = [], b""
    for node in reversed(nodes):
        raw = rlp.encode([below if item is None else item for item in node])
        encoded.insert(0, raw)
        below = keccak256(raw)
    return below, encoded


@pytest.mark.parametrize(
    ("size", "outcome"), [(29, b"v" * 29), (28, "ProofNodeInlining")], ids=["32 bytes", "31 bytes"]
)
def test_a_child_below_32_bytes_never_stands_by_hash(harness, size, outcome):
    root, nodes = linked([b"", None, *[b""] * 15], [b"\x32", b"v" * size])
    assert harness.agrees(root, b"\x12", nodes) == outcome


def test_a_root_below_32_bytes_stands_by_hash(harness):
    root, nodes = linked([b"\x20\x12", b"v"])
    assert harness.agrees(root, b"\x12", nodes) == b"v"
    assert harness.agrees(keccak256(b"other"), b"\x12", nodes) == "ProofNodeHashMismatch"


def test_missing_nodes(harness):
    root, nodes = linked([b"", None, *[b""] * 15], [b"\x32", b"v" * 40])
    assert harness.agrees(root, b"\x12", nodes[:1]) == "ProofIncomplete"
    assert harness.agrees(root, b"\x12", []) == "ProofIncomplete"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xc3\x20\xa0\x00",
        b"\x83abc",
        b"\xc1",
        b"\xc2\x20\x12\x00",
        b"\xc3\x20\x81\x12",
        b"\xf8\x02\x20\x12",
        b"\xc2\xc1\x80",
    ],
    ids=[
        "hash beyond the end",
        "a string",
        "cut",
        "trailing byte",
        "byte under a prefix",
        "long form of a short list",
        "inner list cut",
    ],
)
def test_nodes_that_are_no_canonical_list(harness, raw):
    assert harness.agrees(keccak256(raw), b"\x12", [raw]) == "ProofNodeInvalid"


def test_lists_inside_a_neighbour_are_read_as_strictly(harness):
    good = rlp.encode([b"", [b"\x32", b"v"], *[b""] * 15])
    assert harness.agrees(keccak256(good), b"\x02", [good]) is None
    bad = good.replace(rlp.encode([b"\x32", b"v"]), b"\xc2\x81v")
    assert harness.agrees(keccak256(bad), b"\x02", [bad]) == "ProofNodeInvalid"


TRIE = HexaryTrie({})
for _number in range(200):
    TRIE[keccak256(b"key %d" % _number)] = rlp.encode(keccak256(b"value %d" % _number)[: 1 + _number % 32])


@given(st.integers(0, 399), st.integers(0, 10), st.integers(0, 4_000), st.integers(0, 255))
@settings(deadline=None, max_examples=200)
def test_mutated_proofs_are_judged_alike(harness, number, node, place, mask):
    key = keccak256(b"key %d" % number)
    proof = proof_of(TRIE, key)
    changed = bytearray(proof[node % len(proof)])
    changed[place % len(changed)] ^= mask
    proof[node % len(proof)] = bytes(changed)
    outcome = harness.agrees(TRIE.root_hash, key, proof)
    assert (outcome == "ProofNodeHashMismatch") == (mask != 0)


# RLP


def canonical(harness, data):
    answer = judged(harness.ask, "canonical", data)
    return False if answer == "RlpMalformed" else answer


def read_by_python(data):
    try:
        decode(data)
    except RlpRefused:
        return False
    return True


def rlp_vectors():
    for name, case in shared_json("rlp/rlptest.json").items():
        yield name, case["out"]


@pytest.mark.parametrize(("name", "text"), list(rlp_vectors()))
def test_canonical_items_are_read(harness, name, text):
    assert read_by_python(unhex(text)) is canonical(harness, unhex(text)) is True, name


@pytest.mark.parametrize(
    "data",
    [
        "", "81", "8100", "817f", "8180", "b8", "b800", "b83700", "b838", "b900", "b90038" + "00" * 56,
        "b838" + "00" * 56, "b838" + "00" * 55, "b838" + "00" * 57, "bfffffffffffffffff", "bf0000000000000001",
        "c1", "c100", "c0c0", "c08080", "f8", "f800", "f838" + "00" * 56, "f837" + "00" * 55, "ffffffffffffffffff",
        "c2c180", "c3c18080", "c1c1", "c28100", "00", "7f", "80", "c0", "f90038" + "00" * 56, "c4c3c2c1c0",
    ],
)  # fmt: skip
def test_what_is_canonical_is_what_python_reads(harness, data):
    assert canonical(harness, unhex(data)) is read_by_python(unhex(data))


@pytest.mark.parametrize(("depth", "accepted"), [(32, True), (33, False)])
def test_lists_are_nested_as_deep_as_python_reads(harness, depth, accepted):
    data = b"\xc0"
    for _ in range(depth - 1):
        data = rlp.codec.length_prefix(len(data), 0xC0) + data
    assert canonical(harness, data) is read_by_python(data) is accepted


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_judged_alike(harness, data):
    assert canonical(harness, data) is read_by_python(data)


def test_every_refusal_of_python_has_its_counterpart():
    assert {error.__name__ for error in ProofRefused.__subclasses__()} >= set(REFUSALS)
