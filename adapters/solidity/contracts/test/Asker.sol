// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Passes a question on and gives the answer back
contract Asker {
    function ask(address target, bytes calldata data) external view returns (bytes memory answer) {
        (, answer) = target.staticcall(data);
    }
}
