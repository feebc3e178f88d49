/**
 * The gateway's interface as `abi.json` holds it: functions and actions by selector, events, errors.
 */

import { readFileSync } from 'node:fs';
import { decode, encode, signatureOf } from './abi.js';
import { keccak256 } from './suites.js';

/** @typedef {import('./abi.js').Parameter} Parameter */
/** @typedef {{name: string, type: string, inputs: Parameter[], outputs?: Parameter[], selector: Buffer, stateMutability?: string}} Item */
/** @typedef {{topics: Buffer[], data: Buffer}} Log */

const FILE = JSON.parse(readFileSync(new URL('../abi.json', import.meta.url), 'utf8'));

/** @param {object} item @returns {Item} */
const describe = (item) => ({ ...item, selector: keccak256(Buffer.from(signatureOf(item))).subarray(0, 4) });

/** @param {string} type @returns {Map<string, Item>} items by name */
const named = (type) =>
  new Map(FILE.abi.filter((item) => item.type === type).map((item) => [item.name, describe(item)]));

/** @param {Iterable<Item>} items @returns {Map<string, Item>} by selector in hexadecimal */
const bySelector = (items) => new Map(Array.from(items, (item) => [item.selector.toString('hex'), item]));

export const FUNCTIONS = named('function');
export const ACTIONS = new Map(FILE.actions.map((item) => [item.name, describe(item)]));
const ERRORS = named('error');
const EVENTS = named('event');
const FUNCTIONS_BY_SELECTOR = bySelector(FUNCTIONS.values());
const ACTIONS_BY_SELECTOR = bySelector(ACTIONS.values());

/** @param {Uint8Array} calldata @returns {Item | undefined} the function that it calls */
export const functionOf = (calldata) => FUNCTIONS_BY_SELECTOR.get(Buffer.from(calldata.subarray(0, 4)).toString('hex'));

/** @param {Uint8Array} action @returns {Item | undefined} the action that it is */
export const actionOf = (action) => ACTIONS_BY_SELECTOR.get(Buffer.from(action.subarray(0, 4)).toString('hex'));

/** @param {Item} item a function or an action @param {Buffer} calldata with its selector @returns {any[]} */
export const decodeArguments = (item, calldata) => decode(item.inputs, calldata.subarray(4));

/** @param {Map<string, Item>} items @param {string} name @returns {Item} */
function known(items, name) {
  const item = items.get(name);
  if (item === undefined) throw new Error(`abi.json has no ${name}; run npm run abi`);
  return item;
}

/** @param {string} name @param {any[]} values @returns {Buffer} the data of a custom error */
export function encodeError(name, values) {
  const item = known(ERRORS, name);
  return Buffer.concat([item.selector, encode(item.inputs, values)]);
}

/**
 * @param {string} name of the event
 * @param {any[]} values in the order of its parameters
 * @returns {Log} as an EVM logs it: an indexed value of variable length stands as its hash
 */
export function encodeEvent(name, values) {
  const item = known(EVENTS, name);
  const topics = [keccak256(Buffer.from(signatureOf(item)))];
  const [plain, plainValues] = [[], []];
  item.inputs.forEach((parameter, index) => {
    if (!parameter.indexed) {
      plain.push(parameter);
      plainValues.push(values[index]);
    } else {
      topics.push(parameter.type === 'bytes' ? keccak256(values[index]) : encode([parameter], [values[index]]));
    }
  });
  return { topics, data: encode(plain, plainValues) };
}
