"""What each refusal tells a person: the sentence, what was due and what was found."""

from dataclasses import replace

import pytest

from light_clients import cometbft
from light_clients.cometbft.types import CometbftConfiguration
from light_clients.errors import LightClientError
from schemas.primitives import BlockHash, Bytes32, LaneId
from tests.support.cometbft_chain import ABSENT, FOR_BLOCK, START, Chain, block_id, members, set_hash
from tests.support.cometbft_gateway import (
    CODE,
    ENTRIES,
    EVM,
    GATEWAY,
    HEAD,
    MODULE,
    OTHER_HEAD,
    GatewayWorld,
    storage_key,
)

NOW = START + 60
OTHERS = members(["eve", "fay", "gus", "hal"])


def told(operation, *arguments):
    """Message, due and found of a refusal."""
    with pytest.raises(LightClientError) as caught:
        operation(*arguments)
    error = caught.value
    return error.message, error.expected, error.found


def judged(state, block, now=NOW):
    return told(cometbft.verify_header, state, block.bundle(), now)


@pytest.fixture
def chain():
    return Chain(members(["ada", "bob", "cid", "dot"]))


def test_of_the_pin_and_the_client(chain):
    block, pinned = chain.newest, BlockHash(b"\x07" * 32)
    assert told(cometbft.bootstrap, block.bundle(), pinned, CometbftConfiguration()) == (
        "The header is not the pinned one.", pinned, block.block_hash,
    )  # fmt: skip
    assert told(cometbft.bootstrap, block.bundle(), block.block_hash, CometbftConfiguration(block_version=12)) == (
        "The block is of another version.", 12, 11,
    )  # fmt: skip
    assert judged(chain.bootstrap().freeze(), chain.grow()) == ("The light client is frozen.", None, 1)
    state = chain.bootstrap()
    assert judged(state, chain.grow(), state.expires_at) == (
        "The trusting period of the light client is over.", state.expires_at, state.expires_at,
    )  # fmt: skip


def test_of_place_and_time(chain):
    state, block = chain.bootstrap(), chain.grow()
    assert judged(state, block, START - 9) == (
        "The header is ahead of our clock.", START + 1, (START + 1) * 10**9,
    )  # fmt: skip
    assert judged(state, replace(block, chain_id="other")) == (
        "The header is of another chain.", "relay-test-1", "other",
    )  # fmt: skip
    assert judged(state, chain.at(1)) == ("The height was accepted already.", 2, 1)
    assert judged(state, replace(block, time_ns=START * 10**9)) == (
        "The header is not later than the accepted one.", START * 10**9 + 1, START * 10**9,
    )  # fmt: skip


def test_of_sets(chain):
    state, block = chain.bootstrap(), chain.grow()
    false, own = b"\x05" * 32, set_hash(chain.validators)
    assert judged(state, replace(block, hashes={"validators_hash": false})) == (
        "The validators are not those whose hash the header names.", false, own,
    )  # fmt: skip
    assert judged(state, replace(block, validators=OTHERS)) == (
        "The validators are not those whose hash the header before names.", own, set_hash(OTHERS),
    )  # fmt: skip
    chain.grow(next_validators=OTHERS)
    skipped = chain.grow(3)
    sentence = "The trusted validators are not those that the accepted header names as next."
    assert judged(state, replace(skipped, trusted=OTHERS)) == (sentence, own, set_hash(OTHERS))
    assert judged(state, skipped) == (sentence, own, None)
    assert judged(state, replace(skipped, trusted=chain.at(1).next_validators)) == (
        "Too few of the trusted validators signed the header.", 13, 0,
    )  # fmt: skip


