"""A hub in this process over in-process ledgers (a simulation of ledgers, the hub's own code): everything at once, by chance.

f of 2f + 1 endpoints of a ledger fail and lie, operators sign what is false, late or never, blocks are taken back where none
was final, pools forget, fees jump, transactions revert, tasks come twice or never, the worker dies at named points. After
every deed: nothing false, one effect each, conservation. In the end, when everything is honest again, all is settled.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from adapters.protocol import Anchoring, Rejected
from light_clients.crypto.secp256k1 import address_of, sign
from relay import attestations, submitter
from relay.crash import POINTS
from relay.steps import carry, claim, look
from relay.store.tables import claims
from relay.store.verifiers import Kind
from schemas.attestation import Attestation
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Digest, Head, LaneId
from tests.soak.chances import Menu
from tests.support.memory_hub import RECEIVER, REVERTING, MemoryHub, label_key
from tests.support.rivals import FrontRunner, part_of, waiting_actions

MODULES = (attestations, submitter, carry, claim, look)
HERE = [point for point in POINTS if point.startswith(("worker.", "web."))]
FAULTS = (
    "unreachable",
    "truncated",
    "events_lie",
    "events_dropped",
    "events_doubled",
    "events_reordered",
    "heads_lie",
    "loses_transactions",
)
NOBODY = bytes(19) + b"\x05"
DEEDS = 120
"""Deeds of one act, before everything is healed and has to settle."""
ROUNDS_TO_SETTLE = 400


class Killed(BaseException):
    """The worker is gone, as if by `kill -9`."""


class MemoryAct:
    """One hub's life.

    Args:
        seed: decides everything.
    """

    name = "memory"

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.menu = Menu(self.chance)
        self.folder = Path(tempfile.mkdtemp(prefix="relayhub-soak-"))
        self.patch = pytest.MonkeyPatch()
        self.dies_at, self.passes_left = "", 0
        self.f = self.chance.choice((0, 1, 1, 2))
        self.clique = self.chance.random() < 0.2
        self.confirmations = 2 if self.clique else self.chance.choice((None, None, None, 2, 3))
        kinds = (Kind.COMMITTEE, Kind.COMMITTEE, Kind.LIGHT_CLIENT, Kind.BOTH)
        self.kind = self.chance.choice(kinds) if self.confirmations is None else Kind.COMMITTEE
        self.hub = MemoryHub(
            self.folder,
            seed=seed,
            endpoints=2 * self.f + 1,
            batch_limit=self.chance.choice((1, 3, 10)),
            names=("alpha", "beta", "gamma")[: self.chance.choice((2, 2, 3))],
            confirmations=self.confirmations,
            clique=self.clique,
            kind=self.kind,
        )
        self.hostile = {
            name: self.chance.sample(range(2 * self.f + 1), self.f or 1) for name in self.hub.names
        }  # with one endpoint only it may fail and lie as well: the hub has to wait
        self.runner = FrontRunner(SimpleNamespace(first=self.hub))
        self.liar = self.chance.choice(["one", "two", "three"])
        for module in MODULES:
            self.patch.setattr(module, "crash_point", self._pass_point)
        self._fill_menu()

    def play(self) -> dict[str, int]:
        """Live through everything; returns counts.

        Raises:
            AssertionError: something was false, lost, doubled, or stayed stuck.
        """
        with structlog.testing.capture_logs():
            for _ in range(DEEDS):
                self.menu.draw()
                self.hub.check()
            self._heal()
            self.hub.settle_down(ROUNDS_TO_SETTLE, hurry=True)
            self.hub.check()
        journeys = [self.hub.journey(*lane) for lane in self.hub.lane_ids]
        return {"messages": sum(journey.settled for journey in journeys)}

    def close(self) -> None:
        """Leave nothing behind."""
        self.patch.undo()
        self.hub.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ——— what may happen

    def _fill_menu(self) -> None:
        for name, weight, deed in (
            ("messages are sent", 12, self._send),
            ("blocks are made", 10, self._mine),
            ("everybody works", 14, self._everybody),
            ("a ledger's task runs", 8, self._chain_task),
            ("a lane's task runs", 8, self._lane_task),
            ("the broker brings what it has", 3, self._broker_brings),
            ("the broker forgets", 1, self._broker_forgets),
            ("some operators sign", 6, self._some_sign),
            ("an operator equivocates", 2, self._equivocate),
            ("an operator replays a signature", 2, self._replay),
            ("an endpoint turns hostile", 8, self._turn_hostile),
            ("an endpoint recovers", 4, self._recover),
            ("an endpoint is behind", 2, self._fall_behind),
            ("an account's nonce is a lie", 1, self._lie_about_nonce),
            ("a front-runner takes a part of a batch", 2, self._front_run),
            ("a griefer anchors", 2, self._anchor),
            ("a pool forgets", 2, self._forget_pool),
            ("the base fee jumps", 2, self._jump_fee),
            ("a transaction reverts", 2, self._revert),
            ("a block is taken back", 3, self._reorganise),
            ("the worker dies soon", 6, self._die_soon),
            ("the worker starts anew", 1, self.hub.restart),
            ("time passes", 5, self.hub.forget_times),
        ):
            self.menu.add(name, weight, deed)

    def _pass_point(self, name: str) -> None:
        if name == self.dies_at:
            self.passes_left -= 1
            if self.passes_left == 0:
                self.dies_at = ""
                raise Killed(name)

    def _alive(self, deed: object, *arguments: object) -> None:
        try:
            deed(*arguments)
        except Killed:
            self.hub.restart()

    def _ledger(self) -> str:
        return self.chance.choice(self.hub.names)

    def _lane(self) -> tuple[str, str]:
        return self.chance.choice(list(self.hub.lane_ids))

    def _endpoint(self) -> tuple[str, int]:
        name = self._ledger()
        return name, self.chance.choice(self.hostile[name])

    def _send(self) -> None:
        lane = self._lane()
        ledger = self.hub.ledgers[lane[0]]
        for _ in range(self.chance.randint(1, 8)):
            expires_at = ledger.now + self.chance.randint(3, 30) if self.chance.random() < 0.2 else 0
            payload = self.chance.randbytes(self.chance.choice((1, 30, 400)))
            receiver = self.chance.choice((RECEIVER, RECEIVER, REVERTING, NOBODY))
            with contextlib.suppress(Rejected):  # the application's own pool has a gap after a block was taken back
                self.hub.send(*lane, payload, receiver=receiver, expires_at=expires_at)

    def _mine(self) -> None:
        self.hub.ledgers[self._ledger()].mine(self.chance.randint(1, 3))

    def _everybody(self) -> None:
        self.hub.mine()
        self._alive(self.hub.turn)

    def _chain_task(self) -> None:
        self._alive(self.hub.work, "chain", self._ledger())

    def _lane_task(self) -> None:
        self._alive(self.hub.lane_task, *self._lane())

    def _broker_brings(self) -> None:
        tasks, self.hub.wanted = self.hub.wanted, []
        self.chance.shuffle(tasks)
        for task in tasks:
            self._alive(self.hub.work, *task)

    def _broker_forgets(self) -> None:
        self.hub.wanted = []

    def _some_sign(self) -> None:
        self._alive(self.hub.attest, *self.chance.sample(["one", "two", "three"], self.chance.randint(1, 3)))

    def _some_claim(self) -> object | None:
        rows = self.hub.rows(claims)
        return self.chance.choice(rows) if rows else None

    def _equivocate(self) -> None:
        """The liar signs another head than the one that was claimed."""
        row = self._some_claim()
        if row is None:
            return
        claim_of_row = _claim(row)
        lie = replace(claim_of_row, head=Head(self.chance.randbytes(32)))
        key = label_key(self.liar)
        for said in (lie, claim_of_row):
            signature = sign(key, Digest(self.chance.choice((row.digest, self.chance.randbytes(32)))))
            self._alive(
                attestations.collect,
                self.hub.context.store,
                [Attestation(said, row.epoch, address_of(key), signature)],
                0.0,
            )

    def _replay(self) -> None:
        """The liar posts for one claim what he signed for another."""
        one, other = self._some_claim(), self._some_claim()
        if one is None or other is None:
            return
        key = label_key(self.liar)
        replayed = Attestation(
            _claim(one), one.epoch + self.chance.choice((0, 0, 1)), address_of(key), sign(key, Digest(other.digest))
        )
        self._alive(attestations.collect, self.hub.context.store, [replayed], 0.0)

    def _turn_hostile(self) -> None:
        setattr(self.hub.faults(*self._endpoint()), self.chance.choice(FAULTS), True)

    def _recover(self) -> None:
        self._make_honest(*self._endpoint())

    def _fall_behind(self) -> None:
        name, endpoint = self._endpoint()
        self.hub.faults(name, endpoint).stalled_at = max(0, self.hub.ledgers[name].height - self.chance.randint(0, 5))

    def _lie_about_nonce(self) -> None:
        self.hub.faults(*self._endpoint()).nonce_jump = self.chance.randint(0, 3)

    def _rival(self, changed: Callable[[Any], Any]) -> None:
        """Somebody sees what waits in a pool and comes first into the next block with something like it."""
        name = self._ledger()
        ledger = self.hub.ledgers[name]
        actions = waiting_actions(ledger)
        action = changed(self.chance.choice(actions)) if actions else None
        if action is not None:
            self.runner.submit(ledger, action)
            ledger.mine()

    def _front_run(self) -> None:
        self._rival(lambda action: part_of(action, self.chance.randint(1, 5)))

    def _anchor(self) -> None:
        self._rival(lambda action: Anchoring(action.lane_id, action.claim.head, (), action.claim, action.proof))

    def _forget_pool(self) -> None:
        self.hub.ledgers[self._ledger()].pool.clear()

    def _jump_fee(self) -> None:
        self.hub.ledgers[self._ledger()].base_fee = self.chance.choice((0, 1_000, 9_000))

    def _revert(self) -> None:
        self.hub.ledgers[self._ledger()].reverting = self.chance.randint(1, 3)

    def _reorganise(self) -> None:
        """Only where nobody seals, and only blocks that are not final."""
        ledger = self.hub.ledgers[self._ledger()]
        depth = self.chance.randint(1, self.confirmations or 1)
        if self.confirmations is None or ledger.height - depth < 2 * len(self.hub.lane_ids):
            return
        taken = ledger.reorganise(depth)
        if self.chance.random() < 0.5:
            ledger.pool = [*taken, *ledger.pool]
        ledger.mine(depth)

    def _die_soon(self) -> None:
        self.dies_at, self.passes_left = self.chance.choice(HERE), self.chance.randint(1, 3)

    # ——— the end

    def _make_honest(self, name: str, endpoint: int) -> None:
        faults = self.hub.faults(name, endpoint)
        for fault in FAULTS:
            setattr(faults, fault, False)
        faults.nonce_jump, faults.stalled_at, faults.answer_s = 0, None, 0.0

    def _heal(self) -> None:
        self.dies_at = ""
        for name in self.hub.names:
            for endpoint in range(2 * self.f + 1):
                self._make_honest(name, endpoint)
            self.hub.ledgers[name].reverting = 0


def _claim(row: object) -> Claim:
    return Claim(
        LaneId(row.lane_id), Direction(row.direction), row.nonce, Head(row.head), row.height, BlockHash(row.block_hash)
    )
