"""The platform's options of the adapter `cosmos`, given as text under `extra`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.protocol import Misconfigured

CONSENSUS_PORT = 26_657
"""Where CometBFT serves its RPC by default (`config.toml`, `[rpc] laddr`)."""


class CosmosOptions(BaseModel):
    """What can be said of a ledger beyond its endpoints.

    Attributes:
        transactions: `auto` asks the newest block whether there is a base fee; `legacy` never offers one (EIP-155).
        log_range: blocks that one question for events may span at most; it is halved where a node refuses.
        transaction_gas_cap: the most gas that one transaction may have, 0 = the block's limit.
        fee_floor: the least fee per gas that is offered, in base units.
        fee_ceiling: the most that is ever offered per gas, in base units, 0 = no limit; the hub waits while the ledger asks more.
        initial_height: height of the first block; 0 asks the node's genesis where block 1 is not served.
        batch: questions that CometBFT takes in one request (`[rpc] max_request_batch_size`, 10 by default).
        store: name of the EVM module's store.
        faucet_key_file: of a development network, the file (mode 600) with the private key of its bank, in hexadecimal; the ledger then
            counts as one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transactions: Literal["auto", "legacy"] = "auto"
    log_range: Annotated[int, Field(ge=1, le=1_000_000)] = 1_000
    transaction_gas_cap: Annotated[int, Field(ge=0)] = 0
    fee_floor: Annotated[int, Field(ge=0)] = 0
    fee_ceiling: Annotated[int, Field(ge=0)] = 0
    initial_height: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    batch: Annotated[int, Field(ge=1, le=400)] = 10
    store: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "evm"
    faucet_key_file: str = ""

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> Self:
        if 0 < self.fee_ceiling < self.fee_floor:
            raise ValueError(
                f"fee_floor {self.fee_floor} is above fee_ceiling {self.fee_ceiling}; nothing could be offered"
            )
        return self

    @classmethod
    def read(cls, extra: dict[str, str]) -> CosmosOptions:
        """Read the options from text.

        Raises:
            Misconfigured: an option is unknown or out of range; the text names it.
        """
        try:
            return cls.model_validate(extra)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "fee_floor"
            known = ", ".join(cls.model_fields)
            raise Misconfigured(
                f"Option {name!r} of the cosmos adapter: {first['msg']}; the options are {known}."
            ) from error
