// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A hash as a contract of its own, for machines whose hash opcode is another.
interface IHash {
    /// The message's bytes follow the selector as they are, without offset and length.
    function hash() external view returns (bytes32);
}
