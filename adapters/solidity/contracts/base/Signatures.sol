// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureBackendFails, SignatureMalformed} from "../Errors.sol";

/// @title Who signed a digest: the one door to a signature scheme
/// @notice secp256k1 over the raw digest by the ecrecover precompile. A ledger whose precompile is missing or another scheme
/// takes another base with the same function. A known signature is tried at deployment.
abstract contract Signatures {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    constructor() {
        bytes memory known = abi.encodePacked(
            bytes32(0x0eca5d08852e7aec597a93fcdc3aa3cb813f48910da127c3088ac46c34a8a207),
            bytes32(0x4ebc1a35bb85bf27bee6bd8eeb4c1e54dad3d522fe446666efef1dec7398c1ca),
            uint8(27)
        );
        address signer = _signerOf(keccak256("relayhub/signature-probe/v1"), known);
        if (signer != 0x107b122e31670A0D741c24C9ddC0f12ACF54dC59) revert SignatureBackendFails();
    }

    /// @param signature r, s, v: 65 bytes, low s, v 27 or 28.
    /// @return signer never zero for a well-formed signature that recovers; zero otherwise.
    function _signerOf(bytes32 digest, bytes memory signature) internal view virtual returns (address signer) {
        if (signature.length != 65) revert SignatureMalformed();
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) revert SignatureMalformed();
        signer = ecrecover(digest, v, r, s);
    }
}
