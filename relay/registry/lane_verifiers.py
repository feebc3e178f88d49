"""Which contract judges the peer at each end of a lane: the ledger's committee, a light client of the peer, or both together.

A light client is shared: there is one for each ledger that judges and ledger that is judged, and every later lane between
them uses it. It is deployed with the officers, the guardian and the delay of the gateway beside it, and trusts at first the
header that the hub itself verified last; on a production hub the officers compare that pin with a source of their own before
they approve the lane.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from adapters.protocol import Ledger
from adapters.solidity.contracts import contract
from adapters.solidity.verifiers import ClientConfiguration, ClientDialect, both_creation, qbft_creation
from light_clients.families import client_named
from light_clients.qbft.codec import parse_header
from light_clients.qbft.signed import signed_form
from relay.errors import BadInput
from relay.keys import KeyStore
from relay.registry.chains import open_chain
from relay.registry.gateways import Contract, account_value, deploy
from relay.registry.operators import account_named
from relay.registry.turns import turn_of_chain
from relay.registry.verifiers import CONTRACT_OF, learn_verifier
from relay.store import Store
from relay.store.tables import verifiers
from relay.store.verifiers import Kind, verifier_at

QBFT = "qbft"
"""The consensus for which there is a light client in Solidity."""
DIALECTS = {"besu": ClientDialect.BESU, "goquorum": ClientDialect.GOQUORUM}

Ends = dict[tuple[str, str], bytes]
"""The verifier at each end, by (ledger on which it stands, ledger that it judges)."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How the ends of a lane are to judge.

    Attributes:
        kind: what stands at both ends.
        given: verifiers that are there already, by the name of the ledger on which they stand, 20 bytes each.
        trusting_period_s: of a light client that is deployed now; the hub's own period for that ledger if None.
    """

    kind: Kind = Kind.COMMITTEE
    given: Mapping[str, bytes] = field(default_factory=dict)
    trusting_period_s: int | None = None


def parse_trust(kind: str, given: Iterable[str], trusting_period_s: int | None) -> Trust:
    """Read what a command line says: the kind, and verifiers as `LEDGER=0x…`.

    Raises:
        BadInput: there is no such kind, or a verifier is of another form.
    """
    if kind not in tuple(Kind):
        raise BadInput(f"Nothing judges by {kind!r}.", f"Choose one of {', '.join(Kind)}.")
    found: dict[str, bytes] = {}
    for item in given:
        name, equals, where = item.rpartition("=")
        if not equals or not name:
            raise BadInput(f"{item[:100]!r} names no verifier.", "Give --verifier LEDGER=0x….")
        found[name] = account_named(where)
    return Trust(Kind(kind), found, trusting_period_s)


class LaneVerifiers:
    """Finds or deploys the verifiers of lanes.

    Args:
        store: the hub's database.
        keys: the relayer's keys, which pay for deployments.
        development: whether this is a development hub.
        tell: called with one line about each step.
    """

    def __init__(self, store: Store, keys: KeyStore, *, development: bool, tell: Callable[[str], None]) -> None:
        self.store = store
        self.keys = keys
        self.development = development
        self.tell = tell

    def at(self, ends: Iterable[tuple[Row[Any], Row[Any]]], trust: Trust) -> Ends:
        """The verifier for each (ledger here, peer), each ledger in a thread of its own.

        Raises:
            BadInput: a light client of the peer cannot be had, or a given verifier is none of this lane.
            NotNow: a relayer's account cannot pay, or a ledger does not mine.
            AdapterError: a ledger does not answer.
        """
        by_ledger: dict[str, dict[str, tuple[Row[Any], Row[Any]]]] = {}
        for here, peer in ends:
            by_ledger.setdefault(here.name, {})[peer.name] = (here, peer)
        unknown = set(trust.given) - set(by_ledger)
        if unknown:
            raise BadInput(
                f"The lane has no end on {', '.join(sorted(unknown))}.", "Give --verifier LEDGER=0x… for its own ends."
            )
        for pairs in by_ledger.values():
            for _here, peer in pairs.values():
                check_possible(peer, trust.kind)
        found: Ends = {}
        with ThreadPoolExecutor(max_workers=len(by_ledger)) as pool:
            for part in pool.map(lambda pairs: self._on_ledger(list(pairs.values()), trust), by_ledger.values()):
                found |= part
        return found

    def _on_ledger(self, pairs: list[tuple[Row[Any], Row[Any]]], trust: Trust) -> Ends:
        here = pairs[0][0]
        ledger = open_chain(here)
        try:
            if trust.kind is Kind.COMMITTEE and here.name not in trust.given:
                standing = ledger.called_by(bytes(here.verifier))
                return {(here.name, peer.name): standing for _, peer in pairs}
            if trust.kind is not Kind.COMMITTEE:
                _check_machine(ledger, here)
            found: Ends = {}
            for _, peer in pairs:
                given = trust.given.get(here.name, b"")
                if given:
                    self._check(ledger, here, peer, given, trust.kind)
                found[here.name, peer.name] = given or self._own(ledger, here, peer, trust)
            return found
        finally:
            ledger.close()

    def _own(self, ledger: Ledger, here: Row[Any], peer: Row[Any], trust: Trust) -> bytes:
        """The light client, or both together, that is known already; deployed now where there is none."""
        light_client = self._known(here, peer, Kind.LIGHT_CLIENT) or self._deploy_light_client(
            ledger, here, peer, trust.trusting_period_s
        )
        if trust.kind is Kind.LIGHT_CLIENT:
            return light_client
        return self._known(here, peer, Kind.BOTH, light_client) or self._deploy_both(ledger, here, peer, light_client)

    def _known(self, here: Row[Any], peer: Row[Any], kind: Kind, light_client: bytes = b"") -> bytes:
        """A verifier of that kind that can still be used; empty if there is none."""
        with self.store.read() as connection:
            mine = (verifiers.c.chain == here.name, verifiers.c.peer == peer.name, verifiers.c.kind == str(kind))
            for row in connection.execute(select(verifiers).where(*mine).order_by(verifiers.c.read_at.desc())):
                if kind is Kind.LIGHT_CLIENT and not row.frozen and row.expires_at > time.time():
                    return bytes(row.address)
                if kind is Kind.BOTH and (row.light_client, row.committee) == (light_client, here.verifier):
                    return bytes(row.address)
        return b""

    def _deploy_light_client(
        self, ledger: Ledger, here: Row[Any], peer: Row[Any], trusting_period_s: int | None
    ) -> bytes:
        code = _light_client_code(ledger, here, peer, trusting_period_s, development=self.development)
        made = self._deploy(ledger, here, Kind.LIGHT_CLIENT, code)
        self.tell(
            f"light client of {peer.name} deployed at 0x{made.address.hex()} on {here.name}, "
            f"pinned to block {peer.client_height} (0x{bytes(peer.client_hash).hex()})"
        )
        return made.address

    def _deploy_both(self, ledger: Ledger, here: Row[Any], peer: Row[Any], light_client: bytes) -> bytes:
        code = both_creation(committee=bytes(here.verifier), light_client=light_client)
        made = self._deploy(ledger, here, Kind.BOTH, code)
        self.tell(f"committee and light client of {peer.name} together at 0x{made.address.hex()} on {here.name}")
        return made.address

    def _deploy(self, ledger: Ledger, here: Row[Any], kind: Kind, code: bytes) -> Contract:
        with turn_of_chain(self.store, here.name):
            made = deploy(ledger, self.keys.load(here.account_key), [(CONTRACT_OF[kind], code)])[0]
        learn_verifier(self.store.write, ledger, here.name, made.address)
        return made

    def _check(self, ledger: Ledger, here: Row[Any], peer: Row[Any], given: bytes, kind: Kind) -> None:
        """A verifier that somebody names must be of this version, of the kind, on this ledger, and judge the peer.

        Raises:
            BadInput: it is not; the error says what is wrong.
        """
        found = learn_verifier(self.store.write, ledger, here.name, given)
        if found is not kind:
            raise BadInput(f"The verifier 0x{given.hex()} is of the kind {found}.", f"Give one of the kind {kind}.")
        with self.store.read() as connection:
            row = verifier_at(connection, here.name, given)
        parts = {Kind(kind): given} | {
            part: bytes(value)
            for part, value in ((Kind.COMMITTEE, row and row.committee), (Kind.LIGHT_CLIENT, row and row.light_client))
            if value
        }
        for part, where in parts.items():
            name = CONTRACT_OF[part]
            if not contract(Contract(ledger, name, where).program).same_code(ledger.installed(where).code):
                raise BadInput(
                    f"The contract at 0x{where.hex()} is no {name} of this version.", "Give the address of another one."
                )
            if part is not Kind.BOTH and Contract(ledger, name, where).ask("chainWord") != bytes(here.chain_word):
                raise BadInput(
                    f"The {name} at 0x{where.hex()} was made for another ledger than {here.name}.", "Give another one."
                )
        if kind is not Kind.COMMITTEE and (row is None or row.peer != peer.name):
            raise BadInput(f"The verifier 0x{given.hex()} does not judge {peer.name}.", "Give another one.")


def check_possible(peer: Row[Any], kind: Kind) -> None:
    """Whether a ledger can be judged by verifiers of a kind.

    Raises:
        BadInput: there is no light client in Solidity for its consensus.
    """
    if kind is Kind.COMMITTEE:
        return
    if peer.consensus != QBFT:
        raise BadInput(
            f"No ledger can run a light client of {peer.name}: its consensus is {peer.consensus}, not {QBFT}.",
            "Use --trust committee.",
        )
    if not parse_header(bytes(peer.client_header)).extra.validators:
        raise BadInput(
            f"No ledger can run a light client of {peer.name}: its headers list no validators.",
            "Use --trust committee.",
        )


def _light_client_code(
    ledger: Ledger, here: Row[Any], peer: Row[Any], trusting_period_s: int | None, *, development: bool
) -> bytes:
    """Bytecode of a light client of the peer, pinned to the hub's newest verified header of it."""
    gateway = Contract(ledger, "Gateway", bytes(here.gateway))
    known = client_named(peer.consensus).state_from_bytes(bytes(peer.client_state)).configuration
    return qbft_creation(
        chain_word=bytes(here.chain_word),
        officers=[account_value(officer) for officer in gateway.ask("officers")],
        guardian=account_value(gateway.ask("guardian")),
        delay_s=int(gateway.ask("delaySeconds")),
        configuration=ClientConfiguration(
            peer_chain_word=bytes(peer.chain_word),
            dialect=DIALECTS[str(known.dialect)],
            epoch_length=known.epoch_length,
            trusting_period_s=trusting_period_s or known.trusting_period_s,
            maximum_drift_s=known.maximum_drift_s,
        ),
        header=signed_form(bytes(peer.client_header)).header,
        pinned_hash=bytes(peer.client_hash),
        development=development,
    )


def _check_machine(ledger: Ledger, here: Row[Any]) -> None:
    """A light client recovers its peer's sealers by the machine's own precompile, and is of the suite `evm`."""
    if ledger.machine().suite == "sm":
        raise BadInput(
            f"The gateway of {here.name} is of the suite sm, for which there is no light client in Solidity.",
            "Open the lane with --trust committee.",
        )
    if ledger.machine().signatures != "ecrecover":
        raise BadInput(
            f"The machine of {here.name} recovers no signer, so no light client can stand there.",
            "Open the lane with --trust committee.",
        )
