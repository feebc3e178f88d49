/**
 * Two officers, a delay and a guardian. Widening takes two officers and the delay, narrowing one officer at once.
 * Source: docs/protocol.md, section What a gateway does (5); Officers.sol.
 */

import { isCreatorAccount } from './accounts.js';
import { actionOf, decodeArguments, encodeEvent } from './interface.js';
import { refuse } from './refusals.js';
import { keccak256 } from './suites.js';

/** @typedef {import('./settings.js').Call} Call */

const PROPOSED = 1;
const APPROVED = 2;
const EXECUTED = 3;
const CANCELLED = 4;
const OFFICERS = 'officers';
const COUNT = 'proposals';
/** Actions that two officers do without delay; every other one waits. */
const AT_ONCE = new Set(['closeLane', 'replaceGuardian']);
const NOBODY = '';

/** @param {bigint} id */
const proposalKey = (id) => `proposal~${id}`;

/** @param {Call} call @returns {Promise<{officers: string[], guardian: string}>} accounts in hexadecimal */
const readOfficers = (call) => call.state.record(OFFICERS);

/** @param {Call} call @param {Buffer[]} officers @param {Buffer} guardian */
export function appoint(call, officers, guardian) {
  const named = [...officers, guardian];
  const distinct = new Set(named.map((account) => account.toString('hex')));
  if (officers.length < 3 || distinct.size !== named.length || !named.every(isCreatorAccount)) {
    refuse('OfficersMalformed');
  }
  const listed = officers.map((account) => account.toString('hex'));
  call.state.putRecord(OFFICERS, { officers: listed, guardian: guardian.toString('hex') });
}

/** @param {Call} call */
export async function requireOfficer(call) {
  const { officers } = await readOfficers(call);
  if (!officers.includes(call.caller.toString('hex'))) refuse('NotOfficer', call.caller);
}

/** @param {Call} call */
export async function requireGuardianOrOfficer(call) {
  const { officers, guardian } = await readOfficers(call);
  if (![...officers, guardian].includes(call.caller.toString('hex'))) refuse('NotGuardianOrOfficer', call.caller);
}

/** @param {Buffer} action @returns {any[]} its arguments */
function actionArguments(action) {
  const item = actionOf(action) ?? refuse('UnknownAction', selectorOf(action));
  return decodeArguments(item, action);
}

/** @param {Buffer} action @returns {Buffer} four bytes */
const selectorOf = (action) => Buffer.concat([action, Buffer.alloc(4)]).subarray(0, 4);

