"""The simulator itself: as a process, its folder, its JSON in the shapes of the platform, its switches."""

import json
import signal
import stat
import subprocess
import sys

import httpx
import pytest

from adapters.fisco.simulator.faults import LIES, Faults, known_faults, tell_lies
from adapters.protocol import AdapterOptions, Call, Endpoint
from adapters.registry import open_ledger
from light_clients.fisco.codec import parse_header
from light_clients.fisco.options import read_options
from light_clients.fisco.seals import check_seals
from tests.support.fisco_lane import open_fisco, start_fisco
from tests.support.lane_world import key
from tests.support.shared_vectors import shared_json


def ask(url, method, params):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(url, json=body, timeout=20, trust_env=False).json()


@pytest.fixture(params=[(2, False), (2, True), (3, False), (3, True)], ids=["2", "2 national", "3", "3 national"])
def network(request, tmp_path):
    line, national = request.param
    made = start_fisco(line, tmp_path, national=national)
    yield made
    made.stop()


def test_it_runs_as_a_process_and_says_what_it_is(tmp_path):
    command = [sys.executable, "-m", "adapters.fisco.simulator", "--folder", str(tmp_path / "f"), "--line", "2"]
    process = subprocess.Popen([*command, "--block-interval", "0.05"], stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(process.stdout.readline())
        assert "simulator" in ready["simulator"]
        assert len(ready["endpoints"]) == 4
        assert ready["client_options"] == {"line": 2, "suite": "evm", "chain_id": "1", "group_id": "1"}
        options = AdapterOptions(tuple(map(Endpoint, ready["endpoints"][:1])), extra=ready["options"])
        ledger = open_ledger("fisco", options)
        identity = ledger.identity()
        assert identity.development
        assert str(identity.chain_id) == "fisco:1"
        assert identity.first_block.hex() == ready["first_block"]
        signed = ledger.sign(key("anybody"), 1, Call(b"\x01" * 20, b"", 100_000), 0)
        assert ledger.broadcast([signed.raw]) == [None]
        assert ask(ready["endpoints"][0], "simulator_seal", []).get("error") is None
        assert ledger.receipts([signed.transaction])[0] is not None
        ledger.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        process.stdout.close()
    assert process.returncode == 0


def test_its_keys_are_for_the_owner_alone(network):
    mode = stat.S_IMODE((network.folder / "sealers.keys").stat().st_mode)
    assert mode == 0o600
    shown = json.loads((network.folder / "network.json").read_text())
    assert shown["sealers"] == [sealer.public.hex() for sealer in network.sealers]
    assert all(sealer.private.hex() not in repr(sealer) for sealer in network.sealers)


def test_its_blocks_are_signed_by_a_quorum_and_pass_the_light_client(network):
    configuration = read_options(network.client_options)
    for _ in range(3):
        network.seal()
    ledger = open_fisco(network)
    for header in ledger.headers(1, 3):
        parsed = parse_header(header, configuration)
        assert len(check_seals(parsed, configuration)) == 3
    ledger.close()


def fields(value):
    """Names of an answer with the kinds of their values."""
    return {name: type(item).__name__ for name, item in value.items()}


def test_its_answers_have_the_shapes_of_the_platforms_own(tmp_path):
    for line in (2, 3):
        network = start_fisco(line, tmp_path / str(line))
        ledger = open_fisco(network)
        signed = ledger.sign(key("anybody"), 1, Call(b"\x01" * 20, b"", 100_000), 0)
        ledger.broadcast([signed.raw])
        while ledger.receipts([signed.transaction]) == [None]:
            network.seal(empty=False)
        url, group = network.endpoints[0], network.network.group
        if line == 2:
            real = shared_json("fisco/v2_9_d9e9241b.json")["block"]
            own = ask(url, "getBlockByNumber", [1, "0x1", False])["result"]
            told = ask(url, "getTransactionReceiptByHashWithProof", [1, "0x" + signed.transaction.hex()])["result"]
            real_receipt = shared_json("fisco/v2_merkle_proofs.json")[2]["proof"]
            assert fields(told) == fields(real_receipt)
            own_receipt, real_receipt = told["transactionReceipt"], real_receipt["transactionReceipt"]
            assert fields(real_receipt).items() <= fields(own_receipt).items()
        else:
            real = shared_json("fisco/v3_9_c403e7f3.json")["header"]
            own = ask(url, "getBlockByNumber", [group, "", 1, False, True])["result"]
        assert fields(real).items() <= fields(own).items()
        ledger.close()
        network.stop()


def test_errors_are_the_platforms(network):
    url, first = network.endpoints[0], [1] if network.network.line == 2 else [network.network.group, ""]
    number = "0x99" if network.network.line == 2 else 153
    missing = ask(url, "getBlockHashByNumber", [*first, number])["error"]["code"]
    assert missing == (-40004 if network.network.line == 2 else 3008)
    assert ask(url, "getBlockNumber", ["9", ""])["error"]["code"] == (-40001 if network.network.line == 2 else -32004)
    assert ask(url, "getNothing", first)["error"]["code"] == -32601
    batch = httpx.post(
        url, json=[{"jsonrpc": "2.0", "id": 1, "method": "getBlockNumber", "params": first}], trust_env=False
    )
    assert isinstance(batch.json(), list) is (network.network.line == 2)


def test_switches_are_flipped_from_outside_whatever_a_node_does(network):
    url = network.endpoints[1]
    assert ask(url, "simulator_faults", [["garbage", "busy"]])["result"] == ["busy", "garbage"]
    assert ask(url, "simulator_status", [])["result"]["faults"] == ["busy", "garbage"]
    assert ask(url, "simulator_faults", [["no such fault"]])["error"]["code"] == -32602
    assert ask(url, "simulator_faults", [[]])["result"] == []
    added = ask(url, "simulator_add_sealer", [])["result"]
    network.seal()
    assert added in {sealer.public.hex() for sealer in network.ledger.executor.sealers}
    assert ask(url, "simulator_remove_sealer", [added])["result"] is True
    assert ask(url, "simulator_stop_node", [2])["result"] is True
    assert not network.servers[2].is_up
    assert ask(url, "simulator_start_node", [2])["result"] is True


def test_every_lie_changes_something_and_unknown_ones_are_refused():
    log = {"address": "0x" + "11" * 20, "topics": [], "data": "0x0011"}
    receipt = {"status": "0x0", "logs": [log, {**log, "data": "0x22"}], "receiptProof": [{"left": [], "right": []}]}
    header = {"stateRoot": "0x00", "signatureList": [{"index": "0x0", "signature": "0x" + "ab" * 65}]}
    answers = {"getBlockNumber": "0x7", "call": {"output": "0x01"}, "getBlockByNumber": header}
    for name, (methods, _) in LIES.items():
        for method in methods & {*answers, "getTransactionReceipt"}:
            true = answers.get(method, receipt)
            assert tell_lies(method, true, {name}) != true
            assert tell_lies(method, true, set()) == true
    assert known_faults() > set(LIES)
    with pytest.raises(ValueError, match="there is no fault"):
        Faults().set(["honesty"])
