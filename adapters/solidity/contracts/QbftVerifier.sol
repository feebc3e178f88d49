// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, ClientConfiguration, ILightClientActions, IVerifier} from "./Interfaces.sol";
import {
    AccountAbsent,
    ClaimBlockMismatch,
    ClaimHeightMismatch,
    ClaimMalformed,
    CodeHashMismatch,
    HeadNotProved,
    HeaderBeforeSet,
    PeerUnfit,
    ProofNodeMalformed,
    ProofNotCanonical
} from "./Errors.sol";
import {Officers} from "./base/Officers.sol";
import {Client} from "./lightclient/Client.sol";
import {Header, Headers} from "./lightclient/Headers.sol";
import {Patricia} from "./lightclient/Patricia.sol";
import {Rlp} from "./lightclient/Rlp.sol";
import {Runs} from "./lightclient/Runs.sol";
import {Unpacking} from "./lightclient/Unpacking.sol";

/// @title A light client of one QBFT ledger, on this ledger
/// @notice Source: docs/protocol.md, section Who believes what; proof bytes as in docs/encodings.md: abi.encode(bytes headerRlp,
/// bytes[] seals, bytes[] accountProof, bytes[] storageProof), the header as its validators signed it. Seals carry no chain
/// id: the officers state that the validators' keys are used on the peer's ledger only.
contract QbftVerifier is Runs {
    constructor(
        bytes32 chainWord_,
        address[] memory officers_,
        address guardian_,
        uint64 delaySeconds_,
        uint64 timeDivisor_,
        bool development_,
        ClientConfiguration memory configuration_,
        bytes memory headerRlp,
        bytes32 pinnedHash
    ) Officers(chainWord_, officers_, guardian_, delaySeconds_, timeDivisor_) Client(development_, configuration_) {
        _pin(headerRlp, pinnedHash);
    }

    /// The steps: 1. nothing in the claim is zero that must not be, and the peer is an address; 2. the proof is canonical;
    /// 3. the header is the claim's, no older than the trusted set, and trusted (Client); 4. under its state root the account
    /// of the peer's gateway runs the pinned code; 5. under the proven storage root the slot computed from lane and direction
    /// holds the claim's head.
    function verify(
        bytes32,
        bytes calldata peerGateway,
        bytes32 peerCodeHash,
        Claim calldata claim,
        bytes calldata proof
    ) external view override returns (bool) {
        if (claim.laneId == 0 || claim.direction > 1 || claim.nonce == 0 || claim.head == 0 || claim.blockHash == 0) {
            revert ClaimMalformed();
        }
        if (peerGateway.length != 20) revert PeerUnfit(peerGateway.length);
        (bytes memory headerRlp, bytes[] memory seals, bytes[] memory accountProof, bytes[] memory storageProof) =
            _unpack(proof);
        Header memory header = Headers.read(headerRlp);
        if (header.height != claim.height) revert ClaimHeightMismatch(claim.height, header.height);
        if (header.blockHash != claim.blockHash) revert ClaimBlockMismatch(claim.blockHash, header.blockHash);
        if (header.height < _validatorsSince) revert HeaderBeforeSet(header.height, _validatorsSince);
        _requireTrusted(header, seals);
        bytes32 storageRoot = _storageRoot(header.stateRoot, keccak256(peerGateway), peerCodeHash, accountProof);
        bytes32 slot = keccak256(abi.encode(claim.laneId, uint256(claim.direction)));
        bytes32 head = _wordAt(storageRoot, keccak256(abi.encode(slot)), storageProof);
        if (head != claim.head) revert HeadNotProved(claim.head, head);
        return true;
    }

    /// Changes when the client is frozen and when the officers set validators.
    function generation() external view override returns (bytes32) {
        return bytes32(uint256(_resets));
    }

    /// @inheritdoc IVerifier
    function caller() external view override returns (address) {
        return msg.sender;
    }

    /// What the hub and the operators read to know which proof this verifier takes.
    function kind() external pure override returns (string memory) {
        return "light-client";
    }

    function _kindOf(bytes4 selector) internal pure override returns (Kind) {
        return selector == ILightClientActions.setValidators.selector ? Kind.Delayed : super._kindOf(selector);
    }

    function _perform(bytes4 selector, bytes calldata arguments) internal override {
        if (selector != ILightClientActions.setValidators.selector) return super._perform(selector, arguments);
        (bytes memory headerRlp, bytes32 pinnedHash) = abi.decode(arguments, (bytes, bytes32));
        ++_resets;
        _pin(headerRlp, pinnedHash);
    }

    function _unpack(bytes calldata proof)
        private
        pure
        returns (
            bytes memory headerRlp,
            bytes[] memory seals,
            bytes[] memory accountProof,
            bytes[] memory storageProof
        )
    {
        (uint256 start, uint256 end) = Unpacking.copy(proof);
        uint256 place = start + 128;
        Unpacking.requireOffset(start, 128);
        (headerRlp, place) = Unpacking.takeBytes(place, end);
        Unpacking.requireOffset(start + 32, place - start);
        (seals, place) = Unpacking.takeList(place, end);
        Unpacking.requireOffset(start + 64, place - start);
        (accountProof, place) = Unpacking.takeList(place, end);
        Unpacking.requireOffset(start + 96, place - start);
        (storageProof, place) = Unpacking.takeList(place, end);
        if (place != end) revert ProofNotCanonical();
    }

    /// The storage root of an account that runs the pinned code (yellow paper, section 4.1).
    function _storageRoot(bytes32 stateRoot, bytes32 path, bytes32 codeHash, bytes[] memory proof)
        private
        pure
        returns (bytes32 storageRoot)
    {
        (uint256 place, uint256 size) = Patricia.find(stateRoot, abi.encode(path), proof);
        if (size == 0) revert AccountAbsent();
        uint256 end = place + size;
        place = Rlp.listWithin(place, end);
        (, place) = Rlp.integer(place, end, 8);
        (, place) = Rlp.integer(place, end, 32);
        (storageRoot, place) = _root(place, end);
        bytes32 found;
        (found, place) = _root(place, end);
        if (place != end) revert ProofNodeMalformed();
        if (found != codeHash) revert CodeHashMismatch(codeHash, found);
    }

    function _root(uint256 place, uint256 end) private pure returns (bytes32 word, uint256 next) {
        (bool isList, uint256 start, uint256 size) = Rlp.item(place, end);
        if (isList || size != 32) revert ProofNodeMalformed();
        assembly ("memory-safe") {
            word := mload(start)
        }
        next = start + size;
    }

    /// A word of storage; zero where the proof shows that there is none, for the trie holds no zero.
    function _wordAt(bytes32 storageRoot, bytes32 path, bytes[] memory proof) private pure returns (bytes32) {
        (uint256 place, uint256 size) = Patricia.find(storageRoot, abi.encode(path), proof);
        if (size == 0) return 0;
        (uint256 word, uint256 next) = Rlp.integer(place, place + size, 32);
        if (next != place + size) revert ProofNodeMalformed();
        return bytes32(word);
    }
}
