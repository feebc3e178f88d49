/**
 * A receiver that always fails, after it has written: nothing of that stays.
 */

import { ApplicationRefusal } from '../lib/applications.js';

/** @type {import('../lib/applications.js').Application} */
export const reverting = {
  name: 'reverting',
  onMessage(store) {
    store.put('touched', Buffer.of(1));
    throw new ApplicationRefusal('this receiver takes no messages');
  },
};
