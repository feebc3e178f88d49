/**
 * What anybody may ask. Source: IGateway in Interfaces.sol.
 */

import { programAccount } from './accounts.js';
import { anchored, generation, probe } from './claims.js';
import { COMMITTEE_VIEWS } from './committee.js';
import { consumedCount } from './inbox.js';
import { SOURCE, consumedHeadKey, findLane, headKey, paused, receiverAllowed, senderLimit } from './lanes.js';
import { loggedAnchor } from './log_anchors.js';
import { guardian, officers, proposal, proposals } from './officers.js';
import { sentCount, ticket } from './outbox.js';
import { refuse } from './refusals.js';
import { callbackFailed } from './settlement.js';
import { suiteNamed } from './suites.js';
import { laneId } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {(call: Call, values: any[]) => Promise<any[]>} View */

const ZERO_WORD = Buffer.alloc(32);
const NO_CAPS = { maxPayload: 0, maxGas: 0, maxCallbackGas: 0, receiverLength: 0, windowSeconds: 0, windowLimit: 0 };
const NO_LANE = {
  opened: false,
  end: 0,
  closed: false,
  paused: false,
  abandoned: false,
  verifier: Buffer.alloc(0),
  peerCodeHash: ZERO_WORD,
  peerGateway: Buffer.alloc(0),
  caps: NO_CAPS,
  sent: 0n,
  settled: 0n,
  delivered: 0n,
  verifierChanges: 0,
  generation: ZERO_WORD,
};

/** @type {View} */
async function lane(call, [id]) {
  const found = await findLane(call, id);
  if (found === null) return [NO_LANE];
  const consumed = await consumedCount(call, id);
  const counts =
    found.end === SOURCE
      ? { sent: await sentCount(call, id), settled: consumed, delivered: 0n }
      : { sent: 0n, settled: 0n, delivered: consumed };
  return [{ ...found, ...counts, opened: true, generation: await generation(call, found) }];
}

/** @type {View} */
async function heads(call, [id]) {
  const found = await findLane(call, id);
  if (found === null) return [ZERO_WORD, ZERO_WORD, ZERO_WORD, ZERO_WORD];
  const proved = await call.state.get(headKey(found.end, id));
  const consumed = await call.state.get(consumedHeadKey(id));
  return found.end === SOURCE ? [proved, ZERO_WORD, ZERO_WORD, consumed] : [ZERO_WORD, proved, consumed, ZERO_WORD];
}

/** @type {Record<string, View>} */
export const VIEWS = {
  ...COMMITTEE_VIEWS,
  anchored,
  callbackFailed,
  guardian,
  heads,
  lane,
  loggedAnchor,
  officers,
  paused,
  probe,
  proposal,
  proposals,
  ticket,
  applicationAccount: async (_call, [name]) => [programAccount(name)],
  chainWord: async (call) => [call.settings.chainWord],
  delaySeconds: async (call) => [call.settings.delaySeconds],
  laneIdOf: async (_call, [opening]) => [
    laneId(suiteNamed(opening.suite) ?? refuse('UnknownSuite', opening.suite), opening),
  ],
  minimumExpirySeconds: async (call) => [call.settings.minimumExpirySeconds],
  nowSeconds: async (call) => [call.now],
  receiverAllowed: async (call, [id, account]) => [await receiverAllowed(call, id, account)],
  sentData: async () => [Buffer.alloc(0)], // events are whole here: what was sent is in MessageSent
  senderLimit: async (call, [id, account]) => [await senderLimit(call, id, account)],
};
