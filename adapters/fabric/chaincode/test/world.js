/**
 * A gateway in memory for the tests: members, officers, a committee with keys, lanes to and from ledgers that are only computed.
 */

import { Buffer } from 'node:buffer';
import { secp256k1 } from '@noble/curves/secp256k1';
import { APPLICATIONS } from '../applications/index.js';
import { creatorAccount, programAccount } from '../lib/accounts.js';
import { decode, encode } from '../lib/abi.js';
import { GatewayChaincode } from '../lib/chaincode.js';
import { ACTIONS, FUNCTIONS } from '../lib/interface.js';
import { EVM, SM, keccak256 } from '../lib/suites.js';
import { attestation, foldAll, laneId, messageId, outcomeId, outcomesGenesis } from '../lib/words.js';
import { FakeLedger, FakeStub, certificate, sha256 } from './fake_stub.js';
import { decodeLogs, decodeRefusal } from './reading.js';

export const NAME = 'gateway';
export const START = 1_700_000_000;
export const CAPS = {
  maxPayload: 16_384,
  maxGas: 2_000_000,
  maxCallbackGas: 500_000,
  receiverLength: 20,
  windowSeconds: 60,
  windowLimit: 100_000,
};
export const PEER = Buffer.from('ab'.repeat(20), 'hex');
export const PEER_CODE = keccak256(Buffer.from('code of the peer'));
export const MAILBOX = programAccount('mailbox');
const PROOF = [
  { name: 'epoch', type: 'uint64' },
  { name: 'signers', type: 'uint256' },
  { name: 'signatures', type: 'bytes[]' },
];

/** @param {string} label @returns {Buffer} an account of a member */
export const account = (label) => creatorAccount('Org1MSP', Buffer.from(certificate(label)));
/** @param {string} label @returns {Buffer} 32 bytes */
export const key = (label) => keccak256(Buffer.from(`relayhub test key ${label}`));
/** @param {string} label @returns {Buffer} 20 bytes */
export const address = (label) => keccak256(secp256k1.getPublicKey(key(label), false).subarray(1)).subarray(12);
/** @param {string} label @returns {Buffer} 32 bytes */
export const organisation = (label) => keccak256(Buffer.from(label));

/** @param {Uint8Array} privateKey @param {Uint8Array} digest @returns {Buffer} r, s, v */
export function sign(privateKey, digest) {
  const signature = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true });
  return Buffer.concat([signature.toCompactRawBytes(), Buffer.of(27 + signature.recovery)]);
}

/** A refusal, by the name and the arguments of its custom error. */
export class Refused extends Error {
  /** @param {{name: string, values: object}} refusal */
  constructor({ name, values }) {
    super(`${name} ${JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? value.toString() : value))}`);
    this.name = name;
    this.values = values;
  }
}

/** One chaincode on a ledger of its own. */
export class World {
  /** @param {object} [options] */
  constructor({ applications = APPLICATIONS, expected, name = NAME } = {}) {
    this.name = name;
    this.now = START;
    this.ledger = new FakeLedger();
    this.word = keccak256(Buffer.from('chain word of the tests'));
    this.chaincode = new GatewayChaincode({ applications, expected, clock: () => BigInt(this.clock ?? this.now) });
    this.transactions = 0;
  }

  /** @param {Buffer[]} args @param {object} [options] @returns {FakeStub} */
  stub(args, { as = 'relayer', ...options } = {}) {
    this.transactions += 1;
    const id = sha256(`transaction ${this.transactions}`).toString('hex');
    const transaction = { args, chaincode: this.name, id, seconds: this.now, certificate: certificate(as), ...options };
    return new FakeStub(this.ledger, transaction);
  }

  /** Simulates a call; throws `Refused` where it refuses. @param {string} name @param {any[]} values @param {object} [options] */
  async simulate(name, values, options) {
    const item = FUNCTIONS.get(name);
    const stub = this.stub([Buffer.from('call'), Buffer.concat([item.selector, encode(item.inputs, values)])], options);
    const response = await this.chaincode.Invoke(stub);
    if (response.status !== 200) throw refusedBy(response.message);
    return { stub, output: decode(item.outputs, response.payload), logs: decodeLogs(stub.event) };
  }

