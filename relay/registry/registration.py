"""Register a ledger: ask the node what it is, trust a pinned header, deploy the gateway, prove that forgeries fail, write.

Nothing is written before everything is known to work; then the ledger and its committee are written in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select

from adapters.protocol import AdapterError, AdapterOptions, Endpoint, Ledger, LedgerIdentity
from adapters.registry import open_ledger
from adapters.solidity.contracts import contract
from light_clients.errors import ConfigurationInvalid
from relay.clients import extra_of_options
from relay.config import HubConfig
from relay.errors import BadInput, Duplicate
from relay.home import Home
from relay.keys import Key, KeyStore, key_name
from relay.registry.chains import chain_named
from relay.registry.client_options import read_client_options
from relay.registry.committee import read_committee, write_committee
from relay.registry.consensus import Trusted, parse_pin, trust_ledger
from relay.registry.gateways import (
    Contract,
    Officers,
    committee_code,
    deploy,
    gateway_code,
    refuses_unproven,
)
from relay.registry.names import GUARDIAN, OFFICERS, SENDER
from relay.registry.nodes import code_at, fund
from relay.registry.operators import members, quorum_of, write_operator_files
from relay.registry.verifiers import committee_row, write_verifier
from relay.store import Store
from relay.store.tables import chains
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, SchemaError, name_text
from schemas.suites import keccak256

ASK_TIMEOUT_S = 5.0
MINIMUM_EXPIRY_S = 60
DEVELOPMENT_EXPIRY_S = 1
DELAY_S = 86_400
NAME_MAX_BYTES = 56  # "relayer-" and the name are a key's name of at most 64 bytes


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """What a person says about a ledger to be added.

    Attributes:
        name: its name here, in any script.
        endpoints: URLs or IPC paths, the preferred first.
        adapter: which adapter speaks to it.
        chain_id: the number or CAIP-2 name that it must have, or empty.
        consensus: `auto`, or a light client's name.
        pin: `HEIGHT:0xHASH`, or empty on a development hub.
        gateway, verifier: contracts that are there already (both or neither), 20 bytes, or empty.
        key: name of the relayer's key, or empty for `relayer-NAME`.
        client_options: path of the file with options of the light client, or of the genesis file.
        officers, guardian: addresses that will administer new contracts, on a production hub.
    """

    name: str
    endpoints: tuple[str, ...]
    adapter: str = "evm"
    chain_id: str = ""
    consensus: str = "auto"
    pin: str = ""
    gateway: bytes = b""
    verifier: bytes = b""
    key: str = ""
    officers: tuple[bytes, ...] = ()
    guardian: bytes = b""
    client_options: str = ""


@dataclass(frozen=True, slots=True)
class _Contracts:
    gateway: bytes
    verifier: bytes
    mailbox: bytes
    code_hash: bytes


class Registration:
    """One ledger's registration, step by step.

    Args:
        home: the hub's folder.
        config: its configuration.
        store: its database.
        tell: called with one line about each step.
    """

    def __init__(self, home: Home, config: HubConfig, store: Store, tell: Callable[[str], None]) -> None:
        self.home = home
        self.config = config
        self.store = store
        self.keys = KeyStore(home.keys)
        self.tell = tell

    def add(self, request: ChainRequest) -> Row[Any]:
        """Register a ledger; return its row.

        Raises:
            BadInput: something that was said cannot be used.
            Duplicate: the name or the ledger is registered already.
            NotNow: operators, coins or contracts are missing; the error says which.
            AdapterError: an endpoint is dead, no EVM, or refuses.
        """
        self._check_name(request)
        said = read_client_options(request.client_options)
        if said.consensus and request.consensus not in ("auto", said.consensus):
            raise BadInput(
                f"{request.client_options} is of {said.consensus}, not of {request.consensus}.",
                "Leave --consensus out, or give another file.",
            )
        consensus = said.consensus or request.consensus
        ledger, identity = self._ask(request, _extra(consensus, said.options))
        try:
            pin = parse_pin(request.pin)
            trusted = trust_ledger(
                ledger, identity, consensus, pin, development_hub=self.config.development, options=said.options
            )
            self.tell(_told_trust(trusted, pinned=pin is not None))
            key = self.keys.load_or_new(request.key or f"relayer-{request.name}")
            contracts = self._contracts(request, ledger, identity, key)
            self._check_refusal(ledger, contracts)
            return self._write(request, identity, trusted, contracts, key, read_committee(ledger, contracts.verifier))
        finally:
            ledger.close()

    def _check_name(self, request: ChainRequest) -> None:
        try:
            name_text(request.name, "ledger name")
        except SchemaError as error:
            raise BadInput(f"{error}.", "Choose another name.") from None
        if len(request.name.encode()) > NAME_MAX_BYTES:
            raise BadInput(f"The ledger's name has more than {NAME_MAX_BYTES} bytes.", "Choose a shorter one.")
        key_name(request.key or f"relayer-{request.name}")
        if not request.endpoints:
            raise BadInput("A ledger needs an endpoint.", "Give --rpc URL.")
        if bool(request.gateway) != bool(request.verifier):
            raise BadInput(
                "A gateway and its verifier belong together.", "Give both --gateway and --verifier, or neither."
            )
        with self.store.read() as connection:
            if connection.execute(select(chains.c.name).where(chains.c.name == request.name)).first():
                raise Duplicate(f"There is a ledger named {request.name!r} already.", "See: relayhub chain list.")

    def _ask(self, request: ChainRequest, extra: dict[str, str]) -> tuple[Ledger, LedgerIdentity]:
        """Ask every endpoint what it is; all must be one ledger, and not one that is registered."""
        identity = _identity(request.adapter, request.endpoints[0])
        for url in request.endpoints[1:]:
            other = _identity(request.adapter, url)
            if other.word != identity.word:
                raise BadInput(
                    f"The endpoints are different ledgers: {identity.chain_id} and {other.chain_id} with first blocks "
                    f"{identity.first_block.hex0x()} and {other.first_block.hex0x()}.",
                    "Give endpoints of one ledger.",
                )
        wanted = request.chain_id if ":" in request.chain_id else f"eip155:{request.chain_id}"
        if request.chain_id and wanted != identity.chain_id:
            raise BadInput(f"The endpoint is {identity.chain_id}, not {wanted}.", "Check --rpc and --chain-id.")
        with self.store.read() as connection:
            same = connection.execute(select(chains.c.name).where(chains.c.chain_word == bytes(identity.word))).first()
        if same is not None:
            raise Duplicate(
                f"This ledger is registered already as {same.name!r}.", f"See: relayhub chain show {same.name}."
            )
        self.tell(f"{identity.chain_id}: {identity.software}, first block {identity.first_block.hex0x()}")
        options = AdapterOptions(
            endpoints=tuple(Endpoint(url) for url in request.endpoints),
            expected_chain=identity.chain_id,
            expected_first_block=bytes(identity.first_block),
            extra=extra,
        )
        return open_ledger(request.adapter, options), identity

    def _contracts(self, request: ChainRequest, ledger: Ledger, identity: LedgerIdentity, key: Key) -> _Contracts:
        """Deploy gateway, committee and (on a development hub) the example receiver, or take those that are there."""
        url = request.endpoints[0]
        if self.config.development and identity.development:
            people = [self.keys.load(name).address for name in (*OFFICERS, GUARDIAN, SENDER)]
            if fund(url, [key.address, *people]):
                self.tell("development coins given to the relayer, the officers and the sender")
        if request.gateway:
            gateway, verifier = (
                Contract(ledger, "Gateway", request.gateway),
                Contract(ledger, "CommitteeVerifier", request.verifier),
            )
            for given in (gateway, verifier):
                if not contract(given.name).same_code(code_at(url, given.address)):
                    raise BadInput(
                        f"The contract at 0x{given.address.hex()} is no {given.name} of this version.",
                        "Deploy one: leave --gateway and --verifier out.",
                    )
                if given.ask("chainWord") != bytes(identity.word):
                    raise BadInput(
                        f"The {given.name} at 0x{given.address.hex()} was made for another ledger.",
                        "Deploy one for this ledger: leave --gateway and --verifier out.",
                    )
            self.tell(f"gateway 0x{request.gateway.hex()} and verifier 0x{request.verifier.hex()} are this ledger's")
        else:
            gateway, verifier = self._deploy(request, ledger, identity, key)
        mailbox = b""
        if self.config.development:
            mailbox = deploy(ledger, key, [("Mailbox", contract("Mailbox").creation_code(gateway.address))])[0].address
        return _Contracts(gateway.address, verifier.address, mailbox, keccak256(code_at(url, gateway.address)))

    def _deploy(
        self, request: ChainRequest, ledger: Ledger, identity: LedgerIdentity, key: Key
    ) -> tuple[Contract, Contract]:
        officers = self._officers(request)
        committee = [(bytes(row.signer), str(row.organisation)) for row in members(self.store)]
        quorum = quorum_of(self.store, self.config.threshold)
        development = self.config.development
        expiry_s = DEVELOPMENT_EXPIRY_S if development else MINIMUM_EXPIRY_S
        gateway, verifier = deploy(
            ledger,
            key,
            [
                ("Gateway", gateway_code(identity.word, officers, expiry_s)),
                (
                    "CommitteeVerifier",
                    committee_code(identity.word, officers, committee, quorum, development=development),
                ),
            ],
        )
        self.tell(f"gateway deployed at 0x{gateway.address.hex()} in block {gateway.height}")
        self.tell(
            f"committee verifier deployed at 0x{verifier.address.hex()} in block {verifier.height}: "
            f"{quorum} of {len({organisation for _, organisation in committee})} organisations"
        )
        return gateway, verifier

    def _officers(self, request: ChainRequest) -> Officers:
        if self.config.development:
            addresses = tuple(self.keys.load(name).address for name in OFFICERS)
            return Officers(addresses, self.keys.load(GUARDIAN).address, 0)
        if len(request.officers) < 3 or not request.guardian:
            raise BadInput(
                "New contracts of a production hub need at least three officers and a guardian.",
                "Give --officer 0x… three times and --guardian 0x…, or --gateway and --verifier.",
            )
        return Officers(request.officers, request.guardian, DELAY_S)

    def _check_refusal(self, ledger: Ledger, contracts: _Contracts) -> None:
        """An unproven claim must fail at the verifier before the ledger may join."""
        head = Head(b"\x01" * 32)
        claim = Claim(LaneId(b"\x02" * 32), Direction.OUTBOX, 1, head, 1, BlockHash(b"\x03" * 32))
        if not refuses_unproven(Contract(ledger, "CommitteeVerifier", contracts.verifier), contracts.gateway, claim):
            raise BadInput(
                f"The verifier 0x{contracts.verifier.hex()} believes a claim that nobody proved.",
                "Use another verifier.",
            )
        self.tell("a message without proof is refused, as it must be")

    def _write(
        self,
        request: ChainRequest,
        identity: LedgerIdentity,
        trusted: Trusted,
        contracts: _Contracts,
        key: Key,
        committee: dict[str, Any],
    ) -> Row[Any]:
        row = chain_row(request, identity, trusted, contracts, key) | {
            "officers": list(OFFICERS) if self.config.development else []
        }
        try:
            with self.store.write() as connection:
                connection.execute(insert(chains).values(**row))
                write_committee(connection, request.name, committee)
                write_verifier(connection, request.name, "", committee_row(contracts.verifier))
        except Exception:
            self.tell(
                "the contracts are deployed but the hub could not write them down; run the command again with "
                f"--gateway 0x{contracts.gateway.hex()} --verifier 0x{contracts.verifier.hex()} to use them"
            )
            raise
        if self.config.development:
            write_operator_files(self.home, self.config, self.store)
        return chain_named(self.store, request.name)


def chain_row(
    request: ChainRequest, identity: LedgerIdentity, trusted: Trusted, contracts: _Contracts, key: Key
) -> dict[str, Any]:
    """The row of a new ledger; its light client and its gateway are followed from the pinned block."""
    state = trusted.state
    return {
        "name": request.name,
        "chain_id": str(identity.chain_id),
        "chain_word": bytes(identity.word),
        "first_block": bytes(identity.first_block),
        "adapter": request.adapter,
        "endpoints": [{"url": url, "operator": ""} for url in request.endpoints],
        "software": identity.software,
        "development": identity.development,
        "consensus": trusted.consensus,
        "gateway": contracts.gateway,
        "gateway_code_hash": contracts.code_hash,
        "verifier": contracts.verifier,
        "mailbox": contracts.mailbox,
        "account": key.address,
        "account_key": key.name,
        "pinned_height": state.height,
        "pinned_hash": bytes(state.block_hash),
        "client_state": state.to_bytes(),
        "client_header": trusted.header,
        "client_height": state.height,
        "client_hash": bytes(state.block_hash),
        "client_time": state.timestamp,
        "client_expires_at": state.expires_at,
        "observed_height": state.height,
        "tip": state.height,
        "tip_at": time.time(),
        "state": "active",
        "created_at": time.time(),
    }


def _extra(consensus: str, options: Mapping[str, Any]) -> dict[str, str]:
    try:
        return extra_of_options(consensus, options)
    except ConfigurationInvalid as error:
        raise BadInput(error.message, "Correct the options of the light client.") from None


def _identity(adapter: str, url: str) -> LedgerIdentity:
    """Ask one endpoint what it is, patiently only for a moment."""
    ledger = open_ledger(adapter, AdapterOptions(endpoints=(Endpoint(url),), timeout_s=ASK_TIMEOUT_S))
    try:
        return ledger.identity()
    except AdapterError as error:
        raise BadInput(f"{str(error).rstrip('.')}.", "Check --rpc and that the node runs.") from error
    finally:
        ledger.close()


def _told_trust(trusted: Trusted, *, pinned: bool) -> str:
    where = f"block {trusted.state.height} ({trusted.state.block_hash.hex0x()})"
    how = f"from the pinned {where}" if pinned else f"from the newest {where}; a production hub needs --pin"
    if trusted.consensus == "development":
        return f"NO VERIFIABLE CONSENSUS: trust level development; starts {how}"
    return f"{trusted.consensus} headers are verified {how}"
