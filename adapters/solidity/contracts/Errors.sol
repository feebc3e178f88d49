// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Every refusal of the gateway and the verifiers by its name; the notice says what to do next and is shown to operators.

// Officers and proposals

/// @notice Only an officer may do this; sign with an officer's account.
error NotOfficer(address caller);
/// @notice Only the guardian or an officer may do this; sign with one of their accounts.
error NotGuardianOrOfficer(address caller);
/// @notice At least three different officers, none zero, and a guardian who is none of them are needed; correct the list.
error OfficersMalformed();
/// @notice The action is none that officers can propose here; encode a function of the contract's actions interface.
error UnknownAction(bytes4 selector);
/// @notice The proposal is not in the state that this step needs (1 proposed, 2 approved, 3 executed, 4 cancelled); look it up first.
error ProposalState(uint64 id, uint8 state);
/// @notice An officer cannot approve what he proposed; ask another officer.
error SameOfficer(address officer);
/// @notice Nobody may take part in, or cancel, a proposal that replaces himself; ask the others.
error ReplacesYou(address who);
/// @notice The delay has not passed; execute again from the time given (Unix seconds).
error TooEarly(uint64 readyAt);
/// @notice The bytes are not those that were proposed; pass the action of the Proposed event.
error ActionMismatch(uint64 id);
/// @notice Who proposed or approved is no officer any more; propose it again.
error ProposalOutdated(uint64 id);
/// @notice The chain word must not be zero; pass the word of this ledger.
error ChainWordZero();
/// @notice The time divisor must not be zero; pass 1 for seconds, 1000 for milliseconds.
error TimeDivisorZero();
/// @notice This machine's hash opcode is not Keccak-256; deploy the build of the other suite.
error HashNotKeccak();
/// @notice What was chosen to compute SM3 computes something else; choose another way of hashing.
error HashNotSm3();
/// @notice The contract that hashes does not answer; send the transaction with more gas or fewer messages.
error HashSilent();
/// @notice The name given is another contract's; deploy under the name that is given to the constructor.
error NameOfAnother(address named, address self);

// The gateway's door

/// @notice The gateway is paused; wait until two officers unpause it.
error GatewayPaused();
/// @notice The lane is paused; wait until two officers unpause it.
error LanePaused(bytes32 laneId);
/// @notice A call of the gateway is still running; send this in a transaction of its own.
error Locked();
/// @notice Only an account without code that is the transaction's origin may call this; do not call from a contract.
error NotOrigin(address caller);
/// @notice No such lane stands here; open it or correct its id.
error UnknownLane(bytes32 laneId);
/// @notice This gateway is the lane's other end; call the gateway at the end that this step belongs to.
error WrongEnd(bytes32 laneId);

// Opening a lane

/// @notice The end must be 0 (source) or 1 (destination); correct the opening.
error UnknownEnd(uint8 end);
/// @notice This gateway computes in the suite evm only; deploy the build of the other suite.
error UnknownSuite(string suite);
/// @notice Names and gateways have 1 to 64 bytes and words are not zero; correct the opening.
error OpeningMalformed();
/// @notice This gateway's own chain word and address do not stand at the end given; correct the opening.
error NotOurEnd();
/// @notice Both ends are this gateway; name the other gateway.
error LaneToItself();
/// @notice A lane is opened once in a gateway's life; choose another channel name.
error LaneExists(bytes32 laneId);
/// @notice The verifier has no code, is the gateway itself, or is a receiver; deploy a verifier and give its address.
error VerifierUnfit(address verifier);
/// @notice This verifier does not see the gateway as its caller; give one of ours, or ask SelfTest whether this ledger is fit.
error CallerHidden(address verifier);
/// @notice Caps need a payload, a window and a window limit above zero, and a receiver length of at most 64; correct them.
error CapsMalformed();
/// @notice One officer may only lower caps, not change window or receiver length; propose setCaps instead.
error CapsNotLower();
/// @notice A sender's limit is lowered at once and raised by proposal; propose allowSender instead.
error LimitNotLower(uint16 limit);
/// @notice The limit must not be zero here; lower it to zero to deny the sender.
error LimitZero();
/// @notice A gateway, a verifier and the zero account can never be a target; choose the application's address.
error AccountUnfit(address account);
/// @notice The lane is closed already; nothing is left to do.
error LaneIsClosed(bytes32 laneId);
/// @notice Only a closed lane can be abandoned; close it first.
error LaneNotClosed(bytes32 laneId);

// Sending

