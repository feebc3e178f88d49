/**
 * What a transaction reads and writes. A chaincode does not see its own writes on Fabric: they are kept here, read back from
 * here, and put once each at the end. A nested part (an application's call) writes into a layer of its own, dropped if it fails.
 */

/** @typedef {{getState(key: string): Promise<Uint8Array>, putState(key: string, value: Uint8Array): Promise<any>, deleteState(key: string): Promise<any>}} Store */

/** The peer did not answer: nothing is decided, and the whole transaction ends. */
export class PeerFailure extends Error {}

export class State {
  /** @param {(key: string) => Promise<Buffer | null>} read what lies below */
  constructor(read) {
    /** @private */
    this.below = read;
    /** @type {Map<string, Buffer | null>} null is deleted */
    this.writes = new Map();
  }

  /** @param {Store} stub @returns {State} over a peer's state, which is asked for each key once */
  static over(stub) {
    const seen = new Map();
    return new State(async (key) => {
      if (!seen.has(key)) {
        seen.set(key, await ask(stub, key));
      }
      return seen.get(key);
    });
  }

  /** @param {string} key @returns {Promise<Buffer | null>} null where there is nothing */
  async get(key) {
    const written = this.writes.get(key);
    return written === undefined ? this.below(key) : written;
  }

  /** @param {string} key @param {Uint8Array} value not empty */
  put(key, value) {
    this.writes.set(key, Buffer.from(value));
  }

  /** @param {string} key */
  delete(key) {
    this.writes.set(key, null);
  }

  /** @param {string} key @returns {Promise<any>} what `putRecord` kept, or null */
  async record(key) {
    const value = await this.get(key);
    return value === null ? null : JSON.parse(value.toString());
  }

  /** @param {string} key @param {object} record of texts, numbers and booleans; the order of its fields is that of the text */
  putRecord(key, record) {
    this.put(key, Buffer.from(JSON.stringify(record)));
  }

  /** @returns {State} a layer over this one; `adopt` takes its writes */
  layer() {
    return new State((key) => this.get(key));
  }

  /** @param {State} layer */
  adopt(layer) {
    for (const [key, value] of layer.writes) this.writes.set(key, value);
  }

  /** @param {Store} stub takes every write once, in the order of the keys */
  async flush(stub) {
    for (const key of [...this.writes.keys()].sort()) {
      const value = this.writes.get(key);
      if (value) await stub.putState(key, value);
      else await stub.deleteState(key);
    }
  }
}

/** @param {Store} stub @param {string} key @returns {Promise<Buffer | null>} */
async function ask(stub, key) {
  try {
    const value = await stub.getState(key);
    return value === undefined || value === null || value.length === 0 ? null : Buffer.from(value);
  } catch (error) {
    throw new PeerFailure(`the peer did not give the value of ${key}: ${error.message}`);
  }
}
