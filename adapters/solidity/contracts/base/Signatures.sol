// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SealMalformed, SignatureBackendFails, SignatureMalformed} from "../Errors.sol";

/// @title Who signed a digest, by the machine's own recovery
/// @notice secp256k1 over the raw digest by the ecrecover precompile, tried at deployment by whoever relies on it.
abstract contract Signatures {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// A known signature recovers its signer, and nobody else's digest does.
    function _requireRecovery() internal view {
        bytes memory known = abi.encodePacked(
            bytes32(0x0eca5d08852e7aec597a93fcdc3aa3cb813f48910da127c3088ac46c34a8a207),
            bytes32(0x4ebc1a35bb85bf27bee6bd8eeb4c1e54dad3d522fe446666efef1dec7398c1ca),
            uint8(27)
        );
        address signer = 0x107b122e31670A0D741c24C9ddC0f12ACF54dC59;
        bytes32 digest = keccak256("relayhub/signature-probe/v1");
        if (_signerOf(digest, known) != signer || _signerOf(~digest, known) == signer) revert SignatureBackendFails();
    }

    /// @param signature r, s, v: 65 bytes, low s, v 27 or 28.
    /// @return signer zero where nobody's key answers to it.
    function _signerOf(bytes32 digest, bytes memory signature) internal view returns (address signer) {
        if (signature.length != 65) revert SignatureMalformed();
        (bytes32 r, bytes32 s, uint8 v) = _split(signature);
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) revert SignatureMalformed();
        signer = _recover(digest, v, r, s);
    }

    /// @param seal r, s, v: 65 bytes, v 0 or 1, as validators seal a header. A high s is accepted as their ledger accepts
    /// it: a seal is no part of a block hash, and it is counted by its signer.
    /// @return sealer zero where nobody's key answers to it.
    function _sealerOf(bytes32 digest, bytes memory seal) internal view returns (address sealer) {
        if (seal.length != 65) revert SealMalformed();
        (bytes32 r, bytes32 s, uint8 v) = _split(seal);
        if (v > 1) revert SealMalformed();
        sealer = _recover(digest, v + 27, r, s);
    }

    /// The machine's precompile.
    function _recover(bytes32 digest, uint8 v, bytes32 r, bytes32 s) internal view virtual returns (address) {
        return ecrecover(digest, v, r, s);
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
