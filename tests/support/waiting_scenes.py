"""A scene for each reason to wait: a hub over memory ledgers is brought to the point where it waits for exactly that.

A scene gets `make_hub` and `monkeypatch`, and returns the row that the hub itself wrote into its table of waits.
"""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, update

from adapters.memory.adapter import MemoryLedger
from adapters.memory.gateway import Reverted
from adapters.memory.headers import make_header
from adapters.protocol import MemberRefused, Rejected, Unreachable
from relay import work as work_module
from relay.steps import look as look_step
from relay.steps.trouble import STALLED_S
from relay.store.tables import committees, lanes, messages, milestones, verifiers
from relay.store.tables import waits as waits_table
from relay.store.verifiers import Kind
from tests.support.memory_hub import RECEIVER

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
SCENES: dict[str, Any] = {}


def scene(function):
    """Register a scene under its name, which is the reason's code."""
    SCENES[function.__name__] = function
    return function


def sent(hub, count=1):
    """Messages of alpha are final and proved."""
    for number in range(count):
        hub.send(*OUT, b"message %d" % number, receiver=RECEIVER)
    hub.mine()
    hub.chain_task()


def attested(hub, count=1):
    """They are signed by a quorum too."""
    sent(hub, count)
    hub.lane_task(*OUT)
    hub.attest()


def submitted(hub, count=1):
    """Their delivery is sent to beta, in no block yet."""
    attested(hub, count)
    hub.lane_task(*OUT)
    hub.chain_task("beta")


def reverted(hub):
    """A delivery that reverted, and was seen to have."""
    submitted(hub)
    hub.mine()
    hub.forget_times()
    hub.chain_task("beta")
    hub.lane_task(*OUT)


def goes_on(hub):
    """Whatever was in the way is gone: everything settles, and nothing waits any more."""
    hub.settle_down(hurry=True)
    hub.check()
    assert [hub.code(kind, *lane) for kind in ("lane", "back") for lane in hub.lane_ids] == [""] * 4
    assert [hub.code("chain", name) for name in hub.names] == ["", ""]


def equivocate(hub, name="alpha"):
    """The validators seal a second block of a height that the hub has accepted, and go on from there."""
    hub.ledgers[name].reorganise(1)
    hub.ledgers[name].mine(2)


def unseal(hub, name):
    """Serve the newest block as one validator alone would seal it."""
    ledger = hub.ledgers[name]
    block = ledger.blocks[-1]
    ledger.blocks[-1] = replace(block, header=make_header(block.content, ledger.validator_keys[:1]))


def change(hub, table, values, *where):
    """Write values into rows, as a look would that saw them."""
    with hub.context.store.write() as connection:
        connection.execute(update(table).where(*where).values(**values))


@scene
def operators_silent(make_hub, _):
    hub = make_hub()
    sent(hub)
    hub.lane_task(*OUT)
    hub.attest("two")
    hub.age_claims()
    hub.lane_task(*OUT)
    return hub.wait_of("lane", *OUT)


@scene
def endpoint_unreachable(make_hub, _):
    hub = make_hub()
    hub.faults("alpha").unreachable = True
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def endpoint_slow(make_hub, monkeypatch):
    hub = make_hub()
    clock = SimpleNamespace(now=0.0)

    def swallow(ledger):
        clock.now += 5.0
        raise Unreachable(f"{ledger.endpoint} did not answer.", endpoint=ledger.endpoint)

    monkeypatch.setattr(MemoryLedger, "_check", swallow)
    monkeypatch.setattr(look_step, "time", SimpleNamespace(monotonic=lambda: clock.now))
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def endpoint_bad_answer(make_hub, _):
    hub = make_hub()
    hub.mine()
    hub.faults("alpha").truncated = True
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def endpoint_accused(make_hub, _):
    hub = make_hub()
    hub.faults("alpha").events_lie = True
    sent(hub)
    return hub.wait_of("chain", "alpha")


@scene
def header_refused(make_hub, _):
    hub = make_hub()
    hub.mine("alpha")
    unseal(hub, "alpha")
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def header_not_there(make_hub, monkeypatch):
    hub = make_hub()
    sent(hub)
    hub.lane_task(*OUT)
    for _ in range(71):
        hub.mine("alpha")

    def pruned(*_):
        raise Rejected("missing trie node", code="no_state")

    monkeypatch.setattr(hub.context.ledger(hub.context.chain("alpha")), "evidence", pruned)
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def client_frozen(make_hub, _):
    hub = make_hub()
    sent(hub)
    equivocate(hub)
    hub.chain_task("alpha")
    return hub.wait_of("lane", *OUT)


@scene
def client_expired(make_hub, _):
    hub = make_hub()
    hub.mine()
    hub.clock_offset_s = 400 * 24 * 3600
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def client_misconfigured(make_hub, _):
    hub = make_hub()
    hub.set_chain("alpha", gateway_pin={"version": 7})
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def member_refused(make_hub, monkeypatch):
    hub = make_hub()

    def refused(*_, **__):
        raise MemberRefused("The certificate member.pem was revoked by OrgOne; ask it for another.")

    monkeypatch.setattr(MemoryLedger, "tip", refused)
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def chain_stalled(make_hub, _):
    hub = make_hub()
    hub.mine()
    hub.chain_task()
    hub.set_chain("alpha", tip_at=time.time() - STALLED_S - 1)
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


