"""Questions to the nodes of a channel: blocks, proposals, transactions to order. It speaks; what it hears is not judged here."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import DecodeError

from adapters.fabric.blocks import PeerBlock, read_peer_block
from adapters.fabric.connections import Connection, TlsFiles
from adapters.fabric.identities import SigningIdentity
from adapters.fabric.interface import explain, refusal_data
from adapters.fabric.options import NetworkFile, NodeEntry, read_bytes
from adapters.fabric.proposals import Proposal, propose, seek_envelope
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import (
    AdapterError,
    BadAnswer,
    CertificateState,
    MemberRefused,
    Misconfigured,
    Rejected,
    Unreachable,
)

ENDORSE = "/protos.Endorser/ProcessProposal"
DELIVER = "/protos.Deliver/Deliver"
BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
SUCCESS, BAD_REQUEST, FORBIDDEN, NOT_FOUND, TOO_LARGE, UNAVAILABLE = 200, 400, 403, 404, 413, 503
"""Statuses (`common.Status`, `shim`)."""

Parsed = TypeVar("Parsed", messages.DeliverResponse, messages.ProposalResponse, messages.BroadcastResponse)

CACHED_BYTES = 32 * 1024 * 1024
CACHED_BLOCKS = 256
GRACE_S = 0.05
"""Seconds that organisations have at least to answer after enough others did."""
OWED = 3
"""An organisation of which so many answers are waited for is asked only where the others do not suffice."""


@dataclass(frozen=True, slots=True)
class Endorsement:
    """What one peer answered to a proposal, and signed.

    Attributes:
        msp_id: of the peer, as the network file says.
        payload: `ProposalResponsePayload`.
        output: the chaincode's answer.
        endorser: `SerializedIdentity`.
        signature: over payload ‖ endorser.
    """

    msp_id: str
    payload: bytes
    output: bytes
    endorser: bytes
    signature: bytes


class Nodes:
    """The peers and orderers of a network file, and the one peer that is read."""

    def __init__(
        self, network: NetworkFile, folder: Path, url: str, client: TlsFiles | None, timeout_s: float, max_bytes: int
    ) -> None:
        """Prepare connections; nothing is asked yet.

        Raises:
            Misconfigured: the endpoint is no peer of the network file.
        """

        def connect(entry: NodeEntry) -> Connection:
            return Connection(entry, folder, client, timeout_s, max_bytes)

        self.channel = network.channel
        self._connect = connect
        self.peers = [connect(entry) for entry in network.peers]
        self.orderers = [connect(entry) for entry in network.orderers]
        own = next((each for each in self.peers if each.label == url), None)
        if own is None:
            raise Misconfigured(f"{url} is no peer of the network file; add it there, with its TLS name and roots.")
        self.own = own
        self._client = client
        self._owed: Counter[str] = Counter()  # by organisation: how many of its answers are waited for
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="fabric")
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, PeerBlock] = OrderedDict()

    def take_up(self, network: NetworkFile) -> None:
        """Prepare connections to the peers and orderers of a network file that are new in it; nothing is asked yet."""
        with self._lock:
            for connections, entries in ((self.peers, network.peers), (self.orderers, network.orderers)):
                known = {each.label for each in connections}
                connections += [self._connect(entry) for entry in entries if entry.url not in known]

    def close(self) -> None:
        """Release connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for connection in (*self.peers, *self.orderers):
            connection.close()

    def blocks(self, identity: SigningIdentity, first: int, last: int) -> list[PeerBlock]:
        """Blocks `first` to `last` of the own peer.

        Raises:
            Rejected: it does not have one of them (`no_state`).
            AdapterError: by kind.
        """
        with self._lock:
            found = {height: self._blocks[height] for height in range(first, last + 1) if height in self._blocks}
        missing = [height for height in range(first, last + 1) if height not in found]
        if missing:
            fetched = self._deliver(identity, missing[0], missing[-1])
            found.update({block.content.height: block for block in fetched})
            self._keep(fetched)
        return [found[height] for height in range(first, last + 1)]

    def _keep(self, blocks: Sequence[PeerBlock]) -> None:
        with self._lock:
            for block in blocks:
                self._blocks[block.content.height] = block
            size = sum(len(block.raw) for block in self._blocks.values())
            while self._blocks and (size > CACHED_BYTES or len(self._blocks) > CACHED_BLOCKS):
                _, dropped = self._blocks.popitem(last=False)
                size -= len(dropped.raw)

    def _deliver(self, identity: SigningIdentity, first: int, last: int) -> list[PeerBlock]:
        own = self.own
        request = seek_envelope(identity, self.channel, first, last, time.time_ns(), self._tls_hash())
        answers = [
            _parsed(messages.DeliverResponse, data, own.label) for data in own.stream(DELIVER, [request], _is_status)
        ]
        status = answers.pop().status if answers and answers[-1].WhichOneof("type") == "status" else 0
        if status == FORBIDDEN:
            raise MemberRefused(
                f"{own.label} does not let {identity.msp_id} read channel {self.channel}; check the reader's certificate "
                "and that the channel knows its organisation.",
                endpoint=own.label,
            )
        if status == NOT_FOUND:
            raise Rejected(
                f"{own.label} does not have block {first + len(answers)}, or not the channel.",
                code="no_state",
                endpoint=own.label,
            )
        if status == UNAVAILABLE:
            raise Unreachable(f"{own.label} delivers no blocks now; it is asked later.", endpoint=own.label)
        if status != SUCCESS or len(answers) != last - first + 1:
            raise BadAnswer(
                f"{own.label} delivered {len(answers)} of {last - first + 1} blocks (status {status}).",
                endpoint=own.label,
            )
        return [read_peer_block(answer.block, first + place) for place, answer in enumerate(answers)]

    def ask(
        self, connection: Connection, identity: SigningIdentity, chaincode: str, arguments: Sequence[bytes]
    ) -> Endorsement:
        """Have one peer run a chaincode, and order nothing."""
        proposal = propose(identity, self.channel, chaincode, arguments, secrets.token_bytes(24), time.time_ns())
        return self.endorse(connection, identity, proposal)

    def endorse(self, connection: Connection, identity: SigningIdentity, proposal: Proposal) -> Endorsement:
        """Ask one peer to endorse.

        Raises:
            Rejected: it refuses; `reverted` with the gateway's own words where the chaincode does.
            AdapterError: by kind.
        """
        label = connection.label
        try:
            data = connection.unary(ENDORSE, proposal.signed(identity))
        except Rejected as refusal:
            raise _refused(str(refusal), label) from refusal
        answer = _parsed(messages.ProposalResponse, data, label)
        if answer.response.status != SUCCESS:
            raise _failed(answer.response, label)
        try:
            payload = messages.ProposalResponsePayload.FromString(answer.payload)
            action = messages.ChaincodeAction.FromString(payload.extension)
        except DecodeError as error:
            raise BadAnswer(f"{label} endorses what is no answer; leave it.", endpoint=label) from error
        if payload.proposal_hash != proposal.hash or not answer.endorsement.signature:
            raise BadAnswer(f"{label} answers another proposal than was asked; leave it.", endpoint=label)
        who = answer.endorsement
        return Endorsement(connection.node.msp_id, answer.payload, action.response.payload, who.endorser, who.signature)

    def endorse_by(
        self, organisations: Sequence[str], identity: SigningIdentity, proposal: Proposal, enough: int
    ) -> list[Endorsement | AdapterError]:
        """Ask a peer of each organisation, at once; where one does not answer, the organisation's next.

        The channel's policy may ask for more than `enough` when organisations joined, so all are waited for; but once so many
        answer alike, the others are given only as long again as those took, so that one slow organisation does not make every
        transaction slow. One that owes answers still is asked where the others do not suffice.
        """
        free = [msp_id for msp_id in organisations if self._owed[msp_id] < OWED]
        answers = self._gather(free, identity, proposal, enough)
        if _alike(answers) < enough:
            late = [msp_id for msp_id in organisations if msp_id not in free]
            answers += self._gather(late, identity, proposal, enough - _alike(answers))
        return answers

    def _gather(
        self, organisations: Sequence[str], identity: SigningIdentity, proposal: Proposal, enough: int
    ) -> list[Endorsement | AdapterError]:
        began = time.monotonic()
        waiting = {self._pool.submit(self._endorse_for, msp_id, identity, proposal) for msp_id in organisations}
        answers: list[Endorsement | AdapterError] = []
        grace_s: float | None = None
        while waiting:
            done, waiting = wait(waiting, grace_s, FIRST_COMPLETED)
            if not done:
                break
            answers += [each.result() for each in done]
            if grace_s is None and _alike(answers) >= enough:
                grace_s = time.monotonic() - began + GRACE_S
        return answers

    def _endorse_for(self, msp_id: str, identity: SigningIdentity, proposal: Proposal) -> Endorsement | AdapterError:
        with self._lock:
            self._owed[msp_id] += 1
        try:
            failure: AdapterError = Misconfigured(f"The network file has no peer of {msp_id}; add one.")
            for connection in [each for each in self.peers if each.node.msp_id == msp_id]:
                try:
                    return self.endorse(connection, identity, proposal)
                except Rejected as refusal:
                    return refusal
                except AdapterError as error:
                    failure = error
            return failure
        finally:
            with self._lock:
                self._owed[msp_id] -= 1

    def order(self, envelopes: Sequence[bytes], *, byzantine: bool) -> list[AdapterError | None]:
        """Give envelopes to orderers: on raft to the first that takes them, on SmartBFT to all, of which f + 1 must take them."""
        if not byzantine:
            return [self._order_raft(envelope) for envelope in envelopes]
        enough = (len(self.orderers) - 1) // 3 + 1
        said = list(self._pool.map(lambda each: self._broadcast(each, envelopes), self.orderers))
        results: list[AdapterError | None] = []
        for place in range(len(envelopes)):
            errors = [answers[place] for answers in said]
            taken = sum(error is None for error in errors)
            results.append(None if taken >= enough else _worst([error for error in errors if error is not None]))
        return results

    def _order_raft(self, envelope: bytes) -> AdapterError | None:
        errors: list[AdapterError] = []
        for orderer in list(self.orderers):
            (error,) = self._broadcast(orderer, [envelope])
            if error is None:
                return None
            errors.append(error)
            with self._lock:
                self.orderers.append(self.orderers.pop(0))
        return _worst(errors)

    def _broadcast(self, orderer: Connection, envelopes: Sequence[bytes]) -> list[AdapterError | None]:
        results: list[AdapterError | None] = []
        for envelope in envelopes:
            try:
                answers = orderer.stream(BROADCAST, [envelope], lambda _: True)
                if not answers:
                    raise Unreachable(f"{orderer.label} ends without an answer.", endpoint=orderer.label)
                answer = _parsed(messages.BroadcastResponse, answers[0], orderer.label)
            except AdapterError as error:
                results.append(error)
                continue
            results.append(_ordering_refusal(answer, orderer.label))
        return results

    def certificates(self) -> list[CertificateState]:
        """The client's TLS certificate, where TLS is mutual."""
        if self._client is None:
            return []
        certificate = _load(self._client.certificate)
        return [CertificateState(self._client.certificate.name, int(certificate.not_valid_after_utc.timestamp()))]

    def _tls_hash(self) -> bytes:
        if self._client is None:
            return b""
        return sha256(_load(self._client.certificate).public_bytes(Encoding.DER)).digest()


