/**
 * What this gateway has beside the Solidity interface, and what each new refusal tells its reader to do.
 */

/** @type {string[]} */
export const FUNCTIONS = [
  'configure(bytes32 chainWord, bytes[] officers, bytes guardian, uint64 delaySeconds, uint64 minimumExpirySeconds, string name, ' +
    'string signatures, bool development, bytes[] signers, bytes32[] organisations, uint8 threshold)',
  'send(bytes32 laneId, bytes receiver, bytes payload, uint64 gasLimit, uint64 callbackGas, uint64 expiresAt) ' +
    'returns (bytes32 ticket)',
  'seal(bytes32 laneId, bytes32[] tickets) returns (uint64 sealed)',
  'ticket(bytes32 laneId, bytes32 ticket) view returns (uint8 state, uint64 nonce, bytes32 messageId)',
  'callApplication(string name, bytes data) returns (bytes output)',
  'applicationAccount(string name) view returns (bytes account)',
];

/** @type {string[]} */
export const EVENTS = [
  'Configured(bytes32 chainWord, string name, string signatures)',
  'MessageTicketed(bytes32 indexed laneId, bytes32 indexed ticket, bytes sender, bytes receiver, uint64 expiresAt, ' +
    'uint64 gasLimit, uint64 callbackGas, bytes payload)',
];

/** Each with its advice. @type {Record<string, string>} */
export const ERRORS = {
  'NotConfigured()': 'The chaincode was never configured; call configure first.',
  'ConfiguredAlready()': 'The chaincode is configured once and for all; look at what it was told.',
  'ConfigurationUnexpected(bytes32 digest)':
    'This organisation expects another configuration (SHA-256 of the calldata given); agree on one, then set GATEWAY_CONFIGURATION_SHA256.',
  'NameMismatch(string name)': 'The name is not the one under which the chaincode is called; configure it under that one.',
  'NameMalformed(string name)': 'A name has 1 to 64 bytes of NFC UTF-8; choose another.',
  'UnknownSignatures(string signatures)': 'The signature scheme is neither secp256k1 nor sm2; choose one of them.',
  'UnknownFunction(bytes4 selector)': 'The gateway has no such function; encode the call with abi.json.',
  'CalldataMalformed()': 'The calldata is not the canonical encoding of the arguments; encode it again.',
  'TransientNotEmpty()': 'The transient map must be empty; leave it out of the proposal.',
  'ClockSkew(uint64 transactionTime, uint64 endorserTime)':
    "The transaction's time is more than 60 s off this endorser's clock (both Unix seconds); set the clocks and propose again.",
  'TicketTaken(bytes32 ticket)': 'This transaction has sent a message already; send one in each transaction.',
  'UnknownTicket(bytes32 ticket)': 'No message waits on this lane under that ticket; give the id of the transaction that sent it.',
  'TicketRepeated(bytes32 ticket)': 'A ticket stands twice; name each once.',
  'NothingToSeal()': 'Every ticket named is sealed already; nothing is left to do.',
  'UnknownApplication(string name)': 'No application of that name takes calls here; correct the name.',
  'KeysMalformed()':
    'Under sm2 each signer has a key of 64 bytes (X, Y), under secp256k1 none; correct the list of keys.',
  'KeyUnfit()': 'The key is no point of the curve in 64 bytes (X, Y); correct it.',
  'KeyOfAnother(bytes signer, bytes owner)': 'The signer is not the account of its key; correct the account or the key.',
  'Error(string text)': 'The called application says so itself.',
};
