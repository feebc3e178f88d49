/**
 * A committee of operators in this chaincode: k of n, counted by organisation. Source: docs/protocol.md, section Who believes
 * what; CommitteeVerifier.sol. Its proof is abi.encode(uint64 epoch, uint256 signers, bytes[] signatures).
 */

import { AbiError, decode } from './abi.js';
import { encodeEvent } from './interface.js';
import { knownLane } from './lanes.js';
import { requireGuardianOrOfficer } from './officers.js';
import { refuse } from './refusals.js';
import { accountOf, schemeNamed } from './signatures.js';
import { attestation, integerWord } from './words.js';

/** @typedef {import('./settings.js').Call} Call */
/** @typedef {import('./words.js').Claim} Claim */
/** @typedef {{signers: string[], organisations: string[], threshold: number, endsAt: string}} Epoch accounts in hexadecimal */

const EPOCH = 'epoch';
const STRIKES = 'strikes';
const MOST_SIGNERS = 256;
const SIGNER_BYTES = 20;
const KEY_BYTES = 64;
const PROOF = [
  { name: 'epoch', type: 'uint64' },
  { name: 'signers', type: 'uint256' },
  { name: 'signatures', type: 'bytes[]' },
];
const ZERO_WORD = Buffer.alloc(32);

/** @param {bigint} number */
const epochKey = (number) => `epoch~${number}`;
/** @param {string} signer hexadecimal */
const organisationKey = (signer) => `organisation~${signer}`;
/** @param {string} signer hexadecimal */
const keyKey = (signer) => `key~${signer}`;
/** @param {string} signer hexadecimal */
const struckKey = (signer) => `struck~${signer}`;

/** @param {Call} call @param {string} key @returns {Promise<bigint>} */
const readCount = async (call, key) => BigInt((await call.state.get(key))?.toString() ?? 0);

/** @param {Call} call @param {bigint} number @returns {Promise<Epoch | null>} */
const readEpoch = (call, number) => call.state.record(epochKey(number));

/** @param {Call} call @param {string} signer @returns {Promise<boolean>} */
const isStruck = async (call, signer) => (await call.state.get(struckKey(signer))) !== null;

/**
 * Action, and part of `configure` for epoch 1.
 * @param {Call} call
 * @param {any[]} values
 */
export async function addEpoch(call, [number, signers, organisations, threshold, previousEndsAt, keys]) {
  const present = await readCount(call, EPOCH);
  if (present !== 0n) {
    if (previousEndsAt < call.now) refuse('OverlapInPast', previousEndsAt);
    const previous = await readEpoch(call, present);
    call.state.putRecord(epochKey(present), { ...previous, endsAt: previousEndsAt.toString() });
  }
  if (number !== present + 1n) refuse('EpochNotNext', present + 1n, number);
  if (signers.length === 0 || signers.length > MOST_SIGNERS || organisations.length !== signers.length) {
    refuse('SignersMalformed');
  }
  keepKeys(call, signers, keys);
  const seen = new Set();
  for (const [index, signer] of signers.entries()) {
    const name = signer.toString('hex');
    const empty = signer.equals(Buffer.alloc(signer.length)) || organisations[index].equals(ZERO_WORD);
    if (signer.length !== SIGNER_BYTES || empty || seen.has(name)) refuse('SignersMalformed');
    seen.add(name);
    await admit(call, signer, organisations[index]);
  }
  const named = organisations.map((organisation) => organisation.toString('hex'));
  const distinct = new Set(named).size;
  if (threshold * 2 <= distinct || threshold > distinct || (threshold < 2 && !call.settings.development)) {
    refuse('ThresholdUnfit', threshold, distinct);
  }
  call.state.put(EPOCH, Buffer.from(number.toString()));
  call.state.putRecord(epochKey(number), { signers: [...seen], organisations: named, threshold, endsAt: '0' });
  call.logs.push(encodeEvent('EpochAdded', [number, signers, organisations, threshold, previousEndsAt]));
}

/** @param {Call} call @param {Buffer[]} signers @param {Buffer[]} keys one for each where the scheme needs them */
function keepKeys(call, signers, keys) {
  const { needsKeys, keyFits } = schemeNamed(call.settings.signatures);
  if (keys.length !== (needsKeys ? signers.length : 0)) refuse('KeysMalformed');
  keys.forEach((key, index) => {
    if (key.length !== KEY_BYTES) refuse('KeysMalformed');
    if (!keyFits(key)) refuse('KeyUnfit');
    const owner = accountOf(key);
    if (!owner.equals(signers[index])) refuse('KeyOfAnother', signers[index], owner);
    call.state.put(keyKey(owner.toString('hex')), key);
  });
}

/** @param {Call} call @param {Buffer} signer @returns {Promise<Buffer>} its key; empty where signatures give the signer */
const keyOf = async (call, signer) => (await call.state.get(keyKey(signer.toString('hex')))) ?? Buffer.alloc(0);

/** @param {Call} call @param {Buffer} signer @param {Buffer} organisation */
async function admit(call, signer, organisation) {
  const name = signer.toString('hex');
  if (await isStruck(call, name)) refuse('SignerStruckOut', signer);
  const known = await call.state.get(organisationKey(name));
  if (known !== null && !known.equals(organisation)) refuse('SignerOfAnotherOrganisation', signer);
  call.state.put(organisationKey(name), organisation);
}

