/**
 * Fakes of what a peer gives a chaincode: a ledger in memory with versions, and the stub of one transaction on it.
 * Signed proposals are real protobuf, taken apart by fabric-shim's own ChaincodeStub in `test_service.js`; here they stand as
 * the objects that the shim makes of them.
 */

import { createHash } from 'node:crypto';
import protos from '@hyperledger/fabric-protos';

const { common, peer } = protos;

/** @param {string | Buffer} data @returns {Buffer} */
export const sha256 = (data) => createHash('sha256').update(data).digest();

/** @param {string} label @returns {string} bytes that stand for a certificate; the gateway hashes them and reads nothing */
export const certificate = (label) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(`certificate of ${label}`).toString('base64')}\n-----END CERTIFICATE-----\n`;

/** @param {string} chaincode @param {Buffer[]} args @returns {{header: Buffer, input: Buffer}} protobuf parts of a proposal */
export function proposalParts(chaincode, args) {
  const id = new peer.ChaincodeID();
  id.setName(chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setExtension$(extension.serializeBinary());
  const input = new peer.ChaincodeInput();
  input.setArgsList(args);
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  return { channelHeader, payload };
}

/** A ledger's state in memory; a transaction is simulated on it and then committed, or found to conflict. */
export class FakeLedger {
  constructor() {
    /** @type {Map<string, {value: Buffer, version: number}>} */
    this.state = new Map();
    this.height = 0;
  }

  /** @param {FakeStub} stub @returns {boolean} whether what it read is still so, as a peer validates (MVCC) */
  commit(stub) {
    for (const [key, version] of stub.reads) if ((this.state.get(key)?.version ?? 0) !== version) return false;
    this.height += 1;
    for (const [key, value] of stub.writes) {
      if (value === null) this.state.delete(key);
      else this.state.set(key, { value, version: this.height });
    }
    return true;
  }
}

/** The stub of one transaction. It does not see its own writes, as on Fabric. */
export class FakeStub {
  /**
   * @param {FakeLedger} ledger
   * @param {object} transaction
   * @param {Buffer[]} transaction.args
   * @param {string} transaction.chaincode in the signed proposal
   * @param {string} transaction.id hexadecimal, 64 digits
   * @param {number} transaction.seconds
   * @param {number} [transaction.nanos]
   * @param {string} [transaction.mspid]
   * @param {string} transaction.certificate PEM
   * @param {string} [transaction.payloadChaincode] where the proposal's payload names another one
   * @param {Map<string, Buffer>} [transaction.transient]
   */
  constructor(ledger, transaction) {
    this.ledger = ledger;
    this.transaction = transaction;
    this.reads = new Map();
    this.writes = new Map();
    this.puts = [];
    this.gets = [];
    this.event = null;
  }

  getBufferArgs() {
    return this.transaction.args;
  }

  getTxID() {
    return this.transaction.id;
  }

  getTxTimestamp() {
    return { seconds: this.transaction.seconds, nanos: this.transaction.nanos ?? 0 };
  }

  getCreator() {
    return { mspid: this.transaction.mspid ?? 'Org1MSP', idBytes: Buffer.from(this.transaction.certificate) };
  }

  getTransient() {
    return this.transaction.transient ?? new Map();
  }

  getSignedProposal() {
    const { chaincode, payloadChaincode, args } = this.transaction;
    const { channelHeader } = proposalParts(chaincode, args);
    const { payload } = proposalParts(payloadChaincode ?? chaincode, args);
    return { proposal: { header: { channelHeader }, payload } };
  }

  async getState(key) {
    this.gets.push(key);
    const found = this.ledger.state.get(key);
    this.reads.set(key, found?.version ?? 0);
    return found === undefined ? Buffer.alloc(0) : Buffer.from(found.value);
  }

  async putState(key, value) {
    this.puts.push(key);
    this.writes.set(key, Buffer.from(value));
  }

  async deleteState(key) {
    this.puts.push(key);
    this.writes.set(key, null);
  }

  setEvent(name, payload) {
    this.event = { name, payload: Buffer.from(payload) };
  }
}
