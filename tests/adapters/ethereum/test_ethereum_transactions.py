"""Transactions signed by hand equal those of eth-account, byte for byte."""

import hashlib

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from adapters.ethereum.transactions import address_of_key, sign_legacy, sign_with_base_fee
from adapters.protocol import Call, Misconfigured

KEY = hashlib.sha256(b"relayhub test key").digest()


def oracle(fields, call):
    fields = fields | {"value": 0, "gas": call.gas, "data": call.data}
    if call.target:
        fields["to"] = call.target
    signed = Account.sign_transaction(fields, KEY)
    return bytes(signed.raw_transaction), bytes(signed.hash)


calls = st.builds(
    Call,
    target=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    data=st.binary(max_size=300),
    gas=st.integers(21_000, 2**40),
)
numbers = st.integers(0, 2**53)


@given(calls, numbers, numbers, st.integers(1, 2**40))
def test_legacy_equals_eth_account(call, nonce, price, chain_id):
    signed = sign_legacy(KEY, chain_id=chain_id, nonce=nonce, call=call, gas_price=price)
    assert (signed.raw, signed.transaction) == oracle({"nonce": nonce, "gasPrice": price, "chainId": chain_id}, call)
    assert signed.fee == price


@given(calls, numbers, numbers, numbers, st.integers(1, 2**40))
def test_type_2_equals_eth_account(call, nonce, fee, priority, chain_id):
    signed = sign_with_base_fee(KEY, chain_id=chain_id, nonce=nonce, call=call, fee=fee, priority_fee=priority)
    fields = {
        "type": 2,
        "nonce": nonce,
        "chainId": chain_id,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": min(priority, fee),
    }
    assert (signed.raw, signed.transaction) == oracle(fields, call)
    assert signed.fee == fee


def test_an_address_is_eth_accounts():
    assert address_of_key(KEY) == bytes.fromhex(Account.from_key(KEY).address[2:])


@pytest.mark.parametrize("key", [b"", b"\x00" * 32, b"\xff" * 32, b"\x01" * 31])
def test_a_bad_key_is_misconfigured(key):
    with pytest.raises(Misconfigured, match="private key"):
        sign_legacy(key, chain_id=1, nonce=0, call=Call(b"", b"", 21_000), gas_price=0)
    with pytest.raises(Misconfigured, match="private key"):
        address_of_key(key)


def test_a_bad_target_is_misconfigured():
    with pytest.raises(Misconfigured, match="19 bytes"):
        sign_legacy(KEY, chain_id=1, nonce=0, call=Call(b"\x01" * 19, b"", 21_000), gas_price=0)
