/** settle, callbacks, retry and anchors. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPLICATIONS } from '../applications/index.js';
import { encode } from '../lib/abi.js';
import { programAccount } from '../lib/accounts.js';
import { FUNCTIONS } from '../lib/interface.js';
import { integerWord } from '../lib/words.js';
import { named } from './expect.js';
import { moody } from './moody.js';
import { PEER, SUITES, address, laneWorld } from './world.js';

const POSTBOX = programAccount('postbox');
const MOODY = programAccount('moody');

/** @param {any} lane @param {object} [fields] */
async function sendSealed(lane, fields) {
  await lane.send(fields);
  await lane.seal();
}

/** Sends as an application of the chaincode, with a callback. @param {any} lane @param {string} name */
async function sendAs(lane, name) {
  const values = [lane.id, PEER, Buffer.from('hello'), 1n, 100_000n, 0n];
  const { output } = await lane.world.call('callApplication', [name, encode(FUNCTIONS.get('send').inputs, values)]);
  await lane.seal([output[0]]);
}

for (const suite of SUITES) {
  test(`${suite.name}: what was concluded is settled`, async () => {
    const lane = await laneWorld(0, { suite });
    for (const status of [1, 2, 3, 4]) {
      await sendSealed(lane);
      lane.conclude(status, status < 3 ? Buffer.from('result') : undefined);
    }
    const { logs } = await lane.settle();
    assert.deepEqual(logs.map(({ values }) => [values.direction, values.nonce, values.head]), [[3, 4n, lane.head(1, 4)]]);
    assert.deepEqual((await lane.world.view('heads', lane.id))[3], lane.head(1, 4));
    assert.equal((await lane.world.view('lane', lane.id)).settled, 4n);
    await assert.rejects(lane.settle(), named('NothingNew', { consumed: 4n }));
  });
}

test('a settlement does not conflict with a seal, nor a delivery with either', async () => {
  const lane = await laneWorld(0);
  const back = await lane.world.openLane(1);
  await sendSealed(lane);
  lane.conclude();
  back.receive();
  await lane.send();
  const evidence = (of) => [[], of.claim(1), of.attest(of.claim(1))];
  const { world, id, tickets } = lane;
  const sealing = await world.simulate('seal', [id, tickets]);
  const settling = await world.simulate('settle', [id, lane.settled(), ...evidence(lane)]);
  const sending = await world.simulate('send', [id, PEER, Buffer.alloc(1), 1n, 0n, 0n], { as: 'sender' });
  const delivering = await world.simulate('deliver', [back.id, back.messages, ...evidence(back)]);
  const stubs = [sealing, settling, sending, delivering].map(({ stub }) => stub);
  assert.deepEqual(stubs.map((stub) => world.ledger.commit(stub)), [true, true, true, true]);
});

test('entries settled before are skipped, a gap is refused, suffix ids are not consumed', async () => {
  const lane = await laneWorld(0);
  for (let number = 0; number < 4; number++) {
    await sendSealed(lane);
    lane.conclude();
  }
  await assert.rejects(lane.settle({ first: 2 }), named('NonceGap', { expected: 1n, given: 2n }));
  const ids = lane.outcomeIds();
  await lane.settle({ last: 2, suffixIds: ids.slice(2) });
  assert.equal((await lane.world.view('lane', lane.id)).settled, 2n);
  await lane.settle({ first: 1, last: 4 });
});

test('more outcomes than messages is never believed', async () => {
  const lane = await laneWorld(0);
  await sendSealed(lane);
  lane.conclude();
  lane.receive({ sender: POSTBOX });
  lane.conclude();
  await assert.rejects(lane.settle(), named('NeverSent', { sent: 1n, claimed: 2n }));
});

test('an entry is its message by hash, a status of 1 to 4 and at most 256 bytes', async () => {
  const lane = await laneWorld(0);
  await sendSealed(lane);
  lane.conclude();
  const [entry] = lane.settled();
  const whole = { ...entry, message: { ...entry.message, payload: Buffer.from('hello') } };
  await assert.rejects(lane.settle({ settled: [whole] }), named('PayloadGiven', { nonce: 1n }));
  for (const fields of [{ status: 0 }, { status: 5 }, { result: Buffer.alloc(257) }]) {
    await assert.rejects(lane.settle({ settled: [{ ...entry, ...fields }] }), named('OutcomeMalformed', { nonce: 1n }));
  }
  await assert.rejects(lane.settle({ settled: [{ ...entry, status: 2 }] }), named('HeadMismatch'));
});

test('a closed source still settles', async () => {
  const lane = await laneWorld(0);
  await sendSealed(lane);
  lane.conclude();
  await lane.world.administer('closeLane', [lane.id]);
  await lane.settle();
});

