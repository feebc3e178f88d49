/**
 * Believing a claim: by the committee, or because its head is anchored in the present generation.
 * Source: docs/protocol.md, sections The lane digest and What a gateway does (4); Claims.sol.
 */

import { committeeGeneration, verifyCommittee } from './committee.js';
import { encodeEvent } from './interface.js';
import { DESTINATION, generationOf, knownLane, requireNotPaused } from './lanes.js';
import { refuse } from './refusals.js';
import { foldAll } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {import('./words.js').Claim} Claim */

const OUTBOX = 0;
const OUTCOMES = 1;
const ZERO_WORD = Buffer.alloc(32);

/** @param {Buffer} id @param {Buffer} head */
const anchorKey = (id, head) => `anchor~${id.toString('hex')}~${head.toString('hex')}`;

/** The direction that this end consumes. @param {Lane} lane */
const consumedDirection = (lane) => (lane.end === DESTINATION ? OUTBOX : OUTCOMES);

/** The door of deliver, settle, anchor and retry. @param {Call} call @param {Buffer} id @returns {Promise<Lane>} */
export async function relayedLane(call, id) {
  await requireNotPaused(call);
  const lane = await knownLane(call, id);
  if (lane.paused) refuse('LanePaused', id);
  return lane;
}

/** @param {Call} call @param {Lane} lane @returns {Promise<Buffer>} 32 bytes */
export const generation = async (call, lane) => generationOf(lane, await committeeGeneration(call));

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function anchor(call, [id, direction, head, ids, claim, proof]) {
  const lane = await relayedLane(call, id);
  if (direction !== consumedDirection(lane)) refuse('WrongDirection', direction);
  if (head.equals(ZERO_WORD)) refuse('HeadZero');
  requireHead(foldAll(lane.suite, head, ids), claim);
  await believe(call, lane, claim, proof);
  const present = await generation(call, lane);
  call.state.put(anchorKey(id, head), present);
  call.logs.push(encodeEvent('Anchored', [id, direction, head, present]));
  return [];
}

/** View. @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function probe(call, [id, claim, proof]) {
  const lane = await knownLane(call, id);
  requirePlace(lane, claim);
  return [await verify(call, lane, claim, proof)];
}

/** View. @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function anchored(call, [id, head]) {
  const lane = await knownLane(call, id);
  return [await isAnchored(call, lane, head)];
}

/** @param {Call} call @param {Lane} lane @param {Buffer} head @returns {Promise<boolean>} */
async function isAnchored(call, lane, head) {
  const kept = await call.state.get(anchorKey(lane.id, head));
  return kept !== null && kept.equals(await generation(call, lane));
}

/**
 * What deliver and settle require of a claim: the entries fold to its head, the nonce derived is its nonce, and it is believed.
 * An anchor is deleted once it is reached.
 * @param {Call} call
 * @param {Lane} lane
 * @param {{consumed: bigint, head: Buffer}} reached after the entries
 * @param {{suffixIds: Buffer[], claim: Claim, proof: Buffer}} evidence
 */
export async function consume(call, lane, { consumed, head }, { suffixIds, claim, proof }) {
  requireHead(foldAll(lane.suite, head, suffixIds), claim);
  const derived = consumed + BigInt(suffixIds.length);
  if (claim.nonce !== derived) refuse('ClaimNonceMismatch', derived, claim.nonce);
  await believe(call, lane, claim, proof);
  if (proof.length === 0 && suffixIds.length === 0) call.state.delete(anchorKey(lane.id, claim.head));
}

/** @param {Call} call @param {Lane} lane @param {Claim} claim @param {Buffer} proof */
async function believe(call, lane, claim, proof) {
  requirePlace(lane, claim);
  if (proof.length === 0) {
    if (!(await isAnchored(call, lane, claim.head))) refuse('NotAnchored', lane.id, claim.head);
  } else {
    await verify(call, lane, claim, proof);
  }
}

/** @param {Call} call @param {Lane} lane @param {Claim} claim @param {Buffer} proof @returns {Promise<boolean>} */
const verify = (call, lane, claim, proof) =>
  verifyCommittee(call, lane.suite.hash(Buffer.from(call.settings.name)), claim, proof);

/** @param {Lane} lane @param {Claim} claim */
function requirePlace(lane, claim) {
  if (!claim.laneId.equals(lane.id)) refuse('ClaimForAnotherLane', claim.laneId);
  if (claim.direction !== consumedDirection(lane)) refuse('WrongDirection', claim.direction);
}

/** @param {Buffer} folded @param {Claim} claim */
function requireHead(folded, claim) {
  if (!folded.equals(claim.head)) refuse('HeadMismatch', folded, claim.head);
}
