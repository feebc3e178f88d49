"""The four faces of a ChainMaker chain over gRPC. It speaks to one endpoint; the guard chooses among several.

Nothing is judged: blocks leave in the form of the light client. Before anything is sent, certificates and keys are held against
the clock and against each other (`credentials`, `tls`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adapters.chainmaker.blocks import events_of, evidence_at, note_at, parse
from adapters.chainmaker.channel import SERVICE, NodeChannel
from adapters.chainmaker.deployments import (
    CONTRACT_MANAGE,
    GET_CONTRACT_INFO,
    INIT_CONTRACT,
    ContractInfo,
    deployment_parameters,
    installed_of,
    read_contract_info,
)
from adapters.chainmaker.development import DEVELOPMENT, certify
from adapters.chainmaker.keys import keys_of
from adapters.chainmaker.members import Members
from adapters.chainmaker.names import (
    called_name,
    chain_name,
    contract_address,
    is_contract_name,
    new_contract_name,
)
from adapters.chainmaker.options import ChainMakerOptions
from adapters.chainmaker.questions import CHAIN_QUERY, STREAMED_BLOCKS, Question, Questions, contract_call
from adapters.chainmaker.refusals import SUCCESS, known_already, refusal
from adapters.chainmaker.requests import Parameters, transaction, transaction_bytes
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.ethereum.views import PAUSED, VERIFIER_CALLS, lane_call, read_lane_ends, read_verifier_parts
from adapters.protocol import (
    Action,
    AdapterError,
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
from schemas.primitives import BlockHash, LaneId

MAX_HEADERS = 1_000
PLENTY = 1 << 120
"""What a wallet shows on a chain without coins."""
GAS = 10_000_000_000
"""The machine's own limit; there is no price."""


