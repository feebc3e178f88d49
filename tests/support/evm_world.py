"""Two ledgers in one process (pyrevm, Istanbul's rules), each with a gateway and a committee of three, and a lane between them.

`EvmChain` is one ledger: deploy, transact, look. `EvmWorld` opens a lane and takes messages along it: send, deliver, settle,
with claims that the committee's keys sign. Keys are made from labels; nothing here is kept on disk.
"""

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyrevm
import pytest

from adapters.protocol import HeadMoved, MessageDelivered, MessageSent, Position
from adapters.solidity import administration, calldata, events
from adapters.solidity.compiled import types_of
from adapters.solidity.contracts import committee_creation, contract, gateway_creation, organisation_word
from adapters.solidity.refusals import decode_refusal
from light_clients.crypto.secp256k1 import address_of, sign
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Settled
from schemas.primitives import BlockHash, ChainWord, Head
from schemas.suites import EVM, Suite, keccak256

NOWHERE = Position(0, bytes(32), bytes(32), 0)
START = 1_700_000_000
GAS = 100_000_000
_OUTPUT = re.compile(r"output: 0x([0-9a-fA-F]*)")
_ACCOUNT = re.compile(r"(0x[0-9a-f]{40}): Account \{ info: .*?storage: \{(.*?)\}, status: AccountStatus")
_STORED = re.compile(r"(\d+): StorageSlot \{ previous_or_original_value: \d+, present_value: (\d+)")


def key(label):
    """A private key of the tests, made from a label."""
    return keccak256(f"relayhub test key {label}".encode())


def account(label):
    """The address of a key of the tests."""
    return address_of(key(label))


OFFICERS = [account(f"officer {number}") for number in range(3)]
GUARDIAN = account("guardian")
DEPLOYER = account("deployer")
RELAYER = account("relayer")
SENDER = account("sender")
STRANGER = account("stranger")
SIGNERS = [(key(f"signer {number}"), organisation_word(f"organisation {number}")) for number in range(3)]


def checksummed(address):
    return "0x" + address.hex()


class Refused(Exception):
    """A transaction that reverted: the custom error's name and arguments (name empty where there is none), and the raw data."""

    def __init__(self, data, text):
        self.data = data
        self.refusal = decode_refusal(data)
        self.name = self.refusal.name if self.refusal else ""
        self.arguments = self.refusal.arguments if self.refusal else {}
        super().__init__(str(self.refusal) if self.refusal else text)


@contextmanager
def refuses(name, **arguments):
    """What runs inside reverts with this custom error (and these arguments, where given)."""
    with pytest.raises(Refused) as caught:
        yield caught
    assert caught.value.name == name, str(caught.value)
    found = {key: caught.value.arguments[key] for key in arguments}
    assert found == arguments


def refusal_of(action):
    """The name of the custom error that an action ends in: None if it goes through, empty if the gas was too little."""
    try:
        action()
    except Refused as error:
        return error.name
    return None


@dataclass
class Done:
    """A transaction that went through: gas used, output, logs as (address, topics, data)."""

    gas_used: int
    output: bytes
    logs: list

    def events_of(self, gateway):
        """The four events of the protocol that a gateway emitted, decoded."""
        mine = [log for log in self.logs if log[0] == gateway and log[1][0] in events.SIGNATURES]
        return [events.decode_event(topics, data, NOWHERE) for _, topics, data in mine]

    def named(self, contract_name, event):
        """Data of the logs of one event of a contract."""
        item = next(item for item in contract(contract_name).abi if item["type"] == "event" and item["name"] == event)
        topic = keccak256(f"{event}({','.join(types_of(item['inputs']))})".encode())
        return [(topics, data) for _, topics, data in self.logs if topics[0] == topic]


