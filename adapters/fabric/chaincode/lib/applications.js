/**
 * Applications that live in this chaincode. Each writes only through a layer of its own, dropped if it fails.
 *
 * An application is an object with a `name` and any of
 * - `onMessage(store, {laneId, messageId, sender, payload})` → bytes, what it answers;
 * - `onOutcome(store, {laneId, messageId, status, result})`, for the messages that it sent;
 * - `onCall(store, {caller, data, send})` → bytes, for whoever calls it; `send(message)` gives the ticket.
 * It refuses by throwing `ApplicationRefusal`. `store` has `get`, `put` and `delete` of bytes by a key of its own.
 */

import { programAccount } from './accounts.js';
import { encodeError } from './interface.js';
import { PeerFailure } from './state.js';

/** @typedef {import('./settings.js').Call} Call */

/**
 * @typedef {object} Application
 * @property {string} name
 * @property {(store: ApplicationStore, message: {laneId: Buffer, messageId: Buffer, sender: Buffer, payload: Buffer}) => Promise<Uint8Array> | Uint8Array} [onMessage]
 * @property {(store: ApplicationStore, outcome: {laneId: Buffer, messageId: Buffer, status: number, result: Buffer}) => Promise<void> | void} [onOutcome]
 * @property {(store: ApplicationStore, call: {caller: Buffer, data: Buffer, send: Function}) => Promise<Uint8Array> | Uint8Array} [onCall]
 */

const NOTHING = Buffer.alloc(0);
/** Stands before every value: so none is empty, and none is a JSON object, which CouchDB would give back in other words. */
const MARK = Buffer.of(0);
/** No name is the beginning of another's keys. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A refusal on purpose: its text is part of the outcome, alike at every endorser. */
export class ApplicationRefusal extends Error {
  /** @returns {Buffer} as Solidity's `revert` with a text gives it */
  get data() {
    return encodeError('Error', [this.message]);
  }
}

/** What an application may keep. */
export class ApplicationStore {
  /** @param {import('./state.js').State} state @param {string} name */
  constructor(state, name) {
    /** @private */
    this.state = state;
    /** @private */
    this.prefix = `application~${name}~`;
  }

  /** @param {string} key @returns {Promise<Buffer | null>} null where there is nothing */
  async get(key) {
    const kept = await this.state.get(this.prefix + key);
    return kept === null ? null : kept.subarray(MARK.length);
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    this.state.put(this.prefix + key, Buffer.concat([MARK, value]));
  }

  /** @param {string} key */
  delete(key) {
    this.state.delete(this.prefix + key);
  }
}

/** The applications of a chaincode, by account and by name. */
export class Applications {
  /** @param {Application[]} listed */
  constructor(listed) {
    const names = listed.map(({ name }) => name);
    if (new Set(names).size !== names.length || !names.every((name) => NAME.test(name))) {
      throw new Error('applications have different names of 1 to 64 letters, digits, - and _; correct the list');
    }
    /** @private */
    this.byAccount = new Map(listed.map((item) => [programAccount(item.name).toString('hex'), item]));
    /** @private */
    this.byName = new Map(listed.map((item) => [item.name, item]));
  }

  /** @param {Uint8Array} account @returns {Application | undefined} */
  at(account) {
    return this.byAccount.get(Buffer.from(account).toString('hex'));
  }

  /** @param {string} name @returns {Application | undefined} */
  named(name) {
    return this.byName.get(name);
  }
}

/**
 * Runs a part of an application; its writes stay only if it ends well.
 * @param {Call} call
 * @param {string} name of the application
 * @param {(store: ApplicationStore) => any} run
 * @returns {Promise<{success: boolean, output: Buffer}>} what it returned, or why it refused. An accident has no text: engines
 *   word it differently, and every endorser must come to the same bytes.
 */
export async function runApplication(call, name, run) {
  const layer = call.state.layer();
  try {
    const output = await run(new ApplicationStore(layer, name));
    call.state.adopt(layer);
    return { success: true, output: Buffer.from(output ?? NOTHING) };
  } catch (error) {
    if (error instanceof PeerFailure) throw error;
    return { success: false, output: error instanceof ApplicationRefusal ? error.data : NOTHING };
  }
}
