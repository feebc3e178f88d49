"""Every command of the README and the documents, typed in order by a reader with a hub of his own."""

import re
from pathlib import Path

import pytest

from adapters.ethereum.transactions import sign_with_base_fee
from adapters.jsonrpc import JsonRpc
from adapters.protocol import Call
from light_clients.crypto.secp256k1 import address_of
from schemas.suites import keccak256
from tests.support.document_contracts import document_contracts
from tests.support.installed_package import install
from tests.support.reader import COMMANDS, Reader, blocks, pattern

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("compose/*.md")])
TYPED = ["README.md", "docs/write-an-application.md", "docs/records.md", "docs/add-a-chain.md", "docs/operate.md"]
TRIED_ELSEWHERE = re.compile(r"make (demo|test|bench|setup)|\. \.venv/bin/activate")
MARKS = {"run", "exact", "refused"}
OWNER = keccak256(b"relayhub test key owner of the purse")
PATIENCE_S = 240.0


def test_no_command_is_shown_that_is_not_typed():
    for path in DOCUMENTS:
        for block in blocks(path):
            if block.language not in COMMANDS:
                continue
            if block.mark:
                assert block.mark in MARKS, f"{path.name}: {block.mark}"
                assert str(path.relative_to(ROOT)) in TYPED
                assert block.commands(), block.text
            else:
                for command, _ in block.commands() or [(block.text, "")]:
                    assert TRIED_ELSEWHERE.fullmatch(command), (
                        f"{path.name}: {command} is marked neither run nor refused"
                    )


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("at height 34", "at  height 1,280"),
        ("0xab12… is up", "0x" + "cd" * 20 + " is up"),
        ("one\n…\ntwo", "one\nmore\nand more\ntwo"),
        ("a (b) [c] $d", "a (b) [c] $d"),
    ],
)
def test_what_may_differ_may_differ(shown, printed):
    assert pattern(shown).search(printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("at height 34", "at height x"),
        ("0xab12… is up", "0xzz is up"),
        ("executed, settled", "failed, settled"),
        ("one … two", "two one"),
    ],
)
def test_what_may_not_differ_may_not(shown, printed):
    assert pattern(shown).search(printed) is None


class Ledgers:
    """What a reader does with other tools: coins, blocks, contracts."""

    def __init__(self, reader):
        self.urls = [f"http://127.0.0.1:{reader.port(port)}" for port in (8601, 8602)]

    def rpc(self, end, method, *parameters):
        client = JsonRpc(self.urls[end])
        try:
            return client.call(method, list(parameters))
        finally:
            client.close()

    def give_coins(self, account):
        for end in (0, 1):
            self.rpc(end, "anvil_setBalance", account, hex(10**20))

    def pin(self, end):
        block = self.rpc(end, "eth_getBlockByNumber", "latest", False)
        return f"{int(block['number'], 16)}:{block['hash']}"

    def transact(self, end, target, data, wait):
        account = "0x" + address_of(OWNER).hex()
        nonce, price = (self.rpc(end, "eth_getTransactionCount", account, "latest"), self.rpc(end, "eth_gasPrice"))
        signed = sign_with_base_fee(
            OWNER,
            chain_id=31001 + end,
            nonce=int(nonce, 16),
            call=Call(target, data, 3_000_000),
            fee=4 * int(price, 16),
            priority_fee=1,
        )
        transaction = self.rpc(end, "eth_sendRawTransaction", "0x" + signed.raw.hex())
        wait(lambda: self.rpc(end, "eth_getTransactionReceipt", transaction))
        receipt = self.rpc(end, "eth_getTransactionReceipt", transaction)
        assert receipt["status"] == "0x1"
        return transaction, bytes.fromhex((receipt["contractAddress"] or "0x")[2:])


@pytest.fixture(scope="module")
def reader():
    reader = Reader()
    (reader.folder / "docs").symlink_to(ROOT / "docs")
    (reader.folder / "site").mkdir()
    reader.environment["PYTHONPATH"] = str(install(ROOT / "docs" / "examples" / "river", reader.folder / "site"))
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def ledgers(reader):
    return Ledgers(reader)


@pytest.mark.stack
class TestAReader:
    """In this order, with one hub; operate.md makes a second one."""

    def test_readme(self, reader):
        reader.read(ROOT / "README.md")

    def test_write_an_application(self, reader, ledgers):
        chains = reader.json("relayhub chain list --json")
        gateways = [bytes.fromhex(chain["gateway"][2:]) for chain in chains[:2]]
        (lane_id,) = [
            bytes.fromhex(lane["lane_id"][2:])
            for lane in reader.json("relayhub lane list --json")
            if lane["source"] == "alpha"
        ]
        contracts = document_contracts("write-an-application.md")
        ledgers.give_coins("0x" + address_of(OWNER).hex())
        _, purse = ledgers.transact(0, b"", contracts["Purse"].creation_code(gateways[0], lane_id, 1_000), reader.wait)
        _, credit = ledgers.transact(
            1, b"", contracts["Credit"].creation_code(gateways[1], lane_id, purse), reader.wait
        )
        reader.environment |= {"PURSE": "0x" + purse.hex(), "CREDIT": "0x" + credit.hex()}
        page = ROOT / "docs" / "write-an-application.md"
        allowing, tracing = [block for block in blocks(page) if block.language in COMMANDS]
        reader.read_block(allowing)
        paid = [
            ledgers.transact(0, purse, contracts["Purse"].encode("pay", credit, amount, 80_000, 0), reader.wait)[0]
            for amount in (40, 101)
        ]
        for transaction, status in zip(paid, ("executed", "failed"), strict=True):
            reader.wait(lambda: reader.stage(transaction) == "settled")  # noqa: B023 - asked at once
            (message,) = reader.json(f"relayhub trace {transaction} --json")
            assert message["outcome"]["status"] == status
        reader.environment["TRANSACTION"] = paid[0]
        reader.read_block(tracing)
        owner = contracts["Purse"].encode("balance", address_of(OWNER))
        left = ledgers.rpc(0, "eth_call", {"to": "0x" + purse.hex(), "data": "0x" + owner.hex()}, "latest")
        assert int(left, 16) == 960, "40 were paid, 101 came back"

    def test_records(self, reader):
        reader.read(ROOT / "docs" / "records.md")

    def test_add_a_chain(self, reader):
        reader.read(ROOT / "docs" / "add-a-chain.md")

    def test_operate(self, reader, ledgers):
        reader.type("relayhub down")
        for block in blocks(ROOT / "docs" / "operate.md"):
            if "chain add alpha" in block.text and block.mark == "refused":
                reader.environment |= {"PIN_ALPHA": ledgers.pin(0), "PIN_BETA": ledgers.pin(1)}
                reader.type("relayhub key new relayer-beta")
            if "chain add beta" in block.text:
                for key in reader.json("relayhub key list --json"):
                    ledgers.give_coins(key["address"])
            reader.read_block(block)
