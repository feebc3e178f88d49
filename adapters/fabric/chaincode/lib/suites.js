/**
 * A lane's suite: its hash H and its tags. Source: docs/protocol.md, section Words and tags.
 */

import { keccak_256 } from '@noble/hashes/sha3';
import { sm3 } from './sm3.js';

/**
 * @typedef {object} Suite
 * @property {string} name `evm` or `sm`
 * @property {(data: Uint8Array) => Buffer} hash H: any bytes to 32 bytes
 * @property {(word: string) => Buffer} tag H("relayhub/" + suite + "/" + word + "/v1")
 */

/** @param {Uint8Array} data @returns {Buffer} 32 bytes */
export const keccak256 = (data) => Buffer.from(keccak_256(data));

/** @param {string} name @param {(data: Uint8Array) => Buffer} hash @returns {Suite} */
function makeSuite(name, hash) {
  /** @type {Map<string, Buffer>} */
  const tags = new Map();
  const tag = (word) => {
    let known = tags.get(word);
    if (known === undefined) {
      known = hash(Buffer.from(`relayhub/${name}/${word}/v1`));
      tags.set(word, known);
    }
    return known;
  };
  return Object.freeze({ name, hash, tag });
}

export const EVM = makeSuite('evm', keccak256);
export const SM = makeSuite('sm', sm3);
const SUITES = new Map([EVM, SM].map((suite) => [suite.name, suite]));

/** @param {string} name @returns {Suite | undefined} */
export const suiteNamed = (name) => SUITES.get(name);
