"""A peer's answer to a proposal (Fabric 3.1 `core/endorser/endorser.go`, `core/scc/qscc`, `core/chaincode/lifecycle/scc.go`)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.simulator.chaincodes import ChaincodeFailed, ChaincodeService
from adapters.fabric.simulator.execution import Execution
from adapters.fabric.simulator.state import PeerState
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from light_clients.errors import LightClientError
from light_clients.fabric.codec import read_header
from light_clients.fabric.executions import LIFECYCLE

ERROR_THRESHOLD = 400
"""From this status on nothing is endorsed (`shim.ERRORTHRESHOLD`)."""


class Refusal(Exception):
    """The proposal itself is refused: a gRPC error with this text."""


class Endorser:
    """Simulates and endorses on one peer."""

    def __init__(self, state: PeerState, identity: SigningIdentity, services: Mapping[str, ChaincodeService]) -> None:
        """Endorse as one identity.

        Args:
            state: the peer's ledger.
            identity: the peer's.
            services: chaincodes that this peer runs, by name.
        """
        self.state = state
        self.identity = identity
        self.services = services

    def process(self, data: bytes) -> messages.ProposalResponse:
        """Answer a `SignedProposal`.

        Raises:
            Refusal: its form, its creator or its signature does not hold.
        """
        signed = messages.SignedProposal()
        try:
            signed.ParseFromString(data)
            proposal = messages.Proposal.FromString(signed.proposal_bytes)
            header = messages.Header.FromString(proposal.header)
            channel_header = messages.ChannelHeader.FromString(header.channel_header)
            signature_header = messages.SignatureHeader.FromString(header.signature_header)
            payload = messages.ChaincodeProposalPayload.FromString(proposal.payload)
            invocation = messages.ChaincodeInvocationSpec.FromString(payload.input)
        except DecodeError as error:
            raise Refusal("error validating proposal: error unmarshalling") from error
        self._check(signed, channel_header, signature_header)
        specification = invocation.chaincode_spec
        execution = Execution(self.state, self.services, channel_header.tx_id, signed, self.state.height)
        name, given = specification.chaincode_id.name, specification.input
        event = b""
        try:
            if name in {"qscc", LIFECYCLE}:
                response, version = self._system(name, list(given.args), execution), "syscc"
            else:
                completed, definition = execution.call(name, given.SerializeToString())
                response, version = messages.Response.FromString(completed.payload), definition.version
                event = self._event(name, channel_header.tx_id, completed)
        except ChaincodeFailed as error:
            return messages.ProposalResponse(
                response=messages.Response(
                    status=500,
                    message=f"error in simulation: failed to execute transaction {channel_header.tx_id}: {error}",
                )
            )
        if response.status >= ERROR_THRESHOLD:
            return messages.ProposalResponse(response=response)
        action = messages.ChaincodeAction(
            results=execution.results(),
            events=event,
            response=response,
            chaincode_id=messages.ChaincodeID(name=name, version=version),
        )
        proposal_hash = hashlib.sha256(
            header.channel_header
            + header.signature_header
            + messages.ChaincodeProposalPayload(input=payload.input).SerializeToString()
        ).digest()
        answer = messages.ProposalResponsePayload(
            proposal_hash=proposal_hash, extension=action.SerializeToString()
        ).SerializeToString()
        endorser = self.identity.serialized
        now = time.time_ns()
        return messages.ProposalResponse(
            version=1,
            timestamp=Timestamp(seconds=now // 10**9, nanos=now % 10**9),
            response=response,
            payload=answer,
            endorsement=messages.Endorsement(endorser=endorser, signature=self.identity.sign(answer + endorser)),
        )

    def _check(
        self,
        signed: messages.SignedProposal,
        channel_header: messages.ChannelHeader,
        signature_header: messages.SignatureHeader,
    ) -> None:
        config, channel = self.state.config, channel_header.channel_id
        if channel != self.state.channel or config is None:
            raise Refusal(f"error validating proposal: access denied: channel [{channel}] not found")
        try:
            identity = config.identity(signature_header.creator)
        except LightClientError as error:
            raise Refusal(
                f"error validating proposal: access denied: channel [{channel}] creator org unknown, creator is malformed"
            ) from error
        if not identity.signed(signed.proposal_bytes, signed.signature) or identity.expires_at < time.time():
            raise Refusal(
                f"error validating proposal: access denied: channel [{channel}] creator org [{identity.msp_id}]"
            )
        identifier = hashlib.sha256(signature_header.nonce + signature_header.creator).hexdigest()
        if channel_header.tx_id != identifier:
            raise Refusal(f"error validating proposal: incorrectly computed txid '{channel_header.tx_id}'")
        if identifier in self.state.transactions:
            raise Refusal(f"duplicate transaction found [{identifier}]. Creator [{identity.msp_id}]")

    def _event(self, name: str, identifier: str, completed: messages.ChaincodeMessage) -> bytes:
        if not completed.HasField("chaincode_event"):
            return b""
        said = completed.chaincode_event
        return messages.ChaincodeEvent(
            chaincode_id=name, tx_id=identifier, event_name=said.event_name, payload=said.payload
        ).SerializeToString()

    def _system(self, name: str, arguments: list[bytes], execution: Execution) -> messages.Response:
        function = arguments[0].decode(errors="replace") if arguments else ""
        answers = {
            ("qscc", "GetChainInfo"): self._chain_info,
            ("qscc", "GetBlockByTxID"): self._block_of,
            (LIFECYCLE, "QueryChaincodeDefinition"): self._definition,
            (LIFECYCLE, "CommitChaincodeDefinition"): self._commit,
        }
        answer = answers.get((name, function))
        if answer is None:
            return messages.Response(status=500, message=f"Requested function {function} not found.")
        return answer(arguments[1:], execution)

    def _chain_info(self, arguments: list[bytes], execution: Execution) -> messages.Response:
        block = messages.Block.FromString(self.state.blocks[execution.height - 1])
        _, previous, _ = read_header(block.header)
        info = messages.BlockchainInfo(height=execution.height, previous_block_hash=previous)
        return messages.Response(status=200, payload=info.SerializeToString())

    def _block_of(self, arguments: list[bytes], execution: Execution) -> messages.Response:
        identifier = arguments[1].decode(errors="replace") if len(arguments) > 1 else ""
        found = self.state.transactions.get(identifier)
        if found is None or found[0] >= execution.height:
            return messages.Response(
                status=500,
                message=f"Failed to get block for txID {identifier}, error no such transaction ID [{identifier}] in index",
            )
        return messages.Response(status=200, payload=self.state.blocks[found[0]])

    def _definition(self, arguments: list[bytes], execution: Execution) -> messages.Response:
        name = messages.QueryChaincodeDefinitionArgs.FromString(arguments[0]).name
        found = self.state.definition(name, execution.height)
        if found is None:
            return messages.Response(
                status=404,
                message=f"failed to invoke backing implementation of 'QueryChaincodeDefinition': "
                f"namespace {name} is not defined",
            )
        result = messages.QueryChaincodeDefinitionResult(
            sequence=found.sequence,
            version=found.version,
            endorsement_plugin="escc",
            validation_plugin="vscc",
            validation_parameter=found.policy,
        )
        return messages.Response(status=200, payload=result.SerializeToString())

    def _commit(self, arguments: list[bytes], execution: Execution) -> messages.Response:
        asked = messages.CommitChaincodeDefinitionArgs.FromString(arguments[0])
        prefix = f"namespaces/fields/{asked.name}"
        known = self.state.definition(asked.name, execution.height)
        execution.get(LIFECYCLE, f"{prefix}/Sequence")
        execution.get(LIFECYCLE, f"namespaces/metadata/{asked.name}")
        if asked.sequence != (known.sequence if known else 0) + 1:
            return messages.Response(status=500, message="requested sequence is not the next one")
        endorsing = messages.ChaincodeEndorsementInfo(version=asked.version, endorsement_plugin="escc")
        validating = messages.ChaincodeValidationInfo(
            validation_plugin="vscc", validation_parameter=asked.validation_parameter
        )
        written = {
            "Collections": messages.StateData(octets=b""),
            "EndorsementInfo": messages.StateData(octets=endorsing.SerializeToString()),
            "Sequence": messages.StateData(number=asked.sequence),
            "ValidationInfo": messages.StateData(octets=validating.SerializeToString()),
        }
        for name, value in written.items():
            execution.put(LIFECYCLE, f"{prefix}/{name}", value.SerializeToString())
        execution.put(LIFECYCLE, f"namespaces/metadata/{asked.name}", b"simulator")
        return messages.Response(status=200)
