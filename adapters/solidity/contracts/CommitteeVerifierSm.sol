// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Identity} from "./base/Identity.sol";
import {Officers} from "./base/Officers.sol";
import {Committee} from "./committee/Committee.sol";
import {Signers} from "./committee/Signers.sol";
import {IHash} from "./hashing/IHash.sol";
import {SmSuite} from "./hashing/SmSuite.sol";
import {ISignatures} from "./signatures/ISignatures.sol";

/// @title A committee of operators, for lanes of the suite `sm`
contract CommitteeVerifierSm is SmSuite, Committee {
    /// @param selfName this contract's name where the ledger gives names (ChainMaker), else empty.
    /// @param signatures the contract that checks signatures; zero: the machine's ecrecover.
    /// @param keys 64 bytes (X, Y) for each signer where a contract checks, else empty.
    /// @param hashing the contract that computes SM3; zero: the machine's hash opcode.
    constructor(
        bytes32 chainWord_,
        address[] memory officers_,
        address guardian_,
        uint64 delaySeconds_,
        uint64 timeDivisor_,
        bool development_,
        address[] memory signers,
        bytes32[] memory organisations,
        uint8 threshold,
        bytes memory selfName,
        ISignatures signatures,
        bytes[] memory keys,
        IHash hashing
    )
        SmSuite(hashing)
        Identity(selfName)
        Officers(chainWord_, officers_, guardian_, delaySeconds_, timeDivisor_)
        Signers(signatures)
        Committee(development_, signers, organisations, threshold, keys)
    {}
}