/** @param {Call} call @param {string} name of the action @param {Buffer} action @returns {Promise<string>} who would be replaced */
async function replacedBy(call, name, action) {
  if (name === 'replaceOfficer') return actionArguments(action)[0].toString('hex');
  return name === 'replaceGuardian' ? (await readOfficers(call)).guardian : NOBODY;
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function propose(call, [action]) {
  await requireOfficer(call);
  const item = actionOf(action) ?? refuse('UnknownAction', selectorOf(action));
  const replaces = await replacedBy(call, item.name, action);
  if (replaces === call.caller.toString('hex')) refuse('ReplacesYou', call.caller);
  const id = (await proposals(call))[0] + 1n;
  call.state.put(COUNT, Buffer.from(id.toString()));
  call.state.putRecord(proposalKey(id), {
    actionHash: keccak256(action).toString('hex'),
    proposer: call.caller.toString('hex'),
    approver: NOBODY,
    replaces,
    delaySeconds: (AT_ONCE.has(item.name) ? 0n : call.settings.delaySeconds).toString(),
    readyAt: '0',
    state: PROPOSED,
  });
  call.logs.push(encodeEvent('Proposed', [id, call.caller, action]));
  return [id];
}

/** @param {Call} call @param {bigint} id @param {number[]} states one of which it must be in @returns {Promise<any>} its record */
async function pending(call, id, states) {
  const record = await call.state.record(proposalKey(id));
  const state = record?.state ?? 0;
  return states.includes(state) ? record : refuse('ProposalState', id, state);
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function approve(call, [id]) {
  await requireOfficer(call);
  const record = await pending(call, id, [PROPOSED]);
  const caller = call.caller.toString('hex');
  if (caller === record.proposer) refuse('SameOfficer', call.caller);
  if (caller === record.replaces) refuse('ReplacesYou', call.caller);
  const readyAt = call.now + BigInt(record.delaySeconds);
  call.state.putRecord(proposalKey(id), { ...record, approver: caller, readyAt: readyAt.toString(), state: APPROVED });
  call.logs.push(encodeEvent('Approved', [id, call.caller, readyAt]));
  return [];
}

/**
 * @param {Call} call
 * @param {any[]} values
 * @param {Record<string, (call: Call, values: any[]) => Promise<void> | void>} actions by name
 * @returns {Promise<any[]>}
 */
export async function execute(call, [id, action], actions) {
  await requireOfficer(call);
  const record = await pending(call, id, [APPROVED]);
  const readyAt = BigInt(record.readyAt);
  if (call.now < readyAt) refuse('TooEarly', readyAt);
  if (keccak256(action).toString('hex') !== record.actionHash) refuse('ActionMismatch', id);
  const { officers } = await readOfficers(call);
  if (![record.proposer, record.approver].every((account) => officers.includes(account))) refuse('ProposalOutdated', id);
  call.state.putRecord(proposalKey(id), { ...record, state: EXECUTED });
  call.logs.push(encodeEvent('Executed', [id, call.caller, action]));
  const { name } = actionOf(action) ?? refuse('UnknownAction', selectorOf(action));
  await actions[name](call, actionArguments(action));
  return [];
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function cancel(call, [id]) {
  await requireGuardianOrOfficer(call);
  const record = await pending(call, id, [PROPOSED, APPROVED]);
  if (call.caller.toString('hex') === record.replaces) refuse('ReplacesYou', call.caller);
  call.state.putRecord(proposalKey(id), { ...record, state: CANCELLED });
  call.logs.push(encodeEvent('Cancelled', [id, call.caller]));
  return [];
}

/** Action. @param {Call} call @param {any[]} values */
export async function replaceOfficer(call, [previous, next]) {
  const { officers, guardian } = await readOfficers(call);
  const place = officers.indexOf(previous.toString('hex'));
  if (place < 0) refuse('OfficersMalformed');
  const listed = officers.map((account) => Buffer.from(account, 'hex'));
  listed[place] = next;
  appoint(call, listed, Buffer.from(guardian, 'hex'));
}

/** Action. @param {Call} call @param {any[]} values */
export async function replaceGuardian(call, [next]) {
  const { officers } = await readOfficers(call);
  appoint(call, officers.map((account) => Buffer.from(account, 'hex')), next);
}

/** View. @param {Call} call @returns {Promise<any[]>} */
export async function proposals(call) {
  return [BigInt((await call.state.get(COUNT))?.toString() ?? 0)];
}

/** View. @param {Call} call @returns {Promise<any[]>} */
export const officers = async (call) => [(await readOfficers(call)).officers.map((text) => Buffer.from(text, 'hex'))];

/** View. @param {Call} call @returns {Promise<any[]>} */
export const guardian = async (call) => [Buffer.from((await readOfficers(call)).guardian, 'hex')];

/** View. @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function proposal(call, [id]) {
  const record = (await call.state.record(proposalKey(id))) ?? { state: 0 };
  const bytes = (text) => Buffer.from(text ?? '', 'hex');
  return [
    {
      actionHash: record.actionHash === undefined ? Buffer.alloc(32) : bytes(record.actionHash),
      proposer: bytes(record.proposer),
      approver: bytes(record.approver),
      replaces: bytes(record.replaces),
      delaySeconds: BigInt(record.delaySeconds ?? 0),
      readyAt: BigInt(record.readyAt ?? 0),
      state: record.state,
    },
  ];
}