class ChainMakerLedger:
    """An opened ledger at one endpoint. Safe to share between threads."""

    def __init__(self, options: AdapterOptions) -> None:
        """Prepare to speak to the first endpoint of `options`; nothing is asked yet.

        Raises:
            Misconfigured: there is no endpoint, or an option or the URL cannot be.
        """
        if not options.endpoints:
            raise Misconfigured("A ledger needs an endpoint; give its URL.")
        self.options = ChainMakerOptions.read(options.extra)
        self.members = Members(self.options)
        self.channel = NodeChannel(
            options.endpoints[0].url,
            self.options,
            timeout_s=options.timeout_s,
            max_answer_bytes=options.max_answer_bytes,
        )
        self.questions = Questions(self.channel, self.members, self.options.chain)

    @property
    def endpoint(self) -> str:
        """The endpoint without credentials."""
        return self.channel.label

    def leave_endpoint(self, reason: str) -> bool:
        """There is no other endpoint here; the guard has them."""
        del reason
        return False

    def close(self) -> None:
        """Release the connection."""
        self.channel.close()

    # Reader

    def identity(self) -> LedgerIdentity:
        """Ask for the node's software, the chain's configuration and its first block.

        Raises:
            Misconfigured: the node serves another chain, or a certificate cannot be used.
        """
        self.questions.configuration()
        (first,) = self.questions.blocks(0, 0, whole=False)
        if first.header.chain_id != self.options.chain:
            raise BadAnswer(f"the first block of {self.endpoint} is another chain's; leave it.", endpoint=self.endpoint)
        software = self.questions.software()
        return LedgerIdentity(
            chain_name(self.options.chain),
            BlockHash(first.header.block_hash),
            software,
            development=DEVELOPMENT in software.lower(),
        )

    def tip(self) -> int:
        """Height of the newest block that the endpoint serves."""
        return self.questions.newest_block().header.height

    def headers(self, first: int, last: int) -> list[bytes]:
        """Header bundles of heights `first` to `last` inclusive: header, votes, and what a configuration block changes.

        Raises:
            Rejected: the node does not have one of them (`no_state`).
        """
        if last - first >= MAX_HEADERS:
            raise Misconfigured(f"{last - first + 1} headers were asked for; ask for at most {MAX_HEADERS} at once.")
        return [block.bundle for block in self.questions.blocks(first, last, whole=False)]

    def events(self, first: int, last: int, gateway: bytes) -> list[GatewayEvent]:
        """The gateway's events of blocks `first` to `last` inclusive, in ledger order, from the whole blocks."""
        blocks = in_ranges(
            first, last, STREAMED_BLOCKS, lambda start, end: self.questions.blocks(start, end, whole=True)
        )
        name = gateway.decode("ascii", "replace")
        return [event for block in blocks for event in events_of(block, name)]

    def lane_ends(self, gateway: bytes, lane_id: LaneId) -> LaneEnds:
        """The counters that the gateway keeps of a lane, at the newest block.

        Raises:
            Rejected: there is no gateway of that name, or it never opened the lane.
        """
        lane, paused = self._call_all([contract_call(gateway, call) for call in (lane_call(lane_id), PAUSED)])
        ends = read_lane_ends(lane, paused)
        if ends is None:
            raise Rejected(
                f"The gateway {called_name(gateway)} never opened lane {lane_id.hex0x()}; open it first.",
                reason="UnknownLane",
                endpoint=self.endpoint,
            )
        return ends

    def verifier_parts(self, verifier: bytes) -> VerifierParts:
        """Ask a verifier what it is.

        Raises:
            Rejected: the contract says no kind: it is no verifier.
        """
        answers = self.questions.ask_all([contract_call(verifier, call) for call in VERIFIER_CALLS])
        said = [b"" if isinstance(answer, Rejected) else answer for answer in answers]
        for answer in said:
            if isinstance(answer, AdapterError):
                raise answer
        parts = read_verifier_parts(verifier, *(answer for answer in said if isinstance(answer, bytes)))
        if parts is None:
            raise Rejected(
                f"The contract {called_name(verifier)} is no verifier; check its name.", endpoint=self.endpoint
            )
        committee, light_client = (
            self._name_of(part) if part else b"" for part in (parts.committee, parts.light_client)
        )
        return replace(parts, committee=committee, light_client=light_client)

    # Prover

    def evidence(
        self, gateway: bytes, lane_ids: Sequence[tuple[LaneId, int]], height: int
    ) -> list[StateEvidence | FamilyEvidence | None]:
        """For each head the last transaction of the block at `height` that moved it; None where none did."""
        if not lane_ids:
            return []
        (block,) = self.questions.blocks(height, height, whole=True)
        name = gateway.decode("ascii", "replace")
        by_write_set = self.options.evidence == "write-set"
        return evidence_at(block, name, lane_ids, self.questions.hash_name(), by_write_set=by_write_set)

    def log_note(self, gateway: bytes, account: bytes, height: int) -> bytes:
        """The last transaction of the block at `height` in which an account noted its evidence log, with the block's votes.

        Raises:
            Rejected: it noted nothing there, or the node does not have the block (`no_state`).
        """
        (block,) = self.questions.blocks(height, height, whole=True)
        name, by_write_set = gateway.decode("ascii", "replace"), self.options.evidence == "write-set"
        note = note_at(block, name, account, self.questions.hash_name(), by_write_set=by_write_set)
        if note is None:
            raise Rejected(f"Block {height} of {self.endpoint} has no note of that account.", endpoint=self.endpoint)
        return note

    # Writer

    def call_for(self, gateway: bytes, action: Action) -> Call:
        """Encode a delivery, a settlement or an anchoring."""
        return Call(gateway, encode_action(action), GAS)

    def wallet(self, address: bytes) -> Wallet:
        """An account without nonces on a chain without coins; nothing is asked."""
        return Wallet(address, nonce=0, pending_nonce=0, balance=PLENTY, fee=0)

    def sign(self, private_key: bytes, nonce: int, call: Call, fee: int) -> Signed:
        """Sign a transaction with the certificate that belongs to the key; deployments are endorsed besides.

        Raises:
            Misconfigured: no valid certificate belongs to the key, or a deployment has no endorsers.
        """
        member = self.members.of_key(private_key)
        unique = f"{nonce} {fee} {call.gas}".encode()
        if call.creates or not call.target:
            contract, method = CONTRACT_MANAGE, INIT_CONTRACT
            parameters: Parameters = deployment_parameters(call.target, call.data, self.options.contract_version)
            endorsers = self.members.endorsers()
        else:
            contract, method, parameters, _ = contract_call(call.target, call.data)
            endorsers = []
        request = transaction(
            self.options.chain,
            member,
            contract,
            method,
            parameters,
            unique=unique,
            now=int(time.time()),
            expiration_s=self.options.expiration_s,
            gas_limit=self.options.gas_limit,
            endorsers=endorsers,
        )
        return Signed(transaction_bytes(request.payload.tx_id), request.SerializeToString(), fee)

    def broadcast(self, transactions: Sequence[bytes]) -> list[Rejected | None]:
        """Send raw transactions in order; None = taken (or known already), else why it was rejected.

        Raises:
            Misconfigured: the chain does not take a certificate with which one was signed.
        """
        return [self._send(raw) for raw in transactions]

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Ask what became of transactions; None = in no block as far as the endpoint knows."""
        questions = [Question(CHAIN_QUERY, "GET_TX_BY_TX_ID", {"txId": asked.hex().encode()}) for asked in transactions]
        receipts: list[Receipt | None] = []
        for asked, answer in zip(transactions, self.questions.ask_all(questions), strict=True):
            if isinstance(answer, Rejected) and answer.code == "reverted":
                receipts.append(None)
            elif isinstance(answer, AdapterError):
                raise answer
            else:
                receipts.append(self._receipt(asked, answer))
        return receipts

    def simulate(self, sender: bytes, call: Call) -> bytes:
        """Run a call against the newest state; returns its output.

        It runs as the sender where its key was given to this process, else as the member who asks.

        Raises:
            Rejected: it would fail; the reason is the chain's text, which names no error of the contract.
        """
        if call.creates or not call.target:
            raise Rejected("A deployment cannot be tried on ChainMaker; send it.", endpoint=self.endpoint)
        (output,) = self._call_all([contract_call(call.target, call.data, self.members.of_account(sender))])
        return output

    # Host

    def machine(self) -> MachineTraits:
        """ChainMaker's EVM: its hash is keccak on every chain, its time in seconds; contracts have names, accounts no nonces."""
        suite = self.options.gateway_suite
        return MachineTraits(
            signatures=self.options.committee_signatures,
            suite=suite,
            hashing="solidity" if suite == "sm" else "opcode",
            named=True,
            ordered=False,
        )

    def account(self, private_key: bytes) -> bytes:
        """The account of a key, 20 bytes.

        Raises:
            Misconfigured: no valid certificate belongs to the key.
        """
        return self.members.of_key(private_key).account

    def called_by(self, program: bytes) -> bytes:
        """The address of a contract inside the machine, 20 bytes."""
        return contract_address(program) if is_contract_name(program) else program

    def new_name(self, program: str) -> bytes:
        """A fresh name for a contract, such as ``relayhub_gateway_1a2b3c4d5e``."""
        return new_contract_name(program)

    def deployment(self, name: bytes, creation: bytes) -> Call:
        """A transaction that deploys a contract under a name; its receipt says the name.

        Raises:
            Misconfigured: the name cannot be a contract's.
        """
        deployment_parameters(name, creation, self.options.contract_version)
        return Call(name, creation, GAS, creates=True)

    def installed(self, address: bytes) -> Installed:
        """What the chain says of a contract, by its name or its address.

        Raises:
            Rejected: there is none, or it is frozen.
        """
        info = self._info(address)
        return installed_of(info, address, write_set_only=self.options.evidence == "write-set", label=self.endpoint)

    def endow(self, private_keys: Sequence[bytes]) -> bool:
        """On a simulated network: have certificates made for keys that have none; False anywhere else.

        Raises:
            Misconfigured: the option certificates names no folder.
        """
        if DEVELOPMENT not in self.questions.software().lower():
            return False
        folder, scheme = self.members.folder, self.members.reader().key.scheme
        if folder is None:
            raise Misconfigured("The option certificates names no folder; name one that certificates can be put into.")
        for private_key in private_keys:
            try:
                self.members.of_key(private_key)
            except Misconfigured:
                self._certify(private_key, scheme, folder)
        return True

    def certificates(self) -> list[CertificateState]:
        """Every certificate that is used to speak to this chain, the node's own among them."""
        return [*self.members.certificates(), *self.channel.certificates()]

    # Parts

    def _call_all(self, questions: Sequence[Question]) -> list[bytes]:
        """Outputs of calls.

        Raises:
            Rejected: one fails.
        """
        outputs: list[bytes] = []
        for answer in self.questions.ask_all(questions):
            if isinstance(answer, AdapterError):
                raise answer
            outputs.append(answer)
        return outputs

    def _certify(self, private_key: bytes, scheme: str, folder: Path) -> None:
        for key in keys_of(private_key):
            if key.scheme == scheme:
                certify(self.channel, key, folder)
                return
        raise Misconfigured("A key is none of the chain's curve; make another one.")

    def _send(self, raw: bytes) -> Rejected | None:
        request = parse(pb.TxRequest, raw, "the transaction")
        if request.payload.expiration_time and request.payload.expiration_time <= time.time():
            (receipt,) = self.receipts([transaction_bytes(request.payload.tx_id)])
            if receipt is not None:
                return None
            return Rejected(
                "The transaction waited too long and came into no block; sign it again.",
                code="expired",
                endpoint=self.endpoint,
            )
        response = parse(pb.TxResponse, self.channel.ask(SERVICE + "SendRequest", raw), f"an answer of {self.endpoint}")
        if response.code == SUCCESS or known_already(response):
            return None
        error = refusal(response, self.endpoint, f"of {request.sender.signer.org_id[:64]} that signed the transaction")
        if isinstance(error, Rejected):
            return error
        raise error

    def _receipt(self, asked: bytes, data: bytes) -> Receipt:
        info = parse(pb.TransactionInfo, data, f"a transaction of {self.endpoint}")
        payload, result = info.transaction.payload, info.transaction.result
        if payload.tx_id != asked.hex():
            raise BadAnswer(f"{self.endpoint} told of another transaction than was asked for; leave it.")
        block_hash = bytes(info.block_hash)
        if not block_hash:  # nodes before 2.2 say the height alone
            (block,) = self.questions.blocks(info.block_height, info.block_height, whole=False)
            block_hash = block.header.block_hash
        if len(block_hash) != 32:
            raise BadAnswer(f"{self.endpoint} names no block of a transaction; leave it.", endpoint=self.endpoint)
        success = not result.code and not result.contract_result.code
        created = b""
        if success and (payload.contract_name, payload.method) == (CONTRACT_MANAGE, INIT_CONTRACT):
            created = next((bytes(pair.value) for pair in payload.parameters if pair.key == "CONTRACT_NAME"), b"")
        return Receipt(asked, info.block_height, block_hash, success, result.contract_result.gas_used, created)

    def _info(self, address: bytes) -> ContractInfo:
        """What the chain says of a contract, by its name or its address."""
        name = called_name(address).encode()
        data = self.questions.ask(Question(CONTRACT_MANAGE, GET_CONTRACT_INFO, {"CONTRACT_NAME": name}))
        return read_contract_info(data, self.endpoint)

    def _name_of(self, program: bytes) -> bytes:
        """A contract's name, by which lanes and attestations know it, also where only its address is known."""
        if is_contract_name(program):
            return program
        name = self._info(program).name.encode()
        if contract_address(name) != program:
            raise BadAnswer(f"{self.endpoint} names a contract of another address; leave it.", endpoint=self.endpoint)
        return name
