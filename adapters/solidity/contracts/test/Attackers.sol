// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, IGateway, IReceiver, ISender, IVerifier} from "../Interfaces.sol";

/// @title Passes any call on: a caller with code, or an officer or guardian that is a contract
contract Forwarder {
    function forward(address target, bytes calldata data) public {
        (bool success, bytes memory result) = target.call(data);
        if (!success) {
            assembly {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}

/// @title Calls from its constructor, where it has no code yet
contract ConstructorCaller {
    constructor(address target, bytes memory data) {
        (bool success, bytes memory result) = target.call(data);
        if (!success) {
            assembly {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}

/// @title A receiver that answers with more bytes than anybody wants, as success or as failure
contract Bomb is IReceiver {
    uint256 public immutable size;
    bool public immutable fails;

    constructor(uint256 size_, bool fails_) {
        size = size_;
        fails = fails_;
    }

    function onMessage(bytes32, bytes32, bytes calldata, bytes calldata) external view override returns (bytes memory) {
        uint256 length = size;
        if (fails) {
            assembly {
                mstore(0, not(0))
                mstore(0x40, 0)
                revert(0, length)
            }
        }
        assembly {
            mstore(0, not(0))
            mstore(0x40, 0)
            return(0, length)
        }
    }
}

/// @title A receiver and sender that burns whatever gas it is given
contract Burner is IReceiver, ISender {
    function onMessage(bytes32, bytes32, bytes calldata, bytes calldata) external pure override returns (bytes memory) {
        while (true) {}
        return "";
    }

    function onOutcome(bytes32, bytes32, uint8, bytes calldata) external pure override {
        while (true) {}
    }
}

/// @title A receiver and sender that calls somebody else while it is called, and keeps what came of it
contract Reentrant is IReceiver, ISender {
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;
    uint256 public count;

    function aim(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    /// Makes this contract the sender of a message.
    function forward(address to, bytes calldata call_) external {
        (bool success,) = to.call(call_);
        require(success, "refused");
    }

    function onMessage(bytes32, bytes32, bytes calldata, bytes calldata) external override returns (bytes memory) {
        _shoot();
        return "";
    }

    function onOutcome(bytes32, bytes32, uint8, bytes calldata) external override {
        _shoot();
    }

    function _shoot() private {
        ++count;
        (succeeded, answer) = target.call(data);
    }
}

/// @title A receiver that keeps the gas it was given
contract GasMeter is IReceiver, ISender {
    uint256 public seen;

    function forward(address to, bytes calldata call_) external {
        (bool success,) = to.call(call_);
        require(success, "refused");
    }

    function onMessage(bytes32, bytes32, bytes calldata, bytes calldata) external override returns (bytes memory) {
        seen = gasleft();
        return "";
    }

    function onOutcome(bytes32, bytes32, uint8, bytes calldata) external override {
        seen = gasleft();
    }
}

/// @title A sender whose callback fails until it is mended
contract Moody is ISender {
    bool public mended;
    uint256 public count;
    bytes32 public messageId;
    uint8 public status;
    bytes public result;

    function forward(address to, bytes calldata call_) external {
        (bool success,) = to.call(call_);
        require(success, "refused");
    }

    function mend() external {
        mended = true;
    }

    function onOutcome(bytes32, bytes32 messageId_, uint8 status_, bytes calldata result_) external override {
        require(mended, "not in the mood");
        ++count;
        (messageId, status, result) = (messageId_, status_, result_);
    }
}

/// @title A sender that refunds only what it holds an amount for
contract Escrow is ISender {
    IGateway public immutable gateway;
    mapping(bytes32 messageId => uint256) public held;
    uint256 public refunded;

    constructor(address gateway_) {
        gateway = IGateway(gateway_);
    }

    function lock(bytes32 laneId, bytes calldata receiver, uint256 amount) external {
        held[gateway.send(laneId, receiver, abi.encode(amount), 100_000, 100_000, 0)] = amount;
    }

    function onOutcome(bytes32, bytes32 messageId, uint8 status, bytes calldata) external override {
        require(msg.sender == address(gateway), "only the gateway may say what became of it");
        if (status != 1) refunded += held[messageId];
        delete held[messageId];
    }
}

/// @title A verifier that says what it is told to
contract StubVerifier is IVerifier {
    bool public accepts;
    bytes32 public override generation;
    bytes32 public expected;
    bool public hides;

    function hide() external {
        hides = true;
    }

    function caller() external view override returns (address) {
        return hides ? tx.origin : msg.sender;
    }

    function set(bool accepts_, bytes32 generation_) external {
        (accepts, generation) = (accepts_, generation_);
    }

    /// From now on accepts only the call with these arguments.
    function expect(bytes32 gatewayHash, bytes calldata peerGateway, bytes32 peerCodeHash, Claim calldata claim)
        external
    {
        expected = keccak256(abi.encode(gatewayHash, peerGateway, peerCodeHash, claim));
    }

    function verify(
        bytes32 gatewayHash,
        bytes calldata peerGateway,
        bytes32 peerCodeHash,
        Claim calldata claim,
        bytes calldata
    ) external view override returns (bool) {
        if (expected != 0) return expected == keccak256(abi.encode(gatewayHash, peerGateway, peerCodeHash, claim));
        return accepts;
    }
}
