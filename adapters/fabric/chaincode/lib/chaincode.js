/**
 * The face to the peer: `call` with one argument, ABI calldata; `head`, which reads one key; one event a transaction.
 */

import { Applications } from './applications.js';
import { perform } from './gateway.js';
import { headKey } from './lanes.js';
import { readProposal } from './proposal.js';
import { Refusal } from './refusals.js';
import { encodeRlp } from './rlp.js';
import { State } from './state.js';

/** @typedef {{status: number, message?: string, payload?: Buffer}} Response */

const SUCCESS = 200;
const REFUSED = 500;
const EVENT = 'gateway';
const LANE = /^[0-9a-f]{64}$/;
const DIRECTION = /^[01]$/;

/** @param {string} message @returns {Response} */
const refusal = (message) => ({ status: REFUSED, message });

/** @param {import('./interface.js').Log[]} logs @returns {Buffer} RLP of [[topics…], data] each */
export const encodeLogs = (logs) => encodeRlp(logs.map(({ topics, data }) => [topics, data]));

/** What fabric-shim calls. */
export class GatewayChaincode {
  /**
   * @param {object} options
   * @param {import('./applications.js').Application[]} options.applications
   * @param {() => bigint} [options.clock] Unix seconds
   * @param {string} [options.expected] SHA-256 of the calldata of `configure` that this organisation agreed to, hexadecimal
   */
  constructor({ applications, clock = () => BigInt(Math.floor(Date.now() / 1000)), expected }) {
    /** @private */
    this.options = { applications: new Applications(applications), clock, expected };
  }

  /** Nothing is done at a definition's commit: `configure` does it. @returns {Promise<Response>} */
  async Init() {
    return { status: SUCCESS, payload: Buffer.alloc(0) };
  }

  /** @param {any} stub of fabric-shim @returns {Promise<Response>} */
  async Invoke(stub) {
    try {
      const [name, ...values] = stub.getBufferArgs();
      switch (name?.toString()) {
        case 'call':
          return await this.call(stub, values);
        case 'head':
          return await readHead(stub, values.map(String));
        default:
          return refusal('the gateway has two functions: call with calldata, and head with a lane and a direction');
      }
    } catch (error) {
      return refusal(error instanceof Refusal ? `0x${error.data.toString('hex')}` : error.message);
    }
  }

  /** @private @param {any} stub @param {Buffer[]} values @returns {Promise<Response>} */
  async call(stub, values) {
    if (values.length !== 1) return refusal('call takes one argument, the calldata');
    const { applications, clock, expected } = this.options;
    const state = State.over(stub);
    const parts = { state, proposal: readProposal(stub), applications, clock: clock(), expected };
    const { output, logs } = await perform(parts, values[0]);
    await state.flush(stub);
    if (logs.length !== 0) stub.setEvent(EVENT, encodeLogs(logs));
    return { status: SUCCESS, payload: output };
  }
}

/**
 * The read that peers attest: one key, nothing written (docs/light-clients/fabric.md).
 * @param {any} stub
 * @param {string[]} values lane id in hexadecimal, direction
 * @returns {Promise<Response>}
 */
async function readHead(stub, values) {
  const [lane, direction] = values;
  if (values.length !== 2 || !LANE.test(lane) || !DIRECTION.test(direction)) {
    return refusal('head takes a lane id of 64 lower-case hexadecimal digits and a direction, 0 or 1');
  }
  if (stub.getTransient().size !== 0) return refusal('the transient map must be empty');
  const head = Buffer.from(await stub.getState(headKey(Number(direction), Buffer.from(lane, 'hex'))));
  return head.length === 0 ? refusal('there is no such head here') : { status: SUCCESS, payload: head };
}
