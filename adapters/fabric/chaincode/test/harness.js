/**
 * The chaincode on a ledger in memory, driven over standard input: for the differential test only. Each line is a JSON object
 * {"as": label, "seconds": n, "call": hex} and is answered by {"status", "output" | "message", "event", "ticket"}; a transaction that goes through
 * is committed at once. {"account": label} asks for the account of a label.
 */

import { createInterface } from 'node:readline';
import { APPLICATIONS } from '../applications/index.js';
import { creatorAccount } from '../lib/accounts.js';
import { GatewayChaincode } from '../lib/chaincode.js';
import { FakeLedger, FakeStub, certificate, sha256 } from './fake_stub.js';
import { moody } from './moody.js';

const NAME = 'gateway';
let transactions = 0;
let now = 0;
const ledger = new FakeLedger();
const chaincode = new GatewayChaincode({ applications: [...APPLICATIONS, moody], clock: () => BigInt(now) });

/** @param {any} request @returns {Promise<object>} */
async function answer(request) {
  if (request.account !== undefined) {
    return { account: creatorAccount('Org1MSP', Buffer.from(certificate(request.account))).toString('hex') };
  }
  transactions += 1;
  now = request.seconds;
  const id = sha256(`transaction ${transactions}`).toString('hex');
  const args = [Buffer.from('call'), Buffer.from(request.call, 'hex')];
  const stub = new FakeStub(ledger, { args, chaincode: NAME, id, seconds: now, nanos: transactions, certificate: certificate(request.as) });
  const { status, message = '', payload = Buffer.alloc(0) } = await chaincode.Invoke(stub);
  if (status === 200 && !ledger.commit(stub)) throw new Error('a transaction alone cannot conflict');
  return { status, message, output: payload.toString('hex'), event: stub.event?.payload.toString('hex') ?? '', ticket: id };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
