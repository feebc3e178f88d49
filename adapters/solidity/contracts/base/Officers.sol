// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOfficers, IOfficersActions, Proposal} from "../Interfaces.sol";
import {
    ActionMismatch,
    ChainWordZero,
    NotGuardianOrOfficer,
    NotOfficer,
    OfficersMalformed,
    ProposalOutdated,
    ProposalState,
    ReplacesYou,
    SameOfficer,
    TimeDivisorZero,
    TooEarly,
    UnknownAction
} from "../Errors.sol";

/// @title Two officers, a delay and a guardian
/// @notice Widening takes two officers and the delay, narrowing one officer at once (docs/protocol.md, section What a gateway
/// does, 5). An action is calldata that this contract performs itself: no call to itself, no delegatecall.
abstract contract Officers is IOfficers {
    enum Kind {
        Unknown,
        AtOnce,
        Delayed
    }

    uint8 private constant PROPOSED = 1;
    uint8 private constant APPROVED = 2;
    uint8 private constant EXECUTED = 3;
    uint8 private constant CANCELLED = 4;

    bytes32 public immutable override chainWord;
    uint64 public immutable override delaySeconds;
    uint64 internal immutable _timeDivisor;

    address public override guardian;
    uint64 public override proposals;
    uint256 private _seats; // of officers; a mapping, for the compiler fixes where arrays stand by its own hash
    mapping(uint256 seat => address) private _officerAt;
    mapping(address account => bool) private _isOfficer;
    mapping(uint64 id => Proposal) private _proposals;

    constructor(
        bytes32 chainWord_,
        address[] memory officers_,
        address guardian_,
        uint64 delaySeconds_,
        uint64 timeDivisor_
    ) {
        if (chainWord_ == 0) revert ChainWordZero();
        if (timeDivisor_ == 0) revert TimeDivisorZero();
        if (officers_.length < 3 || guardian_ == address(0)) revert OfficersMalformed();
        for (uint256 i = 0; i < officers_.length; ++i) {
            _addOfficer(officers_[i]);
            _officerAt[i] = officers_[i];
        }
        if (_isOfficer[guardian_]) revert OfficersMalformed();
        _seats = officers_.length;
        guardian = guardian_;
        chainWord = chainWord_;
        delaySeconds = delaySeconds_;
        _timeDivisor = timeDivisor_;
    }

    modifier onlyOfficer() {
        if (!_isOfficer[msg.sender]) revert NotOfficer(msg.sender);
        _administer();
        _;
    }

    modifier onlyGuardianOrOfficer() {
        if (msg.sender != guardian && !_isOfficer[msg.sender]) revert NotGuardianOrOfficer(msg.sender);
        _administer();
        _;
    }

    function propose(bytes calldata action) external override onlyOfficer returns (uint64 id) {
        bytes4 selector = bytes4(action);
        Kind kind = _kindOf(selector);
        if (kind == Kind.Unknown) revert UnknownAction(selector);
        address replaces = _replacedBy(selector, action);
        if (msg.sender == replaces) revert ReplacesYou(msg.sender);
        id = ++proposals;
        _proposals[id] = Proposal({
            actionHash: keccak256(action),
            proposer: msg.sender,
            approver: address(0),
            replaces: replaces,
            delaySeconds: kind == Kind.Delayed ? delaySeconds : 0,
            readyAt: 0,
            state: PROPOSED
        });
        emit Proposed(id, msg.sender, action);
    }

    function approve(uint64 id) external override onlyOfficer {
        Proposal storage pending = _proposals[id];
        if (pending.state != PROPOSED) revert ProposalState(id, pending.state);
        if (msg.sender == pending.proposer) revert SameOfficer(msg.sender);
        if (msg.sender == pending.replaces) revert ReplacesYou(msg.sender);
        pending.approver = msg.sender;
        pending.readyAt = nowSeconds() + pending.delaySeconds;
        pending.state = APPROVED;
        emit Approved(id, msg.sender, pending.readyAt);
    }

    function execute(uint64 id, bytes calldata action) external override onlyOfficer {
        Proposal storage pending = _proposals[id];
        if (pending.state != APPROVED) revert ProposalState(id, pending.state);
        if (nowSeconds() < pending.readyAt) revert TooEarly(pending.readyAt);
        if (keccak256(action) != pending.actionHash) revert ActionMismatch(id);
        if (!_isOfficer[pending.proposer] || !_isOfficer[pending.approver]) revert ProposalOutdated(id);
        pending.state = EXECUTED;
        emit Executed(id, msg.sender, action);
        _perform(bytes4(action), action[4:]);
    }

    function cancel(uint64 id) external override onlyGuardianOrOfficer {
        Proposal storage pending = _proposals[id];
        if (pending.state != PROPOSED && pending.state != APPROVED) revert ProposalState(id, pending.state);
        if (msg.sender == pending.replaces) revert ReplacesYou(msg.sender);
        pending.state = CANCELLED;
        emit Cancelled(id, msg.sender);
    }

    function officers() external view override returns (address[] memory) {
        address[] memory seated = new address[](_seats);
        for (uint256 i = 0; i < seated.length; ++i) {
            seated[i] = _officerAt[i];
        }
        return seated;
    }

    function proposal(uint64 id) external view override returns (Proposal memory) {
        return _proposals[id];
    }

    /// Block time in Unix seconds, whatever unit this ledger counts in.
    function nowSeconds() public view override returns (uint64 time) {
        uint256 divisor = _timeDivisor;
        assembly ("memory-safe") {
            time := div(timestamp(), divisor) // never zero: the constructor refuses it
        }
    }

    /// Called before each administrative step.
    function _administer() internal virtual {}

    function _kindOf(bytes4 selector) internal pure virtual returns (Kind) {
        if (selector == IOfficersActions.replaceOfficer.selector) return Kind.Delayed;
        if (selector == IOfficersActions.replaceGuardian.selector) return Kind.AtOnce;
        return Kind.Unknown;
    }

    function _perform(bytes4 selector, bytes calldata arguments) internal virtual {
        if (selector == IOfficersActions.replaceOfficer.selector) {
            (address previous, address next) = abi.decode(arguments, (address, address));
            _replaceOfficer(previous, next);
        } else {
            _replaceGuardian(abi.decode(arguments, (address)));
        }
    }

    function _replacedBy(bytes4 selector, bytes calldata action) private view returns (address) {
        if (selector == IOfficersActions.replaceOfficer.selector) {
            (address previous,) = abi.decode(action[4:], (address, address));
            return previous;
        }
        return selector == IOfficersActions.replaceGuardian.selector ? guardian : address(0);
    }

    function _replaceOfficer(address previous, address next) private {
        if (!_isOfficer[previous] || next == guardian) revert OfficersMalformed();
        _isOfficer[previous] = false;
        _addOfficer(next);
        uint256 place = 0;
        while (_officerAt[place] != previous) ++place;
        _officerAt[place] = next;
    }

    function _replaceGuardian(address next) private {
        if (next == address(0) || _isOfficer[next]) revert OfficersMalformed();
        guardian = next;
    }

    function _addOfficer(address account) private {
        if (account == address(0) || _isOfficer[account]) revert OfficersMalformed();
        _isOfficer[account] = true;
    }
}
