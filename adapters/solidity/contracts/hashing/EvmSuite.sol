// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Words} from "../base/Words.sol";
import {Keccak} from "./Keccak.sol";

/// @title The suite `evm`: H is Keccak-256, the machine's own opcode
/// @notice Source: docs/protocol.md, section Words and tags.
abstract contract EvmSuite is Words {
    constructor() {
        Keccak.requireOpcode();
    }

    function _hash(uint256 start, uint256 size) internal pure override returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(start, size)
        }
    }

    function _tagLane() internal pure override returns (bytes32) {
        return keccak256("relayhub/evm/lane/v1");
    }

    function _tagMessage() internal pure override returns (bytes32) {
        return keccak256("relayhub/evm/message/v1");
    }

    function _tagOutcome() internal pure override returns (bytes32) {
        return keccak256("relayhub/evm/outcome/v1");
    }

    function _tagOutcomes() internal pure override returns (bytes32) {
        return keccak256("relayhub/evm/outcomes/v1");
    }

    function _tagStep() internal pure override returns (bytes32) {
        return keccak256("relayhub/evm/step/v1");
    }

    function _tagAttestation() internal pure override returns (bytes32) {
        return keccak256("relayhub/evm/attestation/v1");
    }

    function _isSuite(string memory suite) internal pure override returns (bool) {
        return bytes(suite).length == 3 && bytes3(bytes(suite)) == "evm";
    }
}
