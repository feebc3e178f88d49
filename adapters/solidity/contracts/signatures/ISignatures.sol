// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A signature scheme as a contract of its own, for ledgers whose machine recovers no signers. It keeps nothing, so that one
/// serves every committee of a ledger.
interface ISignatures {
    /// What signers sign with: `secp256k1` or `sm2`.
    function scheme() external pure returns (string memory);

    /// Bytes of a signature: 65 (r, s, v) or 64 (r, s).
    function signatureBytes() external pure returns (uint256);

    /// Reverts unless known signatures, good and bad ones, are judged rightly on this machine.
    function probe() external view;

    /// What a committee keeps of a key of 64 bytes (X, Y) and gives back to `verify`: it begins with the key. Reverts with
    /// KeyUnfit where the key is no point of the curve.
    function prepare(bytes calldata key) external view returns (bytes memory kept);

    /// Whether this is the key's signature over the digest; reverts with SignatureMalformed where its form is wrong.
    function verify(bytes32 digest, bytes calldata signature, bytes calldata kept) external view returns (bool);
}
