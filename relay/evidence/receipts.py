"""Receipts: everything about one message that a stranger needs, out of the hub's database, its evidence log and the objects.

The database says which entries a history has; what was believed, and by whom, comes from the log's own leaves and objects.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import cbor2

from relay.errors import BadInput, NotFound, NotNow
from relay.evidence.checkpoints import peek_checkpoint
from relay.evidence.cosigned import read_cosigned
from relay.evidence.leaves import ATTESTED, PROVED, SETTLED, decode
from relay.evidence.log import EvidenceLog
from relay.evidence.objects import Objects
from relay.evidence.validator_changes import changes_until
from relay.home import Home
from relay.store.reader import Reader
from relay.views.trace import bounds, find_messages
from schemas.attestation import Place, attestation_digest
from schemas.claim import Claim, Direction
from schemas.heads import genesis
from schemas.message import Message
from schemas.outcome import Status, outcome_id
from schemas.primitives import (
    BlockHash,
    Bytes32,
    ChainWord,
    Head,
    LaneId,
    MessageId,
)
from schemas.receipt import (
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
from schemas.suites import Suite, suite_named

WORD = 1 << 64


class NotInTheLog(NotNow):
    """The message is settled, and the recorder has not written all of its leaves yet."""


def make_receipt(home: Home, identifier: str, *, partial: bool = False) -> Receipt:
    """The receipt of a message.

    Args:
        home: the hub's folder.
        identifier: a message's id or the hash of a transaction that sent or delivered it; at least 6 digits.
        partial: whether to give what there is of a message that is not settled.

    Raises:
        NotFound: the hub does not know it, or has no evidence log.
        NotNow: it is not settled, or its leaves are not in the log yet; the error says which.
        BadInput: several messages are meant, or the log or an object is damaged.
    """
    low, high = bounds(identifier)
    with Reader(home.database_in(home.settings())) as reader:
        found = find_messages(reader, low, high)
        if not found:
            raise NotFound(
                f"No message or transaction {identifier} is known.",
                "If it was just sent, wait for its block to be final; else check the id.",
            )
        if len(found) > 1:
            ids = ", ".join("0x" + row["message_id"].hex() for row in found[:5])
            raise BadInput(f"The transaction has {len(found)} messages: {ids}.", "Give the id of one of them.")
        made = _Maker(home, reader, found[0]).make(partial=partial)
        cosigned = read_cosigned(home.evidence / "log")
        last = max((leaf.index for leaf in made.leaves().values()), default=-1) if made.complete else -1
        if cosigned is None or not -1 < last < cosigned[1].size:
            return made
        return _Maker(home, reader, found[0], cosigned[0]).make(partial=partial)


@dataclass(frozen=True, slots=True)
class _Found:
    """A leaf with its fields by name."""

    leaf: Leaf
    said: dict[str, Any]


class _Maker:
    """Makes the receipt of one message on one snapshot of the database and one checkpoint."""

    def __init__(self, home: Home, reader: Reader, message: dict[str, Any], note: bytes | None = None) -> None:
        self.home, self.reader = home, reader
        self.message = message
        self.lane_id, self.nonce = LaneId(message["lane_id"]), int(message["nonce"])
        lane = reader.row("SELECT * FROM lanes WHERE lane_id = :lane", lane=bytes(self.lane_id))
        if lane is None:
            raise NotFound(f"The lane 0x{self.lane_id.hex()} is not registered.", "See: relayhub lane list.")
        self.lane = lane
        self.suite: Suite = suite_named(lane["suite"])
        self.log = EvidenceLog.open(home.evidence / "log", write=False)
        self.note = note or self.log.checkpoint()
        self.size = peek_checkpoint(self.note).size
        self.objects = Objects(home.evidence / "objects")

    def make(self, *, partial: bool) -> Receipt:
        """Put it together.

        Raises:
            NotNow: something is missing and a whole receipt is wanted.
        """
        settled = self.lane["settled"] >= self.nonce
        if not settled and not partial:
            raise NotNow(
                f"The message is not settled yet: {self._stage()}.",
                f"See what it waits for (relayhub trace 0x{self.message['message_id'].hex()[:12]}), "
                "or take what there is: --partial.",
            )
        out, outcome = self._way(Direction.OUTBOX), self._outcome()
        back = self._way(Direction.OUTCOMES) if outcome is not None else None
        end = self._first(SETTLED, Direction.OUTCOMES)
        complete = settled and None not in (out, outcome, back, end)
        if not complete and not partial:
            raise self._not_in_the_log(out is None, back is None)
        return Receipt(
            format=RECEIPT_FORMAT,
            complete=complete,
            lane_id=self.lane_id,
            lane=self._words(),
            message_id=MessageId(self.message["message_id"]),
            message=self._message(),
            outcome=outcome,
            out=out,
            back=back,
            settled=end.leaf if end is not None else None,
            checkpoint=self.note.decode(),
        )

    def _stage(self) -> str:
        if self.lane["delivered"] < self.nonce:
            return "its delivery is not proved"
        return "its outcome is delivered, and the source has not taken it over"

    def _not_in_the_log(self, *missing: bool) -> NotNow | NotFound:
        """Either the recorder is about to write it, or the message is older than the log."""
        oldest = self.reader.row("SELECT at FROM evidence_queue ORDER BY id LIMIT 1")
        if oldest is not None or not any(missing):
            behind = f", and the recorder is {time.time() - oldest['at']:.0f} s behind" if oldest else ""
            return NotInTheLog(
                f"The message is settled; its leaves are not in the evidence log yet{behind}.",
                "Try again in a second; if it stays, see: relayhub explain evidence_behind.",
            )
        return NotFound(
            "The evidence log has no leaf for what the hub believed of this message: it is older than the log.",
            "Take what there is: --partial.",
        )

    def _words(self) -> LaneWords:
        ends = {name: self._chain(self.lane[name]) for name in ("source", "destination")}
        return LaneWords(
            hub=self.lane["hub"],
            suite=self.suite.name,
            source=ChainWord(ends["source"]["chain_word"]),
            source_gateway=ends["source"]["gateway"],
            destination=ChainWord(ends["destination"]["chain_word"]),
            destination_gateway=ends["destination"]["gateway"],
            channel=self.lane["channel"],
        )

    def _chain(self, name: str) -> dict[str, Any]:
        row = self.reader.row("SELECT * FROM chains WHERE name = :name", name=name)
        if row is None:
            raise NotFound(f"There is no chain named {name!r}.", "See: relayhub chain list.")
        return row

    def _message(self) -> Message:
        row = self.message
        return Message(
            self.nonce,
            row["sender"],
            row["receiver"],
            _unsigned(row["expires_at"]),
            _unsigned(row["gas_limit"]),
            _unsigned(row["callback_gas"]),
            len(row["payload"]),
            Bytes32(self.suite.hash(row["payload"])),
            row["payload"],
        )

    def _outcome(self) -> OutcomePart | None:
        row = self.reader.row(
            "SELECT * FROM outcomes WHERE lane_id = :lane AND nonce = :nonce",
            lane=bytes(self.lane_id),
            nonce=self.nonce,
        )
        if row is None:
            return None
        status = Status(row["status"])
        made = outcome_id(self.suite, row["message_id"], status, row["result"])
        return OutcomePart(outcome_id=made, status=status, result=row["result"])

    def _way(self, direction: Direction) -> Way | None:
        """Who believed that the history passes through the entry; None where the log does not say it yet."""
        if self._kind(direction) == "light-client":
            proof = self._first(PROVED, direction)
            return None if proof is None else self._way_of(direction, _claim_of(proof.said), proof, None)
        for quorum in self._leaves(ATTESTED, direction, self.nonce):
            claim = _claim_of(quorum.said)
            proof = self._proof_at(direction, claim)
            if proof is not None:
                return self._way_of(direction, claim, proof, quorum)
        return None

    def _kind(self, direction: Direction) -> str:
        end = "source" if direction else "destination"
        row = self.reader.row(
            "SELECT kind FROM verifiers WHERE chain = :chain AND address = :address",
            chain=self.lane[end],
            address=bytes(self.lane[f"{end}_verifier"]),
        )
        return "committee" if row is None else str(row["kind"])

    def _proof_at(self, direction: Direction, claim: Claim) -> _Found | None:
        """The proof at the claim's block."""
        rows = self.reader.rows(
            "SELECT leaf FROM evidence_leaves WHERE subject = :subject AND kind = :kind AND direction = :direction "
            "AND nonce >= :nonce AND height = :height ORDER BY nonce, leaf LIMIT 1",
            subject=bytes(self.lane_id),
            kind=PROVED,
            direction=int(direction),
            nonce=claim.nonce,
            height=claim.height,
        )
        return self._leaf(rows[0]["leaf"]) if rows else None

    def _first(self, kind: str, direction: Direction) -> _Found | None:
        return next(iter(self._leaves(kind, direction, self.nonce)), None)

    def _leaves(self, kind: str, direction: Direction, nonce: int) -> list[_Found]:
        """The first leaves of a kind that reach an entry: of those claims one has its proof in the log as well."""
        rows = self.reader.rows(
            "SELECT leaf FROM evidence_leaves WHERE subject = :subject AND kind = :kind AND direction = :direction "
            "AND nonce >= :nonce ORDER BY nonce, leaf LIMIT 20",
            subject=bytes(self.lane_id),
            kind=kind,
            direction=int(direction),
            nonce=nonce,
        )
        return [self._leaf(row["leaf"]) for row in rows if row["leaf"] < self.size]

    def _leaf(self, index: int) -> _Found:
        entry = self.log.record(index)
        path = tuple(Bytes32(item) for item in self.log.inclusion(index, self.size))
        return _Found(Leaf(index=index, entry=entry, path=path), decode(entry).named())

    def _way_of(self, direction: Direction, claim: Claim, proof: _Found, quorum: _Found | None) -> Way:
        said = proof.said
        return Way(
            before=self._head(direction, self.nonce - 1),
            suffix_ids=self._ids(direction, self.nonce + 1, claim.nonce),
            claim=claim,
            validators=self._changes(direction, claim.height),
            proof=Proof(
                consensus=said["consensus"],
                nonce=said["nonce"],
                head=Head(said["head"]),
                between_ids=self._ids(direction, claim.nonce + 1, said["nonce"]),
                evidence=self.objects.get(said["evidence"]),
                leaf=proof.leaf,
            ),
            quorum=None if quorum is None else self._quorum(claim, quorum),
        )

    def _changes(self, direction: Direction, height: int) -> tuple[bytes, ...]:
        """Headers with which validators of the proving ledger changed, up to the claim's block."""
        ledger = self._chain(self.lane["destination" if direction else "source"])
        return changes_until(self.reader, self.home, bytes(ledger["chain_word"]), height)

    def _quorum(self, claim: Claim, found: _Found) -> Quorum:
        said = found.said
        place = Place(ChainWord(said["chain"]), said["gateway"], said["verifier"], said["epoch"])
        return Quorum(
            chain=place.chain,
            gateway=place.gateway,
            verifier=place.verifier,
            epoch=place.epoch,
            threshold=said["threshold"],
            digest=attestation_digest(self.suite, place, claim),
            signatures=tuple(
                Signature(signer=signer, account=account, scheme=scheme, signature=signature)
                for signer, account, scheme, signature in cbor2.loads(self.objects.get(said["signatures"]))
            ),
            leaf=found.leaf,
        )

    def _head(self, direction: Direction, nonce: int) -> Head:
        if nonce == 0:
            return genesis(self.suite, self.lane_id, direction)
        table = "outcomes" if direction else "messages"
        row = self.reader.row(
            f"SELECT head FROM {table} WHERE lane_id = :lane AND nonce = :nonce",  # noqa: S608 - one of two names
            lane=bytes(self.lane_id),
            nonce=nonce,
        )
        if row is None:
            raise BadInput(f"Entry {nonce} of the lane is missing in the database.", "Run: relayhub rebuild.")
        return Head(row["head"])

    def _ids(self, direction: Direction, first: int, last: int) -> tuple[Bytes32, ...]:
        table = "outcomes" if direction else "messages"
        rows = self.reader.rows(
            f"SELECT * FROM {table} WHERE lane_id = :lane AND nonce >= :first AND nonce <= :last ORDER BY nonce",  # noqa: S608 - one of two names
            lane=bytes(self.lane_id),
            first=first,
            last=last,
        )
        if direction is Direction.OUTBOX:
            return tuple(Bytes32(row["message_id"]) for row in rows)
        return tuple(
            Bytes32(outcome_id(self.suite, row["message_id"], Status(row["status"]), row["result"])) for row in rows
        )


def _claim_of(said: dict[str, Any]) -> Claim:
    return Claim(
        LaneId(said["lane_id"]),
        Direction(said["direction"]),
        said["nonce"],
        Head(said["head"]),
        said["height"],
        BlockHash(said["block_hash"]),
    )


def _unsigned(value: int) -> int:
    return value if value >= 0 else value + WORD
