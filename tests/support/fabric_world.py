"""A lane between two gateways on simulated Fabric channels, each with the real chaincode, made through the adapter's faces alone."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from pathlib import Path

from eth_abi.abi import encode

from adapters.conformance.steps import OPERATORS
from adapters.conformance.world import GUARDIAN, OFFICERS, SENDER_LIMIT, LaneWorld
from adapters.fabric import ADAPTER
from adapters.fabric.simulator.network import FabricNetwork
from adapters.protocol import AdapterOptions, Call, Endpoint
from adapters.solidity import administration
from adapters.solidity.calldata import encode_send, selector
from adapters.solidity.contracts import organisation_word
from light_clients import fabric, pins
from light_clients.crypto.secp256k1 import address_of
from light_clients.fabric.codec import read_block
from schemas.lane import Lane
from schemas.primitives import Bytes32
from schemas.suites import EVM

CONFIGURE = "configure(bytes32,bytes[],bytes,uint64,uint64,string,string,bool,bytes[],bytes32[],uint8)"
SEAL = "seal(bytes32,bytes32[])"
CHAINCODE = "gateway"
INTERVAL_S = 0.05


def application_account(name):
    return b"\x01" + hashlib.sha256(name.encode()).digest()


def calldata(signature, *values):
    types = signature[signature.index("(") + 1 : -1].split(",")
    return selector(signature) + encode(types, values)


def options_of(network, peer=0, **extra):
    return AdapterOptions((Endpoint(network.endpoints[peer]),), timeout_s=20.0, extra={**network.options, **extra})


@contextmanager
def opened(options):
    ledger = ADAPTER.open(options)
    try:
        yield ledger
    finally:
        ledger.close()


def followed(ledger, channel):
    """The light client at the ledger's newest block."""
    first, *others = ledger.headers(0, ledger.tip())
    state = fabric.bootstrap(first, read_block(first).block_hash, fabric.FabricConfiguration(channel))
    for header in others:
        state = fabric.apply(state, fabric.verify_header(state, header, int(time.time())))
    return state


def pin_of(ledger, gateway=b"gateway"):
    """What the light client pins, as the registry reads it from what is installed."""
    found = ledger.installed(gateway)
    return pins.pin_of("fabric", gateway, Bytes32(found.code_hash), found.pin)


class FabricWorld(LaneWorld):
    """Two channels; an open lane from the first to the second."""

    ordered = False
    mines_when_told = False
    proofs = "event"
    consensus = "fabric"
    first_height = 0
    stranger = application_account("stranger")
    nobody = b"nobody"

    def __init__(self, folder: Path, networks=None, **network):
        self.networks = networks or [
            FabricNetwork(folder / name, channel=name, block_interval_s=INTERVAL_S, **network)
            for name in ("trade", "goods")
        ]
        self._counter = 0
        for each in self.networks:
            each.start()
            each.start_chaincode(CHAINCODE)
        self._options, self._suite = [options_of(each) for each in self.networks], EVM
        self.ledgers = [ADAPTER.open(item) for item in self._options]
        self.words = [ledger.identity().word for ledger in self.ledgers]
        self.gateways = [CHAINCODE.encode()] * 2
        self.verifiers = list(self.gateways)
        for end in (0, 1):
            self.ledgers[end].endow([*OFFICERS, GUARDIAN, self.sender, self.relayer])
            self.configure(end)
        self.lane = Lane("conformance", EVM, self.words[0], self.gateways[0], self.words[1], self.gateways[1], "main")
        self.receiver, self.reverting = application_account("mailbox"), application_account("reverting")
        caps = administration.Caps(receiver_length=33)
        for end in (0, 1):
            opening = administration.open_lane(
                self.lane, end, self.verifiers[end], self.code_hash(1 - end), caps, accounts="bytes"
            )
            self.act(end, opening)
        lane_id, sender = self.lane.lane_id, self.account(0, self.sender)
        self.act(0, administration.allow_sender(lane_id, sender, SENDER_LIMIT, accounts="bytes"))
        for receiver in (self.receiver, self.reverting):
            self.act(1, administration.allow_receiver(lane_id, receiver, accounts="bytes"))

    def configure(self, end):
        officers = [self.account(end, officer) for officer in OFFICERS]
        signers = [address_of(operator) for operator in OPERATORS]
        organisations = [organisation_word(f"organisation {index}") for index in range(len(OPERATORS))]
        data = calldata(
            CONFIGURE, bytes(self.words[end]), officers, self.account(end, self.relayer), 0, 1, CHAINCODE, "secp256k1", True,
            signers, organisations, 2,
        )  # fmt: skip
        assert self.transact(end, OFFICERS[0], Call(self.gateways[end], data, 0)).success

    def signed(self, end, private_key, call):
        self._counter += 1
        return self.ledgers[end].sign(private_key, self._counter, call, 0)

    def ticket(self, payload=b"hello", *, receiver=None, gas_limit=100_000, expires_at=0):
        data = encode_send(self.lane.lane_id, receiver or self.receiver, payload, gas_limit, 0, expires_at)
        receipt = self.transact(0, self.sender, Call(self.gateways[0], data, 0))
        assert receipt.success
        return receipt.transaction

    def seal_call(self, *tickets):
        return Call(self.gateways[0], calldata(SEAL, self.lane.lane_id, list(tickets)), 0)

    def seal(self, *tickets):
        return self.transact(0, self.relayer, self.seal_call(*tickets))

    def send_call(self, payload, *, receiver=None, gas_limit=100_000, expires_at=0):
        return self.seal_call(self.ticket(payload, receiver=receiver, gas_limit=gas_limit, expires_at=expires_at))

    def send(self, payload=b"hello", *, receiver=None, gas_limit=100_000, expires_at=0):
        return self.seal(self.ticket(payload, receiver=receiver, gas_limit=gas_limit, expires_at=expires_at))

    def close(self):
        super().close()
        for network in self.networks:
            network.close()
