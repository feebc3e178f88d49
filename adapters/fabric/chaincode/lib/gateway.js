/**
 * The gateway's functions by name, and the rules that hold for every call:
 * 1. the transient map is empty;
 * 2. the client's time is at most 60 s off this endorser's clock;
 * 3. whatever is no view is called directly: the signed proposal names this chaincode;
 * 4. the arguments are canonical calldata of a function that is known.
 */

import { AbiError, encode } from './abi.js';
import { ApplicationRefusal, ApplicationStore } from './applications.js';
import { programAccount } from './accounts.js';
import { anchor } from './claims.js';
import { addEpoch, strike } from './committee.js';
import { configure } from './configure.js';
import { deliver } from './inbox.js';
import { decodeArguments, functionOf } from './interface.js';
import * as lanes from './lanes.js';
import { anchorLog } from './log_anchors.js';
import * as administration from './officers.js';
import { draw, seal, send } from './outbox.js';
import { refuse } from './refusals.js';
import { findSettings } from './settings.js';
import { retry, settle } from './settlement.js';
import { VIEWS } from './views.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {(call: Call, values: any[]) => Promise<any[]>} Step */

const LARGEST_SKEW_SECONDS = 60n;

/** @type {Record<string, (call: Call, values: any[]) => Promise<void> | void>} */
const ACTIONS = {
  abandonLane: lanes.abandonLane,
  addEpoch,
  allowReceiver: lanes.allowReceiver,
  allowSender: lanes.allowSender,
  closeLane: lanes.closeLane,
  openLane: lanes.openLane,
  replaceGuardian: administration.replaceGuardian,
  replaceOfficer: administration.replaceOfficer,
  setCaps: lanes.setCaps,
  setVerifier: lanes.setVerifier,
  unpause: lanes.unpause,
  unpauseLane: lanes.unpauseLane,
};

/** @type {Record<string, Step>} */
const TRANSACTIONS = {
  anchor,
  anchorLog,
  approve: administration.approve,
  callApplication,
  cancel: administration.cancel,
  deliver,
  denyReceiver: lanes.denyReceiver,
  execute: (call, values) => administration.execute(call, values, ACTIONS),
  lowerCaps: lanes.lowerCaps,
  lowerSenderLimit: lanes.lowerSenderLimit,
  pause: lanes.pause,
  pauseLane: lanes.pauseLane,
  propose: administration.propose,
  retry,
  seal,
  send,
  settle,
  strike,
};

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} what the application answers */
async function callApplication(call, [name, data]) {
  const application = call.applications.named(name);
  if (application?.onCall === undefined) refuse('UnknownApplication', name);
  const store = new ApplicationStore(call.state, name);
  /** @param {{laneId: Buffer} & import('./outbox.js').Draft} message */
  const sendOnce = ({ laneId, ...draft }) => draw(call, programAccount(name), laneId, draft);
  try {
    return [Buffer.from((await application.onCall(store, { caller: call.caller, data, send: sendOnce })) ?? [])];
  } catch (error) {
    if (error instanceof ApplicationRefusal) refuse('Error', error.message);
    throw error;
  }
}

/** @param {import('./proposal.js').Proposal} proposal @param {bigint} clock Unix seconds of this endorser */
function checkProposal(proposal, clock) {
  if (proposal.transient) refuse('TransientNotEmpty');
  const skew = proposal.seconds - clock;
  if (skew > LARGEST_SKEW_SECONDS || skew < -LARGEST_SKEW_SECONDS) refuse('ClockSkew', clampTime(proposal.seconds), clock);
}

/** A client may write a time that no 64-bit integer holds. @param {bigint} seconds @returns {bigint} */
const clampTime = (seconds) => BigInt.asUintN(64, seconds);

/**
 * One call of the gateway: reads and writes go through `state`, events into `logs`.
 * @param {object} parts
 * @param {import('./state.js').State} parts.state
 * @param {import('./proposal.js').Proposal} parts.proposal
 * @param {import('./applications.js').Applications} parts.applications
 * @param {bigint} parts.clock Unix seconds of this endorser
 * @param {string} [parts.expected] SHA-256 of the calldata of `configure` that this organisation agreed to, hexadecimal
 * @param {Buffer} calldata
 * @returns {Promise<{output: Buffer, logs: import('./interface.js').Log[]}>}
 * @throws {import('./refusals.js').Refusal}
 */
export async function perform({ state, proposal, applications, clock, expected }, calldata) {
  checkProposal(proposal, clock);
  const item = functionOf(calldata) ?? refuse('UnknownFunction', Buffer.concat([calldata, Buffer.alloc(4)]).subarray(0, 4));
  const settings = await findSettings(state);
  const call = { state, logs: [], proposal, caller: proposal.creator, now: proposal.seconds, settings, applications };
  try {
    const values = decodeArguments(item, calldata);
    const output = await dispatch(call, item.name, values, { calldata, expected });
    return { output: encode(item.outputs, output), logs: call.logs };
  } catch (error) {
    if (error instanceof AbiError) refuse('CalldataMalformed');
    throw error;
  }
}

/** @param {any} call @param {string} name @param {any[]} values @param {{calldata: Buffer, expected?: string}} told @returns {Promise<any[]>} */
async function dispatch(call, name, values, { calldata, expected }) {
  if (name === 'configure') return configure(call, values, calldata, expected);
  if (call.settings === null) refuse('NotConfigured');
  if (Object.hasOwn(VIEWS, name)) return VIEWS[name](call, values);
  if (call.proposal.chaincode !== call.settings.name) refuse('NotOrigin', call.caller);
  return TRANSACTIONS[name](call, values);
}

/** Every function that `perform` knows, for the test that compares them with abi.json. @type {string[]} */
export const KNOWN_FUNCTIONS = ['configure', ...Object.keys(VIEWS), ...Object.keys(TRANSACTIONS)].sort();

/** Every action that `execute` knows. @type {string[]} */
export const KNOWN_ACTIONS = Object.keys(ACTIONS).sort();
