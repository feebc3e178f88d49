/**
 * RLP of the transaction's one event. Source: the Ethereum yellow paper, appendix B.
 */

/** Bytes, or a list of items. @typedef {Uint8Array | any[]} RlpItem */

/** @param {RlpItem} item @returns {Buffer} */
export function encodeRlp(item) {
  if (Array.isArray(item)) {
    const content = Buffer.concat(item.map(encodeRlp));
    return Buffer.concat([prefix(0xc0, content.length), content]);
  }
  if (item.length === 1 && item[0] < 0x80) return Buffer.from(item);
  return Buffer.concat([prefix(0x80, item.length), item]);
}

/** @param {number} base 0x80 for bytes, 0xc0 for a list @param {number} length bytes @returns {Buffer} */
function prefix(base, length) {
  if (length < 56) return Buffer.of(base + length);
  const hex = length.toString(16);
  const size = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([Buffer.of(base + 55 + size.length), size]);
}
