"""Notes of an evidence log: what a real gateway reports and writes is fetched by the adapter and read by the light client."""

import pytest

from adapters.protocol import Call, Rejected
from adapters.solidity.contracts import contract
from light_clients.chainmaker.log_notes import check_note_block, read_note
from light_clients.errors import LightClientError
from schemas.primitives import Bytes32
from schemas.suites import keccak256
from tests.support.chainmaker_lane import ChainMakerLane, followed, open_guarded, open_one, options_of, pin_of

WAYS = pytest.mark.parametrize("evidence", ["event", "write-set"])
ROOTS = [Bytes32(keccak256(b"root %d" % number)) for number in range(3)]


class AnchoringLane(ChainMakerLane):
    """A lane at whose source people note logs, each time a longer one."""

    size = 0

    def call(self, root):
        """A call that notes a longer log than before."""
        self.size += 10
        return Call(self.gateways[0], contract("Gateway").encode("anchorLog", self.size, bytes(root)), 0)

    def fetch(self, ledger, height, *, key=None):
        return ledger.log_note(self.gateways[0], self.account(0, key or self.relayer), height)

    def read(self, ledger, evidence, account=b""):
        """What the light client reads in the evidence; who made the block is not asked."""
        pin = pin_of(ledger.installed(self.gateways[0]))
        return read_note(self.state(), evidence, pin, account or self.account(0, self.relayer))

    def state(self):
        return followed(self.ledgers[0], self.ledgers[0].identity().first_block)


@pytest.fixture(scope="module", params=[("ecc", False), ("sm", False), ("sm", True)], ids=["ecc", "sm", "national"])
def lane(request):
    """Gateways of either suite on chains of either."""
    suite, national = request.param
    made = AnchoringLane((suite, suite), nodes=(0, 1, 2), national=national)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def honest_again(lane):
    yield
    lane.networks[0].nodes[0].faults.clear()


@WAYS
def test_a_note_is_fetched_and_believed(lane, evidence):
    ledger = open_guarded(options_of(lane.networks[0], nodes=(0, 1, 2), evidence=evidence))
    receipt = lane.transact(0, lane.relayer, lane.call(ROOTS[0]))
    fetched = lane.fetch(ledger, receipt.height)
    found = lane.read(ledger, fetched)
    assert (found.height, found.block_hash) == (receipt.height, receipt.block_hash)
    assert (found.size, found.root) == (lane.size, ROOTS[0])
    check_note_block(lane.state(), fetched)
    ledger.close()


@WAYS
def test_the_last_note_of_the_account_in_a_block_is_fetched(lane, evidence):
    lane.post(0, lane.relayer, lane.call(ROOTS[0]))
    second = lane.post(0, lane.relayer, lane.call(ROOTS[1]))
    lane.post(0, lane.sender, lane.call(ROOTS[2]))
    lane.mine(0)
    receipt = lane.receipt(0, second.transaction)
    ledger = open_one(lane.networks[0], evidence=evidence)
    found = lane.read(ledger, lane.fetch(ledger, receipt.height))
    assert (found.size, found.root) == (lane.size - 10, ROOTS[1])
    other = lane.read(ledger, lane.fetch(ledger, receipt.height, key=lane.sender), lane.account(0, lane.sender))
    assert (other.size, other.root) == (lane.size, ROOTS[2])
    ledger.close()


def test_a_contract_that_notes_is_shown_by_its_write_set(lane):
    name = lane.deploy(0, "forwarder", contract("test/Forwarder").creation_code())
    account, call = lane.ledgers[0].called_by(name), lane.call(ROOTS[1])
    data = contract("test/Forwarder").encode("forward", lane.ledgers[0].called_by(call.target), call.data)
    receipt = lane.transact(0, lane.relayer, Call(name, data, 0))
    fetched = lane.ledgers[0].log_note(lane.gateways[0], account, receipt.height)
    assert lane.read(lane.ledgers[0], fetched, account).root == ROOTS[1]
    with pytest.raises(Rejected):
        lane.fetch(lane.ledgers[0], receipt.height)


def test_where_nothing_is_noted_it_is_said(lane):
    ledger = lane.ledgers[0]
    noted = lane.transact(0, lane.relayer, lane.call(ROOTS[0]))
    failed = lane.transact(
        0, lane.relayer, Call(lane.gateways[0], contract("Gateway").encode("anchorLog", 1, ROOTS[0]), 0)
    )
    assert (noted.success, failed.success) == (True, False)
    account = lane.account(0, lane.relayer)
    for gateway, whose, height, code in [
        (lane.gateways[0], lane.account(0, lane.sender), noted.height, "other"),
        (lane.verifiers[0], account, noted.height, "other"),
        (lane.gateways[0], account, failed.height, "other"),
        (lane.gateways[0], account, failed.height + 1, "no_state"),
    ]:
        with pytest.raises(Rejected) as caught:
            ledger.log_note(gateway, whose, height)
        assert caught.value.code == code


def test_a_node_that_lies_is_left_and_one_on_a_fork_vouches_for_nothing(lane):
    receipt = lane.transact(0, lane.relayer, lane.call(ROOTS[2]))
    faults = lane.networks[0].nodes[0].faults
    faults.lies = {"events"}
    assert lane.read(lane.ledgers[0], lane.fetch(lane.ledgers[0], receipt.height)).root == ROOTS[2]
    faults.clear()
    state, faults.fork = lane.state(), receipt.height
    ledger = open_one(lane.networks[0])
    fetched = lane.fetch(ledger, receipt.height)
    assert lane.read(ledger, fetched).root == ROOTS[2]
    with pytest.raises(LightClientError, match="Too few nodes voted"):
        check_note_block(state, fetched)
    ledger.close()
