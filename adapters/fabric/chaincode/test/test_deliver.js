/** deliver: order, statuses, limits, and what is refused by which name. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programAccount } from '../lib/accounts.js';
import { APPLICATIONS } from '../applications/index.js';
import { keccak256 } from '../lib/suites.js';
import { integerWord } from '../lib/words.js';
import { named } from './expect.js';
import { CAPS, MAILBOX, PEER, SUITES, laneWorld } from './world.js';

const DESTINATION = 1;
const NOBODY = programAccount('nobody');
const word = (number) => integerWord(number).toString('hex');

/** @param {any} lane @returns {Promise<{count: bigint, last: string}>} what the mailbox holds */
async function mailbox(lane) {
  const { output } = await lane.world.simulate('callApplication', ['mailbox', Buffer.alloc(0)]);
  return { count: BigInt(`0x${output[0].toString('hex', 0, 32)}`), last: output[0].toString('utf8', 32) };
}

for (const suite of SUITES) {
  test(`${suite.name}: a batch is delivered in order, each key is put once`, async () => {
    const lane = await laneWorld(DESTINATION, { suite });
    for (let number = 0; number < 3; number++) lane.receive({ payload: Buffer.from(`message ${number}`) });
    const { logs, stub } = await lane.deliver();
    assert.deepEqual(lane.statuses(), [1, 1, 1]);
    assert.deepEqual(await mailbox(lane), { count: 3n, last: 'message 2' });
    const moved = logs.filter(({ name }) => name === 'HeadMoved').map(({ values }) => values);
    assert.deepEqual(
      moved.map(({ direction, nonce, head }) => [direction, nonce, head]),
      [
        [2, 3n, lane.head(0, 3)],
        [1, 3n, lane.head(1, 3)],
      ],
    );
    assert.deepEqual(
      logs.map(({ name }) => name),
      ['HeadMoved', 'MessageDelivered', 'MessageDelivered', 'MessageDelivered', 'HeadMoved'],
    );
    assert.equal(new Set(stub.puts).size, stub.puts.length);
    const [outbox, outcomes, inbox] = await lane.world.view('heads', lane.id);
    assert.deepEqual([outbox, outcomes, inbox], [Buffer.alloc(32), lane.head(1, 3), lane.head(0, 3)]);
    assert.equal((await lane.world.view('lane', lane.id)).delivered, 3n);
  });
}

test('head reads one key and gives the raw head', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive();
  await lane.deliver();
  const stub = lane.world.stub([Buffer.from('head'), Buffer.from(lane.id.toString('hex')), Buffer.from('1')]);
  const response = await lane.world.chaincode.Invoke(stub);
  assert.equal(response.status, 200);
  assert.deepEqual(response.payload, lane.head(1, 1));
  assert.deepEqual([stub.gets, stub.puts, stub.event], [[`head~1~${lane.id.toString('hex')}`], [], null]);
});

test('head refuses what names no head', async () => {
  const lane = await laneWorld(DESTINATION);
  const id = lane.id.toString('hex');
  const wrong = [[id, '0'], [id, '2'], [id.toUpperCase(), '1'], [id], [id, '1', '']];
  for (const values of wrong) {
    const stub = lane.world.stub([Buffer.from('head'), ...values.map((value) => Buffer.from(value))]);
    assert.equal((await lane.world.chaincode.Invoke(stub)).status, 500, values.join(' '));
  }
});

test('a result is what an EVM would have returned', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive();
  await lane.deliver();
  assert.equal(lane.outcomes[0].result.toString('hex'), word(32) + word(32) + word(1));
});

test('a receiver that refuses is an outcome, and nothing that it wrote stays', async () => {
  const lane = await laneWorld(DESTINATION);
  const receiver = programAccount('reverting');
  await lane.world.administer('allowReceiver', [lane.id, receiver]);
  lane.receive({ receiver });
  lane.receive();
  const { stub } = await lane.deliver();
  assert.deepEqual(lane.statuses(), [2, 1]);
  assert.match(lane.outcomes[0].result.toString('latin1'), /this receiver takes no messages/);
  assert.equal(lane.outcomes[0].result.toString('hex', 0, 4), '08c379a0');
  assert.deepEqual(stub.puts.filter((key) => key.startsWith('application~reverting')), []);
});

