"""The case of April 2026, replayed: a verifier is fed by two poisoned nodes while its honest one is flooded.

There a quorum of one believed whatever most of its nodes said, and 116,500 coins were released for a message that was never
sent. Here three nodes of the source ledger serve the hub and every operator; two of them show a forged history with such a
message in it, the third one answers nothing but 503, and the hub itself is broken into and proposes the forged claim. Nothing
is signed and nothing delivered; the lane waits and says why; when the honest node is back, everything goes on.
"""

import pytest
from sqlalchemy import insert, select, update

from adapters.protocol import MessageDelivered, MessageSent
from relay.operator.view import LedgerView
from relay.store.tables import attestations, claims, endpoint_health, incidents
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash
from schemas.suites import EVM
from tests.support.lying_endpoints import forged_fork, heal, spoil
from tests.support.memory_hub import RECEIVER, VERIFIER
from tests.support.operator_world import OperatorWorld, wait_until

OUT = ("alpha", "beta")
HOUSES = ("one", "two", "three")


@pytest.fixture
def world(tmp_path):
    with OperatorWorld(tmp_path, endpoints=3) as made:
        yield made


def settled(world):
    """Look until all that was sent is settled."""

    def done():
        world.look()
        world.hub.forget_times()
        return world.hub.journey(*OUT).in_flight == 0 and world.hub.caught_up(*OUT)

    wait_until(done, "everything is settled")


def forged_claim(world, fork, *, headers):
    """The hub, broken into, offers what the poisoned nodes show."""
    hub = world.hub
    sent = [event for block in fork.blocks for event in block.events if isinstance(event, MessageSent)][-1]
    height = fork.height
    block = (fork if headers else hub.ledgers["alpha"]).blocks[height].header
    lane_id = hub.lane_ids[OUT]
    claim = Claim(lane_id, Direction.OUTBOX, sent.message.nonce, sent.head, height, BlockHash(block.block_hash))
    beta = hub.ledgers["beta"]
    digest = attestation_digest(EVM, Place(beta.word, beta.gateway.address, VERIFIER, 1), claim)
    row = {
        "lane_id": bytes(lane_id),
        "direction": 0,
        "first": claim.nonce,
        "nonce": claim.nonce,
        "head": bytes(claim.head),
        "height": height,
        "block_hash": bytes(claim.block_hash),
        "epoch": 1,
        "digest": bytes(digest),
        "state": "open",
        "created_at": 0,
    }
    with hub.context.store.write() as connection:
        return connection.execute(insert(claims).values(**row)).inserted_primary_key[0]


@pytest.mark.parametrize("headers", [True, False], ids=["headers of strangers", "states under true headers"])
def test_two_poisoned_nodes_and_a_flooded_one_get_nothing_signed_and_nothing_delivered(world, monkeypatch, headers):
    hub = world.hub
    accused = set()
    distrust = LedgerView._distrust
    monkeypatch.setattr(
        LedgerView, "_distrust", lambda view, lie: (accused.add((id(view), lie.endpoint)), distrust(view, lie))
    )
    for name in HOUSES:
        world.start(name)
    hub.send(*OUT, b"before", receiver=RECEIVER)
    settled(world)
    signed_before = len(hub.rows(attestations))

    hub.send(*OUT, b"honest, meanwhile", receiver=RECEIVER)
    fork = forged_fork(hub, "alpha", depth=2, blocks=6)
    for _ in range(6):
        hub.mine()
    for number in (0, 1):
        spoil(hub.faults("alpha", number), {"fork": fork, "fork_headers": headers})
    hub.faults("alpha", 2).busy_s = 0.5
    forged = forged_claim(world, fork, headers=headers)

    poisoned = set(hub.urls["alpha"][:2])
    wait_until(lambda: len(accused) == len(HOUSES) * 2, "each operator finds out both nodes")
    assert {endpoint for _, endpoint in accused} == poisoned
    for _ in range(8):
        hub.forget_times()
        hub.chain_task("alpha")
        hub.lane_task(*OUT)
        hub.mine("beta")
        hub.chain_task("beta")
    row = hub.wait_of("chain", "alpha")
    assert (row.code, row.party) == ("endpoint_unreachable", "chain alpha")
    assert hub.urls["alpha"][2] in row.text
    assert "busy" in row.text
    assert {item.url for item in hub.rows(endpoint_health)} == set(hub.urls["alpha"])
    assert hub.journey(*OUT).final == 1
    assert len(hub.rows(attestations)) == signed_before
    assert hub.rows(claims, claims.c.id == forged)[0].state == "open"
    assert len(hub.events("beta", hub.lane_ids[OUT], MessageDelivered)) == 1
    assert hub.rows(incidents) == []  # nobody who has no validator's key can bring about a freeze

    with hub.context.store.write() as connection:  # the hub is its owner's again
        connection.execute(update(claims).where(claims.c.id == forged).values(state="void"))
    heal(hub.faults("alpha", 2))
    settled(world)
    hub.check()
    with hub.context.store.read() as connection:
        signed = connection.execute(select(attestations.c.claim_id).distinct()).scalars().all()
    assert forged not in signed
    messages = hub.events("beta", hub.lane_ids[OUT], MessageDelivered)
    assert [item.message_id for item in messages] == [
        item.message_id for item in hub.events("alpha", hub.lane_ids[OUT], MessageSent)
    ]
    assert len(messages) == 2
