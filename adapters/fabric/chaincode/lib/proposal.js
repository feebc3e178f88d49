/**
 * What the signed proposal says: who signed it, when, for which chaincode. Source: Fabric's `peer/proposal.proto` and
 * `common/common.proto`.
 */

import protos from '@hyperledger/fabric-protos';
import { creatorAccount } from './accounts.js';

const { peer } = protos;

/**
 * @typedef {object} Proposal
 * @property {Buffer} creator account of the one who signed, 33 bytes
 * @property {string} chaincode the name in the header's extension; empty where header and payload name different ones
 * @property {bigint} seconds Unix seconds that the client wrote
 * @property {number} nanos
 * @property {Buffer} transaction its id, 32 bytes
 * @property {boolean} transient whether it brings a transient map
 */

/** @param {any} stub of fabric-shim @returns {Proposal} */
export function readProposal(stub) {
  const { proposal } = stub.getSignedProposal();
  const { mspid, idBytes } = stub.getCreator();
  const { seconds, nanos } = stub.getTxTimestamp();
  return {
    creator: creatorAccount(mspid, idBytes),
    chaincode: chaincodeName(proposal),
    seconds: BigInt(seconds.toString()),
    nanos,
    transaction: Buffer.from(stub.getTxID(), 'hex'),
    transient: stub.getTransient().size !== 0,
  };
}

/** @param {any} proposal @returns {string} */
function chaincodeName({ header, payload }) {
  const extension = peer.ChaincodeHeaderExtension.deserializeBinary(header.channelHeader.getExtension_asU8());
  const invocation = peer.ChaincodeInvocationSpec.deserializeBinary(payload.getInput_asU8());
  const inHeader = extension.getChaincodeId()?.getName() ?? '';
  const inPayload = invocation.getChaincodeSpec()?.getChaincodeId()?.getName() ?? '';
  return inHeader === inPayload ? inHeader : '';
}
