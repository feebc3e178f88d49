// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// What other programs see of the gateway and the verifiers: structs, events and functions.
// Source: the hub's protocol (docs/protocol.md) and docs/encodings.md, section Solidity.

/// A message; an empty payload with a non-zero length means that only its hash travels.
struct Message {
    uint64 nonce;
    bytes sender;
    bytes receiver;
    uint64 expiresAt;
    uint64 gasLimit;
    uint64 callbackGas;
    uint64 payloadLength;
    bytes32 payloadHash;
    bytes payload;
}

/// A message (payload by hash) with what became of it: 1 executed, 2 failed, 3 expired, 4 refused.
struct Settled {
    Message message;
    uint8 status;
    bytes result;
}

/// "The history of `direction` (0 outbox, 1 outcomes) of `laneId`, in the chain up to `blockHash` at `height`,
/// passes through `head` after `nonce` entries."
struct Claim {
    bytes32 laneId;
    uint8 direction;
    uint64 nonce;
    bytes32 head;
    uint64 height;
    bytes32 blockHash;
}

/// Every preimage of a lane's id, which end of it this gateway is (0 source, 1 destination), and who judges the peer.
struct LaneOpening {
    uint8 end;
    string hub;
    string suite;
    bytes32 sourceChain;
    bytes sourceGateway;
    bytes32 destinationChain;
    bytes destinationGateway;
    string channel;
    address verifier;
    bytes32 peerCodeHash;
}

/// What a lane carries at most. At the source: `receiverLength` is the exact number of bytes of a receiver on the other
/// ledger (0: any from 1 to 64) and senders have limits of their own; at the destination receivers have 20 bytes, and
/// `windowLimit` executions fit into each window of the lane.
struct LaneCaps {
    uint32 maxPayload;
    uint40 maxGas;
    uint40 maxCallbackGas;
    uint8 receiverLength;
    uint32 windowSeconds;
    uint32 windowLimit;
}

/// A lane as `IGateway.lane` shows it; `generation` voids older anchors when it changes.
struct LaneView {
    bool opened;
    uint8 end;
    bool closed;
    bool paused;
    bool abandoned;
    address verifier;
    bytes32 peerCodeHash;
    bytes peerGateway;
    LaneCaps caps;
    uint64 sent;
    uint64 settled;
    uint64 delivered;
    uint32 verifierChanges;
    bytes32 generation;
}

/// A proposal of the officers; `state`: 0 none, 1 proposed, 2 approved, 3 executed, 4 cancelled.
struct Proposal {
    bytes32 actionHash;
    address proposer;
    address approver;
    address replaces;
    uint64 delaySeconds;
    uint64 readyAt;
    uint8 state;
}

/// What a light client is told once and for all about the ledger that it judges.
/// `dialect`: 0 Besu, 1 GoQuorum. `epochLength`: blocks after which open votes are cleared. `trustingPeriod`: seconds
/// after the newest accepted header during which the client believes. `maximumDrift`: seconds that a header may be ahead.
struct ClientConfiguration {
    bytes32 peerChainWord;
    uint8 dialect;
    uint64 epochLength;
    uint64 trustingPeriod;
    uint64 maximumDrift;
}

/// What a light client believes now; `validatorsHash` is keccak256 of the addresses as 32-byte words, ascending, and
/// `validatorsSince` the height from which the client knows this set.
struct ClientView {
    uint64 height;
    bytes32 blockHash;
    uint64 timestamp;
    bytes32 validatorsHash;
    uint64 validatorsSince;
    uint64 expiresAt;
    bool frozen;
}

/// A header as its validators signed it (its round, no seals), and their seals: 65 bytes each, r, s, v (0 or 1).
/// Inside a run the seals may be left out; the header then stands by its child's parent hash.
struct SealedHeader {
    bytes header;
    bytes[] seals;
}

/// An open vote of a run.
struct Vote {
    address voter;
    address subject;
    bool add;
}

/// Judges whether a claim about the peer's ledger is true.
interface IVerifier {
    /// `laneId` and `direction` of the claim are set by the gateway, never by its caller.
    function verify(
        bytes32 gatewayHash,
        bytes calldata peerGateway,
        bytes32 peerCodeHash,
        Claim calldata claim,
        bytes calldata proof
    ) external view returns (bool);

