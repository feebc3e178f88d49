"""What each refusal of the judge tells: its sentence, what was due and what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from light_clients.chainmaker import (
    ChainMakerConfiguration,
    ChainMakerPin,
    NodePin,
    bootstrap,
    evidence_of_block,
    verify_claim,
    verify_header,
)
from light_clients.errors import LightClientError
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId
from schemas.suites import keccak256
from tests.support.chainmaker_chain import (
    BEGAN,
    GATEWAY,
    GATEWAY_VERSION,
    ChainMakerChain,
    consensus_node,
    sent_event,
    transaction,
)

NOW = BEGAN + 60
LANE, HEAD = LaneId(keccak256(b"lane")), Head(keccak256(b"head"))


def built() -> ChainMakerChain:
    chain = ChainMakerChain()
    chain.grow()
    chain.grow([transaction("first"), transaction("send", events=[sent_event(LANE, 1, HEAD)])])
    return chain


CHAIN = built()
STATE = CHAIN.state(2)
EVIDENCE = evidence_of_block(CHAIN.info(2), "SHA256", 1)
CLAIM = Claim(LANE, Direction.OUTBOX, 1, HEAD, 2, CHAIN.hash_of(2))
PIN = ChainMakerPin(GATEWAY, GATEWAY_VERSION)
ZEROS = BlockHash(bytes(31) + b"\1")


def told(act: Callable[[], Any]) -> tuple[str, str, Any, Any]:
    with pytest.raises(LightClientError) as caught:
        act()
    error = caught.value
    return error.name, error.message, error.expected, error.found


def header(now: int = NOW, **asked: Any) -> tuple[str, str, Any, Any]:
    data = CHAIN.make(**asked).block.SerializeToString()
    return told(lambda: verify_header(STATE, data, now))


def changed(**values: Any) -> Callable[[Any], None]:
    def change(target: Any) -> None:
        for name, value in values.items():
            setattr(target, name, value)

    return change


def test_what_a_pin_tells() -> None:
    block, pinned = CHAIN.block(1), CHAIN.hash_of(1)
    found = told(lambda: bootstrap(CHAIN.block(0), ZEROS, ChainMakerConfiguration()))
    assert found == ("PinMismatch", "The block is not the pinned one.", ZEROS, CHAIN.hash_of(0))
    found = told(lambda: bootstrap(block, pinned, ChainMakerConfiguration()))
    sentence = "Pin the first block or a configuration block, or state chain_config."
    assert found == ("ConfigurationInvalid", sentence, None, None)
    other = ChainMakerChain(chain_id="chain2").config.SerializeToString()
    found = told(lambda: bootstrap(block, pinned, ChainMakerConfiguration(other)))
    assert found == ("ConfigurationInvalid", "The configuration is of another chain.", None, "chain2")
    found = told(lambda: bootstrap(block, pinned, ChainMakerConfiguration(b"\xff")))
    assert found[:2] == (
        "ConfigurationInvalid",
        "The chain_config that was stated cannot be read: The bytes end inside a number.",
    )
    found = told(lambda: bootstrap(block, pinned, ChainMakerConfiguration(pins=(NodePin("Qm", b"none"),))))
    assert found[0] == "ConfigurationInvalid"
    assert found[1].startswith("The certificate of a pin cannot be read: ")
    assert "None" not in found[1]


def test_a_stated_configuration_decides_from_the_next_block_on() -> None:
    state = CHAIN.state_stated(1)
    assert (state.membership.first_height, state.configuration_height) == (2, 0)
    assert (state.height, state.timestamp, state.recent) == (1, BEGAN + 1, (CHAIN.hash_of(1),))
    changing = ChainMakerChain()
    changing.change()
    changing.grow()
    assert changing.state_stated(2).configuration_height == 1
    assert bootstrap(changing.block(1), changing.hash_of(1), ChainMakerConfiguration()).configuration_height == 1


def test_what_the_client_and_the_place_tell() -> None:
    data = CHAIN.make().block.SerializeToString()
    frozen = told(lambda: verify_header(STATE.freeze(), data, NOW))
    assert frozen == ("ClientFrozen", "The light client is frozen.", None, 2)
    end = STATE.expires_at
    expired = told(lambda: verify_header(STATE, data, end + 5))
    assert expired == ("ClientExpired", "The trusting period of the light client is over.", end, end + 5)
    assert header(on_header=changed(block_height=4)) == ("HeaderGap", "Headers are missing in between.", 3, 4)
    assert header(on_header=changed(block_height=1)) == ("HeaderBehind", "The height was accepted already.", 3, 1)
    assert header(on_header=changed(pre_block_hash=bytes(ZEROS))) == (
        "ParentMismatch", "The parent is another one.", CHAIN.hash_of(2), bytes(ZEROS)
    )  # fmt: skip
    assert header(on_header=changed(pre_conf_height=2)) == (
        "ConfigurationHeightMismatch", "The header names another configuration block.", 0, 2
    )  # fmt: skip
    assert header(timestamp=NOW + 16) == ("TimestampAhead", "The header is ahead of our clock.", NOW, NOW + 16)


def test_what_the_decision_tells() -> None:
    assert header(on_header=changed(chain_id="chain2")) == (
        "ChainIdMismatch", "The block is of another chain.", "chain1", "chain2"
    )  # fmt: skip
    info = CHAIN.make()
    true = bytes(info.block.header.block_hash)
    info.block.header.block_hash = bytes(ZEROS)
    found = told(lambda: verify_header(STATE, info.block.SerializeToString(), NOW))
    assert found == ("HeaderHashMismatch", "The header names another hash.", true, bytes(ZEROS))
    sentence = "The proposer is of no organisation that has a consensus node."
    assert header(proposer=CHAIN.new_node("org9")) == ("ProposerNotValidator", sentence, None, None)


def test_what_the_votes_tell() -> None:
    first, second = CHAIN.nodes[0].node_id, CHAIN.nodes[1].node_id
    misplaced = "A vote is of another type, height, round or voter."
    assert header(on_vote=changed(round=1)) == ("VoteMisplaced", misplaced, None, first)
    stranger = CHAIN.new_node("org1", "stranger")
    foreign = ("VoteForeign", "A vote is by no consensus node.", None, stranger.node_id)
    assert header(voters=[CHAIN.nodes[0], stranger]) == foreign
    assert header(voters=CHAIN.nodes[:2]) == ("VotesTooFew", "Too few nodes voted for the block.", 3, 2)
    twin = replace(CHAIN.nodes[1], certificate=CHAIN.nodes[0].certificate, organisation="org1")
    nodes = [CHAIN.nodes[0], twin, *CHAIN.nodes[2:]]
    same = ChainMakerChain(nodes=nodes)
    same.grow()
    pins = tuple(NodePin(node.node_id, node.certificate.pem) for node in nodes[:2])
    state = same.state_stated(1, ChainMakerConfiguration(pins=pins))
    found = told(lambda: verify_header(state, same.make().block.SerializeToString(), NOW))
    assert found == ("VoteDuplicate", "Two votes are under one key.", None, second)


def test_a_vote_for_another_block_does_not_end_the_counting() -> None:
    def elsewhere(vote: Any) -> None:
        if vote.voter == CHAIN.nodes[0].node_id:
            vote.hash = bytes(ZEROS)

    data = CHAIN.make(voters=CHAIN.nodes, on_vote=elsewhere).block.SerializeToString()
    assert verify_header(STATE, data, NOW).voters == tuple(node.node_id for node in CHAIN.nodes[1:])


def test_what_a_verified_block_holds() -> None:
    verified = verify_header(STATE, CHAIN.make().block.SerializeToString(), NOW)
    assert (verified.height, verified.timestamp, verified.configuration_height) == (3, BEGAN + 3, 0)
    assert verified.voters == tuple(node.node_id for node in CHAIN.nodes[:3])
    assert verified.membership is None
    config = CHAIN.config_of(CHAIN.nodes, 1)
    data = CHAIN.make([CHAIN.config_transaction(config)], block_type=1).block.SerializeToString()
    verified = verify_header(STATE, data, NOW)
    assert verified.configuration_height == 3
    assert verified.membership is not None
    assert verified.membership.first_height == 4


def test_votes_and_proposals_are_judged_at_the_blocks_time() -> None:
    for place in (0, 2):
        nodes = list(ChainMakerChain().nodes)
        late = consensus_node("late", nodes[place].organisation, nodes[place].authority, not_before=BEGAN + 5)
        nodes[place] = late
        chain = ChainMakerChain(nodes=nodes)
        chain.grow()
        early, later = (chain.make(timestamp=BEGAN + at).block.SerializeToString() for at in (4, 5))
        assert verify_header(chain.state_stated(1), later, NOW).height == 2
        assert told(lambda: verify_header(chain.state_stated(1), early, NOW))[0] == "MemberUntrusted"  # noqa: B023


def test_what_a_claim_tells() -> None:
    def claim(of: Any = STATE, about: Any = CLAIM, by: Any = EVIDENCE) -> tuple[str, str, Any, Any]:
        return told(lambda: verify_claim(of, about, by, PIN))

    verify_claim(STATE, CLAIM, EVIDENCE, PIN)
    assert claim(STATE.freeze()) == ("ClientFrozen", "The light client is frozen.", None, 2)
    assert claim(about=replace(CLAIM, height=3)) == ("HeightNotReached", "The block is not accepted yet.", 3, 2)
    short = replace(STATE, recent=STATE.recent[-1:])
    gone = ("HeightNotRetained", "The height is no longer kept.", 2, 1)
    assert claim(short, replace(CLAIM, height=1)) == gone
    other = ("ClaimBlockMismatch", "Another block is accepted.", CHAIN.hash_of(2), ZEROS)
    assert claim(about=replace(CLAIM, block_hash=ZEROS)) == other
    lower = replace(CLAIM, height=1, block_hash=CHAIN.hash_of(1))
    assert claim(about=lower) == ("ClaimHeightMismatch", "The header has another height.", 1, 2)
    twin = CHAIN.blocks[2].block.header
    spoilt = type(twin)()
    spoilt.CopyFrom(twin)
    spoilt.block_timestamp += 1
    name, sentence, expected, found = claim(by=replace(EVIDENCE, header=spoilt.SerializeToString()))
    assert (name, sentence, expected) == ("ClaimBlockMismatch", "The header is another.", CHAIN.hash_of(2))
    assert found not in (None, CHAIN.hash_of(2))
    name, sentence, expected, found = claim(by=replace(EVIDENCE, index=0))
    assert (name, sentence) == ("TransactionNotInBlock", "The path ends at another root.")
    assert expected == twin.tx_root
    assert found not in (None, expected)


def test_a_claim_at_the_newest_and_at_the_oldest_block_is_judged() -> None:
    assert STATE.height == CLAIM.height
    verify_claim(replace(STATE, recent=STATE.recent[-1:]), CLAIM, EVIDENCE, PIN)
