"""Claims on a history: the last entry, a prefix, and everything that lies beside it."""

import pytest

from light_clients.errors import HeadNotInHistory, HistoryMismatch
from light_clients.history import check_claim_in_history, fold_history
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, outbox_genesis
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import EVM, SM, keccak256

LANE = LaneId(keccak256(b"lane"))
START = outbox_genesis(LANE)
IDS = [keccak256(b"entry %d" % number) for number in range(5)]


def claim(nonce, head):
    return Claim(LANE, Direction.OUTBOX, nonce, head, 3, BlockHash(keccak256(b"block")))


@pytest.mark.parametrize("suite", [EVM, SM], ids=["evm", "sm"])
def test_folding_keeps_every_head(suite):
    heads = fold_history(suite, START, IDS)
    assert heads == [fold_all(suite, START, IDS[: count + 1]) for count in range(5)]
    assert fold_history(suite, START, []) == []


@pytest.mark.parametrize("known", [0, 2, 5])
def test_every_prefix_is_in_the_history(known):
    heads = [START, *fold_history(EVM, START, IDS)]
    for nonce in range(max(known, 1), 6):
        check_claim_in_history(EVM, claim(nonce, heads[nonce]), heads[known], known, IDS[known:], proved_head=heads[5])


@pytest.mark.parametrize("ids", [IDS[:4], IDS[1:], [*IDS[:3], IDS[4], IDS[3]], [*IDS, IDS[4]], [*IDS[:4], b"\x01"]])
def test_left_out_reordered_repeated_or_cut_entries(ids):
    heads = fold_history(EVM, START, IDS)
    with pytest.raises(HistoryMismatch):
        check_claim_in_history(EVM, claim(1, heads[0]), START, 0, ids, proved_head=heads[4])


def test_a_head_with_the_nonce_of_another():
    heads = fold_history(EVM, START, IDS)
    with pytest.raises(HeadNotInHistory):
        check_claim_in_history(EVM, claim(3, heads[1]), START, 0, IDS, proved_head=heads[4])


@pytest.mark.parametrize("nonce", [1, 8])
def test_a_nonce_before_or_after_the_history(nonce):
    heads = fold_history(EVM, START, IDS)
    with pytest.raises(HeadNotInHistory):
        check_claim_in_history(EVM, claim(nonce, Head(heads[4])), START, 2, IDS, proved_head=heads[4])


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_an_id_of_another_size_is_never_folded(size):
    with pytest.raises(HistoryMismatch):
        fold_history(EVM, START, [IDS[0], b"\x01" * size])