test('an accident in a receiver has no text, for engines word it differently', async () => {
  const broken = { name: 'broken', onMessage: () => undefined.length };
  const lane = await laneWorld(DESTINATION, { applications: [...APPLICATIONS, broken] });
  await lane.world.administer('allowReceiver', [lane.id, programAccount('broken')]);
  lane.receive({ receiver: programAccount('broken') });
  await lane.deliver();
  assert.deepEqual([lane.outcomes[0].status, lane.outcomes[0].result.length], [2, 0]);
});

test('an application keeps any bytes, also none and JSON, and deletes them', async () => {
  const kept = [];
  const keeper = {
    name: 'keeper',
    async onMessage(store, { payload }) {
      kept.push(await store.get('value'));
      if (payload.toString() === 'delete') store.delete('value');
      else store.put('value', payload);
      return (await store.get('value')) ?? Buffer.from('gone');
    },
  };
  const lane = await laneWorld(DESTINATION, { applications: [keeper] });
  await lane.world.administer('allowReceiver', [lane.id, programAccount('keeper')]);
  for (const text of ['', '{"a": 1}', 'delete', 'x']) lane.receive({ receiver: programAccount('keeper'), payload: Buffer.from(text) });
  await lane.deliver({ last: 2 });
  const stored = lane.world.ledger.state.get('application~keeper~value').value;
  assert.equal(stored[0], 0);
  await lane.deliver();
  assert.deepEqual(kept.map((value) => value?.toString() ?? null), [null, '', '{"a": 1}', null]);
});

test('a long result is cut at 256 bytes', async () => {
  const talkative = { name: 'talkative', onMessage: () => Buffer.alloc(1000, 7) };
  const lane = await laneWorld(DESTINATION, { applications: [talkative] });
  await lane.world.administer('allowReceiver', [lane.id, programAccount('talkative')]);
  lane.receive({ receiver: programAccount('talkative') });
  await lane.deliver();
  assert.equal(lane.outcomes[0].result.length, 256);
});

test('messages taken before are skipped and one new is enough', async () => {
  const lane = await laneWorld(DESTINATION);
  for (let number = 0; number < 4; number++) lane.receive();
  await lane.deliver({ last: 2 });
  await lane.deliver({ first: 1, last: 4 });
  assert.equal((await mailbox(lane)).count, 4n);
  await assert.rejects(lane.deliver({ first: 1, last: 4 }), named('NothingNew', { consumed: 4n }));
  await assert.rejects(lane.deliver({ messages: [] }), named('NothingNew'));
});

test('a gap is refused', async () => {
  const lane = await laneWorld(DESTINATION);
  const [one, , three] = [lane.receive(), lane.receive(), lane.receive()];
  await assert.rejects(lane.deliver({ first: 2 }), named('NonceGap', { expected: 1n, given: 2n }));
  await assert.rejects(lane.deliver({ messages: [one, three] }), named('NonceGap', { expected: 2n, given: 3n }));
  await assert.rejects(lane.deliver({ messages: [one, one] }), named('NonceGap', { expected: 2n, given: 1n }));
});

test('suffix ids share a claim and are not consumed; in another order they do not fold', async () => {
  const lane = await laneWorld(DESTINATION);
  for (let number = 0; number < 5; number++) lane.receive();
  const ids = lane.ids();
  const swapped = [ids[2], ids[4], ids[3]];
  await assert.rejects(lane.deliver({ last: 2, suffixIds: swapped }), named('HeadMismatch'));
  await lane.deliver({ last: 2, suffixIds: ids.slice(2) });
  assert.equal((await lane.world.view('lane', lane.id)).delivered, 2n);
  await lane.deliver();
  assert.equal((await mailbox(lane)).count, 5n);
});

