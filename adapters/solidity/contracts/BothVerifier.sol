// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IBothVerifier, IKnownVerifier, IVerifier} from "./Interfaces.sol";
import {PartUnfit, ProofNotCanonical} from "./Errors.sol";

/// @title A committee and a light client together; it never falls back to one
/// @notice Source: docs/protocol.md, section Who believes what; proof bytes as in docs/encodings.md: abi.encode(bytes committee,
/// bytes lightClient). The operators sign for the committee's address, as if it stood alone.
contract BothVerifier is IBothVerifier {
    address public immutable override committee;
    address public immutable override lightClient;

    constructor(address committee_, address lightClient_) {
        _requireKind(committee_, "committee");
        _requireKind(lightClient_, "light-client");
        committee = committee_;
        lightClient = lightClient_;
    }

    function verify(
        bytes32 gatewayHash,
        bytes calldata peerGateway,
        bytes32 peerCodeHash,
        Claim calldata claim,
        bytes calldata proof
    ) external view override returns (bool) {
        (bytes calldata signatures, bytes calldata sealedState) = _parts(proof);
        return IKnownVerifier(committee).verify(gatewayHash, peerGateway, peerCodeHash, claim, signatures)
            && IKnownVerifier(lightClient).verify(gatewayHash, peerGateway, peerCodeHash, claim, sealedState);
    }

    /// Changes when one of the two does.
    function generation() external view override returns (bytes32) {
        return keccak256(abi.encode(IKnownVerifier(committee).generation(), IKnownVerifier(lightClient).generation()));
    }

    /// @inheritdoc IVerifier
    function caller() external view override returns (address) {
        return msg.sender;
    }

    /// What the hub and the operators read to know which proof this verifier takes.
    function kind() external pure override returns (string memory) {
        return "both";
    }

    /// Two offsets, then twice a length and whole words; each part is judged for its own form by its own verifier.
    function _parts(bytes calldata proof) private pure returns (bytes calldata first, bytes calldata second) {
        if (proof.length < 128) revert ProofNotCanonical();
        (uint256 firstAt, uint256 secondAt, uint256 firstSize) = abi.decode(proof[:96], (uint256, uint256, uint256));
        if (firstAt != 64 || firstSize % 32 != 0 || firstSize > proof.length - 128 || secondAt != 96 + firstSize) {
            revert ProofNotCanonical();
        }
        if (uint256(bytes32(proof[secondAt:])) != proof.length - secondAt - 32) revert ProofNotCanonical();
        return (proof[96:secondAt], proof[secondAt + 32:]);
    }

    function _requireKind(address part, string memory expected) private view {
        if (part.code.length == 0) revert PartUnfit(part);
        try IKnownVerifier(part).kind() returns (string memory found) {
            if (keccak256(bytes(found)) != keccak256(bytes(expected))) revert PartUnfit(part);
        } catch (bytes memory) {
            revert PartUnfit(part);
        }
    }
}
