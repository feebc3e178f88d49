/**
 * An application in ten lines: keeps the last message and counts. It answers as Mailbox.sol does: the count in 32 bytes.
 */

import { integerWord } from '../lib/words.js';

/** @type {import('../lib/applications.js').Application} */
export const mailbox = {
  name: 'mailbox',
  async onMessage(store, { payload }) {
    const count = integerWord(BigInt(`0x${((await store.get('count')) ?? integerWord(0)).toString('hex')}`) + 1n);
    store.put('count', count);
    store.put('last', payload);
    return count;
  },
  async onCall(store) {
    return Buffer.concat([(await store.get('count')) ?? integerWord(0), (await store.get('last')) ?? Buffer.alloc(0)]);
  },
};
