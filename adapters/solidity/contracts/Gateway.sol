// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Identity} from "./base/Identity.sol";
import {Officers} from "./base/Officers.sol";
import {Outbox} from "./gateway/Outbox.sol";
import {LogAnchors} from "./gateway/LogAnchors.sol";
import {Lookups} from "./gateway/Lookups.sol";
import {EvmSuite} from "./hashing/EvmSuite.sol";

/// @title The gateway that every EVM-like ledger shares, for lanes of the suite `evm`
/// @notice Source: docs/protocol.md, section What a gateway does.
contract Gateway is EvmSuite, Lookups, LogAnchors {
    /// @param selfName this contract's name where the ledger gives names (ChainMaker), else empty.
    constructor(
        bytes32 chainWord_,
        address[] memory officers_,
        address guardian_,
        uint64 delaySeconds_,
        uint64 minimumExpirySeconds_,
        uint64 timeDivisor_,
        bytes memory selfName
    )
        Identity(selfName)
        Officers(chainWord_, officers_, guardian_, delaySeconds_, timeDivisor_)
        Outbox(minimumExpirySeconds_)
    {}
}
