"""What only a simulated network offers: certificates for keys that it never saw."""

from __future__ import annotations

from pathlib import Path

from adapters.chainmaker.blocks import parse
from adapters.chainmaker.channel import DEVELOPMENT_SERVICE, NodeChannel
from adapters.chainmaker.keys import SigningKey
from adapters.chainmaker.names import account_address
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.protocol import BadAnswer, Misconfigured

DEVELOPMENT = "simulator"
"""In the software's name of every node that is none of ChainMaker's."""

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def certify(channel: NodeChannel, key: SigningKey, folder: Path) -> None:
    """Have a certificate made for a key, and put it into the folder of members.

    Raises:
        AdapterError: the node does not answer, or the folder cannot be written.
    """
    name = f"client.{account_address(key.public).hex()}"
    request = pb.CertifyRequest(public_key=key.public, name=name).SerializeToString()
    answer = parse(pb.CertifyResponse, channel.ask(DEVELOPMENT_SERVICE + "Certify", request), "the certificate")
    if not answer.certificate.startswith(_CERTIFICATE):
        raise BadAnswer(f"{channel.label} made no certificate; leave it.", endpoint=channel.label)
    path = folder / f"{name}.crt"
    try:
        path.touch(mode=0o600)
        path.write_bytes(answer.certificate)
    except OSError as error:
        raise Misconfigured(
            f"The folder {folder} of the option certificates cannot be written ({error.strerror})."
        ) from error
