/**
 * A strict codec of the contract ABI for the types that occur in the gateway's interface: uintN, bool, bytesN, bytes,
 * string, tuples and arrays. Only the canonical form is read: tails in order, no gaps, zero padding, nothing behind.
 * Source: the Solidity contract ABI specification, sections Formal Specification of the Encoding and Strict Encoding Mode.
 *
 * Integers up to 48 bits are numbers, larger ones bigints; a tuple is an object by its components' names.
 */

import { integerWord } from './words.js';

/** @typedef {{name: string, type: string, indexed?: boolean, components?: Parameter[]}} Parameter */

const LARGEST_NUMBER_BITS = 48;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class AbiError extends Error {}

/** @param {boolean} good @param {string} text */
function require(good, text) {
  if (!good) throw new AbiError(text);
}

/** @param {Parameter} parameter @returns {Parameter | undefined} what the elements of a list are; undefined where it is none */
const elementOf = (parameter) =>
  parameter.type.endsWith('[]') ? { ...parameter, type: parameter.type.slice(0, -2) } : undefined;

/** @param {Parameter} parameter @returns {boolean} */
function isDynamic(parameter) {
  if (parameter.type.endsWith('[]') || parameter.type === 'bytes' || parameter.type === 'string') return true;
  return parameter.type === 'tuple' && components(parameter).some(isDynamic);
}

/** @param {Parameter} parameter @returns {Parameter[]} */
const components = (parameter) => parameter.components ?? [];

/** @param {Parameter} parameter @returns {number} bytes in the head */
function headSize(parameter) {
  if (isDynamic(parameter) || parameter.type !== 'tuple') return 32;
  return components(parameter).reduce((size, part) => size + headSize(part), 0);
}

/** @param {Parameter} parameter @returns {string} its type as it stands in a signature */
export function typeName(parameter) {
  if (!parameter.type.startsWith('tuple')) return parameter.type;
  return `(${components(parameter).map(typeName).join(',')})${parameter.type.slice(5)}`;
}

/** @param {{name: string, inputs: Parameter[]}} item @returns {string} the canonical signature */
export const signatureOf = (item) => `${item.name}(${item.inputs.map(typeName).join(',')})`;

/**
 * @param {Parameter[]} parameters
 * @param {any[]} values in their order
 * @returns {Buffer}
 */
export function encode(parameters, values) {
  require(parameters.length === values.length, `${parameters.length} values are needed, not ${values.length}`);
  const heads = [];
  const tails = [];
  let place = parameters.reduce((size, parameter) => size + headSize(parameter), 0);
  parameters.forEach((parameter, index) => {
    const encoded = encodeOne(parameter, values[index]);
    if (isDynamic(parameter)) {
      heads.push(integerWord(place));
      tails.push(encoded);
      place += encoded.length;
    } else {
      heads.push(encoded);
    }
  });
  return Buffer.concat([...heads, ...tails]);
}

/** @param {Parameter} parameter @param {any} value @returns {Buffer} */
function encodeOne(parameter, value) {
  const { type } = parameter;
  const element = elementOf(parameter);
  if (element) {
    const listed = value.map(() => element);
    return Buffer.concat([integerWord(value.length), encode(listed, value)]);
  }
  if (type === 'tuple') return encode(components(parameter), components(parameter).map(({ name }) => value[name]));
  if (type === 'string') return encodeBytes(Buffer.from(value));
  if (type === 'bytes') return encodeBytes(value);
  if (type === 'bool') return integerWord(value ? 1 : 0);
  if (type.startsWith('uint')) {
    require(BigInt(value) >= 0n && BigInt(value) < 1n << BigInt(type.slice(4)), `${value} is no ${type}`);
    return integerWord(value);
  }
  require(value.length === Number(type.slice(5)), `${value.length} bytes are no ${type}`);
  return Buffer.concat([value, Buffer.alloc(32 - value.length)]);
}