class EvmChain:
    """One ledger in this process."""

    def __init__(self, name, spec_id="Istanbul"):
        self.name = name
        self.word = ChainWord(keccak256(f"chain word {name}".encode()))
        self.evm = pyrevm.EVM(spec_id=spec_id)
        self.now = START

    def stored(self):
        """Every slot that was ever read or written, by (address, slot): its value now."""
        return {
            (address, slot): int(value)
            for address, storage in _ACCOUNT.findall(self.evm.journal_str)
            for slot, value in _STORED.findall(storage)
        }

    @property
    def now(self):
        return self._now

    @now.setter
    def now(self, timestamp):
        self._now = timestamp
        self.evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=timestamp, gas_limit=2**63))

    def deploy(self, creation):
        try:
            address = self.evm.deploy(checksummed(DEPLOYER), creation, gas=GAS)
        except RuntimeError as error:
            raise refused(error) from None
        return bytes.fromhex(address[2:])

    def create(self, name, *arguments):
        """Deploy a contract by its name."""
        return self.deploy(contract(name).creation_code(*arguments))

    def code_hash(self, address):
        return bytes(self.evm.basic(checksummed(address)).code_hash)

    def transact(self, sender, to, data, gas=GAS):
        try:
            output = self.evm.message_call(checksummed(sender), checksummed(to), calldata=data, gas=gas)
        except RuntimeError as error:
            raise refused(error) from None
        result = self.evm.result
        logs = [
            (bytes.fromhex(log.address[2:]), [bytes.fromhex(topic[2:]) for topic in log.topics], bytes(log.data[1]))
            for log in result.logs
        ]
        return Done(result.gas_used, bytes(output), logs)

    def call(self, sender, to, name, function, *arguments):
        """Transact a function of a contract by name."""
        return self.transact(sender, to, contract(name).encode(function, *arguments))

    def view(self, to, name, function, *arguments):
        """Ask a view; one value comes alone, several as a tuple."""
        data = contract(name).encode(function, *arguments)
        try:
            output = self.evm.message_call(
                checksummed(RELAYER), checksummed(to), calldata=data, gas=GAS, is_static=True
            )
        except RuntimeError as error:
            raise refused(error) from None
        values = contract(name).decode(function, bytes(output))
        return values[0] if len(values) == 1 else values

    def slot(self, address, slot):
        return self.evm.storage(checksummed(address), int.from_bytes(slot, "big")).to_bytes(32, "big")

    def propose(self, to, action, officer=OFFICERS[0]):
        """Propose an action; returns the proposal's number."""
        self.transact(officer, to, administration.propose(action))
        return self.view(to, "CommitteeVerifier", "proposals")

    def administer(self, to, action):
        """Propose, approve and execute an action where the delay is zero."""
        number = self.propose(to, action)
        self.transact(OFFICERS[1], to, administration.approve(number))
        return self.transact(OFFICERS[2], to, administration.execute(number, action))


def refused(error):
    text = str(error)
    match = _OUTPUT.search(text)
    return Refused(bytes.fromhex(match.group(1)) if match else b"", text)


@dataclass
class End:
    """One end of a lane: the ledger, its gateway and the committee there."""

    chain: EvmChain
    gateway: bytes
    committee: bytes
    suite: Suite = EVM
    given_names: tuple = ()  # to gateway and committee, where the ledger gives names
    sign: Callable = sign

    @property
    def names(self):
        """What the gateway and the committee are called in lanes and attestations."""
        return self.given_names or (self.gateway, self.committee)

    def place(self, epoch=1):
        return Place(self.chain.word, *self.names, epoch)


def make_gateway(
    chain, delay_s=0, minimum_expiry_s=60, time_divisor=1, officers=OFFICERS, guardian=GUARDIAN, word=None
):
    return chain.deploy(
        gateway_creation(
            chain_word=word or chain.word,
            officers=officers,
            guardian=guardian,
            delay_s=delay_s,
            minimum_expiry_s=minimum_expiry_s,
            time_divisor=time_divisor,
        )
    )


def make_committee(chain, delay_s=0, signers=SIGNERS, threshold=2, development=False, word=None, **choices):
    """`choices`: signatures, keys and libraries of a committee that does not recover its signers."""
    return chain.deploy(
        committee_creation(
            chain_word=word or chain.word,
            officers=OFFICERS,
            guardian=GUARDIAN,
            delay_s=delay_s,
            signers=[(address_of(private), organisation) for private, organisation in signers],
            threshold=threshold,
            development=development,
            **choices,
        )
    )


def make_end(chain, **options):
    return End(chain, make_gateway(chain, **options), make_committee(chain))


def attest(end, claim, epoch=1, signers=(0, 1), keys=SIGNERS, place=None):
    """The committee's proof bytes for a claim at one end, by the signers of these indices."""
    digest = attestation_digest(end.suite, place or end.place(epoch), claim)
    return calldata.committee_proof(epoch, [(index, end.sign(keys[index][0], digest)) for index in signers])


