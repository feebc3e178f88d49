"""Many messages over each pair of unlike ledgers, while everything that may go wrong does: `python -m tests.soak --unlike`.

One whole hub with real processes joins ledgers of every kind (those of `relayhub demo --ledgers all`). Over each pair go two
lanes, and messages in batches from both ends. All the while, by seed: one of three endpoints of a ledger fails or lies,
sealers, validators and organisations change, the hub's processes are killed. In the end everything is healed, and counted
from heads that fresh light clients prove: conservation on every lane, nothing lost, nothing executed twice.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from adapters.protocol import AdapterError
from relay.config import HubConfig
from relay.demo.balance import LaneBalance, Proved, balance, prove_ledger
from relay.demo.mesh.ledgers import Kind, chosen
from relay.demo.mesh.world import MeshWorld
from relay.demo.show import Silent, waits_of
from relay.demo.world import CHANNEL
from relay.errors import HubError
from relay.home import Home
from relay.processes import recorded
from relay.registry.chains import all_chains, chain_named, open_chain
from relay.registry.lanes import all_lanes
from relay.sending import Letter, send_all
from schemas.claim import Direction
from schemas.outcome import Status
from schemas.payloads import TextPayload, encode_payload
from schemas.primitives import LaneId
from tests.soak.chances import Menu
from tests.soak.unlike_faults import KINDS, Switches

MESSAGES = 10_000
"""Over each pair, half of them each way."""
BATCH = 200
GAS = 120_000
WORKERS = 6
"""One that waits for a slow endpoint of one ledger does not keep the others waiting."""
PROGRESS_S = 5.0
BEGIN_S = 3_600.0
BACK_S = 20.0
STUCK_S = 600.0
"""Nothing moved for so long after everything was healed: it is stuck."""
FAULTS_UNTIL = 0.9
HEALED_WITHIN = 30
"""Attempts, a second apart, to switch a ledger's faults off in the end."""
MORE_ENDPOINTS = {"qbft": ("/second", "/third")}
MORE_WORDS = {"fabric": ("--organisations", "3"), "cometbft": ("--followers", "2")}
"""What a ledger of the demo is started with besides, so that it has three endpoints."""
KILLED = ("worker", "operator", "web", "watch", "broker")
WORD = 32
Pair = tuple[str, str]