const FLIPS = {
  sender: ({ sender }) => ({ sender: Buffer.concat([sender, Buffer.of(1)]) }),
  receiver: () => ({ receiver: NOBODY }),
  expiresAt: () => ({ expiresAt: 1n }),
  gasLimit: ({ gasLimit }) => ({ gasLimit: gasLimit + 1n }),
  callbackGas: () => ({ callbackGas: 1n }),
  payloadLength: ({ payloadLength }) => ({ payloadLength: payloadLength + 1n }),
  payloadHash: () => ({ payloadHash: keccak256(Buffer.from('another')) }),
};

for (const [field, flip] of Object.entries(FLIPS)) {
  test(`the ${field} of a message is bound`, async () => {
    const lane = await laneWorld(DESTINATION);
    const message = lane.receive();
    const messages = [{ ...message, ...flip(message) }];
    await assert.rejects(lane.deliver({ messages, claim: lane.claim(1) }), named('HeadMismatch'));
  });
}

test('another payload is refused, and so is none where one is needed', async () => {
  const lane = await laneWorld(DESTINATION);
  const message = lane.receive();
  const altered = [{ ...message, payload: Buffer.from('jello') }];
  await assert.rejects(lane.deliver({ messages: altered }), named('PayloadMismatch', { nonce: 1n }));
  const left = [{ ...message, payload: Buffer.alloc(0) }];
  await assert.rejects(lane.deliver({ messages: left }), named('PayloadMissing', { nonce: 1n }));
});

const CLAIM_FLIPS = {
  laneId: [{ laneId: Buffer.alloc(32, 1) }, 'ClaimForAnotherLane'],
  direction: [{ direction: 1 }, 'WrongDirection'],
  'nonce up': [{ nonce: 3n }, 'ClaimNonceMismatch'],
  'nonce down': [{ nonce: 1n }, 'ClaimNonceMismatch'],
  head: [{ head: Buffer.alloc(32, 1) }, 'HeadMismatch'],
  height: [{ height: 8n }, 'SignatureOfAnother'],
  blockHash: [{ blockHash: Buffer.alloc(32, 1) }, 'SignatureOfAnother'],
};

for (const [field, [flip, name]] of Object.entries(CLAIM_FLIPS)) {
  test(`the ${field} of a claim is bound`, async () => {
    const lane = await laneWorld(DESTINATION);
    lane.receive();
    lane.receive();
    const claim = lane.claim(2);
    await assert.rejects(lane.deliver({ claim: { ...claim, ...flip }, proof: lane.attest(claim) }), named(name));
  });
}

test('an expired message is an outcome without a call, by its hash alone', async () => {
  const lane = await laneWorld(DESTINATION);
  const message = lane.receive({ expiresAt: BigInt(lane.world.now + 60), receiver: NOBODY });
  lane.world.now += 60;
  await lane.deliver({ messages: [{ ...message, payload: Buffer.alloc(0) }] });
  assert.deepEqual([lane.statuses(), (await mailbox(lane)).count], [[3], 0n]);
});

test('a message lives until the second before', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive({ expiresAt: BigInt(lane.world.now + 60) });
  lane.world.now += 59;
  await lane.deliver();
  assert.deepEqual(lane.statuses(), [1]);
});

test('what is over a cap, not allowed or no application is refused as an outcome', async () => {
  const lane = await laneWorld(DESTINATION);
  await lane.world.administer('allowReceiver', [lane.id, NOBODY]);
  await lane.world.administer('allowReceiver', [lane.id, programAccount('postbox')]);
  await lane.world.call('lowerCaps', [lane.id, { ...CAPS, maxPayload: 50, maxGas: 200_000 }], { as: 'officer 0' });
  lane.receive({ gasLimit: 200_001n });
  lane.receive({ payload: Buffer.alloc(51) });
  lane.receive({ receiver: programAccount('reverting') });
  lane.receive({ receiver: NOBODY });
  lane.receive({ receiver: PEER });
  lane.receive({ receiver: programAccount('postbox') });
  lane.receive({ receiver: programAccount('gateway') });
  lane.receive();
  await lane.deliver();
  assert.deepEqual(lane.statuses(), [4, 4, 4, 4, 4, 4, 4, 1]);
});

