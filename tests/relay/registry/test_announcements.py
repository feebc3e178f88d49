"""Transitions that a network announced, told to a ledger that is followed already."""

import json

import pytest

from light_clients import ibft2
from light_clients.bft.types import ValidatorOverride
from relay.errors import BadInput, NotFound, NotNow
from relay.registry import turns
from relay.registry.announcements import announce
from relay.registry.chains import chain_named
from relay.store import Lease
from schemas.primitives import BlockHash
from tests.support import bft_chain as family
from tests.support import qbft_chain as chain
from tests.support.filled_hub import FilledHub

FIRST = family.first_of(family.Ibft2Spec, number=10)
STATE = ibft2.bootstrap(FIRST.sealed(), BlockHash(FIRST.hash()), ibft2.Ibft2Configuration())
FIVE = ["0x" + validator.hex() for validator in chain.addresses("abcde")]


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1, consensus="ibft2", client_state=STATE.to_bytes())
    hub.chain("bare", 2, consensus="development")
    yield hub
    hub.store.close()


def told(hub, name="alpha", transitions=(), family_name="ibft2"):
    file = hub.home.folder / "genesis.json"
    config = {family_name: {"epochlength": 30_000}, "transitions": {family_name: list(transitions)}}
    file.write_text(json.dumps({"config": config}), encoding="utf-8")
    return announce(hub.home, hub.home.load(), hub.store, name, str(file))


def test_a_set_for_a_later_block(hub):
    row = told(hub, transitions=[{"block": 20, "validators": FIVE}])
    state = ibft2.state_from_bytes(row.client_state)
    assert state.configuration.overrides == (ValidatorOverride(20, tuple(chain.addresses("abcde"))),)
    assert (state.height, state.validators) == (10, STATE.validators)
    assert ibft2.state_from_bytes(told(hub).client_state) == STATE


@pytest.mark.parametrize(
    ("name", "family_name", "transitions", "match"),
    [
        ("alpha", "ibft2", [{"block": 11, "validators": FIVE}], "are decided"),
        ("alpha", "qbft", [], "followed as ibft2"),
        ("bare", "ibft2", [], "followed as development"),
    ],
)
def test_what_cannot_be_announced(hub, name, family_name, transitions, match):
    with pytest.raises(BadInput, match=match):
        told(hub, name, transitions, family_name)
    assert bytes(chain_named(hub.store, "alpha").client_state) == STATE.to_bytes()


def test_a_ledger_that_nobody_knows(hub):
    with pytest.raises(NotFound):
        told(hub, "gamma")


def test_its_worker_is_not_overtaken(hub, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_S", 0.0)
    lease = Lease.take(hub.store, "chain", "alpha")
    with pytest.raises(NotNow, match="does not pause"):
        told(hub)
    while not lease.release():
        pass
    assert told(hub)
