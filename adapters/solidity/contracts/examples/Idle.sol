// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReceiver, ISender} from "../Interfaces.sol";

/// @title A receiver and sender that does nothing
contract Idle is IReceiver, ISender {
    function onMessage(bytes32, bytes32, bytes calldata, bytes calldata) external pure override returns (bytes memory) {
        return "";
    }

    function onOutcome(bytes32, bytes32, uint8, bytes calldata) external pure override {}
}
