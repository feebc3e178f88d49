/** The rules of every call: whose proposal it is, when it was made, and what it brings. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../lib/abi.js';
import { FUNCTIONS } from '../lib/interface.js';
import { decodeRefusal, decodeRlp } from './reading.js';
import { encodeRlp } from '../lib/rlp.js';
import { encodeLogs } from '../lib/chaincode.js';
import { named } from './expect.js';
import { PEER, World, account, laneWorld } from './world.js';

const calldata = (name, values) => Buffer.concat([FUNCTIONS.get(name).selector, encode(FUNCTIONS.get(name).inputs, values)]);

test('only what is called directly moves anything; views and head may be asked through another chaincode', async () => {
  const lane = await laneWorld(0);
  const through = { chaincode: 'another', as: 'sender' };
  const draft = [lane.id, PEER, Buffer.from('hello'), 1n, 0n, 0n];
  await assert.rejects(lane.world.call('send', draft, through), named('NotOrigin', { caller: account('sender') }));
  await assert.rejects(lane.world.call('seal', [lane.id, []], through), named('NotOrigin'));
  await assert.rejects(lane.world.call('pause', [], { ...through, as: 'guardian' }), named('NotOrigin'));
  const disguised = { as: 'sender', payloadChaincode: 'another' };
  await assert.rejects(lane.world.call('send', draft, disguised), named('NotOrigin'));
  assert.deepEqual((await lane.world.simulate('paused', [], through)).output, [false]);
  const stub = lane.world.stub([Buffer.from('head'), Buffer.from(lane.id.toString('hex')), Buffer.from('0')], through);
  assert.equal((await lane.world.chaincode.Invoke(stub)).status, 200);
});

test('a time more than 60 s off the clock is refused', async () => {
  const world = await new World().configure();
  world.clock = world.now;
  for (const off of [61, -61]) {
    const skewed = world.call('pause', [], { as: 'guardian', seconds: world.now + off });
    await assert.rejects(skewed, named('ClockSkew', { transactionTime: BigInt(world.now + off), endorserTime: BigInt(world.now) }));
  }
  await assert.rejects(world.call('pause', [], { as: 'guardian', seconds: -1 }), named('ClockSkew'));
  for (const off of [60, -60]) await world.call('pause', [], { as: 'guardian', seconds: world.now + off });
});

test('a transient map is refused, also for a head', async () => {
  const lane = await laneWorld(0);
  const transient = new Map([['key', Buffer.of(1)]]);
  await assert.rejects(lane.world.call('pause', [], { as: 'guardian', transient }), named('TransientNotEmpty'));
  const stub = lane.world.stub([Buffer.from('head'), Buffer.from(lane.id.toString('hex')), Buffer.from('0')], { transient });
  assert.equal((await lane.world.chaincode.Invoke(stub)).status, 500);
});

const BAD_CALLDATA = {
  'no selector': [Buffer.alloc(0), 'UnknownFunction'],
  'an unknown selector': [Buffer.from('deadbeef', 'hex'), 'UnknownFunction'],
  'missing arguments': [calldata('pause', []).subarray(0, 4), null],
  'something left over': [Buffer.concat([calldata('pause', []), Buffer.alloc(32)]), 'CalldataMalformed'],
  'an integer too large': [Buffer.concat([FUNCTIONS.get('approve').selector, Buffer.alloc(32, 1)]), 'CalldataMalformed'],
};

for (const [label, [data, name]] of Object.entries(BAD_CALLDATA)) {
  test(`calldata: ${label}`, async () => {
    const world = await new World().configure();
    const stub = world.stub([Buffer.from('call'), data], { as: 'guardian' });
    const { status, message } = await world.chaincode.Invoke(stub);
    assert.equal(status, name === null ? 200 : 500);
    if (name !== null) {
      assert.equal(decodeRefusal(Buffer.from(message.slice(2), 'hex')).name, name);
      assert.deepEqual([stub.puts, stub.event], [[], null]);
    }
  });
}

test('an address of Solidity is no argument here: its selectors differ', async () => {
  const world = await new World().configure();
  const stub = world.stub([Buffer.from('call'), Buffer.concat([Buffer.from('a0e3d0ab', 'hex'), Buffer.alloc(32)])]);
  assert.match((await world.chaincode.Invoke(stub)).message, /^0x/);
});

test('other functions and numbers of arguments are named in words', async () => {
  const world = await new World().configure();
  for (const args of [[], ['invoke'], ['call'], ['call', 'a', 'b'], ['head']]) {
    const { status, message } = await world.chaincode.Invoke(world.stub(args.map((text) => Buffer.from(text))));
    assert.equal(status, 500);
    assert.doesNotMatch(message, /^0x/);
  }
  assert.equal((await world.chaincode.Init()).status, 200);
});

test('a creator that is no certificate is told so', async () => {
  const world = await new World().configure();
  const response = await world.chaincode.Invoke(world.stub([Buffer.from('call'), calldata('paused', [])], { certificate: 'idemix' }));
  assert.deepEqual([response.status, /certificate/.test(response.message)], [500, true]);
});

test('the same certificate in another membership is another account; its text form is not looked at', async () => {
  const world = await new World().configure();
  const other = world.call('pause', [], { as: 'guardian', mspid: 'Org2MSP' });
  await assert.rejects(other, named('NotGuardianOrOfficer'));
  const stub = world.stub([Buffer.from('call'), calldata('pause', [])], { as: 'guardian' });
  stub.transaction.certificate = stub.transaction.certificate.replace('\n', '\r\n');
  assert.equal((await world.chaincode.Invoke(stub)).status, 200);
});

test('a peer that does not answer ends the transaction, whoever was reading', async () => {
  const lane = await laneWorld(1);
  lane.receive();
  const stub = lane.world.stub([
    Buffer.from('call'),
    calldata('deliver', [lane.id, lane.messages, [], lane.claim(1), lane.attest(lane.claim(1))]),
  ]);
  const { getState } = stub;
  stub.getState = (key) => {
    if (key.startsWith('application~')) throw new Error('the stream is closed');
    return getState.call(stub, key);
  };
  const { status, message } = await lane.world.chaincode.Invoke(stub);
  assert.deepEqual([status, stub.puts], [500, []]);
  assert.match(message, /the peer did not give the value of application~mailbox~count: the stream is closed/);
});

test('RLP of every length is read back', () => {
  for (const length of [0, 1, 2, 55, 56, 255, 256, 70_000]) {
    const data = Buffer.alloc(length, 0x81);
    assert.deepEqual(decodeRlp(encodeRlp([data, [data]])), [data, [data]]);
  }
  assert.deepEqual(encodeRlp(Buffer.of(0x7f)), Buffer.of(0x7f));
  assert.deepEqual(encodeLogs([]), Buffer.of(0xc0));
});

test('applications have names of their own, which cannot reach into each other', () => {
  for (const names of [['a', 'a'], ['a~b'], ['']]) {
    assert.throws(() => new World({ applications: names.map((name) => ({ name })) }), /different names/);
  }
});
