"""Whatever order things happen in: nothing false in the database, one effect each, conservation; and in the end all is settled.

The worker is this thread: tasks come when the machine says so, twice, out of order or never; endpoints fail and lie; blocks
are taken back where no block was final; the worker dies at named points; the broker forgets everything.
"""

import shutil
import tempfile
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from relay import attestations, submitter
from relay.crash import POINTS
from relay.steps import carry, claim, look
from tests.support.memory_hub import NAMES, RECEIVER, REVERTING, MemoryHub

MODULES = (attestations, submitter, carry, claim, look)
HERE = [point for point in POINTS if point.startswith(("worker.", "web."))]
LANES = [("alpha", "beta"), ("beta", "alpha")]
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
CONFIRMATIONS = 2
names = st.sampled_from(NAMES)
lanes = st.sampled_from(LANES)


class Killed(BaseException):
    """The process is gone."""


class HubMachine(RuleBasedStateMachine):
    """A hub and two ledgers, and everything that may happen to them."""

    @initialize(seed=st.integers(0, 3), sealed=st.booleans(), batch_limit=st.integers(1, 4))
    def start(self, seed, sealed, batch_limit):
        self.folder = Path(tempfile.mkdtemp(prefix="relayhub-machine-"))
        self.logs = structlog.testing.capture_logs()
        self.logs.__enter__()
        self.patch = pytest.MonkeyPatch()
        self.dies_at, self.left = "", 0
        for module in MODULES:
            self.patch.setattr(module, "crash_point", self.pass_point)
        self.sealed = sealed
        self.hub = MemoryHub(
            self.folder, seed=seed, batch_limit=batch_limit, confirmations=None if sealed else CONFIRMATIONS
        )

    def pass_point(self, name):
        if name == self.dies_at:
            self.left -= 1
            if self.left == 0:
                self.dies_at = ""
                raise Killed(name)

    def alive(self, act):
        """Do it; a worker that dies is followed by a new one."""
        try:
            act()
        except Killed:
            self.hub.restart()

    @rule(lane=lanes, receiver=st.sampled_from([RECEIVER, REVERTING, bytes(19) + b"\x05"]), count=st.integers(1, 5))
    def send(self, lane, receiver, count):
        for number in range(count):
            self.hub.send(*lane, b"%d" % number, receiver=receiver)

    @rule(lane=lanes)
    def send_what_soon_expires(self, lane):
        ledger = self.hub.ledgers[lane[0]]
        self.hub.send(*lane, b"soon", receiver=RECEIVER, expires_at=ledger.now + 3)

    @rule(name=names, blocks=st.integers(1, 3))
    def mine(self, name, blocks):
        self.hub.ledgers[name].mine(blocks)

    @rule(name=names, times=st.integers(1, 2))
    def chain_task(self, name, times):
        for _ in range(times):
            self.alive(lambda: self.hub.work("chain", name))

    @rule(lane=lanes, times=st.integers(1, 2))
    def lane_task(self, lane, times):
        for _ in range(times):
            self.alive(lambda: self.hub.lane_task(*lane))

    @rule()
    def everybody_works(self):
        self.hub.mine()
        self.alive(self.hub.turn)

    @rule(backwards=st.booleans())
    def the_broker_brings_what_it_has(self, backwards):
        tasks, self.hub.wanted = self.hub.wanted, []
        for task in reversed(tasks) if backwards else tasks:
            self.alive(lambda task=task: self.hub.work(*task))

    @rule()
    def the_broker_forgets(self):
        self.hub.wanted = []

    @rule(who=st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=3, unique=True))
    def attest(self, who):
        self.alive(lambda: self.hub.attest(*who))

    @rule(name=names, fault=st.sampled_from(FAULTS), on=st.booleans())
    def fault(self, name, fault, on):
        setattr(self.hub.faults(name), fault, on)

    @rule(name=names, jump=st.integers(0, 3))
    def lie_about_the_nonce(self, name, jump):
        self.hub.faults(name).nonce_jump = jump

    @rule(name=names)
    def the_pool_forgets(self, name):
        self.hub.ledgers[name].pool.clear()

    @rule(name=names, fee=st.sampled_from([0, 1_000, 9_000]))
    def the_base_fee_changes(self, name, fee):
        self.hub.ledgers[name].base_fee = fee

    @rule(name=names)
    def the_next_transaction_reverts(self, name):
        self.hub.ledgers[name].reverting = 1

    @precondition(lambda self: not self.sealed)
    @rule(name=names, depth=st.integers(1, CONFIRMATIONS), kept=st.booleans())
    def reorganise(self, name, depth, kept):
        ledger = self.hub.ledgers[name]
        if ledger.height - depth < 2:  # the blocks in which lanes were opened stay
            return
        taken = ledger.reorganise(depth)
        if kept:
            ledger.pool = [*taken, *ledger.pool]
        ledger.mine(depth)  # a ledger does not stay shorter than it was

    @rule(point=st.sampled_from(HERE), passes=st.integers(1, 2))
    def die_soon(self, point, passes):
        self.dies_at, self.left = point, passes

    @rule()
    def time_passes(self):
        self.hub.forget_times()

    @rule()
    def the_worker_starts_anew(self):
        self.hub.restart()

    @invariant()
    def nothing_is_lost_doubled_or_false(self):
        self.hub.check()

    def teardown(self):
        if not hasattr(self, "hub"):
            return
        try:
            self.dies_at = ""
            for name in NAMES:
                faults, ledger = self.hub.faults(name), self.hub.ledgers[name]
                for fault in FAULTS:
                    setattr(faults, fault, False)
                faults.nonce_jump, ledger.reverting = 0, 0
            self.hub.settle_down(80, hurry=True)
            self.hub.check()
        finally:
            self.patch.undo()
            self.hub.close()
            self.logs.__exit__(None, None, None)
            shutil.rmtree(self.folder)


TestHubMachine = HubMachine.TestCase
TestHubMachine.settings = settings(stateful_step_count=30)
