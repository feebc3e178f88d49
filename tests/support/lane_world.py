"""A lane between two ledgers behind the faces of `adapters.protocol`, and the steps of a message along it.

Shared by worlds of different adapters: a subclass makes the ledgers and the gateways; everything else goes through the faces.
"""

from adapters.protocol import Call, Delivery, Settlement
from adapters.solidity.calldata import committee_proof, encode_send
from light_clients.crypto.secp256k1 import address_of, sign
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.outcome import Settled
from schemas.suites import keccak256


def key(label):
    """A private key of the tests, made from a label."""
    return keccak256(f"relayhub test key {label}".encode())


OPERATORS = [key(f"operator {index}") for index in range(3)]


class LaneWorld:
    """What a subclass sets: `ledgers`, `gateways`, `words`, `verifiers` (each for source and destination), `lane`,
    `receiver`, `reverting`; and `mine(end)`, `block_hash(end)`."""

    sender, relayer = key("sender"), key("relayer")

    def transact(self, end, private_key, call, *, mine=True):
        """Sign and send a call at one end; returns its receipt once mined, the signed transaction if it is not to be mined."""
        ledger = self.ledgers[end]
        wallet = ledger.wallet(address_of(private_key))
        signed = ledger.sign(private_key, wallet.pending_nonce, call, wallet.fee)
        (refusal,) = ledger.broadcast([signed.raw])
        if refusal is not None:
            raise refusal
        if not mine:
            return signed
        self.mine(end)
        return ledger.receipts([signed.transaction])[0]

    def send_call(self, payload, *, receiver=None, gas_limit=100_000, expires_at=0):
        data = encode_send(self.lane.lane_id, receiver or self.receiver, payload, gas_limit, 0, expires_at)
        return Call(self.gateways[0], data, 500_000)

    def send(self, payload=b"hello", **options):
        return self.transact(0, self.sender, self.send_call(payload, **options))

    def events(self, end, kind):
        ledger = self.ledgers[end]
        return [event for event in ledger.events(0, ledger.tip(), self.gateways[end]) if isinstance(event, kind)]

    def claim(self, direction, nonce, head):
        height = self.ledgers[direction].tip()
        return Claim(self.lane.lane_id, Direction(direction), nonce, head, height, self.block_hash(direction))

    def proof(self, claim, operators=(0, 1)):
        """Signatures of operators over a claim, for the end that consumes it."""
        end = 1 - claim.direction
        place = Place(self.words[end], self.gateways[end], self.verifiers[end], 1)
        digest = attestation_digest(self.lane.suite, place, claim)
        return committee_proof(1, [(index, sign(OPERATORS[index], digest)) for index in operators])

    def delivery(self, sent, *, suffix_ids=()):
        """A delivery of MessageSent events, whose claim is the last one's head (or what the suffix folds to)."""
        claim = self.claim(0, sent[-1].message.nonce, sent[-1].head)
        messages = tuple(event.message for event in sent[: len(sent) - len(suffix_ids)])
        return Delivery(self.lane.lane_id, messages, tuple(suffix_ids), claim, self.proof(claim))

    def settlement(self, sent, delivered, head):
        claim = self.claim(1, delivered[-1].nonce, head)
        entries = tuple(
            Settled(event.message.without_payload(), outcome.status, outcome.result)
            for event, outcome in zip(sent, delivered, strict=True)
        )
        return Settlement(self.lane.lane_id, entries, (), claim, self.proof(claim))

    def deliver(self, action):
        return self.transact(1, self.relayer, self.ledgers[1].call_for(self.gateways[1], action))

    def settle(self, action):
        return self.transact(0, self.relayer, self.ledgers[0].call_for(self.gateways[0], action))
