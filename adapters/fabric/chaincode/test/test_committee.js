/** The committee: bitmaps, epochs, organisations, strikes; secp256k1 and SM2, each under both suites. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1';
import { decode, encode } from '../lib/abi.js';
import { SECP256K1, SM2, accountOf } from '../lib/signatures.js';
import { named } from './expect.js';
import { sm2PublicKey, signSm2 } from './sm2_signing.js';
import { SUITES, World, address, key, laneWorld, organisation, sign } from './world.js';

const PROOF = [{ name: 'epoch', type: 'uint64' }, { name: 'signers', type: 'uint256' }, { name: 'signatures', type: 'bytes[]' }];
const SM2_KEYS = [0, 1, 2].map((number) => sm2PublicKey(key(`signer ${number}`)));
const SM2_SIGNERS = SM2_KEYS.map(accountOf);
const SCHEMES = {
  secp256k1: { settings: {}, signWith: sign, signers: [0, 1, 2].map((number) => address(`signer ${number}`)) },
  sm2: { settings: { signatures: 'sm2', signers: SM2_KEYS }, signWith: signSm2, signers: SM2_SIGNERS },
};

/** @param {object} [options] @returns {Promise<any>} a lane with one message to deliver */
async function waiting(options) {
  const lane = await laneWorld(1, options);
  lane.receive();
  return lane;
}

for (const suite of SUITES) {
  for (const [name, { settings, signWith, signers }] of Object.entries(SCHEMES)) {
    test(`${suite.name}, ${name}: two of three organisations are believed, one is not, nor a forger`, async () => {
      const lane = await waiting({ suite, settings });
      const claim = lane.claim(1);
      const digest = await lane.world.view('digest', suite.hash(Buffer.from('gateway')), 1n, claim);
      const [, , signatures] = decode(PROOF, lane.attest(claim, { signWith }));
      assert.deepEqual(signatures[1], signWith(key('signer 1'), digest));
      const one = lane.attest(claim, { signers: [1], signWith });
      await assert.rejects(lane.deliver({ proof: one }), named('QuorumTooSmall', { organisations: 1n, threshold: 2n }));
      const forged = lane.attest(claim, { keys: [key('signer 0'), key('forger')], signWith });
      await assert.rejects(lane.deliver({ proof: forged }), named('SignatureOfAnother', { signer: signers[1] }));
      await lane.deliver({ proof: lane.attest(claim, { signers: [0, 2], signWith }) });
    });
  }
}

test('signatures of one organisation count once', async () => {
  const organisations = ['a', 'a', 'b'].map(organisation);
  const lane = await waiting({ settings: { organisations } });
  await assert.rejects(lane.deliver({ proof: lane.attest(lane.claim(1)) }), named('QuorumTooSmall'));
  await lane.deliver({ proof: lane.attest(lane.claim(1), { signers: [1, 2] }) });
});

test('each bit has a signature, and each signature a seat', async () => {
  const lane = await waiting();
  const claim = lane.claim(1);
  const [epoch, , signatures] = decode(PROOF, lane.attest(claim));
  const proof = (bits, given = signatures) => encode(PROOF, [epoch, bits, given]);
  await assert.rejects(lane.deliver({ proof: proof(7n) }), named('SignatureCount', { signatures: 2n, signers: 3n }));
  await assert.rejects(lane.deliver({ proof: proof(1n) }), named('SignatureCount', { signatures: 2n, signers: 1n }));
  await assert.rejects(lane.deliver({ proof: proof(9n) }), named('SignatureCount'));
  await assert.rejects(lane.deliver({ proof: proof(3n, [...signatures].reverse()) }), named('SignatureOfAnother'));
  await assert.rejects(lane.deliver({ proof: proof(3n, [signatures[0], signatures[0]]) }), named('SignatureOfAnother'));
});

