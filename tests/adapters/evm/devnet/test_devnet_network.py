"""A running network: sealed headers, rewritten hashes, proofs, validators, lies and failures over HTTP."""

import time

import httpx
import pytest
import rlp

from adapters.evm.devnet import RpcError
from adapters.evm.devnet.header import header_hash, header_items
from light_clients import qbft
from light_clients.errors import LightClientError, SealsTooFew
from light_clients.proofs import patricia
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support.vectors import unhex, unhex_all

pytestmark = pytest.mark.live

SLOT_7 = f"0x{7:064x}"


def block(network, name, *, full=False, path="/"):
    method = "eth_getBlockByHash" if len(name) == 66 else "eth_getBlockByNumber"
    return network.rpc(method, name, full, path=path)


def raw_header(network, number, path="/"):
    return unhex(network.rpc("debug_getRawHeader", hex(number), path=path))


def follow(network, first, last, path="/"):
    """Runs the light client from one height to another; returns its state."""
    pinned = BlockHash(unhex(block(network, hex(first))["hash"]))
    configuration = qbft.QbftConfiguration(sub_second_blocks=True)
    state = qbft.bootstrap(raw_header(network, first), pinned, configuration)
    for number in range(first + 1, last + 1):
        state = qbft.apply(state, qbft.verify_header(state, raw_header(network, number, path), int(time.time())))
    return state


def test_it_says_that_it_is_a_development_network(network):
    assert network.rpc("web3_clientVersion").startswith("relayhub-devnet/")
    assert "development network; anvil" in network.rpc("web3_clientVersion")
    assert network.rpc("eth_chainId") == hex(31_001)
    assert "development network" in httpx.get(network.url, trust_env=False).text


def test_served_header_hashes_to_the_served_hash(network):
    network.mine()
    served = block(network, "latest")
    items = rlp.decode(rlp.encode(header_items(served)))
    vanity, validators, vote, _, seals = rlp.decode(items[12])
    items[12] = rlp.encode([vanity, validators, vote, b"", []])
    assert "0x" + keccak256(rlp.encode(items)).hex() == served["hash"]
    assert len(seals) == 4
    assert served["miner"] in network.rpc("qbft_getValidatorsByBlockNumber", served["number"])
    assert raw_header(network, int(served["number"], 16)) == rlp.encode(header_items(served))
    assert served["parentHash"] == block(network, hex(int(served["number"], 16) - 1))["hash"]


def test_block_0_names_the_validators(network):
    genesis = block(network, "earliest")
    _, validators, *_ = rlp.decode(unhex(genesis["extraData"]))
    assert ["0x" + address.hex() for address in validators] == network.rpc("qbft_getValidatorsByBlockNumber", "0x0")
    assert genesis["hash"] == network.status["genesisHash"]


def test_the_light_client_follows_it(network):
    height = network.mine(5)
    assert follow(network, height - 4, height).block_hash == unhex(block(network, "latest")["hash"])


def test_hashes_are_the_sealed_ones_everywhere(ledger):
    network = ledger.network
    name = network.rpc("eth_newBlockFilter")
    transaction = ledger.write(1, 1)
    receipt = ledger.receipt(transaction)
    sealed, number = receipt["blockHash"], receipt["blockNumber"]
    assert block(network, number)["hash"] == sealed
    assert [log["blockHash"] for log in receipt["logs"]] == [sealed]
    for shown in (block(network, number, full=True), block(network, sealed, full=True)):
        assert (shown["hash"], shown["transactions"][0]["hash"]) == (sealed, transaction)
        assert shown["transactions"][0]["blockHash"] == sealed
        assert {**shown, "transactions": [transaction]} == block(network, sealed)
    assert network.rpc("eth_getTransactionByHash", transaction)["blockHash"] == sealed
    assert network.rpc("eth_getTransactionByBlockHashAndIndex", sealed, "0x0")["hash"] == transaction
    assert network.rpc("eth_getBlockTransactionCountByHash", sealed) == "0x1"
    assert network.rpc("eth_getBlockReceipts", number) == [receipt]
    assert network.rpc("eth_getLogs", {"blockHash": sealed}) == receipt["logs"]
    assert network.rpc("eth_getLogs", {"fromBlock": number, "toBlock": "finalized"}) == receipt["logs"]
    assert network.rpc("eth_getFilterChanges", name) == [sealed]
    answers = network.batch(
        [
            ("eth_blockNumber", []),
            ("eth_getTransactionReceipt", [transaction]),
            ("eth_getLogs", [{"fromBlock": number, "toBlock": number}]),
            ("eth_getBlockByNumber", [number, True]),
            ("eth_getBlockByHash", [sealed, False]),
            ("eth_getStorageAt", [ledger.contract, "0x1", sealed]),
        ]
    )
    assert answers[:3] == [number, receipt, receipt["logs"]]
    assert [answer["hash"] for answer in answers[3:5]] == [sealed, sealed]
    assert int(answers[5], 16) == 1


