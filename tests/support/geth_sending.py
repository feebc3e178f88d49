"""One geth that seals a block when it is told to, and what a test does to its pool, fees and accounts."""

from eth_account import Account
from eth_utils import to_checksum_address

from tests.support.geth_network import GethNetwork
from tests.support.operator_world import wait_until

GWEI = 10**9
BURNER = bytes.fromhex("6001600c60003960016000f3fe")
"""Creates a contract that burns whatever gas it is given: its only instruction is the invalid one."""


class GethSending:
    """Args: london: whether there is a base fee; options: further words of geth's command line."""

    def __init__(self, *options, london=True):
        self.network = GethNetwork(chain_id=62_002, signers=1, period_s=0, london=london, options=options).start()
        self.network.seal(0, on=False)
        self.bank = Account.from_key(self.network.bank)
        self.tip = GWEI  # of the bank's transactions, of which there is one in each block

    @property
    def url(self):
        return self.network.url

    def rpc(self, method, *params):
        return self.network.rpc(method, *params)

    def close(self):
        self.network.stop()

    def mine(self):
        """One block with whatever waits; a transfer of the bank's, so that there is a reason for one."""
        self._bank({"to": self.bank.address, "value": 0, "gas": 21_000})
        before = self.network.height()
        self.network.seal(0, on=True)
        self.network.wait_for_height(before + 1)
        self.network.seal(0, on=False)

    def fund(self, account, coins):
        balance = int(self.rpc("eth_getBalance", "0x" + account.hex(), "latest"), 16)
        self._bank({"to": to_checksum_address(account), "value": coins - balance, "gas": 21_000})
        self.mine()

    def base_fee(self):
        return int(self.rpc("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", "0x0"), 16)

    def raise_base_fee(self, times):
        """Fill blocks until the base fee is so many times what it was: each full one raises it by an eighth."""
        wanted = self.base_fee() * times
        signed = self._bank({"data": BURNER, "gas": 100_000})
        self.mine()
        burner = self.rpc("eth_getTransactionReceipt", signed)["contractAddress"]
        while self.base_fee() < wanted:
            limit = int(self.rpc("eth_getBlockByNumber", "latest", False)["gasLimit"], 16)
            for _ in range(2):  # each costs less than a node takes by default
                self._bank({"to": to_checksum_address(burner), "gas": limit * 45 // 100})
            self.mine()

    def empty(self, key, wallet):
        """Take everything that an account has, by a transaction of its own."""
        price = wallet.fee
        fields = {"to": self.bank.address, "value": wallet.balance - 21_000 * price, "gas": 21_000}
        whole = {"gasPrice": price, "nonce": wallet.nonce, "chainId": self.network.chain_id} | fields
        raw = Account.sign_transaction(whole, key).raw_transaction.hex().removeprefix("0x")
        self.rpc("eth_sendRawTransaction", "0x" + raw)
        self.mine()

    def take_back(self, blocks):
        """Blocks that are gone: the node's head is an older one."""
        self.rpc("debug_setHead", hex(self.network.height() - blocks))

    def forget_pool(self):
        self.network.kill(0)
        self.network.start_node(0, seal=False)

    def _bank(self, fields):
        nonce = self._bank_nonce()
        whole = {
            "gasPrice": self.base_fee() * 5 // 4 + self.tip,
            "nonce": nonce,
            "chainId": self.network.chain_id,
        } | fields
        raw = self.bank.sign_transaction(whole).raw_transaction.hex().removeprefix("0x")
        taken = self.rpc("eth_sendRawTransaction", "0x" + raw)
        wait_until(lambda: self._bank_nonce() > nonce, "the pool counts the transaction that it took")
        return taken

    def _bank_nonce(self):
        return int(self.rpc("eth_getTransactionCount", self.bank.address, "pending"), 16)
