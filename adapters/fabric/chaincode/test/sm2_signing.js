/** SM2 signing for the tests, with one fixed secret number: never to be used for anything else (GB/T 32918.2-2016, 6.1). */

import { weierstrassN } from '@noble/curves/abstract/weierstrass';
import { sm3 } from '../lib/sm3.js';

const CURVE = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};
const Point = weierstrassN(CURVE);
const modulo = (value) => ((value % CURVE.n) + CURVE.n) % CURVE.n;
const integer = (data) => BigInt(`0x${Buffer.from(data).toString('hex')}`);
const word = (value) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

/** @param {bigint} base @returns {bigint} its inverse, by Fermat */
function inverse(base) {
  let [result, power, square] = [1n, CURVE.n - 2n, modulo(base)];
  for (; power > 0n; power >>= 1n) {
    if (power & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}

/** @param {Uint8Array} privateKey 32 bytes @returns {Buffer} X, Y */
export const sm2PublicKey = (privateKey) => Buffer.from(Point.BASE.multiply(modulo(integer(privateKey))).toBytes(false).subarray(1));

/** @param {Uint8Array} privateKey @param {Uint8Array} message @returns {Buffer} r, s */
export function signSm2(privateKey, message) {
  const d = modulo(integer(privateKey));
  const length = Buffer.of(0, 128);
  const curve = [CURVE.a, CURVE.b, CURVE.Gx, CURVE.Gy].map(word);
  const z = sm3(Buffer.concat([length, Buffer.from('1234567812345678'), ...curve, sm2PublicKey(privateKey)]));
  const k = 0x6cb28d99385c175c94f94e934817663fc176d925dd72b727260dbaae1fb2f96fn;
  const r = modulo(integer(sm3(Buffer.concat([z, message]))) + Point.BASE.multiply(k).toAffine().x);
  return Buffer.concat([word(r), word(modulo(inverse(1n + d) * (k - r * d)))]);
}
