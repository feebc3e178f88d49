"""The platform's options of the adapter `fisco`, given as text under `extra`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.fisco.transactions import Network
from adapters.protocol import Misconfigured
from light_clients.errors import ConfigurationInvalid
from light_clients.fisco.types import FiscoConfiguration


class FiscoOptions(BaseModel):
    """What can be said of a FISCO BCOS ledger beyond its endpoints.

    Attributes:
        line: `2` for 2.x, `3` for 3.x.
        suite: `evm` for keccak-256 and secp256k1, `sm` for SM3 and SM2 (national cryptography).
        group: the group; `1` on line 2 and `group0` on line 3 unless said otherwise.
        chain: the chain id that transactions name; `1` on line 2 and `chain0` on line 3 unless said otherwise.
        node: line 3: the name of the node that is asked, empty for any of the endpoint's.
        extra_data_size: line 3: bytes of extra data in every header but the first, which no hash says.
        block_limit: blocks within which a transaction must be taken; nodes allow 1,000 on line 2 and 600 on line 3.
        gas_limit: the most gas that one transaction may use (`tx_gas_limit` of the ledger).
        web3: line 3: URL of a node's `eth_*` port (`web3_rpc`), by which calls are simulated with their sender; not needed.
        tls_roots: file of the authorities of https endpoints, PEM; the system's where it is empty.
        tls_certificate: file of our certificate, PEM, where nodes ask for one.
        tls_key: file of its key.
        tls_name: the name that the nodes' certificates have; the URL's where it is empty; `any` where the authority alone decides.
        parallel: questions that are asked at once; nodes of line 3 take no batches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: Literal["2", "3"]
    suite: Literal["evm", "sm"] = "evm"
    group: Annotated[str, Field(max_length=64)] = ""
    chain: Annotated[str, Field(max_length=64)] = ""
    node: Annotated[str, Field(max_length=64)] = ""
    extra_data_size: Annotated[int, Field(ge=0, le=4096)] = 0
    block_limit: Annotated[int, Field(ge=10, le=1000)] = 500
    gas_limit: Annotated[int, Field(ge=100_000, le=3_000_000_000)] = 300_000_000
    web3: Annotated[str, Field(max_length=500)] = ""
    tls_roots: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_name: Annotated[str, Field(max_length=253)] = ""
    parallel: Annotated[int, Field(ge=1, le=16)] = 4

    @model_validator(mode="after")
    def _numbers_on_line_2(self) -> Self:
        if self.line == "2" and not (self.network.chain.isdecimal() and self.network.group.isdecimal()):
            raise ValueError("the chain and the group of line 2 are numbers")
        if self.line == "2" and (self.node or self.extra_data_size or self.web3):
            raise ValueError("node, extra_data_size and web3 are options of line 3")
        return self

    @property
    def network(self) -> Network:
        """What every transaction names."""
        chain, group = ("1", "1") if self.line == "2" else ("chain0", "group0")
        return Network(int(self.line), self.suite, self.chain or chain, self.group or group)

    @property
    def configuration(self) -> FiscoConfiguration:
        """What the readers of the light client's package need to know.

        Raises:
            Misconfigured: a name is none of the platform.
        """
        network = self.network
        names = (network.chain, network.group)
        try:
            return FiscoConfiguration(network.line, network.suite, *names, extra_data_size=self.extra_data_size)
        except ConfigurationInvalid as error:
            raise Misconfigured(f"Options of the fisco adapter: {error}") from error

    @classmethod
    def read(cls, extra: dict[str, str]) -> FiscoOptions:
        """Read the options from text.

        Raises:
            Misconfigured: an option is unknown, missing or out of range; the text names it.
        """
        try:
            return cls.model_validate(extra)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "line"
            known = ", ".join(cls.model_fields)
            raise Misconfigured(
                f"Option {name!r} of the fisco adapter: {first['msg']}; the options are {known}."
            ) from error
