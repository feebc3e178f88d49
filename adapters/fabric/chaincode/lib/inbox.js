/**
 * The destination end: `deliver`. Source: docs/protocol.md, section What a gateway does (2); Inbox.sol.
 * A receiver's failure is an outcome, never a jam. There is no gas here: a receiver is a module of this chaincode, trusted to end.
 */

import { encode } from './abi.js';
import { runApplication } from './applications.js';
import { consume, relayedLane } from './claims.js';
import { encodeEvent } from './interface.js';
import { DESTINATION, consumedHeadKey, headKey, receiverAllowed, requireEnd } from './lanes.js';
import { presentWindow, windowEnd } from './outbox.js';
import { refuse } from './refusals.js';
import { fold, messageId, outcomeId } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {import('./lanes.js').Lane} Lane */
/** @typedef {import('./words.js').Message} Message */

const EXECUTED = 1;
const FAILED = 2;
const EXPIRED = 3;
const REFUSED = 4;
const OUTCOMES = 1;
const INBOX = 2;
const RESULT_BYTES = 256;
const ANSWER = [{ name: 'answer', type: 'bytes' }];
const NOTHING = Buffer.alloc(0);

/** @param {Buffer} lane its id */
const consumedKey = (lane) => `progress~${lane.toString('hex')}`;
/** @param {Buffer} lane its id */
const windowKey = (lane) => `window~${lane.toString('hex')}`;

/** @param {Call} call @param {Buffer} lane its id @returns {Promise<bigint>} entries that were consumed at this end */
export const consumedCount = async (call, lane) => BigInt((await call.state.get(consumedKey(lane)))?.toString() ?? 0);

/** @param {Call} call @param {Buffer} lane its id @param {bigint} consumed @param {Buffer} head */
export function moveConsumed(call, lane, consumed, head) {
  call.state.put(consumedKey(lane), Buffer.from(consumed.toString()));
  call.state.put(consumedHeadKey(lane), head);
}

/** @template T @param {T[]} entries @param {(entry: T) => bigint} nonceOf @param {bigint} consumed @returns {T[]} those that are new */
export function newEntries(entries, nonceOf, consumed) {
  const first = entries.findIndex((entry) => nonceOf(entry) > consumed);
  if (first < 0) refuse('NothingNew', consumed);
  return entries.slice(first);
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function deliver(call, [id, messages, suffixIds, claim, proof]) {
  const lane = await relayedLane(call, id);
  requireEnd(lane, DESTINATION);
  let consumed = await consumedCount(call, id);
  let head = await call.state.get(consumedHeadKey(id));
  const batch = newEntries(messages, (message) => message.nonce, consumed);
  const ids = [];
  for (const message of batch) {
    consumed += 1n;
    if (message.nonce !== consumed) refuse('NonceGap', consumed, message.nonce);
    ids.push(messageId(lane.suite, id, message));
    head = fold(lane.suite, head, ids.at(-1));
  }
  await consume(call, lane, { consumed, head }, { suffixIds, claim, proof });
  moveConsumed(call, id, consumed, head);
  call.logs.push(encodeEvent('HeadMoved', [id, INBOX, consumed, head]));
  const outcomes = await runBatch(call, lane, batch, ids);
  call.state.put(headKey(OUTCOMES, id), outcomes);
  call.logs.push(encodeEvent('HeadMoved', [id, OUTCOMES, consumed, outcomes]));
  return [];
}

/** @param {Call} call @param {Lane} lane @param {Message[]} batch @param {Buffer[]} ids @returns {Promise<Buffer>} the outcome head */
async function runBatch(call, lane, batch, ids) {
  let head = await call.state.get(headKey(OUTCOMES, lane.id));
  let calls = 0;
  for (const [index, message] of batch.entries()) {
    const { status, result } = await runMessage(call, lane, message, ids[index]);
    if (status === EXECUTED || status === FAILED) calls += 1;
    head = fold(lane.suite, head, outcomeId(lane.suite, ids[index], status, result));
    call.logs.push(encodeEvent('MessageDelivered', [lane.id, message.nonce, ids[index], status, result]));
  }
  if (calls !== 0) await countWindow(call, lane, calls);
  return head;
}

/** @param {Call} call @param {Lane} lane @param {Message} message @param {Buffer} id @returns {Promise<{status: number, result: Buffer}>} */
async function runMessage(call, lane, message, id) {
  const given = payloadGiven(lane, message);
  if (message.expiresAt !== 0n && call.now >= message.expiresAt) return { status: EXPIRED, result: NOTHING };
  const receiver = await receiverOf(call, lane, message);
  if (receiver === undefined) return { status: REFUSED, result: NOTHING };
  if (!given) refuse('PayloadMissing', message.nonce);
  const { sender, payload } = message;
  const { success, output } = await runApplication(call, receiver.name, async (store) =>
    encode(ANSWER, [await receiver.onMessage(store, { laneId: lane.id, messageId: id, sender, payload })]),
  );
  return { status: success ? EXECUTED : FAILED, result: output.subarray(0, RESULT_BYTES) };
}

/** A payload that is there matches its length and hash. @param {Lane} lane @param {Message} message @returns {boolean} */
function payloadGiven(lane, { nonce, payload, payloadLength, payloadHash }) {
  if (payload.length === 0 && payloadLength !== 0n) return false;
  if (BigInt(payload.length) !== payloadLength || !lane.suite.hash(payload).equals(payloadHash)) {
    refuse('PayloadMismatch', nonce);
  }
  return true;
}

/**
 * @param {Call} call
 * @param {Lane} lane
 * @param {Message} message
 * @returns {Promise<import('./applications.js').Application | undefined>} undefined: over a cap, not allowed, or no application
 */
async function receiverOf(call, lane, message) {
  const { maxGas, maxPayload } = lane.caps;
  if (lane.closed || message.gasLimit > maxGas || message.payloadLength > maxPayload) return undefined;
  if (!(await receiverAllowed(call, lane.id, message.receiver))) return undefined;
  const application = call.applications.at(message.receiver);
  return application?.onMessage === undefined ? undefined : application;
}

/** The lane-wide limit: what was called fits into the window, or the whole delivery waits. @param {Call} call @param {Lane} lane @param {number} calls */
async function countWindow(call, lane, calls) {
  const { windowSeconds, windowLimit } = lane.caps;
  const { window, used } = await presentWindow(call, windowKey(lane.id), windowSeconds);
  if (used + calls > windowLimit) refuse('WindowFull', lane.id, windowEnd(window, lane));
  call.state.putRecord(windowKey(lane.id), { window, used: used + calls, seconds: windowSeconds });
}
