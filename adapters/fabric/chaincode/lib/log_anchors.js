/**
 * Where keepers of evidence logs note how long their log is, and its root: each account its own note, which only grows.
 * Source: docs/protocol.md, section Evidence; LogAnchors.sol.
 */

import { encodeEvent } from './interface.js';
import { refuse } from './refusals.js';

/** @typedef {import('./settings.js').Call} Call */

const ZERO_WORD = Buffer.alloc(32);

/** @param {Buffer} account */
const noteKey = (account) => `log~${account.toString('hex')}`;

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function anchorLog(call, [size, root]) {
  const [before] = await loggedAnchor(call, [call.caller]);
  if (size <= before) refuse('LogNotLonger', before);
  call.state.putRecord(noteKey(call.caller), { size: size.toString(), root: root.toString('hex') });
  call.logs.push(encodeEvent('LogAnchored', [call.caller, size, root]));
  return [];
}

/** View. @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function loggedAnchor(call, [account]) {
  const noted = await call.state.record(noteKey(account));
  return noted === null ? [0n, ZERO_WORD] : [BigInt(noted.size), Buffer.from(noted.root, 'hex')];
}
