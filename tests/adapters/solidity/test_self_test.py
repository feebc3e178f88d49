"""The two contracts that show who msg.sender is in a nested call, on every platform's machine and on one that is wrong."""

import dataclasses

import pytest

from adapters.solidity.contracts import contract
from tests.support.evm_world import OFFICERS, EvmChain
from tests.support.machine_world import PLATFORMS, chain_of


def run(chain, through=None):
    observer = chain.create("Observer")
    outer = chain.create("SelfTest", observer)
    data = contract("SelfTest").encode("run")
    if through:
        data = contract(through).encode("ask", outer, data)
    done = chain.transact(OFFICERS[0], chain.create(through) if through else outer, data)
    output = contract(through).decode("ask", done.output)[0] if through else done.output
    return outer, contract("SelfTest").decode("run", output)


@pytest.mark.parametrize("name", ["ethereum", *PLATFORMS])
def test_a_nested_call_comes_from_the_calling_contract(name):
    chain = EvmChain(name) if name == "ethereum" else chain_of(name, PLATFORMS[name])
    outer, (sound, caller, nested, origin) = run(chain)
    me = "0x" + OFFICERS[0].hex()
    assert (sound, caller, nested, origin) == (True, me, "0x" + outer.hex(), me)


def test_a_machine_that_passes_its_callers_caller_on_is_unsound():
    platform = PLATFORMS["fisco3"]
    traits = dataclasses.replace(platform.traits, nested_sender_is_callers=True)
    _, (sound, caller, nested, _) = run(chain_of("wrong", dataclasses.replace(platform, traits=traits)))
    assert sound is False
    assert nested == caller


def test_a_contract_that_asks_in_between_is_no_origin():
    _, (sound, caller, _, origin) = run(EvmChain("between"), through="test/Asker")
    assert sound is False
    assert caller != origin
