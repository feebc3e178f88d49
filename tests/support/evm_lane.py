"""A lane between two development networks: anvil behind the sealing front, real gateways and committees."""

from adapters.evm.devnet import DevelopmentNetwork
from adapters.protocol import AdapterOptions, Call, Endpoint
from adapters.registry import open_ledger
from adapters.solidity import administration
from adapters.solidity.contracts import committee_creation, contract, gateway_creation, organisation_word
from light_clients import qbft, rlp
from light_clients.crypto.secp256k1 import address_of
from light_clients.proofs.patricia import verify_account
from schemas.lane import Lane
from schemas.primitives import BlockHash, Bytes32, LaneId
from schemas.suites import EVM
from tests.support.lane_world import OPERATORS, LaneWorld, key

OFFICERS = [key(f"officer {index}") for index in range(3)]
GUARDIAN = key("guardian")
RICH = 10**24


class EvmLane(LaneWorld):
    """Two networks that mine when told, opened by the adapter `evm` behind the guard, and one open lane between them."""

    def __init__(self, *, hardforks=("london", "london"), plain=False):
        self.networks = self.start_networks(hardforks, plain=plain)
        self.ledgers = [self.open_ledger(network) for network in self.networks]
        self.words = [ledger.identity().word for ledger in self.ledgers]
        self.gateways, self.verifiers = [], []
        for end in (0, 1):
            self._deploy_contracts(end)
        self.lane = Lane("tests", EVM, self.words[0], self.gateways[0], self.words[1], self.gateways[1], "main")
        self.receiver = self.deploy(1, contract("Mailbox").creation_code(self.gateways[1]))
        self.reverting = self.deploy(1, contract("Reverting").creation_code())
        for end in (0, 1):
            opening = administration.open_lane(
                self.lane, end, self.verifiers[end], self.code_hash(1 - end), administration.Caps()
            )
            self.act(end, opening)
        self.act(0, administration.allow_sender(self.lane.lane_id, address_of(self.sender), 60_000))
        for receiver in (self.receiver, self.reverting):
            self.act(1, administration.allow_receiver(self.lane.lane_id, receiver))

    def start_networks(self, hardforks, *, plain):
        """Start both ledgers; the officers, the sender and the relayer have coins there."""
        networks = [
            DevelopmentNetwork(chain_id=31_000 + end, block_time_s=0, hardfork=hardfork, plain=plain)
            for end, hardfork in enumerate(hardforks)
        ]
        for network in networks:
            network.start()
            for private_key in self.people():
                network.fund("0x" + address_of(private_key).hex(), RICH)
        return networks

    def open_ledger(self, network):
        """A network behind the guard."""
        return open_ledger("evm", AdapterOptions((Endpoint(network.url),)))

    def people(self):
        """The keys that send transactions."""
        return [*OFFICERS, self.sender, self.relayer]

    def _deploy_contracts(self, end):
        people = {
            "officers": [address_of(officer) for officer in OFFICERS],
            "guardian": address_of(GUARDIAN),
            "delay_s": 0,
        }
        signers = [(address_of(signer), organisation_word(f"o{index}")) for index, signer in enumerate(OPERATORS)]
        word = self.words[end]
        self.gateways.append(self.deploy(end, gateway_creation(chain_word=word, **people, minimum_expiry_s=1)))
        self.verifiers.append(
            self.deploy(end, committee_creation(chain_word=word, **people, signers=signers, threshold=2))
        )

    def deploy(self, end, code):
        receipt = self.transact(end, OFFICERS[0], Call(b"", code, 8_000_000))
        assert receipt.success
        return receipt.contract

    def act(self, end, action):
        """Let two officers propose, approve and execute an action at a gateway."""
        number = int.from_bytes(self.view(end, "proposals"), "big") + 1
        for officer, data in [
            (0, administration.propose(action)),
            (1, administration.approve(number)),
            (0, administration.execute(number, action)),
        ]:
            call = Call(self.gateways[end], data, 2_000_000)
            self.ledgers[end].simulate(address_of(OFFICERS[officer]), call)
            assert self.transact(end, OFFICERS[officer], call).success

    def view(self, end, function):
        return self.ledgers[end].simulate(
            bytes(20), Call(self.gateways[end], contract("Gateway").encode(function), 1_000_000)
        )

    def mine(self, end):
        self.networks[end].mine()

    def block_hash(self, end):
        (header,) = self.ledgers[end].headers(self.ledgers[end].tip(), self.ledgers[end].tip())
        return (
            qbft.codec.parse_header(header).block_hash
            if len(rlp.decode_list(header)[12]) > 100
            else BlockHash(EVM.hash(header))
        )

    def code_hash(self, end):
        """The hash of the gateway's code, out of a proof of its account."""
        ledger = self.ledgers[end]
        (found,) = ledger.evidence(self.gateways[end], [(LaneId(b"\x01" * 32), 0)], ledger.tip())
        return verify_account(
            Bytes32(rlp.decode_list(found.header)[3]), self.gateways[end], found.account_proof
        ).code_hash

    def close(self):
        for ledger in self.ledgers:
            ledger.close()
        for network in self.networks:
            network.stop()
