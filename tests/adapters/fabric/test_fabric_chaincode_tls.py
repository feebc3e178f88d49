"""The chaincode service behind TLS: who may connect, and what a peer hears first."""

import json
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.fabric.npm import chaincode_folder, find_node
from adapters.loopback_ports import free_port

PACKAGE_ID = "gateway_1:ab"
GENEROUS_S = 60


class Authority:
    """A certificate authority with one key."""

    def __init__(self, name):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = (
            self._builder(self.name, self.key).add_extension(basic, critical=True).sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self):
        """(key, certificate) in PEM for this machine's own address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = self._builder(subject, key).add_extension(address, critical=False).sign(self.key, hashes.SHA256())
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key.private_bytes(*form), made.public_bytes(serialization.Encoding.PEM)

    def _builder(self, subject, key):
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )


@contextmanager
def service(folder, server, peers):
    """The chaincode with a server's key and certificate, which lets peers of one authority in."""
    address = f"127.0.0.1:{free_port()}"
    environment = {"CHAINCODE_ID": PACKAGE_ID, "CHAINCODE_SERVER_ADDRESS": address}
    files = {"CHAINCODE_TLS_KEY": server[0], "CHAINCODE_TLS_CERT": server[1], "CHAINCODE_CLIENT_CA_CERT": peers.pem}
    for name, content in files.items():
        path = folder / f"{name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(content)
        environment[name] = str(path)
    command = [find_node(), "index.js"]
    with subprocess.Popen(command, cwd=chaincode_folder(), env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert json.loads(process.stdout.readline()) == {"chaincode": PACKAGE_ID, "address": address}
            yield address
        finally:
            process.kill()


def first_message(address, credentials):
    """What the chaincode says first, as bytes."""
    with grpc.secure_channel(address, credentials) as channel:
        connect = channel.stream_stream("/protos.Chaincode/Connect", bytes, bytes)
        return next(connect(iter(()), timeout=GENEROUS_S, wait_for_ready=False))


def test_a_peer_of_the_authority_hears_the_registration(tmp_path):
    servers, peers = Authority("servers"), Authority("peers")
    with service(tmp_path, servers.issue(), peers) as address:
        credentials = grpc.ssl_channel_credentials(servers.pem, *peers.issue())
        assert PACKAGE_ID.encode() in first_message(address, credentials)


@pytest.mark.parametrize("whose", ["nobody", "another authority", "another server authority"])
def test_others_do_not(tmp_path, whose):
    servers, peers, others = Authority("servers"), Authority("peers"), Authority("others")
    credentials = {
        "nobody": grpc.ssl_channel_credentials(servers.pem),
        "another authority": grpc.ssl_channel_credentials(servers.pem, *others.issue()),
        "another server authority": grpc.ssl_channel_credentials(others.pem, *peers.issue()),
    }
    with service(tmp_path, servers.issue(), peers) as address, pytest.raises(grpc.RpcError) as caught:
        first_message(address, credentials[whose])
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
