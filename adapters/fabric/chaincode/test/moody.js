/** An application for the tests: sends as the postbox does, and refuses what became of it until it is mended (as Moody.sol). */

import { postbox } from '../applications/postbox.js';
import { ApplicationRefusal } from '../lib/applications.js';

const MEND = 'mend';

/** @type {import('../lib/applications.js').Application} */
export const moody = {
  name: 'moody',
  async onCall(store, call) {
    if (call.data.toString() !== MEND) return postbox.onCall(store, call);
    store.put(MEND, Buffer.of(1));
    return Buffer.alloc(0);
  },
  async onOutcome(store, { messageId }) {
    store.put('touched', messageId);
    if ((await store.get(MEND)) === null) throw new ApplicationRefusal('not in the mood');
  },
};
