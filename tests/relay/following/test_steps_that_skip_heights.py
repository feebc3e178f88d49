"""A light client that moves from one final block to a later one: the beacon chain's, on a real network's recorded answers."""

import json

import pytest

from adapters.beacon import ADAPTER
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint
from light_clients import beacon
from light_clients.beacon.beacon_json import configuration_from_answers
from relay.following import HeaderLied, follow
from relay.trail import Trail
from schemas.primitives import BlockHash
from tests.support.beacon_replay import BeaconReplay, recorded

CONFIGURATION = configuration_from_answers(recorded("genesis"), recorded("spec"), checkpoint_age_limit_s=3600)
PIN = BlockHash.from_hex(recorded("bootstrap_first")["root"])
NOW = CONFIGURATION.timestamp_of(200)


@pytest.fixture
def node():
    with BeaconReplay() as replay:
        yield replay


@pytest.fixture
def ledger(node):
    opened = GuardedLedger(ADAPTER, AdapterOptions((Endpoint(node.url),), timeout_s=5.0))
    yield opened
    opened.close()


class Look:
    """One look after another, as the hub takes them."""

    def __init__(self, ledger):
        self.ledger = ledger
        (header,) = ledger.headers(16, 16)
        self.state, self.trail = beacon.bootstrap(header, PIN, CONFIGURATION), Trail(16, (header,))

    def take(self, target=None):
        followed = follow(self.ledger, beacon, self.state, self.trail, NOW, target=target, skips=True)
        self.state, self.trail = followed.state, followed.trail
        return followed


def test_one_look_leads_over_two_changes_of_committee(ledger):
    look = Look(ledger)
    followed = look.take()
    assert (followed.state.height, followed.tip, len(followed.headers)) == (136, 136, 3)
    assert look.trail == Trail(136, followed.headers[-1:])
    assert look.take().headers == ()


def test_looks_go_on_as_blocks_become_final_and_pass_over_what_they_know(node, ledger):
    look, heights = None, []
    for node.slot in (36, 50, 92, 98, 106, 108, 162):
        look = look or Look(ledger)
        heights.append(look.take().state.height)
    assert heights == [16, 24, 72, 80, 88, 88, 136]


def test_a_target_is_not_passed(ledger):
    look = Look(ledger)
    assert look.take(17).headers == ()
    assert look.take(100).state.height == 72


def test_a_step_that_is_false_blames_its_endpoint(node, ledger):
    look = Look(ledger)

    def other(asked, answer):
        if asked.endswith("/finality_update"):
            answer = json.loads(json.dumps(answer))
            answer["data"]["sync_aggregate"]["sync_committee_bits"] = "0xffffff7f"
        return answer

    node.change = other
    with pytest.raises(HeaderLied) as caught:
        look.take()
    assert (caught.value.name, caught.value.endpoint) == ("SyncSignatureInvalid", ledger.endpoint)


def test_a_step_that_is_left_out_is_missed(node, ledger):
    look = Look(ledger)
    node.updates = []
    with pytest.raises(HeaderLied) as caught:
        look.take()
    assert caught.value.name == "HeaderGap"
