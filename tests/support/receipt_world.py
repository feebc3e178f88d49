"""Receipts out of nothing but keys with labels: two QBFT ledgers, lanes of every kind, a log; and one defect at a time.

A defect changes one value at the place where it is made, and everything after it is made honestly of the changed one: hashes,
proofs, signatures, leaves, the tree and its checkpoint. So each bad receipt fails the check of its name and no other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import tomli_w

from adapters.memory.headers import Content, make_header
from adapters.memory.trie import Trie
from light_clients import rlp
from light_clients.crypto import sm2
from light_clients.crypto.secp256k1 import address_of, sign
from light_clients.proofs.gateway import SlotEvidence, head_slot
from light_clients.proofs.notes import Checkpoint
from light_clients.proofs.rfc6962 import leaf_hash, subtree_proof, tree_root
from light_clients.qbft.codec import parse_header, with_extra
from relay.evidence.checkpoints import Ed25519Signer, sign_checkpoint
from relay.evidence.leaves import digest_of, encode, signatures_object
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.heads import fold_all, genesis
from schemas.lane import Lane
from schemas.message import Message
from schemas.outcome import Status, outcome_id
from schemas.primitives import BlockHash, Bytes32, ChainId, Digest
from schemas.receipt import (
    ANCHORS_FORMAT,
    RECEIPT_FORMAT,
    LaneWords,
    Leaf,
    OutcomePart,
    Proof,
    Quorum,
    Receipt,
    Signature,
    Way,
)
from schemas.suites import EVM, SM, keccak256

HUB = "存证 hub"
ORIGIN = "relayhub/存证%20hub"
CODE = Bytes32(keccak256(b"relayhub test code of a gateway"))
NONCE, CLAIMED, PROVED = 3, 5, 7
"""The message, the last entry of its claim, the last entry that the proof shows."""
HEIGHTS = {0: 41, 1: 57}
TIME_MS = 1_900_000_000_000
KINDS = {"committee": EVM, "light-client": EVM, "both": EVM, "sm": SM, "former-gateway": EVM}
"""Lanes by their channel, with their suites; `sm` has a committee of SM2, the last one goes through a gateway that was replaced."""
OUT, BACK = 0, 1


def secret(label):
    """A private key made of a label: never a secret."""
    return keccak256(f"relayhub test key of receipts: {label}".encode())


def hexed(data):
    return "0x" + bytes(data).hex()


class LedgerEnd:
    """One ledger: its word, gateways and validators."""

    def __init__(self, name, number):
        self.name = name
        self.chain_id = ChainId.of("eip155", str(number))
        self.first_block = BlockHash(keccak256(f"first block of {name}".encode()))
        self.word = self.chain_id.word(self.first_block)
        self.gateway = keccak256(f"gateway of {name}".encode())[12:]
        self.former_gateway = keccak256(f"former gateway of {name}".encode())[12:]
        self.keys = sorted((secret(f"validator {index} of {name}") for index in range(4)), key=address_of)
        self.validators = [address_of(key) for key in self.keys]
        self.relayer = keccak256(f"relayer on {name}".encode())[12:]
        self.committee = keccak256(f"committee on {name}".encode())[12:]
        self.committee_sm = keccak256(f"SM2 committee on {name}".encode())[12:]


ALPHA, BETA = LedgerEnd("alpha", 9001), LedgerEnd("beta", 9002)
OPERATORS = ("a", "b", "c", "c too")
HOUSES = {"a": "机构 A", "b": "Bank B", "c": "House C", "c too": "House C"}
LOG = Ed25519Signer(ORIGIN, secret("log"))


def is_sm(kind):
    return kind == "sm"


def account_of(name, kind):
    if is_sm(kind):
        return keccak256(sm2.public_key_of(secret(f"SM2 {name}")))[12:]
    return address_of(secret(f"operator {name}"))


def gateway_of(end, kind):
    return BETA.former_gateway if kind == "former-gateway" and end is BETA else end.gateway


def lane_of(kind):
    ends = (ALPHA.word, gateway_of(ALPHA, kind), BETA.word, gateway_of(BETA, kind))
    return Lane(HUB, KINDS[kind], *ends, kind)


class ReceiptWorld:
    """Makes one receipt.

    Args:
        kind: the lane.
        twists: for the name of a value, what makes another one of it.
    """

    def __init__(self, kind="committee", **twists):
        self.kind, self.suite, self.twists = kind, KINDS[kind], twists
        self.lane = lane_of(kind)
        self.entries = [self.entry(number, "registry", ("lane", f"lane {number}", bytes(32))) for number in range(1, 4)]
        self.used = set()

    def twist(self, name, value):
        name = name.replace(".", "_")
        self.used.add(name)
        return self.twists[name](value) if name in self.twists else value

    def entry(self, number, kind, fields):
        return encode(kind, number, TIME_MS + number, fields)

    def add(self, kind, fields):
        """Append an entry; its index."""
        self.entries.append(self.entry(len(self.entries) + 1, kind, fields))
        return len(self.entries) - 1

    def message(self, nonce):
        return Message.create(
            self.suite,
            nonce=nonce,
            sender=b"\x11" * 20,
            receiver=b"\x22" * 20,
            payload=f"付款 {nonce}, and a text that is longer than one word of 32 bytes".encode(),
            gas_limit=300_000,
            expires_at=2_000_000_000 if nonce % 2 else 0,
        )

    def receipt(self):
        """The whole, as an object that JSON takes."""
        lane_id = self.lane.lane_id
        messages = [self.message(nonce) for nonce in range(1, PROVED + 1)]
        ids = [message.message_id(self.suite, lane_id) for message in messages]
        statuses = [Status(1 + nonce % 4) for nonce in range(PROVED)]
        statuses[NONCE - 1] = Status.EXECUTED
        ended = [outcome_id(self.suite, ids[at], statuses[at], b"done") for at in range(PROVED)]
        ways = {OUT: self.way(OUT, ids), BACK: self.way(BACK, ended)}
        fields = (lane_id, self.twist("settled.nonce", CLAIMED), bytes(32), 44, b"\x33" * 32)
        settled = self.add(self.twist("settled.kind", "settled"), self.twist("settled.fields", fields))
        self.add("incident", ("misbehaviour", "ledger gamma", "Two blocks of one height.", bytes(32)))
        checkpoint = self.checkpoint()
        part = OutcomePart(outcome_id=ended[NONCE - 1], status=statuses[NONCE - 1], result=b"done")
        whole = Receipt(
            format=RECEIPT_FORMAT,
            complete=True,
            lane_id=lane_id,
            lane=self.words(),
            message_id=ids[NONCE - 1],
            message=messages[NONCE - 1],
            outcome=part,
            out=self.with_leaves(*ways[OUT]),
            back=self.with_leaves(*ways[BACK]),
            settled=self.leaf(settled),
            checkpoint=checkpoint,
        )
        shown = self.twist("shown", json.loads(whole.model_dump_json()))
        assert set(self.twists) <= self.used, set(self.twists) - self.used
        return shown

    def words(self):
        lane = self.lane
        return LaneWords(
            hub=lane.hub,
            suite=lane.suite.name,
            source=lane.source,
            source_gateway=lane.source_gateway,
            destination=lane.destination,
            destination_gateway=lane.destination_gateway,
            channel=lane.channel,
        )

    def way(self, direction, ids):
        """A way without its leaves, and the indices of them."""
        name = ("out", "back")[direction]
        lane_id, prefix = self.lane.lane_id, self.kind in ("committee", "sm", "former-gateway")
        claimed = CLAIMED if prefix else PROVED
        start = genesis(self.suite, lane_id, direction)
        before = fold_all(self.suite, start, ids[: NONCE - 1])
        head = fold_all(self.suite, start, ids[:claimed])
        proved = self.twist(f"{name}.proved_head", fold_all(self.suite, start, ids[:PROVED]))
        end = BETA if direction else ALPHA
        header, evidence = self.block(name, end, direction, proved)
        claim = Claim(lane_id, Direction(direction), claimed, head, HEIGHTS[direction], BlockHash(header))
        claim = self.twist(f"{name}.claim", claim)
        proof = {
            "consensus": "qbft",
            "nonce": PROVED,
            "head": proved,
            "between_ids": self.twist(f"{name}.between_ids", ids[claimed:PROVED]),
            "evidence": evidence,
        }
        proof = self.twist(f"{name}.proof", proof)
        leaf = {"lane_id": lane_id, "direction": direction, "first": 1, "nonce": proof["nonce"], "head": proof["head"]}
        leaf |= {"height": claim.height, "block_hash": claim.block_hash, "consensus": proof["consensus"]}
        leaf |= {"evidence": digest_of(evidence)}
        indices = [self.add(self.twist(f"{name}.leaf_kind", "proved"), self.twist(f"{name}.leaf", leaf).values())]
        quorum = None
        if self.kind != "light-client" or f"{name}_uninvited" in self.twists:
            self.used.add(f"{name}_uninvited")
            quorum, index = self.quorum(name, direction, claim)
            indices.append(index)
        suffix = self.twist(f"{name}.suffix_ids", ids[NONCE:claimed])
        before = self.twist(f"{name}.before", before)
        changes = self.twist(f"{name}.validators", ())
        return {"before": before, "suffix_ids": suffix, "claim": claim, "validators": changes}, proof, quorum, indices

    def block(self, name, end, direction, head):
        """A sealed header under whose state the gateway holds the head; its hash, and the evidence of it."""
        content = {head_slot(self.lane.lane_id, direction): rlp.encode(bytes(head).lstrip(b"\0"))}
        content |= {keccak256(b"another slot %d" % number): rlp.encode(b"\x07") for number in range(3)}
        storage = Trie(self.twist(f"{name}.storage", content))
        code = self.twist(f"{name}.code", CODE)
        account = rlp.encode([b"\x01", b"", storage.root, bytes(code)])
        others = {keccak256(b"somebody %d" % number)[12:]: rlp.encode([b"", b"", CODE, CODE]) for number in range(4)}
        state = Trie(others | {end.gateway: account})
        transactions = (keccak256(b"a transaction"),)
        block = Content(bytes(32), state.root, transactions, frozenset(), HEIGHTS[direction], 30_000_000, 21_000, 1_900)
        encoded = make_header(block, self.twist(f"{name}.sealers", end.keys)).encoded
        encoded = self.twist(f"{name}.header", encoded)
        slot = head_slot(self.lane.lane_id, direction)
        evidence = SlotEvidence(encoded, state.path(end.gateway), storage.path(slot))
        return parse_header(encoded).block_hash, self.twist(f"{name}.evidence", evidence).to_bytes()

    def quorum(self, name, direction, claim):
        here = ALPHA if direction else BETA
        verifier = here.committee_sm if is_sm(self.kind) else here.committee
        place = Place(here.word, gateway_of(here, self.kind), verifier, 2)
        place = self.twist(f"{name}.place", place)
        digest = self.twist(f"{name}.digest", attestation_digest(self.suite, place, claim))
        signatures = []
        for operator in self.twist(f"{name}.signers", ("a", "c")):
            signer = address_of(secret(f"operator {operator}"))
            signed = self.twist(f"{name}.signed", digest)
            scheme = "sm2" if is_sm(self.kind) else "secp256k1"
            if is_sm(self.kind):
                signature = sm2.sign(secret(f"SM2 {operator}"), bytes(signed))
            else:
                signature = sign(secret(f"operator {operator}"), Digest(signed))
            signatures.append((signer, account_of(operator, self.kind), scheme, signature))
        signatures.sort()
        content = signatures_object(signatures)
        fields = {"lane_id": claim.lane_id, "direction": direction, "nonce": claim.nonce, "head": claim.head}
        fields |= {"height": claim.height, "block_hash": claim.block_hash, "chain": place.chain}
        fields |= {"gateway": place.gateway, "verifier": place.verifier, "epoch": place.epoch, "threshold": 2}
        fields |= {"signatures": digest_of(content)}
        index = self.add("attested", self.twist(f"{name}.quorum_leaf", fields).values())
        names = ("signer", "account", "scheme", "signature")
        made = {"chain": place.chain, "gateway": place.gateway, "verifier": place.verifier, "epoch": place.epoch}
        made |= {"threshold": 2, "digest": digest}
        made |= {"signatures": tuple(Signature(**dict(zip(names, item, strict=True))) for item in signatures)}
        return made, index

    def with_leaves(self, way, proof, quorum, indices):
        signed = None if quorum is None else Quorum(**quorum, leaf=self.leaf(indices[1]))
        return Way(**way, proof=Proof(**proof, leaf=self.leaf(indices[0])), quorum=signed)

    def leaf(self, index):
        hashes = [leaf_hash(entry) for entry in self.entries]
        path = subtree_proof(hashes, index, index + 1)
        return Leaf(index=index, entry=self.entries[index], path=tuple(Bytes32(item) for item in path))

    def checkpoint(self):
        root = self.twist("root", tree_root([leaf_hash(entry) for entry in self.entries]))
        origin = self.twist("origin", ORIGIN)
        signer = self.twist("log_signer", LOG)
        return sign_checkpoint(Checkpoint(origin, len(self.entries), root), [signer], 1_900_000_001).decode()


def change_of_validators(end, height, keep, fresh, sealers=None):
    """Keys of a set that keeps some of a ledger's first validators, and the header of a height that lists it first.

    Args:
        end: the ledger.
        height: of the header.
        keep: how many of the ledger's first validators stay.
        fresh: labels of new ones.
        sealers: how many seal; all of them if none is said.
    """
    keys = [*end.keys[:keep], *(secret(f"validator {label} of {end.name}") for label in fresh)]
    block = Content(bytes(32), keccak256(b"a state"), (), frozenset(), height, 30_000_000, 0, 1_800)
    header = make_header(block, keys).encoded
    return keys, header if sealers is None else with_seals(header, lambda seals: seals[:sealers])


def few_seals(encoded):
    """The same header, and the same hash, with two seals of four validators."""
    return with_seals(encoded, lambda seals: seals[:2])


def with_seals(encoded, change):
    extra = parse_header(encoded).extra
    return with_extra(rlp.decode_list(encoded), replace(extra, seals=tuple(change(extra.seals))))


def anchors():
    """What every receipt here is held against."""
    lanes, committees = [], []
    for kind in KINDS:
        judges = {}
        for name, end in (("out", BETA), ("back", ALPHA)):
            committee = end.committee_sm if is_sm(kind) else end.committee
            judge = kind if kind in ("light-client", "both") else "committee"
            judges[name] = {"kind": judge, "committee": "0x" if judge == "light-client" else hexed(committee)}
        lanes.append({"lane_id": hexed(lane_of(kind).lane_id), **judges})
    for end in (ALPHA, BETA):
        places = [(end.gateway, end.committee, "committee", 1), (end.gateway, end.committee, "committee", 2)]
        places += [(end.gateway, end.committee_sm, "sm", 2), (end.former_gateway, end.committee, "committee", 2)]
        committees += [epoch_of(end, *place) for place in places]
    content = {
        "format": ANCHORS_FORMAT,
        "hub": HUB,
        "log": {"origin": ORIGIN, "keys": [LOG.note_key.text]},
        "chains": [ledger(end) for end in (ALPHA, BETA)],
        "committees": committees,
        "lanes": lanes,
    }
    return (
        "# Anchors of the receipts beside this file; made by python -m tests.vectors.make_receipts\n"
        + tomli_w.dumps(content)
    )


def ledger(end):
    former = [{"from": 0, "members": [hexed(secret("retired validator")[:20])]}]
    return {
        "chain": hexed(end.word),
        "name": end.name,
        "chain_id": str(end.chain_id),
        "first_block": hexed(end.first_block),
        "consensus": "qbft",
        "gateway": hexed(end.gateway),
        "code_hash": hexed(CODE),
        "client_state": "0x",
        "log_account": hexed(end.relayer),
        "pin": {},
        "validators": [*former, {"from": 20, "members": [hexed(item) for item in end.validators]}],
    }


def epoch_of(end, gateway, verifier, kind, epoch):
    """Epoch 1 had two members of one house only; epoch 2 has all, one of them struck."""
    names = OPERATORS if epoch == 2 else OPERATORS[2:]
    return {
        "chain": hexed(end.word),
        "gateway": hexed(gateway),
        "verifier": hexed(verifier),
        "epoch": epoch,
        "threshold": 2,
        "members": [
            {
                "account": hexed(account_of(name, kind)),
                "organisation": HOUSES[name],
                "scheme": "sm2" if is_sm(kind) else "secp256k1",
                "public_key": hexed(sm2.public_key_of(secret(f"SM2 {name}"))) if is_sm(kind) else "0x",
                "struck": name == "b",
            }
            for name in names
        ],
    }


def other_word(word):
    """Another word of the same type."""
    return type(word)(hashlib.sha256(bytes(word)).digest())
