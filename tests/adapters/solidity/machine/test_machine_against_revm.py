"""The machine beside revm on whole transactions of the gateway: outcomes, outputs, logs and slots are the same."""

import random

import pyrevm
import pytest

from adapters.solidity import administration, calldata
from adapters.solidity.machine import Traits
from adapters.solidity.machine.native import SPECIFICATIONS
from schemas.outcome import Settled, Status
from schemas.suites import keccak256
from tests.support.evm_world import (
    DEPLOYER,
    GAS,
    GUARDIAN,
    OFFICERS,
    RELAYER,
    SENDER,
    STRANGER,
    Done,
    EvmWorld,
    Refused,
    account,
    attest,
    checksummed,
    make_end,
)
from tests.support.evm_world import refused as read_refusal
from tests.support.machine_world import MachineChain

INTRINSIC_GAS = 21_000


def intrinsic(data):
    return INTRINSIC_GAS + 4 * data.count(0) + 16 * (len(data) - data.count(0))


class Twins(MachineChain):
    """Each transaction also runs in a new revm that holds the machine's state, and both must agree.

    pyrevm takes slots that are put into it for warm, and several transactions for one: gas is no more than the machine's.
    """

    def __init__(self, name, fork):
        super().__init__(name, Traits(fork=fork))
        self.agreed = {"done": 0, "refused": 0}

    def revm(self):
        evm, state = pyrevm.EVM(spec_id=SPECIFICATIONS[self.machine.traits.fork]), self.machine._state
        evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=self.now, gas_limit=2**63))
        for address, code in state.code.items():
            evm.insert_account_info(checksummed(address), pyrevm.AccountInfo(code=code, nonce=state.nonces[address]))
        for (address, slot), value in state.storage.items():
            evm.insert_account_storage(checksummed(address), slot, value)
        return evm

    def deploy(self, creation, name=None):
        evm = self.revm()
        evm.insert_account_info(checksummed(DEPLOYER), pyrevm.AccountInfo(nonce=self.count))
        self.count += 1
        address = bytes.fromhex(evm.deploy(checksummed(DEPLOYER), creation, gas=GAS)[2:])
        done = self.machine.execute(DEPLOYER, b"", creation, create_at=address, **self._moment)
        assert done.success, done.failure
        assert keccak256(self.machine.code(address)) == bytes(evm.basic(checksummed(address)).code_hash)
        self.check_slots(evm, done)
        return address

    def transact(self, sender, to, data, gas=GAS):
        evm, refused = self.revm(), None
        try:
            output = bytes(evm.message_call(checksummed(sender), checksummed(to), calldata=data, gas=gas))
        except RuntimeError as error:
            refused = read_refusal(error)
        result, spent = evm.result, intrinsic(data)
        done = self.execute(sender, to, data, gas - spent)
        if refused:
            assert (done.success, done.output) == (False, refused.data), done.failure
        else:
            assert (done.success, done.output) == (True, output), done.failure
            logs = [
                (
                    bytes.fromhex(log.address[2:]),
                    tuple(bytes.fromhex(topic[2:]) for topic in log.topics),
                    bytes(log.data[1]),
                )
                for log in result.logs
            ]
            assert [(log.address, log.topics, log.data) for log in done.logs] == logs
        assert result.gas_used - spent <= done.gas_used
        self.check_slots(evm, done)
        self.agreed["refused" if refused else "done"] += 1
        if refused:
            raise refused
        return Done(done.gas_used, done.output, [(log.address, list(log.topics), log.data) for log in done.logs])

    def check_slots(self, evm, done):
        """What the transaction read or wrote stands the same in both."""
        for touched in (*done.reads, *done.writes):
            value = evm.storage(checksummed(touched.address), int.from_bytes(touched.slot, "big"))
            assert self.machine.slot(touched.address, touched.slot) == value.to_bytes(32, "big")


