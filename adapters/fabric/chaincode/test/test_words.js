/** Ids, heads and digests against the golden vectors that Solidity and Python share, both suites. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { suiteNamed } from '../lib/suites.js';
import { attestation, fold, foldAll, laneId, messageId, outcomeId, outcomesGenesis } from '../lib/words.js';

const FOLDER = process.env.GOLDEN_VECTORS ?? new URL('../../../../tests/vectors/golden/', import.meta.url);
const bytes = (text) => Buffer.from(text.slice(2), 'hex');
const hex = (data) => `0x${data.toString('hex')}`;

/** @param {any} message of the vectors */
const messageOf = (message) => ({
  nonce: BigInt(message.nonce),
  sender: bytes(message.sender),
  receiver: bytes(message.receiver),
  expiresAt: BigInt(message.expires_at),
  gasLimit: BigInt(message.gas_limit),
  callbackGas: BigInt(message.callback_gas),
  payloadLength: BigInt(message.payload_length),
  payloadHash: bytes(message.payload_hash),
});

for (const name of ['evm', 'sm']) {
  const golden = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
  const suite = suiteNamed(name);

  test(`${name}: hashes and tags`, () => {
    assert.ok(golden.hashes.length > 5);
    for (const { input, digest } of golden.hashes) assert.equal(hex(suite.hash(bytes(input))), digest);
    for (const [word, tag] of Object.entries(golden.tags)) assert.equal(hex(suite.tag(word)), tag);
  });

  test(`${name}: lanes and where their heads begin`, () => {
    assert.ok(golden.lanes.length > 5);
    for (const row of golden.lanes) {
      const id = laneId(suite, {
        hub: row.hub,
        sourceChain: bytes(row.source),
        sourceGateway: bytes(row.source_gateway),
        destinationChain: bytes(row.destination),
        destinationGateway: bytes(row.destination_gateway),
        channel: row.channel,
      });
      assert.equal(hex(id), row.lane_id, row.name);
      assert.equal(hex(id), row.outbox_genesis);
      assert.equal(hex(outcomesGenesis(suite, id)), row.outcomes_genesis);
    }
  });

  test(`${name}: messages`, () => {
    assert.ok(golden.messages.length > 20);
    for (const row of golden.messages) {
      assert.equal(hex(messageId(suite, bytes(row.lane_id), messageOf(row.message))), row.message_id, row.name);
    }
  });

  test(`${name}: outcomes`, () => {
    assert.ok(golden.outcomes.length > 30);
    for (const { outcome, outcome_id: expected, name: label } of golden.outcomes) {
      const id = outcomeId(suite, bytes(outcome.message_id), outcome.status, bytes(outcome.result));
      assert.equal(hex(id), expected, label);
    }
  });

  test(`${name}: heads`, () => {
    assert.ok(golden.folds.length > 1);
    for (const row of golden.folds) {
      let head = bytes(row.start);
      row.ids.forEach((id, index) => {
        head = fold(suite, head, bytes(id));
        assert.equal(hex(head), row.heads[index]);
      });
      assert.deepEqual(foldAll(suite, bytes(row.start), row.ids.map(bytes)), head);
    }
  });

  test(`${name}: the digest that operators sign`, () => {
    assert.ok(golden.attestations.length > 5);
    for (const { place, claim, digest, name: label } of golden.attestations) {
      const told = {
        chainWord: bytes(place.chain),
        gatewayHash: suite.hash(bytes(place.gateway)),
        verifierHash: suite.hash(bytes(place.verifier)),
        epoch: BigInt(place.epoch),
      };
      const claimed = {
        laneId: bytes(claim.lane_id),
        direction: claim.direction,
        nonce: BigInt(claim.nonce),
        head: bytes(claim.head),
        height: BigInt(claim.height),
        blockHash: bytes(claim.block_hash),
      };
      assert.equal(hex(attestation(suite, told, claimed)), digest, label);
    }
  });
}
