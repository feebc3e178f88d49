"""Real headers: Rinkeby's epoch block, Görli's first block, and a live geth network that votes a signer out."""

from dataclasses import replace

import pytest

from adapters.ethereum.headers import header_rlp
from light_clients import clique
from light_clients.bft.types import ValidatorSet
from light_clients.clique.chain import follow
from light_clients.clique.codec import parse_header, sealer_of
from light_clients.clique.types import CliqueState, Snapshot
from light_clients.errors import SealForeign
from schemas.primitives import BlockHash
from tests.support.shared_vectors import shared_json
from tests.support.vectors import unhex, unhex_all

LIVE = shared_json("clique_live/headers_vote_out.json")
BLOCKS = LIVE["blocks"]
RAW = [unhex(block["raw"]) for block in BLOCKS]
DEFAULT = clique.CliqueConfiguration()


def state_at(index):
    """The state at a block of the live network, with the signers that its node told; no vote was open there."""
    parsed = parse_header(RAW[index])
    signers = tuple(sorted(unhex_all(BLOCKS[index]["signers"])))
    sealers = tuple(sealer_of(item.seal_digest, item.seal) for item in map(parse_header, RAW[: index + 1]))
    snapshot = Snapshot(parsed.height, parsed.block_hash, parsed.timestamp, signers, (), sealers)
    return CliqueState(DEFAULT, snapshot, (parsed.block_hash,), (ValidatorSet(parsed.height, signers),))


def run_at(state, index):
    return b"".join(RAW[index : index + state.confirmations + 1])


def test_every_live_header_is_followed_and_told_as_the_node_tells_it():
    state, judged = state_at(0), 0
    for index, block in enumerate(BLOCKS[1:], start=1):
        assert header_rlp(block["json"], block["number"]) == RAW[index]
        if index + state.confirmations >= len(RAW):
            break
        verified = clique.verify_header(state, run_at(state, index), int(block["json"]["timestamp"], 16) + 5)
        assert verified.height == block["number"]
        assert verified.block_hash.hex0x() == block["json"]["hash"]
        assert verified.state_root.hex0x() == block["json"]["stateRoot"]
        assert block["signer"] in (None, "0x" + verified.sealer.hex())
        state, judged = clique.apply(state, verified), judged + 1
        assert (state.height, state.block_hash, state.timestamp) == (
            verified.height,
            verified.block_hash,
            verified.timestamp,
        )
        assert state.signers == tuple(sorted(unhex_all(block["signers"])))
    assert judged == len(RAW) - 1 - state.confirmations


def test_the_last_live_headers_follow_by_every_rule_too():
    snapshot = state_at(0).newest
    for raw in RAW[1:]:
        snapshot = follow(DEFAULT, snapshot, parse_header(raw))
    assert snapshot.block_hash.hex0x() == BLOCKS[-1]["json"]["hash"]
    assert snapshot.signers == tuple(sorted(unhex_all(BLOCKS[-1]["signers"])))


def test_the_set_changes_with_the_vote_and_is_told_by_height():
    state = state_at(0)
    for index in range(1, len(RAW) - 2):
        state = clique.apply(state, clique.verify_header(state, run_at(state, index), state.timestamp + 9))
    assert [(known.first_height, len(known.members)) for known in state.sets] == [(2, 3), (17, 2)]
    assert [len(state.set_at(height)) for height in (16, 17)] == [3, 2]


def test_a_header_of_the_shrunk_set_is_refused_without_the_votes():
    index = next(number for number, block in enumerate(BLOCKS) if len(block["signers"]) == 2)
    state = state_at(index)
    three = state_at(0).signers
    gone = (set(three) - set(state.signers)).pop()
    other = replace(state.newest, signers=tuple(sorted({*state.signers, gone} - {state.signers[0]})))
    runs = [run_at(state, at) for at in range(index + 1, len(RAW) - 2)]
    assert runs
    with pytest.raises(SealForeign):
        clique.verify_header(replace(state, newest=other), runs[0], state.timestamp + 9)


def test_the_genesis_file_says_who_may_seal():
    extra = unhex(LIVE["genesis"]["extraData"])
    assert extra[32:-65] == b"".join(sorted(unhex_all(BLOCKS[0]["signers"])))


def test_rinkebys_epoch_block_starts_a_client():
    block = shared_json("clique/rinkeby_30000.json")
    header = header_rlp(block)
    state = clique.bootstrap(header, BlockHash.from_hex(block["hash"]), clique.CliqueConfiguration(epoch_length=30_000))
    assert state.height == 30_000
    assert b"".join(state.signers) == unhex(block["genesis_extraData"])[32:-65]
    parsed = parse_header(header)
    assert sealer_of(parsed.seal_digest, parsed.seal) == state.signers[30_000 % 3]
    assert parsed.difficulty == 2


def test_goerlis_first_block_follows_its_genesis():
    (block,) = shared_json("clique/goerli_1.json")
    parsed = parse_header(header_rlp(block))
    assert parsed.block_hash.hex0x() == block["hash"]
    signer = unhex(block["expected_signer"])
    parent = BlockHash.from_hex(block["parentHash"])
    before = Snapshot(0, parent, parsed.timestamp - 15, (signer,), (), ())
    after = follow(clique.CliqueConfiguration(period_s=15), before, parsed)
    assert (after.sealers, after.signers) == ((signer,), (signer,))
