"""The platform's options of the adapter `fabric`, and the file that describes a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.protocol import Misconfigured


class FabricOptions(BaseModel):
    """What has to be said of a channel beyond its endpoints (peers, as `grpcs://HOST:PORT`).

    Attributes:
        network: path of the network file; see `NetworkFile`.
        reader: folder with `cert.pem` and `key.pem` of the member that reads.
        certificates: folder with certificates (PEM) of the members that send; each needs no key there.
        tls_certificate: path of the client's TLS certificate, where TLS is mutual.
        tls_key: path of its key.
        attesters: membership ids of those whose peers attest heads, with commas between; all with peers where empty.
        threshold: organisations that must attest, 0 = more than half of them.
        endorsers: organisations that must endorse a transaction, 0 = more than half of those with peers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Annotated[str, Field(min_length=1)]
    reader: Annotated[str, Field(min_length=1)]
    certificates: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    attesters: str = ""
    threshold: Annotated[int, Field(ge=0, le=64)] = 0
    endorsers: Annotated[int, Field(ge=0, le=64)] = 0

    @classmethod
    def read(cls, extra: dict[str, str]) -> FabricOptions:
        """Read the options from text.

        Raises:
            Misconfigured: an option is missing, unknown or out of range; the text names it.
        """
        try:
            return cls.model_validate(extra)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            known = ", ".join(cls.model_fields)
            raise Misconfigured(
                f"Option {name!r} of the fabric adapter: {first['msg']}; the options are {known}."
            ) from error


class NodeEntry(BaseModel):
    """A peer or an orderer.

    Attributes:
        url: `grpcs://HOST:PORT`, or `grpc://HOST:PORT` without TLS.
        msp_id: membership id of its organisation.
        tls_name: the host name in its TLS certificate, where it differs from HOST.
        tls_roots: path of a PEM file with the roots of its TLS certificate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^grpcs?://[^/@\s]+:\d{1,5}$")]
    msp_id: str
    tls_name: str = ""
    tls_roots: str = ""


class OrganisationEntry(BaseModel):
    """An organisation: its membership id, and paths of PEM files with the authorities of its members and what they took back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    msp_id: Annotated[str, Field(min_length=1, max_length=255)]
    roots: tuple[str, ...]
    intermediates: tuple[str, ...] = ()
    revocation_lists: tuple[str, ...] = ()


class NetworkFile(BaseModel):
    """A network as JSON; paths in it are relative to the file.

    Attributes:
        channel: its name.
        organisations: whose members are known.
        peers: of every organisation that endorses or attests.
        orderers: at least one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[str, Field(min_length=1, max_length=249)]
    organisations: tuple[OrganisationEntry, ...]
    peers: tuple[NodeEntry, ...]
    orderers: tuple[NodeEntry, ...]


def read_network(path: Path) -> NetworkFile:
    """Read a network file.

    Raises:
        Misconfigured: it cannot be read, or a part of it is missing or wrong; the text names it.
    """
    try:
        return NetworkFile.model_validate_json(read_bytes(path, "network file"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"The network file {path}: {place}: {first['msg']}; correct it.") from error


def organisations_of(network: NetworkFile) -> tuple[str, ...]:
    """The organisations of which a network file names a peer, in its order."""
    return tuple(dict.fromkeys(peer.msp_id for peer in network.peers))


def file_mark(path: Path) -> tuple[int, int, int]:
    """What tells that a file was written anew: inode, nanoseconds of its last change, bytes; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_bytes(path: Path, what: str) -> bytes:
    """Read a file.

    Raises:
        Misconfigured: it cannot be read; the text says which and why.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"The {what} {path} cannot be read ({error.strerror}); give another path.") from error


def mark_of(*paths: Path) -> tuple[tuple[int, int], ...]:
    """What changes when one of the files does: time and size of each, zeros where it is not there."""
    found = []
    for path in paths:
        try:
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)
