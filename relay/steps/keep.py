"""Step 5, for one ledger: keep the light clients of other ledgers that stand on it.

| what is seen | what is done |
| --- | --- |
| the peer's validators are others than the client's | a run of headers leads it there, in pieces that fit a block |
| a third of the trusting period is over | the peer's newest verified header goes there |
| the peer is frozen at the hub | both headers go there, and freeze it |
| it is frozen or expired | waits for the officers |
| the ledger would refuse what the hub brings | waits, and is tried again at the times of the retry table |

What is brought is only written down here; the ledger's submitter signs and sends it. Nothing of it is trusted on the way: the
contract judges each header by itself, so that anybody else may bring them too.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Row, insert, select

from adapters.protocol import AdapterError, Call, Ledger, Rejected
from adapters.solidity.verifiers import encode_follow_run, encode_freeze, encode_update
from light_clients.bft.types import Address, Vote
from light_clients.errors import LightClientError
from light_clients.families import client_named
from light_clients.qbft import QbftConfiguration
from light_clients.qbft.signed import signed_form
from relay.context import Context
from relay.errors import HubError
from relay.registry.gateways import Contract
from relay.registry.verifiers import CONTRACT_OF, read_light_client, write_verifier
from relay.steps.setback import ENDPOINT_REASONS
from relay.steps.validator_run import Link, NoRun, Standing, next_piece
from relay.steps.verifiers import wait_id
from relay.store import Lease, waits
from relay.store.lanes import WORKING
from relay.store.tables import incidents, lanes, transactions, verifiers
from relay.store.verifiers import Kind, verifier_at
from relay.store.waits import Reason, wait
from schemas.primitives import bytes_from_hex

log = structlog.get_logger()

READ_AGAIN_S = 10.0
"""Seconds after which a light client is read again where nothing of the hub's is on its way there."""
REFRESH_PART = 3
"""A client is refreshed when this part of its trusting period is over."""
UPDATE_GAS, PIECE_GAS = 1_000_000, 8_000_000
PURPOSE = "client"
OWNER, OFFICERS, HUB = "hub's owner", "officers", "hub"
REASONS = (
    Reason.LIGHT_CLIENT_BEHIND,
    Reason.LIGHT_CLIENT_EXPIRED,
    Reason.LIGHT_CLIENT_FROZEN,
    Reason.TRANSACTION_REVERTED,
)


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be brought to a light client: a sentence, calldata and gas."""

    text: str
    data: bytes
    gas: int


def keep(context: Context, lease: Lease, row: Row[Any], ledger: Ledger) -> None:
    """Keep the light clients in or behind the verifiers of a ledger's lanes.

    Args:
        context: this process's view of the hub.
        lease: the ledger's.
        row: the ledger on which the verifiers stand.
        ledger: the same, opened.
    """
    with context.store.read() as connection:
        clients = _clients_on(connection, row.name)
    for client in clients:
        try:
            _Keeper(context, lease, row, ledger, client).run()
        except (AdapterError, LightClientError, HubError) as error:  # the looks at both ledgers say what is wrong there
            log.info("client_waits", chain=row.name, peer=client.peer, error=str(error)[:200])


def _clients_on(connection: Connection, name: str) -> list[Row[Any]]:
    """The light clients on a ledger that are in or behind a verifier of its lanes."""
    used: set[bytes] = set()
    for end in ("source", "destination"):
        address = lanes.c[f"{end}_verifier"]
        mine = (lanes.c[end] == name, lanes.c.state.in_((*WORKING, "frozen")))
        used |= {bytes(item) for item in connection.execute(select(address).where(*mine)).scalars()}
    known = connection.execute(select(verifiers).where(verifiers.c.chain == name)).all()
    kept = {bytes(item.light_client) for item in known if bytes(item.address) in used}
    return [item for item in known if bytes(item.address) in kept and item.kind == Kind.LIGHT_CLIENT and item.peer]


class _Keeper:
    """One look at one light client."""

    def __init__(self, context: Context, lease: Lease, row: Row[Any], ledger: Ledger, client: Row[Any]) -> None:
        self.context = context
        self.lease = lease
        self.row = row
        self.ledger = ledger
        self.client = client
        self.name = wait_id(row.name, bytes(client.address))
        self.here = f"The light client of {client.peer} on {row.name}"
        with context.store.read() as connection:
            self.busy = _is_on_its_way(connection, row.name, bytes(client.address))
            self.held = waits.find(connection, "client", self.name)

    def run(self) -> None:
        """Read the client where it is time, and bring it what it needs."""
        before = self.client
        if self.busy or not 0 <= time.time() - before.read_at <= READ_AGAIN_S:
            self._read_again()
        if self.busy and _is_same(before, self.client):
            return
        if self._rests(Reason.TRANSACTION_REVERTED, OWNER):
            return
        errand = self._errand()
        if errand is None:
            return
        call = Call(bytes(self.client.address), errand.data, errand.gas)
        try:
            self.ledger.simulate(bytes(self.row.account), call)
        except Rejected as refusal:
            text = f"{errand.text} would be refused: {refusal.reason or refusal}."
            self._wait(Reason.TRANSACTION_REVERTED, OWNER, text)
            return
        with self.lease.write() as connection:
            connection.execute(insert(transactions).values(**_row(self.row.name, call)))
        log.info("client_errand", chain=self.row.name, peer=self.client.peer, what=errand.text)

    def _errand(self) -> Errand | None:
        """What the client needs now; writes down for what it waits."""
        client, peer = self.client, self.context.chain(self.client.peer)
        pin = f"relayhub propose pin-validators --chain {self.row.name} --verifier 0x{bytes(client.address).hex()}"
        if client.frozen:
            text = f"{self.here} is frozen. Officers find out why, then pin validators: {pin}."
            self._wait(Reason.LIGHT_CLIENT_FROZEN, OFFICERS, text)
            return None
        if peer.state == "frozen":
            return self._accusation(peer)
        if client.expires_at <= self.context.clock():
            text = (
                f"{self.here} trusts nothing any more: its newest header is older than {client.trusting_period_s} s. "
            )
            self._wait(Reason.LIGHT_CLIENT_EXPIRED, OFFICERS, text + f"Officers pin validators: {pin}.")
            return None
        newest = Link.read(bytes(peer.client_header))
        if newest.listed != bytes(client.validators_hash) and peer.client_height > client.client_height:
            return self._next_piece(peer)
        if self.held is not None:
            with self.lease.write() as connection:
                waits.clear_if(connection, "client", self.name, REASONS)
        due = client.client_time + client.trusting_period_s // REFRESH_PART <= self.context.clock()
        if not due or peer.client_height <= client.client_height:
            return None
        signed = signed_form(bytes(peer.client_header))
        data = encode_update((signed.header, signed.seals))
        return Errand(f"Header {peer.client_height} of {peer.name}", data, UPDATE_GAS)

    def _next_piece(self, peer: Row[Any]) -> Errand | None:
        """The next piece of the run that leads the client to the peer's next set."""
        if self._rests(Reason.LIGHT_CLIENT_BEHIND, OFFICERS):
            return None
        silent = self._silence_of(peer)
        if silent:  # whoever does not answer would only cost this ledger's time as well
            text = f"{self.here} is led to other validators when {peer.name} can be asked: {silent}"
            self._wait(Reason.LIGHT_CLIENT_BEHIND, f"chain {peer.name}", text)
            return None
        known = client_named(peer.consensus).state_from_bytes(bytes(peer.client_state)).configuration
        try:
            piece = next_piece(
                self.context.ledger(peer).headers,
                bytes(self.client.validators_hash),
                self.client.client_height,
                peer.client_height,
                self._standing(),
                QbftConfiguration(dialect=known.dialect, epoch_length=known.epoch_length),
            )
        except NoRun as error:
            self._wait(Reason.LIGHT_CLIENT_BEHIND, OFFICERS, f"{self.here} cannot be led on: {error}")
            return None
        text = f"A run of {len(piece.headers)} headers of {peer.name}"
        self._wait(Reason.LIGHT_CLIENT_BEHIND, HUB, f"{text} leads {self.here} to the validators that seal now.")
        return Errand(text, encode_follow_run(piece.headers, fresh=piece.fresh), PIECE_GAS)

    def _silence_of(self, peer: Row[Any]) -> str:
        """Why the peer cannot be asked now; empty where it can."""
        with self.context.store.read() as connection:
            down = waits.find(connection, "chain", peer.name)
        return str(down.text) if down is not None and down.code in ENDPOINT_REASONS else ""

    def _standing(self) -> Standing:
        """Where this hub's own run stands at the contract."""
        contract = Contract(self.ledger, CONTRACT_OF[Kind.LIGHT_CLIENT], bytes(self.client.address))
        height, block_hash, _timestamp, votes = contract.ask("runOf", bytes(self.row.account))
        cast = [Vote(_account(voter), _account(subject), add) for voter, subject, add in votes]
        return Standing(height, block_hash, tuple(cast))

    def _accusation(self, peer: Row[Any]) -> Errand | None:
        """Both headers on which the hub's own client of the peer froze."""
        with self.context.store.read() as connection:
            evidence = connection.execute(
                select(incidents.c.evidence)
                .where(incidents.c.name == "misbehaviour", incidents.c.subject == f"chain {peer.name}")
                .order_by(incidents.c.id.desc())
                .limit(1)
            ).scalar()
        if evidence is None:
            return None
        said = json.loads(evidence)
        first, second = (signed_form(bytes_from_hex(said[part])) for part in ("header_a", "header_b"))
        data = encode_freeze((first.header, first.seals), (second.header, second.seals))
        return Errand(f"Two contradicting headers of {peer.name}", data, UPDATE_GAS)

    def _read_again(self) -> None:
        address = bytes(self.client.address)
        found = read_light_client(self.ledger, address)
        with self.lease.write() as connection:
            write_verifier(connection, self.row.name, self.client.peer, found)
            self.client = verifier_at(connection, self.row.name, address) or self.client

    def _rests(self, reason: Reason, party: str) -> bool:
        """Whether it waits for that already, and the next look is not due."""
        held = self.held
        same = held is not None and (held.code, held.party) == (reason, party)
        return held is not None and same and not waits.is_due(held.next_at, time.time())

    def _wait(self, reason: Reason, party: str, text: str) -> None:
        """Write down for what it waits, once until the next look is due."""
        if not self._rests(reason, party):
            with self.lease.write() as connection:
                wait(connection, "client", self.name, reason, party=party, text=text)


def _account(text: str) -> Address:
    return Address(bytes_from_hex(text))


def _is_same(before: Row[Any], after: Row[Any]) -> bool:
    """Whether nothing moved at a light client."""
    columns = ("client_height", "client_hash", "validators_hash", "frozen", "generation")
    return all(getattr(before, column) == getattr(after, column) for column in columns)


def _is_on_its_way(connection: Connection, chain: str, address: bytes) -> bool:
    mine = (transactions.c.chain == chain, transactions.c.purpose == PURPOSE, transactions.c.target == address)
    found = connection.execute(
        select(transactions.c.id).where(*mine, transactions.c.state.in_(("queued", "sent"))).limit(1)
    )
    return found.first() is not None


def _row(chain: str, call: Call) -> dict[str, Any]:
    return {
        "chain": chain,
        "purpose": PURPOSE,
        "lane_id": b"",
        "first": 0,
        "last": 0,
        "target": call.target,
        "data": call.data,
        "gas": call.gas,
        "state": "queued",
        "earlier": [],
        "created_at": time.time(),
    }
