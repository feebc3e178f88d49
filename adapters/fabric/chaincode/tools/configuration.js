/**
 * What a consortium agrees on before it configures the gateway: `node tools/configuration.js FILE` reads the configuration that
 * README.md shows and prints the accounts, the calldata of `configure` and its SHA-256, which each organisation sets as
 * GATEWAY_CONFIGURATION_SHA256. Paths of certificates are relative to the file.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from '../lib/abi.js';
import { creatorAccount } from '../lib/accounts.js';
import { FUNCTIONS } from '../lib/interface.js';
import { keccak256 } from '../lib/suites.js';

/** @param {any} configuration as README.md shows it @param {(path: string) => Buffer} read @returns {{officers: string[], guardian: string, calldata: string, sha256: string}} */
export function makeConfiguration(configuration, read) {
  const account = ({ mspid, certificate }) => creatorAccount(mspid, read(certificate));
  const officers = configuration.officers.map(account);
  const guardian = account(configuration.guardian);
  const { threshold, signers } = configuration.committee;
  const { selector, inputs } = FUNCTIONS.get('configure');
  const values = [
    bytes(configuration.chain_word),
    officers,
    guardian,
    BigInt(configuration.delay_seconds),
    BigInt(configuration.minimum_expiry_seconds),
    configuration.name,
    configuration.signatures,
    configuration.development,
    signers.map(({ signer }) => bytes(signer)),
    signers.map(({ organisation }) => keccak256(Buffer.from(organisation))),
    threshold,
  ];
  const calldata = Buffer.concat([selector, encode(inputs, values)]);
  return {
    officers: officers.map(hex),
    guardian: hex(guardian),
    calldata: hex(calldata),
    sha256: createHash('sha256').update(calldata).digest('hex'),
  };
}

/** @param {Buffer} data @returns {string} */
const hex = (data) => `0x${data.toString('hex')}`;

/** @param {string} text 0x and hexadecimal digits @returns {Buffer} */
function bytes(text) {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) throw new Error(`${text} is not 0x and whole bytes in hexadecimal`);
  return Buffer.from(text.slice(2), 'hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file] = process.argv;
  if (file === undefined) throw new Error('give the path of the configuration, as README.md shows it');
  const made = makeConfiguration(JSON.parse(readFileSync(file, 'utf8')), (path) => readFileSync(resolve(dirname(file), path)));
  process.stdout.write(`${JSON.stringify(made, null, 1)}\n`);
}