test('a proof that is not canonical is refused', async () => {
  const lane = await waiting();
  const proof = lane.attest(lane.claim(1));
  const [epoch, bits, signatures] = decode(PROOF, proof);
  const wrong = [
    proof.subarray(0, proof.length - 1),
    Buffer.concat([proof, Buffer.alloc(32)]),
    Buffer.concat([Buffer.of(1), proof.subarray(1)]),
    Buffer.concat([proof.subarray(0, proof.length - 1), Buffer.of(1)]),
    encode(PROOF, [epoch, bits, signatures.map((signature) => signature.subarray(0, 64))]),
    encode(PROOF, [epoch, bits, new Array(257).fill(signatures[0])]),
  ];
  for (const given of wrong) await assert.rejects(lane.deliver({ proof: given }), named('ProofNotCanonical'));
});

test('a high s, another v and an r that is no point are refused', async () => {
  const lane = await waiting();
  const [epoch, bits, [one, two]] = decode(PROOF, lane.attest(lane.claim(1)));
  const order = secp256k1.CURVE.n;
  const high = Buffer.from((order - BigInt(`0x${one.toString('hex', 32, 64)}`)).toString(16).padStart(64, '0'), 'hex');
  const flipped = Buffer.concat([one.subarray(0, 32), high, Buffer.of(one[64] === 27 ? 28 : 27)]);
  const proof = (first) => encode(PROOF, [epoch, bits, [first, two]]);
  await assert.rejects(lane.deliver({ proof: proof(flipped) }), named('SignatureMalformed'));
  const otherV = Buffer.concat([one.subarray(0, 64), Buffer.of(29)]);
  await assert.rejects(lane.deliver({ proof: proof(otherV) }), named('SignatureMalformed'));
  const noPoint = Buffer.concat([Buffer.alloc(32), one.subarray(32)]);
  await assert.rejects(lane.deliver({ proof: proof(noPoint) }), named('SignatureOfAnother', { recovered: Buffer.alloc(0) }));
});

test('SM2: zero, too large or swapped parts and a key off the curve are refused', () => {
  const digest = key('digest');
  const [secret, signer] = [key('signer 0'), SM2_KEYS[0]];
  const signature = signSm2(secret, digest);
  assert.deepEqual(SM2.signerOf(digest, signature, signer), SM2_SIGNERS[0]);
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  const wrong = [[s, r], [Buffer.alloc(32), s], [r, Buffer.alloc(32)], [r, Buffer.alloc(32, 0xff)], [Buffer.alloc(32, 0xff), s]];
  for (const parts of wrong) assert.equal(SM2.signerOf(digest, Buffer.concat(parts), signer).length, 0);
  assert.equal(SM2.signerOf(digest, signature, Buffer.alloc(64, 1)).length, 0);
  assert.equal(SM2.signerOf(key('other'), signature, signer).length, 0);
});

test('a claim with a zero in it, of no epoch, or in another place is refused', async () => {
  const lane = await waiting();
  const claim = lane.claim(1);
  const verify = (fields, proof = lane.attest(claim), hash = lane.suite.hash(Buffer.from('gateway'))) =>
    lane.world.view('verify', hash, Buffer.alloc(0), Buffer.alloc(32), { ...claim, ...fields }, proof);
  assert.equal(await verify({}), true);
  const zero = Buffer.alloc(32);
  for (const fields of [{ laneId: zero }, { head: zero }, { blockHash: zero }, { nonce: 0n }, { direction: 2 }]) {
    await assert.rejects(verify(fields), named('ClaimMalformed'));
  }
  await assert.rejects(verify({}, lane.attest(claim), zero), named('ClaimMalformed'));
  await assert.rejects(verify({}, lane.attest(claim, { epoch: 2n })), named('UnknownEpoch', { epoch: 2n }));
  await assert.rejects(verify({}, lane.attest(claim), key('another gateway')), named('SignatureOfAnother'));
  await assert.rejects(verify({ laneId: key('no lane') }), named('UnknownLane'));
});

