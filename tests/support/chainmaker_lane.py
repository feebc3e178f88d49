"""A lane between two simulated ChainMaker networks, real gateways and committees on both, through the adapter behind the guard."""

import itertools
import tempfile
import time
from pathlib import Path

from adapters.chainmaker import ADAPTER
from adapters.chainmaker.names import account_address
from adapters.chainmaker.simulator import ChainMakerNetwork
from adapters.conformance.world import LaneWorld
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint
from light_clients.chainmaker import ChainMakerConfiguration, ChainMakerPin, apply, bootstrap, verify_header
from light_clients.chainmaker.codec import read_block
from light_clients.crypto import sm2
from schemas.suites import EVM, SM

LONG_S = 2**32 - 1
"""A trusting period that takes the first block's old time."""


def options_of(network, *, nodes=(0,), organisation=0, timeout_s=20.0, max_answer_bytes=64 * 1024 * 1024, **more):
    """What opens a network at some of its nodes, each of an operator of its own."""
    endpoints = tuple(Endpoint(network.endpoints[number], f"operator {number}") for number in nodes)
    extra = network.options(organisation) | more
    return AdapterOptions(endpoints, timeout_s=timeout_s, max_answer_bytes=max_answer_bytes, extra=extra)


def open_guarded(options):
    return GuardedLedger(ADAPTER, options)


def followed(ledger, first_block, *, now=None):
    """The light client's state at the newest block, followed step by step from the first one."""
    headers = ledger.headers(0, ledger.tip())
    state = bootstrap(headers[0], first_block, ChainMakerConfiguration(trusting_period_s=LONG_S))
    for header in headers[1:]:
        state = apply(state, verify_header(state, header, now or int(time.time())))
    return state


def pin_of(installed):
    """The light client's pin of what stands at a gateway's name."""
    return ChainMakerPin(**installed.pin)


class ChainMakerLane(LaneWorld):
    """Two networks that make blocks when told, unless an interval is given, and one open lane between them."""

    ordered, proofs, consensus, names_errors = False, "event", "chainmaker", False

    def __init__(self, suites=("ecc", "ecc"), *, nodes=(0,), national=False, block_interval_s=0, **more):
        self._national, self.mines_when_told = national, not block_interval_s
        if national:
            self.hashing = "solidity"
            more["signatures"] = "chainmaker-sm2"
        self.numbers = itertools.count(1)
        self.folder = tempfile.TemporaryDirectory()
        self.networks = [
            ChainMakerNetwork(
                Path(self.folder.name) / str(end), chain=f"chain{end}", suite=suite, block_interval_s=block_interval_s
            )
            for end, suite in enumerate(suites)
        ]
        for network in self.networks:
            network.__enter__()
        try:
            told = [options_of(network, nodes=nodes, **more) for network in self.networks]
            super().__init__(told, open_guarded, suite=SM if national else EVM)
        except BaseException:
            self.stop()
            raise

    def signed(self, end, private_key, call):
        """With a number of its own, as nothing else tells equal calls apart."""
        return self.ledgers[end].sign(private_key, next(self.numbers), call, 0)

    def consensus_options(self, end):
        del end
        return {"trusting_period_s": LONG_S}

    def operator_account(self, end, private_key):
        return (
            account_address(sm2.public_key_of(private_key))
            if self._national
            else super().operator_account(end, private_key)
        )

    def operator_key(self, private_key):
        return sm2.public_key_of(private_key) if self._national else super().operator_key(private_key)

    def signature(self, private_key, digest):
        """SM2 in a lane of the suite `sm`."""
        return sm2.sign(private_key, digest) if self._national else super().signature(private_key, digest)

    def mine(self, end):
        if self.mines_when_told:
            self.networks[end].produce()

    def block_hash(self, end):
        ledger = self.ledgers[end]
        tip = ledger.tip()
        return type(ledger.identity().first_block)(read_block(ledger.headers(tip, tip)[0]).header.block_hash)

    def stop(self):
        for network in self.networks:
            network.__exit__(None, None, None)
        self.folder.cleanup()

    def close(self):
        super().close()
        self.stop()


def open_one(network, *, node=0, **more):
    """The adapter at one node, without the guard."""
    return ADAPTER.open(options_of(network, nodes=(node,), **more))


PEOPLE = [bytes([number]) * 32 for number in range(1, 5)]
"""Private keys of either curve."""


def put(network, ledger, creation, name=b"", *, key=PEOPLE[0]):
    """Deploy a contract; returns its name."""
    ledger.endow([key])
    call = ledger.deployment(name or ledger.new_name("test"), creation)
    signed = ledger.sign(key, 0, call, 0)
    assert ledger.broadcast([signed.raw]) == [None]
    network.produce()
    (receipt,) = ledger.receipts([signed.transaction])
    assert receipt.success, receipt
    return receipt.contract
