"""The bank of a development network pays the hub's accounts by ordinary transactions; its key stays in its file."""

import pytest
import rlp
from eth_account import Account

from adapters.cosmos.adapter import CosmosLedger
from adapters.ethereum import faucet
from adapters.ethereum.faucet import COINS, hand_out, read_key
from adapters.evm.adapter import EvmLedger
from adapters.jsonrpc import JsonRpc
from adapters.protocol import AdapterOptions, Endpoint, Misconfigured, Rejected, Unreachable
from light_clients.crypto.secp256k1 import address_of
from tests.support.fake_rpc import FakeTransport, RpcFault

BANK = b"\x07" * 32
KEYS = [bytes([number]) * 32 for number in (1, 2, 3)]
PEOPLE = [address_of(key) for key in KEYS]


class Node:
    """A node that checks nonces and keeps balances; each question for the mined count makes a block, while it makes any."""

    def __init__(self, *, balance=10**30, mines=True, development="geth/v1.13.15"):
        self.bank, self.mines, self.software = balance, mines, development
        self.balances, self.pool, self.mined, self.prices = {}, [], 5, []
        self.faults, self.anvil = [], []

    def __call__(self, method, params):
        return getattr(self, method)(*params)

    def eth_chainId(self):
        return hex(72_002)

    def eth_gasPrice(self):
        return hex(10**9)

    def web3_clientVersion(self):
        return self.software

    def eth_getBlockByNumber(self, *_):
        return {"hash": "0x" + "07" * 32}

    def eth_getBalance(self, account, _):
        return hex(self.balances.get(account, 0))

    def anvil_setBalance(self, account, coins):
        self.anvil.append((account, int(coins, 16)))

    def eth_getTransactionCount(self, account, block):
        assert account == "0x" + address_of(BANK).hex()
        if block == "latest" and self.mines:
            for target, value in self.pool:
                self.balances[target] = self.balances.get(target, 0) + value
            self.mined += len(self.pool)
            self.pool = []
        return hex(self.mined + (len(self.pool) if block == "pending" else 0))

    def eth_sendRawTransaction(self, raw):
        if self.faults:
            return self.faults.pop(0)
        data = bytes.fromhex(raw[2:])
        assert Account.recover_transaction(data) == Account.from_key(BANK).address
        nonce, price, gas, to, value, *_ = rlp.decode(data)
        assert int.from_bytes(nonce, "big") == self.mined + len(self.pool)
        assert int.from_bytes(gas, "big") == 21_000
        self.prices.append(int.from_bytes(price, "big"))
        value = int.from_bytes(value, "big")
        if value > self.bank:
            return RpcFault("insufficient funds for gas * price + value")
        self.bank -= value
        self.pool.append(("0x" + to.hex(), value))
        return "0x" + "11" * 32

    def rpc(self):
        return JsonRpc("http://node", transport=FakeTransport(self))


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(faucet.time, "sleep", lambda _: None)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "faucet.key"
    path.touch(mode=0o600)
    path.write_text(BANK.hex() + "\n")
    return path


def paid(node):
    return {account: coins for account, coins in node.balances.items() if coins}


def hexed(*accounts):
    return ["0x" + account.hex() for account in accounts]


