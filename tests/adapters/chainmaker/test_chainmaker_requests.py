"""Requests, refusals, names, keys, options and deployments of the chainmaker adapter, by themselves."""

import hashlib
import time

import pytest

from adapters.chainmaker import ADAPTER
from adapters.chainmaker.deployments import (
    deployment_parameters,
    installed_of,
    read_contract_info,
    split_creation,
)
from adapters.chainmaker.keys import KeyUnreadable, SigningKey, keys_of, read_private_key
from adapters.chainmaker.names import (
    called_name,
    chain_name,
    contract_address,
    is_contract_name,
    new_contract_name,
)
from adapters.chainmaker.refusals import known_already, refusal
from adapters.chainmaker.requests import WINDOW_S, transaction_bytes
from adapters.chainmaker.simulator import node as node_module
from adapters.chainmaker.simulator.authority import new_key, pem
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import (
    AdapterOptions,
    BadAnswer,
    Call,
    Endpoint,
    MemberRefused,
    Misconfigured,
    Rejected,
    Unreachable,
)
from adapters.solidity import administration
from adapters.solidity.contracts import contract, gateway_creation
from light_clients.crypto import sm2
from tests.support.chainmaker_lane import PEOPLE, open_one, options_of, put


class TestNames:
    def test_a_chain_has_a_name_of_caip_2(self):
        assert chain_name("chain1") == "cmaker:chain1"
        assert chain_name("a.b") == "cmaker:hashed-" + hashlib.sha256(b"a.b").hexdigest()[:16]
        assert chain_name("hashed-x").startswith("cmaker:hashed-")
        assert chain_name("hashed-x") != "cmaker:hashed-x"

    def test_a_new_name_is_free_and_callable(self):
        names = {new_contract_name("Gateway") for _ in range(50)}
        assert len(names) == 50
        for name in names:
            assert name.startswith(b"relayhub_gateway_")
            assert is_contract_name(name)
            assert contract_address(name)[0]
            assert len(name) != 20
        assert is_contract_name(new_contract_name("名 é!"))

    def test_an_address_is_called_in_hexadecimal_and_a_name_by_itself(self):
        assert called_name(b"relayhub_gateway_1") == "relayhub_gateway_1"
        assert called_name(b"\x05" * 20) == "05" * 20
        assert not is_contract_name(b"ab" * 20)
        assert not is_contract_name(b"1name")
        assert not is_contract_name(b"")


class TestKeys:
    @pytest.mark.parametrize("scheme", ["p256-sha256", "sm2-sm3"])
    def test_a_key_file_gives_the_key_back(self, scheme):
        key = new_key(scheme)
        curve = {"p256-sha256": "06082a8648ce3d030107", "sm2-sm3": "06082a811ccf5501822d"}[scheme]
        body = b"\x02\x01\x01\x04\x20" + key.private + b"\xa0\x0a" + bytes.fromhex(curve)
        sec1 = b"\x30" + bytes([len(body)]) + body
        assert read_private_key(pem(sec1, "EC PRIVATE KEY")) == key
        algorithm = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" + bytes.fromhex(curve)
        inner = b"\x02\x01\x00\x30" + bytes([len(algorithm)]) + algorithm + b"\x04" + bytes([len(sec1)]) + sec1
        assert read_private_key(pem(b"\x30" + bytes([len(inner)]) + inner, "PRIVATE KEY")) == key

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
            b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----",
            b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----",
            b"-----BEGIN EC PRIVATE KEY-----\nMAMCAQE=\n-----END EC PRIVATE KEY-----",
        ],
    )
    def test_what_is_no_key_is_refused(self, data):
        with pytest.raises(KeyUnreadable):
            read_private_key(data)

    def test_a_number_may_be_a_key_of_both_curves_or_of_none(self):
        assert [key.scheme for key in keys_of(b"\1" * 32)] == ["p256-sha256", "sm2-sm3"]
        assert keys_of(bytes(32)) == keys_of(b"\xff" * 32) == []

    def test_signatures_are_always_the_same_and_hold(self):
        for key in keys_of(b"\2" * 32):
            assert key.sign(b"message") == key.sign(b"message") != key.sign(b"other")
        national = SigningKey("sm2-sm3", b"\2" * 32)
        assert sm2.verify(national.public, b"message", sm2.signature_from_der(national.sign(b"message")))

    def test_a_key_is_not_shown(self):
        assert "0202" not in repr(SigningKey("p256-sha256", b"\2" * 32))
        assert "\\x02" not in repr(SigningKey("p256-sha256", b"\2" * 32))


