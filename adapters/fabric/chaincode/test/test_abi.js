/** The codec, abi.json against the Solidity artifacts, and the functions against abi.json. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AbiError, decode, encode, signatureOf } from '../lib/abi.js';
import { KNOWN_ACTIONS, KNOWN_FUNCTIONS } from '../lib/gateway.js';
import { ACTIONS, FUNCTIONS, encodeEvent } from '../lib/interface.js';
import { keccak256 } from '../lib/suites.js';
import { makeAbi } from '../tools/make_abi.js';

const committed = readFileSync(new URL('../abi.json', import.meta.url), 'utf8');

test('abi.json is what the artifacts of Solidity give', () => {
  assert.equal(makeAbi(), committed, 'run `npm run abi` in adapters/fabric/chaincode');
});

test('every function and every action of abi.json is there, and no other', () => {
  assert.deepEqual([...FUNCTIONS.keys()].sort(), KNOWN_FUNCTIONS);
  assert.deepEqual([...ACTIONS.keys()].sort(), KNOWN_ACTIONS);
});

test('no address is left, and every refusal says what to do', () => {
  const { abi, actions, errors } = JSON.parse(committed);
  assert.doesNotMatch(JSON.stringify([abi, actions]), /"address/);
  for (const [signature, advice] of Object.entries(errors)) assert.match(advice, /\w.*[.]$/, signature);
});

test('events that prove heads have the topics that every ledger shares', () => {
  const { abi } = JSON.parse(committed);
  const signature = (name) => signatureOf(abi.find((item) => item.type === 'event' && item.name === name));
  const sent = 'MessageSent(bytes32,uint64,bytes32,bytes32,bytes,bytes,uint64,uint64,uint64,bytes)';
  assert.equal(signature('MessageSent'), sent);
  assert.equal(signature('HeadMoved'), 'HeadMoved(bytes32,uint8,uint64,bytes32)');
  const { topics, data } = encodeEvent('HeadMoved', [Buffer.alloc(32, 1), 2, 3n, Buffer.alloc(32, 4)]);
  assert.deepEqual(topics[0], keccak256(Buffer.from(signature('HeadMoved'))));
  assert.deepEqual([topics.length, data.length, topics[2][31], data[31]], [3, 64, 2, 3]);
});

const MESSAGE = {
  type: 'tuple[]',
  name: 'messages',
  components: [
    { name: 'nonce', type: 'uint64' },
    { name: 'sender', type: 'bytes' },
    { name: 'flag', type: 'bool' },
    { name: 'text', type: 'string' },
    { name: 'pair', type: 'tuple', components: [{ name: 'a', type: 'uint8' }, { name: 'b', type: 'bytes4' }] },
  ],
};
const PARAMETERS = [{ name: 'id', type: 'bytes32' }, MESSAGE, { name: 'wide', type: 'uint256' }, { name: 'list', type: 'bytes32[]' }];
const VALUES = [
  Buffer.alloc(32, 7),
  [
    { nonce: 5n, sender: Buffer.from('abc'), flag: true, text: '文字', pair: { a: 9, b: Buffer.from('deadbeef', 'hex') } },
    { nonce: 6n, sender: Buffer.alloc(0), flag: false, text: '', pair: { a: 0, b: Buffer.alloc(4) } },
  ],
  1n << 200n,
  [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
];

test('what is encoded is decoded', () => {
  assert.deepEqual(decode(PARAMETERS, encode(PARAMETERS, VALUES)), VALUES);
});

test('no other byte string decodes to anything: every flipped byte gives other values or is refused', () => {
  const data = encode(PARAMETERS, VALUES);
  for (let place = 0; place < data.length; place++) {
    const flipped = Buffer.from(data);
    flipped[place] ^= 0x41;
    try {
      assert.deepEqual(encode(PARAMETERS, decode(PARAMETERS, flipped)), flipped);
    } catch (error) {
      assert.ok(error instanceof AbiError, `${place}: ${error.stack}`);
    }
  }
});

test('data cut anywhere or longer are refused', () => {
  const data = encode(PARAMETERS, VALUES);
  for (let length = 0; length < data.length; length++) assert.throws(() => decode(PARAMETERS, data.subarray(0, length)), AbiError);
  assert.throws(() => decode(PARAMETERS, Buffer.concat([data, Buffer.alloc(1)])), AbiError);
});

test('a list that claims to be endless is refused at once', () => {
  const list = [{ name: 'list', type: 'bytes32[]' }];
  const data = encode(list, [[]]);
  data.writeUIntBE(0xffffffffffff, 58, 6);
  assert.throws(() => decode(list, data), AbiError);
});

test('what does not fit its type is not encoded', () => {
  assert.throws(() => encode([{ name: 'x', type: 'uint8' }], [256]), AbiError);
  assert.throws(() => encode([{ name: 'x', type: 'bytes32' }], [Buffer.alloc(31)]), AbiError);
  assert.throws(() => encode([{ name: 'x', type: 'bool' }], []), AbiError);
});
