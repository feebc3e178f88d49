/** Whatever is called with whatever: an answer or a refusal by name, never an accident, and nothing written where it refuses. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../lib/abi.js';
import { programAccount } from '../lib/accounts.js';
import { ACTIONS, FUNCTIONS } from '../lib/interface.js';
import { decodeRefusal } from './reading.js';
import { MAILBOX, PEER, account, address, laneWorld } from './world.js';

/** A small generator of numbers, the same each time (mulberry32). @param {number} seed @returns {() => number} 0 to 1 */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Values of every type, most often ones that mean something here. */
class Values {
  constructor(seed, lanes) {
    this.next = generator(seed);
    this.words = [...lanes.map(({ id }) => id), Buffer.alloc(32), Buffer.alloc(32, 0xff), lanes[1].head(0, 1), lanes[0].head(1, 1)];
    this.bytes = [
      ...[MAILBOX, PEER, account('officer 0'), account('sender'), address('signer 0'), programAccount('postbox')],
      ...[Buffer.alloc(0), Buffer.from('gateway'), Buffer.alloc(300, 1)],
      ...[...ACTIONS.values()].map(({ selector }) => selector),
    ];
    this.texts = ['gateway', 'evm', 'sm', 'mailbox', 'postbox', '', 'secp256k1', 'sm2', 'x'.repeat(70)];
  }

  below(count) {
    return Math.floor(this.next() * count);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /** @param {any} parameter @returns {any} */
  make(parameter) {
    const { type, components } = parameter;
    if (type.endsWith('[]')) {
      return Array.from({ length: this.below(4) }, () => this.make({ ...parameter, type: type.slice(0, -2) }));
    }
    if (type === 'tuple') return Object.fromEntries(components.map((part) => [part.name, this.make(part)]));
    if (type === 'bool') return this.below(2) === 1;
    if (type === 'string') return this.pick(this.texts);
    if (type === 'bytes') return this.below(8) === 0 ? this.action() : this.pick(this.bytes);
    if (type === 'bytes32') return this.pick(this.words);
    if (type.startsWith('bytes')) return Buffer.alloc(Number(type.slice(5)), this.below(256));
    return this.integer(Number(type.slice(4)));
  }

  /** @param {number} bits @returns {bigint} */
  integer(bits) {
    const largest = (1n << BigInt(bits)) - 1n;
    const value = this.pick([0n, 1n, 1n, 2n, 3n, 60n, 1_700_000_000n, largest]);
    return value > largest ? largest : value;
  }

  /** @returns {Buffer} */
  action() {
    const { selector, inputs } = this.pick([...ACTIONS.values()]);
    return Buffer.concat([selector, encode(inputs, inputs.map((input) => this.make(input)))]);
  }
}

for (const seed of [1, 2]) {
  test(`random calls, seed ${seed}`, async () => {
    const source = await laneWorld(0);
    const destination = await source.world.openLane(1);
    const { world } = source;
    await source.send();
    await source.seal();
    source.conclude();
    destination.receive();
    const values = new Values(seed, [source, destination]);
    const [seen, members] = [new Set(), ['officer 0', 'officer 1', 'officer 2', 'guardian', 'sender', 'stranger']];
    for (let round = 0; round < 40; round++) {
      for (const { name, selector, inputs } of FUNCTIONS.values()) {
        const data = Buffer.concat([selector, encode(inputs, inputs.map((input) => values.make(input)))]);
        if (values.below(10) === 0) data[4 + values.below(Math.max(1, data.length - 4))] ^= 1 << values.below(8);
        const stub = world.stub([Buffer.from('call'), data], { as: values.pick(members) });
        const { status, message } = await world.chaincode.Invoke(stub);
        if (status === 200) {
          world.ledger.commit(stub);
        } else {
          assert.match(message, /^0x/, `${name}: ${message}`);
          seen.add(decodeRefusal(Buffer.from(message.slice(2), 'hex')).name);
          assert.deepEqual([stub.puts, stub.event], [[], null], name);
        }
      }
      if (values.below(4) === 0) world.now += values.below(200);
      await world.administer('unpause', []);
      for (const { id } of [source, destination]) await world.administer('unpauseLane', [id]);
    }
    assert.ok(seen.size > 15, [...seen].join(' '));
  });
}

test('random actions, executed by three officers', async () => {
  const source = await laneWorld(0);
  const destination = await source.world.openLane(1);
  const { world } = source;
  const values = new Values(7, [source, destination]);
  const seen = new Set();
  const step = async (name, arguments_, as) => {
    const { selector, inputs } = FUNCTIONS.get(name);
    const stub = world.stub([Buffer.from('call'), Buffer.concat([selector, encode(inputs, arguments_)])], { as });
    const { status, message } = await world.chaincode.Invoke(stub);
    if (status === 200) world.ledger.commit(stub);
    else assert.match(message, /^0x/, message);
    seen.add(status === 200 ? name : decodeRefusal(Buffer.from(message.slice(2), 'hex')).name);
  };
  let id = await world.view('proposals');
  for (let round = 0; round < 300; round++) {
    const action = values.action();
    if (action.subarray(0, 4).equals(ACTIONS.get('replaceOfficer').selector)) continue;
    await step('propose', [action], 'officer 0');
    if ((await world.view('proposals')) === id) continue;
    id += 1n;
    await step('approve', [id], 'officer 1');
    await step('execute', [id, action], 'officer 2');
  }
  assert.ok(seen.has('execute') && seen.size > 8, [...seen].join(' '));
});
