// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a contract sees of its caller
contract Observer {
    /// Who called, and who began the transaction.
    function seen() external view returns (address caller, address origin) {
        return (msg.sender, tx.origin);
    }
}

/// @title Two contracts that show who msg.sender is in a nested call on this ledger
/// @notice Source: docs/protocol.md, section Ledgers unlike Ethereum. The gateway's origin rule and its lists of senders stand on
/// it: a nested call comes from the calling contract, not from whoever began the transaction. Asked before a lane is opened.
contract SelfTest {
    Observer public immutable observer;

    constructor(Observer observer_) {
        observer = observer_;
    }

    /// What both see; `sound` where the outer call comes from the transaction's origin, an account without code, and the nested
    /// call from this contract.
    function run() external view returns (bool sound, address caller, address nestedCaller, address nestedOrigin) {
        (nestedCaller, nestedOrigin) = observer.seen();
        caller = msg.sender;
        sound = caller == tx.origin && caller.code.length == 0 && nestedCaller == address(this)
            && nestedOrigin == tx.origin && address(this).code.length != 0;
    }
}
