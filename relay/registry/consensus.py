"""Which light client can judge a ledger, and the pinned header from which it starts.

Detection asks no node: a header either is sealed by the validators that it lists, or it is not.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from adapters.protocol import Ledger, LedgerIdentity
from light_clients.errors import LightClientError
from light_clients.families import FAMILIES, client_named
from relay.errors import BadInput
from schemas.primitives import BlockHash, SchemaError
from schemas.suites import keccak256

DEVELOPMENT = "development"
_PIN = re.compile(r"(0|[1-9][0-9]{0,18}):(0x[0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """A block that officers trust: its height and hash."""

    height: int
    block_hash: BlockHash


@dataclass(frozen=True, slots=True)
class Trusted:
    """A light client's first state: the consensus by name, the state, and the header, byte for byte."""

    consensus: str
    state: Any
    header: bytes


def parse_pin(text: str) -> Pin | None:
    """Read `HEIGHT:0xHASH`; empty text is no pin.

    Raises:
        BadInput: it has another form.
    """
    if not text:
        return None
    match = _PIN.fullmatch(text)
    if match is None:
        raise BadInput(f"{text[:100]!r} is no pin.", "Give --pin HEIGHT:0xHASH, the hash with 64 hexadecimal digits.")
    try:
        return Pin(int(match.group(1)), BlockHash.from_hex(match.group(2)))
    except SchemaError as error:
        raise BadInput(f"{error}.", "Give the hash of the block.") from None


def trust_ledger(
    ledger: Ledger, identity: LedgerIdentity, consensus: str, pin: Pin | None, *, development_hub: bool
) -> Trusted:
    """Bootstrap a light client from the pinned block.

    Args:
        ledger: where the header is fetched.
        identity: what the node says it is.
        consensus: `auto`, or a light client's name; `development` means none can be verified.
        pin: the trusted block; on a development hub the newest one if there is no pin.
        development_hub: whether a ledger without verifiable consensus may join at all.

    Raises:
        BadInput: a pin is missing or not the ledger's, or no light client can judge the ledger.
        AdapterError: the ledger does not answer.
    """
    if consensus not in ("auto", *FAMILIES):
        raise BadInput(f"There is no light client {consensus!r}.", f"Choose auto or one of {', '.join(FAMILIES)}.")
    if pin is None and not development_hub:
        raise BadInput(
            "A ledger of a production hub starts from a pinned block.",
            "Learn a recent block's hash from a source that you trust and give --pin HEIGHT:0xHASH.",
        )
    if consensus == DEVELOPMENT and not development_hub:
        raise BadInput(
            "A production hub carries nothing from a ledger without verifiable consensus.",
            "Use a development hub for it (another --home).",
        )
    height = ledger.tip() if pin is None else pin.height
    header = ledger.headers(height, height)[0]
    if consensus != "auto":
        return _bootstrap(consensus, identity, header, pin)
    try:
        return _bootstrap("qbft", identity, header, pin)
    except BadInput as refusal:
        if development_hub and identity.development and not _is_sealed(header):
            return _bootstrap(DEVELOPMENT, identity, header, pin)
        raise BadInput(
            f"No light client can judge this ledger ({refusal.message})",
            "If it is a development node, say so on a development hub: --consensus development.",
        ) from None


def _bootstrap(consensus: str, identity: LedgerIdentity, header: bytes, pin: Pin | None) -> Trusted:
    client = client_named(consensus)
    try:
        block_hash = pin.block_hash if pin is not None else _hash_of(consensus, header)
        state = client.bootstrap(header, block_hash, _configuration(consensus, identity))
    except LightClientError as error:
        raise BadInput(f"{error.message}", "Check the pin and the endpoint.") from error
    now = int(time.time())
    if 0 < state.expires_at <= now:
        raise BadInput(
            f"The pinned block is {(now - state.timestamp) // 86_400} days old: validators of then may be gone.",
            "Pin a newer block.",
        )
    return Trusted(consensus, state, header)


def _configuration(consensus: str, identity: LedgerIdentity) -> Any:
    if consensus == DEVELOPMENT:
        from light_clients.development import DevelopmentConfiguration

        return DevelopmentConfiguration()
    from light_clients.qbft import Dialect, QbftConfiguration

    quorum = "quorum" in identity.software.lower() and "besu" not in identity.software.lower()
    return QbftConfiguration(
        dialect=Dialect.GOQUORUM if quorum else Dialect.BESU, sub_second_blocks=identity.development
    )


def _hash_of(consensus: str, header: bytes) -> BlockHash:
    """The hash of a header as its consensus computes it; believed only where the hub may pin by itself."""
    if consensus == DEVELOPMENT:
        return BlockHash(keccak256(header))
    from light_clients.qbft.codec import parse_header

    return parse_header(header).block_hash


def _is_sealed(header: bytes) -> bool:
    """Whether a header is of a form that validators seal: then a refusal is a refusal, and no lesser trust is offered."""
    from light_clients.qbft.codec import parse_header

    try:
        return bool(parse_header(header).extra.seals)
    except LightClientError:
        return False
