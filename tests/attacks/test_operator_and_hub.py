"""Whoever holds the hub, or reaches its port without any key: what he can make operators sign, miss or seem."""

import contextlib
import os
import threading
import time
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select, update

from adapters.memory.adapter import MemoryLedger
from adapters.protocol import MessageSent
from light_clients.crypto.secp256k1 import address_of
from relay.cli import main
from relay.operator.judge import RefusedClaim, read_offer
from relay.operator.process import Operator
from relay.operator.view import LedgerView
from relay.processes import PRIVATE
from relay.store.tables import attestations, claims, committees, incidents, lanes, messages, operators, transactions
from relay.web.application import BODY_MAX_BYTES
from relay.web.offers import offers
from schemas.heads import fold, genesis
from schemas.primitives import hex0x
from schemas.suites import EVM
from tests.support.memory_hub import RECEIVER
from tests.support.operator_world import OperatorWorld, wait_until

OUT = ("alpha", "beta")


@pytest.fixture
def world(tmp_path):
    with OperatorWorld(tmp_path) as made:
        yield made


def sent(world, count=1):
    for number in range(count):
        world.hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
    world.look()


def follower_of(operator):
    """The thread that answers for alpha."""

    def found():
        return next((item for item in list(operator._followers.values()) if item.chain == "alpha"), None)

    wait_until(found, "alpha is followed")
    return found()


def everything(world):
    """Every row that a stranger must not change."""
    tables = (attestations, claims, incidents, lanes, messages, transactions)
    return [world.hub.rows(table) for table in tables]


class TestTheHubLies:
    """The hub itself is broken into: it proposes what it likes."""

    @pytest.mark.parametrize("lie", ["head", "height", "block_hash", "nonce", "lane_id"])
    def test_no_operator_signs_a_claim_that_the_hub_made_up(self, world, lie):
        sent(world, 3)
        false = {
            "head": b"\x66" * 32,
            "height": world.hub.ledgers["alpha"].height + 5,
            "block_hash": b"\x66" * 32,
            "nonce": 9,
            "lane_id": bytes(world.hub.lane_ids["beta", "alpha"]),
        }
        with world.hub.context.store.write() as connection:
            connection.execute(update(claims).where(claims.c.direction == 0).values({lie: false[lie]}))
        refused = []
        operator = Operator(world.write("one"), clock=world.hub.context.clock)
        refuse = operator._desk.refuse
        operator._desk.refuse = lambda offer, name, text: (refused.append(name), refuse(offer, name, text))
        answered = []
        delay = operator._desk.done
        operator._desk.done = lambda offer: (answered.append(offer), delay(offer))
        thread = threading.Thread(target=operator.run, daemon=True)
        thread.start()
        try:
            waits_for_ever = lie == "height"  # it may come true: nothing is signed before the operator's own header
            if waits_for_ever:
                follower = follower_of(operator)
                wait_until(lambda: follower._waiting and follower._view is not None, "the claim waits")
            else:
                wait_until(lambda: refused, "the claim is refused")
        finally:
            operator.stop()
            thread.join(timeout=60)
        assert world.signers() == set()
        assert answered == []
        wanted = {"head": "HeadMismatch", "block_hash": "BlockMismatch", "nonce": "NonceAhead"}
        assert set(refused) <= {wanted.get(lie, "HeadMismatch"), "NonceAhead", "BlockMismatch", "PlaceMismatch"}

    def test_a_hub_and_an_endpoint_that_tell_the_same_lie_get_no_signature(self, world, monkeypatch):
        """Claim, events and heads agree, byte for byte; only the state under the sealed header does not."""
        sent(world)
        lane_id = world.hub.lane_ids[OUT]
        events = MemoryLedger.events

        def false(event):
            if not isinstance(event, MessageSent) or event.lane_id != lane_id:
                return event
            message = replace(event.message, receiver=b"\x66" * 20)
            message_id = message.message_id(EVM, lane_id)
            head = fold(EVM, genesis(EVM, lane_id, 0), message_id)
            return replace(event, message=message, message_id=message_id, head=head)

        (honest,) = world.hub.events("alpha", lane_id, MessageSent)
        lie = false(honest)
        with world.hub.context.store.write() as connection:
            connection.execute(update(claims).where(claims.c.direction == 0).values(head=bytes(lie.head)))
        monkeypatch.setattr(MemoryLedger, "events", lambda *asked: [false(event) for event in events(*asked)])
        lied = []
        distrust = LedgerView._distrust
        monkeypatch.setattr(LedgerView, "_distrust", lambda view, lie: (lied.append(lie.name), distrust(view, lie)))
        world.start("one")
        wait_until(lambda: len(lied) > 1, "the endpoint is found out, again and again")
        world.stop("one")
        assert set(lied) == {"HeadMismatch"}
        assert world.signers() == set()

    def test_a_cursor_beyond_every_hub_hides_no_later_claim(self, world):
        sent(world)
        (item, *_) = offers(world.hub.context.store, 0, 10)
        assert read_offer(item | {"cursor": (1 << 63) - 1}).cursor == (1 << 63) - 1
        with pytest.raises(RefusedClaim) as refused:
            read_offer(item | {"cursor": 1 << 63})
        assert refused.value.name == "OfferMalformed"

    def test_what_was_signed_before_a_freeze_is_not_posted_after_it(self, world, monkeypatch):
        sent(world)
        operator = Operator(world.write("one"), clock=world.hub.context.clock)
        operator._arrange(operator._config)
        follower = follower_of(operator)
        posted = []
        try:
            follower.stop()
            follower.join(timeout=60)
            follower._view = view = follower._open_view()
            view.look(int(world.hub.context.clock()))
            offer = read_offer(offers(world.hub.context.store, 0, 10)[0])
            follower._unposted = [(offer, object())]
            view.state = view.state.freeze()
            monkeypatch.setattr(operator._hub, "post", posted.append)
            follower._post()
        finally:
            for item in operator._followers.values():
                item.stop()
                item.join(timeout=60)
            operator._lock_file.close()
        assert posted == []
        assert follower._unposted == []
        assert not operator._desk.accept(offer.cursor)  # it rests as a refused claim


