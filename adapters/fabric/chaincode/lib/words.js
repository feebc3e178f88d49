/**
 * The protocol's ids, heads and digests: hashes of concatenated 32-byte words.
 * Source: docs/protocol.md, sections Words and tags, The lane digest.
 */

/** @typedef {import('./suites.js').Suite} Suite */

/**
 * @typedef {object} Message
 * @property {bigint} nonce counts from 1
 * @property {Buffer} sender
 * @property {Buffer} receiver
 * @property {bigint} expiresAt Unix seconds, 0 = never
 * @property {bigint} gasLimit
 * @property {bigint} callbackGas
 * @property {bigint} payloadLength bytes
 * @property {Buffer} payloadHash 32 bytes
 * @property {Buffer} payload empty where only the hash travels
 */

/**
 * @typedef {object} Claim
 * @property {Buffer} laneId 32 bytes
 * @property {number} direction 0 outbox, 1 outcomes
 * @property {bigint} nonce
 * @property {Buffer} head 32 bytes
 * @property {bigint} height
 * @property {Buffer} blockHash 32 bytes
 */

/**
 * @typedef {object} LaneOpening
 * @property {number} end 0 source, 1 destination
 * @property {string} hub
 * @property {string} suite
 * @property {Buffer} sourceChain 32 bytes
 * @property {Buffer} sourceGateway
 * @property {Buffer} destinationChain 32 bytes
 * @property {Buffer} destinationGateway
 * @property {string} channel
 * @property {Buffer} verifier
 * @property {Buffer} peerCodeHash 32 bytes
 */

/** @param {bigint | number} value not negative @returns {Buffer} 32 bytes, big-endian */
export function integerWord(value) {
  const word = Buffer.alloc(32);
  if (typeof value === 'number') {
    word.writeUIntBE(value, 26, 6);
  } else if (value < 1n << 64n) {
    word.writeBigUInt64BE(value, 24);
  } else {
    word.write(value.toString(16).padStart(64, '0'), 'hex');
  }
  return word;
}

/** @param {Suite} suite @param {LaneOpening} opening @returns {Buffer} 32 bytes */
export function laneId(suite, opening) {
  const { hash } = suite;
  return hash(
    Buffer.concat([
      suite.tag('lane'),
      hash(Buffer.from(opening.hub)),
      opening.sourceChain,
      hash(opening.sourceGateway),
      opening.destinationChain,
      hash(opening.destinationGateway),
      hash(Buffer.from(opening.channel)),
    ]),
  );
}

/** @param {Suite} suite @param {Uint8Array} lane its id, 32 bytes @param {Message} message @returns {Buffer} 32 bytes */
export function messageId(suite, lane, message) {
  return suite.hash(
    Buffer.concat([
      suite.tag('message'),
      lane,
      integerWord(message.nonce),
      suite.hash(message.sender),
      suite.hash(message.receiver),
      integerWord(message.expiresAt),
      integerWord(message.gasLimit),
      integerWord(message.callbackGas),
      integerWord(message.payloadLength),
      message.payloadHash,
    ]),
  );
}

/** @param {Suite} suite @param {Uint8Array} id of the message @param {number} status @param {Uint8Array} result @returns {Buffer} */
export function outcomeId(suite, id, status, result) {
  return suite.hash(Buffer.concat([suite.tag('outcome'), id, integerWord(status), suite.hash(result)]));
}

/** @param {Suite} suite @param {Uint8Array} lane its id @returns {Buffer} R_0, 32 bytes; the outbox begins with the lane's id itself */
export const outcomesGenesis = (suite, lane) =>
  suite.hash(Buffer.concat([suite.tag('outcomes'), lane, integerWord(0)]));

/** @param {Suite} suite @param {Uint8Array} head @param {Uint8Array} entry an id @returns {Buffer} the next head */
export const fold = (suite, head, entry) => suite.hash(Buffer.concat([suite.tag('step'), head, entry]));

/** @param {Suite} suite @param {Uint8Array} head @param {Uint8Array[]} entries @returns {Buffer} */
export function foldAll(suite, head, entries) {
  /** @type {Buffer} */
  let last = Buffer.from(head);
  for (const entry of entries) last = fold(suite, last, entry);
  return last;
}

/**
 * @param {Suite} suite the lane's
 * @param {{chainWord: Uint8Array, gatewayHash: Uint8Array, verifierHash: Uint8Array, epoch: bigint}} place who verifies
 * @param {Claim} claim
 * @returns {Buffer} the digest that operators sign, 32 bytes
 */
export function attestation(suite, place, claim) {
  return suite.hash(
    Buffer.concat([
      suite.tag('attestation'),
      place.chainWord,
      place.gatewayHash,
      place.verifierHash,
      integerWord(place.epoch),
      claim.laneId,
      integerWord(claim.direction),
      integerWord(claim.nonce),
      claim.head,
      integerWord(claim.height),
      claim.blockHash,
    ]),
  );
}
