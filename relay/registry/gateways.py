"""The contracts of an EVM-like ledger as the registry uses them: deploy, ask, and let officers act.

Officers act through proposals: one proposes the calldata of an action, another approves it, and after the ledger's delay any
officer executes it. On a development hub all three happen at once with local keys (`act`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.protocol import Call, Ledger, Receipt, Rejected
from adapters.solidity.contracts import committee_creation, contract, gateway_creation, organisation_word
from relay.errors import NotNow
from relay.keys import Key
from relay.registry.transact import LOOK_S, STANDS_WITHIN_S, transact
from schemas.claim import Claim
from schemas.primitives import ChainWord
from schemas.suites import keccak256

DEPLOY_GAS = 8_000_000
ADMINISTRATION_GAS = 1_500_000
VIEW_GAS = 5_000_000
NOBODY = bytes(20)


@dataclass(frozen=True, slots=True)
class Officers:
    """Who administers a contract: at least three officers and a guardian, 20 bytes each, and the delay in seconds."""

    addresses: tuple[bytes, ...]
    guardian: bytes
    delay_s: int


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract: its ABI's name (Gateway, CommitteeVerifier, Mailbox), where it is, and since which block if known."""

    ledger: Ledger
    name: str
    address: bytes
    height: int = 0

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a view; a single value is returned as itself (a struct as a mapping by its fields' names), several as a tuple.

        Raises:
            Rejected: the contract refuses.
            NotNow: there is no such contract.
        """
        data = self.ledger.simulate(
            NOBODY, Call(self.address, contract(self.name).encode(function, *arguments), VIEW_GAS)
        )
        if not data:
            raise NotNow(f"There is no {self.name} at 0x{self.address.hex()}.", "Check the address and the ledger.")
        values = contract(self.name).decode(function, data)
        described = next(item for item in contract(self.name).abi if item.get("name") == function)["outputs"]
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
        self._send(key, [contract(self.name).encode("propose", action) for action in actions])
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
        for action in actions:
            wanted = keccak256(action)
            numbers += [number for number, known in hashes.items() if known == wanted and number not in numbers][:1]
        return numbers

    def approve(self, key: Key, numbers: Sequence[int]) -> None:
        """Approve proposals as another officer."""
        self._send(key, [contract(self.name).encode("approve", number) for number in numbers])

    def execute(self, key: Key, proposals: Sequence[tuple[int, bytes]]) -> None:
        """Execute approved proposals (number, action) after their delay, in order."""
        self._send(key, [contract(self.name).encode("execute", number, action) for number, action in proposals])

    def act(self, first: Key, second: Key, actions: Sequence[bytes]) -> None:
        """Propose, approve and execute at once: for a development hub, whose delay is zero."""
        numbers = self.propose(first, actions)
        _once_it_stands(lambda: self.approve(second, numbers))
        _once_it_stands(lambda: self.execute(first, list(zip(numbers, actions, strict=True))))

    def _send(self, key: Key, data: Sequence[bytes]) -> list[Receipt]:
        calls = [Call(self.address, item, ADMINISTRATION_GAS) for item in data]
        return transact(self.ledger, key, calls)


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


def deploy(ledger: Ledger, key: Key, codes: Sequence[tuple[str, bytes]]) -> list[Contract]:
    """Deploy contracts: for each its name and its bytecode with constructor arguments."""
    receipts = transact(ledger, key, [Call(b"", code, DEPLOY_GAS) for _, code in codes])
    return [
        Contract(ledger, name, receipt.contract, receipt.height)
        for (name, _), receipt in zip(codes, receipts, strict=True)
    ]


def gateway_code(word: ChainWord, officers: Officers, minimum_expiry_s: int) -> bytes:
    """Bytecode of a gateway with its constructor arguments."""
    return gateway_creation(
        chain_word=word,
        officers=officers.addresses,
        guardian=officers.guardian,
        delay_s=officers.delay_s,
        minimum_expiry_s=minimum_expiry_s,
    )


def committee_code(
    word: ChainWord, officers: Officers, committee: Sequence[tuple[bytes, str]], threshold: int, *, development: bool
) -> bytes:
    """Bytecode of a committee verifier whose epoch 1 has these (signer, organisation)."""
    return committee_creation(
        chain_word=word,
        officers=officers.addresses,
        guardian=officers.guardian,
        delay_s=officers.delay_s,
        signers=[(signer, organisation_word(organisation)) for signer, organisation in committee],
        threshold=threshold,
        development=development,
    )


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
