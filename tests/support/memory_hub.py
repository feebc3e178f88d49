"""A hub in this process over in-process ledgers: every step runs when the test says so, in the order that the test chooses."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from adapters.memory import faults_at, forget_memory_chain, memory_chain
from adapters.memory.chain import CODE_HASH, MemoryChain
from adapters.memory.committee import Committee
from adapters.memory.transactions import sign_transaction
from adapters.protocol import Call
from adapters.solidity.calldata import encode_send
from light_clients import qbft
from light_clients.crypto.secp256k1 import address_of, sign
from relay.attestations import collect
from relay.config import HubConfig
from relay.context import Context
from relay.home import Home
from relay.keys import KeyStore
from relay.registry.hub import prepare
from relay.store.lanes import get, journey_of
from relay.store.tables import chains, claims, committees, lanes, operators
from relay.work import work
from schemas.attestation import Attestation
from schemas.claim import Claim, Direction
from schemas.heads import genesis
from schemas.lane import Lane
from schemas.primitives import BlockHash, Digest, Head, LaneId
from schemas.suites import EVM, keccak256

VERIFIER = bytes(19) + b"\x77"
NAMES = ("alpha", "beta")


def label_key(label: str) -> bytes:
    """A private key made from a label: never a secret."""
    return keccak256(f"relayhub test key {label}".encode())


class MemoryHub:
    """Two memory ledgers, a lane each way, three operators, and a worker that is this thread.

    Args:
        folder: where the hub's home is made.
        seed: shuffles whatever order the hub must not depend on.
        endpoints: endpoints of each ledger.
    """

    def __init__(self, folder: Path, *, seed: int = 0, endpoints: int = 1, batch_limit: int = 10) -> None:
        self.random = random.Random(seed)
        self.prefix = f"{folder.name}-{time.monotonic_ns()}"
        self.ledgers: dict[str, MemoryChain] = {name: memory_chain(f"{self.prefix}-{name}") for name in NAMES}
        self.urls = {name: [f"memory://{self.prefix}-{name}/{number}" for number in range(endpoints)] for name in NAMES}
        home = Home(folder / "hub")
        home.save(HubConfig(name="hub", development=True, batch_limit=batch_limit))
        prepare(home, home.load()).close()
        self.home = home
        self.context = self.new_context()
        self.signers = {name: label_key(name) for name in ("one", "two", "three")}
        self.wanted: list[tuple[str, str]] = []
        self.lane_ids: dict[tuple[str, str], LaneId] = {}
        self._register()

    def new_context(self) -> Context:
        """A context as a freshly started process has it."""
        return Context(self.home, clock=lambda: max(ledger.now for ledger in self.ledgers.values()))

    def close(self) -> None:
        """Forget the ledgers."""
        self.context.store.close()
        for name in NAMES:
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
                state = qbft.bootstrap(
                    header.encoded, BlockHash(header.block_hash), qbft.QbftConfiguration(sub_second_blocks=True)
                )
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
                        consensus="qbft",
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
                    insert(committees).values(
                        chain=name,
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
        for source, destination in (NAMES, NAMES[::-1]):
            self._open(source, destination, committee)

    def _open(self, source: str, destination: str, committee: Committee) -> None:
        here, there = self.ledgers[source], self.ledgers[destination]
        lane = Lane("hub", EVM, here.word, here.gateway.address, there.word, there.gateway.address, "default")
        here.open_lane(lane, 0, committee)
        there.open_lane(lane, 1, committee)
        self.lane_ids[source, destination] = lane.lane_id
        with self.context.store.write() as connection:
            connection.execute(
                insert(lanes).values(
                    lane_id=bytes(lane.lane_id),
                    hub="hub",
                    suite="evm",
                    source=source,
                    destination=destination,
                    channel="default",
                    source_verifier=VERIFIER,
                    destination_verifier=VERIFIER,
                    trust="committee",
                    batch_limit=self.context.config.batch_limit,
                    state="active",
                    opened_at=0,
                    final_head=bytes(genesis(EVM, lane.lane_id, 0)),
                    outcome_head=bytes(genesis(EVM, lane.lane_id, 1)),
                )
            )

    def send(
        self, source: str, destination: str, payload: bytes, *, receiver: bytes = b"\x05" * 20, expires_at: int = 0
    ) -> None:
        """An application sends one message; it is in a block after the next `mine`."""
        ledger, key = self.ledgers[source], label_key("application")
        lane_id = self.lane_ids[source, destination]
        pending = sum(transaction.sender == address_of(key) for transaction in ledger.pool)
        nonce = ledger.nonce(address_of(key)) + pending
        data = encode_send(lane_id, receiver, payload, 50_000, 0, expires_at)
        ledger.submit(
            sign_transaction(ledger.word, key, nonce, Call(ledger.gateway.address, data, 500_000), 10_000).raw
        )

    def mine(self, *names: str) -> None:
        """Mine a block on the named ledgers, or on all."""
        for name in names or NAMES:
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

    def settle_down(self, rounds: int = 40, operators_named: tuple[str, ...] = ()) -> None:
        """Run everything until every message is settled, in a shuffled order, tasks doubled now and then."""
        for _ in range(rounds):
            self.mine()
            self.turn(operators_named)
            if all(self.journey(*lane).in_flight == 0 and self.caught_up(*lane) for lane in self.lane_ids):
                return
        raise AssertionError(f"not settled after {rounds} rounds: {[self.journey(*lane) for lane in self.lane_ids]}")

    def turn(self, operators_named: tuple[str, ...] = ()) -> None:
        """One round of tasks over every ledger and lane."""
        tasks = (
            [("chain", name) for name in NAMES]
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

    def caught_up(self, source: str, destination: str) -> bool:
        """Whether the hub knows everything that was sent."""
        lane_id = self.lane_ids[source, destination]
        return self.journey(source, destination).final == self.ledgers[source].gateway.lanes[lane_id].sent

    def journey(self, source: str, destination: str) -> Any:
        """The lane's counters."""
        with self.context.store.read() as connection:
            return journey_of(get(connection, self.lane_ids[source, destination]))

    def forget_times(self) -> None:
        """Make every retry and resend due now: tests do not wait."""
        from relay.store.tables import transactions, waits

        with self.context.store.write() as connection:
            connection.execute(update(waits).values(next_at=0))
            connection.execute(update(transactions).where(transactions.c.state == "sent").values(sent_at=0))
