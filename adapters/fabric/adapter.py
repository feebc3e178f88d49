"""The four faces of a ledger on a channel of Hyperledger Fabric. It reads one peer; the guard chooses among several.

Transactions are endorsed by a peer of each organisation and given to the orderers of the network file. What peers say is not
judged: blocks and attested reads leave as they came.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.message import DecodeError

from adapters.fabric.blocks import PeerBlock, gateway_events, gateway_tickets
from adapters.fabric.connections import TlsFiles
from adapters.fabric.definitions import chain_height, find_definition, pinned_hash
from adapters.fabric.development import certify, software_of
from adapters.fabric.endorsing import Channel, endorse
from adapters.fabric.evidence import AttestedReader
from adapters.fabric.identities import SigningIdentity
from adapters.fabric.interface import KIND, LANE, PAUSED, read_kind, read_lane_ends
from adapters.fabric.members import Members
from adapters.fabric.options import FabricOptions, file_mark, organisations_of, read_network
from adapters.fabric.peers import Nodes
from adapters.fabric.proposals import propose
from adapters.fabric.receipts import GAS, fetch_receipts
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.protocol import (
    Action,
    AdapterOptions,
    BadAnswer,
    Call,
    CertificateState,
    GatewayEvent,
    Installed,
    LaneEnds,
    LedgerIdentity,
    MachineTraits,
    Misconfigured,
    Receipt,
    Rejected,
    Signed,
    VerifierParts,
    Wallet,
)
from adapters.ranges import in_ranges
from adapters.solidity.calldata import encode_action
from schemas.evidence import FamilyEvidence, StateEvidence
from schemas.primitives import BlockHash, ChainId, LaneId, hex0x

MAX_HEADERS = 1_000
BLOCKS_AT_ONCE = 100
FUNDS = 1 << 120
"""A balance that is plenty: nothing costs anything here."""

SENDERS: dict[bytes, bytes] = {}
"""Keys by account, of those that this process sends with: a peer runs a call only for who signs it, also where nothing is ordered.

