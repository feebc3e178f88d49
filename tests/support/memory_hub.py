"""A hub in this process over in-process ledgers: every step runs when the test says so, in the order that the test chooses."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from adapters.memory import faults_at, forget_memory_chain, memory_chain
from adapters.memory.chain import CODE_HASH, MemoryChain
from adapters.memory.committee import Committee
from adapters.memory.gateway import Reverted
from adapters.memory.transactions import sign_transaction
from adapters.memory.verifiers import FOREVER, Both, LightClient, Verifier
from adapters.protocol import Call, HeadMoved, MessageDelivered, MessageSent
from adapters.solidity.calldata import encode_send
from light_clients import clique, development, qbft
from light_clients.crypto.secp256k1 import address_of, sign
from relay.attestations import collect
from relay.config import HubConfig
from relay.context import Context
from relay.home import Home
from relay.keys import KeyStore
from relay.registry.hub import prepare
from relay.store import waits
from relay.store.lanes import get, journey_of
from relay.store.tables import chains, claims, committees, lanes, leases, operators, transactions, verifiers
from relay.store.upsert import upsert
from relay.store.verifiers import Kind
from relay.work import work
from schemas.attestation import Attestation
from schemas.claim import Claim, Direction
from schemas.heads import genesis
from schemas.lane import Lane
from schemas.primitives import BlockHash, Digest, Head, LaneId
from schemas.suites import EVM, keccak256

VERIFIER = bytes(19) + b"\x77"
NAMES = ("alpha", "beta")
RECEIVER = b"\x71" * 20
REVERTING = b"\x72" * 20


def label_key(label: str) -> bytes:
    """A private key made from a label: never a secret."""
    return keccak256(f"relayhub test key {label}".encode())


@lru_cache(maxsize=1)
def _template() -> Path:
    """A prepared home, made once and copied for each hub: keys and migrations take half a second."""
    folder = Path(tempfile.mkdtemp(prefix="relayhub-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = Home(folder / "hub")
    home.save(HubConfig(name="hub", development=True))
    prepare(home, home.load()).close()
    return home.folder


class MemoryHub:
    """Memory ledgers, a lane each way between two of them, three operators, and a worker that is this thread.

    Args:
        folder: where the hub's home is made.
        seed: shuffles whatever order the hub must not depend on.
        endpoints: endpoints of each ledger.
        batch_limit: messages of one claim.
        names: the ledgers.
        pairs: the lanes by (source, destination); all pairs if none are named.
        confirmations: None for QBFT; else nobody seals, and a block is final under so many others.
        clique: whether three signers seal in turn; final as Clique's depth has it, or under `confirmations` if more.
        kind: what the verifiers of the lanes are, at both ends.
        database: URL of an empty database; SQLite in the home folder if empty.
        beside: another hub, on whose ledgers and lanes this one works too.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 0,
        endpoints: int = 1,
        batch_limit: int = 10,
        names: Sequence[str] = NAMES,
        pairs: Sequence[tuple[str, str]] = (),
        confirmations: int | None = None,
        clique: bool = False,
        kind: Kind = Kind.COMMITTEE,
        database: str = "",
        beside: MemoryHub | None = None,
    ) -> None:
        self.random = random.Random(seed)
        self.prefix = beside.prefix if beside is not None else f"{folder.name}-{time.monotonic_ns()}"
        self.names, self.confirmations = tuple(names), confirmations
        self.pairs = tuple(pairs) or tuple((one, other) for one in names for other in names if one != other)
        self.clique = clique
        validators = 3 if clique else 4 if confirmations is None else 0
        self.ledgers: dict[str, MemoryChain] = {
            name: memory_chain(f"{self.prefix}-{name}", validators=validators, clique=clique) for name in self.names
        }
        self.urls = {
            name: [f"memory://{self.prefix}-{name}/{number}" for number in range(endpoints)] for name in self.names
        }
        for ledger in self.ledgers.values():
            ledger.gateway.receivers |= {RECEIVER: lambda *_: b"thanks", REVERTING: _refuse}
        home = Home(folder / "hub")
        shutil.copytree(_template(), home.folder)
        home.save(HubConfig(name="hub", development=True, batch_limit=batch_limit, database=database))
        if database:
            prepare(home, home.load()).close()
        self.home = home
        self.clock_offset_s = 0
        self.context = self.new_context()
        self.signers = {name: label_key(name) for name in ("one", "two", "three")}
        self.wanted: list[tuple[str, str]] = []
        self.lane_ids: dict[tuple[str, str], LaneId] = {}
        self.kind = kind
        self.light_clients: dict[tuple[str, str], LightClient] = {}
        self._register()

    def new_context(self) -> Context:
        """A context as a freshly started process has it."""
        return Context(self.home, clock=self.now)

    def now(self) -> float:
        """The newest block's time, and what a test adds to it."""
        return max(ledger.now for ledger in self.ledgers.values()) + self.clock_offset_s

    def restart(self) -> None:
        """Go on as a worker that was just started: nothing but the database is left."""
        self.context.close()
        self.context = self.new_context()
        self.wanted = []
        with self.context.store.write() as connection:
            connection.execute(update(leases).values(expires_at=0))

    def close(self) -> None:
        """Forget the ledgers."""
        self.context.close()
        for name in self.names:
            forget_memory_chain(f"{self.prefix}-{name}")

    def faults(self, name: str, endpoint: int = 0) -> Any:
        """The switches of one endpoint."""
        return faults_at(self.urls[name][endpoint])

    def _register(self) -> None:
        keys = KeyStore(self.home.keys)
        store = self.context.store
        signers = [(name, address_of(key)) for name, key in self.signers.items()]
        with store.write() as connection:
            connection.execute(operators.delete())
            for name, signer in signers:
                connection.execute(
                    insert(operators).values(
                        signer=signer, name=name, organisation=f"house {name}", state="active", created_at=0
                    )
                )
            for name, ledger in self.ledgers.items():
                account = keys.new(f"relayer-{name}").address
                header = ledger.blocks[0].header
                state = self._bootstrap(header.encoded, BlockHash(header.block_hash))
                connection.execute(
                    insert(chains).values(
                        name=name,
                        chain_id=str(ledger.chain_id),
                        chain_word=bytes(ledger.word),
                        first_block=bytes(ledger.first_block),
                        adapter="memory",
                        endpoints=[
                            {"url": url, "operator": f"house {index}"} for index, url in enumerate(self.urls[name])
                        ],
                        software="memory",
                        development=True,
                        consensus="clique" if self.clique else "qbft" if self.confirmations is None else "development",
                        gateway=ledger.gateway.address,
                        gateway_code_hash=CODE_HASH,
                        verifier=VERIFIER,
                        officers=[],
                        account=account,
                        account_key=f"relayer-{name}",
                        pinned_height=0,
                        pinned_hash=bytes(state.block_hash),
                        client_state=state.to_bytes(),
                        client_header=header.encoded,
                        client_height=0,
                        client_hash=bytes(state.block_hash),
                        client_time=state.timestamp,
                        client_expires_at=state.expires_at,
                        observed_height=0,
                        tip=0,
                        tip_at=0,
                        state="active",
                        created_at=0,
                    )
                )
                connection.execute(
                    insert(verifiers).values(chain=name, address=VERIFIER, kind="committee", committee=VERIFIER)
                )
                connection.execute(
                    insert(committees).values(
                        chain=name,
                        verifier=VERIFIER,
                        epoch=1,
                        threshold=2,
                        signers=["0x" + signer.hex() for _, signer in signers],
                        state="current",
                    )
                )
        committee = Committee(
            VERIFIER,
            1,
            tuple(signer for _, signer in signers),
            tuple(f"house {name}".encode() for name, _ in signers),
            2,
        )
        self.committee = committee
        for source, destination in self.pairs:
            self.open(source, destination, kind=self.kind)

    def light_client(self, here: str, peer: str) -> LightClient:
        """The light client of a peer that stands on a ledger."""
        if (here, peer) not in self.light_clients:
            address = keccak256(f"light client of {peer} on {here}".encode())[12:]
            keys = self.ledgers[peer].validator_keys
            validators = tuple(sorted(address_of(key) for key in keys))
            self.light_clients[here, peer] = LightClient(address, validators, bytes(self.ledgers[peer].word))
        return self.light_clients[here, peer]

    def verifier(self, here: str, peer: str, kind: Kind) -> Verifier:
        """A verifier of that kind on a ledger, which judges a peer; it is written down as the keeper would."""
        if kind is Kind.COMMITTEE:
            return self.committee
        client = self.light_client(here, peer)
        verifier: Verifier = client
        if kind is Kind.BOTH:
            address = keccak256(f"both for {peer} on {here}".encode())[12:]
            verifier = Both(address, self.committee, client)
        with self.context.store.write() as connection:
            for item in {verifier.address: verifier, client.address: client}.values():
                parts = item.parts
                read = {"kind": parts.kind, "peer": peer, "committee": parts.committee}
                read |= {"light_client": parts.light_client, "validators_hash": client.validators_hash}
                read |= {"validators_since": client.since, "expires_at": FOREVER, "trusting_period_s": FOREVER}
                upsert(connection, verifiers, {"chain": here, "address": item.address}, read)
        return verifier

    def _bootstrap(self, header: bytes, block_hash: BlockHash) -> Any:
        if self.clique:
            return clique.bootstrap(
                header, block_hash, clique.CliqueConfiguration(confirmations=self.confirmations or 0)
            )
        if self.confirmations is None:
            return qbft.bootstrap(header, block_hash, qbft.QbftConfiguration(sub_second_blocks=True))
        configuration = development.DevelopmentConfiguration(confirmations=self.confirmations)
        return development.bootstrap(header, block_hash, configuration)

    def open(
        self,
        source: str,
        destination: str,
        *,
        channel: str = "default",
        ends: tuple[int, ...] = (0, 1),
        kind: Kind = Kind.COMMITTEE,
    ) -> LaneId:
        """Open the named ends of a lane, and write the lane down; its id stands under (source, destination)."""
        here, there = self.ledgers[source], self.ledgers[destination]
        lane = Lane("hub", EVM, here.word, here.gateway.address, there.word, there.gateway.address, channel)
        judges = (self.verifier(source, destination, kind), self.verifier(destination, source, kind))
        for end in ends:
            if lane.lane_id not in (here, there)[end].gateway.lanes:
                (here, there)[end].open_lane(lane, end, judges[end])
        self.lane_ids[source, destination] = lane.lane_id
        with self.context.store.write() as connection:
            connection.execute(
                insert(lanes).values(
                    lane_id=bytes(lane.lane_id),
                    hub="hub",
                    suite="evm",
                    source=source,
                    destination=destination,
                    channel=channel,
                    source_verifier=judges[0].address,
                    destination_verifier=judges[1].address,
                    trust=str(kind),
                    batch_limit=self.context.config.batch_limit,
                    state="active",
                    opened_at=0,
                    final_head=bytes(genesis(EVM, lane.lane_id, 0)),
                    outcome_head=bytes(genesis(EVM, lane.lane_id, 1)),
                )
            )
        return lane.lane_id

    def send(
        self,
        source: str,
        destination: str,
        payload: bytes,
        *,
        receiver: bytes = b"\x05" * 20,
        expires_at: int = 0,
        gas_limit: int = 50_000,
    ) -> None:
        """An application sends one message; it is in a block after the next `mine`."""
        ledger, key = self.ledgers[source], label_key("application")
        lane_id = self.lane_ids[source, destination]
        pending = sum(transaction.sender == address_of(key) for transaction in ledger.pool)
        nonce = ledger.nonce(address_of(key)) + pending
        data = encode_send(lane_id, receiver, payload, gas_limit, 0, expires_at)
        ledger.submit(
            sign_transaction(ledger.word, key, nonce, Call(ledger.gateway.address, data, 500_000), 10_000).raw
        )

    def mine(self, *names: str) -> None:
        """Mine a block on the named ledgers, or on all."""
        for name in names or self.names:
            self.ledgers[name].mine()

    def wake(self, kind: str, identifier: str) -> None:
        """What the broker would carry."""
        self.wanted.append((kind, identifier))

    def work(self, kind: str, identifier: str) -> None:
        """One task."""
        work(self.context, kind, identifier, self.wake)

    def attest(self, *names: str) -> None:
        """The named operators (all if none is named) sign every open claim as it stands."""
        with self.context.store.read() as connection:
            rows = connection.execute(select(claims).where(claims.c.state == "open")).all()
        found = []
        for row in rows:
            claim = Claim(
                LaneId(row.lane_id),
                Direction(row.direction),
                row.nonce,
                Head(row.head),
                row.height,
                BlockHash(row.block_hash),
            )
            for name in names or self.signers:
                key = self.signers[name]
                found.append(Attestation(claim, row.epoch, address_of(key), sign(key, Digest(row.digest))))
        collect(self.context.store, found, time.time())

    def settle_down(self, rounds: int = 40, operators_named: tuple[str, ...] = (), *, hurry: bool = False) -> None:
        """Run everything until every message is settled, in a shuffled order, tasks doubled now and then.

        `hurry` makes every retry due in each round, so that no test waits for one.
        """
        for _ in range(rounds):
            if hurry:
                self.forget_times()
            self.mine()
            self.turn(operators_named)
            if all(self.journey(*lane).in_flight == 0 and self.caught_up(*lane) for lane in self.lane_ids):
                return
        raise AssertionError(f"not settled after {rounds} rounds: {[self.journey(*lane) for lane in self.lane_ids]}")

    def turn(self, operators_named: tuple[str, ...] = ()) -> None:
        """One round of tasks over every ledger and lane."""
        tasks = (
            [("chain", name) for name in self.names]
            + [("lane", lane.hex()) for lane in self.lane_ids.values()]
            + self.wanted
        )
        self.wanted = []
        self.random.shuffle(tasks)
        for task in tasks:
            self.work(*task)
            if self.random.random() < 0.2:
                self.work(*task)
        self.attest(*operators_named)

    def chain_task(self, *names: str) -> None:
        """The task of each named ledger, or of all."""
        for name in names or self.names:
            self.work("chain", name)

    def lane_task(self, source: str, destination: str) -> None:
        """The task of a lane."""
        self.work("lane", self.lane_ids[source, destination].hex())

    def caught_up(self, source: str, destination: str) -> bool:
        """Whether the hub knows everything that was sent."""
        lane_id = self.lane_ids[source, destination]
        return self.journey(source, destination).final == self.ledgers[source].gateway.lanes[lane_id].sent

    def journey(self, source: str, destination: str) -> Any:
        """The lane's counters."""
        with self.context.store.read() as connection:
            return journey_of(get(connection, self.lane_ids[source, destination]))

    def lane(self, source: str, destination: str) -> Any:
        """The lane's row."""
        with self.context.store.read() as connection:
            return get(connection, self.lane_ids[source, destination])

    def wait_of(self, kind: str, *which: str) -> Any:
        """What a ledger (`chain`, name), a lane (`lane`, source, destination) or its way back (`back`, …) waits for."""
        identifier = which[0] if kind == "chain" else self.lane_ids[which[0], which[1]].hex()
        with self.context.store.read() as connection:
            return waits.find(connection, kind, identifier)

    def code(self, kind: str, *which: str) -> str:
        """The code of that wait, or empty."""
        row = self.wait_of(kind, *which)
        return row.code if row is not None else ""

    def rows(self, table: Any, *conditions: Any) -> list[Any]:
        """Rows of a table, in the order of their keys."""
        with self.context.store.read() as connection:
            return list(connection.execute(select(table).where(*conditions).order_by(*table.primary_key)).all())

    def set_chain(self, name: str, **values: object) -> None:
        """Change a ledger's row."""
        with self.context.store.write() as connection:
            connection.execute(update(chains).where(chains.c.name == name).values(**values))

    def forget_times(self) -> None:
        """Make every retry and resend due now, and every claim old: tests do not wait."""
        from relay.store.tables import waits as waits_table

        with self.context.store.write() as connection:
            connection.execute(update(waits_table).values(next_at=0))
            connection.execute(update(transactions).where(transactions.c.state == "sent").values(sent_at=0))

    def age_claims(self) -> None:
        """Make every open claim old enough to wait for operators by name."""
        with self.context.store.write() as connection:
            connection.execute(update(claims).where(claims.c.state == "open").values(created_at=0))

    def events(self, name: str, lane_id: LaneId, kind: type) -> list[Any]:
        """What a ledger's own blocks say, whatever its endpoints say."""
        ledger = self.ledgers[name]
        return [
            event
            for block in ledger.blocks
            for event in block.events
            if isinstance(event, kind) and event.lane_id == lane_id
        ]

    def check(self) -> None:
        """What must be so at every moment: conservation, one effect for each message, and nothing false in the database."""
        for (source, destination), lane_id in self.lane_ids.items():
            lane = self.lane(source, destination)
            sent = self.events(source, lane_id, MessageSent)
            delivered = self.events(destination, lane_id, MessageDelivered)
            moved = self.events(source, lane_id, HeadMoved)
            settled = max((event.nonce for event in moved if event.direction == 3), default=0)
            ids = [event.message_id for event in sent]
            assert [event.message_id for event in delivered] == ids[: len(delivered)], "one effect each, in order"
            assert max(Counter(event.message_id for event in delivered).values(), default=1) == 1
            heads = [genesis(EVM, lane_id, 0), *(event.head for event in sent)]
            outcome_heads = {0: genesis(EVM, lane_id, 1)} | {
                event.nonce: event.head
                for event in self.events(destination, lane_id, HeadMoved)
                if event.direction == 1
            }
            assert lane.settled <= settled <= len(delivered) <= len(sent)
            assert lane.delivered <= len(delivered)
            assert lane.final_head == heads[lane.final]
            assert lane.outcome_head == outcome_heads[lane.delivered]
            counts = Counter(int(event.status) for event in delivered[: lane.delivered])
            assert [lane.executed, lane.failed, lane.expired, lane.refused] == [
                counts[status] for status in (1, 2, 3, 4)
            ]
            in_flight = lane.final - lane.delivered
            assert lane.final == lane.executed + lane.failed + lane.expired + lane.refused + in_flight


def _refuse(*_: object) -> bytes:
    raise Reverted("NotToday")


__all__ = ["NAMES", "RECEIVER", "REVERTING", "VERIFIER", "MemoryHub", "label_key"]
