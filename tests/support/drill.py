"""Drills on a running hub: crash points are armed by a file, and what happened is counted on the ledgers themselves.

Nothing here asks the hub what it did: messages, outcomes and executions are counted from the ledgers' logs, folded anew and
compared with the heads in the gateways' storage.
"""

from collections import Counter
from dataclasses import dataclass, field

import psutil
from sqlalchemy import select

from adapters.protocol import HeadMoved, MessageDelivered, MessageSent, Position
from adapters.solidity.events import SIGNATURES, decode_event
from adapters.solidity.storage import head_slot
from relay.keys import KeyStore
from relay.sending import Letter, send
from relay.store.tables import chains, lanes
from schemas.heads import fold_all, outbox_genesis, outcomes_genesis
from schemas.outcome import Status, outcome_id
from schemas.payloads import TextPayload, encode_payload
from schemas.primitives import LaneId
from schemas.suites import keccak256, suite_named

RECEIVED = "0x" + keccak256(b"MessageReceived(bytes32,bytes32,bytes,bytes)").hex()
NOWHERE = Position(0, bytes(32), bytes(32), 0)
STARVED_GAS = 1_000
"""Gas with which the mailbox cannot run: the outcome is `failed`."""


@dataclass
class LedgerTruth:
    """What the ledgers' logs say of every lane, read again from the first block at each call of `read`."""

    sent: dict = field(default_factory=dict)  # lane → nonce → message id
    delivered: dict = field(default_factory=dict)  # lane → nonce → outcome event
    deliveries: Counter = field(default_factory=Counter)  # (lane, message id) → MessageDelivered
    executions: Counter = field(default_factory=Counter)  # (lane, message id) → MessageReceived by the application
    settled: dict = field(default_factory=dict)  # lane → nonces of HeadMoved 3, in order

    def add(self, log):
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        data = bytes.fromhex(log["data"][2:])
        if log["topics"][0] == RECEIVED:
            self.executions[data[:32], data[32:64]] += 1
        elif topics[0] in SIGNATURES:
            self._add(decode_event(topics, data, NOWHERE))

    def _add(self, event):
        if isinstance(event, MessageSent):
            self.sent.setdefault(event.lane_id, {})[event.message.nonce] = event.message_id
        elif isinstance(event, MessageDelivered):
            self.delivered.setdefault(event.lane_id, {})[event.nonce] = event
            self.deliveries[event.lane_id, event.message_id] += 1
        elif isinstance(event, HeadMoved) and event.direction == 3:
            self.settled.setdefault(event.lane_id, []).append(event.nonce)


def check_lane(truth, where, lane_id, suite, heads, shown):
    """One lane whose messages are all settled: each took effect once, and logs, heads and the hub's counts agree.

    Args:
        truth: what the ledgers' logs say.
        where: the lane in words.
        lane_id: the lane.
        suite: its suite.
        heads: the outbox head and the outcome head in the gateways' storage.
        shown: what the hub shows: executed, failed, expired, refused, in flight.

    Raises:
        AssertionError: it is not so; the text says what is not.
    """
    sent, delivered = truth.sent.get(lane_id, {}), truth.delivered.get(lane_id, {})
    assert sorted(sent) == list(range(1, len(sent) + 1)), f"{where}: nonces with gaps"
    assert {nonce: event.message_id for nonce, event in delivered.items()} == sent, f"{where}: lost or altered"
    for nonce, message_id in sent.items():
        ran = 1 if delivered[nonce].status is Status.EXECUTED else 0
        assert truth.deliveries[lane_id, message_id] == 1, f"{where}: {nonce} delivered more than once"
        assert truth.executions[lane_id, message_id] == ran, f"{where}: {nonce} took effect otherwise than once"
    moves = truth.settled.get(lane_id, [0])
    assert moves == sorted(set(moves)), f"{where}: settled twice"
    assert moves[-1] == len(sent), f"{where}: not settled at the source"
    entries = [
        outcome_id(suite, event.message_id, event.status, event.result) for _, event in sorted(delivered.items())
    ]
    outbox = fold_all(suite, outbox_genesis(lane_id), [sent[nonce] for nonce in sorted(sent)])
    assert heads[0] == outbox, f"{where}: the outbox head is another"
    assert heads[1] == fold_all(suite, outcomes_genesis(suite, lane_id), entries), (
        f"{where}: the outcome head is another"
    )
    ended = Counter(event.status for event in delivered.values())
    wanted = (*(ended[status] for status in Status), 0)
    assert shown == wanted, f"{where}: the hub shows {shown}, the ledgers {wanted}"


