/** README.md: its configuration is one that the gateway takes, and it names every variable and every file there is. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { decode } from '../lib/abi.js';
import { FUNCTIONS } from '../lib/interface.js';
import { makeConfiguration } from '../tools/configuration.js';
import { certificate } from './fake_stub.js';
import { World, account } from './world.js';

const here = (path) => new URL(`../${path}`, import.meta.url);
const README = readFileSync(here('README.md'), 'utf8');
const SHOWN = JSON.parse(/```json\n(\{\n {2}"chain_word"[\s\S]*?)```/.exec(README)[1]);
const read = (path) => Buffer.from(certificate(path));

test('the configuration shown is one that the gateway takes', async () => {
  const made = makeConfiguration(SHOWN, read);
  assert.equal(made.officers[0], `0x${account(SHOWN.officers[0].certificate).toString('hex')}`);
  const world = new World({ name: SHOWN.name, expected: made.sha256 });
  const calldata = Buffer.from(made.calldata.slice(2), 'hex');
  const values = decode(FUNCTIONS.get('configure').inputs, calldata.subarray(4));
  await world.call('configure', values, { as: 'anybody' });
  assert.equal((await world.view('officers')).length, SHOWN.officers.length);
});

test('a word that is no hexadecimal is named', () => {
  assert.throws(() => makeConfiguration({ ...SHOWN, chain_word: 'gateway' }, read), /gateway is not 0x and whole bytes/);
});

test('every variable of index.js, every module and every application is in README.md', () => {
  const variables = readFileSync(here('index.js'), 'utf8').match(/\b(CHAINCODE|GATEWAY)_[A-Z0-9_]+\b/g);
  assert.ok(variables.length > 6);
  for (const name of new Set(variables)) assert.ok(README.includes(`\`${name}\``), name);
  for (const file of readdirSync(here('lib'))) assert.ok(README.includes(`${file}\``), file);
  for (const file of readdirSync(here('applications'))) assert.ok(README.includes(`${file}\``), file);
});
