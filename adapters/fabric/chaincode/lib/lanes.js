/**
 * Lanes: what a gateway keeps of each, and the officers' actions on them. Source: docs/protocol.md, sections Names and What a
 * gateway does (5); Lanes.sol.
 */

import { isCreatorAccount, isProgramAccount, programAccount } from './accounts.js';
import { encodeEvent } from './interface.js';
import { requireGuardianOrOfficer, requireOfficer } from './officers.js';
import { refuse } from './refusals.js';
import { keccak256, suiteNamed } from './suites.js';
import { laneId as idOf, outcomesGenesis } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {import('./words.js').LaneOpening} LaneOpening */

export const SOURCE = 0;
export const DESTINATION = 1;
const PAUSED = 'paused';
const YES = Buffer.of(1);

/**
 * @typedef {object} Caps
 * @property {number} maxPayload bytes
 * @property {number} maxGas
 * @property {number} maxCallbackGas
 * @property {number} receiverLength bytes, 0 = any from 1 to 64
 * @property {number} windowSeconds
 * @property {number} windowLimit executions in a window, at the destination
 */

/**
 * @typedef {object} Lane
 * @property {Buffer} id 32 bytes
 * @property {number} end
 * @property {import('./suites.js').Suite} suite
 * @property {Caps} caps
 * @property {boolean} closed
 * @property {boolean} paused
 * @property {boolean} abandoned
 * @property {Buffer} verifier
 * @property {number} verifierChanges
 * @property {Buffer} peerCodeHash 32 bytes
 * @property {Buffer} peerGateway
 */

/** Keys of a lane's state; `headKey` is part of the protocol (docs/light-clients/fabric.md). @param {Buffer} id */
const laneKey = (id) => `lane~${id.toString('hex')}`;
/** @param {number} direction 0 outbox, 1 outcomes @param {Buffer} id */
export const headKey = (direction, id) => `head~${direction}~${id.toString('hex')}`;
/** What was consumed: the inbox at a destination, the settled outcomes at a source. @param {Buffer} id */
export const consumedHeadKey = (id) => `consumed~${id.toString('hex')}`;
/** @param {Buffer} id @param {Buffer} account */
export const senderKey = (id, account) => `sender~${id.toString('hex')}~${account.toString('hex')}`;
/** @param {Buffer} id @param {Buffer} account */
const receiverKey = (id, account) => `receiver~${id.toString('hex')}~${account.toString('hex')}`;

/** @param {Call} call @param {Lane} lane */
export function putLane(call, { id, suite, verifier, peerCodeHash, peerGateway, ...rest }) {
  call.state.putRecord(laneKey(id), {
    suite: suite.name,
    verifier: verifier.toString('hex'),
    peerCodeHash: peerCodeHash.toString('hex'),
    peerGateway: peerGateway.toString('hex'),
    ...rest,
  });
}

/** @param {Call} call @param {Buffer} id @returns {Promise<Lane | null>} */
export async function findLane(call, id) {
  const record = await call.state.record(laneKey(id));
  if (record === null) return null;
  return {
    ...record,
    id,
    suite: suiteNamed(record.suite),
    verifier: Buffer.from(record.verifier, 'hex'),
    peerCodeHash: Buffer.from(record.peerCodeHash, 'hex'),
    peerGateway: Buffer.from(record.peerGateway, 'hex'),
  };
}

/** @param {Call} call @param {Buffer} id @returns {Promise<Lane>} */
export const knownLane = async (call, id) => (await findLane(call, id)) ?? refuse('UnknownLane', id);

/** @param {Call} call @param {Buffer} id @param {number} end @returns {Promise<Lane>} the lane, if it has that end here */
export async function laneAt(call, id, end) {
  const lane = await knownLane(call, id);
  requireEnd(lane, end);
  return lane;
}

/** @param {Lane} lane @param {number} end */
export function requireEnd(lane, end) {
  if (lane.end !== end) refuse('WrongEnd', lane.id);
}

/** @param {Call} call */
export async function requireNotPaused(call) {
  if ((await call.state.get(PAUSED)) !== null) refuse('GatewayPaused');
}

/** @param {Call} call @returns {Promise<any[]>} */
export const paused = async (call) => [(await call.state.get(PAUSED)) !== null];

