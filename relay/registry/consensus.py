"""Which light client can judge a ledger, and the pinned header from which it starts.

Detection asks no node: a header either is sealed by the validators that it lists, or it is not.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.protocol import Ledger, LedgerIdentity
from light_clients.errors import LightClientError
from light_clients.families import FAMILIES, client_named, header_hash, is_sealed
from relay.clients import BFT_FAMILIES, CLIQUE, DEVELOPMENT, client_configuration
from relay.errors import BadInput
from relay.pins import headers_to_pin, newest_final
from relay.trail import run_of
from schemas.primitives import BlockHash, SchemaError

_PIN = re.compile(r"(0|[1-9][0-9]{0,18}):(0x[0-9a-fA-F]{64})")

CONSENSUS_OF = {"cosmos": "cometbft", "cmaker": "chainmaker", "fisco": "fisco", "fabric": "fabric"}
"""The light client that judges a ledger by its CAIP-2 namespace, where there is but one."""


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
    ledger: Ledger,
    identity: LedgerIdentity,
    consensus: str,
    pin: Pin | None,
    *,
    development_hub: bool,
    options: Mapping[str, Any] | None = None,
) -> Trusted:
    """Bootstrap a light client from the pinned block.

    Args:
        ledger: where the header is fetched.
        identity: what the node says it is.
        consensus: `auto`, or a light client's name; `development` means none can be verified.
        pin: the trusted block; on a development hub the newest one if there is no pin.
        development_hub: whether a ledger without verifiable consensus may join at all.
        options: of the light client, where no header says what it has to know.

    Raises:
        BadInput: a pin is missing or not the ledger's, an option is wrong, or no light client can judge the ledger.
        AdapterError: the ledger does not answer.
    """
    if consensus not in ("auto", *FAMILIES):
        raise BadInput(f"There is no light client {consensus!r}.", f"Choose auto or one of {', '.join(FAMILIES)}.")
    if consensus == "auto" and (known := CONSENSUS_OF.get(identity.chain_id.partition(":")[0])):
        consensus = known
    if consensus == "auto" and options:
        raise BadInput("Options are those of one light client.", "Name it with --consensus, or in the file.")
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
    height = _pinned_height(ledger, consensus) if pin is None else pin.height
    header = ledger.headers(height, height)[0]
    if consensus == CLIQUE or (consensus == "auto" and is_sealed(CLIQUE, header)):
        return _trust_clique(ledger, identity, pin, options or {})
    if consensus != "auto":
        return _bootstrap(consensus, identity, (header,), pin, options or {})
    return _detect(identity, header, pin, development_hub=development_hub)


def _pinned_height(ledger: Ledger, consensus: str) -> int:
    """Where a development hub starts if it is not told: at the newest block, or at the first where only that says who decides."""
    return 0 if consensus in ("chainmaker", "fabric") else ledger.tip()


def _detect(identity: LedgerIdentity, header: bytes, pin: Pin | None, *, development_hub: bool) -> Trusted:
    """Try each family. No header is sealed in two of them; where none takes it, the family of its form says why."""
    refusals: dict[bool, BadInput] = {}
    for family in BFT_FAMILIES:
        try:
            return _bootstrap(family, identity, (header,), pin, {})
        except BadInput as refusal:
            refusals.setdefault(is_sealed(family, header), refusal)
    if not refusals.get(True) and development_hub and identity.development:
        return _bootstrap(DEVELOPMENT, identity, (header,), pin, {})
    cause = refusals.get(True) or refusals[False]
    raise BadInput(
        f"No light client can judge this ledger ({cause.message})",
        "If it is a development node, say so on a development hub: --consensus development.",
    )


def _trust_clique(ledger: Ledger, identity: LedgerIdentity, pin: Pin | None, options: Mapping[str, Any]) -> Trusted:
    """Bootstrap from the headers since the last list of signers; without a pin up to the newest final block."""
    try:
        configuration = client_configuration(CLIQUE, options, identity)
        height = newest_final(ledger, configuration) if pin is None else pin.height
    except LightClientError as error:
        raise BadInput(error.message, "Check the endpoint, and give epoch_length in --client-options.") from error
    headers = headers_to_pin(ledger, CLIQUE, configuration, height)
    return _bootstrap(CLIQUE, identity, headers, pin, options)


def _bootstrap(
    consensus: str, identity: LedgerIdentity, headers: tuple[bytes, ...], pin: Pin | None, options: Mapping[str, Any]
) -> Trusted:
    try:
        client, configuration = client_named(consensus), client_configuration(consensus, options, identity)
        block_hash = pin.block_hash if pin is not None else header_hash(consensus, headers[-1], configuration)
        state = client.bootstrap(run_of(headers), block_hash, configuration)
    except LightClientError as error:
        raise BadInput(f"{error.message}", "Check the pin and the endpoint.") from error
    now = int(time.time())
    if 0 < state.expires_at <= now:
        raise BadInput(
            f"The pinned block is {(now - state.timestamp) // 86_400} days old: validators of then may be gone.",
            "Pin a newer block.",
        )
    return Trusted(consensus, state, headers[-1])