test('an application that sent is called back with what became of it', async () => {
  const lane = await laneWorld(0);
  await lane.world.administer('allowSender', [lane.id, POSTBOX, 10]);
  await sendAs(lane, 'postbox');
  assert.deepEqual(lane.messages[0].sender, POSTBOX);
  lane.conclude(1, Buffer.from('done'));
  await lane.settle();
  const { output } = await lane.world.simulate('callApplication', ['postbox', lane.ids()[0]]);
  assert.deepEqual(output[0], Buffer.from('\x01done'));
});

test('an application that is on no list cannot send; what it refuses is its own text', async () => {
  const lane = await laneWorld(0);
  await assert.rejects(sendAs(lane, 'postbox'), named('SenderNotAllowed', { sender: POSTBOX }));
  const wrong = lane.world.call('callApplication', ['postbox', Buffer.from('nonsense')]);
  await assert.rejects(wrong, named('Error', { text: 'the postbox takes the arguments of send, or a message id' }));
  await assert.rejects(lane.world.call('callApplication', ['reverting', Buffer.alloc(0)]), named('UnknownApplication'));
  assert.deepEqual(await lane.world.view('applicationAccount', 'postbox'), POSTBOX);
});

test('a failed callback is kept, stops nothing, leaves no trace, and anyone may retry it', async () => {
  const lane = await laneWorld(0, { applications: [...APPLICATIONS, moody] });
  await lane.world.administer('allowSender', [lane.id, MOODY, 10]);
  await sendAs(lane, 'moody');
  await sendSealed(lane);
  lane.conclude();
  lane.conclude();
  const { logs, stub } = await lane.settle();
  const [outcomeId] = lane.outcomeIds();
  assert.deepEqual(logs.map(({ name }) => name), ['HeadMoved', 'CallbackFailed']);
  assert.deepEqual([logs[1].values.nonce, logs[1].values.outcomeId], [1n, outcomeId]);
  assert.deepEqual(stub.puts.filter((key) => key.startsWith('application~moody')), []);
  assert.equal(await lane.world.view('callbackFailed', outcomeId), true);
  const [entry, other] = lane.settled();
  const retry = (given) => lane.world.call('retry', [lane.id, given], { as: 'stranger' });
  await assert.rejects(retry(entry), named('CallbackFailedAgain', { outcomeId }));
  await assert.rejects(retry(other), named('NothingToRetry'));
  await lane.world.call('callApplication', ['moody', Buffer.from('mend')]);
  assert.deepEqual((await retry(entry)).logs.map(({ name }) => name), ['CallbackRetried']);
  await assert.rejects(retry(entry), named('NothingToRetry', { outcomeId }));
});

test('a head that is anchored needs no proof, once, in its generation', async () => {
  const lane = await laneWorld(1);
  for (let number = 0; number < 4; number++) lane.receive();
  const claim = lane.claim(4);
  const anchor = (fields = {}) => {
    const told = { direction: 0, head: lane.head(0, 2), ids: lane.ids().slice(2), claim, proof: lane.attest(claim), ...fields };
    return lane.world.call('anchor', [lane.id, told.direction, told.head, told.ids, told.claim, told.proof]);
  };
  const bare = { last: 2, claim: lane.claim(2), proof: Buffer.alloc(0) };
  await assert.rejects(lane.deliver(bare), named('NotAnchored'));
  await assert.rejects(anchor({ direction: 1 }), named('WrongDirection'));
  await assert.rejects(anchor({ head: Buffer.alloc(32) }), named('HeadZero'));
  await assert.rejects(anchor({ ids: lane.ids().slice(1) }), named('HeadMismatch'));
  await assert.rejects(anchor({ claim: { ...claim, laneId: Buffer.alloc(32, 1) } }), named('ClaimForAnotherLane'));
  await anchor();
  await anchor({ head: lane.head(0, 1), ids: [lane.ids()[1]], claim: lane.claim(2), proof: Buffer.alloc(0) });
  assert.equal(await lane.world.view('anchored', lane.id, lane.head(0, 1)), true);
  await lane.deliver(bare);
  assert.equal(await lane.world.view('anchored', lane.id, lane.head(0, 2)), false);
});

test('a struck signer or another verifier voids the anchors', async () => {
  const lane = await laneWorld(1);
  lane.receive();
  const anchor = async () => {
    const proof = lane.attest(lane.claim(1), { signers: [0, 1] });
    await lane.world.call('anchor', [lane.id, 0, lane.head(0, 1), [], lane.claim(1), proof]);
  };
  const anchored = () => lane.world.view('anchored', lane.id, lane.head(0, 1));
  await anchor();
  await lane.world.administer('setVerifier', [lane.id, Buffer.from('gateway')]);
  assert.equal(await anchored(), false);
  await anchor();
  assert.equal(await anchored(), true);
  await lane.world.call('strike', [address('signer 2')], { as: 'guardian' });
  assert.equal(await anchored(), false);
  assert.deepEqual(await lane.world.view('generation'), integerWord(1));
  await assert.rejects(lane.deliver({ proof: Buffer.alloc(0) }), named('NotAnchored'));
});