/** @param {Call} call @param {LaneOpening} opening */
function checkOpening(call, opening) {
  if (opening.end > DESTINATION) refuse('UnknownEnd', opening.end);
  if (suiteNamed(opening.suite) === undefined) refuse('UnknownSuite', opening.suite);
  const sized = [opening.hub, opening.channel, opening.sourceGateway, opening.destinationGateway]
    .map((name) => Buffer.from(name).length)
    .every((length) => length >= 1 && length <= 64);
  const words = [opening.sourceChain, opening.destinationChain, opening.peerCodeHash];
  if (!sized || words.some((word) => word.equals(Buffer.alloc(32)))) refuse('OpeningMalformed');
  const { chainWord, name } = call.settings;
  const own = (chain, gateway) => chain.equals(chainWord) && gateway.equals(Buffer.from(name));
  const source = own(opening.sourceChain, opening.sourceGateway);
  const destination = own(opening.destinationChain, opening.destinationGateway);
  if (source && destination) refuse('LaneToItself');
  if (opening.end === SOURCE ? !source : !destination) refuse('NotOurEnd');
}

/** The one verifier here is the committee in this chaincode. @param {Call} call @param {Buffer} verifier */
function requireVerifier(call, verifier) {
  if (!verifier.equals(Buffer.from(call.settings.name))) refuse('VerifierUnfit', verifier);
}

/** @param {Caps} caps */
function checkCaps(caps) {
  if (caps.maxPayload === 0 || caps.windowSeconds === 0 || caps.windowLimit === 0 || caps.receiverLength > 64) {
    refuse('CapsMalformed');
  }
}

/** Action. @param {Call} call @param {any[]} values */
export async function openLane(call, [opening, caps]) {
  checkOpening(call, opening);
  const suite = suiteNamed(opening.suite);
  const id = idOf(suite, opening);
  if ((await findLane(call, id)) !== null) refuse('LaneExists', id);
  requireVerifier(call, opening.verifier);
  checkCaps(caps);
  const { end, verifier, peerCodeHash } = opening;
  const peerGateway = end === SOURCE ? opening.destinationGateway : opening.sourceGateway;
  const flags = { closed: false, paused: false, abandoned: false, verifierChanges: 0 };
  putLane(call, { id, suite, end, verifier, peerCodeHash, peerGateway, caps, ...flags });
  const genesis = outcomesGenesis(suite, id);
  call.state.put(headKey(end, id), end === SOURCE ? id : genesis);
  call.state.put(consumedHeadKey(id), end === SOURCE ? genesis : id);
  const { hub, sourceChain, sourceGateway, destinationChain, destinationGateway, channel } = opening;
  const names = [hub, sourceChain, sourceGateway, destinationChain, destinationGateway, channel];
  call.logs.push(encodeEvent('LaneOpened', [id, end, ...names, verifier, peerCodeHash]));
  call.logs.push(encodeEvent('CapsChanged', [id, caps]));
}

/** Action. @param {Call} call @param {any[]} values */
export async function setCaps(call, [id, caps]) {
  const lane = await knownLane(call, id);
  checkCaps(caps);
  putLane(call, { ...lane, caps });
  call.logs.push(encodeEvent('CapsChanged', [id, caps]));
}

/** Action. @param {Call} call @param {any[]} values */
export async function allowSender(call, [id, account, limit]) {
  await laneAt(call, id, SOURCE);
  if (!isCreatorAccount(account) && !isProgramAccount(account)) refuse('AccountUnfit', account);
  if (limit === 0) refuse('LimitZero');
  putSenderLimit(call, id, account, limit);
}

/** @param {Call} call @param {Buffer} id @param {Buffer} account @param {number} limit */
function putSenderLimit(call, id, account, limit) {
  call.state.put(senderKey(id, account), Buffer.from(String(limit)));
  call.logs.push(encodeEvent('SenderLimitChanged', [id, account, limit]));
}

/** @param {Call} call @param {Buffer} id @param {Buffer} account @returns {Promise<number>} messages a window; 0 is denied */
export const senderLimit = async (call, id, account) =>
  Number((await call.state.get(senderKey(id, account)))?.toString() ?? 0);