@scene
def destination_down(make_hub, _):
    hub = make_hub()
    attested(hub)
    hub.restart()
    hub.faults("beta").unreachable = True
    hub.lane_task(*OUT)
    return hub.wait_of("lane", *OUT)


@scene
def wallet_empty(make_hub, monkeypatch):
    hub = make_hub()
    wallet = MemoryLedger.wallet
    monkeypatch.setattr(MemoryLedger, "wallet", lambda self, address: replace(wallet(self, address), balance=5))
    submitted(hub)
    return hub.wait_of("chain", "beta")


@scene
def fee_ceiling(make_hub, _):
    hub = make_hub()
    hub.ledgers["beta"].fee_ceiling, hub.ledgers["beta"].base_fee = 2_000, 2_001
    submitted(hub)
    return hub.wait_of("chain", "beta")


@scene
def transaction_reverted(make_hub, _):
    hub = make_hub()
    hub.ledgers["beta"].reverting = 1
    reverted(hub)
    return hub.wait_of("lane", *OUT)


@scene
def transaction_pending(make_hub, _):
    hub = make_hub()
    submitted(hub)
    for _ in range(10):
        hub.ledgers["beta"].pool.clear()
        hub.mine("beta")
        hub.chain_task("beta")
    return hub.wait_of("chain", "beta")


@scene
def window_full(make_hub, monkeypatch):
    hub = make_hub()
    opens = hub.ledgers["beta"].now + 30

    def deliver(*_):
        raise Reverted(f"WindowFull(laneId=0x00, retryAt={opens}): wait")

    monkeypatch.setattr(hub.ledgers["beta"].gateway, "deliver", deliver)
    reverted(hub)
    return hub.wait_of("lane", *OUT)


@scene
def lane_paused(make_hub, _):
    hub = make_hub()
    hub.ledgers["beta"].set_lane(hub.lane_ids[OUT], paused=True)
    reverted(hub)
    return hub.wait_of("lane", *OUT)


@scene
def lane_not_open(make_hub, _):
    hub = make_hub(pairs=(HOME,))
    hub.open(*OUT, channel="second", ends=(0,))
    reverted(hub)
    return hub.wait_of("lane", *OUT)


@scene
def no_committee(make_hub, _):
    hub = make_hub()
    change(hub, committees, {"state": "old"}, committees.c.chain == "beta")
    sent(hub)
    hub.lane_task(*OUT)
    return hub.wait_of("lane", *OUT)


@scene
def key_unreadable(make_hub, _):
    hub = make_hub()
    (hub.home.keys / "relayer-beta.json").chmod(0o644)
    submitted(hub)
    return hub.wait_of("chain", "beta")


@scene
def clock_ahead(make_hub, _):
    hub = make_hub()
    hub.chain_task()
    hub.clock_offset_s = -1000
    hub.mine()
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")


def judged(make_hub, row=None, **client):
    """A lane judged by a light client on beta, with a message proved: then the client's state is what is said."""
    hub = make_hub(kind=Kind.LIGHT_CLIENT, pairs=(OUT,))
    sent(hub)
    known = hub.light_client("beta", "alpha")
    for name, value in client.items():
        setattr(known, name, value(hub, known) if callable(value) else value)
    hub.verifier("beta", "alpha", hub.kind)
    if row:
        change(hub, verifiers, row, verifiers.c.chain == "beta")
    hub.lane_task(*OUT)
    return hub.wait_of("lane", *OUT)


@scene
def light_client_behind(make_hub, _):
    return judged(make_hub, validators=lambda _, client: client.validators[:3])


@scene
def light_client_expired(make_hub, _):
    return judged(make_hub, {"expires_at": 1})


@scene
def light_client_frozen(make_hub, _):
    return judged(make_hub, {"frozen": True}, frozen=True)


@scene
def proof_outdated(make_hub, _):
    return judged(make_hub, since=lambda hub, _: hub.ledgers["alpha"].height + 1)


@scene
def other_relayer(make_hub, monkeypatch):
    hub = make_hub()
    sent(hub)
    hub.settle_down()
    change(hub, milestones, {"reference": b"\x66" * 32}, milestones.c.stage == "delivered")
    attested(hub)
    with hub.context.store.read() as connection:
        seen_at = connection.execute(select(messages.c.seen_at).where(messages.c.nonce == 2)).scalar_one()
    monkeypatch.setattr("time.time", lambda: seen_at + 1)
    hub.lane_task(*OUT)
    return hub.wait_of("lane", *OUT)


@scene
def verifier_unknown(make_hub, monkeypatch):
    hub = make_hub(pairs=(OUT,))
    stranger = b"\x99" * 20
    change(hub, lanes, {"destination_verifier": stranger})
    ends = MemoryLedger.lane_ends
    monkeypatch.setattr(MemoryLedger, "lane_ends", lambda *asked: replace(ends(*asked), verifier=stranger))
    hub.chain_task("beta")
    return next(row for row in hub.rows(waits_table) if row.kind == "client")


@scene
def hub_failed(make_hub, monkeypatch):
    hub = make_hub()

    def broken(*_):
        raise KeyError("nobody thought of this")

    monkeypatch.setattr(work_module, "look", broken)
    hub.chain_task("alpha")
    return hub.wait_of("chain", "alpha")