    /// Changes whenever something that was believed before may no longer be believed.
    function generation() external view returns (bytes32);

    /// Who calls: the gateway asks when it takes a verifier, for its origin rule stands on what a nested call sees.
    function caller() external view returns (address);
}

/// A verifier that says what it is: `committee`, `light-client` or `both`.
interface IKnownVerifier is IVerifier {
    function kind() external view returns (string memory);
}

/// An application that takes messages.
interface IReceiver {
    function onMessage(bytes32 laneId, bytes32 messageId, bytes calldata sender, bytes calldata payload)
        external
        returns (bytes memory);
}

/// An application that wants to know what became of the messages that it sent.
interface ISender {
    function onOutcome(bytes32 laneId, bytes32 messageId, uint8 status, bytes calldata result) external;
}

/// Two officers, a delay and a guardian, as the gateway and the committee have them.
interface IOfficers {
    event Proposed(uint64 indexed id, address indexed officer, bytes action);
    event Approved(uint64 indexed id, address indexed officer, uint64 readyAt);
    event Executed(uint64 indexed id, address indexed officer, bytes action);
    event Cancelled(uint64 indexed id, address indexed by);

    /// One officer proposes an action: the calldata of one function of `IGatewayActions` or `ICommitteeActions`.
    function propose(bytes calldata action) external returns (uint64 id);

    /// Another officer approves; the delay begins.
    function approve(uint64 id) external;

    /// After the delay any officer executes it.
    function execute(uint64 id, bytes calldata action) external;

    /// The guardian or one officer takes a proposal back, but not one that replaces himself.
    function cancel(uint64 id) external;

    function officers() external view returns (address[] memory);
    function guardian() external view returns (address);
    function delaySeconds() external view returns (uint64);
    function proposal(uint64 id) external view returns (Proposal memory);
    function proposals() external view returns (uint64);
    function chainWord() external view returns (bytes32);
    function nowSeconds() external view returns (uint64);
}

/// Actions of both contracts, given to `propose` and `execute` as calldata.
interface IOfficersActions {
    /// Two officers other than `previous`, and the delay.
    function replaceOfficer(address previous, address next) external;

    /// Two officers, no delay.
    function replaceGuardian(address next) external;
}

/// Actions of the gateway, given to `propose` and `execute` as calldata.
interface IGatewayActions is IOfficersActions {
    function openLane(LaneOpening calldata opening, LaneCaps calldata caps) external;
    function setCaps(bytes32 laneId, LaneCaps calldata caps) external;

    /// `limit`: messages a window, 1 to 65,535.
    function allowSender(bytes32 laneId, address account, uint16 limit) external;
    function allowReceiver(bytes32 laneId, address account) external;
    function setVerifier(bytes32 laneId, address verifier) external;
    function unpause() external;
    function unpauseLane(bytes32 laneId) external;

    /// Two officers, no delay.
    function closeLane(bytes32 laneId) external;

    /// Two officers and the delay, on a closed lane: apps can read it, nobody is called.
    function abandonLane(bytes32 laneId) external;
}

/// Actions of the committee, given to `propose` and `execute` as calldata.
interface ICommitteeActions is IOfficersActions {
    /// The next epoch; the one before it is believed until `previousEndsAt` (Unix seconds). `keys`: 64 bytes (X, Y) for each
    /// signer where a contract checks signatures, else empty.
    function addEpoch(
        uint64 epoch,
        address[] calldata signers,
        bytes32[] calldata organisations,
        uint8 threshold,
        uint64 previousEndsAt,
        bytes[] calldata keys
    ) external;
}

/// Actions of the light client, given to `propose` and `execute` as calldata.
interface ILightClientActions is IOfficersActions {
    /// Two officers and the delay: trust this header and the set that it lists, frozen and expired clients too; a new
    /// generation. `headerRlp` is the header as its validators signed it, `pinnedHash` its block hash.
    function setValidators(bytes calldata headerRlp, bytes32 pinnedHash) external;
}