class TestNoKeyAtAll:
    """A process on the same machine that knows the port, and nothing else."""

    NONSENSE = (
        b"[" * 900_000,
        b'{"claim":' * 60_000,
        b'{"claim":{"nonce":1' + b"0" * 300_000 + b"}}",
        b'[{"claim":{"lane_id":"0x' + b"ff" * 200_000 + b'"}}]',
        b'[null,1,true,"x",[],{}]',
        b'{"claim":{"nonce":1e400}}',
        b'"\\ud800"',
        b"\xff\xfe",
        b"",
    )

    def test_nothing_that_is_posted_without_a_key_changes_what_the_hub_believes(self, world):
        sent(world)
        before = everything(world)
        (item, *_) = offers(world.hub.context.store, 0, 10)
        signer = hex0x(address_of(world.hub.signers["one"]))
        unsigned = {
            "claim": item["claim"],
            "epoch": item["epoch"],
            "signer": signer,
            "signature": "0x" + "11" * 64 + "1b",
        }
        giant = unsigned | {"claim": item["claim"] | {"nonce": str(1 << 64)}, "epoch": "9" * 400}
        sql = unsigned | {"signer": "0x' OR 1=1 --"}
        with httpx.Client(base_url=f"http://127.0.0.1:{world.port}", trust_env=False, timeout=60) as client:
            for body in self.NONSENSE:
                answer = client.post("/v1/attestations", content=body)
                assert answer.status_code in (200, 400)
                assert "Traceback" not in answer.text
                if answer.status_code == 200:
                    assert {verdict["result"] for verdict in answer.json()["verdicts"]} <= {"refused"}
            for forged in (unsigned, giant, sql, [unsigned] * 500):
                verdicts = client.post("/v1/attestations", json=forged).json()["verdicts"]
                assert {verdict["result"] for verdict in verdicts} == {"refused"}
            for path in (
                "/v1/../../etc/passwd",
                "/v1/claims?signer=0x'--",
                "/v1/claims?wait=nan",
                "/v1/claims?wait=inf",
            ):
                assert client.get(path).status_code in (400, 404)
            for method in ("PUT", "DELETE", "PATCH"):
                assert client.request(method, "/v1/claims").status_code == 405
        assert everything(world) == before

    def test_a_body_without_an_end_is_left(self, world):
        def endless():
            while True:
                yield b"[" + b" " * 65_536

        with httpx.Client(base_url=f"http://127.0.0.1:{world.port}", trust_env=False, timeout=60) as client:
            with contextlib.suppress(httpx.HTTPError):  # the connection may end under a body that nobody reads
                assert client.post("/v1/attestations", content=endless()).status_code == 413
            assert client.get("/healthz").json() == {"ok": True}
        assert BODY_MAX_BYTES == 1_000_000

    def test_polling_under_an_operators_name_takes_no_offer_from_it(self, world):
        sent(world)
        store = world.hub.context.store
        with store.write() as connection:
            connection.execute(update(claims).values(created_at=time.time() - 60))
        signer = hex0x(address_of(world.hub.signers["one"]))
        last = world.hub.rows(claims)[-1].id
        query = {"after": str(last), "signer": signer}
        url = f"http://127.0.0.1:{world.port}"
        with httpx.Client(base_url=url, trust_env=False) as thief, httpx.Client(base_url=url, trust_env=False) as owner:
            assert len(thief.get("/v1/claims", params=query).json()["claims"]) == 1
            assert len(owner.get("/v1/claims", params=query).json()["claims"]) == 1
            assert owner.get("/v1/claims", params=query).json()["claims"] == []  # not again at once

    def test_what_a_hub_writes_is_its_owners_alone(self, tmp_path):
        before = os.umask(0o022)
        try:
            assert main(["--version"]) == 0
            assert os.umask(0o022) == PRIVATE
        finally:
            os.umask(before)


