"""A whole hub under national cryptography: FISCO BCOS of both lines and a ChainMaker, all of the suite `sm`, and operators with SM2 keys.

One hub for all tests; every ledger is a simulator whose blocks are signed by SM2.
"""

import json
import time
from pathlib import Path

import pytest

from tests.support.chainmaker_stack import ChainMakerStack, RunningChain
from tests.support.fisco_lane import start_fisco
from tests.support.receipt_stack import ReceiptStack

pytestmark = [pytest.mark.live, pytest.mark.stack]

SHORT_S = 10
"""Life of a message that is to expire: long enough for the gateway to take it on a busy machine."""
LANES = [("bank", "court"), ("court", "bank"), ("bank", "land"), ("land", "bank")]


class RunningFisco:
    """A simulated FISCO BCOS network under national cryptography, with the face that a stack wants of a network."""

    def __init__(self, folder, line):
        self.folder, self.line = Path(folder) / f"fisco-{line}", line

    def start(self):
        self.network = start_fisco(self.line, self.folder, national=True, block_interval_s=0.1)

    def stop(self):
        self.network.stop()

    def words(self, folder):
        """What `relayhub chain add` is told besides the name."""
        options = Path(folder) / f"fisco-{self.line}.toml"
        options.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in self.client_options().items()))
        told = ["--adapter", "fisco", "--consensus", "fisco", "--client-options", str(options)]
        told += ["--rpc", self.network.endpoints[0]]
        for name, value in self.network.options.items():
            told += ["--option", f"{name}={value}"]
        return told

    def client_options(self):
        return self.network.client_options


class NationalChainMaker(RunningChain):
    """A ChainMaker whose gateway is of the suite `sm`."""

    def words(self, folder):
        return [*super().words(folder), "--option", "gateway_suite=sm"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("national")
    networks = {
        "bank": RunningFisco(folder, 3),
        "court": NationalChainMaker(folder, "court", "sm", nodes=1),
        "land": RunningFisco(folder, 2),
    }
    with ChainMakerStack(networks) as running:
        running.up()
        running.join()
        running.json("lane", "open", "bank", "court", "--both")
        running.json("lane", "open", "bank", "land", "--both")
        yield running


def test_messages_cross_both_ways_and_one_on_each_lane_expires(stack):
    assert {(lane["source"], lane["destination"]) for lane in stack.json("lane", "list")} == set(LANES)
    operators = stack.processes("operator")
    for process in operators:
        process.suspend()  # nobody signs, so that what expires soon does
    for way in LANES:
        stack.send(*way, "too late", expires_in=SHORT_S)
    last = time.monotonic()
    for way in LANES:
        stack.send(*way, "你好", count=2)
        stack.send(*way, "too little gas", gas_limit=1)
    time.sleep(max(0.0, last + SHORT_S + 1 - time.monotonic()))
    for process in operators:
        process.resume()
    for way in LANES:
        stack.wait_settled(*way, 4)
        lane = stack.lane(*way)
        # how a call with too little gas ends is the machine's: one without a price of gas lets it through
        assert (lane["executed"] + lane["failed"], lane["expired"], lane["refused"]) == (3, 1, 0), lane
        assert (lane["delivered"], lane["trust"]) == (4, "committee")
    assert all(item["signed_at"] > 0 for item in stack.json("operator", "list"))


def test_a_receipt_holds_by_what_each_ledger_holds_of_the_log(stack, tmp_path):
    receipts = ReceiptStack(stack, tmp_path)
    (told,) = stack.json("send", "bank", "court", "--to", "mailbox", "--text", "凭据")
    stack.wait_settled("bank", "court", 5)
    receipt = receipts.receipt(told["message_id"])
    for ledger in stack.networks:
        note = receipts.log_note(ledger, receipt)
        anchors = receipts.anchors()
        (failed, _), _ = receipts.verdicts(receipt, anchors, note)
        assert failed == [], ledger
        another = json.loads(note.read_text(encoding="utf-8")) | {"root": "0x" + "11" * 32}
        note.write_text(json.dumps(another), encoding="utf-8")
        (failed, _), _ = receipts.verdicts(receipt, anchors, note)
        assert failed == ["note.proof", "note.consistency"], ledger