/// @notice The sender is not on the lane's list; ask the officers to allow it.
error SenderNotAllowed(bytes32 laneId, address sender);
/// @notice The sender's limit for this window is used up; send again from the time given (Unix seconds).
error SenderLimitReached(bytes32 laneId, address sender, uint64 retryAt);
/// @notice The payload is larger than the lane's cap; send a hash and keep the body beside.
error PayloadTooLarge(uint256 length, uint256 cap);
/// @notice The gas limit is above the lane's cap; lower it.
error GasLimitTooHigh(uint64 gasLimit, uint64 cap);
/// @notice The callback gas is above the lane's cap; lower it.
error CallbackGasTooHigh(uint64 callbackGas, uint64 cap);
/// @notice An account without code cannot be called back; send with callback gas 0.
error CallbackWithoutCode(address sender);
/// @notice The receiver has not the length of an account on the other ledger; correct it.
error ReceiverForm(uint256 length);
/// @notice The message expires sooner than the gateway's minimum; give a time not before the one named (Unix seconds), or 0.
error ExpiresTooSoon(uint64 earliest);

// Consuming a claim

/// @notice The claim speaks of another lane; pass the claim of this lane.
error ClaimForAnotherLane(bytes32 laneId);
/// @notice The claim speaks of the other direction; pass the claim that this step consumes.
error WrongDirection(uint8 direction);
/// @notice Every message given was taken before; nothing is left to do.
error NothingNew(uint64 consumed);
/// @notice The nonces have a gap; give every entry from the one expected.
error NonceGap(uint64 expected, uint64 given);
/// @notice The entries do not fold to the claim's head; read them again from the events.
error HeadMismatch(bytes32 folded, bytes32 claimed);
/// @notice The claim's nonce is not what the entries give; pass the claim for these entries.
error ClaimNonceMismatch(uint64 derived, uint64 claimed);
/// @notice The payload does not match its length and hash; read it again from the event.
error PayloadMismatch(uint64 nonce);
/// @notice This message is executed and needs its payload; give the payload instead of its hash.
error PayloadMissing(uint64 nonce);
/// @notice A settled entry carries its payload by hash; leave the payload out.
error PayloadGiven(uint64 nonce);
/// @notice The status is none of 1 to 4 or the result has more than 256 bytes; read the entry again from the events.
error OutcomeMalformed(uint64 nonce);
/// @notice More outcomes are claimed than messages were sent; keep the claim as evidence.
error NeverSent(uint64 sent, uint64 claimed);
/// @notice The head is not anchored in the present generation; give a proof or anchor it again.
error NotAnchored(bytes32 laneId, bytes32 head);
/// @notice The verifier does not accept the proof; collect another.
error ProofRefused();
/// @notice A zero head is never valid; give the head to anchor.
error HeadZero();
/// @notice Too little gas is left to run this message as asked; send the transaction with more gas or fewer messages.
error GasTooLow(uint64 nonce, uint256 needed, uint256 left);
/// @notice The lane's window is full; deliver fewer messages now or again from the time given (Unix seconds).
error WindowFull(bytes32 laneId, uint64 retryAt);
/// @notice No failed callback is kept for this entry; nothing is left to do.
error NothingToRetry(bytes32 outcomeId);
/// @notice The callback failed again; look at the application, then retry with more gas.
error CallbackFailedAgain(bytes32 outcomeId);

// The evidence log

/// @notice The account noted its evidence log at this size already, and a log only grows; note a longer one.
error LogNotLonger(uint64 size);

// The committee

/// @notice A committee has 1 to 256 signers, each once and none zero, with an organisation each; correct the lists.
error SignersMalformed();
/// @notice The threshold must be more than half of the organisations, at least 2, and not above their number; correct it.
error ThresholdUnfit(uint256 threshold, uint256 organisations);
/// @notice A signer stays with its organisation; use a new key.
error SignerOfAnotherOrganisation(address signer);
/// @notice The signer was struck; leave it out.
error SignerStruckOut(address signer);
/// @notice Epochs follow one another; pass the number expected.
error EpochNotNext(uint64 expected, uint64 given);
/// @notice The end of the epoch before lies in the past; give a time from now on (Unix seconds).
error OverlapInPast(uint64 endsAt);
/// @notice There is no such epoch; sign for the present one.
error UnknownEpoch(uint64 epoch);
/// @notice The epoch has ended; sign for the present one.
error EpochEnded(uint64 epoch);
/// @notice The signer was never in this committee; correct the address.
error UnknownSigner(address signer);
/// @notice The proof is not the canonical encoding of this verifier's proof; encode it again.
error ProofNotCanonical();
/// @notice The claim has a zero word, a zero nonce or an unknown direction; pass a complete claim.
error ClaimMalformed();
/// @notice There are not as many signatures as signers named, or a signer is named that the epoch does not have; encode it again.
error SignatureCount(uint256 signatures, uint256 signers);
/// @notice The signature is not r, s, v of 65 bytes with low s and v 27 or 28; sign it again.
error SignatureMalformed();
/// @notice The signature is not this signer's over this claim in this place; collect it again.
error SignatureOfAnother(address signer, address recovered);
/// @notice Too few organisations signed; collect more attestations.
error QuorumTooSmall(uint256 organisations, uint256 threshold);
/// @notice This machine, or the contract chosen, does not judge a known signature rightly; choose another signature back-end.
error SignatureBackendFails();
/// @notice Where a back-end checks signatures each signer has a key of 64 bytes, elsewhere none; correct the list of keys.
error KeysMalformed();
/// @notice The key is no point of the back-end's curve in 64 bytes (X, Y); correct it.
error KeyUnfit();
/// @notice The signer is not the account of its key on this ledger; correct the account or the key.
error KeyOfAnother(address signer, address owner);