  /** Simulates and commits. @param {string} name @param {any[]} values @param {object} [options] */
  async call(name, values, options) {
    const done = await this.simulate(name, values, options);
    if (!this.ledger.commit(done.stub)) throw new Error('the transaction conflicts with another');
    return done;
  }

  /** @param {string} name @param {...any} values @returns {Promise<any>} what a view answers */
  async view(name, ...values) {
    const { output } = await this.simulate(name, values);
    return output.length === 1 ? output[0] : output;
  }

  /** @param {object} [options] */
  async configure(options = {}) {
    const settings = {
      chainWord: this.word,
      officers: [0, 1, 2].map((number) => account(`officer ${number}`)),
      guardian: account('guardian'),
      delaySeconds: 0n,
      minimumExpirySeconds: 60n,
      name: this.name,
      signatures: 'secp256k1',
      development: false,
      signers: [0, 1, 2].map((number) => address(`signer ${number}`)),
      organisations: [0, 1, 2].map((number) => organisation(`organisation ${number}`)),
      threshold: 2,
      ...options,
    };
    await this.call('configure', Object.values(settings), { as: 'deployer' });
    return this;
  }

  /** @param {string} name @param {any[]} values @returns {Buffer} an action */
  action(name, values) {
    const item = ACTIONS.get(name);
    return Buffer.concat([item.selector, encode(item.inputs, values)]);
  }

  /** Proposes, approves and executes where the delay is zero. @param {string} name @param {any[]} values */
  async administer(name, values) {
    const action = this.action(name, values);
    const { output } = await this.call('propose', [action], { as: 'officer 0' });
    await this.call('approve', output, { as: 'officer 1' });
    return this.call('execute', [output[0], action], { as: 'officer 2' });
  }

  /** @param {number} end @param {object} [options] @returns {Promise<LaneWorld>} a lane opened here */
  async openLane(end, { suite = EVM, channel = 'main', caps = CAPS } = {}) {
    const [own, peer] = [Buffer.from(this.name), PEER];
    const peerWord = keccak256(Buffer.from('chain word of the peer'));
    const opening = {
      end,
      hub: 'hub',
      suite: suite.name,
      sourceChain: end === 0 ? this.word : peerWord,
      sourceGateway: end === 0 ? own : peer,
      destinationChain: end === 0 ? peerWord : this.word,
      destinationGateway: end === 0 ? peer : own,
      channel,
      verifier: own,
      peerCodeHash: PEER_CODE,
    };
    await this.administer('openLane', [opening, caps]);
    const lane = new LaneWorld(this, laneId(suite, opening), suite, end, opening);
    if (end === 0) await this.administer('allowSender', [lane.id, account('sender'), 60_000]);
    else await this.administer('allowReceiver', [lane.id, MAILBOX]);
    return lane;
  }
}

/** @param {string} message @returns {Error} */
function refusedBy(message) {
  return message.startsWith('0x') ? new Refused(decodeRefusal(Buffer.from(message.slice(2), 'hex'))) : new Error(message);
}

/** A lane with one end in a world, and what the other end would have said. */
export class LaneWorld {
  constructor(world, id, suite, end, opening) {
    Object.assign(this, { world, id, suite, end, opening, messages: [], outcomes: [], tickets: [] });
  }

  /** A message that the peer sent. @param {object} [fields] */
  receive(fields = {}) {
    const payload = fields.payload ?? Buffer.from('hello');
    const message = {
      nonce: BigInt(this.messages.length + 1),
      sender: PEER,
      receiver: MAILBOX,
      expiresAt: 0n,
      gasLimit: 200_000n,
      callbackGas: 0n,
      payloadLength: BigInt(payload.length),
      payloadHash: this.suite.hash(payload),
      payload,
      ...fields,
    };
    this.messages.push(message);
    return message;
  }

  ids() {
    return this.messages.map((message) => messageId(this.suite, this.id, message));
  }

  outcomeIds() {
    const ids = this.ids();
    return this.outcomes.map(({ status, result }, index) => outcomeId(this.suite, ids[index], status, result));
  }

  /** @param {number} direction @param {number} nonce @returns {Buffer} */
  head(direction, nonce) {
    if (direction === 0) return foldAll(this.suite, this.id, this.ids().slice(0, nonce));
    return foldAll(this.suite, outcomesGenesis(this.suite, this.id), this.outcomeIds().slice(0, nonce));
  }

