"""A lane between two simulated networks of FISCO BCOS, real gateways and committees on both, through the adapter behind the guard."""

import itertools
import tempfile
import time
from pathlib import Path

from adapters.conformance.world import LaneWorld
from adapters.fisco import ADAPTER, accounts
from adapters.fisco.simulator import FiscoNetwork
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint
from light_clients import fisco
from light_clients.crypto import sm2
from light_clients.fisco.codec import parse_header
from light_clients.fisco.options import read_options
from schemas.suites import EVM, SM

BLOCK_INTERVAL_S = 0.02


def start_fisco(line, folder, *, group="", national=False, **more):
    """A network that seals by itself; stop it when it is no longer needed."""
    network = FiscoNetwork(
        Path(folder), line=line, national=national, group=group, **({"block_interval_s": BLOCK_INTERVAL_S} | more)
    )
    network.start()
    return network


def fisco_options(network, nodes=(0,), *, timeout_s=20.0, max_answer_bytes=64 * 1024 * 1024, **more):
    """What opens a network at some of its nodes, each of an operator of its own."""
    endpoints = tuple(Endpoint(network.endpoints[index], f"operator {index}") for index in nodes)
    return AdapterOptions(
        endpoints, timeout_s=timeout_s, max_answer_bytes=max_answer_bytes, extra=network.options | more
    )


def open_fisco(network, nodes=(0,), **more):
    """A network's ledger behind the guard."""
    return GuardedLedger(ADAPTER, fisco_options(network, nodes, **more))


def followed(ledger, configuration, first=1):
    """The light client's state at the newest block, followed header by header from block `first`."""
    headers = ledger.headers(first, ledger.tip())
    state = fisco.bootstrap(headers[0], parse_header(headers[0], configuration).block_hash, configuration)
    for header in headers[1:]:
        state = fisco.apply(state, fisco.verify_header(state, header, int(time.time()) + 1))
    return state


class FiscoLane(LaneWorld):
    """Two networks that seal by themselves, and one open lane between them."""

    ordered = False
    proofs = "event"
    mines_when_told = False
    consensus = "fisco"
    first_height = 1

    def __init__(self, line, *, national=False, nodes=(0,)):
        self._numbers = itertools.count(1)
        self._folder = tempfile.TemporaryDirectory()
        groups = ("1", "2") if line == 2 else ("group0", "group1")
        self.networks = [
            start_fisco(line, Path(self._folder.name) / group, group=group, national=national) for group in groups
        ]
        options = [fisco_options(network, nodes) for network in self.networks]
        self._national = national
        super().__init__(options, lambda item: GuardedLedger(ADAPTER, item), suite=SM if national else EVM)

    def consensus_options(self, end):
        return self.networks[end].client_options

    def operator_account(self, end, private_key):
        """Operators sign as accounts of the ledger do."""
        return self.account(end, private_key)

    def operator_key(self, private_key):
        return accounts.public_key(private_key, "sm" if self._national else "evm")

    def signature(self, private_key, digest):
        """SM2 where the ledger's cryptography is national."""
        return sm2.sign(private_key, digest) if self._national else super().signature(private_key, digest)

    def configuration(self, end):
        """The light client's."""
        return read_options(self.networks[end].client_options)

    def signed(self, end, private_key, call):
        """As in every world, with a number of its own for each transaction, as nothing else tells equal ones apart."""
        self.ledgers[end].wallet(self.account(end, private_key))
        return self.ledgers[end].sign(private_key, next(self._numbers), call, 0)

    def close(self):
        super().close()
        for network in self.networks:
            network.stop()
        self._folder.cleanup()
