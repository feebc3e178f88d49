/**
 * Who signed a digest: the one door to a signature scheme. Source: docs/encodings.md, section Signatures.
 *
 * A signer is the account of a key: the last 20 bytes of keccak256(X, Y). `secp256k1`: a signature is r, s, v of 65 bytes with low
 * s and v 27 or 28, over the raw digest; it gives the signer. `sm2`: a signature is r, s of 64 bytes and needs the key; the digest
 * is the message and the user id is 1234567812345678 (GB/T 32918.2-2016, sections 5.5 and 7.1; the curve is that of GB/T
 * 32918.5-2017).
 */

import { weierstrassN } from '@noble/curves/abstract/weierstrass';
import { secp256k1 } from '@noble/curves/secp256k1';
import { sm3 } from './sm3.js';
import { keccak256 } from './suites.js';

/**
 * @typedef {object} Scheme
 * @property {string} name
 * @property {boolean} needsKeys whether signers' keys are kept, 64 bytes each
 * @property {number} signatureBytes
 * @property {(key: Uint8Array) => boolean} [keyFits] whether a key is a point of the curve, where keys are needed
 * @property {(digest: Uint8Array, signature: Uint8Array) => boolean} wellFormed
 * @property {(digest: Uint8Array, signature: Uint8Array, key: Uint8Array) => Buffer} signerOf the account whose signature it is;
 *   nothing where it is nobody's, or not this key's
 */

const USER_ID = Buffer.from('1234567812345678');
const HALF_ORDER = secp256k1.CURVE.n >> 1n;
const NOBODY = Buffer.alloc(0);
const SM2_CURVE = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};
const Sm2Point = weierstrassN(SM2_CURVE);

/** @param {Uint8Array} data @returns {bigint} */
const integer = (data) => BigInt(`0x${Buffer.from(data).toString('hex')}`);

/** @param {bigint} value @returns {Buffer} 32 bytes */
const word = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

/** @param {Uint8Array} key X, Y: 64 bytes @returns {Buffer} its account, 20 bytes */
export const accountOf = (key) => keccak256(key).subarray(12);

/** @param {Uint8Array} digest @param {Uint8Array} signature 65 bytes, well-formed @returns {Buffer} an address, or nothing */
function recover(digest, signature) {
  try {
    const point = secp256k1.Signature.fromCompact(signature.subarray(0, 64))
      .addRecoveryBit(signature[64] - 27)
      .recoverPublicKey(digest);
    return accountOf(point.toBytes(false).subarray(1));
  } catch {
    return NOBODY; // r is no abscissa of the curve, or the key is the point at infinity
  }
}

/** @param {Uint8Array} key 64 bytes @returns {Buffer} Z, the hash of user id, curve and key */
function sm2Identity(key) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(USER_ID.length * 8);
  const { a, b, Gx, Gy } = SM2_CURVE;
  return sm3(Buffer.concat([length, USER_ID, word(a), word(b), word(Gx), word(Gy), key]));
}

/** @param {Uint8Array} key 64 bytes @returns {boolean} */
function isSm2Point(key) {
  try {
    Sm2Point.fromHex(Buffer.concat([Buffer.of(4), key])).assertValidity();
    return true;
  } catch {
    return false;
  }
}

/** @param {Uint8Array} digest @param {Uint8Array} signature 64 bytes @param {Uint8Array} key 64 bytes @returns {boolean} */
function verifySm2(digest, signature, key) {
  const { n } = SM2_CURVE;
  const [r, s] = [integer(signature.subarray(0, 32)), integer(signature.subarray(32))];
  const t = (r + s) % n;
  if (r === 0n || r >= n || s === 0n || s >= n || t === 0n || !isSm2Point(key)) return false;
  const point = Sm2Point.fromHex(Buffer.concat([Buffer.of(4), key]));
  const sum = Sm2Point.BASE.multiplyUnsafe(s).add(point.multiplyUnsafe(t));
  if (sum.is0()) return false;
  const e = integer(sm3(Buffer.concat([sm2Identity(key), digest])));
  return (e + sum.toAffine().x) % n === r;
}

/** @type {Scheme} */
export const SECP256K1 = Object.freeze({
  name: 'secp256k1',
  needsKeys: false,
  signatureBytes: 65,
  wellFormed: (_digest, signature) =>
    integer(signature.subarray(32, 64)) <= HALF_ORDER && (signature[64] === 27 || signature[64] === 28),
  signerOf: (digest, signature) => recover(digest, signature),
});

/** @type {Scheme} */
export const SM2 = Object.freeze({
  name: 'sm2',
  needsKeys: true,
  signatureBytes: 64,
  keyFits: isSm2Point,
  wellFormed: () => true,
  signerOf: (digest, signature, key) => (verifySm2(digest, signature, key) ? accountOf(key) : NOBODY),
});

const SCHEMES = new Map([SECP256K1, SM2].map((scheme) => [scheme.name, scheme]));

/** @param {string} name @returns {Scheme | undefined} */
export const schemeNamed = (name) => SCHEMES.get(name);
