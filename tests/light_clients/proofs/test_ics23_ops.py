"""Single operations of ICS-23: the tables of cosmos/ics23, and operations that no tree has."""

from pathlib import Path

import pytest

from light_clients.proofs.ics23_ops import InnerOperation, LeafOperation, ProofOperationInvalid, hash_of
from tests.support.shared_vectors import SHARED
from tests.vector_table import ics23

ROWS = [row for row in ics23.items(SHARED / "ics23") if row.name.startswith("Test")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_tables(row):
    assert row.passed, row


def test_there_are_tables():
    assert len(ROWS) > 20
    assert isinstance(SHARED, Path)


@pytest.mark.parametrize("operation", [0, 3, 9, 99])
def test_an_unknown_hash_is_refused(operation):
    with pytest.raises(ProofOperationInvalid):
        hash_of(operation, b"food")
    with pytest.raises(ProofOperationInvalid):
        InnerOperation(b"", b"", operation).apply(b"child")


@pytest.mark.parametrize("length", [2, 7, 8, 99])
def test_an_unknown_length_is_refused(length):
    with pytest.raises(ProofOperationInvalid):
        LeafOperation(length=length).apply(b"key", b"value")


def test_key_value_and_child_are_there():
    for key, value in ((b"", b"value"), (b"key", b"")):
        with pytest.raises(ProofOperationInvalid):
            LeafOperation().apply(key, value)
    with pytest.raises(ProofOperationInvalid):
        InnerOperation(b"prefix", b"suffix").apply(b"")


def test_a_key_is_hashed_before_it_where_the_operation_says_so():
    assert LeafOperation(prehash_key=1).apply(b"k", b"v") == hash_of(1, hash_of(1, b"k") + b"v")
