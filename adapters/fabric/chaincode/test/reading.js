/**
 * What a reader makes of the chaincode's answers, written apart from what it tests: RLP, logs, refusals.
 */

import { readFileSync } from 'node:fs';
import { decode, signatureOf } from '../lib/abi.js';
import { keccak256 } from '../lib/suites.js';

const { abi } = JSON.parse(readFileSync(new URL('../abi.json', import.meta.url), 'utf8'));
const hashOf = (item) => keccak256(Buffer.from(signatureOf(item)));
const EVENTS = new Map(abi.filter(({ type }) => type === 'event').map((item) => [hashOf(item).toString('hex'), item]));
const ERRORS = new Map(
  abi.filter(({ type }) => type === 'error').map((item) => [hashOf(item).subarray(0, 4).toString('hex'), item]),
);

/** @param {Buffer} data @returns {any} bytes and lists */
export function decodeRlp(data) {
  const [item, end] = readItem(data, 0);
  if (end !== data.length) throw new Error('bytes are left over');
  return item;
}

/** @param {Buffer} data @param {number} place @returns {[any, number]} */
function readItem(data, place) {
  const first = data[place];
  if (first < 0x80) return [data.subarray(place, place + 1), place + 1];
  const list = first >= 0xc0;
  const short = first - (list ? 0xc0 : 0x80);
  const size = short < 56 ? 0 : short - 55;
  const length = size === 0 ? short : data.readUIntBE(place + 1, size);
  const start = place + 1 + size;
  if (!list) return [data.subarray(start, start + length), start + length];
  const items = [];
  let next = start;
  while (next < start + length) {
    const [item, end] = readItem(data, next);
    items.push(item);
    next = end;
  }
  return [items, next];
}

/** @param {{name: string, payload: Buffer} | null} event @returns {{name: string, values: any, topics: Buffer[], data: Buffer}[]} */
export function decodeLogs(event) {
  if (event === null) return [];
  if (event.name !== 'gateway') throw new Error(`the event is called ${event.name}`);
  return decodeRlp(event.payload).map(([topics, data]) => {
    const item = EVENTS.get(topics[0].toString('hex'));
    return { name: item.name, values: valuesOf(item, topics.slice(1), data), topics, data };
  });
}

/** @param {any} item @param {Buffer[]} topics @param {Buffer} data @returns {object} indexed bytes stand as their hash */
function valuesOf(item, topics, data) {
  const plain = decode(item.inputs.filter(({ indexed }) => !indexed), data);
  const indexed = [...topics];
  const values = item.inputs.map((input) => {
    if (!input.indexed) return [input.name, plain.shift()];
    const topic = indexed.shift();
    return [input.name, input.type === 'bytes' ? topic : decode([input], topic)[0]];
  });
  return Object.fromEntries(values);
}

/** @param {Buffer} data @returns {{name: string, values: object}} */
export function decodeRefusal(data) {
  const item = ERRORS.get(data.subarray(0, 4).toString('hex'));
  const values = decode(item.inputs, data.subarray(4));
  return { name: item.name, values: Object.fromEntries(item.inputs.map(({ name }, index) => [name, values[index]])) };
}
