"""Executions out of answers: receipts of ledgers that began before 2.9, transactions of line 2 as they were sent."""

import pytest

from adapters.fisco.executions import execution_of, transaction_bytes_2
from adapters.fisco.simulator.answers import transaction_json
from adapters.fisco.simulator.formats import Executed, SealedBlock
from adapters.fisco.transactions import Network, parse, sign_call
from adapters.protocol import Call
from light_clients import fisco
from light_clients.errors import Refused
from light_clients.fisco import FiscoConfiguration, FiscoEvidence
from schemas.suites import keccak256
from tests.support.fisco_chain import PIN, FiscoChain, send
from tests.support.fisco_json import block_json, receipt_json


class ToldNode:
    """A node of line 2 that tells one receipt."""

    line = 2

    def __init__(self, receipt):
        self._receipt = receipt

    def receipt_with_proof(self, transaction):
        del transaction
        return self._receipt, self._receipt["receiptProof"]


@pytest.mark.parametrize("hashed", [None, 77], ids=["before 2.9", "since 2.9"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_the_gas_that_remains_is_hashed_or_not_as_the_root_says(hashed, told):
    chain = FiscoChain(2, "evm")
    block = chain.mine(send(1, remaining_gas=hashed), send(2, remaining_gas=hashed))
    receipt = {**receipt_json(block, 1), "remainGas": "0x4d"}
    if not told:
        del receipt["remainGas"]
    execution = execution_of(ToldNode(receipt), chain.configuration, block_json(block), b"", 1, 2)
    state = fisco.apply(chain.state(), fisco.verify_header(chain.state(), block.bundle(), chain.now))
    evidence = FiscoEvidence(block.bundle(()), execution)
    if told or hashed is None:
        fisco.verify_claim(state, block.claim(2), evidence, PIN)
    else:
        with pytest.raises(Refused):
            fisco.verify_claim(state, block.claim(2), evidence, PIN)


@pytest.mark.parametrize("suite", ["evm", "sm"])
def test_a_transaction_of_line_2_is_what_was_sent_or_nothing(suite):
    network, configuration = Network(2, suite, "1", "1"), FiscoConfiguration(2, suite)
    for number in range(40):
        call = Call(b"\x10" * 20 if number % 2 else b"", b"\x60" * number, 10**6 + number)
        signed = sign_call(network, keccak256(b"one"), nonce=number, call=call, fee=0, block_limit=600)
        parsed = parse(signed.raw, network)
        block = SealedBlock(7, [], bytes(32), 0, (), (), (Executed(parsed, signed.raw, bytes(20), 0, b"", 0),))
        told = transaction_json(network, block, 0)
        assert transaction_bytes_2(told, configuration, signed.transaction) == signed.raw
        assert transaction_bytes_2({**told, "gas": "0x1"}, configuration, signed.transaction) is None
        without = {name: value for name, value in told.items() if name != "signature"}
        assert transaction_bytes_2(without, configuration, signed.transaction) is None
