"""The submitter over geth: what jams it, and that three blocks unjam it."""

import pytest

from adapters.protocol import Call
from tests.support.geth_sending import GethSending
from tests.support.sending_cases import LegacyCases, SendingCases
from tests.support.sending_world import STEP_GAS, SendingWorld, worlds

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def node():
    node = GethSending()
    yield node
    node.close()


@pytest.fixture
def make_world(make_hub, node):
    yield from worlds(make_hub, node)


@pytest.fixture
def make_fresh_world(make_hub):
    node = GethSending()
    yield from worlds(make_hub, node)
    node.close()


@pytest.fixture
def make_legacy_world(make_hub):
    node = GethSending(london=False)
    yield from worlds(make_hub, node)
    node.close()


class TestGeth(SendingCases):
    """With a base fee."""


class TestGethWithoutBaseFee(LegacyCases):
    """Rules before London."""


GWEI = 10**9
TIP_LIMIT = 4 * GWEI
THRIFTY = 10**15
WORDS = {
    "the same again": (lambda world, nonce: world.signed(nonce), None),
    "replaced for too little": (lambda world, nonce: world.signed(nonce, fee=world.fee * 105 // 100), "underpriced"),
    "replaced for enough": (lambda world, nonce: world.signed(nonce, fee=world.fee * 5 // 4 + 1), None),
    "a tip below the pool's least": (lambda world, nonce: world.signed(nonce + 1, fee=10), "underpriced"),
    "a nonce that was used": (lambda world, nonce: world.signed(nonce - 1), "nonce_too_low"),
    "a nonce far ahead": (lambda world, nonce: world.signed(nonce + 9), None),
    "more gas than a block": (
        lambda world, nonce: world.signed(nonce + 1, call=Call(world.account, b"", 60_000_000), fee=2 * GWEI),
        "too_much_gas",
    ),
    "dearer than the node allows": (
        lambda world, nonce: world.signed(nonce + 1, call=Call(world.account, b"", 25_000_000), fee=50 * GWEI),
        "too_dear",
    ),
    "larger than a pool takes": (
        lambda world, nonce: world.signed(nonce + 1, call=Call(world.account, b"\xff" * 131_000, 6_000_000)),
        "too_large",
    ),
    "dearer than the account": (
        lambda world, nonce: world.signed(nonce + 1, call=Call(world.account, b"", 25_000_000), fee=2 * world.fee),
        "no_funds",
    ),
    "too little gas": (lambda world, nonce: world.signed(nonce + 1, call=Call(world.account, b"", 20_000)), "other"),
}


@pytest.mark.parametrize("what", WORDS)
def test_what_geth_says_is_understood(make_world, what):
    world = make_world()
    world.fee, nonce = world.ledger.wallet(world.account).fee, world.first_nonce
    if what == "dearer than the account":
        world.drain()
        world.node.fund(world.account, 10**15)
        nonce += 1
    else:
        assert world.ledger.broadcast([world.signed(nonce).raw]) == [None]
    transaction, code = WORDS[what]
    (answer,) = world.ledger.broadcast([transaction(world, nonce).raw])
    assert (answer and answer.code) == code
    world.node.forget_pool()


def test_a_pool_that_asks_for_higher_tips(make_fresh_world):
    world = make_fresh_world()
    assert world.node.rpc("miner_setGasPrice", hex(TIP_LIMIT))
    world.node.tip = 2 * TIP_LIMIT
    world.want()
    world.tasks()
    assert all(row.reason.startswith("underpriced") for row in world.rows())
    world.is_unjammed()
    assert (
        max(int(row.fee) for row in world.rows()) < 4 * TIP_LIMIT
    )  # what was needed, and not ten times what was asked


def test_a_pool_with_room_for_few(make_hub):
    node = GethSending("--txpool.accountslots", "1", "--txpool.globalslots", "4", "--txpool.globalqueue", "1")
    world = SendingWorld(make_hub(pairs=[("alpha", "beta")]), node)
    node.tip = 20 * GWEI
    try:
        world.want(12)
        world.tasks()
        assert 0 < int(node.rpc("txpool_status")["pending"], 16) < 12
        while world.steps() < 12:
            before = world.steps()
            world.block(3)
            assert world.steps() > before
        world.is_unjammed()
    finally:
        world.close()
        node.close()


@pytest.fixture
def thrifty(make_hub):
    node = GethSending("--rpc.txfeecap", str(THRIFTY / 10**18))
    yield from worlds(make_hub, node)
    node.close()


def most(row, fee):
    return row.gas * fee


def test_what_is_too_dear_for_a_node_is_offered_for_what_a_block_needs(thrifty):
    world = thrifty()
    wallet = world.ledger.wallet(world.account)
    between = (
        THRIFTY * 2 // (wallet.fee + wallet.least_fee * 5 // 4)
    )  # gas with which the one is too dear, the other not
    world.want(1, size=(between - STEP_GAS) // 40)
    assert most(world.rows()[0], wallet.fee) > THRIFTY
    world.tasks()
    assert most(world.rows()[0], int(world.rows()[0].fee)) < THRIFTY
    assert world.is_unjammed() == 1


def test_what_stays_too_dear_for_a_node_waits_for_lower_fees(thrifty):
    world = thrifty()
    world.want(1, size=15_000)
    world.tasks()
    world.stays_jammed(1)
    row = world.hub.wait_of("chain", "beta")
    assert row.code == "fee_ceiling"
    assert "exceeds the configured cap" in row.text
    while most(world.rows()[0], world.ledger.wallet(world.account).least_fee * 5 // 4) > THRIFTY:
        world.block()
    world.is_unjammed()