test('a closed destination still delivers and calls nobody', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive({ expiresAt: BigInt(lane.world.now + 60) });
  lane.receive();
  await lane.world.administer('closeLane', [lane.id]);
  lane.world.now += 60;
  await lane.deliver({ messages: lane.messages.map((message) => ({ ...message, payload: Buffer.alloc(0) })) });
  assert.deepEqual([lane.statuses(), (await mailbox(lane)).count], [[3, 4], 0n]);
});

test('a denied receiver gets nothing more', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive();
  await lane.deliver();
  await lane.world.call('denyReceiver', [lane.id, MAILBOX], { as: 'officer 0' });
  lane.receive();
  await lane.deliver();
  assert.deepEqual(lane.statuses(), [1, 4]);
  assert.equal(await lane.world.view('receiverAllowed', lane.id, MAILBOX), false);
});

test('the window delays and never refuses; an earlier time does not open it again', async () => {
  const lane = await laneWorld(DESTINATION, { caps: { ...CAPS, windowLimit: 2 } });
  lane.world.now = 60 * 30_000_000;
  for (let number = 0; number < 4; number++) lane.receive();
  lane.receive({ receiver: NOBODY });
  const full = named('WindowFull', { laneId: lane.id, retryAt: BigInt(lane.world.now + 60) });
  await assert.rejects(lane.deliver({ last: 3 }), full);
  await lane.deliver({ last: 2 });
  await assert.rejects(lane.deliver({ last: 3 }), full);
  await assert.rejects(lane.deliver({ last: 3, seconds: lane.world.now - 1 }), full);
  lane.world.now += 60;
  await lane.deliver();
  assert.deepEqual(lane.statuses(), [1, 1, 1, 1, 4]);
});

test('paused refuses', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive();
  await lane.world.call('pauseLane', [lane.id], { as: 'guardian' });
  await assert.rejects(lane.deliver(), named('LanePaused'));
  await lane.world.administer('unpauseLane', [lane.id]);
  await lane.world.call('pause', [], { as: 'officer 0' });
  await assert.rejects(lane.deliver(), named('GatewayPaused'));
  assert.equal(await lane.world.view('paused'), true);
  await lane.world.administer('unpause', []);
  await lane.deliver();
});

test('deliver needs a lane that ends here', async () => {
  const lane = await laneWorld(0);
  const claim = lane.claim(1);
  await assert.rejects(lane.world.call('deliver', [lane.id, [], [], claim, Buffer.alloc(0)]), named('WrongEnd'));
  const other = [Buffer.alloc(32, 1), [], [], claim, Buffer.alloc(0)];
  await assert.rejects(lane.world.call('deliver', other), named('UnknownLane'));
});

test('a probe says what the committee would', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive();
  const claim = lane.claim(1);
  assert.equal(await lane.world.view('probe', lane.id, claim, lane.attest(claim)), true);
  await assert.rejects(lane.world.view('probe', lane.id, claim, Buffer.alloc(0)), named('ProofNotCanonical'));
});

test('of two deliveries on one lane the peer takes one; each alone is fine', async () => {
  const lane = await laneWorld(DESTINATION);
  lane.receive();
  const told = [lane.id, lane.messages, [], lane.claim(1), lane.attest(lane.claim(1))];
  const [first, second] = [await lane.world.simulate('deliver', told), await lane.world.simulate('deliver', told)];
  assert.deepEqual([lane.world.ledger.commit(first.stub), lane.world.ledger.commit(second.stub)], [true, false]);
});
