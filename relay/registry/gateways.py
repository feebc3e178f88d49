"""The contracts of an EVM-like ledger as the registry uses them: deploy, ask, and let officers act.

Officers act through proposals: one proposes the calldata of an action, another approves it, and after the ledger's delay any
officer executes it. On a development hub all three happen at once with local keys (`act`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.protocol import Call, Ledger, Rejected
from relay.errors import NotNow
from relay.keys import Key
from relay.registry.abi import answer, calldata, deployment
from relay.registry.transact import transact
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
    """A deployed contract: its ABI's name (Gateway, CommitteeVerifier, Mailbox) and where it is."""

    ledger: Ledger
    name: str
    address: bytes

    def ask(self, function: str, *arguments: Any) -> Any:
        """Call a view; a single value is returned as itself, several as a tuple.

        Raises:
            Rejected: the contract refuses.
            NotNow: there is no such contract.
        """
        data = self.ledger.simulate(NOBODY, Call(self.address, calldata(self.name, function, *arguments), VIEW_GAS))
        if not data:
            raise NotNow(f"There is no {self.name} at 0x{self.address.hex()}.", "Check the address and the ledger.")
        values = answer(self.name, function, data)
        return values[0] if len(values) == 1 else values

    def call(self, key: Key, function: str, *arguments: Any) -> bytes:
        """Send a transaction; returns its hash.

        Raises:
            Rejected: the contract refuses; the reason is in its own words.
        """
        data = calldata(self.name, function, *arguments)
        return transact(self.ledger, key, self.address, data, ADMINISTRATION_GAS).transaction

    def propose(self, key: Key, action: bytes) -> int:
        """Propose an action as an officer; returns the proposal's number."""
        output = self.ledger.simulate(
            key.address, Call(self.address, calldata(self.name, "propose", action), ADMINISTRATION_GAS)
        )
        before = int(self.ask("proposals"))
        self.call(key, "propose", action)
        number = int(answer(self.name, "propose", output)[0])
        for candidate in range(max(number, before + 1), int(self.ask("proposals")) + 1):
            proposal = self.ask("proposal", candidate)
            if proposal[0] == keccak256(action) and proposal[1] == "0x" + key.address.hex():
                return candidate
        return number

    def act(self, first: Key, second: Key, action: bytes) -> None:
        """Propose, approve and execute at once: for a development hub, whose delay is zero."""
        number = self.propose(first, action)
        self.call(second, "approve", number)
        self.call(first, "execute", number, action)


def deploy_gateway(
    ledger: Ledger, key: Key, word: ChainWord, officers: Officers, minimum_expiry_s: int
) -> tuple[Contract, int]:
    """Deploy a gateway; returns it and the height of its block."""
    people = (list(officers.addresses), officers.guardian, officers.delay_s)
    code = deployment("Gateway", word, *people, minimum_expiry_s, 1)
    return _deploy(ledger, key, "Gateway", code)


def deploy_committee(
    ledger: Ledger,
    key: Key,
    word: ChainWord,
    officers: Officers,
    committee: list[tuple[bytes, str]],
    threshold: int,
    *,
    development: bool,
) -> tuple[Contract, int]:
    """Deploy a committee verifier whose epoch 1 has these (signer, organisation); returns it and the height of its block."""
    people = (list(officers.addresses), officers.guardian, officers.delay_s)
    signers = [signer for signer, _ in committee]
    organisations = [organisation_id(organisation) for _, organisation in committee]
    code = deployment("CommitteeVerifier", word, *people, 1, development, signers, organisations, threshold)
    return _deploy(ledger, key, "CommitteeVerifier", code)


def deploy_mailbox(ledger: Ledger, key: Key, gateway: bytes) -> Contract:
    """Deploy the example receiver that keeps the last message."""
    return _deploy(ledger, key, "Mailbox", deployment("Mailbox", gateway))[0]


def organisation_id(name: str) -> bytes:
    """The 32 bytes by which a committee knows an organisation: keccak256 of its name."""
    return keccak256(name.encode())


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


def _deploy(ledger: Ledger, key: Key, name: str, code: bytes) -> tuple[Contract, int]:
    receipt = transact(ledger, key, b"", code, DEPLOY_GAS)
    return Contract(ledger, name, receipt.contract), receipt.height
