"""The platform's options of the adapter `chainmaker`, given as text under `extra`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.protocol import Misconfigured


class ChainMakerOptions(BaseModel):
    """What is to be said of a ChainMaker chain beyond its endpoints; files are named by their paths, in PEM.

    Attributes:
        chain: the chain's id, as its nodes have it.
        member_certificate: signing certificate of the member who asks; its O is the organisation.
        member_key: its key.
        tls_certificate: certificate with which the nodes know us; empty where they ask for none.
        tls_key: its key.
        tls_roots: authorities of the nodes' TLS certificates, in one file.
        tls_name: the name that the nodes' TLS certificates have.
        certificates: folder with the certificates of whoever signs transactions; empty: only the member does.
        endorsers: folder with certificates and keys (`NAME.crt`, `NAME.key`) of administrators who endorse deployments.
        evidence: `event` where an event may be evidence, or `write-set` (chains that run contracts in containers).
        gateway_suite: hash suite of gateways that are deployed here: `evm`, or `sm` for lanes under national cryptography.
        signatures: how committees sign for lanes that end here; `chainmaker-sm2` under `sm` and `secp256k1` under `evm` unless said
            otherwise; the machine's own ecrecover is a stub.
        expiration_s: how long a transaction may wait; no longer than the chain's `tx_timeout` less a minute.
        gas_limit: of a transaction, 0 where the chain charges no gas.
        contract_version: the version that deployed contracts get.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chain: Annotated[str, Field(min_length=1, max_length=30)]
    member_certificate: Annotated[str, Field(min_length=1)]
    member_key: Annotated[str, Field(min_length=1)]
    tls_certificate: str = ""
    tls_key: str = ""
    tls_roots: str = ""
    tls_name: str = "chainmaker.org"
    certificates: str = ""
    endorsers: str = ""
    evidence: Literal["event", "write-set"] = "event"
    gateway_suite: Literal["evm", "sm"] = "evm"
    signatures: Literal["", "secp256k1", "chainmaker-sm2"] = ""
    expiration_s: Annotated[int, Field(ge=60, le=3_600)] = 540
    gas_limit: Annotated[int, Field(ge=0)] = 0
    contract_version: Annotated[str, Field(min_length=1, max_length=32)] = "1.0"

    @property
    def committee_signatures(self) -> str:
        """How committees sign for lanes that end here."""
        return self.signatures or ("chainmaker-sm2" if self.gateway_suite == "sm" else "secp256k1")

    @classmethod
    def read(cls, extra: dict[str, str]) -> ChainMakerOptions:
        """Read the options from text.

        Raises:
            Misconfigured: an option is unknown, missing or out of range; the text names it.
        """
        try:
            return cls.model_validate(extra)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            known = ", ".join(cls.model_fields)
            raise Misconfigured(
                f"Option {name!r} of the chainmaker adapter: {first['msg']}; the options are {known}."
            ) from error