class Drill:
    """A running stack with lanes, messages on them, and a file that arms crash points.

    Args:
        stack: a running stack whose environment names `drill_file`.
        drill_file: the file that RELAYHUB_DRILL names.
    """

    def __init__(self, stack, drill_file):
        self.stack = stack
        self.file = drill_file
        self.store = stack.store()
        self.key = KeyStore(stack.home.keys).load("sender")
        self._armed = {}

    # ——— messages

    def send(self, source, destination, count=1, *, starved=False):
        """Send messages to the mailbox; returns when they are in blocks of the source."""
        payload = encode_payload(TextPayload(text="演习 drill 🛟"))
        letter = Letter("mailbox", payload, STARVED_GAS if starved else 300_000)
        return send(self.store, (source, destination, "default"), self.key, letter, count)

    def lane_rows(self):
        with self.store.read() as connection:
            return {(row.source, row.destination): row for row in connection.execute(select(lanes))}

    def settled(self, *pairs):
        """Whether the hub knows every message that these lanes sent, and says that all of them are settled."""
        rows = self.lane_rows()
        wanted = {pair: self.counter(pair[0], rows[pair].lane_id, "sent") for pair in pairs or rows}
        return all(rows[pair].settled == rows[pair].final == sent for pair, sent in wanted.items())

    def wait_settled(self, *pairs):
        self.stack.wait_until(f"settled: {pairs or 'every lane'}", lambda: self.settled(*pairs))

    # ——— the ledgers' own word

    def counter(self, chain, lane_id, what):
        """A counter of a lane from the gateway itself: sent, settled or delivered."""
        from adapters.ethereum.views import PAUSED, lane_call, read_lane_ends

        network, gateway = self.stack.networks[chain], self.gateway(chain)
        answers = [
            bytes.fromhex(network.rpc("eth_call", {"to": gateway, "data": "0x" + data.hex()}, "latest")[2:])
            for data in (lane_call(LaneId(lane_id)), PAUSED)
        ]
        return getattr(read_lane_ends(*answers), what)

    def gateway(self, chain):
        with self.store.read() as connection:
            row = connection.execute(select(chains.c.gateway).where(chains.c.name == chain)).one()
        return "0x" + row.gateway.hex()

    def stored_head(self, chain, lane_id, direction):
        slot = "0x" + head_slot(LaneId(lane_id), direction).hex()
        answer = self.stack.networks[chain].rpc("eth_getStorageAt", self.gateway(chain), slot, "latest")
        return bytes.fromhex(answer[2:])

    def truth(self):
        """Read every log of every ledger."""
        found = LedgerTruth()
        for network in self.stack.networks.values():
            for log in network.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}):
                found.add(log)
        return found

    def check(self):
        """Everything that was sent took effect exactly once, and is conserved: asked of the ledgers, all of it settled."""
        truth = self.truth()
        for (source, destination), row in self.lane_rows().items():
            heads = self.stored_head(source, row.lane_id, 0), self.stored_head(destination, row.lane_id, 1)
            shown = (row.executed, row.failed, row.expired, row.refused, row.final - row.settled)
            check_lane(truth, f"{source} → {destination}", LaneId(row.lane_id), suite_named(row.suite), heads, shown)

    # ——— processes

    def arm(self, point, signal_name=""):
        """Write the file in one step; every process must run, so that the one that dies is known."""
        self.disarm()
        self.wait_all_run()
        self._armed = self.roles()
        temporary = self.file.with_name(f"new-{self.file.name}")
        temporary.write_text(f"{point} {signal_name}".strip())
        temporary.rename(self.file)

    def disarm(self):
        for file in self.file.parent.glob(f"{self.file.name}*"):
            file.unlink(missing_ok=True)

    def hit(self):
        """The process id that took the armed point, or None."""
        return next((int(file.suffix[1:]) for file in self.file.parent.glob(f"{self.file.name}.*")), None)

    def roles(self):
        """Role → (process id, restarts), as the supervisor has it."""
        return {item["role"]: (item["pid"], item["restarts"]) for item in self.stack.recorded()}

    def wait_back(self, role, old_pid):
        """Wait until the supervisor runs another process in the role."""

        def back():
            pid, restarts = self.roles()[role]
            return restarts > 0 and pid not in (0, old_pid) and psutil.pid_exists(pid)

        self.stack.wait_until(f"{role} is back", back)

    def wait_all_run(self):
        """Wait until every process of the hub runs."""
        self.stack.wait_until("every process runs", lambda: all(pid for pid, _ in self.roles().values()))

    def wait_all_gone(self):
        """Wait until no process that the supervisor wrote down lives."""
        self.stack.wait_until(
            "every process is gone",
            lambda: (
                not any(
                    process.is_running() and process.status() != psutil.STATUS_ZOMBIE
                    for process in self.stack.processes()
                )
            ),
        )

    def wait_hit(self, point):
        """Wait until a process took the point; returns its id and role."""
        self.stack.wait_until(f"{point} is passed", lambda: self.hit() is not None)
        pid = self.hit()
        return pid, next(role for role, (known, _) in self._armed.items() if known == pid)
