// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReceiver} from "../Interfaces.sol";

/// @title A receiver that always fails
contract Reverting is IReceiver {
    function onMessage(bytes32, bytes32, bytes calldata, bytes calldata) external pure override returns (bytes memory) {
        revert("this receiver takes no messages");
    }
}