/** @param {Call} call @param {Buffer} id @param {Buffer} account @returns {Promise<boolean>} */
export const receiverAllowed = async (call, id, account) =>
  (await call.state.get(receiverKey(id, account))) !== null;

/** Action. A message never targets this gateway or its committee. @param {Call} call @param {any[]} values */
export async function allowReceiver(call, [id, account]) {
  await laneAt(call, id, DESTINATION);
  const own = account.equals(programAccount(call.settings.name));
  if (!isProgramAccount(account) || own || (await receiverAllowed(call, id, account))) refuse('AccountUnfit', account);
  call.state.put(receiverKey(id, account), YES);
  call.logs.push(encodeEvent('ReceiverChanged', [id, account, true]));
}

/** Action. @param {Call} call @param {any[]} values */
export async function setVerifier(call, [id, verifier]) {
  const lane = await knownLane(call, id);
  requireVerifier(call, verifier);
  putLane(call, { ...lane, verifier, verifierChanges: lane.verifierChanges + 1 });
  call.logs.push(encodeEvent('VerifierChanged', [id, verifier]));
}

/** Action. @param {Call} call */
export function unpause(call) {
  call.state.delete(PAUSED);
  call.logs.push(encodeEvent('PauseChanged', [false]));
}

/** Action. @param {Call} call @param {any[]} values */
export async function unpauseLane(call, [id]) {
  putLane(call, { ...(await knownLane(call, id)), paused: false });
  call.logs.push(encodeEvent('LanePauseChanged', [id, false]));
}

/** Action. @param {Call} call @param {any[]} values */
export async function closeLane(call, [id]) {
  const lane = await knownLane(call, id);
  if (lane.closed) refuse('LaneIsClosed', id);
  putLane(call, { ...lane, closed: true });
  call.logs.push(encodeEvent('LaneClosed', [id]));
}

/** Action. @param {Call} call @param {any[]} values */
export async function abandonLane(call, [id]) {
  const lane = await knownLane(call, id);
  if (!lane.closed) refuse('LaneNotClosed', id);
  putLane(call, { ...lane, abandoned: true });
  call.logs.push(encodeEvent('LaneAbandoned', [id]));
}

/** @param {Call} call @returns {Promise<any[]>} */
export async function pause(call) {
  await requireGuardianOrOfficer(call);
  call.state.put(PAUSED, YES);
  call.logs.push(encodeEvent('PauseChanged', [true]));
  return [];
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function pauseLane(call, [id]) {
  await requireGuardianOrOfficer(call);
  putLane(call, { ...(await knownLane(call, id)), paused: true });
  call.logs.push(encodeEvent('LanePauseChanged', [id, true]));
  return [];
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function lowerCaps(call, [id, caps]) {
  await requireOfficer(call);
  const lane = await knownLane(call, id);
  const lowered = ['maxPayload', 'maxGas', 'maxCallbackGas', 'windowLimit'].every((name) => caps[name] <= lane.caps[name]);
  const kept = ['windowSeconds', 'receiverLength'].every((name) => caps[name] === lane.caps[name]);
  if (!lowered || !kept) refuse('CapsNotLower');
  await setCaps(call, [id, caps]);
  return [];
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function lowerSenderLimit(call, [id, account, limit]) {
  await requireOfficer(call);
  await laneAt(call, id, SOURCE);
  const present = await senderLimit(call, id, account);
  if (limit >= present) refuse('LimitNotLower', present);
  putSenderLimit(call, id, account, limit);
  return [];
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function denyReceiver(call, [id, account]) {
  await requireOfficer(call);
  await laneAt(call, id, DESTINATION);
  if (!(await receiverAllowed(call, id, account))) refuse('AccountUnfit', account);
  call.state.delete(receiverKey(id, account));
  call.logs.push(encodeEvent('ReceiverChanged', [id, account, false]));
  return [];
}

/** @param {Lane} lane @param {Buffer} strikes the committee's own generation @returns {Buffer} 32 bytes; voids older anchors */
export const generationOf = (lane, strikes) => {
  const changes = Buffer.alloc(32);
  changes.writeUInt32BE(lane.verifierChanges, 28);
  return keccak256(Buffer.concat([changes, strikes]));
};
