"""From a frozen ledger to new lanes: what was frozen, what took effect, each step, and the new pin."""

import json

import pytest

from adapters.protocol import Unreachable
from light_clients import clique
from relay.errors import BadInput, NotNow
from relay.registry import recovery as module
from relay.registry.consensus import Pin
from relay.registry.recovery import pin_anew, recovery_of
from relay.store.tables import lanes
from relay.views.recovery_text import render
from schemas.primitives import BlockHash
from tests.support.memory_hub import RECEIVER

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
STEPS = ("look", "pause", "reconcile", "close", "pin", "reopen")


class Gateways:
    """What the gateways say of lanes, in the place of contracts that this process does not have."""

    def __init__(self, monkeypatch):
        self.paused, self.closed, self.resting, self.silent = set(), set(), set(), set()
        monkeypatch.setattr(module, "lane_view", self.view)
        monkeypatch.setattr(module, "Contract", lambda ledger, *_: Answers(self, ledger))

    def view(self, _store, chain, lane_id):
        if chain in self.silent:
            raise Unreachable(f"{chain} does not answer.")
        key = (chain, bytes(lane_id))
        return {"paused": key in self.paused, "closed": key in self.closed}


class Answers:
    """A gateway's other views."""

    def __init__(self, gateways, ledger):
        self.gateways, self.name = gateways, ledger.endpoint

    def ask(self, function):
        if function == "chainWord":
            return b"\x01" * 32
        return any(name in self.name for name in self.gateways.resting)


@pytest.fixture
def gateways(monkeypatch):
    return Gateways(monkeypatch)


@pytest.fixture
def frozen(make_hub):
    """Three messages each way are settled; then the ledger alpha shows another branch from before the last ones."""
    hub = make_hub(clique=True)
    for lane in (OUT, HOME):
        hub.send(*lane, b"early", receiver=RECEIVER)
    hub.settle_down()
    for _ in range(10):
        hub.mine()
        hub.turn()
    for lane in (OUT, HOME):
        hub.send(*lane, b"late", receiver=RECEIVER)
    sent_at = hub.ledgers["alpha"].height + 1
    hub.settle_down()
    ledger = hub.ledgers["alpha"]
    ledger.reorganise(ledger.height - sent_at + 1)
    back = ledger.height
    hub.parts = back + 1
    ledger.mine(40)
    hub.chain_task("alpha")
    assert hub.context.chain("alpha").state == "frozen"
    return hub


def done(recovery):
    return [step.name for step in recovery.steps if step.done]


def mark(hub, marks, *, chains=("alpha", "beta")):
    for lane_id in hub.lane_ids.values():
        marks |= {(chain, bytes(lane_id)) for chain in chains}


def pin_of(hub):
    block = hub.ledgers["alpha"].blocks[-5]
    return Pin(block.content.height, BlockHash(block.header.block_hash))


def test_a_ledger_that_was_never_frozen_has_nothing_to_recover(make_hub, gateways):
    hub = make_hub()
    with pytest.raises(NotNow, match="never frozen"):
        recovery_of(hub.context.store, "alpha")
    assert gateways.view(None, "alpha", b"") == {"paused": False, "closed": False}


def test_it_tells_why_with_both_headers(frozen, gateways):
    assert not gateways.closed
    incident = recovery_of(frozen.context.store, "alpha").incident
    for header, told in ((incident.header_a, incident.hash_a), (incident.header_b, incident.hash_b)):
        first = clique.verify.split_lists(bytes.fromhex(header[2:]))[0]
        parsed = clique.codec.parse_header(first)
        assert (parsed.height, parsed.block_hash.hex0x()) == (incident.height, told)
    assert incident.hash_a != incident.hash_b
    assert f"Height {incident.height}" in incident.text


def test_it_lists_what_took_effect_by_contradicted_blocks_and_nothing_else(frozen, gateways):
    assert not gateways.closed
    recovery = recovery_of(frozen.context.store, "alpha")
    found = {
        (lane.source, lane.destination): [
            (entry.effect, entry.nonce, entry.height >= recovery.incident.height) for entry in lane.contradicted
        ]
        for lane in recovery.lanes
    }
    assert found == {OUT: [("delivered", 2, True)], HOME: [("settled", 2, True)]}
    late = recovery.lanes[0].contradicted[0]
    assert late.receiver == "0x" + RECEIVER.hex()
    assert [lane.undelivered for lane in recovery.lanes] == [0, 0]


def test_the_steps_are_done_one_after_the_other(frozen, gateways):
    store = frozen.context.store
    recovery = recovery_of(store, "alpha")
    assert tuple(step.name for step in recovery.steps) == STEPS
    assert done(recovery) == []
    assert recovery.steps[1].commands == tuple(
        f"relayhub pause {lane.source} {lane.destination} --channel default" for lane in recovery.lanes
    )
    mark(frozen, gateways.paused, chains=("alpha",))
    assert done(recovery_of(store, "alpha")) == []
    gateways.resting.add("beta")
    assert done(recovery_of(store, "alpha")) == ["pause"]
    mark(frozen, gateways.closed, chains=("beta",))
    assert len(recovery_of(store, "alpha").steps[3].commands) == 2
    mark(frozen, gateways.closed)
    assert done(recovery_of(store, "alpha")) == ["pause", "close"]
    pin_anew(frozen.home, frozen.context.config, store, "alpha", pin_of(frozen))
    recovery = recovery_of(store, "alpha")
    assert done(recovery) == ["look", "pause", "reconcile", "close", "pin"]
    assert recovery.steps[5].commands == tuple(
        f"relayhub lane open {lane.source} {lane.destination} --channel NEW" for lane in recovery.lanes
    )


