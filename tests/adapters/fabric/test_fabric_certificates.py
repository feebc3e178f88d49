"""Certificates of members and of TLS: what does not hold is said in one line before anything is sent; new files are read."""

import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.fabric.simulator.authorities import Organisation, key_pem
from adapters.fabric.simulator.material import write_client
from adapters.fabric.simulator.network import FabricNetwork
from adapters.protocol import Misconfigured, Unreachable
from tests.support.fabric_world import opened, options_of

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with FabricNetwork(tmp_path_factory.mktemp("plain"), block_interval_s=0.05) as made:
        yield made


@pytest.fixture(scope="module")
def mutual(tmp_path_factory):
    with FabricNetwork(tmp_path_factory.mktemp("mutual"), block_interval_s=0.05, mutual_tls=True, orderers=1) as made:
        yield made


def refusal_of(options):
    with opened(options) as ledger, pytest.raises(Misconfigured) as caught:
        ledger.tip()
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("kind", "words"),
    [("expired", "not valid now"), ("wrong_authority", "another authority"), ("wrong_name", "is not for the name")],
)
def test_a_tls_certificate_that_does_not_hold(network, kind, words):
    node = network.peers[0].node
    network.show_certificate(node, kind)
    try:
        asked = []
        network.peers[0].endorser.process, original = asked.append, network.peers[0].endorser.process
        assert words in refusal_of(options_of(network))
        assert asked == []
    finally:
        network.peers[0].endorser.process = original
        network.show_certificate(node, "good")
    with opened(options_of(network)) as ledger:
        assert ledger.tip() == 0


def test_a_connection_finds_a_new_tls_certificate_and_says_what_is_wrong_with_it(network):
    node = network.peers[0].node
    with opened(options_of(network)) as ledger:
        assert ledger.tip() == 0
        network.show_certificate(node, "wrong_name")
        with pytest.raises((Misconfigured, Unreachable)):
            ledger.tip()
        with pytest.raises(Misconfigured, match="is not for the name"):
            ledger.tip()
        network.show_certificate(node, "good")
        assert ledger.tip() == 0


def test_mutual_tls_needs_our_certificate(mutual, tmp_path):
    options = options_of(mutual)
    with opened(options) as ledger:
        assert ledger.tip() == 0
        assert ledger.headers(0, 0)
        assert [item.name for item in ledger.certificates()] == ["cert.pem", "tls_cert.pem"]
    extra = {key: value for key, value in options.extra.items() if not key.startswith("tls")}
    with (
        opened(replace_extra(options, extra)) as ledger,
        pytest.raises(Misconfigured, match="asks for a TLS certificate"),
    ):
        ledger.tip()
    stranger = Organisation.new("StrangerMSP", "stranger.example")
    write_client(tmp_path / "stranger", stranger, mutual=True)
    extra = {
        **options.extra,
        "tls_certificate": str(tmp_path / "stranger" / "tls_cert.pem"),
        "tls_key": str(tmp_path / "stranger" / "tls_key.pem"),
    }
    with (
        opened(replace_extra(options, extra)) as ledger,
        pytest.raises(Misconfigured, match="does not accept our TLS certificate"),
    ):
        ledger.tip()


def replace_extra(options, extra):
    return type(options)(options.endpoints, timeout_s=options.timeout_s, extra=extra)


@pytest.mark.parametrize(
    ("of", "ended", "words"),
    [
        ("own", True, "expired on"),
        ("stranger", False, "is of no organisation"),
    ],
)
def test_a_reader_whose_certificate_does_not_hold(network, tmp_path, of, ended, words):
    organisation = network.organisations[0] if of == "own" else Organisation.new("Org1MSP", "org1.example")
    write_client(tmp_path / "reader", organisation, mutual=False, not_after=datetime.now(UTC) - HOUR if ended else None)
    assert words in refusal_of(options_of(network, reader=str(tmp_path / "reader")))


def test_a_reader_without_files_or_with_those_of_another(network, tmp_path):
    assert "cannot be read" in refusal_of(options_of(network, reader=str(tmp_path / "nowhere")))
    shutil.copytree(network.folder / "reader", tmp_path / "reader")
    (tmp_path / "reader" / "key.pem").write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1())))
    assert "is not of its key" in refusal_of(options_of(network, reader=str(tmp_path / "reader")))
    (tmp_path / "reader" / "key.pem").write_bytes(b"nothing")
    assert "is no private key" in refusal_of(options_of(network, reader=str(tmp_path / "reader")))
    (tmp_path / "reader" / "cert.pem").write_bytes(b"nothing")
    shutil.copy(network.folder / "reader" / "key.pem", tmp_path / "reader" / "key.pem")
    assert "is no certificate" in refusal_of(options_of(network, reader=str(tmp_path / "reader")))


def test_a_certificate_that_is_renewed_is_used_at_once(network, tmp_path):
    organisation = network.organisations[0]
    soon = datetime.now(UTC) + timedelta(seconds=3)
    write_client(tmp_path / "reader", organisation, mutual=False, not_after=soon)
    with opened(options_of(network, reader=str(tmp_path / "reader"))) as ledger:
        assert ledger.tip() == 0
        (state,) = ledger.certificates()
        assert state.not_after == int(soon.timestamp())
        while time.time() <= state.not_after + 1:
            time.sleep(0.2)
        with pytest.raises(Misconfigured, match="expired on"):
            ledger.tip()
        write_client(tmp_path / "reader", organisation, mutual=False)
        assert ledger.tip() == 0
        assert ledger.certificates()[0].not_after > state.not_after


def test_who_sends_needs_a_certificate_that_holds(network, tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    key = b"\x44" * 32
    public = ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256R1()).public_key()
    organisation = network.organisations[1]
    with opened(options_of(network, certificates=str(folder))) as ledger:
        with pytest.raises(Misconfigured, match="No certificate in"):
            ledger.account(key)
        for number, (issuer, ends, words) in enumerate(
            [
                (organisation, datetime.now(UTC) - HOUR, "expired on"),
                (Organisation.new("Org2MSP", "org2.example"), None, "is of no organisation"),
            ]
        ):
            certificate, _ = issuer.member("client", "someone", public, ends)
            (folder / f"{number}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
            with pytest.raises(Misconfigured, match=words):
                ledger.account(key)
        certificate, _ = organisation.member("client", "someone", public)
        (folder / "2.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        account = ledger.account(key)
        assert len(account) == 33
        assert account[0] == 0
        organisation.revoked.append(certificate.serial_number)
        network.write_network()
        with pytest.raises(Misconfigured, match="revoked by Org2MSP"):
            ledger.account(key)
        organisation.revoked.clear()
        network.write_network()
        assert ledger.account(key) == account
        (folder / "2.pem").unlink()
        (folder / "0.pem").unlink()
        assert [item.name for item in ledger.certificates()] == ["cert.pem", "1.pem"]


def test_private_files_are_the_owners_alone(network):
    keys = list(network.folder.rglob("key.pem"))
    assert keys
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
