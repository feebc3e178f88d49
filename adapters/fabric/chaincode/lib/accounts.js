/**
 * Accounts of this ledger, 33 bytes. Source: docs/protocol.md, section Ledgers that are unlike Ethereum.
 */

import { createHash } from 'node:crypto';

const CREATOR = 0;
const PROGRAM = 1;
export const ACCOUNT_BYTES = 33;
const PEM = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

/** @param {number} kind @param {Uint8Array} data @returns {Buffer} */
const account = (kind, data) => Buffer.concat([Buffer.of(kind), createHash('sha256').update(data).digest()]);

/**
 * @param {string} mspId membership id, at most 255 bytes
 * @param {Uint8Array} certificate PEM, as the creator of a proposal carries it
 * @returns {Buffer} the account of a member: 0x00 and the hash of its id and its certificate's DER
 */
export function creatorAccount(mspId, certificate) {
  const name = Buffer.from(mspId);
  const found = PEM.exec(Buffer.from(certificate).toString('latin1'));
  if (name.length === 0 || name.length > 255 || found === null) {
    throw new Error('the creator of the proposal is no membership id with one certificate in PEM');
  }
  return account(CREATOR, Buffer.concat([Buffer.of(name.length), name, Buffer.from(found[1], 'base64')]));
}

/** @param {string} name of a chaincode, or of an application in this one @returns {Buffer} 0x01 and the hash of the name */
export const programAccount = (name) => account(PROGRAM, Buffer.from(name));

/** @param {Uint8Array} bytes @returns {boolean} whether it has the form of a member's account */
export const isCreatorAccount = (bytes) => bytes.length === ACCOUNT_BYTES && bytes[0] === CREATOR;

/** @param {Uint8Array} bytes @returns {boolean} whether it has the form of a program's account */
export const isProgramAccount = (bytes) => bytes.length === ACCOUNT_BYTES && bytes[0] === PROGRAM;
