"""Register a ledger: ask the node what it is, trust a pinned header, deploy the gateway, prove that forgeries fail, write.

Nothing is written before everything is known to work; then the ledger and its committee are written in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, insert, select

from adapters.protocol import AdapterError, AdapterOptions, Endpoint, Installed, Ledger, LedgerIdentity, Rejected
from adapters.registry import open_ledger
from adapters.solidity.contracts import contract
from light_clients.errors import ConfigurationInvalid
from relay.clients import extra_of_options
from relay.config import HubConfig
from relay.errors import BadInput, Duplicate, NotFound
from relay.evidence.decisions import note_chain
from relay.home import Home
from relay.keys import Key, KeyStore, key_name
from relay.registry.chaincode import Configuration, application_account, configure_chaincode
from relay.registry.chains import chain_named
from relay.registry.client_options import read_client_options
from relay.registry.committee import read_committee, write_committee
from relay.registry.consensus import Trusted, parse_pin, trust_ledger
from relay.registry.gateways import (
    Committee,
    Contract,
    Officers,
    deploy,
    deploy_gateway,
    label_of,
    refuses_unproven,
)
from relay.registry.names import GUARDIAN, OFFICERS, SENDER
from relay.registry.operators import members, quorum_of, write_operator_files
from relay.registry.transact import LOOK_S, STANDS_WITHIN_S
from relay.registry.verifiers import committee_row, write_verifier
from relay.store import Store
from relay.store.tables import chains
from schemas.claim import Claim, Direction
from schemas.primitives import BlockHash, Head, LaneId, SchemaError, name_text

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
        gateway, verifier: programs that are there already (both or neither), as the ledger names them, or empty.
        options: options of the adapter, by name.
        key: name of the relayer's key, or empty for `relayer-NAME`.
        client_options: path of the file with options of the light client, or of the genesis file.
        officers, guardian: accounts that will administer new contracts, on a production hub.
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
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Contracts:
    gateway: bytes
    verifier: bytes
    mailbox: bytes
    installed: Installed


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
        ledger, identity = self._ask(request, {**request.options, **_extra(consensus, said.options)})
        try:
            pin = parse_pin(request.pin)
            trusted = trust_ledger(
                ledger, identity, consensus, pin, development_hub=self.config.development, options=said.options
            )
            self.tell(_told_trust(trusted, pinned=pin is not None))
            key = self.keys.load_or_new(request.key or f"relayer-{request.name}")
            contracts = self._contracts(request, ledger, identity, key)
            self._check_refusal(ledger, contracts)
            return self._write(request, ledger, identity, trusted, contracts, key)
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
        identity = _identity(request, request.endpoints[0])
        for url in request.endpoints[1:]:
            other = _identity(request, url)
            if other.word != identity.word:
                raise BadInput(
                    f"The endpoints are different ledgers: {identity.chain_id} and {other.chain_id} with first blocks "
                    f"{identity.first_block.hex0x()} and {other.first_block.hex0x()}.",
                    "Give endpoints of one ledger.",
                )
        namespace = identity.chain_id.partition(":")[0]
        wanted = request.chain_id if ":" in request.chain_id else f"{namespace}:{request.chain_id}"
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
        if self.config.development and identity.development:
            people = [key.private, *(self.keys.load(name).private for name in (*OFFICERS, GUARDIAN, SENDER))]
            if ledger.endow(people):
                _await_coins(ledger, people)
                self.tell("the development network lets the relayer, the officers and the sender act")
        if request.gateway:
            gateway, verifier = self._given(request, ledger, identity, key)
        else:
            gateway, verifier = self._deploy(request, ledger, identity, key)
        mailbox = self._mailbox(ledger, key, gateway) if self.config.development else b""
        return _Contracts(gateway.address, verifier.address, mailbox, ledger.installed(gateway.address))

    def _given(
        self, request: ChainRequest, ledger: Ledger, identity: LedgerIdentity, key: Key
    ) -> tuple[Contract, Contract]:
        """Programs that are there already: of this version and of this ledger."""
        gateway = Contract(ledger, "Gateway", request.gateway)
        verifier = Contract(ledger, "CommitteeVerifier", request.verifier)
        for given in (gateway, verifier):
            try:
                code = ledger.installed(given.address).code
            except Rejected as refusal:
                raise NotFound(f"{str(refusal).rstrip('.')}.", "Check the address and the ledger.") from None
            if code and not contract(given.program).same_code(code):
                raise BadInput(
                    f"The contract at {given.label} is no {given.program} of this version.",
                    "Deploy one: leave --gateway and --verifier out.",
                )
        if self.config.development and ledger.machine().signatures == "chaincode":
            configure_chaincode(gateway, key, self._configuration(request, ledger, identity))
        for given in (gateway, verifier):
            if given.ask("chainWord") != bytes(identity.word):
                raise BadInput(
                    f"The {given.name} at {given.label} was made for another ledger.",
                    "Deploy one for this ledger: leave --gateway and --verifier out.",
                )
        self.tell(f"gateway {gateway.label} and verifier {verifier.label} are this ledger's")
        return gateway, verifier

    def _mailbox(self, ledger: Ledger, key: Key, gateway: Contract) -> bytes:
        """The example receiver of a development hub; a chaincode has it built in."""
        if ledger.machine().signatures == "chaincode":
            return application_account("mailbox")
        code = contract("Mailbox").creation_code(ledger.called_by(gateway.address))
        made = deploy(ledger, key, [("Mailbox", code)])[0]
        return ledger.called_by(made.address)

    def _deploy(
        self, request: ChainRequest, ledger: Ledger, identity: LedgerIdentity, key: Key
    ) -> tuple[Contract, Contract]:
        officers, committee = self._officers(request, ledger), self._committee()
        expiry_s = DEVELOPMENT_EXPIRY_S if self.config.development else MINIMUM_EXPIRY_S
        gateway, verifier = deploy_gateway(ledger, key, identity.word, officers, committee, minimum_expiry_s=expiry_s)
        self.tell(f"gateway deployed at {gateway.label} in block {gateway.height}")
        self.tell(
            f"committee verifier deployed at {verifier.label} in block {verifier.height}: "
            f"{committee.threshold} of {len({row.organisation for row in committee.members})} organisations"
        )
        return gateway, verifier

    def _committee(self) -> Committee:
        quorum = quorum_of(self.store, self.config.threshold)
        return Committee(members(self.store), quorum, self.config.development)

    def _configuration(self, request: ChainRequest, ledger: Ledger, identity: LedgerIdentity) -> Configuration:
        """What a chaincode is told once, in place of constructor arguments."""
        expiry_s = DEVELOPMENT_EXPIRY_S if self.config.development else MINIMUM_EXPIRY_S
        return Configuration(identity.word, self._officers(request, ledger), self._committee(), expiry_s)

    def _officers(self, request: ChainRequest, ledger: Ledger) -> Officers:
        if self.config.development:
            addresses = tuple(ledger.account(self.keys.load(name).private) for name in OFFICERS)
            return Officers(addresses, ledger.account(self.keys.load(GUARDIAN).private), 0)
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
                f"The verifier {label_of(contracts.verifier)} believes a claim that nobody proved.",
                "Use another verifier.",
            )
        self.tell("a message without proof is refused, as it must be")

    def _write(
        self,
        request: ChainRequest,
        ledger: Ledger,
        identity: LedgerIdentity,
        trusted: Trusted,
        contracts: _Contracts,
        key: Key,
    ) -> Row[Any]:
        committee = read_committee(ledger, contracts.verifier)
        row = chain_row(request, identity, trusted, contracts, key) | {
            "officers": list(OFFICERS) if self.config.development else [],
            "account": ledger.account(key.private),
        }
        standing = committee_row(contracts.verifier) | {"address": ledger.called_by(contracts.verifier)}
        try:
            with self.store.write() as connection:
                connection.execute(insert(chains).values(**row))
                note_chain(connection, request.name)
                write_committee(connection, request.name, committee)
                write_verifier(connection, request.name, "", standing)
        except Exception:
            self.tell(
                "the contracts are deployed but the hub could not write them down; run the command again with "
                f"--gateway {label_of(contracts.gateway)} --verifier {label_of(contracts.verifier)} to use them"
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
        "gateway_code_hash": contracts.installed.code_hash,
        "gateway_pin": contracts.installed.pin or None,
        "adapter_options": {**request.options, **contracts.installed.options} or None,
        "verifier": contracts.verifier,
        "mailbox": contracts.mailbox,
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


def _await_coins(ledger: Ledger, private_keys: Sequence[bytes]) -> None:
    """Wait until most endpoints show what one of them saw handed out; what then has none still is told by who needs it."""
    accounts = [ledger.account(private) for private in private_keys]
    deadline = time.monotonic() + STANDS_WITHIN_S
    while any(not ledger.wallet(account).balance for account in accounts) and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def options_of(items: Sequence[str]) -> dict[str, str]:
    """Options of an adapter as a command line gives them.

    Raises:
        BadInput: one has no name, or stands twice.
    """
    found: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not name or not equals or name in found:
            raise BadInput(
                f"{item[:100]!r} is no option, or stands twice.", "Give --option NAME=VALUE, each name once."
            )
        found[name] = value
    return found


def _extra(consensus: str, options: Mapping[str, Any]) -> dict[str, str]:
    try:
        return extra_of_options(consensus, options)
    except ConfigurationInvalid as error:
        raise BadInput(error.message, "Correct the options of the light client.") from None


def _identity(request: ChainRequest, url: str) -> LedgerIdentity:
    """Ask one endpoint what it is, patiently only for a moment."""
    extra = dict(request.options)
    ledger = open_ledger(
        request.adapter, AdapterOptions(endpoints=(Endpoint(url),), timeout_s=ASK_TIMEOUT_S, extra=extra)
    )
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