class SoakWorld(MeshWorld):
    """The mesh's world with the lanes of some pairs only, and three endpoints for each ledger."""

    def __init__(self, home: Home, kinds: Sequence[Kind], pairs: Sequence[Pair]) -> None:
        wider = [replace(kind, command=(*kind.command, *MORE_WORDS.get(kind.name, ()))) for kind in kinds]
        super().__init__(home, Silent(), wider)
        self.pairs = [way for a, b in pairs for way in ((a, b), (b, a))]

    def start(self) -> None:
        """Start, and give a ledger that is one front its further endpoints."""
        self.home.save(HubConfig(name="demo", development=True, workers=WORKERS))
        super().start()
        for name, paths in MORE_ENDPOINTS.items():
            if name in self.ledgers:
                said = self.ledgers[name].said
                said["endpoints"] = [said["url"], *(said["url"].rstrip("/") + path for path in paths)]

    def wait_until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until something is so; many lanes take longer than a demo's.

        Raises:
            AssertionError: it does not become so.
        """
        deadline = time.monotonic() + BEGIN_S
        while not condition():
            assert time.monotonic() < deadline, f"not so within {BEGIN_S:.0f} s: {what}"
            time.sleep(0.2)


@dataclass
class Sender:
    """The application at one ledger: it sends over some of its lanes until the ledger has taken so many over each.

    Attributes:
        known: ids that the ledger said it took, by lane.
        failures: what went wrong while sending, and how often.
    """

    world: SoakWorld
    name: str
    pairs: Sequence[Pair]
    count: int
    chance: random.Random
    stop: threading.Event
    known: dict[Pair, set[bytes]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    left: int = 0

    def run(self) -> None:
        """Send until all is sent or the soak is over."""
        waiting = dict.fromkeys(self.pairs, self.count)
        self.known, self.left = {pair: set() for pair in waiting}, sum(waiting.values())
        while waiting and not self.stop.is_set():
            pair = self.chance.choice(sorted(waiting))
            try:
                batch = self._letters(pair, min(BATCH, waiting[pair]))
                sent = send_all(self.world.store, (*pair, CHANNEL), self.world.sender, batch)
                self.known[pair].update(item.message_id for item in sent)
                waiting[pair] -= len(sent)
            except (AdapterError, HubError) as error:  # it is not known what of the batch was taken: ask the gateway
                self.failures[f"{type(error).__name__}: {error}"[:160]] += 1
                waiting[pair] = min(waiting[pair], self._missing(pair, waiting[pair]))
                self.stop.wait(1.0)
            if waiting[pair] <= 0:
                del waiting[pair]
            self.left = sum(waiting.values())

    def _missing(self, pair: Pair, otherwise: int) -> int:
        row = next(row for row in all_lanes(self.world.store) if (row.source, row.destination) == pair)
        try:
            source = chain_named(self.world.store, self.name)
            ledger = open_chain(source)
            try:
                return self.count - ledger.lane_ends(bytes(source.gateway), LaneId(row.lane_id)).sent
            finally:
                ledger.close()
        except (AdapterError, HubError):
            return otherwise

    def _letters(self, pair: Pair, count: int) -> list[Letter]:
        text = encode_payload(TextPayload(text=f"你好 · hello · {' → '.join(pair)} 📜"))
        failing = "0x" + self.world.reverting[pair[1]].hex()
        return [Letter(failing if self.chance.random() < 0.05 else "mailbox", text, GAS) for _ in range(count)]


class Unlike:
    """One soak over pairs of unlike ledgers.

    Args:
        seed: decides faults, their order and the senders' choices, not the clock or the scheduler.
        messages: over each pair.
        pairs: of kinds of ledgers.
        kinds: the kinds that are in the pairs.
    """

    def __init__(self, seed: int, messages: int, pairs: Sequence[Pair], kinds: Sequence[Kind]) -> None:
        self.seed, self.messages = seed, messages
        self.chance = random.Random(seed)
        self.menu = Menu(self.chance)
        self.folder = Path(tempfile.mkdtemp(prefix="relayhub-unlike-"))
        self.world = SoakWorld(Home(self.folder / "hub"), kinds, pairs)
        self.stop = threading.Event()
        self.senders: list[Sender] = []
        self.switches: dict[str, Switches] = {}
        self.failed_switches: Counter[str] = Counter()
        self.spent: dict[tuple[int, float], tuple[str, float]] = {}
        self.began = self.told_at = time.monotonic()
        self.menu.add("an endpoint fails or lies", 6, self._disturb)
        self.menu.add("an endpoint recovers", 3, self._heal_one)
        self.menu.add("who decides changes", 1, self._change)
        self.menu.add("a process of the hub is killed", 2, self._kill)

    def run(self) -> dict[str, Any]:
        """Play it; returns the report.

        Returns:
            Seed, pairs, faults, counts, seconds, CPU seconds a message, the balance of each lane, and the failure or None.
        """
        report: dict[str, Any] = {"seed": self.seed, "messages": self.messages, "failure": None}
        try:
            report |= self._play()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the find
            told = f"{type(error).__name__}: {error}"[:4000]
            report["failure"] = {"error": told, "trace": traceback.format_exc()[-6000:], "latest": [*self.menu.latest]}
        finally:
            self.stop.set()
            self._end(report)
        report["faults"] = {name: count for name, count in self.menu.done.items() if name not in self.menu.deeds}
        report["switches_that_failed"] = dict(self.failed_switches)
        report["failures_while_sending"] = dict(sum((sender.failures for sender in self.senders), Counter[str]()))
        report["seconds"] = round(time.monotonic() - self.began, 1)
        return report

    def _play(self) -> dict[str, Any]:
        self._say(
            f"unlike: seed {self.seed}, {self.messages:,} messages over each of {len(self.world.pairs) // 2} pairs"
        )
        self.world.start()
        self.world.register(self._say)
        self.world.open_lanes()
        self.world.wait_until("the hub's processes run", lambda: self.world.ready)
        self.switches = {
            name: KINDS[name](ledger, random.Random(self.chance.getrandbits(32)))
            for name, ledger in self.world.ledgers.items()
        }
        self._say("lanes are open; messages and faults begin")
        began, spent = time.monotonic(), self._cpu()
        self._send_under_faults()
        sent = time.monotonic() - began
        self._say("everything is healed")
        self._heal()
        self._wait_settled()
        settled, used = time.monotonic() - began, self._cpu() - spent
        self._say("all is settled; light clients begin anew and prove what became of it")
        balances, count = self._judge()
        return {
            "lanes": [item.as_json() for item in balances],
            "count": count,
            "seconds_sending": round(sent, 1),
            "seconds_until_settled": round(settled, 1),
            "messages_a_second": round(count / settled, 1),
            "cpu_seconds_a_message": round(used / count, 4),
        }

    def _send_under_faults(self) -> None:
        for name in self.world.ledgers:
            lanes = [pair for pair in self.world.pairs if pair[0] == name]
            # One key is one row of nonces; where accounts have none, each lane has a sender of its own.
            for pairs in [lanes] if self._keeps_order(name) else [[lane] for lane in lanes]:
                chance = random.Random(self.chance.getrandbits(32))
                self.senders.append(Sender(self.world, name, pairs, (self.messages + 1) // 2, chance, self.stop))
        threads = [threading.Thread(target=sender.run, daemon=True) for sender in self.senders]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) or self._much_is_in_flight():
            self.menu.draw()
            ends = time.monotonic() + self.chance.uniform(0.5, 3.0)
            while time.monotonic() < ends:
                self._tell()
                time.sleep(0.2)
        left = {str(sender.pairs): sender.left for sender in self.senders if sender.left}
        assert not left, f"senders ended before everything was sent: {left}"

    def _keeps_order(self, name: str) -> bool:
        ledger = open_chain(chain_named(self.world.store, name))
        try:
            return ledger.machine().ordered
        finally:
            ledger.close()

    def _much_is_in_flight(self) -> bool:
        """Whether faults go on though all is sent: until nine in ten messages are settled."""
        return self.world.total("settled") < FAULTS_UNTIL * self.messages * len(self.world.pairs) // 2

    # ——— what goes wrong

    def _one(self) -> tuple[str, Switches]:
        return self.chance.choice(sorted(self.switches.items()))

    def _disturb(self) -> None:
        name, switches = self._one()
        self._flip(name, lambda: f"{name}: {switches.disturb()}")

    def _heal_one(self) -> None:
        name, switches = self._one()
        self._flip(name, switches.heal)

    def _change(self) -> None:
        name, switches = self._one()
        self._flip(name, lambda: f"{name}: {change}" if (change := switches.change()) else None)

    def _kill(self) -> None:
        kind = self.chance.choice(KILLED)
        processes = recorded(self.world.home)[1]
        if any(time.time() - process.started < BACK_S for process in processes):
            return  # one at a time: what was killed has to come back, also on a machine that has much else to do
        running = [process.role for process in processes if process.alive]
        roles = sorted(role for role in running if role == kind or role.startswith(f"{kind}-"))
        if roles:
            self.world.kill(self.chance.choice(roles))
            self.menu.done[f"kill -9 {kind}"] += 1

    def _flip(self, name: str, deed: Any) -> None:
        """Flip a switch; where the node that is asked cannot do it for now, the fault is left out and told."""
        try:
            done = deed()
        except Exception as error:  # noqa: BLE001 - a switch is no part of the hub; how often it failed is in the report
            self.failed_switches[f"{name}: {type(error).__name__}: {error}"[:200]] += 1
            return
        if done:
            self.menu.done[done] += 1
            self.menu.latest.append(done)

    def _heal(self) -> None:
        for name, switches in self.switches.items():
            for attempt in range(HEALED_WITHIN):
                try:
                    switches.mend()
                except Exception as error:  # a busy node may not hear it at once
                    self.failed_switches[f"{name}: {type(error).__name__}: {error}"[:200]] += 1
                    if attempt + 1 == HEALED_WITHIN:
                        raise
                    time.sleep(1.0)
                else:
                    break
            switches.on = ""

    # ——— how it goes

    def _wait_settled(self) -> None:
        """Wait until the hub has settled what it saw, and the ledgers have no more.

        Raises:
            AssertionError: nothing moved for a long time.
        """
        before, moved_at = (-1, -1), time.monotonic()
        expected = sum(len(ids) for sender in self.senders for ids in sender.known.values())
        while True:
            lanes = self.world.lanes().values()
            sent, settled = (sum(lane[stage] for lane in lanes) for stage in ("sent", "settled"))
            if sent == settled and sent >= max(expected, self._taken()):
                return
            if (sent, settled) != before:
                before, moved_at = (sent, settled), time.monotonic()
            waits = "; ".join(waits_of(self.world.status())) or "for nobody"
            assert time.monotonic() - moved_at < STUCK_S, f"settled {settled} of {sent}, waiting {waits}"
            self._tell()
            time.sleep(0.5)

    def _taken(self) -> int:
        """Messages that the gateways say they took."""
        total = 0
        for row in all_chains(self.world.store):
            ledger = open_chain(row)
            try:
                for lane in all_lanes(self.world.store):
                    if lane.source == row.name:
                        total += ledger.lane_ends(bytes(row.gateway), LaneId(lane.lane_id)).sent
            finally:
                ledger.close()
        return total

    def _tell(self) -> None:
        if time.monotonic() - self.told_at < PROGRESS_S:
            return
        self.told_at = time.monotonic()
        self._cpu()
        stages = {stage: self.world.total(stage) for stage in ("sent", "proved", "attested", "delivered", "settled")}
        shown = " ".join(f"{stage} {count:,}" for stage, count in stages.items())
        on = ", ".join(f"{name} {each.on}" for name, each in self.switches.items() if each.on) or "none"
        self._say(f"{shown} · left to send {sum(sender.left for sender in self.senders):,} · faults: {on}")

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.0f} s  {text}", flush=True)

    def _cpu(self) -> float:
        """CPU seconds of the hub's processes until now, those that were killed included as far as they were seen."""
        for process in recorded(self.world.home)[1]:
            try:
                found = psutil.Process(process.pid)
                times = found.cpu_times()
                self.spent[process.pid, found.create_time()] = process.role, times.user + times.system
            except (psutil.Error, ValueError):
                continue
        return sum(seconds for _, seconds in self.spent.values())

    # ——— what became of it

    def _judge(self) -> tuple[list[LaneBalance], int]:
        """Prove everything anew.

        Raises:
            AssertionError: something is lost, doubled or not conserved.
        """
        lanes = all_lanes(self.world.store)
        jobs = self.world.together(lambda row: prove_ledger(row, lanes), all_chains(self.world.store))
        proved = {ledger.name: ledger for ledger in (job.result() for job in jobs)}
        balances = [balance(row, proved[row.source], proved[row.destination]) for row in lanes]
        for item in balances:
            assert item.conserved, f"{item.source} → {item.destination}: {item.equation()}"
            assert item.in_flight == 0, f"{item.source} → {item.destination}: {item.equation()}"
        for name, ledger in proved.items():
            check_runs(name, ledger)
        for sender in self.senders:
            for pair, ids in sender.known.items():
                row = next(row for row in lanes if (row.source, row.destination) == pair)
                entries = proved[pair[0]].histories[LaneId(row.lane_id), Direction.OUTBOX].entries
                assert ids <= {entry.entry_id for entry in entries}, (
                    f"{' → '.join(pair)}: a message that was taken is lost"
                )
        return balances, sum(item.sent for item in balances)

    def _end(self, report: dict[str, Any]) -> None:
        for switches in self.switches.values():
            switches.close()
        left = self.world.close()
        if left:
            report["had_to_be_killed"] = left
        if report["failure"] is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            report["folder"] = str(self.folder)


