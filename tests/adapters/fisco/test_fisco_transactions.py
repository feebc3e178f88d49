"""Transactions and accounts of both lines and suites: hashes, signatures, what makes one unique; a real transaction."""

from dataclasses import replace

import pytest

from adapters.fisco.accounts import address_of, public_key, sign, signer_of
from adapters.fisco.transactions import Network, parse, sign_call
from adapters.protocol import Call, Misconfigured
from light_clients import rlp
from light_clients.fisco import Execution, FiscoConfiguration
from light_clients.fisco.evidence import integer_bytes
from light_clients.fisco.executions import read_call
from schemas.suites import SUITES, keccak256
from tests.adapters.fisco.test_fisco_tars import REAL

KEY, OTHER = keccak256(b"one"), keccak256(b"two")
NETWORKS = [
    Network(line, suite, *(("1", "1") if line == 2 else ("chain0", "group0")))
    for line in (2, 3)
    for suite in ("evm", "sm")
]
CALL = Call(b"\x11" * 20, b"\x01\x02\x03\x04" + bytes(32), 1_000_000)


@pytest.fixture(params=NETWORKS, ids=lambda network: f"line {network.line} {network.suite}")
def network(request):
    return request.param


def test_a_real_transaction_of_line_3_has_the_hash_that_it_says_and_a_signer():
    parsed = parse(REAL, Network(3, "evm", "chain0", "group0"))
    assert parsed.hash.hex() == "82b0283ac2793fb68be2f2f79056251664093500a57313e3adad74d852cb32e5"
    signer = signer_of(parsed.digest, parsed.signature, "evm")
    assert signer is not None
    assert signer.hex() == "6e6057d5d09257d38299fa36edc7d8e9e78cbe7d"
    assert (parsed.to.hex(), parsed.block_limit) == ("0102e8b6fc8cdf9626fddc1c3ea8c1e79b3fce94", 509)


def test_what_is_signed_is_read_again(network):
    for call in (CALL, replace(CALL, target=b"", data=b"\x60\x80" * 300)):
        signed = sign_call(network, KEY, nonce=7, call=call, fee=3, block_limit=600)
        parsed = parse(signed.raw, network)
        assert parsed.hash == signed.transaction
        assert signed.fee == 3
        assert (parsed.to, parsed.data, parsed.block_limit) == (call.target, call.data, 600)
        assert (parsed.chain, parsed.group) == (network.chain, network.group)
        assert signer_of(parsed.digest, parsed.signature, network.suite) == address_of(KEY, network.suite)


def test_line_2_signs_ten_items_and_hashes_thirteen(network):
    if network.line == 3:
        network = replace(network, line=2, chain="1", group="1")
    signed = sign_call(network, KEY, nonce=7, call=CALL, fee=0, block_limit=600)
    items = rlp.decode_list(signed.raw)
    assert len(items) == 13
    assert items[3:5] == [integer_bytes(600), CALL.target]
    assert items[7:10] == [b"\x01", b"\x01", b""]
    assert signed.transaction == SUITES[network.suite].hash(signed.raw)
    if network.suite == "sm":
        assert items[10] == public_key(KEY, "sm")
    else:
        assert items[10] in (b"\x1b", b"\x1c")


def test_line_3_can_be_read_in_one_way_only(network):
    if network.line == 2:
        network = replace(network, line=3, chain="chain0", group="group0")
    signed = sign_call(network, KEY, nonce=7, call=CALL, fee=0, block_limit=600)
    parsed = parse(signed.raw, network)
    assert parsed.nonce.endswith(b"z")
    configuration = FiscoConfiguration(3, network.suite, network.chain, network.group)
    written = rlp.encode([b"", integer_bytes(600), parsed.nonce, parsed.fields[6].encode(), CALL.data, b""])
    call = read_call(Execution(0, 1, written, (), b"", ()), configuration)
    assert (call.to, call.data, call.hash) == (CALL.target, CALL.data, signed.transaction)


def test_the_same_request_is_the_same_transaction_and_any_other_is_not(network):
    def signed(key=KEY, nonce=7, call=CALL, fee=0, limit=600, on=network):
        return sign_call(on, key, nonce=nonce, call=call, fee=fee, block_limit=limit)

    chains = (replace(network, chain="77"), replace(network, group="77"))
    others = [
        signed(key=OTHER),
        signed(nonce=8),
        signed(call=replace(CALL, data=CALL.data + b"\0")),
        signed(call=replace(CALL, target=b"\x12" * 20)),
        signed(call=replace(CALL, gas=CALL.gas + 1)),
        signed(fee=1),
        signed(limit=700),
        *(signed(on=other) for other in chains),
    ]
    assert signed() == signed()
    hashes = {item.transaction for item in (signed(), *others)}
    nonces = {parse(item.raw, network).nonce for item in (signed(), *others)}
    assert len(hashes) == len(nonces) == len(others) + 1


def test_a_signature_of_somebody_else_or_of_something_else_is_nobodys(network):
    digest = keccak256(b"something")
    signature = sign(KEY, digest, network.suite)
    assert signer_of(digest, signature, network.suite) == address_of(KEY, network.suite)
    assert signer_of(keccak256(b"else"), signature, network.suite) != address_of(KEY, network.suite)
    assert signer_of(digest, signature[:-1], network.suite) is None
    assert signer_of(digest, b"", network.suite) is None
    foreign = signature[:64] + public_key(OTHER, network.suite) if network.suite == "sm" else bytes(65)
    assert signer_of(digest, foreign, network.suite) is None


def test_accounts_are_the_last_twenty_bytes_of_the_suites_hash():
    for suite in ("evm", "sm"):
        assert address_of(KEY, suite) == SUITES[suite].hash(public_key(KEY, suite))[12:]
    assert address_of(KEY, "evm") != address_of(KEY, "sm")


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"\0", bytes(32), b"\xff" * 32])
def test_what_is_no_key_is_refused_and_not_shown(key, network):
    with pytest.raises(Misconfigured) as caught:
        sign_call(network, key, nonce=0, call=CALL, fee=0, block_limit=600)
    assert not key or key.hex() not in str(caught.value)


def test_what_is_no_transaction_is_refused(network):
    raw = sign_call(network, KEY, nonce=7, call=CALL, fee=0, block_limit=600).raw
    for spoilt in (b"", raw[:-1], raw + b"\0", raw[1:]):
        with pytest.raises(ValueError, match=r"."):
            parse(spoilt, network)
