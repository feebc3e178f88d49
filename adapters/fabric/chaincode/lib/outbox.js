/**
 * The source end: `send` writes the message under a key of its own and gives a ticket, the transaction's id; `seal` names
 * tickets, gives nonces in order of their age and folds them into the head. So senders do not conflict with one another.
 * Source: docs/protocol.md, sections What a gateway does (1) and Ledgers that are unlike Ethereum; Outbox.sol.
 */

import { encodeEvent } from './interface.js';
import { SOURCE, findLane, headKey, requireNotPaused, senderLimit } from './lanes.js';
import { Refusal, refuse } from './refusals.js';
import { fold, messageId } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {import('./lanes.js').Lane} Lane */

/**
 * @typedef {object} Ticket
 * @property {Buffer} id the transaction's, 32 bytes
 * @property {bigint} seconds Unix seconds of the transaction
 * @property {number} nanos
 * @property {Buffer} sender
 * @property {Buffer} receiver
 * @property {Buffer} payload
 * @property {bigint} gasLimit
 * @property {bigint} callbackGas
 * @property {bigint} expiresAt Unix seconds, 0 = never
 */

/** @typedef {{receiver: Buffer, payload: Buffer, gasLimit: bigint, callbackGas: bigint, expiresAt: bigint}} Draft */

const WAITING = 1;
const SEALED = 2;

/** @param {Buffer} lane its id @param {Buffer} ticket */
const ticketKey = (lane, ticket) => `ticket~${lane.toString('hex')}~${ticket.toString('hex')}`;
/** @param {Buffer} lane its id */
const sentKey = (lane) => `sent~${lane.toString('hex')}`;
/** Whose message has a nonce. @param {Buffer} lane its id @param {bigint} nonce */
const nonceKey = (lane, nonce) => `nonce~${lane.toString('hex')}~${nonce}`;
/** @param {Buffer} lane its id @param {Buffer} sender */
const usedKey = (lane, sender) => `used~${lane.toString('hex')}~${sender.toString('hex')}`;

/** @param {Call} call @param {Buffer} lane its id @returns {Promise<bigint>} messages that have a nonce */
export const sentCount = async (call, lane) => BigInt((await call.state.get(sentKey(lane)))?.toString() ?? 0);

/**
 * The counter is not read where this is enough: a settlement would conflict with every seal in its block.
 * @param {Call} call
 * @param {Buffer} lane its id
 * @param {bigint} nonce
 * @returns {Promise<boolean>} whether a message has that nonce
 */
export const wasSent = async (call, lane, nonce) => (await call.state.get(nonceKey(lane, nonce))) !== null;

/** @param {Call} call @param {Buffer} id @returns {Promise<Lane>} a lane that takes messages */
async function openLane(call, id) {
  await requireNotPaused(call);
  const lane = (await findLane(call, id)) ?? refuse('UnknownLane', id);
  if (lane.end !== SOURCE) refuse('WrongEnd', id);
  if (lane.closed) refuse('LaneIsClosed', id);
  if (lane.paused) refuse('LanePaused', id);
  return lane;
}

/** @param {Call} call @param {Lane} lane @param {Buffer} sender @param {Draft} draft */
function checkDraft(call, lane, sender, { receiver, payload, gasLimit, callbackGas }) {
  const { maxPayload, maxGas, maxCallbackGas, receiverLength } = lane.caps;
  if (payload.length > maxPayload) refuse('PayloadTooLarge', payload.length, maxPayload);
  if (gasLimit > maxGas) refuse('GasLimitTooHigh', gasLimit, maxGas);
  if (callbackGas > maxCallbackGas) refuse('CallbackGasTooHigh', callbackGas, maxCallbackGas);
  if (callbackGas !== 0n && call.applications.at(sender)?.onOutcome === undefined) refuse('CallbackWithoutCode', sender);
  const fits = receiverLength === 0 ? receiver.length >= 1 && receiver.length <= 64 : receiver.length === receiverLength;
  if (!fits) refuse('ReceiverForm', receiver.length);
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} the ticket */
export async function send(call, [id, receiver, payload, gasLimit, callbackGas, expiresAt]) {
  return [await draw(call, call.caller, id, { receiver, payload, gasLimit, callbackGas, expiresAt })];
}

/**
 * @param {Call} call
 * @param {Buffer} sender
 * @param {Buffer} id of the lane
 * @param {Draft} draft
 * @returns {Promise<Buffer>} the ticket
 */
export async function draw(call, sender, id, draft) {
  const lane = await openLane(call, id);
  checkDraft(call, lane, sender, draft);
  const earliest = call.now + call.settings.minimumExpirySeconds;
  if (draft.expiresAt !== 0n && draft.expiresAt < earliest) refuse('ExpiresTooSoon', earliest);
  if ((await senderLimit(call, id, sender)) === 0) refuse('SenderNotAllowed', id, sender);
  const { transaction, seconds, nanos } = call.proposal;
  if ((await call.state.get(ticketKey(id, transaction))) !== null) refuse('TicketTaken', transaction);
  const { receiver, payload, gasLimit, callbackGas, expiresAt } = draft;
  call.state.putRecord(ticketKey(id, transaction), {
    state: WAITING,
    seconds: seconds.toString(),
    nanos,
    sender: sender.toString('hex'),
    receiver: receiver.toString('hex'),
    payload: payload.toString('base64'),
    gasLimit: gasLimit.toString(),
    callbackGas: callbackGas.toString(),
    expiresAt: expiresAt.toString(),
  });
  const fields = [sender, receiver, expiresAt, gasLimit, callbackGas, payload];
  call.logs.push(encodeEvent('MessageTicketed', [id, transaction, ...fields]));
  return transaction;
}