def largest_agreement(given: Sequence[Endorsement]) -> list[Endorsement]:
    """The endorsements that are of the same payload, the most of them."""
    if not given:
        return []
    (payload, _), *_ = Counter(each.payload for each in given).most_common(1)
    return [each for each in given if each.payload == payload]


def _alike(answers: Sequence[Endorsement | AdapterError]) -> int:
    """How many organisations answer the same."""
    return len(largest_agreement([answer for answer in answers if isinstance(answer, Endorsement)]))


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_bytes(path, "TLS certificate"))
    except ValueError as error:
        raise MemberRefused(f"{path} is no certificate in PEM; give another.") from error


def _is_status(data: bytes) -> bool:
    """Whether a `DeliverResponse` is the last one: field 1, a number."""
    return data[:1] == b"\x08"


def _parsed(kind: type[Parsed], data: bytes, label: str) -> Parsed:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise BadAnswer(f"{label} answers what is no message of Fabric; leave it.", endpoint=label) from error


def _refused(text: str, label: str) -> AdapterError:
    """What a peer means that does not look into a proposal at all."""
    if "duplicate transaction" in text:
        return Rejected(f"{label} has this transaction already; ask for its receipt.", code="known", endpoint=label)
    if "access denied" in text or "creator" in text:
        return MemberRefused(f"{text}; the member's certificate must be one that the channel accepts.", endpoint=label)
    return Rejected(text, endpoint=label)


