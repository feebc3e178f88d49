"""What a hub's configuration file, `hub.toml`, may say. Where it lies is `relay.home`'s business."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from relay.errors import BadInput
from relay.evidence.witness_roll import WitnessEntry
from relay.home import Home
from relay.tracing.configuration import Tracing
from schemas.primitives import SchemaError, name_text

__all__ = ["Home", "HubConfig", "parse_config"]


MOST_WITNESSES = 16


class HubConfig(BaseModel):
    """The hub's configuration file, `hub.toml`.

    Attributes:
        name: the hub's name; it enters every lane_id. At most 64 bytes.
        development: officers' keys are local and delays are zero; every status says so.
        database: SQLAlchemy URL; empty means SQLite in the home folder.
        broker: Celery broker URL; empty means the embedded Valkey.
        web_host: IP address of the HTTP interface; another one than loopback needs TLS and a token (relay.web.server).
        web_port: its port; 0 picks a free one at the first start.
        web_names: names by which a proxy in front of the interface is asked (relay.web.hosts).
        web_tls_certificate: file of its TLS certificate chain (PEM); empty means no TLS.
        web_tls_key: file of the certificate's private key (PEM).
        workers: worker processes.
        threshold: operators whose signatures an attestation needs (k of n, by organisation).
        batch_limit: messages that one delivery carries at most.
        poll_interval_s: seconds between two looks at a ledger's tip.
        ledger_options: options of a ledger's adapter, by the ledger's name and the option's (adapters.evm.options).
        anchor_interval_s: seconds between two notes of the evidence log's size and root at each ledger's gateway; 0 = never.
        require_certificates: whether lanes of a production hub need a certificate of each third party's adapter; a development
            hub asks for none.
        witnesses: who cosigns checkpoints of the evidence log, by names (relay.evidence.witness_roll).
        witness_threshold: cosignatures with which a checkpoint is published as cosigned.
        tracing: where traces of messages go (relay.tracing); nowhere unless it names an endpoint.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    development: bool = False
    database: str = ""
    broker: str = ""
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=0, ge=0, le=65535)
    web_names: list[str] = []
    web_tls_certificate: str = ""
    web_tls_key: str = ""
    workers: int = Field(default=2, ge=1, le=64)
    threshold: int = Field(default=2, ge=1, le=256)
    batch_limit: int = Field(default=100, ge=1, le=500)
    poll_interval_s: float = Field(default=0.1, gt=0, le=60)
    ledger_options: dict[str, dict[str, str | int]] = {}
    anchor_interval_s: int = Field(default=3_600, ge=0, le=31_536_000)
    require_certificates: bool = True
    witnesses: dict[str, WitnessEntry] = {}
    witness_threshold: int = Field(default=1, ge=1, le=16)
    tracing: Tracing = Tracing()

    @field_validator("witnesses")
    @classmethod
    def _are_several(cls, found: dict[str, WitnessEntry]) -> dict[str, WitnessEntry]:
        if len(found) > MOST_WITNESSES:
            raise ValueError(f"at most {MOST_WITNESSES} witnesses")
        for part, what in ((0, "name"), (2, "key")):
            if len({entry.key.split("+", 2)[part] for entry in found.values()}) < len(found):
                raise ValueError(f"one {what} stands twice: each witness has its own")
        return found


def parse_config(settings: dict[str, Any], where: str) -> HubConfig:
    """Check the settings of a configuration file; `where` names the file in errors.

    Raises:
        BadInput: a setting cannot be used; the error names it.
    """
    try:
        config = HubConfig.model_validate(settings)
        name_text(config.name, "hub name")
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{where}: {setting}: {first['msg']}.", "Correct the setting.") from error
    except SchemaError as error:
        raise BadInput(f"{where}: {error}.", "Correct the file.") from error
    return config
