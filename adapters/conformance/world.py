"""A ready-made world: gateways, committees, applications and a lane, put on two ledgers through their faces alone.

For ledgers with an EVM, or with programs that are put like contracts. Who starts the nodes says what opens them and how a
block comes; everything else is here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.conformance.findings import require
from adapters.conformance.steps import OPERATORS, LaneSteps, key
from adapters.protocol import AdapterOptions, Call, Ledger
from adapters.solidity import administration
from adapters.solidity.contracts import back_ends, committee_creation, contract, gateway_creation, organisation_word
from light_clients.crypto.secp256k1 import address_of, public_key_of
from schemas.lane import Lane
from schemas.suites import EVM, Suite

OFFICERS = [key(f"officer {index}") for index in range(3)]
GUARDIAN = key("guardian")
ACTION_GAS = 2_000_000
VIEW_GAS = 1_000_000
SENDER_LIMIT = 60_000


class LaneWorld(LaneSteps):
    """Two ledgers with a gateway and a committee of three each, and an open lane from the first to the second.

    Attributes:
        hashing: how contracts of the suite `sm` compute SM3 there (`adapters.solidity.contracts.HASH_BACK_ENDS`).
    """

    hashing: str = "opcode"

    def __init__(
        self, options: Sequence[AdapterOptions], open_ledger: Callable[[AdapterOptions], Ledger], *, suite: Suite = EVM
    ) -> None:
        """Open both ledgers and put everything there.

        Args:
            options: what opens the source and the destination.
            open_ledger: how they are opened; `adapter certify` gives its own.
            suite: of the lane.

        Raises:
            AdapterError: a ledger does not answer or refuses.
            Broken: a transaction failed.
        """
        self._options, self._suite = list(options), suite
        self.ledgers = [open_ledger(item) for item in self._options]
        self.words = [ledger.identity().word for ledger in self.ledgers]
        self.gateways, self.verifiers = [], []
        for end in (0, 1):
            self._people_can_act(end)
            self._put_gateway(end)
        self.lane = Lane("conformance", suite, self.words[0], self.gateways[0], self.words[1], self.gateways[1], "main")
        far = self.ledgers[1]
        mailbox = contract("Mailbox").creation_code(far.called_by(self.gateways[1]))
        self.receiver = far.called_by(self.deploy(1, "mailbox", mailbox))
        self.reverting = far.called_by(self.deploy(1, "reverting", contract("Reverting").creation_code()))
        for end in (0, 1):
            verifier, caps = self.ledgers[end].called_by(self.verifiers[end]), administration.Caps()
            self.act(end, administration.open_lane(self.lane, end, verifier, self.code_hash(1 - end), caps))
        lane_id = self.lane.lane_id
        self.act(0, administration.allow_sender(lane_id, self.account(0, self.sender), SENDER_LIMIT))
        for receiver in (self.receiver, self.reverting):
            self.act(1, administration.allow_receiver(lane_id, receiver))

    def options(self, end: int) -> AdapterOptions:
        """What opens a ledger once more."""
        return self._options[end]

    def operator_account(self, end: int, private_key: bytes) -> bytes:
        """The account whose signatures the committee at one end counts: of secp256k1, unless a world says otherwise."""
        del end
        return address_of(private_key)

    def operator_key(self, private_key: bytes) -> bytes:
        """The public key that a committee is given where a back-end checks signatures: X and Y, 64 bytes."""
        return public_key_of(private_key)

    def deploy(self, end: int, program: str, creation: bytes) -> bytes:
        """Put a program on a ledger; returns its address, or name.

        Raises:
            Broken: the deployment failed.
        """
        ledger = self.ledgers[end]
        return self._deploy(end, ledger.deployment(ledger.new_name(program), creation))

    def act(self, end: int, action: bytes) -> None:
        """Let two officers propose, approve and execute an action at a gateway."""
        number = int.from_bytes(self.view(end, "proposals"), "big") + 1
        for officer, data in [
            (OFFICERS[0], administration.propose(action)),
            (OFFICERS[1], administration.approve(number)),
            (OFFICERS[0], administration.execute(number, action)),
        ]:
            receipt = self.transact(end, officer, Call(self.gateways[end], data, ACTION_GAS))
            require(receipt.success, f"an officer's transaction failed at the gateway of ledger {end}")

    def view(self, end: int, function: str) -> bytes:
        """What a view of the gateway answers."""
        asker = self.account(end, self.relayer)
        return self.ledgers[end].simulate(
            asker, Call(self.gateways[end], contract("Gateway").encode(function), VIEW_GAS)
        )

    def close(self) -> None:
        """Release connections."""
        for ledger in self.ledgers:
            ledger.close()

    def _people_can_act(self, end: int) -> None:
        self.ledgers[end].endow([*OFFICERS, self.sender, self.relayer])

    def _put_gateway(self, end: int) -> None:
        """Deploy the gateway and its committee."""
        ledger, word = self.ledgers[end], self.words[end]
        traits = ledger.machine()
        officers = [self.account(end, officer) for officer in OFFICERS]
        guardian = self.account(end, self.relayer)
        signers = [
            (self.operator_account(end, operator), organisation_word(f"organisation {index}"))
            for index, operator in enumerate(OPERATORS)
        ]
        libraries = {
            name: ledger.called_by(self._deploy(end, ledger.deployment(ledger.new_name(name), creation)))
            for name, creation in back_ends(traits.signatures, self.hashing)
        }
        name = ledger.new_name("gateway")
        creation = gateway_creation(
            chain_word=word,
            officers=officers,
            guardian=guardian,
            delay_s=0,
            minimum_expiry_s=1,
            time_divisor=traits.time_divisor,
            self_name=name,
            suite=self._suite.name,
            hashing=self.hashing,
            libraries=libraries,
        )
        self.gateways.append(self._deploy(end, ledger.deployment(name, creation)))
        name = ledger.new_name("committee")
        creation = committee_creation(
            chain_word=word,
            officers=officers,
            guardian=guardian,
            delay_s=0,
            signers=signers,
            threshold=2,
            time_divisor=traits.time_divisor,
            self_name=name,
            signatures=traits.signatures,
            keys=() if traits.signatures == "ecrecover" else [self.operator_key(operator) for operator in OPERATORS],
            suite=self._suite.name,
            hashing=self.hashing,
            libraries=libraries,
        )
        self.verifiers.append(self._deploy(end, ledger.deployment(name, creation)))

    def _deploy(self, end: int, call: Call) -> bytes:
        receipt = self.transact(end, OFFICERS[0], call)
        require(receipt.success and receipt.contract, f"a program could not be put on ledger {end}")
        return receipt.contract
