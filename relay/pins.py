"""The headers from which a light client starts: the pinned one, and on Clique those before it that say who the signers are.

A pinned hash fixes every header before it. So a Clique client takes the signers, the open votes and who sealed last from the
headers since the last list of signers (the first block or an epoch block), and nobody has to state them.
"""

from __future__ import annotations

from typing import Any

from adapters.protocol import Ledger
from light_clients import clique
from light_clients.clique.codec import parse_header
from relay.clients import CLIQUE
from relay.following import HEADERS_A_LOOK
from relay.trail import run_of
from schemas.primitives import BlockHash


def headers_to_pin(ledger: Ledger, consensus: str, configuration: Any, height: int) -> tuple[bytes, ...]:
    """Fetch what a light client's bootstrap needs; nothing is judged.

    Args:
        ledger: where headers are fetched.
        consensus: the light client's name.
        configuration: of the light client.
        height: of the pinned block.

    Returns:
        Headers in a row; the pinned one is the last.

    Raises:
        AdapterError: the ledger does not answer.
    """
    first = height - height % configuration.epoch_length if consensus == CLIQUE else height
    headers: list[bytes] = []
    for start in range(first, height + 1, HEADERS_A_LOOK):
        headers += ledger.headers(start, min(start + HEADERS_A_LOOK - 1, height))
    return tuple(headers)


def newest_final(ledger: Ledger, configuration: clique.CliqueConfiguration) -> int:
    """The newest block of a Clique ledger that is final by what its endpoint shows; 0 where the ledger is too young.

    Raises:
        AdapterError: the ledger does not answer.
        LightClientError: its headers are no chain of Clique.
    """
    tip = ledger.tip()
    headers = headers_to_pin(ledger, CLIQUE, configuration, tip)
    newest = BlockHash(parse_header(headers[-1]).block_hash)
    state = clique.bootstrap(run_of(headers), newest, configuration)
    return max(tip - state.confirmations, 0)
