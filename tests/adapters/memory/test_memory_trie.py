"""Tries built in one go have the roots and paths of a well-kept library."""

from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from adapters.memory.trie import EMPTY_ROOT, Trie
from schemas.suites import keccak256


@given(
    st.dictionaries(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=60), max_size=60),
    st.binary(max_size=8),
)
def test_root_and_paths_equal_the_librarys(content, absent):
    oracle = HexaryTrie({})
    for name, value in content.items():
        oracle[keccak256(name)] = value
    trie = Trie(content)
    assert trie.root == oracle.root_hash
    for name in [*content, absent]:
        path = trie.path(name)
        assert path[:1] == ((path[0],) if content else ())
        assert list(path) == [encode(node) for node in oracle.get_proof(keccak256(name))] if content else path == ()


def encode(node):
    import rlp

    return rlp.encode(node)


def test_an_empty_trie_has_the_known_root():
    assert Trie({}).root == EMPTY_ROOT
    assert EMPTY_ROOT.hex().startswith("56e81f17")


def test_a_path_may_end_inside_a_shared_beginning():
    names = [b"%d" % number for number in range(200)]
    shared = [name for name in names if keccak256(name)[0] >> 4 == 7][:4]
    absent = next(name for name in names if keccak256(name)[0] >> 4 == 8)
    assert len(Trie(dict.fromkeys(shared, b"value")).path(absent)) == 1
