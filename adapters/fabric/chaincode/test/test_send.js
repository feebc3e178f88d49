/** send and seal: tickets, their order, limits, what waits and what stops nobody else. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageId } from '../lib/words.js';
import { decodeLogs } from './reading.js';
import { named } from './expect.js';
import { CAPS, PEER, SUITES, account, laneWorld } from './world.js';

const SOURCE = 0;
const state = async (lane, ticket) => (await lane.world.view('ticket', lane.id, ticket))[0];

for (const suite of SUITES) {
  test(`${suite.name}: a message waits under its ticket, is sealed, and the head folds it`, async () => {
    const lane = await laneWorld(SOURCE, { suite });
    const { output, logs, stub } = await lane.send();
    const [ticket] = output;
    assert.equal(ticket.toString('hex'), stub.getTxID());
    assert.deepEqual(logs.map(({ name }) => name), ['MessageTicketed']);
    assert.deepEqual([logs[0].values.ticket, logs[0].values.sender], [ticket, account('sender')]);
    assert.deepEqual(stub.puts, [`ticket~${lane.id.toString('hex')}~${ticket.toString('hex')}`]);
    assert.equal(await state(lane, ticket), 1);
    const sealed = await lane.seal();
    assert.deepEqual(sealed.output, [1n]);
    const [{ values }] = sealed.logs;
    assert.deepEqual([values.nonce, values.head], [1n, lane.head(0, 1)]);
    assert.deepEqual(values.messageId, messageId(suite, lane.id, lane.messages[0]));
    assert.deepEqual(await lane.world.view('ticket', lane.id, ticket), [2, 1n, values.messageId]);
    assert.deepEqual((await lane.world.view('heads', lane.id))[0], lane.head(0, 1));
    assert.equal((await lane.world.view('lane', lane.id)).sent, 1n);
  });
}

test('senders do not conflict with one another, two seals do', async () => {
  const lane = await laneWorld(SOURCE);
  const draft = [lane.id, PEER, Buffer.from('hello'), 1n, 0n, 0n];
  const sends = [];
  for (let number = 0; number < 3; number++) sends.push(await lane.world.simulate('send', draft, { as: 'sender' }));
  assert.deepEqual(sends.map(({ stub }) => lane.world.ledger.commit(stub)), [true, true, true]);
  const tickets = sends.map(({ output }) => output[0]);
  const [one, other] = [tickets.slice(0, 1), tickets.slice(1)];
  const seals = [await lane.world.simulate('seal', [lane.id, one]), await lane.world.simulate('seal', [lane.id, other])];
  assert.deepEqual(seals.map(({ stub }) => lane.world.ledger.commit(stub)), [true, false]);
});

test('nonces follow the age of the tickets, whatever order they are named in', async () => {
  const lane = await laneWorld(SOURCE);
  await lane.send({ payload: Buffer.from('third'), nanos: 9 });
  await lane.send({ payload: Buffer.from('second'), nanos: 8 });
  await lane.send({ payload: Buffer.from('first'), seconds: lane.world.now - 5 });
  await lane.seal();
  assert.deepEqual(lane.messages.map(({ payload }) => payload.toString()), ['first', 'second', 'third']);
});

test('sealed tickets are skipped, unknown and repeated ones refused', async () => {
  const lane = await laneWorld(SOURCE);
  await lane.send();
  const [old] = lane.tickets;
  await lane.seal();
  await assert.rejects(lane.seal([old]), named('NothingToSeal'));
  await assert.rejects(lane.seal([]), named('NothingToSeal'));
  await lane.send();
  await assert.rejects(lane.seal([Buffer.alloc(32, 9)]), named('UnknownTicket', { ticket: Buffer.alloc(32, 9) }));
  await assert.rejects(lane.seal([lane.tickets[0], lane.tickets[0]]), named('TicketRepeated'));
  assert.deepEqual((await lane.seal([old, ...lane.tickets])).output, [1n]);
  assert.deepEqual(lane.messages.map(({ nonce }) => nonce), [1n, 2n]);
});

test('a ticket belongs to its lane', async () => {
  const lane = await laneWorld(SOURCE);
  const other = await lane.world.openLane(SOURCE, { channel: 'other' });
  await lane.send();
  await assert.rejects(other.seal(lane.tickets), named('UnknownTicket'));
});

test('one message a transaction', async () => {
  const lane = await laneWorld(SOURCE);
  const { stub } = await lane.send();
  await assert.rejects(lane.send({ id: stub.getTxID() }), named('TicketTaken'));
});

const REFUSALS = {
  'a payload over the cap': [{ payload: Buffer.alloc(16_385) }, 'PayloadTooLarge', { length: 16_385n, cap: 16_384n }],
  'gas over the cap': [{ gasLimit: 2_000_001n }, 'GasLimitTooHigh', { gasLimit: 2_000_001n, cap: 2_000_000n }],
  'callback gas over the cap': [{ callbackGas: 500_001n }, 'CallbackGasTooHigh', {}],
  'a callback to a member': [{ callbackGas: 1n }, 'CallbackWithoutCode', { sender: account('sender') }],
  'a receiver of another length': [{ receiver: Buffer.alloc(21, 1) }, 'ReceiverForm', { length: 21n }],
  'a stranger': [{ as: 'stranger' }, 'SenderNotAllowed', { sender: account('stranger') }],
};

for (const [label, [fields, name, values]] of Object.entries(REFUSALS)) {
  test(`${label} is refused`, async () => {
    const lane = await laneWorld(SOURCE);
    await assert.rejects(lane.send(fields), named(name, values));
  });
}

test('what expires sooner than the minimum is refused', async () => {
  const lane = await laneWorld(SOURCE);
  const earliest = BigInt(lane.world.now + 60);
  await assert.rejects(lane.send({ expiresAt: earliest - 1n }), named('ExpiresTooSoon', { earliest }));
  await lane.send({ expiresAt: earliest });
});

test('any receiver of 1 to 64 bytes where the lane says so', async () => {
  const lane = await laneWorld(SOURCE, { caps: { ...CAPS, receiverLength: 0 } });
  for (const length of [1, 64]) await lane.send({ receiver: Buffer.alloc(length, 1) });
  for (const length of [0, 65]) await assert.rejects(lane.send({ receiver: Buffer.alloc(length, 1) }), named('ReceiverForm'));
});

test('a limit is counted at seal, leaves what is over it waiting, and stops nobody else', async () => {
  const lane = await laneWorld(SOURCE);
  lane.world.now = 60 * 30_000_000;
  await lane.world.administer('allowSender', [lane.id, account('busy'), 2]);
  for (let number = 0; number < 3; number++) await lane.send({ as: 'busy', nanos: number });
  await lane.send({ nanos: 9 });
  const tickets = lane.tickets;
  assert.deepEqual((await lane.seal()).output, [3n]);
  assert.deepEqual(await Promise.all(tickets.map((ticket) => state(lane, ticket))), [2, 2, 1, 2]);
  const reached = named('SenderLimitReached', { sender: account('busy'), retryAt: BigInt(lane.world.now + 60) });
  await assert.rejects(lane.seal([tickets[2]]), reached);
  await assert.rejects(lane.seal([tickets[2]], { seconds: lane.world.now - 1 }), reached);
  lane.world.now += 60;
  assert.deepEqual((await lane.seal([tickets[2]])).output, [1n]);
});

test('a sender denied in between is not sealed; allowed again he is', async () => {
  const lane = await laneWorld(SOURCE);
  await lane.send();
  const { tickets } = lane;
  await lane.world.call('lowerSenderLimit', [lane.id, account('sender'), 0], { as: 'officer 0' });
  await assert.rejects(lane.seal(), named('SenderNotAllowed'));
  await assert.rejects(lane.send(), named('SenderNotAllowed'));
  await lane.world.administer('allowSender', [lane.id, account('sender'), 5]);
  await lane.seal(tickets);
  assert.equal(await lane.world.view('senderLimit', lane.id, account('sender')), 5);
});

test('paused and closed lanes neither take nor seal', async () => {
  const lane = await laneWorld(SOURCE);
  await lane.send();
  const { tickets } = lane;
  await lane.world.call('pause', [], { as: 'guardian' });
  await assert.rejects(lane.send(), named('GatewayPaused'));
  await assert.rejects(lane.seal(tickets), named('GatewayPaused'));
  await lane.world.administer('unpause', []);
  await lane.world.call('pauseLane', [lane.id], { as: 'guardian' });
  await assert.rejects(lane.send(), named('LanePaused'));
  await assert.rejects(lane.seal(tickets), named('LanePaused'));
  await lane.world.administer('unpauseLane', [lane.id]);
  await lane.world.administer('closeLane', [lane.id]);
  await assert.rejects(lane.send(), named('LaneIsClosed'));
  await assert.rejects(lane.seal(tickets), named('LaneIsClosed'));
});

test('send needs a lane that begins here', async () => {
  const lane = await laneWorld(1);
  await assert.rejects(lane.send(), named('WrongEnd'));
  await assert.rejects(lane.world.call('send', [Buffer.alloc(32, 1), PEER, PEER, 0n, 0n, 0n]), named('UnknownLane'));
});

test('a seal of many is one head move, one event and one write of each key', async () => {
  const lane = await laneWorld(SOURCE);
  for (let number = 0; number < 20; number++) await lane.send({ nanos: number });
  const { stub } = await lane.seal();
  assert.equal(decodeLogs(stub.event).length, 20);
  assert.equal(new Set(stub.puts).size, stub.puts.length);
  assert.deepEqual(stub.puts.filter((key) => key.startsWith('head~')), [`head~0~${lane.id.toString('hex')}`]);
});
