/** The real shim: `index.js` as a process, and a peer's end of its protocol over gRPC, with a real signed proposal. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { test } from 'node:test';
import protos from '@hyperledger/fabric-protos';
import { encode } from '../lib/abi.js';
import { FUNCTIONS } from '../lib/interface.js';
import { certificate, proposalParts, sha256 } from './fake_stub.js';
import { decodeLogs } from './reading.js';
import { account, address, organisation } from './world.js';

const { common, msp, peer } = protos;
const grpc = createRequire(createRequire(import.meta.url).resolve('fabric-shim'))('@grpc/grpc-js');
const { Type } = peer.ChaincodeMessage;
const GENEROUS_MS = 60_000;

/** @returns {Promise<number>} a port that was free a moment ago */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** @param {Record<string, string>} environment @returns {any} the process */
const start = (environment) =>
  spawn(process.execPath, ['index.js'], { cwd: new URL('..', import.meta.url), env: { PATH: process.env.PATH, ...environment } });

/** @param {any} child @returns {Promise<any>} what it says when it listens: its first line, and all of its standard output */
function ready(child) {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(JSON.parse(text));
    });
    child.on('exit', () => reject(new Error(`the chaincode ended: ${text}`)));
  });
}

/** @param {Buffer[]} args @param {number} seconds @returns {any} a SignedProposal */
function signedProposal(args, seconds) {
  const { channelHeader, payload } = proposalParts('gateway', args);
  const time = new (createRequire(import.meta.url)('google-protobuf/google/protobuf/timestamp_pb.js').Timestamp)();
  time.setSeconds(seconds);
  channelHeader.setTimestamp(time);
  channelHeader.setChannelId('trade');
  const creator = new msp.SerializedIdentity();
  creator.setMspid('Org1MSP');
  creator.setIdBytes(Buffer.from(certificate('guardian')));
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator.serializeBinary());
  signatureHeader.setNonce(Buffer.from('nonce'));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  return signed;
}

/** A peer's end: takes the registration, then runs transactions one after another against a state in memory. */
class FakePeer {
  constructor(address_) {
    const service = grpc.makeGenericClientConstructor(peer.ChaincodeService, 'Chaincode');
    this.client = new service(address_, grpc.credentials.createInsecure());
    this.stream = this.client.connect();
    this.incoming = this.stream[Symbol.asyncIterator]();
    this.state = new Map();
    this.count = 0;
  }

  send(type, fields = {}) {
    const message = new peer.ChaincodeMessage();
    message.setType(type);
    message.setChannelId('trade');
    if (fields.txid) message.setTxid(fields.txid);
    if (fields.payload) message.setPayload(fields.payload);
    if (fields.proposal) message.setProposal(fields.proposal);
    this.stream.write(message);
  }

  async next() {
    return (await this.incoming.next()).value;
  }

  async register() {
    const message = await this.next();
    assert.equal(message.getType(), Type.REGISTER);
    this.send(Type.REGISTERED);
    this.send(Type.READY);
    return peer.ChaincodeID.deserializeBinary(message.getPayload_asU8()).getName();
  }

  /** @param {Buffer[]} args @returns {Promise<{response: any, event: any, writes: Map<string, Buffer>}>} */
  async transact(args) {
    this.count += 1;
    const txid = sha256(`service ${this.count}`).toString('hex');
    const input = new peer.ChaincodeInput();
    input.setArgsList(args);
    const proposal = signedProposal(args, Math.floor(Date.now() / 1000));
    this.send(Type.TRANSACTION, { txid, payload: input.serializeBinary(), proposal });
    const writes = new Map();
    for (;;) {
      const message = await this.next();
      const type = message.getType();
      if (type === Type.GET_STATE) {
        const key = peer.GetState.deserializeBinary(message.getPayload_asU8()).getKey();
        this.send(Type.RESPONSE, { txid, payload: this.state.get(key) ?? Buffer.alloc(0) });
      } else if (type === Type.PUT_STATE) {
        const put = peer.PutState.deserializeBinary(message.getPayload_asU8());
        writes.set(put.getKey(), Buffer.from(put.getValue_asU8()));
        this.send(Type.RESPONSE, { txid });
      } else {
        assert.equal(type, Type.COMPLETED);
        for (const [key, value] of writes) this.state.set(key, value);
        return { response: peer.Response.deserializeBinary(message.getPayload_asU8()), event: message.getChaincodeEvent(), writes };
      }
    }
  }

  /** @param {string} name @param {any[]} values */
  call(name, values) {
    const item = FUNCTIONS.get(name);
    return this.transact([Buffer.from('call'), Buffer.concat([item.selector, encode(item.inputs, values)])]);
  }

  close() {
    this.stream.end();
    this.client.close();
  }
}

test('as a service: registers, is configured, pauses, answers views and refusals', { timeout: GENEROUS_MS }, async () => {
  const address_ = `127.0.0.1:${await freePort()}`;
  const child = start({ CHAINCODE_ID: 'gateway_1:aa', CHAINCODE_SERVER_ADDRESS: address_ });
  const logged = [];
  child.stderr.on('data', (chunk) => logged.push(chunk));
  try {
    assert.deepEqual(await ready(child), { chaincode: 'gateway_1:aa', address: address_ });
    const peer_ = new FakePeer(address_);
    assert.equal(await peer_.register(), 'gateway_1:aa');
    const three = (make) => [0, 1, 2].map(make);
    const officers = three((number) => account(`officer ${number}`));
    const committee = [three((number) => address(`signer ${number}`)), three((number) => organisation(`${number}`)), 2];
    const settings = [Buffer.alloc(32, 1), officers, account('guardian'), 0n, 60n, 'gateway', 'secp256k1', false, ...committee];
    const configured = await peer_.call('configure', settings);
    assert.deepEqual([configured.response.getStatus(), configured.response.getMessage()], [200, '']);
    const event = { name: configured.event.getEventName(), payload: Buffer.from(configured.event.getPayload_asU8()) };
    assert.deepEqual(decodeLogs(event).map(({ name }) => name), ['Configured', 'EpochAdded']);
    const paused = await peer_.call('pause', []);
    assert.deepEqual([[...paused.writes.keys()], paused.response.getStatus()], [['paused'], 200]);
    const { response } = await peer_.call('paused', []);
    assert.equal(response.getPayload_asU8()[31], 1);
    const refused = await peer_.call('propose', [Buffer.alloc(4)]);
    assert.deepEqual([refused.response.getStatus(), refused.response.getMessage().slice(0, 2)], [500, '0x']);
    peer_.close();
    child.stdout.on('data', (chunk) => assert.fail(`a second word on standard output: ${chunk}`));
    assert.match(Buffer.concat(logged).toString(), /Calling chaincode Invoke\(\)/);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});

const WRONG = {
  'no package id': [{ CHAINCODE_SERVER_ADDRESS: '127.0.0.1:1' }, /CHAINCODE_ID is not set/],
  'no address': [{ CHAINCODE_ID: 'a' }, /CHAINCODE_SERVER_ADDRESS is not set/],
  'the whole world without TLS': [{ CHAINCODE_ID: 'a', CHAINCODE_SERVER_ADDRESS: '0.0.0.0:1' }, /would be served without TLS/],
};

for (const [label, [environment, text]] of Object.entries(WRONG)) {
  test(`${label}: it does not start`, { timeout: GENEROUS_MS }, async () => {
    const child = start(environment);
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += chunk));
    const [code] = await once(child, 'exit');
    assert.equal(code, 1);
    assert.match(errors, text);
  });
}
