"""A configuration of ChainMaker as options that a person writes, in TOML or JSON.

    chain_config = "0x0a06636861696e31…"     # protobuf of the ChainConfig; not where a configuration block is pinned
    trusting_period_s = 1209600
    maximum_drift_s = 15
    refused_certificates = ["0x…"]           # SHA-256 of the DER of what the chain revoked or froze
    [[pins]]                                 # needed where an organisation has several nodes
    node_id = "QmW6Jt6R…"
    certificate = "-----BEGIN CERTIFICATE-----…"

What is not said has its default; what is unknown is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from light_clients.chainmaker.members import read_certificate
from light_clients.chainmaker.types import ChainMakerConfiguration, NodePin
from light_clients.errors import ConfigurationInvalid, LightClientError
from schemas.primitives import Bytes32

OPTIONS = ("chain_config", "pins", "refused_certificates", "trusting_period_s", "maximum_drift_s")


def read_options(options: Mapping[str, Any]) -> ChainMakerConfiguration:
    """Makes a configuration out of options.

    Args:
        options: As a TOML or JSON reader gives them.

    Raises:
        ConfigurationInvalid: An option is unknown, not of its kind, or out of its range; the message names it.
    """
    read: dict[str, Any] = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigurationInvalid(f"There is no option {name!r}; the options are {', '.join(OPTIONS)}.")
        if name == "chain_config":
            read[name] = _data(value, name)
        elif name == "pins":
            read[name] = tuple(_pin(item) for item in _list(value, name))
        elif name == "refused_certificates":
            read[name] = tuple(Bytes32(_data(item, name, 32)) for item in _list(value, name))
        elif type(value) is int:
            read[name] = value
        else:
            raise ConfigurationInvalid(f"The option {name} is a whole number.", found=str(value)[:80])
    return ChainMakerConfiguration(**read)


def write_options(configuration: ChainMakerConfiguration) -> dict[str, Any]:
    """The options of a configuration: what differs from the defaults; `read_options` makes the same one out of them.

    Args:
        configuration: With certificates in PEM.
    """
    told = {
        "chain_config": "0x" + configuration.chain_config.hex(),
        "pins": [
            {"node_id": pin.node_id, "certificate": pin.certificate.decode("ascii", "replace")}
            for pin in configuration.pins
        ],
        "refused_certificates": [item.hex0x() for item in configuration.refused_certificates],
        "trusting_period_s": configuration.trusting_period_s,
        "maximum_drift_s": configuration.maximum_drift_s,
    }
    default = ChainMakerConfiguration()
    return {name: value for name, value in told.items() if getattr(configuration, name) != getattr(default, name)}


def _pin(value: Any) -> NodePin:
    match value:
        case {"node_id": str() as node_id, "certificate": str() as certificate, **others} if not others:
            try:
                read_certificate(certificate.encode())
            except LightClientError as error:
                raise ConfigurationInvalid(f"The certificate of a pin cannot be read: {error}") from error
            return NodePin(node_id, certificate.encode())
    raise ConfigurationInvalid("An entry of pins has node_id and certificate, a text in PEM.", found=str(value)[:80])


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigurationInvalid(f"The option {name} is a list.", found=str(value)[:80])
    return value


def _data(value: Any, name: str, size: int | None = None) -> bytes:
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else None
    except ValueError:
        data = None
    if data is None or size not in (None, len(data)):
        raise ConfigurationInvalid(f"The option {name} is bytes in hexadecimal with 0x.", found=str(value)[:80])
    return data