/**
 * Seals what waits and fits; what is over a sender's limit, or not allowed any more, goes on waiting and stops nobody else.
 * @param {Call} call
 * @param {any[]} values
 * @returns {Promise<any[]>} how many were sealed
 */
export async function seal(call, [id, names]) {
  const lane = await openLane(call, id);
  const waiting = await readWaiting(call, id, names);
  if (waiting.length === 0) refuse('NothingToSeal');
  const first = await sentCount(call, id);
  let head = await call.state.get(headKey(SOURCE, id));
  let nonce = first;
  let reason = null;
  for (const ticket of waiting) {
    const refusal = await refusalOf(() => admit(call, lane, ticket));
    if (refusal !== null) {
      reason ??= refusal;
      continue;
    }
    nonce += 1n;
    head = sealOne(call, lane, { ticket, nonce, head });
  }
  if (nonce === first) throw reason;
  call.state.put(headKey(SOURCE, id), head);
  call.state.put(sentKey(id), Buffer.from(nonce.toString()));
  return [nonce - first];
}

/** @param {() => Promise<void>} step @returns {Promise<Refusal | null>} */
async function refusalOf(step) {
  try {
    await step();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** @param {Call} call @param {Buffer} id @param {Buffer[]} names @returns {Promise<Ticket[]>} those that wait, the oldest first */
async function readWaiting(call, id, names) {
  const waiting = [];
  const seen = new Set();
  for (const name of names) {
    if (seen.has(name.toString('hex'))) refuse('TicketRepeated', name);
    seen.add(name.toString('hex'));
    const record = (await call.state.record(ticketKey(id, name))) ?? refuse('UnknownTicket', name);
    if (record.state === WAITING) waiting.push(parseTicket(name, record));
  }
  return waiting.sort(byAge);
}

/** @param {Ticket} one @param {Ticket} other @returns {number} */
function byAge(one, other) {
  if (one.seconds !== other.seconds) return one.seconds < other.seconds ? -1 : 1;
  return one.nanos - other.nanos || Buffer.compare(one.id, other.id);
}

/** @param {Buffer} id @param {any} record @returns {Ticket} */
const parseTicket = (id, record) => ({
  id,
  seconds: BigInt(record.seconds),
  nanos: record.nanos,
  sender: Buffer.from(record.sender, 'hex'),
  receiver: Buffer.from(record.receiver, 'hex'),
  payload: Buffer.from(record.payload, 'base64'),
  gasLimit: BigInt(record.gasLimit),
  callbackGas: BigInt(record.callbackGas),
  expiresAt: BigInt(record.expiresAt),
});

/** Counts a message of the sender in the present window. @param {Call} call @param {Lane} lane @param {Ticket} ticket */
async function admit(call, lane, ticket) {
  checkDraft(call, lane, ticket.sender, ticket);
  const limit = await senderLimit(call, lane.id, ticket.sender);
  if (limit === 0) refuse('SenderNotAllowed', lane.id, ticket.sender);
  const key = usedKey(lane.id, ticket.sender);
  const { window, used } = await presentWindow(call, key, lane.caps.windowSeconds);
  if (used >= limit) refuse('SenderLimitReached', lane.id, ticket.sender, windowEnd(window, lane));
  call.state.putRecord(key, { window, used: used + 1, seconds: lane.caps.windowSeconds });
}

/**
 * Clients write the time of a transaction, so a window that has begun is never left for an earlier one.
 * @param {Call} call
 * @param {string} key
 * @param {number} length seconds of a window
 * @returns {Promise<{window: number, used: number}>} the window's number and what was counted in it
 */
export async function presentWindow(call, key, length) {
  const kept = await call.state.record(key);
  const window = Number(call.now / BigInt(length));
  if (kept === null || kept.seconds !== length || kept.window < window) return { window, used: 0 };
  return { window: kept.window, used: kept.used };
}

/** @param {number} window @param {Lane} lane @returns {bigint} Unix seconds from which the next one runs */
export const windowEnd = (window, lane) => BigInt(window + 1) * BigInt(lane.caps.windowSeconds);

/** @param {Call} call @param {Lane} lane @param {{ticket: Ticket, nonce: bigint, head: Buffer}} step @returns {Buffer} next head */
function sealOne(call, lane, { ticket, nonce, head }) {
  const { sender, receiver, expiresAt, gasLimit, callbackGas, payload } = ticket;
  const lengths = { payloadLength: BigInt(payload.length), payloadHash: lane.suite.hash(payload) };
  const id = messageId(lane.suite, lane.id, { ...ticket, nonce, ...lengths });
  const next = fold(lane.suite, head, id);
  const record = { state: SEALED, nonce: nonce.toString(), messageId: id.toString('hex') };
  call.state.putRecord(ticketKey(lane.id, ticket.id), record);
  call.state.put(nonceKey(lane.id, nonce), ticket.id);
  const fields = [sender, receiver, expiresAt, gasLimit, callbackGas, payload];
  call.logs.push(encodeEvent('MessageSent', [lane.id, nonce, id, next, ...fields]));
  return next;
}

/** View. @param {Call} call @param {any[]} values @returns {Promise<any[]>} state (0 unknown, 1 waiting, 2 sealed), nonce, message id */
export async function ticket(call, [id, name]) {
  const record = (await call.state.record(ticketKey(id, name))) ?? { state: 0 };
  if (record.state !== SEALED) return [record.state, 0n, Buffer.alloc(32)];
  return [SEALED, BigInt(record.nonce), Buffer.from(record.messageId, 'hex')];
}