/** @param {Uint8Array} data @returns {Buffer} */
const encodeBytes = (data) =>
  Buffer.concat([integerWord(data.length), data, Buffer.alloc((32 - (data.length % 32)) % 32)]);

/**
 * @param {Parameter[]} parameters
 * @param {Buffer} data all of it
 * @returns {any[]} the values in order
 * @throws {AbiError} it is not the canonical encoding
 */
export function decode(parameters, data) {
  const { values, end } = decodeSequence(parameters, data, 0);
  require(end === data.length, 'bytes are left over');
  return values;
}

/** @param {Parameter[]} parameters @param {Buffer} data @param {number} start @returns {{values: any[], end: number}} */
function decodeSequence(parameters, data, start) {
  let head = start;
  let tail = start + parameters.reduce((size, parameter) => size + headSize(parameter), 0);
  require(tail <= data.length, 'the data end early');
  const values = [];
  for (const parameter of parameters) {
    if (isDynamic(parameter)) {
      require(readNumber(data, head, 48) === tail - start, 'a tail is not where it should be');
      const { value, end } = decodeDynamic(parameter, data, tail);
      values.push(value);
      tail = end;
    } else {
      values.push(decodeStatic(parameter, data, head));
    }
    head += headSize(parameter);
  }
  return { values, end: tail };
}

/** @param {Parameter} parameter @param {Buffer} data @param {number} place @returns {{value: any, end: number}} */
function decodeDynamic(parameter, data, place) {
  if (parameter.type === 'tuple') {
    const { values, end } = decodeSequence(components(parameter), data, place);
    return { value: toObject(parameter, values), end };
  }
  const length = readNumber(data, place, 48);
  const element = elementOf(parameter);
  if (element) {
    require(length * headSize(element) <= data.length - place - 32, 'a list is longer than the data');
    const { values, end } = decodeSequence(new Array(length).fill(element), data, place + 32);
    return { value: values, end };
  }
  const start = place + 32;
  const end = start + Math.ceil(length / 32) * 32;
  require(end <= data.length, 'the data end early');
  require(data.subarray(start + length, end).every((byte) => byte === 0), 'padding is not zero');
  const content = Buffer.from(data.subarray(start, start + length));
  return { value: parameter.type === 'string' ? decodeText(content) : content, end };
}

/** @param {Parameter} parameter @param {Buffer} data @param {number} place @returns {any} */
function decodeStatic(parameter, data, place) {
  const { type } = parameter;
  if (type === 'tuple') return toObject(parameter, decodeSequence(components(parameter), data, place).values);
  if (type === 'bool') return readNumber(data, place, 1) === 1;
  if (type.startsWith('uint')) {
    const bits = Number(type.slice(4));
    return bits <= LARGEST_NUMBER_BITS ? readNumber(data, place, bits) : readInteger(data, place, bits);
  }
  const size = Number(type.slice(5));
  require(place + 32 <= data.length, 'the data end early');
  require(data.subarray(place + size, place + 32).every((byte) => byte === 0), 'padding is not zero');
  return Buffer.from(data.subarray(place, place + size));
}

/** @param {Parameter} parameter @param {any[]} values @returns {object} */
const toObject = (parameter, values) =>
  Object.fromEntries(components(parameter).map(({ name }, index) => [name, values[index]]));

/** @param {Buffer} data @param {number} place @param {number} bits @returns {bigint} */
function readInteger(data, place, bits) {
  require(place + 32 <= data.length, 'the data end early');
  const value = BigInt(`0x${data.toString('hex', place, place + 32)}`);
  require(value < 1n << BigInt(bits), `an integer has more than ${bits} bits`);
  return value;
}

/** @param {Buffer} data @param {number} place @param {number} bits at most 48 @returns {number} */
const readNumber = (data, place, bits) => Number(readInteger(data, place, bits));

/** @param {Buffer} content @returns {string} */
function decodeText(content) {
  try {
    return utf8.decode(content);
  } catch {
    throw new AbiError('a text is not UTF-8');
  }
}