def test_nothing_is_pinned_before_the_lanes_are_closed(frozen, gateways):
    mark(frozen, gateways.closed, chains=("alpha",))
    with pytest.raises(NotNow, match="not closed at beta") as refused:
        pin_anew(frozen.home, frozen.context.config, frozen.context.store, "alpha", pin_of(frozen))
    assert refused.value.next_step.startswith("Close it first: relayhub lane close 0x")
    assert frozen.context.chain("alpha").state == "frozen"


def test_a_pin_of_another_ledger_is_refused(frozen, gateways):
    mark(frozen, gateways.closed)
    with pytest.raises(BadInput, match="not the pinned one"):
        pin_anew(frozen.home, frozen.context.config, frozen.context.store, "alpha", Pin(3, BlockHash(b"\x07" * 32)))
    assert frozen.context.chain("alpha").state == "frozen"


def test_only_a_frozen_ledger_is_pinned_anew(frozen, gateways):
    mark(frozen, gateways.closed)
    pin_anew(frozen.home, frozen.context.config, frozen.context.store, "alpha", pin_of(frozen))
    with pytest.raises(NotNow, match="is active"):
        pin_anew(frozen.home, frozen.context.config, frozen.context.store, "alpha", pin_of(frozen))


def test_afterwards_new_lanes_carry_and_the_old_ones_rest(frozen, gateways, monkeypatch):
    mark(frozen, gateways.closed)
    written = []
    monkeypatch.setattr(module, "write_operator_files", lambda *_: written.append("operators"))
    pin_anew(frozen.home, frozen.context.config, frozen.context.store, "alpha", pin_of(frozen))
    assert written == ["operators"]
    old = dict(frozen.lane_ids)
    for lane in (OUT, HOME):
        frozen.open(*lane, channel="again")
    with frozen.context.store.write() as connection:
        connection.execute(lanes.update().where(lanes.c.channel == "again").values(opened_at=2e10))
    for lane in (OUT, HOME):
        frozen.send(*lane, b"new", receiver=RECEIVER)
    frozen.settle_down(hurry=True)
    assert [frozen.journey(*lane).executed for lane in (OUT, HOME)] == [1, 1]
    assert frozen.code("chain", "alpha") == ""
    for lane_id in old.values():
        with frozen.context.store.read() as connection:
            assert connection.execute(lanes.select().where(lanes.c.lane_id == bytes(lane_id))).one().state == "frozen"
    recovery = recovery_of(frozen.context.store, "alpha")
    assert done(recovery) == list(STEPS)
    assert [lane.reopened for lane in recovery.lanes] == ["again", "again"]


def test_a_gateway_that_does_not_answer_is_shown_and_counts_as_open(frozen, gateways):
    mark(frozen, gateways.closed)
    gateways.silent.add("beta")
    recovery = recovery_of(frozen.context.store, "alpha")
    assert done(recovery) == []
    assert all("beta does not answer" in lane.ends[lane.destination == "beta"].error for lane in recovery.lanes)


def test_text_for_people_and_json_for_machines(frozen, gateways):
    mark(frozen, gateways.paused)
    recovery = recovery_of(frozen.context.store, "alpha")
    text = render(recovery.as_data())
    assert "alpha is frozen. Frozen 20" in text
    assert recovery.incident.hash_a in text
    assert "alpha → beta #default (alpha: paused, beta: paused); 0 not delivered" in text
    assert f"delivered 2  {recovery.lanes[0].contradicted[0].message_id}" in text
    assert "2. [x] Pause 2 lanes" in text
    assert "4. [ ] Close 2 lanes" in text
    assert "relayhub recover alpha --pin HEIGHT:0xHASH" in text
    data = json.loads(json.dumps(recovery.as_data()))
    assert data["incident"]["header_a"] == recovery.incident.header_a
    assert [step["name"] for step in data["steps"]] == list(STEPS)


def test_headers_of_validators_are_told_by_their_own_hash(make_hub, gateways):
    hub = make_hub()
    for _ in range(3):
        hub.mine()
    hub.chain_task("alpha")
    accepted = hub.context.chain("alpha").client_hash
    hub.ledgers["alpha"].reorganise(1)
    hub.ledgers["alpha"].mine(2)
    hub.chain_task("alpha")
    assert not gateways.closed
    incident = recovery_of(hub.context.store, "alpha").incident
    assert incident.hash_a == "0x" + bytes(accepted).hex()
    assert module._hash_of("qbft", "0xc0") == ""
