"""Receipts of lanes of ledgers that prove no state: our light client judges the event, told which block was accepted."""

import pytest

from light_clients.chainmaker import evidence_of_block
from light_clients.errors import HeadMismatch
from light_clients.pins import chainmaker_hash
from relay.evidence.verify import read_anchors, read_receipt
from relay.evidence.verify_ways import Fails, NotAsked, WayContext, check_header, check_proof
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import keccak256
from tests.support.chainmaker_chain import (
    GATEWAY,
    GATEWAY_VERSION,
    ChainMakerChain,
    sent_event,
    slot_write,
    transaction,
)
from tests.support.cometbft_gateway import CODE, ENTRIES, GatewayWorld
from tests.support.cometbft_gateway import GATEWAY as ON_COMETBFT
from tests.support.receipt_world import ALPHA
from tests.support.vectors import VECTORS

FOLDER = VECTORS / "receipts"
HEAD = Head(keccak256(b"head of a lane"))
HEIGHT = 2


@pytest.fixture(scope="module")
def chain():
    lane = LaneId(keccak256(b"lane"))
    chain = ChainMakerChain("sm")
    chain.grow()
    chain.grow([transaction("send", events=[sent_event(lane, 2, HEAD)], writes=[slot_write(lane, 0, HEAD)])])
    chain.grow()
    chain.claim = Claim(lane, Direction.OUTBOX, 2, HEAD, HEIGHT, BlockHash(chain.hash_of(HEIGHT)))
    chain.evidence = evidence_of_block(chain.info(HEIGHT), chain.hash_name, 0, by_write_set=False)
    return chain


def context(chain, *, kind="committee", known=HEIGHT, head=HEAD, block_hash=None, client_state=None):
    """The way out of a good receipt, as if its source were that ledger; the anchors know it up to a height."""
    anchored = {
        "consensus": "chainmaker",
        "gateway": GATEWAY.encode(),
        "code_hash": chainmaker_hash(GATEWAY, GATEWAY_VERSION),
        "client_state": chain.state(known).to_bytes() if client_state is None else client_state,
        "pin": {"version": GATEWAY_VERSION},
        "validators": (),
    }
    claim = chain.claim
    if block_hash is not None:
        claim = Claim(claim.lane_id, claim.direction, claim.nonce, claim.head, claim.height, block_hash)
    return way_out(kind, anchored, claim, chain.evidence.to_bytes(), head)


def way_out(kind, anchored, claim, evidence, head):
    """The way out of a good receipt with another source, claim and proof."""
    receipt = read_receipt((FOLDER / f"good--{kind}.json").read_bytes())
    anchors = read_anchors((FOLDER / "anchors.toml").read_bytes())
    ledgers = [item.model_copy(update=anchored) if item.chain == ALPHA.word else item for item in anchors.chains]
    shown = {"consensus": anchored["consensus"], "nonce": claim.nonce, "head": head, "evidence": evidence}
    proof = receipt.out.proof.model_copy(update=shown)
    way = receipt.out.model_copy(update={"claim": claim, "proof": proof})
    anchors = anchors.model_copy(update={"chains": tuple(ledgers)})
    return WayContext(receipt, anchors, Direction.OUTBOX, way, bytes(receipt.message_id))


@pytest.mark.parametrize("kind", ["committee", "light-client", "both"])
def test_a_block_that_the_anchors_know_needs_nobody_else(chain, kind):
    check_proof(context(chain, kind=kind))
    check_header(context(chain, kind=kind))


def test_a_block_behind_the_anchors_is_the_committees_to_vouch_for(chain):
    check_proof(context(chain, known=1))
    with pytest.raises(NotAsked, match="signatures vouch"):
        check_header(context(chain, known=1))
    with pytest.raises(Fails, match="does not reach"):
        check_header(context(chain, known=1, kind="light-client"))


def test_a_block_that_a_cometbft_state_skipped_is_the_committees_to_vouch_for():
    world = GatewayWorld(ENTRIES)
    anchored = {
        "consensus": "cometbft",
        "gateway": ON_COMETBFT,
        "code_hash": CODE,
        "client_state": world.state.to_bytes(),
        "pin": {},
        "validators": (),
    }
    for kind in ("committee", "light-client"):
        known = way_out(kind, anchored, world.claim(), world.evidence().to_bytes(), world.claim().head)
        check_proof(known)
        check_header(known)
        skipped = world.claim(height=4, block_hash=world.chain.at(4).block_hash)
        behind = way_out(kind, anchored, skipped, world.evidence().to_bytes(), skipped.head)
        for look in (check_proof, check_header):
            with pytest.raises(NotAsked if kind == "committee" else Fails, match="does not reach"):
                look(behind)


def test_another_head_than_the_event_shows(chain):
    with pytest.raises(HeadMismatch):
        check_proof(context(chain, head=Head(keccak256(b"another"))))


def test_another_block_than_was_accepted(chain):
    with pytest.raises(Fails, match="The accepted block"):
        check_header(context(chain, block_hash=BlockHash(keccak256(b"another block"))))


def test_without_a_state_only_a_committee_is_believed(chain):
    for look in (check_proof, check_header):
        with pytest.raises(NotAsked):
            look(context(chain, client_state=b""))
        with pytest.raises(Fails):
            look(context(chain, kind="both", client_state=b""))