def check_runs(name: str, ledger: Proved) -> None:
    """The example receiver answers how often it has run; its proved answers over all lanes must be 1, 2, 3, … each once.

    Args:
        name: of the ledger.
        ledger: what it proves.

    Raises:
        AssertionError: a message ran twice, or one ran that has no outcome.
    """
    answers = sorted(
        int.from_bytes(entry.event.result[-WORD:], "big")
        for (_, direction), history in ledger.histories.items()
        if direction is Direction.OUTCOMES
        for entry in history.entries
        if entry.event.status is Status.EXECUTED
    )
    assert answers == list(range(1, len(answers) + 1)), f"{name}: its receiver ran otherwise than once for each message"


def pairs_of(text: str) -> tuple[list[Pair], list[Kind], list[Kind]]:
    """The pairs that are wanted, their kinds, and kinds that are not installed.

    Args:
        text: `a:b,c:d`, or empty for every two kinds.

    Raises:
        ValueError: there is no such kind, or no pair is left.
    """
    wanted = [tuple(item.strip().split(":")) for item in text.split(",") if item.strip()]
    for item in wanted:
        if len(item) != 2 or item[0] == item[1] or not set(item) <= KINDS.keys():
            raise ValueError(f"{':'.join(item)!r} is no pair; give two of {', '.join(KINDS)} with a colon between.")
    named = sorted({name for item in wanted for name in item})
    kinds, missing = chosen(named)
    here = [kind.name for kind in kinds]
    every = [(a, b) for index, a in enumerate(here) for b in here[index + 1 :]]
    pairs = [(a, b) for a, b in every if not wanted or (a, b) in wanted or (b, a) in wanted]
    if not pairs:
        raise ValueError("No pair is left: what it needs is not installed.")
    return pairs, [kind for kind in kinds if any(kind.name in pair for pair in pairs)], missing


def soak(seed: int, messages: int, pairs: str, file: str = "") -> int:
    """Run it, and print what came of it.

    Args:
        seed: decides what goes wrong.
        messages: over each pair.
        pairs: as `pairs_of` takes them.
        file: where the report is written as JSON; nowhere if empty.

    Returns:
        0 where everything holds, 1 otherwise.
    """
    wanted, kinds, missing = pairs_of(pairs)
    for kind in missing:
        print(f"left out: {kind.title}, for {kind.needs} is not installed", flush=True)
    report = Unlike(seed, messages, wanted, kinds).run()
    report["pairs"] = [":".join(pair) for pair in wanted]
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text, flush=True)
    if file:
        Path(file).write_text(text + "\n", encoding="utf-8")
    return 1 if report["failure"] else 0
