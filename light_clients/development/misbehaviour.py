"""On a development chain nobody seals, so two headers of one height accuse nobody."""

from __future__ import annotations

from light_clients.development.codec import parse_header
from light_clients.development.types import DevelopmentState
from light_clients.errors import Misbehaviour


def find_misbehaviour(state: DevelopmentState, header_a: bytes, header_b: bytes) -> Misbehaviour | None:  # noqa: ARG001 - the face of every family
    """Reads two headers and accuses nobody: without seals, anyone may have made them.

    Raises:
        Refused: One of them is no header.
    """
    parse_header(header_a)
    parse_header(header_b)
    return None
