/**
 * Starts the gateway as a chaincode service: the peers connect to it.
 *
 * CHAINCODE_ID               package id of the chaincode, as the peer's `queryinstalled` shows it
 * CHAINCODE_SERVER_ADDRESS   host:port to listen on
 * CHAINCODE_TLS_KEY, CHAINCODE_TLS_CERT, CHAINCODE_CLIENT_CA_CERT   paths of PEM files; the last asks peers for certificates
 * CHAINCODE_TLS_DISABLED     `true` allows another address than this machine's own without TLS
 * CHAINCODE_WATCH_INPUT      `true` ends the service when its standard input does: with whoever started it, however that ended
 * GATEWAY_CONFIGURATION_SHA256   hexadecimal; `configure` with other calldata is not endorsed here
 */

import { readFileSync } from 'node:fs';
import shim from 'fabric-shim';
import { APPLICATIONS } from './applications/index.js';
import { GatewayChaincode } from './lib/chaincode.js';

const LARGEST_MESSAGE_BYTES = 100 * 1024 * 1024;
const OWN_MACHINE = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+$/;

/** @param {string} name @returns {string} */
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; give it in the environment.`);
  return value;
}

/** @param {string} address @returns {{key: Buffer, cert: Buffer, clientCACerts: Buffer} | undefined} */
function tlsProperties(address) {
  const { CHAINCODE_TLS_KEY, CHAINCODE_TLS_CERT, CHAINCODE_CLIENT_CA_CERT, CHAINCODE_TLS_DISABLED } = process.env;
  if (CHAINCODE_TLS_KEY && CHAINCODE_TLS_CERT) {
    const clientCACerts = CHAINCODE_CLIENT_CA_CERT ? readFileSync(CHAINCODE_CLIENT_CA_CERT) : undefined;
    return { key: readFileSync(CHAINCODE_TLS_KEY), cert: readFileSync(CHAINCODE_TLS_CERT), clientCACerts };
  }
  if (CHAINCODE_TLS_DISABLED !== 'true' && !OWN_MACHINE.test(address)) {
    throw new Error(
      `${address} would be served without TLS; give CHAINCODE_TLS_KEY and CHAINCODE_TLS_CERT, or set CHAINCODE_TLS_DISABLED=true.`,
    );
  }
  return undefined;
}

/** Standard output is the one line below; what the shim logs goes to standard error, where nobody has to read it on. */
function logToStandardError() {
  const say = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return say;
}

/** A simulator that is killed takes its chaincode with it. */
function endWithInput() {
  process.stdin.on('end', () => process.exit(0));
  process.stdin.resume();
}

async function main() {
  if (process.env.CHAINCODE_WATCH_INPUT === 'true') endWithInput();
  const say = logToStandardError();
  const address = required('CHAINCODE_SERVER_ADDRESS');
  const ccid = required('CHAINCODE_ID');
  const expected = process.env.GATEWAY_CONFIGURATION_SHA256 || undefined;
  const chaincode = new GatewayChaincode({ applications: APPLICATIONS, expected });
  const server = shim.Shim.server(chaincode, {
    ccid,
    address,
    tlsProps: tlsProperties(address),
    'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
    'grpc.max_send_message_length': LARGEST_MESSAGE_BYTES,
  });
  await server.start();
  say(`${JSON.stringify({ chaincode: ccid, address })}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
