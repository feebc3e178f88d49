/** Configuration, officers, proposals, lanes, caps. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programAccount } from '../lib/accounts.js';
import { encode } from '../lib/abi.js';
import { FUNCTIONS } from '../lib/interface.js';
import { SM, keccak256 } from '../lib/suites.js';
import { named } from './expect.js';
import { sha256 } from './fake_stub.js';
import { CAPS, MAILBOX, NAME, PEER, PEER_CODE, World, account, address, laneWorld, organisation } from './world.js';

const DAY = 86_400n;
const officer = (number) => ({ as: `officer ${number}` });

test('nothing works before configure, and it is done once', async () => {
  const world = new World();
  await assert.rejects(world.view('officers'), named('NotConfigured'));
  await assert.rejects(world.call('pause', [], officer(0)), named('NotConfigured'));
  await world.configure();
  await assert.rejects(world.configure(), named('ConfiguredAlready'));
  assert.deepEqual(await world.view('officers'), [0, 1, 2].map((number) => account(`officer ${number}`)));
  assert.deepEqual(await world.view('guardian'), account('guardian'));
  assert.deepEqual(await world.view('chainWord'), world.word);
  assert.deepEqual([await world.view('delaySeconds'), await world.view('minimumExpirySeconds')], [0n, 60n]);
  assert.deepEqual([await world.view('epoch'), await world.view('kind')], [1n, 'committee']);
  const [signers, organisations, threshold, endsAt] = await world.view('epochOf', 1n);
  assert.deepEqual([signers[1], organisations[1]], [address('signer 1'), organisation('organisation 1')]);
  assert.deepEqual([threshold, endsAt], [2, 0n]);
});

const MISCONFIGURED = {
  'another name than it is called by': [{ name: 'other' }, 'NameMismatch'],
  'no name': [{ name: '' }, 'NameMalformed'],
  'a name that is not NFC': [{ name: 'gate\u0301' + 'e\u0301' }, 'NameMalformed'],
  'a zero chain word': [{ chainWord: Buffer.alloc(32) }, 'ChainWordZero'],
  'an unknown scheme': [{ signatures: 'p256' }, 'UnknownSignatures'],
  'two officers': [{ officers: [account('officer 0'), account('officer 1')] }, 'OfficersMalformed'],
  'an officer twice': [{ officers: [0, 1, 1].map((number) => account(`officer ${number}`)) }, 'OfficersMalformed'],
  'a guardian among the officers': [{ guardian: account('officer 0') }, 'OfficersMalformed'],
  'an account of another ledger': [{ guardian: PEER }, 'OfficersMalformed'],
  'a program as guardian': [{ guardian: MAILBOX }, 'OfficersMalformed'],
  'no signers': [{ signers: [], organisations: [] }, 'SignersMalformed'],
  'a signer of another scheme': [{ signers: [0, 1, 2].map((byte) => Buffer.alloc(64, byte + 1)) }, 'SignersMalformed'],
  'a zero signer': [{ signers: [Buffer.alloc(20), address('signer 1'), address('signer 2')] }, 'SignersMalformed'],
  'a signer twice': [{ signers: ['a', 'a', 'b'].map(address) }, 'SignersMalformed'],
  'a signer without organisation': [{ organisations: [0, 1, 2].map((byte) => Buffer.alloc(32, byte)) }, 'SignersMalformed'],
  'a threshold that is no majority': [{ threshold: 1 }, 'ThresholdUnfit'],
  'a threshold that cannot be reached': [{ threshold: 4 }, 'ThresholdUnfit'],
};

for (const [label, [options, name]] of Object.entries(MISCONFIGURED)) {
  test(`${label} is refused at configure`, async () => {
    await assert.rejects(new World().configure(options), named(name));
  });
}

test('a committee of one only in development', async () => {
  const one = { signers: [address('signer 0')], organisations: [organisation('a')], threshold: 1 };
  await assert.rejects(new World().configure(one), named('ThresholdUnfit', { threshold: 1n, organisations: 1n }));
  const world = await new World().configure({ ...one, development: true });
  assert.equal(await world.view('development'), true);
});

test('an organisation endorses only the configuration that it agreed to', async () => {
  const world = new World();
  const settings = [
    world.word, [0, 1, 2].map((number) => account(`officer ${number}`)), account('guardian'), 0n, 60n, NAME, 'secp256k1', false,
    [0, 1, 2].map((number) => address(`signer ${number}`)), [0, 1, 2].map((number) => organisation(`organisation ${number}`)), 2,
  ];
  const item = FUNCTIONS.get('configure');
  const digest = sha256(Buffer.concat([item.selector, encode(item.inputs, settings)]));
  await assert.rejects(new World({ expected: '00'.repeat(32) }).configure(), named('ConfigurationUnexpected', { digest }));
  await new World({ expected: digest.toString('hex').toUpperCase() }).configure();
});

test('widening takes two officers and the delay', async () => {
  const world = await new World().configure({ delaySeconds: DAY });
  const action = world.action('unpause', []);
  await assert.rejects(world.call('propose', [action], { as: 'stranger' }), named('NotOfficer', { caller: account('stranger') }));
  const { output, logs } = await world.call('propose', [action], officer(0));
  const [id] = output;
  assert.deepEqual([id, await world.view('proposals')], [1n, 1n]);
  assert.deepEqual([logs[0].name, logs[0].values.officer, logs[0].values.action], ['Proposed', keccak256(account('officer 0')), action]);
  await assert.rejects(world.call('execute', [id, action], officer(2)), named('ProposalState', { id, state: 1 }));
  await assert.rejects(world.call('approve', [id], officer(0)), named('SameOfficer'));
  await world.call('approve', [id], officer(1));
  await assert.rejects(world.call('approve', [id], officer(2)), named('ProposalState', { id, state: 2 }));
  const readyAt = BigInt(world.now) + DAY;
  await assert.rejects(world.call('execute', [id, action], officer(2)), named('TooEarly', { readyAt }));
  world.now += Number(DAY);
  await assert.rejects(world.call('execute', [id, world.action('closeLane', [world.word])], officer(2)), named('ActionMismatch', { id }));
  await assert.rejects(world.call('execute', [id, action], { as: 'guardian' }), named('NotOfficer'));
  await world.call('execute', [id, action], officer(2));
  await assert.rejects(world.call('execute', [id, action], officer(2)), named('ProposalState', { id, state: 3 }));
  const seen = await world.view('proposal', id);
  assert.deepEqual([seen.actionHash, seen.proposer, seen.approver], [keccak256(action), account('officer 0'), account('officer 1')]);
  assert.deepEqual([seen.delaySeconds, seen.readyAt, seen.state], [DAY, readyAt, 3]);
  assert.equal((await world.view('proposal', 9n)).state, 0);
});

test('an action that nobody knows, or of the wrong form, is refused', async () => {
  const world = await new World().configure();
  const unknown = Buffer.from('deadbeef', 'hex');
  await assert.rejects(world.call('propose', [unknown], officer(0)), named('UnknownAction', { selector: unknown }));
  await assert.rejects(world.call('propose', [Buffer.alloc(0)], officer(0)), named('UnknownAction'));
  const cut = world.action('closeLane', [world.word]).subarray(0, 35);
  const { output } = await world.call('propose', [cut], officer(0));
  await world.call('approve', output, officer(1));
  await assert.rejects(world.call('execute', [output[0], cut], officer(2)), named('CalldataMalformed'));
});

test('the guardian or an officer cancels, but not what replaces himself', async () => {
  const world = await new World().configure();
  const replaceGuardian = world.action('replaceGuardian', [account('next')]);
  const { output } = await world.call('propose', [replaceGuardian], officer(0));
  await assert.rejects(world.call('cancel', output, { as: 'stranger' }), named('NotGuardianOrOfficer'));
  await assert.rejects(world.call('cancel', output, { as: 'guardian' }), named('ReplacesYou'));
  await world.call('cancel', output, officer(1));
  await assert.rejects(world.call('approve', output, officer(1)), named('ProposalState', { state: 4 }));
  await assert.rejects(world.call('cancel', output, officer(1)), named('ProposalState', { state: 4 }));
});

test('an officer is replaced by two others; what he approved is outdated', async () => {
  const world = await new World().configure();
  const replace = world.action('replaceOfficer', [account('officer 2'), account('officer 3')]);
  await assert.rejects(world.call('propose', [replace], officer(2)), named('ReplacesYou'));
  const pending = world.action('unpause', []);
  const { output } = await world.call('propose', [pending], officer(2));
  await world.call('approve', output, officer(1));
  const proposed = await world.call('propose', [replace], officer(0));
  await assert.rejects(world.call('approve', proposed.output, officer(2)), named('ReplacesYou'));
  await assert.rejects(world.call('cancel', proposed.output, officer(2)), named('ReplacesYou'));
  await world.call('approve', proposed.output, officer(1));
  await world.call('execute', [proposed.output[0], replace], officer(2));
  await assert.rejects(world.call('execute', [output[0], pending], officer(0)), named('ProposalOutdated'));
  await assert.rejects(world.call('propose', [pending], officer(2)), named('NotOfficer'));
  assert.deepEqual((await world.view('officers'))[2], account('officer 3'));
});

test('officers and guardian stay apart when replaced', async () => {
  const world = await new World().configure();
  const wrong = [
    ['replaceOfficer', [account('stranger'), account('next')]],
    ['replaceOfficer', [account('officer 1'), account('guardian')]],
    ['replaceOfficer', [account('officer 1'), account('officer 2')]],
    ['replaceGuardian', [account('officer 1')]],
    ['replaceGuardian', [MAILBOX]],
  ];
  for (const [name, values] of wrong) {
    const action = world.action(name, values);
    const { output } = await world.call('propose', [action], officer(0));
    await world.call('approve', output, officer(name === 'replaceOfficer' ? 2 : 1));
    await assert.rejects(world.call('execute', [output[0], action], officer(0)), named('OfficersMalformed'));
  }
  await world.administer('replaceGuardian', [account('next')]);
  assert.deepEqual(await world.view('guardian'), account('next'));
});

test('closing and replacing the guardian do not wait', async () => {
  const world = await new World().configure({ delaySeconds: DAY });
  const { output } = await world.call('propose', [world.action('closeLane', [world.word])], officer(0));
  const waiting = await world.call('propose', [world.action('unpause', [])], officer(0));
  assert.deepEqual([(await world.view('proposal', output[0])).delaySeconds, (await world.view('proposal', waiting.output[0])).delaySeconds], [0n, DAY]);
});

const OPENINGS = {
  'an unknown end': [{ end: 2 }, 'UnknownEnd'],
  'an unknown suite': [{ suite: 'sha3' }, 'UnknownSuite'],
  'an empty hub': [{ hub: '' }, 'OpeningMalformed'],
  'a channel of 65 bytes': [{ channel: 'c'.repeat(65) }, 'OpeningMalformed'],
  'no code of the peer': [{ peerCodeHash: Buffer.alloc(32) }, 'OpeningMalformed'],
  'a zero chain word': [{ destinationChain: Buffer.alloc(32) }, 'OpeningMalformed'],
  'another gateway at our end': [{ sourceGateway: PEER }, 'NotOurEnd'],
  'another chain at our end': [{ sourceChain: PEER_CODE }, 'NotOurEnd'],
  'the other end': [{ end: 1 }, 'NotOurEnd'],
  'a verifier that is not this committee': [{ verifier: PEER }, 'VerifierUnfit'],
};

for (const [label, [fields, name]] of Object.entries(OPENINGS)) {
  test(`a lane with ${label} is not opened`, async () => {
    const lane = await laneWorld(0);
    const opening = { ...lane.opening, channel: 'another', ...fields };
    await assert.rejects(lane.world.administer('openLane', [opening, CAPS]), named(name));
  });
}

test('a lane is opened once, never to itself, and stays after it is closed', async () => {
  const lane = await laneWorld(0);
  await assert.rejects(lane.world.administer('openLane', [lane.opening, CAPS]), named('LaneExists', { laneId: lane.id }));
  const self = { ...lane.opening, destinationChain: lane.world.word, destinationGateway: Buffer.from(NAME) };
  await assert.rejects(lane.world.administer('openLane', [self, CAPS]), named('LaneToItself'));
  await assert.rejects(lane.world.administer('abandonLane', [lane.id]), named('LaneNotClosed'));
  await lane.world.administer('closeLane', [lane.id]);
  await assert.rejects(lane.world.administer('closeLane', [lane.id]), named('LaneIsClosed'));
  await assert.rejects(lane.world.administer('openLane', [lane.opening, CAPS]), named('LaneExists'));
  await lane.world.administer('abandonLane', [lane.id]);
  const seen = await lane.world.view('lane', lane.id);
  assert.deepEqual([seen.opened, seen.closed, seen.abandoned, seen.end], [true, true, true, 0]);
  assert.equal((await lane.world.view('lane', Buffer.alloc(32, 1))).opened, false);
});

test('a lane of each suite has another id, and the view says it beforehand', async () => {
  const lane = await laneWorld(0);
  const other = await lane.world.openLane(0, { suite: SM });
  assert.notDeepEqual(lane.id, other.id);
  assert.deepEqual(await lane.world.view('laneIdOf', other.opening), other.id);
  await assert.rejects(lane.world.view('laneIdOf', { ...other.opening, suite: 'x' }), named('UnknownSuite'));
});

test('caps are lowered by one officer, raised by two', async () => {
  const lane = await laneWorld(0);
  const lower = (fields, options = officer(0)) => lane.world.call('lowerCaps', [lane.id, { ...CAPS, ...fields }], options);
  for (const name of ['maxPayload', 'maxGas', 'maxCallbackGas', 'windowLimit']) {
    await assert.rejects(lower({ [name]: CAPS[name] + 1 }), named('CapsNotLower'));
  }
  for (const name of ['windowSeconds', 'receiverLength']) {
    await assert.rejects(lower({ [name]: CAPS[name] - 1 }), named('CapsNotLower'));
  }
  await assert.rejects(lower({ maxPayload: 0 }), named('CapsMalformed'));
  await assert.rejects(lower({ maxGas: 1 }, { as: 'guardian' }), named('NotOfficer'));
  await lower({ maxGas: 1 });
  assert.equal((await lane.world.view('lane', lane.id)).caps.maxGas, 1);
  await lane.world.administer('setCaps', [lane.id, CAPS]);
  assert.deepEqual((await lane.world.view('lane', lane.id)).caps, CAPS);
  await assert.rejects(lane.world.administer('setCaps', [lane.id, { ...CAPS, receiverLength: 65 }]), named('CapsMalformed'));
});

test('senders and receivers: who can be listed, and by whom denied', async () => {
  const source = await laneWorld(0);
  const { world } = source;
  await assert.rejects(world.administer('allowSender', [source.id, PEER, 1]), named('AccountUnfit'));
  await assert.rejects(world.administer('allowSender', [source.id, account('x'), 0]), named('LimitZero'));
  await assert.rejects(world.administer('allowReceiver', [source.id, MAILBOX]), named('WrongEnd'));
  const lower = (limit) => world.call('lowerSenderLimit', [source.id, account('sender'), limit], officer(0));
  await assert.rejects(lower(60_000), named('LimitNotLower', { limit: 60_000 }));
  await lower(1);
  const destination = await world.openLane(1);
  for (const account_ of [PEER, account('sender'), programAccount(NAME), MAILBOX]) {
    await assert.rejects(world.administer('allowReceiver', [destination.id, account_]), named('AccountUnfit'));
  }
  const deny = (account_) => world.call('denyReceiver', [destination.id, account_], officer(0));
  await assert.rejects(deny(programAccount('x')), named('AccountUnfit'));
  await deny(MAILBOX);
});

test('the guardian pauses, a stranger does not', async () => {
  const lane = await laneWorld(0);
  for (const [name, values] of [['pause', []], ['pauseLane', [lane.id]]]) {
    await assert.rejects(lane.world.call(name, values, { as: 'stranger' }), named('NotGuardianOrOfficer'));
    await lane.world.call(name, values, { as: 'guardian' });
  }
  await assert.rejects(lane.world.call('pauseLane', [Buffer.alloc(32, 1)], officer(0)), named('UnknownLane'));
});