// The light client: reading headers

/// @notice The bytes are not canonical RLP; encode them again.
error RlpMalformed();
/// @notice The header has not its 15 to 21 items, or this one has a wrong kind, size or value; give the header of a QBFT ledger.
error HeaderMalformed(uint256 item);
/// @notice The extra data is not vanity, validators, vote, round and no seals; give the header as its validators signed it.
error ExtraMalformed();
/// @notice A set has 1 to 256 validators in ascending order, and a quorum of at least 2 outside development; take another header.
error ValidatorsUnfit(uint256 validators);
/// @notice The header lists another set than the one that is trusted; follow a run, or give a header of the trusted set.
error ValidatorsUnexpected(bytes32 expected, bytes32 listed);
/// @notice The proposer is no validator; give another header.
error ProposerUnfit(address proposer);
/// @notice The seal is not r, s, v of 65 bytes with v 0 or 1; read the header again.
error SealMalformed();
/// @notice Too few seals for the header's set; give all of them.
error SealsTooFew(uint256 seals, uint256 needed);
/// @notice The seal is of no validator of the set, or over other content; leave it out or read the header again.
error SealForeign(address sealer);
/// @notice The validator sealed twice; give each seal once.
error SealRepeated(address sealer);

// The light client: what it trusts

/// @notice Dialect, epoch length, trusting period, drift or the peer's chain word is out of its range; correct the configuration.
error ConfigurationUnfit();
/// @notice The header is not the pinned one; give the header of the pinned hash, as its validators signed it.
error PinMismatch(bytes32 pinned, bytes32 found);
/// @notice Two conflicting headers froze the client; the officers find out what happened, then set validators anew.
error ClientIsFrozen();
/// @notice The trusting period is over (Unix seconds); two officers set validators anew.
error ClientExpired(uint256 expiresAt);
/// @notice The header's time is ahead of this ledger's clock (both Unix seconds); try again later.
error HeaderAhead(uint256 timestamp, uint256 latest);
/// @notice The header is not newer than the one that is trusted; give a newer one.
error HeaderBehind(uint256 height, uint256 trusted);
/// @notice The header is older than the trusted set; give a newer one.
error HeaderBeforeSet(uint256 height, uint256 since);
/// @notice The header's time is before that of an earlier header; read it again from another endpoint.
error TimeBackwards(uint256 earlier, uint256 timestamp);
/// @notice The two headers are of different heights or the same block; nobody is accused.
error NoConflict();

// The light client: runs

/// @notice A run needs at least one header; give the next ones.
error RunEmpty();
/// @notice There is no run of yours, or the set has changed since; begin a fresh one.
error RunOutdated();
/// @notice The header at this height is not the child of the one before it; give consecutive headers.
error RunBroken(uint256 height);
/// @notice The set changes here, and this header has no seals; give the seals of the old set's last and the new set's first header.
error SealsMissing(uint256 height);

// The light client: proofs of state

/// @notice The peer's gateway is not an address of 20 bytes; choose a verifier of that ledger's kind.
error PeerUnfit(uint256 length);
/// @notice The claim names another height than the header; give the header of the claim.
error ClaimHeightMismatch(uint256 claimed, uint256 height);
/// @notice The claim names another block than the header; give the header of the claim.
error ClaimBlockMismatch(bytes32 claimed, bytes32 blockHash);
/// @notice A node of the proof is missing; ask for the whole proof.
error ProofIncomplete(uint256 node);
/// @notice A node of the proof does not have the hash that its parent names; ask another endpoint for the proof.
error ProofNodeMismatch(uint256 node);
/// @notice A node, path or value of the proof is malformed; ask another endpoint for the proof.
error ProofNodeMalformed();
/// @notice Nodes are left over at the end of the path; give the nodes of the path only.
error ProofNodesUnused(uint256 used, uint256 given);
/// @notice There is no account at the gateway's address; check the gateway of the lane.
error AccountAbsent();
/// @notice The gateway runs other code than the one pinned at opening; pause the lane and ask the officers.
error CodeHashMismatch(bytes32 pinned, bytes32 found);
/// @notice The gateway's slot holds another head; prove the claim at a block whose last entry it is.
error HeadNotProved(bytes32 claimed, bytes32 found);

// Both together

/// @notice This part is no committee, or no light client; give the address of one of ours.
error PartUnfit(address part);