  /** @param {number} nonce @param {object} [fields] */
  claim(nonce, fields = {}) {
    const direction = this.end === 1 ? 0 : 1;
    const block = { height: 7n, blockHash: keccak256(Buffer.from('block 7')) };
    return { laneId: this.id, direction, nonce: BigInt(nonce), head: this.head(direction, nonce), ...block, ...fields };
  }

  /** @param {object} claim @param {object} [options] @returns {Buffer} the committee's proof */
  attest(claim, { signers = [0, 1], epoch = 1n, keys, signWith = sign } = {}) {
    const own = this.suite.hash(Buffer.from(this.world.name));
    const place = { chainWord: this.world.word, gatewayHash: own, verifierHash: own, epoch };
    const digest = attestation(this.suite, place, claim);
    const named = keys ?? signers.map((index) => key(`signer ${index}`));
    const bits = signers.reduce((sum, index) => sum | (1n << BigInt(index)), 0n);
    return encode(PROOF, [epoch, bits, named.map((privateKey) => signWith(privateKey, digest))]);
  }

  /** Delivers what is new, or what is told. @param {object} [options] */
  async deliver({ first = this.outcomes.length + 1, last = this.messages.length, messages, suffixIds = [], claim, proof, ...options } = {}) {
    const given = messages ?? this.messages.slice(first - 1, last);
    const told = claim ?? this.claim(last + suffixIds.length);
    const done = await this.world.call('deliver', [this.id, given, suffixIds, told, proof ?? this.attest(told)], options);
    for (const { name, values } of done.logs) if (name === 'MessageDelivered') this.outcomes.push(values);
    return done;
  }

  statuses() {
    return this.outcomes.map(({ status }) => status);
  }

  /** Sends one message; its ticket waits. @param {object} [fields] */
  async send({ payload = Buffer.from('hello'), receiver = PEER, gasLimit = 200_000n, callbackGas = 0n, expiresAt = 0n, as = 'sender', ...options } = {}) {
    const done = await this.world.call('send', [this.id, receiver, payload, gasLimit, callbackGas, expiresAt], { as, ...options });
    this.tickets.push(done.output[0]);
    return done;
  }

  /** Seals the tickets that wait, or those given. @param {Buffer[]} [tickets] @param {object} [options] */
  async seal(tickets = this.tickets, options = {}) {
    const done = await this.world.call('seal', [this.id, tickets], options);
    for (const { name, values } of done.logs) if (name === 'MessageSent') this.note(values);
    this.tickets = [];
    return done;
  }

  /** @param {any} values of MessageSent */
  note({ nonce, sender, receiver, expiresAt, gasLimit, callbackGas, payload }) {
    const lengths = { payloadLength: BigInt(payload.length), payloadHash: this.suite.hash(payload) };
    this.messages.push({ nonce, sender, receiver, expiresAt, gasLimit, callbackGas, ...lengths, payload });
  }

  /** The peer has come to an outcome of the next message. @param {number} status @param {Buffer} [result] */
  conclude(status = 1, result = Buffer.alloc(0)) {
    this.outcomes.push({ status, result });
  }

  /** @param {number} first @param {number} last @returns {object[]} entries to settle */
  settled(first = 1, last = this.outcomes.length) {
    return this.outcomes.slice(first - 1, last).map(({ status, result }, index) => ({
      message: { ...this.messages[first - 1 + index], payload: Buffer.alloc(0) },
      status,
      result,
    }));
  }

  /** @param {object} [options] */
  async settle({ first = 1, last = this.outcomes.length, settled, suffixIds = [], claim, proof, ...options } = {}) {
    const told = claim ?? this.claim(last + suffixIds.length);
    const entries = settled ?? this.settled(first, last);
    return this.world.call('settle', [this.id, entries, suffixIds, told, proof ?? this.attest(told)], options);
  }
}

/** @param {number} end @param {object} [options] @returns {Promise<LaneWorld>} a configured chaincode with one lane */
export async function laneWorld(end, { applications, ...options } = {}) {
  const world = await new World({ applications }).configure(options.settings);
  return world.openLane(end, options);
}

export const SUITES = [EVM, SM];