def test_a_pending_block_stands_on_the_sealed_one(network):
    assert block(network, "pending")["parentHash"] == block(network, "latest")["hash"]


def test_what_is_not_there_is_null(network):
    assert block(network, hex(10**9)) is None
    assert block(network, "0x" + "11" * 32) is None
    assert network.rpc("qbft_getValidatorsByBlockNumber", hex(10**9)) is None
    assert network.rpc("qbft_getValidatorsByBlockHash", "0x" + "11" * 32) is None
    with pytest.raises(RpcError, match="no header"):
        raw_header(network, 10**9)


@pytest.mark.parametrize("named", ["number", "hash", "object", "tag"])
def test_proofs_verify_against_the_sealed_header(ledger, named):
    network = ledger.network
    receipt = ledger.receipt(ledger.write(7, 42))
    names = {
        "number": receipt["blockNumber"],
        "hash": receipt["blockHash"],
        "object": {"blockHash": receipt["blockHash"]},
        "tag": "finalized",
    }
    if named != "tag":
        ledger.receipt(ledger.write(7, 43))
    proof = network.rpc("eth_getProof", ledger.contract, [SLOT_7], names[named])
    header = block(network, receipt["blockHash"])
    account = patricia.verify_account(
        unhex(header["stateRoot"]), unhex(ledger.contract), unhex_all(proof["accountProof"])
    )
    storage = unhex_all(proof["storageProof"][0]["proof"])
    assert int.from_bytes(patricia.verify_storage(account.storage_root, (7).to_bytes(32, "big"), storage), "big") == 42


def test_fees_go_to_the_proposer(ledger):
    receipt = ledger.receipt(ledger.write(2, 2))
    proposer = block(ledger.network, receipt["blockHash"])["miner"]
    assert int(ledger.network.rpc("eth_getBalance", proposer, receipt["blockNumber"]), 16) >= 10**10


def test_proposers_rotate(network):
    height = network.mine(4)
    proposers = {block(network, hex(number))["miner"] for number in range(height - 3, height + 1)}
    assert proposers == set(network.rpc("qbft_getValidatorsByBlockNumber", "latest"))


def test_validators_are_voted_in_and_out(network):
    start = network.mine()
    added = network.rpc("devnet_newValidator")
    assert network.rpc("qbft_proposeValidatorVote", added, True)
    assert network.rpc("qbft_getPendingVotes") == {added: True}
    height = network.mine(4)
    assert added in network.rpc("qbft_getValidatorsByBlockNumber", "latest")
    assert added not in network.rpc("qbft_getValidatorsByBlockNumber", hex(start))
    assert added in network.rpc("qbft_getValidatorsByBlockHash", block(network, hex(height))["hash"])
    assert network.rpc("qbft_proposeValidatorVote", added, False)
    height = network.mine(6)
    assert added not in network.rpc("qbft_getValidatorsByBlockNumber", "latest")
    assert network.rpc("qbft_discardValidatorVote", added)
    assert network.rpc("qbft_getPendingVotes") == {}
    assert follow(network, start, height).height == height


def test_a_silent_quorum_stops_the_chain(network):
    height = network.mine()
    validators = network.rpc("qbft_getValidatorsByBlockNumber", "latest")
    for address in validators[:2]:
        network.rpc("devnet_silence", address, True)
    with pytest.raises(RpcError, match="too few to seal"):
        network.mine()
    network.rpc("devnet_silence", validators[1], False)
    assert network.mine() == height + 1
    _, _, _, _, seals = rlp.decode(unhex(block(network, "latest")["extraData"]))
    assert len(seals) == 3
    network.rpc("devnet_silence", validators[0], False)


