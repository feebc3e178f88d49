/**
 * SM3, the hash of the suite `sm`. Source: GB/T 32905-2016 (also ISO/IEC 10118-3:2018), sections 4 and 5.
 */

const INITIAL = Int32Array.of(
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
);
const BLOCK_BYTES = 64;
const EARLY_CONSTANT = 0x79cc4519;
const LATE_CONSTANT = 0x7a879d8a;

/** @param {number} word @param {number} count bits, 0 to 31 */
const rotate = (word, count) => (word << count) | (word >>> (32 - count));
const round = Array.from({ length: 64 }, (_, j) => rotate(j < 16 ? EARLY_CONSTANT : LATE_CONSTANT, j % 32));

/**
 * @param {Uint8Array} data any number of bytes
 * @returns {Buffer} the digest, 32 bytes
 */
export function sm3(data) {
  const padded = pad(data);
  const state = Int32Array.from(INITIAL);
  const words = new Int32Array(68);
  for (let start = 0; start < padded.length; start += BLOCK_BYTES) {
    expand(padded, start, words);
    compress(state, words);
  }
  const digest = Buffer.alloc(32);
  state.forEach((word, index) => digest.writeInt32BE(word, 4 * index));
  return digest;
}

/** @param {Uint8Array} data */
function pad(data) {
  const size = Math.ceil((data.length + 9) / BLOCK_BYTES) * BLOCK_BYTES;
  const padded = Buffer.alloc(size);
  padded.set(data);
  padded[data.length] = 0x80;
  padded.writeBigUInt64BE(BigInt(data.length) * 8n, size - 8);
  return padded;
}

/** Message expansion. @param {Buffer} padded @param {number} start @param {Int32Array} words 68 words, filled here */
function expand(padded, start, words) {
  for (let j = 0; j < 16; j++) words[j] = padded.readInt32BE(start + 4 * j);
  for (let j = 16; j < 68; j++) {
    const mixed = words[j - 16] ^ words[j - 9] ^ rotate(words[j - 3], 15);
    const permuted = mixed ^ rotate(mixed, 15) ^ rotate(mixed, 23);
    words[j] = permuted ^ rotate(words[j - 13], 7) ^ words[j - 6];
  }
}

/** Compression of one block into the state. @param {Int32Array} state 8 words @param {Int32Array} words 68 words */
function compress(state, words) {
  let [a, b, c, d, e, f, g, h] = state;
  for (let j = 0; j < 64; j++) {
    const turned = rotate(a, 12);
    const first = rotate((turned + e + round[j]) | 0, 7);
    const second = first ^ turned;
    const early = j < 16;
    const chosen = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const picked = early ? e ^ f ^ g : (e & f) | (~e & g);
    const left = (chosen + d + second + (words[j] ^ words[j + 4])) | 0;
    const right = (picked + h + first + words[j]) | 0;
    [d, c, b, a] = [c, rotate(b, 9), a, left];
    [h, g, f, e] = [g, rotate(f, 19), e, right ^ rotate(right, 9) ^ rotate(right, 17)];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] ^= word;
  });
}
