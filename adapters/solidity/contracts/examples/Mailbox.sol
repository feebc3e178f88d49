// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReceiver} from "../Interfaces.sol";

/// @title An application in ten lines: keeps the last message and counts
contract Mailbox is IReceiver {
    event MessageReceived(bytes32 laneId, bytes32 messageId, bytes sender, bytes payload);

    address public immutable gateway;
    bytes public last;
    uint256 public count;

    constructor(address gateway_) {
        gateway = gateway_;
    }

    function onMessage(bytes32 laneId, bytes32 messageId, bytes calldata sender, bytes calldata payload)
        external
        override
        returns (bytes memory)
    {
        require(msg.sender == gateway, "only the gateway may bring messages");
        last = payload;
        emit MessageReceived(laneId, messageId, sender, payload);
        return abi.encode(++count);
    }
}
