"""The mesh from beginning to end: over every directed pair a message, a failure and an expiry, and what became of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from relay.demo.balance import ENDINGS, LaneBalance, balance, prove_ledger
from relay.demo.checks import Record
from relay.demo.mesh.ledgers import Kind
from relay.demo.mesh.picture import draw
from relay.demo.mesh.world import MeshWorld
from relay.demo.world import CHANNEL
from relay.registry.chains import all_chains
from relay.registry.lanes import all_lanes
from relay.sending import Letter, Sent, expiry, send_all
from schemas.payloads import TextPayload, encode_payload

NOTICE = (
    "Ledgers that say so are simulators: real blocks and signatures in the platform's formats and the real gateway in a real virtual "
    "machine, but no node of the platform. All validators', officers' and operators' keys are on this machine; nothing is secured here."
)
GAS = 300_000
EXPIRES_IN_S = 12
STOPPED = ("org-1", "org-2")
EXPECTED = Counter({"executed": 1, "failed": 1, "expired": 1})
"""What becomes of the messages of each lane."""

Pair = tuple[str, str]


def play(world: MeshWorld, record: Record, missing: Sequence[Kind]) -> list[LaneBalance]:
    """Play the whole mesh; returns the balance of each lane.

    Raises:
        CheckFailed: something shown is not so.
    """
    say = record.audience.say
    with record.act(f"{len(world.ledgers)} ledgers of unlike kinds, a hub, three operators"):
        say(NOTICE)
        for kind in missing:
            say(f"left out: {kind.title}, for {kind.needs} is not installed")
        _begin(world, record)
    with record.act(f"A lane between every two: {len(world.pairs)} lanes"):
        _open(world, record)
    with record.act("Over each lane a message, one that fails, and one that expires while operators are away"):
        sent = _send(world, record)
    with record.act("The operators come back: every message reaches its end, and its outcome comes home"):
        _bring_back(world, record, len(sent) * sum(EXPECTED.values()))
    with record.act("What became of every message, from proved heads"):
        balances = _settle_accounts(world, record)
    path = draw(world, balances)
    say(f"picture: {path}")
    return balances


def _begin(world: MeshWorld, record: Record) -> None:
    world.start()
    world.register(record.audience.say)
    chains = world.status()["chains"]
    record.expect(
        "ledgers registered by one command each",
        ", ".join(sorted(world.ledgers)),
        ", ".join(sorted(chain["name"] for chain in chains if chain["state"] == "active")),
    )


def _open(world: MeshWorld, record: Record) -> None:
    world.open_lanes()
    states = Counter((lane["state"], lane["trust"]) for lane in world.lanes().values())
    record.expect("lanes open", {("active", "committee"): len(world.pairs)}, dict(states))
    suites = {lane.suite for lane in all_lanes(world.store)}
    record.audience.say(
        f"trust level: committee (2 of 3 organisations) · suite of the lanes: {', '.join(sorted(suites))}"
    )
    world.wait_until("the hub's processes run", lambda: world.ready)


def _send(world: MeshWorld, record: Record) -> dict[Pair, list[Sent]]:
    for name in STOPPED:
        world.stop_operator(name)
    world.wait_until(
        "two operators are away", lambda: all(world.process(f"operator-{name}").note == "held" for name in STOPPED)
    )
    found: dict[Pair, list[Sent]] = {}

    def work(source: str) -> None:
        for pair in world.pairs:
            if pair[0] == source:
                found[pair] = send_all(world.store, (*pair, CHANNEL), world.sender, _letters(world, pair))

    world.wait_for(world.together(work, world.ledgers))
    count = sum(len(sent) for sent in found.values())
    record.expect("messages sent", len(world.pairs) * sum(EXPECTED.values()), count)
    world.wait_until("the hub sees and proves all of them", lambda: world.total("proved") == count)
    record.expect("nothing is delivered without a quorum", 0, world.total("delivered"))
    until = time.time() + EXPIRES_IN_S + 2
    world.wait_until("what was to expire has expired", lambda: time.time() > until)
    return found


def _letters(world: MeshWorld, pair: Pair) -> list[Letter]:
    lane = " → ".join(pair)
    text = encode_payload(TextPayload(text=f"你好 · hello · {lane} 📜"))
    failing = "0x" + world.reverting[pair[1]].hex()
    return [
        Letter("mailbox", text, GAS),
        Letter(failing, encode_payload(TextPayload(text="退回 ↩️")), GAS),
        Letter("mailbox", encode_payload(TextPayload(text="过期作废 ⌛")), GAS, 0, expiry(EXPIRES_IN_S)),
    ]


def _bring_back(world: MeshWorld, record: Record, count: int) -> None:
    for name in STOPPED:
        world.bring_back(name)
    world.wait_until("every outcome is settled", lambda: world.total("settled") == count)
    record.expect("settled", count, world.total("settled"))


def _settle_accounts(world: MeshWorld, record: Record) -> list[LaneBalance]:
    chains, lanes = all_chains(world.store), all_lanes(world.store)
    found = world.wait_for(world.together(lambda row: prove_ledger(row, lanes), chains))
    proved = {ledger.name: ledger for ledger in found}
    for ledger in found:
        record.audience.say(f"{ledger.name}: {ledger.headers} headers verified anew, heads proved")
    balances = [balance(row, proved[row.source], proved[row.destination]) for row in lanes]
    for item in balances:
        where = f"{item.source} → {item.destination}"
        record.expect(where, _told(EXPECTED, sum(EXPECTED.values())), _told(item.endings, item.sent))
    record.expect("conservation on every lane", len(balances), sum(item.conserved for item in balances))
    return balances


def _told(endings: Counter[str], sent: int) -> str:
    words: list[Any] = [f"{endings[name]} {name}" for name in ENDINGS.values() if endings[name]]
    return f"{sent} sent: " + ", ".join(words)
