/**
 * The applications that this chaincode brings. Add yours here; every organisation must run the same list.
 */

import { mailbox } from './mailbox.js';
import { postbox } from './postbox.js';
import { reverting } from './reverting.js';

export const APPLICATIONS = [mailbox, postbox, reverting];
