"""On a development chain nobody seals, so two headers of one height accuse nobody."""

from __future__ import annotations

from light_clients.development.codec import parse_header
from light_clients.development.types import DevelopmentState
from light_clients.errors import Misbehaviour
from light_clients.rlp import split_lists


def find_misbehaviour(state: DevelopmentState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:  # noqa: ARG001 - the face of every family
    """Reads two headers and accuses nobody: without seals, anyone may have made them.

    Raises:
        Refused: One of them is no header.
    """
    for data in (header_a, header_b):
        for header in split_lists(data):
            parse_header(header)
    return None
