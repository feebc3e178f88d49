"""The contracts of an EVM-like ledger as the registry uses them: deploy, ask, and let officers act.

Officers act through proposals: one proposes the calldata of an action, another approves it, and after the ledger's delay any
officer executes it. On a development hub all three happen at once with local keys (`act`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from adapters.protocol import Call, Ledger, Receipt, Rejected
from adapters.solidity.contracts import Contract as Interface
from adapters.solidity.contracts import back_ends, committee_creation, contract, gateway_creation, organisation_word
from relay.errors import NotNow
from relay.keys import Key
from relay.registry.operators import accounts_on, keys_of
from relay.registry.transact import LOOK_S, STANDS_WITHIN_S, transact
from schemas.claim import Claim
from schemas.primitives import ChainWord
from schemas.suites import keccak256

ADMINISTRATION_GAS = 1_500_000
VIEW_GAS = 5_000_000
NOBODY = bytes(20)


@dataclass(frozen=True, slots=True)
class Officers:
    """Who administers a contract: at least three officers and a guardian, accounts of the ledger, and the delay in seconds."""

    addresses: tuple[bytes, ...]
    guardian: bytes
    delay_s: int


@dataclass(frozen=True, slots=True)
class Committee:
    """Who signs in a new committee's first epoch: rows of operators, the quorum of organisations, and whether one is enough."""

    members: Sequence[Row[Any]]
    threshold: int
    development: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract: its ABI's name (Gateway, CommitteeVerifier, Mailbox), where it is, and since which block if known."""

    ledger: Ledger
    name: str
    address: bytes
    height: int = 0

    @property
    def interface(self) -> Interface:
        """Its interface, with accounts as the ledger writes them."""
        return contract(self.name, self.ledger.machine().accounts)

    @property
    def program(self) -> str:
        """The compiled contract's name: a gateway and a committee of the suite `sm` are programs of their own."""
        built_for = self.ledger.machine().suite == "sm" and self.name in ("Gateway", "CommitteeVerifier")
        return f"{self.name}Sm" if built_for else self.name

    @property
    def label(self) -> str:
        """Its address or its name, as a person reads it."""
        return label_of(self.address)

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a view; a single value is returned as itself (a struct as a mapping by its fields' names), several as a tuple.

        Raises:
            Rejected: the contract refuses.
            NotNow: there is no such contract.
        """
        data = self.ledger.simulate(NOBODY, Call(self.address, self.interface.encode(function, *arguments), VIEW_GAS))
        if not data:
            raise NotNow(f"There is no {self.name} at {self.label}.", "Check the address and the ledger.")
        values = self.interface.decode(function, data)
        described = next(item for item in self.interface.abi if item.get("name") == function)["outputs"]
        named = tuple(_named(item, value) for item, value in zip(described, values, strict=True))
        return named[0] if len(named) == 1 else named

    def call(self, key: Key, data: bytes) -> bytes:
        """Send a transaction with this calldata; returns its hash.

        Raises:
            Rejected: the contract refuses; the reason is in its own words.
        """
        return self._send(key, [data])[0].transaction

    def propose(self, key: Key, actions: Sequence[bytes]) -> list[int]:
        """Propose actions as an officer; returns the proposals' numbers.

        Raises:
            NotNow: the ledger does not show them, also after a while (its newest block may have been left for another).
        """
        before = int(self.ask("proposals"))
        self._send(key, [self.interface.encode("propose", action) for action in actions], independent=True)
        deadline = time.monotonic() + STANDS_WITHIN_S
        while len(numbers := self._numbers(actions, before)) < len(actions):
            if time.monotonic() > deadline:
                raise NotNow(
                    "The proposal cannot be found on the ledger.", "Look at its proposals, then propose again."
                )
            time.sleep(LOOK_S)
        return numbers

    def _numbers(self, actions: Sequence[bytes], before: int) -> list[int]:
        """The numbers of the proposals that were made after so many, as far as the newest block has them."""
        after = int(self.ask("proposals"))
        hashes = {number: bytes(self.ask("proposal", number)["actionHash"]) for number in range(before + 1, after + 1)}
        numbers: list[int] = []
        own_hash = self.ledger.machine().own_hash
        for action in actions:
            wanted = own_hash(action)
            numbers += [number for number, known in hashes.items() if known == wanted and number not in numbers][:1]
        return numbers

    def approve(self, key: Key, numbers: Sequence[int]) -> None:
        """Approve proposals as another officer."""
        self._send(key, [self.interface.encode("approve", number) for number in numbers], independent=True)

    def execute(self, key: Key, proposals: Sequence[tuple[int, bytes]], *, independent: bool = False) -> None:
        """Execute approved proposals (number, action) after their delay, in order."""
        data = [self.interface.encode("execute", number, action) for number, action in proposals]
        self._send(key, data, independent=independent)

    def act(self, first: Key, second: Key, *waves: Sequence[bytes]) -> None:
        """Propose, approve and execute at once: for a development hub, whose delay is zero.

        Args:
            first: an officer.
            second: another one.
            waves: actions that do not depend on one another; each wave on those before it.
        """
        actions = [action for wave in waves for action in wave]
        numbers = self.propose(first, actions)
        _once_it_stands(lambda: self.approve(second, numbers))
        numbered = iter(zip(numbers, actions, strict=True))
        for wave in waves:
            todo = [next(numbered) for _ in wave]
            if todo:
                _once_it_stands(lambda todo=todo: self.execute(first, todo, independent=True))  # type: ignore[misc]

    def _send(self, key: Key, data: Sequence[bytes], *, independent: bool = False) -> list[Receipt]:
        calls = [Call(self.address, item, ADMINISTRATION_GAS) for item in data]
        apart = independent and not self.ledger.machine().optimistic  # all of them count proposals
        return transact(self.ledger, key, calls, independent=apart)


def _once_it_stands(step: Callable[[], None]) -> None:
    """Take a step that follows another one of a moment ago, which a ledger whose newest blocks are not final may have lost.

    Such a ledger takes the lost transaction into a later block by itself; until then the step after it is refused, or was mined
    before it and failed, for no reason that still is.

    Raises:
        Rejected: the contract refuses for another reason, or still.
    """
    deadline = time.monotonic() + STANDS_WITHIN_S
    while True:
        try:
            step()
        except Rejected as refusal:
            lost = refusal.reason.startswith("ProposalState") or (refusal.code == "reverted" and not refusal.reason)
            if not lost or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_S)
        else:
            return


def deploy(ledger: Ledger, key: Key, codes: Sequence[tuple[str, bytes]], names: Sequence[bytes] = ()) -> list[Contract]:
    """Deploy contracts.

    Args:
        ledger: where.
        key: who pays.
        codes: for each contract its name in the sources, and its bytecode with constructor arguments.
        names: what the contracts are called where a ledger gives names; fresh ones if they are not given.
    """
    named = names or [ledger.new_name(name) for name, _ in codes]
    calls = [ledger.deployment(name, code) for name, (_, code) in zip(named, codes, strict=True)]
    return [
        Contract(ledger, name, receipt.contract, receipt.height)
        for (name, _), receipt in zip(codes, transact(ledger, key, calls), strict=True)
    ]


def deploy_gateway(
    ledger: Ledger, key: Key, word: ChainWord, officers: Officers, committee: Committee, *, minimum_expiry_s: int
) -> tuple[Contract, Contract]:
    """Deploy a gateway and its committee as the ledger's machine needs them; what they rely on is deployed first.

    Raises:
        NotNow: an operator's key is missing that the machine needs.
        Rejected: the machine cannot do what was chosen for it: the constructors try.
    """
    traits = ledger.machine()
    accounts = accounts_on(committee.members, traits)
    signers = [
        (account, organisation_word(row.organisation)) for account, row in zip(accounts, committee.members, strict=True)
    ]
    keys = keys_of(committee.members, traits)
    helpers = back_ends(traits.signatures, traits.hashing)
    libraries = {
        made.name: ledger.called_by(made.address) for made in (deploy(ledger, key, helpers) if helpers else ())
    }
    names = [ledger.new_name(name) for name in ("gateway", "committee")]
    codes = [
        (
            "Gateway",
            gateway_creation(
                chain_word=word,
                officers=officers.addresses,
                guardian=officers.guardian,
                delay_s=officers.delay_s,
                minimum_expiry_s=minimum_expiry_s,
                time_divisor=traits.time_divisor,
                self_name=names[0],
                suite=traits.suite,
                hashing=traits.hashing,
                libraries=libraries,
            ),
        ),
        (
            "CommitteeVerifier",
            committee_creation(
                chain_word=word,
                officers=officers.addresses,
                guardian=officers.guardian,
                delay_s=officers.delay_s,
                signers=signers,
                threshold=committee.threshold,
                development=committee.development,
                time_divisor=traits.time_divisor,
                self_name=names[1],
                signatures=traits.signatures,
                keys=keys,
                suite=traits.suite,
                hashing=traits.hashing,
                libraries=libraries,
            ),
        ),
    ]
    gateway, verifier = deploy(ledger, key, codes, names)
    return gateway, verifier


def account_value(value: Any) -> bytes:
    """An account as a view answers it: text in hexadecimal where the interface writes an address, else bytes."""
    return bytes(value) if isinstance(value, bytes) else bytes.fromhex(str(value).removeprefix("0x"))


def label_of(program: bytes) -> str:
    """A program as a person reads it: its name where it has one, else its address in hexadecimal."""
    named = len(program) != 20 and program.isascii() and program.decode("ascii").isprintable()
    return program.decode() if named else "0x" + program.hex()


def refuses_unproven(verifier: Contract, gateway: bytes, claim: Claim) -> bool:
    """Whether a verifier refuses a claim that nobody proved: it must revert or answer false to a proof by nobody."""
    from eth_abi.abi import encode

    forged = encode(["uint64", "uint256", "bytes[]"], [1, 0, []])
    words = (
        bytes(claim.lane_id),
        int(claim.direction),
        claim.nonce,
        bytes(claim.head),
        claim.height,
        bytes(claim.block_hash),
    )
    for proof in (b"", forged):
        try:
            if verifier.ask("verify", keccak256(gateway), gateway, bytes(32), words, proof):
                return False
        except Rejected:
            continue
    return True


def _named(described: Mapping[str, Any], value: Any) -> Any:
    """Give a struct's values the names of its fields."""
    if described["type"] != "tuple":
        return value
    parts = described["components"]
    return {part["name"]: _named(part, item) for part, item in zip(parts, value, strict=True)}
