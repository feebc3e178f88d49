/** What things cost; printed, never asserted: a machine under load is slower. */

import { test } from 'node:test';
import { SECP256K1, SM2, accountOf } from '../lib/signatures.js';
import { SUITES, address, key, laneWorld, sign } from './world.js';
import { sm2PublicKey, signSm2 } from './sm2_signing.js';
import assert from 'node:assert/strict';

/** @param {() => any} run @returns {Promise<number>} milliseconds */
async function measure(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

for (const suite of SUITES) {
  for (const count of [100, 1000]) {
    test(`${suite.name}: a delivery of one message and ${count} ids behind it`, async (context) => {
      const lane = await laneWorld(1, { suite });
      for (let number = 0; number <= count; number++) lane.receive();
      const [suffixIds, claim] = [lane.ids().slice(1), lane.claim(count + 1)];
      const proof = lane.attest(claim);
      const spent = await measure(() => lane.deliver({ last: 1, suffixIds, claim, proof }));
      context.diagnostic(`${spent.toFixed(0)} ms with two signatures`);
      assert.deepEqual(lane.statuses(), [1]);
    });
  }
}

test('a signature of each scheme', async (context) => {
  const [digest, rounds] = [key('digest'), 20];
  const [signature, other, publicKey] = [sign(key('a'), digest), signSm2(key('a'), digest), sm2PublicKey(key('a'))];
  const recover = () => assert.deepEqual(SECP256K1.signerOf(digest, signature, Buffer.alloc(0)), address('a'));
  const verify = () => assert.deepEqual(SM2.signerOf(digest, other, publicKey), accountOf(publicKey));
  for (const [name, run] of [['secp256k1 recovery', recover], ['SM2 verification', verify]]) {
    run();
    const spent = await measure(() => {
      for (let round = 0; round < rounds; round++) run();
    });
    context.diagnostic(`${name}: ${(spent / rounds).toFixed(1)} ms`);
  }
});
