"""The simulator as a process: one line says how it is spoken to, and what is sent there is sealed by itself."""

import json
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from adapters.fabric.adapter import FabricLedger
from adapters.fabric.development import act as ask
from adapters.protocol import (
    AdapterError,
    AdapterOptions,
    Endpoint,
    MemberRefused,
    Misconfigured,
    Rejected,
    Unreachable,
)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    command = [
        *(sys.executable, "-m", "adapters.fabric.simulator", "--folder", str(tmp_path_factory.mktemp("process"))),
        *("--mutual-tls", "--watch-input", "--consensus", "etcdraft", "--orderers", "3", "--batch-timeout", "0.1"),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield json.loads(process.stdout.readline())
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    process.stdout.close()


@pytest.fixture
def ledger(said):
    options = AdapterOptions((Endpoint(said["endpoints"][0]),), extra=said["options"])
    made = FabricLedger(options)
    yield made
    made.close()


def test_the_line_opens_the_adapter(said, ledger):
    assert (said["adapter"], said["consensus"]) == ("fabric", "fabric")
    assert said["client_options"] == {"channel": "trade"}
    assert (said["gateway"], said["verifier"]) == ("gateway", "gateway")
    identity = ledger.identity()
    assert identity.development
    assert "simulator" in identity.software
    assert ledger.installed(said["gateway"].encode()).pin["chaincode"] == "gateway"
    assert ledger.endow([b"\x01" * 32])
    assert len(ledger.account(b"\x01" * 32)) == 33


def test_faults_and_changes_are_switched_from_another_process(ledger):
    def act(**asked):
        return ask(ledger._nodes.own, asked)

    tip = ledger.tip()
    assert act(do="add-organisation") == {"node": "peer0.org3.example"}
    assert ledger.tip() == tip + 1
    act(do="faults", node="peer0.org2.example", set={"lag": 2})
    act(do="faults", node="peer0.org2.example")
    for fault in ("exhausted", "unavailable", "garbage", "cut"):
        act(do="faults", node="peer0.org1.example", set={fault: True})
        with pytest.raises(AdapterError):
            ledger.tip()
        act(do="faults", node="peer0.org1.example")  # heard whatever fault is on
        assert ledger.tip() == tip + 1
    with pytest.raises(Rejected, match="there is no switch"):
        act(do="nothing")
    act(do="certificate", node="orderer1.orderers.example", kind="expired")
    with suppress(Unreachable):  # the node that answers is the one that ends its connections
        act(do="certificate", node="peer0.org1.example", kind="expired")
    said, deadline = "", time.monotonic() + 60
    while "not valid now" not in said and time.monotonic() < deadline:
        with pytest.raises((Misconfigured, Unreachable)) as caught:
            ledger.tip()
        said = str(caught.value)
    assert caught.type is MemberRefused


def test_a_simulator_that_is_killed_takes_its_chaincode_with_it(tmp_path):
    command = [sys.executable, "-m", "adapters.fabric.simulator", "--folder", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("{")
    children = psutil.Process(process.pid).children(recursive=True)
    assert any("index.js" in child.cmdline() for child in children)
    process.kill()
    process.wait(timeout=60)
    process.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