class TestBank:
    def test_accounts_that_have_few_coins_get_some_once(self):
        node = Node()
        rich, poor, empty = hexed(*PEOPLE)
        node.balances = {rich: COINS // 2, poor: COINS // 2 - 1}
        hand_out(node.rpc(), BANK, 72_002, [*PEOPLE, PEOPLE[2]])
        assert node.balances == {rich: COINS // 2, poor: COINS // 2 - 1 + COINS, empty: COINS}
        assert min(node.prices) > 10**9
        hand_out(node.rpc(), BANK, 72_002, PEOPLE)
        assert node.mined == 7

    def test_a_transaction_that_the_node_has_already_is_as_good_as_taken(self):
        node = Node()
        take = node.eth_sendRawTransaction
        node.eth_sendRawTransaction = lambda raw: take(raw) and RpcFault("already known")
        hand_out(node.rpc(), BANK, 72_002, PEOPLE)
        assert paid(node) == dict.fromkeys(hexed(*PEOPLE), COINS)

    @pytest.mark.parametrize("text", ["nonce too low", "replacement transaction underpriced"])
    def test_a_number_that_somebody_else_used_meanwhile_is_taken_anew(self, text):
        node = Node()
        node.faults = [RpcFault(text)]
        hand_out(node.rpc(), BANK, 72_002, PEOPLE)
        assert paid(node) == dict.fromkeys(hexed(*PEOPLE), COINS)

    def test_a_bank_without_coins_says_so(self):
        node = Node(balance=COINS)
        with pytest.raises(Rejected, match=f"bank {hexed(address_of(BANK))[0]} cannot pay .* give it coins") as caught:
            hand_out(node.rpc(), BANK, 72_002, PEOPLE)
        assert caught.value.code == "no_funds"

    def test_a_network_that_makes_no_blocks_is_not_waited_for_for_ever(self):
        seconds = iter(range(0, 10_000, 50))
        with pytest.raises(Unreachable, match="check that the network makes blocks"):
            hand_out(Node(mines=False).rpc(), BANK, 72_002, PEOPLE, clock=lambda: next(seconds))


class TestKeyFile:
    @pytest.mark.parametrize("form", ["{}", "0x{}", " {}\n"])
    def test_it_is_hexadecimal(self, file, form):
        file.write_text(form.format(BANK.hex()))
        assert read_key(str(file)) == BANK

    @pytest.mark.parametrize("text", ["", "zz", "07" * 31, "00" * 32, "07" * 40, "密钥"])
    def test_one_without_a_key_is_named_and_its_text_is_not(self, file, text):
        file.write_text(text)
        with pytest.raises(Misconfigured, match=r"faucet\.key .* holds no private key") as caught:
            read_key(str(file))
        assert not text or text not in str(caught.value)

    def test_one_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(Misconfigured, match=r"nothing .* holds no private key"):
            read_key(str(tmp_path / "nothing"))

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
    def test_one_that_others_may_read_is_not_used(self, file, mode):
        file.chmod(mode)
        with pytest.raises(Misconfigured, match="chmod 600") as caught:
            read_key(str(file))
        assert BANK.hex() not in str(caught.value)


def evm(node, extra):
    return EvmLedger(AdapterOptions((Endpoint("http://node"),), extra=extra), transport=FakeTransport(node))


def cosmos(node, extra):
    options = AdapterOptions((Endpoint("http://node#26657"),), extra=extra)
    return CosmosLedger(options, transport=FakeTransport(node), consensus_transport=FakeTransport(node))


class TestAdapters:
    @pytest.mark.parametrize("opened", [evm, cosmos])
    def test_the_bank_pays_where_its_key_is_named(self, opened, file):
        node = Node()
        assert opened(node, {"faucet_key_file": str(file)}).endow(KEYS)
        assert paid(node) == dict.fromkeys(hexed(*PEOPLE), COINS)
        assert not node.anvil

    @pytest.mark.parametrize("opened", [evm, cosmos])
    def test_a_file_without_a_key_is_an_error_and_no_silence(self, opened, tmp_path):
        with pytest.raises(Misconfigured, match="holds no private key"):
            opened(Node(), {"faucet_key_file": str(tmp_path / "nothing")}).endow(KEYS)

    def test_without_one_anvil_gives_them(self):
        node = Node()
        node.balances = {hexed(PEOPLE[0])[0]: COINS}
        assert evm(node, {}).endow(KEYS)
        assert node.anvil == [(account, COINS) for account in hexed(*PEOPLE[1:])]

    def test_without_one_a_node_that_is_no_anvil_does_not_offer_it(self):
        node = Node()
        node.anvil_setBalance = lambda *_: RpcFault("the method anvil_setBalance does not exist", -32601)
        assert not evm(node, {}).endow(KEYS)

    def test_a_ledger_whose_bank_is_named_is_a_development_network(self, file):
        assert evm(Node(), {"faucet_key_file": str(file)}).identity().development
        assert not evm(Node(), {}).identity().development
        assert evm(Node(development="anvil/v1.4.1"), {}).identity().development