/// The gateway: what apps, relayers, officers and readers call.
interface IGateway is IOfficers {
    event LaneOpened(
        bytes32 indexed laneId,
        uint8 end,
        string hub,
        bytes32 sourceChain,
        bytes sourceGateway,
        bytes32 destinationChain,
        bytes destinationGateway,
        string channel,
        address verifier,
        bytes32 peerCodeHash
    );
    event MessageSent(
        bytes32 indexed laneId,
        uint64 indexed nonce,
        bytes32 messageId,
        bytes32 head,
        bytes sender,
        bytes receiver,
        uint64 expiresAt,
        uint64 gasLimit,
        uint64 callbackGas,
        bytes payload
    );
    event MessageDelivered(
        bytes32 indexed laneId, uint64 indexed nonce, bytes32 messageId, uint8 status, bytes result
    );

    /// direction: 1 outcomes and 2 inbox (by deliver), 3 settled (by settle); the outbox's head is in MessageSent.
    event HeadMoved(bytes32 indexed laneId, uint8 indexed direction, uint64 nonce, bytes32 head);
    event Anchored(bytes32 indexed laneId, uint8 indexed direction, bytes32 head, bytes32 generation);
    event CallbackFailed(bytes32 indexed laneId, uint64 indexed nonce, bytes32 outcomeId);
    event CallbackRetried(bytes32 indexed laneId, uint64 indexed nonce, bytes32 outcomeId);
    event PauseChanged(bool paused);
    event LanePauseChanged(bytes32 indexed laneId, bool paused);
    event LaneClosed(bytes32 indexed laneId);
    event LaneAbandoned(bytes32 indexed laneId);
    event CapsChanged(bytes32 indexed laneId, LaneCaps caps);
    event SenderLimitChanged(bytes32 indexed laneId, address indexed account, uint16 limit);
    event ReceiverChanged(bytes32 indexed laneId, address indexed account, bool allowed);
    event VerifierChanged(bytes32 indexed laneId, address verifier);
    event LogAnchored(address indexed account, uint64 size, bytes32 root);

    // Apps
    function send(
        bytes32 laneId,
        bytes calldata receiver,
        bytes calldata payload,
        uint64 gasLimit,
        uint64 callbackGas,
        uint64 expiresAt
    ) external returns (bytes32 messageId);

    // Relayers: an account without code that is the transaction's origin
    function deliver(
        bytes32 laneId,
        Message[] calldata messages,
        bytes32[] calldata suffixIds,
        Claim calldata claim,
        bytes calldata proof
    ) external;
    function settle(
        bytes32 laneId,
        Settled[] calldata settled,
        bytes32[] calldata suffixIds,
        Claim calldata claim,
        bytes calldata proof
    ) external;
    function anchor(
        bytes32 laneId,
        uint8 direction,
        bytes32 head,
        bytes32[] calldata ids,
        Claim calldata claim,
        bytes calldata proof
    ) external;
    function retry(bytes32 laneId, Settled calldata entry) external;

    // Keepers of evidence logs
    /// Notes that the caller's log has so many leaves and this root; more leaves than it noted before.
    function anchorLog(uint64 size, bytes32 root) external;

    // One officer, at once (pausing: also the guardian)
    function pause() external;
    function pauseLane(bytes32 laneId) external;
    function lowerCaps(bytes32 laneId, LaneCaps calldata caps) external;

    /// `limit` 0 denies the sender.
    function lowerSenderLimit(bytes32 laneId, address account, uint16 limit) external;
    function denyReceiver(bytes32 laneId, address account) external;

    // Views
    function lane(bytes32 laneId) external view returns (LaneView memory);
    function heads(bytes32 laneId)
        external
        view
        returns (bytes32 outbox, bytes32 outcomes, bytes32 inbox, bytes32 settled);
    function laneIdOf(LaneOpening calldata opening) external view returns (bytes32);
    function senderLimit(bytes32 laneId, address account) external view returns (uint16);
    function receiverAllowed(bytes32 laneId, address account) external view returns (bool);
    function anchored(bytes32 laneId, bytes32 head) external view returns (bool);
    function callbackFailed(bytes32 outcomeId) external view returns (bool);
    function paused() external view returns (bool);
    function minimumExpirySeconds() external view returns (uint64);

