"""One sealed network for the tests that leave it usable, and a contract that writes a slot and logs it."""

import pytest

from adapters.evm.devnet import DevelopmentNetwork

RUNTIME = bytes.fromhex("602035600035556000356000526000602060 00a100".replace(" ", ""))
"""Calldata (slot, value): stores the value and logs the slot."""
CREATION = bytes.fromhex(f"60{len(RUNTIME):02x}600c60003960{len(RUNTIME):02x}6000f3") + RUNTIME


class Ledger:
    """A network with a contract on it."""

    def __init__(self, network):
        self.network = network
        self.account = network.rpc("eth_accounts")[0]
        self.contract = self.receipt(self.send(None, CREATION))["contractAddress"]

    def send(self, to, data=b""):
        call = {"from": self.account, "data": "0x" + data.hex(), "gas": hex(1_000_000), "gasPrice": hex(10**10)}
        return self.network.rpc("eth_sendTransaction", call if to is None else {**call, "to": to})

    def write(self, slot, value):
        return self.send(self.contract, slot.to_bytes(32, "big") + value.to_bytes(32, "big"))

    def receipt(self, transaction):
        self.network.mine()
        return self.network.rpc("eth_getTransactionReceipt", transaction)


@pytest.fixture(scope="session")
def ledger():
    with DevelopmentNetwork(chain_id=31_001, block_time_s=0, hardfork="berlin") as network:
        yield Ledger(network)


@pytest.fixture(scope="session")
def network(ledger):
    return ledger.network


@pytest.fixture
def second(network):
    """The path of an endpoint whose faults are healed afterwards."""
    yield "/second"
    network.rpc("devnet_heal", path="/second")