class TestStruckBelowAQuorum:
    """Two of three operators are struck: the one that is left signs, and no person is told to sign again."""

    def test_the_officers_are_named_and_not_an_empty_list_of_operators(self, tmp_path, make_hub):
        hub = make_hub(pairs=[OUT])
        hub.send(*OUT, b"x", receiver=RECEIVER)
        hub.mine()
        hub.chain_task()
        hub.lane_task(*OUT)
        with hub.context.store.write() as connection:
            connection.execute(update(operators).where(operators.c.name != "one").values(state="struck"))
        hub.attest("one")
        hub.age_claims()
        hub.lane_task(*OUT)
        row = hub.wait_of("lane", *OUT)
        assert (row.code, row.party) == ("operators_silent", "officers")
        assert "they are too few" in row.text
        assert "relayhub operator add" in row.text

    def test_signatures_of_an_old_epoch_are_offered_anew_and_nothing_goes_twice(self, make_hub):
        hub = make_hub(pairs=[OUT])
        for number in range(25):
            hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
        hub.mine()
        hub.chain_task()
        hub.lane_task(*OUT)
        hub.attest()
        hub.lane_task(*OUT)  # queued with signatures of epoch 1
        with hub.context.store.write() as connection:
            row = connection.execute(select(committees).where(committees.c.chain == "beta")).one()
            connection.execute(update(committees).where(committees.c.chain == "beta").values(state="old"))
            new = row._asdict() | {"epoch": 2, "state": "current"}
            connection.execute(committees.insert().values(**new))
        lane_id = hub.lane_ids[OUT]
        gateway = hub.ledgers["beta"].gateway
        second = replace(gateway.lanes[lane_id].verifier, epoch=2)
        gateway.lanes[lane_id] = replace(gateway.lanes[lane_id], verifier=second)
        hub.settle_down(rounds=80, hurry=True)
        hub.check()
        assert {row.epoch for row in hub.rows(claims) if row.direction == 0 and row.state == "attested"} == {2}
