"""Options that every adapter with an Ethereum JSON-RPC has, given as text under `extra`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.protocol import Misconfigured


class EthereumOptions(BaseModel):
    """What can be said of an Ethereum-like ledger beyond its endpoints; an adapter's own options follow in its own model.

    Attributes:
        transactions: `auto` asks the newest block whether there is a base fee; `legacy` never offers one (EIP-155).
        log_range: blocks that one question for events may span at most; it is halved where a node refuses.
        transaction_gas_cap: the most gas that one transaction may have, 0 = the block's limit (EIP-7825 has 16,777,216).
        fee_floor: the least fee per gas that is offered, in base units.
        fee_ceiling: the most that is ever offered per gas, in base units, 0 = no limit; the hub waits while the ledger asks more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapter: ClassVar[str]

    transactions: Literal["auto", "legacy"] = "auto"
    log_range: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    transaction_gas_cap: Annotated[int, Field(ge=0)] = 0
    fee_floor: Annotated[int, Field(ge=0)] = 0
    fee_ceiling: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> Self:
        if 0 < self.fee_ceiling < self.fee_floor:
            raise ValueError(
                f"fee_floor {self.fee_floor} is above fee_ceiling {self.fee_ceiling}; nothing could be offered"
            )
        return self

    @classmethod
    def read(cls, extra: dict[str, str]) -> Self:
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
                f"Option {name!r} of the {cls.adapter} adapter: {first['msg']}; the options are {known}."
            ) from error
