/**
 * The source end again: settle and retry. A callback that fails is kept and never stops the settlement.
 * Source: docs/protocol.md, section What a gateway does (3); Settlement.sol.
 */

import { runApplication } from './applications.js';
import { consume, relayedLane } from './claims.js';
import { consumedCount, moveConsumed, newEntries } from './inbox.js';
import { encodeEvent } from './interface.js';
import { SOURCE, consumedHeadKey, requireEnd } from './lanes.js';
import { sentCount, wasSent } from './outbox.js';
import { refuse } from './refusals.js';
import { fold, messageId, outcomeId } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {{message: import('./words.js').Message, status: number, result: Buffer}} Settled */

const SETTLED = 3;
const RESULT_BYTES = 256;

/** @param {Buffer} outcome an outcome id */
const failedKey = (outcome) => `failed~${outcome.toString('hex')}`;

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function settle(call, [id, settled, suffixIds, claim, proof]) {
  const lane = await relayedLane(call, id);
  requireEnd(lane, SOURCE);
  let consumed = await consumedCount(call, id);
  let head = await call.state.get(consumedHeadKey(id));
  const entries = newEntries(settled, (entry) => entry.message.nonce, consumed);
  const named = [];
  for (const entry of entries) {
    consumed += 1n;
    if (entry.message.nonce !== consumed) refuse('NonceGap', consumed, entry.message.nonce);
    named.push(idsOf(lane, entry));
    head = fold(lane.suite, head, named.at(-1).outcome);
  }
  await consume(call, lane, { consumed, head }, { suffixIds, claim, proof });
  if (!(await wasSent(call, id, claim.nonce))) refuse('NeverSent', await sentCount(call, id), claim.nonce);
  moveConsumed(call, id, consumed, head);
  call.logs.push(encodeEvent('HeadMoved', [id, SETTLED, consumed, head]));
  for (const [index, entry] of entries.entries()) await callBackOnce(call, lane, entry, named[index]);
  return [];
}

/** @param {Lane} lane @param {Settled} entry @returns {{message: Buffer, outcome: Buffer}} its ids */
function idsOf(lane, { message, status, result }) {
  if (message.payload.length !== 0) refuse('PayloadGiven', message.nonce);
  if (status === 0 || status > 4 || result.length > RESULT_BYTES) refuse('OutcomeMalformed', message.nonce);
  const id = messageId(lane.suite, lane.id, message);
  return { message: id, outcome: outcomeId(lane.suite, id, status, result) };
}

/** @param {Call} call @param {Lane} lane @param {Settled} entry @param {{message: Buffer, outcome: Buffer}} ids */
async function callBackOnce(call, lane, entry, ids) {
  if (entry.message.callbackGas === 0n || (await callBack(call, lane, entry, ids.message))) return;
  call.state.put(failedKey(ids.outcome), Buffer.of(1));
  call.logs.push(encodeEvent('CallbackFailed', [lane.id, entry.message.nonce, ids.outcome]));
}

/** @param {Call} call @param {Lane} lane @param {Settled} entry @param {Buffer} messageId_ @returns {Promise<boolean>} */
async function callBack(call, lane, { message, status, result }, messageId_) {
  const application = call.applications.at(message.sender);
  if (application?.onOutcome === undefined) return false;
  const outcome = { laneId: lane.id, messageId: messageId_, status, result };
  const { success } = await runApplication(call, application.name, (store) => application.onOutcome(store, outcome));
  return success;
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function retry(call, [id, entry]) {
  const lane = await relayedLane(call, id);
  requireEnd(lane, SOURCE);
  const ids = idsOf(lane, entry);
  if (!(await callbackFailed(call, [ids.outcome]))[0]) refuse('NothingToRetry', ids.outcome);
  call.state.delete(failedKey(ids.outcome));
  if (!(await callBack(call, lane, entry, ids.message))) refuse('CallbackFailedAgain', ids.outcome);
  call.logs.push(encodeEvent('CallbackRetried', [id, entry.message.nonce, ids.outcome]));
  return [];
}

/** View. @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export const callbackFailed = async (call, [outcome]) => [(await call.state.get(failedKey(outcome))) !== null];
