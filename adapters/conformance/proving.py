"""Checks of the Prover, and of headers and proofs together before a judge that the caller brings."""

from __future__ import annotations

from typing import Protocol

from adapters.conformance.findings import Broken, NotHere, require
from adapters.conformance.reading import UNKNOWN_LANE
from adapters.conformance.steps import World
from adapters.protocol import Installed, LedgerIdentity, MessageSent
from schemas.claim import Claim
from schemas.evidence import FamilyEvidence, HeadEvidence, StateEvidence
from schemas.primitives import Head, LaneId

HEADERS_A_TIME = 500


class Followed(Protocol):
    """A ledger whose headers were believed up to a height."""

    @property
    def height(self) -> int:
        """Height of the newest block that was believed."""

    def claim(self, lane_id: LaneId, direction: int, nonce: int, head: Head, height: int) -> Claim:
        """A claim about a head at a height that was believed.

        Raises:
            Refused: nothing was believed at that height.
        """

    def judge(self, claim: Claim, evidence: HeadEvidence, gateway: bytes, installed: Installed) -> None:
        """Judge a claim.

        Raises:
            Refused: it is not believed.
        """


class Refused(Exception):
    """The judge does not believe it; the text says why."""


class Judge(Protocol):
    """A light client, as whoever certifies brings it: adapters do not know what may be believed."""

    def follow(
        self, consensus: str, identity: LedgerIdentity, headers: list[bytes], world: World, end: int
    ) -> Followed:
        """Believe headers from the first on.

        Args:
            consensus: the light client's name.
            identity: what the ledger says it is.
            headers: of every height from the first to the newest, in order.
            world: whose options are used.
            end: which ledger.

        Raises:
            Refused: a header is not believed.
        """


def evidence_answers_each_question(world: World) -> None:
    """Evidence comes for each question, in order, at the header that was asked for."""
    ledger, gateway, lane_id = world.ledgers[0], world.gateways[0], world.lane.lane_id
    height = proved_height(world)
    asked = [(lane_id, 0), (UNKNOWN_LANE, 0), (lane_id, 1)]
    found = ledger.evidence(gateway, asked, height)
    require(len(found) == len(asked), f"{len(found)} proofs came to {len(asked)} questions")
    first = found[0]
    if first is None:
        raise Broken("no evidence came of a head that moved in this very block")
    require(first.height == height, f"evidence at block {height} was asked for, and came at {first.height}")
    header = ledger.headers(height, height)[0]
    require(first.header == header, "the header of the evidence is not the one that `headers` gives")
    for question, item in zip(asked, found, strict=True):
        (alone,) = ledger.evidence(gateway, [question], height)
        require(item == alone, "evidence comes otherwise alone than among others")
    if world.proofs == "event":
        require(isinstance(first, FamilyEvidence), "evidence of this consensus is FamilyEvidence")
        require(found[1] is None, "evidence came of a lane that is not there")
    else:
        require(None not in found, "no evidence came of a slot, and the state of every block shows every slot")


def proved_height(world: World) -> int:
    """The height at which the outbox head can be proved."""
    if world.proofs == "event":
        return world.events(0, MessageSent)[-1].position.height
    return world.ledgers[0].tip()


def headers_are_believed(world: World, judge: Judge | None) -> Followed:
    """Headers from the first on are believed by the consensus' light client."""
    ledger = world.ledgers[0]
    if not world.consensus or judge is None:
        raise NotHere("the world names no light client")
    tip = ledger.tip()
    headers = []
    for first in range(world.first_height, tip + 1, HEADERS_A_TIME):
        headers += ledger.headers(first, min(tip, first + HEADERS_A_TIME - 1))
    try:
        return judge.follow(world.consensus, ledger.identity(), headers, world, 0)
    except Refused as error:
        raise Broken(f"the light client {world.consensus} does not believe the headers: {error}") from error


def outbox_claim(world: World, followed: Followed) -> Claim:
    """The claim of the newest outbox head that the followed headers can prove."""
    sent = world.events(0, MessageSent)
    known = [event for event in sent if event.position.height <= followed.height]
    require(known, "no message is in the blocks that were believed")
    last = known[-1]
    height = last.position.height if world.proofs == "event" else followed.height
    return followed.claim(world.lane.lane_id, 0, last.message.nonce, last.head, height)


def proofs_are_believed(world: World, followed: Followed) -> None:
    """The light client believes what the evidence says of the lane's head."""
    claim = outbox_claim(world, followed)
    gateway = world.gateways[0]
    found = world.ledgers[0].evidence(gateway, [(world.lane.lane_id, 0)], claim.height)[0]
    if found is None:
        raise Broken(f"no evidence came of the lane's head at block {claim.height}")
    try:
        followed.judge(claim, found, gateway, world.ledgers[0].installed(gateway))
    except Refused as error:
        raise Broken(f"the light client does not believe the evidence of the lane's head: {error}") from error


def spoilt(evidence: HeadEvidence) -> HeadEvidence:
    """The same evidence with its last byte changed."""
    if isinstance(evidence, StateEvidence):
        *nodes, last = evidence.storage_proof
        return StateEvidence(
            evidence.height, evidence.header, evidence.account_proof, (*nodes, last[:-1] + bytes([last[-1] ^ 1]))
        )
    return FamilyEvidence(evidence.height, evidence.header, evidence.proof[:-1] + bytes([evidence.proof[-1] ^ 1]))
