/** What keepers of evidence logs note: each account its own, and only more. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak256 } from '../lib/suites.js';
import { named } from './expect.js';
import { World, account, laneWorld } from './world.js';

const LARGEST = 2n ** 64n - 1n;
const root = (byte) => Buffer.alloc(32, byte);
const noted = (world, label) => world.view('loggedAnchor', account(label));

test('a note grows, and says so', async () => {
  const world = await new World().configure();
  assert.deepEqual(await noted(world, 'relayer'), [0n, root(0)]);
  for (const size of [1n, 2n, 10_000_000n, LARGEST]) {
    const { logs } = await world.call('anchorLog', [size, root(7)]);
    assert.deepEqual(
      logs.map(({ name, values }) => [name, values]),
      [['LogAnchored', { account: keccak256(account('relayer')), size, root: root(7) }]],
    );
    assert.deepEqual(await noted(world, 'relayer'), [size, root(7)]);
  }
});

test('nobody notes a log of no leaves, the same size with another root, or less', async () => {
  const world = await new World().configure();
  await assert.rejects(world.call('anchorLog', [0n, root(1)]), named('LogNotLonger', { size: 0n }));
  await world.call('anchorLog', [9n, root(1)]);
  for (const size of [0n, 8n, 9n]) {
    await assert.rejects(world.call('anchorLog', [size, root(2)]), named('LogNotLonger', { size: 9n }));
  }
  assert.deepEqual(await noted(world, 'relayer'), [9n, root(1)]);
});

test('nobody writes the note of another, nor stands in its way', async () => {
  const world = await new World().configure();
  await world.call('anchorLog', [LARGEST, root(1)], { as: 'stranger' });
  await world.call('anchorLog', [1n, root(2)]);
  assert.deepEqual(await noted(world, 'stranger'), [LARGEST, root(1)]);
  assert.deepEqual(await noted(world, 'relayer'), [1n, root(2)]);
});

test('a pause does not stop it; another chaincode in between does', async () => {
  const { world } = await laneWorld(0);
  await world.call('pause', [], { as: 'guardian' });
  await world.call('anchorLog', [5n, root(3)]);
  assert.deepEqual(await noted(world, 'relayer'), [5n, root(3)]);
  await assert.rejects(world.call('anchorLog', [6n, root(4)], { chaincode: 'another' }), named('NotOrigin'));
});