Of the process, not of one ledger: the guard has a ledger for each endpoint and asks several of them.
"""


class FabricLedger:
    """An opened channel, read at one peer. Safe to share between threads."""

    def __init__(self, options: AdapterOptions) -> None:
        """Prepare to speak to the first endpoint of `options`; nothing is asked yet.

        Raises:
            Misconfigured: there is no endpoint, or an option, a path or the network file cannot be.
        """
        if not options.endpoints:
            raise Misconfigured("A channel needs an endpoint; give the URL of a peer.")
        self.options = FabricOptions.read(options.extra)
        path = Path(self.options.network)
        self._read_at = file_mark(path)
        network = read_network(path)
        said = self.options
        if bool(said.tls_certificate) != bool(said.tls_key):
            raise Misconfigured("tls_certificate and tls_key come together; give both or none.")
        client = TlsFiles(Path(said.tls_certificate), Path(said.tls_key)) if said.tls_certificate else None
        url = options.endpoints[0].url
        self._nodes = Nodes(network, path.parent, url, client, options.timeout_s, options.max_answer_bytes)
        certificates = Path(said.certificates) if said.certificates else None
        self._members = Members(network, path.parent, Path(said.reader), certificates)
        organisations = organisations_of(network)
        attesters = tuple(name.strip() for name in said.attesters.split(",") if name.strip()) or organisations
        for name in attesters:
            if name not in organisations:
                raise Misconfigured(f"Option attesters names {name!r}, which has no peer in the network file; add one.")
        threshold = said.threshold or len(attesters) // 2 + 1
        endorsers = said.endorsers or len(organisations) // 2 + 1
        if threshold > len(attesters) or endorsers > len(organisations):
            raise Misconfigured(
                "More organisations are asked for than have peers in the network file; lower the number."
            )
        self._attested = AttestedReader(self._nodes, attesters, threshold)
        self._channel = Channel(self._nodes, organisations, endorsers)
        self._first_block = options.expected_first_block

    def _take_up_network(self) -> None:
        """Ask organisations that joined the channel to endorse too, and new orderers, once the network file names their nodes."""
        path = Path(self.options.network)
        mark = file_mark(path)
        if mark == self._read_at:
            return
        try:
            network = read_network(path)
        except Misconfigured:
            return  # it is being written; what was read before goes on
        self._nodes.take_up(network)
        organisations = organisations_of(network)
        self._channel.take_up(organisations, self.options.endorsers or len(organisations) // 2 + 1)
        self._read_at = mark

    @property
    def endpoint(self) -> str:
        """The peer that is read."""
        return self._nodes.own.label

    def leave_endpoint(self, reason: str) -> bool:
        """There is no other endpoint here; the guard has them."""
        del reason
        return False

    def close(self) -> None:
        """Release connections."""
        self._nodes.close()

    def identity(self) -> LedgerIdentity:
        """Read the first block, and ask whether the node is the simulator.

        Raises:
            Misconfigured: the peer has no first block and none was stated, or it is of another channel.
        """
        try:
            (block,) = self._nodes.blocks(self._reader(), 0, 0)
            first = bytes(block.content.block_hash)
            channel = _channel_of(block.content.envelopes)
            if channel != self._nodes.channel:
                raise Misconfigured(f"{self.endpoint} serves channel {channel!r}, not {self._nodes.channel!r}.")
        except Rejected as refusal:
            if not self._first_block:
                raise Misconfigured(
                    f"{self.endpoint} does not serve the first block; state its hash.", endpoint=self.endpoint
                ) from refusal
            first = self._first_block
        software = software_of(self._nodes.own)
        name = software or "Hyperledger Fabric"
        chain_id = ChainId.of("fabric", self._nodes.channel)
        return LedgerIdentity(chain_id, BlockHash(first), name, development=bool(software))

    def tip(self) -> int:
        """Number of the newest block of the peer."""
        return chain_height(self._nodes, self._reader()) - 1

    def headers(self, first: int, last: int) -> list[bytes]:
        """Blocks `first` to `last` inclusive, whole, as the peer has them; at most 1,000."""
        if last - first >= MAX_HEADERS:
            raise Misconfigured(f"{last - first + 1} blocks were asked for; ask for at most {MAX_HEADERS} at once.")
        return [block.raw for block in self._blocks(first, last)]

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of the valid transactions of blocks `first` to `last` inclusive, in order."""
        chaincode = _name(gateway)
        return [event for block in self._blocks(first, last) for event in gateway_events(block, chaincode)]

    def tickets(self, first: int, last: int, gateway: bytes) -> list[tuple[LaneId, bytes]]:
        """The (lane, ticket) pairs of messages that were sent in blocks `first` to `last` inclusive; see `sealing`."""
        chaincode = _name(gateway)
        return [item for block in self._blocks(first, last) for item in gateway_tickets(block, chaincode)]

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that the gateway keeps of a lane, at the peer's newest block.

        Raises:
            Rejected: there is no such chaincode, or it never opened the lane.
        """
        ends = read_lane_ends(self._view(gateway, LANE + lane_id), self._view(gateway, PAUSED))
        if ends is None:
            raise Rejected(
                f"The gateway {_name(gateway)} never opened lane {lane_id.hex0x()}; open it first.",
                reason="UnknownLane",
                endpoint=self.endpoint,
            )
        return ends

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is: the gateway's own chaincode, whose committee is inside it.

        Raises:
            Rejected: it says no kind: it is no verifier.
        """
        kind = read_kind(self._view(verifier, KIND))
        if kind != "committee":
            raise Rejected(f"{_name(verifier)!r} is no verifier; check the name.", endpoint=self.endpoint)
        return VerifierParts(kind, verifier, b"")

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[StateEvidence | FamilyEvidence | None]:
        """The evidence of each head that was last moved in the block at `height`, as peers attest it."""
        reader, chaincode = self._reader(), _name(gateway)
        return [
            self._attested.evidence(reader, chaincode, lane, int(direction), height) for lane, direction in lane_ids
        ]

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """The newest note of an account, where it was written in the block at `height`, as peers attest it.

        Raises:
            Rejected: it was not written there, or there is none.
        """
        return self._attested.note(self._reader(), _name(gateway), account, height)

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring; there is no gas here."""
        return Call(gateway, encode_action(action), GAS)

    def wallet(self, address: bytes) -> Wallet:
        """An account costs nothing and has no nonce."""
        return Wallet(address, 0, 0, FUNDS, 0)

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Have a call endorsed by a peer of each organisation, and sign the transaction.

        Raises:
            Misconfigured: the key has no certificate that holds in the channel now.
            Rejected: endorsers refuse, or enough of them do not agree.
        """
        if not 0 <= nonce < 1 << 256:
            raise Misconfigured("A nonce is a number of at most 256 bits; give another.")
        identity = self._sender(private_key)
        self._take_up_network()
        self._channel.check_member(self._reader(), identity)
        unique = hashlib.sha256(b"".join((identity.account, nonce.to_bytes(32, "big"), call.target, b"\0", call.data)))
        proposal = propose(
            identity,
            self._nodes.channel,
            _name(call.target),
            [b"call", call.data],
            unique.digest()[:24],
            time.time_ns(),
        )
        return Signed(proposal.transaction, endorse(self._channel, identity, proposal), 0)

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Give transactions to the orderers in order; None = taken, else why it was rejected.

        Raises:
            AdapterError: too few orderers take transactions now.
        """
        reader = self._reader()
        results: list[Rejected | None] = []
        for error in self._nodes.order(transactions, byzantine=self._channel.is_byzantine(reader)):
            if error is not None and not isinstance(error, Rejected):
                raise error
            results.append(error)
        return results

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask the peer for the blocks of transactions; None = in no block that it has."""
        reader = self._reader()
        return fetch_receipts(self._nodes, reader, transactions)

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Have the peer run a call and order nothing; returns its output.

        The call is made by `sender` where its key was given to `account` or `sign`, else by the member that reads.

        Raises:
            Rejected: the gateway refuses; `reason` says why in its words.
        """
        key = SENDERS.get(sender)
        identity = self._reader() if key is None else self._members.who_sends(key)
        arguments = [b"call", call.data]
        return self._nodes.ask(self._nodes.own, identity, _name(call.target), arguments).output

    def machine(self) -> MachineTraits:
        """What the chaincode is: signatures and hashes are its own, accounts are bytes, programs have names."""
        return MachineTraits(
            signatures="chaincode",
            suite="any",
            hashing="chaincode",
            named=True,
            accounts="bytes",
            ordered=False,
            optimistic=True,
            tickets=True,
        )

    def account(self, private_key: bytes) -> bytes:
        """The account of a key's member, 33 bytes.

        Raises:
            Misconfigured: no certificate is of this key, or the one that is does not hold.
        """
        return self._sender(private_key).account

    def called_by(self, program: bytes) -> bytes:
        """A chaincode is called by its name."""
        return program

    def new_name(self, program: str) -> bytes:
        """The organisations choose the name when they commit the chaincode."""
        del program
        return b""

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """Not on Fabric.

        Raises:
            Misconfigured: always; the text says how a chaincode comes to a channel.
        """
        del name, creation
        raise Misconfigured(
            "On Fabric the organisations install, approve and commit the gateway's chaincode themselves "
            "(adapters/fabric/chaincode/README.md); give its name as the gateway."
        )

    def installed(self, address: bytes) -> Installed:
        """The committed definition of a chaincode, and what a light client pins of it.

        The organisations that attest are pinned: those of which a peer is written down later are not asked.

        Raises:
            Rejected: no such chaincode is committed.
        """
        chaincode = _name(address)
        found = find_definition(self._nodes, self._reader(), chaincode)
        pin = {
            "chaincode": chaincode,
            "version": found.version,
            "definition_height": found.place[0],
            "definition_transaction": found.place[1],
            "endorsement_policy": hex0x(found.policy),
            "organisations": list(self._attested.organisations),
            "threshold": self._attested.threshold,
        }
        attesting = {"attesters": ",".join(self._attested.organisations), "threshold": str(self._attested.threshold)}
        return Installed(b"", pinned_hash(chaincode, found.version, found.place), pin, attesting)

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """On the simulator: have certificates made for these keys; False on a real network.

        Raises:
            Misconfigured: there is no folder for them.
        """
        if not software_of(self._nodes.own):
            return False
        if not self.options.certificates:
            raise Misconfigured("Option certificates is not set; name a folder for the certificates.")
        certify(self._nodes.own, private_keys, Path(self.options.certificates))
        return True

    def certificates(self) -> list[CertificateState]:
        """The certificates of the member that reads, of those that send and, where TLS is mutual, of the connections."""
        return self._members.listed() + self._nodes.certificates()

    def _blocks(self, first: int, last: int) -> Iterator[PeerBlock]:
        reader = self._reader()
        yield from in_ranges(first, last, BLOCKS_AT_ONCE, lambda start, end: self._nodes.blocks(reader, start, end))

    def _reader(self) -> SigningIdentity:
        return self._members.who_reads()

    def _sender(self, private_key: bytes) -> SigningIdentity:
        identity = self._members.who_sends(private_key)
        SENDERS[identity.account] = private_key
        return identity

    def _view(self, chaincode: bytes, data: bytes) -> bytes:
        return self._nodes.ask(self._nodes.own, self._reader(), _name(chaincode), [b"call", data]).output


def _name(gateway: bytes) -> str:
    try:
        return gateway.decode()
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{hex0x(gateway)} is no name of a chaincode; give the chaincode's name.") from error


def _channel_of(envelopes: Sequence[bytes]) -> str:
    try:
        payload = messages.Payload.FromString(messages.Envelope.FromString(envelopes[0]).payload)
        return messages.ChannelHeader.FromString(payload.header.channel_header).channel_id
    except (DecodeError, IndexError) as error:
        raise BadAnswer("The first block brings no channel; leave the peer.") from error