test('epochs follow one another and overlap until they end', async () => {
  const lane = await waiting();
  lane.receive();
  const { world } = lane;
  const next = [3, 4, 5].map((number) => address(`signer ${number}`));
  const organisations = ['a', 'b', 'c'].map(organisation);
  const ends = BigInt(world.now + 100);
  const add = (fields = {}) =>
    world.administer('addEpoch', Object.values({ number: 2n, signers: next, organisations, threshold: 2, ends, keys: [], ...fields }));
  await assert.rejects(add({ number: 3n }), named('EpochNotNext', { expected: 2n, given: 3n }));
  await assert.rejects(add({ ends: BigInt(world.now - 1) }), named('OverlapInPast'));
  const moved = { signers: [address('signer 0'), next[1], next[2]] };
  await assert.rejects(add(moved), named('SignerOfAnotherOrganisation', { signer: address('signer 0') }));
  await assert.rejects(add({ keys: SM2_KEYS }), named('KeysMalformed'));
  const { logs } = await add();
  assert.deepEqual(logs.map(({ name }) => name), ['Executed', 'EpochAdded']);
  await lane.deliver({ last: 1 });
  world.now += 100;
  await assert.rejects(lane.deliver({ first: 2 }), named('EpochEnded', { epoch: 1n }));
  const claim = lane.claim(2);
  await lane.deliver({ first: 2, proof: lane.attest(claim, { epoch: 2n, keys: [key('signer 3'), key('signer 4')] }) });
});

test('under SM2 each signer of an epoch brings its key, and is its account', async () => {
  const { world } = await waiting({ settings: SCHEMES.sm2.settings });
  assert.deepEqual([await world.view('signatureScheme'), await world.view('keyOf', SM2_SIGNERS[1])], ['sm2', SM2_KEYS[1]]);
  assert.deepEqual((await world.view('epochOf', 1n))[0], SM2_SIGNERS);
  const organisations = [0, 1, 2].map((number) => organisation(`organisation ${number}`));
  const add = (keys, signers = SM2_SIGNERS) =>
    world.administer('addEpoch', [2n, signers, organisations, 2, BigInt(world.now), keys]);
  await assert.rejects(add([]), named('KeysMalformed'));
  await assert.rejects(add(SM2_KEYS.map((given) => given.subarray(1))), named('KeysMalformed'));
  const swapped = [SM2_KEYS[1], SM2_KEYS[0], SM2_KEYS[2]];
  await assert.rejects(add(swapped), named('KeyOfAnother', { signer: SM2_SIGNERS[0], owner: SM2_SIGNERS[1] }));
  const off = Buffer.alloc(64, 1);
  await assert.rejects(add([off, ...SM2_KEYS.slice(1)], [accountOf(off), ...SM2_SIGNERS.slice(1)]), named('KeyUnfit'));
  await add(SM2_KEYS);
  await assert.rejects(new World().configure({ signatures: 'sm2' }), named('KeysMalformed'));
});

test('a struck signer is out of every epoch at once', async () => {
  const lane = await waiting();
  const { world } = lane;
  const strike = (label, options) => world.call('strike', [address(label)], options);
  await assert.rejects(strike('signer 0', { as: 'stranger' }), named('NotGuardianOrOfficer'));
  await assert.rejects(strike('nobody', { as: 'guardian' }), named('UnknownSigner'));
  await strike('signer 0', { as: 'guardian' });
  await assert.rejects(strike('signer 0', { as: 'guardian' }), named('SignerStruckOut'));
  await assert.rejects(lane.deliver(), named('SignerStruckOut', { signer: address('signer 0') }));
  await lane.deliver({ proof: lane.attest(lane.claim(1), { signers: [1, 2] }) });
  assert.equal(await world.view('struck', address('signer 0')), true);
  assert.deepEqual(await world.view('organisationOf', address('signer 0')), organisation('organisation 0'));
  const again = [2n, [0, 3, 4].map((number) => address(`signer ${number}`)), ['organisation 0', 'x', 'y'].map(organisation), 2, BigInt(world.now), []];
  await assert.rejects(world.administer('addEpoch', again), named('SignerStruckOut'));
});

test('a scheme that cannot tell a forgery apart would be noticed', () => {
  assert.equal(SECP256K1.signerOf(key('digest'), sign(key('signer 0'), key('digest'))).equals(address('signer 0')), true);
  assert.equal(SECP256K1.signerOf(key('other'), sign(key('signer 0'), key('digest'))).equals(address('signer 0')), false);
});
