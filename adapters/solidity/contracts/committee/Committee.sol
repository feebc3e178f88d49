// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, ICommitteeActions, ICommitteeVerifier, IVerifier} from "../Interfaces.sol";
import {
    ClaimMalformed,
    EpochEnded,
    EpochNotNext,
    OverlapInPast,
    ProofNotCanonical,
    QuorumTooSmall,
    SignatureCount,
    SignerOfAnotherOrganisation,
    SignerStruckOut,
    SignersMalformed,
    ThresholdUnfit,
    UnknownEpoch,
    UnknownSigner
} from "../Errors.sol";
import {Identity} from "../base/Identity.sol";
import {Officers} from "../base/Officers.sol";
import {Signers} from "./Signers.sol";

/// @title A committee of operators: k of n, counted by organisation
/// @notice Source: docs/protocol.md, section Who believes what; proof bytes as in docs/encodings.md: abi.encode(uint64 epoch,
/// uint256 signers, bytes[] signatures), bit i for signer i of the epoch, signatures in the order of the bits.
abstract contract Committee is Identity, Officers, Signers, ICommitteeVerifier {
    struct Epoch {
        uint64 endsAt; // Unix seconds, 0 while it is the present one
        uint8 threshold; // organisations
        uint16 size; // signers
        mapping(uint256 index => uint256) seats; // address, and above it the organisation's index in the epoch
        address[] signers;
        bytes32[] organisations;
    }

    bool public immutable override development;

    uint64 public override epoch;
    uint64 private _strikes;
    mapping(uint64 number => Epoch) private _epochs;
    mapping(address signer => bytes32) public override organisationOf;
    mapping(address signer => bool) public override struck;

    constructor(
        bool development_,
        address[] memory signers,
        bytes32[] memory organisations,
        uint8 threshold,
        bytes[] memory keys
    ) {
        development = development_;
        _addEpoch(epoch + 1, signers, organisations, threshold, 0, keys);
    }

    /// @inheritdoc ICommitteeVerifier
    function strike(address signer) external override onlyGuardianOrOfficer {
        if (organisationOf[signer] == 0) revert UnknownSigner(signer);
        if (struck[signer]) revert SignerStruckOut(signer);
        struck[signer] = true;
        ++_strikes;
        emit SignerStruck(signer);
    }

    /// The steps: 1. nothing in the claim is zero that must not be; 2. the proof is canonical; 3. the epoch is known and has
    /// not ended; 4. as many signatures as bits, no bit without a seat; 5. each signature is its signer's over this claim in
    /// this place, and he is not struck; 6. the organisations behind them reach the threshold.
    function verify(
        bytes32 gatewayHash,
        bytes calldata,
        bytes32,
        Claim calldata claim,
        bytes calldata proof
    ) external view override returns (bool) {
        if (
            claim.laneId == 0 || claim.direction > 1 || claim.nonce == 0 || claim.head == 0 || claim.blockHash == 0
                || gatewayHash == 0
        ) revert ClaimMalformed();
        (uint64 number, uint256 signers, uint256 count) = _outline(proof);
        Epoch storage era = _epochs[number];
        uint256 size = era.size;
        uint256 threshold = era.threshold;
        uint64 endsAt = era.endsAt;
        if (size == 0) revert UnknownEpoch(number);
        if (endsAt != 0 && nowSeconds() >= endsAt) revert EpochEnded(number);
        if (size < 256 && signers >> size != 0) revert SignatureCount(count, _count(signers));
        uint256 organisations = _organisations(era, digest(gatewayHash, number, claim), signers, count, proof);
        if (organisations < threshold) revert QuorumTooSmall(organisations, threshold);
        return true;
    }

    function generation() external view override returns (bytes32) {
        return bytes32(uint256(_strikes));
    }

    /// @inheritdoc IVerifier
    function caller() external view override returns (address) {
        return msg.sender;
    }

    /// What the hub and the operators read to know which proof this verifier takes.
    function kind() external pure override returns (string memory) {
        return "committee";
    }

    function epochOf(uint64 number)
        external
        view
        override
        returns (address[] memory signers, bytes32[] memory organisations, uint8 threshold, uint64 endsAt)
    {
        Epoch storage era = _epochs[number];
        return (era.signers, era.organisations, era.threshold, era.endsAt);
    }

    /// @inheritdoc ICommitteeVerifier
    function signatureScheme() external view override returns (string memory) {
        return _scheme();
    }

    /// @inheritdoc ICommitteeVerifier
    function keyOf(address signer) external view override returns (bytes memory) {
        return _keyOf(signer);
    }

    function digest(bytes32 gatewayHash, uint64 number, Claim calldata claim) public view override returns (bytes32) {
        return _attestation(chainWord, gatewayHash, _selfHash, number, claim);
    }

    function _administer() internal view override {
        _requireKeyWhereNamed();
    }

    function _kindOf(bytes4 selector) internal pure override returns (Kind) {
        return selector == ICommitteeActions.addEpoch.selector ? Kind.Delayed : super._kindOf(selector);
    }

    function _perform(bytes4 selector, bytes calldata arguments) internal override {
        if (selector != ICommitteeActions.addEpoch.selector) return super._perform(selector, arguments);
        (
            uint64 number,
            address[] memory signers,
            bytes32[] memory organisations,
            uint8 threshold,
            uint64 previousEndsAt,
            bytes[] memory keys
        ) = abi.decode(arguments, (uint64, address[], bytes32[], uint8, uint64, bytes[]));
        if (previousEndsAt < nowSeconds()) revert OverlapInPast(previousEndsAt);
        _epochs[epoch].endsAt = previousEndsAt;
        _addEpoch(number, signers, organisations, threshold, previousEndsAt, keys);
    }

    function _addEpoch(
        uint64 number,
        address[] memory signers,
        bytes32[] memory organisations,
        uint8 threshold,
        uint64 previousEndsAt,
        bytes[] memory keys
    ) private {
        if (number != epoch + 1) revert EpochNotNext(epoch + 1, number);
        if (signers.length == 0 || signers.length > 256 || organisations.length != signers.length) {
            revert SignersMalformed();
        }
        _keepKeys(signers, keys);
        epoch = number;
        Epoch storage era = _epochs[number];
        era.size = uint16(signers.length);
        era.threshold = threshold;
        era.signers = signers;
        era.organisations = organisations;
        uint256 distinct = 0;
        for (uint256 i = 0; i < signers.length; ++i) {
            _admit(signers, organisations, i);
            uint256 seat = _first(organisations, i);
            if (seat == i) ++distinct;
            era.seats[i] = uint256(uint160(signers[i])) | (seat << 160);
        }
        if (uint256(threshold) * 2 <= distinct || threshold > distinct || (threshold < 2 && !development)) {
            revert ThresholdUnfit(threshold, distinct);
        }
        emit EpochAdded(number, signers, organisations, threshold, previousEndsAt);
    }

    function _admit(address[] memory signers, bytes32[] memory organisations, uint256 index) private {
        address signer = signers[index];
        bytes32 organisation = organisations[index];
        if (signer == address(0) || organisation == 0) revert SignersMalformed();
        for (uint256 other = 0; other < index; ++other) {
            if (signers[other] == signer) revert SignersMalformed();
        }
        if (struck[signer]) revert SignerStruckOut(signer);
        bytes32 known = organisationOf[signer];
        if (known != 0 && known != organisation) revert SignerOfAnotherOrganisation(signer);
        organisationOf[signer] = organisation;
    }

    function _first(bytes32[] memory organisations, uint256 index) private pure returns (uint256 first) {
        while (organisations[first] != organisations[index]) ++first;
    }

    /// The words in front of the signatures: epoch, bitmap, offset of the list, its length.
    function _outline(bytes calldata proof) private view returns (uint64 number, uint256 signers, uint256 count) {
        if (proof.length < 128) revert ProofNotCanonical();
        uint256 offset;
        uint256 wide;
        (wide, signers, offset, count) = abi.decode(proof[:128], (uint256, uint256, uint256, uint256));
        if (wide > type(uint64).max || offset != 96 || count > 256 || proof.length != 128 + (32 + _size()) * count) {
            revert ProofNotCanonical();
        }
        number = uint64(wide);
    }

    /// Bytes of a signature in the list: its length, and whole words (three for 65 bytes, two for 64).
    function _size() private view returns (uint256) {
        return _signatureBytes == 65 ? 128 : 96;
    }

    /// Signature `place` of `count`: an offset word in the list, then length, 64 or 65 bytes, and zeros up to a whole word.
    function _signature(bytes calldata proof, uint256 count, uint256 place) private view returns (bytes memory) {
        uint256 expected = _signatureBytes;
        uint256 offset = 32 * count + _size() * place;
        uint256 start = 128 + offset;
        uint256 listed = uint256(bytes32(proof[128 + 32 * place:]));
        uint256 length = uint256(bytes32(proof[start:]));
        if (
            listed != offset || length != expected
                || (expected == 65 && uint256(bytes32(proof[start + 96:])) << 8 != 0)
        ) revert ProofNotCanonical();
        return proof[start + 32:start + 32 + expected];
    }

    function _organisations(Epoch storage era, bytes32 signed, uint256 signers, uint256 count, bytes calldata proof)
        private
        view
        returns (uint256)
    {
        if (_count(signers) != count) revert SignatureCount(count, _count(signers));
        uint256 seen = 0;
        uint256 place = 0;
        for (uint256 index = 0; place < count; ++index) {
            if ((signers >> index) & 1 == 0) continue;
            uint256 seat = era.seats[index];
            address signer = address(uint160(seat));
            _requireSigned(signed, _signature(proof, count, place), signer);
            if (struck[signer]) revert SignerStruckOut(signer);
            seen |= 1 << (seat >> 160);
            ++place;
        }
        return _count(seen);
    }

    function _count(uint256 bits) private pure returns (uint256 ones) {
        for (; bits != 0; bits &= bits - 1) ++ones;
    }
}
