/**
 * `configure`: the chaincode is told once who it is, who administers it and whom it believes. Under `sm2` the signers are
 * given by their keys (X, Y: 64 bytes), under `secp256k1` by their accounts (20 bytes).
 */

import { createHash } from 'node:crypto';
import { addEpoch } from './committee.js';
import { encodeEvent } from './interface.js';
import { appoint } from './officers.js';
import { refuse } from './refusals.js';
import { findSettings, isName, putSettings } from './settings.js';
import { SECP256K1, SM2, accountOf, schemeNamed } from './signatures.js';
import { keccak256 } from './suites.js';

/** @typedef {import('./settings.js').Call} Call */

const FIRST_EPOCH = 1n;
/** Known signatures that the schemes must accept: the probe of Signatures.sol, and one of SM2 over the same digest. */
const PROBE = keccak256(Buffer.from('relayhub/signature-probe/v1'));
const PROBES = [
  {
    scheme: SECP256K1,
    key: '',
    signer: '107b122e31670a0d741c24c9ddc0f12acf54dc59',
    signature:
      '0eca5d08852e7aec597a93fcdc3aa3cb813f48910da127c3088ac46c34a8a207' +
      '4ebc1a35bb85bf27bee6bd8eeb4c1e54dad3d522fe446666efef1dec7398c1ca1b',
  },
  {
    scheme: SM2,
    signer: 'd5ecf199e624291e98afd3e60f98ad17d1e1564c',
    key:
      '8512463caba0b350bf3a99d15cbb64fe47cff360ee8a89bc26e2cbdfb7736610' +
      'b949d48d2e6dc4f7b2266367eb42d884251fefe540dcc29f9ac78172e5391cd9',
    signature:
      'dbfee97832ee5af93c242a90884f3b766cd72c3b2948bec27b71bf44141f6af3' +
      'c67cfbfbbd267ec58ce1dc5ded13da4a82ab13d3f942a6232f9a87252f2949d6',
  },
];

/**
 * @param {Call} call
 * @param {any[]} values
 * @param {Buffer} calldata whose SHA-256 an organisation may expect
 * @param {string} [expected] hexadecimal
 * @returns {Promise<any[]>}
 */
export async function configure(call, values, calldata, expected) {
  const [chainWord, officers, guardian, delaySeconds, minimumExpirySeconds, name, signatures, development, ...epoch] = values;
  const [signers, organisations, threshold] = epoch;
  if ((await findSettings(call.state)) !== null) refuse('ConfiguredAlready');
  const digest = createHash('sha256').update(calldata).digest();
  if (expected && digest.toString('hex') !== expected.toLowerCase()) refuse('ConfigurationUnexpected', digest);
  if (!isName(name)) refuse('NameMalformed', name);
  if (name !== call.proposal.chaincode) refuse('NameMismatch', name);
  if (chainWord.equals(Buffer.alloc(32))) refuse('ChainWordZero');
  if (schemeNamed(signatures) === undefined) refuse('UnknownSignatures', signatures);
  requireSignatures();
  call.settings = { chainWord, name, delaySeconds, minimumExpirySeconds, signatures, development };
  putSettings(call.state, call.settings);
  appoint(call, officers, guardian);
  call.logs.push(encodeEvent('Configured', [chainWord, name, signatures]));
  const keys = schemeNamed(signatures).needsKeys ? signers : [];
  const accounts = keys.length === 0 ? signers : keys.map(accountOf);
  await addEpoch(call, [FIRST_EPOCH, accounts, organisations, threshold, 0n, keys]);
  return [];
}

/** Tries a known signature of each scheme, and the same one over another digest. */
function requireSignatures() {
  const other = Buffer.from(PROBE).reverse();
  for (const { scheme, ...known } of PROBES) {
    const [signer, key, signature] = [known.signer, known.key, known.signature].map((text) => Buffer.from(text, 'hex'));
    const right = scheme.wellFormed(PROBE, signature) && scheme.signerOf(PROBE, signature, key).equals(signer);
    if (!right || scheme.signerOf(other, signature, key).equals(signer)) refuse('SignatureBackendFails');
  }
}
