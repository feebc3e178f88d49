/**
 * What the chaincode is told once and for all, and the records that every step reads.
 */

const KEY = 'settings';

/**
 * @typedef {object} Settings
 * @property {Buffer} chainWord 32 bytes
 * @property {string} name of this chaincode, which is its gateway's and its committee's bytes
 * @property {bigint} delaySeconds
 * @property {bigint} minimumExpirySeconds
 * @property {string} signatures scheme of the committee
 * @property {boolean} development whether a threshold of 1 is allowed
 */

/**
 * One call of the gateway.
 * @typedef {object} Call
 * @property {import('./state.js').State} state
 * @property {import('./interface.js').Log[]} logs
 * @property {import('./proposal.js').Proposal} proposal
 * @property {Buffer} caller account, 33 bytes
 * @property {bigint} now Unix seconds that the client wrote
 * @property {Settings} settings
 * @property {import('./applications.js').Applications} applications
 */

/** @param {import('./state.js').State} state @param {Settings} settings */
export function putSettings(state, settings) {
  state.putRecord(KEY, {
    chainWord: settings.chainWord.toString('hex'),
    name: settings.name,
    delaySeconds: settings.delaySeconds.toString(),
    minimumExpirySeconds: settings.minimumExpirySeconds.toString(),
    signatures: settings.signatures,
    development: settings.development,
  });
}

/** @param {import('./state.js').State} state @returns {Promise<Settings | null>} */
export async function findSettings(state) {
  const record = await state.record(KEY);
  if (record === null) return null;
  return {
    ...record,
    chainWord: Buffer.from(record.chainWord, 'hex'),
    delaySeconds: BigInt(record.delaySeconds),
    minimumExpirySeconds: BigInt(record.minimumExpirySeconds),
  };
}

/** @param {string} name @returns {boolean} whether it is 1 to 64 bytes of NFC */
export function isName(name) {
  const { length } = Buffer.from(name);
  return length >= 1 && length <= 64 && name.normalize('NFC') === name;
}
