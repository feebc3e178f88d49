"""A beacon chain whose execution blocks have whole headers and a state with notes of an evidence log, and the evidence of them."""

from dataclasses import replace

import rlp as second
from trie import HexaryTrie

from light_clients.proofs.log_notes import NoteEvidence, note_slots
from schemas.primitives import Bytes32
from schemas.suites import keccak256
from tests.support.beacon_chain import CODE_HASH, PIN, BeaconChain

ACCOUNT, STRANGER = b"\x66" * 20, b"\x67" * 20
SIZE, ROOT = 21, Bytes32(b"\x77" * 32)
OTHER_GATEWAY, OTHER_CODE = keccak256(b"another gateway")[:20], keccak256(b"a wallet")
WALLET = keccak256(b"a wallet's address")[:20]


class NotedState:
    """State tries: what two accounts noted at the gateway, and others at a gateway of the same code and at a contract of another."""

    def __init__(self, notes=((ACCOUNT, SIZE, ROOT), (STRANGER, 5, b"\x78" * 32))):
        self.storages = {
            PIN.address: self._storage(notes),
            OTHER_GATEWAY: self._storage([(ACCOUNT, 6, b"\x79" * 32)]),
            WALLET: self._storage([(ACCOUNT, 7, b"\x7a" * 32)]),
        }
        self.accounts = HexaryTrie({})
        for address, storage in self.storages.items():
            code = OTHER_CODE if address == WALLET else CODE_HASH
            self.accounts[keccak256(address)] = second.encode([1, 0, storage.root_hash, code])
        self.state_root = self.accounts.root_hash

    @staticmethod
    def _storage(notes):
        storage = HexaryTrie({})
        storage[keccak256(bytes(32))] = second.encode(7)
        for account, size, root in notes:
            for slot, word in zip(note_slots(account), (size, int.from_bytes(root, "big")), strict=True):
                storage[keccak256(slot)] = second.encode(word)
        return storage

    def word(self, slot, address=PIN.address):
        """What a slot holds, 32 bytes."""
        return second.decode(self.storages[address][keccak256(slot)] or b"\x80").rjust(32, b"\0")

    def account_path(self, address=PIN.address):
        return tuple(second.encode(node) for node in self.accounts.get_proof(keccak256(address)))

    def slot_path(self, slot, address=PIN.address):
        return tuple(second.encode(node) for node in self.storages[address].get_proof(keccak256(slot)))


class NoteChain(BeaconChain):
    """Its execution blocks are hashed as such."""

    def __init__(self, world=None):
        super().__init__(world=world or NotedState())

    def fields(self, slot, salt=0):
        """The fields of an execution header of Deneb, by the names of JSON-RPC, in order."""
        return {
            "parentHash": bytes(32),
            "sha3Uncles": keccak256(b"\xc0"),
            "miner": bytes(20),
            "stateRoot": self.world.state_root,
            "transactionsRoot": bytes(32),
            "receiptsRoot": self.receipts_root,
            "logsBloom": bytes(256),
            "difficulty": 0,
            "number": slot,
            "gasLimit": 30_000_000,
            "gasUsed": 0,
            "timestamp": self.now(slot),
            "extraData": b"%d" % salt,
            "mixHash": bytes(32),
            "nonce": bytes(8),
            "baseFeePerGas": 7,
            "withdrawalsRoot": bytes(32),
            "blobGasUsed": 0,
            "excessBlobGas": 0,
            "parentBeaconBlockRoot": bytes(32),
        }

    def execution_header(self, slot, salt=0):
        return second.encode(list(self.fields(slot, salt).values()))

    def execution(self, slot, salt=0):
        items = list(super().execution(slot, salt))
        items[12] = keccak256(self.execution_header(slot, salt))
        return tuple(items)

    def whole(self, slot=16, account=ACCOUNT, address=PIN.address, **fields):
        """The evidence, before it is written."""
        size, root = (self.world.slot_path(number, address) for number in note_slots(account))
        made = NoteEvidence(self.execution_header(slot), self.world.account_path(address), size, root)
        return replace(made, **fields)

    def note(self, slot=16, account=ACCOUNT, **fields):
        return self.whole(slot, account, **fields).to_bytes()

    def block_json(self, slot):
        """As `eth_getBlockByNumber` answers it."""
        said = {
            name: hex(value) if isinstance(value, int) else "0x" + value.hex()
            for name, value in self.fields(slot).items()
        }
        return said | {"hash": "0x" + keccak256(self.execution_header(slot)).hex()}

    def proof_json(self, slots):
        """As `eth_getProof` answers it."""
        return {
            "accountProof": ["0x" + node.hex() for node in self.world.account_path()],
            "storageProof": [
                {"key": "0x" + slot.hex(), "proof": ["0x" + node.hex() for node in self.world.slot_path(slot)]}
                for slot in slots
            ],
        }