def test_equivocation_shows_two_sealed_headers_of_one_height(network, second):
    height = network.mine(3)
    told = network.rpc("devnet_equivocate", hex(height - 1), {"stateRoot": "0x" + "77" * 32}, path=second)
    network.mine()
    assert told["honestHash"] == block(network, told["number"])["hash"] != told["forkHash"]
    forked = block(network, told["number"], path=second)
    assert (forked["hash"], forked["stateRoot"]) == (told["forkHash"], "0x" + "77" * 32)
    assert raw_header(network, height - 1, second) == unhex(told["forkHeader"])
    assert block(network, told["forkHash"])["hash"] == told["forkHash"]
    state = follow(network, height - 2, height + 1, second)
    assert state.block_hash == unhex(block(network, "latest", path=second)["hash"])
    assert state.block_hash != unhex(block(network, "latest")["hash"])
    network.rpc("devnet_heal", path=second)
    assert block(network, told["number"], path=second)["hash"] == told["honestHash"]


def test_a_fork_that_one_validator_seals_is_refused_and_no_misbehaviour(network, second):
    height = network.mine(2)
    told = network.rpc("devnet_equivocate", hex(height), {}, 1, path=second)
    _, _, _, _, seals = rlp.decode(unhex(block(network, told["number"], path=second)["extraData"]))
    assert len(seals) == 1
    with pytest.raises(SealsTooFew):
        follow(network, height - 1, height, second)
    state = follow(network, height - 2, height - 1)
    with pytest.raises(SealsTooFew):
        qbft.find_misbehaviour(state, raw_header(network, height), raw_header(network, height, second))
    network.rpc("devnet_heal", path=second)


def test_hashes_of_a_fork_are_its_own_everywhere(ledger, second):
    network = ledger.network
    transaction = ledger.write(3, 3)
    number = ledger.receipt(transaction)["blockNumber"]
    told = network.rpc("devnet_equivocate", number, path=second)
    assert network.rpc("eth_getTransactionReceipt", transaction, path=second)["blockHash"] == told["forkHash"]
    assert network.rpc("eth_getTransactionReceipt", transaction)["blockHash"] == told["honestHash"]
    assert network.rpc("eth_getLogs", {"blockHash": told["forkHash"]}, path=second)[0]["blockHash"] == told["forkHash"]


@pytest.mark.parametrize(
    ("kind", "method", "params"),
    [
        ("logs", "eth_getLogs", [{"fromBlock": "0x0"}]),
        ("missing_logs", "eth_getLogs", [{"fromBlock": "0x0"}]),
        ("heads", "eth_getStorageAt", ["CONTRACT", "0x7", "latest"]),
        ("proofs", "eth_getProof", ["CONTRACT", [SLOT_7], "latest"]),
        ("headers", "eth_getBlockByNumber", ["latest", False]),
        ("seals", "eth_getBlockByNumber", ["latest", False]),
        ("height", "eth_blockNumber", []),
    ],
)
def test_a_lie_is_told_at_one_endpoint_only(ledger, second, kind, method, params):
    network = ledger.network
    ledger.receipt(ledger.write(7, 42))
    params = [ledger.contract if item == "CONTRACT" else item for item in params]
    honest = network.rpc(method, *params)
    assert network.rpc("devnet_lie", kind, path=second) == [kind]
    assert network.rpc(method, *params) == honest
    assert network.rpc(method, *params, path=second) != honest
    assert network.batch([("eth_gasPrice", []), (method, params)], path=second)[1] != honest
    assert network.rpc("devnet_lie", kind, False, path=second) == []
    assert network.rpc(method, *params, path=second) == honest


def test_a_lying_proof_and_lying_seals_are_refused(ledger, second):
    network = ledger.network
    height = network.mine()
    network.rpc("devnet_lie", "seals", path=second)
    forged = rlp.encode(header_items(block(network, hex(height), path=second)))
    with pytest.raises(LightClientError):
        qbft.verify_header(follow(network, height - 1, height - 1), forged, int(time.time()))
    network.rpc("devnet_lie", "proofs", path=second)
    proof = network.rpc("eth_getProof", ledger.contract, [], hex(height), path=second)
    root = unhex(block(network, hex(height))["stateRoot"])
    with pytest.raises(LightClientError):
        patricia.verify_account(root, unhex(ledger.contract), unhex_all(proof["accountProof"]))