@dataclass
class EvmWorld:
    """A lane from `source` to `destination`, opened at both ends, with SENDER allowed to send and `receiver` to receive."""

    source: End
    destination: End
    lane: Lane
    receiver: bytes
    sent: list[Message] = field(default_factory=list)
    outcomes: list[Settled] = field(default_factory=list)

    @classmethod
    def create(cls, receiver="Mailbox", channel="main", caps=None, same_chain=False, **options):
        """Deploy both ends and open a lane; `receiver` is the name of an application's contract."""
        chain = EvmChain("alpha")
        source = make_end(chain, **options)
        destination = make_end(chain if same_chain else EvmChain("beta"), **options)
        return cls.between(source, destination, receiver, channel, caps)

    @classmethod
    def between(cls, source, destination, receiver="Mailbox", channel="main", caps=None):
        words = source.chain.word, destination.chain.word
        lane = Lane("hub", source.suite, words[0], source.names[0], words[1], destination.names[0], channel)
        takes_gateway = any(item["type"] == "constructor" and item["inputs"] for item in contract(receiver).abi)
        address = destination.chain.create(receiver, *([destination.gateway] if takes_gateway else []))
        world = cls(source, destination, lane, address)
        caps = caps or administration.Caps()
        for number, (end, peer) in enumerate(((source, destination), (destination, source))):
            code_hash = peer.chain.code_hash(peer.gateway)
            end.chain.administer(end.gateway, administration.open_lane(lane, number, end.committee, code_hash, caps))
        world.allow_sender(SENDER)
        world.allow_receiver(address)
        return world

    @property
    def lane_id(self):
        return self.lane.lane_id

    def allow_sender(self, sender, limit=60_000):
        self.source.chain.administer(self.source.gateway, administration.allow_sender(self.lane_id, sender, limit))

    def allow_receiver(self, receiver):
        self.destination.chain.administer(
            self.destination.gateway, administration.allow_receiver(self.lane_id, receiver)
        )

    # A message's way

    def send(self, payload=b"hello", receiver=None, gas_limit=200_000, callback_gas=0, expires_at=0, sender=SENDER):
        data = calldata.encode_send(
            self.lane_id, receiver or self.receiver, payload, gas_limit, callback_gas, expires_at
        )
        done = self.source.chain.transact(sender, self.source.gateway, data)
        self.note_sent(done)
        return done

    def note_sent(self, done):
        """Remember the messages that a transaction sent on this lane."""
        found = [event for event in done.events_of(self.source.gateway) if isinstance(event, MessageSent)]
        self.sent += [event.message for event in found if event.lane_id == self.lane_id]

    def head(self, direction, nonce):
        """The head after `nonce` entries, computed from what this world has seen."""
        if direction == Direction.OUTBOX:
            ids = [message.message_id(self.lane.suite, self.lane_id) for message in self.sent]
        else:
            ids = [entry.outcome_id(self.lane.suite, self.lane_id) for entry in self.outcomes]
        suite = self.lane.suite
        return fold_all(suite, genesis(suite, self.lane_id, direction), ids[:nonce])

    def claim(self, direction, nonce, height=7):
        block_hash = BlockHash(keccak256(f"block {height}".encode()))
        return Claim(self.lane_id, Direction(direction), nonce, Head(self.head(direction, nonce)), height, block_hash)

    def deliver(
        self, first=None, last=None, claim=None, proof=None, suffix_ids=(), messages=None, gas=GAS, sender=RELAYER
    ):
        """Deliver messages `first` to `last` (all that is new, unless told), attested at the last or the claim given."""
        first = first or len(self.outcomes) + 1
        last = last or len(self.sent)
        messages = self.sent[first - 1 : last] if messages is None else messages
        claim = claim or self.claim(0, last + len(suffix_ids))
        proof = attest(self.destination, claim) if proof is None else proof
        data = calldata.encode_deliver(self.lane_id, messages, suffix_ids, claim, proof)
        done = self.destination.chain.transact(sender, self.destination.gateway, data, gas=gas)
        for event in done.events_of(self.destination.gateway):
            if isinstance(event, MessageDelivered) and event.lane_id == self.lane_id:
                message = self.sent[event.nonce - 1].without_payload()
                self.outcomes.append(Settled(message, event.status, event.result))
        return done

    def settle(
        self, first=None, last=None, claim=None, proof=None, suffix_ids=(), settled=None, gas=GAS, sender=RELAYER
    ):
        """Settle outcomes `first` to `last` (all that is new, unless told), attested at the last or the claim given."""
        first = first or self.source_view().settled + 1
        last = last or len(self.outcomes)
        settled = self.outcomes[first - 1 : last] if settled is None else settled
        claim = claim or self.claim(1, last + len(suffix_ids))
        proof = attest(self.source, claim) if proof is None else proof
        data = calldata.encode_settle(self.lane_id, settled, suffix_ids, claim, proof)
        return self.source.chain.transact(sender, self.source.gateway, data, gas=gas)

    def anchor(self, end, direction, head, ids, claim, proof=None):
        proof = attest(end, claim) if proof is None else proof
        data = calldata.encode_anchor(self.lane_id, direction, head, ids, claim, proof)
        return end.chain.transact(RELAYER, end.gateway, data)

    # Looking

    def source_view(self):
        return view_of(self.source, self.lane_id)

    def destination_view(self):
        return view_of(self.destination, self.lane_id)

    def statuses(self):
        return [int(entry.status) for entry in self.outcomes]


@dataclass
class LaneSeen:
    opened: bool
    end: int
    closed: bool
    paused: bool
    abandoned: bool
    verifier: str
    peer_code_hash: bytes
    peer_gateway: bytes
    caps: tuple
    sent: int
    settled: int
    delivered: int
    verifier_changes: int
    generation: bytes


def view_of(end, lane_id):
    return LaneSeen(*end.chain.view(end.gateway, "Gateway", "lane", lane_id))


def heads_moved(done, gateway):
    """(direction, nonce, head) of every HeadMoved of a gateway in a transaction."""
    return [
        (event.direction, event.nonce, event.head) for event in done.events_of(gateway) if isinstance(event, HeadMoved)
    ]