def test_of_commits(chain):
    state, block = chain.bootstrap(), chain.grow()
    votes, ada = list(block.votes()), chain.validators[0].address
    assert judged(state, replace(block, commit_fields={"height": 3})) == ("The commit is for another height.", 2, 3)
    assert judged(state, replace(block, commit_fields={"block_id": block_id(b"\x09" * 32)})) == (
        "The commit is for another block.", block.block_hash, b"\x09" * 32,
    )  # fmt: skip
    assert judged(state, replace(block, commit_fields={"signatures": votes[:3]})) == (
        "A commit has one vote for each validator.", 4, 3,
    )  # fmt: skip
    assert judged(state, replace(block, commit_fields={"signatures": [votes[1], *votes[1:]]})) == (
        "A vote is not at its place.", ada, chain.validators[1].address,
    )  # fmt: skip
    assert judged(state, replace(block, signers=OTHERS)) == ("A vote is not signed by its validator.", 0, ada)
    assert judged(state, replace(block, flags=(FOR_BLOCK, FOR_BLOCK, ABSENT, ABSENT))) == (
        "Not more than two thirds of the power signed the block.", 26, 20,
    )  # fmt: skip


def test_of_bundles_that_lack_a_part(chain):
    from light_clients.protobuf import message_field
    from tests.support.cometbft_chain import set_bytes

    state, block = chain.bootstrap(), chain.grow()
    header = message_field(1, message_field(1, block.header().SerializeToString()))
    assert told(cometbft.verify_header, state, header, NOW) == (
        "The validators are not those whose hash the header names.", set_hash(chain.validators), None,
    )  # fmt: skip
    assert told(cometbft.verify_header, state, header + message_field(2, set_bytes(chain.validators)), NOW) == (
        "The bundle brings no commit.", None, None,
    )  # fmt: skip


def test_of_claims():
    world = GatewayWorld(ENTRIES)

    def refused(claim=None, evidence=None, pin=EVM, state=None):
        return told(
            cometbft.verify_claim, state or world.state, claim or world.claim(), evidence or world.evidence(), pin
        )

    other = world.chain.at(7).block_hash
    absent = LaneId(b"\x13" * 32)
    assert refused(state=world.state.freeze()) == ("The light client is frozen.", None, 7)
    assert refused(world.claim(height=8)) == ("The header is not accepted yet.", 8, 7)
    assert refused(world.claim(height=4)) == (
        "The height was skipped or is no longer kept; prove the claim at another one.", None, 4,
    )  # fmt: skip
    assert refused(world.claim(block_hash=other)) == ("Another block is accepted.", world.block.block_hash, other)
    code = world.store.proof(b"\x04" + GATEWAY)
    sentence = "A proof of the code is due on an EVM, and nowhere else."
    assert refused(pin=MODULE) == (sentence, None, code[:64])
    assert refused(evidence=world.evidence(code_proof=b"")) == (sentence, None, b"")
    another = Bytes32(b"\x56" * 32)
    assert refused(pin=replace(EVM, code_hash=another)) == ("The gateway runs other code.", another, CODE)
    assert refused(world.claim(lane_id=absent), world.evidence(storage_key(absent))) == (
        "The gateway holds no head for this lane and direction.", absent, None,
    )  # fmt: skip
    assert refused(world.claim(head=OTHER_HEAD)) == ("The gateway holds another head.", OTHER_HEAD, HEAD)
    bare = GatewayWorld({key: value for key, value in ENTRIES.items() if key != b"\x04" + GATEWAY})
    assert told(cometbft.verify_claim, bare.state, bare.claim(), bare.evidence(), EVM) == (
        "There is no contract at the pinned address.", GATEWAY, None,
    )  # fmt: skip


def test_of_accusations(chain):
    chain.grow(5)
    state = cometbft.follow(chain.bootstrap(), 3, chain.provider, NOW)
    pair = [replace(chain.at(1), app_hash=bytes([at]) * 32).bundle() for at in (1, 2)]
    assert told(cometbft.find_misbehaviour, state, *pair) == ("Nothing below this height is kept.", None, 1)
    found = cometbft.find_misbehaviour(
        state, *(replace(chain.at(4), app_hash=bytes([at]) * 32).bundle() for at in (1, 2))
    )
    assert found.message == "Two blocks of height 4 are signed."
    late = replace(chain.at(5), time_ns=chain.at(4).time_ns).bundle()
    found = cometbft.find_misbehaviour(state, chain.at(4).bundle(), late)
    assert found.message == "Block 5 is signed, and is not later than block 4."
