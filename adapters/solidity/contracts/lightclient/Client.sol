// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClientConfiguration, ClientView, ILightClientVerifier} from "../Interfaces.sol";
import {
    ClientExpired,
    ClientIsFrozen,
    ConfigurationUnfit,
    HeaderAhead,
    HeaderBehind,
    NoConflict,
    PinMismatch,
    ProposerUnfit,
    SealForeign,
    SealRepeated,
    SealsTooFew,
    TimeBackwards,
    ValidatorsUnexpected,
    ValidatorsUnfit
} from "../Errors.sol";
import {Officers} from "../base/Officers.sol";
import {Signatures} from "../base/Signatures.sol";
import {Keccak} from "../hashing/Keccak.sol";
import {Header, Headers} from "./Headers.sol";

/// @title What a light client trusts: one header, the set that it lists, and for how long
/// @notice Source: docs/protocol.md, section Who believes what. The set is stored by its hash; every header brings its own list.
abstract contract Client is Officers, Signatures, ILightClientVerifier {
    uint8 internal constant BESU = 0;
    uint8 internal constant GOQUORUM = 1;

    /// @inheritdoc ILightClientVerifier
    bool public immutable override development;
    bytes32 private immutable _peerChainWord;
    uint64 private immutable _trustingPeriod;
    uint64 private immutable _maximumDrift;
    uint8 internal immutable _dialect;
    uint64 internal immutable _epochLength;

    uint64 internal _height;
    uint64 private _timestamp;
    uint64 internal _validatorsSince;
    bool private _frozen;
    uint32 internal _setChanges; // voids the runs of before
    bytes32 private _blockHash;
    bytes32 internal _validatorsHash;
    uint64 internal _resets;

    constructor(bool development_, ClientConfiguration memory settings) {
        Keccak.requireOpcode();
        _requireRecovery();
        if (
            settings.peerChainWord == 0 || settings.dialect > GOQUORUM || settings.epochLength == 0
                || settings.trustingPeriod == 0 || settings.trustingPeriod > type(uint32).max
                || settings.maximumDrift > 1 hours
        ) revert ConfigurationUnfit();
        development = development_;
        _peerChainWord = settings.peerChainWord;
        _dialect = settings.dialect;
        _epochLength = settings.epochLength;
        _trustingPeriod = settings.trustingPeriod;
        _maximumDrift = settings.maximumDrift;
    }

    /// @inheritdoc ILightClientVerifier
    function update(bytes memory headerRlp, bytes[] memory seals) external override {
        Header memory header = Headers.read(headerRlp);
        _requireTrusted(header, seals);
        _advance(header);
        emit ClientUpdated(header.height, header.blockHash, header.timestamp);
    }

    /// @inheritdoc ILightClientVerifier
    function freeze(
        bytes memory firstHeader,
        bytes[] memory firstSeals,
        bytes memory secondHeader,
        bytes[] memory secondSeals
    ) external override {
        if (_frozen) revert ClientIsFrozen();
        Header memory first = Headers.read(firstHeader);
        Header memory second = Headers.read(secondHeader);
        if (first.height != second.height || first.blockHash == second.blockHash) revert NoConflict();
        _requireSet(first);
        _requireSet(second);
        _requireSealed(first, firstSeals);
        _requireSealed(second, secondSeals);
        _frozen = true;
        ++_resets;
        emit ClientFroze(first.height, first.blockHash, second.blockHash, msg.sender);
    }

    /// @inheritdoc ILightClientVerifier
    function client() external view override returns (ClientView memory) {
        return ClientView({
            height: _height,
            blockHash: _blockHash,
            timestamp: _timestamp,
            validatorsHash: _validatorsHash,
            validatorsSince: _validatorsSince,
            expiresAt: uint64(_expiresAt()),
            frozen: _frozen
        });
    }

    /// @inheritdoc ILightClientVerifier
    function configuration() external view override returns (ClientConfiguration memory) {
        return ClientConfiguration(_peerChainWord, _dialect, _epochLength, _trustingPeriod, _maximumDrift);
    }

    /// Trusts a header and the set that it lists, whatever was trusted before.
    function _pin(bytes memory headerRlp, bytes32 pinnedHash) internal {
        Header memory header = Headers.read(headerRlp);
        if (header.blockHash != pinnedHash) revert PinMismatch(pinnedHash, header.blockHash);
        _requireQuorum(header.validators.length);
        _requireNotAhead(header);
        _frozen = false;
        (_height, _timestamp, _blockHash) = (header.height, header.timestamp, header.blockHash);
        _trustSet(header);
        _requireLive();
        emit ClientPinned(header.height, header.blockHash, header.timestamp, header.validators);
    }

    /// A newer header: height, hash and time move on.
    function _advance(Header memory header) internal {
        if (header.height <= _height) revert HeaderBehind(header.height, _height);
        if (header.timestamp < _timestamp) revert TimeBackwards(_timestamp, header.timestamp);
        (_height, _timestamp, _blockHash) = (header.height, header.timestamp, header.blockHash);
    }

    function _trustSet(Header memory header) internal {
        _validatorsHash = header.validatorsHash;
        _validatorsSince = header.height;
        ++_setChanges;
    }

    /// The steps: 1. the client is neither frozen nor expired; 2. the header is not ahead of our clock; 3. it lists the trusted
    /// set, and one of it proposed; 4. enough of the set sealed, each once, and nobody else.
    function _requireTrusted(Header memory header, bytes[] memory seals) internal view {
        _requireLive();
        _requireNotAhead(header);
        _requireSet(header);
        _requireSealed(header, seals);
    }

    function _requireLive() internal view {
        if (_frozen) revert ClientIsFrozen();
        if (nowSeconds() >= _expiresAt()) revert ClientExpired(_expiresAt());
    }

    function _requireNotAhead(Header memory header) internal view {
        uint256 latest = uint256(nowSeconds()) + _maximumDrift;
        if (header.timestamp > latest) revert HeaderAhead(header.timestamp, latest);
    }

    function _requireSet(Header memory header) internal view {
        if (header.validatorsHash != _validatorsHash) {
            revert ValidatorsUnexpected(_validatorsHash, header.validatorsHash);
        }
        _requireProposer(header);
    }

    function _requireProposer(Header memory header) internal pure {
        if (_seatOf(header.validators, header.coinbase) == header.validators.length) {
            revert ProposerUnfit(header.coinbase);
        }
    }

    /// At least ceil(2n/3) of the header's own list sealed it, each once, and nobody else.
    function _requireSealed(Header memory header, bytes[] memory seals) internal view {
        uint256 size = header.validators.length;
        uint256 needed = _quorum(size);
        if (seals.length < needed) revert SealsTooFew(seals.length, needed);
        uint256 seen = 0;
        for (uint256 i = 0; i < seals.length; ++i) {
            address sealer = _sealerOf(header.sealDigest, seals[i]);
            uint256 seat = _seatOf(header.validators, sealer);
            if (sealer == address(0) || seat == size) revert SealForeign(sealer);
            if ((seen >> seat) & 1 == 1) revert SealRepeated(sealer);
            seen |= 1 << seat;
        }
    }

    function _requireQuorum(uint256 validators) internal view {
        if (_quorum(validators) < 2 && !development) revert ValidatorsUnfit(validators);
    }

    /// Where an address stands in an ascending list; the list's length if it does not.
    function _seatOf(address[] memory validators, address account) internal pure returns (uint256) {
        uint256 low = _placeOf(validators, account);
        return low < validators.length && validators[low] == account ? low : validators.length;
    }

    /// How many of an ascending list are below an address.
    function _placeOf(address[] memory validators, address account) internal pure returns (uint256 low) {
        uint256 high = validators.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (validators[middle] < account) low = middle + 1;
            else high = middle;
        }
    }

    function _expiresAt() private view returns (uint256) {
        return uint256(_timestamp) + _trustingPeriod;
    }

    function _quorum(uint256 validators) private pure returns (uint256) {
        return (2 * validators + 2) / 3;
    }
}