def test_an_endpoint_fails_in_three_ways(network, second):
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_gasPrice", "params": []}
    network.rpc("devnet_lie", "errors", path=second)
    with pytest.raises(RpcError, match="told to fail"):
        network.rpc("eth_gasPrice", path=second)
    network.rpc("devnet_heal", path=second)
    network.rpc("devnet_lie", "garbage", path=second)
    assert httpx.post(network.url + second, json=body, trust_env=False).text.startswith("<html>")
    network.rpc("devnet_heal", path=second)
    network.rpc("devnet_lie", "silence", path=second)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(network.url + second, json=body, timeout=0.2, trust_env=False)
    network.rpc("devnet_heal", path=second)
    assert network.rpc("eth_gasPrice", path=second) == network.rpc("eth_gasPrice")


def test_a_batch_with_a_switch_keeps_its_order(ledger):
    network = ledger.network
    call = {"from": ledger.account, "to": ledger.account, "gas": hex(21_000), "gasPrice": hex(10**10)}
    before = int(network.rpc("eth_getTransactionCount", ledger.account, "latest"), 16)
    count = ("eth_getTransactionCount", [ledger.account, "latest"])
    answers = network.batch([count, ("eth_sendTransaction", [call]), ("evm_mine", []), count])
    assert [int(answers[0], 16), int(answers[3], 16)] == [before, before + 1]


def test_time_can_be_moved_ahead(network):
    network.rpc("evm_increaseTime", 1000)
    network.mine()
    moved = int(block(network, "latest")["timestamp"], 16)
    assert moved >= int(time.time()) + 990
    network.rpc("evm_setNextBlockTimestamp", moved + 5)
    network.rpc("evm_mine")
    assert int(block(network, "latest")["timestamp"], 16) == moved + 5
    network.rpc("evm_mine", {"timestamp": moved + 9})
    assert int(block(network, "latest")["timestamp"], 16) == moved + 9
    with pytest.raises(RpcError, match="newest block's time"):
        network.rpc("evm_setNextBlockTimestamp", moved)


def test_bodies_of_megabytes_pass(ledger):
    data = "0x" + "00" * 3_000_000
    call = {"to": ledger.account, "data": data, "gas": hex(200_000_000)}
    assert ledger.network.rpc("eth_call", call, "latest") == "0x"


@pytest.mark.parametrize(
    ("method", "params", "sentence"),
    [
        ("evm_setAutomine", [True], "only the front makes blocks"),
        ("anvil_reorg", [1, []], "sealed blocks are final"),
        ("evm_revert", ["0x0"], "sealed blocks are final"),
        ("devnet_reorg", [1], "sealed blocks are final"),
        ("devnet_lie", ["nothing"], "no lie is called 'nothing'"),
        ("devnet_lie", ["logs", 1], "neither true nor false"),
        ("devnet_mine", ["many"], "is no number"),
        ("devnet_mine", [-1], "is no number"),
        ("devnet_setBlockTime", [-1], "block time in seconds"),
        ("devnet_setBlockTime", [], "parameter is missing"),
        ("devnet_equivocate", ["0x0"], "fork starts at a height"),
        ("devnet_equivocate", ["0x1", []], "as an object"),
        ("devnet_equivocate", ["0x1", {"gasUsed": "many"}], "gasUsed must be"),
        ("qbft_proposeValidatorVote", ["0x11", True], "an address is"),
        ("qbft_proposeValidatorVote", [7, True], "address must be"),
        ("eth_getBlockByNumber", [], "name the block"),
        ("eth_getBlockByNumber", ["newest", False], "neither a block number nor a tag"),
        ("no_such_method", [], "not found|unknown|no_such_method"),
    ],
)
def test_wrong_calls_are_answered_by_a_sentence(network, method, params, sentence):
    with pytest.raises(RpcError, match=sentence):
        network.rpc(method, *params)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"method": 7}', -32600),
        (b'{"method": "eth_getBlockByNumber", "params": {}}', -32602),
    ],
)
def test_broken_bodies_are_answered_as_json_rpc_says(network, body, code):
    assert httpx.post(network.url, content=body, trust_env=False).json()["error"]["code"] == code


def test_a_batch_without_ids_is_refused(network):
    body = [{"jsonrpc": "2.0", "method": "eth_getLogs", "params": [{}]}] * 2
    answers = httpx.post(network.url, json=body, trust_env=False).json()
    assert all("every request of a batch an id" in answer["error"]["message"] for answer in answers)


def test_the_plain_hash_is_not_the_sealed_one(network):
    served = block(network, "latest")
    assert "0x" + header_hash(header_items(served)).hex() != served["hash"]
