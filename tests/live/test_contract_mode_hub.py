"""A whole hub with a QBFT ledger whose headers stop listing validators: from then on a contract's state proves them.

The validators stay the same; the contract and its proofs are a real node's, the mode of the headers is the sealing front's.
"""

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from light_clients import qbft
from light_clients.bft.bundle import element_slots, length_slot, unbundle
from light_clients.bft.types import SelectionMode
from relay.registry.chains import chain_named, open_chain
from schemas.suites import keccak256
from tests.support.drill import Drill
from tests.support.stack import GENEROUS_S, Stack
from tests.support.vectors import unhex_all

pytestmark = [pytest.mark.live, pytest.mark.stack]

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")
SLOT = 5
UNLISTED_FROM = 60
CODE = b"\x00"


def push(word):
    return b"\x7f" + word


def deploy_list(network, validators):
    """Send a contract that holds the list and does nothing; returns whether it is there, and the receipt once it is."""
    words = [len(validators).to_bytes(32, "big"), *(bytes(12) + validator for validator in validators)]
    slots = [length_slot(SLOT), *element_slots(SLOT, len(validators))]
    stores = b"".join(push(word) + push(slot) + b"\x55" for slot, word in zip(slots, words, strict=True))
    creation = stores + bytes.fromhex("60016000f3")
    sender = network.rpc("eth_accounts")[0]
    sent = network.rpc("eth_sendTransaction", {"from": sender, "data": "0x" + creation.hex(), "gas": hex(2_000_000)})
    found = []

    def mined():
        found[:] = [network.rpc("eth_getTransactionReceipt", sent)]
        return found[0] is not None

    return mined, found


class ContractStack(Stack):
    """`alpha` is registered before its headers stop listing validators, with the contract that is to select them."""

    def join(self):
        alpha = self.networks["alpha"]
        validators = unhex_all(alpha.rpc("qbft_getValidatorsByBlockNumber", "latest"))
        mined, found = deploy_list(alpha, tuple(reversed(validators)))
        self.wait_until("the contract is there", mined, GENEROUS_S)
        file = self.home.folder.parent / "client.toml"
        file.write_text(
            "consensus = 'qbft'\nsub_second_blocks = true\n[[selections]]\nmode = 'contract'\n"
            f"height = {UNLISTED_FROM}\ncontract = '{found[0]['contractAddress']}'\nslot = {SLOT}\n"
            f"code_hash = '0x{keccak256(CODE).hex()}'\n",
            encoding="utf-8",
        )
        self.json("chain", "add", "alpha", "--rpc", alpha.url, "--client-options", str(file))
        self.json("chain", "add", "beta", "--rpc", self.networks["beta"].url)


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    networks = {
        "alpha": DevelopmentNetwork(chain_id=63_011, unlisted_from=UNLISTED_FROM),
        "beta": DevelopmentNetwork(chain_id=63_012),
    }
    with ContractStack(networks) as stack:
        stack.up()
        stack.join()
        stack.json("lane", "open", "alpha", "beta", "--both")
        yield Drill(stack, tmp_path_factory.mktemp("drill") / "crash")


def test_messages_cross_before_and_after_the_contract_selects(drill):
    drill.send(*OUT, 2)
    drill.send(*HOME, 2)
    drill.stack.wait_until(
        "the hub follows headers that list nobody",
        lambda: chain_named(drill.store, "alpha").client_height > UNLISTED_FROM,
    )
    drill.send(*OUT, 3)
    drill.send(*HOME, 3)
    drill.wait_settled()
    drill.check()


def test_what_it_follows_is_a_proof(drill):
    row = chain_named(drill.store, "alpha")
    state = qbft.state_from_bytes(row.client_state)
    assert state.configuration.selection_at(state.height).mode is SelectionMode.CONTRACT
    header, proof = unbundle(bytes(row.client_header))
    parsed = qbft.codec.parse_header(header)
    assert (parsed.height, parsed.extra.validators) == (row.client_height, ())
    assert len(proof.storage) == 1 + len(state.validators)
    ledger = open_chain(row)
    before, after = ledger.headers(UNLISTED_FROM - 2, UNLISTED_FROM - 1)
    ledger.close()
    assert (unbundle(before)[1], len(unbundle(after)[1].storage)) == (None, len(proof.storage))
