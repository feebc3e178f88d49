/**
 * A refusal: the custom error of Errors.sol, or of this chaincode, with its arguments.
 */

import { encodeError } from './interface.js';

export class Refusal extends Error {
  /** @param {string} name of the custom error @param {any[]} values its arguments */
  constructor(name, values = []) {
    super(name);
    this.name = name;
    /** Revert data: selector and arguments. */
    this.data = encodeError(name, values);
  }
}

/**
 * @param {string} name
 * @param {...any} values
 * @returns {never}
 */
export function refuse(name, ...values) {
  throw new Refusal(name, values);
}