    /// What an account noted last of its evidence log; size 0: nothing yet.
    function loggedAnchor(address account) external view returns (uint64 size, bytes32 root);

    /// The data of MessageSent of this nonce, kept on ledgers that give contracts names; empty elsewhere. For readers: such
    /// a ledger may drop the event and keep what was sent.
    function sentData(bytes32 laneId, uint64 nonce) external view returns (bytes memory);

    /// What the lane's verifier says to a claim; reverts with the verifier's own error where it has one.
    function probe(bytes32 laneId, Claim calldata claim, bytes calldata proof) external view returns (bool);
}

/// k of n operators, counted by organisation.
interface ICommitteeVerifier is IKnownVerifier, IOfficers {
    event EpochAdded(
        uint64 indexed epoch, address[] signers, bytes32[] organisations, uint8 threshold, uint64 previousEndsAt
    );
    event SignerStruck(address indexed signer);

    /// The guardian or one officer, at once: out of every epoch, and a new generation.
    function strike(address signer) external;

    function epoch() external view returns (uint64);
    function epochOf(uint64 number)
        external
        view
        returns (address[] memory signers, bytes32[] memory organisations, uint8 threshold, uint64 endsAt);
    function struck(address signer) external view returns (bool);
    function organisationOf(address signer) external view returns (bytes32);

    /// The signer's key of 64 bytes (X, Y) where a contract checks signatures, else empty.
    function keyOf(address signer) external view returns (bytes memory);

    /// What signers sign with: `secp256k1` (r, s, v) or `sm2` (r, s).
    function signatureScheme() external view returns (string memory);
    function development() external view returns (bool);

    /// The digest that the signers of `number` sign for a claim at the gateway of that hash.
    function digest(bytes32 gatewayHash, uint64 number, Claim calldata claim) external view returns (bytes32);
}

/// A light client of one QBFT ledger (Besu or GoQuorum, validators in the header).
interface ILightClientVerifier is IKnownVerifier, IOfficers {
    /// At deployment and by the officers: a header and its set are trusted.
    event ClientPinned(uint64 indexed height, bytes32 blockHash, uint64 timestamp, address[] validators);

    /// By `update`: a newer header of the same set.
    event ClientUpdated(uint64 indexed height, bytes32 blockHash, uint64 timestamp);

    /// By `followRun`: the first header of another set.
    event ValidatorsChanged(uint64 indexed height, bytes32 blockHash, uint64 timestamp, address[] validators);

    /// By `followRun`: where the caller's run stands.
    event RunFollowed(address indexed caller, uint64 height, bytes32 blockHash, uint256 votes);

    /// By `freeze`: nothing of this client is believed until the officers pin another header.
    event ClientFroze(uint64 indexed height, bytes32 firstHash, bytes32 secondHash, address indexed by);

    /// Anyone: a newer header of the stored set moves height, hash and time on, and with them the trusting period.
    function update(bytes calldata headerRlp, bytes[] calldata seals) external;

    /// Anyone: headers linked by parent hash that show the votes for another set. A fresh run starts at a header of the
    /// stored set with no open votes; otherwise the caller's own run goes on. Seals stand at the last header of a set and
    /// at the first one of the next.
    function followRun(bool fresh, SealedHeader[] calldata run) external;

    /// Anyone: two sealed headers of one height with different block hashes freeze the client; a new generation.
    function freeze(
        bytes calldata firstHeader,
        bytes[] calldata firstSeals,
        bytes calldata secondHeader,
        bytes[] calldata secondSeals
    ) external;

    function client() external view returns (ClientView memory);
    function configuration() external view returns (ClientConfiguration memory);

    /// Where a caller's run stands; height 0 and no hash where there is none that still counts.
    function runOf(address caller)
        external
        view
        returns (uint64 height, bytes32 blockHash, uint64 timestamp, Vote[] memory votes);
    function development() external view returns (bool);
}

/// A committee and a light client together; neither alone is believed.
interface IBothVerifier is IKnownVerifier {
    function committee() external view returns (address);
    function lightClient() external view returns (address);
}