/** @param {Call} call @param {any[]} values @returns {Promise<any[]>} */
export async function strike(call, [signer]) {
  await requireGuardianOrOfficer(call);
  const name = signer.toString('hex');
  if ((await call.state.get(organisationKey(name))) === null) refuse('UnknownSigner', signer);
  if (await isStruck(call, name)) refuse('SignerStruckOut', signer);
  call.state.put(struckKey(name), Buffer.of(1));
  call.state.put(STRIKES, Buffer.from(((await readCount(call, STRIKES)) + 1n).toString()));
  call.logs.push(encodeEvent('SignerStruck', [signer]));
  return [];
}

/** @param {Call} call @returns {Promise<Buffer>} 32 bytes: changes whenever something believed before may be believed no more */
export const committeeGeneration = async (call) => integerWord(await readCount(call, STRIKES));

/**
 * The steps: 1. nothing in the claim is zero that must not be; 2. the proof is canonical; 3. the epoch is known and has not
 * ended; 4. as many signatures as bits, no bit without a seat; 5. each signature is its signer's over this claim in this place,
 * and he is not struck; 6. the organisations behind them reach the threshold.
 * @param {Call} call
 * @param {Buffer} gatewayHash 32 bytes, by the lane's suite
 * @param {Claim} claim
 * @param {Buffer} proof
 * @returns {Promise<boolean>} true, or it refuses
 */
export async function verifyCommittee(call, gatewayHash, claim, proof) {
  const words = [claim.laneId, claim.head, claim.blockHash, gatewayHash];
  if (words.some((word) => word.equals(ZERO_WORD)) || claim.direction > 1 || claim.nonce === 0n) refuse('ClaimMalformed');
  const [number, bits, signatures] = outline(call, proof);
  const epoch = (await readEpoch(call, number)) ?? refuse('UnknownEpoch', number);
  const endsAt = BigInt(epoch.endsAt);
  if (endsAt !== 0n && call.now >= endsAt) refuse('EpochEnded', number);
  const seats = seatsOf(bits);
  if (bits >> BigInt(epoch.signers.length) !== 0n || seats.length !== signatures.length) {
    refuse('SignatureCount', signatures.length, seats.length);
  }
  const digest = await digestOf(call, gatewayHash, number, claim);
  const seen = new Set();
  for (const [place, seat] of seats.entries()) {
    await requireSigner(call, digest, signatures[place], Buffer.from(epoch.signers[seat], 'hex'));
    seen.add(epoch.organisations[seat]);
  }
  if (seen.size < epoch.threshold) refuse('QuorumTooSmall', seen.size, epoch.threshold);
  return true;
}

/** @param {Call} call @param {Buffer} proof @returns {[bigint, bigint, Buffer[]]} epoch, bitmap, signatures */
function outline(call, proof) {
  const { signatureBytes } = schemeNamed(call.settings.signatures);
  try {
    const [number, bits, signatures] = decode(PROOF, proof);
    if (signatures.length > MOST_SIGNERS) refuse('ProofNotCanonical');
    if (signatures.some(({ length }) => length !== signatureBytes)) refuse('ProofNotCanonical');
    return [number, bits, signatures];
  } catch (error) {
    if (error instanceof AbiError) refuse('ProofNotCanonical');
    throw error;
  }
}

/** @param {bigint} bits @returns {number[]} the places of the ones, ascending */
function seatsOf(bits) {
  const seats = [];
  for (let index = 0; bits !== 0n; bits >>= 1n, index++) if (bits & 1n) seats.push(index);
  return seats;
}

/** @param {Call} call @param {Buffer} digest @param {Buffer} signature @param {Buffer} signer */
async function requireSigner(call, digest, signature, signer) {
  const scheme = schemeNamed(call.settings.signatures);
  if (!scheme.wellFormed(digest, signature)) refuse('SignatureMalformed');
  const found = scheme.signerOf(digest, signature, await keyOf(call, signer));
  if (!found.equals(signer)) refuse('SignatureOfAnother', signer, found);
  if (await isStruck(call, signer.toString('hex'))) refuse('SignerStruckOut', signer);
}

/** @param {Call} call @param {Buffer} gatewayHash @param {bigint} epoch @param {Claim} claim @returns {Promise<Buffer>} 32 bytes */
async function digestOf(call, gatewayHash, epoch, claim) {
  const { suite } = await knownLane(call, claim.laneId);
  const { chainWord, name } = call.settings;
  return attestation(suite, { chainWord, gatewayHash, verifierHash: suite.hash(Buffer.from(name)), epoch }, claim);
}

/** Views. @type {Record<string, (call: Call, values: any[]) => Promise<any[]>>} */
export const COMMITTEE_VIEWS = {
  digest: async (call, [gatewayHash, number, claim]) => [await digestOf(call, gatewayHash, number, claim)],
  verify: async (call, [gatewayHash, , , claim, proof]) => [await verifyCommittee(call, gatewayHash, claim, proof)],
  generation: async (call) => [await committeeGeneration(call)],
  kind: async () => ['committee'],
  caller: async (call) => [call.caller],
  development: async (call) => [call.settings.development],
  keyOf: async (call, [signer]) => [await keyOf(call, signer)],
  signatureScheme: async (call) => [call.settings.signatures],
  epoch: async (call) => [await readCount(call, EPOCH)],
  struck: async (call, [signer]) => [await isStruck(call, signer.toString('hex'))],
  organisationOf: async (call, [signer]) => [
    (await call.state.get(organisationKey(signer.toString('hex')))) ?? ZERO_WORD,
  ],
  epochOf: async (call, [number]) => {
    const epoch = await readEpoch(call, number);
    if (epoch === null) return [[], [], 0, 0n];
    const buffers = (texts) => texts.map((text) => Buffer.from(text, 'hex'));
    return [buffers(epoch.signers), buffers(epoch.organisations), epoch.threshold, BigInt(epoch.endsAt)];
  },
};
