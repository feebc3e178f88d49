/**
 * An application that sends what it is given, and keeps what became of it: the status and the result by message id.
 * Called with the arguments of the gateway's `send`, or with a message id alone, which asks for its outcome.
 */

import { AbiError, decode } from '../lib/abi.js';
import { ApplicationRefusal } from '../lib/applications.js';
import { FUNCTIONS } from '../lib/interface.js';

const MESSAGE_ID_BYTES = 32;

/** @param {Buffer} data @returns {{laneId: Buffer, receiver: Buffer, payload: Buffer, gasLimit: bigint, callbackGas: bigint, expiresAt: bigint}} */
function parse(data) {
  try {
    const [laneId, receiver, payload, gasLimit, callbackGas, expiresAt] = decode(FUNCTIONS.get('send').inputs, data);
    return { laneId, receiver, payload, gasLimit, callbackGas, expiresAt };
  } catch (error) {
    if (error instanceof AbiError) throw new ApplicationRefusal('the postbox takes the arguments of send, or a message id');
    throw error;
  }
}

/** @type {import('../lib/applications.js').Application} */
export const postbox = {
  name: 'postbox',
  async onCall(store, { data, send }) {
    if (data.length === MESSAGE_ID_BYTES) return (await store.get(data.toString('hex'))) ?? Buffer.alloc(0);
    return send(parse(data));
  },
  onOutcome(store, { messageId, status, result }) {
    store.put(messageId.toString('hex'), Buffer.concat([Buffer.of(status), result]));
  },
};