def _failed(response: messages.Response, label: str) -> Rejected:
    """What a chaincode, or the peer in its place, refuses."""
    text = " ".join(response.message.split())
    reason = explain(text)
    code = "reverted" if refusal_data(text) is not None else "other"
    return Rejected(f"{label} refuses: {reason}", code=code, reason=reason, endpoint=label)


def _ordering_refusal(answer: messages.BroadcastResponse, label: str) -> AdapterError | None:
    info = " ".join(answer.info.split())[:300]
    if answer.status == SUCCESS:
        return None
    if answer.status == TOO_LARGE:
        return Rejected(f"{label}: {info}", code="too_large", endpoint=label)
    if answer.status in (BAD_REQUEST, FORBIDDEN, NOT_FOUND):
        if "larger than" in info or "too large" in info:
            return Rejected(f"{label}: {info}", code="too_large", endpoint=label)
        return Rejected(f"{label} does not order it ({answer.status}): {info}", endpoint=label)
    return Unreachable(f"{label} orders nothing now ({answer.status}): {info}", endpoint=label)


def _worst(errors: Sequence[AdapterError]) -> AdapterError:
    """What to say where no orderer, or too few, took a transaction: their refusal, where one refused, else that they fail."""
    if not errors:
        return Misconfigured("The network file has no orderer; add one.")
    return next((error for error in errors if isinstance(error, Rejected)), errors[0])