class TestTransactions:
    def test_the_same_call_is_the_same_transaction_within_its_minute(self, network, monkeypatch):
        ledger, call = open_one(network), Call(b"some_contract", b"\1\2\3\4", 0)
        ledger.endow([PEOPLE[0]])
        now = int(time.time()) // WINDOW_S * WINDOW_S
        monkeypatch.setattr(time, "time", lambda: float(now))
        first = ledger.sign(PEOPLE[0], 0, call, 0)
        monkeypatch.setattr(time, "time", lambda: now + WINDOW_S - 0.5)
        assert ledger.sign(PEOPLE[0], 0, call, 0) == first
        monkeypatch.setattr(time, "time", lambda: float(now + WINDOW_S))
        assert ledger.sign(PEOPLE[0], 0, call, 0).transaction != first.transaction
        request = pb.TxRequest.FromString(first.raw)
        assert request.payload.tx_id == first.transaction.hex()
        assert request.payload.expiration_time - request.payload.timestamp == ledger.options.expiration_s
        ledger.close()

    def test_a_resent_transaction_counts_as_taken(self, own_network):
        ledger = open_one(own_network)
        name = put(own_network, ledger, contract("Idle").creation)
        signed = ledger.sign(PEOPLE[0], 5, Call(name, b"\1\2\3\4", 0), 0)
        assert ledger.broadcast([signed.raw, signed.raw]) == [None, None]
        own_network.produce()
        height = own_network.chain.height
        assert ledger.broadcast([signed.raw]) == [None]
        assert not own_network.produce()
        assert ledger.receipts([signed.transaction])[0].height == height
        ledger.close()

    def test_a_transaction_that_waited_too_long_is_refused_unless_it_is_mined(self, own_network, monkeypatch):
        ledger = open_one(own_network)
        name = put(own_network, ledger, contract("Idle").creation)
        mined, late = (ledger.sign(PEOPLE[0], number, Call(name, b"\1\2\3\4", 0), 0) for number in (1, 2))
        assert ledger.broadcast([mined.raw]) == [None]
        own_network.produce()
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3_600)
        taken, refused = ledger.broadcast([mined.raw, late.raw])
        assert taken is None
        assert refused.code == "expired"
        ledger.close()

    def test_a_node_whose_clock_is_far_refuses_as_expired(self, own_network, monkeypatch):
        ledger = open_one(own_network)
        name = put(own_network, ledger, contract("Idle").creation)
        signed = ledger.sign(PEOPLE[0], 1, Call(name, b"\1\2\3\4", 0), 0)
        own_network.chain.config.block.tx_timeout = 0
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 70)
        (refused,) = ledger.broadcast([signed.raw])
        assert refused.code == "expired"
        ledger.close()

    def test_ids_of_others_are_bytes_too(self):
        assert transaction_bytes("ab" * 32) == b"\xab" * 32
        assert len(transaction_bytes("zz" * 32)) == len(transaction_bytes("my_transaction")) == 32

    def test_a_deployment_names_the_contract_and_shows_the_constructors_arguments_apart(self, own_network):
        ledger = open_one(own_network)
        creation = gateway_creation(
            chain_word=b"\1" * 32, officers=[bytes([n]) * 20 for n in (1, 2, 3)], guardian=b"\4" * 20, delay_s=0,
            self_name=(name := ledger.new_name("gateway")),
        )  # fmt: skip
        assert put(own_network, ledger, creation, name) == name
        (transaction,) = own_network.chain.block(own_network.chain.height).block.txs
        parameters = {pair.key: pair.value for pair in transaction.payload.parameters}
        assert parameters["CONTRACT_BYTECODE"] == contract("Gateway").creation
        assert parameters["CONTRACT_BYTECODE"] + bytes.fromhex(parameters["data"].decode()) == creation
        assert len(transaction.endorsers) == 4
        installed = ledger.installed(name)
        assert installed == ledger.installed(ledger.called_by(name))
        assert installed.pin == {"name": name.decode(), "version": "1.0", "write_set_only": False}
        assert (installed.code, len(installed.code_hash)) == (b"", 32)
        signed = ledger.sign(PEOPLE[0], 1, ledger.deployment(name, creation), 0)
        ledger.broadcast([signed.raw])
        own_network.produce()
        (receipt,) = ledger.receipts([signed.transaction])
        assert (receipt.success, receipt.contract) == (False, b"")
        ledger.close()


