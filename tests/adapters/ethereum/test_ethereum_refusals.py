"""The texts of real nodes, sorted by what they mean."""

import pytest

from adapters.ethereum.refusals import asks_for_less, broadcast_refusal, call_refusal, proof_refusal, revert_data
from adapters.jsonrpc import RpcError

BROADCAST = {
    "already known": None,  # geth
    "AlreadyKnown": None,  # Nethermind
    "Known transaction": None,  # Besu
    "transaction already imported": None,  # anvil, hardhat
    "tx already exists in cache": None,  # CometBFT
    "already in mempool": None,
    "nonce too low": "nonce_too_low",  # geth
    "nonce too low: next nonce 5, tx nonce 4": "nonce_too_low",
    "Nonce too low": "nonce_too_low",  # Besu
    "OldNonce": "nonce_too_low",  # Nethermind
    "invalid nonce; got 3, expected 5: invalid sequence": "nonce_too_low",  # evmd
    "nonce too high": "nonce_too_high",
    "Transaction nonce is too distant from current sender nonce": "nonce_too_high",  # Besu
    "tx nonce (12) is higher than the account nonce (3): nonce gap": "nonce_too_high",
    "replacement transaction underpriced": "underpriced",
    "transaction underpriced: gas tip cap 0, minimum needed 1": "underpriced",
    "Gas price below configured minimum gas price": "underpriced",  # Besu
    "FeeTooLow": "underpriced",  # Nethermind
    "max fee per gas less than block base fee": "underpriced",
    "gasprice must be at least 5: insufficient fee": "underpriced",  # evmd
    "insufficient funds for gas * price + value: balance 0": "no_funds",
    "Upfront cost exceeds account balance": "no_funds",  # Besu
    "Insufficient funds for gas * price + value": "no_funds",  # anvil
    "sender doesn't have enough funds to send tx": "no_funds",  # hardhat
    "exceeds block gas limit": "too_much_gas",
    "Transaction gas limit exceeds block gas limit": "too_much_gas",  # Besu
    "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit": "too_much_gas",  # anvil
    "txpool is full": "pool_full",
    "transaction pool is full": "pool_full",
    "transaction pool overflow": "pool_full",
    "account limit exceeded": "pool_full",  # geth
    "future transaction tries to replace pending": "nonce_too_high",  # geth
    "gapped-nonce tx from delegated accounts": "nonce_too_high",
    "An invalid transaction with a lower nonce exists": "nonce_too_high",  # Besu
    "Incorrect nonce": "nonce_too_low",  # Besu
    "Gas price below current base fee": "underpriced",  # Besu
    "Replacement transaction underpriced": "underpriced",  # Besu
    "max fee per gas less than block base fee: address 0x00, maxFeePerGas: 5, baseFee: 9": "underpriced",  # geth
    "oversized data": "too_large",
    "oversized data: transaction size 140117, limit 131072": "too_large",  # geth, GoQuorum
    "transaction too large": "too_large",
    "tx fee (1.41 ether) exceeds the configured cap (1.00 ether)": "too_dear",  # geth
    "Transaction fee cap exceeded": "too_dear",  # Besu
    "Initial sync is still in progress": "not_ready",  # Besu
    "Sender account not authorized to send transactions": "other",  # Besu
    "Plugin has marked the transaction as invalid": "other",  # Besu
    "intrinsic gas too low": "other",
    "some new text": "other",
}


def error(text, code=-32000, data=None):
    return RpcError(text, rpc_code=code, data=data, endpoint="http://node")


@pytest.mark.parametrize("text", BROADCAST)
def test_the_refusal_of_a_transaction_is_sorted(text):
    refusal = broadcast_refusal(error(text))
    assert (refusal and refusal.code) == BROADCAST[text]
    if refusal:
        assert (refusal.reason, refusal.endpoint) == (text, "http://node")


@pytest.mark.parametrize(
    ("text", "code", "less"),
    [
        ("query returned more than 10000 results", -32000, True),
        ("exceed maximum block range: 5000", -32000, True),
        ("Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range", -32602, True),
        ("limit exceeded", -32005, True),
        ("eth_getLogs is limited to a 10000 range", -32602, True),
        ("execution reverted", 3, False),
        ("internal error", -32603, False),
    ],
)
def test_a_request_for_less_is_known(text, code, less):
    assert asks_for_less(error(text, code)) is less


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("missing trie node 1234", "no_state"),
        ("distance to target block exceeds maximum proof window", "no_state"),
        ("header not found", "no_state"),
        ("World state unavailable", "no_state"),
        ("required historical state unavailable (reexec=128)", "no_state"),
        ("internal error", "other"),
    ],
)
def test_a_pruned_state_is_known(text, code):
    assert proof_refusal(error(text)).code == code


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("0x0102", b"\x01\x02"),  # geth, anvil
        ("Reverted 0x0102", b"\x01\x02"),  # OpenEthereum's form
        ({"message": "reverted", "data": "0x0102"}, b"\x01\x02"),  # hardhat
        ({"data": {"result": "0x0102"}}, b"\x01\x02"),  # ganache
        ("0x", b""),
        ("reverted", b""),
        (None, b""),
        (17, b""),
    ],
)
def test_revert_data_is_found_in_each_form(data, found):
    assert revert_data(data) == found


def test_a_refused_call_says_why():
    refused = call_refusal(error("execution reverted", 3, "0x01020304"), lambda data: f"Custom({data.hex()})")
    assert (refused.code, refused.reason) == ("reverted", "Custom(01020304)")
    assert str(refused) == "The call would revert: Custom(01020304)"


@pytest.mark.parametrize(
    "failure", [error("execution reverted: no"), error("whatever", 3), error("VM execution error"), error("out of gas")]
)
def test_a_revert_without_data_is_a_revert(failure):
    assert call_refusal(failure, lambda _: "never").code == "reverted"


def test_another_error_stays_as_it_is():
    failure = error("rate limited")
    assert call_refusal(failure, lambda _: "never") is failure
