/** Expectations that several tests share. */

import assert from 'node:assert/strict';

/** @param {string} name @param {object} [values] @returns {(error: any) => boolean} for `assert.rejects`: a refusal of that name */
export const named = (name, values = {}) => (error) => {
  assert.equal(error.name, name, error.message);
  for (const [field, value] of Object.entries(values)) assert.deepEqual(error.values[field], value);
  return true;
};