class TestDeployments:
    def test_names_that_cannot_be_are_refused(self):
        unlucky = next(name for n in range(10_000) if not contract_address(name := f"name_{n}".encode())[0])
        for name in (b"", b"ab" * 20, b"x" * 20, b"with space", unlucky):
            with pytest.raises(Misconfigured):
                deployment_parameters(name, b"\x00", "1.0")

    def test_code_that_is_not_ours_goes_as_a_whole(self):
        assert split_creation(b"\x60\x00") == (b"\x60\x00", b"")
        assert "data" not in deployment_parameters(b"a_name", b"\x60\x00", "1.0")

    @pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"name": "x"}', b'{"name": 1, "version": "1"}', b"\xff"])
    def test_what_is_no_contract_is_a_bad_answer(self, data):
        with pytest.raises(BadAnswer):
            read_contract_info(data, "node")

    def test_a_frozen_or_another_contract_is_refused(self):
        frozen = read_contract_info(b'{"name": "x", "version": "1", "status": 1}', "node")
        with pytest.raises(Rejected, match="frozen"):
            installed_of(frozen, b"x", write_set_only=False, label="node")
        with pytest.raises(BadAnswer):
            installed_of(frozen, b"y", write_set_only=False, label="node")


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "text", "kind", "word"),
        [
            (5, "Add tx failed, TxPool is full, chainId:chain1, txId:ab", Rejected, "pool_full"),
            (5, "Add tx failed, TxTimestamp error, chainId:chain1, txId:ab", Rejected, "expired"),
            (
                5,
                "tx verify failed, verify tx header failed, chain id [a] is incorrect, wanted [b]",
                Misconfigured,
                "chain",
            ),
            (5, "tx verify failed, verify tx authentication failed, authentication error: x", MemberRefused, "member"),
            (5, "… authentication error: checking CRL failed: certificate is revoked", MemberRefused, "revoked"),
            (5, "… authentication error for CONTRACT_MANAGE-INIT_CONTRACT: policy", MemberRefused, "endorse"),
            (5, "… x509: certificate has expired or is not yet valid", MemberRefused, "over"),
            (3, "no permission", MemberRefused, "member"),
            (4, "contract invoke failed", Rejected, "reverted"),
            (40, "archived", Rejected, "no_state"),
            (41, "archived", Rejected, "no_state"),
            (1, "timeout", Unreachable, "time"),
            (5, "something new", Rejected, "other"),
            (2, "the tx is too large", Rejected, "too_large"),
        ],
    )
    def test_codes_and_texts_are_sorted(self, code, text, kind, word):
        error = refusal(pb.TxResponse(code=code, message=text), "grpcs://node", "member.crt")
        assert type(error) is kind
        assert word in (error.code if kind is Rejected else str(error))

    def test_a_contracts_own_text_is_the_reason(self):
        response = pb.TxResponse(
            code=4, message="txStatusCode:4", contract_result=pb.ContractResult(message="no\nfunds")
        )
        assert refusal(response, "node", "m").reason == "no funds"

    def test_a_known_transaction_is_taken(self):
        for text in ("Add tx failed, TxId exist, x", "TxId exist in DB", "The tx had been on the block chain"):
            assert known_already(pb.TxResponse(code=5, message=text))
        assert not known_already(pb.TxResponse(code=0, message="TxId exist"))
        assert not known_already(pb.TxResponse(code=5, message="TxPool is full"))


