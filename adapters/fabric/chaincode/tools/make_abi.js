/**
 * Writes abi.json: the Solidity gateway's and committee's interface with `bytes` for every `address`, and the additions.
 * Run in a checkout: `npm run abi`, or `node tools/make_abi.js --print` to write it to standard output.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { signatureOf } from '../lib/abi.js';
import { ERRORS, EVENTS, FUNCTIONS } from './additions.js';

const TARGET = new URL('../abi.json', import.meta.url);
const ARTIFACTS = new URL(process.env.GATEWAY_ARTIFACTS ?? '../../../solidity/artifacts/', import.meta.url);
const SIGNATURE = /^(\w+)\((.*?)\)( view)?(?: returns \((.*)\))?$/;
/** Errors of machines that this ledger does not have. */
const ELSEWHERE = new Set(['GasTooLow', 'HashNotKeccak', 'TimeDivisorZero', 'Locked']);

/** @param {string} name @returns {{abi: object[], errors: Record<string, string>}} */
const artifact = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, ARTIFACTS), 'utf8'));

/** @param {object} parameter @returns {object} the parameter with bytes for addresses, without compiler's names */
function translate({ name, type, indexed, components }) {
  return {
    name,
    type: type.replace(/^address/, 'bytes'),
    ...(indexed === undefined ? {} : { indexed }),
    ...(components === undefined ? {} : { components: components.map(translate) }),
  };
}

/** @param {object} item @returns {object} */
function translateItem({ type, name, inputs, outputs, stateMutability }) {
  return {
    type,
    name,
    inputs: inputs.map(translate),
    ...(outputs === undefined ? {} : { outputs: outputs.map(translate) }),
    ...(stateMutability === undefined ? {} : { stateMutability: stateMutability === 'pure' ? 'view' : stateMutability }),
  };
}

/** @param {string} list `type name, type indexed name` @returns {object[]} */
function parseParameters(list) {
  if (!list) return [];
  return list.split(', ').map((text) => {
    const words = text.split(' ');
    return { name: words.at(-1), type: words[0], ...(words.length > 2 ? { indexed: true } : {}) };
  });
}

/** @param {string} type @param {string} text @returns {object} */
function parseItem(type, text) {
  const [, name, inputs, view, outputs] = SIGNATURE.exec(text) ?? [];
  const parsed = parseParameters(inputs);
  if (type === 'event') return { type, name, inputs: parsed.map((entry) => ({ indexed: false, ...entry })) };
  if (type === 'error') return { type, name, inputs: parsed };
  const stateMutability = view ? 'view' : 'nonpayable';
  return { type, name, inputs: parsed, outputs: parseParameters(outputs), stateMutability };
}

/** @param {object} item @returns {string} what it is sorted and kept once by */
const identity = (item) => `${item.type} ${signatureOf(item)}`;

/** @param {object[]} items @returns {object[]} each once, sorted */
function tidy(items) {
  const once = new Map(items.map((item) => [identity(item), item]));
  return [...once.keys()].sort().map((key) => once.get(key));
}

/** @param {string} signature of Solidity @returns {string} of this gateway */
const translateSignature = (signature) => signature.replaceAll('address', 'bytes');

/** @returns {string} the text of abi.json */
export function makeAbi() {
  const [gateway, committee] = ['Gateway', 'CommitteeVerifier'].map(artifact);
  const kept = (item) => item.type !== 'constructor' && !(item.type === 'error' && ELSEWHERE.has(item.name));
  const abi = tidy([
    ...[...gateway.abi, ...committee.abi].filter(kept).map(translateItem),
    ...FUNCTIONS.map((text) => parseItem('function', text)),
    ...EVENTS.map((text) => parseItem('event', text)),
    ...Object.keys(ERRORS).map((text) => parseItem('error', text)),
  ]);
  const actions = tidy(
    ['IGatewayActions', 'ICommitteeActions'].flatMap((name) => artifact(name).abi).map(translateItem),
  );
  const advice = new Map(
    [...Object.entries({ ...gateway.errors, ...committee.errors })].map(([key, text]) => [translateSignature(key), text]),
  );
  for (const text of Object.keys(ERRORS)) advice.set(signatureOf(parseItem('error', text)), ERRORS[text]);
  const errors = Object.fromEntries(
    abi.filter(({ type }) => type === 'error').map((item) => [signatureOf(item), advice.get(signatureOf(item)) ?? '']),
  );
  return `${JSON.stringify({ abi, actions, errors }, null, 1)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--print')) process.stdout.write(makeAbi());
  else writeFileSync(TARGET, makeAbi());
}
