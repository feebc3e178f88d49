"""The demo from beginning to end, part by part; each claim that it makes is a check of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select

from relay.demo.attacks import attack
from relay.demo.balance import ENDINGS, LaneBalance, balance, prove_ledger
from relay.demo.checks import Record
from relay.demo.effects import read_effects
from relay.demo.show import waits_of
from relay.demo.traffic import (
    Item,
    Traffic,
    calls,
    expiring,
    last_expiry,
    newest_block_time,
    not_allowed,
    reverting,
    texts,
)
from relay.demo.world import CHAIN_IDS, PAIRS, SIGNED, TRUST, World
from relay.registry.chains import all_chains
from relay.registry.lanes import all_lanes
from relay.store.tables import attestations, claims, operators

NOTICE = (
    "These are development networks: one anvil each behind a front that seals its blocks as QBFT validators do, with all "
    "validators' keys on this machine; the officers' and operators' keys are local too. They show the hub and secure nothing."
)
WORKER = "worker-1"
STOPPED = ("org-1", "org-2")
FIRST_TEXTS = 40
MORE_TEXTS = 20
TEXTS_WITH_ONE_STOPPED = 20
TEXTS_IN_THE_BACKLOG = 15
EXPIRING = 5


def play(world: World, record: Record) -> list[LaneBalance]:
    """Play the whole demo; returns the balance of each lane.

    Raises:
        CheckFailed: something shown is not so.
    """
    say = record.audience.say
    traffic = Traffic()
    with record.act("Three ledgers, a hub, three operators"):
        say(NOTICE)
        begin(world, record)
    with record.act("Messages both ways; a worker is killed with kill -9"):
        kill_a_worker(world, record, traffic)
    with record.act("One operator stops: two of three go on"):
        stop_one_operator(world, record, traffic)
    with record.act("A second operator stops: lanes that need signatures wait, and say for whom"):
        expired_by = stop_another(world, record, traffic)
    with record.act("A forged claim, and a claim signed for another lane"):
        attack(world, record)
    with record.act("The operators come back: the backlog drains"):
        bring_them_back(world, record, traffic, expired_by)
    with record.act("What became of every message, from proved heads"):
        return settle_accounts(world, record, traffic)


def begin(world: World, record: Record) -> None:
    """Start everything, register the ledgers and open the lanes."""
    world.start()
    for name, network in world.networks.items():
        validators = network.rpc("qbft_getValidatorsByBlockNumber", "latest")
        record.expect(f"validators of {name}", "4 validators", f"{len(set(validators))} validators")
    world.register(record.audience.say)
    chains = world.status()["chains"]
    record.expect(
        "ledgers registered",
        _listed(f"{name} (active, qbft)" for name in CHAIN_IDS),
        _listed(f"{chain['name']} ({chain['state']}, {chain['consensus']})" for chain in chains),
    )
    world.open_lanes()
    record.expect(
        "lanes open both ways",
        _listed(f"{source} → {destination} (active, trust {kind})" for (source, destination), kind in TRUST.items()),
        _listed(f"{a} → {b} ({lane['state']}, trust {lane['trust']})" for (a, b), lane in world.lanes().items()),
    )
    world.wait_until("the hub's processes run", lambda: world.ready)
    roles = [process["role"] for process in world.status()["processes"] if process["alive"]]
    needed = ["broker", "watch", "web", WORKER, *(f"operator-org-{number}" for number in (1, 2, 3))]
    record.expect("processes run", ", ".join(needed), ", ".join(roles), ok=set(needed) <= set(roles))


def kill_a_worker(world: World, record: Record, traffic: Traffic) -> None:
    """Send, kill a worker while messages travel, send more; everything is settled all the same."""
    in_flight = 0
    while not in_flight:  # where a machine stands still for a moment, everything may have arrived meanwhile
        traffic.send(world, lambda pair: [*texts(pair, FIRST_TEXTS), *calls(pair, 4)])
        world.wait_until("messages travel", lambda: world.total("submitted") > 0)
        before, in_flight = world.process(WORKER), world.total("sent") - world.total("settled")
    pid = world.kill(WORKER)
    record.audience.say(f"kill -9 {pid} ({WORKER})")
    record.expect("killed in the middle", "messages in flight", f"{in_flight} messages in flight", ok=in_flight > 0)
    traffic.send(world, lambda pair: _mixed(world, pair))

    def restarted() -> bool:
        now = world.process(WORKER)
        return now.alive and now.pid != pid and now.restarts > before.restarts

    world.wait_until(f"{WORKER} runs again", restarted)
    now = world.process(WORKER)
    record.expect(f"{WORKER} was restarted", f"another process than {pid}", f"process {now.pid}", ok=now.pid != pid)
    all_settled(world, record, traffic, "settled in spite of the killed worker")


def stop_one_operator(world: World, record: Record, traffic: Traffic) -> None:
    """Stop one operator; what is sent then is signed by the other two."""
    stop(world, record, STOPPED[0])
    newest = _newest_claim(world)
    traffic.send(world, lambda pair: texts(pair, TEXTS_WITH_ONE_STOPPED))
    all_settled(world, record, traffic, f"settled without {STOPPED[0]}")
    record.expect("signers meanwhile", "org-2, org-3", ", ".join(_signers_after(world, newest)))


def stop_another(world: World, record: Record, traffic: Traffic) -> int:
    """Stop a second operator; every lane that needs signatures waits and names both, the others go on.

    Returns:
        By when what was sent to expire has expired, Unix seconds.
    """
    stop(world, record, STOPPED[1])
    delivered = _delivered(world)
    traffic.send(
        world, lambda pair: [*texts(pair, TEXTS_IN_THE_BACKLOG), *(expiring(EXPIRING) if pair in SIGNED else [])]
    )
    expired_by = last_expiry()
    world.wait_until("every lane says for whom it waits", lambda: set(_reasons(world)) == set(SIGNED))
    for line in waits_of(world.status()):
        record.audience.say(f"status: {line}")
    names = ", ".join(STOPPED)
    record.expect(
        "lanes say for whom they wait",
        f"operators_silent, for operators {names}",
        " · ".join(sorted(set(_reasons(world).values()))),
    )
    record.expect(
        "nothing is delivered without a quorum",
        f"still {delivered} delivered",
        f"still {_delivered(world)} delivered",
    )
    for pair in set(PAIRS) - set(SIGNED):
        name = f"{pair[0]} → {pair[1]} goes on by light clients, without operators"
        sent = len(traffic.sent[pair])
        world.wait_until(name, lambda pair=pair, sent=sent: world.lanes()[pair]["settled"] == sent)  # type: ignore[misc]
        record.expect(name, f"{sent} messages settled", f"{world.lanes()[pair]['settled']} messages settled")
    return expired_by


def bring_them_back(world: World, record: Record, traffic: Traffic, expired_by: int) -> None:
    """Wait until what was to expire has expired, bring both operators back, and see everything settled."""
    world.wait_until("the expiring messages expire", lambda: newest_block_time(world) >= expired_by)
    backlog = sum(world.lanes()[pair]["backlog"] for pair in SIGNED)
    record.expect(
        "backlog",
        f"{len(SIGNED) * (TEXTS_IN_THE_BACKLOG + EXPIRING)} messages",
        f"{backlog} messages",
    )
    for name in STOPPED:
        world.bring_back(name)
    all_settled(world, record, traffic, "backlog drained")
    world.wait_until("both operators run", lambda: all(world.process(f"operator-{name}").alive for name in STOPPED))
    record.expect("what waits", "nothing", "; ".join(waits_of(world.status())) or "nothing")


def settle_accounts(world: World, record: Record, traffic: Traffic) -> list[LaneBalance]:
    """Count from proved heads what became of every message, and hold it against what was sent and what the hub says."""
    chains, lanes = all_chains(world.store), all_lanes(world.store)
    proved = {
        found.name: found for found in world.wait_for(world.together(lambda row: prove_ledger(row, lanes), chains))
    }
    for found in proved.values():
        record.audience.say(f"{found.name}: {found.headers} sealed headers verified, heads proved at {found.height}")
    balances = [balance(row, proved[row.source], proved[row.destination]) for row in lanes]
    for item in balances:
        where = f"{item.source} → {item.destination}"
        pair = (item.source, item.destination)
        record.expect(f"conservation of {where}", "sent = what became of it", item.equation(), ok=item.conserved)
        record.expect(
            f"outcomes of {where}",
            _counts(traffic.endings[pair], len(traffic.sent[pair])),
            _counts(item.endings, item.sent),
        )
        record.expect(f"the hub's counters of {where}", item.equation(), _hub_equation(world.lanes()[pair]))
    _same_effects(world, record, traffic)
    return balances


def all_settled(world: World, record: Record, traffic: Traffic, name: str) -> None:
    """Wait until everything that was sent is settled."""
    world.wait_until(name, lambda: world.total("settled") == traffic.count)
    record.expect(name, f"{traffic.count} messages", f"{world.total('settled')} messages")


def stop(world: World, record: Record, name: str) -> None:
    """Stop an operator and see it gone."""
    pid = world.process(f"operator-{name}").pid
    world.stop_operator(name)
    world.wait_until(f"{name} stops", lambda: world.process(f"operator-{name}").note == "held")
    record.audience.say(f"{name} is stopped (process {pid})")


def _delivered(world: World) -> int:
    """Messages that were delivered over lanes that need signatures."""
    return sum(int(world.lanes()[pair]["delivered"]) for pair in SIGNED)


def _mixed(world: World, pair: tuple[str, str]) -> Sequence[Item]:
    return [*texts(pair, MORE_TEXTS), *reverting(world, pair, 4), *not_allowed(2)]


def _reasons(world: World) -> dict[tuple[str, str], str]:
    """What each lane waits for, on the way out."""
    return {
        pair: f"{wait['code']}, for {wait['party']}"
        for pair, lane in world.lanes().items()
        for wait in lane["waits"]
        if wait["kind"] == "lane"
    }


def _newest_claim(world: World) -> int:
    with world.store.read() as connection:
        return int(connection.execute(select(func.max(claims.c.id))).scalar() or 0)


def _signers_after(world: World, claim_id: int) -> list[str]:
    """Names of the operators who signed a claim that was made after another."""
    with world.store.read() as connection:
        found = connection.execute(
            select(operators.c.name)
            .join(attestations, attestations.c.signer == operators.c.signer)
            .where(attestations.c.claim_id > claim_id)
            .distinct()
            .order_by(operators.c.name)
        )
        return [row.name for row in found]


def _listed(items: Iterable[str]) -> str:
    return ", ".join(sorted(items))


def _counts(endings: Counter[str], sent: int) -> str:
    return f"{sent} sent: " + ", ".join(f"{endings[name]} {name}" for name in ENDINGS.values())


def _hub_equation(lane: dict[str, Any]) -> str:
    counted = Counter({name: lane[name] for name in ENDINGS.values()})
    return LaneBalance(
        lane["source"], lane["destination"], lane["lane_id"], lane["sent"], lane["in_flight"], counted
    ).equation()


def _same_effects(world: World, record: Record, traffic: Traffic) -> None:
    """Each executed message ran once at its receiver, none that was not executed ran, and the bytes are those sent."""
    effects = read_effects(world)
    executed = sum(counts["executed"] for counts in traffic.endings.values())
    record.expect(
        "each executed message ran once",
        f"{executed} messages, each once",
        f"{len(effects.runs)} messages, each {'once' if set(effects.runs.values()) == {1} else 'NOT once'}",
    )
    sent = {message_id for ids in traffic.sent.values() for message_id in ids}
    record.expect("only what was sent ran", "0 others", f"{len(set(effects.runs) - sent)} others")
    record.expect(
        "texts with 中文 and emoji, and calls, arrived byte for byte",
        "every payload as often as it was sent",
        f"{sum(effects.payloads.values())} payloads, {len(effects.payloads)} different",
        ok=effects.payloads == traffic.payloads,
    )