GOOD = {"chain": "c", "member_certificate": "a", "member_key": "b"}


class TestOptions:
    def opened(self, url="grpcs://127.0.0.1:1", **extra):
        return ADAPTER.open(AdapterOptions((Endpoint(url),), extra=GOOD | extra))

    @pytest.mark.parametrize(
        ("extra", "name"),
        [
            ({"chain": ""}, "chain"),
            ({"chain": "x" * 31}, "chain"),
            ({"nonsense": "1"}, "nonsense"),
            ({"evidence": "none"}, "evidence"),
            ({"expiration_s": "5"}, "expiration_s"),
            ({"gas_limit": "-1"}, "gas_limit"),
            ({"signatures": "ecrecover"}, "signatures"),
        ],
    )
    def test_an_option_that_cannot_be_is_named(self, extra, name):
        with pytest.raises(Misconfigured, match=f"Option '{name}' of the chainmaker adapter"):
            self.opened(**extra)

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:1", "grpcs://127.0.0.1", "", "grpcs://:1", "ftp://x:1", "grpcs://x:99999"]
    )
    def test_a_url_that_cannot_be_is_refused(self, url):
        with pytest.raises(Misconfigured, match="grpcs://HOST:PORT"):
            self.opened(url)

    def test_an_endpoint_is_shown_without_credentials(self):
        assert self.opened("grpcs://user:secret@127.0.0.1:1").endpoint == "grpcs://127.0.0.1:1"
        assert self.opened("127.0.0.1:1").endpoint == "grpcs://127.0.0.1:1"
        with pytest.raises(Misconfigured):
            ADAPTER.open(AdapterOptions((), extra=GOOD))

    def test_a_wrong_chain_is_said(self, network):
        ledger = ADAPTER.open(options_of(network, chain="another"))
        with pytest.raises(Misconfigured, match="correct the option chain"):
            ledger.identity()
        ledger.close()


def test_a_call_is_tried_as_the_account_whose_key_this_process_was_given(own_network):
    """Behind the guard several adapters ask, and only one of them was given the key."""
    ledger = open_one(own_network)
    officers = PEOPLE[:3]
    ledger.endow(PEOPLE)
    creation = gateway_creation(
        chain_word=b"\1" * 32,
        officers=[ledger.account(officer) for officer in officers],
        guardian=ledger.account(PEOPLE[3]),
        delay_s=0,
        self_name=(name := ledger.new_name("gateway")),
    )
    put(own_network, ledger, creation, name)
    call = Call(name, administration.propose(administration.allow_sender(b"\1" * 32, b"\2" * 20, 5)), 0)
    another = open_one(own_network, node=1)
    assert len(another.simulate(ledger.account(officers[0]), call)) == 32
    for stranger in (b"\7" * 20, bytes(20), ledger.account(PEOPLE[3])):
        with pytest.raises(Rejected):
            another.simulate(stranger, call)
    ledger.close()
    another.close()


def test_a_node_that_says_no_hash_of_a_transactions_block_is_asked_for_the_block(own_network, monkeypatch):
    ledger = open_one(own_network)
    put(own_network, ledger, contract("Idle").creation)
    (transaction,) = own_network.chain.block(1).block.txs
    tx_id = bytes.fromhex(transaction.payload.tx_id)
    (known,) = ledger.receipts([tx_id])
    old = node_module.lie_about_transaction

    def without_hash(found, lies):
        found.ClearField("block_hash")
        return old(found, lies)

    monkeypatch.setattr(node_module, "lie_about_transaction", without_hash)
    assert ledger.receipts([tx_id]) == [known]
    assert known.block_hash == own_network.chain.header(1).block_hash
    ledger.close()
