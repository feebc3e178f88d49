"""The folder of a simulated network: organisations with their authorities, nodes and members, made anew at every start.

The layout is that of ChainMaker's own generator (`ORGANISATION/{ca,node,user}/…`). Beside it stand the three folders that the
adapter's options name: `members` (certificates of whoever signs), `endorsers` (administrators with their keys) and `tls`.
TLS keys are P-256 on every chain, because gRPC's library speaks no national TLS. Files with keys have mode 600.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from adapters.chainmaker.keys import P256
from adapters.chainmaker.simulator.authority import Issued, authority, issue, new_key
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from light_clients.crypto.certificates import read_certificate
from light_clients.crypto.x509_types import Scheme
from light_clients.protobuf import integer_field, octets_field

TLS_NAME = "chainmaker.org"
"""The name that nodes have in their TLS certificates."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ECDSA_KEY_TYPE = 3


@dataclass(frozen=True)
class Organisation:
    """An organisation: its authority for members, the one for TLS, its consensus node and its people."""

    name: str
    root: Issued
    tls_root: Issued
    node: Issued
    node_tls: Issued
    admin: Issued
    client: Issued
    client_tls: Issued

    @property
    def node_id(self) -> str:
        """Under what name the node votes: a hash of its TLS key."""
        return node_id(self.node_tls)

    def member(self, issued: Issued) -> pb.Member:
        """Who signs with a certificate of this organisation."""
        return pb.Member(org_id=self.name, member_info=issued.pem)

    def endorse(self, issued: Issued, message: bytes) -> pb.EndorsementEntry:
        """A signature with the certificate of its signer."""
        return pb.EndorsementEntry(signer=self.member(issued), signature=issued.key.sign(message))


def new_organisation(name: str, scheme: Scheme) -> Organisation:
    """An organisation with fresh keys."""
    root = authority(scheme, name)
    tls_root = root if scheme == P256 else authority(P256, name)
    node_tls = issue(
        tls_root,
        new_key(P256),
        name,
        "ChainMaker",
        f"consensus1.tls.{name}",
        names=(TLS_NAME, "localhost"),
        usage="tls",
    )
    return Organisation(
        name,
        root,
        tls_root,
        issue(root, new_key(scheme), name, "consensus", f"consensus1.sign.{name}"),
        node_tls,
        issue(root, new_key(scheme), name, "admin", f"admin1.sign.{name}"),
        issue(root, new_key(scheme), name, "client", f"client1.sign.{name}"),
        issue(tls_root, new_key(P256), name, "ChainMaker", f"client1.tls.{name}", usage="tls"),
    )


def node_id(tls: Issued) -> str:
    """A node's name: the base-58 multihash of its TLS key in the form of libp2p."""
    spki = _public_key_info(tls.der)
    digest = hashlib.sha256(integer_field(1, _ECDSA_KEY_TYPE) + octets_field(2, spki)).digest()
    number, text = int.from_bytes(b"\x12\x20" + digest, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return text


def _public_key_info(der: bytes) -> bytes:
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
    return prefix + read_certificate(der).public_key


def write_organisation(folder: Path, organisation: Organisation) -> None:
    """Write an organisation's files, and add its TLS root to those that the adapter trusts."""
    home = folder / organisation.name
    write_file(home / "ca" / "ca.crt", organisation.root.pem)
    for place, kind, issued in (
        ("node/consensus1", "consensus1.sign", organisation.node),
        ("node/consensus1", "consensus1.tls", organisation.node_tls),
        ("user/admin1", "admin1.sign", organisation.admin),
        ("user/client1", "client1.sign", organisation.client),
        ("user/client1", "client1.tls", organisation.client_tls),
    ):
        write_pair(home / place / kind, issued)
    write_pair(folder / "endorsers" / f"admin1.sign.{organisation.name}", organisation.admin)
    write_file(folder / "members" / f"client1.sign.{organisation.name}.crt", organisation.client.pem)
    roots = folder / "tls" / "roots.crt"
    known = roots.read_bytes() if roots.exists() else b""
    write_file(roots, known + organisation.tls_root.pem)


def write_pair(stem: Path, issued: Issued) -> None:
    """Write a certificate and its key."""
    write_file(stem.with_name(stem.name + ".crt"), issued.pem)
    write_file(stem.with_name(stem.name + ".key"), issued.key_pem)


def write_file(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(data)


def client_options(folder: Path, chain: str, organisation: str) -> dict[str, str]:
    """The adapter's options for a member of an organisation."""
    client = folder / organisation / "user" / "client1"
    return {
        "chain": chain,
        "member_certificate": str(client / "client1.sign.crt"),
        "member_key": str(client / "client1.sign.key"),
        "tls_certificate": str(client / "client1.tls.crt"),
        "tls_key": str(client / "client1.tls.key"),
        "tls_roots": str(folder / "tls" / "roots.crt"),
        "certificates": str(folder / "members"),
        "endorsers": str(folder / "endorsers"),
    }