def some(world, rng):
    """One random thing that somebody does on one of the ledgers, honest or not."""
    chain = rng.choice([world.source, world.destination]).chain
    chain.now += rng.choice([0, 0, 0, 30, 4_000])
    kind = rng.randrange(10)
    if kind < 3:
        receiver = rng.choice([None, None, None, STRANGER, b"\x01" * 20])
        expires_at = rng.choice([0, 0, 0, world.source.chain.now + rng.randrange(40, 200)])
        payload = rng.randbytes(rng.choice([0, 1, 31, 32, 200, 3_000]))
        callback = rng.choice([0, 0, 50_000])
        world.send(
            payload, receiver, gas_limit=rng.choice([0, 30_000, 200_000]), expires_at=expires_at, callback_gas=callback
        )
    elif kind < 6 and len(world.sent) > len(world.outcomes):
        first = len(world.outcomes) + 1
        last = rng.randint(first, len(world.sent))
        suffix = [message.message_id(world.lane.suite, world.lane_id) for message in world.sent[last:]]
        suffix = suffix[: rng.randint(0, len(suffix))]
        world.deliver(first, last, suffix_ids=suffix)
    elif kind < 8 and len(world.outcomes) > world.source_view().settled:
        world.settle()
    elif kind == 8:
        end = rng.choice([world.source, world.destination])
        call = rng.choice(
            [administration.pause(), administration.propose(administration.unpause()), administration.approve(1)]
        )
        end.chain.transact(rng.choice([*OFFICERS, GUARDIAN, STRANGER]), rng.choice([end.gateway, end.committee]), call)
        if end.chain.view(end.gateway, "Gateway", "paused"):
            end.chain.administer(end.gateway, administration.unpause())
    else:
        bent(world, rng)


def bent(world, rng):
    """A good call with bytes changed, or cut."""
    claim = world.claim(0, max(1, len(world.sent)))
    entry = Settled(world.sent[0].without_payload(), Status.EXECUTED, b"r")
    data = bytearray(
        rng.choice(
            [
                calldata.encode_send(world.lane_id, world.receiver, b"bent", 10_000, 0, 0),
                calldata.encode_deliver(world.lane_id, world.sent[-2:], [], claim, attest(world.destination, claim)),
                calldata.encode_settle(world.lane_id, [entry], [], claim, attest(world.source, claim)),
                calldata.encode_retry(world.lane_id, entry),
            ]
        )
    )
    for _ in range(rng.randrange(3)):
        data[rng.randrange(4, len(data))] ^= 1 << rng.randrange(8)
    data = bytes(data[: rng.choice([len(data), len(data), rng.randrange(len(data))])])
    end = rng.choice([world.source, world.destination])
    end.chain.transact(rng.choice([SENDER, RELAYER]), end.gateway, data)


@pytest.mark.parametrize("receiver", ["Mailbox", "Reverting", "test/Reentrant"])
@pytest.mark.parametrize("fork", ["istanbul", "london", "shanghai"])
def test_random_days_of_a_gateway(fork, receiver):
    rng = random.Random(f"{fork} {receiver}")
    world = EvmWorld.between(*(make_end(Twins(name, fork)) for name in ("alpha", "beta")), receiver=receiver)
    world.send(b"first")
    for _ in range(60):
        try:
            some(world, rng)
        except Refused:
            continue
    agreed = [end.chain.agreed for end in (world.source, world.destination)]
    assert sum(count["done"] for count in agreed) > 20
    assert sum(count["refused"] for count in agreed) > 1
    assert len(world.outcomes) > 1


def test_random_calldata_to_nobody_and_to_a_precompile():
    rng = random.Random("nobody")
    chain = Twins("alpha", "london")
    for to in (account("nobody"), b"\0" * 19 + b"\x02", b"\0" * 19 + b"\x04"):
        chain.transact(STRANGER, to, rng.randbytes(100))
    assert chain.agreed == {"done": 3, "refused": 0}
