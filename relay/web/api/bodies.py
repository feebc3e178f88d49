"""What callers post. The fields are the options of the command line; nothing else is taken."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

Name = Annotated[str, Field(min_length=1, max_length=64)]
Key = Annotated[str, Field(max_length=64, description="The name of a local key.")]
Account = Annotated[str, Field(pattern="^(0x([0-9a-f]{2}){1,64})?$", max_length=130, description="An account, 0x….")]
Seconds = Annotated[int, Field(ge=0, le=3_153_600_000)]
LARGEST_NUMBER = 2**53 - 1
"""What every JSON library keeps to the last digit (I-JSON: RFC 7493, section 2.2)."""
Gas = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]


_PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_HOST = r"https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}|https?://(127\.0\.0\.1|localhost)"
_URL = rf"^({_HOST})(:({_PORT}))?(/[!$-\[\]-~]*)?$"
"""An https URL with a name, or one of loopback; what it leads to is checked besides (relay.webhooks)."""


class Body(BaseModel):
    """The base: numbers are numbers, and fields that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        """JSON Schema takes 1.0 for an integer (draft 2020-12, section 6.1.1)."""
        return int(value) if isinstance(value, float) and value.is_integer() else value


class ChainBody(Body):
    """A ledger to register, as `relayhub chain add`."""

    name: Name = Field(examples=["alpha"])
    endpoints: list[Annotated[str, Field(min_length=1, max_length=2048)]] = Field(
        min_length=1, max_length=16, examples=[["http://127.0.0.1:8545"]]
    )
    adapter: Name = "evm"
    chain_id: str = Field(default="", max_length=64)
    consensus: str = Field(default="auto", max_length=64)
    client_options: dict[str, Any] | None = Field(
        default=None, description="The light client's options, or the genesis file."
    )
    pin: str = Field(default="", max_length=128, description="The trusted block, HEIGHT:0xHASH; needed in production.")
    gateway: Account = ""
    verifier: Account = ""
    officers: list[Account] = Field(default=[], max_length=16)
    guardian: Account = ""
    options: dict[str, str] = Field(default={}, max_length=64, description="Options of the adapter.")
    key: Key = ""


class AnnounceBody(Body):
    """Changes of validators, as `relayhub chain announce`."""

    client_options: dict[str, Any] = Field(description="The light client's options, or the new genesis file.")


class PinBody(Body):
    """A block to start again from, as `relayhub recover --pin`."""

    pin: str = Field(min_length=1, max_length=128, description="HEIGHT:0xHASH.", examples=["7:0x" + "5a" * 32])


class OfficerBody(Body):
    """Who signs: an officer's local key; empty on a development hub."""

    key: Key = Field(default="", examples=["ana"])


class LaneBody(Body):
    """A lane to open, as `relayhub lane open`."""

    source: Name = Field(examples=["alpha"])
    destination: Name = Field(examples=["beta"])
    channel: Name = "default"
    both: bool = Field(default=False, description="Open the lane back as well.")
    trust: str = Field(default="committee", pattern="^(committee|light-client|both)$")
    verifiers: list[Annotated[str, Field(max_length=256)]] = Field(
        default=[], max_length=8, description="LEDGER=0x…: verifiers that are there already."
    )
    trusting_period_s: Annotated[int, Field(ge=60, le=3_153_600_000)] | None = None
    batch_limit: Annotated[int, Field(ge=1, le=500)] | None = None
    max_payload: Annotated[int, Field(ge=1, le=2**31)] = 16_384
    max_gas: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 5_000_000
    max_callback_gas: Gas = 1_000_000
    window_s: Annotated[int, Field(ge=1, le=2**31)] = 60
    window_limit: Annotated[int, Field(ge=1, le=2**31)] = 1_000_000
    key: Key = ""


class LimitBody(Body):
    """What a lane carries; what is left out stays."""

    batch_limit: Annotated[int, Field(ge=1, le=500)] | None = None
    max_payload: Annotated[int, Field(ge=0, le=2**31)] | None = None
    max_gas: Gas | None = None
    max_callback_gas: Gas | None = None
    window_limit: Annotated[int, Field(ge=0, le=2**31)] | None = None
    key: Key = ""


class PartyBody(Body):
    """A sender at the source, or a receiver at the destination."""

    sender: str = Field(default="", max_length=130, description="0x…, or the name of a local key.", examples=["sender"])
    receiver: str = Field(default="", max_length=130, description="0x…, or mailbox.")
    limit: Annotated[int, Field(ge=1, le=65_535)] = 65_535
    key: Key = ""


class SendBody(Body):
    """A message to send, as `relayhub send`; with one of `text`, `hex`, `call` and `record`."""

    source: Name = Field(examples=["alpha"])
    destination: Name = Field(examples=["beta"])
    to: str = Field(min_length=1, max_length=130, description="The receiver: 0x…, or mailbox.", examples=["mailbox"])
    text: Annotated[str, Field(max_length=500_000)] | None = Field(default=None, examples=["你好"])
    hex: Annotated[str, Field(max_length=900_000)] | None = None
    call: Annotated[str, Field(max_length=500_000)] | None = None
    record: Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")] | None = Field(
        default=None, description="A record's id: what is sent in place of a content above the lane's cap."
    )
    channel: Name = "default"
    expires_in_s: Seconds = 0
    gas_limit: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] = 300_000
    callback_gas: Gas = 0
    key: Key = Field(default="", description="Empty: the token's own key, else `sender`.")
    count: Annotated[int, Field(ge=1, le=10_000)] = 1


class OperatorBody(Body):
    """An operator to register."""

    name: Name = Field(examples=["org-1"])
    organisation: Name = Field(examples=["house-1"])
    signer: str = Field(pattern="^0x([0-9a-f]{2}){1,64}$", max_length=130, examples=["0x" + "1a" * 20])
    sm2_key: Account = ""
    key: Key = ""


class ProposalBody(Body):
    """An action to propose, as `relayhub propose`."""

    action: Name = Field(examples=["allow-sender"])
    chain: Name = Field(examples=["alpha"])
    key: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["ana"])
    lane: str = Field(default="", max_length=66)
    account: Account = ""
    previous: Account = ""
    verifier: Account = ""
    limit: Annotated[int, Field(ge=1, le=65_535)] = 65_535


class DecisionBody(Body):
    """A proposal to approve or execute."""

    proposal: str = Field(min_length=1, max_length=256, examples=["alpha/gateway/1"])
    key: Annotated[str, Field(min_length=1, max_length=64)] = Field(examples=["bao"])
    action: str = Field(default="", pattern="^(0x([0-9a-f]{2})*)?$", description="Its calldata, if proposed elsewhere.")


class WebhookBody(Body):
    """Where to tell of messages."""

    url: str = Field(pattern=_URL, max_length=2048, examples=["https://application.example/relayhub"])
    lane_id: Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")] | None = Field(
        default=None, description="Only messages of this lane."
    )
    sender: Annotated[str, Field(pattern="^0x([0-9a-f]{2}){1,64}$")] | None = Field(
        default=None, description="Only messages of this account."
    )
